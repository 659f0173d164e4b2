/* retry and hashset: the small pure pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hashset.h"
#include "sync_state.h"

static void retries(void **state)
{
	int64_t last = 0;

	(void)state;
	for (unsigned failures = 1; failures < 200; failures++) {
		int64_t delay = schedule_retry_ms(failures, 1000);
		assert_true(delay >= last && delay <= 15 * 60000);
		last = delay;
	}
	assert_int_equal(schedule_retry_ms(1, 1000), 30000);
	assert_int_equal(schedule_retry_ms(2, 1000), 60000);
	assert_int_equal(last, 15 * 60000);
	assert_true(schedule_retry_ms(1, 24 * 3600000) <= 15 * 60000);
	assert_true(schedule_retry_ms(4000000000u, 0) >= 0);
}

static void hashes(void **state)
{
	struct hashset s = {0};

	(void)state;
	assert_false(hashset_has(&s, 0));
	for (uint64_t i = 0; i < 5000; i++) {
		uint64_t hash = i * 64; /* all fall into few places */
		assert_false(i != 0 && hashset_has(&s, hash));
		assert_int_equal(hashset_add(&s, hash), 1);
		assert_int_equal(hashset_add(&s, hash), 0);
		assert_true(hashset_has(&s, hash));
	}
	assert_int_equal(s.count, 5000);
	assert_true(s.cap <= 16384);
	assert_false(hashset_has(&s, 63));
	hashset_release(&s);
	assert_int_equal(s.count, 0);
	assert_int_equal(hashset_add(&s, UINT64_MAX), 1);
	hashset_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retries),
		cmocka_unit_test(hashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
