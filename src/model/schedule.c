/* schedule: arithmetic on days. Pure. */
#include <model/schedule.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

static bool falls_on(const struct schedule *s, int64_t day)
{
	/* 1970-01-01 was a Thursday. */
	return s->kind != SCHEDULE_WEEKLY || (day + 4) % 7 == s->weekday;
}

int64_t schedule_next(const struct schedule *s, int64_t after_ms)
{
	int64_t today = after_ms / DAY_MS;

	if (s->kind == SCHEDULE_OFF)
		return TIME_NONE;
	if (s->kind == SCHEDULE_HOURLY)
		return (after_ms / HOUR_MS + 1) * HOUR_MS;
	for (int64_t day = today; day <= today + 8; day++) {
		int64_t at = day * DAY_MS + s->minute * MINUTE_MS;
		if (at > after_ms && falls_on(s, day))
			return at;
	}
	return TIME_NONE;
}
