/*
 * msgpack_read: one value, one step over a value, one check of a whole document.
 *
 * Every length is compared with what is left of the span before a byte of it is touched. Nothing
 * recurses and nothing allocates: the depth of nesting is the input's, and bounded here.
 */
#include <codec/msgpack.h>

#include "scan.h"

/*
 * The formats 0xc0..0xdf: how many bytes stand behind the lead byte before any contents, what it
 * is, and what those bytes mean.
 */
enum meaning {
	IS_BAD,
	IS_SELF, /* nil, false, true */
	IS_UINT,
	IS_INT,
	IS_FLOAT,
	IS_SPAN,   /* a length of str or bin */
	IS_EXT,    /* a length and a type */
	IS_FIXEXT, /* a type; the length is the format's */
	IS_COUNT,  /* items or pairs */
};

struct format {
	uint8_t head;    /* bytes behind the lead byte */
	uint8_t meaning; /* enum meaning */
	uint8_t type;    /* enum mp_type */
	uint8_t fixed;   /* IS_FIXEXT: bytes of contents */
};

static const struct format formats[32] = {
	{0, IS_SELF, MP_NIL, 0},    {0, IS_BAD, 0, 0},          {0, IS_SELF, MP_BOOL, 0},
	{0, IS_SELF, MP_BOOL, 0},   {1, IS_SPAN, MP_BIN, 0},    {2, IS_SPAN, MP_BIN, 0},
	{4, IS_SPAN, MP_BIN, 0},    {2, IS_EXT, MP_EXT, 0},     {3, IS_EXT, MP_EXT, 0},
	{5, IS_EXT, MP_EXT, 0},     {4, IS_FLOAT, MP_FLOAT, 0}, {8, IS_FLOAT, MP_FLOAT, 0},
	{1, IS_UINT, MP_INT, 0},    {2, IS_UINT, MP_INT, 0},    {4, IS_UINT, MP_INT, 0},
	{8, IS_UINT, MP_INT, 0},    {1, IS_INT, MP_INT, 0},     {2, IS_INT, MP_INT, 0},
	{4, IS_INT, MP_INT, 0},     {8, IS_INT, MP_INT, 0},     {1, IS_FIXEXT, MP_EXT, 1},
	{1, IS_FIXEXT, MP_EXT, 2},  {1, IS_FIXEXT, MP_EXT, 4},  {1, IS_FIXEXT, MP_EXT, 8},
	{1, IS_FIXEXT, MP_EXT, 16}, {1, IS_SPAN, MP_STR, 0},    {2, IS_SPAN, MP_STR, 0},
	{4, IS_SPAN, MP_STR, 0},    {2, IS_COUNT, MP_ARRAY, 0}, {4, IS_COUNT, MP_ARRAY, 0},
	{2, IS_COUNT, MP_MAP, 0},   {4, IS_COUNT, MP_MAP, 0},
};

static uint32_t read_length(const uint8_t *p, unsigned size)
{
	return size == 1 ? p[0] : size == 2 ? be16(p) : be32(p);
}

static uint64_t read_uint(const uint8_t *p, unsigned size)
{
	return size == 8 ? be64(p) : read_length(p, size);
}

static int64_t read_int(const uint8_t *p, unsigned size)
{
	switch (size) {
	case 1: return (int8_t)p[0];
	case 2: return (int16_t)be16(p);
	case 4: return (int32_t)be32(p);
	default: return (int64_t)be64(p);
	}
}

static double read_float(const uint8_t *p, unsigned size)
{
	if (size == 4) {
		uint32_t bits = be32(p);
		float single;
		memcpy(&single, &bits, sizeof(single));
		return (double)single;
	}
	uint64_t bits = be64(p);
	double real;
	memcpy(&real, &bits, sizeof(real));
	return real;
}

/* `len` bytes of contents at p. */
static int take_span(struct mp_reader *r, const uint8_t *p, uint32_t len, struct mp_value *v)
{
	if (len > (size_t)(r->end - p))
		return ERR_CORRUPT;
	v->str = bytes_of(p, len);
	r->at = p + len;
	return 1;
}

/* Each item takes a byte at least, each pair two. */
static int take_count(struct mp_reader *r, const uint8_t *p, uint32_t count, struct mp_value *v)
{
	uint64_t least = v->type == MP_MAP ? 2 * (uint64_t)count : count;

	if (least > (size_t)(r->end - p))
		return ERR_CORRUPT;
	v->count = count;
	r->at = p;
	return 1;
}

static int next_long(struct mp_reader *r, uint8_t lead, struct mp_value *v)
{
	struct format f = formats[lead - 0xc0];
	const uint8_t *p = r->at + 1;

	if (f.meaning == IS_BAD || f.head > (size_t)(r->end - p))
		return ERR_CORRUPT;
	v->type = (enum mp_type)f.type;
	const uint8_t *behind = p + f.head;
	switch ((enum meaning)f.meaning) {
	case IS_SPAN: return take_span(r, behind, read_length(p, f.head), v);
	case IS_COUNT: return take_count(r, behind, read_length(p, f.head), v);
	case IS_EXT:
		v->ext_type = (int8_t)behind[-1];
		return take_span(r, behind, read_length(p, f.head - 1u), v);
	case IS_FIXEXT: v->ext_type = (int8_t)p[0]; return take_span(r, behind, f.fixed, v);
	case IS_UINT:
		v->uinteger = read_uint(p, f.head);
		if (v->uinteger > INT64_MAX)
			v->type = MP_UINT;
		break;
	case IS_INT: v->integer = read_int(p, f.head); break;
	case IS_FLOAT: v->real = read_float(p, f.head); break;
	case IS_SELF:
		if (f.type == MP_BOOL)
			v->boolean = lead == 0xc3;
		break;
	case IS_BAD: return ERR_CORRUPT;
	}
	r->at = behind;
	return 1;
}

static int next_other(struct mp_reader *r, uint8_t lead, struct mp_value *value_out)
{
	struct mp_value v = {.type = lead & 0x10 ? MP_ARRAY : MP_MAP};
	int rc = lead >= 0xc0 ? next_long(r, lead, &v) : take_count(r, r->at + 1, lead & 0x0f, &v);

	if (rc == 1)
		*value_out = v;
	return rc;
}

int mp_next(struct mp_reader *r, struct mp_value *value_out)
{
	if (r->at == r->end)
		return 0;
	uint8_t lead = *r->at;
	if (lead < 0x80 || lead >= 0xe0) {
		value_out->type = MP_INT;
		value_out->integer = (int8_t)lead;
		r->at++;
		return 1;
	}
	if (lead >= 0xc0 || lead < 0xa0)
		return next_other(r, lead, value_out);
	size_t len = lead & 0x1f;
	if (len >= (size_t)(r->end - r->at))
		return ERR_CORRUPT;
	value_out->type = MP_STR;
	value_out->str = bytes_of(r->at + 1, len);
	r->at += 1 + len;
	return 1;
}

bool mp_get(struct bytes whole, struct mp_value *value_out)
{
	struct mp_reader r = mp_reader_of(whole);

	return mp_next(&r, value_out) == 1;
}

/* Bytes from the lead byte on, contents included, of a value that is no container; 0 when cut
 * or reserved. `left` is at least 1. */
static inline size_t flat_size(const uint8_t *p, size_t left)
{
	if (*p < 0x80 || *p >= 0xe0)
		return 1;
	if (*p < 0xc0)
		return 1u + (*p & 0x1fu);
	struct format f = formats[*p - 0xc0];
	size_t size = 1u + f.head;
	if (f.meaning == IS_BAD || size > left)
		return 0;
	if (f.meaning == IS_SPAN)
		size += read_length(p + 1, f.head);
	else if (f.meaning == IS_EXT)
		size += read_length(p + 1, f.head - 1u);
	else
		size += f.fixed;
	return size;
}

static inline bool is_container(uint8_t lead)
{
	return (lead & 0xe0) == 0x80 || (lead >= 0xdc && lead <= 0xdf);
}

static inline bool is_str(uint8_t lead)
{
	return (lead & 0xe0) == 0xa0 || (lead >= 0xd9 && lead <= 0xdb);
}

static bool str_valid(const uint8_t *p, const uint8_t *behind)
{
	size_t head = *p < 0xc0 ? 1 : *p == 0xd9 ? 2 : *p == 0xda ? 3 : 5;

	return utf8_valid(p + head, (size_t)(behind - p) - head);
}

#define FOUR(n)    (n), (n), (n), (n)
#define SIXTEEN(n) FOUR(n), FOUR(n), FOUR(n), FOUR(n)
#define EIGHT(n)   (n), (n) + 1, (n) + 2, (n) + 3, (n) + 4, (n) + 5, (n) + 6, (n) + 7

#define LONG_ONES 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 5, 9, 2, 3, 5, 9
#define LONG_TWOS 2, 3, 5, 9, 3, 4, 6, 10, 18, 0, 0, 0, 0, 0, 0, 0

/* Bytes of a value that its lead byte tells all about; 0: it does not. From 0x80 on containers, from
 * 0xa0 on short texts, 0xc0 and 0xd0 as `formats`. */
static const uint8_t sizes[256] = {SIXTEEN(1), SIXTEEN(1), SIXTEEN(1), SIXTEEN(1), SIXTEEN(1),
				   SIXTEEN(1), SIXTEEN(1), SIXTEEN(1), SIXTEEN(0), SIXTEEN(0),
				   EIGHT(1),   EIGHT(9),   EIGHT(17),  EIGHT(25),  LONG_ONES,
				   LONG_TWOS,  SIXTEEN(1), SIXTEEN(1)};

/* Moves behind the head of a container: how many values are inside. Small ones are most. */
static inline bool open_walked(struct mp_reader *at, uint64_t *inside_out)
{
	uint8_t lead = *at->at;
	struct mp_value v;

	if (lead < 0xa0) {
		*inside_out = lead & 0x10 ? lead & 0x0f : 2 * (lead & 0x0fu);
		at->at++;
		return *inside_out <= (size_t)(at->end - at->at);
	}
	/* As those have that are transcoded while they arrive. */
	if ((lead == 0xdd || lead == 0xdf) && at->end - at->at >= 5) {
		*inside_out = (uint64_t)be32(at->at + 1) << (lead == 0xdf);
		at->at += 5;
		return *inside_out <= (size_t)(at->end - at->at);
	}
	if (mp_next(at, &v) != 1)
		return false;
	*inside_out = v.type == MP_MAP ? 2 * (uint64_t)v.count : v.count;
	return true;
}

/* Bytes of a value that is no container; 0 as flat_size. Longer texts are frequent. */
static inline size_t walked_size(const uint8_t *p, size_t room)
{
	if (sizes[*p])
		return sizes[*p];
	return *p == 0xd9 && room > 1 ? 2u + p[1] : flat_size(p, room);
}

/* Over the next values as long as they are flat. 1: a container is next, 0: none of the `here` is left. */
static ALWAYS_INLINE int walk_flat(struct mp_reader *r, uint64_t *here, bool check_text)
{
	const uint8_t *p = r->at;
	uint64_t left = *here;

	for (; left; left--) {
		if (p == r->end)
			return ERR_CORRUPT;
		if (sizes[*p] == 0 && is_container(*p))
			break;
		size_t room = (size_t)(r->end - p), size = walked_size(p, room);
		if (size == 0 || size > room)
			return ERR_CORRUPT;
		if (check_text && is_str(*p) && !str_valid(p, p + size))
			return ERR_CORRUPT;
		p += size;
	}
	r->at = p;
	*here = left;
	return left != 0;
}

/*
 * Over one value. left[depth] is how many values the container at that depth still has; the value
 * itself is a container of one at depth 0.
 */
static ALWAYS_INLINE int walk(struct mp_reader *r, bool check_text)
{
	uint64_t left[MP_DEPTH_MAX + 1], here = 1; /* here: of the innermost one */
	unsigned depth = 0;
	struct mp_reader at = *r;

	if (at.at == at.end)
		return 0;
	for (;;) {
		uint64_t inside;
		int rc = walk_flat(&at, &here, check_text);
		if (rc < 0)
			return rc;
		if (rc == 0 && depth == 0)
			break;
		if (rc == 0) {
			here = left[--depth];
			continue;
		}
		if (!open_walked(&at, &inside))
			return ERR_CORRUPT;
		if (depth == MP_DEPTH_MAX)
			return ERR_LIMIT;
		left[depth++] = here - 1;
		here = inside;
	}
	r->at = at.at;
	return 1;
}

int mp_skip(struct mp_reader *r)
{
	/* Most values are flat: no stack of counts for those. */
	if (r->at != r->end && !is_container(*r->at)) {
		size_t room = (size_t)(r->end - r->at);
		size_t size = flat_size(r->at, room);
		if (size == 0 || size > room)
			return ERR_CORRUPT;
		r->at += size;
		return 1;
	}
	return walk(r, false);
}

int mp_take(struct mp_reader *r, struct bytes *whole_out)
{
	const uint8_t *start = r->at;
	int rc = mp_skip(r);

	if (rc == 1)
		*whole_out = bytes_of(start, (size_t)(r->at - start));
	return rc;
}

int mp_check(struct bytes whole)
{
	struct mp_reader r = mp_reader_of(whole);
	int rc = walk(&r, true);

	if (rc < 0)
		return rc;
	return rc == 1 && r.at == r.end ? 0 : ERR_CORRUPT;
}
