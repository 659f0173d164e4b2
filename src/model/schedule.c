/* schedule: arithmetic on days and local clocks. Pure. */
#include <model/schedule.h>

#define MINUTE_MS   INT64_C(60000)
#define HOUR_MS     (60 * MINUTE_MS)
#define DAY_MS      (24 * HOUR_MS)
#define DAY_MINUTES (24 * 60)
/* A 29 February that is a Monday comes every 28 years, or 40 when a century is in the way. */
#define SEARCH_DAYS (41 * 366)

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int weekday_of(int64_t day)
{
	/* 1970-01-01 was a Thursday. */
	return (int)(((day + 4) % 7 + 7) % 7);
}

static bool cron_day(const struct cron *c, int64_t day)
{
	int year, month, date;

	date_of_days(day, &year, &month, &date);
	if (!(c->months >> month & 1))
		return false;
	bool by_date = c->days >> date & 1, by_weekday = c->weekdays >> weekday_of(day) & 1;
	return c->either_day ? by_date || by_weekday : by_date && by_weekday;
}

static bool falls_on(const struct schedule *s, int64_t day)
{
	switch (s->kind) {
	case SCHEDULE_WEEKLY: return weekday_of(day) == s->weekday;
	case SCHEDULE_CRON: return cron_day(&s->cron, day);
	default: return true;
	}
}

/* The first minute of a day, from `from` on; DAY_MINUTES: none. */
static int minute_from(const struct schedule *s, int from)
{
	if (s->kind != SCHEDULE_CRON)
		return s->minute >= from ? s->minute : DAY_MINUTES;
	for (int m = from; m < DAY_MINUTES; m++)
		if ((s->cron.hours >> (m / 60) & 1) && (s->cron.minutes >> (m % 60) & 1))
			return m;
	return DAY_MINUTES;
}

int64_t schedule_next(const struct schedule *s, const struct zone *zone, int64_t after_ms)
{
	int64_t offset = (int64_t)zone_offset_s(zone, after_ms) * 1000, local = after_ms + offset;
	int64_t today = floor_div(local, DAY_MS);
	int from = (int)((local - today * DAY_MS) / MINUTE_MS);

	if (s->kind == SCHEDULE_OFF)
		return TIME_NONE;
	if (s->kind == SCHEDULE_HOURLY)
		return (floor_div(local, HOUR_MS) + 1) * HOUR_MS - offset;
	for (int64_t day = today; day < today + SEARCH_DAYS; day++, from = 0) {
		if (!falls_on(s, day))
			continue;
		for (int m = minute_from(s, from); m < DAY_MINUTES; m = minute_from(s, m + 1)) {
			/* A time that was shown before the clocks were set back is over. */
			int64_t at = zone_utc_ms(zone, day * DAY_MS + m * MINUTE_MS);
			if (at > after_ms)
				return at;
		}
	}
	return TIME_NONE;
}

int64_t schedule_spread(const struct schedule *s, const struct zone *zone, int64_t at_ms,
			int64_t max_ms, uint64_t seed)
{
	int64_t next = schedule_next(s, zone, at_ms);

	if (seed == 0 || next == TIME_NONE)
		return 0;
	int64_t room = (next - at_ms) / 10 < max_ms ? (next - at_ms) / 10 : max_ms;
	return room > 0 ? (int64_t)(seed % (uint64_t)room) : 0;
}
