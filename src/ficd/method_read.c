/*
 * method_read: records: query, get, thread. Each reads one snapshot, so that its rows and its freshness belong together; long ones go on in slices. One that waits
 * for newer data (refresh.h) holds nothing meanwhile, and begins again when it is there.
 */
#include "method.h"
#include "pairs.h"
#include "params.h"
#include "reading.h"
#include "refresh.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>

#define LIMIT_DEFAULT   100
#define LIMIT_MAX       1000
#define ROWS_BYTES_MAX  (1024 * 1024) /* of one answer; more is another page */
#define ROWS_BYTES_MIN  (64 * 1024)   /* what everybody gets, however many answers lie unread */
#define WAIT_DEFAULT_MS 30000
#define WAIT_MAX_MS     (10 * 60 * 1000)
#define DAMAGED_MAX     8 /* segments that one question may find damaged */

static void reading_release(struct request *r)
{
	struct reading *g = r->state;

	task_free(g->task);
	query_free(g->query);
	thread_free(g->thread);
	aggregate_free(g->aggregate);
	zone_free(g->zone);
	snapshot_free(g->view);
	arena_release(&g->arena);
	buf_release(&g->rows);
	buf_release(&g->memory);
	free(g);
}

/* What is damaged is set aside and read again. The question is answered at once from the rest, with the gap that is left. */
static void fail_damaged(struct reading *g)
{
	struct request *r = g->request;

	sync_repair(g->source->sync);
	if (r->damaged < DAMAGED_MAX) {
		r->damaged++;
		request_restart(r);
		return;
	}
	request_error(g->request, RPC_UNAVAILABLE, "damaged", "ask again when it was read",
		      "Stored records that this needs are damaged and are being read again");
}

void reading_fail(struct reading *g, int rc, const struct why *why)
{
	if (rc == ERR_CORRUPT) {
		fail_damaged(g);
		return;
	}
	int code = rc == ERR_INVALID || rc == ERR_NOTFOUND || rc == ERR_SYNTAX || rc == ERR_LIMIT
			   ? RPC_INVALID_PARAMS
			   : RPC_INTERNAL;

	request_error(g->request, code, err_name(rc), NULL, "%s",
		      why->text[0] ? why->text : "cannot be answered");
}

struct reading *reading_new(struct request *r, const char *resource)
{
	struct source *s = param_source(r);
	const struct resource_type *type;
	struct reading *g;

	if (!s)
		return NULL;
	type = resource ? source_type(s, bytes_str(resource)) : param_resource(r, s);
	if (!type) {
		if (resource)
			request_error(r, RPC_NOT_FOUND, "resource", NULL,
				      "source %s does not keep %s", s->config->name, resource);
		return NULL;
	}
	g = calloc(1, sizeof *g);
	if (!g || !(g->view = r->damaged ? snapshot_sound(s->store) : snapshot_new(s->store))) {
		free(g);
		request_error(r, RPC_INTERNAL, "no_memory", NULL, "out of memory");
		return NULL;
	}
	g->request = r;
	g->source = s;
	g->type = type;
	g->question = (struct freshness_question){
		.start_ms = TIME_MIN, .end_ms = TIME_MAX, .max_age_ms = -1};
	g->least = FRESHNESS_STALE;
	r->state = g;
	r->release = reading_release;
	return g;
}

static bool read_names(struct reading *g)
{
	return param_fields(g->request, &g->arena, &g->names, &g->name_count);
}

/* An answer that met damage is never worth more than partial. */
static void note_damage(struct reading *g, struct freshness *f, uint64_t damaged)
{
	sync_repair(g->source->sync);
	f->complete = false;
	if (f->state != FRESHNESS_FRESH)
		return;
	f->state = FRESHNESS_PARTIAL;
	f->reason = "damaged";
	snprintf(f->message, sizeof f->message,
		 "Some stored records are damaged and are being read again - the answer misses %llu",
		 (unsigned long long)damaged);
}

int reading_freshness(struct reading *g, uint64_t damaged)
{
	struct freshness f;
	int rc = source_judge(g->source, g->view, g->type, &g->question, &f);

	if (rc)
		return rc;
	if (damaged)
		note_damage(g, &f, damaged);
	mp_put_cstr(&g->request->result, "freshness");
	freshness_write(&f, "cache", 0, &g->request->result);
	g->request->worth = f.state;
	freshness_release(&f);
	return 0;
}

void reading_no_memory(struct reading *g)
{
	request_error(g->request, RPC_INTERNAL, "no_memory", NULL, "out of memory");
}

bool reading_has_room(struct reading *g)
{
	g->request->weight = g->rows.len;
	if (g->rows.len <= ROWS_BYTES_MIN || !request_crowded(g->request))
		return true;
	request_error(g->request, RPC_BUSY, "busy", "read your answers, then ask again",
		      "too many answers wait to be read");
	return false;
}

void reading_go(struct reading *g, bool (*step)(void *ctx))
{
	if (!step(g))
		return;
	g->task = task_new(g->request->daemon->loop, step, g);
	if (g->task)
		task_start(g->task);
	else
		reading_no_memory(g);
}

/* False: the error was sent. */
static bool read_demand(struct reading *g, enum config_on_stale *policy, int64_t *timeout_ms)
{
	static const char *const words[] = {"serve", "wait", "error"};
	struct request *r = g->request;
	struct bytes text;

	*policy = g->source->config->on_stale;
	*timeout_ms = WAIT_DEFAULT_MS;
	if (param_text(r, "on_stale", &text)) {
		size_t i = 0;
		while (i < 3 && !bytes_is(text, words[i]))
			i++;
		if (i == 3) {
			request_error(r, RPC_INVALID_PARAMS, "on_stale", NULL,
				      bytes_is(text, "live") ? "'on_stale': live is not in this release"
							     : "'on_stale' is serve, wait or error");
			return false;
		}
		*policy = (enum config_on_stale)i;
	}
	/* The first page was waited for. */
	if (param_raw(r, "cursor", &text))
		*policy = CONFIG_ON_STALE_SERVE;
	param_integer(r, "timeout_ms", timeout_ms);
	if (*timeout_ms < 0 || *timeout_ms > WAIT_MAX_MS) {
		request_error(r, RPC_INVALID_PARAMS, "timeout_ms", NULL, "'timeout_ms' is 0 to %d",
			      WAIT_MAX_MS);
		return false;
	}
	if (param_text(r, "require", &text) && freshness_state_parse(text, &g->least)) {
		request_error(r, RPC_INVALID_PARAMS, "require", NULL,
			      "'require' is fresh, partial or stale");
		return false;
	}
	return true;
}

/* What is done about data that is not fresh. True: read on; false: the answer comes later, or an error was sent. */
static bool act_on(struct reading *g, const struct freshness *f, enum config_on_stale policy,
		   int64_t timeout_ms)
{
	struct request *r = g->request;

	if (f->state != FRESHNESS_FRESH && policy == CONFIG_ON_STALE_WAIT &&
	    refresh_wait(r, g->source, g->type, f, timeout_ms))
		return false;
	if (f->state != FRESHNESS_FRESH && policy == CONFIG_ON_STALE_SERVE)
		refresh_behind(g->source, g->type, f);
	if (f->state <= g->least && (f->state == FRESHNESS_FRESH || policy != CONFIG_ON_STALE_ERROR))
		return true;
	request_error(r, RPC_STALE, freshness_state_name(f->state),
		      policy == CONFIG_ON_STALE_ERROR
			      ? "run 'ficq sync', or ask with on_stale serve or wait"
			      : "run 'ficq sync', or ask without 'require'",
		      "%s", f->message);
	return false;
}

bool reading_meets(struct reading *g)
{
	enum config_on_stale policy;
	int64_t timeout_ms;
	struct freshness f;

	if (!read_demand(g, &policy, &timeout_ms))
		return false;
	if (source_judge(g->source, g->view, g->type, &g->question, &f)) {
		reading_no_memory(g);
		return false;
	}
	bool met = act_on(g, &f, policy, timeout_ms);
	freshness_release(&f);
	return met;
}

bool reading_sound_enough(struct reading *g, uint64_t damaged)
{
	if (!damaged || g->least != FRESHNESS_FRESH)
		return true;
	sync_repair(g->source->sync);
	request_error(g->request, RPC_STALE, "damaged", "ask again when it was read",
		      "Some stored records are damaged and are being read again");
	return false;
}

/* ---- query ---- */

static void query_answer(struct reading *g)
{
	const struct query_result *q = query_result(g->query);
	struct buf *out = &g->request->result;

	if (!reading_sound_enough(g, q->damaged))
		return;
	g->question.start_ms = q->start_ms;
	g->question.end_ms = q->end_ms;
	mp_put_map(out, q->total_known ? 5 : 4);
	if (reading_freshness(g, q->damaged)) {
		reading_no_memory(g);
		return;
	}
	mp_put_cstr(out, "rows");
	mp_put_array(out, q->rows);
	buf_put_bytes(out, buf_bytes(&g->rows));
	put_text(out, "next_cursor", q->more ? q->next_cursor : NULL);
	if (q->total_known)
		put_integer(out, "total", (int64_t)q->total);
	mp_put_cstr(out, "stats");
	mp_put_map(out, 2);
	put_integer(out, "scanned", (int64_t)q->scanned);
	put_integer(out, "duration_us", clock_mono_us() - g->request->began_us);
	request_answer(g->request);
}

static bool query_slice(void *ctx)
{
	struct reading *g = ctx;
	struct why why = {""};
	int64_t end_us = clock_mono_us() + READING_SLICE_US;
	int rc;

	do
		rc = query_step(g->query, READING_STEP_UNITS, &why);
	while (rc > 0 && clock_mono_us() < end_us);
	if (!reading_has_room(g))
		return false;
	if (rc > 0)
		return true;
	if (rc < 0)
		reading_fail(g, rc, &why);
	else
		query_answer(g);
	return false;
}

/* False: the error was sent. */
static bool read_limit(struct reading *g, struct query_spec *spec)
{
	int64_t limit = LIMIT_DEFAULT;

	spec->want_total = param_bool(g->request, "total");
	param_integer(g->request, "limit", &limit);
	if (limit < 0 || limit > LIMIT_MAX) {
		request_error(g->request, RPC_INVALID_PARAMS, "limit",
			      "page through more with next_cursor", "'limit' is 0 to %d", LIMIT_MAX);
		return false;
	}
	spec->limit = (uint32_t)limit;
	return true;
}

static bool read_sort(struct reading *g, struct query_spec *spec)
{
	struct bytes text;
	struct why why = {""};

	if (!param_text(g->request, "sort", &text))
		return true;
	int rc = query_sort(text, spec->fields, spec->axis, &spec->ascending, &spec->sort, &why);
	if (rc)
		request_error(g->request, RPC_INVALID_PARAMS, "sort", "see 'ficq fields'", "%s",
			      why.text);
	return rc == 0;
}

bool reading_text(struct reading *g, struct query_text *out)
{
	struct bytes text;
	struct why why = {""};

	if (!param_text(g->request, "text", &text))
		return true;
	int rc = search_parse(text, &g->arena, &out->search, &why);
	if (rc) {
		request_error(g->request, RPC_BAD_EXPRESSION, err_name(rc),
			      "see ficq(1), THE TEXT LANGUAGE", "%s", why.text);
		return false;
	}
	if (g->type->child) {
		const struct resource_type *child = source_type(g->source, bytes_str(g->type->child));
		out->child = child->name;
		out->child_fields = child->fields;
	}
	return true;
}

void method_query(struct request *r)
{
	struct reading *g = reading_new(r, NULL);
	struct why why = {""};

	if (!g || param_span(r, &g->question) || param_duration(r, "max_age", &g->question.max_age_ms))
		return;
	struct query_spec spec = {
		.source = g->source->config->name,
		.resource = g->type->name,
		.fields = g->type->fields,
		.axis = g->question.axis,
		.start_ms = g->question.start_ms,
		.end_ms = g->question.end_ms,
		.whole = param_bool(r, "doc"),
		.bytes_max = request_crowded(r) ? ROWS_BYTES_MIN : ROWS_BYTES_MAX,
		.rows = &g->rows,
	};
	if (!read_limit(g, &spec) || !read_sort(g, &spec) ||
	    !param_where(r, g->source, g->type->fields, &g->arena, &spec.where) ||
	    !reading_text(g, &spec.text) || !read_names(g) || !reading_meets(g))
		return;
	spec.names = g->names;
	spec.name_count = g->name_count;
	param_text(r, "cursor", &spec.cursor);
	int rc = query_open(g->view, &spec, &g->query, &why);
	if (rc)
		reading_fail(g, rc, &why);
	else
		reading_go(g, query_slice);
}

/* ---- get ---- */

/* What can be said of an id that is not among what is held. It carries no time: where only a span of history is held, the record may be older. */
static void put_unknown(struct reading *g, const struct freshness *f)
{
	struct buf *out = &g->request->result;
	bool covered = f->gaps.count == 0 && f->state == FRESHNESS_FRESH;
	int64_t start = source_history_start(g->source, g->type);
	char when[TIME_TEXT_MAX], detail[160];

	mp_put_map(out, 2);
	if (covered && start > TIME_MIN) {
		snprintf(detail, sizeof detail,
			 "not among what is held since %.10s; it may be older%s",
			 time_text(start, false, when),
			 g->type->parent && !f->complete ? ", or of a thread that is shown in part"
							 : "");
		put_text(out, "reason", "not_covered");
		put_text(out, "detail", detail);
	} else if (covered && f->complete) {
		put_text(out, "reason", "covered_absent");
		put_text(out, "detail", "everything is held, and no such record is among it");
	} else {
		put_text(out, "reason", "not_covered");
		put_text(out, "detail", "not everything is held: it may exist upstream");
	}
}

/* Why there is no such record to show. */
static void answer_absence(struct reading *g, const struct record *stone)
{
	struct buf *out = &g->request->result;
	struct freshness f;
	char when[TIME_TEXT_MAX];

	mp_put_map(out, 2);
	if (reading_freshness(g, 0) || source_judge(g->source, g->view, g->type, &g->question, &f)) {
		reading_no_memory(g);
		return;
	}
	mp_put_cstr(out, "absence");
	if (stone && (stone->flags & RECORD_MERGED)) {
		mp_put_map(out, 3);
		put_text(out, "reason", "merged");
		put_text(out, "detail", "it was merged into another record");
		mp_put_cstr(out, "merged_into");
		mp_put_str(out, stone->merged_into);
	} else if (stone) {
		mp_put_map(out, 3);
		put_text(out, "reason", "deleted");
		put_text(out, "detail", "it was deleted upstream");
		put_text(out, "since",
			 stone->updated_ms == TIME_NONE ? NULL
							: time_text(stone->updated_ms, false, when));
	} else {
		put_unknown(g, &f);
	}
	freshness_release(&f);
	request_answer(g->request);
}

/* Appends the record's row to g->rows; false: the error was sent. */
static bool put_row(struct reading *g, const struct record *record)
{
	struct projection *p = NULL;
	struct why why = {""};
	int rc = projection_new(g->names ? PROJECTION_NAMED : PROJECTION_ALL, g->type->fields,
				g->names, g->name_count, &p, &why);

	if (rc == 0)
		rc = row_write(p, g->source->config->name, g->type->name, record, &g->rows);
	projection_free(p);
	if (rc)
		reading_fail(g, rc, &why);
	return rc == 0;
}

/* 1: live and in `record`; 0: the absence was answered, or an error. */
static int find(struct reading *g, struct bytes id, struct record *record)
{
	int rc = id.len && id.len <= RECORD_ID_MAX
			 ? snapshot_get(g->view, g->type->name, id, &g->memory, record)
			 : 0;

	if (rc == 1 && !(record->flags & RECORD_DELETED))
		return 1;
	if (rc == 1)
		answer_absence(g, record);
	else if (rc == 0)
		answer_absence(g, NULL);
	else
		reading_fail(g, rc, &(struct why){""});
	return 0;
}

void method_get(struct request *r)
{
	struct reading *g = reading_new(r, NULL);
	struct record record;
	struct bytes id;

	if (!g || !read_names(g) || param_duration(r, "max_age", &g->question.max_age_ms) ||
	    !reading_meets(g))
		return;
	param_text(r, "id", &id);
	if (!find(g, id, &record) || !put_row(g, &record) || !reading_has_room(g))
		return;
	mp_put_map(&r->result, 2);
	if (reading_freshness(g, 0)) {
		reading_no_memory(g);
		return;
	}
	mp_put_cstr(&r->result, "record");
	buf_put_bytes(&r->result, buf_bytes(&g->rows));
	request_answer(r);
}

/* ---- thread ---- */

static void thread_answer(struct reading *g)
{
	const struct thread_result *t = thread_result(g->thread);
	struct buf *out = &g->request->result;

	mp_put_map(out, 4);
	if (reading_freshness(g, t->damaged)) {
		reading_no_memory(g);
		return;
	}
	mp_put_cstr(out, "conversation");
	buf_put_bytes(out, g->conversation);
	mp_put_cstr(out, "messages");
	mp_put_array(out, t->rows);
	buf_put_bytes(out, buf_bytes(&g->rows));
	put_bool(out, "truncated", g->truncated || t->truncated);
	request_answer(g->request);
}

static bool thread_slice(void *ctx)
{
	struct reading *g = ctx;
	struct why why = {""};
	int64_t end_us = clock_mono_us() + READING_SLICE_US;
	int rc;

	do
		rc = thread_step(g->thread, READING_STEP_UNITS, &why);
	while (rc > 0 && clock_mono_us() < end_us);
	if (!reading_has_room(g))
		return false;
	if (rc > 0)
		return true;
	if (rc < 0)
		reading_fail(g, rc, &why);
	else
		thread_answer(g);
	return false;
}

/* Whose thread it is: the resource that was named, or the first one with children that has the id; conversations when none has it. False: the
 * error was sent. */
static bool choose_thread(struct reading *g, struct bytes id)
{
	struct record record;
	struct bytes name;

	if (param_text(g->request, "resource", &name)) {
		g->type = param_resource(g->request, g->source);
		if (g->type && !g->type->child)
			request_error(g->request, RPC_INVALID_PARAMS, "resource",
				      "conversations and tickets have", "%s have no threads",
				      g->type->name);
		return g->type && g->type->child;
	}
	for (const struct resource_type *t = g->source->provider->types; t->name; t++) {
		if (!t->child || !source_type(g->source, bytes_str(t->name)) || !id.len ||
		    id.len > RECORD_ID_MAX || snapshot_peek(g->view, t->name, id, &record) != 1 ||
		    (record.flags & RECORD_DELETED))
			continue;
		g->type = t;
		break;
	}
	return true;
}

void method_thread(struct request *r)
{
	struct reading *g = reading_new(r, "conversations");
	const struct resource_type *child;
	struct record record;
	struct bytes id;
	struct why why = {""};

	if (!g || param_duration(r, "max_age", &g->question.max_age_ms))
		return;
	param_text(r, "id", &id);
	if (!choose_thread(g, id) || !reading_meets(g))
		return;
	if (!find(g, id, &record) || !put_row(g, &record))
		return;
	g->truncated = record.flags & RECORD_TRUNCATED;
	g->conversation = arena_bytes(&g->arena, buf_bytes(&g->rows));
	if (!g->conversation.data) {
		reading_no_memory(g);
		return;
	}
	buf_reset(&g->rows);
	child = source_type(g->source, bytes_str(g->type->child));
	struct thread_spec spec = {
		.source = g->source->config->name,
		.resource = child->name,
		.fields = child->fields,
		.parent = id,
		.rows = &g->rows,
	};
	int rc = thread_open(g->view, &spec, &g->thread, &why);
	if (rc)
		reading_fail(g, rc, &why);
	else
		reading_go(g, thread_slice);
}
