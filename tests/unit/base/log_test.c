/*
 * log_test: what reaches standard error, byte by byte.
 */
#include <base/log.h>

#include <base/clock.h>
#include <base/err.h>

#include <stdarg.h>
#include <stdio.h>
#include <setjmp.h>
#include <unistd.h>
#include <cmocka.h>

static int saved, pipe_fds[2];

static void capture(void)
{
	assert_int_equal(pipe(pipe_fds), 0);
	saved = dup(STDERR_FILENO);
	dup2(pipe_fds[1], STDERR_FILENO);
	close(pipe_fds[1]);
}

/* What was written since capture(); one static buffer. */
static const char *captured(void)
{
	static char text[8192];

	dup2(saved, STDERR_FILENO);
	close(saved);
	ssize_t n = read(pipe_fds[0], text, sizeof text - 1);
	close(pipe_fds[0]);
	text[n > 0 ? n : 0] = 0;
	return text;
}

static void test_line(void **state)
{
	int64_t ms;

	(void)state;
	log_setup(LOG_LEVEL_INFO, false);
	capture();
	log_info("sync", "run finished source=%s records=%d", "acme", 5);
	const char *text = captured();
	assert_int_equal(time_parse(bytes_of(text, 24), &ms), 0);
	assert_string_equal(text + 24, " info  sync run finished source=acme records=5\n");
}

static void test_journal(void **state)
{
	(void)state;
	log_setup(LOG_LEVEL_DEBUG, true);
	capture();
	log_error("a", "one");
	log_warn("b", "two");
	log_info("c", "three");
	log_debug("d", "four");
	assert_string_equal(captured(), "<3>a one\n<4>b two\n<6>c three\n<7>d four\n");
}

static void test_threshold(void **state)
{
	(void)state;
	log_setup(LOG_LEVEL_ERROR, true);
	capture();
	log_warn("a", "no");
	log_info("a", "no");
	log_debug("a", "no");
	log_error("a", "yes");
	assert_string_equal(captured(), "<3>a yes\n");
}

static void test_hostile_text(void **state)
{
	(void)state;
	log_setup(LOG_LEVEL_INFO, true);
	capture();
	log_info("a", "x%sy", "\n<3>forged\x1b[31m\x7f\xc2\x9b\xc3\xa9\xc2");
	assert_string_equal(captured(), "<6>a x?<3>forged?[31m???\xc3\xa9\xc2y\n");
}

static void test_long_lines_are_cut(void **state)
{
	(void)state;
	log_setup(LOG_LEVEL_INFO, true);
	capture();
	log_info("a", "%0*d", 3000, 5);
	size_t len = strlen(captured());
	assert_true(len <= 1025 && len > 1000);
	char area[3000];
	memset(area, 'a', sizeof area - 1);
	area[sizeof area - 1] = 0;
	capture();
	log_info(area, "x");
	const char *text = captured();
	assert_true(strlen(text) <= 1025 && text[strlen(text) - 1] == '\n');
}

static void test_levels(void **state)
{
	enum log_level level;

	(void)state;
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		assert_int_equal(
			log_level_parse(bytes_str(log_level_name((enum log_level)i)), &level), 0);
		assert_int_equal(level, i);
	}
	assert_int_equal(log_level_parse(bytes_str("loud"), &level), ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_long_lines_are_cut),
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
