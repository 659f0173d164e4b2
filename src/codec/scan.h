/*
 * scan: sixteen bytes of text at a time, and well-formed UTF-8.
 *
 * Private to codec. SSE2 where the compiler has it (every x86-64), words of eight bytes
 * elsewhere; both give the same answers. Define SCAN_PORTABLE to test the plain form anywhere.
 */
#ifndef FIC_CODEC_SCAN_H
#define FIC_CODEC_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(SCAN_PORTABLE)
#define SCAN_SSE2 1
#include <emmintrin.h>
#else
#define SCAN_SSE2 0
#endif

#define SCAN_BLOCK    16
#define ALWAYS_INLINE inline __attribute__((always_inline))

#if SCAN_SSE2

/* Index of the first byte that is a quote, a backslash, a control or over 0x7f, SCAN_BLOCK
 * when none is. The whole block is copied to `w` before it is looked at: the caller has room
 * for it, and takes only what comes before the index. */
static ALWAYS_INLINE unsigned scan_copy_text(const uint8_t *p, uint8_t *w)
{
	__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);

	_mm_storeu_si128((__m128i *)(void *)w, x);
	/* Signed: bytes over 0x7f are below a space too. */
	__m128i odd = _mm_cmplt_epi8(x, _mm_set1_epi8(0x20));
	odd = _mm_or_si128(odd, _mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
	odd = _mm_or_si128(odd, _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
	return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(odd) | 0x10000u);
}

/* The same without bytes over 0x7f: what JSON wants escaped. */
static ALWAYS_INLINE unsigned scan_copy_clean(const uint8_t *p, uint8_t *w)
{
	__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);

	_mm_storeu_si128((__m128i *)(void *)w, x);
	__m128i odd = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
	odd = _mm_or_si128(odd, _mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
	odd = _mm_or_si128(odd, _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
	return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(odd) | 0x10000u);
}

static ALWAYS_INLINE bool scan_ascii(const uint8_t *p)
{
	return _mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)p)) == 0;
}

#else

#define SCAN_ONES 0x0101010101010101u
#define SCAN_HIGH 0x8080808080808080u

/* Is any byte of x zero? Exact as a yes or no. */
static inline uint64_t scan_zero(uint64_t x)
{
	return (x - SCAN_ONES) & ~x & SCAN_HIGH;
}

/* Nonzero when a byte of the word is a quote, a backslash or a control. */
static inline uint64_t scan_odd(uint64_t x)
{
	return scan_zero(x ^ SCAN_ONES * '"') | scan_zero(x ^ SCAN_ONES * '\\') |
	       ((x - SCAN_ONES * 0x20) & ~x & SCAN_HIGH);
}

static inline unsigned scan_copy(const uint8_t *p, uint8_t *w, uint64_t high)
{
	unsigned i = 0;

	memmove(w, p, SCAN_BLOCK);
	for (; i < SCAN_BLOCK; i += 8) {
		uint64_t x;
		memcpy(&x, p + i, 8);
		if (scan_odd(x) | (x & high))
			break;
	}
	while (i < SCAN_BLOCK && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\' && !(p[i] & high))
		i++;
	return i;
}

static inline unsigned scan_copy_text(const uint8_t *p, uint8_t *w)
{
	return scan_copy(p, w, SCAN_HIGH);
}

static inline unsigned scan_copy_clean(const uint8_t *p, uint8_t *w)
{
	return scan_copy(p, w, 0);
}

static inline bool scan_ascii(const uint8_t *p)
{
	uint64_t a, b;

	memcpy(&a, p, 8);
	memcpy(&b, p + 8, 8);
	return ((a | b) & SCAN_HIGH) == 0;
}

#endif

/* What may follow a lead byte 0xc2..0xf4: how many bytes, and the span of the first of them
 * (Unicode, table 3-7). */
struct utf8_lead {
	uint8_t more;
	uint8_t low;
	uint8_t high;
};

/* For bytes over 0x7f; more is 0 when no sequence starts with this one: overlong forms (C0,
 * C1, E0 80..9F, F0 80..8F), surrogates (ED A0..BF) and what lies over U+10FFFF are not
 * well-formed. */
static inline struct utf8_lead utf8_lead(uint8_t byte)
{
	if (byte >= 0xc2 && byte <= 0xdf)
		return (struct utf8_lead){1, 0x80, 0xbf};
	if ((byte & 0xf0) == 0xe0)
		return (struct utf8_lead){2, byte == 0xe0 ? 0xa0 : 0x80, byte == 0xed ? 0x9f : 0xbf};
	if (byte >= 0xf0 && byte <= 0xf4)
		return (struct utf8_lead){3, byte == 0xf0 ? 0x90 : 0x80, byte == 0xf4 ? 0x8f : 0xbf};
	return (struct utf8_lead){0, 0, 0};
}

/* Length of the well-formed sequence of two to four bytes at p, 0 when there is none or it is
 * cut. */
static inline unsigned utf8_sequence(const uint8_t *p, const uint8_t *end)
{
	size_t left = (size_t)(end - p);

	if (left < 2)
		return 0;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		return (p[1] & 0xc0) == 0x80 ? 2 : 0;
	struct utf8_lead lead = utf8_lead(p[0]);
	if (lead.more < 2 || left <= lead.more || p[1] < lead.low || p[1] > lead.high ||
	    (p[2] & 0xc0) != 0x80)
		return 0;
	if (lead.more == 2)
		return 3;
	return (p[3] & 0xc0) == 0x80 ? 4 : 0;
}

bool utf8_valid(const uint8_t *p, size_t len);

#endif
