/*
 * msgpack: reading and writing MessagePack over byte spans, without a tree.
 *
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md (all 37 formats). The reader
 * accepts every valid encoding of a value, the writer writes the shortest. Nothing here allocates
 * but the caller's buffer (and mp_equal); a reader never looks outside its span, whatever the
 * bytes say.
 */
#ifndef FIC_CODEC_MSGPACK_H
#define FIC_CODEC_MSGPACK_H

#include <base/bytes.h>
#include <base/err.h>

enum mp_type {
	MP_NIL,
	MP_BOOL,
	MP_INT,   /* fits int64_t */
	MP_UINT,  /* over INT64_MAX only */
	MP_FLOAT, /* 32 or 64 bits, widened */
	MP_STR,
	MP_BIN,
	MP_EXT,
	MP_ARRAY,
	MP_MAP,
};

/* One value; of a container the header only. Strings borrow from the span that is read. */
struct mp_value {
	enum mp_type type;
	union {
		bool boolean;
		int64_t integer;
		uint64_t uinteger;
		double real;
		struct bytes str; /* MP_STR, MP_BIN, MP_EXT */
		uint32_t count;   /* MP_ARRAY: items, MP_MAP: pairs */
	};
	int8_t ext_type; /* MP_EXT */
};

struct mp_reader {
	const uint8_t *at;
	const uint8_t *end;
};

/* Containers nested deeper than this are refused by mp_skip and mp_check. */
#define MP_DEPTH_MAX 128

/* A map of more members has no outline. */
#define MP_OUTLINE_MAX 64

static inline struct mp_reader mp_reader_of(struct bytes b)
{
	return (struct mp_reader){b.data, b.data + b.len};
}

/* The next value (a container's items follow as values of their own). 1 a value, 0 the end of
 * the span, ERR_CORRUPT when the bytes are cut or reserved (0xc1), or a count cannot fit into
 * what is left. */
int mp_next(struct mp_reader *r, struct mp_value *value_out);

/* Steps over one whole value, its contents included. 1, 0 at the end, ERR_CORRUPT, ERR_LIMIT
 * (depth). */
int mp_skip(struct mp_reader *r);

/* The same, and says which bytes it was. */
int mp_take(struct mp_reader *r, struct bytes *whole_out);

/* 0 when the span is exactly one well-formed value with valid UTF-8 in its strings (nesting up
 * to MP_DEPTH_MAX). */
int mp_check(struct bytes whole);

/* The value of `key` in the map that `map` encodes (the first one, when a key stands twice). 1
 * found, 0 not there or not a map, ERR_CORRUPT. */
int mp_find(struct bytes map, struct bytes key, struct bytes *value_out);

/* The same without going over the value, which may be long: the span begins with it, and ends where `map` does. */
int mp_find_start(struct bytes map, struct bytes key, struct bytes *from_out);

/* Follows "a.b.c" through maps; a decimal step without leading zeros indexes an array
 * ("tags.0.name"). At each step the rest of the path as one key comes first, then its first
 * word, then the longest key of several words ("a.b" of "a.b.c"). 1, 0, ERR_CORRUPT. */
int mp_path(struct bytes doc, struct bytes path, struct bytes *value_out);

/* The members of a map, for who follows many paths through it: it is walked once, and not once for each; so is the map in it that was last gone through. Borrows from
 * the document. */
struct mp_members {
	uint32_t count;                 /* 0: none, or nothing to gain */
	bool dotted;                    /* some key has a dot */
	uint64_t heads[MP_OUTLINE_MAX]; /* the first bytes of each key */
	struct mp_member {
		struct bytes key; /* {NULL, 0}: no text */
		struct bytes value;
	} items[MP_OUTLINE_MAX];
};

struct mp_outline {
	struct bytes doc;
	struct mp_members outer, inner;
	const uint8_t *inner_of; /* the value whose members `inner` has; NULL: none */
};

void mp_outline(struct bytes doc, struct mp_outline *out);

/* As mp_path of its document. */
int mp_outline_path(struct mp_outline *o, struct bytes path, struct bytes *value_out);

/* Decodes the first value of a span; false when there is none. */
bool mp_get(struct bytes whole, struct mp_value *value_out);

/* Convenience over mp_find + mp_get: false when missing or of another type. Integers are
 * accepted from floats with an integral value. */
bool mp_find_str(struct bytes map, const char *key, struct bytes *out);
bool mp_find_int(struct bytes map, const char *key, int64_t *out);
bool mp_find_bool(struct bytes map, const char *key, bool *out);

/* Writers append to a buffer; its sticky error is the only failure. */
void mp_put_nil(struct buf *b);
void mp_put_bool(struct buf *b, bool v);
void mp_put_int(struct buf *b, int64_t v);
void mp_put_uint(struct buf *b, uint64_t v);
void mp_put_float(struct buf *b, double v); /* always 64 bits */
void mp_put_str(struct buf *b, struct bytes s);
void mp_put_cstr(struct buf *b, const char *s); /* NULL writes nil */
void mp_put_bin(struct buf *b, struct bytes s);
void mp_put_array(struct buf *b, uint32_t count);
void mp_put_map(struct buf *b, uint32_t count);

/* A short name that is written in the source: most of the work is done when this is compiled. */
static inline void mp_put_name(struct buf *b, const char *name)
{
	size_t len = strlen(name);

	if (len > 31 || b->error || b->cap - b->len <= len) {
		mp_put_str(b, bytes_of(name, len));
		return;
	}
	b->data[b->len] = (uint8_t)(0xa0 | len);
	memcpy(b->data + b->len + 1, name, len);
	b->len += 1 + len;
}

/* A container whose count is known only at its end: begin returns a mark, end patches the
 * count (a five-byte header). */
size_t mp_begin_array(struct buf *b);
void mp_end_array(struct buf *b, size_t mark, uint32_t count);
size_t mp_begin_map(struct buf *b);
void mp_end_map(struct buf *b, size_t mark, uint32_t count);

/* Equality as JSON values: maps regardless of order (duplicate keys: the last counts), 1
 * equals 1.0 but 2^53+1 does not equal 2^53 as a double, NaN equals NaN, bytes of strings
 * exact. Both spans must pass mp_check. Equal bytes cost a memcmp; else a map of n keys costs
 * n log n. Takes memory for maps that differ in bytes; without it the answer is false. */
bool mp_equal(struct bytes a, struct bytes b);

#endif
