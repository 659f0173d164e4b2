/*
 * dead: records that are listed but cannot be read, whatever is tried. One of them must not keep the mirror from following all others: its listing's copy is
 * kept, marked as poor and truncated (so that no answer about its time is called complete), a letter says durably what happened, and changes runs ask for
 * it again by the letter's schedule. Many of them at once are no matter of records: then the run fails, and the longer that goes on, the more are believed.
 */
#include "run.h"
#include "sync_state.h"

#include <base/log.h>

#include <stdio.h>
#include <stdlib.h>

#define FAILED_MIN 10 /* records of one run that may fail however few are read */
#define AGAIN_MAX  50 /* letters that one run tries: it must come to its end */
#define DOUBTS_MAX 4  /* failed runs in a row that multiply it by four */
#define DENIED_MAX \
	2 /* failed runs in a row until it is the record that may not be read, since its listing may */

static int64_t now_of(const struct run *run)
{
	return loop_wall_ms(run->sync->options.loop);
}

static struct letter *find(const struct run *run, struct bytes id)
{
	return letters_find(&run->sync->letters, run->info.resource, id);
}

/* ---- trying again ---- */

static bool is_due(const struct letter *letter, int64_t now_ms)
{
	return !letter->info.dropped && letter->info.next_ms <= now_ms;
}

int run_dead_again(struct run *run)
{
	const struct letters *l = &run->sync->letters;
	int64_t now_ms = now_of(run);
	int rc = 0;

	for (size_t i = 0, n = 0; i < l->count && n < AGAIN_MAX && rc == 0; i++)
		if (strcmp(l->items[i]->info.resource, run->info.resource) == 0 &&
		    is_due(l->items[i], now_ms)) {
			rc = run_want(run, bytes_str(l->items[i]->info.id));
			n++;
		}
	return rc;
}

bool run_dead_waits(const struct run *run, const struct record *shown, const struct record *held)
{
	const struct letter *letter = held->flags & RECORD_POOR ? find(run, shown->id) : NULL;

	return letter && held->updated_ms == shown->updated_ms && !is_due(letter, now_of(run));
}

bool resource_dead_due(const struct resource *r)
{
	const struct letters *l = &r->sync->letters;
	int64_t now_ms = loop_wall_ms(r->sync->options.loop);

	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->items[i]->info.resource, r->options.type->name) == 0 &&
		    is_due(l->items[i], now_ms))
			return true;
	return false;
}

/* What kept one record from being read may have kept the others: they need not wait for their time. */
static void hurry_others(struct run *run)
{
	struct letters *l = &run->sync->letters;
	int64_t now_ms = now_of(run);

	for (size_t i = 0; i < l->count; i++) {
		struct letter *at = l->items[i];
		if (at->over || at->info.dropped || at->info.next_ms <= now_ms ||
		    strcmp(at->info.resource, run->info.resource) != 0)
			continue;
		at->info.next_ms = now_ms;
		at->unsaved = true;
	}
}

int run_dead_over(struct run *run, struct bytes id, bool read)
{
	struct letter *letter = find(run, id);

	if (!letter)
		return 0;
	letter->over = true;
	if (read && letter->info.class == CLASS_NOW)
		hurry_others(run);
	return letters_write(&run->sync->letters, letter, run->txn);
}

/* ---- noting ---- */

static const struct record *shown(const struct run *run, struct bytes id)
{
	for (size_t i = 0; run->page && i < run->page->count; i++)
		if (bytes_equal(run->page->records[i].record.id, id))
			return &run->page->records[i].record;
	return NULL;
}

/* The copy of the listing. A fuller copy of the same state that is held must not stand there as if nothing were wrong: then this cannot be noted. */
static bool keep_listed(struct run *run, const struct record *listed, bool known)
{
	struct record copy = *listed;
	enum put_outcome outcome;
	struct why why;

	copy.flags |= RECORD_POOR | RECORD_TRUNCATED;
	return txn_put(run->txn, run->info.resource, &copy, &outcome, &why) == 0 &&
	       (known || outcome != PUT_POORER);
}

static void describe(struct dead_letter *d, const struct page *page, const struct fetch_cost *cost)
{
	d->class = fault_class(page->fault);
	d->status = cost->status;
	dead_text(d->reason, sizeof d->reason, bytes_str(page->why.text));
	dead_text(d->asked, sizeof d->asked, bytes_str(cost->asked));
	dead_text(d->answer, sizeof d->answer, bytes_str(cost->head));
}

/* A new letter, or the one there is with another attempt. */
static int note(struct run *run, struct bytes id, const struct record *listed,
		const struct page *page, const struct fetch_cost *cost, int64_t delay_ms)
{
	struct letters *l = &run->sync->letters;
	struct letter *letter = find(run, id);
	struct dead_letter info = {.created_ms = TIME_NONE, .updated_ms = TIME_NONE};
	int rc;

	if (!letter) {
		snprintf(info.resource, sizeof info.resource, "%s", run->info.resource);
		snprintf(info.id, sizeof info.id, "%.*s", (int)id.len, (const char *)id.data);
		info.first_ms = now_of(run);
		rc = letters_add(l, &info, &letter);
		if (rc)
			return rc;
	}
	struct dead_letter *d = &letter->info;
	if (listed) {
		d->created_ms = listed->created_ms;
		d->updated_ms = listed->updated_ms;
	}
	letters_undrop(l, letter);
	describe(d, page, cost);
	d->attempts++;
	d->last_ms = now_of(run);
	d->next_ms = d->last_ms + (delay_ms >= 0 ? delay_ms : dead_delay_ms(d->attempts));
	return letters_write(l, letter, run->txn);
}

bool run_dead_known(const struct run *run, struct bytes id)
{
	return find(run, id) != NULL;
}

static bool fits(struct bytes id)
{
	return id.len <= DEAD_ID_MAX && !memchr(id.data, 0, id.len);
}

static bool is_full(const struct run *run)
{
	const struct letters *l = &run->sync->letters;

	return l->count - l->dropped >= LETTERS_MAX;
}

int run_dead_gone(struct run *run, const struct arrived *from, struct why *why)
{
	struct bytes id = bytes_of(from->id, from->id_len);
	const struct record *listed = shown(run, id);

	if (!fits(id) || is_full(run))
		return why_set(why, ERR_REMOTE,
			       "too many records that are listed cannot be read: see 'ficq dead'");
	/* A copy of the same state that is held stays as it is. */
	if (listed)
		keep_listed(run, listed, false);
	run->info.failed++;
	int rc = note(run, id, listed, from->page, &from->cost, 0);
	return rc ? why_set(why, rc, "cannot note that a record is said not to exist") : 0;
}

/* So many new letters of one run are believed to be about records. */
static uint64_t allowance(const struct run *run)
{
	unsigned doubts = run->resource->failures < DOUBTS_MAX ? run->resource->failures : DOUBTS_MAX;

	return ((uint64_t)FAILED_MIN << 2 * doubts) + run->got / 4;
}

/* Only changes runs ask again for what was left aside. */
static bool retried(const struct run *run)
{
	return run->resource->options.type->traits & TRAIT_CHANGED;
}

static bool concerns_record(const struct run *run, const struct page *page,
			    const struct fetch_cost *cost, bool known)
{
	if (page->fault == FAULT_DENIED)
		return cost->answered && (known || run->resource->failures >= DENIED_MAX);
	return fault_scope(page->fault, true, cost->answered) == SCOPE_RECORD;
}

bool run_dead_letter(struct run *run, struct bytes id, struct page *page, const struct fetch_cost *cost)
{
	bool known = run_dead_known(run, id);
	const struct record *listed = shown(run, id);

	if (!concerns_record(run, page, cost, known))
		return false;
	if (!known && is_full(run)) {
		why_set(&page->why, 0,
			"%d records of this source cannot be read, and no more are left aside: 'ficq dead' lists them, 'ficq dead drop' gives one up",
			LETTERS_MAX);
		return false;
	}
	if (!known && (!listed || !retried(run) || !fits(id) || run->info.failed >= allowance(run)))
		return false;
	if ((listed && !keep_listed(run, listed, known)) || note(run, id, listed, page, cost, -1))
		return false;
	run->info.failed++;
	snprintf(run->info.error, sizeof run->info.error,
		 "%s %.*s cannot be read, and is tried again later ('ficq dead'): %.160s",
		 run->info.resource, (int)id.len, (const char *)id.data, page->why.text);
	log_warn("sync", "%s source=%s", run->info.error, run->info.source);
	return true;
}

/* ---- what clients see and wish ---- */

bool sync_dead_next(const struct sync *s, uint64_t after, struct dead_entry *out)
{
	for (size_t i = 0; i < s->letters.count; i++) {
		const struct letter *at = s->letters.items[i];
		if (at->number <= after || at->over)
			continue;
		*out = (struct dead_entry){at->number, &at->info};
		return true;
	}
	return false;
}

unsigned sync_dead_count(const struct sync *s)
{
	return (unsigned)(s->letters.count - s->letters.dropped);
}

unsigned sync_dead_touching(const struct sync *s, const char *resource, bool created,
			    int64_t start_ms, int64_t end_ms)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->letters.count; i++) {
		const struct dead_letter *d = &s->letters.items[i]->info;
		n += strcmp(d->resource, resource) == 0 && dead_touches(d, created, start_ms, end_ms);
	}
	return n;
}

static struct letter *numbered(struct sync *s, uint64_t number)
{
	for (size_t i = 0; i < s->letters.count; i++)
		if (s->letters.items[i]->number == number && !s->letters.items[i]->over)
			return s->letters.items[i];
	return NULL;
}

int sync_dead_retry(struct sync *s, uint64_t number)
{
	struct letter *letter = numbered(s, number);

	if (!letter)
		return ERR_NOTFOUND;
	if (letter->info.dropped && s->letters.count - s->letters.dropped >= LETTERS_MAX)
		return ERR_LIMIT;
	const struct resource *r = resource_find(s, letter->info.resource);
	if (is_due(letter, loop_wall_ms(s->options.loop)) && r && r->runs[RUN_CHANGES])
		return 1;
	letters_undrop(&s->letters, letter);
	letter->info.next_ms = loop_wall_ms(s->options.loop);
	timer_start(s->timer, 0, 0);
	return 0;
}

int sync_dead_drop(struct sync *s, uint64_t number)
{
	struct letter *letter = numbered(s, number);

	if (!letter)
		return ERR_NOTFOUND;
	if (!letter->info.dropped && s->letters.dropped >= LETTERS_DROPPED_MAX)
		return ERR_LIMIT;
	letters_drop(&s->letters, letter);
	timer_start(s->timer, 0, 0);
	return 0;
}
