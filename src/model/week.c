/* week: spans of text into minutes. Pure. */
#include <model/week.h>

#include <model/schedule.h>

#include <ctype.h>

#define DAY_MINUTES (24 * 60)
#define DAY_MS      INT64_C(86400000)

static const char usage[] =
	"write hourly MM-MM, daily HH:MM-HH:MM or Mon-Fri HH:MM-HH:MM, a list of them, or any";

static struct bytes trim(struct bytes s)
{
	while (s.len && (s.data[0] == ' ' || s.data[0] == '\t'))
		s = bytes_of(s.data + 1, s.len - 1);
	while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* The part before the first of `c`, which is left out; the rest stays. */
static struct bytes take(struct bytes *rest, const char *c)
{
	size_t n = 0;

	while (n < rest->len && !strchr(c, rest->data[n]))
		n++;
	struct bytes part = bytes_of(rest->data, n);
	*rest = n < rest->len ? bytes_of(rest->data + n + 1, rest->len - n - 1) : bytes_of(NULL, 0);
	return part;
}

static int two_digits(struct bytes s, int max)
{
	if (s.len != 2 || !isdigit(s.data[0]) || !isdigit(s.data[1]))
		return -1;
	int n = (s.data[0] - '0') * 10 + s.data[1] - '0';
	return n <= max ? n : -1;
}

/* HH:MM, up to 24:00. */
static int clock_time(struct bytes s)
{
	struct bytes rest = s;
	int hour = two_digits(take(&rest, ":"), 24), minute = two_digits(rest, 59);

	return hour < 0 || minute < 0 || hour * 60 + minute > DAY_MINUTES ? -1 : hour * 60 + minute;
}

static void set(struct week *w, int minute)
{
	minute %= WEEK_MINUTES;
	w->minutes[minute / 8] = (uint8_t)(w->minutes[minute / 8] | 1u << (minute % 8));
}

static bool add_hourly(struct week *w, struct bytes text)
{
	int start = two_digits(trim(take(&text, "-")), 59), end = two_digits(trim(text), 60);

	if (start < 0 || end < 0 || start == end)
		return false;
	if (end < start)
		end += 60;
	for (int hour = 0; hour < WEEK_MINUTES; hour += 60)
		for (int m = start; m < end; m++)
			set(w, hour + m);
	return true;
}

/* Days from..to (6..1 goes over Sunday), with a span of each, or whole. */
static bool add_days(struct week *w, int from, int to, struct bytes text)
{
	int start = 0, end = DAY_MINUTES;

	if (text.len) {
		start = clock_time(trim(take(&text, "-")));
		end = clock_time(trim(text));
	}
	if (start < 0 || end < 0 || start == end)
		return false;
	if (end < start)
		end += DAY_MINUTES;
	for (int day = from;; day = (day + 1) % 7) {
		for (int m = start; m < end; m++)
			set(w, day * DAY_MINUTES + m);
		if (day == to)
			return true;
	}
}

static bool add_item(struct week *w, struct bytes item)
{
	struct bytes rest = item, word = take(&rest, " \t");
	bool weekly = bytes_is(word, "weekly");

	rest = trim(rest);
	if (bytes_is(word, "hourly"))
		return add_hourly(w, rest);
	if (bytes_is(word, "daily"))
		return rest.len && add_days(w, 0, 6, rest);
	if (weekly) {
		word = take(&rest, " \t");
		rest = trim(rest);
	}
	if (word.len && isdigit(word.data[0]) && !weekly)
		return add_days(w, 0, 6, item);
	struct bytes last = word;
	int from = weekday_parse(take(&last, "-")), to = last.len ? weekday_parse(last) : from;
	return from >= 0 && to >= 0 && add_days(w, from, to, rest);
}

int week_parse(struct bytes text, struct week *out, struct why *why)
{
	struct bytes rest = text;

	*out = (struct week){0};
	if (bytes_is(trim(text), "any"))
		return 0;
	if (text.len >= sizeof out->text)
		return why_set(why, ERR_SYNTAX, "longer than %zu letters", sizeof out->text - 1);
	out->limited = true;
	do {
		struct bytes item = trim(take(&rest, ","));
		if (!add_item(out, item))
			return why_set(why, ERR_SYNTAX, "\"%.*s\" (position %zu) is no span: %s",
				       (int)item.len, item.len ? (const char *)item.data : "",
				       item.len ? (size_t)(item.data - text.data) + 1 : text.len + 1,
				       usage);
	} while (rest.len);
	memcpy(out->text, text.data, text.len);
	return 0;
}

bool week_holds(const struct week *w, const struct zone *zone, int64_t at_ms)
{
	int64_t local = at_ms + (int64_t)zone_offset_s(zone, at_ms) * 1000;
	/* 1970-01-01 was a Thursday, four days after a Sunday. */
	int64_t week_ms = 7 * DAY_MS, in = ((local + 4 * DAY_MS) % week_ms + week_ms) % week_ms;
	int minute = (int)(in / 60000);

	return !w->limited || (w->minutes[minute / 8] >> (minute % 8) & 1);
}
