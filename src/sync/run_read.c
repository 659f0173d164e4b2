/*
 * run_read: how a run of any kind reads: a page of its listing, single reads that the page calls for, and all of it record by record into the open
 * transaction. Never claims coverage, and never has more under way than can be held.
 */
#include "run.h"
#include "sync_state.h"

#include <stdio.h>
#include <stdlib.h>

#define LISTING_PAGES_MAX 100000 /* 15 million records */
#define EMPTY_PAGES_MAX   20 /* in a row, each with a next page: the provider leads us in circles */
#define SAME_PAGES_MAX    3  /* likewise, of pages that all were there before */

static struct sync *of(const struct run *run)
{
	return run->sync;
}

static struct arrived *run_arrive(struct run *run, struct page *page, bool single)
{
	struct arrived *a = calloc(1, sizeof *a);

	if (!a)
		return NULL;
	a->page = page;
	a->single = single;
	*run->arrived_end = a;
	run->arrived_end = &a->next;
	run->arrived_count++;
	if (!run->committing)
		task_start(run->task);
	return a;
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
	run->again_ms = page->again_ms;
	/* What one resource may not, or is asked wrongly, is its own affair; the others go on. */
	if (page->fault == FAULT_AUTH || page->fault == FAULT_NOW || page->fault == FAULT_LATER ||
	    page->fault == FAULT_NONSENSE)
		of(run)->tell->fault(of(run), page->fault, page->why.text);
	run_fail(run, "%s: %s", run->info.resource, page->why.text);
}

/* ---- listing ---- */

static uint64_t shown_hash(const struct page_record *item)
{
	return bytes_hash(item->event.id.len ? item->event.id : item->record.id);
}

/* Which records, and in which order; of events which ones. */
static uint64_t page_fold(const struct page *page)
{
	uint64_t fold = page->count;

	for (size_t i = 0; i < page->count; i++)
		fold = fold * UINT64_C(0x9e3779b97f4a7c15) + shown_hash(&page->records[i]);
	return fold;
}

/* The same pages, one after the other; or other ones of the same records, whatever their cursors are. */
static int check_shown(struct run *run, const struct page *page, struct why *why)
{
	int rc = page->count && page->next.len ? hashset_add(&run->shown, page_fold(page)) : 1;

	run->same_pages = rc ? 0 : run->same_pages + 1;
	for (size_t i = 0; i < page->count && rc >= 0; i++)
		if (page->records[i].type == run->ask.type)
			rc = circle_show(&run->circle, shown_hash(&page->records[i]));
	if (rc < 0)
		return why_set(why, rc, "out of memory");
	if (run->same_pages < SAME_PAGES_MAX && (!page->next.len || !circle_closed(&run->circle)))
		return 0;
	return why_set(why, ERR_REMOTE,
		       "the listing goes on, and shows the same %zu records again and again",
		       run->same_pages < SAME_PAGES_MAX ? run->circle.ids.count << run->circle.halvings
							: page->count);
}

/* Counts that the provider gives are no sign of an end. */
static int check_circle(struct run *run, const struct page *page, struct why *why)
{
	if (page->count == 0 && page->next.len && ++run->empty_pages >= EMPTY_PAGES_MAX)
		return why_set(why, ERR_REMOTE, "%u empty pages in a row, each with a next one",
			       run->empty_pages);
	if (page->count)
		run->empty_pages = 0;
	int rc = check_shown(run, page, why);
	if (rc)
		return rc;
	if (page->next.len && run->cursors.count > LISTING_PAGES_MAX)
		return why_set(why, ERR_REMOTE, "the listing does not end after %zu pages",
			       run->cursors.count);
	if (page->next.len && hashset_add(&run->cursors, bytes_hash(page->next)) == 0)
		return why_set(why, ERR_REMOTE,
			       "the provider repeats a page cursor: its listing goes in circles");
	return 0;
}

/* Where pages may miss something, what was there before the first of them is compared: a later page counts what there is by then. */
static bool counts_walk(const struct run *run)
{
	return run->cursor.len == 0 || !(run->ask.type->traits & TRAIT_UNSTABLE);
}

static void on_listing(void *ctx, struct page *page, const struct fetch_cost *cost)
{
	struct run *run = ctx;
	struct why why = {""};

	run->listing = NULL;
	add_cost(run, cost);
	if (page && run_unresumed(run, page)) {
		page_free(page);
		run_list(run);
		return;
	}
	if (!page || (page->fault && !run_unfed(run, page))) {
		run_fault(run, page);
		page_free(page);
		return;
	}
	of(run)->tell->answered(of(run));
	if (run->asked_ms == TIME_NONE)
		run->asked_ms = cost->asked_ms;
	if (run->walk_ms == TIME_NONE)
		run->walk_ms = cost->asked_ms;
	/* Of a list that comes in pages an ETag says nothing about the whole. */
	snprintf(run->etag, sizeof run->etag, "%s",
		 page->next.len || run->cursor.len ? "" : cost->etag);
	run->page = page;
	run->unchanged = page->unchanged;
	run->last_page = page->next.len == 0;
	if (page->total >= 0 && run->info.total < 0 && counts_walk(run)) {
		run->info.total = page->total;
		run->moved |= run->walk_total >= 0 && run->walk_total != page->total;
		run->walk_total = page->total;
		run->most = page->total > run->most ? page->total : run->most;
	}
	if (check_circle(run, page, &why)) {
		run_fail(run, "%s: %s", run->info.resource, why.text);
		return;
	}
	buf_reset(&run->cursor);
	buf_put_bytes(&run->cursor, page->next);
	run->listed = true;
	if (run->ops->kind == RUN_BACKFILL || run->ops->kind == RUN_VERIFY)
		run->info.phase = "threads";
	if (!run_arrive(run, page, false))
		run_fail(run, "out of memory");
}

/* The ETag of the list as it is held; "" when it was never read, or what was read is not whole any more. */
static void held_etag(const struct run *run, char *out, size_t cap)
{
	const struct coverage *c = snapshot_coverage(run->view, run->info.resource);
	char key[64];

	out[0] = 0;
	if (run->ask.kind != ASK_LIST || !(run->resource->options.type->traits & TRAIT_ETAG) ||
	    run->walks || run->cursor.len || c->held.count != 1 ||
	    c->held.items[0].start_ms != TIME_MIN ||
	    snapshot_quarantined(run->view, run->info.resource, TIME_MIN, TIME_MAX))
		return;
	snprintf(key, sizeof key, "etag.%s", run->info.resource);
	struct bytes etag = snapshot_mark(run->view, key);
	if (etag.len < cap)
		snprintf(out, cap, "%.*s", (int)etag.len, (const char *)etag.data);
}

void run_list(struct run *run)
{
	char text[96];

	run->listed = false;
	held_etag(run, text, sizeof text);
	run->listing = fetch_start(&of(run)->line, &run->ask, buf_bytes(&run->cursor), text,
				   on_listing, run);
	if (!run->listing)
		run_fail(run, "out of memory");
}

/* ---- single reads ---- */

static bool txn_full(const struct run *run)
{
	return txn_bytes(run->txn) > RUN_COMMIT_BYTES || txn_records(run->txn) > RUN_COMMIT_RECORDS;
}

static void on_single(void *ctx, struct page *page, const struct fetch_cost *cost)
{
	struct single *single = ctx;
	struct run *run = single->run;

	single->fetch = NULL;
	add_cost(run, cost);
	if (single_nested(single, &page, on_single))
		return;
	run->single_count--;
	run->turn_reads++;
	run->batch_reads++;
	if (!page) {
		run_fault(run, NULL);
		return;
	}
	if (!page->fault || page->fault == FAULT_GONE)
		of(run)->tell->answered(of(run));
	struct arrived *a = run_arrive(run, page, true);
	if (!a) {
		page_free(page);
		run_fail(run, "out of memory");
		return;
	}
	if (page->fault) {
		a->cost = *cost;
		a->id_len = single->len;
		memcpy(a->id, single->id, single->len);
	}
	run_read_on(run);
}

static int single_start(struct run *run, struct single *single)
{
	struct wanted *w = run->wanted;
	struct ask ask = {
		.kind = ASK_ONE, .type = run->resource->options.type, .id = bytes_of(w->id, w->len)};

	single->run = run;
	single->own = !w->whole;
	single->len = w->len;
	memcpy(single->id, w->id, w->len);
	if (w->whole)
		single_lists(single, w->whole, on_single);
	else
		single->fetch = fetch_start(&of(run)->line, &ask, bytes_of(NULL, 0), NULL,
					    on_single, single);
	if (!single->fetch)
		return ERR_NOMEM;
	/* It has failed with all patience before, and has a time of its own for more. */
	if (run_dead_known(run, ask.id))
		fetch_once(single->fetch);
	run->wanted = w->next;
	if (!run->wanted)
		run->wanted_end = &run->wanted;
	free(w);
	run->single_count++;
	return 0;
}

/* Where calls are few, what was read is committed before more is begun: hardly any record is read again after a kill. */
static bool is_dear(const struct run *run)
{
	return of(run)->line.budget.reserve > 0 && run->batch_reads > 0;
}

/* Somebody waits for another run. Where calls are few one record is read to its end before the next is begun, so that this takes no longer than it must. */
static bool run_holds(const struct run *run)
{
	return of(run)->tell->hurried(run) || is_dear(run) ||
	       (run->single_count > 0 && line_is_short(&of(run)->line));
}

/* Not more than can be held: neither in the transaction nor beside it. */
static void run_singles_pump(struct run *run)
{
	for (unsigned i = 0; i < of(run)->line.concurrency && run->wanted; i++) {
		if (run->singles[i].fetch)
			continue;
		if (run_holds(run))
			return;
		if (run->arrived_count > of(run)->line.concurrency || txn_full(run) ||
		    single_start(run, &run->singles[i]))
			return;
	}
}

static bool commits_few(const struct run *run)
{
	return is_dear(run) && run->wanted && !run->listing && !run->arrived &&
	       !run->single_count && !run->working;
}

/* Whatever may go on does: single reads, a commit of what there is, the end of the page. */
void run_read_on(struct run *run)
{
	if (run->committing)
		return;
	if (run->arrived || run->working)
		task_start(run->task);
	if (commits_few(run)) {
		run->commit_partly(run);
		return;
	}
	run_singles_pump(run);
	if (run->listing || run->arrived || run->single_count || run->working)
		return;
	if (!run->wanted)
		run->page_over(run);
	else if (txn_full(run) || of(run)->tell->hurried(run))
		run->commit_partly(run);
	else
		run_fail(run, "out of memory");
}

/* ---- taking what arrived ---- */

/* Whether the run goes on without this record. */
static bool left_aside(struct run *run, const struct arrived *a)
{
	struct bytes id = bytes_of(a->id, a->id_len);

	if (run_dead_letter(run, id, a->page, &a->cost)) {
		run->refused |= run->ops->kind == RUN_ONE;
		return true;
	}
	return a->cost.answered &&
	       (run->ops->kind == RUN_ONE || (run->ops->kind == RUN_VERIFY && run->asking_absent)) &&
	       run_one_failed(run, id, a->page);
}

/* A single read that failed: left aside, or the end of the run. */
static int take_failed(struct run *run, const struct arrived *a)
{
	if (left_aside(run, a)) {
		run_arrived_over(run);
		return 0;
	}
	run->info.failed++;
	run_fault(run, a->page);
	return 1;
}

/* One record of what arrived first, or a step of what the last one has begun. 1: done with it for now (the transaction is full, and is committed first; or
 * the run is over). */
static int take_next(struct run *run, struct why *why)
{
	struct arrived *a = run->arrived;
	bool gone = a->page->fault == FAULT_GONE, buries = run->burial != NULL;
	int rc;

	if (a->page->fault && !gone)
		return take_failed(run, a);
	if (!gone && !buries && a->at == a->page->count) {
		run_arrived_over(run);
		return 0;
	}
	if (buries)
		rc = run_bury_step(run, why);
	else
		rc = gone ? run_take_gone(run, a, why) : run_take(run, a, why);
	if (rc == 0 && !run->burial)
		rc = run_taken(run, a);
	if (rc == ERR_LIMIT && txn_records(run->txn) > 0) {
		task_stop(run->task);
		run->commit_partly(run);
		return 1;
	}
	if (rc < 0 || run->burial)
		return rc < 0 ? rc : 0;
	if (gone)
		run_arrived_over(run);
	else
		a->at++;
	return 0;
}

bool run_step(void *ctx)
{
	struct run *run = ctx;
	struct why why = {"out of memory"};
	int64_t until = clock_mono_us() + loop_slice_us(of(run)->options.loop);
	int rc = 0;

	while (rc == 0 && run->arrived && clock_mono_us() < until)
		rc = take_next(run, &why);
	if (rc > 0)
		return task_active(run->task);
	of(run)->tell->progress(run);
	if (rc == 0 && run->arrived)
		return true;
	if (rc == 0 && run->working) {
		rc = run->ops->work(run, &why);
		if (rc > 0)
			return true;
		run->working = false;
	}
	if (rc < 0) {
		run_fail(run, "%s: %s", run->info.resource, why.text);
		return false;
	}
	task_stop(run->task);
	run_read_on(run);
	/* What comes next may have started the task again. */
	return task_active(run->task);
}
