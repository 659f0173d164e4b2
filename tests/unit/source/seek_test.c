/* What questions look for, in the words of the provider's search: to the letter, and nothing in it that would have the whole search refused. */
#include "support/asking.h"

#include <stdio.h>
#include <string.h>

static const struct field *field_named(const struct resource_type *type, const char *name)
{
	const struct field *f = field_find(type->fields, bytes_str(name));

	return f ? f : field_find(envelope_fields, bytes_str(name));
}

/* Adds "FIELD", an operator and values divided by commas; an empty field is any text. */
static void add(struct seek *seek, struct bytes *values, const char *resource, const char *field,
		enum seek_op op, const char *list)
{
	const struct resource_type *type = provider_type(&provider_intercom, bytes_str(resource));
	struct seek_term *t = &seek->terms[seek->count++];

	*t = (struct seek_term){
		.field = *field ? field_named(type, field) : NULL, .op = op, .values = values};
	for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
		values[t->count++] = bytes_of(at, strcspn(at, ","));
}

static void expect(const struct ask *ask, const char *url, const char *query, const char *sort)
{
	char body[2000];
	struct call call;
	struct why why = {""};

	assert_int_equal(provider_call(&asking_account, ask, bytes_of(NULL, 0), &call, &why), 0);
	assert_string_equal(call.method, "POST");
	assert_string_equal((const char *)call.url.data, url);
	snprintf(body, sizeof body,
		 "{\"query\":%s,\"sort\":{\"field\":\"%s\",\"order\":\"descending\"},\"pagination\":{\"per_page\":",
		 query, sort);
	assert_true(call.body.len > strlen(body));
	assert_memory_equal(call.body.data, body, strlen(body));
	call_release(&call);
}

static int seek(const char *resource, bool spanned, struct seek *s)
{
	return provider_seek(&asking_account, provider_type(&provider_intercom, bytes_str(resource)),
			     spanned, s, &(struct why){""});
}

static void terms(void **state)
{
	struct bytes values[8][8];
	struct seek s = {.count = 0};
	struct ask ask = asking_of(ASK_SEARCH, "conversations");

	(void)state;
	add(&s, values[0], "conversations", "state", SEEK_IS, "open");
	add(&s, values[1], "conversations", "assignee", SEEK_IS, "7,8");
	add(&s, values[2], "conversations", "team", SEEK_NOT, "3");
	add(&s, values[3], "conversations", "email", SEEK_HAS, "a\"b@c");
	add(&s, values[4], "conversations", "id", SEEK_NOT, "1,2");
	add(&s, values[5], "conversations", "open", SEEK_IS, "true");
	assert_int_equal(seek("conversations", false, &s), 0);
	assert_int_equal(s.count, 6);
	assert_false(s.less);
	ask.seek = &s;
	expect(&ask, "https://api.test/conversations/search",
	       "{\"operator\":\"AND\",\"value\":[{\"field\":\"updated_at\",\"operator\":\">\",\"value\":-1},"
	       "{\"field\":\"state\",\"operator\":\"=\",\"value\":\"open\"},"
	       "{\"field\":\"admin_assignee_id\",\"operator\":\"IN\",\"value\":[7,8]},"
	       "{\"field\":\"team_assignee_id\",\"operator\":\"!=\",\"value\":3},"
	       "{\"field\":\"source.author.email\",\"operator\":\"~\",\"value\":\"a\\\"b@c\"},"
	       "{\"field\":\"id\",\"operator\":\"NIN\",\"value\":[\"1\",\"2\"]},"
	       "{\"field\":\"open\",\"operator\":\"=\",\"value\":true}]}",
	       "updated_at");
}

static void spans_and_words(void **state)
{
	struct bytes values[2][8];
	struct seek s = {.count = 0};
	struct ask ask = asking_of(ASK_SEARCH, "conversations");

	(void)state;
	add(&s, values[0], "conversations", "", SEEK_HAS, "refund");
	assert_int_equal(seek("conversations", true, &s), 0);
	/* Replies are not searched. */
	assert_true(s.less);
	ask.seek = &s;
	ask.created = true;
	ask.start_ms = 10000;
	ask.end_ms = 20000;
	expect(&ask, "https://api.test/conversations/search",
	       "{\"operator\":\"AND\",\"value\":[{\"operator\":\"AND\",\"value\":[{\"field\":\"created_at\",\"operator\":\">\",\"value\":9},"
	       "{\"field\":\"created_at\",\"operator\":\"<\",\"value\":21}]},"
	       "{\"operator\":\"OR\",\"value\":[{\"field\":\"source.body\",\"operator\":\"~\",\"value\":\"refund\"},"
	       "{\"field\":\"source.subject\",\"operator\":\"~\",\"value\":\"refund\"}]}]}",
	       "created_at");
}

static void contacts_by_day(void **state)
{
	struct bytes values[2][8];
	struct seek s = {.count = 0};
	struct ask ask = asking_of(ASK_SEARCH, "contacts");

	(void)state;
	add(&s, values[0], "contacts", "email", SEEK_IS, "ann@example.com");
	assert_int_equal(seek("contacts", false, &s), 0);
	ask.seek = &s;
	ask.start_ms = 86400000;
	expect(&ask, "https://api.test/contacts/search",
	       "{\"operator\":\"AND\",\"value\":[{\"operator\":\"OR\",\"value\":[{\"field\":\"updated_at\",\"operator\":\">\",\"value\":86400},"
	       "{\"field\":\"updated_at\",\"operator\":\"=\",\"value\":86400}]},"
	       "{\"field\":\"email\",\"operator\":\"=\",\"value\":\"ann@example.com\"}]}",
	       "updated_at");
}

/* What Intercom would refuse, or has no field for, is left out: more is found, and looked at again. */
static void left_out(void **state)
{
	struct bytes values[6][8];
	struct seek s = {.count = 0};

	(void)state;
	add(&s, values[0], "conversations", "assignee", SEEK_IS, "ann@example.com");
	add(&s, values[1], "conversations", "tags", SEEK_IS, "vip");
	add(&s, values[2], "conversations", "state", SEEK_HAS, "op");
	add(&s, values[3], "conversations", "assignee", SEEK_IS, "1,x");
	add(&s, values[4], "conversations", "team", SEEK_IS, "5");
	assert_int_equal(seek("conversations", false, &s), 0);
	assert_int_equal(s.count, 1);
	assert_string_equal(s.terms[0].field->name, "team");
	s.count = 0;
	add(&s, values[0], "conversations", "tags", SEEK_IS, "vip");
	assert_int_equal(seek("conversations", false, &s), ERR_INVALID);
	/* A span narrows the question all the same. */
	assert_int_equal(seek("conversations", true, &s), 0);
	assert_int_equal(s.count, 0);
}

/* Without any condition the newest are asked for. */
static void newest(void **state)
{
	struct seek s = {.count = 0};
	struct ask ask = asking_of(ASK_SEARCH, "tickets");

	(void)state;
	assert_int_equal(seek("tickets", false, &s), 0);
	ask.seek = &s;
	expect(&ask, "https://api.test/tickets/search",
	       "{\"field\":\"updated_at\",\"operator\":\">\",\"value\":-1}", "updated_at");
}

static void no_search(void **state)
{
	static const char *const names[] = {"tags", "admins", "messages", "companies", "articles"};
	struct seek s = {.count = 0};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(seek(names[i], true, &s), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terms),           cmocka_unit_test(spans_and_words),
		cmocka_unit_test(contacts_by_day), cmocka_unit_test(left_out),
		cmocka_unit_test(newest),          cmocka_unit_test(no_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
