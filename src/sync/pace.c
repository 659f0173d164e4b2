/* pace: one more for each round of good answers, half for a bad one. Pure. */
#include "pace.h"

#define CUT_EVERY_MS  1000   /* what fails together is one reason */
#define SLOW_FACTOR   4      /* slower than the best of late by this … */
#define SLOW_LEAST_US 500000 /* … and this: the provider has a queue, of which we are a part */
#define RECENT_SHARE  8
#define BEST_FORGETS  256 /* the best is forgotten by this part with each answer */

void pace_init(struct pace *p, unsigned max)
{
	*p = (struct pace){
		.max = max ? max : 1, .allowed = max ? max : 1, .cut_mono_ms = INT64_MIN / 2};
}

unsigned pace_calls(const struct pace *p)
{
	return (unsigned)p->allowed;
}

void pace_answered(struct pace *p, int64_t duration_us)
{
	p->recent_us = p->recent_us ? p->recent_us + (duration_us - p->recent_us) / RECENT_SHARE
				    : duration_us;
	p->best_us += p->best_us / BEST_FORGETS;
	if (p->best_us == 0 || duration_us < p->best_us)
		p->best_us = duration_us;
	bool slow = p->recent_us > p->best_us * SLOW_FACTOR + SLOW_LEAST_US;
	p->allowed += (slow ? -1 : 1) / p->allowed;
	if (p->allowed > p->max)
		p->allowed = p->max;
	if (p->allowed < 1)
		p->allowed = 1;
}

void pace_refused(struct pace *p, int64_t mono_ms)
{
	if (mono_ms - p->cut_mono_ms < CUT_EVERY_MS)
		return;
	p->cut_mono_ms = mono_ms;
	p->allowed = p->allowed / 2 > 1 ? p->allowed / 2 : 1;
}
