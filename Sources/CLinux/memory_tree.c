#include "memory_tree.h"

#include <errno.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static int configure(int context, unsigned command, const char *key, const char *value) {
    return syscall(SYS_fsconfig, context, command, key, value, 0) == 0 ? 0 : -errno;
}

static int mount_new(int context, const char *bytes, const char *inodes) {
    int result = configure(context, FSCONFIG_SET_STRING, "size", bytes);
    if (result == 0) result = configure(context, FSCONFIG_SET_STRING, "nr_inodes", inodes);
    if (result == 0) result = configure(context, FSCONFIG_SET_STRING, "mode", "755");
    if (result == 0) result = configure(context, FSCONFIG_CMD_CREATE, NULL, NULL);
    if (result != 0) return result;
    int mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    return mount < 0 ? -errno : mount;
}

int rk_memory_tree(const char *bytes, const char *inodes, int *context) {
    int made = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
    if (made < 0) return -errno;
    int mount = mount_new(made, bytes, inodes);
    if (mount < 0) close(made);
    else *context = made;
    return mount;
}

int rk_seal_memory_tree(int context) {
    int result = configure(context, FSCONFIG_SET_FLAG, "ro", NULL);
    return result == 0 ? configure(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL) : result;
}
