/* live_seek: what of a question must hold for every match becomes terms; all else is left to the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "live.h"

static const struct field fields[] = {
	{"state", FIELD_TEXT, "state", ""}, {"assignee", FIELD_TEXT, "assignee", ""},
	{"contact", FIELD_LIST, "c.*", ""}, {"open", FIELD_BOOL, "open", ""},
	{"email", FIELD_TEXT, "email", ""}, {NULL, FIELD_TEXT, NULL, NULL},
};

/* "state=open,closed;email~a" of a condition and words; with " ..." when something was left out. */
static void expect(const char *where, const char *text, const char *terms)
{
	static const char *const ops[] = {"=", "!=", "~"};
	struct arena arena = {0};
	struct live_question q = {0};
	struct seek seek;
	struct why why = {""};
	struct buf out = {0};

	if (where && where_parse(bytes_str(where), fields, 0, NULL, &arena, &q.where, &why))
		fail_msg("%s: %s", where, why.text);
	if (text && search_parse(bytes_str(text), &arena, &q.search, &why))
		fail_msg("%s: %s", text, why.text);
	bool left_out = live_seek(&q, &arena, &seek);
	for (size_t i = 0; i < seek.count; i++) {
		const struct seek_term *t = &seek.terms[i];
		buf_printf(&out, "%s%s%s", i ? ";" : "", t->field ? t->field->name : "*", ops[t->op]);
		for (size_t k = 0; k < t->count; k++)
			buf_printf(&out, "%s%.*s", k ? "," : "", (int)t->values[k].len,
				   (const char *)t->values[k].data);
	}
	if (left_out)
		buf_put_str(&out, " ...");
	assert_string_equal(buf_text(&out), terms);
	buf_release(&out);
	arena_release(&arena);
}

static void conditions(void **state)
{
	(void)state;
	expect(NULL, NULL, "");
	expect("", NULL, "");
	expect("state = open", NULL, "state=open");
	expect("state = open and assignee in (1, 2) and not state in (closed, snoozed)", NULL,
	       "state=open;assignee=1,2;state!=closed,snoozed");
	expect("assignee != 7", NULL, "assignee!=7");
	expect("contact contains abc and email ~ example", NULL, "contact=abc;email~example");
	expect("email contains example and open", NULL, "email~example;open=true");
	expect("id = 12 and (state = open and assignee = 1)", NULL, "id=12;state=open;assignee=1");
}

/* Either side of an `or` may fail, and what is not so as a whole may be so in part. */
static void left_to_the_store(void **state)
{
	(void)state;
	expect("state = open or assignee = 1", NULL, " ...");
	expect("state = open and (assignee = 1 or assignee = 2)", NULL, "state=open ...");
	expect("not (state = open and assignee = 1)", NULL, " ...");
	expect("not email ~ x and state = open", NULL, "state=open ...");
	expect("created > 2026-01-01 and state exists and state = open", NULL, "state=open ...");
}

static void words(void **state)
{
	(void)state;
	expect(NULL, "Refund order", "*~refund;*~order");
	expect(NULL, "\"order number\" invoic*", "*~order;*~number;*~invoic");
	expect(NULL, "refund -spam", "*~refund ...");
	expect(NULL, "refund (paypal OR stripe)", "*~refund ...");
	expect("state = open", "refund", "state=open;*~refund");
	expect(NULL, "a b c d e f g h i j k l m n",
	       "*~a;*~b;*~c;*~d;*~e;*~f;*~g;*~h;*~i;*~j;*~k;*~l ...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions),
		cmocka_unit_test(left_to_the_store),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
