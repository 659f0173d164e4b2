/*
 * run_backfill: a gap of the wanted history, read by last update, newest first. After each page everything above the page's lowest update is
 * proven (but for what moved meanwhile: see run.h), so an interrupted backfill goes on where it stood. If the provider does not keep the order that was
 * asked for, nothing is claimed before the end.
 */
#include "run.h"
#include "sync_state.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND_MS 1000
#define DAY_MS INT64_C(86400000)

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

static bool newest_gap(const struct resource *r, const struct coverage *c, int64_t start, int64_t end,
		       struct interval *gap_out)
{
	struct intervals known = {0}, gaps = {0};
	bool found = known_of(r, c, &known) == 0 && intervals_gaps(&known, start, end, &gaps) == 0 && gaps.count > 0;

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
	int64_t start = history_start(r);
	struct interval child;

	if (!(r->options.type->traits & TRAIT_WINDOWED))
		return false;
	bool found = newest_gap(r, c, start, end, gap_out);
	if (!r->child || !newest_gap(r, snapshot_coverage(view, r->child->name), start, end, &child))
		return found;
	if (!found || child.end_ms > gap_out->end_ms)
		*gap_out = child;
	return true;
}

/* Whether anything below the gap is held: then what was created in the gap may have been updated at any time since. */
static bool gap_is_inner(const struct coverage *c, struct interval gap)
{
	return c->held.count > 0 && c->held.items[0].start_ms < gap.start_ms;
}

static int begin(struct run *run, struct why *why)
{
	struct resource *r = run->resource;
	const struct coverage *c = snapshot_coverage(run->view, run->info.resource);
	bool found = resource_gap(r, run->view, &run->gap);

	(void)why;
	if (!found && !r->full_wished)
		return 1;
	bool top = c->chain_end_ms == TIME_NONE || r->full_wished;
	if (r->full_wished)
		run->gap.start_ms = history_start(r);
	r->full_wished = false;
	/* A gap of the children alone: the parents are held, but must be read again for what hangs on them. */
	run->force = found && !top && intervals_contain(&c->held, run->gap.start_ms, run->gap.end_ms);
	run->ordered = true;
	run->low_ms = TIME_MAX;
	run->ask = (struct ask){
		.kind = ASK_CHANGED,
		.type = r->options.type,
		.start_ms = run->gap.start_ms,
		.end_ms = top || gap_is_inner(c, run->gap) ? TIME_MAX : run->gap.end_ms,
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
	if (c->chain_start_ms == TIME_NONE)
		rc = run_chain_start(run, run->asked_ms);
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
	return run_pending_save(run, why);
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

/* ---- pending claims ---- */

void resource_pend(struct resource *r, struct interval span)
{
	struct store_stats stats;

	store_stats(r->sync->options.store, &stats);
	if (r->pending_count && r->pending_quarantined != stats.quarantined)
		r->pending_count = 0;
	r->pending_quarantined = stats.quarantined;
	for (unsigned i = 0; i < r->pending_count; i++) {
		struct interval *p = &r->pending[i];
		if (p->start_ms != span.end_ms)
			continue;
		p->start_ms = span.start_ms;
		if (span.as_of_ms < p->as_of_ms)
			p->as_of_ms = span.as_of_ms;
		return;
	}
	/* With every place taken the oldest claim is given up: it becomes a gap that is read again. */
	if (r->pending_count == PENDING_MAX) {
		for (unsigned i = 1; i < PENDING_MAX; i++)
			r->pending[i - 1] = r->pending[i];
		r->pending_count--;
	}
	r->pending[r->pending_count++] = span;
}

int run_pending_save(struct run *run, struct why *why)
{
	const struct resource *r = run->resource;
	char key[64], text[PENDING_MAX * 64];
	int n = 0;

	snprintf(key, sizeof key, "pending.%s", run->info.resource);
	for (unsigned i = 0; i < r->pending_count; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "%lld %lld %lld\n", (long long)r->pending[i].start_ms,
			      (long long)r->pending[i].end_ms, (long long)r->pending[i].as_of_ms);
	int rc = txn_mark(run->txn, key, n ? bytes_of(text, (size_t)n) : bytes_of(NULL, 0));
	return rc ? why_set(why, rc, "cannot note what was read") : 0;
}

void resource_pending_load(struct resource *r, const struct snapshot *view)
{
	char key[64], text[PENDING_MAX * 64 + 1];
	struct store_stats stats;

	snprintf(key, sizeof key, "pending.%s", r->options.type->name);
	struct bytes mark = snapshot_mark(view, key);
	store_stats(r->sync->options.store, &stats);
	r->pending_count = 0;
	r->pending_quarantined = stats.quarantined;
	/* A store that lost something when it was opened may have lost what the claims are about. */
	if (mark.len == 0 || mark.len >= sizeof text || stats.quarantined)
		return;
	memcpy(text, mark.data, mark.len);
	text[mark.len] = 0;
	for (char *line = text; *line && r->pending_count < PENDING_MAX;) {
		char *at = line;
		struct interval span = {.start_ms = strtoll(at, &at, 10)};
		span.end_ms = strtoll(at, &at, 10);
		span.as_of_ms = strtoll(at, &at, 10);
		if (*at != '\n' || span.start_ms >= span.end_ms)
			return;
		r->pending[r->pending_count++] = span;
		line = at + 1;
	}
}
