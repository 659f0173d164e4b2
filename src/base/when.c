/*
 * when: the grammar of times. One pass over a text of at most WHEN_TEXT_MAX bytes, split into words first; each kind of time is a
 * function that answers 0, an error, or NOT_MINE. Never asks for the time, never uses the process's zone.
 */
#include <base/when.h>

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#define DAY_MS      INT64_C(86400000)
#define NOT_MINE    1
#define WORDS_MAX   16
#define EPOCH_MAX_S INT64_C(253402300799) /* the end of year 9999 */

#define ACCEPTED                                                                                                                                            \
	"now, today, yesterday, monday, last week, this month, 2h ago, -2h, 14:00, 2026-11-20, 2026-11-20 14:00, 2026-11, @1700000000, and a zone such as " \
	"Europe/Paris behind it"

struct when_text {
	struct bytes whole;
	struct bytes words[WORDS_MAX];
	size_t count;
	int64_t now_ms;
	const struct zone *zone;
	struct why *why;
};

static int refuse(const struct when_text *t, int code, const char *what, struct bytes part)
{
	return why_set(t->why, code, "'%.*s' is not a time: %s '%.*s' (accepted: " ACCEPTED ")",
		       (int)t->whole.len, (const char *)t->whole.data, what,
		       (int)(part.len < 40 ? part.len : 40), (const char *)part.data);
}

static bool is_word(struct bytes word, const char *text)
{
	return word.len == strlen(text) && strncasecmp((const char *)word.data, text, word.len) == 0;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct bytes trim(struct bytes s)
{
	while (s.len && is_space(s.data[0])) {
		s.data++;
		s.len--;
	}
	while (s.len && is_space(s.data[s.len - 1]))
		s.len--;
	return s;
}

static bool split(struct when_text *t)
{
	struct bytes rest = t->whole;

	for (t->count = 0; (rest = trim(rest)).len; t->count++) {
		size_t n = 0;
		if (t->count == WORDS_MAX)
			return false;
		while (n < rest.len && !is_space(rest.data[n]))
			n++;
		t->words[t->count] = bytes_of(rest.data, n);
		rest = bytes_of(rest.data + n, rest.len - n);
	}
	return true;
}

/* --- days ------------------------------------------------------------------------------------------------------- */

static int64_t floor_days(int64_t ms)
{
	return ms / DAY_MS - (ms % DAY_MS < 0);
}

/* The local day that holds now, counted from 1970. */
static int64_t today(const struct when_text *t)
{
	return floor_days(t->now_ms + (int64_t)zone_offset_s(t->zone, t->now_ms) * 1000);
}

static struct when days_span(const struct when_text *t, int64_t first, int64_t after_last)
{
	return (struct when){zone_utc_ms(t->zone, first * DAY_MS),
			     zone_utc_ms(t->zone, after_last * DAY_MS)};
}

static bool digits(struct bytes *s, unsigned least, unsigned most, int *out)
{
	unsigned n = 0;

	*out = 0;
	for (; n < most && n < s->len && isdigit(s->data[n]); n++)
		*out = *out * 10 + (s->data[n] - '0');
	*s = bytes_of(s->data + n, s->len - n);
	return n >= least;
}

static bool skip(struct bytes *s, char c)
{
	if (s->len == 0 || s->data[0] != (uint8_t)c)
		return false;
	*s = bytes_of(s->data + 1, s->len - 1);
	return true;
}

static bool fraction(struct bytes *s, int64_t *ms)
{
	int64_t scale = 100;
	size_t n = 0;

	for (; n < s->len && isdigit(s->data[n]); n++) {
		*ms += (s->data[n] - '0') * scale;
		scale /= 10; /* beyond milliseconds: cut */
	}
	*s = bytes_of(s->data + n, s->len - n);
	return n > 0;
}

/* HH:MM[:SS[.fff]] at the start of `s`, in milliseconds of the day. False: not of this form. A time that no clock shows sets *ms
 * to -1. */
static bool clock_take(struct bytes *s, int64_t *ms)
{
	struct bytes rest = *s;
	int hour, minute, second = 0;
	int64_t part = 0;

	if (!digits(&rest, 1, 2, &hour) || !skip(&rest, ':') || !digits(&rest, 2, 2, &minute))
		return false;
	if (skip(&rest, ':')) {
		if (!digits(&rest, 2, 2, &second))
			return false;
		if (skip(&rest, '.') && !fraction(&rest, &part))
			return false;
	}
	*s = rest;
	*ms = ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + part;
	if (hour > 24 || minute > 59 || second > 60 || (hour == 24 && *ms > DAY_MS))
		*ms = -1;
	return true;
}

/* Z, +01:00, +0100, +01: seconds east of UTC. */
static bool offset_take(struct bytes *s, int32_t *out)
{
	int hours, minutes = 0;

	if (skip(s, 'Z') || skip(s, 'z')) {
		*out = 0;
		return true;
	}
	bool west = skip(s, '-');
	if ((!west && !skip(s, '+')) || !digits(s, 2, 2, &hours) || hours > 23)
		return false;
	if (s->len && (skip(s, ':'), !digits(s, 2, 2, &minutes) || minutes > 59))
		return false;
	*out = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return true;
}

/* What follows a day: nothing, or a time of day in words[i], or in `attached`, and perhaps an offset. */
static int day_finish(const struct when_text *t, int64_t day, struct bytes attached, size_t i,
		      struct when *out)
{
	struct bytes rest = attached;
	int64_t ms;
	int32_t offset;

	if (rest.len == 0 && i == t->count) {
		*out = days_span(t, day, day + 1);
		return 0;
	}
	if (rest.len == 0)
		rest = t->words[i++];
	struct bytes part = rest;
	if (!clock_take(&rest, &ms))
		return refuse(t, ERR_SYNTAX, "not a time of day:", part);
	if (ms < 0)
		return refuse(t, ERR_SYNTAX, "no clock shows", part);
	if (rest.len == 0 && i < t->count)
		rest = t->words[i++];
	if (i < t->count)
		return refuse(t, ERR_SYNTAX, "not expected:", t->words[i]);
	part = rest;
	if (part.len == 0)
		out->start_ms = zone_utc_ms(t->zone, day * DAY_MS + ms);
	else if (offset_take(&rest, &offset) && rest.len == 0)
		out->start_ms = day * DAY_MS + ms - (int64_t)offset * 1000;
	else
		return refuse(t, ERR_SYNTAX, "not an offset from UTC or a zone:", part);
	out->end_ms = out->start_ms;
	return 0;
}

/* --- the kinds of times ----------------------------------------------------------------------------------------- */

static int read_now(const struct when_text *t, struct when *out)
{
	if (!is_word(t->words[0], "now"))
		return NOT_MINE;
	if (t->count > 1)
		return refuse(t, ERR_SYNTAX, "not expected:", t->words[1]);
	*out = (struct when){t->now_ms, t->now_ms};
	return 0;
}

static int read_day_word(const struct when_text *t, struct when *out)
{
	static const char *const names[] = {"yesterday", "today", "tomorrow"};

	for (int i = 0; i < 3; i++)
		if (is_word(t->words[0], names[i]))
			return day_finish(t, today(t) + i - 1, bytes_of(NULL, 0), 1, out);
	return NOT_MINE;
}

static int weekday_of(struct bytes word)
{
	static const char *const names[] = {"sunday",   "monday", "tuesday", "wednesday",
					    "thursday", "friday", "saturday"};

	for (int i = 0; i < 7; i++)
		if (is_word(word, names[i]) ||
		    (word.len == 3 && strncasecmp((const char *)word.data, names[i], 3) == 0))
			return i;
	return -1;
}

/* "this week", "last month": from Monday, the first, New Year on. */
static int read_period(const struct when_text *t, struct when *out)
{
	bool last = is_word(t->words[0], "last");
	int year, month, day;

	if ((!last && !is_word(t->words[0], "this")) || t->count < 2)
		return NOT_MINE;
	int64_t now = today(t);
	date_of_days(now, &year, &month, &day);
	if (is_word(t->words[1], "week")) {
		int64_t monday = now - ((now + 3) % 7 + 7) % 7 - (last ? 7 : 0);
		*out = days_span(t, monday, monday + 7);
	} else if (is_word(t->words[1], "month")) {
		year -= last && month == 1;
		month = !last ? month : month == 1 ? 12 : month - 1;
		int64_t first = date_days(year, month, 1);
		*out = days_span(t, first, first + date_month_days(year, month));
	} else if (is_word(t->words[1], "year")) {
		*out = days_span(t, date_days(year - last, 1, 1), date_days(year - last + 1, 1, 1));
	} else {
		return NOT_MINE;
	}
	if (t->count > 2)
		return refuse(t, ERR_SYNTAX, "not expected:", t->words[2]);
	return 0;
}

static int read_weekday(const struct when_text *t, struct when *out)
{
	bool last = is_word(t->words[0], "last");
	size_t i = last ? 1 : 0;

	if (last && t->count == 1)
		return refuse(t, ERR_SYNTAX, "a weekday belongs behind", t->words[0]);
	int want = weekday_of(t->words[i]);
	if (want < 0)
		return last ? refuse(t, ERR_SYNTAX, "not a weekday:", t->words[i]) : NOT_MINE;
	int64_t day = today(t);
	int weekday = (int)(((day + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday; 0 is Sunday */
	int back = (weekday - want + 7) % 7;
	return day_finish(t, day - (last && back == 0 ? 7 : back), bytes_of(NULL, 0), i + 1, out);
}

static int read_epoch(const struct when_text *t, struct when *out)
{
	struct bytes rest = t->words[0];
	int64_t seconds = 0, ms = 0;
	size_t n = 0;

	if (!skip(&rest, '@'))
		return NOT_MINE;
	bool negative = skip(&rest, '-');
	for (; n < rest.len && isdigit(rest.data[n]) && n < 13; n++)
		seconds = seconds * 10 + (rest.data[n] - '0');
	rest = bytes_of(rest.data + n, rest.len - n);
	if (n == 0 || (skip(&rest, '.') && !fraction(&rest, &ms)) || rest.len || seconds > EPOCH_MAX_S)
		return refuse(t, ERR_SYNTAX, "not seconds since 1970:", t->words[0]);
	if (t->count > 1)
		return refuse(t, ERR_SYNTAX, "not expected:", t->words[1]);
	ms += seconds * 1000;
	out->start_ms = out->end_ms = negative ? -ms : ms;
	return 0;
}

static int read_month(const struct when_text *t, int year, int month, struct when *out)
{
	if (t->count > 1)
		return refuse(t, ERR_SYNTAX, "not expected behind a month:", t->words[1]);
	int64_t first = date_days(year, month, 1);
	*out = days_span(t, first, first + date_month_days(year, month));
	return 0;
}

static int read_date(const struct when_text *t, struct when *out)
{
	struct bytes rest = t->words[0];
	int year, month, day;

	if (!digits(&rest, 4, 4, &year) || !skip(&rest, '-'))
		return NOT_MINE;
	if (!digits(&rest, 2, 2, &month))
		return refuse(t, ERR_SYNTAX, "not a date (YYYY-MM-DD):", t->words[0]);
	if (month < 1 || month > 12)
		return refuse(t, ERR_SYNTAX, "there is no such month:", t->words[0]);
	if (rest.len == 0)
		return read_month(t, year, month, out);
	if (!skip(&rest, '-') || !digits(&rest, 2, 2, &day))
		return refuse(t, ERR_SYNTAX, "not a date (YYYY-MM-DD):", t->words[0]);
	if (day < 1 || day > date_month_days(year, month))
		return refuse(t, ERR_SYNTAX, "there is no such day:", t->words[0]);
	if (rest.len && ((!skip(&rest, 'T') && !skip(&rest, 't')) || rest.len == 0))
		return refuse(t, ERR_SYNTAX, "not a date (YYYY-MM-DD):", t->words[0]);
	return day_finish(t, date_days(year, month, day), rest, 1, out);
}

static int read_clock(const struct when_text *t, struct when *out)
{
	struct bytes rest = t->words[0];
	int64_t ms;

	if (!clock_take(&rest, &ms)) {
		int hour;
		if (digits(&rest, 1, 2, &hour) && skip(&rest, ':'))
			return refuse(t, ERR_SYNTAX, "not a time of day:", t->words[0]);
		return NOT_MINE;
	}
	return day_finish(t, today(t), t->words[0], 1, out);
}

static int64_t unit_ms(struct bytes name)
{
	static const struct {
		const char *names[5];
		int64_t ms;
	} units[] = {
		{{"ms", "msec", "millisecond", "milliseconds"}, 1},
		{{"s", "sec", "secs", "second", "seconds"}, 1000},
		{{"min", "mins", "minute", "minutes"}, 60000},
		{{"h", "hr", "hrs", "hour", "hours"}, 3600000},
		{{"d", "day", "days"}, DAY_MS},
		{{"w", "week", "weeks"}, 7 * DAY_MS},
		{{"month", "months"}, 30 * DAY_MS},
		{{"y", "yr", "year", "years"}, 365 * DAY_MS},
	};
	if (bytes_is(name, "m"))
		return 60000;
	if (bytes_is(name, "M"))
		return 30 * DAY_MS;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		for (size_t j = 0; j < 5 && units[i].names[j]; j++)
			if (is_word(name, units[i].names[j]))
				return units[i].ms;
	return 0;
}

/* "1w2d", "2 hours": adds it up. `rest` is left at what is not a number and a unit. */
static int length_take(const struct when_text *t, struct bytes *rest, int64_t *total)
{
	for (*rest = trim(*rest); rest->len && isdigit(rest->data[0]); *rest = trim(*rest)) {
		struct bytes start = *rest;
		int64_t n = 0, part;
		size_t len = 0;
		for (; rest->len && isdigit(rest->data[0]);
		     *rest = bytes_of(rest->data + 1, rest->len - 1))
			if (n < INT32_MAX)
				n = n * 10 + (rest->data[0] - '0');
		*rest = trim(*rest);
		while (len < rest->len && isalpha(rest->data[len]))
			len++;
		int64_t unit = unit_ms(bytes_of(rest->data, len));
		*rest = bytes_of(rest->data + len, rest->len - len);
		if (!unit)
			return refuse(t, ERR_SYNTAX,
				      "a number without a unit (s m h d w M y):", start);
		/* Longer than a thousand years is a slip of the finger. */
		if (__builtin_mul_overflow(n, unit, &part) || part > 365000 * DAY_MS ||
		    (*total += part) > 365000 * DAY_MS)
			return refuse(t, ERR_SYNTAX, "too long:", start);
	}
	return 0;
}

static int read_length(const struct when_text *t, struct when *out)
{
	struct bytes rest = t->whole;
	bool minus = skip(&rest, '-'), plus = !minus && skip(&rest, '+');
	int64_t total = 0;

	if (trim(rest).len == 0 || !isdigit(trim(rest).data[0]))
		return NOT_MINE;
	int rc = length_take(t, &rest, &total);
	if (rc)
		return rc;
	bool ago = is_word(rest, "ago"), left = is_word(rest, "left");
	if ((rest.len && !ago && !left) || ((minus || plus) && (ago || left)))
		return refuse(t, ERR_SYNTAX, "not expected:", rest);
	out->start_ms = t->now_ms + (plus || left ? total : -total);
	out->end_ms = out->start_ms;
	return 0;
}

static int read_one(const struct when_text *t, struct when *out)
{
	static int (*const kinds[])(const struct when_text *, struct when *) = {
		read_now,   read_day_word, read_period, read_weekday,
		read_epoch, read_date,     read_clock,  read_length,
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		int rc = kinds[i](t, out);
		if (rc != NOT_MINE)
			return rc;
	}
	return refuse(t, ERR_SYNTAX, "cannot read", t->words[0]);
}

/* --- zones ------------------------------------------------------------------------------------------------------ */

static bool is_utc(struct bytes word)
{
	return is_word(word, "UTC") || is_word(word, "GMT") || is_word(word, "Z");
}

/* "CET", "EST5EDT", but not "AGO" or "DAYS". */
static bool is_short_zone(struct bytes word)
{
	if (word.len < 3 || is_word(word, "ago") || is_word(word, "left") || unit_ms(word) ||
	    weekday_of(word) >= 0)
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (!isupper(word.data[i]) && (i < 3 || !isdigit(word.data[i])))
			return false;
	return true;
}

/* "Europe/Paris", but not "Monday/Tuesday" and not "2026-11-20/now". */
static bool is_long_zone(struct bytes word)
{
	const uint8_t *slash = memchr(word.data, '/', word.len);

	if (!slash || !isupper(word.data[0]) ||
	    weekday_of(bytes_of(word.data, (size_t)(slash - word.data))) >= 0)
		return false;
	for (const uint8_t *p = word.data; p < slash; p++)
		if (!isalpha(*p) && *p != '_')
			return false;
	return slash + 1 < word.data + word.len && isalpha(slash[1]);
}

/* Takes the zone off the end of the text, if one is there; *own is then to be freed. */
static int zone_take(struct when_text *t, struct zone **own)
{
	*own = NULL;
	struct bytes name = t->words[t->count - 1];
	if (t->count < 2 || (!is_utc(name) && !is_short_zone(name) && !is_long_zone(name)))
		return 0;
	int rc = zone_load(is_utc(name) ? bytes_str("UTC") : name, own, t->why);
	if (rc)
		return rc;
	t->zone = *own;
	t->whole = trim(bytes_of(t->whole.data, (size_t)(name.data - t->whole.data)));
	t->count--;
	return 0;
}

static int text_set(struct when_text *t, struct bytes text, int64_t now_ms, const struct zone *zone,
		    struct why *why)
{
	*t = (struct when_text){.whole = trim(text), .now_ms = now_ms, .zone = zone, .why = why};
	if (t->whole.len == 0)
		return why_set(why, ERR_SYNTAX, "a time is missing (accepted: " ACCEPTED ")");
	if (t->whole.len > WHEN_TEXT_MAX)
		return why_set(why, ERR_SYNTAX, "a time has at most %d characters", WHEN_TEXT_MAX);
	/* Errors quote the text, and may end up in a terminal or a log. */
	for (size_t i = 0; i < t->whole.len; i++)
		if ((t->whole.data[i] < 0x20 && !is_space(t->whole.data[i])) ||
		    t->whole.data[i] >= 0x7f)
			return why_set(why, ERR_SYNTAX,
				       "a time has only ASCII characters (accepted: " ACCEPTED ")");
	if (!split(t))
		return why_set(why, ERR_SYNTAX,
			       "'%.*s' is not a time: too many words (accepted: " ACCEPTED ")",
			       (int)t->whole.len, (const char *)t->whole.data);
	return 0;
}

int when_read(struct bytes text, int64_t now_ms, const struct zone *zone, struct when *out,
	      struct why *why)
{
	struct when_text t;
	struct zone *own = NULL;
	struct when got;
	int rc = text_set(&t, text, now_ms, zone, why);

	if (rc == 0)
		rc = zone_take(&t, &own);
	if (rc == 0)
		rc = read_one(&t, &got);
	zone_free(own);
	if (rc == 0)
		*out = got;
	return rc;
}

int when_parse(struct bytes text, int64_t now_ms, const struct zone *zone, enum when_role role,
	       int64_t *ms_out, struct why *why)
{
	struct when got;
	int rc = when_read(text, now_ms, zone, &got, why);

	if (rc == 0)
		*ms_out = role == WHEN_SINCE ? got.start_ms : got.end_ms;
	return rc;
}

/* --- intervals -------------------------------------------------------------------------------------------------- */

static bool separate(struct bytes whole, struct bytes *first, struct bytes *second)
{
	const uint8_t *at = memmem(whole.data, whole.len, "..", 2);
	size_t len = 2;

	if (!at) {
		at = memchr(whole.data, '/', whole.len);
		len = 1;
	}
	if (!at)
		return false;
	*first = trim(bytes_of(whole.data, (size_t)(at - whole.data)));
	*second = trim(bytes_of(at + len, (size_t)(whole.data + whole.len - at) - len));
	return true;
}

static int read_ends(const struct when_text *t, struct bytes first, struct bytes second,
		     struct when *out)
{
	int rc = 0;

	if (first.len == 0 && second.len == 0)
		return why_set(t->why, ERR_SYNTAX, "'%.*s' has neither a start nor an end",
			       (int)t->whole.len, (const char *)t->whole.data);
	*out = (struct when){TIME_MIN, TIME_MAX};
	if (first.len)
		rc = when_parse(first, t->now_ms, t->zone, WHEN_SINCE, &out->start_ms, t->why);
	if (rc == 0 && second.len)
		rc = when_parse(second, t->now_ms, t->zone, WHEN_UNTIL, &out->end_ms, t->why);
	if (rc == 0 && out->end_ms < out->start_ms)
		return why_set(t->why, ERR_INVALID, "'%.*s' ends before it starts",
			       (int)t->whole.len, (const char *)t->whole.data);
	return rc;
}

/* A text without a separator: a span, or a length, which reaches from so long ago until now, or from now on. */
static int read_span(const struct when_text *t, struct when *out)
{
	struct when_text quiet = *t;
	struct when length;
	int rc = read_one(t, out);

	if (rc || out->start_ms != out->end_ms)
		return rc;
	quiet.why = NULL;
	if (read_length(&quiet, &length))
		return why_set(t->why, ERR_INVALID, "'%.*s' is a moment, not an interval (write A..B)",
			       (int)t->whole.len, (const char *)t->whole.data);
	if (length.start_ms < t->now_ms)
		out->end_ms = t->now_ms;
	else
		out->start_ms = t->now_ms;
	return 0;
}

int when_parse_interval(struct bytes text, int64_t now_ms, const struct zone *zone,
			struct when *out, struct why *why)
{
	struct when_text t;
	struct zone *own = NULL;
	struct bytes first, second;
	struct when got;
	int rc = text_set(&t, text, now_ms, zone, why);

	if (rc == 0)
		rc = zone_take(&t, &own);
	if (rc == 0)
		rc = separate(t.whole, &first, &second) ? read_ends(&t, first, second, &got)
							: read_span(&t, &got);
	zone_free(own);
	if (rc == 0)
		*out = got;
	return rc;
}
