/* method_dead: the dead letters of the sources: shown, tried again, given up. */
#include "method.h"
#include "pairs.h"
#include "params.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>

#define LIMIT_MAX 1000

/* A letter's id is its record's with the resource before it. */
static bool is_named(const struct dead_letter *d, struct bytes id)
{
	size_t n = strlen(d->resource);

	if (bytes_is(id, d->id))
		return true;
	return id.len > n + 1 && memcmp(id.data, d->resource, n) == 0 && id.data[n] == '/' &&
	       bytes_is(bytes_of(id.data + n + 1, id.len - n - 1), d->id);
}

static void put_letter(struct buf *out, const struct source *s, const struct dead_letter *d)
{
	char id[sizeof d->resource + sizeof d->id];

	snprintf(id, sizeof id, "%s/%s", d->resource, d->id);
	mp_put_map(out, 14);
	put_text(out, "id", id);
	put_text(out, "source", s->config->name);
	put_text(out, "resource", d->resource);
	put_text(out, "record", d->id);
	put_text(out, "state", d->dropped ? "dropped" : "waiting");
	put_text(out, "scope", "record");
	put_text(out, "class", fault_class_name(d->class));
	put_text(out, "reason", d->reason);
	put_text(out, "asked", d->asked[0] ? d->asked : NULL);
	mp_put_cstr(out, "status");
	if (d->status)
		mp_put_int(out, d->status);
	else
		mp_put_nil(out);
	put_text(out, "answer", d->answer[0] ? d->answer : NULL);
	put_integer(out, "attempts", d->attempts);
	put_time(out, "last", d->last_ms);
	put_time(out, "next", d->dropped ? TIME_NONE : d->next_ms);
}

/* ---- showing ---- */

struct listing {
	struct request *r;
	bool all;        /* sources are asked, one after the other */
	struct bytes id; /* {NULL, 0}: all */
	bool dropped;    /* those too */
	int64_t limit;
	uint32_t count;
	const struct source *first; /* that is listed, from behind the letter of this number */
	uint64_t after;
	const struct source *last_source; /* of the last one that was listed, */
	uint64_t last;                    /* and its number */
	bool more;
};

static void list_source(struct listing *l, const struct source *s)
{
	struct dead_entry e;

	for (uint64_t at = s == l->first ? l->after : 0; sync_dead_next(s->sync, at, &e);
	     at = e.number) {
		if (l->id.data ? !is_named(e.letter, l->id) : e.letter->dropped && !l->dropped)
			continue;
		if (l->count == l->limit) {
			l->more = true;
			return;
		}
		put_letter(&l->r->result, s, e.letter);
		l->count++;
		l->last_source = s;
		l->last = e.number;
	}
}

/* The number of a letter; of several sources with its source before it, "acme:12". False: the error was sent. */
static bool read_cursor(struct listing *l)
{
	struct bytes cursor, number;
	char text[24], *end;

	if (!param_text(l->r, "cursor", &cursor))
		return true;
	const uint8_t *colon = l->all && cursor.len ? memchr(cursor.data, ':', cursor.len) : NULL;
	size_t skip = colon ? (size_t)(colon - cursor.data) + 1 : 0;
	number = bytes_of(cursor.data + skip, cursor.len - skip);
	snprintf(text, sizeof text, "%.*s", (int)(number.len < 20 ? number.len : 20),
		 (const char *)number.data);
	l->after = strtoull(text, &end, 10);
	if (l->all)
		l->first = colon ? source_find(l->r->daemon, bytes_of(cursor.data, skip - 1)) : NULL;
	if (*end == 0 && end != text && l->first)
		return true;
	request_error(l->r, RPC_INVALID_PARAMS, "cursor", "use next_cursor of the answer before",
		      "not a cursor");
	return false;
}

static void put_cursor(const struct listing *l)
{
	char text[CONFIG_NAME_MAX + 24] = "";

	if (l->all && l->more)
		snprintf(text, sizeof text, "%s:", l->last_source->config->name);
	snprintf(text + strlen(text), sizeof text - strlen(text), "%llu", (unsigned long long)l->last);
	put_text(&l->r->result, "next_cursor", l->more ? text : NULL);
}

void method_dead(struct request *r)
{
	struct listing l = {.r = r,
			    .all = param_all_sources(r),
			    .limit = 100,
			    .dropped = param_bool(r, "dropped")};
	struct source *sources;
	size_t count;

	if (!param_sources(r, &sources, &count))
		return;
	l.first = sources;
	if (!read_cursor(&l))
		return;
	param_text(r, "id", &l.id);
	param_integer(r, "limit", &l.limit);
	if (l.limit < 1 || l.limit > LIMIT_MAX) {
		request_error(r, RPC_INVALID_PARAMS, "limit", NULL, "'limit' is 1 to %d", LIMIT_MAX);
		return;
	}
	mp_put_map(&r->result, 2);
	mp_put_cstr(&r->result, "letters");
	size_t mark = mp_begin_array(&r->result);
	for (const struct source *s = l.first; s < sources + count && !l.more; s++)
		list_source(&l, s);
	mp_end_array(&r->result, mark, l.count);
	put_cursor(&l);
	request_answer(r);
}

/* ---- trying again, giving up ---- */

struct change {
	struct request *r;
	struct source *source; /* that is gone through */
	struct bytes id;       /* {NULL, 0}: all that are not dropped */
	int (*one)(struct sync *s, uint64_t number);
	const struct resource_type *types[CONFIG_RESOURCES_MAX]; /* of those that were changed here */
	size_t type_count;
	uint32_t count, queued;
};

static bool is_meant(const struct change *c, const struct dead_letter *d)
{
	return c->id.data ? is_named(d, c->id) : !d->dropped;
}

static void note_type(struct change *c, const char *resource)
{
	const struct resource_type *type = source_type(c->source, bytes_str(resource));

	for (size_t i = 0; i < c->type_count; i++)
		if (c->types[i] == type)
			return;
	if (type && c->type_count < CONFIG_RESOURCES_MAX)
		c->types[c->type_count++] = type;
}

/* False: an error was sent. */
static bool change_letters(struct change *c)
{
	struct dead_entry e;

	c->type_count = 0;
	for (uint64_t at = 0; sync_dead_next(c->source->sync, at, &e); at = e.number) {
		if (!is_meant(c, e.letter))
			continue;
		int rc = c->one(c->source->sync, e.number);
		if (rc < 0) {
			request_error(c->r, RPC_UNAVAILABLE, "limit",
				      "retry, or mend at the provider, some of those there are",
				      "too many dead letters: this one cannot be added to them");
			return false;
		}
		c->queued += rc > 0;
		if (rc > 0)
			continue;
		note_type(c, e.letter->resource);
		c->count++;
	}
	return true;
}

static bool has_letter(const struct change *c, const struct source *s)
{
	struct dead_entry e;

	for (uint64_t at = 0; sync_dead_next(s->sync, at, &e); at = e.number)
		if (is_meant(c, e.letter))
			return true;
	return false;
}

/* One that is named is one source's. False: an error was sent. */
static bool choose_sources(struct change *c, struct source **first, size_t *count)
{
	struct source *only = NULL;

	if (!param_sources(c->r, first, count))
		return false;
	param_text(c->r, "id", &c->id);
	int shown = (int)(c->id.len > 60 ? 60 : c->id.len);
	for (size_t i = 0; c->id.data && i < *count; i++) {
		if (!has_letter(c, &(*first)[i]))
			continue;
		if (only) {
			request_error(c->r, RPC_INVALID_PARAMS, "ambiguous", "name the source",
				      "'%.*s' is in several sources: in %s and in %s", shown,
				      (const char *)c->id.data, only->config->name,
				      (*first)[i].config->name);
			return false;
		}
		only = &(*first)[i];
	}
	if (only) {
		*first = only;
		*count = 1;
	}
	if (only || !c->id.data)
		return true;
	request_error(c->r, RPC_NOT_FOUND, "no_letter", "'ficq dead' lists them",
		      "there is no dead letter '%.*s'", shown, (const char *)c->id.data);
	return false;
}

/* The runs that try again what was changed. Returns how many. */
static uint32_t wish_changed(struct change *c, uint64_t *ids)
{
	struct why why = {""};
	uint32_t runs = 0;

	source_token(c->source);
	for (size_t i = 0; i < c->type_count; i++)
		runs += sync_wish(c->source->sync, c->types[i], SYNC_CHANGES, ids + runs, 1, &why) > 0;
	return runs;
}

void method_dead_retry(struct request *r)
{
	struct change c = {.r = r, .one = sync_dead_retry};
	uint64_t ids[CONFIG_SOURCES_MAX * CONFIG_RESOURCES_MAX];
	struct source *sources;
	uint32_t runs = 0;
	size_t count;

	if (!choose_sources(&c, &sources, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		c.source = &sources[i];
		if (!change_letters(&c))
			return;
		runs += wish_changed(&c, ids + runs);
	}
	mp_put_map(&r->result, 3);
	put_integer(&r->result, "retried", c.count);
	put_integer(&r->result, "queued", c.queued);
	mp_put_cstr(&r->result, "runs");
	mp_put_array(&r->result, runs);
	for (uint32_t i = 0; i < runs; i++)
		mp_put_uint(&r->result, ids[i]);
	request_answer(r);
}

void method_dead_drop(struct request *r)
{
	struct change c = {.r = r, .one = sync_dead_drop};
	struct source *sources;
	size_t count;

	if (!choose_sources(&c, &sources, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		c.source = &sources[i];
		if (!change_letters(&c))
			return;
	}
	mp_put_map(&r->result, 1);
	put_integer(&r->result, "dropped", c.count);
	request_answer(r);
}
