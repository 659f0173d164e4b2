/*
 * when_text: times as people like to read them.
 */
#include <base/when.h>

#include <stdio.h>

#define DAY_MS INT64_C(86400000)

const char *when_local_text(int64_t ms, const struct zone *zone, char out[WHEN_OUT_MAX])
{
	char text[TIME_TEXT_MAX];

	if (ms == TIME_NONE) {
		snprintf(out, WHEN_OUT_MAX, "-");
		return out;
	}
	int32_t offset = zone_offset_s(zone, ms);
	int64_t local;
	if (__builtin_add_overflow(ms, (int64_t)offset * 1000, &local))
		local = ms;
	time_text(local, false, text);
	int minutes = (offset < 0 ? -offset : offset) / 60;
	snprintf(out, WHEN_OUT_MAX, "%.10s %.5s %c%02d%02d", text, text + 11,
		 offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
	return out;
}

const char *when_relative_text(int64_t ms, int64_t now_ms, char out[WHEN_OUT_MAX])
{
	static const struct {
		int64_t ms;
		int64_t below; /* how many of them still read well */
		const char *name;
	} units[] = {
		{1000, 60, "s"},
		{60000, 60, "min"},
		{3600000, 48, "h"},
		{DAY_MS, 60, "days"},
		{30 * DAY_MS, 24, "months"},
		{365 * DAY_MS, INT64_MAX, "years"},
	};
	size_t i = 0;
	int64_t away;

	if (ms == TIME_NONE) {
		snprintf(out, WHEN_OUT_MAX, "-");
		return out;
	}
	bool past = ms <= now_ms;
	if (past ? __builtin_sub_overflow(now_ms, ms, &away)
		 : __builtin_sub_overflow(ms, now_ms, &away))
		away = INT64_MAX;
	while (away / units[i].ms >= units[i].below)
		i++;
	if (away < 1000)
		snprintf(out, WHEN_OUT_MAX, "just now");
	else
		snprintf(out, WHEN_OUT_MAX, past ? "%lld %s ago" : "in %lld %s",
			 (long long)(away / units[i].ms), units[i].name);
	return out;
}
