/* What answers mean: lenient in form, strict in kind. */
#include "support/asking.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "skip.h"

static void is_nonsense(struct ask ask, const char *body)
{
	struct page *p = asking_answer(&ask, 200, body);

	assert_int_equal(p->fault, FAULT_NONSENSE);
	assert_true(p->why.text[0]);
	assert_int_equal(p->count, 0);
	page_free(p);
}

static const struct record *record(const struct page *p, size_t i)
{
	assert_true(i < p->count);
	return &p->records[i].record;
}

/* ---- forms ---- */

static void forms(void **state)
{
	struct ask ask = asking_of(ASK_LIST, "contacts");
	struct page *p = asking_answer(
		&ask, 200,
		"{\"type\":\"list\",\"total_count\":\"x\",\"data\":["
		"{\"type\":\"contact\",\"id\":\"a\",\"created_at\":1700000000,\"updated_at\":1700000001.5},"
		"{\"type\":\"contact\",\"id\":7,\"created_at\":null,\"updated_at\":\"2024-01-01T00:00:00Z\"},"
		"{\"type\":\"contact\",\"id\":\"b\"},"
		"{\"type\":\"contact\",\"id\":\"c\",\"created_at\":{},\"updated_at\":-5},"
		"{\"type\":\"contact\",\"id\":\"d\",\"created_at\":1e300,\"updated_at\":\"soon\"},"
		"{\"type\":\"contact\",\"id\":\"e\",\"created_at\":1700000000123,\"updated_at\":1700000001500.0}]}");

	(void)state;
	assert_int_equal(p->fault, FAULT_NONE);
	assert_int_equal(p->count, 6);
	assert_int_equal(p->total, -1);
	assert_null(p->next.data);
	assert_true(bytes_is(record(p, 0)->id, "a") && bytes_is(record(p, 1)->id, "7"));
	assert_true(record(p, 0)->created_ms == 1700000000000 &&
		    record(p, 0)->updated_ms == 1700000001500);
	assert_true(record(p, 1)->created_ms == TIME_NONE &&
		    record(p, 1)->updated_ms == 1704067200000);
	assert_true(record(p, 2)->created_ms == TIME_NONE && record(p, 2)->updated_ms == TIME_NONE);
	assert_true(record(p, 3)->created_ms == TIME_NONE && record(p, 3)->updated_ms == -5000);
	assert_true(record(p, 4)->created_ms == TIME_NONE && record(p, 4)->updated_ms == TIME_NONE);
	assert_true(record(p, 5)->created_ms == 1700000000123 &&
		    record(p, 5)->updated_ms == 1700000001500);
	for (size_t i = 0; i < p->count; i++) {
		assert_true(record(p, i)->seen_ms == SEEN && record(p, i)->flags == 0);
		assert_int_equal(mp_check(record(p, i)->doc), 0);
	}
	page_free(p);
}

static void listings_are_poor(void **state)
{
	struct ask ask = asking_of(ASK_CHANGED, "conversations");
	struct page *p = asking_answer(
		&ask, 200,
		"{\"type\":\"conversation.list\",\"total_count\":9,\"conversations\":[{\"type\":\"conversation\",\"id\":\"1\"}],"
		"\"pages\":{\"next\":{\"page\":2,\"starting_after\":\"WzE=\"}}}");

	(void)state;
	assert_int_equal(p->count, 1);
	assert_true(record(p, 0)->flags == RECORD_POOR);
	assert_int_equal(p->total, 9);
	assert_true(bytes_is(p->next, "WzE="));
	page_free(p);
}

static void children_are(const char *members, int64_t expected)
{
	struct ask ask = asking_of(ASK_CHANGED, "conversations");
	char body[512];

	snprintf(body, sizeof body,
		 "{\"type\":\"conversation.list\",\"conversations\":[{\"type\":\"conversation\",\"id\":\"1\"%s}]}",
		 members);
	struct page *p = asking_answer(&ask, 200, body);
	assert_int_equal(p->count, 1);
	assert_int_equal(p->records[0].children, expected);
	page_free(p);
}

/* What a listing says of a thread's length: its parts, and the opening message. */
static void listings_count_children(void **state)
{
	(void)state;
	children_are(",\"source\":{\"id\":\"9\"},\"statistics\":{\"count_conversation_parts\":4}", 5);
	children_are(",\"source\":null,\"statistics\":{\"count_conversation_parts\":4}", 4);
	children_are(",\"statistics\":{\"count_conversation_parts\":0}", 0);
	children_are(",\"statistics\":null", -1);
	children_are(",\"statistics\":{\"count_conversation_parts\":-1}", -1);
	children_are(",\"statistics\":{\"count_conversation_parts\":\"many\"}", -1);
	children_are("", -1);
}

static void next_is(enum ask_kind kind, const char *resource, const char *head, const char *next,
		    const char *expected)
{
	struct ask ask = asking_of(kind, resource);
	char body[512];

	snprintf(body, sizeof body, "{%s,\"pages\":{\"type\":\"pages\",\"next\":%s}}", head, next);
	struct page *p = asking_answer(&ask, 200, body);
	if (expected) {
		assert_int_equal(p->fault, FAULT_NONE);
		assert_true(expected[0] ? bytes_is(p->next, expected) : p->next.len == 0);
	} else {
		assert_int_equal(p->fault, FAULT_NONSENSE);
	}
	page_free(p);
}

static void next_cursors(void **state)
{
	static const char list[] = "\"type\":\"list\",\"data\":[]",
			  deleted[] = "\"type\":\"conversations.list\",\"conversations\":[]";

	(void)state;
	next_is(ASK_LIST, "contacts", list, "null", "");
	next_is(ASK_LIST, "contacts", list, "{\"page\":2,\"starting_after\":\"x\"}", "x");
	next_is(ASK_LIST, "contacts", list,
		"\"https://api.intercom.io/contacts?per_page=2&starting_after=WzE%3d%2B+%zz\"",
		"WzE=++%zz");
	next_is(ASK_LIST, "contacts", list, "{\"page\":2}", NULL);
	next_is(ASK_LIST, "contacts", list, "{\"page\":2,\"starting_after\":\"\"}", NULL);
	next_is(ASK_LIST, "contacts", list, "\"https://elsewhere.test/\"", NULL);
	next_is(ASK_LIST, "contacts", list, "7", NULL);
	next_is(ASK_LIST, "companies", list, "{\"page\":2,\"per_page\":15}", "2");
	next_is(ASK_LIST, "companies", list, "{\"page\":\"2\"}", "2");
	next_is(ASK_LIST, "companies", list,
		"\"https://x.test/companies/list?per_page=60&page=3#x\"", "3");
	next_is(ASK_LIST, "companies", list, "\"https://x.test/companies/list?per_page=60\"", NULL);
	next_is(ASK_DELETED, "conversations", deleted,
		"\"https://api.intercom.io/conversations/deleted?page=2\"", "2");
	next_is(ASK_DELETED, "conversations", deleted, "null", "");
	next_is(ASK_LIST, "segments", "\"type\":\"segment.list\",\"segments\":[]",
		"{\"starting_after\":\"y\"}", "y");
}

/* Counts that are none say nothing, and are no reason to doubt the list. */
static void counts(void **state)
{
	static const struct {
		const char *text;
		int64_t total;
	} rows[] = {
		{"\"total_count\":7,", 7},
		{"\"total_count\":0,", 0},
		{"\"total_count\":-1,", -1},
		{"\"total_count\":-9,", -1},
		{"", -1},
		{"\"total_count\":null,", -1},
		{"\"total_count\":\"7\",", -1},
		{"\"total_count\":7.5,", -1},
		{"\"total_count\":{\"n\":7},", -1},
		{"\"total_count\":true,", -1},
	};
	char body[200];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(body, sizeof body,
			 "{\"type\":\"list\",%s\"data\":[{\"type\":\"contact\",\"id\":\"1\"}]}",
			 rows[i].text);
		struct ask ask = asking_of(ASK_LIST, "contacts");
		struct page *p = asking_answer(&ask, 200, body);
		assert_int_equal(p->fault, FAULT_NONE);
		assert_int_equal(p->count, 1);
		assert_int_equal(p->total, rows[i].total);
		page_free(p);
	}
}

/* ---- kinds ---- */

static void another_kind(void **state)
{
	static const char *const bodies[] = {
		"{}",
		"[]",
		"null",
		"1",
		"\"x\"",
		"{\"type\":\"list\"}",
		"{\"data\":[]}",
		"{\"type\":\"list\",\"data\":{}}",
		"{\"type\":\"list\",\"data\":null}",
		"{\"type\":\"admin.list\",\"data\":[]}",
		"{\"type\":\"list\",\"data\":[1]}",
		"{\"type\":\"list\",\"data\":[{}]}",
		"{\"type\":\"list\",\"data\":[{\"type\":\"contact\"}]}",
		"{\"type\":\"list\",\"data\":[{\"type\":\"contact\",\"id\":\"\"}]}",
		"{\"type\":\"list\",\"data\":[{\"type\":\"contact\",\"id\":null}]}",
		"{\"type\":\"list\",\"data\":[{\"type\":\"company\",\"id\":\"1\"}]}",
		"{\"type\":\"list\",\"data\":[{\"type\":\"contact\",\"id\":\"1\"},{\"type\":\"tag\",\"id\":\"1\"}]}",
		"",
		"   ",
		"<html>",
		"{\"type\":\"list\",\"data\":[",
		"{\"type\":\"list\",\"data\":[]} x",
		"{\"type\":\"error.list\",\"errors\":[{\"code\":\"who_knows\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
		is_nonsense(asking_of(ASK_LIST, "contacts"), bodies[i]);
	is_nonsense(asking_of(ASK_IDENTITY, NULL), "{\"type\":\"admin\"}");
	is_nonsense(asking_of(ASK_IDENTITY, NULL), "{\"app\":{\"id_code\":\"\"}}");
	is_nonsense(asking_of(ASK_CHANGED, "conversations"),
		    "{\"type\":\"conversations.list\",\"conversations\":[]}");
	is_nonsense(asking_of(ASK_DELETED, "conversations"),
		    "{\"type\":\"conversation.list\",\"conversations\":[]}");
	is_nonsense(
		asking_of(ASK_DELETED, "conversations"),
		"{\"type\":\"conversations.list\",\"conversations\":[{\"type\":\"conversation\",\"id\":\"1\"}]}");
}

static void too_many_items(void **state)
{
	struct ask ask = asking_of(ASK_LIST, "tags");
	struct reader *r = reader_new(&asking_account, &ask, 0);

	(void)state;
	assert_int_equal(reader_feed(r, "{\"type\":\"list\",\"data\":[0", 24), 0);
	for (int i = 0; i < 200000; i++)
		assert_int_equal(reader_feed(r, ",0", 2), 0);
	assert_int_equal(reader_feed(r, "]}", 2), 0);
	struct page *p = reader_finish(r, 200, "", SEEN);
	assert_int_equal(p->fault, FAULT_NONSENSE);
	assert_true(p->arena.used < 4096);
	reader_free(r);
	page_free(p);
}

/* ---- conversations ---- */

#define HEAD "{\"type\":\"conversation\",\"id\":\"5\",\"created_at\":100,\"updated_at\":200,"

static struct page *conversation(const char *rest)
{
	struct ask ask = asking_one("conversations", "5");
	char body[4096];

	snprintf(body, sizeof body, HEAD "%s}", rest);
	return asking_answer(&ask, 200, body);
}

static void threads(void **state)
{
	struct page *p = conversation(
		"\"source\":{\"body\":\"hi\"},\"conversation_parts\":{\"conversation_parts\":["
		"{\"id\":3,\"created_at\":150},{\"id\":\"2\",\"created_at\":120},{\"id\":\"4\"}],\"total_count\":3}");
	struct bytes parts;

	(void)state;
	assert_int_equal(p->fault, FAULT_NONE);
	assert_false(record(p, 0)->flags & RECORD_TRUNCATED);
	assert_int_equal(p->count, 5);
	assert_string_equal(p->records[0].type->name, "conversations");
	assert_true(bytes_is(record(p, 0)->id, "5") && record(p, 0)->flags == 0);
	assert_int_equal(mp_find(record(p, 0)->doc, bytes_str("conversation_parts"), &parts), 0);
	assert_int_equal(mp_find(record(p, 0)->doc, bytes_str("source"), &parts), 1);
	assert_true(bytes_is(record(p, 1)->id, "source:5") && record(p, 1)->created_ms == 100000);
	assert_true(bytes_is(record(p, 2)->id, "4") && bytes_is(record(p, 3)->id, "2") &&
		    bytes_is(record(p, 4)->id, "3"));
	for (size_t i = 1; i < p->count; i++) {
		assert_string_equal(p->records[i].type->name, "messages");
		assert_true(bytes_is(record(p, i)->parent, "5"));
	}
	page_free(p);
}

static void thread_without(void **state)
{
	struct ask ask = asking_one("conversations", "5");

	(void)state;
	is_nonsense(ask, HEAD "\"source\":{}}");
	is_nonsense(ask, HEAD "\"conversation_parts\":null}");
	is_nonsense(ask, HEAD "\"conversation_parts\":{\"conversation_parts\":{}}}");
	is_nonsense(ask,
		    HEAD "\"conversation_parts\":{\"conversation_parts\":[{\"body\":\"no id\"}]}}");
	is_nonsense(
		ask,
		"{\"type\":\"conversation\",\"id\":\"6\",\"conversation_parts\":{\"conversation_parts\":[]}}");
	is_nonsense(
		ask,
		"{\"type\":\"ticket\",\"id\":\"5\",\"conversation_parts\":{\"conversation_parts\":[]}}");
	is_nonsense(asking_one("contacts", "a"), "{\"type\":\"contact\",\"id\":\"b\"}");
	struct page *p =
		conversation("\"source\":null,\"conversation_parts\":{\"conversation_parts\":[]}");
	assert_int_equal(p->fault, FAULT_NONE);
	assert_int_equal(p->count, 1);
	page_free(p);
}

/* An id of 255 bytes leaves no room for the name of its opening message. */
static void longest_id(void **state)
{
	char id[RECORD_ID_MAX + 1], body[1024];

	(void)state;
	memset(id, '1', RECORD_ID_MAX);
	id[RECORD_ID_MAX] = 0;
	snprintf(body, sizeof body,
		 "{\"type\":\"conversation\",\"id\":\"%s\",\"source\":{},\"conversation_parts\":{\"conversation_parts\":[]}}",
		 id);
	is_nonsense(asking_one("conversations", id), body);
}

static bool cut(unsigned shown, const char *total, const char *statistics)
{
	struct ask ask = asking_one("conversations", "5");
	struct buf body = {0};

	buf_printf(&body,
		   HEAD
		   "\"statistics\":%s,\"conversation_parts\":{\"total_count\":%s,\"conversation_parts\":[",
		   statistics, total);
	for (unsigned i = 0; i < shown; i++)
		buf_printf(&body, "%s{\"id\":\"%u\",\"created_at\":%u}", i ? "," : "", i + 1,
			   1000 + i);
	buf_put_str(&body, "]}}");
	struct page *p = asking_answer(&ask, 200, buf_text(&body));
	bool truncated = record(p, 0)->flags & RECORD_TRUNCATED;
	assert_int_equal(p->fault, FAULT_NONE);
	assert_int_equal(p->count, shown + 1);
	page_free(p);
	buf_release(&body);
	return truncated;
}

/* Of a thread that may have been cut nothing older may be taken for deleted. */
static void cut_threads(void **state)
{
	(void)state;
	assert_false(cut(3, "3", "null"));
	assert_false(cut(3, "3", "{\"count_conversation_parts\":9}")); /* it counts otherwise below the limit */
	assert_true(cut(3, "4", "null"));
	assert_true(cut(500, "700", "null"));
	assert_true(cut(500, "500", "{\"count_conversation_parts\":501}"));
	assert_true(cut(500, "500", "null"));
	assert_true(cut(500, "null", "{}"));
	assert_true(cut(500, "500", "{\"count_conversation_parts\":20}"));
	assert_false(cut(500, "500", "{\"count_conversation_parts\":500}"));
	assert_false(cut(499, "499", "null"));
}

static void deletions(void **state)
{
	struct ask ask = asking_of(ASK_DELETED, "conversations");
	struct page *p = asking_answer(
		&ask, 200,
		"{\"type\":\"conversations.list\",\"conversations\":[{\"type\":\"conversation\",\"id\":\"1\",\"deleted_at\":1700000000,"
		"\"created_at\":5,\"updated_at\":6}]}");

	(void)state;
	assert_int_equal(p->count, 1);
	assert_true(record(p, 0)->flags == RECORD_DELETED &&
		    record(p, 0)->updated_ms == 1700000000000);
	assert_true(record(p, 0)->created_ms == TIME_NONE);
	page_free(p);
}

static void identity(void **state)
{
	struct ask ask = asking_of(ASK_IDENTITY, NULL);
	char body[600], name[300] = "";
	struct page *p = asking_answer(
		&ask, 200,
		"{\"type\":\"admin\",\"app\":{\"id_code\":\"ws\",\"name\":\"W\",\"region\":\"EU\",\"timezone\":\"Europe/Berlin\"}}");

	(void)state;
	assert_string_equal(p->identity.id, "ws");
	assert_string_equal(p->identity.name, "W");
	assert_string_equal(p->identity.region, "EU");
	assert_string_equal(p->identity.timezone, "Europe/Berlin");
	page_free(p);
	/* Cut between characters. */
	for (int i = 0; i < 70; i++)
		strcat(name, "é");
	snprintf(body, sizeof body, "{\"app\":{\"id_code\":\"ws\",\"name\":\"%s\"}}", name);
	p = asking_answer(&ask, 200, body);
	assert_int_equal(strlen(p->identity.name), 126);
	page_free(p);
}

/* "Not modified" answers only who asked whether. */
static void not_modified(void **state)
{
	struct ask asks[] = {asking_of(ASK_LIST, "tags"),
			     asking_of(ASK_LIST, "contacts"),
			     asking_of(ASK_CHANGED, "conversations"),
			     asking_one("conversations", "1"),
			     asking_of(ASK_DELETED, "conversations"),
			     asking_of(ASK_IDENTITY, NULL)};

	(void)state;
	for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
		struct page *p = asking_answer(&asks[i], 304, "");
		assert_int_equal(p->fault, i == 0 ? FAULT_NONE : FAULT_NONSENSE);
		assert_true(p->unchanged == (i == 0));
		assert_int_equal(p->count, 0);
		page_free(p);
	}
}

/* ---- the official examples ---- */

static void example(const char *file, struct ask ask, size_t count, const char *first, const char *next)
{
	char *body = asking_example(file);

	if (!body)
		return;
	struct page *p = asking_answer(&ask, 200, body);
	if (p->fault || p->count != count)
		fail_msg("%s: %s, %zu records", file, p->why.text, p->count);
	assert_true(count == 0 || bytes_is(record(p, 0)->id, first));
	assert_true(next ? bytes_is(p->next, next) : p->next.len == 0);
	for (size_t i = 0; i < p->count; i++)
		assert_int_equal(mp_check(record(p, i)->doc), 0);
	page_free(p);
	free(body);
}

static void examples(void **state)
{
	char *there = asking_example("listTags.200.successful.json");

	(void)state;
	if (!there)
		skip_because("the official examples are not there");
	free(there);
	example("identifyAdmin.200.successful_response.json", asking_of(ASK_IDENTITY, NULL), 0,
		NULL, NULL);
	example("listAdmins.200.successful_response.json", asking_of(ASK_LIST, "admins"), 1,
		"991267466", NULL);
	example("listTeams.200.successful.json", asking_of(ASK_LIST, "teams"), 0, NULL, NULL);
	example("listTags.200.successful.json", asking_of(ASK_LIST, "tags"), 1, "102", NULL);
	example("listSegments.200.successful_response.json", asking_of(ASK_LIST, "segments"), 2,
		"6762f25c1bb69f9f2193bc22", NULL);
	example("listAllCompanies.200.successful.json", asking_of(ASK_LIST, "companies"), 1,
		"6762f0941bb69f9f2193bb25", NULL);
	example("listDeletedConversationIds.200.successful.json",
		asking_of(ASK_DELETED, "conversations"), 2, "512", "2");
	example("retrieveConversation.200.conversation_found.json",
		asking_one("conversations", "503"), 6, "503", NULL);
	example("searchConversations.200.successful.json", asking_of(ASK_CHANGED, "conversations"),
		1, "515", NULL);
	example("ListContacts.200.successful.json", asking_of(ASK_LIST, "contacts"), 0, NULL, NULL);
	example("SearchContacts.200.successful.json", asking_of(ASK_CHANGED, "contacts"), 0, NULL,
		NULL);
	example("ShowContact.200.successful.json", asking_one("contacts", "6762f0d01bb69f9f2193bb7d"),
		1, "6762f0d01bb69f9f2193bb7d", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(listings_are_poor),
		cmocka_unit_test(listings_count_children),
		cmocka_unit_test(next_cursors),
		cmocka_unit_test(counts),
		cmocka_unit_test(another_kind),
		cmocka_unit_test(too_many_items),
		cmocka_unit_test(threads),
		cmocka_unit_test(thread_without),
		cmocka_unit_test(longest_id),
		cmocka_unit_test(cut_threads),
		cmocka_unit_test(deletions),
		cmocka_unit_test(identity),
		cmocka_unit_test(not_modified),
		cmocka_unit_test(examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
