/* Front: requests to the letter, answers lenient in form and strict in kind, times to the millisecond. */
#include "support/asking.h"

#include <codec/json.h>
#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "skip.h"

static void expect(struct ask ask, const char *cursor, const char *url)
{
	struct call call;
	struct why why = {""};

	assert_int_equal(provider_call(&asking_front_account, &ask, bytes_str(cursor), &call, &why),
			 0);
	assert_string_equal(call.method, "GET");
	assert_string_equal((const char *)call.url.data, url);
	assert_int_equal(call.body.len, 0);
	assert_string_equal(call.headers[0], "Accept: application/json");
	assert_false(call.once);
	call_release(&call);
}

static void refuse(struct ask ask)
{
	struct call call;
	struct why why = {""};

	assert_int_equal(provider_call(&asking_front_account, &ask, bytes_of(NULL, 0), &call, &why),
			 ERR_INVALID);
	assert_true(why.text[0]);
}

#define HOST "https://front.test"

static void requests(void **state)
{
	struct ask ask = asking_front(ASK_CHANGED, "contacts");

	(void)state;
	expect(asking_front(ASK_IDENTITY, NULL), NULL, HOST "/me");
	expect(asking_front(ASK_LIST, "admins"), NULL, HOST "/teammates");
	expect(asking_front(ASK_LIST, "tags"), NULL, HOST "/tags?limit=100&sort_by=id&sort_order=asc");
	expect(asking_front(ASK_LIST, "companies"), "7f&x=/../#",
	       HOST
	       "/accounts?limit=100&sort_by=created_at&sort_order=asc&page_token=7f%26x%3D%2F..%2F%23");
	ask.start_ms = 1454453901012;
	expect(ask, NULL,
	       HOST
	       "/contacts?limit=100&sort_by=updated_at&sort_order=asc&q%5Bupdated_after%5D=1454453901.011");
	ask = asking_front(ASK_EVENTS, "conversations");
	ask.start_ms = 1454453901000;
	ask.end_ms = 1454453999999;
	expect(ask, "ab",
	       HOST "/events?limit=15&sort_by=created_at&sort_order=asc&q%5Bafter%5D=1454453900.999"
		    "&q%5Bbefore%5D=1454454000.000&page_token=ab");
	ask = asking_front(ASK_CHANGED, "conversations");
	ask.descending = true;
	expect(ask, NULL,
	       HOST
	       "/conversations?limit=25&sort_by=date&sort_order=desc&q%5Bstatuses%5D%5B%5D=assigned"
	       "&q%5Bstatuses%5D%5B%5D=unassigned&q%5Bstatuses%5D%5B%5D=archived&q%5Bstatuses%5D%5B%5D=trashed");
	ask = asking_front(ASK_ONE, "conversations");
	ask.id = bytes_str("cnv_1");
	expect(ask, NULL, HOST "/conversations/cnv_1");
	ask.kind = ASK_NESTED;
	ask.nested = "messages";
	expect(ask, NULL,
	       HOST "/conversations/cnv_1/messages?limit=100&sort_by=created_at&sort_order=desc");
	ask.nested = "comments";
	expect(ask, NULL, HOST "/conversations/cnv_1/comments");
	expect(ask, "t", HOST "/conversations/cnv_1/comments?page_token=t");
}

static void refused_requests(void **state)
{
	static const char *const ids[] = {"", "a/b", "../me", "a?b", "a b", "cnv_1#", "%2e"};
	struct ask ask = asking_front(ASK_ONE, "conversations");

	(void)state;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		ask.id = bytes_str(ids[i]);
		refuse(ask);
	}
	refuse(asking_front(ASK_LIST, "conversations"));
	refuse(asking_front(ASK_LIST, "messages"));
	refuse(asking_front(ASK_EVENTS, "contacts"));
	refuse(asking_front(ASK_DELETED, "conversations"));
	refuse(asking_front(ASK_ONE, "tags"));
	/* Conversations have no filter by update, nor an order by creation. */
	refuse(asking_front(ASK_CHANGED, "conversations"));
	ask = asking_front(ASK_CHANGED, "contacts");
	ask.created = true;
	refuse(ask);
}

/* ---- times ---- */

static void times(void **state)
{
	static const struct {
		const char *json;
		int64_t ms;
	} cases[] = {
		{"1454453901", 1454453901000},
		{"1454453901.0", 1454453901000},
		{"1454453901.1", 1454453901100},
		{"1454453901.12", 1454453901120},
		{"1454453901.012", 1454453901012},
		{"1701292649.333", 1701292649333},
		{"1729618463.25", 1729618463250},
		{"1699575875.186", 1699575875186},
		{"1e9", 1000000000000},
		{"\"1454453901\"", 1454453901000},
		{"\"1454453901.1\"", 1454453901100},
		{"\"1454453901.12\"", 1454453901120},
		{"\"1454453901.012\"", 1454453901012},
		{"\"1454453901.0129\"", 1454453901012},
		{"\"2016-02-02T22:58:21.012Z\"", 1454453901012},
		{"1701298738269", 1701298738269},
		{"null", TIME_NONE},
		{"\"soon\"", TIME_NONE},
		{"\"1454453901.x\"", TIME_NONE},
		{"[]", TIME_NONE},
	};
	struct ask ask = asking_front(ASK_LIST, "companies");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char body[200];
		snprintf(body, sizeof body,
			 "{\"_results\":[{\"id\":\"acc_1\",\"created_at\":%s,\"updated_at\":%s}]}",
			 cases[i].json, cases[i].json);
		struct page *p = asking_front_answer(&ask, 200, body);
		assert_int_equal(p->fault, FAULT_NONE);
		assert_int_equal(p->count, 1);
		if (p->records[0].record.created_ms != cases[i].ms)
			fail_msg("%s is %lld", cases[i].json,
				 (long long)p->records[0].record.created_ms);
		assert_true(p->records[0].record.updated_ms == cases[i].ms);
		page_free(p);
	}
}

/* Every millisecond of a second comes and goes as it is written. */
static void every_millisecond(void **state)
{
	struct ask ask = asking_front(ASK_LIST, "companies");

	(void)state;
	for (int ms = 0; ms < 1000; ms++) {
		char body[160], seconds[24];
		struct buf out = {0};
		int n = snprintf(seconds, sizeof seconds, "1701292649.%03d", ms);
		while (seconds[n - 1] == '0')
			seconds[--n] = 0;
		if (seconds[n - 1] == '.')
			seconds[--n] = 0;
		snprintf(body, sizeof body, "{\"_results\":[{\"id\":\"a\",\"created_at\":%s}]}",
			 seconds);
		struct page *p = asking_front_answer(&ask, 200, body);
		assert_true(p->records[0].record.created_ms == 1701292649000 + ms);
		assert_int_equal(json_write(p->records[0].record.doc, &out), 0);
		snprintf(body, sizeof body, "{\"id\":\"a\",\"created_at\":%s}", seconds);
		assert_string_equal(buf_text(&out), body);
		buf_release(&out);
		page_free(p);
	}
}

/* ---- lists ---- */

static void next_is(const char *pagination, const char *next)
{
	struct ask ask = asking_front(ASK_LIST, "tags");
	char body[400];

	snprintf(body, sizeof body, "{%s\"_results\":[{\"id\":\"tag_1\"}]}", pagination);
	struct page *p = asking_front_answer(&ask, 200, body);
	assert_int_equal(p->fault, next ? FAULT_NONE : FAULT_NONSENSE);
	if (next)
		assert_true(bytes_is(p->next, next));
	page_free(p);
}

static void pages(void **state)
{
	(void)state;
	next_is("", "");
	next_is("\"_pagination\":{},", "");
	next_is("\"_pagination\":{\"next\":null},", "");
	next_is("\"_pagination\":{\"prev\":null,\"next\":null},", "");
	/* The host is another one: only the token is taken. */
	next_is("\"_pagination\":{\"next\":\"https://evil.test/x?limit=25&page_token=92f3&q=1\"},",
		"92f3");
	next_is("\"_pagination\":{\"next\":\"https://a.test/x?page_token=9%2F%2e\"},", "9/.");
	next_is("\"_pagination\":{\"next\":\"https://a.test/x?page_token=\"},", NULL);
	next_is("\"_pagination\":{\"next\":\"https://a.test/x\"},", NULL);
	next_is("\"_pagination\":{\"next\":5},", NULL);
}

static void nonsense(void **state)
{
	static const char *const bodies[] = {
		"{}",
		"[]",
		"{\"_results\":{}}",
		"{\"_results\":[{}]}",
		"{\"_results\":[{\"id\":\"\"}]}",
		"{\"_results\":[5]}",
		"{\"id\":\"tag_1\"}",
		"<html>",
	};
	struct ask ask = asking_front(ASK_LIST, "tags");

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct page *p = asking_front_answer(&ask, 200, bodies[i]);
		assert_int_equal(p->fault, FAULT_NONSENSE);
		assert_int_equal(p->count, 0);
		page_free(p);
	}
}

/* ---- threads ---- */

static void nest(struct page *whole, const char *list, const char *body, bool first)
{
	struct ask ask = asking_front(ASK_NESTED, "conversations");

	ask.id = bytes_str("cnv_1");
	ask.nested = list;
	struct page *part = asking_front_answer(&ask, 200, body);
	assert_int_equal(part->fault, FAULT_NONE);
	assert_int_equal(provider_front.nest(&asking_front_account, whole, list, part, first), 0);
	page_free(part);
}

static void threads(void **state)
{
	struct ask ask = asking_front(ASK_ONE, "conversations");
	static const char *const order[] = {"cnv_1", "msg_1", "com_1", "msg_2", "msg_3"};
	struct bytes name;

	(void)state;
	ask.id = bytes_str("cnv_1");
	struct page *p = asking_front_answer(
		&ask, 200,
		"{\"id\":\"cnv_1\",\"created_at\":1700000000.5,\"inboxes\":\"old\",\"subject\":\"x\"}");
	assert_int_equal(p->nested_count, 3);
	assert_int_equal(p->records[0].record.flags, 0);
	nest(p, "messages",
	     "{\"_pagination\":{\"next\":\"https://a/?page_token=1\"},\"_results\":["
	     "{\"id\":\"msg_3\",\"created_at\":1700000009.001,\"is_draft\":true,\"error_type\":\"x\"},"
	     "{\"id\":\"msg_2\",\"created_at\":1700000005}]}",
	     true);
	nest(p, "messages", "{\"_results\":[{\"id\":\"msg_1\",\"created_at\":1700000001.25}]}", false);
	nest(p, "comments", "{\"_results\":[{\"id\":\"com_1\",\"posted_at\":1700000002.125}]}", true);
	nest(p, "inboxes", "{\"_results\":[{\"id\":\"inb_1\",\"name\":\"A\"}]}", true);
	nest(p, "inboxes", "{\"_results\":[{\"id\":\"inb_2\",\"name\":\"B\"}]}", false);
	assert_int_equal(p->count, 5);
	for (size_t i = 0; i < p->count; i++) {
		const struct page_record *item = &p->records[i];
		assert_true(bytes_is(item->record.id, order[i]));
		assert_string_equal(item->type->name, i ? "messages" : "conversations");
		assert_true(i ? bytes_is(item->record.parent, "cnv_1") : item->record.parent.len == 0);
		assert_int_equal(mp_check(item->record.doc), 0);
	}
	assert_true(p->records[2].record.created_ms == 1700000002125);
	assert_int_equal(mp_path(p->records[0].record.doc, bytes_str("inboxes.1"), &name), 1);
	assert_true(mp_find_str(name, "name", &name) && bytes_is(name, "B"));
	page_free(p);
}

static void shows(const char *resource, const char *name, const char *json, const char *value);

/* ---- people who are no contacts ---- */

static void people(void **state)
{
	struct ask ask = asking_front(ASK_ONE, "conversations");
	static const char *const ids[] = {
		"cnv_1",           "msg_1", "alt:email:ann@x.test", "alt:email:cc@y.test",
		"alt:phone:+4912", "msg_2"};
	struct buf out = {0};

	(void)state;
	ask.id = bytes_str("cnv_1");
	struct page *p = asking_front_answer(&ask, 200, "{\"id\":\"cnv_1\",\"subject\":\"x\"}");
	nest(p, "messages",
	     "{\"_results\":[{\"id\":\"msg_1\",\"type\":\"email\",\"created_at\":1700000001,\"is_inbound\":true,\"recipients\":["
	     "{\"handle\":\"Ann@X.test\",\"name\":\"Ann\",\"role\":\"from\",\"_links\":{\"related\":{\"contact\":null}}},"
	     "{\"handle\":\"ann@x.test\",\"role\":\"reply-to\"},"
	     "{\"handle\":\"bob@x.test\",\"role\":\"to\",\"_links\":{\"related\":{\"contact\":\"https://h/contacts/crd_1\"}}},"
	     "{\"handle\":\"\",\"role\":\"cc\"},{\"role\":\"cc\"},7,"
	     "{\"handle\":\"cc@y.test\",\"name\":\"\",\"role\":\"cc\"}]}]}",
	     true);
	nest(p, "messages",
	     "{\"_results\":[{\"id\":\"msg_2\",\"type\":\"sms\",\"created_at\":1700000002,\"is_inbound\":false,\"recipients\":["
	     "{\"handle\":\"+49800\",\"role\":\"from\"},{\"handle\":\"+4912\",\"role\":\"to\"}]},"
	     "{\"id\":\"msg_3\",\"created_at\":1700000003,\"recipients\":null}]}",
	     false);
	assert_int_equal(p->count, 7);
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		const struct page_record *item = NULL;
		for (size_t k = 0; k < p->count; k++)
			if (bytes_is(p->records[k].record.id, ids[i]))
				item = &p->records[k];
		assert_non_null(item);
		bool derived = strncmp(ids[i], "alt:", 4) == 0;
		assert_string_equal(item->type->name, derived  ? "contacts"
						      : i == 0 ? "conversations"
							       : "messages");
		assert_true(provider_front.derived(item->type, item->record.id) == derived);
		assert_true(!derived || item->record.parent.len == 0);
		if (i == 2) {
			assert_int_equal(json_write(item->record.doc, &out), 0);
			assert_string_equal(
				buf_text(&out),
				"{\"id\":\"alt:email:ann@x.test\",\"kind\":\"recipient\",\"name\":\"Ann\","
				"\"handles\":[{\"handle\":\"Ann@X.test\",\"source\":\"email\"}]}");
		}
	}
	page_free(p);
	buf_release(&out);
}

/* Whom a contact takes the place of. */
static void stands_for(void **state)
{
	static const char contact[] =
		"{\"id\":\"crd_1\",\"handles\":[{\"handle\":\"A@x\",\"source\":\"email\"},{\"handle\":5},"
		"{\"handle\":\"+491\",\"source\":\"phone\"}]}";
	const struct resource_type *type = provider_type(&provider_front, bytes_str("contacts"));
	struct buf doc = {0}, id = {0};
	struct why why = {""};

	(void)state;
	assert_int_equal(json_to_msgpack(bytes_str(contact), JSON_STRICT, &doc, &why), 0);
	assert_int_equal(provider_front.stands_for(type, buf_bytes(&doc), 0, &id), 1);
	assert_true(bytes_is(buf_bytes(&id), "alt:email:a@x"));
	assert_int_equal(provider_front.stands_for(type, buf_bytes(&doc), 1, &id), 1);
	assert_true(bytes_is(buf_bytes(&id), "alt:phone:+491"));
	assert_int_equal(provider_front.stands_for(type, buf_bytes(&doc), 2, &id), 0);
	assert_int_equal(
		provider_front.stands_for(provider_type(&provider_front, bytes_str("conversations")),
					  buf_bytes(&doc), 0, &id),
		0);
	shows("contacts", "kind", contact, "\"contact\"");
	shows("contacts", "kind", "{\"kind\":\"recipient\"}", "\"recipient\"");
	buf_release(&doc);
	buf_release(&id);
}

/* ---- events ---- */

static void events(void **state)
{
	struct ask ask = asking_front(ASK_EVENTS, "conversations");
	struct page *p = asking_front_answer(
		&ask, 200,
		"{\"_results\":["
		"{\"id\":\"evt_1\",\"type\":\"tag\",\"emitted_at\":1700000000.123,\"conversation\":"
		"{\"id\":\"cnv_1\",\"status\":\"archived\",\"subject\":\"\",\"updated_at\":1700000000}},"
		"{\"id\":\"evt_2\",\"type\":\"assign\",\"emitted_at\":1700000001,\"conversation\":{\"id\":\"cnv_2\"}},"
		"{\"id\":\"evt_3\",\"type\":\"x\",\"emitted_at\":1700000002},"
		"{\"id\":\"evt_4\",\"type\":\"conversations_merged\",\"emitted_at\":1700000003,"
		"\"target\":{\"_meta\":{\"type\":\"deleted_conversation_ids\"},\"data\":[\"cnv_8\",{\"id\":\"cnv_9\"},\"../x\",7]},"
		"\"conversation\":{\"id\":\"cnv_1\",\"status\":\"assigned\",\"subject\":\"\"}}]}");
	static const char *const ids[] = {"cnv_1", "cnv_2", "cnv_1", "cnv_8", "cnv_9"};
	static const bool shown[] = {true, false, true, false, false};

	(void)state;
	assert_int_equal(p->fault, FAULT_NONE);
	assert_int_equal(p->count, 5);
	for (size_t i = 0; i < p->count; i++) {
		assert_true(bytes_is(p->records[i].record.id, ids[i]));
		assert_true(p->records[i].event.shown == shown[i]);
		assert_true(p->records[i].record.flags & RECORD_POOR);
	}
	assert_true(p->records[0].event.at_ms == 1700000000123);
	assert_true(bytes_is(p->records[4].event.id, "evt_4"));
	page_free(p);
	p = asking_front_answer(&ask, 200, "{\"_results\":[{\"conversation\":{\"id\":\"cnv_1\"}}]}");
	assert_int_equal(p->fault, FAULT_NONSENSE);
	page_free(p);
}

/* ---- faults ---- */

static void faults(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum fault one, list;
		int64_t again_ms;
		bool route_only;
	} cases[] = {
		{401, "{\"_error\":{\"status\":401,\"title\":\"Unauthenticated\"}}", FAULT_AUTH,
		 FAULT_AUTH, 0, false},
		{403, "{\"_error\":{}}", FAULT_DENIED, FAULT_DENIED, 0, false},
		{404, "{\"_error\":{\"message\":\"Unknown conversation ID cn_123\"}}", FAULT_GONE,
		 FAULT_NEVER, 0, false},
		{404, "{\"message\":\"nginx\"}", FAULT_NONSENSE, FAULT_NONSENSE, 0, false},
		{404, "<html>", FAULT_NONSENSE, FAULT_NONSENSE, 0, false},
		{400, "{\"_error\":{\"message\":\"Invalid page_token\"}}", FAULT_CURSOR,
		 FAULT_CURSOR, 0, false},
		{400, "{\"_error\":{\"title\":\"Bad request\"}}", FAULT_NEVER, FAULT_NEVER, 0, false},
		{429,
		 "{\"_error\":{\"message\":\"Rate limit exceeded for tier-2 route. Please retry in 341 milliseconds.\"}}",
		 FAULT_LATER, FAULT_LATER, 341, true},
		{429,
		 "{\"_error\":{\"message\":\"Rate limit exceeded. Please retry in 42504 milliseconds.\"}}",
		 FAULT_LATER, FAULT_LATER, 42504, false},
		{429, "", FAULT_LATER, FAULT_LATER, 0, false},
		{503, "", FAULT_NOW, FAULT_NOW, 0, false},
		{200, "{\"_error\":{\"message\":\"x\"}}", FAULT_NONSENSE, FAULT_NONSENSE, 0, false},
	};
	struct ask one = asking_front(ASK_ONE, "conversations"),
		   list = asking_front(ASK_LIST, "tags");

	(void)state;
	one.id = bytes_str("cnv_1");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct page *p = asking_front_answer(&one, cases[i].status, cases[i].body),
			    *q = asking_front_answer(&list, cases[i].status, cases[i].body);
		assert_int_equal(p->fault, cases[i].one);
		assert_int_equal(q->fault, cases[i].list);
		assert_true(p->again_ms == cases[i].again_ms);
		assert_true(p->route_only == cases[i].route_only);
		assert_true(p->why.text[0]);
		page_free(p);
		page_free(q);
	}
}

/* Merged into another, which is named by the end of an address on any host; nothing is followed. */
static void merged(void **state)
{
	static const struct {
		const char *location, *into;
	} cases[] = {
		{"https://acme.api.frontapp.com/conversations/cnv_2", "cnv_2"},
		{"/conversations/cnv_2?x=1", "cnv_2"},
		{"", ""},
		{"https://evil.test/..%2f", ""},
		{"/conversations/cnv_1", ""},
	};
	struct ask ask = asking_front(ASK_ONE, "conversations");

	(void)state;
	ask.id = bytes_str("cnv_1");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct page *p = asking_front_moved(&ask, cases[i].location);
		assert_int_equal(p->fault, i == 4 ? FAULT_NEVER : FAULT_GONE);
		assert_true(bytes_is(p->merged_into, cases[i].into));
		page_free(p);
	}
	ask.kind = ASK_NESTED;
	ask.nested = "messages";
	struct page *p = asking_front_moved(&ask, "/conversations/cnv_2/messages");
	assert_int_equal(p->fault, FAULT_GONE);
	assert_int_equal(p->merged_into.len, 0);
	page_free(p);
	struct ask list = asking_front(ASK_LIST, "tags");
	p = asking_front_moved(&list, "https://evil.test/tags");
	assert_int_equal(p->fault, FAULT_NEVER);
	page_free(p);
}

/* ---- fields ---- */

static void shows(const char *resource, const char *name, const char *json, const char *value)
{
	const struct field *f = field_find(
		provider_type(&provider_front, bytes_str(resource))->fields, bytes_str(name));
	struct buf doc = {0}, raw = {0}, out = {0};
	struct why why = {""};

	assert_non_null(f);
	assert_int_equal(json_to_msgpack(bytes_str(json), JSON_STRICT, &doc, &why), 0);
	assert_true(field_value(f, buf_bytes(&doc), &raw) >= 0);
	assert_int_equal(json_write(buf_bytes(&raw), &out), 0);
	if (strcmp(buf_text(&out), value) != 0)
		fail_msg("%s of %s is %s, not %s", name, json, buf_text(&out), value);
	buf_release(&doc);
	buf_release(&raw);
	buf_release(&out);
}

#define STATE(json, state) shows("conversations", "state", json, "\"" state "\"")

static void states(void **state)
{
	(void)state;
	STATE("{\"status\":\"assigned\"}", "open");
	STATE("{\"status\":\"unassigned\",\"scheduled_reminders\":[]}", "open");
	STATE("{\"status\":\"archived\",\"scheduled_reminders\":[]}", "closed");
	STATE("{\"status\":\"archived\",\"scheduled_reminders\":[{\"scheduled_at\":1}]}", "snoozed");
	STATE("{\"status\":\"deleted\",\"status_category\":\"open\"}", "trashed");
	STATE("{\"status\":\"archived\",\"status_category\":\"resolved\"}", "closed");
	STATE("{\"status\":\"assigned\",\"status_category\":\"waiting\"}", "snoozed");
	STATE("{\"status\":\"assigned\",\"status_category\":null}", "open");
	STATE("{\"status\":\"invisible\"}", "invisible");
	shows("conversations", "open", "{\"status\":\"unassigned\"}", "true");
	shows("conversations", "open", "{\"status\":\"archived\"}", "false");
	shows("conversations", "open", "{\"status\":\"assigned\",\"status_category\":\"resolved\"}",
	      "false");
}

static const char inbound[] =
	"{\"type\":\"email\",\"is_inbound\":true,\"author\":null,\"body\":\"<p>Hi <b>you</b></p>\","
	"\"recipients\":[{\"handle\":\"us@x\",\"role\":\"to\",\"_links\":{\"related\":{\"contact\":null}}},"
	"{\"handle\":\"a@x\",\"name\":\"Ann\",\"role\":\"from\",\"_links\":{\"related\":{\"contact\":\"https://h/contacts/crd_7?x=1\"}}}]}";
static const char reply[] =
	"{\"type\":\"email\",\"is_inbound\":false,\"author\":{\"id\":\"tea_1\",\"email\":\"t@us\",\"type\":\"user\"},\"recipients\":[]}";
static const char comment[] =
	"{\"posted_at\":1700000000.5,\"author\":{\"id\":\"tea_2\",\"type\":\"rule\"},\"body\":\"a < b\\n\\nc\"}";

static void message_words(void **state)
{
	(void)state;
	shows("messages", "kind", inbound, "\"comment\"");
	shows("messages", "kind", comment, "\"note\"");
	shows("messages", "kind", "{\"is_draft\":true}", "\"draft\"");
	shows("messages", "direction", inbound, "\"inbound\"");
	shows("messages", "direction", reply, "\"outbound\"");
	shows("messages", "direction", comment, "\"internal\"");
	shows("messages", "author", inbound, "\"a@x\"");
	shows("messages", "author", reply, "\"t@us\"");
	shows("messages", "author_type", inbound, "\"user\"");
	shows("messages", "author_type", reply, "\"admin\"");
	shows("messages", "author_type", comment, "\"bot\"");
	shows("messages", "recipients", inbound, "[\"us@x\",\"a@x\"]");
	shows("messages", "to", inbound, "[\"us@x\"]");
	shows("messages", "contact", inbound, "[\"crd_7\"]");
	shows("messages", "body", inbound, "\"Hi you\"");
	shows("messages", "body", comment, "\"a < b\\n\\nc\"");
}

static void other_words(void **state)
{
	static const char contact[] =
		"{\"handles\":[{\"source\":\"phone\",\"handle\":\"+1\"},{\"source\":\"email\",\"handle\":\"a@x\"}],\"lists\":[{\"name\":\"VIP\"}]}";

	(void)state;
	shows("contacts", "email", contact, "\"a@x\"");
	shows("contacts", "phone", contact, "\"+1\"");
	shows("contacts", "handles", contact, "[\"+1\",\"a@x\"]");
	shows("contacts", "lists", contact, "[\"VIP\"]");
	shows("tags", "tag", "{\"_links\":{\"related\":{\"parent_tag\":\"https://h/tags/tag_3\"}}}",
	      "\"tag_3\"");
	shows("tags", "tag", "{\"_links\":{\"related\":{\"parent_tag\":null}}}", "null");
	shows("admins", "role", "{\"is_admin\":false}", "\"teammate\"");
	shows("admins", "away", "{\"is_available\":false}", "true");
	shows("conversations", "team",
	      "{\"inboxes\":[{\"_links\":{\"related\":{\"owner\":\"https://h/teams/tim_1\"}}}]}",
	      "[\"tim_1\"]");
	shows("conversations", "subject", "{\"subject\":\"<b>\"}", "\"<b>\"");
	shows("conversations", "snoozed_until",
	      "{\"scheduled_reminders\":[{\"scheduled_at\":1701874800.25}]}",
	      "\"2023-12-06T15:00:00.250Z\"");
}

/* ---- official examples ---- */

static void walk_fields(const struct page *p)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct page_record *item = &p->records[i];
		struct buf out = {0};
		for (const struct field *f = item->type ? item->type->fields : NULL; f && f->name; f++)
			assert_true(record_value(&item->record, f, &out) >= 0);
		assert_int_equal(mp_check(item->record.doc), 0);
		buf_release(&out);
	}
}

static void official(void **state)
{
	static const struct {
		const char *file, *resource;
		enum ask_kind kind;
		const char *nested;
	} lists[] = {
		{"listOfTeammates.json", "admins", ASK_LIST, NULL},
		{"listOfTeams.json", "teams", ASK_LIST, NULL},
		{"listOfTags.json", "tags", ASK_LIST, NULL},
		{"listOfInboxes.json", "inboxes", ASK_LIST, NULL},
		{"listOfChannels.json", "channels", ASK_LIST, NULL},
		{"listOfContactLists.json", "contact_lists", ASK_LIST, NULL},
		{"listOfAccounts.json", "companies", ASK_LIST, NULL},
		{"listOfLinks.json", "links", ASK_LIST, NULL},
		{"listOfContacts.json", "contacts", ASK_LIST, NULL},
		{"listOfConversations.json", "conversations", ASK_CHANGED, NULL},
		{"listOfEvents.json", "conversations", ASK_EVENTS, NULL},
		{"listOfMessages.json", "conversations", ASK_NESTED, "messages"},
		{"listOfComments.json", "conversations", ASK_NESTED, "comments"},
		{"listOfInboxes.json", "conversations", ASK_NESTED, "inboxes"},
	};
	unsigned seen = 0;

	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct ask ask = asking_front(lists[i].kind, lists[i].resource);
		char *body = asking_front_example(lists[i].file);
		if (!body)
			continue;
		ask.nested = lists[i].nested;
		ask.id = bytes_str(lists[i].nested ? "cnv_1" : "");
		struct page *p = asking_front_answer(&ask, 200, body);
		if (p->fault)
			fail_msg("%s: %s", lists[i].file, p->why.text);
		assert_true(p->count > 0);
		walk_fields(p);
		page_free(p);
		free(body);
		seen++;
	}
	if (!seen)
		skip_because("the official examples are not there");
}

/* Times of the official conversation, to the millisecond. */
static void official_conversation(void **state)
{
	struct ask ask = asking_front(ASK_ONE, "conversations");
	char *body = asking_front_example("conversation.json");

	(void)state;
	if (!body)
		skip_because("the official examples are not there");
	ask.id = bytes_str("cnv_yo1kg5q");
	struct page *p = asking_front_answer(&ask, 200, body);
	assert_int_equal(p->fault, FAULT_NONE);
	assert_true(p->records[0].record.created_ms == 1701292649333);
	walk_fields(p);
	page_free(p);
	free(body);
}

/* Whatever errors were recorded: each is a fault, and only "not found" is gone. */
static void recorded_errors(void **state)
{
	struct ask ask = asking_front(ASK_ONE, "conversations");
	char *text = asking_front_example("recorded/errors.json");
	struct buf all = {0};
	struct why why = {""};
	struct mp_value head;
	struct bytes item, body;
	int64_t status;

	(void)state;
	if (!text)
		skip_because("the official examples are not there");
	ask.id = bytes_str("cnv_1");
	assert_int_equal(json_to_msgpack(bytes_str(text), JSON_STRICT, &all, &why), 0);
	struct mp_reader r = mp_reader_of(buf_bytes(&all));
	assert_int_equal(mp_next(&r, &head), 1);
	for (uint32_t i = 0; i < head.count; i++) {
		struct buf json = {0};
		assert_int_equal(mp_take(&r, &item), 1);
		assert_true(mp_find_int(item, "http_status", &status));
		assert_int_equal(mp_find(item, bytes_str("body"), &body), 1);
		assert_int_equal(json_write(body, &json), 0);
		struct page *p = asking_front_answer(&ask, (int)status, buf_text(&json));
		assert_int_not_equal(p->fault, FAULT_NONE);
		assert_true((p->fault == FAULT_GONE) == (status == 404));
		assert_true((p->fault == FAULT_LATER) == (status == 429));
		assert_true(status != 429 || p->again_ms > 300);
		page_free(p);
		buf_release(&json);
	}
	buf_release(&all);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(refused_requests),
		cmocka_unit_test(times),
		cmocka_unit_test(every_millisecond),
		cmocka_unit_test(pages),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(threads),
		cmocka_unit_test(people),
		cmocka_unit_test(stands_for),
		cmocka_unit_test(events),
		cmocka_unit_test(faults),
		cmocka_unit_test(merged),
		cmocka_unit_test(states),
		cmocka_unit_test(message_words),
		cmocka_unit_test(other_words),
		cmocka_unit_test(official),
		cmocka_unit_test(official_conversation),
		cmocka_unit_test(recorded_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
