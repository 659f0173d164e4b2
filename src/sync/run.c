/*
 * run: the engine under all kinds of runs: pages, single reads, the transaction, commits, failure. What a kind asks and claims is in
 * run_snapshot.c, run_changes.c and run_backfill.c. Never claims coverage itself.
 */
#include "run.h"
#include "sync_state.h"

#include <base/log.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define COMMIT_BYTES (1024 * 1024) /* compressed; a listing of full records is committed about so often */
#define COMMIT_RECORDS 4000
#define EMPTY_PAGES_MAX 3          /* in a row, each with a next page: the provider leads us in circles */
#define STEP_US 400

static bool run_step(void *ctx);
static void run_page_check(struct run *run);

static struct sync *of(const struct run *run)
{
	return run->sync;
}

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
	run->asked_ms = TIME_NONE;
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

void run_wanted_drop(struct run *run)
{
	for (struct wanted *w = run->wanted, *next; w; w = next) {
		next = w->next;
		free(w);
	}
	run->wanted = NULL;
	run->wanted_end = &run->wanted;
}

/* Everything that belongs to the turn, given up. */
static void run_drop(struct run *run)
{
	fetch_drop(run->listing);
	run->listing = NULL;
	for (unsigned i = 0; i < of(run)->line.concurrency && run->singles; i++) {
		fetch_drop(run->singles[i].fetch);
		run->singles[i].fetch = NULL;
	}
	run->single_count = 0;
	run_wanted_drop(run);
	for (struct arrived *a = run->arrived, *next; a; a = next) {
		next = a->next;
		if (a->page != run->page)
			page_free(a->page);
		free(a);
	}
	run->arrived = NULL;
	run->arrived_end = &run->arrived;
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
	task_free(run->task);
	free(run->singles);
	buf_release(&run->cursor);
	buf_release(&run->memory);
	hashset_release(&run->cursors);
	hashset_release(&run->seen);
	free(run);
}

static void run_end(struct run *run, enum run_outcome outcome)
{
	run_drop(run);
	run->info.outcome = outcome;
	run->info.ended_ms = loop_wall_ms(of(run)->options.loop);
	run->info.phase = "ended";
	sync_run_ended(run);
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

int run_want(struct run *run, struct bytes id)
{
	struct wanted *w = malloc(sizeof *w + id.len);

	if (!w)
		return ERR_NOMEM;
	w->next = NULL;
	w->len = id.len;
	memcpy(w->id, id.data, id.len);
	*run->wanted_end = w;
	run->wanted_end = &w->next;
	return 0;
}

static int run_arrive(struct run *run, struct page *page, bool single)
{
	struct arrived *a = calloc(1, sizeof *a);

	if (!a)
		return ERR_NOMEM;
	a->page = page;
	a->single = single;
	*run->arrived_end = a;
	run->arrived_end = &a->next;
	task_start(run->task);
	return 0;
}

static void add_cost(struct run *run, const struct fetch_cost *cost)
{
	run->info.calls += cost->calls;
	run->info.retries += cost->retries;
	run->info.bytes += cost->bytes;
}

/* What to do about a fault that retries did not mend: told to the source, then the run fails. */
static void run_fault(struct run *run, const struct page *page)
{
	if (!page) {
		run_fail(run, "out of memory");
		return;
	}
	sync_source_fault(of(run), page->fault, page->why.text);
	run_fail(run, "%s: %s", run->info.resource, page->why.text);
}

/* ---- listing ---- */

static int check_circle(struct run *run, const struct page *page, struct why *why)
{
	if (page->count == 0 && page->next.len && ++run->empty_pages >= EMPTY_PAGES_MAX)
		return why_set(why, ERR_REMOTE, "%u empty pages in a row, each with a next one", run->empty_pages);
	if (page->count)
		run->empty_pages = 0;
	if (page->next.len && hashset_add(&run->cursors, bytes_hash(page->next)) == 0)
		return why_set(why, ERR_REMOTE, "the provider repeats a page cursor: its listing goes in circles");
	return 0;
}

static void on_listing(void *ctx, struct page *page, const struct fetch_cost *cost)
{
	struct run *run = ctx;
	struct why why = {""};

	run->listing = NULL;
	add_cost(run, cost);
	if (!page || page->fault) {
		run_fault(run, page);
		page_free(page);
		return;
	}
	sync_source_well(of(run));
	if (run->asked_ms == TIME_NONE)
		run->asked_ms = cost->asked_ms;
	snprintf(run->etag, sizeof run->etag, "%s", cost->etag);
	run->page = page;
	run->unchanged = page->unchanged;
	run->last_page = page->next.len == 0;
	if (page->total >= 0 && run->info.total < 0)
		run->info.total = page->total;
	if (check_circle(run, page, &why)) {
		run_fail(run, "%s: %s", run->info.resource, why.text);
		return;
	}
	buf_reset(&run->cursor);
	buf_put_bytes(&run->cursor, page->next);
	run->listed = true;
	run->info.phase = run->ops->kind == RUN_BACKFILL ? "threads" : run->info.phase;
	if (run_arrive(run, page, false))
		run_fail(run, "out of memory");
}

/* The ETag of the list as it is held; "" when it was never read, or what was read is not whole any more. */
static void held_etag(const struct run *run, char *out, size_t cap)
{
	const struct coverage *c = snapshot_coverage(run->view, run->info.resource);
	char key[64];

	out[0] = 0;
	if (run->ask.kind != ASK_LIST || !(run->resource->options.type->traits & TRAIT_ETAG) || run->walks ||
	    c->held.count != 1 || c->held.items[0].start_ms != TIME_MIN ||
	    snapshot_quarantined(run->view, run->info.resource, TIME_MIN, TIME_MAX))
		return;
	snprintf(key, sizeof key, "etag.%s", run->info.resource);
	struct bytes etag = snapshot_mark(run->view, key);
	if (etag.len < cap)
		snprintf(out, cap, "%.*s", (int)etag.len, (const char *)etag.data);
}

static void run_list(struct run *run)
{
	char text[96];

	run->listed = false;
	held_etag(run, text, sizeof text);
	run->listing = fetch_start(&of(run)->line, &run->ask, buf_bytes(&run->cursor), text, on_listing, run);
	if (!run->listing)
		run_fail(run, "out of memory");
}

/* ---- single reads ---- */

static int single_gone(struct run *run, const struct single *single, const struct page *page, struct why *why)
{
	int64_t now = loop_wall_ms(of(run)->options.loop) + of(run)->line.clock_offset_ms;

	return run_bury(run, bytes_of(single->id, single->len), now, page->merged_into, why);
}

static void on_single(void *ctx, struct page *page, const struct fetch_cost *cost)
{
	struct single *single = ctx;
	struct run *run = single->run;
	struct why why = {"out of memory"};
	int rc = 0;

	single->fetch = NULL;
	run->single_count--;
	add_cost(run, cost);
	if (page && page->fault == FAULT_GONE) {
		rc = single_gone(run, single, page, &why);
		page_free(page);
	} else if (!page || page->fault) {
		run->info.failed++;
		run_fault(run, page);
		page_free(page);
		return;
	} else {
		rc = run_arrive(run, page, true);
		if (rc)
			page_free(page);
	}
	if (rc)
		run_fail(run, "%s: %s", run->info.resource, why.text);
	else
		run_page_check(run);
}

static void run_singles_pump(struct run *run)
{
	for (unsigned i = 0; i < of(run)->line.concurrency && run->wanted; i++) {
		struct single *single = &run->singles[i];
		struct wanted *w = run->wanted;
		if (single->fetch)
			continue;
		single->run = run;
		single->len = w->len;
		memcpy(single->id, w->id, w->len);
		struct ask ask = {.kind = ASK_ONE, .type = run->resource->options.type, .id = bytes_of(w->id, w->len)};
		single->fetch = fetch_start(&of(run)->line, &ask, bytes_of(NULL, 0), NULL, on_single, single);
		if (!single->fetch)
			return; /* out of memory: what is under way goes on, and tries again when it ends */
		run->wanted = w->next;
		if (!run->wanted)
			run->wanted_end = &run->wanted;
		free(w);
		run->single_count++;
	}
}

/* ---- taking what arrived ---- */

/* A listing's page stays until its work is done, since the kind looks at it then. */
static void arrived_over(struct run *run)
{
	struct arrived *a = run->arrived;

	run->arrived = a->next;
	if (!run->arrived)
		run->arrived_end = &run->arrived;
	if (a->page != run->page)
		page_free(a->page);
	free(a);
}

static bool run_step(void *ctx)
{
	struct run *run = ctx;
	struct why why = {"out of memory"};
	int64_t until = clock_mono_us() + STEP_US;

	while (run->arrived && clock_mono_us() < until) {
		struct arrived *a = run->arrived;
		if (a->at == a->page->count) {
			arrived_over(run);
			continue;
		}
		if (run_take(run, a, &why)) {
			run_fail(run, "%s: %s", run->info.resource, why.text);
			return false;
		}
		a->at++;
	}
	sync_progress(run);
	if (run->arrived)
		return true;
	if (run->working) {
		int rc = run->ops->work(run, &why);
		if (rc > 0)
			return true;
		run->working = false;
		if (rc < 0) {
			run_fail(run, "%s: %s", run->info.resource, why.text);
			return false;
		}
	}
	task_stop(run->task);
	run_page_check(run);
	return false;
}

/* ---- the end of a page ---- */

static void on_committed(void *ctx, int rc, const struct why *why)
{
	struct run *run = ctx;

	run->committing = false;
	if (rc) {
		if (rc == ERR_NOSPACE)
			sync_source_fault(of(run), FAULT_NONE, why->text);
		run_fail(run, "%s: cannot store: %s", run->info.resource, why->text);
		return;
	}
	snapshot_free(run->view);
	run->view = NULL;
	if (run->finishing)
		run_end(run, RUN_OK);
	else if (run->canceled)
		run_cancel(run);
	else
		sync_turn_over(run);
}

static void run_commit(struct run *run)
{
	struct txn *txn = run->txn;

	run->txn = NULL;
	run->committing = true;
	txn_commit(txn, on_committed, run);
}

static int note_success(struct run *run)
{
	char key[64], text[TIME_TEXT_MAX];

	snprintf(key, sizeof key, "synced.%s", run->info.resource);
	return txn_mark(run->txn, key, bytes_str(time_text(loop_wall_ms(of(run)->options.loop), false, text)));
}

/* The last page of a phase is done: another phase, or the end. */
static int run_phase_over(struct run *run, struct why *why)
{
	run->cursor.len = 0;
	hashset_release(&run->cursors);
	run->last_page = false;
	run->empty_pages = 0;
	int rc = run->ops->next_phase(run, why);
	if (rc)
		return rc < 0 ? rc : 0;
	run->finishing = true;
	rc = run->ops->finish(run, why);
	return rc ? rc : note_success(run);
}

static bool commit_due(const struct run *run)
{
	return run->finishing || run->ops->kind == RUN_BACKFILL || txn_bytes(run->txn) > COMMIT_BYTES ||
	       txn_records(run->txn) > COMMIT_RECORDS || sync_others_wait(of(run), run);
}

/* Whether everything that the page called for has been fetched and taken; then what it proves, and on. */
static void run_page_check(struct run *run)
{
	struct why why = {"out of memory"};

	run_singles_pump(run);
	if (run->listing || run->arrived || run->wanted || run->single_count || run->working)
		return;
	if (run->past)
		run->last_page = true;
	int rc = run->ops->proves(run, run->last_page, &why);
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

void run_turn(struct run *run)
{
	struct why why = {"out of memory"};

	run->view = snapshot_new(of(run)->options.store);
	int rc = run->view ? 0 : ERR_NOMEM;
	if (rc == 0)
		rc = store_begin(of(run)->options.store, &run->txn, &why);
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
	else
		run_list(run);
}

/* ---- claims ---- */

int run_hold(struct run *run, struct interval span)
{
	const struct resource_type *child = run->resource->child;
	int rc = txn_hold(run->txn, run->info.resource, span);

	return rc || !child ? rc : txn_hold(run->txn, child->name, span);
}

int run_chain_start(struct run *run, int64_t at_ms)
{
	const struct resource_type *child = run->resource->child;

	/* The first changes run has time: what it would bring is being read now. */
	run->resource->due_mono_ms = loop_mono_ms(of(run)->options.loop) + run->resource->options.every_ms;
	int rc = txn_chain_start(run->txn, run->info.resource, at_ms);

	return rc || !child ? rc : txn_chain_start(run->txn, child->name, at_ms);
}

int run_chain_extend(struct run *run, int64_t from_ms, int64_t to_ms)
{
	const struct resource_type *child = run->resource->child;
	int rc = txn_chain_extend(run->txn, run->info.resource, from_ms, to_ms);

	return rc || !child ? rc : txn_chain_extend(run->txn, child->name, from_ms, to_ms);
}
