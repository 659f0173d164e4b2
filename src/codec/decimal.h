/*
 * decimal: decimal text and doubles, correctly rounded both ways, whatever the process's locale.
 * Private to codec.
 */
#ifndef FIC_CODEC_DECIMAL_H
#define FIC_CODEC_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

/* digits * 10^exponent when that is exact arithmetic, and so correctly rounded: digits up to
 * 2^53, powers of ten up to 22 (Clinger 1990). False: take the long way. */
bool decimal_exact(uint64_t digits, int64_t exponent, double *out);

/* A terminated JSON number. False: no memory for a locale. May be infinite. */
bool decimal_parse(const char *text, double *out);

#endif
