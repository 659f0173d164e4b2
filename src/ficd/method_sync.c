/* method_sync: clients' wishes for a sync, their progress, and the audit trail. */
#include "method.h"
#include "pairs.h"
#include "params.h"
#include "several.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <ctype.h>
#include <stdlib.h>

#define RUNS_MAX        (CONFIG_SOURCES_MAX * CONFIG_RESOURCES_MAX)
#define PLAN_MAX        (2 * CONFIG_RESOURCES_MAX)
#define AUDIT_LIMIT_MAX 1000

/* A wish that is waited for. */
struct waiting {
	struct request *request;
	unsigned open;
	struct buf ended; /* run objects, one after the other */
	uint32_t ended_count;
};

static void waiting_release(struct request *r)
{
	struct waiting *w = r->state;

	for (size_t i = 0; i < r->daemon->source_count; i++)
		sync_unwatch(r->daemon->sources[i].sync, w);
	buf_release(&w->ended);
	free(w);
}

static void on_progress(void *ctx, const struct run_info *run)
{
	struct waiting *w = ctx;
	struct buf params = {0};
	double ratio = run_progress(run);
	int64_t ms = loop_wall_ms(w->request->daemon->loop) - run->started_ms;

	mp_put_map(&params, 8);
	put_text(&params, "source", run->source);
	put_text(&params, "resource", run->resource);
	put_integer(&params, "run", (int64_t)run->id);
	put_text(&params, "phase", run->phase);
	put_integer(&params, "done", (int64_t)run->done);
	mp_put_cstr(&params, "total");
	if (run->total >= 0)
		mp_put_int(&params, run->total);
	else
		mp_put_nil(&params);
	mp_put_cstr(&params, "ratio");
	if (ratio >= 0)
		mp_put_float(&params, ratio);
	else
		mp_put_nil(&params);
	put_real(&params, "rate", ms > 0 ? (double)run->done * 1000 / (double)ms : 0);
	request_notify(w->request, "progress", buf_bytes(&params));
	buf_release(&params);
}

static void waiting_answer(struct waiting *w)
{
	struct request *r = w->request;

	mp_put_map(&r->result, 1);
	mp_put_cstr(&r->result, "runs");
	mp_put_array(&r->result, w->ended_count);
	buf_put_bytes(&r->result, buf_bytes(&w->ended));
	if (w->ended.error)
		r->result.error = w->ended.error;
	request_answer(r);
}

static void on_ended(void *ctx, const struct run_info *run);

static void watch_run(struct waiting *w, uint64_t id)
{
	struct run_watch watch = {on_progress, on_ended, w};

	for (size_t i = 0; i < w->request->daemon->source_count; i++)
		if (sync_watch(w->request->daemon->sources[i].sync, id, &watch) == 0) {
			w->open++;
			return;
		}
}

static void on_ended(void *ctx, const struct run_info *run)
{
	struct waiting *w = ctx;

	run_encode(run, &w->ended);
	w->ended_count++;
	if (run->follow)
		watch_run(w, run->follow);
	if (--w->open == 0)
		waiting_answer(w);
}

static void answer_ids(struct request *r, const uint64_t *ids, size_t count)
{
	mp_put_map(&r->result, 1);
	mp_put_cstr(&r->result, "runs");
	mp_put_array(&r->result, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		mp_put_uint(&r->result, ids[i]);
	request_answer(r);
}

static void wait_for(struct request *r, const uint64_t *ids, size_t count)
{
	struct waiting *w = calloc(1, sizeof *w);

	if (!w) {
		request_error(r, RPC_INTERNAL, "no_memory", NULL, "out of memory");
		return;
	}
	w->request = r;
	r->state = w;
	r->release = waiting_release;
	for (size_t i = 0; i < count; i++)
		watch_run(w, ids[i]);
	if (w->open == 0)
		waiting_answer(w);
}

static bool read_mode(struct request *r, enum sync_mode *out)
{
	static const char *const names[] = {
		[SYNC_CHANGES] = "changes",
		[SYNC_FULL] = "full",
		[SYNC_BACKFILL] = "backfill",
		[SYNC_VERIFY] = "verify",
	};
	struct bytes mode;

	*out = SYNC_CHANGES;
	if (!param_text(r, "mode", &mode))
		return true;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bytes_is(mode, names[i])) {
			*out = (enum sync_mode)i;
			return true;
		}
	request_error(r, RPC_INVALID_PARAMS, "mode", NULL,
		      "'mode' is changes, full, backfill or verify");
	return false;
}

struct wish {
	uint64_t ids[RUNS_MAX];
	size_t count;
	enum sync_mode mode;
	struct freshness_question span; /* since and until */
	bool dry;                       /* what it would cost, instead */
	bool looking;                   /* whether all of it can be done: nothing is begun */
	struct buf plan;
	uint32_t planned;
	int64_t calls_least, calls, ms; /* in all; -1: something of it is not known */
	char hint[HINT_MAX];            /* to `why`; "": none */
	struct why why;
};

static void put_known(struct buf *out, const char *key, int64_t value)
{
	if (value < 0)
		put_text(out, key, NULL);
	else
		put_integer(out, key, value);
}

static int64_t add_known(int64_t sum, int64_t value)
{
	return sum < 0 || value < 0 ? -1 : sum + value;
}

static void put_estimate(struct wish *w, const struct source *s, const struct sync_estimate *e)
{
	mp_put_map(&w->plan, 9);
	put_text(&w->plan, "source", s->config->name);
	put_text(&w->plan, "resource", e->resource);
	put_text(&w->plan, "kind", run_kind_name(e->kind));
	mp_put_cstr(&w->plan, "span");
	mp_put_array(&w->plan, 2);
	put_time_value(&w->plan, e->span_start_ms);
	put_time_value(&w->plan, e->span_end_ms);
	put_integer(&w->plan, "calls_least", e->calls_least);
	put_known(&w->plan, "calls", e->calls);
	put_known(&w->plan, "duration_least_ms", e->ms_least);
	put_known(&w->plan, "duration_ms", e->ms);
	put_text(&w->plan, "basis", e->basis);
	w->planned++;
	w->calls_least += e->calls_least;
	w->calls = add_known(w->calls, e->calls);
	w->ms = add_known(w->ms, e->ms);
}

static int plan_one(struct wish *w, const struct source *s, const struct resource_type *type)
{
	struct sync_estimate items[PLAN_MAX];
	int n = sync_estimate(s->sync, type, w->mode, w->span.start_ms, w->span.end_ms, items,
			      PLAN_MAX, &w->why);

	for (int i = 0; i < n; i++)
		put_estimate(w, s, &items[i]);
	return n < 0 ? n : 0;
}

/* A call each. */
static void plan_ids(struct wish *w, const struct source *s, const struct resource_type *type, int n)
{
	const struct sync_estimate e = {
		.resource = type->name,
		.kind = RUN_ONE,
		.span_start_ms = TIME_MIN,
		.span_end_ms = TIME_MAX,
		.calls_least = n,
		.calls = n,
		.ms_least = -1,
		.ms = -1,
		.basis = "a call for each id",
	};

	put_estimate(w, s, &e);
}

static void answer_plan(struct request *r, const struct wish *w)
{
	mp_put_map(&r->result, 4);
	mp_put_cstr(&r->result, "plan");
	mp_put_array(&r->result, w->planned);
	buf_put_bytes(&r->result, buf_bytes(&w->plan));
	put_integer(&r->result, "calls_least", w->calls_least);
	put_known(&r->result, "calls", w->calls);
	put_known(&r->result, "duration_ms", w->ms);
	if (w->plan.error)
		r->result.error = w->plan.error;
	request_answer(r);
}

static int wish_one(struct wish *w, struct source *s, const struct resource_type *type)
{
	if (w->dry)
		return w->looking ? 0 : plan_one(w, s, type);
	/* Whoever wishes may have mended it. */
	if (w->looking)
		source_token(s);
	if (s->token.len == 0)
		return why_set(&w->why, ERR_DENIED, "%s", s->token_error);
	if (w->looking)
		return 0;
	int n = sync_wish_span(s->sync, type, w->mode, w->span.start_ms, w->span.end_ms,
			       w->ids + w->count, RUNS_MAX - w->count, &w->why);
	if (n > 0)
		w->count += (size_t)n;
	return n < 0 ? n : 0;
}

/* A question of all sources is one of those that have the resource. */
static bool is_elsewhere(const struct request *r, struct bytes name)
{
	for (size_t i = 0; param_all_sources(r) && i < r->daemon->source_count; i++)
		if (source_type(&r->daemon->sources[i], name))
			return true;
	return false;
}

static int unknown_resource(struct wish *w, const struct source *s, struct bytes name)
{
	hint_resource(s, name, w->hint);
	return why_set(&w->why, ERR_INVALID, "source %s has no resource '%.*s'", s->config->name,
		       (int)(name.len > 60 ? 60 : name.len), (const char *)name.data);
}

/* `resource` is a name or a list of names. */
static int wish_source(struct request *r, struct wish *w, struct source *s)
{
	struct bytes whole;
	struct mp_reader reader;
	struct mp_value v;
	uint32_t n = 1;

	if (!param_raw(r, "resource", &whole))
		return wish_one(w, s, NULL);
	reader = mp_reader_of(whole);
	if (mp_get(whole, &v) && v.type == MP_ARRAY) {
		n = v.count;
		mp_next(&reader, &v);
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct resource_type *type = NULL;
		if (mp_next(&reader, &v) == 1 && v.type == MP_STR)
			type = source_type(s, v.str);
		if (!type && v.type == MP_STR && is_elsewhere(r, v.str))
			continue;
		if (!type)
			return unknown_resource(w, s, v.type == MP_STR ? v.str : bytes_str(""));
		int rc = wish_one(w, s, type);
		if (rc)
			return rc;
	}
	return 0;
}

static void answer_wish(struct request *r, const struct wish *w)
{
	if (param_bool(r, "wait"))
		wait_for(r, w->ids, w->count);
	else
		answer_ids(r, w->ids, w->count);
}

/* A text, or a list of them. The number; -1: more than fit. */
static int read_ids(struct request *r, struct bytes out[SYNC_IDS_MAX])
{
	struct bytes whole;
	struct mp_reader reader;
	struct mp_value v;
	uint32_t n = 1;

	if (!param_raw(r, "ids", &whole))
		return 0;
	reader = mp_reader_of(whole);
	if (mp_get(whole, &v) && v.type == MP_ARRAY) {
		n = v.count;
		mp_next(&reader, &v);
	}
	if (n > SYNC_IDS_MAX)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		out[i] = mp_next(&reader, &v) == 1 && v.type == MP_STR ? v.str : bytes_of(NULL, 0);
	return (int)n;
}

/* The named source, or the only one that has the resource: an id does not say whose it is before it is read. NULL: the error was sent. */
static struct source *source_of_ids(struct request *r)
{
	struct source *only = NULL;
	struct bytes name;

	if (!param_all_sources(r) || !param_text(r, "resource", &name))
		return param_source(r);
	for (size_t i = 0; i < r->daemon->source_count; i++) {
		if (!source_type(&r->daemon->sources[i], name))
			continue;
		if (only)
			return param_source(r);
		only = &r->daemon->sources[i];
	}
	if (!only)
		several_refuse(r, name);
	return only;
}

/* Just these records. */
static void wish_ids(struct request *r)
{
	struct wish w = {.count = 1, .why = {""}};
	struct source *s = source_of_ids(r);
	const struct resource_type *type = s ? param_resource(r, s) : NULL;
	struct bytes ids[SYNC_IDS_MAX], unused;
	int n = type ? read_ids(r, ids) : 0;

	if (!type)
		return;
	if (param_raw(r, "resource", &unused) && !param_text(r, "resource", &unused)) {
		request_error(r, RPC_INVALID_PARAMS, "resource", NULL,
			      "'ids' are of one resource: give its name as a text");
		return;
	}
	if (param_text(r, "mode", &unused) || param_raw(r, "since", &unused) ||
	    param_raw(r, "until", &unused)) {
		request_error(
			r, RPC_INVALID_PARAMS, "ids", NULL,
			"'ids' goes without mode, since and until: these records are read as they are now");
		return;
	}
	if (n < 1) {
		request_error(r, RPC_INVALID_PARAMS, "ids", NULL, "'ids' is a list of 1 to %d ids",
			      SYNC_IDS_MAX);
		return;
	}
	for (int i = 0; i < n; i++)
		if (ids[i].len == 0) {
			request_error(r, RPC_INVALID_PARAMS, "ids", NULL,
				      "id %d of the list is empty, or not a text", i + 1);
			return;
		}
	if (param_bool(r, "dry_run") && (type->traits & TRAIT_ONE)) {
		plan_ids(&w, s, type, n);
		answer_plan(r, &w);
		buf_release(&w.plan);
		return;
	}
	source_token(s);
	if (s->token.len == 0) {
		request_error(r, RPC_UNAVAILABLE, err_name(ERR_DENIED), NULL, "%s", s->token_error);
		return;
	}
	int rc = sync_wish_ids(s->sync, type, ids, (size_t)n, w.ids, &w.why);
	if (rc == ERR_INVALID)
		request_error(r, RPC_INVALID_PARAMS, "ids", NULL, "%s", w.why.text);
	else if (rc == ERR_LIMIT)
		request_error(r, RPC_BUSY, err_name(rc), NULL, "%s", w.why.text);
	else if (rc)
		request_error(r, RPC_UNAVAILABLE, err_name(rc), NULL, "%s", w.why.text);
	else
		answer_wish(r, &w);
}

/* Of the sources that are meant. */
static int wish_sources(struct request *r, struct wish *w, const struct source *only)
{
	struct daemon *d = r->daemon;
	int rc = 0;

	for (size_t i = 0; i < d->source_count && rc == 0; i++)
		if (!only || only == &d->sources[i])
			rc = wish_source(r, w, &d->sources[i]);
	return rc;
}

/* Changes and full readings know no span. */
static bool read_span(struct request *r, struct wish *w)
{
	bool limited;

	if (param_span(r, &w->span))
		return false;
	limited = w->span.start_ms != TIME_MIN || w->span.end_ms != TIME_MAX;
	if (!limited || w->mode == SYNC_BACKFILL || w->mode == SYNC_VERIFY)
		return true;
	request_error(r, RPC_INVALID_PARAMS, "span", "'ficq help sync' tells the modes",
		      "a span of time goes with the modes backfill and verify only");
	return false;
}

void method_sync(struct request *r)
{
	struct wish w = {.looking = true, .why = {""}};
	struct source *only = NULL;
	struct bytes name;

	if (param_raw(r, "ids", &name)) {
		wish_ids(r);
		return;
	}
	if (!read_mode(r, &w.mode) || !read_span(r, &w))
		return;
	w.dry = param_bool(r, "dry_run");
	if (param_text(r, "source", &name)) {
		only = param_source(r);
		if (!only)
			return;
	}
	int rc = wish_sources(r, &w, only);
	w.looking = false;
	if (rc == 0)
		rc = wish_sources(r, &w, only);
	if (rc == ERR_INVALID)
		request_error(r, RPC_INVALID_PARAMS, "resource",
			      w.hint[0] ? w.hint : "see 'ficq fields'", "%s", w.why.text);
	else if (rc)
		request_error(r, RPC_UNAVAILABLE, err_name(rc), NULL, "%s", w.why.text);
	else if (w.dry)
		answer_plan(r, &w);
	else
		answer_wish(r, &w);
	buf_release(&w.plan);
}

/* ---- runs ---- */

/* One source's trail, newest first, as far as an answer may need it. */
struct audit {
	const struct source *source;
	struct bytes resource;
	struct buf values; /* one behind the other */
	uint64_t *sequences;
	size_t count, max, at; /* read, wanted, given */
	struct mp_reader reader;
	struct bytes head;     /* the next one; {NULL, 0}: there is none */
	uint64_t before, last; /* where it began, and the last one that was given */
};

static bool audit_entry(void *ctx, uint64_t sequence, struct bytes value)
{
	struct audit *a = ctx;
	struct bytes resource;

	if (a->resource.len &&
	    (!mp_find_str(value, "resource", &resource) || !bytes_equal(resource, a->resource)))
		return true;
	buf_put_bytes(&a->values, value);
	a->sequences[a->count++] = sequence;
	return a->count < a->max;
}

static void audit_advance(struct audit *a)
{
	if (a->at == a->count || mp_take(&a->reader, &a->head) != 1)
		a->head = bytes_of(NULL, 0);
}

/* 0 or an error. */
static int audit_read(struct audit *a)
{
	a->sequences = calloc(a->max, sizeof *a->sequences);
	int rc = a->sequences ? trail_scan(a->source->trail, a->before, audit_entry, a) : ERR_NOMEM;

	if (rc || a->values.error)
		return rc ? rc : a->values.error;
	a->reader = mp_reader_of(buf_bytes(&a->values));
	audit_advance(a);
	return 0;
}

/* The trail whose next run ended last; NULL: there is none. Each trail keeps its own order. */
static struct audit *audit_newest(struct audit *all, size_t count)
{
	struct audit *newest = NULL;
	struct bytes ended, best = {NULL, 0};

	for (size_t i = 0; i < count; i++) {
		if (!all[i].head.data)
			continue;
		if (!mp_find_str(all[i].head, "ended", &ended))
			ended = bytes_str("");
		if (newest && bytes_compare(ended, best) <= 0)
			continue;
		newest = &all[i];
		best = ended;
	}
	return newest;
}

static bool refuse_cursor(struct request *r)
{
	request_error(r, RPC_INVALID_PARAMS, "cursor", "use next_cursor of the answer before",
		      "not a cursor");
	return false;
}

/* A number for each source, divided by dots. False: the error was sent. */
static bool read_cursor(struct request *r, struct audit *all, size_t count)
{
	struct bytes text;

	if (!param_text(r, "cursor", &text))
		return true;
	for (size_t i = 0; i < count; i++) {
		uint64_t n = 0;
		size_t digits = 0;
		for (; digits < text.len && digits < 20 && isdigit(text.data[digits]); digits++)
			n = n * 10 + (uint64_t)(text.data[digits] - '0');
		bool end = digits == text.len;
		if (digits == 0 || (!end && text.data[digits] != '.') || end != (i + 1 == count))
			return refuse_cursor(r);
		all[i].before = all[i].last = n;
		text = end ? bytes_of(NULL, 0)
			   : bytes_of(text.data + digits + 1, text.len - digits - 1);
	}
	return true;
}

static void put_cursor(struct buf *out, const struct audit *all, size_t count)
{
	struct buf text = {0};
	bool more = false;

	for (size_t i = 0; i < count; i++) {
		more |= all[i].head.data != NULL;
		buf_printf(&text, "%s%llu", i ? "." : "", (unsigned long long)all[i].last);
	}
	mp_put_cstr(out, "next_cursor");
	if (more)
		mp_put_str(out, buf_bytes(&text));
	else
		mp_put_nil(out);
	if (text.error)
		out->error = text.error;
	buf_release(&text);
}

static void put_runs(struct buf *out, struct audit *all, size_t count, int64_t limit)
{
	struct audit *a;
	uint32_t n = 0;

	mp_put_map(out, 2);
	mp_put_cstr(out, "runs");
	size_t mark = mp_begin_array(out);
	for (; n < limit && (a = audit_newest(all, count)); n++) {
		buf_put_bytes(out, a->head);
		a->last = a->sequences[a->at++];
		audit_advance(a);
	}
	mp_end_array(out, mark, n);
	put_cursor(out, all, count);
}

static void answer_runs(struct request *r, struct audit *all, size_t count, int64_t limit)
{
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++)
		rc = audit_read(&all[i]);
	if (rc == 0)
		put_runs(&r->result, all, count, limit);
	for (size_t i = 0; i < count; i++) {
		buf_release(&all[i].values);
		free(all[i].sequences);
	}
	if (rc)
		request_error(r, RPC_INTERNAL, err_name(rc), NULL, "the audit trail cannot be read");
	else
		request_answer(r);
}

/* The resource, if one is asked for, of at least one of the sources. False: the error was sent. */
static bool read_resource(struct request *r, const struct source *sources, size_t count,
			  struct bytes *out)
{
	if (!param_text(r, "resource", out))
		return true;
	for (size_t i = 0; i < count; i++)
		if (source_type(&sources[i], *out))
			return true;
	if (count == 1)
		return param_resource(r, &sources[0]) != NULL;
	several_refuse(r, *out);
	return false;
}

void method_runs(struct request *r)
{
	struct audit all[CONFIG_SOURCES_MAX] = {{0}};
	struct source *sources;
	struct bytes resource = {NULL, 0};
	int64_t limit = 50;
	size_t count;

	if (!param_sources(r, &sources, &count))
		return;
	param_integer(r, "limit", &limit);
	if (limit < 1 || limit > AUDIT_LIMIT_MAX) {
		request_error(r, RPC_INVALID_PARAMS, "limit", NULL, "'limit' is 1 to %d",
			      AUDIT_LIMIT_MAX);
		return;
	}
	if (!read_resource(r, sources, count, &resource))
		return;
	for (size_t i = 0; i < count; i++)
		all[i] = (struct audit){.source = &sources[i],
					.resource = resource,
					.max = (size_t)limit + 1,
					.before = UINT64_MAX,
					.last = UINT64_MAX};
	if (read_cursor(r, all, count))
		answer_runs(r, all, count, limit);
}
