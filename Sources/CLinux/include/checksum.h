#ifndef ROOKERY_CHECKSUM_H
#define ROOKERY_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// CRC32C (Castagnoli) of `count` bytes, going on from `crc`: 0, or what an earlier call returned for the bytes before.
/// With the processor's own instruction where it has one.
uint32_t rk_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The same without the instruction, for processors that lack it and for tests.
uint32_t rk_crc32c_portable(uint32_t crc, const void *bytes, size_t count);

#endif
