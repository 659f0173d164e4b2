/*
 * write: editable fields of all providers by their tables: their values out of documents and into them, and which of them a request is needed for. What such
 * a request looks like is the provider's own business.
 */
#include <source/write.h>

#include "write_doc.h"

#include <base/suggest.h>
#include <base/when.h>
#include <codec/json.h>
#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define TEXT_MAX 10000

/* ---- the table ---- */

static bool is_for(const struct editable *f, const struct resource_type *type)
{
	return strcmp(f->resource, type->name) == 0;
}

static bool has_name(const struct editable *f, struct bytes name)
{
	size_t n = strlen(f->name);

	if (f->kind != EDITABLE_MEMBER)
		return bytes_is(name, f->name);
	return name.len > n && memcmp(name.data, f->name, n) == 0;
}

static const struct editable *find(const struct account *a, const struct resource_type *type,
				   struct bytes name)
{
	for (const struct editable *f = a->provider->editable; f->resource; f++)
		if (is_for(f, type) && has_name(f, name))
			return f;
	return NULL;
}

static bool too_old(const struct account *a, const struct editable *f)
{
	return f->until && a->version && strcmp(a->version, f->until) <= 0;
}

static int cut(struct bytes b)
{
	return (int)(b.len < 60 ? b.len : 60);
}

static void refuse(const struct account *a, const struct resource_type *type, struct bytes name,
		   struct why *why)
{
	const char *names[32] = {NULL}, *near;
	char list[200] = "";
	size_t n = 0, len = 0;

	for (const struct editable *f = a->provider->editable; f->resource && n < 31; f++)
		if (is_for(f, type) && !too_old(a, f)) {
			names[n++] = f->name;
			len += (size_t)snprintf(list + len, sizeof list - len, "%s%s%s",
						len ? ", " : "", f->name,
						f->kind == EDITABLE_MEMBER ? "NAME" : "");
			if (len >= sizeof list)
				len = sizeof list - 1;
		}
	near = suggest(name, names);
	if (n == 0)
		why_set(why, ERR_INVALID, "%s cannot be edited here", type->name);
	else if (field_find(type->fields, name) && !near)
		why_set(why, ERR_INVALID, "'%.*s' of %s cannot be edited here; what can: %s",
			cut(name), (const char *)name.data, type->name, list);
	else if (near)
		why_set(why, ERR_NOTFOUND, "%s have no editable field '%.*s'; did you mean '%s'?",
			type->name, cut(name), (const char *)name.data, near);
	else
		why_set(why, ERR_NOTFOUND, "%s have no editable field '%.*s'; there are: %s",
			type->name, cut(name), (const char *)name.data, list);
}

const struct editable *write_field(const struct account *a, const struct resource_type *type,
				   struct bytes name, struct why *why)
{
	const struct editable *f = find(a, type, name);

	if (!f) {
		refuse(a, type, name, why);
		return NULL;
	}
	if (too_old(a, f)) {
		why_set(why, ERR_INVALID,
			"'%s' of %s cannot be edited with version %s of the provider's API: up to %s it has no way to",
			f->name, type->name, a->version, f->until);
		return NULL;
	}
	return f;
}

bool write_editable(const struct account *a, const struct resource_type *type, const char *name)
{
	const struct editable *f = find(a, type, bytes_str(name));

	return f && !too_old(a, f);
}

/* ---- values that somebody gave ---- */

struct given {
	const struct editable *field;
	struct bytes base;
	int64_t now_ms;
	struct buf *out;
	struct why *why;
};

static int refuse_value(const struct given *g, const char *wanted)
{
	return why_set(g->why, ERR_INVALID, "'%s' must be %s", g->field->name, wanted);
}

static int take_nil(const struct given *g)
{
	if (!g->field->empties)
		return refuse_value(g, "something: it cannot be emptied");
	if (g->field->kind == EDITABLE_OBJECTS)
		mp_put_array(g->out, 0);
	else
		mp_put_nil(g->out);
	return g->out->error;
}

static int take_text(const struct given *g, const struct mp_value *v)
{
	if (v->type == MP_INT) {
		char digits[24];
		snprintf(digits, sizeof digits, "%lld", (long long)v->integer);
		mp_put_cstr(g->out, digits);
		return g->out->error;
	}
	if (v->type != MP_STR)
		return refuse_value(g, "a text");
	if (v->str.len == 0)
		return take_nil(g);
	if (v->str.len > TEXT_MAX)
		return why_set(g->why, ERR_INVALID, "'%s' is longer than %d bytes", g->field->name,
			       TEXT_MAX);
	mp_put_str(g->out, v->str);
	return g->out->error;
}

static int take_choice(const struct given *g, const struct mp_value *v)
{
	char wanted[200] = "one of ";
	size_t len = strlen(wanted);

	for (const char *at = g->field->choices; *at;) {
		size_t n = strcspn(at, "|");
		if (v->type == MP_STR && v->str.len == n &&
		    strncasecmp((const char *)v->str.data, at, n) == 0) {
			mp_put_str(g->out, bytes_of(at, n));
			return g->out->error;
		}
		len += (size_t)snprintf(wanted + len, sizeof wanted - len, "%s%.*s",
					at == g->field->choices ? "" : ", ", (int)n, at);
		at += n + (at[n] == '|');
	}
	return refuse_value(g, wanted);
}

static int word_bool(struct bytes text)
{
	static const char *const words[][2] = {{"true", "1"}, {"yes", "1"}, {"false", ""}, {"no", ""}};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (text.len == strlen(words[i][0]) &&
		    strncasecmp((const char *)text.data, words[i][0], text.len) == 0)
			return words[i][1][0] != 0;
	return -1;
}

static int take_bool(const struct given *g, const struct mp_value *v)
{
	int word = v->type == MP_BOOL ? v->boolean : v->type == MP_STR ? word_bool(v->str) : -1;

	if (word < 0)
		return refuse_value(g, "true or false");
	mp_put_bool(g->out, word);
	return g->out->error;
}

/* As providers keep it, to the second. */
static int take_time(const struct given *g, const struct mp_value *v)
{
	int64_t ms;

	if (v->type == MP_INT)
		ms = v->integer > -TIME_MAX / 1000 && v->integer < TIME_MAX / 1000 ? v->integer * 1000
										   : TIME_NONE;
	else if (v->type != MP_STR || when_parse(v->str, g->now_ms, NULL, WHEN_SINCE, &ms, NULL))
		return refuse_value(g, "a time, as in 2026-11-20T09:00Z, tomorrow or +2h");
	if (ms == TIME_NONE)
		return refuse_value(g, "a time");
	mp_put_int(g->out, ms / 1000 * 1000);
	return g->out->error;
}

static int take_id(const struct given *g, const struct mp_value *v, struct bytes whole)
{
	char digits[24];
	struct bytes id = id_text(whole, digits);

	if ((v->type == MP_STR &&
	     (v->str.len == 0 || bytes_is(v->str, "none") || bytes_is(v->str, "0"))) ||
	    (v->type == MP_INT && v->integer == 0))
		return take_nil(g);
	if (!id.len)
		return refuse_value(g, "an id, or none");
	mp_put_str(g->out, id);
	return g->out->error;
}

/* A list, or texts divided by commas. */
static int take_ids(const struct given *g, const struct mp_value *v, struct bytes whole)
{
	struct buf list = {0};
	uint32_t n = 0;
	int rc;

	if (v->type == MP_STR) {
		size_t mark = mp_begin_array(&list);
		for (size_t at = 0; at <= v->str.len;) {
			const uint8_t *start = v->str.data + at;
			const uint8_t *comma = at < v->str.len ? memchr(start, ',', v->str.len - at)
							       : NULL;
			size_t len = comma ? (size_t)(comma - start) : v->str.len - at;
			if (len) {
				mp_put_str(&list, bytes_of(start, len));
				n++;
			}
			at += len + 1;
		}
		mp_end_array(&list, mark, n);
		whole = buf_bytes(&list);
	} else if (v->type != MP_ARRAY) {
		return refuse_value(g, "a list of ids");
	}
	rc = list.error ? list.error : ids_put(whole, g->out);
	buf_release(&list);
	return rc == ERR_LIMIT || rc == ERR_CORRUPT ? refuse_value(g, "a list of ids") : rc;
}

/* Texts that are all there is of a number. */
static bool text_number(struct bytes text, struct buf *out)
{
	struct mp_value v;
	size_t mark = out->len;

	if (text.len == 0 || text.len > 40 || json_to_msgpack(text, JSON_STRICT, out, NULL) ||
	    !mp_get(bytes_of(out->data + mark, out->len - mark), &v) ||
	    (v.type != MP_INT && v.type != MP_FLOAT)) {
		out->len = mark;
		return false;
	}
	return true;
}

/* Of what type it is, only the value that is there says: a text is not made a number, nor a number a text, against it. */
static int take_member(const struct given *g, const struct mp_value *v, struct bytes whole)
{
	struct mp_value base = {.type = MP_NIL};

	if (v->type == MP_MAP || v->type == MP_ARRAY || v->type == MP_BIN || v->type == MP_EXT)
		return refuse_value(g, "a text, a number, true or false, or null");
	if (g->base.len)
		mp_get(g->base, &base);
	if (v->type == MP_STR && base.type == MP_BOOL && word_bool(v->str) >= 0)
		mp_put_bool(g->out, word_bool(v->str));
	else if (v->type == MP_STR && (base.type == MP_INT || base.type == MP_FLOAT) &&
		 text_number(v->str, g->out))
		return g->out->error;
	else if (v->type == MP_INT && base.type == MP_STR)
		return take_text(g, v);
	else
		buf_put_bytes(g->out, whole);
	return g->out->error;
}

int write_take(const struct editable *f, struct bytes given, struct bytes base, int64_t now_ms,
	       struct buf *out, struct why *why)
{
	const struct given g = {f, base, now_ms, out, why};
	struct mp_value v;

	if (!mp_get(given, &v))
		return why_set(why, ERR_INVALID, "'%s' has no value", f->name);
	if (v.type == MP_NIL)
		return take_nil(&g);
	switch (f->kind) {
	case EDITABLE_TEXT: return take_text(&g, &v);
	case EDITABLE_CHOICE: return take_choice(&g, &v);
	case EDITABLE_BOOL: return take_bool(&g, &v);
	case EDITABLE_TIME: return take_time(&g, &v);
	case EDITABLE_ID:
	case EDITABLE_OBJECT: return take_id(&g, &v, given);
	case EDITABLE_OBJECTS: return take_ids(&g, &v, given);
	case EDITABLE_MEMBER: return take_member(&g, &v, given);
	}
	return ERR_INVALID;
}

/* ---- values of documents ---- */

static struct bytes member_of(const struct editable *f, struct bytes name)
{
	size_t n = strlen(f->name);

	return f->kind == EDITABLE_MEMBER ? bytes_of(name.data + n, name.len - n) : (struct bytes){0};
}

/* The span at the field's path: {NULL, 0} when there is none. */
static int raw_value(const struct editable *f, struct bytes name, struct bytes doc, struct bytes *out)
{
	struct bytes at;
	int rc = mp_path(doc, bytes_str(f->path), &at);

	if (rc == 1 && f->kind == EDITABLE_MEMBER)
		rc = mp_find(at, member_of(f, name), &at);
	*out = rc == 1 ? at : (struct bytes){0};
	return rc < 0 ? rc : 0;
}

static int put_text_value(const struct mp_value *v, struct buf *out)
{
	char digits[24];

	if (v->type == MP_INT) {
		snprintf(digits, sizeof digits, "%lld", (long long)v->integer);
		mp_put_cstr(out, digits);
	} else if (v->type == MP_STR && v->str.len) {
		mp_put_str(out, v->str);
	} else {
		mp_put_nil(out);
	}
	return out->error;
}

static int put_id_value(struct bytes raw, struct buf *out)
{
	char digits[24];
	struct bytes id = id_text(raw, digits);

	if (id.len)
		mp_put_str(out, id);
	else
		mp_put_nil(out);
	return out->error;
}

static int put_time_value(const struct mp_value *v, struct buf *out)
{
	if (v->type == MP_INT && v->integer > 0 && v->integer < TIME_MAX / 1000)
		mp_put_int(out, v->integer * 1000);
	else if (v->type == MP_FLOAT && v->real > 0 && v->real < (double)(TIME_MAX / 1000))
		mp_put_int(out, (int64_t)v->real * 1000);
	else
		mp_put_nil(out);
	return out->error;
}

int write_value(const struct editable *f, struct bytes name, struct bytes doc, struct buf *out)
{
	struct mp_value v = {.type = MP_NIL};
	struct bytes raw, id;

	if (f->value)
		return f->value(doc, out);
	int rc = raw_value(f, name, doc, &raw);
	if (rc)
		return rc;
	if (raw.len)
		mp_get(raw, &v);
	switch (f->kind) {
	case EDITABLE_TEXT:
	case EDITABLE_CHOICE: return put_text_value(&v, out);
	case EDITABLE_BOOL:
		if (v.type == MP_BOOL)
			mp_put_bool(out, v.boolean);
		else
			mp_put_nil(out);
		return out->error;
	case EDITABLE_TIME: return put_time_value(&v, out);
	case EDITABLE_ID: return put_id_value(raw, out);
	case EDITABLE_OBJECT:
		return put_id_value(v.type == MP_MAP && mp_find(raw, bytes_str("id"), &id) == 1
					    ? id
					    : (struct bytes){0},
				    out);
	case EDITABLE_OBJECTS: return ids_put(raw, out);
	case EDITABLE_MEMBER:
		if (raw.len)
			buf_put_bytes(out, raw);
		else
			mp_put_nil(out);
		return out->error;
	}
	return ERR_INVALID;
}

/* ---- documents with other values ---- */

static int put_object(const struct editable *f, struct bytes id, struct bytes old,
		      const struct write_lookup *look, struct buf *out)
{
	struct bytes doc;

	if (old.len) {
		buf_put_bytes(out, old);
		return out->error;
	}
	int rc = look && f->of ? look->doc(look->ctx, f->of, id, &doc) : 0;
	if (rc == 1) {
		buf_put_bytes(out, doc);
	} else {
		mp_put_map(out, 1);
		mp_put_cstr(out, "id");
		mp_put_str(out, id);
	}
	return rc < 0 ? rc : out->error;
}

/* The object with this id in a list; {NULL, 0}: it is not in it. */
static struct bytes object_in(struct bytes list, struct bytes id)
{
	struct mp_reader r = mp_reader_of(list);
	struct mp_value head;
	struct bytes item, at;
	char digits[24];

	if (!list.len || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return (struct bytes){0};
	for (uint32_t i = 0; i < head.count && mp_take(&r, &item) == 1; i++)
		if (mp_find(item, bytes_str("id"), &at) == 1 && bytes_equal(id_text(at, digits), id))
			return item;
	return (struct bytes){0};
}

static int put_objects(const struct editable *f, struct bytes raw, struct bytes value,
		       const struct write_lookup *look, struct buf *out)
{
	struct mp_reader r = mp_reader_of(value);
	struct mp_value head, id;
	int rc = 0;

	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return ERR_CORRUPT;
	mp_put_array(out, head.count);
	for (uint32_t i = 0; i < head.count && rc == 0; i++) {
		if (mp_next(&r, &id) != 1 || id.type != MP_STR)
			return ERR_CORRUPT;
		rc = put_object(f, id.str, object_in(raw, id.str), look, out);
	}
	return rc;
}

/* In a document of the provider's: what it reads as the value. */
static int put_raw(const struct editable *f, struct bytes raw, struct bytes value,
		   const struct write_lookup *look, struct buf *out)
{
	struct mp_value v;
	size_t mark = out->len;

	if (!mp_get(value, &v))
		return ERR_CORRUPT;
	if (f->kind == EDITABLE_OBJECTS)
		return put_objects(f, raw, value, look, out);
	if (v.type == MP_STR && f->kind == EDITABLE_OBJECT)
		return put_object(f, v.str, (struct bytes){0}, look, out);
	if (v.type == MP_STR && f->kind == EDITABLE_ID && text_number(v.str, out))
		return out->error;
	out->len = mark;
	if (v.type == MP_INT && f->kind == EDITABLE_TIME)
		mp_put_int(out, v.integer / 1000);
	else
		buf_put_bytes(out, value);
	return out->error;
}

int write_apply(const struct editable *f, struct bytes name, struct bytes doc, struct bytes value,
		const struct write_lookup *look, struct buf *out)
{
	struct buf shape = {0};
	struct bytes raw;
	int rc;

	if (f->apply)
		return f->apply(doc, value, out);
	rc = raw_value(f, name, doc, &raw);
	if (rc == 0)
		rc = put_raw(f, raw, value, look, &shape);
	if (rc == 0)
		rc = doc_put(doc, f->path, member_of(f, name), buf_bytes(&shape), out);
	buf_release(&shape);
	return rc;
}

/* ---- maps of fields ---- */

struct walk {
	const struct account *account;
	const struct resource_type *type;
	struct bytes doc;
	const struct write_lookup *look;
	struct buf *out;
	struct buf turn[2]; /* the document, in its versions */
	unsigned at, count;
	struct bytes other; /* write_call: another map */
};

static int put_one_value(void *ctx, struct bytes name, struct bytes value)
{
	struct walk *w = ctx;
	const struct editable *f = find(w->account, w->type, name);

	(void)value;
	if (!f)
		return 0;
	mp_put_str(w->out, name);
	w->count++;
	return write_value(f, name, w->doc, w->out);
}

int write_values(const struct account *a, const struct resource_type *type, struct bytes set,
		 struct bytes doc, struct buf *out)
{
	struct walk w = {.account = a, .type = type, .doc = doc, .out = out};
	size_t mark = mp_begin_map(out);
	int rc = fields_each(set, put_one_value, &w);

	mp_end_map(out, mark, w.count);
	return rc ? rc : out->error;
}

static int overlay_one(void *ctx, struct bytes name, struct bytes value)
{
	struct walk *w = ctx;
	const struct editable *f = find(w->account, w->type, name);
	struct buf *next = &w->turn[w->at];

	if (!f)
		return 0;
	buf_reset(next);
	int rc = write_apply(f, name, w->doc, value, w->look, next);
	w->doc = buf_bytes(next);
	w->at = !w->at;
	return rc;
}

int write_overlay(const struct account *a, const struct resource_type *type, struct bytes set,
		  struct bytes doc, const struct write_lookup *look, struct buf *out)
{
	struct walk w = {.account = a, .type = type, .doc = doc, .look = look};
	int rc = fields_each(set, overlay_one, &w);

	if (rc == 0) {
		buf_put_bytes(out, w.doc);
		rc = out->error;
	}
	buf_release(&w.turn[0]);
	buf_release(&w.turn[1]);
	return rc;
}

/* ---- how they go together ---- */

/* Whether a list may be a way from one to the other. */
static bool between(struct bytes mine, struct bytes base, struct bytes theirs)
{
	struct mp_reader r = mp_reader_of(theirs);
	struct mp_value head, v;

	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return false;
	for (uint32_t i = 0; i < head.count && mp_next(&r, &v) == 1; i++)
		if (v.type != MP_STR || (!ids_have(mine, v.str) && !ids_have(base, v.str)))
			return false;
	r = mp_reader_of(mine);
	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return false;
	for (uint32_t i = 0; i < head.count && mp_next(&r, &v) == 1; i++)
		if (v.type == MP_STR && ids_have(base, v.str) && !ids_have(theirs, v.str))
			return false;
	return true;
}

struct judging {
	struct bytes base, theirs;
	enum write_verdict verdict;
};

static int judge_one(void *ctx, struct bytes name, struct bytes mine)
{
	static const uint8_t nil = 0xc0;
	struct judging *j = ctx;
	struct bytes base, theirs;

	if (mp_find(j->base, name, &base) != 1)
		base = bytes_of(&nil, 1);
	/* A field that is no longer in the table cannot be there. */
	if (mp_find(j->theirs, name, &theirs) != 1 || mp_equal(theirs, mine))
		return 0;
	if (mp_equal(theirs, base) || between(mine, base, theirs)) {
		if (j->verdict == WRITE_DONE)
			j->verdict = WRITE_NEEDED;
	} else {
		j->verdict = WRITE_CONFLICT;
	}
	return 0;
}

enum write_verdict write_judge(struct bytes mine, struct bytes base, struct bytes theirs)
{
	struct judging j = {base, theirs, WRITE_DONE};

	return fields_each(mine, judge_one, &j) ? WRITE_CONFLICT : j.verdict;
}

/* ---- requests ---- */

static int want_one(void *ctx, struct bytes name, struct bytes value)
{
	struct walk *w = ctx;
	const struct editable *f = find(w->account, w->type, name);
	struct buf there = {0};
	int rc = f ? write_value(f, name, w->doc, &there) : 0;

	if (f && rc == 0 && !mp_equal(buf_bytes(&there), value)) {
		mp_put_str(w->out, name);
		buf_put_bytes(w->out, value);
		w->count++;
	}
	buf_release(&there);
	return rc;
}

static int finish(struct call *out, struct why *why)
{
	if (out->url.error || out->body.error)
		return why_set(why, ERR_NOMEM, "out of memory while writing a request");
	buf_text(&out->url);
	return 1;
}

int write_call(const struct account *a, const struct ask *ask, struct call *out, struct buf *after,
	       struct why *why)
{
	struct buf wanted = {0}, covers = {0};
	struct walk w = {.account = a, .type = ask->type, .doc = ask->change->doc, .out = &wanted};
	size_t mark = mp_begin_map(&wanted);
	int rc = fields_each(ask->change->set, want_one, &w);

	*out = (struct call){0};
	mp_end_map(&wanted, mark, w.count);
	if (rc == 0 && wanted.error)
		rc = wanted.error;
	if (rc == 0 && w.count)
		rc = a->provider->change(a, ask, buf_bytes(&wanted), out, &covers, why);
	if (rc == 0 && w.count && after)
		rc = write_overlay(a, ask->type, buf_bytes(&covers), ask->change->doc, NULL, after);
	if (rc == 0 && w.count)
		rc = finish(out, why);
	if (rc < 0)
		call_release(out);
	if (rc == ERR_NOMEM || rc == ERR_CORRUPT)
		why_set(why, rc, "the change cannot be written (%s)", err_name(rc));
	buf_release(&wanted);
	buf_release(&covers);
	return rc;
}
