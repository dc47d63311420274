#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mounts.h"
#include "steps.h"

int clone_mount(int directory, const char *path, bool recursive) {
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
    if (recursive) flags |= AT_RECURSIVE;
    return (int)syscall(SYS_open_tree, directory, path, flags);
}

int attach_mount(int tree, const char *path) {
    return (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
}

static int set_mount(int directory, const char *path, uint64_t attributes, bool recursive) {
    // A copy of a shared mount is its peer: what is mounted on it would appear there too.
    struct mount_attr change = {.attr_set = attributes, .propagation = MS_PRIVATE};
    unsigned flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
    if (recursive) flags |= AT_RECURSIVE;
    return (int)syscall(SYS_mount_setattr, directory, path, flags, &change, sizeof change);
}

static int refuse(int error) {
    errno = error;
    return -1;
}

static int keep_in_slot(struct launch *launch, int tree) {
    if (tree < 0) return -1;
    if (launch->slot_count == PLAN_SLOTS) {
        close(tree);
        return refuse(EMFILE);
    }
    launch->slots[launch->slot_count++] = tree;
    return 0;
}

int step_private(struct launch *launch, char **arguments) {
    (void)launch;
    (void)arguments;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

int step_pin(struct launch *launch, char **arguments) {
    long long device = number(arguments[1], INT64_MAX), inode = number(arguments[2], INT64_MAX);
    long long attributes = number(arguments[3], 0xff), recursive = number(arguments[4], 1);
    if (device < 0 || inode < 0 || attributes < 0 || recursive < 0) return -1;
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    int source = (int)syscall(SYS_openat2, AT_FDCWD, arguments[0], &how, sizeof how);
    if (source < 0) return -1;
    // The launcher looked at this object; whatever lies at its path by now must be the same one.
    struct stat status;
    int tree = -1;
    if (fstat(source, &status) != 0) tree = -1;
    else if (status.st_dev != (dev_t)device || status.st_ino != (ino_t)inode) refuse(ESTALE);
    else tree = clone_mount(source, "", recursive == 1);
    int error = errno;
    close(source);
    errno = error;
    if (tree < 0) return -1;
    if (set_mount(tree, "", (uint64_t)attributes, true) != 0) {
        error = errno;
        close(tree);
        return refuse(error);
    }
    return keep_in_slot(launch, tree);
}

int step_clone(struct launch *launch, char **arguments) {
    return keep_in_slot(launch, clone_mount(AT_FDCWD, inside(arguments[0]), false));
}

/// Opens what is at a path of the new root, through no link and not out of it: a session may have written there.
static int open_inside(const char *path, uint64_t flags) {
    struct open_how how = {
        .flags = flags | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

int open_holder(const char *path, const char **name) {
    const char *slash = strrchr(path, '/');
    *name = slash == NULL ? path : slash + 1;
    char parent[PATH_MAX] = ".";
    if (slash != NULL) {
        if ((size_t)(slash - path) >= sizeof parent) return refuse(ENAMETOOLONG);
        memcpy(parent, path, (size_t)(slash - path));
        parent[slash - path] = '\0';
    }
    return open_inside(parent, O_PATH | O_DIRECTORY);
}

/// Makes the place of a mount where it is missing: a directory, or an empty file. A link there is replaced.
static int make_place(const char *path, bool directory) {
    const char *name;
    int holder = open_holder(path, &name);
    if (holder < 0) return -1;
    struct stat status;
    int result = fstatat(holder, name, &status, AT_SYMLINK_NOFOLLOW);
    if (result == 0 && S_ISLNK(status.st_mode)) {
        result = unlinkat(holder, name, 0);
        status.st_mode = 0;
    } else if (result != 0 && errno == ENOENT) {
        result = 0;
        status.st_mode = 0;
    }
    if (result == 0 && status.st_mode == 0) {
        if (directory) {
            result = mkdirat(holder, name, 0755);
        } else {
            result = openat(holder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
            if (result >= 0) result = close(result);
        }
    }
    int error = errno;
    close(holder);
    errno = error;
    return result;
}

/// The mount in a slot, which is then empty; -1 with errno when nothing is in it.
static int take_slot(struct launch *launch, const char *text) {
    long long slot = number(text, PLAN_SLOTS - 1);
    if (slot < 0 || (size_t)slot >= launch->slot_count || launch->slots[slot] < 0) return refuse(EINVAL);
    int tree = launch->slots[slot];
    launch->slots[slot] = -1;
    return tree;
}

static int attach_at(int tree, const char *path) {
    int place = open_inside(path, O_PATH | O_NOFOLLOW);
    if (place < 0) return -1;
    unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    int result = (int)syscall(SYS_move_mount, tree, "", place, "", flags);
    int error = errno;
    close(place);
    errno = error;
    return result;
}

int step_attach(struct launch *launch, char **arguments) {
    const char *path = inside(arguments[1]);
    bool directory = strcmp(arguments[2], "directory") == 0;
    if (directory || strcmp(arguments[2], "file") == 0) {
        if (make_place(path, directory) != 0) return -1;
    } else if (strcmp(arguments[2], "there") != 0) {
        return refuse(EINVAL);
    }
    int tree = take_slot(launch, arguments[0]);
    if (tree < 0) return -1;
    int result = attach_at(tree, path);
    int error = errno;
    close(tree);
    errno = error;
    return result;
}

/// Mounts a tmpfs whose size and number of inodes are bounded.
static int mount_tmpfs(const char *path, long long size, long long inodes, int bits, long long owner) {
    char options[160];
    int length = snprintf(
        options, sizeof options, "size=%lld,nr_inodes=%lld,mode=%o,uid=%lld,gid=%lld", size, inodes, (unsigned)bits,
        owner, owner);
    if (length < 0 || length >= (int)sizeof options) return refuse(EINVAL);
    return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options);
}

int step_root(struct launch *launch, char **arguments) {
    long long size = number(arguments[1], INT64_MAX), inodes = number(arguments[2], INT64_MAX);
    if (size < 0 || inodes < 0) return -1;
    long long owner = launch->mapped_root ? 0 : COMMAND_ID;
    if (mount_tmpfs(arguments[0], size, inodes, 0755, owner) != 0) return -1;
    return chdir(arguments[0]);
}

int step_prepared(struct launch *launch, char **arguments) {
    int tree = take_slot(launch, arguments[1]);
    if (tree < 0) return -1;
    int result = attach_mount(tree, arguments[0]);
    int error = errno;
    close(tree);
    errno = error;
    return result == 0 ? chdir(arguments[0]) : -1;
}

int step_tmpfs(struct launch *launch, char **arguments) {
    long long size = number(arguments[1], INT64_MAX), inodes = number(arguments[2], INT64_MAX);
    long long owner = launch->mapped_root ? number(arguments[4], 65535) : COMMAND_ID;
    int bits = mode(arguments[3]);
    if (size < 0 || inodes < 0 || owner < 0 || bits < 0) return -1;
    return mount_tmpfs(inside(arguments[0]), size, inodes, bits, owner);
}

int step_proc(struct launch *launch, char **arguments) {
    (void)launch;
    (void)arguments;
    unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
    if (mount("proc", "proc", "proc", flags, "hidepid=invisible") == 0) return 0;
    if (errno != EINVAL) return -1;
    return mount("proc", "proc", "proc", flags, "hidepid=2");  // the older spelling, before Linux 5.8
}

static const char nothing[] = "run/rookery/nothing";

/// An empty directory that cannot be written, to cover others with.
static int make_nothing(void) {
    if (mkdir(nothing, 0555) != 0) return errno == EEXIST ? 0 : -1;
    return mount("tmpfs", nothing, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "size=4k,nr_inodes=2");
}

static int cover(const char *path, bool directory) {
    if (directory && make_nothing() != 0) return -1;
    return mount(directory ? nothing : "dev/null", path, NULL, MS_BIND, NULL);
}

int step_mask(struct launch *launch, char **arguments) {
    (void)launch;
    const char *path = inside(arguments[0]);
    bool directory = strcmp(arguments[1], "directory") == 0;
    // One call for each of some fifty files. Nothing below /proc is the session's to make a link of.
    int result = cover(path, directory);
    // Which of the two it is differs between kernels.
    if (result != 0 && errno == ENOTDIR) result = cover(path, !directory);
    if (result != 0 && (errno == ENOENT || errno == EACCES)) return 0;
    return result;
}

int step_pivot(struct launch *launch, char **arguments) {
    (void)launch;
    (void)arguments;
    // The old root ends up on top of the new one at the same place, from where it is taken away (pivot_root(2)).
    if (syscall(SYS_pivot_root, ".", ".") != 0) return -1;
    if (umount2(".", MNT_DETACH) != 0) return -1;
    return chdir("/");
}

int step_read_only(struct launch *launch, char **arguments) {
    (void)launch;
    return set_mount(AT_FDCWD, inside(arguments[0]), MOUNT_ATTR_RDONLY, false);
}
