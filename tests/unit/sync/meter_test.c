/* meter: answers by status and duration, and time that was waited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meter.h"

static void answers_are_counted_once_each(void **state)
{
	static const int statuses[] = {200, 204, 301, 404, 429, 503, 0, 99, 600};
	static const uint64_t codes[SYNC_CODES] = {3, 0, 2, 1, 2, 1};
	struct sync_calls calls;
	struct meter m;

	(void)state;
	meter_init(&m);
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		meter_answered(&m, statuses[i], 1000);
	meter_read(&m, 0, &calls);
	for (size_t i = 0; i < SYNC_CODES; i++)
		assert_int_equal(calls.codes[i], codes[i]);
	assert_int_equal(calls.durations[0], 9);
	assert_int_equal(calls.duration_us, 9000);
}

static void a_bucket_holds_what_took_no_longer_than_its_bound(void **state)
{
	struct sync_calls calls;
	struct meter m;

	(void)state;
	meter_init(&m);
	for (size_t i = 0; i < SYNC_BUCKETS; i++) {
		meter_answered(&m, 200, sync_bucket_ms[i] * 1000);
		meter_answered(&m, 200, sync_bucket_ms[i] * 1000 + 1);
	}
	meter_answered(&m, 0, -5);
	meter_read(&m, 0, &calls);
	assert_int_equal(calls.durations[0], 2);
	for (size_t i = 1; i < SYNC_BUCKETS; i++)
		assert_int_equal(calls.durations[i], 2);
	assert_int_equal(calls.durations[SYNC_BUCKETS], 1);
}

static void waiting_together_is_waited_once(void **state)
{
	struct sync_calls calls;
	struct meter m;

	(void)state;
	meter_init(&m);
	meter_go(&m, 50);
	meter_hold(&m, 100);
	meter_hold(&m, 600);
	meter_read(&m, 1100, &calls);
	assert_int_equal(calls.waited_ms, 1000);
	meter_go(&m, 2100);
	meter_go(&m, 9000);
	meter_hold(&m, 10000);
	meter_go(&m, 10001);
	meter_read(&m, 20000, &calls);
	assert_int_equal(calls.waited_ms, 2001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_counted_once_each),
		cmocka_unit_test(a_bucket_holds_what_took_no_longer_than_its_bound),
		cmocka_unit_test(waiting_together_is_waited_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
