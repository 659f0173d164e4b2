/*
 * crc: the CRC-32 that zlib, PNG and Ethernet use (reflected, polynomial 0x04c11db7), as fast as the processor allows.
 */
#ifndef FIC_CODEC_CRC_H
#define FIC_CODEC_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc`, which begins as 0: as zlib's crc32, of any length. */
uint32_t crc_add(uint32_t crc, const void *data, size_t len);

#endif
