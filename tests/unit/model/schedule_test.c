/* schedule: hours, days and weeks, at and around their moments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <model/schedule.h>

#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)

/* 2026-11-20 is a Friday. */
#define FRIDAY INT64_C(1795132800000)

static void full_readings(void **state)
{
	struct schedule never = {SCHEDULE_OFF, 0, 0}, hourly = {SCHEDULE_HOURLY, 0, 0},
			daily = {SCHEDULE_DAILY, 0, 120}, sundays = {SCHEDULE_WEEKLY, 0, 180},
			fridays = {SCHEDULE_WEEKLY, 5, 0};

	(void)state;
	assert_true(schedule_next(&never, FRIDAY) == TIME_NONE);
	assert_true(schedule_next(&hourly, FRIDAY) == FRIDAY + HOUR);
	assert_true(schedule_next(&hourly, FRIDAY + 1) == FRIDAY + HOUR);
	assert_true(schedule_next(&daily, FRIDAY) == FRIDAY + 2 * HOUR);
	assert_true(schedule_next(&daily, FRIDAY + 2 * HOUR) == FRIDAY + DAY + 2 * HOUR);
	assert_true(schedule_next(&sundays, FRIDAY) == FRIDAY + 2 * DAY + 3 * HOUR);
	assert_true(schedule_next(&fridays, FRIDAY - 1) == FRIDAY);
	assert_true(schedule_next(&fridays, FRIDAY) == FRIDAY + 7 * DAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_readings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
