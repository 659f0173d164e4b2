/* bytes: buffers that grow, and the hash. A buffer's failure sticks; nothing here aborts. */
#include <base/bytes.h>

#include <base/err.h>

#include <stdio.h>
#include <stdlib.h>

int bytes_compare(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.data, b.data, n) : 0;

	if (order)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

size_t bytes_characters(struct bytes b)
{
	size_t n = 0;

	for (size_t i = 0; i < b.len; i++)
		n += (b.data[i] & 0xc0) != 0x80;
	return n;
}

/* Eight bytes at a time through a 64-bit multiply-and-fold (as the 64-bit finalizers of murmur do), little-endian on any host. Not
 * a defence against chosen collisions: whoever finds a record by hash compares its id as well. */
static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	return h;
}

uint64_t bytes_hash(struct bytes b)
{
	/* The length is mixed before it meets the bytes, or it would cancel out against a byte of a short text. */
	uint64_t h = mix(0x9e3779b97f4a7c15u ^ (uint64_t)b.len);
	const uint8_t *p = b.data;
	size_t left = b.len;

	for (; left >= 8; left -= 8, p += 8)
		h = mix(h ^ le64(p)) + 0x9e3779b97f4a7c15u;
	uint64_t tail = 0;
	for (size_t i = 0; i < left; i++)
		tail |= (uint64_t)p[i] << (8 * i);
	return mix(h ^ tail);
}

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->error = 0;
}

int buf_reserve(struct buf *b, size_t extra)
{
	if (b->error)
		return b->error;
	if (extra <= b->cap - b->len)
		return 0;
	if (extra > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
		return b->error = ERR_LIMIT;
	size_t need = b->len + extra;
	if (b->max && need > b->max)
		return b->error = ERR_LIMIT;
	size_t cap = b->cap ? b->cap : 64;
	while (cap < need)
		cap += cap / 2 + 64;
	if (b->max && cap > b->max)
		cap = b->max;
	uint8_t *data = realloc(b->data, cap);
	if (!data)
		return b->error = ERR_NOMEM;
	b->data = data;
	b->cap = cap;
	return 0;
}

void buf_put_slowly(struct buf *b, const void *data, size_t len)
{
	if (len == 0 || buf_reserve(b, len))
		return;
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

void buf_put_str(struct buf *b, const char *text)
{
	buf_put(b, text, strlen(text));
}

/* vsnprintf ends what it writes with a NUL, which needs room of its own that a full buffer does not have. */
__attribute__((format(printf, 3, 0))) static void vprintf_exact(struct buf *b, size_t len,
								const char *format, va_list args)
{
	char *text = malloc(len + 1);

	if (!text) {
		b->error = ERR_NOMEM;
		return;
	}
	vsnprintf(text, len + 1, format, args);
	buf_put(b, text, len);
	free(text);
}

void buf_vprintf(struct buf *b, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0 || buf_reserve(b, (size_t)n))
		return;
	if (b->max && b->max - b->len == (size_t)n) {
		vprintf_exact(b, (size_t)n, format, args);
		return;
	}
	if (buf_reserve(b, (size_t)n + 1))
		return;
	vsnprintf((char *)b->data + b->len, (size_t)n + 1, format, args);
	b->len += (size_t)n;
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vprintf(b, format, args);
	va_end(args);
}

void buf_consume(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

void buf_give_back(struct buf *b, size_t keep)
{
	if (b->cap <= keep || b->len > keep)
		return;
	if (keep == 0) {
		free(b->data);
		b->data = NULL;
		b->cap = 0;
		return;
	}
	uint8_t *data = realloc(b->data, keep);
	if (!data)
		return;
	b->data = data;
	b->cap = keep;
}

const char *buf_text(struct buf *b)
{
	if (b->error)
		return "";
	if (b->len == b->cap && buf_reserve(b, 1)) {
		b->error = 0; /* full, but what it holds is as good as before */
		return "";
	}
	b->data[b->len] = 0;
	return (const char *)b->data;
}
