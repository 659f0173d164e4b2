/*
 * method_changes: records in the order in which they changed, and on request those to come.
 *
 *   reading (a page of a snapshot, in slices) ─┬─> answered
 *          ^                                   └─> told (a notification) ─> reading, or waiting for the store to change
 *          └── the connection has room again <── blocked: the snapshot is given back, nothing is kept but the revision
 *
 * Whoever follows and does not read keeps one page in memory, and gets what records have become when it reads again.
 *
 * Revisions are a source's own. Where several are asked they are read one after the other, and where to continue is the revision of each: "acme:12,front:33".
 */
#include "method.h"
#include "pairs.h"
#include "params.h"
#include "several.h"

#include <codec/msgpack.h>
#include <query/feed.h>

#include <stdlib.h>

#define LIMIT_DEFAULT  100
#define LIMIT_MAX      1000
#define ROWS_BYTES_MAX (1024 * 1024) /* of an answer */
#define ROWS_BYTES_MIN \
	(64 * 1024) /* of a notification, and of an answer while unread ones fill the memory */
#define DAMAGED_MAX 8
#define STEP_UNITS  16

/* The changes of one source. */
struct following {
	struct changes *changes;
	struct source *source;
	struct following *next; /* that follows this source */
	struct feed_resource resources[STORE_RESOURCES_MAX];
	struct feed_spec spec; /* `since` moves on with each page that was told or is to be answered */
	uint64_t from;         /* where it began */
	uint64_t revision;     /* of the snapshot */
};

struct changes {
	struct request *request;
	struct arena arena;
	struct following all[CONFIG_SOURCES_MAX];
	size_t count, at; /* that is read */
	struct snapshot *view;
	struct feed *feed;
	struct buf rows;
	struct task *task;
	uint32_t limit, row_count; /* of the answer */
	size_t bytes_max;
	bool more; /* an answer's page is full, or a notification has said so */
	bool follow;
	bool told;    /* the client knows that it has everything there was */
	bool blocked; /* until the connection has room */
	bool sound;   /* read what is left beside the damage */
	unsigned damaged;
};

static struct following *current(struct changes *c)
{
	return &c->all[c->at];
}

static void reading_end(struct changes *c)
{
	feed_free(c->feed);
	snapshot_free(c->view);
	c->feed = NULL;
	c->view = NULL;
}

static void unfollow(struct following *f)
{
	struct following **at = &f->source->followers;

	while (*at && *at != f)
		at = &(*at)->next;
	if (*at)
		*at = f->next;
}

static void changes_release(struct request *r)
{
	struct changes *c = r->state;

	for (size_t i = 0; i < c->count; i++)
		unfollow(&c->all[i]);
	reading_end(c);
	task_free(c->task);
	arena_release(&c->arena);
	buf_release(&c->rows);
	free(c);
}

/* A place in the changes of all: a number where one source is asked. `of` gives it for each. */
static void put_place(const struct changes *c, const char *key,
		      uint64_t (*of)(const struct following *f), struct buf *out)
{
	struct buf text = {0};

	if (!param_all_sources(c->request)) {
		put_integer(out, key, (int64_t)of(&c->all[0]));
		return;
	}
	for (size_t i = 0; i < c->count; i++)
		buf_printf(&text, "%s%s:%llu", i ? "," : "", c->all[i].source->config->name,
			   (unsigned long long)of(&c->all[i]));
	mp_put_cstr(out, key);
	mp_put_str(out, buf_bytes(&text));
	if (text.error)
		out->error = text.error;
	buf_release(&text);
}

static uint64_t next_of(const struct following *f)
{
	return f->spec.since;
}

static uint64_t revision_of(const struct following *f)
{
	return f->revision;
}

static void put_page(struct changes *c, uint32_t rows, bool more, struct buf *out)
{
	mp_put_cstr(out, "rows");
	mp_put_array(out, rows);
	buf_put_bytes(out, buf_bytes(&c->rows));
	put_place(c, "next", next_of, out);
	put_bool(out, "more", more);
}

static void answer(struct changes *c)
{
	struct request *r = c->request;

	mp_put_map(&r->result, 4);
	put_page(c, c->row_count, c->more, &r->result);
	put_place(c, "revision", revision_of, &r->result);
	request_answer(r);
}

/* ---- following ---- */

/* Rows come with the id of the request, so that a connection may follow more than one thing. */
static void notify(struct changes *c, uint32_t rows, bool more)
{
	struct buf params = {0};

	mp_put_map(&params, 4);
	mp_put_cstr(&params, "id");
	buf_put_bytes(&params, c->request->rpc.id);
	put_page(c, rows, more, &params);
	if (!params.error)
		request_notify(c->request, "changes", buf_bytes(&params));
	buf_release(&params);
	c->more = more;
}

/* A page of one source has been read. True: go on reading. */
static bool tell(struct changes *c)
{
	const struct feed_result *f = feed_result(c->feed);
	bool last = c->at + 1 == c->count, more = f->more;

	current(c)->spec.since = f->next;
	if (f->rows || (last && !more && (!c->told || c->more)))
		notify(c, f->rows, more || !last);
	c->told |= last && !more;
	c->damaged = 0;
	buf_reset(&c->rows);
	c->blocked = request_backlog(c->request) > SESSION_UNSENT_LOW;
	if (more && !c->blocked) {
		feed_turn(c->feed);
		return true;
	}
	reading_end(c);
	buf_release(&c->rows);
	c->sound = false;
	if (!more)
		c->at = last ? 0 : c->at + 1;
	/* A commit may have come while this one was read. */
	return !c->blocked;
}

static void on_drained(struct request *r)
{
	struct changes *c = r->state;

	if (!c->blocked)
		return;
	c->blocked = false;
	task_start(c->task);
}

void changes_committed(struct source *s)
{
	for (struct following *f = s->followers; f; f = f->next)
		if (!f->changes->blocked)
			task_start(f->changes->task);
}

/* Following ends with its result: the revision to continue from. */
static void on_cancel(struct request *r)
{
	struct changes *c = r->state;

	reading_end(c);
	buf_release(&c->rows);
	mp_put_map(&r->result, 3);
	put_page(c, 0, false, &r->result);
	request_answer(r);
}

/* ---- reading ---- */

/* All that is to be answered is read again. */
static void start_over(struct changes *c)
{
	reading_end(c);
	buf_release(&c->rows);
	c->sound = true;
	if (c->follow)
		return;
	c->at = 0;
	c->row_count = 0;
	for (size_t i = 0; i < c->count; i++)
		c->all[i].spec.since = c->all[i].from;
}

/* True: begin again beside the damage. False: the error was sent. */
static bool failed(struct changes *c, int rc, const struct why *why)
{
	if (rc == ERR_CORRUPT && c->damaged++ < DAMAGED_MAX) {
		sync_repair(current(c)->source->sync);
		start_over(c);
		return true;
	}
	reading_end(c);
	if (rc == ERR_CORRUPT)
		request_error(c->request, RPC_UNAVAILABLE, "damaged", "ask again when it was read",
			      "Stored records that this needs are damaged and are being read again");
	else
		request_error(c->request,
			      rc == ERR_NOMEM || rc == ERR_IO ? RPC_INTERNAL : RPC_INVALID_PARAMS,
			      err_name(rc), NULL, "%s", why->text);
	return false;
}

/* 1: there is a feed to read; 0: of this source nothing new; or an error. */
static int begin_source(struct changes *c, struct why *why)
{
	struct following *f = current(c);

	c->view = c->sound ? snapshot_sound(f->source->store) : snapshot_new(f->source->store);
	if (!c->view)
		return why_set(why, ERR_NOMEM, "out of memory");
	f->revision = snapshot_revision(c->view);
	if (c->told && !c->more && f->revision <= f->spec.since) {
		reading_end(c);
		return 0;
	}
	f->spec.limit = c->limit - c->row_count;
	f->spec.bytes_max = c->bytes_max - (c->rows.len < c->bytes_max ? c->rows.len : 0);
	int rc = feed_open(c->view, &f->spec, &c->feed, why);
	return rc ? rc : 1;
}

/* 1: there is a feed to read; 0: nothing new, or no room; or an error. */
static int begin(struct changes *c, struct why *why)
{
	c->blocked = c->follow && request_backlog(c->request) > SESSION_UNSENT_LOW;
	if (c->blocked)
		return 0;
	for (; c->at < c->count; c->at++) {
		int rc = begin_source(c, why);
		if (rc)
			return rc;
	}
	c->at = 0;
	return 0;
}

/* Too much lies unread for a page of this size. False: the error was sent. */
static bool has_room(struct changes *c)
{
	c->request->weight = c->rows.len;
	if (c->follow || c->rows.len <= ROWS_BYTES_MIN || !request_crowded(c->request))
		return true;
	request_error(c->request, RPC_BUSY, "busy", "read your answers, then ask again",
		      "too many answers wait to be read");
	return false;
}

/* Of those that an answer has no room for, whether there is anything is not looked at. */
static void pass_over(struct changes *c)
{
	struct store_stats stats;

	for (c->at++; c->at < c->count; c->at++) {
		store_stats(current(c)->source->store, &stats);
		current(c)->revision = stats.revision;
		c->more |= stats.revision > current(c)->spec.since;
	}
}

/* A page of one source is part of the answer. True: the next one is to be read, too. */
static bool gather(struct changes *c)
{
	const struct feed_result *f = feed_result(c->feed);

	current(c)->spec.since = f->next;
	c->row_count += f->rows;
	c->more = f->more;
	reading_end(c);
	if (!c->more && c->row_count < c->limit && c->rows.len < c->bytes_max && c->at + 1 < c->count) {
		c->at++;
		return true;
	}
	pass_over(c);
	answer(c);
	return false;
}

static bool slice(void *ctx)
{
	struct changes *c = ctx;
	struct why why = {""};
	int64_t end_us = clock_mono_us() + loop_slice_us(c->request->daemon->loop);
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
	return c->follow ? tell(c) : gather(c);
}

/* ---- the question ---- */

static bool add_resource(struct following *f, const struct resource_type *type)
{
	struct request *r = f->changes->request;

	for (size_t i = 0; i < f->spec.count; i++)
		if (f->resources[i].name == type->name)
			return true;
	if (f->spec.count == STORE_RESOURCES_MAX) {
		request_error(r, RPC_INVALID_PARAMS, "resource", NULL, "'resource' names too many");
		return false;
	}
	f->resources[f->spec.count++] = (struct feed_resource){type->name, type->fields};
	return true;
}

/* To each source that has it. False: the error was sent. */
static bool add_named(struct changes *c, struct bytes name)
{
	bool known = false;
	char hint[HINT_MAX];

	for (size_t i = 0; i < c->count; i++) {
		const struct resource_type *type = source_type(c->all[i].source, name);
		known |= type != NULL;
		if (type && !add_resource(&c->all[i], type))
			return false;
	}
	if (known)
		return true;
	if (param_all_sources(c->request)) {
		several_refuse(c->request, name);
	} else {
		hint_resource(c->all[0].source, name, hint);
		request_error(c->request, RPC_INVALID_PARAMS, "resource", hint,
			      "source %s has no resource '%.*s'", c->all[0].source->config->name,
			      (int)(name.len > 60 ? 60 : name.len), (const char *)name.data);
	}
	return false;
}

static bool add_all(struct changes *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct following *f = &c->all[i];
		for (const struct resource_type *t = f->source->provider->types; t->name; t++)
			if (source_type(f->source, bytes_str(t->name)) && !add_resource(f, t))
				return false;
	}
	return true;
}

/* Sources that have none of the resources are not asked. */
static void drop_idle(struct changes *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		if (c->all[i].spec.count)
			c->all[n++] = c->all[i];
	c->count = n;
	for (size_t i = 0; i < n; i++)
		c->all[i].spec.resources = c->all[i].resources;
}

/* One name, a list, or all. False: the error was sent. */
static bool read_resources(struct changes *c)
{
	struct bytes whole;
	struct mp_reader reader;
	struct mp_value v;
	uint32_t n = 1;

	if (!param_raw(c->request, "resource", &whole)) {
		if (!add_all(c))
			return false;
		drop_idle(c);
		return true;
	}
	reader = mp_reader_of(whole);
	if (mp_get(whole, &v) && v.type == MP_ARRAY) {
		n = v.count;
		mp_next(&reader, &v);
	}
	for (uint32_t i = 0; i < n; i++) {
		bool text = mp_next(&reader, &v) == 1 && v.type == MP_STR;
		if (!add_named(c, text ? v.str : bytes_of(NULL, 0)))
			return false;
	}
	drop_idle(c);
	if (c->count)
		return true;
	request_error(c->request, RPC_INVALID_PARAMS, "resource", NULL, "'resource' names none");
	return false;
}

static bool refuse_since(struct changes *c, const char *words)
{
	request_error(c->request, RPC_INVALID_PARAMS, "since",
		      "0, or next of an answer to the same question, as it is", "'since': %s", words);
	return false;
}

static bool set_since(struct following *f, uint64_t since)
{
	struct store_stats stats;

	store_stats(f->source->store, &stats);
	if (since > stats.revision) {
		request_error(f->changes->request, RPC_INVALID_PARAMS, "since",
			      "begin at 0: the store may have been made anew since",
			      "'since' is a revision that this store has not reached: it is at %llu",
			      (unsigned long long)stats.revision);
		return false;
	}
	f->spec.since = f->from = since;
	return true;
}

/* "acme:12,front:33": of a source that it does not name, all is new. False: the error was sent. */
static bool read_places(struct changes *c, struct bytes text)
{
	while (text.len) {
		const uint8_t *end = memchr(text.data, ',', text.len);
		size_t len = end ? (size_t)(end - text.data) : text.len, digits = 0, i = 0;
		const uint8_t *colon = memchr(text.data, ':', len);
		uint64_t value = 0;
		struct bytes name = bytes_of(text.data, colon ? (size_t)(colon - text.data) : 0);
		for (const uint8_t *p = colon ? colon + 1 : NULL; p && p < text.data + len; p++) {
			if (*p < '0' || *p > '9' || ++digits > 18)
				return refuse_since(c, "not a place in the changes");
			value = value * 10 + (uint64_t)(*p - '0');
		}
		if (digits == 0 || !source_find(c->request->daemon, name))
			return refuse_since(c, "it names no source that is configured");
		while (i < c->count && !bytes_is(name, c->all[i].source->config->name))
			i++;
		if (i < c->count && !set_since(&c->all[i], value))
			return false;
		text = end ? bytes_of(end + 1, text.len - len - 1) : bytes_of(NULL, 0);
	}
	return true;
}

/* Without a start, what is followed begins now. False: the error was sent. */
static bool read_since(struct changes *c)
{
	struct store_stats stats;
	struct bytes text;
	int64_t since = 0;

	if (param_text(c->request, "since", &text))
		return read_places(c, text);
	if (param_integer(c->request, "since", &since)) {
		if (since < 0)
			return refuse_since(c, "not a revision");
		if (since > 0 && param_all_sources(c->request))
			return refuse_since(c, "a number is a revision of one source: name it");
		for (size_t i = 0; i < c->count; i++)
			if (!set_since(&c->all[i], (uint64_t)since))
				return false;
		return true;
	}
	for (size_t i = 0; c->follow && i < c->count; i++) {
		store_stats(c->all[i].source->store, &stats);
		c->all[i].spec.since = c->all[i].from = stats.revision;
	}
	return true;
}

static bool read_limit(struct changes *c)
{
	int64_t limit = c->follow ? LIMIT_MAX : LIMIT_DEFAULT;

	param_integer(c->request, "limit", &limit);
	if (limit < c->follow || limit > LIMIT_MAX) {
		request_error(c->request, RPC_INVALID_PARAMS, "limit", "continue with next as since",
			      "'limit' is %d to %d", c->follow, LIMIT_MAX);
		return false;
	}
	c->limit = (uint32_t)limit;
	return true;
}

static bool no_memory(struct request *r)
{
	request_error(r, RPC_INTERNAL, "no_memory", NULL, "out of memory");
	return false;
}

/* What is asked of one resource is asked by the fields of all sources that have it. */
static bool join_fields(struct changes *c)
{
	const struct field *all[CONFIG_SOURCES_MAX];

	for (size_t i = 0; i < c->count; i++)
		all[i] = c->all[i].resources[0].fields;
	for (size_t i = 0; i < c->count; i++) {
		struct following *f = &c->all[i];
		const struct field *table = several_table(&c->arena, f->source,
							  f->resources[0].fields, all, c->count);
		if (!table)
			return no_memory(c->request);
		f->resources[0].fields = table + 1;
	}
	return true;
}

static bool read_where(struct changes *c)
{
	size_t most = 0, done = 0;
	struct zone *zone = NULL;
	struct bytes text;

	for (size_t i = 0; i < c->count; i++)
		most = c->all[i].spec.count > most ? c->all[i].spec.count : most;
	bool joined = most == 1 && (param_all_sources(c->request) ||
				    param_mentions(c->request, "where", "source"));
	if (joined && !join_fields(c))
		return false;
	if (!param_text(c->request, "where", &text))
		return true;
	if (most != 1) {
		request_error(c->request, RPC_INVALID_PARAMS, "where", "name one resource",
			      "'where' is about the fields of one resource");
		return false;
	}
	if (!param_zone(c->request, &zone))
		return false;
	for (size_t i = 0; i < c->count; i++) {
		struct following *f = &c->all[i];
		const struct field *fields = f->resources[0].fields;
		/* Before those of the rows stands `source`. */
		if (!param_where(c->request, f->source, joined ? fields - 1 : fields, zone,
				 &c->arena, &f->spec.where))
			break;
		done++;
	}
	zone_free(zone);
	return done == c->count;
}

/* False: the error was sent. */
static bool read_names(struct changes *c)
{
	struct bytes *names;
	size_t count;

	if (!param_fields(c->request, &c->arena, &names, &count))
		return false;
	for (size_t i = 0; i < c->count; i++) {
		c->all[i].spec.names = count ? names : NULL;
		c->all[i].spec.name_count = count;
	}
	return true;
}

static struct changes *changes_new(struct request *r)
{
	struct source *sources;
	struct changes *c;
	size_t count;

	if (!param_sources(r, &sources, &count))
		return NULL;
	c = calloc(1, sizeof *c);
	if (!c || !(c->task = task_new(r->daemon->loop, slice, c))) {
		free(c);
		no_memory(r);
		return NULL;
	}
	c->request = r;
	c->count = count;
	c->follow = param_bool(r, "follow");
	c->bytes_max = c->follow || request_crowded(r) ? ROWS_BYTES_MIN : ROWS_BYTES_MAX;
	for (size_t i = 0; i < count; i++)
		c->all[i] = (struct following){
			.changes = c,
			.source = &sources[i],
			.spec = {.source = sources[i].config->name,
				 .rows = &c->rows,
				 .whole = param_bool(r, "doc")},
		};
	r->state = c;
	r->release = changes_release;
	return c;
}

static void follow(struct changes *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct following *f = &c->all[i];
		f->next = f->source->followers;
		f->source->followers = f;
	}
	c->request->drained = on_drained;
	c->request->cancel = on_cancel;
}

void method_changes(struct request *r)
{
	struct changes *c = changes_new(r);

	if (!c || !read_resources(c) || !read_since(c) || !read_limit(c) || !read_where(c) ||
	    !read_names(c))
		return;
	if (c->follow && r->rpc.notification) {
		request_error(r, RPC_INVALID_REQUEST, "follow", NULL, "'follow' needs an id");
		return;
	}
	if (c->follow)
		follow(c);
	task_start(c->task);
}
