/* answers: what is kept, for how long, and what has to go. */
#include "answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROOM (64u * 1024)

static char text[64 * 1024];

static struct asked question(const char *key, uint64_t version)
{
	return (struct asked){bytes_str(key), 3, version};
}

/* An answer of so many bytes that took so long. */
static struct answer answer(size_t bytes, uint32_t cost_us)
{
	return (struct answer){.rows = bytes_of(text, bytes), .row_count = 1, .cost_us = cost_us};
}

/* Asked as often as it takes, and kept if it is worth it. Returns whether it is there. */
static bool ask(struct answers *a, const char *key, uint64_t version, struct answer answer, int times)
{
	const struct asked q = question(key, version);

	for (int i = 0; i < times; i++)
		if (!answers_find(a, &q))
			answers_keep(a, &q, &answer);
	return answers_find(a, &q) != NULL;
}

static void what_was_kept_is_found(void **state)
{
	struct answers *a = answers_new(ROOM);
	const struct asked q = question("one", 7), other = question("two", 7);
	struct answer own = {.rows = bytes_str("rows"),
			     .row_count = 2,
			     .total = 5,
			     .total_known = true,
			     .more = true,
			     .next_cursor = "c"};

	(void)state;
	assert_null(answers_find(a, &q));
	assert_null(answers_find(a, &q));
	answers_keep(a, &q, &own);
	memset(&own, 0, sizeof own);
	const struct answer *found = answers_find(a, &q);
	assert_non_null(found);
	assert_true(bytes_is(found->rows, "rows"));
	assert_int_equal(found->row_count, 2);
	assert_true(found->total == 5 && found->total_known && found->more);
	assert_string_equal(found->next_cursor, "c");
	assert_null(answers_find(a, &other));
	assert_true(answers_bytes(a) > 4);
	answers_clear(a);
	assert_int_equal(answers_bytes(a), 0);
	assert_null(answers_find(a, &q));
	answers_clear(NULL);
	answers_free(a);
}

static void what_comes_once_is_not_copied(void **state)
{
	struct answers *a = answers_new(ROOM);
	const struct asked q = question("once", 1);
	const struct answer own = answer(100, 100);

	(void)state;
	assert_null(answers_find(a, &q));
	answers_keep(a, &q, &own);
	assert_null(answers_find(a, &q));
	assert_int_equal(answers_bytes(a), 0);
	answers_keep(a, &q, &own);
	assert_non_null(answers_find(a, &q));
	answers_free(a);
}

/* Of other records nothing is said, and what was said of them is given up. */
static void another_version(void **state)
{
	struct answers *a = answers_new(ROOM);
	const struct asked now = question("q", 2), before = question("q", 1);

	(void)state;
	assert_true(ask(a, "q", 1, answer(100, 100), 3));
	assert_null(answers_find(a, &now));
	assert_int_equal(answers_bytes(a), 0);
	assert_null(answers_find(a, &before));
	answers_free(a);
}

/* A thousand that come twice leave the one alone that comes again and again; large and small have room of their own. */
static void what_is_asked_often_stays(void **state)
{
	struct answers *a = answers_new(256 * 1024);
	char key[32];

	(void)state;
	assert_true(ask(a, "often", 1, answer(30000, 500), 15));
	assert_true(ask(a, "small", 1, answer(500, 10), 15));
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof key, "large %d", i);
		ask(a, key, 1, answer(30000, 500), 2);
		assert_true(answers_bytes(a) <= 256 * 1024);
	}
	assert_true(ask(a, "often", 1, answer(30000, 500), 0));
	assert_true(ask(a, "small", 1, answer(500, 10), 0));
	answers_free(a);
}

/* What takes long is worth more than what is had at once, and what is over, nothing. */
static void what_has_to_go(void **state)
{
	struct answers *a = answers_new(ROOM);

	(void)state;
	assert_true(ask(a, "cheap", 1, answer(25000, 20), 4));
	assert_true(ask(a, "dear", 1, answer(40000, 2000), 4));
	assert_false(ask(a, "cheap", 1, answer(25000, 20), 0));
	assert_false(ask(a, "cheap", 1, answer(25000, 20), 4));
	assert_true(ask(a, "dear", 1, answer(40000, 2000), 0));
	assert_true(ask(a, "cheap", 2, answer(25000, 20), 4));
	answers_free(a);
}

static void what_is_too_large(void **state)
{
	struct answers *a = answers_new(ROOM);

	(void)state;
	assert_false(ask(a, "larger than all room", 1, answer(60000, 2000), 9));
	assert_int_equal(answers_bytes(a), 0);
	answers_free(a);
	a = answers_new(0);
	assert_false(ask(a, "no room at all", 1, answer(10, 2000), 9));
	answers_free(a);
	answers_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_kept_is_found),
		cmocka_unit_test(what_comes_once_is_not_copied),
		cmocka_unit_test(another_version),
		cmocka_unit_test(what_is_asked_often_stays),
		cmocka_unit_test(what_has_to_go),
		cmocka_unit_test(what_is_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
