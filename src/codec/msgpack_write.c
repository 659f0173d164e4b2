/* msgpack_write: values appended to a buffer in their shortest encoding. Never fails but
 * through the buffer's sticky error. */
#include <codec/msgpack.h>

#include "encode.h"

#include <assert.h>

void mp_put_nil(struct buf *b)
{
	buf_put_byte(b, 0xc0);
}

void mp_put_bool(struct buf *b, bool v)
{
	buf_put_byte(b, v ? 0xc3 : 0xc2);
}

void mp_put_int(struct buf *b, int64_t v)
{
	uint8_t head[MP_HEAD_MAX];

	if (buf_has_room(b, MP_HEAD_MAX))
		b->len += encode_int(b->data + b->len, v);
	else
		buf_put(b, head, encode_int(head, v));
}

void mp_put_uint(struct buf *b, uint64_t v)
{
	uint8_t head[MP_HEAD_MAX];

	buf_put(b, head, encode_uint(head, v));
}

void mp_put_float(struct buf *b, double v)
{
	uint8_t head[MP_HEAD_MAX];

	buf_put(b, head, encode_float(head, v));
}

/* The format counts in 32 bits: what is longer is refused as a limit. */
static bool refuse_long(struct buf *b, size_t len)
{
	if (len <= UINT32_MAX)
		return false;
	if (!b->error)
		b->error = ERR_LIMIT;
	return true;
}

void mp_put_str(struct buf *b, struct bytes s)
{
	uint8_t head[MP_HEAD_MAX];

	/* Names, and most values, are short. */
	if (s.len < 32 && s.len < b->cap - b->len && !b->error) {
		b->data[b->len] = (uint8_t)(0xa0 | s.len);
		if (s.len)
			memcpy(b->data + b->len + 1, s.data, s.len);
		b->len += 1 + s.len;
		return;
	}
	if (refuse_long(b, s.len))
		return;
	if (buf_has_room(b, MP_HEAD_MAX))
		b->len += encode_str_head(b->data + b->len, (uint32_t)s.len);
	else
		buf_put(b, head, encode_str_head(head, (uint32_t)s.len));
	buf_put(b, s.data, s.len);
}

void mp_put_cstr(struct buf *b, const char *s)
{
	if (s)
		mp_put_str(b, bytes_str(s));
	else
		mp_put_nil(b);
}

static size_t encode_bin_head(uint8_t *w, uint32_t len)
{
	if (len <= UINT8_MAX) {
		w[0] = 0xc4;
		w[1] = (uint8_t)len;
		return 2;
	}
	if (len <= UINT16_MAX) {
		w[0] = 0xc5;
		put_be16(w + 1, (uint16_t)len);
		return 3;
	}
	w[0] = 0xc6;
	put_be32(w + 1, len);
	return 5;
}

void mp_put_bin(struct buf *b, struct bytes s)
{
	uint8_t head[MP_HEAD_MAX];

	if (refuse_long(b, s.len))
		return;
	buf_put(b, head, encode_bin_head(head, (uint32_t)s.len));
	buf_put(b, s.data, s.len);
}

static void put_container(struct buf *b, uint32_t count, int map)
{
	uint8_t head[MP_HEAD_MAX];

	if (buf_has_room(b, MP_HEAD_MAX))
		b->len += encode_container_head(b->data + b->len, count, map);
	else
		buf_put(b, head, encode_container_head(head, count, map));
}

void mp_put_array(struct buf *b, uint32_t count)
{
	put_container(b, count, 0);
}

void mp_put_map(struct buf *b, uint32_t count)
{
	put_container(b, count, 1);
}

static size_t begin(struct buf *b, int map)
{
	uint8_t head[5];
	size_t mark = b->len;

	encode_container_wide(head, 0, map);
	buf_put(b, head, sizeof(head));
	return mark;
}

/* After a failed begin the mark points nowhere; the sticky error tells. */
static void end(struct buf *b, size_t mark, uint32_t count, int map)
{
	if (b->error)
		return;
	assert(mark + 5 <= b->len);
	encode_container_wide(b->data + mark, count, map);
}

size_t mp_begin_array(struct buf *b)
{
	return begin(b, 0);
}

void mp_end_array(struct buf *b, size_t mark, uint32_t count)
{
	end(b, mark, count, 0);
}

size_t mp_begin_map(struct buf *b)
{
	return begin(b, 1);
}

void mp_end_map(struct buf *b, size_t mark, uint32_t count)
{
	end(b, mark, count, 1);
}
