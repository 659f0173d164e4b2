/* cursor: there and back, and nothing but a cursor is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <query/cursor.h>

static void cursors_come_back(void **state)
{
	static const struct cursor cases[] = {
		{.axis = AXIS_CREATED,
		 .start_ms = TIME_MIN,
		 .end_ms = TIME_MAX,
		 .position = {TIME_NONE, 0},
		 .question = 0},
		{.axis = AXIS_UPDATED,
		 .start_ms = 0,
		 .end_ms = 1,
		 .position = {-1, UINT64_MAX},
		 .question = UINT64_MAX},
		{.axis = AXIS_CREATED,
		 .start_ms = 1700000000000,
		 .end_ms = 1800000000000,
		 .position = {1750000000123, 0x0123456789abcdef},
		 .question = 42},
	};
	char text[CURSOR_TEXT_MAX];
	struct cursor c;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(cursor_parse(bytes_str(cursor_text(&cases[i], text)), &c, &why), 0);
		assert_int_equal(c.axis, cases[i].axis);
		assert_true(c.start_ms == cases[i].start_ms && c.end_ms == cases[i].end_ms);
		assert_true(c.position.time_ms == cases[i].position.time_ms);
		assert_true(c.position.id_hash == cases[i].position.id_hash);
		assert_true(c.question == cases[i].question);
	}
}

static void sorted_cursors_come_back(void **state)
{
	struct cursor c = {
		.axis = AXIS_UPDATED, .start_ms = 5, .end_ms = 9, .question = 11, .sorted = true};
	char text[CURSOR_TEXT_MAX];
	struct cursor out;
	struct why why;

	(void)state;
	c.key.id_hash = 77;
	for (size_t len = 0; len <= SORT_KEY_MAX; len++) {
		c.key.known = len > 0;
		c.key.len = len;
		memset(c.key.bytes, (int)(200 + len), sizeof c.key.bytes);
		cursor_text(&c, text);
		assert_true(strlen(text) < CURSOR_TEXT_MAX);
		assert_int_equal(cursor_parse(bytes_str(text), &out, &why), 0);
		assert_true(out.sorted && out.key.known == c.key.known && out.key.id_hash == 77);
		assert_int_equal(out.key.len, len);
		assert_memory_equal(out.key.bytes, c.key.bytes, len);
		assert_true(out.question == 11 && out.axis == AXIS_UPDATED);
		for (size_t cut = 0; cut < strlen(text); cut++)
			assert_int_equal(cursor_parse(bytes_of(text, cut), &out, &why), ERR_INVALID);
	}
}

/* Clients keep cursors across releases of the daemon. */
static void the_text_does_not_change(void **state)
{
	static const struct cursor c = {.axis = AXIS_UPDATED,
					.start_ms = 0,
					.end_ms = 1000,
					.position = {500, 7},
					.question = 9};
	char text[CURSOR_TEXT_MAX];

	(void)state;
	assert_string_equal(cursor_text(&c, text),
			    "AQEAAAAAAAAAAOgDAAAAAAAA9AEAAAAAAAAHAAAAAAAAAAkAAAAAAAAASWsnqg");
}

static void every_other_text_is_refused(void **state)
{
	static const struct cursor c = {.axis = AXIS_CREATED,
					.start_ms = 5,
					.end_ms = 1000,
					.position = {500, 7},
					.question = 9};
	char text[CURSOR_TEXT_MAX], changed[CURSOR_TEXT_MAX];
	struct cursor out;
	struct why why;

	(void)state;
	cursor_text(&c, text);
	size_t len = strlen(text);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(cursor_parse(bytes_of(text, cut), &out, &why), ERR_INVALID);
	for (size_t i = 0; i < len; i++)
		for (int byte = 0; byte < 256; byte++) {
			memcpy(changed, text, sizeof changed);
			changed[i] = (char)byte;
			if (changed[i] != text[i])
				assert_int_equal(cursor_parse(bytes_of(changed, len), &out, &why),
						 ERR_INVALID);
		}
	assert_string_equal(why.text, "this is not a cursor: pass next_cursor of an answer as it is");
	memcpy(changed, text, sizeof changed);
	changed[len] = 'A';
	assert_int_equal(cursor_parse(bytes_of(changed, len + 1), &out, &why), ERR_INVALID);
	assert_int_equal(cursor_parse(bytes_of(NULL, 0), &out, &why), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cursors_come_back),
		cmocka_unit_test(sorted_cursors_come_back),
		cmocka_unit_test(the_text_does_not_change),
		cmocka_unit_test(every_other_text_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
