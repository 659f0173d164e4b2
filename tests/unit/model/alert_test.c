/* alert: the words of conditions, when people are told, and what runs tell. */
#include <model/alert.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define NOW    INT64_C(1800000000000)

static void expect_text(const char *text, const char *printed)
{
	struct alert_conditions c;
	struct why why = {""};
	char all[512] = "", one[ALERT_TEXT_MAX];

	if (alert_parse(text, &c, &why))
		fail_msg("%s: %s", text, why.text);
	for (size_t i = 0; i < c.count; i++) {
		alert_print(&c.items[i], one);
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", one);
	}
	assert_string_equal(all, printed);
}

static void expect_error(const char *text, const char *part)
{
	struct alert_conditions c;
	struct why why = {""};

	assert_int_equal(alert_parse(text, &c, &why), ERR_INVALID);
	if (!strstr(why.text, part))
		fail_msg("\"%s\" was expected in: %s", part, why.text);
}

static void test_words(void **state)
{
	const char *all =
		"sync_failure_rate > 5%, no_success > 2h, quota > 80%, duration > 2x, dead_letters > 0";

	(void)state;
	expect_text(all, all);
	expect_text(" no_success>=90m ,dead_letters   >10,", "no_success >= 1h30m, dead_letters > 10");
	expect_text("sync_failure_rate > 2.5%", "sync_failure_rate > 2.5%");
}

static void test_mistakes(void **state)
{
	(void)state;
	expect_error("", "expected conditions");
	expect_error(" , ", "expected conditions");
	expect_error("no_succes > 2h", "did you mean no_success?");
	expect_error("weather > 3", "known are sync_failure_rate");
	expect_error("no_success", "expected > and a limit");
	expect_error("no_success < 2h", "no condition");
	expect_error("no_success > 2", "no_success > 2h, a minute or more");
	expect_error("no_success > 10s", "a minute or more");
	expect_error("quota > 80", "quota > 80%");
	expect_error("quota > 101%", "quota > 80%");
	expect_error("quota > 8%0", "quota > 80%");
	expect_error("duration > 2", "duration > 2x");
	expect_error("duration > 0.5x", "1x or more");
	expect_error("dead_letters > -1", "dead_letters > 0");
	expect_error("dead_letters > 1e3", "dead_letters > 0");
	expect_error("dead_letters >", "dead_letters > 0");
	expect_error("quota > 1%,quota > 1%,quota > 1%,quota > 1%,quota > 1%,quota > 1%,quota > 1%,quota > 1%,quota > 1%",
		     "more than 8");
}

static void test_limits(void **state)
{
	struct alert_condition c = {ALERT_DEAD_LETTERS, false, 3};

	(void)state;
	assert_int_equal(alert_judge(&c, 3), ALERT_QUIET);
	assert_int_equal(alert_judge(&c, 4), ALERT_HOLDS);
	c.or_equal = true;
	assert_int_equal(alert_judge(&c, 3), ALERT_HOLDS);
	assert_int_equal(alert_judge(&c, 2), ALERT_QUIET);
}

/* Steps with a repetition of four hours. */
static enum alert_step at(struct alert_state *s, enum alert_verdict verdict, int64_t ms)
{
	return alert_step(s, verdict, NOW + ms, 0, 4 * HOUR);
}

static void test_said_once_again_and_over(void **state)
{
	struct alert_state s = {0};

	(void)state;
	assert_int_equal(at(&s, ALERT_QUIET, 0), ALERT_SAY_NOTHING);
	assert_int_equal(at(&s, ALERT_HOLDS, MINUTE), ALERT_SAY_RAISED);
	assert_int_equal(s.since_ms, NOW + MINUTE);
	assert_int_equal(at(&s, ALERT_HOLDS, 2 * MINUTE), ALERT_SAY_NOTHING);
	assert_int_equal(at(&s, ALERT_HOLDS, 4 * HOUR), ALERT_SAY_NOTHING);
	assert_int_equal(at(&s, ALERT_HOLDS, 4 * HOUR + MINUTE), ALERT_SAY_AGAIN);
	assert_int_equal(at(&s, ALERT_HOLDS, 8 * HOUR), ALERT_SAY_NOTHING);
	assert_int_equal(at(&s, ALERT_UNKNOWN, 9 * HOUR), ALERT_SAY_NOTHING);
	assert_int_equal(at(&s, ALERT_QUIET, 8 * HOUR + 4 * MINUTE), ALERT_SAY_NOTHING);
	assert_true(s.raised);
	assert_int_equal(at(&s, ALERT_QUIET, 8 * HOUR + 5 * MINUTE), ALERT_SAY_OVER);
	assert_false(s.raised);
	assert_int_equal(at(&s, ALERT_QUIET, 9 * HOUR), ALERT_SAY_NOTHING);
	assert_int_equal(at(&s, ALERT_HOLDS, 10 * HOUR), ALERT_SAY_RAISED);
}

/* What goes to and fro is said once. */
static void test_flapping(void **state)
{
	struct alert_state s = {0};
	int said = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		said += at(&s, i % 4 ? ALERT_QUIET : ALERT_HOLDS, i * MINUTE) != ALERT_SAY_NOTHING;
	assert_int_equal(said, 1);
}

static void test_patience(void **state)
{
	struct alert_state s = {0};

	(void)state;
	for (int i = 0; i < 10; i++) { /* never two minutes on end */
		enum alert_verdict v = i % 2 ? ALERT_QUIET : ALERT_HOLDS;
		assert_int_equal(alert_step(&s, v, NOW + i * MINUTE, 2 * MINUTE, 0),
				 ALERT_SAY_NOTHING);
	}
	assert_int_equal(alert_step(&s, ALERT_HOLDS, NOW, 2 * MINUTE, 0), ALERT_SAY_NOTHING);
	assert_int_equal(alert_step(&s, ALERT_HOLDS, NOW + MINUTE, 2 * MINUTE, 0), ALERT_SAY_NOTHING);
	assert_int_equal(alert_step(&s, ALERT_HOLDS, NOW + 2 * MINUTE, 2 * MINUTE, 0),
			 ALERT_SAY_RAISED);
	assert_int_equal(alert_step(&s, ALERT_HOLDS, NOW + 200 * HOUR, 2 * MINUTE, 0),
			 ALERT_SAY_NOTHING); /* repeat 0: once */
}

static void test_clock_set_back(void **state)
{
	struct alert_state s = {0};

	(void)state;
	assert_int_equal(at(&s, ALERT_HOLDS, 0), ALERT_SAY_RAISED);
	assert_int_equal(at(&s, ALERT_HOLDS, -1000 * HOUR), ALERT_SAY_NOTHING);
	assert_int_equal(at(&s, ALERT_HOLDS, -996 * HOUR), ALERT_SAY_AGAIN);
	assert_int_equal(at(&s, ALERT_QUIET, -2000 * HOUR), ALERT_SAY_NOTHING);
	assert_int_equal(at(&s, ALERT_QUIET, -2000 * HOUR + 5 * MINUTE), ALERT_SAY_OVER);
}

static void test_outcomes(void **state)
{
	struct alert_outcomes o = {0};
	uint32_t ended, failed;

	(void)state;
	for (int i = 0; i < 48 * 60; i++)
		alert_outcome(&o, NOW + i * MINUTE, i >= 47 * 60);
	alert_outcomes_of(&o, NOW + 48 * HOUR - MINUTE, &ended, &failed);
	assert_in_range(ended, 23 * 60, 24 * 60);
	assert_int_equal(failed, 60);
	alert_outcomes_of(&o, NOW + 100 * HOUR, &ended, &failed);
	assert_int_equal(ended, 0);
	alert_outcome(&o, NOW - 20 * HOUR, true); /* its place belongs to a later hour */
	alert_outcomes_of(&o, NOW + 48 * HOUR - MINUTE, &ended, &failed);
	assert_int_equal(failed, 60);
}

static void test_pace(void **state)
{
	struct alert_pace p = {0};

	(void)state;
	assert_true(alert_pace_times(&p) < 0);
	for (int i = 0; i < 5; i++) {
		alert_paced(&p, 10000);
		assert_true(alert_pace_times(&p) < 0);
	}
	alert_paced(&p, 10000);
	assert_true(alert_pace_times(&p) == 1);
	alert_paced(&p, 30000);
	assert_true(alert_pace_times(&p) == 3);
	alert_paced(&p, 30000); /* the one before is in the mean by now */
	assert_true(alert_pace_times(&p) > 2 && alert_pace_times(&p) < 3);
	p = (struct alert_pace){0};
	for (int i = 0; i < 9; i++)
		alert_paced(&p, i == 8 ? 900 : 10);
	assert_true(alert_pace_times(&p) == 0); /* ninety times as long, and no matter */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_said_once_again_and_over),
		cmocka_unit_test(test_flapping),
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_clock_set_back),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_pace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
