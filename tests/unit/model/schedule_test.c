/* schedule: hours, days, weeks and cron, at and around their moments, and where clocks skip or repeat an hour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <model/schedule.h>
#include <model/week.h>

#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)

/* 2026-11-20 is a Friday. */
#define FRIDAY INT64_C(1795132800000)

static const char central_europe[] = "CET-1CEST,M3.5.0,M10.5.0/3";

static int64_t at(const char *text)
{
	int64_t ms;

	assert_int_equal(time_parse(bytes_str(text), &ms), 0);
	return ms;
}

static void full_readings(void **state)
{
	struct schedule never = {.kind = SCHEDULE_OFF}, hourly = {.kind = SCHEDULE_HOURLY},
			daily = {.kind = SCHEDULE_DAILY, .minute = 120},
			sundays = {.kind = SCHEDULE_WEEKLY, .minute = 180},
			fridays = {.kind = SCHEDULE_WEEKLY, .weekday = 5};

	(void)state;
	assert_true(schedule_next(&never, NULL, FRIDAY) == TIME_NONE);
	assert_true(schedule_next(&hourly, NULL, FRIDAY) == FRIDAY + HOUR);
	assert_true(schedule_next(&hourly, NULL, FRIDAY + 1) == FRIDAY + HOUR);
	assert_true(schedule_next(&daily, NULL, FRIDAY) == FRIDAY + 2 * HOUR);
	assert_true(schedule_next(&daily, NULL, FRIDAY + 2 * HOUR) == FRIDAY + DAY + 2 * HOUR);
	assert_true(schedule_next(&daily, NULL, -DAY - 1) == -DAY + 2 * HOUR);
	assert_true(schedule_next(&sundays, NULL, FRIDAY) == FRIDAY + 2 * DAY + 3 * HOUR);
	assert_true(schedule_next(&fridays, NULL, FRIDAY - 1) == FRIDAY);
	assert_true(schedule_next(&fridays, NULL, FRIDAY) == FRIDAY + 7 * DAY);
}

/* Every moment of a schedule in a span, as text. */
static void runs(const struct schedule *s, const char *zone_text, const char *from, const char *to,
		 const char *const *expected)
{
	struct zone *zone;
	struct why why;
	char text[TIME_TEXT_MAX];

	assert_int_equal(zone_load(bytes_str(zone_text), &zone, &why), 0);
	for (int64_t t = schedule_next(s, zone, at(from) - 1); t < at(to);
	     t = schedule_next(s, zone, t)) {
		time_text(t, false, text);
		if (!*expected)
			fail_msg("%s is one too many", text);
		assert_string_equal(text, *expected++);
	}
	assert_null(*expected);
	zone_free(zone);
}

/* Clocks skip 02:00 to 03:00 on 2026-03-29, and show it twice on 2026-10-25. */
static void skipped_and_repeated(void **state)
{
	struct schedule daily = {.kind = SCHEDULE_DAILY, .minute = 150},
			hourly = {.kind = SCHEDULE_HOURLY}, cron = {.kind = SCHEDULE_CRON};
	struct why why;

	(void)state;
	runs(&daily, central_europe, "2026-03-28T00:00Z", "2026-03-31T00:00Z",
	     (const char *[]){"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z",
			      "2026-03-30T00:30:00Z", NULL});
	runs(&daily, central_europe, "2026-10-24T00:00Z", "2026-10-27T00:00Z",
	     (const char *[]){"2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z",
			      "2026-10-26T01:30:00Z", NULL});
	runs(&hourly, central_europe, "2026-10-24T23:30Z", "2026-10-25T03:00Z",
	     (const char *[]){"2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z",
			      "2026-10-25T02:00:00Z", NULL});
	assert_int_equal(cron_parse(bytes_str("*/20 2 * * *"), &cron.cron, &why), 0);
	runs(&cron, central_europe, "2026-03-29T00:00Z", "2026-03-30T00:00Z",
	     (const char *[]){"2026-03-29T01:00:00Z", NULL});
	runs(&cron, central_europe, "2026-10-25T00:00Z", "2026-10-25T12:00Z",
	     (const char *[]){"2026-10-25T00:00:00Z", "2026-10-25T00:20:00Z",
			      "2026-10-25T00:40:00Z", NULL});
}

static void cron_moments(void **state)
{
	static const struct {
		const char *cron, *from, *to;
		const char *expected[6];
	} cases[] = {
		{"0 12 * * *",
		 "2026-11-20T00:00Z",
		 "2026-11-22T00:00Z",
		 {"2026-11-20T12:00:00Z", "2026-11-21T12:00:00Z"}},
		{"5,10-12 0 * * *",
		 "2026-11-20T00:00Z",
		 "2026-11-21T00:00Z",
		 {"2026-11-20T00:05:00Z", "2026-11-20T00:10:00Z", "2026-11-20T00:11:00Z",
		  "2026-11-20T00:12:00Z"}},
		{"50/5 23 * * *",
		 "2026-11-20T00:00Z",
		 "2026-11-21T00:00Z",
		 {"2026-11-20T23:50:00Z", "2026-11-20T23:55:00Z"}},
		{"0 */12 * * *",
		 "2026-11-20T00:00Z",
		 "2026-11-21T00:00Z",
		 {"2026-11-20T00:00:00Z", "2026-11-20T12:00:00Z"}},
		/* Either day: the 1st, or a Monday. */
		{"0 0 1 * Mon",
		 "2026-11-28T00:00Z",
		 "2026-12-08T00:00Z",
		 {"2026-11-30T00:00:00Z", "2026-12-01T00:00:00Z", "2026-12-07T00:00:00Z"}},
		/* Both: a star in one of them restricts nothing, or only its steps. */
		{"0 0 * * fri-SUN",
		 "2026-11-20T00:00Z",
		 "2026-11-27T00:00Z",
		 {"2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"}},
		{"0 0 */7 * 7",
		 "2026-11-01T00:00Z",
		 "2026-12-01T00:00Z",
		 {"2026-11-01T00:00:00Z", "2026-11-08T00:00:00Z", "2026-11-15T00:00:00Z",
		  "2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"}},
		{"0 0 29 february *",
		 "2026-01-01T00:00Z",
		 "2033-01-01T00:00Z",
		 {"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schedule s = {.kind = SCHEDULE_CRON};
		struct why why = {""};
		const char *expected[7] = {NULL};
		memcpy(expected, cases[i].expected, sizeof cases[i].expected);
		if (cron_parse(bytes_str(cases[i].cron), &s.cron, &why))
			fail_msg("%s: %s", cases[i].cron, why.text);
		runs(&s, "UTC", cases[i].from, cases[i].to, expected);
	}
}

static void cron_complaints(void **state)
{
	static const struct {
		const char *cron, *words[2];
	} cases[] = {
		{"", {"something is missing in the minute", "position 1"}},
		{"0 0 * *", {"something is missing in the weekday (field 5", "position 8"}},
		{"60 0 * * *", {"out of range in the minute", "position 1"}},
		{"0 24 * * *", {"out of range in the hour", "position 3"}},
		{"0 0 0 * *", {"out of range in the day of the month", "position 5"}},
		{"0 0 1 13 *", {"out of range in the month", "write 1 to 12"}},
		{"0 0 * * 8", {"out of range in the weekday", "Sun"}},
		{"0 0 * Janu *", {"unknown word or sign in the month", "position 7"}},
		{"5-1 0 * * *", {"ends before it begins", "position 1"}},
		{"*/0 0 * * *", {"a step that is out of range", "position 3"}},
		{"1,, 0 * * *", {"unknown word or sign in the minute", "position 3"}},
		{"1x 0 * * *", {"unknown sign in the minute", "position 2"}},
		{"0 0 * * * *", {"more than five fields", "position 11"}},
		{"0 0 30 2 *", {"no such day ever comes", ""}},
		{"99999 0 * * *", {"too large a number", ""}},
		{"@daily", {"unknown word or sign", "position 1"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cron c;
		struct why why = {""};
		assert_int_equal(cron_parse(bytes_str(cases[i].cron), &c, &why), ERR_SYNTAX);
		for (int w = 0; w < 2; w++)
			if (!strstr(why.text, cases[i].words[w]))
				fail_msg("\"%s\" says \"%s\", not \"%s\"", cases[i].cron, why.text,
					 cases[i].words[w]);
	}
}

/* Within a tenth of the way and the bound, the same for the same seed, and not the same for all. */
static void spread(void **state)
{
	struct schedule daily = {.kind = SCHEDULE_DAILY}, often = {.kind = SCHEDULE_CRON};
	struct why why;
	bool differ = false;

	(void)state;
	assert_int_equal(cron_parse(bytes_str("* * * * *"), &often.cron, &why), 0);
	for (uint64_t seed = 1; seed < 100; seed++) {
		uint64_t hash = seed * UINT64_C(0x9e3779b97f4a7c15);
		int64_t a = schedule_spread(&daily, NULL, FRIDAY, 300000, hash);
		assert_true(a >= 0 && a < 300000);
		assert_true(a == schedule_spread(&daily, NULL, FRIDAY, 300000, hash));
		int64_t b = schedule_spread(&often, NULL, FRIDAY, 300000, hash);
		assert_true(b >= 0 && b < 6000);
		differ |= a > 60000;
	}
	assert_true(differ);
	assert_true(schedule_spread(&daily, NULL, FRIDAY, 300000, 0) == 0);
}

static void weeks(void **state)
{
	static const struct {
		const char *text, *inside[3], *outside[3];
	} cases[] = {
		{"any", {"2026-11-20T12:00Z"}, {NULL}},
		{"hourly 00-15", {"2026-11-20T12:00Z", "2026-11-20T12:14Z"}, {"2026-11-20T12:15Z"}},
		{"hourly 50-10",
		 {"2026-11-20T12:50Z", "2026-11-20T13:09Z"},
		 {"2026-11-20T12:10Z", "2026-11-20T12:49Z"}},
		{"22:00-06:00",
		 {"2026-11-20T22:00Z", "2026-11-21T05:59Z", "2026-11-22T00:00Z"},
		 {"2026-11-20T21:59Z", "2026-11-21T06:00Z"}},
		{"daily 20:00-24:00", {"2026-11-20T23:59Z"}, {"2026-11-21T00:00Z"}},
		/* Saturday's night ends on Sunday, and the week with it. */
		{"Sat 22:00-02:00", {"2026-11-21T22:00Z", "2026-11-22T01:59Z"}, {"2026-11-21T01:00Z"}},
		{"Mon-Fri 22:00-06:00, Sat, weekly sunday",
		 {"2026-11-20T23:00Z", "2026-11-21T12:00Z", "2026-11-22T12:00Z"},
		 {"2026-11-20T12:00Z", "2026-11-23T05:00Z"}},
		{"Fri-Mon", {"2026-11-23T12:00Z", "2026-11-20T12:00Z"}, {"2026-11-24T12:00Z"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct week w;
		struct why why = {""};
		if (week_parse(bytes_str(cases[i].text), &w, &why))
			fail_msg("%s: %s", cases[i].text, why.text);
		for (int t = 0; t < 3; t++) {
			if (cases[i].inside[t] && !week_holds(&w, NULL, at(cases[i].inside[t])))
				fail_msg("%s: %s is outside", cases[i].text, cases[i].inside[t]);
			if (cases[i].outside[t] && week_holds(&w, NULL, at(cases[i].outside[t])))
				fail_msg("%s: %s is inside", cases[i].text, cases[i].outside[t]);
		}
	}
}

static void weeks_by_local_clocks(void **state)
{
	struct week w;
	struct zone *zone;
	struct why why;

	(void)state;
	assert_int_equal(zone_load(bytes_str(central_europe), &zone, &why), 0);
	assert_int_equal(week_parse(bytes_str("02:00-03:00"), &w, &why), 0);
	assert_true(week_holds(&w, zone, at("2026-07-01T00:30Z")));
	assert_false(week_holds(&w, zone, at("2026-07-01T01:30Z")));
	assert_true(week_holds(&w, zone, at("2026-12-01T01:30Z")));
	/* Shown twice: open twice. */
	assert_true(week_holds(&w, zone, at("2026-10-25T00:30Z")));
	assert_true(week_holds(&w, zone, at("2026-10-25T01:30Z")));
	assert_false(week_holds(&w, zone, at("2026-10-25T02:00Z")));
	zone_free(zone);
}

static void week_complaints(void **state)
{
	static const char *const wrong[] = {
		"",
		"22:00",
		"22:00-25:00",
		"hourly",
		"hourly 10-10",
		"daily",
		"Mo",
		"Mon-Xyz",
		"Mon 22-06",
		"5",
		"22:00-22:00",
		"Mon,,Tue",
		"weekly",
		"weekly 22:00-06:00",
		"24:01-01:00",
		"always",
		"hourly 61-05",
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct week w;
		struct why why = {""};
		if (week_parse(bytes_str(wrong[i]), &w, &why) != ERR_SYNTAX)
			fail_msg("\"%s\" is taken", wrong[i]);
		assert_non_null(strstr(why.text, "position"));
		assert_non_null(strstr(why.text, "write hourly MM-MM"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_readings),
		cmocka_unit_test(skipped_and_repeated),
		cmocka_unit_test(cron_moments),
		cmocka_unit_test(cron_complaints),
		cmocka_unit_test(spread),
		cmocka_unit_test(weeks),
		cmocka_unit_test(weeks_by_local_clocks),
		cmocka_unit_test(week_complaints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
