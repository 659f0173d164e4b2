/*
 * deliver: what one alert says goes out by all of its ways, in order, each tried again until it is taken or a day has passed. Private to this layer.
 *
 *   notice ─> queue of each way ─> attempt ─┬─> taken
 *                  ^                        └─> failed: a pause (5 s, 30 s, 2 m, 10 m, then an hour), the same again
 *                  └──────────────────────────────┘
 */
#ifndef FIC_FICD_DELIVER_INTERNAL_H
#define FIC_FICD_DELIVER_INTERNAL_H

#include "way.h"

struct deliver;

struct deliver_state {
	uint64_t sent, failed,
		dropped; /* notices that were taken, attempts that were not, notices that were given up; since the start */
	unsigned waiting;  /* notices that were not taken yet */
	int64_t sent_ms;   /* the last one, wall clock; TIME_NONE */
	const char *error; /* of the last attempt; "" */
};

/* NULL: no memory. `a` is borrowed until deliver_configure or deliver_free. */
struct deliver *deliver_new(struct daemon *d, const struct config_alert *a);
void deliver_free(struct deliver *v); /* what waits is lost; NULL is fine */
/* The same alert as the configuration has it now; what waits for a way that is gone is dropped. */
void deliver_configure(struct deliver *v, const struct config_alert *a);
const struct config_alert *deliver_alert(const struct deliver *v);
const char *deliver_name(const struct deliver *v); /* its own: also when the configuration has changed under it */
/* By all ways that there are. Becomes a user of it. */
void deliver_send(struct deliver *v, struct notice *n);
void deliver_state(const struct deliver *v, enum way way, struct deliver_state *out);

#endif
