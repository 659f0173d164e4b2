/*
 * zone_rule: reads and applies rules such as CET-1CEST,M3.5.0,M10.5.0/3. Never reads outside its text.
 */
#include "zone_rule.h"

#include <base/clock.h>

#include <ctype.h>

#define DAY_S 86400

struct scan {
	const uint8_t *at;
	const uint8_t *end;
};

static bool take(struct scan *s, char c)
{
	if (s->at == s->end || *s->at != (uint8_t)c)
		return false;
	s->at++;
	return true;
}

static bool take_int(struct scan *s, int max, int *out)
{
	int n = 0, digits = 0;

	for (; s->at < s->end && isdigit(*s->at) && digits < 4; s->at++, digits++)
		n = n * 10 + (*s->at - '0');
	*out = n;
	return digits > 0 && n <= max;
}

/* Three letters or more, or anything in angle brackets. The names themselves are of no use here. */
static bool take_name(struct scan *s)
{
	const uint8_t *start = s->at;
	bool quoted = take(s, '<');

	while (s->at < s->end &&
	       (isalpha(*s->at) || (quoted && (isdigit(*s->at) || *s->at == '+' || *s->at == '-'))))
		s->at++;
	return s->at - start >= 3 && (!quoted || take(s, '>'));
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool take_time(struct scan *s, int hours_max, int32_t *out)
{
	int hours, minutes = 0, seconds = 0;
	bool negative = take(s, '-');

	if (!negative)
		take(s, '+');
	if (!take_int(s, hours_max, &hours))
		return false;
	if (take(s, ':') && !take_int(s, 59, &minutes))
		return false;
	if (take(s, ':') && !take_int(s, 59, &seconds))
		return false;
	*out = (hours * 3600 + minutes * 60 + seconds) * (negative ? -1 : 1);
	return true;
}

static bool take_change(struct scan *s, struct zone_change *out)
{
	*out = (struct zone_change){.time_s = 2 * 3600};
	if (take(s, 'M')) {
		out->kind = ZONE_DAY_WEEK;
		if (!take_int(s, 12, &out->month) || !take(s, '.') || !take_int(s, 5, &out->week) ||
		    !take(s, '.') || !take_int(s, 6, &out->day) || out->month < 1 || out->week < 1)
			return false;
	} else {
		out->kind = take(s, 'J') ? ZONE_DAY_JULIAN : ZONE_DAY_ORDINAL;
		if (!take_int(s, 365, &out->day) || (out->kind == ZONE_DAY_JULIAN && out->day < 1))
			return false;
	}
	return !take(s, '/') || take_time(s, 167, &out->time_s);
}

int zone_rule_parse(struct bytes text, struct zone_rule *out)
{
	struct scan s = {text.data, text.data + text.len};
	struct zone_rule r = {0};
	int32_t west;

	if (!text.len || !take_name(&s) || !take_time(&s, 24, &west))
		return ERR_SYNTAX;
	r.standard_s = -west;
	if (s.at < s.end) {
		r.has_summer = true;
		r.summer_s = r.standard_s + 3600;
		if (!take_name(&s))
			return ERR_SYNTAX;
		if (s.at < s.end && *s.at != ',') {
			if (!take_time(&s, 24, &west))
				return ERR_SYNTAX;
			r.summer_s = -west;
		}
		if (!take(&s, ',') || !take_change(&s, &r.start) || !take(&s, ',') ||
		    !take_change(&s, &r.end))
			return ERR_SYNTAX;
	}
	if (s.at < s.end)
		return ERR_SYNTAX;
	*out = r;
	return 0;
}

static int weekday(int64_t days)
{
	return (int)(((days + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday; 0 is Sunday */
}

static int64_t change_day(const struct zone_change *c, int year)
{
	bool leap = date_month_days(year, 2) == 29;

	if (c->kind == ZONE_DAY_ORDINAL)
		return date_days(year, 1, 1) + c->day;
	if (c->kind == ZONE_DAY_JULIAN)
		return date_days(year, 1, 1) + c->day - 1 + (leap && c->day >= 60);
	int64_t first = date_days(year, c->month, 1);
	int64_t day = first + (c->day - weekday(first) + 7) % 7 + 7 * (c->week - 1);
	return day >= first + date_month_days(year, c->month) ? day - 7
							      : day; /* week 5 is the last one */
}

int32_t zone_rule_offset_s(const struct zone_rule *r, int64_t utc_s)
{
	int year, month, day;

	if (!r->has_summer)
		return r->standard_s;
	int64_t local = utc_s + r->standard_s;
	date_of_days(local / DAY_S - (local % DAY_S < 0), &year, &month, &day);
	int64_t start = change_day(&r->start, year) * DAY_S + r->start.time_s - r->standard_s;
	int64_t end = change_day(&r->end, year) * DAY_S + r->end.time_s - r->summer_s;
	bool summer = start < end ? utc_s >= start && utc_s < end : !(utc_s >= end && utc_s < start);
	return summer ? r->summer_s : r->standard_s;
}
