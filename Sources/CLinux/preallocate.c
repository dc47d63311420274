#include "preallocate.h"

#include <errno.h>
#include <fcntl.h>

int rk_preallocate(int file, off_t offset, off_t length) {
    int result;
    do result = fallocate(file, FALLOC_FL_KEEP_SIZE, offset, length);
    while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : -errno;
}
