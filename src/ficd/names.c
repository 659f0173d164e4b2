/*
 * names: looks through the admins or teams that are held. There are some hundred at most; of a longer list only the first are looked at, and who is not found among
 * them is asked for by id.
 */
#include "names.h"
#include "each_record.h"

#include <base/suggest.h>
#include <codec/msgpack.h>
#include <store/store.h>

#include <ctype.h>
#include <strings.h>

#define RECORDS_MAX 2000
#define NAMES_MAX   400 /* that are suggested from */

struct looking {
	const struct resource_type *type;
	struct arena *arena;
	struct bytes text;
	struct bytes found, second; /* ids */
	const char *names[NAMES_MAX + 1];
	size_t name_count;
	struct buf value;
};

static const char *resource_of(const struct field *f)
{
	static const struct {
		const char *field, *resource;
	} known[] = {{"assignee", "admins"}, {"owner", "admins"}, {"team", "teams"}};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].field, f->name) == 0)
			return known[i].resource;
	return NULL;
}

static bool is_number(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!isdigit(text.data[i]))
			return false;
	return true;
}

static bool same(struct bytes a, struct bytes b)
{
	return a.len == b.len && strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0;
}

static int keep_name(struct looking *l, struct bytes name)
{
	if (l->name_count == NAMES_MAX)
		return 0;
	char *copy = arena_alloc(l->arena, name.len + 1);
	if (!copy)
		return ERR_NOMEM;
	memcpy(copy, name.data, name.len);
	l->names[l->name_count++] = copy;
	return 0;
}

/* 0 or an error; *is_out: this is what it is called. */
static int compare(struct looking *l, const struct record *r, const char *name, bool *is_out)
{
	const struct field *f = field_find(l->type->fields, bytes_str(name));
	struct mp_value v;

	buf_reset(&l->value);
	int rc = f ? record_value(r, f, &l->value) : 0;
	if (rc <= 0 || !mp_get(buf_bytes(&l->value), &v) || v.type != MP_STR || v.str.len == 0)
		return rc < 0 ? rc : 0;
	*is_out |= same(v.str, l->text);
	return keep_name(l, v.str);
}

static int look_at(void *ctx, const struct record *r)
{
	struct looking *l = ctx;
	bool is = false;
	int rc = compare(l, r, "name", &is);

	if (rc == 0)
		rc = compare(l, r, "email", &is);
	if (rc || !is)
		return rc;
	struct bytes id = arena_bytes(l->arena, r->id);
	if (!id.data)
		return ERR_NOMEM;
	if (l->found.data)
		l->second = id;
	else
		l->found = id;
	return 0;
}

static int tell(const struct looking *l, struct why *why)
{
	int len = (int)(l->text.len < 60 ? l->text.len : 60);
	const char *text = (const char *)l->text.data, *what = l->type->name;

	if (l->second.data)
		return why_set(why, ERR_INVALID,
			       "several %s are called '%.*s': say which by id, as in %.*s or %.*s",
			       what, len, text, (int)l->found.len, (const char *)l->found.data,
			       (int)l->second.len, (const char *)l->second.data);
	if (l->name_count == 0)
		return why_set(why, ERR_NOTFOUND,
			       "'%.*s' cannot be looked up: no %s are held yet; use the id", len,
			       text, what);
	const char *near = suggest(l->text, l->names);
	return why_set(why, ERR_NOTFOUND, "none of the %s is called '%.*s'%s%s%s", what, len, text,
		       near ? "; did you mean '" : " ('ficq query ", near ? near : what,
		       near ? "'?" : "' lists them)");
}

/* By what one source holds. */
static int find_in(const struct source *s, struct arena *a, const char *resource,
		   struct bytes *text, struct why *why)
{
	struct looking l = {.arena = a, .text = *text};
	struct record record;

	l.type = source_type(s, bytes_str(resource));
	if (!l.type || is_number(*text))
		return 0;
	struct snapshot *view = snapshot_new(s->store);
	if (!view)
		return why_set(why, ERR_NOMEM, "out of memory");
	int rc = text->len <= RECORD_ID_MAX ? snapshot_peek(view, resource, *text, &record) : 0;
	bool is_id = rc == 1 && !(record.flags & RECORD_DELETED);
	if (rc >= 0 && !is_id)
		rc = each_record(view, l.type->name, RECORDS_MAX, look_at, &l);
	snapshot_free(view);
	buf_release(&l.value);
	if (rc < 0)
		return why_set(why, rc, "the %s cannot be read (%s)", resource, err_name(rc));
	if (is_id)
		return 0;
	if (!l.found.data || l.second.data)
		return tell(&l, why);
	*text = l.found;
	return 0;
}

int names_find(const struct names *n, const char *resource, struct bytes *text, struct why *why)
{
	return find_in(n->source, n->arena, resource, text, why);
}

int names_settle(void *ctx, const struct field *f, struct bytes *text, struct why *why)
{
	const struct names *n = ctx;
	const struct daemon *d = n->source->daemon;
	struct bytes unused;
	const char *resource = resource_of(f);

	if (!resource)
		return 0;
	int rc = find_in(n->source, n->arena, resource, text, why);
	for (size_t i = 0; n->anywhere && rc == ERR_NOTFOUND && i < d->source_count; i++) {
		unused = *text;
		if (find_in(&d->sources[i], n->arena, resource, &unused, NULL) == 0)
			rc = 0;
	}
	return rc;
}
