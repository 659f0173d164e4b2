/*
 * crc: sixteen bytes at a time by carry-less multiplication where the processor has it (a page of 4 KB takes 0.2 us, by zlib's
 * tables 2), sixty-four where it has that, too (0.1 us), else by zlib. All that is read from a disk passes through here.
 *
 * Four words of 128 bits hold a remainder of what was read. To multiply them by x^512 and reduce them is to multiply both of
 * their halves by constants and to add the products: so they move over the next 64 bytes. In the end they become one word, that
 * one 64 bits, and Barrett's reduction gives the 32. The constants are x^n modulo the polynomial, bits reversed.
 */
#include <codec/crc.h>

#include <limits.h>
#include <string.h>
#include <zlib.h>

#define BLOCK 16u
#define LEAST 64u  /* for less it does not pay */
#define WIDE  256u /* taken at once by the widest words */

static uint32_t by_tables(uint32_t crc, const uint8_t *p, size_t len)
{
	for (; len > UINT_MAX; p += UINT_MAX, len -= UINT_MAX)
		crc = (uint32_t)crc32(crc, p, UINT_MAX);
	return len ? (uint32_t)crc32(crc, p, (uInt)len) : crc;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define CARRYLESS __attribute__((target("pclmul,sse4.1")))
#define WIDEST    __attribute__((target("vpclmulqdq,avx512f")))

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

WIDEST static inline __m512i moved_wide(__m512i words, __m512i by, __m512i there)
{
	__m512i low = _mm512_clmulepi64_epi128(words, by, 0x00),
		high = _mm512_clmulepi64_epi128(words, by, 0x11);

	return _mm512_xor_si512(_mm512_xor_si512(low, high), there);
}

WIDEST static inline __m512i at_wide(const uint8_t *p)
{
	return _mm512_loadu_si512((const void *)p);
}

/* The remainder of WIDE bytes or more, in a whole number of WIDE, as four words of 128 bits. */
WIDEST static void by_wide_products(uint32_t crc, const uint8_t *p, size_t len, uint8_t out[LEAST])
{
	const __m512i by_2048 = _mm512_broadcast_i32x4(_mm_set_epi64x(0x1322d1430, 0x11542778a));
	const __m512i by_512 = _mm512_broadcast_i32x4(_mm_set_epi64x(0x1c6e41596, 0x154442bd4));
	const __m512i begin = _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~crc));
	__m512i a = _mm512_xor_si512(at_wide(p), begin), b = at_wide(p + 64), c = at_wide(p + 128),
		d = at_wide(p + 192);

	for (p += WIDE, len -= WIDE; len >= WIDE; p += WIDE, len -= WIDE) {
		a = moved_wide(a, by_2048, at_wide(p));
		b = moved_wide(b, by_2048, at_wide(p + 64));
		c = moved_wide(c, by_2048, at_wide(p + 128));
		d = moved_wide(d, by_2048, at_wide(p + 192));
	}
	a = moved_wide(moved_wide(moved_wide(a, by_512, b), by_512, c), by_512, d);
	_mm512_storeu_si512(out, a);
}

/* Whole blocks behind a remainder of four words of 128 bits. */
CARRYLESS static uint32_t by_products(const uint8_t remainder[LEAST], const uint8_t *p, size_t len)
{
	const __m128i by_512 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4);
	const __m128i by_128 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
	__m128i a = at(remainder), b = at(remainder + 16), c = at(remainder + 32),
		d = at(remainder + 48);

	for (; len >= LEAST; p += LEAST, len -= LEAST) {
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

/* The first bytes as a remainder: as many as are taken at once. */
static size_t begin(uint32_t crc, const uint8_t *p, size_t len, uint8_t remainder[LEAST])
{
	uint32_t word;

	if (len >= WIDE && __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512f")) {
		by_wide_products(crc, p, len / WIDE * WIDE, remainder);
		return len / WIDE * WIDE;
	}
	memcpy(remainder, p, LEAST);
	memcpy(&word, remainder, sizeof word);
	word ^= ~crc;
	memcpy(remainder, &word, sizeof word);
	return LEAST;
}

uint32_t crc_add(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t remainder[LEAST];

	if (len >= LEAST && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) {
		size_t done = begin(crc, p, len, remainder), whole = len / BLOCK * BLOCK;
		crc = by_products(remainder, p + done, whole - done);
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
