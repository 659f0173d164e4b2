/*
 * code_lengths: how long the codes of symbols should be, by how often they come.
 */
#ifndef FIC_CODEC_CODE_LENGTHS_H
#define FIC_CODEC_CODE_LENGTHS_H

#include <base/bytes.h>
#include <base/err.h>

/* A complete prefix code: 2 to 16,384 symbols, each of which gets 1 to `most` bits; 2^most must be n
 * or more. The sum of the counts fits 31 bits. 0 or ERR_NOMEM. */
int code_lengths(const uint32_t *counts, uint32_t n, unsigned most, uint8_t *bits);

#endif
