/*
 * reading: see the header. One that waits for newer data (refresh.h, live.h) holds nothing meanwhile, and begins again when it is there.
 */
#include "reading.h"

#include "live.h"
#include "overlay.h"
#include "params.h"
#include "refresh.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>

#define WAIT_DEFAULT_MS 30000
#define WAIT_MAX_MS     (10 * 60 * 1000)
#define DAMAGED_MAX     8 /* segments that one question may find damaged */

static void reading_release(struct request *r)
{
	struct reading *g = r->state;

	task_free(g->task);
	timer_free(g->timer);
	free(g->stream);
	query_free(g->query);
	thread_free(g->thread);
	aggregate_free(g->aggregate);
	zone_free(g->zone);
	snapshot_free(g->view);
	arena_release(&g->arena);
	buf_release(&g->rows);
	buf_release(&g->memory);
	buf_release(&g->overlaid);
	free(g);
}

/* What is damaged is set aside and read again. The question is answered at once from the rest, with the gap that is left. */
static void fail_damaged(struct reading *g)
{
	struct request *r = g->request;

	sync_repair(g->source->sync);
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

int reading_put_freshness(struct reading *g, uint64_t damaged, bool over, struct buf *out)
{
	struct freshness f;
	int rc = source_judge(g->source, g->view, g->type, &g->question, &f);

	if (rc)
		return rc;
	if (damaged)
		note_damage(g, &f, damaged);
	mp_put_cstr(out, "freshness");
	freshness_write(&f, live_source(g->request, over), live_pairs(g->request), out);
	live_put(g->request, out);
	g->request->worth = f.state;
	freshness_release(&f);
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

void reading_go(struct reading *g, bool (*step)(void *ctx))
{
	if (!step(g) || (g->deadline_ms && !reading_end_within(g, g->deadline_ms)))
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
	static const char *const words[] = {"serve", "wait", "error", "live"};
	struct request *r = g->request;
	struct bytes text;

	*policy = g->source->config->on_stale;
	*timeout_ms = WAIT_DEFAULT_MS;
	if (param_text(r, "on_stale", &text)) {
		size_t i = 0;
		while (i < 4 && !bytes_is(text, words[i]))
			i++;
		if (i == 4) {
			request_error(r, RPC_INVALID_PARAMS, "on_stale", NULL,
				      "'on_stale' is serve, wait, live or error");
			return false;
		}
		*policy = (enum config_on_stale)i;
	}
	if (g->asks.insists)
		*policy = CONFIG_ON_STALE_LIVE;
	/* The first page was waited for. */
	if (param_raw(r, "cursor", &text))
		*policy = CONFIG_ON_STALE_SERVE;
	bool given = param_integer(r, "timeout_ms", timeout_ms);
	if (*timeout_ms < 0 || *timeout_ms > WAIT_MAX_MS) {
		request_error(r, RPC_INVALID_PARAMS, "timeout_ms", NULL, "'timeout_ms' is 0 to %d",
			      WAIT_MAX_MS);
		return false;
	}
	g->deadline_ms = given ? *timeout_ms : 0;
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
	    refresh_wait(r, g->source, g->type, f, g->question.max_age_ms, timeout_ms))
		return false;
	if ((f->state != FRESHNESS_FRESH || g->asks.insists) && policy == CONFIG_ON_STALE_LIVE &&
	    live_wait(g, timeout_ms))
		return false;
	if (f->state != FRESHNESS_FRESH &&
	    (policy == CONFIG_ON_STALE_SERVE || (r->live && r->live->reason)))
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
