/*
 * arena_test: memory that is zeroed, aligned, bounded, and freed as a whole.
 */
#include <base/arena.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static void test_zeroed_and_aligned(void **state)
{
	struct arena a = {0};

	(void)state;
	for (size_t size = 0; size < 5000; size += 13) {
		uint8_t *p = arena_alloc(&a, size);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
	assert_true(a.used > 900000);
	arena_release(&a);
	assert_null(a.head);
	assert_int_equal(a.used, 0);
}

static void test_reset_reuses(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	arena_reset(&a);
	memset(arena_alloc(&a, 100), 0xff, 100);
	arena_alloc(&a, 1000000);
	arena_reset(&a);
	assert_int_equal(a.used, 0);
	const struct arena_chunk *kept = a.head;
	assert_non_null(kept);
	uint8_t *p = arena_alloc(&a, 1000);
	assert_ptr_equal(a.head, kept);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(p[i], 0);
	arena_release(&a);
	arena_release(&a);
}

static void test_limit(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 64);
	assert_non_null(arena_alloc(&a, 60)); /* rounded up to 64 */
	assert_null(arena_alloc(&a, 1));
	assert_null(arena_alloc(&a, SIZE_MAX));
	arena_reset(&a);
	assert_null(arena_alloc(&a, 65));
	assert_non_null(arena_alloc(&a, 64));
	arena_release(&a);
	assert_int_equal(a.max, 64);
}

static void test_copies(void **state)
{
	struct arena a = {0};
	char text[] = "text";

	(void)state;
	char *copy = arena_str(&a, bytes_of(text, 3));
	struct bytes b = arena_bytes(&a, bytes_str(text));
	text[0] = 'T';
	assert_string_equal(copy, "tex");
	assert_true(bytes_is(b, "text"));
	assert_string_equal(arena_str(&a, bytes_of(NULL, 0)), "");
	assert_int_equal(arena_bytes(&a, bytes_of(NULL, 0)).len, 0);
	arena_release(&a);
	struct arena full = {.max = 1};
	assert_null(arena_str(&full, bytes_str(text)));
	assert_null(arena_bytes(&full, bytes_str(text)).data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_and_aligned),
		cmocka_unit_test(test_reset_reuses),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
