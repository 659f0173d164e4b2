/*
 * method_changes: records in the order in which they changed, and on request those to come.
 *
 *   reading (a page of a snapshot, in slices) ─┬─> answered
 *          ^                                   └─> told (a notification) ─> reading, or waiting for the store to change
 *          └── the connection has room again <── blocked: the snapshot is given back, nothing is kept but the revision
 *
 * Whoever follows and does not read keeps one page in memory, and gets what records have become when it reads again.
 */
#include "method.h"
#include "pairs.h"
#include "params.h"

#include <codec/msgpack.h>
#include <query/feed.h>

#include <stdlib.h>

#define LIMIT_DEFAULT  100
#define LIMIT_MAX      1000
#define ROWS_BYTES_MAX (1024 * 1024) /* of an answer */
#define ROWS_BYTES_MIN \
	(64 * 1024) /* of a notification, and of an answer while unread ones fill the memory */
#define DAMAGED_MAX 8
#define SLICE_US    1000
#define STEP_UNITS  60

struct following {
	struct request *request;
	struct source *source;
	struct following *next; /* that follows this source */
	struct arena arena;
	struct feed_resource resources[STORE_RESOURCES_MAX];
	struct feed_spec spec; /* `since` moves on with each page that was told */
	struct snapshot *view;
	struct feed *feed;
	struct buf rows;
	struct task *task;
	uint64_t revision; /* of the snapshot */
	bool follow;
	bool told;    /* the client knows that it has everything there was */
	bool blocked; /* until the connection has room */
	bool sound;   /* read what is left beside the damage */
	unsigned damaged;
};

static void reading_end(struct following *c)
{
	feed_free(c->feed);
	snapshot_free(c->view);
	c->feed = NULL;
	c->view = NULL;
	buf_release(&c->rows);
}

static void following_release(struct request *r)
{
	struct following *c = r->state, **at = &c->source->followers;

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	reading_end(c);
	task_free(c->task);
	arena_release(&c->arena);
	free(c);
}

static void put_page(struct following *c, uint64_t next, uint32_t rows, bool more, struct buf *out)
{
	mp_put_cstr(out, "rows");
	mp_put_array(out, rows);
	buf_put_bytes(out, buf_bytes(&c->rows));
	put_integer(out, "next", (int64_t)next);
	put_bool(out, "more", more);
}

static void answer(struct following *c)
{
	const struct feed_result *f = feed_result(c->feed);
	struct request *r = c->request;

	mp_put_map(&r->result, 4);
	put_page(c, f->next, f->rows, f->more, &r->result);
	put_integer(&r->result, "revision", (int64_t)c->revision);
	request_answer(r);
}

/* ---- following ---- */

/* Rows come with the id of the request, so that a connection may follow more than one thing. */
static void notify(struct following *c, const struct feed_result *f)
{
	struct buf params = {0};

	mp_put_map(&params, 4);
	mp_put_cstr(&params, "id");
	buf_put_bytes(&params, c->request->rpc.id);
	put_page(c, f->next, f->rows, f->more, &params);
	if (!params.error)
		request_notify(c->request, "changes", buf_bytes(&params));
	buf_release(&params);
}

/* True: go on reading. */
static bool tell(struct following *c)
{
	const struct feed_result *f = feed_result(c->feed);
	bool more = f->more;

	if (f->rows || (!c->told && !more))
		notify(c, f);
	c->told |= !more;
	c->spec.since = f->next;
	c->damaged = 0;
	buf_reset(&c->rows);
	c->blocked = request_backlog(c->request) > SESSION_UNSENT_LOW;
	if (more && !c->blocked) {
		feed_turn(c->feed);
		return true;
	}
	reading_end(c);
	c->sound = false;
	/* A commit may have come while this one was read. */
	return !c->blocked;
}

static void on_drained(struct request *r)
{
	struct following *c = r->state;

	if (!c->blocked)
		return;
	c->blocked = false;
	task_start(c->task);
}

void changes_committed(struct source *s)
{
	for (struct following *c = s->followers; c; c = c->next)
		if (!c->blocked)
			task_start(c->task);
}

/* Following ends with its result: the revision to continue from. */
static void on_cancel(struct request *r)
{
	struct following *c = r->state;
	uint64_t next = c->spec.since;

	reading_end(c);
	mp_put_map(&r->result, 3);
	put_page(c, next, 0, false, &r->result);
	request_answer(r);
}

/* ---- reading ---- */

/* True: begin again beside the damage. False: the error was sent. */
static bool failed(struct following *c, int rc, const struct why *why)
{
	reading_end(c);
	if (rc == ERR_CORRUPT && c->damaged++ < DAMAGED_MAX) {
		sync_repair(c->source->sync);
		c->sound = true;
		return true;
	}
	if (rc == ERR_CORRUPT)
		request_error(c->request, RPC_UNAVAILABLE, "damaged", "ask again when it was read",
			      "Stored records that this needs are damaged and are being read again");
	else
		request_error(c->request,
			      rc == ERR_NOMEM || rc == ERR_IO ? RPC_INTERNAL : RPC_INVALID_PARAMS,
			      err_name(rc), NULL, "%s", why->text);
	return false;
}

/* 1: there is a feed to read; 0: nothing new, or no room; or an error. */
static int begin(struct following *c, struct why *why)
{
	c->blocked = c->follow && request_backlog(c->request) > SESSION_UNSENT_LOW;
	if (c->blocked)
		return 0;
	c->view = c->sound ? snapshot_sound(c->source->store) : snapshot_new(c->source->store);
	if (!c->view)
		return why_set(why, ERR_NOMEM, "out of memory");
	c->revision = snapshot_revision(c->view);
	if (c->told && c->revision <= c->spec.since) {
		reading_end(c);
		return 0;
	}
	int rc = feed_open(c->view, &c->spec, &c->feed, why);
	return rc ? rc : 1;
}

/* Too much lies unread for a page of this size. False: the error was sent. */
static bool has_room(struct following *c)
{
	c->request->weight = c->rows.len;
	if (c->follow || c->rows.len <= ROWS_BYTES_MIN || !request_crowded(c->request))
		return true;
	request_error(c->request, RPC_BUSY, "busy", "read your answers, then ask again",
		      "too many answers wait to be read");
	return false;
}

static bool slice(void *ctx)
{
	struct following *c = ctx;
	struct why why = {""};
	int64_t end_us = clock_mono_us() + SLICE_US;
	int rc = c->feed ? 1 : begin(c, &why);

	if (rc == 0)
		return false;
	while (rc > 0 && clock_mono_us() < end_us)
		rc = feed_step(c->feed, STEP_UNITS, &why);
	if (rc < 0)
		return failed(c, rc, &why);
	if (!has_room(c))
		return false;
	if (rc > 0)
		return true;
	if (c->follow)
		return tell(c);
	answer(c);
	return false;
}

/* ---- the question ---- */

static bool add_resource(struct following *c, struct bytes name)
{
	const struct resource_type *type = source_type(c->source, name);

	for (size_t i = 0; type && i < c->spec.count; i++)
		if (c->resources[i].name == type->name)
			return true;
	if (!type || c->spec.count == STORE_RESOURCES_MAX) {
		request_error(c->request, RPC_INVALID_PARAMS, "resource", "see 'ficq fields'",
			      "source %s has no resource '%.*s'", c->source->config->name,
			      (int)(name.len > 60 ? 60 : name.len), (const char *)name.data);
		return false;
	}
	c->resources[c->spec.count++] = (struct feed_resource){type->name, type->fields};
	return true;
}

/* One name, a list, or all. False: the error was sent. */
static bool read_resources(struct following *c)
{
	struct bytes whole;
	struct mp_reader reader;
	struct mp_value v;
	uint32_t n = 1;

	c->spec.resources = c->resources;
	if (!param_raw(c->request, "resource", &whole)) {
		for (const struct resource_type *t = c->source->provider->types; t->name; t++)
			if (source_type(c->source, bytes_str(t->name)) &&
			    !add_resource(c, bytes_str(t->name)))
				return false;
		return true;
	}
	reader = mp_reader_of(whole);
	if (mp_get(whole, &v) && v.type == MP_ARRAY) {
		n = v.count;
		mp_next(&reader, &v);
	}
	for (uint32_t i = 0; i < n; i++) {
		bool text = mp_next(&reader, &v) == 1 && v.type == MP_STR;
		if (!add_resource(c, text ? v.str : bytes_of(NULL, 0)))
			return false;
	}
	return true;
}

/* Without a start, what is followed begins now. False: the error was sent. */
static bool read_since(struct following *c)
{
	struct store_stats stats;
	int64_t since = 0;

	store_stats(c->source->store, &stats);
	if (!param_integer(c->request, "since", &since)) {
		c->spec.since = c->follow ? stats.revision : 0;
		return true;
	}
	if (since < 0 || (uint64_t)since > stats.revision) {
		request_error(c->request, RPC_INVALID_PARAMS, "since",
			      "begin at 0: the store may have been made anew since",
			      "'since' is a revision that this store has not reached: it is at %llu",
			      (unsigned long long)stats.revision);
		return false;
	}
	c->spec.since = (uint64_t)since;
	return true;
}

static bool read_limit(struct following *c)
{
	int64_t limit = c->follow ? LIMIT_MAX : LIMIT_DEFAULT;

	param_integer(c->request, "limit", &limit);
	if (limit < c->follow || limit > LIMIT_MAX) {
		request_error(c->request, RPC_INVALID_PARAMS, "limit", "continue with next as since",
			      "'limit' is %d to %d", c->follow, LIMIT_MAX);
		return false;
	}
	c->spec.limit = (uint32_t)limit;
	return true;
}

static bool read_where(struct following *c)
{
	struct bytes text;

	if (!param_text(c->request, "where", &text))
		return true;
	if (c->spec.count != 1) {
		request_error(c->request, RPC_INVALID_PARAMS, "where", "name one resource",
			      "'where' is about the fields of one resource");
		return false;
	}
	return param_where(c->request, c->source, c->resources[0].fields, &c->arena, &c->spec.where);
}

static struct following *following_new(struct request *r)
{
	struct source *s = param_source(r);
	struct following *c = s ? calloc(1, sizeof *c) : NULL;

	if (!s)
		return NULL;
	if (!c || !(c->task = task_new(r->daemon->loop, slice, c))) {
		free(c);
		request_error(r, RPC_INTERNAL, "no_memory", NULL, "out of memory");
		return NULL;
	}
	c->request = r;
	c->source = s;
	c->follow = param_bool(r, "follow");
	c->spec.source = s->config->name;
	c->spec.rows = &c->rows;
	c->spec.whole = param_bool(r, "doc");
	c->spec.bytes_max = c->follow || request_crowded(r) ? ROWS_BYTES_MIN : ROWS_BYTES_MAX;
	r->state = c;
	r->release = following_release;
	return c;
}

void method_changes(struct request *r)
{
	struct following *c = following_new(r);
	struct bytes *names;

	if (!c || !read_resources(c) || !read_since(c) || !read_limit(c) || !read_where(c) ||
	    !param_fields(r, &c->arena, &names, &c->spec.name_count))
		return;
	c->spec.names = c->spec.name_count ? names : NULL;
	if (c->follow) {
		if (r->rpc.notification) {
			request_error(r, RPC_INVALID_REQUEST, "follow", NULL, "'follow' needs an id");
			return;
		}
		c->next = c->source->followers;
		c->source->followers = c;
		r->drained = on_drained;
		r->cancel = on_cancel;
	}
	task_start(c->task);
}
