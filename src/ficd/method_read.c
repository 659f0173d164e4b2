/*
 * method_read: records: query, get, thread. Each reads one snapshot (reading.h), so that its rows and its freshness belong together; long ones go on in slices.
 */
#include "kept.h"
#include "live.h"
#include "method.h"
#include "overlay.h"
#include "pairs.h"
#include "params.h"
#include "reading.h"
#include "stream.h"

#include <codec/msgpack.h>

#include <stdio.h>

#define LIMIT_DEFAULT  100
#define LIMIT_MAX      1000
#define ROWS_BYTES_MAX (1024 * 1024) /* of one answer; more is another page */

static bool read_names(struct reading *g)
{
	return param_fields(g->request, &g->arena, &g->names, &g->name_count);
}

/* ---- query ---- */

static void put_query(struct reading *g, const struct answer *a, const char *next_cursor,
		      uint64_t damaged)
{
	struct buf *out = &g->request->result;

	for (struct reading *part = g; part; part = part->next) {
		part->question.start_ms = a->start_ms;
		part->question.end_ms = a->end_ms;
	}
	mp_put_map(out, 4u + a->total_known + (g->stream != NULL));
	if (reading_freshness(g, damaged)) {
		reading_no_memory(g);
		return;
	}
	mp_put_name(out, "rows");
	if (g->stream)
		mp_put_array(out, 0);
	else
		kept_splice(g, a);
	if (g->stream)
		put_integer(out, "streamed", (int64_t)a->row_count);
	put_text(out, "next_cursor", next_cursor);
	if (a->total_known)
		put_integer(out, "total", (int64_t)a->total);
	mp_put_name(out, "stats");
	mp_put_map(out, 2);
	put_integer(out, "scanned", (int64_t)a->scanned);
	put_integer(out, "duration_us", clock_mono_us() - g->request->began_us);
	request_answer(g->request);
}

static void query_answer(struct reading *g)
{
	const struct query_result *q = reading_result(g);
	char room[CURSOR_TEXT_MAX];
	struct answer a = {
		.rows = buf_bytes(&g->rows),
		.row_count = q->rows,
		.start_ms = q->start_ms,
		.end_ms = q->end_ms,
		.total = q->total,
		.scanned = q->scanned,
		.total_known = q->total_known,
		.more = q->more,
	};

	if (!reading_sound_enough(g, q->damaged))
		return;
	const char *cursor = q->more ? reading_cursor(g, room) : NULL;
	if (cursor && !g->next)
		snprintf(a.next_cursor, sizeof a.next_cursor, "%s", cursor);
	live_look(g->request, buf_bytes(&g->rows));
	if (!q->damaged)
		kept_note(g, &a);
	put_query(g, &a, cursor, q->damaged);
}

static bool query_slice(void *ctx)
{
	struct reading *g = ctx;
	struct why why = {""};
	int64_t end_us = reading_slice_end(g);
	int rc;

	do
		rc = reading_step(g, &why);
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
	int64_t max = spec->flow ? UINT32_MAX : LIMIT_MAX, limit = spec->flow ? max : LIMIT_DEFAULT;

	spec->want_total = param_bool(g->request, "total");
	param_integer(g->request, "limit", &limit);
	if (limit < 0 || limit > max) {
		request_error(g->request, RPC_INVALID_PARAMS, "limit",
			      spec->flow ? NULL
					 : "page through more with next_cursor, or ask with 'stream'",
			      "'limit' is 0 to %lld", (long long)max);
		return false;
	}
	spec->limit = (uint32_t)limit;
	g->counted = limit == 0;
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

/* What one source is asked. False: the error was sent. */
static bool read_question(struct reading *g, const struct zone *zone, struct query_spec *spec)
{
	struct request *r = g->request;

	*spec = (struct query_spec){
		.source = g->source->config->name,
		.resource = g->type->name,
		.fields = g->fields,
		.axis = g->question.axis,
		.start_ms = g->question.start_ms,
		.end_ms = g->question.end_ms,
		.whole = param_bool(r, "doc"),
		.flow = param_bool(r, "stream"),
		.rows = &g->rows,
	};
	g->crowded = !spec->flow && request_crowded(r);
	spec->bytes_max = spec->flow   ? STREAM_PIECE_BYTES
			  : g->crowded ? READING_BYTES_MIN
				       : ROWS_BYTES_MAX;
	if (!read_limit(g, spec) || !read_sort(g, spec) ||
	    !param_where(r, g->source, g->asked_fields, zone, &g->arena, &spec->where) ||
	    !reading_text(g, &spec->text) || !read_names(g))
		return false;
	spec->names = g->names;
	spec->name_count = g->name_count;
	param_text(r, "cursor", &spec->cursor);
	g->asks.where = spec->where;
	g->asks.search = spec->text.search;
	return true;
}

/* The rows of all sources in one order. */
static int open_merge(struct reading *g, const struct merged_part *parts, size_t count, struct why *why)
{
	const struct query_spec *one = &parts[0].spec;
	const struct merged_spec spec = {
		.parts = parts,
		.count = count,
		.limit = one->limit,
		.bytes_max = one->bytes_max,
		.flow = one->flow,
		.want_total = one->want_total,
		.cursor = one->cursor,
		.rows = one->rows,
	};

	return merged_open(&spec, &g->merged, why);
}

void method_query(struct request *r)
{
	struct reading *g = reading_new(r, NULL);
	struct merged_part parts[CONFIG_SOURCES_MAX];
	struct why why;
	size_t n = 0;

	why_clear(&why);
	if (!g || param_span(r, &g->question) ||
	    param_duration(r, "max_age", &g->question.max_age_ms) || !param_zone(r, &g->zone))
		return;
	reading_share(g);
	for (struct reading *part = g; part; part = part->next) {
		parts[n].view = part->view;
		if (!read_question(part, g->zone, &parts[n++].spec))
			return;
	}
	if (!reading_meets(g))
		return;
	bool flow = parts[0].spec.flow;
	const struct answer *known = flow ? NULL : kept_find(g);
	if (known) {
		put_query(g, known, known->more ? known->next_cursor : NULL, 0);
		return;
	}
	n = 0;
	for (struct reading *part = g; part; part = part->next)
		if (!reading_overlay(part, &parts[n++].spec.overlay))
			return;
	int rc = n > 1 ? open_merge(g, parts, n, &why)
		       : query_open(g->view, &parts[0].spec, &g->query, &why);
	if (rc)
		reading_fail(g, rc, &why);
	else if (flow && stream_begin(g))
		stream_go(g, query_answer);
	else if (!flow)
		reading_go(g, query_slice);
}

/* ---- by id ---- */

enum held { HELD_NOT, HELD_DELETED, HELD };

static enum held held_as(const struct reading *g, const struct resource_type *type, struct bytes id)
{
	struct record record;

	if (!id.len || id.len > RECORD_ID_MAX || snapshot_peek(g->view, type->name, id, &record) != 1)
		return snapshot_forgotten(g->view, type->name, id) ? HELD_DELETED : HELD_NOT;
	return record.flags & RECORD_DELETED ? HELD_DELETED : HELD;
}

/* The first resource with children that has the id; NULL: none has. */
static const struct resource_type *thread_type(const struct reading *g, struct bytes id)
{
	for (const struct resource_type *t = g->source->provider->types; t->name; t++)
		if (t->child && source_type(g->source, bytes_str(t->name)) && held_as(g, t, id) == HELD)
			return t;
	return NULL;
}

static void refuse_both(struct request *r, struct bytes id, const struct reading *a,
			const struct reading *b)
{
	char hint[160];

	snprintf(hint, sizeof hint, "name the source: %.60s or %.60s", a->source->config->name,
		 b->source->config->name);
	request_error(r, RPC_INVALID_PARAMS, "ambiguous", hint,
		      "'%.*s' is in several sources: in %s and in %s",
		      (int)(id.len > 60 ? 60 : id.len), (const char *)id.data,
		      a->source->config->name, b->source->config->name);
}

/* Which source has it; a tombstone counts where no other has it alive. The first of the list when none has, NULL: the error was sent. */
static struct reading *choose_source(struct reading *first, struct bytes id, bool thread)
{
	struct reading *alive = NULL, *dead = NULL;
	struct bytes name;

	thread = thread && !param_text(first->request, "resource", &name);
	for (struct reading *g = first; g && first->next; g = g->next) {
		enum held held = thread && thread_type(g, id) ? HELD : held_as(g, g->type, id);
		if (held == HELD && alive) {
			refuse_both(first->request, id, alive, g);
			return NULL;
		}
		if (held == HELD)
			alive = g;
		else if (held == HELD_DELETED && !dead)
			dead = g;
	}
	if (!alive && !dead)
		return first;
	alive = alive ? alive : dead;
	reading_keep(first, alive);
	return alive;
}

/* ---- get ---- */

/* What can be said of an id that is not among what is held. It carries no time: where only a span of history is held, the record may be older. */
static void put_unknown(struct reading *g, const struct freshness *f)
{
	struct buf *out = &g->request->result;
	bool covered = f->gaps.count == 0 && f->state == FRESHNESS_FRESH;
	int64_t start = f->covered.count ? f->covered.items[f->covered.count - 1].start_ms : TIME_MIN;
	char when[TIME_TEXT_MAX], detail[160];

	mp_put_map(out, 2);
	if (live_knows_absent(g)) {
		put_text(out, "reason", "covered_absent");
		put_text(out, "detail",
			 "the provider was asked for it just now, and has no such record");
	} else if (covered && start > TIME_MIN) {
		snprintf(detail, sizeof detail,
			 "not among what is held since %.10s %.5s UTC; it may be older%s",
			 time_text(start, false, when), when + 11,
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

/* What is said of a record that was forgotten. */
static void put_forgotten(struct buf *out)
{
	mp_put_map(out, 3);
	put_text(out, "reason", "deleted");
	put_text(out, "detail", "forgotten");
	put_text(out, "since", NULL);
}

/* Why there is no such record to show. */
static void answer_absence(struct reading *g, const struct record *stone, bool forgotten)
{
	struct buf *out = &g->request->result;
	struct freshness f;
	char when[TIME_TEXT_MAX];

	mp_put_map(out, 2);
	if (reading_freshness(g, 0) || reading_judge(g, &f)) {
		reading_no_memory(g);
		return;
	}
	mp_put_name(out, "absence");
	if (forgotten) {
		put_forgotten(out);
	} else if (stone && (stone->flags & RECORD_MERGED)) {
		mp_put_map(out, 3);
		put_text(out, "reason", "merged");
		put_text(out, "detail", "it was merged into another record");
		mp_put_name(out, "merged_into");
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

/* Appends the record's row with these names, or with all (NULL), to g->rows; false: the error was sent. */
static bool put_row(struct reading *g, const struct record *record, const struct bytes *names,
		    size_t name_count)
{
	struct projection *p = NULL;
	struct why why = {""};
	const struct projection_spec shown = {
		.kind = names ? PROJECTION_NAMED : PROJECTION_ALL,
		.source = g->source->config->name,
		.resource = g->type->name,
		.fields = g->fields,
		.names = names,
		.name_count = name_count,
	};
	int rc = projection_new(&shown, &p, &why);

	if (rc == 0)
		rc = row_write(p, record, &g->rows);
	projection_free(p);
	if (rc)
		reading_fail(g, rc, &why);
	return rc == 0;
}

/* As snapshot_get, into g->record. */
static int read_record(struct reading *g, const struct resource_type *type, struct bytes id)
{
	return id.len && id.len <= RECORD_ID_MAX
		       ? snapshot_get(g->view, type->name, id, &g->memory, &g->record)
		       : 0;
}

/* 1: live and in `record`; 0: the absence was answered, or an error. */
static int find(struct reading *g, struct bytes id, struct record *record)
{
	int rc = g->found ? 1 : read_record(g, g->type, id);

	*record = g->record;
	if (rc == 1 && !(record->flags & RECORD_DELETED)) {
		if (!overlay_any(g->source))
			return 1;
		rc = overlay_record(g->source, g->view, g->type, record, &g->overlaid);
		if (rc >= 0)
			return 1;
		reading_fail(g, rc, &(struct why){"the edits of this record cannot be shown"});
		return 0;
	}
	if (rc == 1)
		answer_absence(g, record, false);
	else if (rc == 0)
		answer_absence(g, NULL, snapshot_forgotten(g->view, g->type->name, id));
	else
		reading_fail(g, rc, &(struct why){""});
	return 0;
}

/* One value, as the next part of the result. */
static void splice_value(struct reading *g, struct bytes value)
{
	request_splice(g->request, &(struct json_piece){.bytes = value, .values = 1});
}

static void put_get(struct reading *g, const struct answer *a)
{
	struct buf *out = &g->request->result;

	mp_put_map(out, 2);
	if (reading_freshness(g, 0)) {
		reading_no_memory(g);
		return;
	}
	mp_put_name(out, "record");
	splice_value(g, a->rows);
	request_answer(g->request);
}

void method_get(struct request *r)
{
	struct record record;
	struct reading *g;
	struct bytes id;

	param_text(r, "id", &id);
	g = reading_new(r, NULL);
	g = g ? choose_source(g, id, false) : NULL;
	if (!g || !read_names(g) || param_duration(r, "max_age", &g->question.max_age_ms))
		return;
	g->asks.id = id;
	g->asks.insists = param_bool(r, "live");
	/* The provider is not asked for it, either. */
	if (snapshot_forgotten(g->view, g->type->name, id)) {
		answer_absence(g, NULL, true);
		return;
	}
	reading_share(g);
	if (!reading_meets(g))
		return;
	const struct answer *known = kept_find(g);
	if (known) {
		put_get(g, known);
		return;
	}
	if (!find(g, id, &record) || !put_row(g, &record, g->names, g->name_count) ||
	    !reading_has_room(g))
		return;
	const struct answer a = {.rows = buf_bytes(&g->rows), .row_count = 1};
	kept_note(g, &a);
	put_get(g, &a);
}

/* ---- thread ---- */

static bool is_known(const struct field *fields, struct bytes name)
{
	return field_find(fields, name) || field_find(envelope_fields, name) ||
	       bytes_is(name, "doc") || bytes_has(name, ".");
}

/* Of the names that were asked for those that records with these fields show: not what only the others of the thread have. NULL: none were asked for, or no memory. */
static struct bytes *names_for(struct reading *g, const struct field *fields,
			       const struct field *others, size_t *count_out)
{
	struct bytes *names = g->names ? arena_alloc(&g->arena, (g->name_count + 1) * sizeof *names)
				       : NULL;

	*count_out = 0;
	for (size_t i = 0; names && i < g->name_count; i++)
		if (is_known(fields, g->names[i]) || !is_known(others, g->names[i]))
			names[(*count_out)++] = g->names[i];
	return names;
}

static void thread_answer(struct reading *g)
{
	const struct thread_result *t = thread_result(g->thread);
	const struct json_piece messages = {
		.bytes = buf_bytes(&g->rows), .array = true, .values = t->rows};
	struct buf *out = &g->request->result;

	mp_put_map(out, 4);
	if (reading_freshness(g, t->damaged)) {
		reading_no_memory(g);
		return;
	}
	mp_put_name(out, "conversation");
	splice_value(g, g->conversation);
	mp_put_name(out, "messages");
	request_splice(g->request, &messages);
	put_bool(out, "truncated", g->truncated || t->truncated);
	request_answer(g->request);
}

static bool thread_slice(void *ctx)
{
	struct reading *g = ctx;
	struct why why = {""};
	int64_t end_us = reading_slice_end(g);
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

/* As thread_type, and the record is read: nearly always it is the first one that has it. */
static const struct resource_type *find_thread(struct reading *g, struct bytes id)
{
	for (const struct resource_type *t = g->source->provider->types; t->name; t++) {
		if (!t->child || !source_type(g->source, bytes_str(t->name)))
			continue;
		g->found = read_record(g, t, id) == 1 && !(g->record.flags & RECORD_DELETED);
		if (g->found)
			return t;
	}
	return NULL;
}

/* Whose thread it is: the resource that was named, or the first one with children that has the id; conversations when none has it. False: the
 * error was sent. */
static bool choose_thread(struct reading *g, struct bytes id)
{
	const struct resource_type *type;
	struct bytes name;

	if (param_text(g->request, "resource", &name)) {
		type = param_resource(g->request, g->source);
		if (type && !type->child)
			request_error(g->request, RPC_INVALID_PARAMS, "resource",
				      "conversations and tickets have", "%s have no threads",
				      type->name);
		if (!type || !type->child)
			return false;
	} else {
		type = find_thread(g, id);
	}
	if (type) {
		g->type = type;
		g->fields = g->asked_fields = type->fields;
	}
	return true;
}

/* The record and its messages, into g->rows one after the other. */
static void thread_read(struct reading *g, struct bytes id)
{
	struct record record;
	struct why why = {""};
	size_t count;

	if (!find(g, id, &record))
		return;
	const struct resource_type *child = source_type(g->source, bytes_str(g->type->child));
	const struct bytes *own = names_for(g, g->fields, child->fields, &count);
	struct thread_spec spec = {
		.source = g->source->config->name,
		.resource = child->name,
		.fields = child->fields,
		.parent = id,
		.rows = &g->rows,
		.memory = &g->memory,
	};
	spec.names = names_for(g, child->fields, g->fields, &spec.name_count);
	if (g->names && (!own || !spec.names)) {
		reading_no_memory(g);
		return;
	}
	if (!put_row(g, &record, own, count))
		return;
	g->truncated = record.flags & RECORD_TRUNCATED;
	g->conversation = arena_bytes(&g->arena, buf_bytes(&g->rows));
	if (!g->conversation.data) {
		reading_no_memory(g);
		return;
	}
	buf_reset(&g->rows);
	int rc = thread_open(g->view, &spec, &g->thread, &why);
	if (rc)
		reading_fail(g, rc, &why);
	else
		reading_go(g, thread_slice);
}

void method_thread(struct request *r)
{
	struct reading *g;
	struct bytes id;

	param_text(r, "id", &id);
	g = reading_new(r, "conversations");
	g = g ? choose_source(g, id, true) : NULL;
	if (!g || !read_names(g) || param_duration(r, "max_age", &g->question.max_age_ms))
		return;
	g->asks.id = id;
	g->asks.insists = param_bool(r, "live");
	reading_share(g);
	if (!choose_thread(g, id) || !reading_meets(g))
		return;
	/* Not one of those that are kept: there are too many of them, and each is large for what it saves. */
	thread_read(g, id);
}
