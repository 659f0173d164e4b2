/*
 * touched: what a feed of events tells about, gathered from all of its pages before anything is read, so that each record is read once and as it was after the last
 * event that was seen. Which events were dealt with is kept, durable with the run that did: an event may show up later than it is dated, so the feed is asked for
 * again from some time back, and what was there already costs nothing. What is forgotten of it costs calls, never truth.
 */
#include "run.h"
#include "sync_state.h"

#include <model/fed.h>

#include <stdlib.h>

#define FED_RESOURCE "fed_events" /* of the store; no client sees it */
#define FED_MAX      50000        /* events that are remembered */
#define SHOWN_MAX \
	((size_t)4 << 20) /* bytes of records that wait for their turn as they were shown; of others the id is kept */
#define BATCH 20 /* records that are read and committed together */

void touched_release(struct touched *t)
{
	while (t->first) {
		struct wanted *w = t->first;
		t->first = w->next;
		page_free(w->whole);
		free(w);
	}
	hashset_release(&t->ids);
	hashset_release(&t->before);
	free(t->fed);
	*t = (struct touched){0};
}

/* ---- events that were dealt with ---- */

int touched_load(struct touched *t, const char *resource, struct snapshot *view)
{
	struct buf memory = {0};
	struct record record;
	int rc = snapshot_get(view, FED_RESOURCE, bytes_str(resource), &memory, &record);

	if (rc == 1) {
		size_t n = fed_count(record.doc);
		rc = 0;
		for (size_t i = 0; i < n && rc >= 0; i++)
			rc = hashset_add(&t->before, fed_at(record.doc, i).hash);
	}
	buf_release(&memory);
	return rc == ERR_NOMEM ? rc : 0;
}

static int fed_add(struct touched *t, uint64_t hash, int64_t at_ms)
{
	if (t->fed_count == FED_MAX)
		return 0;
	if (t->fed_count == t->fed_cap) {
		size_t cap = t->fed_cap ? t->fed_cap * 2 : 256;
		struct fed *grown = realloc(t->fed, cap * sizeof *grown);
		if (!grown)
			return ERR_NOMEM;
		t->fed = grown;
		t->fed_cap = cap;
	}
	t->fed[t->fed_count++] = (struct fed){hash, at_ms};
	return 0;
}

int touched_save(struct run *run, int64_t from_ms)
{
	struct touched *t = &run->touched;
	struct buf doc = {0};
	struct why why = {""};
	struct record record = {
		.id = bytes_str(run->info.resource),
		.created_ms = TIME_NONE,
		.updated_ms = TIME_NONE,
		.seen_ms = run->asked_ms,
	};
	size_t kept = 0;

	/* Those that the next run will be shown again. */
	for (size_t i = 0; i < t->fed_count; i++)
		if (t->fed[i].at_ms >= from_ms)
			t->fed[kept++] = t->fed[i];
	t->fed_count = kept;
	fed_encode(t->fed, kept, &doc);
	record.doc = buf_bytes(&doc);
	int rc = doc.error;
	if (rc == 0)
		rc = txn_put(run->txn, FED_RESOURCE, &record, NULL, &why);
	buf_release(&doc);
	return rc;
}

/* ---- records that are to be read ---- */

static struct wanted *find(const struct touched *t, struct bytes id)
{
	for (struct wanted *w = t->first; w; w = w->next)
		if (bytes_equal(bytes_of(w->id, w->len), id))
			return w;
	return NULL;
}

/* The page that is shown last has the newest state. */
static void show(struct run *run, struct wanted *w, const struct page_record *item)
{
	struct touched *t = &run->touched;

	if (w->whole) {
		t->shown_bytes -= w->whole->body.cap;
		page_free(w->whole);
		w->whole = NULL;
	}
	if (!item->event.shown || t->shown_bytes > SHOWN_MAX)
		return;
	/* Without memory it is asked for by its id. */
	w->whole = page_alone(run->sync->line.account, item);
	if (w->whole)
		t->shown_bytes += w->whole->body.cap;
}

static int touch(struct run *run, const struct page_record *item)
{
	struct touched *t = &run->touched;
	struct bytes id = item->record.id;
	int fresh = hashset_add(&t->ids, bytes_hash(id));
	struct wanted *w = fresh == 0 ? find(t, id) : NULL;

	if (fresh < 0)
		return fresh;
	if (!w) {
		w = malloc(sizeof *w + id.len);
		if (!w)
			return ERR_NOMEM;
		*w = (struct wanted){.len = id.len};
		memcpy(w->id, id.data, id.len);
		if (!t->first)
			t->end = &t->first;
		*t->end = w;
		t->end = &w->next;
	}
	show(run, w, item);
	return 0;
}

/* What was read so long after the event that another that is dated before it would have shown up. */
static int read_since(struct run *run, const struct page_record *item, struct why *why)
{
	struct record held;
	int rc = snapshot_peek(run->view, run->info.resource, item->record.id, &held);

	if (rc < 0 && rc != ERR_CORRUPT)
		return why_set(why, rc, "cannot look up a record in the store");
	return rc == 1 && !run->force && !(held.flags & (RECORD_DELETED | RECORD_POOR)) &&
	       item->event.at_ms != TIME_NONE &&
	       held.seen_ms >= item->event.at_ms + run->resource->options.type->lookback_ms;
}

int touched_take(struct run *run, const struct page_record *item, struct why *why)
{
	struct touched *t = &run->touched;
	uint64_t hash = bytes_hash(item->event.id);

	int rc = fed_add(t, hash, item->event.at_ms);
	if (rc)
		return why_set(why, rc, "out of memory");
	/* What was lost since is read again, whoever has dealt with it. */
	rc = !run->force && hashset_has(&t->before, hash) ? 1 : read_since(run, item, why);
	if (rc) {
		run->info.unchanged += rc > 0;
		return rc < 0 ? rc : 0;
	}
	rc = touch(run, item);
	return rc ? why_set(why, rc, "out of memory") : 0;
}

void touched_want(struct run *run)
{
	struct touched *t = &run->touched;

	for (int i = 0; i < BATCH && t->first; i++) {
		struct wanted *w = t->first;
		t->first = w->next;
		if (w->whole)
			t->shown_bytes -= w->whole->body.cap;
		w->next = NULL;
		*run->wanted_end = w;
		run->wanted_end = &w->next;
	}
}
