/* What error answers mean: worth another try, a wait, someone's help, or the end of a record. */
#include "support/asking.h"

#include <codec/json.h>
#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "skip.h"

static enum fault fault_of(struct ask ask, int status, const char *body)
{
	struct page *p = asking_answer(&ask, status, body);
	enum fault fault = p->fault;

	assert_int_equal(p->count, 0);
	assert_true(fault == FAULT_NONE || p->why.text[0]);
	page_free(p);
	return fault;
}

static enum fault coded(struct ask ask, int status, const char *code)
{
	char body[200];

	snprintf(body, sizeof body,
		 "{\"type\":\"error.list\",\"request_id\":null,\"errors\":[{\"code\":\"%s\",\"message\":\"m\"}]}",
		 code);
	return fault_of(ask, status, body);
}

static void codes(void **state)
{
	static const struct {
		int status;
		const char *code;
		enum fault one, list;
	} cases[] = {
		{401, "unauthorized", FAULT_AUTH, FAULT_AUTH},
		{401, "token_revoked", FAULT_AUTH, FAULT_AUTH},
		{401, "token_suspended", FAULT_AUTH, FAULT_AUTH},
		{401, "who_knows", FAULT_AUTH, FAULT_AUTH},
		{401, "token_unauthorized", FAULT_DENIED, FAULT_DENIED},
		{403, "api_plan_restricted", FAULT_DENIED, FAULT_DENIED},
		{403, "forbidden", FAULT_DENIED, FAULT_DENIED},
		{404, "not_found", FAULT_GONE, FAULT_NEVER},
		{404, "conversation_not_found", FAULT_GONE, FAULT_NEVER},
		{410, "contact_merged", FAULT_GONE, FAULT_NEVER},
		{429, "rate_limit_exceeded", FAULT_LATER, FAULT_LATER},
		{400, "retry_after", FAULT_LATER, FAULT_LATER},
		{408, "request_timeout", FAULT_NOW, FAULT_NOW},
		{500, "server_error", FAULT_NOW, FAULT_NOW},
		{503, "", FAULT_NOW, FAULT_NOW},
		{200, "server_error", FAULT_NOW, FAULT_NOW},
		{200, "unauthorized", FAULT_AUTH, FAULT_AUTH},
		{200, "who_knows", FAULT_NONSENSE, FAULT_NONSENSE},
		{400, "parameter_invalid", FAULT_NEVER, FAULT_NEVER},
		{400, "intercom_version_invalid", FAULT_NEVER, FAULT_NEVER},
		{400, "client_error", FAULT_NEVER, FAULT_CURSOR},
		{422, "parameter_invalid", FAULT_NEVER, FAULT_NEVER},
		{301, "", FAULT_NEVER, FAULT_NEVER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum fault one = coded(asking_one("contacts", "a"), cases[i].status, cases[i].code);
		enum fault list = coded(asking_of(ASK_LIST, "contacts"), cases[i].status,
					cases[i].code);
		if (one != cases[i].one || list != cases[i].list)
			fail_msg("%d %s: %s, %s", cases[i].status, cases[i].code, fault_name(one),
				 fault_name(list));
	}
}

/* Pages of proxies, portals and web servers. */
static void foreign_words(void **state)
{
	static const char *const bodies[] = {"",
					     "<html>x</html>",
					     "{",
					     "{}",
					     "[]",
					     "{\"errors\":[]}",
					     "{\"error\":\"not found\"}",
					     "{\"type\":\"error\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		assert_int_equal(fault_of(asking_one("conversations", "1"), 404, bodies[i]),
				 FAULT_NONSENSE);
		assert_int_equal(fault_of(asking_one("conversations", "1"), 410, bodies[i]),
				 FAULT_NONSENSE);
		assert_int_equal(fault_of(asking_one("conversations", "1"), 200, bodies[i]),
				 FAULT_NONSENSE);
		assert_int_equal(fault_of(asking_one("conversations", "1"), 500, bodies[i]),
				 FAULT_NOW);
		assert_int_equal(fault_of(asking_one("conversations", "1"), 599, bodies[i]),
				 FAULT_NOW);
		assert_int_equal(fault_of(asking_one("conversations", "1"), 429, bodies[i]),
				 FAULT_LATER);
		assert_int_equal(fault_of(asking_one("conversations", "1"), 401, bodies[i]),
				 FAULT_AUTH);
		assert_int_equal(fault_of(asking_one("conversations", "1"), 405, bodies[i]),
				 FAULT_NEVER);
	}
}

static void merged(void **state)
{
	static const char body[] =
		"{\"type\":\"error.list\",\"errors\":[{\"code\":\"contact_merged\",\"message\":\"m\"}]}";
	static const struct {
		const char *link, *into;
	} cases[] = {
		{"</contacts/5f22c43f>; rel=\"canonical\"", "5f22c43f"},
		{"<https://api.intercom.io/contacts/5f22c43f>; rel=\"canonical\"", "5f22c43f"},
		{"</contacts/>; rel=\"canonical\"", ""},
		{"", ""},
		{"</conversations/1>", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ask ask = asking_one("contacts", "a");
		struct page *p = asking_answer_link(&ask, 410, body, cases[i].link);
		assert_int_equal(p->fault, FAULT_GONE);
		assert_true(bytes_is(p->merged_into, cases[i].into));
		page_free(p);
	}
}

/* Every error body of the official description: never a success, and never the end of a record but by 404 and 410. */
static void official(void **state)
{
	char *text = asking_example("_errors.json");
	struct buf all = {0};
	struct why why;
	struct mp_reader r;
	struct mp_value head, key;
	struct bytes list, each, body;
	unsigned seen = 0;

	(void)state;
	if (!text)
		skip_because("the official examples are not there");
	assert_int_equal(json_to_msgpack(bytes_str(text), JSON_STRICT, &all, &why), 0);
	r = mp_reader_of(buf_bytes(&all));
	assert_true(mp_next(&r, &head) == 1 && head.type == MP_MAP);
	for (uint32_t i = 0; i < head.count; i++) {
		assert_true(mp_next(&r, &key) == 1 && mp_take(&r, &list) == 1);
		int status = atoi((const char *)key.str.data);
		struct mp_reader items = mp_reader_of(list);
		struct mp_value n;
		assert_true(mp_next(&items, &n) == 1);
		if (n.type != MP_ARRAY)
			continue;
		for (uint32_t k = 0; k < n.count; k++) {
			struct buf json = {0};
			assert_true(mp_take(&items, &each) == 1 &&
				    mp_find(each, bytes_str("body"), &body) == 1);
			assert_int_equal(json_write(body, &json), 0);
			enum fault one = fault_of(asking_one("contacts", "a"), status,
						  buf_text(&json));
			enum fault other = fault_of(asking_of(ASK_CHANGED, "conversations"), status,
						    buf_text(&json));
			enum fault expected = status == 401                    ? FAULT_AUTH
					      : status == 403                  ? FAULT_DENIED
					      : status == 404 || status == 410 ? FAULT_GONE
					      : status == 429                  ? FAULT_LATER
					      : status >= 500                  ? FAULT_NOW
									       : FAULT_NEVER;
			if (one != expected && one != FAULT_DENIED)
				fail_msg("%d %s: %s", status, buf_text(&json), fault_name(one));
			assert_true(other != FAULT_NONE && other != FAULT_GONE);
			buf_release(&json);
			seen++;
		}
	}
	assert_true(seen > 100);
	buf_release(&all);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes),
		cmocka_unit_test(foreign_words),
		cmocka_unit_test(merged),
		cmocka_unit_test(official),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
