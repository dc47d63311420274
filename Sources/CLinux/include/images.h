#ifndef ROOKERY_CLINUX_IMAGES_H
#define ROOKERY_CLINUX_IMAGES_H

#include <stdint.h>

// Every function returns >= 0 on success and -errno on failure. Every descriptor made here closes on exec.

/// The longest path of a loop device, with its NUL.
#define RK_LOOP_PATH 32

/// A loop device that shows `file` read-only: one that does so already, or else a new one, which the kernel takes away
/// when nobody has it open or mounted any more (LO_FLAGS_AUTOCLEAR). Returns a descriptor that holds it, and its path
/// in `path`; `made` tells whether it is new.
int rk_loop_device(int file, char path[RK_LOOP_PATH], int *made);

/// True (1) when a loop device shows the file of this device and inode number, whoever made it.
int rk_loop_shows(uint64_t device, uint64_t inode);

/// A detached, read-only mount, without set-user-id and devices, of the filesystem of this type on a block device
/// (fsmount(2)). Mounts of one device share its files in memory.
int rk_mount_device(const char *type, const char *device);

#endif
