/* pace: calls at once, by what the answers are like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pace.h"

static void answers(struct pace *p, int n, int64_t us)
{
	for (int i = 0; i < n; i++)
		pace_answered(p, us);
}

static void refusals_halve_and_answers_give_back(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, 8);
	assert_int_equal(pace_calls(&p), 8);
	pace_refused(&p, 0);
	assert_int_equal(pace_calls(&p), 4);
	/* Those that were under way with it say nothing new. */
	pace_refused(&p, 10);
	pace_refused(&p, 999);
	assert_int_equal(pace_calls(&p), 4);
	for (int i = 1; i < 10; i++)
		pace_refused(&p, i * 1000);
	assert_int_equal(pace_calls(&p), 1);
	answers(&p, 1, 20000);
	assert_int_equal(pace_calls(&p), 2);
	answers(&p, 3, 20000);
	assert_int_equal(pace_calls(&p), 3);
	answers(&p, 1000, 20000);
	assert_int_equal(pace_calls(&p), 8);
}

static void a_queue_makes_it_slower(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, 8);
	answers(&p, 100, 50000);
	/* Twice as long is no queue, nor is one slow answer among many. */
	answers(&p, 100, 100000);
	pace_answered(&p, 3000000);
	assert_int_equal(pace_calls(&p), 8);
	answers(&p, 60, 2000000);
	assert_in_range(pace_calls(&p), 1, 2);
	answers(&p, 200, 50000);
	assert_int_equal(pace_calls(&p), 8);
	/* A provider that has become slower for good is the usual in the end. */
	answers(&p, 3000, 2000000);
	assert_int_equal(pace_calls(&p), 8);
}

static void never_out_of_bounds(void **state)
{
	struct pace p;

	(void)state;
	for (unsigned max = 0; max < 3; max++) {
		pace_init(&p, max);
		for (int i = 0; i < 1000; i++) {
			if (i % 7 == 0)
				pace_refused(&p, i * 500);
			pace_answered(&p, (i * 7919) % 5000000);
			assert_in_range(pace_calls(&p), 1, max ? max : 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_halve_and_answers_give_back),
		cmocka_unit_test(a_queue_makes_it_slower),
		cmocka_unit_test(never_out_of_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
