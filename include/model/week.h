/*
 * week: hours of the week in which something may begin, by the clocks of a time zone.
 */
#ifndef FIC_MODEL_WEEK_H
#define FIC_MODEL_WEEK_H

#include <base/clock.h>
#include <base/zone.h>

#define WEEK_MINUTES  (7 * 24 * 60)
#define WEEK_TEXT_MAX 120

/* Zeroed: always. */
struct week {
	bool limited;
	uint8_t minutes[WEEK_MINUTES / 8]; /* a bit for each, from Sunday 00:00 on */
	char text[WEEK_TEXT_MAX];          /* as it was written; "" for always */
};

/* "any", or a list with commas of "hourly MM-MM", "[daily] HH:MM-HH:MM", "[weekly] DAY[-DAY] [HH:MM-HH:MM]"; a span that ends before it begins goes over
 * midnight (the hour's end), 24:00 is a day's end. 0, or ERR_SYNTAX and `why` with what is wrong. */
int week_parse(struct bytes text, struct week *out, struct why *why);
/* `zone` NULL: UTC. */
bool week_holds(const struct week *w, const struct zone *zone, int64_t at_ms);

#endif
