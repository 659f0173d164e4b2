/*
 * schedule: when something regular is due, by the clocks of a time zone.
 *
 * A time that clocks skip is due at the moment of the skip, and one that they show twice is due the first time: what is due once a day is due once on
 * the days of a change, too. Only "hourly" counts hours that really pass.
 */
#ifndef FIC_MODEL_SCHEDULE_H
#define FIC_MODEL_SCHEDULE_H

#include <base/clock.h>
#include <base/zone.h>

/* The five fields of cron, as sets: bit n of `minutes` is minute n. Weekday 0 is Sunday. A day is right when both day fields hold it; when neither of them
 * begins with a star, one of them is enough. */
struct cron {
	uint64_t minutes; /* 0..59 */
	uint32_t hours;   /* 0..23 */
	uint32_t days;    /* 1..31 */
	uint16_t months;  /* 1..12 */
	uint8_t weekdays; /* 0..6 */
	bool either_day;  /* both day fields are restricted */
	char text[64];    /* as it was written */
};

enum schedule_kind {
	SCHEDULE_OFF,
	SCHEDULE_HOURLY,
	SCHEDULE_DAILY,
	SCHEDULE_WEEKLY,
	SCHEDULE_CRON
};

struct schedule {
	enum schedule_kind kind;
	int weekday; /* SCHEDULE_WEEKLY: 0 is Sunday */
	int minute;  /* of the day; SCHEDULE_HOURLY is on the hour */
	struct cron cron;
};

/* Five fields, "m h d m w": *, n, a-b, each with /step, in lists; months and weekdays also by the first three letters of their names; 7 is Sunday as well. 0, or
 * ERR_SYNTAX and `why` with the field, the position in the text (from 1) and what to write instead. */
int cron_parse(struct bytes text, struct cron *out, struct why *why);

/* 0 is Sunday; a name or its first three letters. Negative: none. */
int weekday_parse(struct bytes name);
const char *weekday_name(int weekday);

/* The first moment of the schedule after `after_ms`; TIME_NONE when it is off. `zone` NULL: UTC. */
int64_t schedule_next(const struct schedule *s, const struct zone *zone, int64_t after_ms);

/* How much later than planned it may begin, so that not all begin in the same second: a tenth of the way to the next time, and at most `max_ms`. The share
 * of it that `seed` picks; 0 for a seed of 0. */
int64_t schedule_spread(const struct schedule *s, const struct zone *zone, int64_t at_ms,
			int64_t max_ms, uint64_t seed);

#endif
