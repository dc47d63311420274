#ifndef ROOKERY_DISK_H
#define ROOKERY_DISK_H

#include <stdint.h>

// Every function returns >= 0 on success and -errno on failure. Every descriptor made here closes on exec.

/// Gives this process (which must have one thread) a mount namespace of its own: what it mounts from here on nobody else
/// sees, while it goes on to see what is mounted outside.
int rk_private_mounts(void);

/// Makes a loop device of a file opened for reading and writing, past the page cache where the file's filesystem can do
/// that. The device goes with its last user. `index` is the number in its name. Returns the open device.
int rk_loop_attach(int file, unsigned *index);

/// The loop device that has this file already, or -ENOENT.
int rk_loop_find(int file, unsigned *index);

/// Mounts the ext4 filesystem on the loop device at a directory.
int rk_loop_mount(unsigned index, const char *place);

/// Takes away the mount at a place; what is open on it, or was copied from it, stays.
int rk_detach_mount(const char *place);

#endif
