/* sync_state: the parts of one source's sync that its modules share. Private to this layer. */
#ifndef FIC_SYNC_STATE_INTERNAL_H
#define FIC_SYNC_STATE_INTERNAL_H

#include "run.h"

struct watch_entry {
	uint64_t run;
	struct run_watch watch;
	int64_t told_ms; /* monotonic, of the last progress */
};

struct sync {
	struct sync_options options;
	struct line line;
	struct resource *resources;
	struct run *turn;    /* who has the store's transaction */
	struct run *ended;   /* freed on the next turn of the loop */
	struct timer *timer; /* the next thing that is due */
	struct timer *reaper;
	struct fetch *identity;
	bool started, identified, identifying, stopping;
	bool quiet; /* nothing was due when it was last looked at */
	void (*stopped)(void *ctx);
	void *stopped_ctx;
	uint64_t last_run_id;
	enum fault fault; /* what keeps the source from working; FAULT_NONE */
	char error[320];
	int64_t paused_until_ms; /* monotonic */
	unsigned failures;
	char workspace_id[64], workspace_name[128], region[16], timezone[64];
	struct watch_entry watches[WATCHES_MAX];
};

/* A fault that concerns the whole source (a refused token), and its end. */
void sync_source_fault(struct sync *s, enum fault fault, const char *words);
void sync_source_well(struct sync *s);
void sync_store_well(struct sync *s); /* something was stored: no want of space any more */
/* Provider's clock now. */
int64_t sync_provider_now(const struct sync *s);
/* Looks for what is due, and sets the timer for the next. */
void sync_pump(struct sync *s);

/* identity.c: who the token belongs to, before anything else. */
void sync_identify(struct sync *s);

/* plan.c */
void plan_all(struct sync *s, int64_t mono, int64_t wall); /* makes runs of what is due */
struct run *plan_first(const struct sync *s); /* the run that goes first; NULL: none waits */
struct run *run_make(struct resource *r, enum run_kind kind); /* or the one there is; NULL: no memory */
enum run_kind resource_regular_kind(const struct resource *r); /* what brings what is new */
enum run_kind resource_past_kind(const struct resource *r); /* what reads the past, where changes are fed */

/* schedule.c: times. Pure. */
/* The next moment after `now` that the rule names; TIME_NONE when none is wanted. */
int64_t schedule_full(const struct sync_full *full, int64_t now_ms);
/* When to try again after so many failures in a row. */
int64_t schedule_retry_ms(unsigned failures, int64_t retry_ms);

/* run_backfill.c */
/* The newest span of what is wanted (the history of a windowed resource, all of another whose changes are fed) that is neither held nor pending. */
bool resource_gap(const struct resource *r, const struct snapshot *view, struct interval *gap_out);

#endif
