/*
 * field: names to fields, and fields to values.
 */
#include <model/field.h>

#include <base/suggest.h>
#include <codec/msgpack.h>

#include "field_walk.h"

#include <stdio.h>

const struct field envelope_fields[] = {
	{"id", FIELD_TEXT, NULL, "the provider's id"},
	{"created", FIELD_TIME, NULL, "when the provider made it"},
	{"updated", FIELD_TIME, NULL, "when it last changed"},
	{"parent", FIELD_TEXT, NULL, "the conversation of a message"},
	{"revision", FIELD_INTEGER, NULL, "the store's counter of changes"},
	{"deleted", FIELD_BOOL, NULL, "gone at the provider"},
	{"truncated", FIELD_BOOL, NULL, "the provider showed a part only"},
	{"merged_into", FIELD_TEXT, NULL, "the record that it went into"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

const char *field_type_name(enum field_type type)
{
	static const char *const names[] = {"text", "integer", "number", "boolean",
					    "time", "list",    "text",   "any"};

	return names[type];
}

const struct field *field_find(const struct field *table, struct bytes name)
{
	for (; table && table->name; table++)
		if (bytes_is(name, table->name))
			return table;
	return NULL;
}

#define SUGGESTED_MAX 128

static int unknown(struct bytes name, const struct field *table, struct why *why)
{
	const char *names[SUGGESTED_MAX + 1];
	size_t n = 0;

	for (const struct field *f = envelope_fields; f->name; f++)
		names[n++] = f->name;
	for (const struct field *f = table; f && f->name && n < SUGGESTED_MAX; f++)
		names[n++] = f->name;
	names[n] = NULL;
	const char *near = suggest(name, names);
	int len = (int)(name.len < 60 ? name.len : 60);
	if (near)
		return why_set(why, ERR_NOTFOUND, "unknown field '%.*s' (did you mean %s?)", len,
			       (const char *)name.data, near);
	return why_set(why, ERR_NOTFOUND,
		       "unknown field '%.*s' (a path into the document begins with doc.)", len,
		       (const char *)name.data);
}

const char field_nowhere[] = "\x01"; /* no document has such a key */

bool field_constant(const struct field *f, struct bytes *out)
{
	static const uint8_t nil = 0xc0;

	if (f->path == field_nowhere) {
		*out = bytes_of(&nil, 1);
		return true;
	}
	if (!f->path || f->path[0] != '=' || f->type == FIELD_ANY || strchr(f->path, '|'))
		return false;
	*out = bytes_str(f->path + 1);
	return true;
}

/* Steps that are not empty, not too many stars, no NUL (paths are terminated strings). */
static bool is_path(struct bytes path)
{
	unsigned stars = 0;

	if (path.len == 0 || memchr(path.data, 0, path.len))
		return false;
	for (size_t i = 0; i < path.len; i++) {
		bool first = i == 0 || path.data[i - 1] == '.',
		     last = i + 1 == path.len || path.data[i + 1] == '.';
		if (path.data[i] == '.' && (first || i + 1 == path.len))
			return false;
		stars += path.data[i] == '*' && first && last;
	}
	return stars <= FIELD_STARS_MAX;
}

int field_resolve(struct bytes name, const struct field *table, struct arena *a,
		  const struct field **out, struct why *why)
{
	const struct field *known = field_find(envelope_fields, name);
	struct bytes path = name;

	if (!known)
		known = field_find(table, name);
	if (known) {
		*out = known;
		return 0;
	}
	if (name.len > 4 && memcmp(name.data, "doc.", 4) == 0)
		path = bytes_of(name.data + 4, name.len - 4);
	else if (!name.len || !memchr(name.data, '.', name.len))
		return unknown(name, table, why);
	if (!is_path(path))
		return why_set(why, ERR_INVALID,
			       "'%.*s' is not a path (steps separated by dots, at most %d stars)",
			       (int)(name.len < 60 ? name.len : 60), (const char *)name.data,
			       FIELD_STARS_MAX);
	struct field *raw = arena_alloc(a, sizeof *raw);
	if (!raw || !(raw->name = arena_str(a, name)) || !(raw->path = arena_str(a, path)))
		return why_set(why, ERR_NOMEM, "no memory for the field's path");
	raw->type = FIELD_ANY;
	*out = raw;
	return 0;
}

/* --- values as MessagePack -------------------------------------------------------------------------------------- */

struct writing {
	struct buf *out;
	uint32_t count;
	bool stored; /* for an index: times are integers */
};

static void scalar_put(const struct scalar *s, bool stored, struct buf *out)
{
	char text[40];

	if (stored && s->type == SCALAR_TIME) {
		mp_put_int(out, s->integer);
		return;
	}

	switch (s->type) {
	case SCALAR_TEXT: mp_put_str(out, s->text); break;
	case SCALAR_INTEGER: mp_put_int(out, s->integer); break;
	case SCALAR_REAL: mp_put_float(out, s->real); break;
	case SCALAR_BOOL: mp_put_bool(out, s->boolean); break;
	case SCALAR_TIME: mp_put_str(out, scalar_text(s, text)); break;
	case SCALAR_NONE: mp_put_nil(out); break;
	}
}

static int put_each(void *ctx, const struct scalar *value)
{
	struct writing *w = ctx;

	if (value->type == SCALAR_NONE)
		return 0;
	scalar_put(value, w->stored, w->out);
	w->count++;
	return w->out->error;
}

/* The items that can be read; no list at all when there is none. */
static int list_write(const struct field_source *from, const struct field *f, bool stored,
		      struct buf *scratch, struct buf *out)
{
	struct writing w = {.out = out, .stored = stored};
	size_t start = out->len;
	size_t mark = mp_begin_array(out);
	int rc = field_walk(f, from, scratch, put_each, &w);

	if (rc || out->error)
		return rc ? rc : out->error;
	mp_end_array(out, mark, w.count);
	if (w.count)
		return 1;
	out->len = start;
	mp_put_nil(out);
	return 0;
}

static int scalar_write(const struct field_source *from, const struct field *f, bool stored,
			struct buf *scratch, struct buf *out)
{
	struct writing w = {.out = out, .stored = stored};
	int rc = field_walk(f, from, scratch, put_each, &w);

	if (rc == 0 && w.count == 0)
		mp_put_nil(out);
	return rc ? rc : w.count > 0;
}

/* Verbatim; behind a star everything that there is, as an array. */
static int append_raw(void *ctx, struct bytes raw)
{
	struct writing *w = ctx;

	buf_put_bytes(w->out, raw);
	w->count++;
	return w->out->error;
}

static int any_write(const struct field *f, const struct field_source *from, struct buf *out)
{
	struct writing w = {.out = out};
	struct bytes raw;

	if (!strchr(f->path, '*')) {
		int rc = field_raw(f, from, &raw);
		if (rc == 1)
			buf_put_bytes(out, raw);
		else if (rc == 0)
			mp_put_nil(out);
		return rc;
	}
	size_t mark = mp_begin_array(out);
	int rc = field_raw_each(f, from, append_raw, &w);
	if (rc == 0)
		mp_end_array(out, mark, w.count);
	return rc ? rc : 1;
}

static int value_write_with(const struct field_source *from, const struct field *f, bool stored,
			    struct buf *scratch, struct buf *out)
{
	int rc;

	if (f->path && f->type == FIELD_ANY)
		rc = from->r->doc.len ? any_write(f, from, out) : (mp_put_nil(out), 0);
	else if (f->type == FIELD_LIST)
		rc = list_write(from, f, stored, scratch, out);
	else
		rc = scalar_write(from, f, stored, scratch, out);
	return out->error ? out->error : rc;
}

static int value_write(const struct field_source *from, const struct field *f, bool stored,
		       struct buf *out)
{
	struct buf scratch = {0};
	int rc = value_write_with(from, f, stored, &scratch, out);

	buf_release(&scratch);
	return rc;
}

int record_value(const struct record *r, const struct field *f, struct buf *out)
{
	return value_write(&(struct field_source){.r = r}, f, false, out);
}

int record_value_in(const struct record *r, struct mp_outline *outline, const struct field *f,
		    bool plain, struct buf *out)
{
	return value_write(&(struct field_source){r, outline, plain}, f, false, out);
}

int field_stored_with(const struct field *f, struct bytes doc, struct buf *scratch, struct buf *out)
{
	const struct record r = {.doc = doc};

	return value_write_with(&(struct field_source){.r = &r}, f, true, scratch, out);
}

int field_stored(const struct field *f, struct bytes doc, struct buf *out)
{
	const struct record r = {.doc = doc};

	return value_write(&(struct field_source){.r = &r}, f, true, out);
}

int field_shown(const struct field *f, struct bytes stored, struct buf *out)
{
	char text[TIME_TEXT_MAX];
	struct mp_value v;

	/* A short text, as most are. */
	if (stored.len && (stored.data[0] & 0xe0) == 0xa0 &&
	    stored.len == 1 + (stored.data[0] & 0x1fu)) {
		buf_put_bytes(out, stored);
		return out->error ? out->error : 1;
	}
	if (!mp_get(stored, &v))
		return ERR_CORRUPT;
	if (f->type == FIELD_TIME && v.type == MP_INT)
		mp_put_cstr(out, time_text(v.integer, true, text));
	else
		buf_put_bytes(out, stored);
	return out->error ? out->error : v.type != MP_NIL;
}

int field_value(const struct field *f, struct bytes doc, struct buf *out)
{
	return record_value(
		&(struct record){.doc = doc, .created_ms = TIME_NONE, .updated_ms = TIME_NONE}, f,
		out);
}

bool field_texts(struct bytes value, bool (*each)(void *ctx, struct bytes text), void *ctx)
{
	struct mp_reader r = mp_reader_of(value);
	struct mp_value v;
	char digits[24];

	while (mp_next(&r, &v) == 1) {
		if (v.type == MP_INT) {
			int n = snprintf(digits, sizeof digits, "%lld", (long long)v.integer);
			v.type = MP_STR;
			v.str = bytes_of(digits, (size_t)n);
		}
		if (v.type == MP_STR && each(ctx, v.str))
			return true;
	}
	return false;
}
