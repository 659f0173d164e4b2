/* bucket: local wall times are floored, and their moments looked up. */
#include "bucket.h"

#include <base/clock.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  INT64_C(86400000)
/* 1970-01-01 was a Thursday. */
#define EPOCH_WEEKDAY 3
/* Some 30,000 years around 1970. */
#define FAR_MS INT64_C(1000000000000000)

static const char *const names[] = {"hour", "day", "week", "month"};

bool bucket_parse(struct bytes name, enum bucket *out)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bytes_is(name, names[i])) {
			*out = (enum bucket)i;
			return true;
		}
	return false;
}

static int64_t floor_to(int64_t v, int64_t unit)
{
	int64_t rest = v % unit;

	return v - rest - (rest < 0 ? unit : 0);
}

/* The first day of the bucket `step` buckets behind the one of a day. */
static int64_t first_day(enum bucket bucket, int64_t day, int step)
{
	int year, month, in_month;

	if (bucket == BUCKET_DAY)
		return day + step;
	if (bucket == BUCKET_WEEK)
		return floor_to(day + EPOCH_WEEKDAY, 7) - EPOCH_WEEKDAY + (int64_t)step * 7;
	date_of_days(day, &year, &month, &in_month);
	month += step;
	return month > 12 ? date_days((int64_t)year + 1, month - 12, 1) : date_days(year, month, 1);
}

static struct bucket_span hour_of(const struct zone *zone, int64_t ms)
{
	int64_t ahead = (int64_t)zone_offset_s(zone, ms) * 1000;
	int64_t start = floor_to(ms + ahead, HOUR_MS) - ahead;

	return (struct bucket_span){start, start + HOUR_MS};
}

static struct bucket_span days_of(enum bucket bucket, const struct zone *zone, int64_t ms)
{
	int64_t local = ms + (int64_t)zone_offset_s(zone, ms) * 1000;
	int64_t day = floor_to(local, DAY_MS) / DAY_MS;
	int64_t first = first_day(bucket, day, 0);
	int64_t after = first_day(bucket, day, 1);
	struct bucket_span span = {zone_utc_ms(zone, first * DAY_MS),
				   zone_utc_ms(zone, after * DAY_MS)};

	/* Clocks that go back over midnight show the old day once more: that is of the new one, which had begun. */
	if (ms >= span.end_ms)
		span = (struct bucket_span){span.end_ms,
					    zone_utc_ms(zone, first_day(bucket, after, 1) * DAY_MS)};
	return span;
}

bool bucket_start(enum bucket bucket, const struct zone *zone, int64_t ms, struct bucket_span *last,
		  int64_t *start_out)
{
	if (ms < -FAR_MS || ms > FAR_MS)
		return false;
	if (bucket == BUCKET_HOUR)
		*last = hour_of(zone, ms);
	else if (ms < last->start_ms || ms >= last->end_ms)
		*last = days_of(bucket, zone, ms);
	*start_out = last->start_ms;
	return true;
}
