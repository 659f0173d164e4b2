/*
 * run: one execution of a sync. Private to this layer.
 *
 *   waiting ──turn──> listing ──page──> working (puts, single fetches) ──done──> committing ──> waiting … ended
 *      ^                                                       │                     │
 *      └──────────── next page, same transaction <─────────────┘<────────────────────┘
 *
 * One run of a source has the turn at a time, and with it the store's one transaction. A run gives the turn back after each commit, and
 * another one that is due goes first.
 *
 * What a walk over a moving order proves: whoever is changed while it walks may slip past it, but is then in the next changes run. Its
 * claims therefore wait ("pending", durable as a mark) until a changes run that began after them is complete, and become coverage in that run's commit.
 */
#ifndef FIC_SYNC_RUN_INTERNAL_H
#define FIC_SYNC_RUN_INTERNAL_H

#include "fetch.h"
#include "hashset.h"

#include <sync/sync.h>

#define CLOCK_SLACK_MS \
	(5 * 60 * 1000) /* of the provider's clock; less is covered by the look-back */
#define PENDING_MAX 8
#define WATCHES_MAX 64
#define DEAD_MAX    32 /* letters of one resource; with their ids they fit into one mark */
#define DEAD_ID_MAX 64
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
	char dead[DEAD_MAX][DEAD_ID_MAX]; /* ids that cannot be read */
	unsigned dead_count;
	uint64_t pending_quarantined; /* the store's count when the claims were made: more since then voids them */
	int64_t due_mono_ms;      /* changes, or the list */
	int64_t full_wall_ms;     /* full; TIME_NONE: not planned */
	int64_t backfill_mono_ms; /* not before */
	bool full_wished;
	bool chained; /* changes can be asked for */
	int64_t last_sync_ms;
	char last_error[320];
	unsigned failures;           /* in a row */
	struct run *runs[RUN_KINDS]; /* under way or waiting for a turn */
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

extern const struct run_ops run_snapshot, run_changes, run_backfill;

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
	unsigned list, part; /* of its lists and of that one's pages, the one that is read */
	size_t len;
	uint8_t id[RECORD_ID_MAX];
};

struct arrived {
	struct arrived *next;
	struct page *page;
	bool single;
	size_t at;       /* the next record to take */
	size_t gone_len; /* of a single that is gone: its id */
	uint8_t gone_id[RECORD_ID_MAX];
};

struct run {
	struct sync *sync;
	struct resource *resource;
	const struct run_ops *ops;
	struct run_info info;
	struct run *next_ended;
	bool turn; /* it has the turn */
	bool begun, listed, committing, finishing, canceled;
	bool partly;    /* the commit under way is of a part of a page: the turn goes on after it */
	bool preferred; /* a client waits for it */
	int phase;
	struct ask ask;
	struct buf cursor;
	struct hashset cursors; /* seen ones: a repeated one is a circle */
	struct fetch *listing;
	struct page *page; /* the listing page at work, for what ops look at */
	bool last_page, unchanged;
	unsigned empty_pages;
	struct single *singles; /* sync->line.concurrency places */
	unsigned single_count;  /* of them under way */
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
	struct hashset seen; /* snapshot: ids, of all walks */
	unsigned walks;
	bool ordered; /* backfill */
	bool force;   /* single reads even of what is held */
	struct interval gap;
	int64_t low_ms;                      /* backfill: the lowest last update so far */
	int64_t chain_ms;                    /* changes: the chain's end when it began */
	struct interval claims[PENDING_MAX]; /* changes: pending ones that it will prove */
	unsigned claim_count;
	bool again, forget; /* snapshot: the list is read once more, without what was seen so far */
	bool working;       /* ops->work has more to do */
	struct scan *scan;  /* absences: over what is held */
	uint64_t scanned, absent;
	bool past; /* deletions: what follows is older than asked for */
};

struct run *run_new(struct resource *r, const struct run_ops *ops);
void run_turn(struct run *run);   /* gives it the turn; it ends with tell->turn_over */
void run_cancel(struct run *run); /* ends at once; what is not committed is dropped */
void run_free(struct run *run);
void run_fail(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
int run_want(struct run *run, struct bytes id); /* a single read before the page is done */
int run_want_lists(struct run *run, const struct page_record *item); /* of the lists inside it only */
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

/* take.c: one record of a page into the transaction. */
int run_take(struct run *run, struct arrived *from, struct why *why);
/* A single read that was answered with "gone". */
int run_take_gone(struct run *run, const struct arrived *from, struct why *why);
/* A record is gone upstream: a tombstone for it and for its children. */
int run_bury(struct run *run, struct bytes id, int64_t when_ms, struct bytes merged_into,
	     struct why *why);

/* dead.c: a single read that failed for good. True: noted, the run goes on. In the open transaction. */
bool run_dead_letter(struct run *run, struct bytes id, const struct page *page);
bool run_dead_known(const struct run *run, struct bytes id);
/* It is listed, and said not to exist: noted, to be asked for once more in the next changes run. False: there is no room. */
bool run_dead_gone(struct run *run, struct bytes id);
int run_dead_over(struct run *run, struct bytes id); /* it was read, or is gone */
int run_dead_again(struct run *run);                 /* wants all of them */
void resource_dead_load(struct resource *r, const struct snapshot *view);

/* Coverage of the resource and of its child alike, in the open transaction. */
int run_hold(struct run *run, struct interval span);
int run_withdraw_all(struct run *run);
int run_chain_start(struct run *run, int64_t at_ms);
int run_chain_extend(struct run *run, int64_t from_ms, int64_t to_ms);

/* pending.c: a span that the walk has proven but for what slipped past it. */
void resource_pend(struct resource *r, struct interval span);
void resource_pending_load(struct resource *r, const struct snapshot *view);
int run_pending_save(struct run *run, struct why *why); /* resource's pending claims as a mark */
/* Everything with a last update from then on was read once, or is in the chain; TIME_NONE: not known. What is missing above it was lost since. */
int64_t resource_walked(const struct resource *r, const struct snapshot *view);
int run_walked_save(struct run *run, int64_t from_ms);
int run_walked_forget(struct run *run);

#endif
