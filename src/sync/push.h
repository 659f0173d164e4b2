/*
 * push: edits on their way to the provider. Private to this layer.
 */
#ifndef FIC_SYNC_PUSH_INTERNAL_H
#define FIC_SYNC_PUSH_INTERNAL_H

#include "sync_state.h"

#include <source/write.h>

#define PUSH_JOBS_MAX 2 /* records at once: reading goes on beside them */
#define PUSH_ATTEMPTS_MAX \
	6 /* sendings of one edit: the first, and five more after 1, 2, 4, 8, 16 s */
#define PUSH_LATER_RETRIES \
	32 /* where nothing could be sent at all, in retry_ms: after the last of the attempts */
#define PUSH_SHOW_MS \
	INT64_C(2000) /* before the store is looked at for what was pushed, then ever later */
#define PUSH_SHOW_MAX_MS \
	INT64_C(120000) /* an edit that is pushed lies over answers no longer than this */

/* One edit under way; id 0: the place is free. */
struct push_job {
	struct push *push;
	uint64_t id;
	const struct resource_type *type;
	struct fetch *fetch;
	struct buf record, set, doc; /* what the request is made of */
	struct buf after;            /* the values of the edit's fields once it is made */
	struct change change;
	bool whole;   /* the request brings about all that is still wanted */
	bool marking; /* the outbox is being told */
	bool again;   /* what is sent now may have been sent before */
};

struct push {
	struct sync *sync;
	struct timer *timer;
	struct push_job jobs[PUSH_JOBS_MAX];
	struct buf scratch;
	bool looking, stopped;
};

/* How long what could not be sent at all waits. */
static inline int64_t push_later_ms(const struct push *p)
{
	return p->sync->options.retry_ms * PUSH_LATER_RETRIES;
}

/* push_job.c: begins with the edit; the place is free. False: no memory. */
bool push_job_start(struct push_job *job, const struct edit *e);
void push_job_drop(struct push_job *job); /* what may have been sent stays marked so */

/* push_edit.c: an edit's next state. All note it in the audit trail and tell who is told, where it is another one. What `e` borrows from the outbox is gone then. */
void push_to(struct push *p, struct edit *e, enum edit_state state, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* As it is, but not before so long. */
void push_later(struct push *p, struct edit *e, int64_t delay_ms, const char *words);
/* The record is read into the store, beside whatever else is done. */
void push_read(struct push *p, const struct edit *e);
/* A pushed one: whether what is held shows it; if not yet, it is read again. */
void push_show(struct push *p, const struct edit *e);

#endif
