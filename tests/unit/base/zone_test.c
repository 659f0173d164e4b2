/*
 * zone_test: offsets and wall times around clock changes, names that are none, files that are damaged. What needs tzdata is skipped
 * where it is not installed.
 */
#include <base/zone.h>

#include <base/clock.h>
#include <base/files.h>

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <setjmp.h>
#include <unistd.h>
#include <cmocka.h>

#include "skip.h"

static int64_t at(const char *text)
{
	int64_t ms;

	assert_int_equal(time_parse(bytes_str(text), &ms), 0);
	return ms;
}

#define NO_DATA "no time zone data under /usr/share/zoneinfo"

static struct zone *load(const char *name)
{
	struct zone *z = NULL;
	struct why why = {""};

	if (strchr(name, '/') && access("/usr/share/zoneinfo/Europe", F_OK) != 0)
		skip_because(NO_DATA);
	if (zone_load(bytes_str(name), &z, &why))
		fail_msg("%s: %s", name, why.text);
	return z;
}

static void test_utc_needs_nothing(void **state)
{
	static const char *const names[] = {"UTC", "Z", "GMT", "Etc/UTC", "utc"};

	(void)state;
	setenv("TZDIR", "/nonexistent", 1);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct zone *z = NULL;
		assert_int_equal(zone_load(bytes_str(names[i]), &z, NULL), 0);
		assert_int_equal(zone_offset_s(z, 0), 0);
		assert_int_equal(zone_utc_ms(z, 12345), 12345);
		assert_string_equal(zone_name(z), "UTC");
		zone_free(z);
	}
	struct zone *z = NULL;
	struct why why;
	assert_int_equal(zone_load(bytes_str("Europe/Berlin"), &z, &why), ERR_NOTFOUND);
	assert_non_null(strstr(why.text, "tzdata"));
	unsetenv("TZDIR");
	assert_int_equal(zone_offset_s(NULL, 0), 0);
	assert_int_equal(zone_utc_ms(NULL, -7), -7);
	assert_string_equal(zone_name(NULL), "UTC");
	zone_free(NULL);
}

static void offsets(const char *zone, const char *rule)
{
	struct zone *z = load(zone), *r = load(rule);

	for (int64_t ms = at("2020-01-01"); ms < at("2036-01-01"); ms += 3600000)
		assert_int_equal(zone_offset_s(z, ms), zone_offset_s(r, ms));
	zone_free(z);
	zone_free(r);
}

static void test_rules_agree_with_files(void **state)
{
	(void)state;
	offsets("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3");
	offsets("America/New_York", "EST5EDT,M3.2.0,M11.1.0");
	offsets("Australia/Sydney", "AEST-10AEDT,M10.1.0,M4.1.0/3");
	offsets("Asia/Kolkata", "IST-5:30");
	offsets("America/St_Johns", "NST3:30NDT,M3.2.0,M11.1.0");
}

static void change(const char *zone, const char *wall, const char *utc)
{
	struct zone *z = load(zone);
	char got[TIME_TEXT_MAX];

	time_text(zone_utc_ms(z, at(wall)), false, got);
	zone_free(z);
	if (strcmp(got, utc) != 0)
		fail_msg("%s in %s is %s, not %s", wall, zone, got, utc);
}

static void test_clock_changes(void **state)
{
	(void)state;
	change("Europe/Berlin", "2026-01-15T12:00:00.5", "2026-01-15T11:00:00.500Z");
	change("Europe/Berlin", "2026-07-15T12:00", "2026-07-15T10:00:00Z");
	change("Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T00:59:59Z");
	change("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00:00Z"); /* skipped */
	change("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00:00Z");
	change("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00:00Z");
	change("Europe/Berlin", "2026-10-25T01:59:59", "2026-10-24T23:59:59Z");
	change("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z"); /* twice: the first */
	change("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00:00Z");
	change("America/Sao_Paulo", "2017-10-15T00:00", "2017-10-15T03:00:00Z"); /* midnight was skipped */
	change("America/Sao_Paulo", "2017-10-15T00:30", "2017-10-15T03:00:00Z");
	change("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00:00Z"); /* the day was skipped */
	change("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30:00Z"); /* half an hour */
	change("Europe/Berlin", "1800-01-01T00:00", "1799-12-31T23:06:32Z"); /* before there were zones */
	change("Europe/Berlin", "2400-07-01T00:00", "2400-06-30T22:00:00Z");
	change("Africa/Casablanca", "2026-06-01T00:00", "2026-05-31T23:00:00Z");
}

/* The C library as the oracle. */
static void test_against_localtime(void **state)
{
	static const char *const zones[] = {"Europe/Dublin",    "America/Los_Angeles",
					    "Asia/Tehran",      "Africa/Cairo",
					    "Antarctica/Troll", "Pacific/Chatham",
					    "America/Nuuk",     "Asia/Gaza"};

	(void)state;
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
		struct zone *z = load(zones[i]);
		setenv("TZ", zones[i], 1);
		tzset();
		for (int64_t ms = at("1960-01-01"); ms < at("2050-01-01"); ms += 7 * 3600000) {
			time_t s = (time_t)(ms / 1000);
			struct tm tm;
			localtime_r(&s, &tm);
			if (tm.tm_gmtoff != zone_offset_s(z, ms))
				fail_msg("%s at %lld: %d", zones[i], (long long)s,
					 zone_offset_s(z, ms));
			/* Not within the hours that come twice: the wall time leads back. */
			int64_t back = zone_utc_ms(z, ms + tm.tm_gmtoff * 1000);
			assert_true(back == ms || (back < ms && back > ms - 86400000));
		}
		zone_free(z);
	}
	unsetenv("TZ");
	tzset();
}

static void test_names_that_are_none(void **state)
{
	static const char *const names[] = {"Europe/Berlim",
					    "../../etc/passwd",
					    "/etc/passwd",
					    "Europe",
					    "Europe/",
					    "tzdata.zi",
					    "leapseconds",
					    "zone.tab",
					    "CET-1CEST,M13.5.0,M10.5.0",
					    "CET-1CEST",
					    "AB-1",
					    "CET-25",
					    "<+05>5;",
					    "A/../B",
					    "Europe/Berlin\n",
					    "\xff\xfe"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct zone *z = NULL;
		struct why why = {""};
		assert_int_equal(zone_load(bytes_str(names[i]), &z, &why), ERR_NOTFOUND);
		assert_null(z);
		assert_true(why.text[0]);
	}
	assert_int_equal(zone_load(bytes_str(""), &(struct zone *){NULL}, NULL), ERR_INVALID);
	char longer[ZONE_NAME_MAX + 1];
	memset(longer, 'A', sizeof longer);
	assert_int_equal(zone_load(bytes_of(longer, sizeof longer), &(struct zone *){NULL}, NULL),
			 ERR_INVALID);
}

static void test_local(void **state)
{
	struct zone *z = NULL;

	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	assert_int_equal(zone_load(bytes_str("local"), &z, NULL), 0);
	assert_int_equal(zone_offset_s(z, at("2026-07-01")), 7200);
	zone_free(z);
	setenv("TZ", "", 1);
	assert_int_equal(zone_load(bytes_str("local"), &z, NULL), 0);
	assert_int_equal(zone_offset_s(z, at("2026-07-01")), 0);
	zone_free(z);
	unsetenv("TZ");
	assert_int_equal(zone_load(bytes_str("local"), &z, NULL), 0);
	zone_free(z);
}

static uint64_t hash_of(struct bytes tzif)
{
	struct zone *z = NULL;

	assert_int_equal(zone_decode(tzif, bytes_str("x"), &z, NULL), 0);
	uint64_t hash = zone_hash(z);
	zone_free(z);
	return hash;
}

/* What an update of the data changes is told apart, though the name is the same. */
static void test_hashes(void **state)
{
	struct zone *utc = load("UTC"), *rule = load("CET-1CEST,M3.5.0,M10.5.0/3");
	struct buf berlin = {0}, moscow = {0};

	(void)state;
	assert_true(zone_hash(NULL) == 0 && zone_hash(utc) == 0 && zone_hash(rule) == 0);
	zone_free(utc);
	zone_free(rule);
	if (file_read("/usr/share/zoneinfo/Europe/Berlin", ZONE_FILE_MAX, &berlin, NULL) ||
	    file_read("/usr/share/zoneinfo/Europe/Moscow", ZONE_FILE_MAX, &moscow, NULL)) {
		buf_release(&berlin);
		skip_because(NO_DATA);
	}
	assert_true(hash_of(buf_bytes(&berlin)) != 0);
	assert_true(hash_of(buf_bytes(&berlin)) == hash_of(buf_bytes(&berlin)));
	assert_true(hash_of(buf_bytes(&berlin)) != hash_of(buf_bytes(&moscow)));
	buf_release(&berlin);
	buf_release(&moscow);
}

/* Whatever is cut or turned around in a file, the answer is a zone or an error. */
static void test_damaged_files(void **state)
{
	struct buf file = {0};
	struct zone *z;

	(void)state;
	if (file_read("/usr/share/zoneinfo/Europe/Berlin", ZONE_FILE_MAX, &file, NULL))
		skip_because(NO_DATA);
	for (size_t cut = 0; cut < file.len; cut++) {
		uint8_t *copy = malloc(cut + 1);
		memcpy(copy, file.data, cut);
		assert_int_equal(zone_decode(bytes_of(copy, cut), bytes_str("x"), &z, NULL),
				 ERR_CORRUPT);
		free(copy);
	}
	for (size_t i = 0; i < file.len; i++)
		for (int flip = 1; flip < 256; flip <<= 1) {
			file.data[i] ^= (uint8_t)flip;
			if (zone_decode(buf_bytes(&file), bytes_str("x"), &z, NULL) == 0) {
				zone_utc_ms(z, at("2026-03-29T02:30"));
				zone_utc_ms(z, INT64_MIN);
				zone_offset_s(z, INT64_MAX);
				zone_free(z);
			}
			file.data[i] ^= (uint8_t)flip;
		}
	buf_release(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utc_needs_nothing),
		cmocka_unit_test(test_rules_agree_with_files),
		cmocka_unit_test(test_clock_changes),
		cmocka_unit_test(test_against_localtime),
		cmocka_unit_test(test_names_that_are_none),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_damaged_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
