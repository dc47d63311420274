#include "disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { attempts = 64, block_size = 4096 };

int rk_private_mounts(void) {
    if (unshare(CLONE_NEWNS) != 0) return -errno;
    return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0 ? 0 : -errno;
}

static int open_device(unsigned index) {
    char path[32];
    snprintf(path, sizeof path, "/dev/loop%u", index);
    int device = open(path, O_RDWR | O_CLOEXEC);
    return device < 0 ? -errno : device;
}

static int configure(int device, int file) {
    struct loop_config config = {.fd = (uint32_t)file, .block_size = block_size};
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO;
    if (ioctl(device, LOOP_CONFIGURE, &config) == 0) return 0;
    if (errno != EINVAL) return -errno;
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    return ioctl(device, LOOP_CONFIGURE, &config) == 0 ? 0 : -errno;
}

int rk_loop_attach(int file, unsigned *index) {
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) return -errno;
    int result = -EBUSY;
    // Another process may take the free one that was named.
    for (int attempt = 0; attempt < attempts && result == -EBUSY; attempt++) {
        int free_one = ioctl(control, LOOP_CTL_GET_FREE);
        if (free_one < 0) {
            result = -errno;
            break;
        }
        int device = open_device((unsigned)free_one);
        if (device < 0) {
            result = device;
            break;
        }
        result = configure(device, file);
        if (result == 0) {
            *index = (unsigned)free_one;
            result = device;
        } else {
            close(device);
        }
    }
    close(control);
    return result;
}

/// Whether the device's file is the one of this status.
static bool has_file(int device, const struct stat *wanted) {
    struct loop_info64 info;
    memset(&info, 0, sizeof info);
    return ioctl(device, LOOP_GET_STATUS64, &info) == 0 && info.lo_device == wanted->st_dev &&
           info.lo_inode == wanted->st_ino;
}

int rk_loop_find(int file, unsigned *index) {
    struct stat wanted;
    if (fstat(file, &wanted) != 0) return -errno;
    DIR *blocks = opendir("/sys/block");
    if (blocks == NULL) return -errno;
    int found = -ENOENT;
    struct dirent *entry;
    while (found < 0 && (entry = readdir(blocks)) != NULL) {
        unsigned number;
        if (sscanf(entry->d_name, "loop%u", &number) != 1) continue;
        int device = open_device(number);
        if (device < 0) continue;
        if (has_file(device, &wanted)) {
            *index = number;
            found = device;
        } else {
            close(device);
        }
    }
    closedir(blocks);
    return found;
}

int rk_loop_mount(unsigned index, const char *place) {
    char path[32];
    snprintf(path, sizeof path, "/dev/loop%u", index);
    // discard: what the session deletes is given back to the host. noinit_itable: unused tables stay holes in the file.
    const char *options = "discard,errors=remount-ro,noinit_itable";
    return mount(path, place, "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME, options) == 0 ? 0 : -errno;
}

int rk_detach_mount(const char *place) { return umount2(place, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 ? 0 : -errno; }
