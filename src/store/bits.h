/*
 * bits: packed numbers and LEB128, as <store/segment.h> has them.
 */
#ifndef FIC_STORE_BITS_H
#define FIC_STORE_BITS_H

#include <base/bytes.h>

#define BITS_WIDTH_MAX 56u

static inline unsigned bits_width(uint64_t v)
{
	return v ? 64u - (unsigned)__builtin_clzll(v) : 0;
}

/* The bytes of `n` numbers. */
static inline uint64_t bits_bytes(uint64_t n, unsigned width)
{
	return (n * width + 7) / 8;
}

/* The number that begins at a bit; what lies behind the span counts as zero. */
static inline uint64_t bits_at(struct bytes span, uint64_t bit, unsigned width)
{
	size_t at = (size_t)(bit / 8);
	uint64_t word = 0;

	if (at < span.len && span.len - at >= 8)
		word = le64(span.data + at);
	else
		for (size_t i = 0; at + i < span.len && i < 8; i++)
			word |= (uint64_t)span.data[at + i] << (8 * i);
	return (word >> (bit % 8)) & (((uint64_t)1 << width) - 1);
}

#define LEB_MAX 10u

static inline size_t leb_put(uint8_t *out, uint64_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		out[n++] = (uint8_t)(v | 0x80);
	out[n++] = (uint8_t)v;
	return n;
}

static inline void leb_append(struct buf *out, uint64_t v)
{
	uint8_t room[LEB_MAX];

	buf_put(out, room, leb_put(room, v));
}

/* False at the end of the span, or when the number has more than 63 bits. */
static inline bool leb_get(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned shift = 0; *at < end && shift < 63; shift += 7) {
		uint8_t byte = *(*at)++;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*out = v;
			return true;
		}
	}
	return false;
}

#endif
