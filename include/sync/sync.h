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
#include <model/run.h>
#include <model/schedule.h>
#include <model/week.h>
#include <source/provider.h>
#include <store/store.h>
#include <store/trail.h>

struct sync;

struct sync_resource_options {
	const struct resource_type *type;
	int64_t every_ms;     /* changes, or the whole list where there is nothing else */
	struct schedule full; /* the whole again, for deletions by absence */
	int64_t history_ms;   /* how far back a windowed resource is wanted */
	unsigned priority;    /* smaller goes first */
};

struct sync_options {
	const char *name;       /* of the source; for logs */
	struct account account; /* borrowed strings */
	const char *token;      /* borrowed; never logged */
	struct loop *loop;
	struct http *http;
	struct store *store;
	struct trail *trail;
	double budget;           /* 0..1: share of the provider's rate that may be used */
	unsigned concurrency;    /* calls at once */
	int64_t retry_ms;        /* the first delay after a passing failure; doubles four times */
	const struct zone *zone; /* of schedules and the window; borrowed; NULL: UTC */
	struct week window;      /* when the past is read, unless a client asks */
	bool window_strict;      /* all else likewise */
	uint64_t seed; /* spreads regular runs, so that not all hosts and sources begin at once; 0: they begin exactly when they are due */
	const struct sync_resource_options *resources;
	size_t resource_count;
};

/* Copies what it keeps but the borrowed strings. NULL: no memory. */
struct sync *sync_new(const struct sync_options *options);
void sync_start(struct sync *s);
/* Ends runs where they stand, commits what they have, then calls `stopped` once, from the loop. No call after it but sync_free. */
void sync_stop(struct sync *s, void (*stopped)(void *ctx), void *ctx);
void sync_free(struct sync *s);

/* ---- wishes of clients ---- */

enum sync_mode {
	SYNC_CHANGES, /* what changed: a changes run, or the first reading where there was none yet */
	SYNC_FULL,    /* everything again */
	SYNC_BACKFILL, /* the gaps of the wanted history */
};

/* Told about one run: progress at most ten times a second, then `ended` exactly once. Forgotten with sync_unwatch. */
struct run_watch {
	void (*progress)(void *ctx, const struct run_info *run);
	void (*ended)(void *ctx, const struct run_info *run);
	void *ctx;
};

/* Makes the runs that the wish calls for, or joins those that are under way or due (equal wishes are one). resource NULL: all. ids_out gets up to `cap` run ids; returns their
 * number, ERR_INVALID for a resource that cannot be asked for like this, ERR_BUSY while stopping. A refused token is tried again. */
int sync_wish(struct sync *s, const struct resource_type *resource, enum sync_mode mode,
	      uint64_t *ids_out, size_t cap, struct why *why);
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

/* The runs that sync_wish would make, in their order, with those that follow from them. Starts nothing and sends nothing. Returns their number (at most `cap`, two a resource), or
 * errors as sync_wish. */
int sync_estimate(const struct sync *s, const struct resource_type *resource, enum sync_mode mode,
		  struct sync_estimate *out, size_t cap, struct why *why);
/* 0, or ERR_NOTFOUND when the run has ended already. */
int sync_watch(struct sync *s, uint64_t run, const struct run_watch *watch);
void sync_unwatch(struct sync *s, void *ctx); /* every watch with this ctx */

/* ---- state ---- */

struct sync_state {
	const char *state; /* "starting", "ok", "syncing", "error" */
	const char *error; /* words, NULL */
	const char *trouble; /* for freshness: "auth", "source-error", "rate-limited", "no-space"; NULL */
	int64_t clock_offset_ms; /* provider's clock minus ours, 0 while within two seconds */
	int64_t rate_limit;      /* calls a window, as the provider says; -1 unknown */
	int64_t rate_remaining;
	uint64_t calls_last_minute;
	uint64_t calls, retries, bytes;                                       /* since the start */
	char workspace_id[64], workspace_name[128], region[16], timezone[64]; /* "" until known */
};

void sync_state(const struct sync *s, struct sync_state *out);

struct sync_resource_state {
	const struct sync_resource_options *options;
	int64_t last_sync_ms;   /* end of the last successful run; TIME_NONE */
	int64_t next_run_ms;    /* wall clock; TIME_NONE: not planned */
	const char *last_error; /* NULL */
	bool syncing;           /* a run is under way */
	bool waiting;           /* or due and waiting for its turn, not for the sync window */
	struct run_info run;    /* of the one under way, when syncing */
};

/* Of a child resource it is its parent's. False: not configured. */
bool sync_resource_state(const struct sync *s, const char *resource, struct sync_resource_state *out);

/* Damage was met while reading: commits as soon as the store is free, which sets the damaged segment aside and withdraws its coverage, so that it is read
 * again. */
void sync_repair(struct sync *s);

/* Nothing is under way or due now (or nothing can be: see the state's trouble). */
bool sync_idle(const struct sync *s);

#endif
