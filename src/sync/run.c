/*
 * run: the life of a run of any kind: turns, the transaction, commits, phases, failure. How it reads is in run_read.c; what a kind asks and claims is
 * in run_snapshot.c, run_changes.c, run_backfill.c, run_verify.c and run_one.c. Never claims coverage itself.
 */
#include "run.h"
#include "sync_state.h"

#include <stdio.h>
#include <stdlib.h>

static struct sync *of(const struct run *run)
{
	return run->sync;
}

static void run_page_over(struct run *run);
static void run_commit_partly(struct run *run);

struct run *run_new(struct resource *r, const struct run_ops *ops)
{
	struct sync *s = r->sync;
	struct run *run = calloc(1, sizeof *run);

	if (!run)
		return NULL;
	run->sync = s;
	run->resource = r;
	run->ops = ops;
	run->wanted_end = &run->wanted;
	run->arrived_end = &run->arrived;
	run->page_over = run_page_over;
	run->commit_partly = run_commit_partly;
	run->asked_ms = run->walk_ms = TIME_NONE;
	run->walk_total = run->most = -1;
	run->singles = calloc(s->line.concurrency, sizeof *run->singles);
	run->task = task_new(s->options.loop, run_step, run);
	if (!run->singles || !run->task) {
		run_free(run);
		return NULL;
	}
	run->info = (struct run_info){
		.id = ++s->last_run_id,
		.source = s->options.name,
		.resource = r->options.type->name,
		.kind = ops->kind,
		.phase = "waiting",
		.started_ms = loop_wall_ms(s->options.loop),
		.ended_ms = TIME_NONE,
		.synced_until_ms = TIME_NONE,
		.span_start_ms = TIME_MIN,
		.span_end_ms = TIME_MAX,
		.total = -1,
	};
	return run;
}

/* ---- the end of a page ---- */

/* A snapshot and a transaction for what comes. */
static int run_begin(struct run *run, struct why *why)
{
	hashset_release(&run->placed);
	run->batch_reads = 0;
	run->view = snapshot_new(of(run)->options.store);
	int rc = run->view ? store_begin(of(run)->options.store, &run->txn, why) : ERR_NOMEM;
	return rc ? rc : run_feed_begin(run);
}

static void run_go_on(struct run *run)
{
	struct why why = {"out of memory"};

	run->partly = false;
	if (run_begin(run, &why))
		run_fail(run, "%s: %s", run->info.resource, why.text);
	else
		run_read_on(run);
}

static void run_pause(struct run *run)
{
	run->partly = false;
	run->paused = true;
	of(run)->tell->turn_over(run);
}

static void on_committed(void *ctx, int rc, const struct why *why)
{
	struct run *run = ctx;

	run->committing = false;
	if (rc) {
		if (rc == ERR_NOSPACE)
			of(run)->tell->fault(of(run), FAULT_NONE, why->text);
		run_fail(run, "%s: cannot store: %s", run->info.resource, why->text);
		return;
	}
	of(run)->tell->stored(of(run));
	letters_committed(&of(run)->letters);
	snapshot_free(run->view);
	run->view = NULL;
	/* Somebody has asked for more meanwhile. */
	if (run->finishing && run->asked)
		run->finishing = run->ops->next_phase(run, &(struct why){""}) == 0;
	if (run->finishing)
		run_end(run, run->refused ? RUN_FAILED : RUN_OK);
	else if (run->canceled)
		run_cancel(run);
	else if (run->partly && of(run)->tell->hurried(run))
		run_pause(run);
	else if (run->partly)
		run_go_on(run);
	else
		of(run)->tell->turn_over(run);
}

static void run_commit(struct run *run)
{
	struct txn *txn = run->txn;

	run->txn = NULL;
	run->committing = true;
	txn_commit(txn, on_committed, run);
}

/* Records without claims may be committed at any time: they prove nothing yet. */
static void run_commit_partly(struct run *run)
{
	run->partly = true;
	run_commit(run);
}

static int note_success(struct run *run)
{
	char key[64], text[TIME_TEXT_MAX];
	struct bytes now = bytes_str(time_text(loop_wall_ms(of(run)->options.loop), false, text));

	snprintf(key, sizeof key, "synced.%s", run->info.resource);
	int rc = txn_mark(run->txn, key, now);
	if (rc || !run->full)
		return rc;
	snprintf(key, sizeof key, "full.%s", run->info.resource);
	return txn_mark(run->txn, key, now);
}

/* How much there is, for estimates of what is left when this run is interrupted. */
static int note_total(struct run *run)
{
	char key[64], text[24];

	if (!run->full || run->total_noted || run->info.total < 0)
		return 0;
	run->total_noted = true;
	snprintf(key, sizeof key, "total.%s", run->info.resource);
	snprintf(text, sizeof text, "%lld", (long long)run->info.total);
	return txn_mark(run->txn, key, bytes_str(text));
}

/* Of the others success says nothing about how new the data is. */
static bool run_is_whole(const struct run *run)
{
	return run->ops->kind != RUN_VERIFY && run->ops->kind != RUN_ONE &&
	       run->ops->kind != RUN_SEARCH;
}

/* The last page of a phase is done: another phase, or the end. */
static int run_phase_over(struct run *run, struct why *why)
{
	run->cursor.len = 0;
	hashset_release(&run->cursors);
	hashset_release(&run->shown);
	circle_release(&run->circle);
	run->last_page = false;
	run->empty_pages = run->same_pages = 0;
	int rc = run->ops->next_phase(run, why);
	if (rc)
		return rc < 0 ? rc : 0;
	run->finishing = true;
	if (run->refused)
		return 0;
	rc = run->ops->finish(run, why);
	return rc || !run_is_whole(run) ? rc : note_success(run);
}

static bool commit_due(const struct run *run)
{
	return run->finishing || run->ops->kind == RUN_BACKFILL || run->ops->kind == RUN_VERIFY ||
	       txn_bytes(run->txn) > RUN_COMMIT_BYTES ||
	       txn_records(run->txn) > RUN_COMMIT_RECORDS || of(run)->tell->others_wait(run);
}

/* Everything that the page called for has been fetched and taken: what it proves, and on. */
static void run_page_over(struct run *run)
{
	struct why why = {"out of memory"};

	if (run->past)
		run->last_page = true;
	int rc = run->ops->proves(run, run->last_page, &why);
	if (rc == 0)
		rc = note_total(run);
	if (rc == 0 && run->last_page)
		rc = run_phase_over(run, &why);
	page_free(run->page);
	run->page = NULL;
	if (rc < 0) {
		run_fail(run, "%s: %s", run->info.resource, why.text);
		return;
	}
	/* Another phase reads what this one wrote: it begins after a commit. */
	if (commit_due(run) || !run->listed || run->cursor.len == 0)
		run_commit(run);
	else
		run_list(run);
}

static void run_unpause(struct run *run)
{
	run->paused = false;
	run_read_on(run);
}

void run_turn(struct run *run)
{
	struct why why = {"out of memory"};

	int rc = run_begin(run, &why);
	run->turn_reads = 0;
	if (rc == 0 && !run->begun) {
		run->begun = true;
		run->info.phase = "listing";
		rc = run->ops->begin(run, &why);
	}
	if (rc < 0)
		run_fail(run, "%s: %s", run->info.resource, why.text);
	else if (rc > 0)
		run_end(run, RUN_OK);
	else if (run->working)
		task_start(run->task);
	else if (run->paused)
		run_unpause(run);
	else
		run_list(run);
}
