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
	struct run *turn;             /* who has the store's transaction */
	struct run *ended;            /* freed on the next turn of the loop */
	struct timer *timer;          /* the next thing that is due */
	struct timer *reaper;
	struct fetch *identity;
	bool started, identified, identifying, stopping;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
	uint64_t last_run_id;
	enum fault fault;             /* what keeps the source from working; FAULT_NONE */
	char error[320];
	int64_t paused_until_ms;      /* monotonic */
	unsigned failures;
	char workspace_id[64], workspace_name[128], region[16], timezone[64];
	struct watch_entry watches[WATCHES_MAX];
};

/* A fault that concerns the whole source (a refused token), and its end. */
void sync_source_fault(struct sync *s, enum fault fault, const char *words);
void sync_source_well(struct sync *s);
/* Provider's clock now. */
int64_t sync_provider_now(const struct sync *s);
/* Looks for what is due, and sets the timer for the next. */
void sync_pump(struct sync *s);

/* identity.c: who the token belongs to, before anything else. */
void sync_identify(struct sync *s);

/* schedule.c: times. Pure. */
/* The next moment after `now` that the rule names; TIME_NONE when none is wanted. */
int64_t schedule_full(const struct sync_full *full, int64_t now_ms);
/* When to try again after so many failures in a row. */
int64_t schedule_retry_ms(unsigned failures, int64_t retry_ms);

/* run_backfill.c */
/* The newest span of the wanted history that is neither held nor pending. */
bool resource_gap(const struct resource *r, const struct snapshot *view, struct interval *gap_out);

#endif
