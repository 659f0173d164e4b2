/*
 * interval_test: sets of spans, by example and against an array with a moment for each minute.
 */
#include <model/interval.h>

#include <codec/msgpack.h>

#include "support/spans.h"

#include <limits.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static void add(struct intervals *s, int start, int end, int as_of)
{
	assert_int_equal(
		intervals_add(s, (struct interval){minute(start), minute(end), minute(as_of)}), 0);
	assert_true(intervals_valid(s));
}

static void expect(struct intervals *s, const char *text)
{
	assert_string_equal(spans_text(s, true), text);
}

static void test_add(void **state)
{
	struct intervals s = {0};

	(void)state;
	add(&s, 10, 20, 1);
	add(&s, 30, 40, 1);
	expect(&s, "10..20@1 30..40@1");
	add(&s, 20, 25, 1); /* touches with the same as_of */
	expect(&s, "10..25@1 30..40@1");
	add(&s, 25, 30, 2); /* touches with another */
	expect(&s, "10..25@1 25..30@2 30..40@1");
	add(&s, 25, 30, 1); /* older: nothing */
	expect(&s, "10..25@1 25..30@2 30..40@1");
	add(&s, 0, 50, 1); /* older, but fills what is around */
	expect(&s, "0..25@1 25..30@2 30..50@1");
	add(&s, 10, 45, 3);
	expect(&s, "0..10@1 10..45@3 45..50@1");
	add(&s, 12, 12, 9);
	add(&s, 30, 12, 9);
	expect(&s, "0..10@1 10..45@3 45..50@1");
	add(&s, INT_MIN, INT_MAX, 2);
	expect(&s, "min..10@2 10..45@3 45..max@2");
	intervals_release(&s);
	assert_true(intervals_valid(&s));
}

static void test_remove(void **state)
{
	struct intervals s = {0};

	(void)state;
	assert_int_equal(intervals_remove(&s, minute(1), minute(2)), 0);
	add(&s, INT_MIN, INT_MAX, 1);
	assert_int_equal(intervals_remove(&s, minute(10), minute(20)), 0);
	expect(&s, "min..10@1 20..max@1");
	assert_int_equal(intervals_remove(&s, minute(20), minute(10)), 0);
	assert_int_equal(intervals_remove(&s, minute(10), minute(20)), 0);
	expect(&s, "min..10@1 20..max@1");
	assert_int_equal(intervals_remove(&s, minute(5), minute(30)), 0);
	expect(&s, "min..5@1 30..max@1");
	assert_int_equal(intervals_remove(&s, TIME_MIN, TIME_MAX), 0);
	expect(&s, "");
	intervals_release(&s);
}

static void test_contain_clip_gaps(void **state)
{
	struct intervals s = {0}, out = {0};

	(void)state;
	add(&s, 10, 20, 1);
	add(&s, 20, 30, 2);
	add(&s, 40, 50, 2);
	assert_true(intervals_contain(&s, minute(10), minute(30)));
	assert_true(intervals_contain(&s, minute(15), minute(25)));
	assert_true(intervals_contain(&s, minute(33), minute(33)));
	assert_false(intervals_contain(&s, minute(9), minute(11)));
	assert_false(intervals_contain(&s, minute(25), minute(45)));
	assert_false(intervals_contain(&s, minute(45), minute(51)));
	assert_int_equal(intervals_clip(&s, minute(15), minute(45), &out), 0);
	expect(&out, "15..20@1 20..30@2 40..45@2");
	intervals_release(&out);
	assert_int_equal(intervals_gaps(&s, TIME_MIN, minute(60), &out), 0);
	assert_string_equal(spans_text(&out, false), "min..10 30..40 50..60");
	assert_int_equal(out.items[0].as_of_ms, TIME_NONE);
	intervals_release(&out);
	assert_int_equal(intervals_gaps(&s, minute(12), minute(28), &out), 0);
	assert_int_equal(out.count, 0);
	intervals_release(&out);
	intervals_release(&s);
}

static void test_copy(void **state)
{
	struct intervals a = {0}, b = {0};

	(void)state;
	add(&b, 0, 5, 1);
	add(&b, 7, 9, 1);
	add(&a, 10, 20, 1);
	assert_int_equal(intervals_copy(&a, &b), 0);
	expect(&b, "10..20@1");
	assert_int_equal(intervals_copy(&b, &b), 0);
	expect(&b, "10..20@1");
	intervals_release(&a);
	assert_int_equal(intervals_copy(&a, &b), 0);
	assert_int_equal(b.count, 0);
	intervals_release(&b);
}

/* A set that is full stays as it is, and still takes what makes it no larger. */
static void test_limit(void **state)
{
	struct intervals s = {0};

	(void)state;
	for (int i = 0; i < INTERVALS_MAX; i++)
		add(&s, 2 * i, 2 * i + 1, 1);
	struct interval more = {minute(-5), minute(-4), minute(1)};
	assert_int_equal(intervals_add(&s, more), ERR_LIMIT);
	more = (struct interval){minute(3 * INTERVALS_MAX), minute(3 * INTERVALS_MAX + 1), minute(1)};
	assert_int_equal(intervals_add(&s, more), ERR_LIMIT);
	more = (struct interval){minute(0), minute(2 * INTERVALS_MAX),
				 minute(0)}; /* between all of them */
	assert_int_equal(intervals_add(&s, more), ERR_LIMIT);
	assert_int_equal(s.count, INTERVALS_MAX);
	assert_true(intervals_valid(&s));
	more.as_of_ms = minute(2);
	assert_int_equal(intervals_add(&s, more), 0);
	assert_int_equal(s.count, 1);
	intervals_release(&s);
}

static void test_valid(void **state)
{
	struct interval good[] = {{0, 5, 1}, {5, 9, 2}, {10, 11, 2}};
	struct interval touching[] = {{0, 5, 1}, {5, 9, 1}};
	struct interval crossing[] = {{0, 5, 1}, {4, 9, 2}};
	struct interval empty[] = {{5, 5, 1}};
	struct interval unknown[] = {{TIME_NONE, 5, 1}};

	(void)state;
	assert_true(intervals_valid(&(struct intervals){good, 3, 3}));
	assert_false(intervals_valid(&(struct intervals){touching, 2, 2}));
	assert_false(intervals_valid(&(struct intervals){crossing, 2, 2}));
	assert_false(intervals_valid(&(struct intervals){empty, 1, 1}));
	assert_false(intervals_valid(&(struct intervals){unknown, 1, 1}));
}

static void test_encoding(void **state)
{
	struct intervals s = {0}, back = {0};
	struct buf out = {0};

	(void)state;
	intervals_encode(&s, &out);
	assert_int_equal(intervals_decode(buf_bytes(&out), &back), 0);
	assert_int_equal(back.count, 0);
	buf_reset(&out);
	add(&s, INT_MIN, 5, 7);
	add(&s, 5, 8, 6);
	add(&s, 9, INT_MAX, 7);
	intervals_encode(&s, &out);
	assert_int_equal(intervals_decode(buf_bytes(&out), &back), 0);
	expect(&back, "min..5@7 5..8@6 9..max@7");
	for (size_t cut = 0; cut < out.len; cut++) {
		struct intervals none = {0};
		assert_int_equal(intervals_decode(bytes_of(out.data, cut), &none), ERR_CORRUPT);
	}
	mp_put_nil(&out); /* something behind it */
	assert_int_equal(intervals_decode(buf_bytes(&out), &back), ERR_CORRUPT);
	expect(&back, "min..5@7 5..8@6 9..max@7");
	intervals_release(&back);
	intervals_release(&s);
	buf_release(&out);
}

static void test_decode_rejects(void **state)
{
	static const char *const bad[] = {
		"\x91\x93\x05\x05\x01",                 /* empty span */
		"\x92\x93\x00\x05\x01\x93\x05\x09\x01", /* should be one */
		"\x92\x93\x05\x09\x01\x93\x00\x05\x01", /* not sorted */
		"\x91\x92\x01\x05",                     /* two numbers */
		"\x91\x93\x01\x05\xc0",                 /* not a number */
		"\x80",                                 /* not an array */
	};
	struct intervals out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		size_t len = i == 0 ? 5 : i < 3 ? 9 : i == 3 ? 4 : i == 4 ? 5 : 1;
		assert_int_equal(intervals_decode(bytes_of(bad[i], len), &out), ERR_CORRUPT);
	}
}

/* --- against the slow way --------------------------------------------------------------------------------------- */

#define MINUTES 120

static void slow_compare(const struct intervals *s, const int *as_of)
{
	struct intervals rebuilt = {0};

	assert_true(intervals_valid(s));
	for (int m = 0; m < MINUTES; m++)
		if (as_of[m] >= 0)
			add(&rebuilt, m, m + 1, as_of[m]);
	assert_int_equal(rebuilt.count, s->count);
	for (size_t i = 0; i < s->count; i++)
		assert_memory_equal(&rebuilt.items[i], &s->items[i], sizeof *s->items);
	intervals_release(&rebuilt);
}

static void slow_ask(const struct intervals *s, const int *as_of, int start, int end)
{
	struct intervals clip = {0}, gaps = {0};
	bool all = true;

	assert_int_equal(intervals_clip(s, minute(start), minute(end), &clip), 0);
	assert_int_equal(intervals_gaps(s, minute(start), minute(end), &gaps), 0);
	assert_true(intervals_valid(&clip) && intervals_valid(&gaps));
	for (int m = 0; m < MINUTES; m++) {
		bool asked = m >= start && m < end, in = as_of[m] >= 0;
		all = all && (!asked || in);
		assert_int_equal(intervals_contain(&clip, minute(m), minute(m + 1)), asked && in);
		assert_int_equal(intervals_contain(&gaps, minute(m), minute(m + 1)), asked && !in);
	}
	assert_int_equal(intervals_contain(s, minute(start), minute(end)), all || start >= end);
	intervals_release(&clip);
	intervals_release(&gaps);
}

static void test_random(void **state)
{
	struct dice dice = {20241220};

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct intervals s = {0};
		int as_of[MINUTES];
		memset(as_of, -1, sizeof as_of);
		for (int step = 0; step < 40; step++) {
			int start = (int)dice_roll(&dice, MINUTES),
			    end = start + (int)dice_roll(&dice, 25);
			int moment = (int)dice_roll(&dice, 4);
			bool take_out = dice_roll(&dice, 3) == 0;
			if (end > MINUTES)
				end = MINUTES;
			if (take_out)
				assert_int_equal(intervals_remove(&s, minute(start), minute(end)), 0);
			else
				add(&s, start, end, moment);
			for (int m = start; m < end; m++)
				as_of[m] = take_out ? -1 : moment > as_of[m] ? moment : as_of[m];
			slow_compare(&s, as_of);
			slow_ask(&s, as_of, (int)dice_roll(&dice, MINUTES),
				 (int)dice_roll(&dice, MINUTES));
		}
		intervals_release(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_contain_clip_gaps),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_encoding),
		cmocka_unit_test(test_decode_rejects),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
