/*
 * json_write: MessagePack to JSON, in one pass, without recursion.
 *
 * Reads bytes that may be anything: what is not MessagePack is ERR_CORRUPT, never a crash. Never
 * writes a raw control character. The document's depth is bounded by MP_DEPTH_MAX.
 */
#include <base/digits.h>
#include <codec/json.h>
#include <codec/msgpack.h>

#include "scan.h"

#include <math.h>

#define ESCAPE_MAX 6 /* bytes of one */

/* A byte that JSON wants escaped: the place behind what is written for it. */
static uint8_t *escape(uint8_t *to, uint8_t b)
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[] = "00000000btn0fr";

	*to++ = '\\';
	if (b == '"' || b == '\\') {
		*to++ = b;
	} else if (b < sizeof letters - 1 && letters[b] != '0') {
		*to++ = (uint8_t)letters[b];
	} else {
		memcpy(to, "u00", 3);
		to[3] = (uint8_t)hex[b >> 4];
		to[4] = (uint8_t)hex[b & 15];
		to += 5;
	}
	return to;
}

static void put_escape(struct buf *out, uint8_t b)
{
	uint8_t text[ESCAPE_MAX];

	buf_put(out, text, (size_t)(escape(text, b) - text));
}

static inline bool is_clean(uint8_t b)
{
	return b >= 0x20 && b != '"' && b != '\\';
}

/* The clean run at p, in blocks while there is room to write and something to read for whole
 * ones: a block may read over the string's end, up to `limit`, but only the string's part of
 * it counts. Returns the first byte not taken. */
static ALWAYS_INLINE const uint8_t *put_blocks(struct buf *out, const uint8_t *p,
					       const uint8_t *end, const uint8_t *limit)
{
	uint8_t *w = out->data + out->len;
	uint8_t *w_end = out->data + out->cap;

	while (p < end && limit - p >= SCAN_BLOCK && w_end - w >= SCAN_BLOCK) {
		size_t clean = scan_copy_clean(p, w);
		size_t n = clean < (size_t)(end - p) ? clean : (size_t)(end - p);
		p += n;
		w += n;
		if (n < SCAN_BLOCK)
			break;
	}
	out->len = (size_t)(w - out->data);
	return p;
}

static ALWAYS_INLINE void put_text(struct buf *out, struct bytes s, const uint8_t *limit)
{
	const uint8_t *p = s.data, *end = p + s.len;

	buf_put_byte(out, '"');
	while (p < end && !out->error) {
		if (out->cap)
			p = put_blocks(out, p, end, limit);
		const uint8_t *run = p;
		while (p < end && is_clean(*p))
			p++;
		buf_put(out, run, (size_t)(p - run));
		if (p < end)
			put_escape(out, *p++);
	}
	buf_put_byte(out, '"');
}

void json_write_str(struct buf *out, struct bytes s)
{
	put_text(out, s, s.data + s.len);
}

/* The digits that end at p. Returns where they begin. */
static inline char *digits_before(char *p, uint64_t v)
{
	for (; v >= 100; v /= 100) {
		p -= 2;
		memcpy(p, digit_pairs + 2 * (v % 100), 2);
	}
	if (v >= 10) {
		p -= 2;
		memcpy(p, digit_pairs + 2 * v, 2);
	} else {
		*--p = (char)('0' + v);
	}
	return p;
}

static void put_uint(struct buf *out, uint64_t v, bool negative)
{
	char text[24];
	char *end = text + sizeof(text), *p = digits_before(end, v);

	if (negative)
		*--p = '-';
	buf_put(out, p, (size_t)(end - p));
}

static void put_real(struct buf *out, double v)
{
	char text[32];

	if (isfinite(v))
		buf_put(out, text, json_write_double(v, text));
	else
		buf_put(out, "null", 4);
}

/* RFC 4648, part 4, with padding. */
static void put_base64(struct buf *out, struct bytes b)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	buf_put_byte(out, '"');
	for (size_t i = 0; i < b.len && !out->error; i += 3) {
		size_t n = b.len - i;
		uint32_t word = (uint32_t)b.data[i] << 16;
		word |= n > 1 ? (uint32_t)b.data[i + 1] << 8 : 0;
		word |= n > 2 ? b.data[i + 2] : 0;
		char text[4] = {alphabet[word >> 18], alphabet[word >> 12 & 63],
				n > 1 ? alphabet[word >> 6 & 63] : '=',
				n > 2 ? alphabet[word & 63] : '='};
		buf_put(out, text, sizeof(text));
	}
	buf_put_byte(out, '"');
}

static void put_scalar(struct buf *out, const struct mp_value *v, const uint8_t *limit)
{
	switch (v->type) {
	case MP_BOOL: buf_put(out, v->boolean ? "true" : "false", v->boolean ? 4 : 5); return;
	case MP_INT:
		put_uint(out, v->integer < 0 ? 0 - v->uinteger : v->uinteger, v->integer < 0);
		return;
	case MP_UINT: put_uint(out, v->uinteger, false); return;
	case MP_FLOAT: put_real(out, v->real); return;
	case MP_STR: put_text(out, v->str, limit); return;
	case MP_BIN: put_base64(out, v->str); return;
	default: /* nil, and ext, for which JSON has no word */ buf_put(out, "null", 4);
	}
}

/* An open container. Of a map, `left` counts keys and values: it is even when a key comes next. */
struct level {
	uint64_t left;
	bool map;
	bool fresh; /* nothing of it is written */
};

struct writer {
	struct mp_reader in;                  /* of the piece under way */
	const struct json_piece *next, *last; /* the pieces behind it */
	struct buf *out;
	bool pretty;
	unsigned depth;
	struct level levels[MP_DEPTH_MAX + 1]; /* levels[0] holds the one value */
};

static void new_line(struct writer *w, unsigned depth)
{
	buf_put_byte(w->out, '\n');
	for (unsigned i = 0; i < depth; i++)
		buf_put(w->out, "  ", 2);
}

/* What stands between the last value and the next. */
static ALWAYS_INLINE void separate(struct writer *w, const struct level *l)
{
	if (l->map && l->left % 2) {
		buf_put_byte(w->out, ':');
		if (w->pretty)
			buf_put_byte(w->out, ' ');
		return;
	}
	if (!l->fresh)
		buf_put_byte(w->out, ',');
	if (w->pretty && w->depth)
		new_line(w, w->depth);
}

static int open_level(struct writer *w, const struct mp_value *v)
{
	bool map = v->type == MP_MAP;

	if (w->depth == MP_DEPTH_MAX)
		return ERR_LIMIT;
	w->levels[++w->depth] = (struct level){(uint64_t)v->count << map, map, true};
	buf_put_byte(w->out, map ? '{' : '[');
	return 0;
}

static void close_level(struct writer *w)
{
	const struct level *l = &w->levels[w->depth--];

	if (w->pretty && !l->fresh)
		new_line(w, w->depth);
	buf_put_byte(w->out, l->map ? '}' : ']');
}

/* JSON has only strings as keys: other scalars are written as they are, in quotes. */
static int put_key(struct writer *w, const struct mp_value *v)
{
	bool quoted = v->type == MP_STR || v->type == MP_BIN;

	if (v->type == MP_ARRAY || v->type == MP_MAP)
		return ERR_CORRUPT;
	if (!quoted)
		buf_put_byte(w->out, '"');
	put_scalar(w->out, v, w->in.end);
	if (!quoted)
		buf_put_byte(w->out, '"');
	return 0;
}

/* Most values, and nearly all keys, are strings of up to 31 bytes: those need no general decode. */
static ALWAYS_INLINE int next_value(struct mp_reader *r, struct mp_value *v)
{
	if (r->at != r->end && (*r->at & 0xe0) == 0xa0) {
		size_t len = *r->at & 0x1fu;
		if (len < (size_t)(r->end - r->at)) {
			v->type = MP_STR;
			v->str = bytes_of(r->at + 1, len);
			r->at += 1 + len;
			return 1;
		}
	}
	return mp_next(r, v);
}

static int write_next(struct writer *w)
{
	struct level *l = &w->levels[w->depth];
	struct mp_value v;
	bool key = l->map && l->left % 2 == 0;

	if (next_value(&w->in, &v) != 1)
		return ERR_CORRUPT;
	separate(w, l);
	l->left--;
	l->fresh = false;
	if (v.type == MP_STR)
		put_text(w->out, v.str, w->in.end);
	else if (key)
		return put_key(w, &v);
	else if (v.type == MP_ARRAY || v.type == MP_MAP)
		return open_level(w, &v);
	else
		put_scalar(w->out, &v, w->in.end);
	return 0;
}

#define RUN_READ (1 + 2 * SCAN_BLOCK) /* bytes that a value's look takes at most */
#define RUN_ROOM \
	(4 + 2 * SCAN_BLOCK) /* and what is written for it, or for a piece of a longer one */

_Static_assert(RUN_ROOM >= 2 + SCAN_BLOCK + ESCAPE_MAX && RUN_ROOM >= 1 + 32,
	       "room for a block, what ends it, and a double");

/* A text without anything to escape: the place behind it, or NULL. Whole blocks can be read and written. */
static ALWAYS_INLINE uint8_t *run_text(const uint8_t *p, size_t len, uint8_t *to)
{
	size_t done = 0, clean;

	*to++ = '"';
	do {
		clean = scan_copy_clean(p + done, to + done);
		done += clean;
	} while (clean == SCAN_BLOCK && done < len);
	if (done < len)
		return NULL;
	to[len] = '"';
	return to + len + 1;
}

static ALWAYS_INLINE bool run_is_text(uint8_t lead)
{
	return (lead & 0xe0) == 0xa0 || (lead >= 0xd9 && lead <= 0xdb);
}

/* The same of a text of up to 31 bytes, or up to 255, if there is room. */
static ALWAYS_INLINE uint8_t *run_short(const uint8_t *p, const uint8_t *p_end, size_t *size_out,
					uint8_t *to, const uint8_t *to_end)
{
	if (*p < 0xc0) {
		*size_out = 1 + (*p & 0x1fu);
		return run_text(p + 1, *size_out - 1, to);
	}
	*size_out = 2 + (size_t)p[1];
	if (*p != 0xd9 || (size_t)(p_end - p) < *size_out + SCAN_BLOCK ||
	    (size_t)(to_end - to) < *size_out + RUN_ROOM)
		return NULL;
	return run_text(p + 2, *size_out - 2, to);
}

/* The same of any text. What is to be escaped does not end the run. */
static uint8_t *run_long(const uint8_t *p, const uint8_t *p_end, size_t *size_out, uint8_t *to,
			 const uint8_t *to_end)
{
	size_t head = *p < 0xc0 ? 1 : *p == 0xd9 ? 2 : *p == 0xda ? 3 : 5;
	size_t len = head == 1 ? *p & 0x1fu : head == 5 ? be32(p + 1) : be32(p) >> 8 & 0xffff;

	len = head == 2 ? p[1] : len;
	if ((size_t)(p_end - p) < head + SCAN_BLOCK || (size_t)(p_end - p) - head - SCAN_BLOCK < len)
		return NULL;
	*size_out = head + len;
	const uint8_t *end = p + head + len;
	*to++ = '"';
	for (p += head; p < end;) {
		if (to_end - to < RUN_ROOM)
			return NULL;
		size_t clean = scan_copy_clean(p, to), n = (size_t)(end - p);
		n = clean < n ? clean : n;
		p += n;
		to += n;
		if (clean < SCAN_BLOCK && p < end)
			to = escape(to, *p++);
	}
	*to++ = '"';
	return to;
}

/* A double at p, if JSON has a text for it. */
static uint8_t *run_double(const uint8_t *p, uint8_t *to)
{
	uint64_t bits = be64(p);
	double v;

	memcpy(&v, &bits, sizeof v);
	return isfinite(v) ? to + json_write_double(v, (char *)to) : NULL;
}

/* A number of up to 32 bits or a double, nil, true or false: the place behind it, or NULL when it is something else. */
static ALWAYS_INLINE uint8_t *run_scalar(const uint8_t *p, size_t *size_out, uint8_t *to)
{
	char text[16], *end = text + sizeof text, *digits;

	*size_out = 1;
	switch (*p) {
	case 0xc0: memcpy(to, "null", 4); return to + 4;
	case 0xc2: memcpy(to, "false", 5); return to + 5;
	case 0xc3: memcpy(to, "true", 4); return to + 4;
	case 0xcb: *size_out = 9; return run_double(p + 1, to);
	case 0xcc:
		*size_out = 2;
		digits = digits_before(end, p[1]);
		break;
	case 0xcd:
		*size_out = 3;
		digits = digits_before(end, (uint32_t)p[1] << 8 | p[2]);
		break;
	case 0xce:
		*size_out = 5;
		digits = digits_before(end, be32(p + 1));
		break;
	default:
		if (*p >= 0x80)
			return NULL;
		digits = digits_before(end, *p);
	}
	memcpy(to, digits, (size_t)(end - digits));
	return to + (end - digits);
}

static ALWAYS_INLINE bool run_is_head(uint8_t lead)
{
	return (lead & 0xe0) == 0x80 || lead == 0xdd || lead == 0xdf;
}

/* The level that a head opens, of a container of up to 15 items, or one whose head has four bytes more, as those have that are transcoded while they
 * arrive. False: it promises more than there can be. */
static ALWAYS_INLINE bool run_open(const uint8_t *p, const uint8_t *end, size_t *size_out,
				   struct level *out)
{
	bool map = *p < 0x90 || *p == 0xdf;
	uint64_t items = *p >= 0xdd ? be32(p + 1) : *p & 0x0fu;

	*size_out = *p >= 0xdd ? 5 : 1;
	*out = (struct level){items << map, map, true};
	return out->left <= (size_t)(end - p);
}

/* Texts, numbers and heads of containers are most of what documents have: these, as far as the buffer has room for what they can be, a key with its value at once. All else is
 * for write_next. The innermost level is a copy, so that what is written to the buffer is known not to change it. What is
 * read at once must lie before the piece's end, unless it is its tail: that has as much room behind it, and each value is compared with the end. */
static ALWAYS_INLINE void write_values(struct writer *w, bool tail)
{
	const uint8_t *p = w->in.at, *const p_end = w->in.end;
	const uint8_t *const limit = tail ? p_end + 2 * RUN_READ : p_end;
	uint8_t *to = w->out->data + w->out->len, *const to_end = w->out->data + w->out->cap;
	unsigned depth = w->depth;
	struct level here = w->levels[depth], inner;

	while (to_end - to >= 2 * RUN_ROOM) {
		if (here.left == 0) {
			if (depth == 0)
				break;
			*to++ = here.map ? '}' : ']';
			here = w->levels[--depth];
			continue;
		}
		if (limit - p < 2 * RUN_READ || (tail && p == p_end))
			break;
		if (here.map && here.left % 2 == 0) {
			*to = ',';
			uint8_t *behind = (*p & 0xe0) == 0xa0
						  ? run_text(p + 1, *p & 0x1fu, to + !here.fresh)
						  : NULL;
			size_t key = 1 + (*p & 0x1fu);
			if (!behind || (tail && key > (size_t)(p_end - p)))
				break;
			p += key;
			to = behind;
			here.left--;
			here.fresh = false;
			if (tail && p == p_end)
				break;
		}
		bool opens = false;
		size_t size = 0;
		*to = here.map ? ':' : ',';
		uint8_t *from = to + !here.fresh, *at = NULL;
		if (run_is_text(*p)) {
			at = run_short(p, limit, &size, from, to_end);
			at = at ? at : run_long(p, limit, &size, from, to_end);
		} else if (!run_is_head(*p)) {
			at = run_scalar(p, &size, from);
		} else if (depth < MP_DEPTH_MAX && run_open(p, p_end, &size, &inner)) {
			opens = true;
			at = from;
		}
		if (!at || (tail && size > (size_t)(p_end - p)))
			break;
		here.left--;
		here.fresh = false;
		p += size;
		to = at;
		if (!opens)
			continue;
		w->levels[depth++] = here;
		here = inner;
		*to++ = here.map ? '{' : '[';
	}
	w->levels[depth] = here;
	w->depth = depth;
	w->in.at = p;
	w->out->len = (size_t)(to - w->out->data);
}

static ALWAYS_INLINE void write_run(struct writer *w)
{
	write_values(w, false);
}

/* The last bytes of a piece, from a place that has room behind them. */
static void write_tail(struct writer *w)
{
	struct mp_reader in = w->in;
	size_t left = (size_t)(in.end - in.at);
	uint8_t room[4 * RUN_READ];

	memcpy(room, in.at, left);
	memset(room + left, 0, 2 * RUN_READ);
	w->in = mp_reader_of(bytes_of(room, left));
	write_values(w, true);
	w->in = (struct mp_reader){in.at + (w->in.at - room), in.end};
}

/* A value is due, and the piece has no more. */
static int next_piece(struct writer *w)
{
	const struct json_piece *piece = w->next++;
	struct level *l = &w->levels[w->depth];

	if (piece->array) {
		if (w->depth == MP_DEPTH_MAX)
			return ERR_LIMIT;
		separate(w, l);
		l->left--;
		l->fresh = false;
		buf_put_byte(w->out, '[');
		w->levels[++w->depth] = (struct level){piece->values, false, true};
	}
	if (piece->bytes.len)
		w->in = mp_reader_of(piece->bytes);
	return 0;
}

static ALWAYS_INLINE int write_all(const struct json_piece *pieces, size_t count, struct buf *out,
				   bool pretty)
{
	struct writer w;
	size_t start = out->len;
	int rc = 0;

	/* Not all of it: clearing 128 levels would cost more than writing a small value. */
	w.in = mp_reader_of(bytes_of("", 0));
	w.next = pieces;
	w.last = pieces + count;
	w.out = out;
	w.pretty = pretty;
	w.depth = 0;
	w.levels[0] = (struct level){1, false, true};
	while (rc == 0 && !out->error) {
		if (!pretty && out->cap)
			write_run(&w);
		if (!pretty && out->cap && w.in.at != w.in.end && w.in.end - w.in.at < 2 * RUN_READ)
			write_tail(&w);
		bool due = w.levels[w.depth].left > 0;
		if (due && w.in.at == w.in.end && w.next < w.last)
			rc = next_piece(&w);
		else if (due)
			rc = write_next(&w);
		else if (w.depth)
			close_level(&w);
		else
			break;
	}
	if (rc == 0 && !out->error && (w.in.at != w.in.end || w.next < w.last))
		rc = ERR_CORRUPT;
	if (rc)
		out->len = start;
	return rc ? rc : out->error;
}

int json_write(struct bytes whole, struct buf *out)
{
	const struct json_piece piece = {.bytes = whole};

	return write_all(&piece, 1, out, false);
}

int json_write_pieces(const struct json_piece *pieces, size_t count, struct buf *out)
{
	return write_all(pieces, count, out, false);
}

int json_write_pretty(struct bytes whole, struct buf *out)
{
	const struct json_piece piece = {.bytes = whole};

	return write_all(&piece, 1, out, true);
}
