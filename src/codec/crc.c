/*
 * crc: sixteen bytes at a time by carry-less multiplication where the processor has it (a page of 4 KB takes 0.2 us, by zlib's
 * tables 2), else by zlib. All that is read from a disk passes through here.
 *
 * Four words of 128 bits hold a remainder of what was read. To multiply them by x^512 and reduce them is to multiply both of
 * their halves by constants and to add the products: so they move over the next 64 bytes. In the end they become one word, that
 * one 64 bits, and Barrett's reduction gives the 32. The constants are x^n modulo the polynomial, bits reversed.
 */
#include <codec/crc.h>

#include <limits.h>
#include <zlib.h>

#define BLOCK 16u
#define LEAST 64u /* for less it does not pay */

static uint32_t by_tables(uint32_t crc, const uint8_t *p, size_t len)
{
	for (; len > UINT_MAX; p += UINT_MAX, len -= UINT_MAX)
		crc = (uint32_t)crc32(crc, p, UINT_MAX);
	return len ? (uint32_t)crc32(crc, p, (uInt)len) : crc;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define CARRYLESS __attribute__((target("pclmul,sse4.1")))

/* `word`, as many bits later as the constants say, and what lies there. */
CARRYLESS static inline __m128i moved(__m128i word, __m128i by, __m128i there)
{
	__m128i low = _mm_clmulepi64_si128(word, by, 0x00),
		high = _mm_clmulepi64_si128(word, by, 0x11);

	return _mm_xor_si128(_mm_xor_si128(low, high), there);
}

CARRYLESS static inline __m128i at(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* 128 bits to 32. */
CARRYLESS static uint32_t reduced(__m128i word, __m128i by_128)
{
	const __m128i by_64 = _mm_set_epi64x(0, 0x163cd6124);
	const __m128i barrett = _mm_set_epi64x(0x1f7011641, 0x1db710641);
	const __m128i low = _mm_set_epi32(0, -1, 0, -1);

	word = _mm_xor_si128(_mm_srli_si128(word, 8), _mm_clmulepi64_si128(word, by_128, 0x10));
	word = _mm_xor_si128(_mm_srli_si128(word, 4),
			     _mm_clmulepi64_si128(_mm_and_si128(word, low), by_64, 0x00));
	__m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(word, low), barrett, 0x10);
	quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, low), barrett, 0x00);
	return (uint32_t)_mm_extract_epi32(_mm_xor_si128(word, quotient), 1);
}

/* LEAST bytes or more, in whole blocks. */
CARRYLESS static uint32_t by_products(uint32_t crc, const uint8_t *p, size_t len)
{
	const __m128i by_512 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4);
	const __m128i by_128 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
	__m128i a = _mm_xor_si128(at(p), _mm_cvtsi32_si128((int)~crc)), b = at(p + 16),
		c = at(p + 32), d = at(p + 48);

	for (p += LEAST, len -= LEAST; len >= LEAST; p += LEAST, len -= LEAST) {
		a = moved(a, by_512, at(p));
		b = moved(b, by_512, at(p + 16));
		c = moved(c, by_512, at(p + 32));
		d = moved(d, by_512, at(p + 48));
	}
	a = moved(moved(moved(a, by_128, b), by_128, c), by_128, d);
	for (; len >= BLOCK; p += BLOCK, len -= BLOCK)
		a = moved(a, by_128, at(p));
	return ~reduced(a, by_128);
}

uint32_t crc_add(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	if (len >= LEAST && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) {
		size_t whole = len / BLOCK * BLOCK;
		crc = by_products(crc, p, whole);
		p += whole;
		len -= whole;
	}
	return by_tables(crc, p, len);
}

#else

uint32_t crc_add(uint32_t crc, const void *data, size_t len)
{
	return by_tables(crc, data, len);
}

#endif
