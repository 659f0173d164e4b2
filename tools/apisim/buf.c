/* Growing byte buffers and JSON printing. Must never cut or reorder what is
 * put in; running out of memory ends the simulator, since a test with a
 * half-made answer would prove nothing. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_need(struct buf *b, size_t extra)
{
	size_t cap = b->cap ? b->cap : 256;
	char *p;

	if (b->len + extra + 1 <= b->cap)
		return;
	while (cap < b->len + extra + 1)
		cap *= 2;
	p = realloc(b->p, cap);
	if (!p)
		abort();
	b->p = p;
	b->cap = cap;
}

void buf_put(struct buf *b, const void *data, size_t n)
{
	if (n == 0)
		return;
	buf_need(b, n);
	memcpy(b->p + b->len, data, n);
	b->len += n;
}

void buf_str(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	buf_need(b, 1);
	b->p[b->len++] = c;
}

void buf_int(struct buf *b, int64_t v)
{
	char digits[24];
	size_t at = sizeof(digits);
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do {
		digits[--at] = (char)('0' + (int)(u % 10));
		u /= 10;
	} while (u);
	if (v < 0)
		digits[--at] = '-';
	buf_put(b, digits + at, sizeof(digits) - at);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		buf_need(b, (size_t)n);
		vsnprintf(b->p + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

const char *buf_text(struct buf *b)
{
	buf_need(b, 1);
	b->p[b->len] = '\0';
	return b->p;
}

void buf_reset(struct buf *b)
{
	b->len = 0;
}

void buf_release(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

static const char hex[] = "0123456789abcdef";

static void put_u16(struct buf *b, uint32_t v)
{
	char s[6] = {'\\', 'u', hex[v >> 12 & 15], hex[v >> 8 & 15], hex[v >> 4 & 15], hex[v & 15]};

	buf_put(b, s, sizeof(s));
}

/* One UTF-8 sequence as \u escapes; the number of bytes eaten. Input comes
 * from our own tables or was checked by jansson, so it is valid. */
static size_t put_utf8_escaped(struct buf *b, const unsigned char *s, size_t n)
{
	uint32_t c = s[0];
	size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;

	if (more >= n)
		more = n - 1;
	c &= more == 3 ? 0x07u : more == 2 ? 0x0fu : 0x1fu;
	for (size_t i = 1; i <= more; i++)
		c = c << 6 | (s[i] & 0x3fu);
	if (c >= 0x10000) {
		put_u16(b, 0xd800u + ((c - 0x10000) >> 10));
		put_u16(b, 0xdc00u + ((c - 0x10000) & 0x3ffu));
	} else {
		put_u16(b, c);
	}
	return more + 1;
}

static void put_control(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"': buf_lit(b, "\\\""); break;
	case '\\': buf_lit(b, "\\\\"); break;
	case '\n': buf_lit(b, "\\n"); break;
	case '\r': buf_lit(b, "\\r"); break;
	case '\t': buf_lit(b, "\\t"); break;
	default: put_u16(b, c);
	}
}

static bool is_plain(unsigned char c, bool ascii)
{
	if (c < 0x20 || c == '"' || c == '\\')
		return false;
	return !ascii || (c < 0x80 && c != '<' && c != '>' && c != '&');
}

void j_quote(struct buf *b, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t at = 0;

	buf_need(b, n + 2);
	buf_char(b, '"');
	while (at < n) {
		size_t run = at;

		while (run < n && is_plain(p[run], b->ascii))
			run++;
		buf_put(b, p + at, run - at);
		at = run;
		if (at == n)
			break;
		if (p[at] >= 0x80) {
			at += put_utf8_escaped(b, p + at, n - at);
		} else {
			put_control(b, p[at]);
			at++;
		}
	}
	buf_char(b, '"');
}

static void separate(struct buf *b)
{
	if (b->len && !strchr("{[:,\n", b->p[b->len - 1]))
		buf_char(b, ',');
}

void j_key(struct buf *b, const char *key)
{
	separate(b);
	if (!key)
		return;
	buf_char(b, '"');
	buf_str(b, key);
	buf_lit(b, "\":");
}

void j_strn(struct buf *b, const char *key, const char *value, size_t n)
{
	j_key(b, key);
	j_quote(b, value, n);
}

void j_str(struct buf *b, const char *key, const char *value)
{
	if (value)
		j_strn(b, key, value, strlen(value));
	else
		j_null(b, key);
}

void j_int(struct buf *b, const char *key, int64_t value)
{
	j_key(b, key);
	buf_int(b, value);
}

void j_idstr(struct buf *b, const char *key, uint64_t id)
{
	j_key(b, key);
	buf_char(b, '"');
	buf_int(b, (int64_t)id);
	buf_char(b, '"');
}

void j_time(struct buf *b, const char *key, uint32_t t)
{
	if (t)
		j_int(b, key, t);
	else
		j_null(b, key);
}

void j_bool(struct buf *b, const char *key, bool value)
{
	j_key(b, key);
	buf_str(b, value ? "true" : "false");
}

void j_null(struct buf *b, const char *key)
{
	j_key(b, key);
	buf_lit(b, "null");
}

void j_raw(struct buf *b, const char *key, const char *json)
{
	j_key(b, key);
	buf_str(b, json);
}

void j_open(struct buf *b, const char *key, char bracket)
{
	j_key(b, key);
	buf_char(b, bracket);
}

void j_close(struct buf *b, char bracket)
{
	buf_char(b, bracket);
}

void j_lit(struct buf *b, const char *members)
{
	separate(b);
	buf_str(b, members);
}
