/*
 * run_backfill: a gap of the wanted history, read by last update, newest first. After each page everything above the page's lowest update is
 * proven (but for what moved meanwhile: see run.h), so an interrupted backfill goes on where it stood. If the provider does not keep the order that was
 * asked for, nothing is claimed before the end.
 */
#include "run.h"
#include "sync_state.h"

#define SECOND_MS 1000
#define DAY_MS    INT64_C(86400000)

/* The start of the wanted history, on a whole day so that it does not move with every second. */
static int64_t history_start(const struct resource *r)
{
	int64_t start = sync_provider_now(r->sync) - r->options.history_ms;

	return start - (start % DAY_MS + DAY_MS) % DAY_MS;
}

/* What is known or will be with the next changes run. */
static int known_of(const struct resource *r, const struct coverage *c, struct intervals *out)
{
	int rc = intervals_copy(&c->held, out);

	for (unsigned i = 0; i < r->pending_count && rc == 0; i++)
		rc = intervals_add(out, r->pending[i]);
	return rc;
}

static bool newest_gap(const struct resource *r, const struct coverage *c, int64_t start,
		       int64_t end, struct interval *gap_out)
{
	struct intervals known = {0}, gaps = {0};
	bool found = known_of(r, c, &known) == 0 &&
		     intervals_gaps(&known, start, end, &gaps) == 0 && gaps.count > 0;

	if (found)
		*gap_out = gaps.items[gaps.count - 1];
	intervals_release(&known);
	intervals_release(&gaps);
	return found;
}

bool resource_gap(const struct resource *r, const struct snapshot *view, struct interval *gap_out)
{
	const struct coverage *c = snapshot_coverage(view, r->options.type->name);
	/* From the chain on, changes runs bring what is created. */
	int64_t end = c->chain_end_ms != TIME_NONE ? c->chain_end_ms : sync_provider_now(r->sync);
	int64_t start = r->options.type->traits & TRAIT_WINDOWED ? history_start(r) : TIME_MIN;
	struct interval child;

	if (!(r->options.type->traits & TRAIT_CHANGED))
		return false;
	bool found = newest_gap(r, c, start, end, gap_out);
	if (!r->child || !newest_gap(r, snapshot_coverage(view, r->child->name), start, end, &child))
		return found;
	if (!found || child.end_ms > gap_out->end_ms)
		*gap_out = child;
	return true;
}

/* Whether children are missing of parents that are held: these must be read again though nothing about them changed. */
static int child_lost(const struct run *run, bool *lost_out)
{
	const struct resource_type *child = run->resource->child;
	struct intervals gaps = {0}, held = {0};
	int64_t start = run->gap.start_ms;

	*lost_out = false;
	if (!child)
		return 0;
	*lost_out = snapshot_quarantined(run->view, child->name, start, TIME_MAX) > 0;
	int rc = intervals_gaps(&snapshot_coverage(run->view, child->name)->held, start, TIME_MAX,
				&gaps);
	for (size_t i = 0; rc == 0 && i < gaps.count; i++)
		rc = intervals_clip(&snapshot_coverage(run->view, run->info.resource)->held,
				    gaps.items[i].start_ms, gaps.items[i].end_ms, &held);
	*lost_out |= held.count > 0;
	intervals_release(&gaps);
	intervals_release(&held);
	return rc;
}

static int begin(struct run *run, struct why *why)
{
	struct resource *r = run->resource;
	const struct coverage *c = snapshot_coverage(run->view, run->info.resource);
	bool found = resource_gap(r, run->view, &run->gap);

	if (!found && !r->full_wished)
		return 1;
	bool top = c->chain_end_ms == TIME_NONE || r->full_wished;
	if (r->full_wished)
		run->gap.start_ms = history_start(r);
	r->full_wished = false;
	int rc = child_lost(run, &run->force);
	if (rc)
		return why_set(why, rc, "cannot look at what is held");
	run->ordered = true;
	run->low_ms = TIME_MAX;
	/* Directly below what was walked, older updates are all that is missing. What was walked and is missing all the same was lost: what was
	 * created there may have been updated at any time since. */
	run->ask = (struct ask){
		.kind = ASK_CHANGED,
		.type = r->options.type,
		.start_ms = run->gap.start_ms,
		.end_ms = top || run->gap.end_ms != resource_walked(r, run->view) ? TIME_MAX
										  : run->gap.end_ms,
		.descending = true,
	};
	if (top)
		run->gap.end_ms = TIME_MAX;
	run->info.span_start_ms = run->gap.start_ms;
	run->info.span_end_ms = run->gap.end_ms;
	return 0;
}

static void follow_order(struct run *run)
{
	for (size_t i = 0; i < run->page->count; i++) {
		int64_t updated = run->page->records[i].record.updated_ms;
		if (updated == TIME_NONE || updated > run->low_ms)
			run->ordered = false;
		else
			run->low_ms = updated;
	}
}

static int proves(struct run *run, bool last, struct why *why)
{
	struct interval span = {.end_ms = run->gap.end_ms, .as_of_ms = run->asked_ms};
	const struct coverage *c = snapshot_coverage(run->view, run->info.resource);
	int rc = 0;

	follow_order(run);
	if (c->chain_start_ms == TIME_NONE) {
		rc = run_chain_start(run, run->asked_ms);
		if (rc == 0)
			rc = run_walked_save(run, run->asked_ms);
	}
	if (rc)
		return why_set(why, rc, "cannot begin the chain of changes");
	if (span.end_ms == TIME_MAX)
		span.end_ms = run->asked_ms;
	/* Others of the same second may stand on the next page. */
	if (last)
		span.start_ms = run->gap.start_ms;
	else if (run->ordered && run->low_ms != TIME_MAX)
		span.start_ms = run->low_ms + SECOND_MS;
	else
		return 0;
	if (span.start_ms >= span.end_ms)
		return 0;
	resource_pend(run->resource, span);
	run->gap.end_ms = span.start_ms;
	rc = run_walked_save(run, span.start_ms);
	return rc ? why_set(why, rc, "cannot note what was read") : run_pending_save(run, why);
}

static int next_phase(struct run *run, struct why *why)
{
	(void)run;
	(void)why;
	return 0;
}

static int finish(struct run *run, struct why *why)
{
	(void)why;
	run->info.synced_until_ms = run->asked_ms;
	return 0;
}

const struct run_ops run_backfill = {
	.kind = RUN_BACKFILL,
	.begin = begin,
	.proves = proves,
	.next_phase = next_phase,
	.finish = finish,
};
