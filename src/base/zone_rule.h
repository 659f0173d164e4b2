/*
 * zone_rule: the rule of POSIX's TZ variable (XBD 8.3), which also ends each file of time zone data.
 */
#ifndef FIC_BASE_ZONE_RULE_H
#define FIC_BASE_ZONE_RULE_H

#include <base/bytes.h>

enum zone_day {
	ZONE_DAY_WEEK,
	ZONE_DAY_JULIAN,
	ZONE_DAY_ORDINAL
}; /* Mm.w.d, Jn (never counts February 29), n (from 0) */

struct zone_change {
	enum zone_day kind;
	int month, week, day;
	int32_t time_s; /* of the local clock before the change; may be negative or beyond a day */
};

struct zone_rule {
	int32_t standard_s; /* east of UTC */
	int32_t summer_s;
	bool has_summer;
	struct zone_change start, end;
};

/* 0 or ERR_SYNTAX. */
int zone_rule_parse(struct bytes text, struct zone_rule *out);
int32_t zone_rule_offset_s(const struct zone_rule *r, int64_t utc_s);

#endif
