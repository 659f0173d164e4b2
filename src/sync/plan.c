/*
 * plan: what is due becomes runs, and which of them goes first. Never gives a turn itself.
 */
#include "sync_state.h"

#include <limits.h>

#define VERIFY_LOOK_MS (60 * 60 * 1000) /* at the latest: whether a stretch is due */

static const struct coverage *coverage_of(const struct resource *r, const struct snapshot *view)
{
	return snapshot_coverage(view, r->options.type->name);
}

static bool has_chain(const struct resource *r, const struct snapshot *view)
{
	return coverage_of(r, view)->chain_end_ms != TIME_NONE;
}

/* Lists without a feed of changes are read whole each time. */
enum run_kind resource_regular_kind(const struct resource *r)
{
	return r->options.type->traits & TRAIT_CHANGED ? RUN_CHANGES : RUN_SNAPSHOT;
}

enum run_kind resource_past_kind(const struct resource *r)
{
	return r->options.type->traits & TRAIT_WINDOWED ? RUN_BACKFILL : RUN_SNAPSHOT;
}

static const struct run_ops *ops_of(enum run_kind kind)
{
	static const struct run_ops *const ops[RUN_KINDS] = {
		[RUN_SNAPSHOT] = &run_snapshot, [RUN_CHANGES] = &run_changes,
		[RUN_BACKFILL] = &run_backfill, [RUN_VERIFY] = &run_verify,
		[RUN_ONE] = &run_one,           [RUN_SEARCH] = &run_search,
	};

	return ops[kind];
}

struct run *run_make(struct resource *r, enum run_kind kind)
{
	if (!r->runs[kind])
		r->runs[kind] = run_new(r, ops_of(kind));
	return r->runs[kind];
}

struct run *run_make_fresh(struct resource *r, enum run_kind kind)
{
	struct run *run = run_make(r, kind);

	if (!run || !run->begun)
		return run;
	if (!r->next[kind])
		r->next[kind] = run_new(r, ops_of(kind));
	return r->next[kind];
}

/* The first reading, a full one, or gaps: the run that reads the past of this resource, if one is needed. */
static void plan_past(struct resource *r, const struct snapshot *view, int64_t mono)
{
	struct interval gap;

	if (mono < r->backfill_mono_ms || !(r->options.type->traits & TRAIT_CHANGED))
		return;
	if (r->full_wished || !has_chain(r, view) || resource_gap(r, view, &gap))
		run_make(r, resource_past_kind(r));
}

static void plan_verify(struct resource *r, const struct snapshot *view, int64_t mono)
{
	struct interval stretch;

	if (!resource_verifies(r) || r->options.verify_ms == 0 || mono < r->verify_mono_ms ||
	    !has_chain(r, view))
		return;
	int64_t in = resource_verify_due(r, view) - sync_provider_now(r->sync);
	if (in <= 0 && resource_verify_next(r, view, &stretch)) {
		run_make(r, RUN_VERIFY);
		return;
	}
	r->verify_mono_ms = mono + (in > 0 && in < VERIFY_LOOK_MS ? in : VERIFY_LOOK_MS);
}

static void plan(struct resource *r, const struct snapshot *view, int64_t mono, int64_t wall)
{
	if (due_full(r, wall))
		r->full_wished = true;
	plan_past(r, view, mono);
	plan_verify(r, view, mono);
	r->chained = (r->options.type->traits & TRAIT_CHANGED) && has_chain(r, view);
	if (mono < r->due_mono_ms)
		return;
	if (r->chained || resource_regular_kind(r) == RUN_SNAPSHOT)
		run_make(r, resource_regular_kind(r));
}

bool plan_live(const struct run *run)
{
	return run->ops->kind == RUN_ONE || run->ops->kind == RUN_SEARCH;
}

/* Order among runs: smaller goes first. Changes, so that no long reading makes answers stale, whoever waits for it; then what a client waits for; then lists, what
 * others refer to first; then the past, and last what is only read again. */
static int rank_of(const struct run *run)
{
	static const int kind_rank[RUN_KINDS] = {
		[RUN_CHANGES] = 0,    [RUN_ONE] = 0,        [RUN_SEARCH] = 0,
		[RUN_SNAPSHOT] = 100, [RUN_BACKFILL] = 200, [RUN_VERIFY] = 300};

	/* Who asks again and again holds up nobody: after a live read or a search anything else that waits goes first, and a run of single records waits for changes after its
	 * first turn. */
	if (run->sync->asked && !run->begun && plan_live(run))
		return INT_MAX;
	return (run->preferred && run->ops->kind == RUN_ONE && run->begun ? 90
		: run->preferred                                          ? 0
		: run->ops->kind == RUN_CHANGES                           ? 50
									  : 1000) +
	       kind_rank[run->ops->kind] + (int)run->resource->options.priority;
}

static bool closed(const struct sync *s)
{
	return !week_holds(&s->options.window, s->options.zone, loop_wall_ms(s->options.loop));
}

bool plan_window_over(const struct run *run)
{
	return !run->preferred && closed(run->sync);
}

bool plan_held_back(const struct run *run)
{
	const struct resource *r = run->resource;
	const struct sync *s = run->sync;

	if (!plan_window_over(run))
		return false;
	/* A walk by last update goes on where it stood; a list that has begun would have to begin anew. A verify run ends by itself where it can. */
	if (run->begun && run->ops->kind != RUN_BACKFILL)
		return false;
	if (s->options.window_strict)
		return true;
	/* Until it has begun once, not even changes can be asked for. */
	return run->ops->kind != resource_regular_kind(r) && r->chained;
}

struct run *plan_first(const struct sync *s)
{
	struct run *best = NULL;

	for (size_t i = 0; i < s->options.resource_count; i++)
		for (int k = 0; k < RUN_KINDS; k++) {
			struct run *run = s->resources[i].runs[k];
			if (run && (!best || rank_of(run) < rank_of(best)) && !plan_held_back(run))
				best = run;
		}
	return best;
}

bool plan_others_wait(const struct run *run)
{
	const struct sync *s = run->sync;
	int64_t mono = loop_mono_ms(s->options.loop);
	bool waits = s->options.window_strict && closed(s);

	if (s->stopping || s->next_token || sync_must_save(s))
		return true;
	for (size_t i = 0; i < s->options.resource_count; i++) {
		const struct resource *r = &s->resources[i];
		if (r->chained && r->due_mono_ms <= mono && run->ops->kind != RUN_CHANGES && !waits)
			return true;
		for (int k = 0; k < RUN_KINDS; k++)
			if (r->runs[k] && r->runs[k] != run && rank_of(r->runs[k]) < rank_of(run) &&
			    !plan_held_back(r->runs[k]))
				return true;
	}
	return false;
}

bool plan_urgent(const struct run *run)
{
	return run->preferred && (plan_live(run) || run->ops->kind == RUN_CHANGES);
}

bool plan_hurried(const struct run *run)
{
	const struct sync *s = run->sync;

	for (size_t i = 0; i < s->options.resource_count && !run->preferred && run->turn_reads; i++)
		for (int k = 0; k < RUN_KINDS; k++) {
			const struct run *other = s->resources[i].runs[k];
			if (other && other != run && plan_urgent(other) &&
			    rank_of(other) < rank_of(run) && !plan_held_back(other))
				return true;
		}
	return false;
}

void plan_all(struct sync *s, int64_t mono, int64_t wall)
{
	struct snapshot *view = snapshot_new(s->options.store);

	if (!view)
		return;
	for (size_t i = 0; i < s->options.resource_count; i++)
		plan(&s->resources[i], view, mono, wall);
	snapshot_free(view);
}
