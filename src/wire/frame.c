/*
 * frame: where a MessagePack message ends, in bytes that may not all have arrived.
 *
 * The codec's reader calls cut and wrong bytes the same name; a stream must tell them apart. Only headers are looked at, no
 * memory is taken, and a header that promises more than the limit is refused before its bytes arrive.
 */
#include "frame.h"

#include <codec/msgpack.h>

struct head {
	uint64_t bytes; /* of the header and, of text and the like, the body */
	uint64_t items; /* values that follow: of a map two a pair */
	bool container;
};

/* Big-endian length of `width` bytes. */
static uint32_t length_at(const uint8_t *p, unsigned width)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < width; i++)
		n = n << 8 | p[i];
	return n;
}

/* What the first byte alone says, for 0xc0..0xdf (the spec's table of formats): bytes of the length field, bytes that
 * follow without one, and what is counted. */
static const struct format {
	uint8_t length; /* bytes of a length field */
	uint8_t fixed;  /* bytes behind it, whatever it says */
	uint8_t items;  /* 0: the length counts bytes; 1, 2: it counts values, pairs */
} formats[32] = {
	[0x04] = {1, 0, 0},  [0x05] = {2, 0, 0}, [0x06] = {4, 0, 0},                     /* bin */
	[0x07] = {1, 1, 0},  [0x08] = {2, 1, 0}, [0x09] = {4, 1, 0},                     /* ext */
	[0x0a] = {0, 4, 0},  [0x0b] = {0, 8, 0},                                         /* float */
	[0x0c] = {0, 1, 0},  [0x0d] = {0, 2, 0}, [0x0e] = {0, 4, 0}, [0x0f] = {0, 8, 0}, /* uint */
	[0x10] = {0, 1, 0},  [0x11] = {0, 2, 0}, [0x12] = {0, 4, 0}, [0x13] = {0, 8, 0}, /* int */
	[0x14] = {0, 2, 0},  [0x15] = {0, 3, 0}, [0x16] = {0, 5, 0}, [0x17] = {0, 9, 0},
	[0x18] = {0, 17, 0},                                         /* fixext */
	[0x19] = {1, 0, 0},  [0x1a] = {2, 0, 0}, [0x1b] = {4, 0, 0}, /* str */
	[0x1c] = {2, 0, 1},  [0x1d] = {4, 0, 1},                     /* array */
	[0x1e] = {2, 0, 2},  [0x1f] = {4, 0, 2},                     /* map */
};

/* 1, 0: more bytes are needed, ERR_SYNTAX. */
static int head_read(const uint8_t *p, size_t left, struct head *out)
{
	uint8_t first = p[0];

	*out = (struct head){.bytes = 1};
	if (first < 0x80 || first >= 0xe0)
		return 1;
	if (first < 0xa0) {
		out->container = true;
		out->items = (uint64_t)(first & 0x0f) * (first < 0x90 ? 2 : 1);
		return 1;
	}
	if (first < 0xc0) {
		out->bytes += first & 0x1f;
		return 1;
	}
	if (first == 0xc1)
		return ERR_SYNTAX;
	const struct format *f = &formats[first - 0xc0];
	if (left < 1u + f->length)
		return 0;
	uint64_t n = length_at(p + 1, f->length);
	out->bytes += (uint64_t)f->length + f->fixed;
	out->container = f->items != 0;
	if (f->items)
		out->items = n * f->items;
	else
		out->bytes += n;
	return 1;
}

int frame_msgpack(struct bytes input, const struct wire_limits *limits, size_t *len_out,
		  struct why *why)
{
	uint64_t open[MP_DEPTH_MAX]; /* values still to come in each open container */
	uint64_t pending = 1;        /* in all of them: each takes a byte at least */
	unsigned depth = 0;
	uint64_t at = 0; /* wide on 32-bit hosts too: a header may promise 4 GiB */

	while (pending > 0) {
		struct head h;
		if (at >= input.len)
			return 0;
		int r = head_read(input.data + at, input.len - (size_t)at, &h);
		if (r < 0)
			return why_set(why, ERR_SYNTAX, "not MessagePack: byte 0xc1 at offset %zu",
				       (size_t)at);
		if (r == 0)
			return 0;
		at += h.bytes;
		pending += h.items - 1;
		if (at > limits->bytes_max || pending > limits->bytes_max - at)
			return why_set(why, ERR_LIMIT, "the message is longer than %zu bytes",
				       limits->bytes_max);
		if (depth > 0)
			open[depth - 1]--;
		if (h.container) {
			if (depth == limits->depth_max || depth == MP_DEPTH_MAX)
				return why_set(why, ERR_LIMIT, "the message is nested deeper than %u",
					       limits->depth_max);
			open[depth++] = h.items;
		}
		while (depth > 0 && open[depth - 1] == 0)
			depth--;
	}
	if (at > input.len)
		return 0;
	*len_out = (size_t)at;
	return 1;
}
