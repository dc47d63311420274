#include "images.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/// How often another process may take the free loop device before us.
enum { attempts = 64, most_devices = 4096 };

/// Opens loop device `number` if it shows the file: a descriptor, -ENOENT when it shows another or none.
static int open_if_shows(long number, dev_t device, ino_t inode, char path[RK_LOOP_PATH]) {
    snprintf(path, RK_LOOP_PATH, "/dev/loop%ld", number);
    int loop = open(path, O_RDONLY | O_CLOEXEC);
    if (loop < 0) return -errno;
    struct loop_info64 info;
    memset(&info, 0, sizeof info);
    // While it is open it cannot be cleared and given another file.
    if (ioctl(loop, LOOP_GET_STATUS64, &info) == 0 && info.lo_device == device && info.lo_inode == inode
        && info.lo_offset == 0 && info.lo_sizelimit == 0 && (info.lo_flags & LO_FLAGS_READ_ONLY) != 0)
        return loop;
    close(loop);
    return -ENOENT;
}

/// The loop device that shows a file, open; -ENOENT when there is none.
static int find(dev_t device, ino_t inode, char path[RK_LOOP_PATH]) {
    DIR *blocks = opendir("/sys/block");
    if (blocks == NULL) return -ENOENT;
    int found = -ENOENT;
    for (struct dirent *entry = readdir(blocks); found < 0 && entry != NULL; entry = readdir(blocks)) {
        if (strncmp(entry->d_name, "loop", 4) != 0) continue;
        char *end = NULL;
        long number = strtol(entry->d_name + 4, &end, 10);
        if (end == entry->d_name + 4 || *end != '\0' || number < 0 || number > most_devices) continue;
        char backing[64];
        snprintf(backing, sizeof backing, "/sys/block/loop%ld/loop", number);
        if (access(backing, F_OK) != 0) continue;
        found = open_if_shows(number, device, inode, path);
    }
    closedir(blocks);
    return found;
}

static int configure(int control, int file, char path[RK_LOOP_PATH]) {
    int number = ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0) return -errno;
    snprintf(path, RK_LOOP_PATH, "/dev/loop%d", number);
    int loop = open(path, O_RDONLY | O_CLOEXEC);
    if (loop < 0) return -errno;
    struct loop_config config;
    memset(&config, 0, sizeof config);
    config.fd = (unsigned)file;
    config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
    if (ioctl(loop, LOOP_CONFIGURE, &config) == 0) return loop;
    int error = errno;
    close(loop);
    return -error;
}

int rk_loop_device(int file, char path[RK_LOOP_PATH], int *made) {
    struct stat status;
    if (fstat(file, &status) != 0) return -errno;
    *made = 0;
    int loop = find(status.st_dev, status.st_ino, path);
    if (loop >= 0) return loop;
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) return -errno;
    for (int attempt = 0; attempt < attempts; attempt++) {
        loop = configure(control, file, path);
        if (loop != -EBUSY) break;
    }
    close(control);
    if (loop >= 0) *made = 1;
    return loop;
}

int rk_loop_shows(uint64_t device, uint64_t inode) {
    char path[RK_LOOP_PATH];
    int loop = find((dev_t)device, (ino_t)inode, path);
    if (loop < 0) return 0;
    close(loop);
    return 1;
}

/// One step of making a filesystem (fsconfig(2)).
static int set(int context, unsigned command, const char *key, const char *value) {
    return syscall(SYS_fsconfig, context, command, key, value, 0) == 0 ? 0 : -errno;
}

int rk_mount_device(const char *type, const char *device) {
    int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
    if (context < 0) return -errno;
    int result = set(context, FSCONFIG_SET_FLAG, "ro", NULL);
    if (result == 0) result = set(context, FSCONFIG_SET_STRING, "source", device);
    if (result == 0) result = set(context, FSCONFIG_CMD_CREATE, NULL, NULL);
    if (result == 0) {
        unsigned attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
        result = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
        if (result < 0) result = -errno;
    }
    close(context);
    return result;
}
