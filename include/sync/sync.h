/*
 * sync: keeps the store of one source in step with its provider.
 *
 * What is due becomes runs. A run asks for pages, fetches what they call for, puts the records into a transaction and commits it together with what
 * the pages prove (coverage). Runs of one source take turns page by page, so that a changes run of minutes never waits for a backfill of hours. The
 * provider's budget, retries and refusals are dealt with below the runs, in one place.
 */
#ifndef FIC_SYNC_SYNC_H
#define FIC_SYNC_SYNC_H

#include <io/http.h>
#include <io/loop.h>
#include <model/dead.h>
#include <model/run.h>
#include <model/schedule.h>
#include <model/week.h>
#include <source/provider.h>
#include <store/outbox.h>
#include <store/store.h>
#include <store/trail.h>

struct sync;

struct sync_resource_options {
	const struct resource_type *type;
	int64_t every_ms;     /* changes, or the whole list where there is nothing else */
	struct schedule full; /* the whole again, for deletions by absence */
	int64_t history_ms;   /* how far back a windowed resource is wanted */
	int64_t retain_ms;    /* … and kept; not less than that. 0: for ever */
	int64_t verify_ms;    /* all of it is re-read within this time; 0: never */
	bool verify_counts;   /* then only threads whose listing does not agree with what is held */
	unsigned priority;    /* smaller goes first */
};

struct sync_options {
	const char *name;       /* of the source; for logs */
	struct account account; /* borrowed strings */
	const char *token; /* copied; never logged. NULL: none yet (sync_token before sync_start) */
	struct loop *loop;
	struct http *http;
	struct store *store;
	struct trail *trail;
	struct outbox *outbox; /* edits to be pushed; NULL: none */
	/* An edit has come into another state; it is borrowed during the call, which must not change the outbox. NULL: nobody is told. */
	void (*edited)(void *ctx, const struct edit *e);
	void *edited_ctx;
	double budget; /* 0..1: share of the provider's rate that may be used */
	double route_shares[ROUTE_CLASSES_MAX]; /* the same of each class of the provider's, in its order; 0: no less */
	unsigned concurrency; /* calls at once */
	size_t listed_max; /* ids of one listing that are compared with what is held (8 bytes each); of a longer one absences are not looked for, and a note says so. 0: a million */
	int64_t stall_ms;  /* how long an answer may stand still; 0: thirty seconds */
	int64_t retry_ms;  /* the first delay after a passing failure; doubles four times */
	const struct zone *zone; /* of schedules and the window; borrowed; NULL: UTC */
	struct week window;      /* when the past is read, unless a client asks */
	bool window_strict;      /* all else likewise */
	uint64_t seed; /* spreads regular runs, so that not all hosts and sources begin at once; 0: they begin exactly when they are due */
	const struct sync_resource_options *resources;
	size_t resource_count;
	void (*ended)(void *ctx,
		      const struct run_info *run); /* told of the end of each run; NULL: nobody */
	void (*troubled)(void *ctx); /* told when sync_state.trouble may have become another one; NULL: nobody */
	void *ctx;                   /* of both */
};

/* Copies what it keeps but the borrowed strings. NULL: no memory. */
struct sync *sync_new(const struct sync_options *options);
void sync_start(struct sync *s);
/* Ends runs where they stand, commits what they have, then calls `stopped` once, from the loop. No call after it but sync_free. */
void sync_stop(struct sync *s, void (*stopped)(void *ctx), void *ctx);
void sync_free(struct sync *s);

/* Takes over, while it runs, what of the options may change: budget, and of the resources (the same ones) every_ms, full, history_ms, retain_ms, verify_ms,
 * verify_counts and priority. What is under way goes on; what is due is looked for anew. */
void sync_configure(struct sync *s, const struct sync_options *options);

/* ---- wishes of clients ---- */

enum sync_mode {
	SYNC_CHANGES, /* what changed: a changes run, or the first reading where there was none yet */
	SYNC_FULL,    /* everything again */
	SYNC_BACKFILL, /* the gaps of the wanted history */
	SYNC_VERIFY, /* what is held against what is listed, and threads again; where there is no history, as SYNC_FULL */
};

#define SYNC_IDS_MAX 100 /* of one wish */

/* Told about one run: progress at most ten times a second, then `ended` exactly once. Forgotten with sync_unwatch. */
struct run_watch {
	void (*progress)(void *ctx, const struct run_info *run); /* NULL: not wanted */
	void (*ended)(void *ctx, const struct run_info *run);
	void *ctx;
};

/* Makes the runs that the wish calls for, or joins those that wait (equal wishes are one). What it brings is no older than this call: a run that has asked the provider something already is
 * followed by another, which all wishes meanwhile share; only a first reading, and one of gaps, is joined, since changes are read after it (run_info.follow). resource NULL: all. ids_out gets up to `cap` run ids; returns their
 * number, ERR_INVALID for a resource that cannot be asked for like this, ERR_BUSY while stopping. A refused token is tried again. */
int sync_wish(struct sync *s, const struct resource_type *resource, enum sync_mode mode,
	      uint64_t *ids_out, size_t cap, struct why *why);
/* The same for a span of creation times: SYNC_BACKFILL reads its gaps even before the wanted history, SYNC_VERIFY verifies all of it (sync_wish: the stretch whose turn it is). Other
 * modes know no span: ERR_INVALID unless it is TIME_MIN to TIME_MAX. Nor may it begin before what is kept (sync_retain_start), which would only be dropped again: ERR_INVALID, too. */
int sync_wish_span(struct sync *s, const struct resource_type *resource, enum sync_mode mode,
		   int64_t start_ms, int64_t end_ms, uint64_t *ids_out, size_t cap, struct why *why);
/* Just these records, with their children: up to SYNC_IDS_MAX ids. Joins the run of an earlier wish that has not ended; a record that it has asked for already is asked for again. It claims nothing about others. ERR_INVALID: not of this resource,
 * or not an id; ERR_LIMIT: too many at once; ERR_BUSY while stopping. */
int sync_wish_ids(struct sync *s, const struct resource_type *resource, const struct bytes *ids,
		  size_t count, uint64_t *run_out, struct why *why);
/* What the provider's own search is asked for: its newest SEEK_RECORDS_MAX records that fit. */
struct sync_search {
	const struct resource_type *type;
	bool created; /* the span and the order are of creation, not of the last update */
	int64_t start_ms, end_ms; /* TIME_MIN, TIME_MAX: open */
	struct seek seek;         /* as provider_seek left it */
	/* What came of it, complete when the run has ended well: */
	uint64_t ids[SEEK_RECORDS_MAX]; /* bytes_hash of those that were found, whether or not they were held before */
	size_t count;
	bool more; /* the provider has more that fit */
};

/* What a search finds is read and stored like single records; it claims nothing about others. One call for the list, and one for each record that is not held in the state that the list shows.
 * `search` is borrowed, with what it borrows, until the watch is told of the end or the sync is freed. ERR_BUSY: another one of this resource is under way, or while
 * stopping; ERR_LIMIT: too many watch already; ERR_INVALID, ERR_NOMEM. */
int sync_search(struct sync *s, struct sync_search *search, const struct run_watch *watch,
		struct why *why);

/* What a client asked for is read through: one GET, in its turn and within the budget; nothing is stored. It is sent once: a passing failure is its end, but being told to wait
 * is not. */
struct sync_pass;

struct sync_passed {
	enum fault fault;
	const struct why *why; /* when there is a fault */
	int status;            /* of the answer; 0: there was none */
	int64_t asked_ms; /* the provider's clock just before it was asked, cut to the second; TIME_NONE: there was no answer */
	int64_t again_ms; /* when there is a fault: of no use before so long; 0: not said */
	struct bytes answer; /* MessagePack, borrowed; {NULL, 0} when there is a fault */
};

/* `path` and `route` as pass_path has them, `body_max` bytes of MessagePack; `done` comes exactly once, from the loop, unless it is dropped before. 0; ERR_BUSY while stopping,
 * ERR_NOMEM. */
int sync_pass(struct sync *s, struct bytes path, unsigned route, size_t body_max,
	      void (*done)(void *ctx, const struct sync_passed *passed), void *ctx,
	      struct sync_pass **out, struct why *why);
void sync_pass_drop(struct sync_pass *p); /* `done` does not come any more; not after it. NULL is fine */

/* One run that a wish would make, and what it would cost. */
struct sync_estimate {
	const char *resource;
	enum run_kind kind;
	int64_t span_start_ms, span_end_ms; /* TIME_MIN, TIME_MAX: open */
	int64_t calls_least; /* fewer it will not be, unless the provider has lost records */
	int64_t calls;       /* expected; -1: unknown */
	int64_t ms_least,
		ms; /* how long that takes at the budget's rate and the pace of earlier runs; -1: unknown */
	const char *basis; /* words: what the expectation rests on, or why there is none */
};

/* The runs that sync_wish_span would make, in their order, with those that follow from them. Starts nothing and sends nothing. Returns their number (at most `cap`, two a resource), or
 * errors as sync_wish. */
int sync_estimate(const struct sync *s, const struct resource_type *resource, enum sync_mode mode,
		  int64_t start_ms, int64_t end_ms, struct sync_estimate *out, size_t cap,
		  struct why *why);
/* 0, or ERR_NOTFOUND when the run has ended already. */
int sync_watch(struct sync *s, uint64_t run, const struct run_watch *watch);
void sync_unwatch(struct sync *s, void *ctx); /* every watch with this ctx */

/* ---- state ---- */

/* What keeps a source that fails from being asked all the time. */
enum breaker {
	BREAKER_CLOSED,    /* it works */
	BREAKER_OPEN,      /* nothing is asked until a moment that is known */
	BREAKER_HALF_OPEN, /* one question is under way; its answer decides */
};

const char *breaker_name(enum breaker breaker); /* "closed", "open", "half-open" */

struct sync_state {
	const char *state; /* "starting", "ok", "syncing", "error" */
	const char *error; /* words, NULL */
	const char *trouble; /* for freshness: "auth", "source-error", "rate-limited", "no-space"; NULL */
	enum breaker breaker;
	int64_t breaker_since_ms; /* wall clock */
	int64_t probe_ms; /* of an open one: when the provider is asked again, wall clock; TIME_NONE: not planned */
	int64_t clock_offset_ms; /* provider's clock minus ours, 0 while within two seconds */
	unsigned concurrency; /* calls that may be under way now: fewer than configured while the provider is slow or refuses */
	int64_t rate_limit;     /* calls a window, as the provider says; -1 unknown */
	int64_t rate_window_ms; /* the window */
	int64_t rate_remaining;
	int64_t wait_ms; /* before the next call that somebody waits for may be sent; 0: none */
	uint64_t calls_last_minute;
	uint64_t calls, retries, bytes;                                       /* since the start */
	char workspace_id[64], workspace_name[128], region[16], timezone[64]; /* "" until known */
};

void sync_state(const struct sync *s, struct sync_state *out);

/* What each question needs of it. */
struct sync_health {
	const char *trouble;
	bool unreached; /* the trouble is that the provider cannot be reached */
	enum breaker breaker;
	int64_t clock_offset_ms;
};

struct sync_health sync_health(const struct sync *s);

/* And of a resource: the part of sync_resource_state that a verdict is made from. */
struct sync_glance {
	int64_t last_sync_ms; /* TIME_NONE: never, or there is no such resource */
	bool syncing;
	double progress; /* of what is under way; negative: unknown, or nothing is */
};

struct sync_glance sync_glance(const struct sync *s, const char *resource);

/* Calls of a kind that the provider counts, or refuses, apart from all others (source/provider.h). */
struct sync_route {
	const char *name;
	int64_t limit; /* of ours in any window; -1: as many as all calls together */
	int64_t window_ms;
	uint64_t used;   /* that count now; without a limit they are not counted */
	int64_t wait_ms; /* the provider said to wait: so long; 0: it did not */
};

/* Those that have a limit, or wait. How many. */
size_t sync_routes(const struct sync *s, struct sync_route out[ROUTE_CLASSES_MAX]);

#define SYNC_CODES   6
#define SYNC_BUCKETS 9
extern const int64_t sync_bucket_ms[SYNC_BUCKETS]; /* growing */

/* What was asked of the provider since the start. */
struct sync_calls {
	uint64_t codes[SYNC_CODES]; /* answers by the first digit of their status; [0]: calls that had none */
	uint64_t durations[SYNC_BUCKETS + 1]; /* calls that took no longer than a bound and longer than the one before; the last: longer than all */
	uint64_t duration_us;                 /* of all of them */
	int64_t waited_ms;                    /* in which something waited for the rate limit */
};

void sync_calls(const struct sync *s, struct sync_calls *out);

/* Another token, copied; taken as soon as no page is under way. Whom it belongs to is asked before anything else. 0 or ERR_NOMEM. */
int sync_token(struct sync *s, const char *token);

/* Runs since the start. Those that verify or read single records are no attempts. */
struct sync_resource_counts {
	uint64_t runs[RUN_OUTCOMES];
	uint64_t created, updated, deleted, unchanged, failed; /* records of all runs */
	int64_t attempt_ms; /* the start of the last attempt that ended; TIME_NONE: none has */
	int64_t took_ms;    /* how long it took; 0 */
};

struct sync_resource_state {
	const struct sync_resource_options *options;
	int64_t last_sync_ms;   /* end of the last successful run; TIME_NONE */
	int64_t next_run_ms;    /* wall clock; TIME_NONE: not planned */
	const char *last_error; /* NULL */
	const char *note;       /* what people should know though runs succeed; NULL */
	bool syncing;           /* a run is under way */
	bool waiting;           /* or due and waiting for its turn, not for the sync window */
	struct run_info run;    /* of the one under way, when syncing */
	struct sync_resource_counts counts;
};

/* Of a child resource it is its parent's. False: not configured. */
bool sync_resource_state(const struct sync *s, const char *resource, struct sync_resource_state *out);

/* ---- dead letters: records that cannot be read, whatever is tried ---- */

/* Borrowed until the next turn of the loop. The number grows with each letter; it is another one after a restart. */
struct dead_entry {
	uint64_t number;
	const struct dead_letter *letter;
};

/* The first one with a number greater than `after`; false: none. */
bool sync_dead_next(const struct sync *s, uint64_t after, struct dead_entry *out);
unsigned sync_dead_count(const struct sync *s); /* without those that were dropped */
/* Letters, dropped ones too, because of which something in the span may be missing (dead_touches); the resource is the letters' own, not a child. */
unsigned sync_dead_touching(const struct sync *s, const char *resource, bool created,
			    int64_t start_ms, int64_t end_ms);
/* It is tried with the next changes run (see sync_wish). 1: it is queued already, for a run that waits or is under way. ERR_NOTFOUND, or ERR_LIMIT: it was dropped, and there are too many others. */
int sync_dead_retry(struct sync *s, uint64_t number);
/* It is not tried any more until its record changes or somebody wishes it; its record stays marked, and the hole stays known. Durable with the next commit, which
 * is tried at once. ERR_NOTFOUND, or ERR_LIMIT: too many were dropped. */
int sync_dead_drop(struct sync *s, uint64_t number);

/* Damage was met while reading: commits as soon as the store is free, which sets the damaged segment aside and withdraws its coverage, so that it is read
 * again. */
void sync_repair(struct sync *s);

/* ---- edits ---- */

/*
 * What is in the outbox goes to the provider, a record's edits in their order, within the budget:
 *   - the record is read; when what an edit wants is there already, it is pushed; when the same field is neither as it was nor as it is wanted, it is a conflict;
 *   - the edit is durably marked as sent before it is sent, so that after a crash, or when no answer came, the record is read again before anything is repeated. When it was
 *     changed meanwhile, and the field is as it was, nobody can tell whether ours was undone: that is a conflict, too;
 *   - what fails in passing is tried again after 1, 2, 4, 8, 16 s (retry_ms) and has then failed; where nothing could be sent at all, it stays pending;
 *   - once the provider has it, the record is read into the store, until that shows it, or two minutes are over.
 */

/* The outbox has something new: it is looked at on the next turn of the loop. */
void sync_edits(struct sync *s);
/* Whether the provider would be asked for such a change of a record that looks like this. 0, 1: nothing is to be changed; ERR_INVALID with words. */
int sync_edit_check(struct sync *s, const struct resource_type *type, struct bytes id,
		    struct bytes doc, struct bytes set, struct why *why);
/* Somebody decides about an edit: `mine`, it is pushed over what is upstream now (in conflict), or tried again (failed); else it is given up (also while it is pending). As outbox_change;
 * ERR_BUSY: it is under way; ERR_INVALID: there is nothing to be decided. */
int sync_edit_resolve(struct sync *s, uint64_t id, bool mine, outbox_done *done, void *ctx,
		      struct why *why);
/* Notes a step of an edit in the audit trail, as a run of the kind "edit" whose outcome is `step`; `who` did it. */
void sync_edit_note(struct sync *s, const struct edit *e, const char *step, const char *who);

/* Drops what is older than it shall be kept (windowed resources with a retain_ms, whole days, whole threads: store.h, txn_retain_threads). Done once a day and at the start
 * anyway, as soon as the provider's clock is known; this asks for it as soon as no run has the turn. `done` comes exactly once, from the loop or from
 * sync_stop. ERR_BUSY while stopping, or when somebody waits for it already. */
int sync_retain(struct sync *s, void (*done)(void *ctx, int rc, const struct why *why), void *ctx);
void sync_retain_forget(struct sync *s, void *ctx); /* `done` does not come any more */
/* From when on a resource (or its parent's child) is kept; TIME_MIN: from ever. */
int64_t sync_retain_start(const struct sync *s, const char *resource);

#define SYNC_FORGET_RESOURCES 32

/* What is forgotten, and how far that is. */
struct sync_forgetting {
	struct {
		const char *resource; /* borrowed from the provider */
		uint64_t records;
	} erased[SYNC_FORGET_RESOURCES]; /* of each resource that is touched, in the order in which it was met */
	size_t resources;
	struct store_purge files; /* that are, or would be, written anew; once they are known */
	struct store_purge left;  /* of them still to do */
	const char *phase;        /* "looking", "erasing", "rewriting" */
};

/* The record and all that is under it (a thread with its children; a contact with whoever was merged into it and with the threads that name it) go from the store and from the
 * disk, and no sync brings them back; see store.h, txn_forget. First as soon as no run has the turn, then beside everything else; a daemon that is stopped goes
 * on at its next start. `dry_run`: it is only looked for. `done` comes exactly once, from the loop, after the last of it has gone from the disk, or from sync_stop; what it is given is
 * borrowed for the call. The id need not be of a record that is held. ERR_INVALID: of this resource nothing can be forgotten by itself (a child: forget its thread; no resource of records);
 * ERR_BUSY: another one is under way, or while stopping; ERR_NOMEM. */
int sync_forget(struct sync *s, const struct resource_type *type, struct bytes id, bool dry_run,
		void (*done)(void *ctx, int rc, const struct sync_forgetting *what,
			     const struct why *why),
		void *ctx, struct why *why);
/* NULL: none is under way. Borrowed until the next turn of the loop. */
const struct sync_forgetting *sync_forget_state(const struct sync *s);
void sync_forget_leave(struct sync *s,
		       void *ctx); /* `done` does not come any more; what was begun goes on */

/* Nothing is under way or due now (or nothing can be: see the state's trouble). */
bool sync_idle(const struct sync *s);

#endif
