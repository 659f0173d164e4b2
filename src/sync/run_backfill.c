/*
 * run_backfill: a gap of the wanted history, read by last update, newest first. After each page everything above the page's lowest update is
 * proven (but for what moved meanwhile: see run.h), so an interrupted backfill goes on where it stood. If the provider does not keep the order that was
 * asked for, nothing is claimed before the end.
 *
 * Where a walk cannot be given bounds (TRAIT_BUMPED) it goes on behind the last page that was committed, by the cursor that is kept for it. A cursor that is not taken any
 * more costs listings, from the top down to there; threads that are held are not read again.
 */
#include "run.h"
#include "sync_state.h"

#include <base/log.h>

#include <stdio.h>

#define SECOND_MS  1000
#define CURSOR_MAX 1024
#define BUMP_MS    5000 /* a conversation may be made a little after its first message */

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

static void cursor_key(const struct run *run, char *key, size_t cap)
{
	snprintf(key, cap, "cursor.%s", run->info.resource);
}

/* Also at the end of the wanted history: it may be wanted from earlier on some day. */
static int cursor_save(struct run *run)
{
	char key[64];

	if (!(run->ask.type->traits & TRAIT_BUMPED))
		return 0;
	cursor_key(run, key, sizeof key);
	return txn_mark(run->txn, key,
			run->cursor.len > CURSOR_MAX ? bytes_of(NULL, 0) : buf_bytes(&run->cursor));
}

static void resume(struct run *run, int64_t walked_ms)
{
	char key[64];

	cursor_key(run, key, sizeof key);
	struct bytes cursor = snapshot_mark(run->view, key);
	if (!cursor.len)
		return;
	buf_put_bytes(&run->cursor, cursor);
	run->low_ms = walked_ms - BUMP_MS;
	run->resumed = true;
}

bool run_unresumed(struct run *run, const struct page *page)
{
	bool mine = run->resumed && (page->fault == FAULT_CURSOR || page->fault == FAULT_NEVER);

	run->resumed = false;
	if (!mine)
		return false;
	log_info("sync",
		 "the walk over %s begins anew, its cursor is not taken any more (%s) source=%s",
		 run->info.resource, page->why.text, run->info.source);
	run->cursor.len = 0;
	run->low_ms = TIME_MAX;
	return true;
}

static int begin(struct run *run, struct why *why)
{
	struct resource *r = run->resource;
	const struct coverage *c = snapshot_coverage(run->view, run->info.resource);
	struct interval wished = r->span_wished;
	bool limited = wished.start_ms < wished.end_ms && !r->full_wished;
	bool found = limited ? resource_gap_in(r, run->view, wished, &run->gap)
			     : resource_gap(r, run->view, &run->gap);

	r->span_wished = (struct interval){0};
	if (!found && !r->full_wished)
		return 1;
	bool top = c->chain_end_ms == TIME_NONE || r->full_wished;
	if (r->full_wished)
		run->gap.start_ms = resource_history_start(r);
	run->full = r->full_wished || c->held.count == 0;
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
	if (!top && (r->options.type->traits & TRAIT_BUMPED) &&
	    run->gap.end_ms == resource_walked(r, run->view))
		resume(run, run->gap.end_ms);
	return 0;
}

/* Everything that follows has a place below the lowest last update, for no place is above its record's last update. A record that was made after that stands
 * where it cannot: then the order is another one. */
static void follow_bumps(struct run *run)
{
	for (size_t i = 0; i < run->page->count; i++) {
		const struct record *r = &run->page->records[i].record;
		if (r->updated_ms == TIME_NONE ||
		    (run->low_ms != TIME_MAX && r->created_ms != TIME_NONE &&
		     r->created_ms > run->low_ms + BUMP_MS))
			run->ordered = false;
		else if (r->updated_ms < run->low_ms)
			run->low_ms = r->updated_ms;
	}
}

static void follow_order(struct run *run)
{
	if (run->ask.type->traits & TRAIT_BUMPED) {
		follow_bumps(run);
		return;
	}
	for (size_t i = 0; i < run->page->count; i++) {
		int64_t updated = run->page->records[i].record.updated_ms;
		if (run->page->records[i].type != run->ask.type)
			continue;
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
	bool bumped = run->ask.type->traits & TRAIT_BUMPED;
	int rc = 0;

	follow_order(run);
	/* A walk without bounds ends where the wanted history does. */
	if (bumped && run->ordered && run->low_ms != TIME_MAX &&
	    run->low_ms + BUMP_MS < run->ask.start_ms)
		last = run->last_page = true;
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
	if (last && !run->ordered &&
	    run->info.done < (uint64_t)(run->info.total > 0 ? run->info.total : 0))
		return why_set(
			why, ERR_REMOTE,
			"the provider does not keep the order that was asked for, and shows %llu of %lld",
			(unsigned long long)run->info.done, (long long)run->info.total);
	if (last)
		span.start_ms = run->gap.start_ms;
	else if (run->ordered && run->low_ms != TIME_MAX)
		span.start_ms = run->low_ms + (bumped ? BUMP_MS : SECOND_MS);
	else
		return 0;
	if (span.start_ms >= span.end_ms)
		return 0;
	resource_pend(run->resource, span);
	run->gap.end_ms = span.start_ms;
	rc = run_walked_save(run, span.start_ms);
	if (rc == 0)
		rc = cursor_save(run);
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
