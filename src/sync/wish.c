/* wish: what clients ask for becomes runs; equal wishes share one. Also what the status shows. */
#include "sync_state.h"

#include <stdio.h>

static bool is_limited(struct interval span)
{
	return span.start_ms != TIME_MIN || span.end_ms != TIME_MAX;
}

/* Bounds that are open become those of what can be asked for. */
static struct interval closed(const struct resource *r, struct interval span)
{
	int64_t now = sync_provider_now(r->sync);

	if (span.start_ms == TIME_MIN)
		span.start_ms = resource_history_start(r);
	if (span.end_ms > now)
		span.end_ms = now;
	return span;
}

struct interval wish_span(const struct resource *r, struct interval span)
{
	return is_limited(span) ? closed(r, span) : span;
}

enum run_kind wish_kind(const struct resource *r, enum sync_mode mode, struct interval span,
			const struct snapshot *view)
{
	bool chained = snapshot_coverage(view, r->options.type->name)->chain_end_ms != TIME_NONE;
	struct interval gap;

	if (is_limited(span)) {
		span = closed(r, span);
		if (span.start_ms >= span.end_ms)
			return RUN_KINDS;
	}
	if (!(r->options.type->traits & TRAIT_CHANGED))
		return RUN_SNAPSHOT;
	if (mode == SYNC_VERIFY && resource_verifies(r) && chained)
		return RUN_VERIFY;
	if (mode == SYNC_BACKFILL && chained &&
	    !(is_limited(span) ? resource_gap_in(r, view, span, &gap) : resource_gap(r, view, &gap)))
		return RUN_KINDS;
	return mode == SYNC_CHANGES && chained ? RUN_CHANGES : resource_past_kind(r);
}

/* What is there already may have asked its first question before the wish came: its answer would be older than who wishes may expect. A first reading and
 * one of gaps are the exception: they are joined, since changes are read after them (follow_up). */
static struct run *run_for(struct resource *r, enum run_kind kind)
{
	bool past = kind == resource_past_kind(r) && (r->options.type->traits & TRAIT_CHANGED);
	bool limited = r->span_wished.start_ms < r->span_wished.end_ms;

	return past && !r->full_wished && !limited ? run_make(r, kind) : run_make_fresh(r, kind);
}

static int check_kept(const struct resource *r, struct interval span, struct why *why)
{
	int64_t kept = resource_retain_start(r);
	char text[TIME_TEXT_MAX];

	if (span.start_ms == TIME_MIN || span.start_ms >= kept)
		return 0;
	return why_set(
		why, ERR_INVALID,
		"%s are kept from %s on ('retain'): what is older would be dropped again. Begin there, or keep more",
		r->options.type->name, time_text(kept, false, text));
}

int wish_check(const struct sync *s, const struct resource_type *resource, enum sync_mode mode,
	       struct interval span, struct why *why)
{
	const struct resource *only = resource ? resource_find(s, resource->name) : NULL;
	int rc = 0;

	if (resource && !only)
		return why_set(why, ERR_INVALID, "%s is not configured for source %s",
			       resource->name, s->options.name);
	if (is_limited(span) && mode != SYNC_BACKFILL && mode != SYNC_VERIFY)
		return why_set(why, ERR_INVALID, "a span of time goes with backfill and verify only");
	for (size_t i = 0; i < s->options.resource_count && rc == 0; i++)
		if (!only || only == &s->resources[i])
			rc = check_kept(&s->resources[i], span, why);
	return rc;
}

static struct run *wish_run(struct resource *r, enum sync_mode mode, struct interval span,
			    const struct snapshot *view)
{
	enum run_kind kind = wish_kind(r, mode, span, view);

	if (kind == RUN_KINDS)
		return NULL;
	r->insisted |= mode == SYNC_VERIFY || (mode == SYNC_FULL && !resource_verifies(r));
	span = wish_span(r, span);
	if (kind == RUN_VERIFY) {
		r->verify_wished = span;
		r->verify_mono_ms = 0;
	} else if (r->options.type->traits & TRAIT_CHANGED) {
		r->full_wished |= mode == SYNC_FULL || mode == SYNC_VERIFY;
		if (mode == SYNC_BACKFILL && is_limited(span))
			r->span_wished = span;
		r->backfill_mono_ms = 0;
	}
	return run_for(r, kind);
}

/* Whoever waited for a pause is served now. Who has the turn reads no more than it has begun. */
static void wake(struct sync *s)
{
	const struct run *first = plan_first(s);

	breaker_hurry(s);
	if (s->turn && !s->turn->preferred && first && first != s->turn && plan_urgent(first))
		line_hurry(&s->line);
	s->quiet = false;
	timer_start(s->timer, 0, 0);
}

int sync_wish(struct sync *s, const struct resource_type *resource, enum sync_mode mode,
	      uint64_t *ids_out, size_t cap, struct why *why)
{
	return sync_wish_span(s, resource, mode, TIME_MIN, TIME_MAX, ids_out, cap, why);
}

int sync_wish_span(struct sync *s, const struct resource_type *resource, enum sync_mode mode,
		   int64_t start_ms, int64_t end_ms, uint64_t *ids_out, size_t cap, struct why *why)
{
	struct interval span = {.start_ms = start_ms, .end_ms = end_ms};
	struct resource *only = resource ? resource_find(s, resource->name) : NULL;
	struct snapshot *view;
	int n = 0;

	if (s->stopping)
		return why_set(why, ERR_BUSY, "the daemon is shutting down");
	int rc = wish_check(s, resource, mode, span, why);
	if (rc)
		return rc;
	view = snapshot_new(s->options.store);
	if (!view)
		return why_set(why, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < s->options.resource_count && (size_t)n < cap; i++) {
		struct resource *r = &s->resources[i];
		struct run *run = only && r != only ? NULL : wish_run(r, mode, span, view);
		if (!run)
			continue;
		run->preferred = true;
		ids_out[n++] = run->info.id;
	}
	snapshot_free(view);
	wake(s);
	return n;
}

/* Refused before anything is asked, so that a typing error does not cost a call and a failed run. */
static int check_ids(const struct sync *s, const struct resource *r, const struct bytes *ids,
		     size_t count, struct why *why)
{
	int rc = 0;

	if (!(r->options.type->traits & TRAIT_ONE))
		return why_set(why, ERR_INVALID, "%s cannot be read one by one",
			       r->options.type->name);
	if (count == 0 || count > SYNC_IDS_MAX)
		return why_set(why, ERR_INVALID, "1 to %d ids at once", SYNC_IDS_MAX);
	for (size_t i = 0; i < count && rc == 0; i++) {
		struct ask ask = {.kind = ASK_ONE, .type = r->options.type, .id = ids[i]};
		struct call call = {0};
		rc = provider_call(s->line.account, &ask, bytes_of(NULL, 0), &call, why);
		call_release(&call);
	}
	return rc;
}

int sync_wish_ids(struct sync *s, const struct resource_type *resource, const struct bytes *ids,
		  size_t count, uint64_t *run_out, struct why *why)
{
	struct resource *r = resource_find(s, resource->name);

	if (s->stopping)
		return why_set(why, ERR_BUSY, "the daemon is shutting down");
	if (!r)
		return why_set(why, ERR_INVALID, "%s is not configured for source %s",
			       resource->name, s->options.name);
	if (resource->traits & TRAIT_CHILD)
		return why_set(why, ERR_INVALID, "%s come with their %s: give the ids of these",
			       resource->name, r->options.type->name);
	int rc = check_ids(s, r, ids, count, why);
	if (rc)
		return rc;
	struct run *run = run_make(r, RUN_ONE);
	for (size_t i = 0; run && i < count && rc == 0; i++)
		rc = run_one_ask(run, ids[i]);
	if (!run || rc == ERR_NOMEM)
		return why_set(why, ERR_NOMEM, "out of memory");
	run->preferred = true;
	wake(s);
	if (rc)
		return why_set(why, rc,
			       "too many records are asked for already: try again when they are read");
	*run_out = run->info.id;
	return 0;
}

static struct run *run_of(const struct sync *s, uint64_t id)
{
	for (size_t i = 0; i < s->options.resource_count; i++)
		for (int k = 0; k < RUN_KINDS; k++) {
			struct run *run = s->resources[i].runs[k], *next = s->resources[i].next[k];
			if (run && run->info.id == id)
				return run;
			if (next && next->info.id == id)
				return next;
		}
	return NULL;
}

int sync_watch(struct sync *s, uint64_t run, const struct run_watch *watch)
{
	if (!run_of(s, run))
		return ERR_NOTFOUND;
	for (int i = 0; i < WATCHES_MAX; i++)
		if (s->watches[i].run == 0) {
			s->watches[i] = (struct watch_entry){.run = run, .watch = *watch};
			return 0;
		}
	return ERR_LIMIT;
}

void sync_unwatch(struct sync *s, void *ctx)
{
	for (int i = 0; i < WATCHES_MAX; i++)
		if (s->watches[i].run && s->watches[i].watch.ctx == ctx)
			s->watches[i] = (struct watch_entry){0};
}

static int check_search(const struct sync *s, const struct resource *r,
			const struct sync_search *search, struct why *why)
{
	if (s->stopping)
		return why_set(why, ERR_BUSY, "the daemon is shutting down");
	if (!r || r->options.type != search->type)
		return why_set(why, ERR_INVALID, "%s cannot be searched for source %s",
			       search->type->name, s->options.name);
	if (r->runs[RUN_SEARCH])
		return why_set(why, ERR_BUSY, "another search is under way");
	for (int i = 0; i < WATCHES_MAX; i++)
		if (s->watches[i].run == 0)
			return 0;
	return why_set(why, ERR_LIMIT, "too many wait for runs");
}

int sync_search(struct sync *s, struct sync_search *search, const struct run_watch *watch,
		struct why *why)
{
	struct resource *r = resource_find(s, search->type->name);
	int rc = check_search(s, r, search, why);

	if (rc)
		return rc;
	struct run *run = run_make(r, RUN_SEARCH);
	if (!run)
		return why_set(why, ERR_NOMEM, "out of memory");
	search->count = 0;
	search->more = false;
	run->search = search;
	run->preferred = true;
	sync_watch(s, run->info.id, watch);
	wake(s);
	return 0;
}

static const char *trouble_of(const struct sync *s)
{
	switch (s->fault) {
	case FAULT_AUTH:
	case FAULT_DENIED: return "auth";
	case FAULT_LATER: return "rate-limited";
	case FAULT_NONE: return s->error[0] ? "no-space" : NULL;
	default: return "source-error";
	}
}

struct sync_health sync_health(const struct sync *s)
{
	return (struct sync_health){.trouble = trouble_of(s),
				    .unreached = s->fault == FAULT_NOW && s->line.unreached,
				    .breaker = s->breaker,
				    .clock_offset_ms = s->line.clock_offset_ms};
}

void sync_state(const struct sync *s, struct sync_state *out)
{
	struct budget budget = s->line.budget;

	/* Of a call that somebody waits for. */
	budget.urgent = true;
	int64_t wait = budget_wait(&budget, loop_mono_ms(s->options.loop));

	*out = (struct sync_state){
		.wait_ms = wait == BUDGET_WAIT_ANSWER ? 0 : wait,
		.state = s->error[0]      ? "error"
			 : !s->identified ? "starting"
			 : s->turn        ? "syncing"
					  : "ok",
		.error = s->error[0] ? s->error : NULL,
		.trouble = trouble_of(s),
		.breaker = s->breaker,
		.breaker_since_ms = s->breaker_since_ms,
		.probe_ms = s->breaker == BREAKER_OPEN
				    ? loop_wall_ms(s->options.loop) + s->paused_until_ms -
					      loop_mono_ms(s->options.loop)
				    : TIME_NONE,
		.clock_offset_ms = s->line.clock_offset_ms,
		.concurrency = pace_calls(&s->line.pace),
		.rate_limit = s->line.budget.limit,
		.rate_window_ms = s->line.budget.window_ms,
		.rate_remaining = s->line.budget.remaining,
		.calls_last_minute = budget_last_minute(&s->line.budget,
							loop_mono_ms(s->options.loop)),
		.calls = s->line.calls,
		.retries = s->line.retries,
		.bytes = s->line.bytes,
	};
	memcpy(out->workspace_id, s->workspace_id, sizeof out->workspace_id);
	memcpy(out->workspace_name, s->workspace_name, sizeof out->workspace_name);
	memcpy(out->region, s->region, sizeof out->region);
	memcpy(out->timezone, s->timezone, sizeof out->timezone);
}

size_t sync_routes(const struct sync *s, struct sync_route out[ROUTE_CLASSES_MAX])
{
	int64_t mono = loop_mono_ms(s->options.loop);
	size_t n = 0;

	for (size_t i = 0; i < ROUTE_CLASSES_MAX; i++)
		n += route_look(&s->line.routes[i], s->line.budget.limit, mono, &out[n]);
	return n;
}

void sync_calls(const struct sync *s, struct sync_calls *out)
{
	meter_read(&s->line.meter, loop_mono_ms(s->options.loop), out);
}

/* The run that is under way, of several the one whose turn it is; NULL: none. `waiting`: one is, or is due and waits for its turn. */
static const struct run *under_way(const struct resource *r, bool *waiting)
{
	const struct run *found = NULL;

	*waiting = false;
	for (int k = 0; k < RUN_KINDS; k++) {
		const struct run *run = r->runs[k];
		if (!run || plan_held_back(run))
			continue;
		*waiting = true;
		if (run->begun && (!found || run == r->sync->turn))
			found = run;
	}
	return found;
}

struct sync_glance sync_glance(const struct sync *s, const char *resource)
{
	const struct resource *r = resource_find(s, resource);
	struct sync_glance out = {TIME_NONE, false, -1};
	bool waiting;

	if (!r)
		return out;
	const struct run *run = under_way(r, &waiting);
	out.last_sync_ms = r->last_sync_ms;
	out.syncing = run != NULL;
	if (run)
		out.progress = run_progress(&run->info);
	return out;
}

bool sync_resource_state(const struct sync *s, const char *resource, struct sync_resource_state *out)
{
	const struct resource *r = resource_find(s, resource);
	int64_t mono = loop_mono_ms(s->options.loop);

	if (!r)
		return false;
	*out = (struct sync_resource_state){
		.options = &r->options,
		.last_sync_ms = r->last_sync_ms,
		.next_run_ms = loop_wall_ms(s->options.loop) +
			       (r->due_mono_ms > mono ? r->due_mono_ms - mono : 0),
		.last_error = r->last_error[0] ? r->last_error : NULL,
		.note = r->refusal[0]  ? r->refusal
			: r->feed[0]   ? r->feed
			: r->listed[0] ? r->listed
				       : NULL,
		.counts = r->counts,
	};
	const struct run *run = under_way(r, &out->waiting);
	out->syncing = run != NULL;
	if (run)
		out->run = run->info;
	return true;
}

bool sync_idle(const struct sync *s)
{
	int64_t mono = loop_mono_ms(s->options.loop);

	if (s->turn || s->identifying || s->identity)
		return false;
	return mono < s->paused_until_ms || (s->identified && s->quiet);
}
