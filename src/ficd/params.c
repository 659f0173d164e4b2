/* params: a request's parameters, checked by the method table, as values; sources and resources by name. Each refusal is sent here, with
 * what to do. */
#include "params.h"

#include "names.h"

#include <base/suggest.h>
#include <base/when.h>
#include <codec/msgpack.h>
#include <query/row.h>

#include <stdio.h>

/* What was given by this name, and its value. */
static const struct given *find(const struct request *r, const char *name, struct mp_value *v)
{
	for (const struct given *g = r->given, *end = g + r->given_count; g < end; g++)
		if (*g->name == *name && strcmp(g->name, name) == 0)
			return mp_get(g->whole, v) && v->type != MP_NIL ? g : NULL;
	return NULL;
}

bool param_raw(const struct request *r, const char *name, struct bytes *out)
{
	struct mp_value v;
	const struct given *g = find(r, name, &v);

	if (g)
		*out = g->whole;
	return g;
}

bool param_text(const struct request *r, const char *name, struct bytes *out)
{
	struct mp_value v;

	if (!find(r, name, &v) || v.type != MP_STR)
		return false;
	*out = v.str;
	return true;
}

bool param_integer(const struct request *r, const char *name, int64_t *out)
{
	struct mp_value v;

	if (!find(r, name, &v) || v.type != MP_INT)
		return false;
	*out = v.integer;
	return true;
}

bool param_bool(const struct request *r, const char *name)
{
	struct mp_value v;

	return find(r, name, &v) && v.type == MP_BOOL && v.boolean;
}

int param_duration(struct request *r, const char *name, int64_t *ms_out)
{
	struct bytes text;
	int64_t seconds;

	*ms_out = -1;
	if (param_integer(r, name, &seconds) && seconds >= 0 && seconds < INT64_MAX / 1000) {
		*ms_out = seconds * 1000;
		return 0;
	}
	if (param_text(r, name, &text) && duration_parse(text, ms_out) == 0)
		return 0;
	if (!param_raw(r, name, &text))
		return 0;
	request_error(r, RPC_INVALID_PARAMS, "duration", "as in \"5m\", or seconds",
		      "'%s' is not a duration", name);
	return ERR_SYNTAX;
}

static int param_time(struct request *r, const char *name, enum when_role role, int64_t *out)
{
	struct bytes text;
	struct why why = {""};
	int64_t seconds;

	if (param_integer(r, name, &seconds)) {
		*out = time_from_seconds((double)seconds);
		if (*out != TIME_NONE)
			return 0;
	} else if (!param_text(r, name, &text)) {
		return 0;
	} else if (when_parse(text, loop_wall_ms(r->daemon->loop), NULL, role, out, &why) == 0) {
		return 0;
	}
	request_error(r, RPC_INVALID_PARAMS, "time", "as in 2026-11-20T14:00:00Z, today, 2h",
		      "'%s': %s", name, why.text[0] ? why.text : "not a time");
	return ERR_SYNTAX;
}

int param_span(struct request *r, struct freshness_question *q)
{
	struct bytes axis;

	*q = (struct freshness_question){
		.start_ms = TIME_MIN, .end_ms = TIME_MAX, .axis = AXIS_CREATED, .max_age_ms = -1};
	if (param_time(r, "since", WHEN_SINCE, &q->start_ms) ||
	    param_time(r, "until", WHEN_UNTIL, &q->end_ms))
		return ERR_SYNTAX;
	if (q->start_ms > q->end_ms) {
		request_error(r, RPC_INVALID_PARAMS, "span", NULL, "'since' is after 'until'");
		return ERR_INVALID;
	}
	if (!param_text(r, "axis", &axis) || bytes_is(axis, "created"))
		return 0;
	q->axis = AXIS_UPDATED;
	if (bytes_is(axis, "updated"))
		return 0;
	request_error(r, RPC_INVALID_PARAMS, "axis", NULL, "'axis' is created or updated");
	return ERR_INVALID;
}

bool param_all_sources(const struct request *r)
{
	struct bytes name;

	return r->daemon->source_count > 1 && !param_text(r, "source", &name);
}

/* `name` {NULL, 0}: none was named. */
static void refuse_source(struct request *r, struct bytes name)
{
	struct daemon *d = r->daemon;
	const char *names[CONFIG_SOURCES_MAX + 1] = {NULL};
	char list[256] = "", hint[300];

	for (size_t i = 0; i < d->source_count; i++) {
		names[i] = d->sources[i].config->name;
		size_t n = strlen(list);
		snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "configured: ", names[i]);
	}
	if (!name.data) {
		request_error(r, RPC_INVALID_PARAMS, "source", list,
			      "there are several sources: name one");
		return;
	}
	const char *near = suggest(name, names);
	snprintf(hint, sizeof hint, near ? "did you mean '%s'?" : "%s", near ? near : list);
	request_error(r, RPC_INVALID_PARAMS, "source", hint, "there is no source '%.*s'",
		      (int)(name.len > 60 ? 60 : name.len), (const char *)name.data);
}

struct source *param_source(struct request *r)
{
	struct daemon *d = r->daemon;
	struct bytes name = {NULL, 0};
	struct source *s = NULL;

	if (param_text(r, "source", &name))
		s = source_find(d, name);
	else if (d->source_count == 1)
		s = &d->sources[0];
	if (!s)
		refuse_source(r, name);
	return s;
}

void hint_resource(const struct source *s, struct bytes name, char out[HINT_MAX])
{
	const char *names[CONFIG_RESOURCES_MAX + 1] = {NULL};
	size_t n = 0;

	for (const struct resource_type *t = s->provider->types; t->name; t++)
		if (source_type(s, bytes_str(t->name)))
			names[n++] = t->name;
	const char *near = suggest(name, names);
	snprintf(out, HINT_MAX, "configured: ");
	for (size_t i = 0; !near && i < n; i++) {
		size_t len = strlen(out);
		snprintf(out + len, HINT_MAX - len, "%s%s", i ? ", " : "", names[i]);
	}
	if (near)
		snprintf(out, HINT_MAX, "did you mean '%s'?", near);
}

static void refuse_resource(struct request *r, const struct source *s, struct bytes name)
{
	char hint[HINT_MAX];

	hint_resource(s, name, hint);
	request_error(r, RPC_INVALID_PARAMS, "resource", hint, "source %s has no resource '%.*s'",
		      s->config->name, (int)(name.len > 60 ? 60 : name.len), (const char *)name.data);
}

const struct resource_type *param_resource(struct request *r, const struct source *s)
{
	const struct resource_type *type;
	struct bytes name;

	if (!param_text(r, "resource", &name))
		name = bytes_str("conversations");
	type = source_type(s, name);
	if (!type)
		refuse_resource(r, s, name);
	return type;
}

bool param_sources(struct request *r, struct source **first, size_t *count)
{
	struct bytes name;

	*first = r->daemon->sources;
	*count = r->daemon->source_count;
	if (!param_text(r, "source", &name))
		return true;
	*first = param_source(r);
	*count = 1;
	return *first != NULL;
}

bool param_names(struct request *r, struct arena *a, const char *name, size_t max,
		 struct bytes **names_out, size_t *count_out)
{
	struct bytes whole, text, *names;
	struct mp_reader reader;
	struct mp_value v;
	uint32_t count = 1;
	size_t n = 0;

	*names_out = NULL;
	*count_out = 0;
	if (!param_raw(r, name, &whole))
		return true;
	reader = mp_reader_of(whole);
	if (mp_get(whole, &v) && v.type == MP_ARRAY) {
		count = v.count;
		mp_next(&reader, &v);
	}
	names = arena_alloc(a, max * sizeof *names);
	for (uint32_t i = 0; names && i < count; i++) {
		if (mp_next(&reader, &v) != 1 || v.type != MP_STR)
			break;
		for (text = v.str; text.len;) {
			const uint8_t *comma = memchr(text.data, ',', text.len);
			size_t len = comma ? (size_t)(comma - text.data) : text.len;
			if (n == max)
				break;
			if (len)
				names[n++] = bytes_of(text.data, len);
			text = comma ? bytes_of(comma + 1, text.len - len - 1) : bytes_of(NULL, 0);
		}
	}
	*names_out = names;
	*count_out = n;
	if (n || count == 0)
		return true;
	request_error(r, RPC_INVALID_PARAMS, name, "see 'ficq fields'", "'%s' names no field", name);
	return false;
}

bool param_fields(struct request *r, struct arena *a, struct bytes **names_out, size_t *count_out)
{
	struct bytes whole;

	if (!param_names(r, a, "fields", PROJECTION_NAMES_MAX, names_out, count_out))
		return false;
	if (*count_out || !param_raw(r, "fields", &whole))
		return true;
	request_error(r, RPC_INVALID_PARAMS, "fields", "see 'ficq fields'", "'fields' names no field");
	return false;
}

bool param_zone(struct request *r, struct zone **out)
{
	struct why why;
	struct bytes name;

	why_clear(&why);
	if (!param_text(r, "timezone", &name) || zone_load(name, out, &why) == 0)
		return true;
	request_error(r, RPC_INVALID_PARAMS, "timezone", "as in Europe/Paris, or UTC", "%s", why.text);
	return false;
}

bool param_mentions(const struct request *r, const char *name, const char *word)
{
	struct bytes whole;

	return param_raw(r, name, &whole) && bytes_has(whole, word);
}

bool param_where(struct request *r, const struct source *s, const struct field *fields,
		 const struct zone *zone, struct arena *a, const struct where **out)
{
	struct bytes text;
	struct why why = {""};

	*out = NULL;
	if (!param_text(r, "where", &text))
		return true;
	struct names names = {s, a, param_all_sources(r)};
	int rc = where_parse_named(text, fields, &(struct where_names){names_settle, &names},
				   source_now(s), zone, a, out, &why);
	if (rc)
		request_error(r, RPC_BAD_EXPRESSION, err_name(rc),
			      "see ficq(1), THE WHERE LANGUAGE", "%s", why.text);
	return rc == 0;
}
