/* schedule: when something is due. Pure: the time is an argument. */
#include "sync_state.h"

#define MINUTE_MS    INT64_C(60000)
#define HOUR_MS      (60 * MINUTE_MS)
#define DAY_MS       (24 * HOUR_MS)
#define RETRY_MAX_MS (15 * MINUTE_MS)

int64_t schedule_full(const struct sync_full *full, int64_t now_ms)
{
	if (!full->wanted)
		return TIME_NONE;
	if (full->minute_of_day < 0)
		return (now_ms / HOUR_MS + 1) * HOUR_MS;
	int64_t day = now_ms / DAY_MS;
	for (int64_t d = day; d <= day + 8; d++) {
		int64_t at = d * DAY_MS + full->minute_of_day * MINUTE_MS;
		/* 1970-01-01 was a Thursday. */
		if (at > now_ms && (full->weekday < 0 || (d + 4) % 7 == full->weekday))
			return at;
	}
	return TIME_NONE;
}

int64_t schedule_retry_ms(unsigned failures, int64_t retry_ms)
{
	int64_t delay = retry_ms * 30;

	for (unsigned i = 1; i < failures && i < 32 && delay < RETRY_MAX_MS; i++)
		delay *= 2;
	return delay < RETRY_MAX_MS ? delay : RETRY_MAX_MS;
}
