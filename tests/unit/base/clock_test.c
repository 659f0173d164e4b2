/*
 * clock_test: RFC 3339, HTTP dates, seconds and lengths of time; the C library's calendar as the oracle.
 */
#include <base/clock.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <setjmp.h>
#include <time.h>
#include <cmocka.h>

static void test_clocks(void **state)
{
	(void)state;
	assert_true(clock_wall_ms() > INT64_C(1700000000000));
	int64_t before = clock_mono_us();
	assert_true(clock_mono_us() >= before);
	assert_true(clock_mono_ms() >= before / 1000);
}

static void test_text(void **state)
{
	static const struct {
		int64_t ms;
		bool millis;
		const char *text;
	} rows[] = {
		{0, false, "1970-01-01T00:00:00Z"},
		{0, true, "1970-01-01T00:00:00.000Z"},
		{1, false, "1970-01-01T00:00:00.001Z"},
		{-1, false, "1969-12-31T23:59:59.999Z"},
		{-86400000, false, "1969-12-31T00:00:00Z"},
		{INT64_C(1795168295000), false, "2026-11-20T09:51:35Z"},
		{INT64_C(1709164800000), false, "2024-02-29T00:00:00Z"},
		{INT64_C(951782400000), false, "2000-02-29T00:00:00Z"},
		{INT64_C(-2203891200000), false, "1900-03-01T00:00:00Z"},
		{INT64_C(-62167219200000), false, "0000-01-01T00:00:00Z"},
		{INT64_C(-62167219200001), false, "0000-01-01T00:00:00Z"},
		{INT64_C(253402300799999), false, "9999-12-31T23:59:59.999Z"},
		{INT64_C(253402300800000), false, "9999-12-31T23:59:59.999Z"},
		{TIME_MIN, false, "0000-01-01T00:00:00Z"},
		{TIME_MAX, false, "9999-12-31T23:59:59.999Z"},
	};
	char text[TIME_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(time_text(rows[i].ms, rows[i].millis, text), rows[i].text);
}

static void test_calendar(void **state)
{
	char text[TIME_TEXT_MAX], want[64];

	(void)state;
	for (int64_t day = -800000; day < 2900000; day += 31) {
		int year, month, date;
		time_t seconds = (time_t)day * 86400;
		struct tm tm;
		gmtime_r(&seconds, &tm);
		date_of_days(day, &year, &month, &date);
		assert_int_equal(year, tm.tm_year + 1900);
		assert_int_equal(month, tm.tm_mon + 1);
		assert_int_equal(date, tm.tm_mday);
		assert_true(date_days(year, month, date) == day);
		if (year < 0 || year > 9999)
			continue;
		snprintf(want, sizeof want, "%04d-%02d-%02dT00:00:00Z", year, month, date);
		assert_string_equal(time_text(day * 86400000, false, text), want);
		int64_t back;
		assert_int_equal(time_parse(bytes_str(text), &back), 0);
		assert_true(back == day * 86400000);
	}
	assert_int_equal(date_month_days(2000, 2), 29);
	assert_int_equal(date_month_days(1900, 2), 28);
	assert_int_equal(date_month_days(2026, 12), 31);
}

/* With a date that is remembered as without one, whatever was written before. */
static void test_times_one_after_the_other(void **state)
{
	struct time_date last = {.known = false};
	char text[TIME_TEXT_MAX], want[TIME_TEXT_MAX];
	int64_t ms = 0;

	(void)state;
	time_write(&last, 86399999, text);
	assert_string_equal(text, "1970-01-01T23:59:59.999Z");
	for (unsigned i = 0; i < 20000; i++) {
		ms = (int64_t)((uint64_t)ms * 6364136223846793005u + 1442695040888963407u);
		int64_t near = i % 3 ? ms % 90000000 : i % 2 ? ms % INT64_C(300000000000000) : ms;
		time_write(&last, near, text);
		assert_string_equal(text, time_text(near, true, want));
		assert_int_equal(strlen(text), TIME_MILLIS_LEN);
	}
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{"2026-11-20T09:51:35Z", INT64_C(1795168295000)},
		{"2026-11-20t09:51:35z", INT64_C(1795168295000)},
		{"2026-11-20 09:51:35", INT64_C(1795168295000)},
		{"2026-11-20T10:51:35+01:00", INT64_C(1795168295000)},
		{"2026-11-20T06:21:35-0330", INT64_C(1795168295000)},
		{"2026-11-20T11:51:35+02", INT64_C(1795168295000)},
		{"2026-11-20T09:51:35.1Z", INT64_C(1795168295100)},
		{"2026-11-20T09:51:35.1239999Z", INT64_C(1795168295123)},
		{"2026-11-20T09:51Z", INT64_C(1795168260000)},
		{"2026-11-20", INT64_C(1795132800000)},
		{"1970-01-01T00:00:60Z", 60000},
		{"1969-12-31T23:59:59.5Z", -500},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t ms;
		assert_int_equal(time_parse(bytes_str(rows[i].text), &ms), 0);
		if (ms != rows[i].ms)
			fail_msg("%s: %lld", rows[i].text, (long long)ms);
	}
}

static void test_parse_refuses(void **state)
{
	static const char *const bad[] = {
		"",
		"2026",
		"2026-11",
		"2026-11-31",
		"2026-02-29",
		"2026-13-01",
		"2026-00-01",
		"2026-11-00",
		"26-11-20",
		"2026-11-20T",
		"2026-11-20T09",
		"2026-11-20T09:",
		"2026-11-20T24:00:00Z",
		"2026-11-20T09:60:00Z",
		"2026-11-20T09:51:61Z",
		"2026-11-20T09:51:35.Z",
		"2026-11-20T09:51:35Zx",
		"2026-11-20T09:51:35+1",
		"2026-11-20T09:51:35+24:00",
		"2026-11-20T09:51:35+01:60",
		"2026-11-20T09:51:35 +01:00",
		"2026-11-20x09:51",
		"2026-11-20T09:51.5Z", /* fractions of minutes are nobody's */
		" 2026-11-20",
		"2026-11-20 ",
		"+026-11-20",
		"2026-1-20",
	};
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (time_parse(bytes_str(bad[i]), &ms) != ERR_SYNTAX || ms != 7)
			fail_msg("'%s'", bad[i]);
	assert_int_equal(time_parse(bytes_of("2026-11-20\0", 11), &ms), ERR_SYNTAX);
	assert_int_equal(time_parse(bytes_of(NULL, 0), &ms), ERR_SYNTAX);
}

static void test_http(void **state)
{
	static const char *const bad[] = {
		"",
		"Fri, 20 Nov 2026 09:51:35",
		"Fri, 20 Nov 2026 09:51:35 UTC",
		"Fri, 20 Nov 2026 09:51:35 GMTx",
		"Fri, 31 Nov 2026 09:51:35 GMT",
		"Fri, 20 ovD 2026 09:51:35 GMT",
		"Fri, 20 nov 2026 09:51:35 GMT",
		"Fri, 20 Nov -026 09:51:35 GMT",
		"Fri, 20 Nov 2026 24:51:35 GMT",
		"Fri, 20 Nov 2026  9:51:35 GMT",
		"Friday, 20-Nov-26 09:51:35 GMT",
		"Fri Nov 20 09:51:35 2026",
	};
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (time_parse_http(bytes_str(bad[i]), &ms) != ERR_SYNTAX || ms != 7)
			fail_msg("'%s'", bad[i]);
	assert_int_equal(time_parse_http(bytes_str("Fri, 20 Nov 2026 09:51:35 GMT"), &ms), 0);
	assert_true(ms == INT64_C(1795168295000));
	assert_int_equal(time_parse_http(bytes_str("Thu, 01 Jan 1970 00:00:00 GMT"), &ms), 0);
	assert_true(ms == 0);
}

static void test_seconds(void **state)
{
	(void)state;
	assert_true(time_from_seconds(1701292649.333) == INT64_C(1701292649333));
	assert_true(time_from_seconds(-0.5) == -500);
	for (int i = 0; i < 1000; i++) {
		char text[32];
		double seconds;
		snprintf(text, sizeof text, "1795168295.%03d", i);
		assert_int_equal(sscanf(text, "%lf", &seconds), 1);
		assert_true(time_from_seconds(seconds) == INT64_C(1795168295000) + i);
	}
	assert_true(time_from_seconds(NAN) == TIME_NONE);
	assert_true(time_from_seconds(INFINITY) == TIME_NONE);
	assert_true(time_from_seconds(-1e300) == TIME_NONE);
	assert_true(time_from_seconds(253402300799.0) == INT64_C(253402300799000));
	assert_true(time_from_seconds(253402300800.0) == TIME_NONE);
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
		const char *again;
	} rows[] = {
		{"0", 0, "0"},
		{"0s", 0, "0"},
		{"250ms", 250, "250ms"},
		{"90s", 90000, "1m30s"},
		{"5m", 300000, "5m"},
		{"5min", 300000, "5m"},
		{"2h", 7200000, "2h"},
		{"400d", INT64_C(34560000000), "400d"},
		{"1w2d", INT64_C(777600000), "9d"},
		{"1h30m", 5400000, "1h30m"},
		{"1M", INT64_C(2592000000), "30d"},
		{"1y", INT64_C(31536000000), "365d"},
		{"10sec", 10000, "10s"},
		{"1d1h1m1s1ms", 90061001, "1d1h1m1s1ms"},
		{"9223372036854775807ms", INT64_MAX, "106751991167d7h12m55s807ms"},
	};
	static const char *const bad[] = {"",
					  "5",
					  "s",
					  "-5s",
					  "5x",
					  "5 s",
					  "5s ",
					  "1.5h",
					  "1h-5m",
					  "9223372036854775808ms",
					  "99999999999y",
					  "9223372036854775807ms1ms",
					  "5S"};
	char text[DURATION_TEXT_MAX];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(duration_parse(bytes_str(rows[i].text), &ms), 0);
		assert_true(ms == rows[i].ms);
		assert_string_equal(duration_text(ms, text), rows[i].again);
	}
	ms = 7;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (duration_parse(bytes_str(bad[i]), &ms) != ERR_SYNTAX || ms != 7)
			fail_msg("'%s'", bad[i]);
	assert_int_equal(duration_parse(bytes_of(NULL, 0), &ms), ERR_SYNTAX);
	assert_string_equal(duration_text(-5, text), "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clocks),    cmocka_unit_test(test_text),
		cmocka_unit_test(test_calendar),  cmocka_unit_test(test_times_one_after_the_other),
		cmocka_unit_test(test_parse),     cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_http),      cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
