/*
 * coverage_test: held spans and the chain, by example. tests/unit/model/oracle_test.c holds them against the slow way.
 */
#include <model/coverage.h>

#include <codec/msgpack.h>

#include "support/spans.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static void expect_known(const struct coverage *c, enum axis axis, const char *text)
{
	struct intervals known = {0};

	assert_int_equal(coverage_known(c, axis, &known), 0);
	assert_true(intervals_valid(&known));
	assert_string_equal(spans_text(&known, true), text);
	intervals_release(&known);
}

static void test_empty(void **state)
{
	struct coverage c;

	(void)state;
	coverage_init(&c);
	assert_int_equal(coverage_end(&c), TIME_NONE);
	expect_known(&c, AXIS_CREATED, "");
	expect_known(&c, AXIS_UPDATED, "");
	assert_true(coverage_ratio(&c, 0, 1) == 0);
	assert_true(coverage_ratio(&c, 1, 1) == 1);
	assert_int_equal(coverage_chain_extend(&c, 0, 1), ERR_INVALID);
	coverage_release(&c);
}

static void test_future_is_not_claimed(void **state)
{
	struct coverage c;

	(void)state;
	coverage_init(&c);
	spans_hold(&c, "0..1440@600");
	assert_string_equal(spans_text(&c.held, true), "0..600@600");
	spans_hold(&c, "700..800@650"); /* nothing of it was there when it was read */
	assert_string_equal(spans_text(&c.held, true), "0..600@600");
	coverage_release(&c);
}

static void test_chain(void **state)
{
	struct coverage c;

	(void)state;
	coverage_init(&c);
	coverage_chain_start(&c, minute(500));
	assert_int_equal(coverage_chain_extend(&c, minute(501), minute(600)), ERR_INVALID);
	assert_int_equal(c.held.count, 0);
	assert_int_equal(coverage_chain_extend(&c, minute(495), minute(600)), 0); /* with look-back */
	assert_string_equal(spans_text(&c.held, true), "495..600@600");
	spans_hold(&c, "0..495@550"); /* a backfill during the chain is as fresh as its end */
	assert_string_equal(spans_text(&c.held, true), "0..600@600");
	assert_int_equal(coverage_chain_extend(&c, minute(400), minute(550)), 0);
	assert_int_equal(c.chain_end_ms, minute(600));
	assert_int_equal(coverage_chain_extend(&c, minute(595), minute(700)), 0);
	assert_string_equal(spans_text(&c.held, true), "0..700@700");
	assert_int_equal(coverage_end(&c), minute(700));
	coverage_release(&c);
}

/* Ten thousand runs must not leave ten thousand spans. */
static void test_chain_stays_one_span(void **state)
{
	struct coverage c;

	(void)state;
	coverage_init(&c);
	coverage_chain_start(&c, minute(0));
	for (int i = 1; i <= 2 * INTERVALS_MAX; i++)
		assert_int_equal(coverage_chain_extend(&c, minute(5 * i - 10), minute(5 * i)), 0);
	assert_int_equal(c.held.count, 1);
	coverage_release(&c);
}

static void test_broken_chain_keeps_what_it_proved(void **state)
{
	struct coverage c;

	(void)state;
	coverage_init(&c);
	coverage_chain_start(&c, minute(100));
	spans_hold(&c, "0..100@120");
	assert_int_equal(coverage_chain_extend(&c, minute(100), minute(200)), 0);
	coverage_chain_start(&c, minute(300));
	assert_string_equal(spans_text(&c.held, true), "0..200@200");
	assert_int_equal(coverage_as_of(&c, c.held.items[0]), minute(200));
	assert_int_equal(coverage_chain_extend(&c, minute(300), minute(400)), 0);
	assert_string_equal(spans_text(&c.held, true), "0..200@200 300..400@400");
	/* The update axis ends at the hole. */
	expect_known(&c, AXIS_CREATED, "0..200@200 300..400@400");
	expect_known(&c, AXIS_UPDATED, "0..200@200");
	spans_hold(&c, "200..300@350");
	assert_string_equal(spans_text(&c.held, true), "0..200@200 200..400@400");
	/* Updates in [200, 300) of what was created before 200 were never taken; those in the chain were. */
	expect_known(&c, AXIS_UPDATED, "0..200@200 300..400@400");
	spans_hold(&c, "0..200@380");
	expect_known(&c, AXIS_UPDATED, "0..400@400");
	coverage_release(&c);
}

/* What was read from disk need not have been written by us: an as_of inside the chain is worth the chain's end. */
static void test_decoded_as_of_in_the_chain(void **state)
{
	struct coverage c;
	struct buf out = {0};

	(void)state;
	coverage_init(&c);
	assert_int_equal(
		intervals_add(&c.held, (struct interval){minute(0), minute(100), minute(120)}), 0);
	c.chain_start_ms = minute(110);
	c.chain_end_ms = minute(200);
	coverage_encode(&c, &out);
	coverage_release(&c);
	assert_int_equal(coverage_decode(buf_bytes(&out), &c), 0);
	expect_known(&c, AXIS_CREATED, "0..100@200");
	coverage_chain_start(&c, minute(300));
	expect_known(&c, AXIS_CREATED, "0..100@200");
	coverage_release(&c);
	buf_release(&out);
}

static void test_withdraw(void **state)
{
	struct coverage c;

	(void)state;
	coverage_init(&c);
	spans_hold(&c, "0..600@600");
	assert_int_equal(coverage_withdraw(&c, minute(100), minute(150)), 0);
	expect_known(&c, AXIS_CREATED, "0..100@600 150..600@600");
	expect_known(&c, AXIS_UPDATED, "0..100@600");
	assert_true(coverage_ratio(&c, minute(0), minute(200)) == 0.75);
	assert_int_equal(coverage_withdraw(&c, TIME_MIN, minute(100)), 0);
	expect_known(&c, AXIS_UPDATED, "150..600@600"); /* the lowest span now */
	coverage_release(&c);
}

static void test_ratio_of_open_spans(void **state)
{
	struct coverage c;

	(void)state;
	coverage_init(&c);
	spans_hold(&c, "min..600@600");
	assert_true(coverage_ratio(&c, minute(-100000), minute(600)) == 1);
	double all = coverage_ratio(&c, TIME_MIN, TIME_MAX);
	assert_true(all > 0.4 && all < 0.6);
	coverage_release(&c);
}

static void test_copy(void **state)
{
	struct coverage a, b;

	(void)state;
	coverage_init(&a);
	coverage_init(&b);
	spans_hold(&b, "0..5@5");
	coverage_chain_start(&a, minute(1));
	spans_hold(&a, "7..9@9");
	assert_int_equal(coverage_copy(&a, &b), 0);
	assert_string_equal(spans_text(&b.held, true), "7..9@9");
	assert_int_equal(b.chain_end_ms, minute(1));
	coverage_release(&a);
	coverage_release(&b);
	assert_int_equal(b.chain_end_ms, TIME_NONE);
}

static void test_encoding(void **state)
{
	struct coverage c, back;
	struct buf out = {0};

	(void)state;
	coverage_init(&c);
	coverage_encode(&c, &out);
	assert_int_equal(coverage_decode(buf_bytes(&out), &back), 0);
	assert_int_equal(back.held.count, 0);
	assert_int_equal(back.chain_start_ms, TIME_NONE);
	buf_reset(&out);
	spans_hold(&c, "min..5@9 7..9@9");
	coverage_chain_start(&c, minute(12));
	coverage_encode(&c, &out);
	assert_int_equal(coverage_decode(buf_bytes(&out), &back), 0);
	assert_string_equal(spans_text(&back.held, true), "min..5@9 7..9@9");
	assert_int_equal(back.chain_start_ms, minute(12));
	assert_int_equal(back.chain_end_ms, minute(12));
	coverage_release(&back);
	for (size_t cut = 0; cut < out.len; cut++)
		assert_int_equal(coverage_decode(bytes_of(out.data, cut), &back), ERR_CORRUPT);
	coverage_release(&c);
	buf_release(&out);
}

static void test_decode_rejects(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
		{"\x93\x90\x05\xc0", 4},     /* half a chain */
		{"\x93\x90\x05\x04", 4},     /* ends before it starts */
		{"\x93\x90\xc0\xc0\xc0", 5}, /* something behind it */
		{"\x93\xc0\xc0\xc0", 4},     /* held is no array */
		{"\x92\x90\xc0", 3},         /* two items */
		{"\x93\x91\x93\x00\x05\xd3\x80\0\0\0\0\0\0\0\xc0\xc0", 16}, /* held as of nothing */
	};
	struct coverage c;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(coverage_decode(bytes_of(bad[i].bytes, bad[i].len), &c), ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_future_is_not_claimed),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_chain_stays_one_span),
		cmocka_unit_test(test_broken_chain_keeps_what_it_proved),
		cmocka_unit_test(test_decoded_as_of_in_the_chain),
		cmocka_unit_test(test_withdraw),
		cmocka_unit_test(test_ratio_of_open_spans),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_encoding),
		cmocka_unit_test(test_decode_rejects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
