/*
 * ones: how many bits of a word are set. Without an instruction for it the compiler's own takes a call and a table; with one it knows this for what it is.
 */
#ifndef FIC_BASE_ONES_H
#define FIC_BASE_ONES_H

#include <stdint.h>

static inline __attribute__((always_inline)) uint32_t ones_of(uint64_t word)
{
	word -= word >> 1 & UINT64_C(0x5555555555555555);
	word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
	word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (uint32_t)(word * UINT64_C(0x0101010101010101) >> 56);
}

#endif
