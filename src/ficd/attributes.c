/* attributes: looks through the list that is held, which has some hundred at most. */
#include "attributes.h"
#include "each_record.h"

#include <base/suggest.h>
#include <base/when.h>
#include <codec/json.h>
#include <codec/msgpack.h>

#include <stdio.h>
#include <strings.h>

#define RECORDS_MAX 2000
#define NAMES_MAX   400 /* that are suggested from */

struct looking {
	const struct resource_type *type;
	struct arena *arena;
	const char *of_records;
	struct bytes name;
	char kind[16];        /* its type; "" unknown */
	bool found, archived; /* by an archived one */
	const char *names[NAMES_MAX + 1];
	size_t name_count;
	struct buf value;
};

/* A common field as text; {NULL, 0}: none. Borrowed until the next call. */
static struct bytes text_of(struct looking *l, const struct record *r, const char *name)
{
	const struct field *f = field_find(l->type->fields, bytes_str(name));
	struct mp_value v;

	buf_reset(&l->value);
	if (!f || record_value(r, f, &l->value) != 1 || !mp_get(buf_bytes(&l->value), &v) ||
	    v.type != MP_STR)
		return (struct bytes){0};
	return v.str;
}

static bool is_archived(struct looking *l, const struct record *r)
{
	const struct field *f = field_find(l->type->fields, bytes_str("archived"));
	struct mp_value v;

	buf_reset(&l->value);
	return f && record_value(r, f, &l->value) == 1 && mp_get(buf_bytes(&l->value), &v) &&
	       v.type == MP_BOOL && v.boolean;
}

/* "contact" of "contacts". */
static bool is_model(const struct looking *l, struct bytes model)
{
	return model.len + 1 == strlen(l->of_records) &&
	       memcmp(model.data, l->of_records, model.len) == 0;
}

static int look_at(void *ctx, const struct record *r)
{
	struct looking *l = ctx;
	struct bytes text;

	if (!is_model(l, text_of(l, r, "model")))
		return 0;
	text = text_of(l, r, "name");
	if (l->name_count < NAMES_MAX && text.len) {
		char *copy = arena_str(l->arena, text);
		if (!copy)
			return ERR_NOMEM;
		l->names[l->name_count++] = copy;
	}
	if (!bytes_equal(text, l->name))
		return 0;
	/* One that was archived may have the name of one that is in use, and another type. */
	bool archived = is_archived(l, r);
	if (l->found && (archived || !l->archived))
		return 0;
	l->found = true;
	l->archived = archived;
	text = text_of(l, r, "type");
	snprintf(l->kind, sizeof l->kind, "%.*s", (int)(text.len < 15 ? text.len : 0),
		 text.len ? (const char *)text.data : "");
	return 0;
}

/* ---- values ---- */

static int refuse(const struct looking *l, const char *wanted, struct why *why)
{
	return why_set(why, ERR_INVALID, "'%.*s' must be %s",
		       (int)(l->name.len < 60 ? l->name.len : 60), (const char *)l->name.data,
		       wanted);
}

static int take_number(const struct looking *l, struct bytes text, bool whole, struct buf *out,
		       struct why *why)
{
	struct buf number = {0};
	struct mp_value v;
	bool fits = text.len && text.len < 40 &&
		    json_to_msgpack(text, JSON_STRICT, &number, NULL) == 0 &&
		    mp_get(buf_bytes(&number), &v) &&
		    (v.type == MP_INT || (!whole && v.type == MP_FLOAT));

	if (fits)
		buf_put_bytes(out, buf_bytes(&number));
	buf_release(&number);
	return fits ? out->error : refuse(l, whole ? "a whole number" : "a number", why);
}

static int take_truth(const struct looking *l, struct bytes text, struct buf *out, struct why *why)
{
	bool yes = text.len == 4 && strncasecmp((const char *)text.data, "true", 4) == 0;

	if (!yes && !(text.len == 5 && strncasecmp((const char *)text.data, "false", 5) == 0))
		return refuse(l, "true or false", why);
	mp_put_bool(out, yes);
	return out->error;
}

static int take_date(const struct looking *l, struct bytes text, int64_t now_ms, struct buf *out,
		     struct why *why)
{
	int64_t ms;

	if (when_parse(text, now_ms, NULL, WHEN_SINCE, &ms, NULL))
		return refuse(l, "a time, as in 2026-11-20", why);
	mp_put_int(out, ms / 1000);
	return out->error;
}

static int take(const struct looking *l, struct bytes given, int64_t now_ms, struct buf *out,
		struct why *why)
{
	struct mp_value v;

	if (mp_get(given, &v) && v.type == MP_STR && v.str.len) {
		if (strcmp(l->kind, "integer") == 0)
			return take_number(l, v.str, true, out, why);
		if (strcmp(l->kind, "float") == 0)
			return take_number(l, v.str, false, out, why);
		if (strcmp(l->kind, "boolean") == 0)
			return take_truth(l, v.str, out, why);
		if (strcmp(l->kind, "date") == 0)
			return take_date(l, v.str, now_ms, out, why);
	}
	/* Nothing there is nil, of whatever type. */
	if (mp_get(given, &v) && v.type == MP_STR && v.str.len == 0 && strcmp(l->kind, "string") != 0)
		mp_put_nil(out);
	else
		buf_put_bytes(out, given);
	return out->error;
}

int attribute_settle(const struct source *s, const char *list, const char *of_records,
		     struct bytes name, struct bytes given, struct arena *arena, struct buf *out,
		     struct why *why)
{
	struct looking l = {.arena = arena, .of_records = of_records, .name = name};
	struct snapshot *view = snapshot_new(s->store);
	int rc = view ? 0 : ERR_NOMEM;

	l.type = source_type(s, bytes_str(list));
	if (rc == 0 && l.type)
		rc = each_record(view, l.type->name, RECORDS_MAX, look_at, &l);
	snapshot_free(view);
	buf_release(&l.value);
	if (rc)
		return why_set(why, rc, "the attributes cannot be read (%s)", err_name(rc));
	if (l.name_count == 0 || l.found)
		return take(&l, given, source_now(s), out, why);
	const char *near = suggest(name, l.names);
	return why_set(why, ERR_NOTFOUND, "%s have no attribute '%.*s'%s%s%s", of_records,
		       (int)(name.len < 60 ? name.len : 60), (const char *)name.data,
		       near ? "; did you mean '" : " ('ficq query ", near ? near : list,
		       near ? "'?" : "' lists them; a new one is made at the provider)");
}
