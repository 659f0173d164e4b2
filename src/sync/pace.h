/*
 * pace: how many calls may be under way at once: fewer when the provider refuses, fails or becomes slow, more again while it answers well.
 */
#ifndef FIC_SYNC_PACE_H
#define FIC_SYNC_PACE_H

#include <base/bytes.h>

struct pace {
	unsigned max;
	double allowed; /* 1..max */
	int64_t best_us,
		recent_us;   /* the shortest answers of late, and what they take now; 0: none yet */
	int64_t cut_mono_ms; /* the last time that it was halved */
};

void pace_init(struct pace *p, unsigned max);
unsigned pace_calls(const struct pace *p); /* 1..max */
/* A whole answer, after so long. */
void pace_answered(struct pace *p, int64_t duration_us);
/* Refused for its rate, overloaded, or no answer at all. */
void pace_refused(struct pace *p, int64_t mono_ms);

#endif
