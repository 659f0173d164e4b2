/*
 * where_test: conditions that hold and that do not, those that are refused and where, and the limits. Now is 2024-12-20 15:00 UTC.
 */
#include <model/where.h>

#include <codec/json.h>

#include "fold.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <setjmp.h>
#include <cmocka.h>

#define NOW INT64_C(1734706800000)

static const struct field table[] = {
	{"state", FIELD_TEXT, "state", NULL},
	{"subject", FIELD_TEXT, "title|source.subject", NULL},
	{"assignee", FIELD_LIST, "admin.email|admin.id", NULL},
	{"team", FIELD_TEXT, "team_id", NULL},
	{"tags", FIELD_LIST, "tags.tags.*.name", NULL},
	{"body", FIELD_HTML, "source.body", NULL},
	{"waiting", FIELD_TIME, "waiting_since", NULL},
	{"snoozed", FIELD_TIME, "snoozed_until", NULL},
	{"parts", FIELD_INTEGER, "statistics.parts", NULL},
	{"score", FIELD_REAL, "score", NULL},
	{"read", FIELD_BOOL, "read", NULL},
	{"priority", FIELD_BOOL, "priority", NULL},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const char document[] =
	"{\"state\": \"open\", \"title\": null, \"source\": {\"subject\": \"Please refund my Order #77\", \"body\": \"<p>Gr\xc3\xbc\xc3\x9f"
	"e aus <b>K\xc3\xb6ln</b></p>\"}, \"admin\": {\"id\": 42, \"email\": \"alice@example.com\"}, \"team_id\": 814865,"
	" \"tags\": {\"tags\": [{\"name\": \"VIP\"}, {\"name\": \"new customer\"}]}, \"waiting_since\": 1734699600, \"snoozed_until\": null,"
	" \"statistics\": {\"count_reopens\": 2, \"parts\": 14, \"last_close_at\": 1734566400, \"ratio\": 0.5, \"none\": null}, \"score\": 4.5,"
	" \"read\": false, \"custom_attributes\": {\"Plan type\": \"Gold\", \"seats\": \"10\", \"list\": [1, \"two\", {\"x\": 3}], \"empty\": [],"
	" \"big\": 9007199254740993}}";

static struct buf doc;
static struct buf scratch;

static int setup(void **state)
{
	(void)state;
	return json_to_msgpack(bytes_str(document), JSON_STRICT, &doc, NULL);
}

static int teardown(void **state)
{
	(void)state;
	buf_release(&doc);
	buf_release(&scratch);
	return 0;
}

static struct record record(void)
{
	return (struct record){
		.id = bytes_str("215473"),
		.created_ms = INT64_C(1734516000000), /* 2024-12-18T10:00:00Z */
		.updated_ms = INT64_C(1734699600500), /* 2024-12-20T13:00:00.5Z */
		.seen_ms = NOW,
		.revision = 99,
		.flags = RECORD_TRUNCATED,
		.doc = buf_bytes(&doc),
	};
}

static const char *const true_rows[] = {
	"",
	"  \n ",
	"state = open",
	"state=open",
	"state == open",
	"state = \"open\"",
	"state = 'open'",
	"state != closed",
	"not state = closed",
	"NOT state = closed AND state = open",
	"not not state = open",
	"(state = open)",
	"((state = open) or state = x) and (parts > 1)",
	"state = closed or state = open and parts = 14",
	"state = open or state = closed and parts = 0", /* and binds tighter */
	"not (state = open and parts = 0)",
	"state in (closed, open)",
	"state in (open)",
	"state not in (closed, snoozed)",
	"not state in (closed)",
	"state in (\"open\",'x y')",
	/* Ids are text whatever they are upstream. */
	"id = 215473",
	"id = \"215473\"",
	"team = 814865",
	"team = '814865'",
	"assignee in (alice@example.com, 42)",
	"assignee = alice@example.com",
	"tags contains vip",
	"tags contains VIP",
	"tags contains 'New Customer'",
	"not tags contains customer",
	"tags not contains customer",
	"tags ~ custom",
	"tags = VIP",
	"tags != vip", /* = is exact */
	"tags in (x, VIP)",
	"subject ~ refund",
	"subject ~ REFUND",
	"subject ~ \"order #\"",
	"subject contains order",
	"subject not ~ invoice",
	"subject = 'Please refund my Order #77'",
	"subject ~ ''",
	"body ~ 'gr\xc3\x9c\xc3\x9f"
	"e AUS k\xc3\x96ln'",
	"body = 'Gr\xc3\xbc\xc3\x9f"
	"e aus K\xc3\xb6ln'",
	"body ~ \"K\\u00f6ln\"",
	/* Numbers. */
	"parts >= 2",
	"parts = 14",
	"parts = 14.0",
	"parts = '14'",
	"parts < 1e2",
	"parts > -5",
	"parts in (13, 14)",
	"parts ~ 4",
	"score > 4",
	"score >= 4.5",
	"score = 4.5",
	"revision = 99",
	"revision >= 99 and revision <= 99",
	/* Booleans. */
	"truncated",
	"truncated = true",
	"not deleted",
	"deleted = false",
	"deleted != true",
	"not read",
	"read = FALSE",
	"truncated and not read",
	/* What is missing compares with nothing. */
	"not priority",
	"priority != true",
	"priority = null",
	"not priority exists",
	"priority not exists",
	"state exists",
	"state != null",
	"snoozed = null",
	"snoozed != 2024-01-01",
	"not snoozed > 2024-01-01",
	"not snoozed < 2024-01-01",
	"parent = null",
	"not parent exists",
	"merged_into != x",
	"not parent in (a, b)",
	/* Times. */
	"created = 2024-12-18",
	"created = 2024-12",
	"created >= 2024-12-18",
	"created <= 2024-12-18",
	"created > 2024-12-17",
	"created < 2024-12-19",
	"not created > 2024-12-18",
	"not created < 2024-12-18",
	"created != 2024-12-17",
	"created in (2024-11, 2024-12-18)",
	"created > 3 days ago",
	"created < 2 days ago and state = open",
	"created >= 2024-12-18 10:00 and created <= 2024-12-18 10:00",
	"created = 2024-12-18T10:00:00Z",
	"created = '2024-12-18 11:00 +01:00'",
	"updated > -3h",
	"updated > yesterday",
	"updated = today",
	"updated > @1734699600",
	"updated = 2024-12-20T13:00:00.500Z",
	"waiting = 2024-12-20 13:00",
	"waiting exists",
	/* Raw paths. */
	"statistics.count_reopens >= 2",
	"doc.statistics.count_reopens = 2",
	"doc.state = open",
	"statistics.ratio = 0.5",
	"statistics.ratio < 1",
	"statistics.none = null",
	"statistics.missing = null",
	"not statistics.missing exists",
	"doc.statistics exists",
	"statistics.last_close_at = 2024-12-19",
	"statistics.last_close_at < yesterday or statistics.last_close_at = yesterday",
	"statistics.last_close_at > 1734566399",
	"doc.read = false",
	"doc.read != true",
	"'doc.custom_attributes.Plan type' = Gold",
	"custom_attributes.seats = 10",
	"custom_attributes.seats = '10'",
	"statistics.count_reopens = '2'",
	"custom_attributes.list = two",
	"custom_attributes.list = 1",
	"custom_attributes.list contains TWO",
	"not custom_attributes.list contains tw",
	"custom_attributes.list ~ tw",
	"custom_attributes.list.2.x = 3",
	"custom_attributes.list exists",
	"custom_attributes.empty not exists",
	"custom_attributes.big = 9007199254740993",
	"custom_attributes.big != 9007199254740992",
	"custom_attributes.big > 9007199254740992",
	"tags.tags.*.name contains vip",
	"tags.tags.0.name = VIP",
};

static const char *const false_rows[] = {
	"state = Open",
	"state = 'open '",
	"state > open",
	"state < open",
	"not state = open",
	"state = open and state = closed",
	"(state = open or state = x) and parts = 0",
	"state in (closed, snoozed)",
	"assignee = 42", /* the first alternative that exists counts */
	"tags contains vi",
	"tags contains custom",
	"subject ~ refunds",
	"subject = null",
	"body ~ '<b>'",
	"parts > 14",
	"parts != 14",
	"score = 4",
	"read",
	"deleted",
	"priority",
	"priority = false",
	"priority exists",
	"snoozed = 2024-01-01",
	"snoozed < 2099-01-01",
	"snoozed > 1999-01-01",
	"snoozed in (2024-01-01)",
	"parent in (a, b)",
	"created > 2024-12-18",
	"created < 2024-12-18",
	"created != 2024-12-18",
	"created > 2 days ago",
	"updated = 2024-12-20T13:00:00Z",
	"statistics.missing = 0",
	"statistics.missing != null",
	"statistics.none < 5",
	"statistics.none ~ ''",
	"custom_attributes.list contains 3",
	"custom_attributes.empty exists",
	"doc.statistics = x",
	"statistics.count_reopens.x = 1",
};

/* Values as an index keeps them; raw paths are in none. */
static int stored_value(void *ctx, const struct field *f, struct bytes *out)
{
	static uint8_t room[4096];
	struct buf value = {0};
	const struct record *r = ctx;

	if (f->type == FIELD_ANY)
		return ERR_NOTFOUND;
	int rc = field_stored(f, r->doc, &value);
	assert_in_range(value.len, 1, sizeof room);
	memcpy(room, value.data, value.len);
	*out = bytes_of(room, value.len);
	buf_release(&value);
	return rc < 0 ? rc : 1;
}

static int eval(const char *text, struct why *why)
{
	struct arena a = {0};
	const struct where *w = NULL;
	struct record r = record();
	int rc = where_parse(bytes_str(text), table, NOW, NULL, &a, &w, why);

	if (rc == 0) {
		struct buf other = {0};
		rc = where_match(w, &r, &scratch);
		int stored = where_match_stored(w, &r, stored_value, &r, &other);
		if (stored != rc && stored != ERR_NOTFOUND)
			fail_msg("'%s': %d, but %d from stored values", text, rc, stored);
		buf_release(&other);
	}
	arena_release(&a);
	return rc;
}

static void test_true(void **state)
{
	struct why why = {""};

	(void)state;
	for (size_t i = 0; i < sizeof true_rows / sizeof *true_rows; i++) {
		int rc = eval(true_rows[i], &why);
		if (rc != 1)
			fail_msg("'%s': %d %s", true_rows[i], rc, rc < 0 ? why.text : "");
	}
}

static void test_false(void **state)
{
	struct why why = {""};

	(void)state;
	for (size_t i = 0; i < sizeof false_rows / sizeof *false_rows; i++) {
		int rc = eval(false_rows[i], &why);
		if (rc != 0)
			fail_msg("'%s': %d %s", false_rows[i], rc, rc < 0 ? why.text : "");
	}
}

/* Whatever holds does not hold negated, and the other way round. */
static void test_negation(void **state)
{
	char text[WHERE_TEXT_MAX];

	(void)state;
	for (size_t i = 2; i < sizeof true_rows / sizeof *true_rows; i++) {
		snprintf(text, sizeof text, "not (%s)", true_rows[i]);
		assert_int_equal(eval(text, NULL), 0);
	}
}

static const struct bad_row {
	const char *text;
	int code;
	const char *why; /* how it begins */
} bad_rows[] = {
	{"subject = \"ü山\" and stat = open", ERR_NOTFOUND, "column 20: unknown field 'stat'"},
	{"stat = open", ERR_NOTFOUND, "column 1: unknown field 'stat' (did you mean state?)"},
	{"state = open and asignee = 4", ERR_NOTFOUND,
	 "column 18: unknown field 'asignee' (did you mean assignee?)"},
	{"xyzzy = 4", ERR_NOTFOUND,
	 "column 1: unknown field 'xyzzy' (a path into the document begins with doc.)"},
	{"STATE = open", ERR_NOTFOUND, "column 1: unknown field 'STATE' (did you mean state?)"},
	{"state", ERR_SYNTAX,
	 "column 6: expected an operator (= != < <= > >= ~ in contains exists), but the condition ends here"},
	{"state open", ERR_SYNTAX,
	 "column 7: expected an operator (= != < <= > >= ~ in contains exists), not 'open'"},
	{"state =", ERR_SYNTAX, "column 8: expected a value, but"},
	{"state = and x", ERR_SYNTAX, "column 9: expected a value, not 'and'"},
	{"state = (open)", ERR_SYNTAX, "column 9: expected a value, not '('"},
	{"state = = open", ERR_SYNTAX, "column 9: expected a value, not '='"},
	{"= open", ERR_SYNTAX, "column 1: expected a field, not '='"},
	{"and state = open", ERR_SYNTAX, "column 1: expected a field, not 'and'"},
	{"state = open and", ERR_SYNTAX, "column 17: expected a field, but"},
	{"state = open or or state = x", ERR_SYNTAX, "column 17: expected a field, not 'or'"},
	{"state = open state = x", ERR_SYNTAX, "column 14: expected and, or or the end, not 'state'"},
	{"state = open)", ERR_SYNTAX, "column 13: expected and, or or the end, not ')'"},
	{"(state = open", ERR_SYNTAX, "column 14: expected and, or or ), but"},
	{"()", ERR_SYNTAX, "column 2: expected a field, not ')'"},
	{"state in open", ERR_SYNTAX, "column 10: expected ( behind in, not 'open'"},
	{"state in ()", ERR_SYNTAX, "column 11: expected a value, not ')'"},
	{"state in (a, )", ERR_SYNTAX, "column 14: expected a value"},
	{"state in (a b)", ERR_SYNTAX, "column 13: expected , or ), not 'b'"},
	{"state in (a", ERR_SYNTAX, "column 12: expected , or ), but"},
	{"state in (a, null)", ERR_SYNTAX, "column 14: null goes with"},
	{"state < null", ERR_SYNTAX, "column 9: null goes with"},
	{"state ~ null", ERR_SYNTAX, "column 9: null goes with"},
	{"state not = x", ERR_SYNTAX,
	 "column 11: expected in, contains, exists or ~ behind not, not '='"},
	{"state not", ERR_SYNTAX, "column 10: expected in, contains, exists or ~ behind not, but"},
	{"not", ERR_SYNTAX, "column 4: expected a field, but"},
	{"state = 'open", ERR_SYNTAX, "column 9: this string is not closed"},
	{"state = \"op\\q\"", ERR_SYNTAX, "column 12: unknown escape"},
	{"state = \"op\\ud800\"", ERR_SYNTAX, "column 12: unknown escape"},
	{"state = \"op\\", ERR_SYNTAX, "column 12: unknown escape"},
	{"state ! open", ERR_SYNTAX, "column 7: '!' alone"},
	{"parts = many", ERR_INVALID, "column 9: parts (integer) takes a number"},
	{"parts = 0x10", ERR_INVALID, "column 9: parts (integer) takes"},
	{"parts = inf", ERR_INVALID, "column 9: parts (integer) takes"},
	{"read = 1", ERR_INVALID, "column 8: read (boolean) takes true or false"},
	{"read > true", ERR_INVALID, "column 8: read (boolean) takes = and != or stands alone"},
	{"created ~ 2024", ERR_INVALID, "column 11: created (time) takes = !="},
	{"created > sometime", ERR_SYNTAX, "column 11: 'sometime' is not a time"},
	{"created > 2024-13-01 and read", ERR_SYNTAX,
	 "column 11: '2024-13-01' is not a time: there is no such month"},
	{"created > 2 days ago read", ERR_SYNTAX, "column 11: '2 days ago read' is not a time"},
	{"doc. = 5", ERR_INVALID, "column 1: 'doc.' is not a path"},
	{"a..b = 5", ERR_INVALID, "column 1: 'a..b' is not a path"},
	{"state && x", ERR_SYNTAX, "column 7: expected an operator"},
};

static void test_bad(void **state)
{
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof bad_rows / sizeof *bad_rows; i++) {
		why.text[0] = 0;
		int rc = eval(bad_rows[i].text, &why);
		if (rc != bad_rows[i].code ||
		    strncmp(why.text, bad_rows[i].why, strlen(bad_rows[i].why)) != 0)
			fail_msg("'%s': %d %s", bad_rows[i].text, rc, why.text);
	}
}

/* --- limits ----------------------------------------------------------------------------------------------------- */

static int eval_repeated(const char *start, const char *piece, int n, const char *end)
{
	struct buf text = {0};

	buf_put_str(&text, start);
	for (int i = 0; i < n; i++)
		buf_put_str(&text, piece);
	buf_put_str(&text, end);
	int rc = eval(buf_text(&text), NULL);
	buf_release(&text);
	return rc;
}

static void test_limits(void **state)
{
	(void)state;
	assert_int_equal(eval_repeated("", "(", WHERE_DEPTH_MAX, "read"), ERR_SYNTAX);
	assert_int_equal(eval_repeated("", "(", WHERE_DEPTH_MAX + 1, "read"), ERR_LIMIT);
	assert_int_equal(eval_repeated("", "not ", WHERE_DEPTH_MAX, "truncated"), 1);
	assert_int_equal(eval_repeated("", "not ", WHERE_DEPTH_MAX + 1, "truncated"), ERR_LIMIT);
	/* A group of n bare booleans has n + 1 nodes. */
	assert_int_equal(eval_repeated("truncated", " and truncated", WHERE_NODES_MAX - 2, ""), 1);
	assert_int_equal(eval_repeated("truncated", " and truncated", WHERE_NODES_MAX - 1, ""),
			 ERR_LIMIT);
	assert_int_equal(eval_repeated("state in (open", ",x", WHERE_NODES_MAX - 2, ")"), 1);
	assert_int_equal(eval_repeated("state in (open", ",x", WHERE_NODES_MAX - 1, ")"), ERR_LIMIT);
	assert_int_equal(eval_repeated("state = open", " ", WHERE_TEXT_MAX - 12, ""), 1);
	assert_int_equal(eval_repeated("state = open", " ", WHERE_TEXT_MAX - 11, ""), ERR_LIMIT);
}

/* No memory at any point is an error, and nothing else. */
static void test_no_memory(void **state)
{
	const char text[] =
		"state = \"x\" and (subject ~ refund or not tags contains vip) and doc.a.b in (1, 2, 3)";
	size_t max = 1;
	int rc;

	(void)state;
	do {
		struct arena a = {.max = max++};
		const struct where *w;
		rc = where_parse(bytes_str(text), table, NOW, NULL, &a, &w, NULL);
		assert_true(rc == 0 || rc == ERR_NOMEM);
		arena_release(&a);
	} while (rc);
	assert_true(max > 500);
}

static void test_damaged_document(void **state)
{
	struct arena a = {0};
	const struct where *w;
	struct record r = record();

	(void)state;
	assert_int_equal(
		where_parse(bytes_str("tags contains vip or score = 1 or not custom_attributes.big exists"),
			    table, NOW, NULL, &a, &w, NULL),
		0);
	for (size_t cut = 1; cut < doc.len; cut++) {
		uint8_t *copy = malloc(cut);
		memcpy(copy, doc.data, cut);
		r.doc = bytes_of(copy, cut);
		int rc = where_match(w, &r, &scratch);
		assert_true(rc == 0 || rc == 1 || rc == ERR_CORRUPT);
		free(copy);
	}
	r.doc = bytes_of(NULL, 0);
	assert_int_equal(where_match(w, &r, &scratch), 1);
	r.doc = bytes_str("\xc0");
	assert_int_equal(where_match(w, &r, &scratch), 1);
	arena_release(&a);
}

/* --- the shape, which planners read ----------------------------------------------------------------------------- */

static void test_shape(void **state)
{
	struct arena a = {0};
	const struct where *w;

	(void)state;
	assert_int_equal(where_parse(bytes_str("a.b = 5 and state != x and (read or tags in (y, z))"),
				     table, NOW, NULL, &a, &w, NULL),
			 0);
	assert_int_equal(w->op, WHERE_AND);
	const struct where *first = w->child, *second = first->next, *third = second->next;
	assert_null(third->next);
	assert_int_equal(first->op, WHERE_EQUAL);
	assert_int_equal(first->field->type, FIELD_ANY);
	assert_true(first->values->is_integer && first->values->integer == 5);
	assert_int_equal(second->op, WHERE_NOT);
	assert_ptr_equal(second->child->field, &table[0]);
	assert_int_equal(third->op, WHERE_OR);
	assert_int_equal(third->child->next->op, WHERE_IN);
	assert_true(bytes_is(third->child->next->values->next->text, "z"));
	assert_null(third->child->next->values->next->next);
	arena_release(&a);
}

/* --- folding ---------------------------------------------------------------------------------------------------- */

static void test_fold(void **state)
{
	static const char *const same[][2] = {
		{"ABCxyz", "abcXYZ"},
		{"\xc3\x84\xc3\x96\xc3\x9c", "\xc3\xa4\xc3\xb6\xc3\xbc"},
		{"\xd0\x9f\xd1\x80\xd0\x98\xd0\x92\xd0\x95\xd0\xa2",
		 "\xd0\xbf\xd0\xa0\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"}, /* ПрИВЕТ пРивет */
		{"\xce\x91\xce\xa9", "\xce\xb1\xcf\x89"},
		{"\xc4\x8c\xc5\xbd\xc5\x81", "\xc4\x8d\xc5\xbe\xc5\x82"}, /* ČŽŁ */
	};
	static const char *const other[][2] = {
		{"a", "b"},
		{"@", "`"},
		{"[", "{"},
		{"\xc3\x97", "\xc3\xb7"}, /* × ÷ */
		{"\xc3\x9f", "\xc3\xbf"},
		{"\xc4\xb0", "\xc4\xb1"},
		{"ab", "a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		if (!fold_equal(bytes_str(same[i][0]), bytes_str(same[i][1])))
			fail_msg("%s %s", same[i][0], same[i][1]);
	for (size_t i = 0; i < sizeof other / sizeof *other; i++)
		if (fold_equal(bytes_str(other[i][0]), bytes_str(other[i][1])))
			fail_msg("%s %s", other[i][0], other[i][1]);
}

static bool find(const char *text, const char *needle)
{
	struct arena a = {0};
	bool found = fold_find(bytes_str(text), bytes_str(needle),
			       fold_prepare(bytes_str(needle), &a));

	arena_release(&a);
	return found;
}

static int settle(void *ctx, const struct field *f, enum where_op op, struct bytes text,
		  struct where_meant *out, struct why *why)
{
	static struct bytes ids[] = {{NULL, 0}, {NULL, 0}};

	if (f->type == FIELD_LIST || op == WHERE_MATCH || op == WHERE_CONTAINS)
		return 0;
	++*(int *)ctx;
	if (bytes_is(text, "nobody"))
		return why_set(why, ERR_NOTFOUND, "no %s is called so", f->name);
	ids[0] = bytes_str("814865");
	if (bytes_is(text, "Billing"))
		*out = (struct where_meant){.texts = ids, .count = 1};
	return 0;
}

/* A name stands for an id where values are compared as they are, and nowhere else. */
static void test_names(void **state)
{
	static const struct {
		const char *text;
		int result, asked;
	} rows[] = {
		{"team = Billing", 1, 1},
		{"team != 'Billing'", 0, 1},
		{"team in (x, Billing) and state = open", 1, 3},
		{"team ~ Billing", 0, 0},
		{"team contains Billing or parts = 14", 1, 0},
		{"tags = Billing", 0, 0},
		{"state = open and team = nobody", ERR_NOTFOUND, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int asked = 0;
		struct where_names names = {settle, &asked};
		struct arena a = {0};
		const struct where *w = NULL;
		struct record r = record();
		struct why why = {""};
		int rc = where_parse_named(bytes_str(rows[i].text), table, &names, NOW, NULL, &a,
					   &w, &why);
		if (rc == 0)
			rc = where_match(w, &r, &scratch);
		else
			assert_string_equal(why.text, "column 25: no team is called so");
		assert_int_equal(rc, rows[i].result);
		assert_int_equal(asked, rows[i].asked);
		arena_release(&a);
	}
}

/* Several may have a name, and none is nobody. */
static int settle_many(void *ctx, const struct field *f, enum where_op op, struct bytes text,
		       struct where_meant *out, struct why *why)
{
	static struct bytes ids[300];

	(void)ctx;
	(void)op;
	(void)why;
	for (size_t i = 0; i < 300; i++)
		ids[i] = bytes_str(i == 1 ? "814865" : "1");
	if (strcmp(f->name, "team") != 0)
		return 0;
	out->nobody = bytes_is(text, "none");
	out->texts = ids;
	out->count = bytes_is(text, "Bill") ? 2 : bytes_is(text, "all") ? 300 : 0;
	return 0;
}

static void test_names_of_several(void **state)
{
	static const struct {
		const char *text;
		int result;
		const char *words;
	} rows[] = {
		{"team = Bill", 1, NULL},
		{"team != Bill", 0, NULL},
		{"team ~ Bill", 1, NULL},
		{"not team contains Bill", 0, NULL},
		{"team in (7, Bill, 8) and state = open", 1, NULL},
		{"team in (7, 8, 9)", 0, NULL},
		{"team = none", 0, NULL},
		{"team != none and state = open", 1, NULL},
		{"state = none", 0, NULL},
		{"team in (none, 7)", ERR_SYNTAX, "column 10: 'none' goes with = and != only"},
		{"team = all", ERR_LIMIT, "column 8: this is the name of too many: say more of it"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct where_names names = {settle_many, NULL};
		struct arena a = {0};
		const struct where *w = NULL;
		struct record r = record();
		struct why why = {""};
		int rc = where_parse_named(bytes_str(rows[i].text), table, &names, NOW, NULL, &a,
					   &w, &why);
		if (rc == 0)
			rc = where_match(w, &r, &scratch);
		else
			assert_string_equal(why.text, rows[i].words);
		assert_int_equal(rc, rows[i].result);
		arena_release(&a);
	}
}

static void test_find(void **state)
{
	(void)state;
	assert_true(find("aaaaab", "AAB"));
	assert_true(find("abababac", "ababac"));
	assert_true(find("x", ""));
	assert_true(find("", ""));
	assert_false(find("", "a"));
	assert_false(find("aab", "aabb"));
	/* What naive search takes the square of time for. */
	char *text = malloc(1 << 20), needle[4000];
	memset(text, 'a', 1 << 20);
	memset(needle, 'a', sizeof needle);
	needle[sizeof needle - 2] = 'b';
	needle[sizeof needle - 1] = 0;
	text[(1 << 20) - 1] = 0;
	clock_t start = clock();
	assert_false(find(text, needle));
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_true),
		cmocka_unit_test(test_false),
		cmocka_unit_test(test_negation),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_damaged_document),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_of_several),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
