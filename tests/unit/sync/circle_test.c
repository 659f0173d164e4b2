/* A listing that goes round is found out, one that is long or shows much twice is not, and neither takes much memory. */
#include "circle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t hash_at(uint64_t i)
{
	uint64_t z = i * UINT64_C(0x9e3779b97f4a7c15) + 1;

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

#define PAGE      150
#define SLOTS_MAX 4096

/* Shows a page from there on, round a world of so many; whether it is found to be a circle. */
static bool page_closes(struct circle *c, uint64_t from, uint64_t world)
{
	for (uint64_t i = from; i < from + PAGE; i++)
		assert_int_equal(circle_show(c, hash_at(i % world)), 0);
	assert_true(c->ids.cap <= SLOTS_MAX);
	return circle_closed(c);
}

/* The page after which it is; 0: none of so many. */
static uint64_t closes_after(uint64_t step, uint64_t world, uint64_t pages)
{
	struct circle c = {0};
	uint64_t closed = 0;

	for (uint64_t i = 0; i < pages && !closed; i++)
		closed = page_closes(&c, i * step, world) ? i + 1 : 0;
	circle_release(&c);
	return closed;
}

static void a_long_listing_is_none(void **state)
{
	(void)state;
	assert_int_equal(closes_after(PAGE, UINT64_MAX, 20000), 0);
	/* Whose pages overlap by half. */
	assert_int_equal(closes_after(PAGE / 2, UINT64_MAX, 5000), 0);
}

/* All is changed while it is read, and shown again; and again. */
static void what_moves_is_shown_again(void **state)
{
	(void)state;
	for (uint64_t world = 300; world <= 300000; world *= 10)
		assert_int_equal(closes_after(PAGE, world, 3 * world / PAGE), 0);
}

static void a_circle_closes(void **state)
{
	(void)state;
	for (uint64_t world = PAGE; world <= 150000; world *= 10) {
		uint64_t pages = closes_after(PAGE, world, 100000), rounds = 4 * world / PAGE;
		assert_in_range(pages, rounds - rounds / 5, rounds + rounds / 2 + 10);
	}
}

/* No two are the same, and each has but one record that the one before it did not have. */
static void pages_that_slide_close(void **state)
{
	(void)state;
	assert_in_range(closes_after(1, 100000, 100000), 5, 30);
	assert_in_range(closes_after(1, UINT64_MAX, 100000), 5, 30);
	assert_in_range(closes_after(1, PAGE + 1, 100000), 5, 30);
	assert_in_range(closes_after(PAGE / 6, UINT64_MAX, 100000), 5, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_listing_is_none),
		cmocka_unit_test(what_moves_is_shown_again),
		cmocka_unit_test(a_circle_closes),
		cmocka_unit_test(pages_that_slide_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
