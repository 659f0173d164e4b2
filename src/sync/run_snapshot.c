/*
 * run_snapshot: the whole of a resource. What is held but was not shown is absent, and absence proves deletion only after a complete reading
 * and for a guarded share: a provider that suddenly shows much less is not believed at once.
 */
#include "run.h"
#include "sync_state.h"

#include <base/log.h>

#include <stdio.h>

#define WALKS_MAX   3 /* readings of a listing until it shows as many as the provider's count says */
#define AGAIN_SHARE 0.3 /* absences beyond this share … */
#define AGAIN_COUNT 3 /* … and this many must show twice; the guard (absence.c) comes after it */

enum { PHASE_LISTING, PHASE_ABSENCES };

static int begin(struct run *run, struct why *why)
{
	(void)why;
	run->insisted = run->resource->insisted;
	run->resource->insisted = false;
	run->resource->full_wished = false;
	/* Other lists are read whole each time. */
	run->full = run->resource->options.type->traits & TRAIT_CHANGED;
	run->ask = (struct ask){.kind = ASK_LIST, .type = run->resource->options.type};
	return 0;
}

static int proves(struct run *run, bool last, struct why *why)
{
	const struct coverage *c = snapshot_coverage(run->view, run->info.resource);

	(void)last;
	(void)why;
	/* Changes runs go on from the moment before the first page. */
	if ((run->resource->options.type->traits & TRAIT_CHANGED) && c->chain_start_ms == TIME_NONE)
		return run_chain_start(run, run->asked_ms);
	return 0;
}

/* Reads the list again from its start. What earlier readings have shown was there, and is not absent. */
static int walk_again(struct run *run)
{
	run->ask.walk = ++run->walks;
	run->walk_ms = TIME_NONE;
	run->walk_old = run->walk_young = 0;
	seen_mark_all(&run->seen, false);
	run->info.total = -1;
	run->phase = PHASE_LISTING;
	run->info.phase = "listing";
	run->info.done = 0;
	return 1;
}

/* The last reading, by another listing: one that says itself where it ends, or that finds in another order. */
static int walk_otherwise(struct run *run)
{
	unsigned traits = run->resource->options.type->traits;

	run->ask.sure = traits & TRAIT_SCROLLED;
	if (!run->ask.sure) {
		run->ask.kind = ASK_CHANGED;
		run->ask.start_ms = TIME_MIN;
		run->ask.end_ms = TIME_MAX;
	}
	return walk_again(run);
}

static int look_for_absences(struct run *run)
{
	run->phase = PHASE_ABSENCES;
	run->info.phase = "absences";
	run->working = true;
	run->last_page = true;
	return 1;
}

/* Fewer are shown than there are said to be, by all readings there are. Where changes are fed the past is a gap that is read again, and the run fails. */
static int fall_short(struct run *run, uint64_t shown, struct why *why)
{
	struct resource *r = run->resource;

	if (r->options.type->traits & TRAIT_CHANGED)
		return why_set(why, ERR_REMOTE,
			       "the listing shows %llu of %lld, and nothing proves that these are all",
			       (unsigned long long)shown, (long long)run->most);
	run->partial = true;
	snprintf(r->listed, sizeof r->listed,
		 "the listing shows %llu of %lld %s: what else there is is not known, and nothing is taken as deleted",
		 (unsigned long long)shown, (long long)run->most, run->info.resource);
	log_warn("sync", "%s source=%s", r->listed, run->info.source);
	return 0;
}

/* What cannot be compared within bounds: nothing is buried, and people are told. Where pages may miss something, nothing is claimed either. */
static int too_many(struct run *run, struct why *why)
{
	struct resource *r = run->resource;

	if (r->options.type->traits & TRAIT_UNSTABLE)
		return why_set(
			why, ERR_LIMIT,
			"more than %zu are listed: too many to tell whether its pages have missed some",
			run_listed_max(run));
	if (run->most > (int64_t)run->info.done)
		return fall_short(run, run->info.done, why);
	snprintf(r->listed, sizeof r->listed,
		 "more than %zu %s are listed: which of those that are held are gone is not looked for",
		 run_listed_max(run), run->info.resource);
	log_warn("sync", "%s source=%s", r->listed, run->info.source);
	return 0;
}

/* A count of fewer than surely were there, or none, says nothing. */
static bool counts_nothing(const struct run *run)
{
	return run->info.total < 0 || run->info.total < (int64_t)run->walk_old;
}

static bool shows_all_again(const struct run *run)
{
	return run->seen.marked == run->seen.count;
}

/*
 * Where pages are numbered over a moving order: between two of them records move over their border, and pages of another size miss others. A walk is complete when it has shown as
 * many of those that there were before its first page as that one's count said: then it has shown all of them. Without a count that can be right a second walk must have shown nothing else.
 * Records of several walks together prove something only when nothing came or went: one that went after it was shown would hide one that was never shown. A count that no walk
 * reaches may be right, however often the same is shown: a list that is cut shows the same each time, too. Only one that says itself where it ends is believed against it.
 */
static bool numbered_complete(const struct run *run)
{
	if (run->ask.sure)
		return shows_all_again(run);
	if (counts_nothing(run))
		return !(run->resource->options.type->traits & TRAIT_SCROLLED) && run->walks > 0 &&
		       !run->moved && run->most <= (int64_t)run->seen.count && shows_all_again(run);
	return run->info.total <= (int64_t)run->walk_old ||
	       (run->walks + 1 == WALKS_MAX && !run->moved &&
		run->info.total == (int64_t)run->seen.count);
}

/* Two listings in different orders that show the very same, but for what an index may not have yet, are not cut. */
static bool listings_agree(const struct run *run)
{
	return run->ask.kind == ASK_CHANGED && !run->added &&
	       run->seen.marked - run->walk_young == run->seen.count - run->young;
}

static bool walk_complete(const struct run *run)
{
	if (run->resource->options.type->traits & TRAIT_UNSTABLE)
		return numbered_complete(run);
	return run->most <= (int64_t)run->seen.count || listings_agree(run);
}

static int walk_over(struct run *run, struct why *why)
{
	unsigned traits = run->resource->options.type->traits;
	bool otherwise = run->ask.sure || run->ask.kind == ASK_CHANGED;

	if (walk_complete(run))
		return 0;
	if (!otherwise && ((traits & TRAIT_CHANGED) ||
			   ((traits & TRAIT_SCROLLED) && (run->walks > 0 || counts_nothing(run)))))
		return walk_otherwise(run);
	if (!otherwise && run->walks + 1 < WALKS_MAX)
		return walk_again(run);
	if (run->most > (int64_t)run->seen.count)
		return fall_short(run, run->seen.count, why);
	if (run->info.total > 0 && !counts_nothing(run))
		return why_set(why, ERR_REMOTE,
			       "the listing moves: it shows %zu of %lld in the last of %u readings",
			       run->seen.marked, (long long)run->info.total, run->walks + 1);
	return why_set(
		why, ERR_REMOTE,
		"the listing does not say how many there are, and shows others in each of %u readings",
		run->walks + 1);
}

static int next_phase(struct run *run, struct why *why)
{
	if (run->again) {
		run->again = false;
		return walk_again(run);
	}
	if (run->phase == PHASE_ABSENCES && run->absent_more && !run->refused)
		return look_for_absences(run);
	if (run->refused || run->phase == PHASE_ABSENCES || run->unchanged)
		return 0;
	if (run->seen_over)
		return too_many(run, why);
	int rc = walk_over(run, why);
	if (rc || run->partial || snapshot_count(run->view, run->info.resource) == 0)
		return rc;
	seen_mark_all(&run->seen, true);
	return look_for_absences(run);
}

/* 1: the list is read once more before its absences are believed. */
static bool read_again(struct run *run)
{
	/* Counts are not exact everywhere: where pages are numbered over a moving order, two readings must agree. */
	if ((run->resource->options.type->traits & TRAIT_UNSTABLE) && run->absent && run->walks == 0)
		return true;
	if (run->walks || run->absent < AGAIN_COUNT || run->seen_none ||
	    (double)run->absent <= (double)run->scanned * AGAIN_SHARE)
		return false;
	log_warn("sync",
		 "%s: %llu of %llu are not shown any more; reading once more before believing it",
		 run->info.resource, (unsigned long long)run->absent,
		 (unsigned long long)run->scanned);
	return true;
}

static int bury_wanted(struct run *run, struct why *why)
{
	for (struct wanted *w = run->wanted; w; w = w->next) {
		int rc = run_bury(run, bytes_of(w->id, w->len), run->asked_ms, bytes_of(NULL, 0),
				  false, why);
		while (rc >= 0 && run->burial)
			rc = run_bury_step(run, why);
		if (rc)
			return rc;
	}
	run_wanted_drop(run);
	return 0;
}

static int work(struct run *run, struct why *why)
{
	int rc = run_absences(run, TIME_MIN, TIME_MAX, why);

	if (rc)
		return rc;
	/* Passes after the first: it was decided then. */
	if (!run->asking_absent && read_again(run)) {
		run_wanted_drop(run);
		/* Not those that are absent, which were added. */
		seen_keep_marked(&run->seen);
		run->again = true;
		return 0;
	}
	if (!run->asking_absent)
		rc = run_absence_guard(run, run->seen_none && run->absent >= AGAIN_COUNT, why);
	run->asking_absent = true;
	if (rc)
		return rc < 0 ? rc : 0;
	/* Those of whom single records can be asked are asked: deleted, merged and archived differ. The others are gone. */
	return run->resource->options.type->traits & TRAIT_ONE ? 0 : bury_wanted(run, why);
}

/* The list is what it was at `asked`; where changes are fed, what slipped past the walk comes with the next changes run. */
static int finish(struct run *run, struct why *why)
{
	struct resource *r = run->resource;
	struct interval all = {TIME_MIN, run->asked_ms, run->asked_ms};
	char key[64];
	int rc;

	if (run->partial)
		return 0;
	run->info.synced_until_ms = run->asked_ms;
	if (!run->seen_over)
		r->listed[0] = 0;
	if (r->options.type->traits & TRAIT_CHANGED) {
		resource_pend(r, all);
		return run_pending_save(run, why);
	}
	/* Known from a clock that ran ahead and was set back: what is newer would not count. */
	rc = 0;
	if (coverage_end(snapshot_coverage(run->view, run->info.resource)) >
	    run->asked_ms + CLOCK_SLACK_MS)
		rc = run_withdraw_all(run);
	if (rc == 0)
		rc = run_hold(run, all);
	if (rc == 0 && !run->unchanged && (r->options.type->traits & TRAIT_ETAG)) {
		snprintf(key, sizeof key, "etag.%s", run->info.resource);
		rc = txn_mark(run->txn, key, bytes_str(run->etag));
	}
	if (rc == 0 && run->unchanged)
		return run_absence_none(run, why);
	return rc ? why_set(why, rc, "cannot note what was read") : 0;
}

const struct run_ops run_snapshot = {
	.kind = RUN_SNAPSHOT,
	.begin = begin,
	.proves = proves,
	.next_phase = next_phase,
	.work = work,
	.finish = finish,
};
