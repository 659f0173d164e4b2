/*
 * when_test: the grammar of times, row by row. Now is Friday 2026-11-20 09:51:35.120 UTC, 10:51:35 in Berlin.
 */
#include <base/when.h>

#include <stdarg.h>
#include <stdio.h>
#include <setjmp.h>
#include <unistd.h>
#include <cmocka.h>

#include "skip.h"

static struct zone *berlin;
static int64_t now;

static int64_t at(const char *text)
{
	int64_t ms;

	assert_int_equal(time_parse(bytes_str(text), &ms), 0);
	return ms;
}

static int setup(void **state)
{
	(void)state;
	now = at("2026-11-20T09:51:35.120Z");
	/* A rule, so that most of this runs without tzdata. */
	return zone_load(bytes_str("CET-1CEST,M3.5.0,M10.5.0/3"), &berlin, NULL);
}

static int teardown(void **state)
{
	(void)state;
	zone_free(berlin);
	return 0;
}

static const struct row {
	const char *text;
	const char *since; /* in UTC, for a text without a zone read in UTC */
	const char *until; /* NULL: the same */
} rows[] = {
	{"now", "2026-11-20T09:51:35.120Z", NULL},
	{"  NOW ", "2026-11-20T09:51:35.120Z", NULL},
	{"today", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"},
	{"yesterday", "2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z"},
	{"Tomorrow", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"},
	{"yesterday 14:00", "2026-11-19T14:00:00Z", NULL},
	{"today 24:00", "2026-11-21T00:00:00Z", NULL},
	{"-2h", "2026-11-20T07:51:35.120Z", NULL},
	{"2h", "2026-11-20T07:51:35.120Z", NULL},
	{"2h ago", "2026-11-20T07:51:35.120Z", NULL},
	{"2 hours ago", "2026-11-20T07:51:35.120Z", NULL},
	{"2H AGO", "2026-11-20T07:51:35.120Z", NULL},
	{"+2h", "2026-11-20T11:51:35.120Z", NULL},
	{"2h left", "2026-11-20T11:51:35.120Z", NULL},
	{"1w2d", "2026-11-11T09:51:35.120Z", NULL},
	{"1 week 2 days ago", "2026-11-11T09:51:35.120Z", NULL},
	{"90min", "2026-11-20T08:21:35.120Z", NULL},
	{"90m", "2026-11-20T08:21:35.120Z", NULL},
	{"1M", "2026-10-21T09:51:35.120Z", NULL},
	{"1y", "2025-11-20T09:51:35.120Z", NULL},
	{"120ms", "2026-11-20T09:51:35Z", NULL},
	{"0s", "2026-11-20T09:51:35.120Z", NULL},
	{"@1700000000", "2023-11-14T22:13:20Z", NULL},
	{"@1700000000.5", "2023-11-14T22:13:20.500Z", NULL},
	{"@-1", "1969-12-31T23:59:59Z", NULL},
	{"@0", "1970-01-01T00:00:00Z", NULL},
	{"2026-11-18", "2026-11-18T00:00:00Z", "2026-11-19T00:00:00Z"},
	{"2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"},
	{"2026-12-31", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"},
	{"2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"},
	{"2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"},
	{"2026-11-18 14:00", "2026-11-18T14:00:00Z", NULL},
	{"2026-11-18 9:05", "2026-11-18T09:05:00Z", NULL},
	{"2026-11-18 14:00:05", "2026-11-18T14:00:05Z", NULL},
	{"2026-11-18 14:00:05.123456", "2026-11-18T14:00:05.123Z", NULL},
	{"2026-11-18T14:00:05Z", "2026-11-18T14:00:05Z", NULL},
	{"2026-11-18t14:00z", "2026-11-18T14:00:00Z", NULL},
	{"2026-11-18T14:00:05+01:00", "2026-11-18T13:00:05Z", NULL},
	{"2026-11-18T14:00:05-0330", "2026-11-18T17:30:05Z", NULL},
	{"2026-11-18 14:00 +01", "2026-11-18T13:00:00Z", NULL},
	{"2026-11-18 23:59:60", "2026-11-19T00:00:00Z", NULL},
	{"14:00", "2026-11-20T14:00:00Z", NULL},
	{"14:00:05.5", "2026-11-20T14:00:05.500Z", NULL},
	{"14:00+01:00", "2026-11-20T13:00:00Z", NULL},
	{"00:00", "2026-11-20T00:00:00Z", NULL},
	{"friday", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"},
	{"monday", "2026-11-16T00:00:00Z", "2026-11-17T00:00:00Z"},
	{"Mon", "2026-11-16T00:00:00Z", "2026-11-17T00:00:00Z"},
	{"sat", "2026-11-14T00:00:00Z", "2026-11-15T00:00:00Z"},
	{"last monday", "2026-11-16T00:00:00Z", "2026-11-17T00:00:00Z"},
	{"this week", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"},
	{"last week", "2026-11-09T00:00:00Z", "2026-11-16T00:00:00Z"},
	{"this month", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"},
	{"Last Month", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"},
	{"this year", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
	{"last year", "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
	{"last friday", "2026-11-13T00:00:00Z", "2026-11-14T00:00:00Z"},
	{"monday 09:30", "2026-11-16T09:30:00Z", NULL},
	{"today UTC", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"},
	{"2026-11-18 14:00 Z", "2026-11-18T14:00:00Z", NULL},
	{"2h ago UTC", "2026-11-20T07:51:35.120Z", NULL},
};

static void expect(const char *text, const struct zone *zone, enum when_role role, const char *want)
{
	char got[TIME_TEXT_MAX];
	struct why why = {""};
	int64_t ms;

	if (when_parse(bytes_str(text), now, zone, role, &ms, &why))
		fail_msg("'%s': %s", text, why.text);
	if (strcmp(time_text(ms, false, got), want) != 0)
		fail_msg("'%s' is %s, not %s", text, got, want);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		expect(rows[i].text, NULL, WHEN_SINCE, rows[i].since);
		expect(rows[i].text, NULL, WHEN_UNTIL, rows[i].until ? rows[i].until : rows[i].since);
	}
}

static void test_in_a_zone(void **state)
{
	(void)state;
	expect("today", berlin, WHEN_SINCE, "2026-11-19T23:00:00Z");
	expect("2026-11-18", berlin, WHEN_UNTIL, "2026-11-18T23:00:00Z");
	expect("14:00", berlin, WHEN_SINCE, "2026-11-20T13:00:00Z");
	expect("14:00Z", berlin, WHEN_SINCE, "2026-11-20T14:00:00Z");
	expect("2026-11-18T14:00:00Z", berlin, WHEN_SINCE, "2026-11-18T14:00:00Z");
	expect("today UTC", berlin, WHEN_SINCE, "2026-11-20T00:00:00Z");
	expect("2026-10", berlin, WHEN_SINCE, "2026-09-30T22:00:00Z");
	expect("2026-10", berlin, WHEN_UNTIL, "2026-10-31T23:00:00Z");
	/* Clock changes: skipped, repeated, and days of 23 and 25 hours. */
	expect("2026-03-29 02:30", berlin, WHEN_SINCE, "2026-03-29T01:00:00Z");
	expect("2026-10-25 02:30", berlin, WHEN_SINCE, "2026-10-25T00:30:00Z");
	expect("2026-03-29", berlin, WHEN_SINCE, "2026-03-28T23:00:00Z");
	expect("2026-03-29", berlin, WHEN_UNTIL, "2026-03-29T22:00:00Z");
	expect("2026-10-25", berlin, WHEN_UNTIL, "2026-10-25T23:00:00Z");
	now = at("2026-11-20T23:30:00Z"); /* already the 21st in Berlin */
	expect("today", berlin, WHEN_SINCE, "2026-11-20T23:00:00Z");
	expect("saturday", berlin, WHEN_SINCE, "2026-11-20T23:00:00Z");
	now = at("2026-11-20T09:51:35.120Z");
}

static void test_trailing_zone(void **state)
{
	struct why why;
	int64_t ms;

	(void)state;
	if (access("/usr/share/zoneinfo/Europe/Paris", R_OK) != 0)
		skip_because("no time zone data under /usr/share/zoneinfo");
	expect("yesterday Europe/Paris", NULL, WHEN_SINCE, "2026-11-18T23:00:00Z");
	expect("2026-07-01 12:00 America/New_York", berlin, WHEN_SINCE, "2026-07-01T16:00:00Z");
	expect("2026-07-01 12:00 CET", NULL, WHEN_SINCE, "2026-07-01T10:00:00Z");
	expect("today Asia/Tokyo", NULL, WHEN_UNTIL, "2026-11-20T15:00:00Z");
	assert_int_equal(when_parse(bytes_str("today Europe/Pariss"), now, NULL, WHEN_SINCE, &ms, &why),
			 ERR_NOTFOUND);
	assert_non_null(strstr(why.text, "unknown time zone 'Europe/Pariss'"));
	assert_int_equal(when_parse(bytes_str("today PST"), now, NULL, WHEN_SINCE, &ms, &why),
			 ERR_NOTFOUND);
}

static const struct bad_row {
	const char *text;
	const char *says; /* part of the reason */
} bad_rows[] = {
	{"", "missing"},
	{"   ", "missing"},
	{"sometime", "cannot read 'sometime'"},
	{"2026-13", "no such month"},
	{"2026-13-01", "no such month"},
	{"2026-02-29", "no such day"},
	{"2026-11-31", "no such day"},
	{"2026-00-10", "no such month"},
	{"2026-1-5", "YYYY-MM-DD"},
	{"2026-11-20x", "YYYY-MM-DD"},
	{"2026-11-20T", "YYYY-MM-DD"},
	{"2026-11 14:00", "behind a month: '14:00'"},
	{"2026-11-20 25:00", "no clock shows '25:00'"},
	{"2026-11-20 24:01", "no clock shows"},
	{"2026-11-20 14:60", "no clock shows"},
	{"2026-11-20 14", "time of day: '14'"},
	{"2026-11-20 14:00:05 +1", "offset from UTC"},
	{"2026-11-20 14:00+25:00", "offset from UTC"},
	{"2026-11-20 14:00 Z Z Z", "not expected"},
	{"2026-11-20 14:00 15:00", "offset from UTC"},
	{"14:0", "time of day"},
	{"14:00:5", "time of day"},
	{"14:00:05.", "time of day"},
	{"now now", "not expected: 'now'"},
	{"today at noon", "time of day: 'at'"},
	{"2", "without a unit"},
	{"2026", "without a unit"},
	{"2q", "without a unit"},
	{"2h 3", "without a unit"},
	{"2h ego", "not expected: 'ego'"},
	{"-2h ago", "not expected"},
	{"- 2x", "without a unit"},
	{"99999999999999999999y", "too long"},
	{"1000y 1d", "too long"},
	{"@", "seconds since 1970"},
	{"@17x", "seconds since 1970"},
	{"@1700000000000", "seconds since 1970"},
	{"@5 @6", "not expected"},
	{"last", "weekday"},
	{"last fortnight", "not a weekday: 'fortnight'"},
	{"moonday", "cannot read"},
	{"2026-11-20..2026-11-21", "YYYY-MM-DD"},
	{"today\x1b[31m", "ASCII"},
	{"t\xc3\xb6"
	 "day",
	 "ASCII"},
	{"a b c d e f g h i j k l m n o p q", "too many words"},
};

static void test_bad_rows(void **state)
{
	struct why why;
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad_rows / sizeof *bad_rows; i++) {
		why.text[0] = 0;
		int rc = when_parse(bytes_str(bad_rows[i].text), now, NULL, WHEN_SINCE, &ms, &why);
		if (rc != ERR_SYNTAX || !strstr(why.text, bad_rows[i].says))
			fail_msg("'%s': %d %s", bad_rows[i].text, rc, why.text);
		assert_int_equal(ms, 7);
	}
	char longer[WHEN_TEXT_MAX + 2];
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = 0;
	assert_int_equal(when_parse(bytes_str(longer), now, NULL, WHEN_SINCE, &ms, NULL), ERR_SYNTAX);
	assert_int_equal(when_parse(bytes_of("now\0", 4), now, NULL, WHEN_SINCE, &ms, NULL),
			 ERR_SYNTAX);
}

static void interval(const char *text, const char *start, const char *end)
{
	char a[TIME_TEXT_MAX], b[TIME_TEXT_MAX];
	struct why why = {""};
	struct when got;

	if (when_parse_interval(bytes_str(text), now, NULL, &got, &why))
		fail_msg("'%s': %s", text, why.text);
	assert_true(start ? !strcmp(time_text(got.start_ms, false, a), start)
			  : got.start_ms == TIME_MIN);
	assert_true(end ? !strcmp(time_text(got.end_ms, false, b), end) : got.end_ms == TIME_MAX);
}

static void test_intervals(void **state)
{
	(void)state;
	interval("2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z");
	interval("yesterday", "2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z");
	interval("2026-11-18", "2026-11-18T00:00:00Z", "2026-11-19T00:00:00Z");
	interval("2h", "2026-11-20T07:51:35.120Z", "2026-11-20T09:51:35.120Z");
	interval("+2h", "2026-11-20T09:51:35.120Z", "2026-11-20T11:51:35.120Z");
	interval("2026-11-18..2026-11-19", "2026-11-18T00:00:00Z", "2026-11-20T00:00:00Z");
	interval("2026-11-18/2026-11-19", "2026-11-18T00:00:00Z", "2026-11-20T00:00:00Z");
	interval("2026-10 .. 2026-11", "2026-10-01T00:00:00Z", "2026-12-01T00:00:00Z");
	interval("yesterday..today", "2026-11-19T00:00:00Z", "2026-11-21T00:00:00Z");
	interval("monday/now", "2026-11-16T00:00:00Z", "2026-11-20T09:51:35.120Z");
	interval("last monday..2h ago", "2026-11-16T00:00:00Z", "2026-11-20T07:51:35.120Z");
	interval("2h..1h", "2026-11-20T07:51:35.120Z", "2026-11-20T08:51:35.120Z");
	interval("14:00:05.5..14:01", "2026-11-20T14:00:05.500Z", "2026-11-20T14:01:00Z");
	interval("2026-11-18..", "2026-11-18T00:00:00Z", NULL);
	interval("..2026-11-18", NULL, "2026-11-19T00:00:00Z");
	interval("yesterday..today UTC", "2026-11-19T00:00:00Z", "2026-11-21T00:00:00Z");
	interval("now..now", "2026-11-20T09:51:35.120Z", "2026-11-20T09:51:35.120Z");
	interval("monday/Tuesday", "2026-11-16T00:00:00Z", "2026-11-18T00:00:00Z");
	interval("last monday/Tuesday", "2026-11-16T00:00:00Z", "2026-11-18T00:00:00Z");
	if (access("/usr/share/zoneinfo/Europe/Paris", R_OK) == 0)
		interval("2026-11-18/2026-11-19 Europe/Paris", "2026-11-17T23:00:00Z",
			 "2026-11-19T23:00:00Z");
}

static void test_bad_intervals(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *says;
	} bad[] = {
		{"..", ERR_SYNTAX, "neither"},
		{"2026-11-20 14:00", ERR_INVALID, "moment"},
		{"now", ERR_INVALID, "moment"},
		{"2026-11-20..2026-11-10", ERR_INVALID, "ends before it starts"},
		{"2026-11-20..x", ERR_SYNTAX, "cannot read 'x'"},
		{"x..2026-11-20", ERR_SYNTAX, "cannot read 'x'"},
		{"a/b/c", ERR_SYNTAX, "cannot read 'a'"},
	};
	struct when got;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		int rc = when_parse_interval(bytes_str(bad[i].text), now, NULL, &got, &why);
		if (rc != bad[i].code || !strstr(why.text, bad[i].says))
			fail_msg("'%s': %d %s", bad[i].text, rc, why.text);
	}
}

static void test_local_text(void **state)
{
	char out[WHEN_OUT_MAX];
	struct zone *west;

	(void)state;
	assert_string_equal(when_local_text(now, berlin, out), "2026-11-20 10:51 +0100");
	assert_string_equal(when_local_text(now, NULL, out), "2026-11-20 09:51 +0000");
	assert_string_equal(when_local_text(TIME_NONE, berlin, out), "-");
	assert_int_equal(zone_load(bytes_str("NST3:30"), &west, NULL), 0);
	assert_string_equal(when_local_text(now, west, out), "2026-11-20 06:21 -0330");
	assert_true(when_local_text(TIME_MIN, west, out)[0] &&
		    when_local_text(TIME_MAX, berlin, out)[0]);
	zone_free(west);
}

static void test_relative_text(void **state)
{
	static const struct {
		int64_t away_ms;
		const char *text;
	} texts[] = {
		{0, "just now"},
		{999, "just now"},
		{1000, "1 s ago"},
		{59999, "59 s ago"},
		{60000, "1 min ago"},
		{180000, "3 min ago"},
		{3599999, "59 min ago"},
		{3600000, "1 h ago"},
		{47 * 3600000, "47 h ago"},
		{48 * 3600000, "2 days ago"},
		{59 * INT64_C(86400000), "59 days ago"},
		{61 * INT64_C(86400000), "2 months ago"},
		{800 * INT64_C(86400000), "2 years ago"},
		{-500, "just now"},
		{-180000, "in 3 min"},
		{-7200000, "in 2 h"},
	};
	char out[WHEN_OUT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_string_equal(when_relative_text(now - texts[i].away_ms, now, out),
				    texts[i].text);
	assert_string_equal(when_relative_text(TIME_NONE, now, out), "-");
	assert_true(when_relative_text(TIME_MIN, now, out)[0] &&
		    when_relative_text(TIME_MAX, -now, out)[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),          cmocka_unit_test(test_in_a_zone),
		cmocka_unit_test(test_trailing_zone), cmocka_unit_test(test_bad_rows),
		cmocka_unit_test(test_intervals),     cmocka_unit_test(test_bad_intervals),
		cmocka_unit_test(test_local_text),    cmocka_unit_test(test_relative_text),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
