/*
 * take: what a page's records mean for the store. Decides between putting a record, reading it in full first, and burying it. Never claims
 * coverage. A burial that it begins is gone on with before the next record (bury.c).
 */
#include "forgetting.h"
#include "run.h"
#include "sync_state.h"

#include <base/log.h>

#define GONE_MAX 20 /* so many may be gone whatever their share */

/* As many children are held as the listing says there are; only verify runs take the time to count. Of a thread that is known to be cut the
 * provider shows no more. */
static int children_agree(struct run *run, const struct page_record *item,
			  const struct record *held, bool *agree_out, struct why *why)
{
	struct scan_spec spec = {.start_ms = TIME_MIN, .end_ms = TIME_MAX, .parent = item->record.id};
	struct scan_row row;
	struct scan *scan;
	int64_t n = 0;

	*agree_out = true;
	if (run->ops->kind != RUN_VERIFY || !run->resource->child || item->children < 0 ||
	    (held->flags & RECORD_TRUNCATED))
		return 0;
	spec.resource = run->resource->child->name;
	int rc = scan_open(run->view, &spec, &scan, why);
	if (rc)
		return rc;
	while ((rc = scan_next(scan, &row)) == 1)
		n++;
	scan_close(scan);
	*agree_out = n == item->children;
	return rc < 0 ? why_set(why, rc, "cannot count what is held") : 0;
}

/* A listing shows that a record exists and when it last changed. It is read in full unless that very state is held, and was read when the
 * second of the change was over. */
static int take_poor(struct run *run, const struct page_record *item, struct why *why)
{
	const struct record *shown = &item->record;
	struct record held;
	bool whole = true;
	int rc = snapshot_peek(run->view, run->resource->options.type->name, shown->id, &held);

	if (rc < 0 && rc != ERR_CORRUPT)
		return why_set(why, rc, "cannot look up a record in the store");
	if (rc == 1 && !run->force && !(held.flags & (RECORD_DELETED | RECORD_POOR)) &&
	    held.updated_ms == shown->updated_ms && record_settled(&held)) {
		rc = children_agree(run, item, &held, &whole, why);
		if (rc)
			return rc;
		run->info.unchanged += whole;
		if (whole)
			return 0;
	}
	if (rc == 1 && run_dead_waits(run, shown, &held)) {
		run->info.unchanged++;
		return 0;
	}
	/* A letter whose time has come asks for it as well. */
	if (run_dead_known(run, shown->id) && run_wants(run, shown->id))
		return 0;
	if ((item->type->traits & TRAIT_POOR) || (rc == 1 && held.flags & RECORD_DELETED))
		return run_want(run, shown->id);
	return run_want_lists(run, item);
}

/* The feed shows the newest first, so what is older than asked for ends it; but one that contradicts itself is read to its end. */
static void follow_stones(struct run *run, int64_t deleted_ms)
{
	if (deleted_ms == TIME_NONE)
		return;
	if (run->stones && deleted_ms > run->stone_ms && !run->disordered) {
		run->disordered = true;
		log_warn("sync",
			 "the provider does not keep the order of its deletions: all of them are read source=%s",
			 run->info.source);
	}
	run->stones = true;
	run->stone_ms = deleted_ms;
	run->past = !run->disordered && deleted_ms < run->ask.start_ms;
}

/* What was never held is noted as gone, too: a search that is behind may still list it. */
static int take_tombstone(struct run *run, const struct record *stone, struct why *why)
{
	int64_t when_ms = stone->updated_ms != TIME_NONE ? stone->updated_ms : stone->seen_ms;

	follow_stones(run, stone->updated_ms);
	if (stone->updated_ms != TIME_NONE && stone->updated_ms < run->ask.start_ms)
		return 0;
	int rc = run_dead_over(run, stone->id, false);
	return rc ? rc : run_bury(run, stone->id, when_ms, bytes_of(NULL, 0), true, why);
}

/* A complete thread shows every child there is: what is held besides is gone. The thread is the page's record `at`, its children follow it; `head` is put when they are
 * buried. One that is not held has no children here, unless its file was damaged and theirs were not. */
static int bury_missing(struct run *run, const struct page *page, size_t at,
			const struct page_record *head, struct why *why)
{
	const struct resource_type *type = run->resource->options.type;
	const struct record *parent = &page->records[at].record;
	struct hashset keep = {0};
	struct record held;

	if (!run->resource->child || (parent->flags & (RECORD_TRUNCATED | RECORD_POOR)) ||
	    (snapshot_peek(run->view, type->name, parent->id, &held) != 1 &&
	     !snapshot_quarantined(run->view, type->name, TIME_MIN, TIME_MAX)))
		return head ? run_put(run, head->type, &head->record, true, why) : 0;
	for (size_t i = at + 1; i < page->count && page->records[i].type != type; i++)
		if (hashset_add(&keep, bytes_hash(page->records[i].record.id)) < 0) {
			hashset_release(&keep);
			return ERR_NOMEM;
		}
	return run_bury_children(run, parent->id, &keep, parent->seen_ms, head, why);
}

/* The head goes last: a transaction that is full in the middle is committed, and a head that is held says that its thread was read whole. */
static int take_single(struct run *run, struct arrived *from, struct why *why)
{
	size_t at = from->at + 1 < from->page->count ? from->at + 1 : 0;
	const struct page_record *item = &from->page->records[at];

	run->differs &= from->at > 0;
	if (at == 0) {
		int rc = run_replace_derived(run, item->type, &item->record, why);
		return rc ? rc : bury_missing(run, from->page, 0, item, why);
	}
	if (item->type != run->resource->child)
		return run_put_derived(run, item, why);
	return run_put(run, item->type, &item->record, false, why);
}

static int single_taken(struct run *run, const struct arrived *from)
{
	const struct record *r = &from->page->records[0].record;

	int rc = run_dead_over(run, r->id, true);

	if (rc)
		return rc;
	run->got++;
	run->info.done += run->ops->kind == RUN_ONE;
	if (run->differs)
		run_differs(run, r->id, r->updated_ms, "was not held as it is");
	return 0;
}

/* What is shown by a listing exists. When most of it is said to be gone, something else is wrong. */
static bool gone_too_many(const struct run *run)
{
	return !run->asking_absent && run->ops->kind != RUN_SNAPSHOT && run->ops->kind != RUN_ONE &&
	       run->gone > GONE_MAX && run->gone > run->got;
}

/* Held as gone: a listing that shows it is behind, as search indexes are, and must not bring it back for as long as it takes to ask once more. */
static bool is_buried(const struct run *run, struct bytes id)
{
	struct record held;

	return snapshot_peek(run->view, run->info.resource, id, &held) == 1 &&
	       (held.flags & RECORD_DELETED);
}

/* Whether one answer is proof enough: who is absent from a complete listing as well, who was said to be gone before, who has become another. */
static bool gone_for_sure(const struct run *run, const struct arrived *from, struct bytes id)
{
	return run->ops->kind == RUN_SNAPSHOT || run->asking_absent ||
	       from->page->merged_into.len || run_dead_known(run, id) || is_buried(run, id);
}

/* Asked for by somebody, and said not to exist. */
static int take_one_gone(struct run *run, const struct arrived *from, struct why *why)
{
	struct record held;
	int rc = snapshot_peek(run->view, run->info.resource, bytes_of(from->id, from->id_len), &held);

	if (rc < 0 && rc != ERR_CORRUPT)
		return why_set(why, rc, "cannot look up a record in the store");
	if (rc == 0 || (rc == 1 && (held.flags & RECORD_DELETED)))
		return 0;
	rc = run_dead_gone(run, from, why);
	if (rc)
		return rc;
	/* It is counted as gone. */
	run->info.failed--;
	return 0;
}

int run_take_gone(struct run *run, const struct arrived *from, struct why *why)
{
	run->differs = false;
	run->gone += !run->asking_absent;
	run->info.gone++;
	run->info.done += run->ops->kind == RUN_ONE;
	if (gone_too_many(run))
		return why_set(
			why, ERR_REMOTE,
			"%llu records that the provider lists are said not to exist: not believed, nothing more is deleted",
			(unsigned long long)run->gone);
	struct bytes id = bytes_of(from->id, from->id_len);
	if (!gone_for_sure(run, from, id) && run->ops->kind == RUN_ONE)
		return take_one_gone(run, from, why);
	/* A listing has just shown it: one answer proves nothing, a second one in a later run does. */
	if (!gone_for_sure(run, from, id))
		return run_dead_gone(run, from, why);
	int rc = run_dead_over(run, id, false);
	if (rc)
		return rc;
	return run_bury(run, id, sync_provider_now(run->sync), from->page->merged_into, false, why);
}

/* A thread that a listing shows whole has been taken to its last record. */
static void thread_over(struct run *run, const struct page *page, size_t at)
{
	const struct resource_type *type = run->resource->options.type;

	if (at + 1 < page->count && page->records[at + 1].type != type)
		return;
	while (page->records[at].type != type)
		at--;
	run_differs(run, page->records[at].record.id, page->records[at].record.updated_ms,
		    "was not held as it is");
}

/* A record that a listing shows as it is; those that came with it follow. */
static int take_whole(struct run *run, const struct page *page, size_t at, struct why *why)
{
	const struct page_record *item = &page->records[at];
	bool head = item->type == run->resource->options.type;

	run->differs &= !head;
	int rc = run_put(run, item->type, &item->record, head, why);
	if (rc == 0 && head)
		rc = run_replace_derived(run, item->type, &item->record, why);
	if (rc == 0 && head)
		rc = bury_missing(run, page, at, NULL, why);
	return rc;
}

/* A walk without bounds shows what is not wanted any more. */
static bool below_history(const struct run *run, const struct record *shown)
{
	return run->ops->kind == RUN_BACKFILL && (run->ask.type->traits & TRAIT_BUMPED) &&
	       shown->updated_ms != TIME_NONE && shown->updated_ms < run->ask.start_ms;
}

/* What an index that is behind may not show yet. */
static bool is_young(const struct run *run, int64_t created_ms)
{
	return created_ms == TIME_NONE ||
	       created_ms > run->asked_ms - run->resource->options.type->lookback_ms;
}

/* Shown by this walk, for the first time. It surely was there before when it is older, or when an earlier walk has shown it. What was created in the second of the question may have been there or not: a
 * second walk knows. */
static void count_shown(struct run *run, int64_t created_ms, bool added)
{
	bool young = is_young(run, created_ms);

	run->young += young && added;
	run->walk_young += young;
	run->added |= added && !young && run->ask.kind == ASK_CHANGED;
	run->walk_old += !added || (created_ms != TIME_NONE && created_ms <= run->walk_ms);
	run->moved |= created_ms == TIME_NONE || created_ms > run->asked_ms;
}

static int note_seen(struct run *run, const struct page_record *item)
{
	uint64_t hash = bytes_hash(item->record.id);
	int rc = run->seen_over ? 0 : seen_add(&run->seen, hash, run_listed_max(run));

	if (rc == ERR_LIMIT) {
		seen_release(&run->seen);
		run->seen_over = true;
		return 0;
	}
	if (rc >= 0 && seen_mark(&run->seen, hash))
		count_shown(run, item->record.created_ms, rc == 1);
	return rc < 0 ? rc : 0;
}

/* Of a record, or of what came with it and follows it. */
static bool any_forgotten(struct run *run, const struct page *page, size_t at)
{
	const struct resource_type *type = page->records[at].type;

	if (!snapshot_forgets(run->view))
		return false;
	bool any = forgetting_meets(run->view, type, &page->records[at].record);
	while (!any && ++at < page->count && page->records[at].type != type)
		any = forgetting_names(run->view, page->records[at].type, &page->records[at].record);
	return any;
}

/* Whether the record at hand is one that was forgotten, or belongs to one, or names one that was: a thread goes as a whole. */
static bool is_forgotten(struct run *run, const struct arrived *from)
{
	const struct page *page = from->page;
	bool head = from->at == 0 || page->records[from->at].type == run->resource->options.type;

	if (head)
		run->forgotten = any_forgotten(run, page, from->at);
	return run->forgotten;
}

/* It is there upstream, and that is all that is known of it here. */
static int pass_over(struct run *run, const struct page_record *item)
{
	run->differs = false;
	if (item->type != run->resource->options.type)
		return 0;
	run->info.unchanged++;
	return 0;
}

int run_take(struct run *run, struct arrived *from, struct why *why)
{
	const struct page_record *item = &from->page->records[from->at];
	struct record held;
	bool forgotten = is_forgotten(run, from);

	if (forgotten && (from->single || item->type != run->resource->options.type))
		return pass_over(run, item);
	if (from->single)
		return take_single(run, from, why);
	if (item->type != run->resource->options.type)
		return take_whole(run, from->page, from->at, why);
	run->info.done++;
	if (item->event.id.len && forgotten)
		return pass_over(run, item);
	if (item->event.id.len)
		return touched_take(run, item, why);
	if (below_history(run, &item->record)) {
		run->info.unchanged++;
		return 0;
	}
	if ((run->ops->kind == RUN_SNAPSHOT || run->ops->kind == RUN_VERIFY) && note_seen(run, item))
		return why_set(why, ERR_NOMEM, "out of memory");
	if (forgotten)
		return pass_over(run, item);
	if (item->record.flags & RECORD_DELETED)
		return take_tombstone(run, &item->record, why);
	if (item->record.flags & RECORD_POOR)
		return take_poor(run, item, why);
	/* Search indexes lag: what was buried and is listed again is asked for itself. */
	if ((run->resource->options.type->traits & TRAIT_ONE) &&
	    snapshot_peek(run->view, run->info.resource, item->record.id, &held) == 1 &&
	    (held.flags & RECORD_DELETED))
		return run_want(run, item->record.id);
	return take_whole(run, from->page, from->at, why);
}

int run_taken(struct run *run, const struct arrived *from)
{
	const struct page *page = from->page;

	if (from->single && page->fault != FAULT_GONE)
		return from->at + 1 == page->count ? single_taken(run, from) : 0;
	if (!run->differs)
		return 0;
	if (page->fault == FAULT_GONE)
		run_differs(run, bytes_of(from->id, from->id_len), TIME_NONE, "was held, and is gone");
	else if (!(page->records[from->at].record.flags & (RECORD_DELETED | RECORD_POOR)))
		thread_over(run, page, from->at);
	return 0;
}
