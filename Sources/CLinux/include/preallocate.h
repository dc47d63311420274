#ifndef ROOKERY_PREALLOCATE_H
#define ROOKERY_PREALLOCATE_H

#include <sys/types.h>

/// Takes space for a range of a file, without changing the file's size (fallocate(2), FALLOC_FL_KEEP_SIZE): what is
/// written there later does not fail for want of space. Returns 0 or -errno.
int rk_preallocate(int file, off_t offset, off_t length);

#endif
