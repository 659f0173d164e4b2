/* condition: several conditions as one that means all of them, and where in them the daemon's complaint is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "condition.h"

static struct buf out;
static struct why why;

static void assert_joined(const char *a, const char *b, const char *joined)
{
	const char *parts[] = {a, b};

	buf_reset(&out);
	assert_int_equal(condition_join(parts, 2, &out, &why), 0);
	assert_string_equal(buf_text(&out), joined);
	buf_release(&out);
}

static void assert_not_whole(const char *part)
{
	const char *parts[] = {"a = 1", part};

	assert_int_equal(condition_join(parts, 2, &out, &why), ERR_SYNTAX);
	assert_non_null(strstr(why.text, part));
	assert_int_equal(out.len, 0);
}

static void joined(void **state)
{
	(void)state;
	assert_joined("a = 1 or b = 2", "c", "(a = 1 or b = 2) and (c)");
	assert_joined("a in (1, 2)", "(b)", "(a in (1, 2)) and ((b))");
	assert_joined("a = ')'", "b = \"(\\\"(\"", "(a = ')') and (b = \"(\\\"(\")");
	assert_joined("a = it's", "b = x\"y", "(a = it's) and (b = x\"y)");
	assert_joined("", "b", "(b)");
	assert_joined(" \t", "", "");
}

static void refused(void **state)
{
	(void)state;
	assert_not_whole("a = 1) or (b = 2");
	assert_not_whole("(a");
	assert_not_whole("a)");
	assert_not_whole("a = 'x");
	assert_not_whole("a = 'x\\");
	assert_not_whole("a = ('x\\')");
}

static void assert_complaint(const char *words, const char *expected)
{
	static const char *const parts[] = {"a = 1", " ", "\xc3\xa4 = 1", "c"};

	buf_reset(&out);
	condition_complaint(parts, 4, bytes_str(words), &out);
	assert_string_equal(buf_text(&out), expected);
	buf_release(&out);
}

/* "(a = 1) and (ä = 1) and (c)" */
static void complaints(void **state)
{
	(void)state;
	assert_complaint("column 2: no", "the 1st --where, column 1: no");
	assert_complaint("column 6: no", "the 1st --where, column 5: no");
	assert_complaint("column 7: expected x, not ')'",
			 "the 1st --where, column 6: expected x, but the condition ends here");
	assert_complaint("column 14: no", "the 3rd --where, column 1: no");
	assert_complaint("column 18: no, not ')'", "the 3rd --where, column 5: no, not ')'");
	assert_complaint("column 26: no", "the 4th --where, column 1: no");
	assert_complaint("something else", "something else");
	assert_complaint("column x: y", "column x: y");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(joined),
		cmocka_unit_test(refused),
		cmocka_unit_test(complaints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
