/*
 * suggest_test: what "did you mean" offers, and when it keeps quiet.
 */
#include <base/suggest.h>

#include <stdarg.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

static const char *const names[] = {"state",         "state_dir", "assignee",
				    "conversations", "contacts",  "created",
				    "updated",       "id",        NULL};

static void test_rows(void **state)
{
	static const struct {
		const char *word;
		const char *name; /* NULL: nothing is near */
	} rows[] = {
		{"stat", "state"},
		{"sttae", "state"},
		{"State", "state"},
		{"asignee", "assignee"},
		{"assigne", "assignee"},
		{"assingee", "assignee"},
		{"conversation", "conversations"},
		{"conv", "conversations"},
		{"cont", "contacts"},
		{"con", NULL}, /* two begin like that */
		{"crated", "created"},
		{"updatd", "updated"},
		{"di", "id"},
		{"di_", NULL},
		{"xyzzy", NULL},
		{"", NULL},
		{"statedir", "state_dir"},
		{"completely_else", NULL},
		{"state", "state"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *got = suggest(bytes_str(rows[i].word), names);
		if (got != rows[i].name && (!got || !rows[i].name || strcmp(got, rows[i].name) != 0))
			fail_msg("'%s': %s", rows[i].word, got ? got : "nothing");
	}
}

static void test_limits(void **state)
{
	static const char *const none[] = {NULL};
	char longer[200];
	const char *long_names[] = {longer, "x", NULL};

	(void)state;
	assert_null(suggest(bytes_str("a"), none));
	memset(longer, 'a', sizeof longer - 1);
	longer[sizeof longer - 1] = 0;
	assert_null(suggest(bytes_str(longer), names));
	assert_null(suggest(bytes_str("aaaaaaaa"), long_names));
	assert_null(suggest(bytes_of(NULL, 0), names));
	/* Exactly at the limit, in a block of its own size. */
	char *word = malloc(64);
	memset(word, 'a', 64);
	(void)suggest(bytes_of(word, 64), names);
	free(word);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
