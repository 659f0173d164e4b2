/* dead_test: a dead letter as it is kept, its schedule, and the times that it touches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <model/dead.h>

#include <stdlib.h>

static const struct dead_letter letter = {
	.resource = "conversations",
	.id = "42",
	.class = CLASS_NEVER,
	.reason = "refused",
	.asked = "GET /conversations/42",
	.status = 422,
	.answer = "{\"type\":\"error.list\"}",
	.created_ms = 1000,
	.updated_ms = 5000,
	.attempts = 3,
	.first_ms = 6000,
	.last_ms = 7000,
	.next_ms = 9000,
	.dropped = true,
};

static void kept_and_read(void **state)
{
	struct dead_letter got;
	struct buf out = {0};

	(void)state;
	dead_encode(&letter, &out);
	assert_int_equal(out.error, 0);
	assert_int_equal(dead_decode(buf_bytes(&out), &got), 0);
	assert_string_equal(got.resource, letter.resource);
	assert_string_equal(got.id, letter.id);
	assert_int_equal(got.class, CLASS_NEVER);
	assert_string_equal(got.reason, letter.reason);
	assert_string_equal(got.asked, letter.asked);
	assert_string_equal(got.answer, letter.answer);
	assert_int_equal(got.status, 422);
	assert_true(got.created_ms == 1000 && got.updated_ms == 5000 && got.first_ms == 6000 &&
		    got.last_ms == 7000 && got.next_ms == 9000);
	assert_int_equal(got.attempts, 3);
	assert_true(got.dropped);
	/* Cut anywhere, it is none; so is one with a byte that is another: never a fault of memory. */
	for (size_t len = 0; len < out.len; len++)
		assert_int_equal(dead_decode(bytes_of(out.data, len), &got), ERR_CORRUPT);
	for (size_t i = 0; i < out.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			uint8_t *copy = malloc(out.len);
			memcpy(copy, out.data, out.len);
			copy[i] ^= (uint8_t)(1 << bit);
			int rc = dead_decode(bytes_of(copy, out.len), &got);
			assert_true(rc == 0 || rc == ERR_CORRUPT);
			assert_true(rc || (got.class >= 0 && got.class < FAULT_CLASSES));
			free(copy);
		}
	buf_release(&out);
}

static void text_from_outside(void **state)
{
	char out[8];

	(void)state;
	dead_text(out, sizeof out, bytes_of("a\x1b[2J\n\xc3", 7));
	assert_string_equal(out, "a.[2J..");
	dead_text(out, sizeof out, bytes_str("longer than that"));
	assert_string_equal(out, "longer ");
	dead_text(out, sizeof out, bytes_of(NULL, 0));
	assert_string_equal(out, "");
}

static void schedule(void **state)
{
	const int64_t minute = 60000;

	(void)state;
	assert_true(dead_delay_ms(0) == 0);
	assert_true(dead_delay_ms(1) == 5 * minute);
	assert_true(dead_delay_ms(2) == 60 * minute);
	assert_true(dead_delay_ms(3) == 360 * minute);
	assert_true(dead_delay_ms(4) == 1440 * minute);
	assert_true(dead_delay_ms(4000000000u) == 1440 * minute);
}

static void spans(void **state)
{
	struct dead_letter unknown = letter;

	(void)state;
	assert_true(dead_touches(&letter, true, 1000, 1001));
	assert_false(dead_touches(&letter, true, 1001, TIME_MAX));
	assert_false(dead_touches(&letter, true, TIME_MIN, 1000));
	assert_true(dead_touches(&letter, false, 1001, 2000));
	assert_true(dead_touches(&letter, false, 5000, TIME_MAX));
	assert_false(dead_touches(&letter, false, 5001, TIME_MAX));
	assert_false(dead_touches(&letter, false, TIME_MIN, 1000));
	unknown.created_ms = unknown.updated_ms = TIME_NONE;
	assert_true(dead_touches(&unknown, true, 0, 1));
	assert_true(dead_touches(&unknown, false, 0, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_and_read),
		cmocka_unit_test(text_from_outside),
		cmocka_unit_test(schedule),
		cmocka_unit_test(spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
