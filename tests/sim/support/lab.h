/*
 * lab: a store, a sync and a world, and the law between them: what coverage claims, the store holds.
 */
#ifndef FIC_TEST_LAB_H
#define FIC_TEST_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <sync/sync.h>

struct lab {
	struct loop *loop;
	struct http *http;
	struct store *store;
	struct trail *trail;
	struct outbox *outbox; /* beside the store; durable at once */
	struct sync *sync;
	struct world *world;
	struct world_options options;
	char dir[64];
	bool stopped;
	int64_t fsync_ms;           /* how long a commit's fsyncs take */
	double share, search_share; /* the latter 0: no less for searches */
	unsigned concurrency;
	bool only_conversations, tickets; /* tickets besides */
	struct schedule full;             /* of contacts */
	struct week window;
	bool window_strict;
	uint64_t seed; /* of the spread of regular runs; 0: none */
	int64_t every_ms, history_ms, retain_ms, verify_ms;
	bool verify_counts;
	size_t txn_bytes; /* of one transaction; 0: the usual */
	size_t listed_max;
	bool disk_full;
	size_t journal_bytes; /* 0: every commit writes segments */
	bool upkeep;          /* commits and upkeep in slices, as in the daemon; else all at once */
	uint64_t strike;      /* before so many more durable steps the disk is copied; 0: never */
	bool struck;          /* it was: lab_strike ends what is there */
	struct task *work;
	uint64_t checked_revision, checks;
	int64_t check_every_ms; /* between checks; 0: after each commit */
	int64_t next_check_ms;  /* monotonic */
	unsigned broken;        /* claims that did not hold; printed */
	struct fsync_later *fsyncs;
};

#define LAB_START INT64_C(1700000000000)
#define DAY_MS    INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)

/* Some sensible options for a seed, to be changed before lab_open. */
void lab_init(struct lab *lab, uint64_t seed);
void lab_open(struct lab *lab);  /* world, store and sync; started */
void lab_close(struct lab *lab); /* all of it; the folder too */
/* Lives on for so long, checking after each commit. */
void lab_run(struct lab *lab, int64_t ms);
bool lab_run_until(struct lab *lab, int64_t ms, bool (*enough)(struct lab *lab));
/* Stops the sync as the daemon does at its end, closes the store, and opens both again. */
void lab_restart(struct lab *lab);
void lab_stop(struct lab *lab);
void lab_start(struct lab *lab);
/* Killed: what is on disk at this moment is all that there is when both are opened again. */
void lab_kill(struct lab *lab);
/* Killed at the durable step that was counted down to: what was on the disk just before it is all that there is. */
void lab_strike(struct lab *lab);
/* The machine sleeps: the world's time goes on, monotonic time does not. */
void lab_sleep(struct lab *lab, int64_t ms);
/* Our clock is set; the world's is not. */
void lab_step_clock(struct lab *lab, int64_t by_ms);
/* Runs in the audit trail, of a resource and a kind (NULL: any), that began at `since_ms` (our clock) or later and ended like that (NULL: anyhow). */
unsigned lab_runs(struct lab *lab, const char *resource, const char *kind, const char *outcome,
		  int64_t since_ms);
/* Holds every claim against the world. */
void lab_check(struct lab *lab);
/* In a world that stands still since the last runs: what is held and what there is are the same, whatever is claimed. Differences are printed and counted as broken. */
void lab_equal(struct lab *lab);
/* Everything is held, as of at most `age_ms` ago. */
bool lab_whole(struct lab *lab, int64_t age_ms);

#endif
