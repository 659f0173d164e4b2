/*
 * field_walk: follows a field's path through a document and reads what it finds. Never recurses deeper than a path has stars, and never
 * trusts the document's shape.
 */
#include "field_walk.h"

#include "field_path.h"

#include <codec/json.h>
#include <codec/msgpack.h>
#include <model/html.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- values ----------------------------------------------------------------------------------------------------- */

static struct bytes digits_of(const struct mp_value *v, char room[40])
{
	int n = 0;

	if (v->type == MP_INT)
		n = snprintf(room, 40, "%lld", (long long)v->integer);
	else if (v->type == MP_UINT)
		n = snprintf(room, 40, "%llu", (unsigned long long)v->uinteger);
	else if (v->type == MP_FLOAT && isfinite(v->real))
		n = (int)json_write_double(v->real, room);
	return bytes_of(room, (size_t)n);
}

static bool read_text(const struct mp_value *v, struct scalar *out)
{
	out->type = SCALAR_TEXT;
	if (v->type == MP_STR)
		out->text = v->str;
	else if (v->type == MP_BOOL)
		out->text = bytes_str(v->boolean ? "true" : "false");
	else
		out->text = digits_of(v, out->digits);
	return v->type == MP_STR || out->text.len > 0;
}

/* A number, also written as text ("4.5"). */
static bool read_number(const struct mp_value *v, struct scalar *out)
{
	char copy[40], *end;

	out->type = SCALAR_REAL;
	if (v->type == MP_INT) {
		out->type = SCALAR_INTEGER;
		out->integer = v->integer;
	} else if (v->type == MP_UINT) {
		out->real = (double)v->uinteger;
	} else if (v->type == MP_FLOAT) {
		out->real = v->real;
		return isfinite(v->real);
	} else if (v->type == MP_STR && v->str.len && v->str.len < sizeof copy) {
		memcpy(copy, v->str.data, v->str.len);
		copy[v->str.len] = 0;
		out->real = strtod(copy, &end);
		return end == copy + v->str.len && isfinite(out->real) &&
		       strspn(copy, "+-.0123456789eE") == v->str.len;
	} else {
		return false;
	}
	return true;
}

/* Doubles hold integers exactly up to here. */
#define REAL_INTEGER_MAX 9007199254740992.0

static bool read_integer(const struct mp_value *v, struct scalar *out)
{
	if (!read_number(v, out))
		return false;
	if (out->type == SCALAR_REAL) {
		double real = out->real;
		if (real != floor(real) || fabs(real) > REAL_INTEGER_MAX)
			return false;
		out->type = SCALAR_INTEGER;
		out->integer = (int64_t)real;
	}
	return true;
}

static bool read_bool(const struct mp_value *v, struct scalar *out)
{
	out->type = SCALAR_BOOL;
	out->boolean = v->type == MP_BOOL ? v->boolean : v->integer == 1;
	return v->type == MP_BOOL || (v->type == MP_INT && (v->integer == 0 || v->integer == 1));
}

static bool read_time(const struct mp_value *v, struct scalar *out)
{
	struct scalar number;

	if (v->type == MP_STR && time_parse(v->str, &out->integer) == 0) {
		out->type = SCALAR_TIME;
		return true;
	}
	if (!read_number(v, &number))
		return false;
	out->type = SCALAR_TIME;
	out->integer = time_from_seconds(number.type == SCALAR_REAL ? number.real
								    : (double)number.integer);
	return out->integer != TIME_NONE;
}

static bool read_html(const struct mp_value *v, struct buf *scratch, struct scalar *out)
{
	if (v->type != MP_STR)
		return read_text(v, out);
	buf_reset(scratch);
	buf_reserve(scratch, v->str.len); /* what does not fit is noticed behind */
	html_to_text(v->str, scratch);
	out->type = SCALAR_TEXT;
	out->text = buf_bytes(scratch);
	return true;
}

static bool read_any(const struct mp_value *v, struct scalar *out)
{
	if (v->type == MP_BOOL)
		return read_bool(v, out);
	return v->type == MP_STR ? read_text(v, out) : read_number(v, out);
}

static int scalar_read(enum field_type type, struct bytes raw, struct buf *scratch, struct scalar *out)
{
	struct mp_value v;
	bool readable = false;

	if (!mp_get(raw, &v))
		return ERR_CORRUPT;
	switch (type) {
	case FIELD_TEXT:
	case FIELD_LIST: readable = read_text(&v, out); break;
	case FIELD_INTEGER: readable = read_integer(&v, out); break;
	case FIELD_REAL: readable = read_number(&v, out); break;
	case FIELD_BOOL: readable = read_bool(&v, out); break;
	case FIELD_TIME: readable = read_time(&v, out); break;
	case FIELD_HTML:
		readable = read_html(&v, scratch, out);
		if (scratch->error)
			return scratch->error;
		break;
	case FIELD_ANY: readable = read_any(&v, out); break;
	}
	if (!readable)
		out->type = SCALAR_NONE;
	return 0;
}

struct bytes scalar_text(const struct scalar *s, char room[40])
{
	struct mp_value v = {.type = MP_INT, .integer = s->type == SCALAR_INTEGER ? s->integer : 0};

	switch (s->type) {
	case SCALAR_TEXT: return s->text;
	case SCALAR_REAL:
		v.type = MP_FLOAT;
		v.real = s->real;
		return digits_of(&v, room);
	case SCALAR_INTEGER: return digits_of(&v, room);
	case SCALAR_BOOL: return bytes_str(s->boolean ? "true" : "false");
	case SCALAR_TIME: return bytes_str(time_text(s->integer, true, room));
	case SCALAR_NONE: break;
	}
	return bytes_of(NULL, 0);
}

/* --- paths ------------------------------------------------------------------------------------------------------ */

struct walk {
	struct mp_outline *outline; /* of the whole document; NULL: none */
	field_each_raw *each;
	void *ctx;
	bool seen; /* something that is not nil */
};

static bool is_nil(struct bytes raw)
{
	return raw.len == 1 && raw.data[0] == 0xc0;
}

static int walk_path(struct walk *w, struct bytes doc, struct bytes path, unsigned stars);

/* With the outline of the document, if there is one. */
static int find_path(struct mp_outline *outline, struct bytes doc, struct bytes path, struct bytes *out)
{
	return outline ? mp_outline_path(outline, path, out) : mp_path(doc, path, out);
}

/* Whether the path leads to something, and, with a word, to just that. */
static bool holds(struct mp_outline *outline, struct bytes doc, struct bytes path, struct bytes word)
{
	struct bytes found;
	struct scalar scalar;
	struct mp_value v;

	if (find_path(outline, doc, path, &found) != 1 || is_nil(found))
		return false;
	return !word.data ||
	       (mp_get(found, &v) && read_text(&v, &scalar) && bytes_equal(scalar.text, word));
}

static bool all_hold(struct mp_outline *outline, struct bytes doc, struct bytes guard)
{
	struct bytes path, word;

	while (condition_next(&guard, &path, &word))
		if (!holds(outline, doc, path, word))
			return false;
	return true;
}

static int walk_items(struct walk *w, struct bytes array, struct bytes rest, struct bytes condition,
		      unsigned stars)
{
	struct mp_reader r = mp_reader_of(array);
	struct mp_value head;
	struct bytes item;

	if (mp_next(&r, &head) != 1)
		return ERR_CORRUPT;
	if (head.type != MP_ARRAY)
		return 0;
	for (uint32_t i = 0; i < head.count; i++) {
		if (mp_take(&r, &item) != 1)
			return ERR_CORRUPT;
		int rc = all_hold(NULL, item, condition) ? walk_path(w, item, rest, stars) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

static int walk_path(struct walk *w, struct bytes doc, struct bytes path, unsigned stars)
{
	struct bytes condition, found = doc;
	size_t end, star = star_find(path, &end, &condition);
	struct bytes before = bytes_of(path.data, star);

	if (star < path.len && before.len)
		before.len--; /* the dot */
	if (before.len) {
		int rc = find_path(stars == 0 ? w->outline : NULL, doc, before, &found);
		if (rc != 1)
			return rc;
	}
	if (star < path.len) {
		struct bytes rest = bytes_of(path.data + end, path.len - end);
		if (rest.len)
			rest = bytes_of(rest.data + 1, rest.len - 1);
		return stars < FIELD_STARS_MAX ? walk_items(w, found, rest, condition, stars + 1) : 0;
	}
	if (is_nil(found))
		return 0;
	w->seen = true;
	return w->each(w->ctx, found);
}

/* What holds when nothing before it was found; it stands in the table as it is. */
static int walk_constant(struct walk *w, struct bytes value)
{
	w->seen = true;
	return w->each(w->ctx, value);
}

static int walk_alternatives(const struct field *f, struct bytes doc, struct walk *w,
			     enum path_form *form)
{
	struct bytes rest = bytes_str(f->path);
	struct alternative one;
	int rc = 0;

	while (rc == 0 && !w->seen && alternative_next(&rest, &one)) {
		*form = one.form;
		if (!all_hold(w->outline, doc, one.guard))
			continue;
		rc = one.constant ? walk_constant(w, one.path) : walk_path(w, doc, one.path, 0);
	}
	return rc;
}

/* Alternatives and constants are for tables: a raw path from a question may have a key with a bar in it, and its bytes are no MessagePack. */
int field_raw_each(const struct field *f, const struct field_source *from, field_each_raw *each,
		   void *ctx)
{
	struct walk w = {.outline = from->outline, .each = each, .ctx = ctx};
	struct bytes doc = from->r->doc;
	enum path_form form;

	return f->type == FIELD_ANY ? walk_path(&w, doc, bytes_str(f->path), 0)
				    : walk_alternatives(f, doc, &w, &form);
}

static int take_first(void *ctx, struct bytes raw)
{
	*(struct bytes *)ctx = raw;
	return 1;
}

int field_raw(const struct field *f, const struct field_source *from, struct bytes *out)
{
	return field_raw_each(f, from, take_first, out);
}

/* --- the values of a record ------------------------------------------------------------------------------------- */

struct reading {
	const struct field *f;
	struct buf *scratch;
	field_each *each;
	void *ctx;
	bool item;
	enum path_form form; /* of the alternative that is walked */
};

/* How providers write that nobody is meant. */
static bool is_nobody(const struct scalar *value)
{
	char room[40];
	struct bytes text = scalar_text(value, room);

	return !text.len || bytes_is(text, "0");
}

static int read_item(void *ctx, struct bytes raw)
{
	struct reading *reading = ctx;
	enum field_type type = reading->form == PATH_PLAIN ? FIELD_TEXT : reading->f->type;
	struct scalar value;

	if (is_nil(raw))
		return 0;
	value.item = reading->item;
	int rc = scalar_read(type, raw, reading->scratch, &value);
	if (reading->form == PATH_TAIL && value.type == SCALAR_TEXT) {
		value.text = url_tail(value.text);
		if (!value.text.len)
			return 0;
	}
	if (reading->form == PATH_REFERENCE && !rc && value.type != SCALAR_NONE && is_nobody(&value))
		return 0;
	return rc ? rc : reading->each(reading->ctx, &value);
}

/* What ends the walk of a field that has one value only; no result of `each`'s. */
#define ENOUGH 1000

static int read_value(void *ctx, struct bytes raw)
{
	struct reading *reading = ctx;
	struct walk w = {.each = read_item, .ctx = ctx};
	struct mp_value head;

	if (reading->f->type != FIELD_LIST && reading->f->type != FIELD_ANY) {
		int rc = read_item(ctx, raw);
		return rc ? rc : ENOUGH;
	}
	if (!mp_get(raw, &head))
		return ERR_CORRUPT;
	reading->item = reading->f->type == FIELD_LIST || head.type == MP_ARRAY ||
			strchr(reading->f->path, '*');
	return head.type == MP_ARRAY ? walk_items(&w, raw, bytes_of(NULL, 0), bytes_of(NULL, 0), 0)
				     : read_item(ctx, raw);
}

static bool envelope_scalar(const struct record *r, struct bytes name, struct scalar *out)
{
	*out = (struct scalar){.type = SCALAR_TEXT};
	if (bytes_is(name, "id"))
		out->text = r->id;
	else if (bytes_is(name, "parent"))
		out->text = r->parent;
	else if (bytes_is(name, "merged_into"))
		out->text = r->merged_into;
	else
		out->type = SCALAR_NONE;
	if (out->type == SCALAR_TEXT)
		return out->text.len > 0;
	out->type = SCALAR_TIME;
	out->integer = bytes_is(name, "created") ? r->created_ms : r->updated_ms;
	if (bytes_is(name, "created") || bytes_is(name, "updated"))
		return out->integer != TIME_NONE;
	if (bytes_is(name, "revision")) {
		out->type = SCALAR_INTEGER;
		out->integer = (int64_t)r->revision;
		return true;
	}
	out->type = SCALAR_BOOL;
	out->boolean = r->flags & (bytes_is(name, "deleted") ? RECORD_DELETED : RECORD_TRUNCATED);
	return true;
}

bool field_is_plain(const struct field *f)
{
	return f->path && f->type != FIELD_LIST && f->type != FIELD_ANY &&
	       !strpbrk(f->path, "|?*=#~!(");
}

/* As field_walk, of a field that is plain. */
static int walk_plain(const struct field *f, const struct field_source *from, struct buf *scratch,
		      field_each *each, void *ctx)
{
	struct scalar value = {.item = false};
	struct bytes raw;
	int rc = find_path(from->outline, from->r->doc, bytes_str(f->path), &raw);

	if (rc != 1 || is_nil(raw))
		return rc == 1 ? 0 : rc;
	rc = scalar_read(f->type, raw, scratch, &value);
	return rc ? rc : each(ctx, &value);
}

int field_walk(const struct field *f, const struct field_source *from, struct buf *scratch,
	       field_each *each, void *ctx)
{
	struct reading reading = {f, scratch, each, ctx, false, PATH_AS_IS};
	struct walk w = {.outline = from->outline, .each = read_value, .ctx = &reading};
	struct scalar value;

	if (!f->path)
		return envelope_scalar(from->r, bytes_str(f->name), &value) ? each(ctx, &value) : 0;
	if (!from->r->doc.len)
		return 0;
	if (from->plain)
		return walk_plain(f, from, scratch, each, ctx);
	int rc = f->type == FIELD_ANY ? walk_path(&w, from->r->doc, bytes_str(f->path), 0)
				      : walk_alternatives(f, from->r->doc, &w, &reading.form);
	return rc == ENOUGH ? 0 : rc;
}

/* ---- values as an index keeps them ------------------------------------------------------------------------------ */

static int stored_scalar(const struct field *f, const struct mp_value *v, struct scalar *out)
{
	switch (v->type) {
	case MP_STR:
		out->type = SCALAR_TEXT;
		out->text = v->str;
		return 0;
	case MP_INT:
		out->type = f->type == FIELD_TIME ? SCALAR_TIME : SCALAR_INTEGER;
		out->integer = v->integer;
		return 0;
	case MP_FLOAT:
		out->type = SCALAR_REAL;
		out->real = v->real;
		return 0;
	case MP_BOOL:
		out->type = SCALAR_BOOL;
		out->boolean = v->boolean;
		return 0;
	default: return ERR_CORRUPT;
	}
}

int field_walk_stored(const struct field *f, struct bytes stored, field_each *each, void *ctx)
{
	struct mp_reader r = mp_reader_of(stored);
	struct scalar value = {.item = f->type == FIELD_LIST};
	struct mp_value v;
	uint32_t items = 1;

	if (mp_next(&r, &v) != 1 || (v.type == MP_ARRAY) != (v.type != MP_NIL && value.item))
		return ERR_CORRUPT;
	if (v.type == MP_NIL)
		return 0;
	if (value.item)
		items = v.count;
	for (uint32_t i = 0; i < items; i++) {
		if (value.item && mp_next(&r, &v) != 1)
			return ERR_CORRUPT;
		int rc = stored_scalar(f, &v, &value);
		if (!rc)
			rc = each(ctx, &value);
		if (rc)
			return rc;
	}
	return 0;
}
