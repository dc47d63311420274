#ifndef ROOKERY_BENEATH_H
#define ROOKERY_BENEATH_H

#include <sys/inotify.h>
#include <sys/types.h>

/// O_PATH, which Swift's C library module does not have.
#define RK_O_PATH 0x200000

/// Opens a path relative to a directory that somebody hostile may change at any time: no symbolic link is followed
/// and the path cannot leave the directory (openat2(2), RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS). O_CLOEXEC is added.
/// Returns the descriptor, or -errno.
int rk_open_beneath(int directory, const char *path, int flags, mode_t mode);

#endif
