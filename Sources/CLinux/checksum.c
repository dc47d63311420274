#include "checksum.h"

#include <stdbool.h>

// The polynomial of CRC32C, its bits reversed.
static const uint32_t polynomial = 0x82f63b78;

// tables[n][b] is the checksum of byte b with n zero bytes after it.
static uint32_t tables[8][256];

// Runs before main, so that no thread ever sees half a table.
__attribute__((constructor)) static void fill_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) ? polynomial : 0);
        tables[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        for (int n = 1; n < 8; n++) {
            uint32_t shorter = tables[n - 1][byte];
            tables[n][byte] = (shorter >> 8) ^ tables[0][shorter & 0xff];
        }
    }
}

uint32_t rk_crc32c_portable(uint32_t crc, const void *bytes, size_t count) {
    const uint8_t *next = bytes;
    crc = ~crc;
    for (; count >= 8; count -= 8, next += 8) {
        uint32_t low = crc ^ ((uint32_t)next[0] | (uint32_t)next[1] << 8 | (uint32_t)next[2] << 16 |
                              (uint32_t)next[3] << 24);
        crc = tables[7][low & 0xff] ^ tables[6][(low >> 8) & 0xff] ^ tables[5][(low >> 16) & 0xff] ^
              tables[4][low >> 24] ^ tables[3][next[4]] ^ tables[2][next[5]] ^ tables[1][next[6]] ^ tables[0][next[7]];
    }
    for (; count > 0; count--, next++) crc = (crc >> 8) ^ tables[0][(crc ^ *next) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t with_instruction(uint32_t crc, const uint8_t *next, size_t count) {
    uint64_t wide = (uint32_t)~crc;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        __builtin_memcpy(&word, next, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    uint32_t narrow = (uint32_t)wide;
    for (; count > 0; count--, next++) narrow = __builtin_ia32_crc32qi(narrow, *next);
    return ~narrow;
}

static bool has_instruction;

__attribute__((constructor)) static void ask_processor(void) {
    __builtin_cpu_init();
    has_instruction = __builtin_cpu_supports("sse4.2") != 0;
}

uint32_t rk_crc32c(uint32_t crc, const void *bytes, size_t count) {
    return has_instruction ? with_instruction(crc, bytes, count) : rk_crc32c_portable(crc, bytes, count);
}

#else

uint32_t rk_crc32c(uint32_t crc, const void *bytes, size_t count) { return rk_crc32c_portable(crc, bytes, count); }

#endif
