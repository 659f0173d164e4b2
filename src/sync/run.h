/*
 * run: one execution of a sync. Private to this layer.
 *
 *   waiting ──turn──> listing ──page──> working (puts, single fetches) ──done──> committing ──> waiting … ended
 *      ^                                                       │                     │
 *      └──────────── next page, same transaction <─────────────┘<────────────────────┘
 *
 * Between two single reads of a page a run that nobody waits for gives its turn to one that somebody waits for: what was read is committed, and the rest of the page
 * is read in its next turn.
 *
 * One run of a source has the turn at a time, and with it the store's one transaction. A run gives the turn back after each commit, and
 * another one that is due goes first.
 *
 * What a walk over a moving order proves: whoever is changed while it walks may slip past it, but is then in the next changes run. Its
 * claims therefore wait ("pending", durable as a mark) until a changes run that began after them is complete, and become coverage in that run's commit.
 */
#ifndef FIC_SYNC_RUN_INTERNAL_H
#define FIC_SYNC_RUN_INTERNAL_H

#include "circle.h"
#include "fetch.h"
#include "hashset.h"
#include "letters.h"
#include "seen.h"

#include <sync/sync.h>

#define CLOCK_SLACK_MS \
	(5 * 60 * 1000) /* of the provider's clock; less is covered by the look-back */
#define PENDING_MAX   8
#define WATCHES_MAX   64
#define VERIFY_WINDOW 500 /* held records, about, that a verify run reads and commits together */
#define RUN_COMMIT_BYTES \
	(512 * 1024) /* compressed; a listing of full records is committed about so often */
#define RUN_COMMIT_RECORDS 4000

struct run;

/* A configured resource and what is planned for it. */
struct resource {
	struct sync *sync;
	struct sync_resource_options options;
	const struct resource_type *child; /* what comes with its single reads */
	struct interval pending[PENDING_MAX];
	unsigned pending_count;
	uint64_t pending_quarantined; /* the store's count when the claims were made: more since then voids them */
	int64_t kept_from_ms; /* nothing before it is claimed any more: it was dropped; TIME_MIN */
	int64_t due_mono_ms;  /* changes, or the list */
	int64_t full_wall_ms; /* full; TIME_NONE: not planned */
	int64_t full_done_ms; /* end of the last reading of everything, by the wall clock */
	uint64_t rounds;      /* regular runs that were planned */
	int64_t backfill_mono_ms; /* not before */
	bool full_wished;
	bool insisted; /* a client wishes a full or verify run: what it does not find is believed when it was refused before */
	bool chained;  /* changes can be asked for */
	struct interval span_wished;   /* backfill: limited to it; empty: not wished */
	struct interval verify_wished; /* likewise; TIME_MIN to TIME_MAX: what is next */
	int64_t verify_mono_ms;        /* not before */
	char refusal[320];             /* absences that are not believed, in words; "" */
	char feed[200];                /* why deletions are not fed, in words; "" */
	char listed[200];              /* why absences are not looked for, in words; "" */
	int64_t last_sync_ms;
	char last_error[320];
	struct sync_resource_counts counts;
	unsigned failures;           /* in a row */
	struct run *runs[RUN_KINDS]; /* under way or waiting for a turn */
	struct run *next[RUN_KINDS]; /* follows the one that has begun: for wishes that came after its first question; NULL */
};

struct run_ops {
	enum run_kind kind;
	/* Sets run->ask for the first page. 0, or 1: there is nothing to do. */
	int (*begin)(struct run *run, struct why *why);
	/* The listing page's records have been taken and what they called for was fetched: claims what is proven now, in the open transaction. `last`: no page follows. */
	int (*proves)(struct run *run, bool last, struct why *why);
	/* After the last page was committed: 1 when another phase follows (run->ask is set, or ids are wanted), 0 when the run is complete. */
	int (*next_phase)(struct run *run, struct why *why);
	/* Sliced work of a phase without pages (run->working): a little; 1: more, 0: done. NULL: never. */
	int (*work)(struct run *run, struct why *why);
	/* In the last commit, when everything is done. */
	int (*finish)(struct run *run, struct why *why);
};

extern const struct run_ops run_snapshot, run_changes, run_backfill, run_verify, run_one, run_search;

struct wanted {
	struct wanted *next;
	struct page *whole; /* the record itself, when only lists inside it are to be read; NULL */
	size_t len;
	uint8_t id[];
};

/* A single read under way; fetch NULL: the place is free. */
struct single {
	struct run *run;
	struct fetch *fetch;
	struct page *whole; /* the record, while the lists inside it are read; NULL: there are none */
	struct hashset cursors; /* of that list, so far */
	unsigned list, part;    /* of its lists and of that one's pages, the one that is read */
	bool own;               /* the record was asked for itself, not taken from a listing */
	size_t len;
	uint8_t id[RECORD_ID_MAX];
};

struct arrived {
	struct arrived *next;
	struct page *page;
	bool single;
	size_t at; /* the next record to take */
	/* Of a single read that failed, or whose record is gone. */
	size_t id_len;
	uint8_t id[RECORD_ID_MAX];
	struct fetch_cost cost;
};

/* What a feed of events tells about (touched.c). */
struct touched {
	struct wanted *first, **end; /* still to be read */
	struct hashset ids;          /* all that were touched */
	struct hashset before;       /* events that earlier runs have dealt with */
	struct fed *fed;             /* events that were shown */
	size_t fed_count, fed_cap;
	size_t shown_bytes;
};

struct run {
	struct sync *sync;
	struct resource *resource;
	const struct run_ops *ops;
	struct run_info info;
	struct run *next_ended;
	bool turn; /* it has the turn */
	bool begun, listed, committing, finishing, canceled;
	bool partly; /* the commit under way is of a part of a page: the turn goes on after it */
	bool paused; /* it has given its turn back in the middle of a page: single reads are still wanted */
	uint64_t turn_reads,
		batch_reads; /* single reads that were answered in this turn, and since the last commit */
	bool preferred; /* a client waits for it */
	bool full;      /* it reads everything, not what is missing */
	bool total_noted;
	int phase;
	struct ask ask;
	struct buf cursor;
	struct hashset cursors; /* seen ones: a repeated one is a circle */
	struct hashset shown;   /* what pages of the listing have shown, each folded into one */
	struct circle circle;   /* and the single records */
	struct fetch *listing;
	struct page *page; /* the listing page at work, for what ops look at */
	bool last_page, unchanged;
	unsigned empty_pages, same_pages; /* in a row */
	struct single *singles;           /* sync->line.concurrency places */
	unsigned single_count;            /* of them under way */
	struct wanted *wanted, **wanted_end;
	struct arrived *arrived, **arrived_end;
	unsigned arrived_count;
	int64_t again_ms; /* it failed: of no use before so long */
	uint64_t got,
		gone; /* single reads that brought something, and those of what was shown and is gone */
	void (*page_over)(struct run *run); /* everything that the page called for is in the transaction */
	void (*commit_partly)(struct run *run); /* the transaction is full in the middle of a page */
	struct task *task;
	struct txn *txn;
	struct snapshot *view;
	struct buf memory; /* of a record that is looked at */
	int64_t asked_ms; /* the provider's clock before the first page of this phase was asked; TIME_NONE */
	char etag[96];
	/* of the kinds */
	struct seen seen; /* snapshot: ids, of all walks; those of the last one are marked */
	bool seen_over; /* there were more than are compared: which of those that are held are absent is not known */
	unsigned walks;
	int64_t walk_ms;    /* before the first page of the walk was asked; TIME_NONE */
	uint64_t walk_old;  /* of its ids, those that there surely were then */
	int64_t walk_total; /* its count; -1: not known yet */
	int64_t most;       /* of the counts of all walks; -1: none was told */
	bool moved;         /* something came or went while the walks were under way, or may have */
	bool added;         /* the other listing shows what no walk before it has shown */
	bool partial; /* fewer are shown than there are said to be: nothing is claimed, and nothing looked for */
	uint64_t young, walk_young; /* ids, and those of the walk, that an index may not have yet */
	bool ordered;               /* backfill */
	bool resumed; /* backfill: its first page is asked for by a cursor of an earlier run */
	bool force;   /* single reads even of what is held */
	struct interval gap;
	int64_t low_ms;                      /* backfill: the lowest last update so far */
	int64_t chain_ms;                    /* changes: the chain's end when it began */
	struct interval claims[PENDING_MAX]; /* changes: pending ones that it will prove */
	unsigned claim_count;
	bool again;               /* snapshot: the list is read once more */
	bool working;             /* ops->work has more to do */
	struct burial *burial;    /* under way; NULL: none */
	struct scan *scan;        /* absences: over what is held */
	uint64_t scanned, absent; /* of those that a list would show */
	uint64_t unlisted;   /* absent as they were before: asked for, and no sign of anything */
	bool absent_more;    /* not all of them are wanted yet */
	bool seen_none;      /* nothing at all was shown */
	uint64_t absent_ids; /* their hashes, folded into one */
	struct interval absences; /* the span that they are of */
	bool asking_absent;       /* single reads are of what was not shown */
	bool refused; /* absences are not believed: fails after the last commit, claiming nothing */
	bool insisted;           /* a client asks for a full reading */
	bool forgotten;          /* so is the record at hand, or the one that it came with */
	bool differs;            /* the single read that is being taken changes something */
	bool pressing;           /* verify: asked for by a client, not limited */
	struct interval stretch; /* verify: what is left of it; the window at work is `gap` */
	struct wanted *asked, **asked_end; /* one: ids still to be read */
	struct sync_search *search;        /* search: what is looked for, and found */
	bool unfed;                        /* deletions: there is no such feed */
	bool past;                         /* deletions: what follows is older than asked for */
	bool stones, disordered; /* deletions: one was shown; a newer one after an older */
	int64_t stone_ms;        /* the last that was shown */
	struct touched touched;  /* changes, by events */
	struct hashset placed;   /* children that are in the open transaction */
};

struct run *run_new(struct resource *r, const struct run_ops *ops);
void run_turn(struct run *run);   /* gives it the turn; it ends with tell->turn_over */
void run_cancel(struct run *run); /* ends at once; what is not committed is dropped */
void run_free(struct run *run);
void run_fail(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
int run_want(struct run *run, struct bytes id); /* a single read before the page is done */
int run_want_lists(struct run *run, const struct page_record *item); /* of the lists inside it only */
bool run_wants(const struct run *run, struct bytes id);              /* it is wanted already */
void run_wanted_drop(struct run *run);

/* run_read.c: pages and single reads, until everything that a page calls for is in the transaction; then run_page_over. */
void run_list(struct run *run);
void run_read_on(struct run *run); /* after a commit of a part of a page */
bool run_step(void *ctx);

/* nested.c: a record whose lists are cut is whole only with them. Begins with the lists of a record that is there already. False: no memory. */
bool single_lists(struct single *single, struct page *whole,
		  void (*done)(void *ctx, struct page *page, const struct fetch_cost *cost));
/* Takes what was read of it; true: more of it is being read, false: *page is the whole
 * record, or what is wrong. */
bool single_nested(struct single *single, struct page **page,
		   void (*done)(void *ctx, struct page *page, const struct fetch_cost *cost));

/* run_end.c */
void run_end(struct run *run, enum run_outcome outcome);
void run_arrived_over(struct run *run); /* the first of what arrived is taken */

/* run_put.c: into the transaction as it is; `counted`: among the run's created, updated … */
int run_put(struct run *run, const struct resource_type *type, const struct record *record,
	    bool counted, struct why *why);

/* derived.c: one that came behind a single read's records; and a record that was put takes the place of those that were derived where it was not. */
int run_put_derived(struct run *run, const struct page_record *item, struct why *why);
int run_replace_derived(struct run *run, const struct resource_type *type,
			const struct record *record, struct why *why);

/* take.c: one record of a page into the transaction. */
int run_take(struct run *run, struct arrived *from, struct why *why);
/* A single read that was answered with "gone". */
int run_take_gone(struct run *run, const struct arrived *from, struct why *why);
/* It is in the transaction, and so is all that it buried. */
int run_taken(struct run *run, const struct arrived *from);
/* bury.c. A record is gone upstream: the beginning of a burial of its children, and at its end a tombstone for it; with `remember` also when it was never held. `id` and `merged_into`
 * stay as long. */
int run_bury(struct run *run, struct bytes id, int64_t when_ms, struct bytes merged_into,
	     bool remember, struct why *why);
/* Begins a burial of the children that are held but not in `keep`, which is taken (NULL: none is kept); at its end `head` is put (NULL: nothing). One at a time. */
int run_bury_children(struct run *run, struct bytes parent, struct hashset *keep, int64_t when_ms,
		      const struct page_record *head, struct why *why);
/* Goes on with run->burial, opening one file at most. 1: there is more; 0: it is over; or an error, which ends it. */
int run_bury_step(struct run *run, struct why *why);
void run_bury_drop(struct run *run); /* gives it up, if there is one */

/* dead.c: a single read that failed for good. True: noted, the run goes on; false: page->why may say more. In the open transaction. */
bool run_dead_letter(struct run *run, struct bytes id, struct page *page,
		     const struct fetch_cost *cost);
bool run_dead_known(const struct run *run, struct bytes id);
/* It is listed, and said not to exist: noted, to be asked for once more in the next changes run. ERR_REMOTE: there is no room. */
int run_dead_gone(struct run *run, const struct arrived *from, struct why *why);
/* It was read, or (`read` false) is gone. */
int run_dead_over(struct run *run, struct bytes id, bool read);
int run_dead_again(struct run *run); /* wants those whose time has come */
/* The very state that is listed could not be read, and its letter's time has not come. */
bool run_dead_waits(const struct run *run, const struct record *shown, const struct record *held);
bool resource_dead_due(const struct resource *r);

/* retry.c: how much a failure concerns, and what may help. */
enum fault_scope { SCOPE_RECORD, SCOPE_PAGE, SCOPE_RESOURCE, SCOPE_SOURCE };
/* `single`: of a single read; `answered`: by the provider, whatever it was. */
enum fault_scope fault_scope(enum fault fault, bool single, bool answered);
enum fault_class fault_class(enum fault fault);

/* Coverage of the resource and of its child alike, in the open transaction. */
int run_hold(struct run *run, struct interval span);
int run_withdraw_all(struct run *run);
int run_chain_start(struct run *run, int64_t at_ms);
int run_chain_extend(struct run *run, int64_t from_ms, int64_t to_ms);

/* run_verify.c: a record was not held as it is upstream; last updated then. Nothing in other kinds of runs. */
void run_differs(struct run *run, struct bytes id, int64_t updated_ms, const char *how);

/* run_backfill.c: the cursor of an earlier run is refused. True: the walk begins anew. */
bool run_unresumed(struct run *run, const struct page *page);

/* run_changes.c: notes from when on the feed of deletions must be read, in the open transaction of the first turn: records may be durable long before the chain of changes begins (a page that
 * is cut by a kill, single records), and nothing but the feed tells that they went meanwhile. */
int run_feed_begin(struct run *run);
/* The feed of deletions is refused as such. True: the run goes on without it, as after an empty page. */
bool run_unfed(struct run *run, struct page *page);

/* absence.c: what is held with a creation time in the span and not in run->seen is wanted (run->absent of run->scanned). A slice: 1 more, 0 done. */
int run_absences(struct run *run, int64_t start_ms, int64_t end_ms, struct why *why);
/* Whether these absences are believed: 0, or 1: not (run->refused; nothing is wanted any more). `doubt`: not without a confirmation, however few. */
int run_absence_guard(struct run *run, bool doubt, struct why *why);
/* The list is said to be what was read last: nothing that was refused is absent any more. */
int run_absence_none(struct run *run, struct why *why);
void resource_refusal_load(struct resource *r, const struct snapshot *view);

/* verified.c */
bool resource_verifies(const struct resource *r); /* it can be read again by creation, listed or one by one */
int run_verified(struct run *run, struct interval span); /* as_of: when; a mark in the open transaction */
int run_verify_rest(struct run *run,
		    int64_t at_ms); /* everything is being read: the next stretch has time */
/* The stretch that was not verified for longest, as much of it as is one run's share. False: there is nothing. */
bool resource_verify_next(const struct resource *r, const struct snapshot *view,
			  struct interval *stretch_out);
int64_t resource_verify_due(const struct resource *r,
			    const struct snapshot *view); /* by the provider's clock */

/* touched.c */
void touched_release(struct touched *t);
int touched_load(struct touched *t, const char *resource, struct snapshot *view);
int touched_take(struct run *run, const struct page_record *item, struct why *why); /* an event */
void touched_want(struct run *run); /* some more of them */
/* In the last commit: what was dealt with, of events dated from then on. */
int touched_save(struct run *run, int64_t from_ms);

/* run_one.c: one more id for a run that has not ended. 0 (also when it is waiting to be asked for already), ERR_LIMIT, ERR_NOMEM. */
int run_one_ask(struct run *run, struct bytes id);
/* A single read of it failed for good: noted, the others go on. False: the whole source fails. */
bool run_one_failed(struct run *run, struct bytes id, const struct page *page);

/* pending.c: a span that the walk has proven but for what slipped past it. */
void resource_pend(struct resource *r, struct interval span);
void resource_pending_load(struct resource *r, const struct snapshot *view);
int resource_pending_save(const struct resource *r, struct txn *txn);
int run_pending_save(struct run *run, struct why *why); /* resource's pending claims as a mark */
/* Everything with a last update from then on was read once, or is in the chain; TIME_NONE: not known. What is missing above it was lost since. */
int64_t resource_walked(const struct resource *r, const struct snapshot *view);
int run_walked_save(struct run *run, int64_t from_ms);
int run_walked_forget(struct run *run);

#endif
