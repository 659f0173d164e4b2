/*
 * run_end: what a run has under way, and the end of it all: done, failed or canceled. Never goes on with anything.
 */
#include "run.h"
#include "sync_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct sync *of(const struct run *run)
{
	return run->sync;
}

void run_wanted_drop(struct run *run)
{
	for (struct wanted *w = run->wanted, *next; w; w = next) {
		next = w->next;
		page_free(w->whole);
		free(w);
	}
	run->wanted = NULL;
	run->wanted_end = &run->wanted;
}

static int want(struct run *run, struct bytes id, struct page *whole)
{
	struct wanted *w = malloc(sizeof *w + id.len);

	if (!w) {
		page_free(whole);
		return ERR_NOMEM;
	}
	w->next = NULL;
	w->whole = whole;
	w->len = id.len;
	memcpy(w->id, id.data, id.len);
	*run->wanted_end = w;
	run->wanted_end = &w->next;
	return 0;
}

bool run_wants(const struct run *run, struct bytes id)
{
	for (const struct wanted *w = run->wanted; w; w = w->next)
		if (bytes_equal(bytes_of(w->id, w->len), id))
			return true;
	return false;
}

int run_want(struct run *run, struct bytes id)
{
	return want(run, id, NULL);
}

int run_want_lists(struct run *run, const struct page_record *item)
{
	struct page *whole = page_alone(of(run)->line.account, item);

	return whole ? want(run, item->record.id, whole) : ERR_NOMEM;
}

/* A listing's page stays until its work is done, since the kind looks at it then. */
void run_arrived_over(struct run *run)
{
	struct arrived *a = run->arrived;

	run->arrived = a->next;
	if (!run->arrived)
		run->arrived_end = &run->arrived;
	run->arrived_count--;
	if (a->page != run->page)
		page_free(a->page);
	free(a);
}

static void run_read_drop(struct run *run)
{
	fetch_drop(run->listing);
	run->listing = NULL;
	for (unsigned i = 0; i < of(run)->line.concurrency && run->singles; i++) {
		fetch_drop(run->singles[i].fetch);
		run->singles[i].fetch = NULL;
		page_free(run->singles[i].whole);
		run->singles[i].whole = NULL;
		hashset_release(&run->singles[i].cursors);
	}
	run->single_count = 0;
	run_wanted_drop(run);
	run_bury_drop(run);
	while (run->arrived)
		run_arrived_over(run);
}

/* Everything that belongs to the turn, given up. */
static void run_drop(struct run *run)
{
	run_read_drop(run);
	page_free(run->page);
	run->page = NULL;
	txn_abort(run->txn);
	run->txn = NULL;
	scan_close(run->scan);
	run->scan = NULL;
	snapshot_free(run->view);
	run->view = NULL;
	if (run->task)
		task_stop(run->task);
}

void run_free(struct run *run)
{
	if (!run)
		return;
	run_drop(run);
	for (struct wanted *w = run->asked, *next; w; w = next) {
		next = w->next;
		free(w);
	}
	task_free(run->task);
	free(run->singles);
	buf_release(&run->cursor);
	buf_release(&run->memory);
	hashset_release(&run->cursors);
	hashset_release(&run->shown);
	circle_release(&run->circle);
	seen_release(&run->seen);
	touched_release(&run->touched);
	hashset_release(&run->placed);
	free(run);
}

void run_end(struct run *run, enum run_outcome outcome)
{
	run_drop(run);
	if (run->turn && outcome != RUN_OK)
		letters_aborted(&of(run)->letters);
	run->info.outcome = outcome;
	run->info.ended_ms = loop_wall_ms(of(run)->options.loop);
	run->info.phase = "ended";
	of(run)->tell->ended(run);
}

void run_fail(struct run *run, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(run->info.error, sizeof run->info.error, format, args);
	va_end(args);
	run_end(run, RUN_FAILED);
}

void run_cancel(struct run *run)
{
	/* A commit under way is let through: what it made durable is good, and it ends the run. */
	run->canceled = true;
	if (run->committing)
		return;
	snprintf(run->info.error, sizeof run->info.error, "the daemon was stopped");
	run_end(run, RUN_CANCELED);
}
