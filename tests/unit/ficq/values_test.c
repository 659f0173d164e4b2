/* values: what a condition compares with, and whether any record has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <codec/json.h>

#include "values.h"

/* As "field value", with a + for contains, behind one another. */
static void assert_sought(const char *where, const char *expected)
{
	struct value_sought sought[VALUES_MAX];
	struct buf out = {0};
	size_t n = values_sought(bytes_str(where), sought);

	for (size_t i = 0; i < n; i++)
		buf_printf(&out, "%s%.*s%s %.*s", i ? "; " : "", (int)sought[i].field.len,
			   (const char *)sought[i].field.data, sought[i].within ? " +" : "",
			   (int)sought[i].value.len, (const char *)sought[i].value.data);
	assert_string_equal(buf_text(&out), expected);
	buf_release(&out);
}

static void sought(void **state)
{
	(void)state;
	assert_sought("state = open", "state open");
	assert_sought("(state=open) and (not tags contains vip)", "state open; tags + vip");
	assert_sought("state in (open, 'not yet')", "state open; state not yet");
	assert_sought("a = 1 and b = 2 and c = 3", "a 1; b 2");
	assert_sought("state = 'it is (not) null' and state CONTAINS \"x = y\"",
		      "state it is (not) null; state + x = y");
	/* Other comparisons, and fields whose words stand for something else. */
	assert_sought("state != open and parts >= 3 and subject ~ x and truncated", "");
	assert_sought("state != in and state <= contains and state = open", "state open");
	assert_sought("state != 'contains' and state = open", "state open");
	assert_sought("channel exists and state = open", "state open");
	assert_sought("assignee = Anna and team in (a, b) and created = 2026 and contact contains x",
		      "");
	assert_sought("custom_attributes.topic = x and time_to_first_close = 5", "");
	assert_sought("email = x and external_id = y and id = z", "");
	/* What stands there is not what is meant. */
	assert_sought("state = null and state = NULL and state = 'null'", "state null");
	assert_sought("state = 'it\\'s' and state = \"\\u0041\" and state = ''", "");
	/* No condition: the daemon says so. */
	assert_sought("", "");
	assert_sought("=", "");
	assert_sought("= = x", "");
	assert_sought("'state' = x", "");
	assert_sought("state = ", "");
	assert_sought("state = )", "");
	assert_sought("state = 'x", "state x");
	assert_sought("state = '\\", "");
	assert_sought("state in (", "");
	assert_sought("state in open", "");
	assert_sought("'", "");
}

static enum values_verdict judge(const char *result, const struct value_sought *v, struct buf *near)
{
	struct buf packed = {0};
	struct why why;

	assert_int_equal(json_to_msgpack(bytes_str(result), JSON_STRICT, &packed, &why), 0);
	enum values_verdict verdict = values_judge(buf_bytes(&packed), v, false, near);
	buf_release(&packed);
	return verdict;
}

static void assert_judged(const char *value, bool within, const char *result,
			  enum values_verdict verdict, const char *near)
{
	struct value_sought v = {bytes_str("state"), bytes_str(value), within};
	struct buf out = {0};

	assert_int_equal(judge(result, &v, NULL), verdict);
	assert_int_equal(judge(result, &v, &out), verdict);
	assert_string_equal(buf_text(&out), near);
	buf_release(&out);
}

#define STATES                                                                                      \
	"{\"groups\":[{\"state\":\"open\",\"count\":5},{\"count\":2},{\"state\":null,\"count\":1}," \
	"{\"state\":\"closed\",\"count\":1}],\"groups_found\":4}"

static void judged(void **state)
{
	(void)state;
	assert_judged("open", false, STATES, VALUES_HAS, "");
	assert_judged("OPEN", false, STATES, VALUES_HAS, "");
	assert_judged("ope", false, STATES, VALUES_LACKS, ": did you mean 'open'?");
	assert_judged("ope", true, STATES, VALUES_HAS, "");
	assert_judged("openn", true, STATES, VALUES_LACKS, ": did you mean 'open'?");
	assert_judged("resolved", false, STATES, VALUES_LACKS, ": there are open and closed");
	assert_judged("x", false, "{\"groups\":[{\"state\":\"a\\u001b[31m\"}],\"groups_found\":1}",
		      VALUES_LACKS, ": there are a\xef\xbf\xbd[31m");
	/* What is not shown as it is, is found as it is. */
	assert_judged("a  b", false, "{\"groups\":[{\"state\":\"a  b\"}],\"groups_found\":1}",
		      VALUES_HAS, "");
	/* Nothing is held, or nothing with such a value, or letters that the daemon may take for the same. */
	assert_judged("x", false, "{\"groups\":[],\"groups_found\":0}", VALUES_UNKNOWN, "");
	assert_judged("x", false, "{\"groups\":[{\"count\":2}],\"groups_found\":1}", VALUES_UNKNOWN,
		      "");
	assert_judged("\xc3\xb8", true, STATES, VALUES_UNKNOWN, "");
	/* Not all are there, or they are no texts, or it is no such answer. */
	assert_judged("x", false, "{\"groups\":[{\"state\":\"a\"}],\"groups_found\":2}",
		      VALUES_UNKNOWN, "");
	assert_judged("5", false, "{\"groups\":[{\"state\":6}],\"groups_found\":1}", VALUES_UNKNOWN,
		      "");
	assert_judged("x", false, "{\"groups\":5,\"groups_found\":1}", VALUES_UNKNOWN, "");
	assert_judged("x", false, "{}", VALUES_UNKNOWN, "");
	assert_judged("x", false, "5", VALUES_UNKNOWN, "");
}

static void many(void **state)
{
	struct buf result = {0};

	(void)state;
	buf_put_str(&result, "{\"groups\":[");
	for (int i = 0; i < 200; i++)
		buf_printf(&result, "%s{\"state\":\"value %d\"}", i ? "," : "", i);
	buf_put_str(&result, "],\"groups_found\":200}");
	assert_judged("other", false, buf_text(&result), VALUES_LACKS, "");
	assert_judged("value 199", false, buf_text(&result), VALUES_HAS, "");
	result.len -= strlen("],\"groups_found\":200}");
	buf_put_str(&result, ",{\"state\":\"one more\"}],\"groups_found\":201}");
	assert_judged("other", false, buf_text(&result), VALUES_UNKNOWN, "");
	buf_release(&result);
}

static void said(void **state)
{
	struct value_sought v = {bytes_str("tags"), bytes_str("v\x1b[31mip"), true};
	struct buf out = {0};

	(void)state;
	values_say(&out, &v, bytes_str("conversations"), false);
	assert_string_equal(
		buf_text(&out),
		"'v\xef\xbf\xbd[31mip' is in the tags of none of the conversations that are held");
	buf_release(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sought),
		cmocka_unit_test(judged),
		cmocka_unit_test(many),
		cmocka_unit_test(said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
