/*
 * run_changes: everything that changed since the end of the chain. Proves the chain up to the moment before its first question, by the
 * provider's clock, and turns the claims that walks left pending into coverage. Proves nothing before it is complete.
 */
#include "run.h"
#include "sync_state.h"

#include <base/log.h>

#include <stdio.h>
#include <stdlib.h>

enum { PHASE_CHANGED, PHASE_READING, PHASE_DELETED };

/* The end of what is asked of a feed of events stays the same from page to page, well ahead of whatever the provider's clock is by now: the oldest come first, so what
 * happens meanwhile stands at the end and moves nothing. */
#define EVENTS_AHEAD_MS (60 * 60 * 1000)

static bool by_events(const struct run *run)
{
	return run->resource->options.type->traits & TRAIT_EVENTS;
}

static int begin_events(struct run *run, struct why *why)
{
	run->ask.kind = ASK_EVENTS;
	run->ask.end_ms = sync_provider_now(run->sync) + EVENTS_AHEAD_MS;
	run->info.phase = "events";
	int rc = touched_load(&run->touched, run->info.resource, run->view);
	return rc ? why_set(why, rc, "out of memory") : 0;
}

static int begin(struct run *run, struct why *why)
{
	struct resource *r = run->resource;
	const struct coverage *c = snapshot_coverage(run->view, run->info.resource);

	if (c->chain_end_ms == TIME_NONE)
		return why_set(why, ERR_INVALID, "nothing was read yet that could have changed");
	run->chain_ms = c->chain_end_ms;
	run->ask = (struct ask){
		.kind = ASK_CHANGED,
		.type = r->options.type,
		.start_ms = c->chain_end_ms - r->options.type->lookback_ms,
		.end_ms = TIME_MAX,
	};
	run->info.span_start_ms = run->ask.start_ms;
	/* What an earlier run had read here, but not to its end, and was lost since: that a conversation is held says nothing of its messages. */
	run->force = r->child &&
		     snapshot_quarantined(run->view, r->child->name, run->chain_ms, TIME_MAX) > 0;
	run->claim_count = r->pending_count;
	for (unsigned i = 0; i < r->pending_count; i++)
		run->claims[i] = r->pending[i];
	if (run_dead_again(run))
		return why_set(why, ERR_NOMEM, "out of memory");
	return by_events(run) ? begin_events(run, why) : 0;
}

static int proves(struct run *run, bool last, struct why *why)
{
	(void)run;
	(void)last;
	(void)why;
	return 0;
}

/* ---- deletions ---- */

static void fed_key(const struct run *run, char *key, size_t cap)
{
	snprintf(key, cap, "deletions.%s", run->info.resource);
}

/* Up to when the feed was read; before its first reading, when the first record was asked for. A mark of its own, since changes may have been read without it. Stores that
 * were begun without it have none: there it is where the chain began. */
static int64_t fed_until(const struct run *run)
{
	const struct coverage *c = snapshot_coverage(run->view, run->info.resource);
	char key[64], text[24];

	fed_key(run, key, sizeof key);
	struct bytes mark = snapshot_mark(run->view, key);
	if (mark.len == 0 || mark.len >= sizeof text)
		return c->chain_start_ms;
	memcpy(text, mark.data, mark.len);
	text[mark.len] = 0;
	int64_t until = strtoll(text, NULL, 10);
	return until < run->chain_ms ? until : run->chain_ms;
}

static int fed_put(struct run *run, int64_t until_ms)
{
	char key[64], text[24];

	fed_key(run, key, sizeof key);
	snprintf(text, sizeof text, "%lld", (long long)until_ms);
	return txn_mark(run->txn, key, bytes_str(text));
}

int run_feed_begin(struct run *run)
{
	const struct coverage *c = snapshot_coverage(run->view, run->info.resource);
	char key[64];

	fed_key(run, key, sizeof key);
	if (!(run->resource->options.type->traits & TRAIT_DELETED) ||
	    c->chain_start_ms != TIME_NONE || snapshot_mark(run->view, key).len)
		return 0;
	return fed_put(run, sync_provider_now(run->sync));
}

static int fed_save(struct run *run)
{
	struct resource *r = run->resource;
	const struct account *a = run->sync->line.account;

	if (!(r->options.type->traits & TRAIT_DELETED) || run->unfed)
		return 0;
	r->feed[0] = 0;
	if (!(a->provider->traits(a, r->options.type) & TRAIT_DELETED)) {
		snprintf(r->feed, sizeof r->feed,
			 "version %s of the API does not tell of deletions: only verify runs find them",
			 a->version);
		return 0;
	}
	return fed_put(run, run->asked_ms);
}

bool run_unfed(struct run *run, struct page *page)
{
	struct resource *r = run->resource;

	if (run->ask.kind != ASK_DELETED || page->fault != FAULT_NEVER)
		return false;
	if (!r->feed[0])
		log_warn("sync", "the feed of deleted %s is refused (%s) source=%s",
			 run->info.resource, page->why.text, run->info.source);
	snprintf(r->feed, sizeof r->feed,
		 "deletions are not told of (%.90s): only verify runs find them", page->why.text);
	run->unfed = true;
	page->fault = FAULT_NONE;
	page->count = 0;
	page->next = bytes_of(NULL, 0);
	page->total = -1;
	return true;
}

static int next_phase(struct run *run, struct why *why)
{
	const struct account *a = run->sync->line.account;

	(void)why;
	/* All of the feed is known: what it is about is read piece by piece, between which others have their turn. */
	if (run->touched.first) {
		run->phase = PHASE_READING;
		run->info.phase = "threads";
		run->working = run->last_page = true;
		return 1;
	}
	if (run->phase == PHASE_DELETED ||
	    !(a->provider->traits(a, run->resource->options.type) & TRAIT_DELETED))
		return 0;
	run->phase = PHASE_DELETED;
	run->info.phase = "deletions";
	run->ask.kind = ASK_DELETED;
	run->ask.start_ms = fed_until(run) - run->resource->options.type->lookback_ms;
	return 1;
}

static int work(struct run *run, struct why *why)
{
	(void)why;
	touched_want(run);
	return 0;
}

static bool claim_is(struct interval a, struct interval b)
{
	return a.start_ms == b.start_ms && a.end_ms == b.end_ms && a.as_of_ms == b.as_of_ms;
}

/* Claims that were pending when the run began are proven now; what a walk has added meanwhile waits for the next run. */
static void drop_claim(struct resource *r, struct interval claim)
{
	for (unsigned i = 0; i < r->pending_count; i++)
		if (claim_is(r->pending[i], claim)) {
			r->pending[i] = r->pending[--r->pending_count];
			return;
		}
}

/* The chain ends in the future: the provider's clock ran ahead and was set back. Which changes were taken is not known any more: everything is read
 * again, which costs its listings. */
static int begin_anew(struct run *run, struct why *why)
{
	struct resource *r = run->resource;
	int rc = run_withdraw_all(run);

	log_warn("sync", "the provider's clock was set back: %s are read again source=%s",
		 run->info.resource, run->info.source);
	r->pending_count = 0;
	if (rc == 0)
		rc = run_chain_start(run, run->asked_ms);
	if (rc == 0)
		rc = run_walked_forget(run);
	return rc ? why_set(why, rc, "cannot begin anew") : run_pending_save(run, why);
}

static int finish(struct run *run, struct why *why)
{
	struct resource *r = run->resource;
	struct store_stats stats;
	int rc = 0;

	/* No event after the end of what was asked for was shown. */
	if (by_events(run) && run->asked_ms > run->ask.end_ms)
		run->asked_ms = run->ask.end_ms;
	if (run->asked_ms + CLOCK_SLACK_MS < run->chain_ms)
		return begin_anew(run, why);
	store_stats(run->sync->options.store, &stats);
	for (unsigned i = 0; i < run->claim_count && rc == 0; i++) {
		drop_claim(r, run->claims[i]);
		/* A segment lost since may have held what the claim is about. */
		if (stats.quarantined == r->pending_quarantined)
			rc = run_hold(run, run->claims[i]);
	}
	if (rc == 0 && run->asked_ms > run->chain_ms)
		rc = run_chain_extend(run, run->chain_ms, run->asked_ms);
	/* Also ends the record of damage. */
	if (rc == 0 && run->force && run->asked_ms > run->chain_ms)
		rc = run_hold(run, (struct interval){run->chain_ms, run->asked_ms, run->asked_ms});
	if (rc == 0)
		rc = fed_save(run);
	if (rc == 0 && by_events(run))
		rc = touched_save(run, run->asked_ms - r->options.type->lookback_ms);
	run->info.synced_until_ms = run->asked_ms;
	return rc ? rc : run_pending_save(run, why);
}

const struct run_ops run_changes = {
	.kind = RUN_CHANGES,
	.begin = begin,
	.proves = proves,
	.next_phase = next_phase,
	.work = work,
	.finish = finish,
};
