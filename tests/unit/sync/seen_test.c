/* What a listing has shown: exact, and in bounded memory. */
#include "seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <base/err.h>

#include <malloc.h>
#include <stdio.h>

static uint64_t hash_at(uint64_t i)
{
	uint64_t z = i * UINT64_C(0x9e3779b97f4a7c15) + 1;

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void holds_what_was_added(void **state)
{
	struct seen s = {0};

	(void)state;
	assert_false(seen_has(&s, 0));
	for (uint64_t i = 0; i < 20000; i++) {
		assert_int_equal(seen_add(&s, hash_at(i), SEEN_MAX), 1);
		assert_int_equal(seen_add(&s, hash_at(i / 2), SEEN_MAX), 0);
	}
	assert_int_equal(s.count, 20000);
	for (uint64_t i = 0; i < 40000; i++)
		assert_int_equal(seen_has(&s, hash_at(i)), i < 20000);
	/* The ends of the range. */
	assert_int_equal(seen_add(&s, 0, SEEN_MAX), 1);
	assert_int_equal(seen_add(&s, UINT64_MAX, SEEN_MAX), 1);
	assert_true(seen_has(&s, 0) && seen_has(&s, UINT64_MAX));
	seen_release(&s);
	assert_int_equal(s.count, 0);
	assert_false(seen_has(&s, hash_at(1)));
}

static void takes_no_more_than_its_limit(void **state)
{
	struct seen s = {0};

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(seen_add(&s, hash_at(i), 100), 1);
	assert_int_equal(seen_add(&s, hash_at(100), 100), ERR_LIMIT);
	assert_int_equal(seen_add(&s, hash_at(7), 100), 0);
	assert_int_equal(s.count, 100);
	seen_release(&s);
}

static void marks_are_of_single_ids(void **state)
{
	struct seen s = {0};

	(void)state;
	assert_false(seen_mark(&s, hash_at(0)));
	for (uint64_t i = 0; i < 20000; i++) {
		assert_int_equal(seen_add(&s, hash_at(i), SEEN_MAX), 1);
		if (i % 3 == 0)
			assert_true(seen_mark(&s, hash_at(i)));
	}
	assert_int_equal(s.marked, 6667);
	for (uint64_t i = 0; i < 20000; i++) {
		assert_true(seen_has(&s, hash_at(i)));
		assert_int_equal(seen_add(&s, hash_at(i), SEEN_MAX), 0);
		assert_int_equal(seen_mark(&s, hash_at(i)), i % 3 != 0);
	}
	assert_int_equal(s.marked, 20000);
	assert_false(seen_mark(&s, hash_at(20000)));
	seen_mark_all(&s, false);
	assert_int_equal(s.marked, 0);
	for (uint64_t i = 0; i < 5; i++)
		assert_true(seen_mark(&s, hash_at(i * 4000)));
	seen_keep_marked(&s);
	assert_int_equal(s.count, 5);
	for (uint64_t i = 0; i < 20000; i++)
		assert_int_equal(seen_has(&s, hash_at(i)), i % 4000 == 0);
	assert_int_equal(seen_add(&s, hash_at(1), SEEN_MAX), 1);
	seen_mark_all(&s, true);
	assert_int_equal(s.marked, 6);
	seen_release(&s);
	assert_int_equal(s.marked, 0);
}

static void a_million_takes_eight_megabytes_at_most(void **state)
{
	size_t before = mallinfo2().uordblks;
	struct seen s = {0};

	(void)state;
	for (uint64_t i = 0; i < SEEN_MAX; i++)
		assert_int_equal(seen_add(&s, hash_at(i), SEEN_MAX), 1);
	size_t bytes = mallinfo2().uordblks - before;
	print_message("%zu bytes for %d ids\n", bytes, SEEN_MAX);
	/* A sanitizer's allocator says nothing. */
	assert_true(bytes <= 8u * SEEN_MAX);
	assert_true(seen_has(&s, hash_at(SEEN_MAX - 1)));
	assert_false(seen_has(&s, hash_at(SEEN_MAX)));
	seen_release(&s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_what_was_added),
		cmocka_unit_test(takes_no_more_than_its_limit),
		cmocka_unit_test(marks_are_of_single_ids),
		cmocka_unit_test(a_million_takes_eight_megabytes_at_most),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
