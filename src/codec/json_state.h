/*
 * json_state: what the parts of the transcoder share. Private to codec.
 *
 * json_feed.c walks the structure, json_string.c the insides of strings, json_number.c the
 * numbers. json_write.c stands apart.
 */
#ifndef FIC_CODEC_JSON_STATE_H
#define FIC_CODEC_JSON_STATE_H

/* GCC 12 packs pairs of the cursor's pointers into vector registers to store them together,
 * and takes them apart again for every byte: half the speed (1.0 against 2.0 GB/s). Ahead of
 * the includes, so that inline functions are compiled alike. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-slp-vectorize")
#endif

#include <codec/json.h>

#include "encode.h"
#include "scan.h"

#define JSON_DEPTH_MOST   512
#define JSON_DEPTH_USUAL  128
#define JSON_NUMBER_USUAL 1024
#define JSON_WIDE_USUAL   3

/* Where a piece may end. The diagram is in json_feed.c. */
enum json_state {
	AT_START, /* nothing but white space yet (lenient: or a byte order mark) */
	WANT_VALUE,
	WANT_ITEM, /* behind '[': a value or ']' */
	WANT_KEY,  /* behind ',' in an object */
	WANT_PAIR, /* behind '{': a key or '}' */
	WANT_COLON,
	AFTER_VALUE,
	IN_STRING,
	IN_NUMBER,
	IN_LITERAL,
	FAILED,
};

/* Inside a string. */
enum string_state {
	STRING_PLAIN,
	STRING_UTF8,      /* `more` bytes of a sequence are missing */
	STRING_ESCAPE,    /* behind a backslash */
	STRING_HEX,       /* in \uHHHH, `more` digits are missing */
	STRING_LOW_SLASH, /* `surrogate` waits for the backslash of its second half */
	STRING_LOW_U,     /* and for the u behind it */
};

enum frame_kind { FRAME_TOP, FRAME_ARRAY, FRAME_MAP };

/* An open container. */
struct frame {
	size_t mark;    /* offset of its header in the output */
	uint64_t count; /* commas so far */
	uint8_t kind;   /* enum frame_kind */
	bool wide;      /* a five-byte header is there; else one byte is */
};

/* The piece that is read and the output that is written, in registers while a loop runs. */
struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	uint8_t *w;
	uint8_t *w_end;
};

struct json_string {
	size_t mark;  /* offset of its header in the output */
	uint8_t room; /* bytes left for the header */
	enum string_state state;
	uint8_t more; /* see enum string_state */
	uint8_t seen; /* bytes of an unfinished UTF-8 sequence already written */
	uint8_t low;  /* span of the next byte of it */
	uint8_t high;
	uint16_t unit;      /* hex digits so far */
	uint16_t surrogate; /* a first half, or 0 */
	bool key;
};

struct json {
	struct buf *out;
	enum json_mode mode;
	struct json_limits limits;
	struct json_stats stats;
	enum json_state state;
	uint8_t bom; /* bytes of a byte order mark taken */
	int error;
	struct why why; /* of the error */

	const uint8_t *piece;  /* the piece being read, for offsets */
	uint64_t number_start; /* offset of the number whose characters are in `number` */
	struct buf number;
	const char *literal; /* what is left of true, false or null */
	uint8_t literal_code;
	struct json_string string;
	unsigned depth;
	struct frame frames[]; /* frames[0] is the text itself */
};

/* Offset in the whole text of a place in the piece. */
static inline uint64_t json_offset(const struct json *j, const uint8_t *at)
{
	return j->stats.bytes + (uint64_t)(at - j->piece);
}

/* Notes the error and returns FAILED. */
enum json_state json_fail(struct json *j, int code, uint64_t offset, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The output's length := what is written. */
void json_cursor_sync(struct json *j, const struct cursor *c);
void json_cursor_load(struct json *j, struct cursor *c);    /* the reverse */
bool json_grow(struct json *j, struct cursor *c, size_t n); /* room for n bytes, else fails */

static ALWAYS_INLINE bool json_room(struct json *j, struct cursor *c, size_t n)
{
	if ((size_t)(c->w_end - c->w) >= n)
		return true;
	/* By way of a copy, so that the caller's cursor has no address and stays in registers. */
	struct cursor copy = *c;
	bool ok = json_grow(j, &copy, n);
	*c = copy;
	return ok;
}

/* What comes behind a string that has just been closed. */
static inline enum json_state json_string_next(const struct json *j)
{
	return j->string.key ? WANT_COLON : AFTER_VALUE;
}

/* Behind the opening quote, with string.key set. IN_STRING or FAILED. */
enum json_state json_string_open(struct json *j, struct cursor *c);
/* Goes on to the closing quote or the end of the piece: the next state. */
enum json_state json_string_run(struct json *j, struct cursor *c);

/* c->at is at '-' or a digit. */
enum json_state json_number_begin(struct json *j, struct cursor *c);
enum json_state json_number_run(struct json *j, struct cursor *c);
/* The text is over. */
enum json_state json_number_end(struct json *j, struct cursor *c);

#endif
