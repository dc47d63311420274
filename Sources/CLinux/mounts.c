#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(RK_OPEN_PATH == O_PATH, "O_PATH differs on this architecture");

static int outcome(long result) { return result < 0 ? -errno : (int)result; }

int rk_open(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
    long descriptor;
    do descriptor = syscall(SYS_openat2, directory, path, &how, sizeof how);
    while (descriptor < 0 && (errno == EINTR || errno == EAGAIN));
    return outcome(descriptor);
}

int rk_open_tree(int directory, const char *path, bool recursive) {
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
    if (recursive) flags |= AT_RECURSIVE;
    return outcome(syscall(SYS_open_tree, directory, path, flags));
}

int rk_set_mount(int tree, uint64_t attributes, int user_namespace, bool recursive) {
    // A copy of a shared mount is its peer: what is mounted on either would appear on both.
    struct mount_attr change = {.attr_set = attributes, .propagation = MS_PRIVATE};
    if (user_namespace >= 0) {
        change.attr_set |= MOUNT_ATTR_IDMAP;
        change.userns_fd = (uint64_t)user_namespace;
    }
    unsigned flags = AT_EMPTY_PATH;
    if (recursive) flags |= AT_RECURSIVE;
    return outcome(syscall(SYS_mount_setattr, tree, "", flags, &change, sizeof change));
}

int rk_attach_mount(int tree, int directory, const char *path) {
    unsigned flags = MOVE_MOUNT_F_EMPTY_PATH;
    if (path[0] == '\0') flags |= MOVE_MOUNT_T_EMPTY_PATH;
    return outcome(syscall(SYS_move_mount, tree, "", directory, path, flags));
}

int rk_identify(int descriptor, struct rk_identity *identity) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) return -errno;
    identity->device = status.st_dev;
    identity->inode = status.st_ino;
    identity->mode = status.st_mode;
    identity->uid = status.st_uid;
    identity->gid = status.st_gid;
    return 0;
}
