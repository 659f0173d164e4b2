/*
 * meter: what was asked of the provider, counted for whoever watches: answers by their status, how long they took, and the time in which questions had to wait for the
 * rate limit.
 */
#ifndef FIC_SYNC_METER_H
#define FIC_SYNC_METER_H

#include <sync/sync.h>

struct meter {
	struct sync_calls calls; /* waited_ms without the waiting that goes on */
	int64_t held_mono_ms; /* since when something waits for the rate limit; TIME_NONE: nothing does */
};

void meter_init(struct meter *m);
/* A call has ended; `status` 0: without an answer. */
void meter_answered(struct meter *m, int status, int64_t duration_us);
/* Something must wait for the rate limit from now on, if it did not before … */
void meter_hold(struct meter *m, int64_t mono_ms);
/* … and nothing waits any more. */
void meter_go(struct meter *m, int64_t mono_ms);
/* The counts by now. */
void meter_read(const struct meter *m, int64_t mono_ms, struct sync_calls *out);

#endif
