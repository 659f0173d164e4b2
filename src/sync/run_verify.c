/*
 * run_verify: a stretch of the held history against what the provider lists by creation, window by window: what is missing is read, threads are read
 * again (all of them, or those whose listing does not agree; not where the listing shows them whole), what is not listed is asked for itself. Finds what no feed has told: missed changes, silent
 * deletions. Where nothing can be listed by creation, all that is held there is asked for itself, and nothing is claimed: what is missing does not show. Claims its windows for the resource itself, never for its children: messages of that time may belong to older conversations.
 */
#include "run.h"
#include "sync_state.h"

#include <base/log.h>

#define ASKED_RECORDS \
	10 /* held ones that are read and committed together where each is asked for itself, which takes several calls */
#define CALLS_MAX \
	5000 /* of a run that nobody waits for; the rest of its stretch comes with the next one */
#define LOGGED_MAX 10 /* differences, one by one */
#define SECOND_MS  1000

enum { PHASE_LISTING, PHASE_ABSENCES };

static bool is_listed(const struct run *run)
{
	return run->resource->options.type->traits & TRAIT_CREATED;
}

/* Where the window ends: at the second of the record that would be too many. */
static int window_end(struct run *run, int64_t *end_out, struct why *why)
{
	struct scan_spec spec = {
		.resource = run->info.resource,
		.start_ms = run->stretch.start_ms,
		.end_ms = run->stretch.end_ms,
	};
	struct scan_row row;
	struct scan *scan;
	unsigned n = 0, most = is_listed(run) ? VERIFY_WINDOW : ASKED_RECORDS;
	int rc = scan_open(run->view, &spec, &scan, why);

	*end_out = run->stretch.end_ms;
	if (rc)
		return rc;
	while ((rc = scan_next(scan, &row)) == 1) {
		int64_t second = row.created_ms - row.created_ms % SECOND_MS;
		if (++n > most && second > run->stretch.start_ms) {
			*end_out = second;
			break;
		}
	}
	scan_close(scan);
	return rc < 0 ? why_set(why, rc, "cannot read what is held") : 0;
}

static int window_begin(struct run *run, struct why *why)
{
	int rc = window_end(run, &run->gap.end_ms, why);

	run->gap.start_ms = run->stretch.start_ms;
	run->stretch.start_ms = run->gap.end_ms;
	run->ask = (struct ask){
		.kind = ASK_CHANGED,
		.type = run->resource->options.type,
		.start_ms = run->gap.start_ms,
		.end_ms = run->gap.end_ms,
		.created = true,
	};
	run->phase = PHASE_LISTING;
	run->info.phase = "listing";
	run->info.total = -1;
	run->info.done = 0;
	run->asked_ms = TIME_NONE;
	run->asking_absent = false;
	run->ordered = true;
	run->low_ms = TIME_MIN;
	seen_release(&run->seen);
	run->seen_over = false;
	if (!is_listed(run)) {
		run->phase = PHASE_ABSENCES;
		run->info.phase = "threads";
		run->working = run->last_page = true;
		run->asked_ms = sync_provider_now(run->sync);
	}
	return rc;
}

static int begin(struct run *run, struct why *why)
{
	struct resource *r = run->resource;
	const struct coverage *c = snapshot_coverage(run->view, run->info.resource);
	struct interval wished = r->verify_wished;

	r->verify_wished = (struct interval){0};
	run->insisted = r->insisted;
	r->insisted = false;
	run->pressing = run->preferred;
	if (wished.start_ms < wished.end_ms && wished.start_ms != TIME_MIN)
		run->stretch = wished;
	else if (!resource_verify_next(r, run->view, &run->stretch))
		return 1;
	run->chain_ms = c->chain_end_ms;
	run->force = !r->options.verify_counts;
	run->info.span_start_ms = run->info.span_end_ms = run->stretch.start_ms;
	return window_begin(run, why);
}

/* What comes in another order than was asked for may have slipped past: then nothing is claimed. */
static int proves(struct run *run, bool last, struct why *why)
{
	(void)why;
	for (size_t i = 0; run->page && i < run->page->count; i++) {
		int64_t created = run->page->records[i].record.created_ms;
		if (run->page->records[i].type != run->ask.type)
			continue;
		if (created == TIME_NONE || created < run->low_ms)
			run->ordered = false;
		run->low_ms = created;
	}
	if (last && run->info.total > (int64_t)run->seen.count)
		run->ordered = false;
	return 0;
}

/* No newer than the chain of changes: a verify run makes nothing fresh. Nothing of what was dropped while it was under way. */
static int claim(struct run *run)
{
	const struct coverage *c = snapshot_coverage(run->view, run->info.resource);
	struct interval span = {run->gap.start_ms, run->gap.end_ms, run->asked_ms};

	if (span.start_ms < run->resource->kept_from_ms)
		span.start_ms = run->resource->kept_from_ms;
	if (c->chain_end_ms == TIME_NONE || !is_listed(run) || !run->ordered ||
	    span.start_ms >= span.end_ms)
		return 0;
	if (span.as_of_ms > c->chain_end_ms)
		span.as_of_ms = c->chain_end_ms;
	return txn_hold(run->txn, run->info.resource, span);
}

static int window_over(struct run *run, struct why *why)
{
	int rc = run_verified(run,
			      (struct interval){run->gap.start_ms, run->gap.end_ms, run->asked_ms});

	if (rc == 0)
		rc = claim(run);
	run->info.span_end_ms = run->gap.end_ms;
	return rc ? why_set(why, rc, "cannot note what was verified") : 0;
}

/* The rest of the stretch comes with the next run. */
static bool has_its_share(const struct run *run)
{
	return !run->pressing && (run->info.calls >= CALLS_MAX || run->sync->tell->window_over(run));
}

static int next_phase(struct run *run, struct why *why)
{
	if (run->refused)
		return 0;
	if (run->phase == PHASE_LISTING && run->seen_over)
		return why_set(why, ERR_LIMIT, "more than %zu records are listed where %d are held",
			       run_listed_max(run), VERIFY_WINDOW);
	if (run->phase == PHASE_LISTING) {
		run->phase = PHASE_ABSENCES;
		run->info.phase = "absences";
		run->working = true;
		run->last_page = true;
		return 1;
	}
	int rc = window_over(run, why);
	if (rc)
		return rc;
	if (run->stretch.start_ms >= run->stretch.end_ms || has_its_share(run))
		return 0;
	rc = window_begin(run, why);
	return rc ? rc : 1;
}

static int work(struct run *run, struct why *why)
{
	int rc = run_absences(run, run->gap.start_ms, run->gap.end_ms, why);

	if (rc || !is_listed(run))
		return rc;
	run->asking_absent = true;
	rc = run_absence_guard(run, false, why);
	return rc < 0 ? rc : 0;
}

static int finish(struct run *run, struct why *why)
{
	(void)why;
	if (run->info.differences)
		log_warn("sync", "verify has found and mended %llu differences in %s source=%s",
			 (unsigned long long)run->info.differences, run->info.resource,
			 run->info.source);
	return 0;
}

void run_differs(struct run *run, struct bytes id, int64_t updated_ms, const char *how)
{
	/* What changed of late is the next changes run's to find. */
	if (run->ops->kind != RUN_VERIFY ||
	    (updated_ms != TIME_NONE &&
	     updated_ms >= run->chain_ms - run->resource->options.type->lookback_ms))
		return;
	if (run->info.differences++ < LOGGED_MAX)
		log_warn("sync", "%s %.*s %s, though nothing said so: mended source=%s",
			 run->info.resource, (int)id.len, (const char *)id.data, how,
			 run->info.source);
}

const struct run_ops run_verify = {
	.kind = RUN_VERIFY,
	.begin = begin,
	.proves = proves,
	.next_phase = next_phase,
	.work = work,
	.finish = finish,
};
