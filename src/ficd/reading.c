/*
 * reading: see the header. One that waits for newer data (refresh.h, live.h) holds nothing meanwhile, and begins again when it is there.
 */
#include "reading.h"

#include "kept.h"
#include "live.h"
#include "overlay.h"
#include "params.h"
#include "refresh.h"
#include "several.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>

#define WAIT_DEFAULT_MS 30000
#define WAIT_MAX_MS     (10 * 60 * 1000)
#define ROWS_KEPT       (256 * 1024) /* of memory for rows, between questions */
#define KEY_KEPT        4096
#define MEMORY_KEPT     (32 * 1024) /* and for records */
#define DAMAGED_MAX     8           /* segments that one question may find damaged */

static void reading_free(struct reading *g)
{
	struct spare *spare = &g->source->daemon->spare;

	task_free(g->task);
	timer_free(g->timer);
	free(g->stream);
	zone_free(g->zone);
	snapshot_free(g->view);
	spare_leave_arena(&spare->arena, &g->arena);
	spare_leave(&spare->rows, &g->rows, ROWS_KEPT);
	spare_leave(&spare->key, &g->key, KEY_KEPT);
	spare_leave(&spare->memory, &g->memory, MEMORY_KEPT);
	buf_release(&g->overlaid);
	if (g->judged)
		freshness_release(&g->verdict);
	free(g);
}

static void reading_release(struct request *r)
{
	struct reading *g, *next;

	/* What reads goes before what it reads: the first one's may read of all. */
	for (g = r->state; g; g = g->next) {
		query_free(g->query);
		merged_free(g->merged);
		thread_free(g->thread);
		aggregate_free(g->aggregate);
	}
	for (g = r->state; g; g = next) {
		next = g->next;
		reading_free(g);
	}
}

static void repair(const struct reading *g)
{
	for (; g; g = g->next)
		sync_repair(g->source->sync);
}

/* What is damaged is set aside and read again. The question is answered at once from the rest, with the gap that is left. */
static void fail_damaged(struct reading *g)
{
	struct request *r = g->request;

	repair(g);
	if (r->damaged < DAMAGED_MAX && !(g->told)) {
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

/* What one source is asked; NULL: no memory. */
static struct reading *reading_of(struct request *r, struct source *s, const struct resource_type *type)
{
	struct snapshot *view = r->damaged ? snapshot_sound(s->store) : snapshot_new(s->store);
	struct reading *g = view ? malloc(sizeof *g) : NULL;

	if (!g) {
		snapshot_free(view);
		return NULL;
	}
	*g = (struct reading){
		.request = r,
		.source = s,
		.type = type,
		.view = view,
		.fields = type->fields,
		.asked_fields = type->fields,
		.question = {.start_ms = TIME_MIN, .end_ms = TIME_MAX, .max_age_ms = -1},
		.least = FRESHNESS_STALE,
	};
	spare_take_arena(&s->daemon->spare.arena, &g->arena);
	spare_take(&s->daemon->spare.key, &g->key);
	spare_take(&s->daemon->spare.memory, &g->memory);
	return g;
}

static struct reading *refuse_memory(struct request *r)
{
	request_error(r, RPC_INTERNAL, "no_memory", NULL, "out of memory");
	return NULL;
}

/* One for each source that has the resource. */
static struct reading *reading_all(struct request *r, const char *resource)
{
	struct reading *first = NULL, **end = &first;
	struct daemon *d = r->daemon;
	struct bytes name;

	if (!param_text(r, "resource", &name))
		name = bytes_str(resource ? resource : "conversations");
	r->release = reading_release;
	for (size_t i = 0; i < d->source_count; i++) {
		const struct resource_type *type = source_type(&d->sources[i], name);
		if (!type)
			continue;
		*end = reading_of(r, &d->sources[i], type);
		r->state = first;
		if (!*end)
			return refuse_memory(r);
		end = &(*end)->next;
	}
	if (!first) {
		several_refuse(r, name);
		return NULL;
	}
	return several_fields(first) ? refuse_memory(r) : first;
}

struct reading *reading_new(struct request *r, const char *resource)
{
	const struct resource_type *type;
	struct reading *g;

	if (param_all_sources(r))
		return reading_all(r, resource);
	struct source *s = param_source(r);
	if (!s)
		return NULL;
	type = resource ? source_type(s, bytes_str(resource)) : param_resource(r, s);
	if (!type) {
		if (resource)
			request_error(r, RPC_NOT_FOUND, "resource", NULL,
				      "source %s does not keep %s", s->config->name, resource);
		return NULL;
	}
	g = reading_of(r, s, type);
	if (!g)
		return refuse_memory(r);
	spare_take(&r->daemon->spare.rows, &g->rows);
	r->state = g;
	r->release = reading_release;
	return several_source(g) ? refuse_memory(r) : g;
}

void reading_share(struct reading *first)
{
	for (struct reading *g = first->next; g; g = g->next) {
		g->question = first->question;
		g->asks = first->asks;
	}
}

void reading_keep(struct reading *first, struct reading *one)
{
	struct reading *next;

	one->request->state = one;
	for (struct reading *g = first; g; g = next) {
		next = g->next;
		if (g != one)
			reading_free(g);
	}
	one->next = NULL;
}

/* An answer that met damage is never worth more than partial. */
static void note_damage(struct reading *g, struct freshness *f, uint64_t damaged)
{
	repair(g);
	f->complete = false;
	if (f->state != FRESHNESS_FRESH)
		return;
	f->state = FRESHNESS_PARTIAL;
	f->reason = "damaged";
	snprintf(f->message, sizeof f->message,
		 "Some stored records are damaged and are being read again - the answer misses %llu",
		 (unsigned long long)damaged);
}

int reading_judge(struct reading *first, struct freshness *out)
{
	struct verdicts v;
	int rc = first->next ? verdicts_judge(first, &v)
			     : source_judge(first->source, first->view, first->type,
					    &first->question, out);

	if (rc || !first->next)
		return rc;
	*out = v.joined;
	v.joined.covered = v.joined.gaps = (struct intervals){0};
	verdicts_release(&v);
	return 0;
}

/* Of a question that names no source. */
static int put_verdicts(struct reading *g, uint64_t damaged, bool over, struct buf *out)
{
	struct verdicts v;
	int rc = verdicts_judge(g, &v);

	if (rc)
		return rc;
	if (damaged)
		note_damage(g, &v.joined, damaged);
	mp_put_name(out, "freshness");
	verdicts_write(&v, g, over, out);
	g->request->worth = v.joined.state;
	verdicts_release(&v);
	return 0;
}

/* Sees to it that the verdict is one of now and of this question. 0 or ERR_NOMEM. */
static int renew_verdict(struct reading *g)
{
	if (g->judged && g->judged_turn == loop_turn(g->source->daemon->loop) &&
	    g->judged_start_ms == g->question.start_ms && g->judged_end_ms == g->question.end_ms)
		return 0;
	if (g->judged)
		freshness_release(&g->verdict);
	int rc = source_judge(g->source, g->view, g->type, &g->question, &g->verdict);
	g->judged = rc == 0;
	return rc;
}

int reading_put_freshness(struct reading *g, uint64_t damaged, bool over, struct buf *out)
{
	const struct live *live = live_of(g->request, g->source);
	struct freshness *f = &g->verdict;

	if (param_all_sources(g->request))
		return put_verdicts(g, damaged, over, out);
	int rc = renew_verdict(g);
	if (rc)
		return rc;
	if (damaged)
		note_damage(g, f, damaged);
	mp_put_name(out, "freshness");
	freshness_write(f, live_source(live, over), live_pairs(live), out);
	live_put(live, out);
	g->request->worth = f->state;
	/* It serves for one answer: the next one may have met other damage. */
	g->judged = false;
	freshness_release(f);
	return 0;
}

int reading_freshness(struct reading *g, uint64_t damaged)
{
	return reading_put_freshness(g, damaged, !g->counted, &g->request->result);
}

bool reading_overlay(struct reading *g, const struct overlay **out)
{
	*out = NULL;
	if (!overlay_any(g->source) || outbox_overlaid(g->source->outbox, g->type->name) == 0)
		return true;
	int rc = overlay_all(g->source, g->view, g->type, &g->arena, &g->overlay);
	if (rc) {
		reading_fail(g, rc, &(struct why){""});
		return false;
	}
	*out = &g->overlay;
	return true;
}

void reading_no_memory(struct reading *g)
{
	request_error(g->request, RPC_INTERNAL, "no_memory", NULL, "out of memory");
}

bool reading_has_room(struct reading *g)
{
	g->request->weight = g->rows.len;
	if (g->rows.len <= READING_BYTES_MIN || !request_crowded(g->request))
		return true;
	request_error(g->request, RPC_BUSY, "busy", "read your answers, then ask again",
		      "too many answers wait to be read");
	return false;
}

static void on_end(void *ctx)
{
	struct reading *g = ctx;

	if (g->deadline_ms && g->deadline_ms <= READING_HOLD_MS)
		request_error(g->request, RPC_UNAVAILABLE, "timeout",
			      "ask for less, or with a longer timeout_ms",
			      "the answer was not complete within %lld ms",
			      (long long)g->deadline_ms);
	else
		request_error(g->request, RPC_UNAVAILABLE, "expired",
			      "go on with the last next_cursor as cursor",
			      "the answer was not taken within %d s: its snapshot was given up",
			      READING_HOLD_MS / 1000);
}

bool reading_end_within(struct reading *g, int64_t ms)
{
	if (g->deadline_ms && g->deadline_ms < ms)
		ms = g->deadline_ms;
	g->timer = timer_new(g->request->daemon->loop, on_end, g);
	if (g->timer)
		timer_start(g->timer, ms, 0);
	else
		reading_no_memory(g);
	return g->timer;
}

static bool on_slice(void *ctx)
{
	struct reading *g = ctx;

	kept_resume(g);
	if (!g->step(g))
		return false; /* it may be gone */
	kept_pause(g);
	return true;
}

void reading_go(struct reading *g, bool (*step)(void *ctx))
{
	if (!step(g) || (g->deadline_ms && !reading_end_within(g, g->deadline_ms)))
		return;
	kept_pause(g);
	g->step = step;
	g->task = task_new(g->request->daemon->loop, on_slice, g);
	if (g->task)
		task_start(g->task);
	else
		reading_no_memory(g);
}

int64_t reading_slice_end(const struct reading *g)
{
	int64_t us = g->task ? loop_slice_us(g->request->daemon->loop) : READING_FIRST_US;

	return clock_mono_us() + us;
}

/* What a question wants done about data that is not fresh. */
struct demand {
	bool given; /* whatever a source's configuration says */
	enum config_on_stale policy;
	int64_t timeout_ms;
	bool acted; /* something was begun, or may have been: what was judged may not be so any more */
};

static enum config_on_stale policy_of(const struct reading *g, const struct demand *d)
{
	if (g->asks.insists)
		return CONFIG_ON_STALE_LIVE;
	return d->given ? d->policy : g->source->config->on_stale;
}

/* False: the error was sent. */
static bool read_demand(struct reading *g, struct demand *d)
{
	static const char *const words[] = {"serve", "wait", "error", "live"};
	struct request *r = g->request;
	struct bytes text;

	*d = (struct demand){.timeout_ms = WAIT_DEFAULT_MS};
	if (param_text(r, "on_stale", &text)) {
		size_t i = 0;
		while (i < 4 && !bytes_is(text, words[i]))
			i++;
		if (i == 4) {
			request_error(r, RPC_INVALID_PARAMS, "on_stale", NULL,
				      "'on_stale' is serve, wait, live or error");
			return false;
		}
		d->given = true;
		d->policy = (enum config_on_stale)i;
	}
	/* The first page was waited for. */
	if (param_raw(r, "cursor", &text)) {
		d->given = true;
		d->policy = CONFIG_ON_STALE_SERVE;
	}
	bool given = param_integer(r, "timeout_ms", &d->timeout_ms);
	if (d->timeout_ms < 0 || d->timeout_ms > WAIT_MAX_MS) {
		request_error(r, RPC_INVALID_PARAMS, "timeout_ms", NULL, "'timeout_ms' is 0 to %d",
			      WAIT_MAX_MS);
		return false;
	}
	g->deadline_ms = given ? d->timeout_ms : 0;
	if (param_text(r, "require", &text) && freshness_state_parse(text, &g->least)) {
		request_error(r, RPC_INVALID_PARAMS, "require", NULL,
			      "'require' is fresh, partial or stale");
		return false;
	}
	return true;
}

/* Whether anything that is done now makes it better. */
static bool can_mend(const struct freshness *f)
{
	return f->state != FRESHNESS_FRESH && !f->not_begun;
}

/* True: the answer comes when those sources whose data is to be waited for have been read. */
static bool wait_for(struct reading *first, const struct verdicts *v, struct demand *d)
{
	struct refresh_want wants[CONFIG_SOURCES_MAX];
	size_t n = 0, i = 0;

	for (struct reading *g = first; g; g = g->next, i++)
		if (can_mend(&v->each[i]) && policy_of(g, d) == CONFIG_ON_STALE_WAIT)
			wants[n++] = (struct refresh_want){g->source, g->type, &v->each[i],
							   g->question.max_age_ms};
	d->acted |= n > 0;
	return n > 0 && refresh_wait(first->request, wants, n, d->timeout_ms);
}

/* The same when providers are to be asked: one after the other, all within the time of one. */
static bool ask_live(struct reading *first, const struct verdicts *v, struct demand *d)
{
	struct request *r = first->request;
	int64_t left = d->timeout_ms - (r->live ? (clock_mono_us() - r->began_us) / 1000 : 0);
	size_t i = 0;

	for (struct reading *g = first; g; g = g->next, i++) {
		if ((!can_mend(&v->each[i]) && !g->asks.insists) ||
		    policy_of(g, d) != CONFIG_ON_STALE_LIVE)
			continue;
		d->acted = true;
		if (live_wait(g, left > 0 ? left : 0))
			return true;
	}
	return false;
}

/* What changed is read behind the answer. True: there is a source that is not to answer so. */
static bool leave_behind(struct reading *first, const struct verdicts *v, struct demand *d)
{
	bool refused = false;
	size_t i = 0;

	for (struct reading *g = first; g; g = g->next, i++) {
		const struct live *live = live_of(g->request, g->source);
		enum config_on_stale policy = policy_of(g, d);
		if (v->each[i].state == FRESHNESS_FRESH)
			continue;
		if (can_mend(&v->each[i]) &&
		    (policy == CONFIG_ON_STALE_SERVE || (live && live->reason)))
			d->acted |= refresh_behind(g->source, g->type, &v->each[i]);
		refused |= policy == CONFIG_ON_STALE_ERROR;
	}
	return refused;
}

static const char *stale_hint(const struct verdicts *v, bool refused)
{
	if (v->all->not_begun)
		return "ask for a span that has begun";
	return refused ? "run 'ficq sync', or ask with on_stale serve or wait"
		       : "run 'ficq sync', or ask without 'require'";
}

/* What is done about data that is not fresh. True: read on; false: the answer comes later, or an error was sent. */
static bool act_on(struct reading *g, const struct verdicts *v, struct demand *d)
{
	if (wait_for(g, v, d) || ask_live(g, v, d))
		return false;
	bool refused = leave_behind(g, v, d);
	if (v->all->state <= g->least && !refused)
		return true;
	request_error(g->request, RPC_STALE, freshness_state_name(v->all->state),
		      stale_hint(v, refused), "%s", v->all->message);
	return false;
}

/* Of the only source. */
static void keep_verdict(struct reading *g, struct verdicts *v)
{
	g->verdict = v->each[0];
	g->judged = true;
	g->judged_turn = loop_turn(g->source->daemon->loop);
	g->judged_start_ms = g->question.start_ms;
	g->judged_end_ms = g->question.end_ms;
	v->count = 0;
}

bool reading_meets(struct reading *g)
{
	struct demand demand;
	struct verdicts v;

	if (!read_demand(g, &demand))
		return false;
	if (verdicts_judge(g, &v)) {
		reading_no_memory(g);
		return false;
	}
	bool met = act_on(g, &v, &demand);
	if (met && !demand.acted && !param_all_sources(g->request))
		keep_verdict(g, &v);
	verdicts_release(&v);
	return met;
}

bool reading_sound_enough(struct reading *g, uint64_t damaged)
{
	if (!damaged || g->least != FRESHNESS_FRESH)
		return true;
	repair(g);
	request_error(g->request, RPC_STALE, "damaged", "ask again when it was read",
		      "Some stored records are damaged and are being read again");
	return false;
}

int reading_step(struct reading *g, struct why *why)
{
	return g->merged ? merged_step(g->merged, READING_STEP_UNITS, why)
			 : query_step(g->query, READING_STEP_UNITS, why);
}

const struct query_result *reading_result(const struct reading *g)
{
	return g->merged ? merged_result(g->merged) : query_result(g->query);
}

const char *reading_cursor(struct reading *g, char out[CURSOR_TEXT_MAX])
{
	return g->merged ? merged_cursor(g->merged) : query_cursor(g->query, out);
}

/* A word that begins with the name of a field and a colon, as other languages have it; {NULL, 0}: there is none. What stands in quotes is a text. */
static struct bytes field_word(const struct field *fields, struct bytes text)
{
	bool quoted = false, begins = true;

	for (size_t i = 0, start = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		quoted ^= c == '"';
		if (quoted || c == ' ' || c == '(' || c == '-' || c == '"') {
			start = i + 1;
			begins = !quoted;
		} else if (c == ':' && begins) {
			bool more = i + 1 < text.len && text.data[i + 1] != ' ';
			struct bytes word = bytes_of(text.data + start, i - start);
			if (more && (field_find(fields, word) || field_find(envelope_fields, word)))
				return word;
			begins = false;
		}
	}
	return bytes_of(NULL, 0);
}

/* Nothing was looked for in fields: to look for the words would be another question than was meant. */
static bool refuse_field_word(struct reading *g, struct bytes text, struct bytes word)
{
	char hint[160];
	int len = (int)(word.len < 40 ? word.len : 40);
	const char *name = (const char *)word.data;

	snprintf(hint, sizeof hint, "a condition does: --where \"%.*s = ...\", or %.*s ~ ...", len,
		 name, len, name);
	request_error(g->request, RPC_BAD_EXPRESSION, err_name(ERR_SYNTAX), hint,
		      "column %zu: '%.*s:' looks into no field here (the words themselves: in quotes)",
		      bytes_characters(bytes_of(text.data, (size_t)(word.data - text.data))) + 1,
		      len, name);
	return false;
}

bool reading_text(struct reading *g, struct query_text *out)
{
	struct bytes text;
	struct why why;

	if (!param_text(g->request, "text", &text))
		return true;
	why_clear(&why);
	struct bytes word = field_word(g->type->fields, text);
	if (word.data)
		return refuse_field_word(g, text, word);
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
