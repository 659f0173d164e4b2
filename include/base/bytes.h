/*
 * bytes: borrowed byte spans, growing buffers, little-endian words.
 */
#ifndef FIC_BASE_BYTES_H
#define FIC_BASE_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed span of bytes, not terminated. {NULL, 0} is the empty span. */
struct bytes {
	const uint8_t *data;
	size_t len;
};

static inline struct bytes bytes_of(const void *data, size_t len)
{
	return (struct bytes){(const uint8_t *)data, len};
}

static inline struct bytes bytes_str(const char *text)
{
	return (struct bytes){(const uint8_t *)text, text ? strlen(text) : 0};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bytes_is(struct bytes a, const char *text)
{
	return bytes_equal(a, bytes_str(text));
}

/* Whether `part` stands somewhere in `a`; an empty span has no part but the empty one. */
static inline bool bytes_has(struct bytes a, const char *part)
{
	return *part == '\0' || (a.len > 0 && memmem(a.data, a.len, part, strlen(part)));
}

/* memcmp order, a prefix first: negative, 0, positive. */
int bytes_compare(struct bytes a, struct bytes b);
/* How many characters of UTF-8 begin in it. */
size_t bytes_characters(struct bytes b);

/* A 64-bit hash of good quality, the same on every host and in every release (it is written to disk). */
uint64_t bytes_hash(struct bytes b);

/*
 * A growing buffer that owns its memory. A zeroed struct is an empty buffer without a limit.
 * A failure (no memory, or `max` passed) sticks: further writes do nothing and `error` says what
 * happened, so that a writer checks once at the end. What was written before stays readable.
 */
struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t max; /* 0: no limit */
	int error;  /* 0, ERR_NOMEM or ERR_LIMIT */
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);              /* frees; the struct is an empty buffer again */
void buf_reset(struct buf *b);                /* empties and clears the error, keeps the memory */
int buf_reserve(struct buf *b, size_t extra); /* room for `extra` more bytes; 0 or the sticky error */
void buf_put_slowly(struct buf *b, const void *data,
		    size_t len); /* what buf_put does when room is short */
void buf_put_str(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
void buf_consume(struct buf *b, size_t n);      /* drops the first n bytes (n <= len) */
void buf_give_back(struct buf *b, size_t keep); /* frees memory over `keep` when len fits into it */

/* Whether `extra` more bytes (1 or more) go where memory is, without a look at the limit. */
static inline bool buf_has_room(const struct buf *b, size_t extra)
{
	return extra <= b->cap - b->len && !b->error;
}

static inline void buf_put(struct buf *b, const void *data, size_t len)
{
	if (len == 0 || !buf_has_room(b, len)) {
		buf_put_slowly(b, data, len);
		return;
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static inline void buf_put_bytes(struct buf *b, struct bytes s)
{
	buf_put(b, s.data, s.len);
}

static inline void buf_put_byte(struct buf *b, uint8_t byte)
{
	if (b->len < b->cap)
		b->data[b->len++] = byte;
	else
		buf_put_slowly(b, &byte, 1);
}

static inline struct bytes buf_bytes(const struct buf *b)
{
	return (struct bytes){b->data, b->len};
}

/* The text with a terminating NUL behind it (not counted in len); "" when that cannot be had. */
const char *buf_text(struct buf *b);

/* Little-endian words at any alignment, whatever the host. */
static inline uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t le64(const uint8_t *p)
{
	return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

/* The same of big-endian ones. */
static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static inline uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static inline void put_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
	put_le16(p, (uint16_t)v);
	put_le16(p + 2, (uint16_t)(v >> 16));
}

static inline void put_le64(uint8_t *p, uint64_t v)
{
	put_le32(p, (uint32_t)v);
	put_le32(p + 4, (uint32_t)(v >> 32));
}

#endif
