/* spare: what waits for the next request, and what is not worth it. */
#include "spare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct buf filled(size_t len)
{
	struct buf b = {0};

	assert_int_equal(buf_reserve(&b, len), 0);
	buf_put_str(&b, "old");
	return b;
}

static void memory_is_used_again(void **state)
{
	struct spare s = {0};
	struct buf b = filled(100);
	const uint8_t *memory = b.data;

	(void)state;
	b.error = -1;
	spare_leave(&s.key, &b, 1000);
	assert_null(b.data);
	assert_true(s.key.data == memory && s.key.len == 0);
	spare_take(&s.key, &b);
	assert_true(b.data == memory && b.len == 0 && b.error == 0);
	assert_null(s.key.data);
	/* There is nothing more to be had. */
	struct buf second;
	spare_take(&s.key, &second);
	assert_true(second.data == NULL && second.cap == 0);
	buf_release(&b);
	spare_release(&s);
}

static void the_larger_one_waits(void **state)
{
	struct spare s = {0};
	struct buf small = filled(64), large = filled(600), huge = filled(5000);
	const uint8_t *memory = large.data;

	(void)state;
	spare_leave(&s.rows, &small, 1000);
	spare_leave(&s.rows, &large, 1000);
	assert_true(s.rows.data == memory);
	small = filled(64);
	spare_leave(&s.rows, &small, 1000);
	spare_leave(&s.rows, &huge, 1000);
	assert_true(s.rows.data == memory && small.data == NULL && huge.data == NULL);
	spare_release(&s);
	assert_null(s.rows.data);
}

static void arenas(void **state)
{
	struct spare s = {0};
	struct arena a = {0}, b = {0};

	(void)state;
	spare_leave_arena(&s.arena, &a);
	assert_null(s.arena.head);
	assert_non_null(arena_alloc(&a, 100));
	assert_non_null(arena_alloc(&b, 100));
	const struct arena_chunk *chunk = a.head;
	spare_leave_arena(&s.arena, &a);
	spare_leave_arena(&s.arena, &b);
	assert_true(s.arena.head == chunk && s.arena.used == 0);
	assert_true(a.head == NULL && b.head == NULL);
	spare_take_arena(&s.arena, &a);
	assert_true(a.head == chunk && s.arena.head == NULL);
	/* One that has grown is too much to wait with. */
	assert_non_null(arena_alloc(&a, 100000));
	spare_leave_arena(&s.arena, &a);
	assert_true(a.head == NULL && s.arena.head == NULL);
	spare_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_used_again),
		cmocka_unit_test(the_larger_one_waits),
		cmocka_unit_test(arenas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
