/* What people are told: errors in terms of what they typed, and what an answer lacks. The program itself against a daemon that answers canned lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "skip.h"

#include <base/bytes.h>

#include "support/fake.h"

#define FRESH "{\"state\":\"fresh\",\"complete\":true}"
#define NO_FIELD(column, name)                                              \
	"{\"code\":8,\"message\":\"column " column ": unknown field '" name \
	"'\",\"data\":{\"reason\":\"not_found\",\"hint\":\"see ficq(1), THE WHERE LANGUAGE\"}}"
#define RESOURCES \
	"{\"resources\":[{\"name\":\"conversations\",\"parent\":null,\"fields\":[{\"name\":\"state\"}]},{\"name\":\"messages\",\"parent\":\"conversations\",\"fields\":[{\"name\":\"kind\"}]}]}"

static struct run r;

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" has \"%s\"", text, part);
}

/* Arguments end with NULL. Returns what was asked; the caller frees. */
static char *ask(const struct fake_step *script, int exit, const char *const *args)
{
	struct fake f;

	if (!ficq_path())
		skip_because("ficq is not built");
	fake_start(&f, script);
	ficq_run_args(&r, f.socket, args, NULL);
	char *log = fake_log(&f);
	fake_stop(&f);
	if (r.exit != exit)
		fail_msg("exit %d, not %d; stdout \"%s\", stderr \"%s\"", r.exit, exit, r.out, r.err);
	return log;
}

#define ASK(script, exit, ...) ask(script, exit, (const char *const[]){__VA_ARGS__, NULL})

static void end(char *log)
{
	free(log);
	run_release(&r);
}

static void conditions(void **state)
{
	static const struct fake_step good[] = {
		{"query", FAKE_RESULT, "{\"freshness\":" FRESH ",\"total\":7,\"rows\":[]}", 0}, {0}};
	static const struct fake_step bad[] = {{"query", FAKE_ERROR, NO_FIELD("21", "x"), 0}, {0}};

	(void)state;
	char *log = ASK(good, 0, "count", "contacts", "--where", "a = 1 or b", "--where", "c");
	assert_has(log, "(a = 1 or b) and (c)");
	end(log);
	/* "(state = open) and (x = 1)" */
	log = ASK(bad, 65, "count", "contacts", "--where", "state = open", "--where", "x = 1");
	assert_has(r.err, "ficq: the 2nd --where, column 1: unknown field 'x'");
	end(log);
	log = ASK(bad, 65, "count", "contacts", "--where", "12345678901234567 x", "--json");
	assert_has(r.err, "\"message\":\"column 21: unknown field 'x'\"");
	end(log);
}

static void fields_elsewhere(void **state)
{
	static const struct fake_step child[] = {{"query", FAKE_ERROR, NO_FIELD("1", "kind"), 0},
						 {"resources", FAKE_RESULT, RESOURCES, 0},
						 {0}};
	static const struct fake_step nowhere[] = {{"query", FAKE_ERROR, NO_FIELD("1", "x"), 0},
						   {"resources", FAKE_RESULT, RESOURCES, 0},
						   {0}};

	(void)state;
	char *log = ASK(child, 65, "search", "order", "--where", "kind = note");
	assert_has(r.err, "hint: messages have it: --resource messages\n");
	end(log);
	log = ASK(child, 65, "query", "conversations", "--where", "kind = note");
	assert_has(r.err, "hint: messages have it: ficq query messages\n");
	end(log);
	log = ASK(nowhere, 65, "query", "conversations", "--where", "x = note");
	assert_has(r.err, "hint: 'ficq fields conversations' lists the fields\n");
	end(log);
}

/* Words that people mean as operators are told of, for they find less than was meant: not those in quotes, nor parts of words. */
static void words_for_operators(void **state)
{
	static const struct fake_step none[] = {
		{"query", FAKE_RESULT,
		 "{\"freshness\":" FRESH ",\"rows\":[],\"next_cursor\":null,\"total\":0}", 0},
		{0}};
	static const char told_or[] = "'or' is looked for as a word; OR in capitals finds either\n",
			  told_not[] =
				  "'not' is looked for as a word; to leave a word out write -word\n";

	(void)state;
	char *log = ASK(none, 0, "search", "refund", "or", "money back");
	assert_string_equal(r.err, told_or);
	end(log);
	log = ASK(none, 0, "query", "contacts", "--text", "refund (order not) \"or so\"");
	assert_string_equal(r.err, told_not);
	end(log);
	log = ASK(none, 0, "count", "contacts", "--text", "a or b");
	assert_string_equal(r.err, told_or);
	end(log);
	/* Once, and as the arguments are put together. */
	log = ASK(none, 0, "search", "a", "or", "b or c");
	assert_string_equal(r.err, told_or);
	end(log);
	log = ASK(none, 0, "search", "\"this\" or \"that\"", "\"a", "or", "b\"");
	assert_string_equal(r.err, told_or);
	end(log);
	log = ASK(none, 0, "search", "\"a", "or", "b\"");
	assert_string_equal(r.err, "");
	end(log);
	log = ASK(none, 0, "search", "refund OR order -nothing \"this or that\" for not*");
	assert_string_equal(r.err, "");
	end(log);
}

static void translated(void **state)
{
	static const struct {
		const char *error, *hint;
	} cases[] = {
		{"{\"code\":6,\"message\":\"m\",\"data\":{\"reason\":\"stale\",\"hint\":\"run 'ficq sync', or ask with on_stale serve or wait\"}}",
		 "hint: run 'ficq sync', or ask with --on-stale serve or wait\n"},
		{"{\"code\":6,\"message\":\"m\",\"data\":{\"reason\":\"stale\",\"hint\":\"ask without 'require'\"}}",
		 "hint: ask without --require\n"},
		{"{\"code\":3,\"message\":\"m\",\"data\":{\"reason\":\"timeout\",\"hint\":\"ask with a longer timeout_ms\"}}",
		 "hint: ask with a longer --timeout\n"},
		{"{\"code\":-32602,\"message\":\"there are several sources: name one\",\"data\":{\"reason\":\"source\",\"hint\":\"configured: a, b\"}}",
		 "hint: name it with --source; configured: a, b\n"},
		{"{\"code\":-32602,\"message\":\"no editable field 'x'\",\"data\":{\"reason\":\"edit\",\"hint\":\"'ficq fields' says what can be edited\"}}",
		 "hint: 'ficq fields contacts' says what can be edited\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct fake_step script[] = {{"edit", FAKE_ERROR, cases[i].error, 0}, {0}};
		char *log = ask(script,
				i < 2    ? 3
				: i == 2 ? 75
					 : 64,
				(const char *const[]){"edit", "contacts", "1", "x=1", NULL});
		assert_has(r.err, cases[i].hint);
		end(log);
	}
	/* Who calls methods by name is told of parameters by name. */
	const struct fake_step raw[] = {{"query", FAKE_ERROR, cases[0].error, 0}, {0}};
	char *log = ASK(raw, 3, "rpc", "query");
	assert_has(r.err, "with on_stale serve");
	end(log);
}

static void no_such_method(void **state)
{
	static const struct fake_step script[] = {
		{"nosuch", FAKE_ERROR,
		 "{\"code\":-32601,\"message\":\"there is no method 'nosuch'\"}", 0},
		{0}};

	(void)state;
	end(ASK(script, 64, "rpc", "nosuch"));
}

static void bad_bytes(void **state)
{
	static const struct fake_step script[] = {{"query", FAKE_RESULT, "{}", 0}, {0}};

	(void)state;
	char *log = ASK(script, 64, "query", "contacts", "--text", "\xff");
	assert_has(r.err, "--text: '");
	assert_has(r.err, "is not UTF-8");
	assert_lacks(r.err, "message");
	assert_string_equal(log, "");
	end(log);
}

#define HOLED "{\"state\":\"fresh\",\"complete\":false}"

static void not_complete(void **state)
{
	static const struct fake_step script[] = {
		{"query", FAKE_RESULT, "{\"freshness\":" HOLED ",\"total\":7,\"rows\":[]}", 0},
		{"freshness", FAKE_RESULT, "{\"freshness\":" HOLED ",\"records\":1600}", 0},
		{0}};
	static const struct fake_step whole[] = {
		{"query", FAKE_RESULT, "{\"freshness\":" FRESH ",\"total\":7,\"rows\":[]}", 0}, {0}};

	(void)state;
	char *log = ASK(script, 0, "count", "messages");
	assert_string_equal(r.out, "7\n");
	assert_has(r.err,
		   "not complete: threads are held in part (ficq query conversations --where truncated)");
	end(log);
	log = ASK(script, 0, "search", "x", "--resource", "tickets");
	assert_has(r.err, "(ficq query tickets --where truncated)");
	end(log);
	log = ASK(script, 0, "count", "contacts");
	assert_has(r.err, "not complete: some contacts could not be read (ficq dead");
	end(log);
	log = ASK(script, 0, "freshness");
	assert_has(r.out, "resource       conversations\n");
	assert_has(r.out, "records        1,600 in all\n");
	assert_has(r.err, "not complete: ");
	end(log);
	log = ASK(script, 0, "count", "contacts", "--json");
	assert_string_equal(r.err, "");
	end(log);
	log = ASK(whole, 0, "count", "contacts");
	assert_string_equal(r.err, "");
	end(log);
}

static void all_fields(void **state)
{
	static const struct fake_step script[] = {
		{"resources", FAKE_RESULT,
		 "{\"resources\":[{\"name\":\"tags\",\"fields\":[{\"name\":\"name\",\"type\":\"text\",\"editable\":false,\"help\":\"what it is called\"}]},"
		 "{\"name\":\"contacts\",\"fields\":[{\"name\":\"email\",\"type\":\"text\",\"editable\":true}]}]}",
		 0},
		{0}};

	(void)state;
	char *log = ASK(script, 0, "fields", "tags");
	assert_has(r.out, "\ntruncated ");
	assert_has(r.out, "\nrevision ");
	assert_lacks(r.out, "EDITABLE");
	end(log);
	log = ASK(script, 0, "fields", "contacts");
	assert_has(r.out, "EDITABLE");
	assert_has(r.out, "yes");
	end(log);
	log = ASK(script, 0, "fields");
	assert_has(r.out, "\n(all) ");
	end(log);
}

static void some_groups(void **state)
{
	static const struct fake_step script[] = {
		{"aggregate", FAKE_RESULT,
		 "{\"freshness\":" FRESH
		 ",\"groups\":[{\"contact\":\"a\",\"count\":3}],\"groups_found\":971}",
		 0},
		{0}};
	static const struct fake_step times[] = {
		{"aggregate", FAKE_RESULT,
		 "{\"freshness\":" FRESH
		 ",\"groups\":[{\"hour\":\"2026-04-23T22:00:00Z\",\"day\":\"2026-04-23T22:00:00Z\",\"month\":\"2026-03-31T22:00:00Z\",\"count\":3}],\"groups_found\":1}",
		 0},
		{0}};

	(void)state;
	char *log = ASK(script, 0, "count", "conversations", "--by", "contact", "-n", "1", "-o",
			"csv");
	assert_string_equal(r.err, "1 of 971 groups; -n 0 for all\n");
	end(log);
	/* Summer time begins in Cairo at the midnight of this day: it begins at one o'clock. */
	log = ASK(times, 0, "count", "conversations", "--by", "hour,day,month", "--tz",
		  "Africa/Cairo");
	assert_has(r.out, "2026-04-24 01:00 +0300  2026-04-24  2026-04 ");
	end(log);
	log = ASK(times, 0, "count", "conversations", "--by", "hour", "--by", "day", "--tz",
		  "Etc/GMT-2");
	assert_has(r.out, "2026-04-24 00:00 +0200  2026-04-24 ");
	end(log);
	log = ASK(times, 0, "count", "conversations", "--by", "day", "--tz", "Africa/Cairo", "-o",
		  "csv");
	assert_has(r.out, "2026-04-23T22:00:00Z,3");
	end(log);
}

static void ranked(void **state)
{
	static const struct fake_step script[] = {
		{"query", FAKE_RESULT,
		 "{\"freshness\":" FRESH
		 ",\"rows\":[{\"id\":\"1\"}],\"next_cursor\":null,\"total\":1000}",
		 0},
		{0}};
	static const struct fake_step few[] = {
		{"query", FAKE_RESULT,
		 "{\"freshness\":" FRESH
		 ",\"rows\":[{\"id\":\"1\"}],\"next_cursor\":null,\"total\":999}",
		 0},
		{0}};

	(void)state;
	char *log = ASK(script, 0, "query", "tags", "--text", "x", "--sort", "relevance", "-n", "0");
	assert_has(r.err, "the 1000 newest that were found are in this order");
	end(log);
	log = ASK(few, 0, "query", "tags", "--text", "x", "--sort", "relevance", "-n", "0");
	assert_string_equal(r.err, "");
	end(log);
	log = ASK(script, 0, "query", "tags", "--text", "x", "-n", "0");
	assert_string_equal(r.err, "");
	end(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions),
		cmocka_unit_test(fields_elsewhere),
		cmocka_unit_test(words_for_operators),

		cmocka_unit_test(translated),
		cmocka_unit_test(no_such_method),
		cmocka_unit_test(bad_bytes),
		cmocka_unit_test(not_complete),
		cmocka_unit_test(all_fields),
		cmocka_unit_test(some_groups),
		cmocka_unit_test(ranked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
