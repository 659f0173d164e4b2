/* A growing byte buffer and the JSON printing on top of it. Answers are
 * printed straight into one of these; there is never a JSON tree. */
#ifndef APISIM_BUF_H
#define APISIM_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *p;
	size_t len;
	size_t cap;
	bool ascii; /* strings are written with \u escapes only, as Rails does */
};

void buf_need(struct buf *b, size_t extra);
void buf_put(struct buf *b, const void *data, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_int(struct buf *b, int64_t v);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3), nonnull));
/* The text so far as a C string; valid until the next call. */
const char *buf_text(struct buf *b);
void buf_reset(struct buf *b);
void buf_release(struct buf *b);

#define buf_lit(b, s) buf_put((b), "" s, sizeof(s) - 1)

/* A quoted and escaped JSON string. */
void j_quote(struct buf *b, const char *s, size_t n);

/* Members and elements. A comma is put by itself where one is due. With
 * key NULL an element is written instead of a member. */
void j_key(struct buf *b, const char *key);
void j_str(struct buf *b, const char *key, const char *value); /* NULL: null */
void j_strn(struct buf *b, const char *key, const char *value, size_t n);
void j_int(struct buf *b, const char *key, int64_t value);
void j_idstr(struct buf *b, const char *key, uint64_t id); /* "123" */
void j_time(struct buf *b, const char *key, uint32_t t);   /* 0: null */
void j_bool(struct buf *b, const char *key, bool value);
void j_null(struct buf *b, const char *key);
void j_raw(struct buf *b, const char *key, const char *json);
void j_open(struct buf *b, const char *key, char bracket);
void j_close(struct buf *b, char bracket);
/* A few constant members: text without the outer braces, no escaping. */
void j_lit(struct buf *b, const char *members);

#endif
