/* sync_state: the parts of one source's sync that its modules share. Private to this layer. */
#ifndef FIC_SYNC_STATE_INTERNAL_H
#define FIC_SYNC_STATE_INTERNAL_H

#include "run.h"

struct watch_entry {
	uint64_t run;
	struct run_watch watch;
	int64_t told_ms; /* monotonic, of the last progress */
};

/* What runs and the identity tell whoever leads them. */
struct sync_tell {
	void (*fault)(struct sync *s, enum fault fault,
		      const char *words); /* it concerns the whole source */
	void (*answered)(struct sync *s); /* the provider is well */
	void (*stored)(struct sync *s);   /* no want of space any more */
	void (*pump)(struct sync *s);     /* look for what is due */
	void (*progress)(struct run *run);
	void (*turn_over)(struct run *run);         /* the turn is free; the run waits */
	void (*ended)(struct run *run);             /* info.outcome says how */
	bool (*others_wait)(const struct run *run); /* someone who goes before it is due */
	bool (*hurried)(const struct run *run); /* someone waits for a run that goes before it, and it has done something in its turn */
	bool (*window_over)(const struct run *run); /* the sync window has closed, and nobody waits for the run */
};

struct sync {
	const struct sync_tell *tell;
	struct sync_options options;
	struct line line;
	struct resource *resources;
	struct run *turn;    /* who has the store's transaction */
	struct run *ended;   /* freed on the next turn of the loop */
	struct timer *timer; /* the next thing that is due */
	struct timer *reaper;
	struct fetch *identity;
	bool started, identified, identifying, stopping;
	bool repair;            /* damage was met */
	bool repairing;         /* a commit for it, or for what is retained, is under way */
	bool retain;            /* asked for, or there is more to do */
	int64_t retain_mono_ms; /* not before, by itself */
	uint64_t retained_before;
	void (*retain_done)(void *ctx, int rc, const struct why *why); /* who waits; NULL: nobody */
	void *retain_ctx;
	char *token, *next_token; /* owned; the next one is taken between two turns */
	struct letters letters;
	struct push *push;    /* NULL: there is no outbox */
	bool saving;          /* a commit for letters is under way */
	int64_t save_mono_ms; /* not before */
	bool asked;           /* the last turn was a live read's, or a search's */
	bool quiet;           /* nothing was due when it was last looked at */
	void (*stopped)(void *ctx);
	void *stopped_ctx;
	uint64_t last_run_id;
	enum breaker breaker;
	int64_t breaker_since_ms; /* wall clock */
	int64_t probed_mono_ms;   /* the last time that the provider was asked in vain */
	enum fault fault;         /* what keeps the source from working; FAULT_NONE */
	char error[320];
	int64_t paused_until_ms; /* monotonic */
	int64_t clock_base_ms; /* wall clock minus the monotonic one, when they were last compared */
	unsigned failures;
	char workspace_id[64], workspace_name[128], region[16], timezone[64];
	char actor[64];
	struct watch_entry watches[WATCHES_MAX];
};

/* Provider's clock now. */
static inline int64_t sync_provider_now(const struct sync *s)
{
	return loop_wall_ms(s->options.loop) + s->line.clock_offset_ms;
}

/* How many ids are kept in run->seen. */
static inline size_t run_listed_max(const struct run *run)
{
	size_t max = run->sync->options.listed_max;

	return max ? max : SEEN_MAX;
}

/* Letters wait for a commit of their own. */
static inline bool sync_must_save(const struct sync *s)
{
	return letters_unsaved(&s->letters) && loop_mono_ms(s->options.loop) >= s->save_mono_ms;
}

/* breaker.c: whether the provider is asked at all. */
void breaker_fault(struct sync *s, enum fault fault, const char *words);
void breaker_well(struct sync *s);
void breaker_stored(struct sync *s);
void breaker_probe(struct sync *s); /* a pause is over, or a question that decides is about to be asked */
/* A client wishes that it is tried now: sooner, but no call storm. */
void breaker_hurry(struct sync *s);

/* identity.c: who the token belongs to, before anything else. */
void sync_identify(struct sync *s);

/* due.c */
int64_t due_after_ms(struct resource *r); /* from the end of a regular run to the next one */
void due_load(struct resource *r, const struct snapshot *view,
	      int64_t wall); /* after start, what earlier runs of the daemon left */
void due_replan(struct resource *r, int64_t wall); /* from the last full run and the schedule */
bool due_full(struct resource *r, int64_t wall);   /* once for each time that a full run is due */
void due_full_ended(struct resource *r, bool ok, int64_t wall);
void due_clock(struct sync *s, int64_t mono, int64_t wall); /* looks whether the clocks went apart */

/* plan.c */
bool plan_held_back(const struct run *run);                /* until the sync window opens */
void plan_all(struct sync *s, int64_t mono, int64_t wall); /* makes runs of what is due */
struct run *plan_first(const struct sync *s); /* the run that goes first; NULL: none waits */
bool plan_others_wait(const struct run *run);
bool plan_window_over(const struct run *run);
bool plan_live(const struct run *run);   /* of single records, or a search */
bool plan_urgent(const struct run *run); /* a client waits for its answer */
bool plan_hurried(const struct run *run);
struct run *run_make(struct resource *r, enum run_kind kind); /* or the one there is; NULL: no memory */
/* One that has not asked anything yet: what it brings is no older than this moment. NULL: no memory. */
struct run *run_make_fresh(struct resource *r, enum run_kind kind);
enum run_kind resource_regular_kind(const struct resource *r); /* what brings what is new */
enum run_kind resource_past_kind(const struct resource *r); /* what reads the past, where changes are fed */

/* push.c */
struct push *push_new(struct sync *s); /* NULL: no memory */
void push_look(struct sync *s);        /* at what is due; harmless at any time */
void push_stop(struct sync *s);        /* nothing is asked any more */
void push_free(struct push *p);

/* resource.c */
struct resource *resource_find(const struct sync *s,
			       const char *name); /* of a child its parent; NULL: not configured */

/* wish.c */
/* Of a limited one, open bounds become those of what can be asked for. */
struct interval wish_span(const struct resource *r, struct interval span);
/* Whether it can be wished for at all: 0 or ERR_INVALID. */
int wish_check(const struct sync *s, const struct resource_type *resource, enum sync_mode mode,
	       struct interval span, struct why *why);
enum run_kind wish_kind(const struct resource *r, enum sync_mode mode, struct interval span,
			const struct snapshot *view); /* the run that a wish makes; RUN_KINDS: none is needed */

/* retry.c */
/* When to try again after so many failures in a row. */
int64_t schedule_retry_ms(unsigned failures, int64_t retry_ms);

/* retain.c */
int64_t resource_retain_start(const struct resource *r); /* on a whole day; TIME_MIN: everything is kept */
bool retain_wanted(const struct sync *s);
bool retain_due(const struct sync *s, int64_t mono);
void retain_begin(struct sync *s);
void retain_told(struct sync *s, int rc, const struct why *why); /* whoever waits for it */

/* gap.c */
int64_t resource_history_start(const struct resource *r); /* on a whole day */
/* The newest span of what is wanted (the history of a windowed resource, all of another whose changes are fed) that is neither held nor pending. */
bool resource_gap(const struct resource *r, const struct snapshot *view, struct interval *gap_out);
/* The same of one span, be it wanted or not. */
bool resource_gap_in(const struct resource *r, const struct snapshot *view, struct interval span,
		     struct interval *gap_out);

#endif
