/*
 * schedule: when something regular is due, in UTC.
 */
#ifndef FIC_MODEL_SCHEDULE_H
#define FIC_MODEL_SCHEDULE_H

#include <base/clock.h>

enum schedule_kind { SCHEDULE_OFF, SCHEDULE_HOURLY, SCHEDULE_DAILY, SCHEDULE_WEEKLY };

struct schedule {
	enum schedule_kind kind;
	int weekday; /* SCHEDULE_WEEKLY: 0 is Sunday */
	int minute;  /* of the day; SCHEDULE_HOURLY is on the hour */
};

/* The first moment of the schedule after `after_ms`; TIME_NONE when it is off. */
int64_t schedule_next(const struct schedule *s, int64_t after_ms);

#endif
