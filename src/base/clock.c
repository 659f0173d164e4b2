/* clock: reading the clocks, RFC 3339, HTTP dates, durations. Pure but for the first three calls; never uses the
 * C library's time zone. */
#include <base/clock.h>
#include <base/digits.h>

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#define DAY_MS       INT64_C(86400000)
#define YEAR_0000_MS INT64_C(-62167219200000)
#define YEAR_9999_MS INT64_C(253402300799999)

int64_t clock_wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

static int64_t clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t clock_thread_us(void)
{
	return clock_us(CLOCK_THREAD_CPUTIME_ID);
}

/* Counted in years that start in March, so that the leap day is the last. */
int64_t date_days(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t yoe = year - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

void date_of_days(int64_t days, int *year, int *month, int *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	uint32_t doe = (uint32_t)(days - era * 146097);
	uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint32_t mp = (5 * doy + 2) / 153;

	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2));
}

/* Two digits, and what stands behind them. Rows are full of times: printf would take longer than all the rest of one. */
static inline char *put_two(char *to, unsigned number, char behind)
{
	memcpy(to, digit_pairs + (size_t)2 * number, 2);
	to[2] = behind;
	return to + 3;
}

/* "2026-11-20T" */
static char *put_date(char *to, int64_t days)
{
	int year, month, day;

	date_of_days(days, &year, &month, &day);
	put_two(to, (unsigned)year / 100, 0);
	to = put_two(to + 2, (unsigned)year % 100, '-');
	to = put_two(to, (unsigned)month, '-');
	return put_two(to, (unsigned)day, 'T');
}

/* "09:51:35.123Z" and a NUL. */
static void put_time(char *to, uint32_t ms, bool millis)
{
	uint32_t seconds = ms / 1000;

	ms %= 1000;
	bool whole = !millis && ms == 0;
	to = put_two(to, seconds / 3600, ':');
	to = put_two(to, seconds / 60 % 60, ':');
	to = put_two(to, seconds % 60, whole ? 'Z' : '.');
	if (!whole) {
		*to = (char)('0' + ms / 100);
		to = put_two(to + 1, ms % 100, 'Z');
	}
	*to = 0;
}

static int64_t days_of(int64_t ms)
{
	return ms / DAY_MS - (ms % DAY_MS < 0);
}

static int64_t in_years(int64_t ms)
{
	return ms < YEAR_0000_MS ? YEAR_0000_MS : ms > YEAR_9999_MS ? YEAR_9999_MS : ms;
}

const char *time_text(int64_t ms, bool millis, char out[TIME_TEXT_MAX])
{
	ms = in_years(ms);
	int64_t days = days_of(ms);
	put_time(put_date(out, days), (uint32_t)(ms - days * DAY_MS), millis);
	return out;
}

void time_write(struct time_date *last, int64_t ms, char out[TIME_TEXT_MAX])
{
	ms = in_years(ms);
	int64_t days = days_of(ms);
	if (!last->known || last->days != days)
		put_date(last->text, days);
	last->known = true;
	last->days = days;
	memcpy(out, last->text, sizeof last->text);
	put_time(out + sizeof last->text, (uint32_t)(ms - days * DAY_MS), true);
}

/* Takes exactly `digits` digits; false when they are not there. */
static bool take_number(struct bytes *s, int digits, int *out)
{
	int n = 0;

	if (s->len < (size_t)digits)
		return false;
	for (int i = 0; i < digits; i++) {
		if (!isdigit(s->data[i]))
			return false;
		n = n * 10 + (s->data[i] - '0');
	}
	s->data += digits;
	s->len -= (size_t)digits;
	*out = n;
	return true;
}

static bool take_char(struct bytes *s, const char *any)
{
	if (s->len == 0 || s->data[0] == 0 || !strchr(any, s->data[0]))
		return false;
	s->data++;
	s->len--;
	return true;
}

int date_month_days(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool date_valid(int year, int month, int day)
{
	return month >= 1 && month <= 12 && day >= 1 && day <= date_month_days(year, month);
}

static bool take_fraction(struct bytes *s, int *ms)
{
	int scale = 100;

	if (s->len == 0 || !isdigit(s->data[0]))
		return false;
	for (; s->len && isdigit(s->data[0]); s->data++, s->len--) {
		*ms += (s->data[0] - '0') * scale;
		scale /= 10;
	}
	return true;
}

/* "Z", "+01:00", "+0100", "-08"; minutes east of UTC. */
static bool take_offset(struct bytes *s, int *minutes)
{
	int hours = 0, rest = 0;

	*minutes = 0;
	if (take_char(s, "Zz"))
		return true;
	bool west = s->len && s->data[0] == '-';
	if (!take_char(s, "+-") || !take_number(s, 2, &hours) || hours > 23)
		return false;
	if (s->len) {
		take_char(s, ":");
		if (!take_number(s, 2, &rest) || rest > 59)
			return false;
	}
	*minutes = (west ? -1 : 1) * (hours * 60 + rest);
	return true;
}

int time_parse(struct bytes text, int64_t *ms_out)
{
	int year, month, day, hour = 0, minute = 0, second = 0, ms = 0, offset = 0;
	struct bytes s = text;

	if (!take_number(&s, 4, &year) || !take_char(&s, "-") || !take_number(&s, 2, &month) ||
	    !take_char(&s, "-") || !take_number(&s, 2, &day) || !date_valid(year, month, day))
		return ERR_SYNTAX;
	if (s.len) {
		if (!take_char(&s, "Tt ") || !take_number(&s, 2, &hour) || !take_char(&s, ":") ||
		    !take_number(&s, 2, &minute))
			return ERR_SYNTAX;
		bool seconds = take_char(&s, ":");
		if (seconds && !take_number(&s, 2, &second))
			return ERR_SYNTAX;
		if (seconds && take_char(&s, ".") && !take_fraction(&s, &ms))
			return ERR_SYNTAX;
		/* A leap second is the next second, as everywhere. */
		if (hour > 23 || minute > 59 || second > 60 ||
		    (s.len && !take_offset(&s, &offset)) || s.len)
			return ERR_SYNTAX;
	}
	int64_t minutes = date_days(year, month, day) * 1440 + hour * 60 + minute - offset;
	*ms_out = (minutes * 60 + second) * 1000 + ms;
	return 0;
}

/* The three letters of a month's name, as HTTP writes it. */
static bool take_month(struct bytes *s, int *month)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	if (s->len < 3)
		return false;
	for (*month = 1; *month <= 12; ++*month)
		if (memcmp(names + (*month - 1) * 3, s->data, 3) == 0) {
			*s = bytes_of(s->data + 3, s->len - 3);
			return true;
		}
	return false;
}

int time_parse_http(struct bytes text, int64_t *ms_out)
{
	int year, month, day, hour, minute, second;

	/* The name of the day says nothing new. */
	if (text.len != 29 || memcmp(text.data + 3, ", ", 2) != 0 ||
	    memcmp(text.data + 25, " GMT", 4) != 0)
		return ERR_SYNTAX;
	struct bytes s = bytes_of(text.data + 5, 20);
	if (!take_number(&s, 2, &day) || !take_char(&s, " ") || !take_month(&s, &month) ||
	    !take_char(&s, " ") || !take_number(&s, 4, &year) || !take_char(&s, " ") ||
	    !take_number(&s, 2, &hour) || !take_char(&s, ":") || !take_number(&s, 2, &minute) ||
	    !take_char(&s, ":") || !take_number(&s, 2, &second))
		return ERR_SYNTAX;
	if (!date_valid(year, month, day) || hour > 23 || minute > 59 || second > 60)
		return ERR_SYNTAX;
	*ms_out = ((date_days(year, month, day) * 1440 + hour * 60 + minute) * 60 + second) * 1000;
	return 0;
}

int64_t time_from_seconds(double seconds)
{
	if (!isfinite(seconds) || seconds * 1000 < (double)YEAR_0000_MS ||
	    seconds * 1000 > (double)YEAR_9999_MS)
		return TIME_NONE;
	/* 1701292649.333 times 1000 is 1701292649332.9999 in doubles: the nearest integer is the decimal that was meant. */
	return llround(seconds * 1000);
}

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {
	{"y", 365 * DAY_MS}, {"M", 30 * DAY_MS}, {"w", 7 * DAY_MS}, {"d", DAY_MS}, {"h", 3600000},
	{"m", 60000},        {"min", 60000},     {"s", 1000},       {"sec", 1000}, {"ms", 1},
};

static int64_t unit_ms(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strlen(units[i].name) == len && memcmp(units[i].name, name, len) == 0)
			return units[i].ms;
	return 0;
}

int duration_parse(struct bytes text, int64_t *ms_out)
{
	int64_t total = 0;

	if (text.len == 0)
		return ERR_SYNTAX;
	if (bytes_is(text, "0")) {
		*ms_out = 0;
		return 0;
	}
	const char *p = (const char *)text.data, *end = p + text.len;
	while (p < end) {
		int64_t n = 0, part;
		const char *start = p;

		for (; p < end && isdigit((unsigned char)*p); p++)
			if (__builtin_mul_overflow(n, 10, &n) ||
			    __builtin_add_overflow(n, *p - '0', &n))
				return ERR_SYNTAX;
		const char *name = p;
		while (p < end && isalpha((unsigned char)*p))
			p++;
		int64_t unit = unit_ms(name, (size_t)(p - name));
		if (name == start || !unit || __builtin_mul_overflow(n, unit, &part) ||
		    __builtin_add_overflow(total, part, &total))
			return ERR_SYNTAX;
	}
	*ms_out = total;
	return 0;
}

const char *duration_text(int64_t ms, char out[DURATION_TEXT_MAX])
{
	static const struct unit shown[] = {
		{"d", DAY_MS}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
	int n = 0;

	out[0] = 0;
	for (size_t i = 0; i < sizeof shown / sizeof *shown && ms > 0; i++) {
		if (ms < shown[i].ms)
			continue;
		n += snprintf(out + n, (size_t)(DURATION_TEXT_MAX - n), "%lld%s",
			      (long long)(ms / shown[i].ms), shown[i].name);
		ms %= shown[i].ms;
		if (n >= DURATION_TEXT_MAX)
			break;
	}
	if (n == 0)
		snprintf(out, DURATION_TEXT_MAX, "0");
	return out;
}
