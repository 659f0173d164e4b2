/* The requests that asks become: to the letter, and never with anything in a path that could lead elsewhere. */
#include "support/asking.h"

#include <stdio.h>
#include <string.h>

static void expect(struct ask ask, const char *cursor, const char *method, const char *url,
		   const char *body)
{
	struct call call;
	struct why why = {""};
	bool type = false, version = false, accept = false;

	assert_int_equal(provider_call(&asking_account, &ask, bytes_str(cursor), &call, &why), 0);
	assert_string_equal(call.method, method);
	assert_string_equal((const char *)call.url.data, url);
	assert_true(bytes_is(buf_bytes(&call.body), body));
	for (size_t i = 0; i < CALL_HEADERS_MAX && call.headers[i][0]; i++) {
		type |= strcmp(call.headers[i], "Content-Type: application/json") == 0;
		version |= strcmp(call.headers[i], "Intercom-Version: 2.16") == 0;
		accept |= strcmp(call.headers[i], "Accept: application/json") == 0;
	}
	assert_true(accept && version);
	assert_true(type == (body[0] != 0));
	call_release(&call);
}

static void lists(void **state)
{
	(void)state;
	expect(asking_of(ASK_IDENTITY, NULL), NULL, "GET", "https://api.test/me", "");
	expect(asking_of(ASK_LIST, "admins"), NULL, "GET", "https://api.test/admins", "");
	expect(asking_of(ASK_LIST, "teams"), NULL, "GET", "https://api.test/teams", "");
	expect(asking_of(ASK_LIST, "tags"), NULL, "GET", "https://api.test/tags", "");
	expect(asking_of(ASK_LIST, "segments"), NULL, "GET", "https://api.test/segments", "");
	expect(asking_of(ASK_LIST, "companies"), NULL, "POST",
	       "https://api.test/companies/list?per_page=60&page=1", "");
	expect(asking_of(ASK_LIST, "companies"), "7", "POST",
	       "https://api.test/companies/list?per_page=60&page=7", "");
	expect(asking_of(ASK_LIST, "contacts"), NULL, "GET",
	       "https://api.test/contacts?per_page=150", "");
}

/* Cursors are values: whatever stands in them stays in its place. */
static void cursors(void **state)
{
	(void)state;
	expect(asking_of(ASK_LIST, "contacts"), "a b&c=d/../#\"%é", "GET",
	       "https://api.test/contacts?per_page=150&starting_after=a%20b%26c%3Dd%2F..%2F%23%22%25%C3%A9",
	       "");
	expect(asking_of(ASK_LIST, "segments"), "x", "GET",
	       "https://api.test/segments?starting_after=x", "");
	expect(asking_of(ASK_DELETED, "conversations"), "2&order=asc", "GET",
	       "https://api.test/conversations/deleted?order=desc&per_page=60&page=2%26order%3Dasc",
	       "");
	struct ask ask = asking_of(ASK_CHANGED, "conversations");
	ask.start_ms = 5000;
	expect(ask, "\"}]", "POST", "https://api.test/conversations/search",
	       "{\"query\":{\"field\":\"updated_at\",\"operator\":\">\",\"value\":4},\"sort\":{\"field\":\"updated_at\",\"order\":\"ascending\"},"
	       "\"pagination\":{\"per_page\":150,\"starting_after\":\"\\\"}]\"}}");
}

static void cursor_with_a_nul(void **state)
{
	struct ask ask = asking_of(ASK_LIST, "contacts");
	struct call call;

	(void)state;
	assert_int_equal(provider_call(&asking_account, &ask, bytes_of("a\0b", 3), &call, NULL), 0);
	assert_string_equal((const char *)call.url.data,
			    "https://api.test/contacts?per_page=150&starting_after=a%00b");
	call_release(&call);
}

/* Whether the operators take their bound in is not certain: nothing may hang on it. */
static void searches(void **state)
{
	struct ask ask = asking_of(ASK_CHANGED, "conversations");

	(void)state;
	ask.start_ms = 1000999;
	ask.end_ms = 2000001;
	ask.descending = true;
	expect(ask, NULL, "POST", "https://api.test/conversations/search",
	       "{\"query\":{\"operator\":\"AND\",\"value\":[{\"field\":\"updated_at\",\"operator\":\">\",\"value\":999},"
	       "{\"field\":\"updated_at\",\"operator\":\"<\",\"value\":2002}]},\"sort\":{\"field\":\"updated_at\",\"order\":\"descending\"},"
	       "\"pagination\":{\"per_page\":150}}");
	ask.created = true;
	ask.descending = false;
	expect(ask, NULL, "POST", "https://api.test/conversations/search",
	       "{\"query\":{\"operator\":\"AND\",\"value\":[{\"field\":\"created_at\",\"operator\":\">\",\"value\":999},"
	       "{\"field\":\"created_at\",\"operator\":\"<\",\"value\":2002}]},\"sort\":{\"field\":\"created_at\",\"order\":\"ascending\"},"
	       "\"pagination\":{\"per_page\":150}}");
	ask = asking_of(ASK_CHANGED, "contacts");
	ask.start_ms = 86400000;
	expect(ask, NULL, "POST", "https://api.test/contacts/search",
	       "{\"query\":{\"operator\":\"OR\",\"value\":[{\"field\":\"updated_at\",\"operator\":\">\",\"value\":86400},"
	       "{\"field\":\"updated_at\",\"operator\":\"=\",\"value\":86400}]},\"sort\":{\"field\":\"updated_at\",\"order\":\"ascending\"},"
	       "\"pagination\":{\"per_page\":150}}");
	expect(asking_of(ASK_DELETED, "conversations"), NULL, "GET",
	       "https://api.test/conversations/deleted?order=desc&per_page=60&page=1", "");
}

static void refused(struct ask ask)
{
	struct call call;
	struct why why = {""};

	assert_int_equal(provider_call(&asking_account, &ask, bytes_of(NULL, 0), &call, &why),
			 ERR_INVALID);
	assert_true(why.text[0]);
	call_release(&call); /* holds nothing; harmless */
}

static void single_records(void **state)
{
	static const char *const bad[] = {"",    "..",   "../me", "1/parts", "1?x=1",
					  "1#",  "a b",  "1%2e",  "é",       "1\n",
					  "a:b", "1\\2", ".",     "*",       "1;2"};
	char longest[RECORD_ID_MAX + 2];

	(void)state;
	expect(asking_one("conversations", "200963802864963"), NULL, "GET",
	       "https://api.test/conversations/200963802864963", "");
	expect(asking_one("contacts", "5f22c43f912596f503b208ee"), NULL, "GET",
	       "https://api.test/contacts/5f22c43f912596f503b208ee", "");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refused(asking_one("conversations", bad[i]));
	memset(longest, '1', sizeof longest);
	longest[RECORD_ID_MAX + 1] = 0;
	refused(asking_one("conversations", longest));
}

static void senseless(void **state)
{
	(void)state;
	refused(asking_of(ASK_LIST, "conversations"));
	refused(asking_of(ASK_LIST, "messages"));
	refused(asking_of(ASK_CHANGED, "tags"));
	refused(asking_of(ASK_CHANGED, "messages"));
	refused(asking_of(ASK_DELETED, "contacts"));
	refused(asking_one("tags", "1"));
	refused(asking_one("messages", "1"));
}

static void providers(void **state)
{
	(void)state;
	assert_ptr_equal(provider_find(bytes_str("intercom")), &provider_intercom);
	assert_null(provider_find(bytes_str("intercomm")));
	assert_null(provider_type(&provider_intercom, bytes_str("conversation")));
	assert_string_equal(provider_intercom.base_url("us"), "https://api.intercom.io");
	assert_string_equal(provider_intercom.base_url("eu"), "https://api.eu.intercom.io");
	assert_string_equal(provider_intercom.base_url("au"), "https://api.au.intercom.io");
	assert_null(provider_intercom.base_url("xx"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(cursors),
		cmocka_unit_test(cursor_with_a_nul),
		cmocka_unit_test(searches),
		cmocka_unit_test(single_records),
		cmocka_unit_test(senseless),
		cmocka_unit_test(providers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
