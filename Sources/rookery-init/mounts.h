#ifndef ROOKERY_INIT_MOUNTS_H
#define ROOKERY_INIT_MOUNTS_H

#include <stdbool.h>

/// A detached copy of a mount (open_tree(2)): a descriptor, or -1 with errno.
int clone_mount(int directory, const char *path, bool recursive);

/// Attaches a detached mount at a path (move_mount(2)): 0, or -1 with errno.
int attach_mount(int tree, const char *path);

/// Opens the directory that holds a path of the new root, through no link; `name` is the rest: a descriptor, or -1 with
/// errno.
int open_holder(const char *path, const char **name);

#endif
