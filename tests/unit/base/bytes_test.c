/*
 * bytes_test: spans, buffers that grow and fail once, words of bytes, and the hash that is on disk.
 */
#include <base/bytes.h>

#include <base/err.h>

#include <stdarg.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

static void test_spans(void **state)
{
	(void)state;
	assert_true(bytes_equal(bytes_of(NULL, 0), bytes_str("")));
	assert_true(bytes_is(bytes_of("abc", 2), "ab"));
	assert_false(bytes_is(bytes_str("ab"), "abc"));
	assert_int_equal(bytes_str(NULL).len, 0);
	assert_true(bytes_has(bytes_str("a scroll exists"), "scroll"));
	assert_false(bytes_has(bytes_of("scrolls", 3), "scroll"));
	assert_false(bytes_has(bytes_of(NULL, 0), "scroll"));
	assert_true(bytes_has(bytes_of(NULL, 0), ""));
	assert_true(bytes_compare(bytes_str("a"), bytes_str("b")) < 0);
	assert_true(bytes_compare(bytes_str("ab"), bytes_str("a")) > 0);
	assert_true(bytes_compare(bytes_of(NULL, 0), bytes_str("a")) < 0);
	assert_true(bytes_compare(bytes_str("\xff"), bytes_str("a")) > 0);
	assert_int_equal(bytes_compare(bytes_of(NULL, 0), bytes_str("")), 0);
}

/* Written to disk: these never change. */
static void test_hash_is_for_ever(void **state)
{
	static const struct {
		const char *text;
		uint64_t hash;
	} known[] = {
		{"", UINT64_C(0x3da4588b8c08334f)},
		{"a", UINT64_C(0x839e6325cff62b54)},
		{"12345678", UINT64_C(0x4996ad528f98da9e)},
		{"conversation_215473", UINT64_C(0x0b0e1ca2bb958896)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		assert_true(bytes_hash(bytes_str(known[i].text)) == known[i].hash);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Every length and every bit counts: no two of many near neighbours are the same, in 64 bits or in the low or high 32. */
static void test_hash_spreads(void **state)
{
	enum { LENGTHS = 40, COUNT = LENGTHS * (LENGTHS + 1) / 2 * 8 + LENGTHS };
	static uint64_t seen[COUNT];
	uint8_t text[LENGTHS] = {0};
	size_t n = 0, low = 0;

	(void)state;
	for (size_t len = 0; len < LENGTHS; len++) {
		seen[n++] = bytes_hash(bytes_of(text, len));
		for (size_t bit = 0; bit < len * 8; bit++) {
			text[bit / 8] ^= (uint8_t)(1u << bit % 8);
			seen[n++] = bytes_hash(bytes_of(text, len));
			text[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
	qsort(seen, n, sizeof *seen, by_value);
	for (size_t i = 1; i < n; i++) {
		assert_true(seen[i] != seen[i - 1]);
		low += (seen[i] & 1);
	}
	assert_true(low > n / 3 && low < n * 2 / 3);
}

static void test_put(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_put_str(&b, "one");
	buf_put_byte(&b, ' ');
	buf_put_bytes(&b, bytes_str("two"));
	buf_printf(&b, " %d%s", 3, "");
	buf_put(&b, NULL, 0);
	assert_true(bytes_is(buf_bytes(&b), "one two 3"));
	assert_string_equal(buf_text(&b), "one two 3");
	assert_int_equal(b.len, 9);
	buf_consume(&b, 4);
	assert_string_equal(buf_text(&b), "two 3");
	buf_put_front(&b, bytes_str("of "));
	buf_put_front(&b, bytes_str(""));
	assert_string_equal(buf_text(&b), "of two 3");
	buf_consume(&b, 3);
	buf_consume(&b, 0);
	buf_consume(&b, 5);
	assert_string_equal(buf_text(&b), "");
	for (int i = 0; i < 100000; i++)
		buf_put_byte(&b, (uint8_t)i);
	assert_int_equal(b.len, 100000);
	assert_int_equal(b.data[99999], (uint8_t)99999);
	buf_reset(&b);
	assert_true(b.cap >= 100000);
	buf_put_str(&b, "x");
	buf_give_back(&b, 64);
	assert_true(b.cap <= 64 && b.len == 1 && b.data[0] == 'x');
	buf_give_back(&b, 0); /* does not fit: stays */
	assert_int_equal(b.len, 1);
	buf_reset(&b);
	buf_give_back(&b, 0);
	assert_null(b.data);
	buf_release(&b);
}

static void test_limit_sticks(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	buf_put_str(&b, "0123456");
	buf_put_str(&b, "789x");
	assert_int_equal(b.error, ERR_LIMIT);
	buf_put_str(&b, "7");
	buf_put_byte(&b, '7');
	assert_int_equal(buf_reserve(&b, 1), ERR_LIMIT);
	buf_printf(&b, "%d", 7);
	assert_true(bytes_is(bytes_of(b.data, 7), "0123456"));
	assert_true(b.cap <= 10);
	buf_reset(&b);
	assert_int_equal(b.error, 0);
	buf_put_str(&b, "0123456789");
	assert_int_equal(b.error, 0);
	assert_int_equal(b.len, 10);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), ERR_LIMIT);
	buf_release(&b);
	assert_int_equal(b.max, 10);
}

/* A buffer that is exactly full: printing into it fits, and reading it as text does not break it. */
static void test_full(void **state)
{
	struct buf b = {.max = 5};

	(void)state;
	buf_printf(&b, "%d", 12345);
	assert_int_equal(b.error, 0);
	assert_true(bytes_is(buf_bytes(&b), "12345"));
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(b.error, 0);
	buf_release(&b);
}

static void test_words(void **state)
{
	uint8_t at[16] = {0};

	(void)state;
	put_le64(at + 1, UINT64_C(0x0123456789abcdef));
	assert_int_equal(at[1], 0xef);
	assert_int_equal(at[8], 0x01);
	assert_true(le64(at + 1) == UINT64_C(0x0123456789abcdef));
	assert_true(le32(at + 1) == 0x89abcdef);
	assert_int_equal(le16(at + 1), 0xcdef);
	put_le32(at + 3, 0xfffffffe);
	assert_true(le32(at + 3) == 0xfffffffe);
	put_le16(at + 3, 0x8001);
	assert_int_equal(le16(at + 3), 0x8001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spans),        cmocka_unit_test(test_hash_is_for_ever),
		cmocka_unit_test(test_hash_spreads), cmocka_unit_test(test_put),
		cmocka_unit_test(test_limit_sticks), cmocka_unit_test(test_full),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
