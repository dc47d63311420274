#ifndef ROOKERY_MOUNTS_H
#define ROOKERY_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Every function returns >= 0 on success and -errno on failure. Every descriptor made here closes on exec.

/// Open flag of a descriptor that only names a file (O_PATH, which Swift's Glibc module lacks).
enum { RK_OPEN_PATH = 010000000 };

/// Refusals of openat2(2) while it resolves a path.
enum {
    RK_RESOLVE_NO_CROSS_MOUNTS = 0x01,
    RK_RESOLVE_NO_MAGIC_LINKS = 0x02,
    RK_RESOLVE_NO_SYMLINKS = 0x04,
    RK_RESOLVE_BENEATH = 0x08,
    RK_RESOLVE_IN_ROOT = 0x10,
};

/// Attributes of a mount (mount_setattr(2)).
enum {
    RK_MOUNT_READ_ONLY = 0x01,
    RK_MOUNT_NO_SETUID = 0x02,
    RK_MOUNT_NO_DEVICES = 0x04,
    RK_MOUNT_NO_EXEC = 0x08,
};

/// Opens `path` below `directory` (AT_FDCWD for the caller's) with openat2(2); `flags` are O_*, O_CLOEXEC is added.
int rk_open(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/// A detached copy of the mount at `path` below `directory` (or of `directory` itself for ""), as a descriptor that
/// move_mount(2) attaches somewhere.
int rk_open_tree(int directory, const char *path, bool recursive);

/// Adds attributes to a mount and, if `recursive`, to all below it, and takes it out of its peers: no mount on it appears
/// elsewhere, nor the other way round. With `user_namespace` >= 0 its files are also shown
/// through that namespace's id maps (an idmapped mount), which only a detached mount can get, once.
int rk_set_mount(int tree, uint64_t attributes, int user_namespace, bool recursive);

/// Attaches a detached mount at `path` below `directory` (at `directory` itself for "").
int rk_attach_mount(int tree, int directory, const char *path);

/// Which filesystem object a descriptor is.
struct rk_identity {
    uint64_t device;
    uint64_t inode;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
};
int rk_identify(int descriptor, struct rk_identity *identity);

#endif
