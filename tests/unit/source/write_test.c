/* write: values out of documents and into them, what goes together, and the requests that each provider gets. */
#include <codec/json.h>
#include <codec/msgpack.h>
#include <source/write.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

static struct buf made[8];
static size_t at;

/* JSON as MessagePack; lives until eight others were made. */
static struct bytes mp(const char *json)
{
	struct buf *b = &made[at++ % 8];
	struct why why = {""};

	buf_reset(b);
	if (json_to_msgpack(bytes_str(json), JSON_STRICT, b, &why))
		fail_msg("%s: %s", json, why.text);
	return buf_bytes(b);
}

static void assert_json(struct bytes have, const char *want)
{
	struct buf text = {0};

	if (!mp_equal(have, mp(want))) {
		json_write(have, &text);
		buf_put_byte(&text, 0);
		fail_msg("have %s, want %s", (const char *)text.data, want);
	}
	buf_release(&text);
}

static const struct account intercom = {&provider_intercom, "https://api.test", "2.16"},
			    preview = {&provider_intercom, "https://api.test", "Preview"},
			    front = {&provider_front, "https://front.test", ""};

static const struct resource_type *type(const struct account *a, const char *name)
{
	return provider_type(a->provider, bytes_str(name));
}

/* ---- requests ---- */

static const struct request_case {
	const struct account *account;
	const char *resource, *doc, *set;
	const char *method, *path, *body,
		*after; /* after: the values of the set; NULL method: nothing is left to do */
} requests[] = {
	{&intercom, "contacts",
	 "{\"name\":null,\"owner_id\":7,\"custom_attributes\":{\"a.b\":1,\"c\":2}}",
	 "{\"name\":\"Ada\",\"owner\":\"9\",\"custom_attributes.a.b\":5}", "PUT", "/contacts/x1",
	 "{\"name\":\"Ada\",\"owner_id\":\"9\",\"custom_attributes\":{\"a.b\":5}}",
	 "{\"name\":\"Ada\",\"owner\":\"9\",\"custom_attributes.a.b\":5}"},
	{&intercom, "contacts", "{\"name\":\"Ada\",\"custom_attributes\":{}}",
	 "{\"name\":\"Ada\",\"custom_attributes.topic\":\"billing\"}", "PUT", "/contacts/x1",
	 "{\"custom_attributes\":{\"topic\":\"billing\"}}",
	 "{\"name\":\"Ada\",\"custom_attributes.topic\":\"billing\"}"},
	{&intercom, "contacts", "{\"name\":\"Ada\"}", "{\"name\":\"Ada\"}", NULL, NULL, NULL, NULL},
	{&intercom, "contacts", "{\"name\":\"Ada\"}", "{\"name\":null}", "PUT", "/contacts/x1",
	 "{\"name\":null}", "{\"name\":null}"},
	{&intercom, "conversations", "{\"state\":\"open\",\"open\":true,\"title\":null}",
	 "{\"state\":\"closed\",\"subject\":\"s\"}", "PUT", "/conversations/x1",
	 "{\"title\":\"s\"}", "{\"state\":\"open\",\"subject\":\"s\"}"},
	{&intercom, "conversations", "{\"state\":\"open\",\"open\":true}", "{\"state\":\"closed\"}",
	 "POST", "/conversations/x1/parts",
	 "{\"message_type\":\"close\",\"admin_id\":\"77\",\"type\":\"admin\"}",
	 "{\"state\":\"closed\"}"},
	{&intercom, "conversations", "{\"state\":\"snoozed\",\"snoozed_until\":1700000000}",
	 "{\"state\":\"open\"}", "POST", "/conversations/x1/parts",
	 "{\"message_type\":\"open\",\"admin_id\":\"77\"}", "{\"state\":\"open\"}"},
	{&intercom, "conversations", "{\"state\":\"open\",\"snoozed_until\":null}",
	 "{\"state\":\"snoozed\",\"snoozed_until\":1700000000000}", "POST", "/conversations/x1/parts",
	 "{\"message_type\":\"snoozed\",\"admin_id\":\"77\",\"snoozed_until\":1700000000}",
	 "{\"state\":\"snoozed\",\"snoozed_until\":1700000000000}"},
	{&intercom, "conversations", "{\"admin_assignee_id\":5,\"team_assignee_id\":0}",
	 "{\"assignee\":null,\"team\":\"12\"}", "POST", "/conversations/x1/parts",
	 "{\"message_type\":\"assignment\",\"admin_id\":\"77\",\"type\":\"admin\",\"assignee_id\":\"0\"}",
	 "{\"assignee\":null,\"team\":null}"},
	{&intercom, "conversations", "{\"admin_assignee_id\":null,\"team_assignee_id\":\"0\"}",
	 "{\"assignee\":null,\"team\":\"12\"}", "POST", "/conversations/x1/parts",
	 "{\"message_type\":\"assignment\",\"admin_id\":\"77\",\"type\":\"team\",\"assignee_id\":\"12\"}",
	 "{\"assignee\":null,\"team\":\"12\"}"},
	{&intercom, "conversations",
	 "{\"tags\":{\"type\":\"tag.list\",\"tags\":[{\"id\":\"3\",\"name\":\"c\"}]}}",
	 "{\"tags\":[\"1\",\"2\"]}", "POST", "/conversations/x1/tags",
	 "{\"id\":\"1\",\"admin_id\":\"77\"}", "{\"tags\":[\"1\",\"3\"]}"},
	{&intercom, "conversations", "{\"tags\":{\"tags\":[{\"id\":\"3\"},{\"id\":\"1\"}]}}",
	 "{\"tags\":[\"1\"]}", "DELETE", "/conversations/x1/tags/3", "{\"admin_id\":\"77\"}",
	 "{\"tags\":[\"1\"]}"},
	{&preview, "conversations", "{\"priority\":\"none\"}", "{\"priority\":\"high\"}", "PUT",
	 "/conversations/x1", "{\"priority\":\"high\",\"admin_id\":\"77\"}",
	 "{\"priority\":\"high\"}"},
	{&front, "conversations",
	 "{\"status\":\"assigned\",\"assignee\":{\"id\":\"tea_1\"},\"tags\":[]}",
	 "{\"state\":\"closed\",\"assignee\":\"tea_2\"}", "PATCH", "/conversations/x1",
	 "{\"status\":\"archived\",\"assignee_id\":\"tea_2\"}",
	 "{\"state\":\"closed\",\"assignee\":\"tea_2\"}"},
	{&front, "conversations", "{\"status\":\"archived\",\"assignee\":null}", "{\"state\":\"open\"}",
	 "PATCH", "/conversations/x1", "{\"status\":\"open\"}", "{\"state\":\"open\"}"},
	{&front, "conversations", "{\"custom_fields\":{\"City\":\"Rome\",\"Age\":4}}",
	 "{\"custom_fields.City\":\"Oslo\"}", "PATCH", "/conversations/x1",
	 "{\"custom_fields\":{\"City\":\"Oslo\",\"Age\":4}}", "{\"custom_fields.City\":\"Oslo\"}"},
	{&front, "conversations", "{\"tags\":[{\"id\":\"tag_3\"},{\"id\":\"tag_1\"}]}",
	 "{\"tags\":[\"tag_1\",\"tag_2\"]}", "POST", "/conversations/x1/tags",
	 "{\"tag_ids\":[\"tag_2\"]}", "{\"tags\":[\"tag_1\",\"tag_2\",\"tag_3\"]}"},
	{&front, "conversations", "{\"tags\":[{\"id\":\"tag_3\"},{\"id\":\"tag_1\"}]}",
	 "{\"tags\":[\"tag_1\"]}", "DELETE", "/conversations/x1/tags", "{\"tag_ids\":[\"tag_3\"]}",
	 "{\"tags\":[\"tag_1\"]}"},
	{&front, "contacts", "{\"name\":\"a\",\"description\":\"\"}",
	 "{\"name\":\"b\",\"description\":null}", "PATCH", "/contacts/x1", "{\"name\":\"b\"}",
	 "{\"name\":\"b\",\"description\":null}"},
};

static void check_request(const struct request_case *c)
{
	struct buf set = {0}, doc = {0}, after = {0}, values = {0}, body = {0};
	struct change change;
	struct ask ask = {
		.kind = ASK_CHANGE, .type = type(c->account, c->resource), .id = bytes_str("x1")};
	struct call call;
	struct why why = {""};

	buf_put_bytes(&set, mp(c->set));
	buf_put_bytes(&doc, mp(c->doc));
	change = (struct change){buf_bytes(&set), buf_bytes(&doc), "77"};
	ask.change = &change;
	int rc = write_call(c->account, &ask, &call, &after, &why);
	if (rc != (c->method != NULL))
		fail_msg("%s: %d %s", c->set, rc, why.text);
	if (rc == 1) {
		assert_string_equal(call.method, c->method);
		assert_string_equal((const char *)call.url.data + strlen(c->account->base_url),
				    c->path);
		assert_int_equal(json_to_msgpack(buf_bytes(&call.body), JSON_STRICT, &body, &why), 0);
		assert_json(buf_bytes(&body), c->body);
		assert_int_equal(write_values(c->account, ask.type, buf_bytes(&set),
					      buf_bytes(&after), &values),
				 0);
		assert_json(buf_bytes(&values), c->after);
		call_release(&call);
	}
	buf_release(&set);
	buf_release(&doc);
	buf_release(&after);
	buf_release(&values);
	buf_release(&body);
}

static void each_change_is_the_request_that_the_provider_wants(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
		check_request(&requests[i]);
}

/* Whatever the steps are, they end, and what they bring about is what was wanted. */
static void steps_lead_to_what_is_wanted(void **state)
{
	struct buf doc = {0}, set = {0}, after = {0}, values = {0};
	struct change change;
	struct ask ask = {
		.kind = ASK_CHANGE, .type = type(&intercom, "conversations"), .id = bytes_str("1")};
	struct call call;
	int steps = 0, rc;

	(void)state;
	buf_put_bytes(
		&doc,
		mp("{\"state\":\"open\",\"title\":null,\"admin_assignee_id\":1,\"team_assignee_id\":null,"
		   "\"tags\":{\"tags\":[{\"id\":\"8\"},{\"id\":\"9\"}]},\"custom_attributes\":{\"a\":1}}"));
	buf_put_bytes(&set, mp("{\"state\":\"closed\",\"subject\":\"s\",\"assignee\":\"4\",\"team\":\"5\",\"tags\":[\"1\",\"9\"],"
			       "\"custom_attributes.a\":2}"));
	change = (struct change){buf_bytes(&set), buf_bytes(&doc), "77"};
	ask.change = &change;
	while ((rc = write_call(&intercom, &ask, &call, &after, NULL)) == 1) {
		call_release(&call);
		buf_reset(&doc);
		buf_put_bytes(&doc, buf_bytes(&after));
		buf_reset(&after);
		change.doc = buf_bytes(&doc);
		assert_true(++steps < 10);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(steps, 6);
	assert_int_equal(write_values(&intercom, ask.type, change.set, change.doc, &values), 0);
	assert_true(mp_equal(buf_bytes(&values), change.set));
	buf_release(&doc);
	buf_release(&set);
	buf_release(&after);
	buf_release(&values);
}

static void what_cannot_be_asked_for_is_said(void **state)
{
	static const struct {
		const struct account *account;
		const char *doc, *set, *actor, *words;
	} cases[] = {
		{&intercom, "{\"state\":\"open\"}", "{\"state\":\"closed\"}", "", "which teammate"},
		{&intercom, "{\"state\":\"open\"}", "{\"state\":\"snoozed\"}", "7", "until when"},
		{&intercom, "{\"state\":\"open\"}",
		 "{\"state\":\"closed\",\"snoozed_until\":1700000000000}", "7", "snoozed"},
		{&intercom, "{\"tags\":{\"tags\":[]}}", "{\"tags\":[\"../1\"]}", "7",
		 "cannot be the id"},
		{&front, "{\"status\":\"assigned\",\"status_category\":\"open\"}",
		 "{\"state\":\"closed\"}", "", "ticket_status"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct change change = {mp(cases[i].set), mp(cases[i].doc), cases[i].actor};
		struct ask ask = {.kind = ASK_CHANGE,
				  .type = type(cases[i].account, "conversations"),
				  .id = bytes_str("1"),
				  .change = &change};
		struct call call;
		struct why why = {""};
		assert_int_equal(write_call(cases[i].account, &ask, &call, NULL, &why), ERR_INVALID);
		if (!strstr(why.text, cases[i].words))
			fail_msg("%s: %s", cases[i].words, why.text);
	}
	struct change change = {mp("{\"name\":\"x\"}"), mp("{}"), ""};
	struct ask ask = {.kind = ASK_CHANGE,
			  .type = type(&intercom, "contacts"),
			  .id = bytes_str("a/b"),
			  .change = &change};
	struct call call;
	assert_int_equal(write_call(&intercom, &ask, &call, NULL, NULL), ERR_INVALID);
}

/* ---- values ---- */

static void given_values_become_plain_ones(void **state)
{
	static const struct {
		const char *field, *given, *base, *plain; /* plain NULL: refused */
	} cases[] = {
		{"name", "\"Ada\"", "null", "\"Ada\""},
		{"name", "42", "null", "\"42\""},
		{"name", "\"\"", "null", "null"},
		{"name", "[1]", "null", NULL},
		{"email", "null", "null", NULL},
		{"email", "\"\"", "null", NULL},
		{"role", "\"USER\"", "null", "\"user\""},
		{"role", "\"boss\"", "null", NULL},
		{"owner", "\"none\"", "\"5\"", "null"},
		{"owner", "12", "null", "\"12\""},
		{"owner", "0", "null", "null"},
		{"custom_attributes.n", "\"5\"", "7", "5"},
		{"custom_attributes.n", "\"x\"", "7", "\"x\""},
		{"custom_attributes.n", "\"5\"", "\"a\"", "\"5\""},
		{"custom_attributes.n", "5", "\"a\"", "\"5\""},
		{"custom_attributes.n", "\"yes\"", "false", "true"},
		{"custom_attributes.n", "{}", "null", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = {0};
		struct why why = {""};
		const struct editable *f = write_field(&intercom, type(&intercom, "contacts"),
						       bytes_str(cases[i].field), &why);
		assert_non_null(f);
		int rc = write_take(f, mp(cases[i].given), mp(cases[i].base), 0, &out, &why);
		if (rc != (cases[i].plain ? 0 : ERR_INVALID))
			fail_msg("%s %s: %d %s", cases[i].field, cases[i].given, rc, why.text);
		if (rc == 0)
			assert_json(buf_bytes(&out), cases[i].plain);
		else
			assert_true(why.text[0]);
		buf_release(&out);
	}
}

static void lists_and_times_and_choices(void **state)
{
	static const struct {
		const char *field, *given, *plain;
	} cases[] = {
		{"tags", "\"b,a,,b\"", "[\"a\",\"b\"]"},
		{"tags", "[3,\"1\"]", "[\"1\",\"3\"]"},
		{"tags", "\"\"", "[]"},
		{"tags", "null", "[]"},
		{"tags", "7", NULL},
		{"snoozed_until", "1700000000", "1700000000000"},
		{"snoozed_until", "\"2023-11-14T22:13:20.7Z\"", "1700000000000"},
		{"snoozed_until", "\"whenever\"", NULL},
		{"read", "\"no\"", "false"},
		{"read", "\"perhaps\"", NULL},
		{"state", "\"Closed\"", "\"closed\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = {0};
		struct why why = {""};
		const struct editable *f = write_field(&intercom, type(&intercom, "conversations"),
						       bytes_str(cases[i].field), &why);
		assert_non_null(f);
		int rc = write_take(f, mp(cases[i].given), mp("null"), 0, &out, &why);
		if (rc != (cases[i].plain ? 0 : ERR_INVALID))
			fail_msg("%s %s: %d %s", cases[i].field, cases[i].given, rc, why.text);
		if (rc == 0)
			assert_json(buf_bytes(&out), cases[i].plain);
		buf_release(&out);
	}
}

static void names_of_fields_are_checked(void **state)
{
	struct why why = {""};

	(void)state;
	assert_null(write_field(&intercom, type(&intercom, "contacts"), bytes_str("nmae"), &why));
	assert_non_null(strstr(why.text, "did you mean 'name'"));
	assert_null(write_field(&intercom, type(&intercom, "contacts"), bytes_str("last_seen"), &why));
	assert_non_null(strstr(why.text, "what can"));
	assert_null(write_field(&intercom, type(&intercom, "tags"), bytes_str("name"), &why));
	assert_non_null(strstr(why.text, "cannot be edited"));
	assert_null(write_field(&intercom, type(&intercom, "conversations"), bytes_str("priority"),
				&why));
	assert_non_null(strstr(why.text, "2.16"));
	assert_non_null(write_field(&preview, type(&preview, "conversations"),
				    bytes_str("priority"), &why));
	assert_null(write_field(&intercom, type(&intercom, "contacts"),
				bytes_str("custom_attributes."), &why));
	assert_true(write_editable(&intercom, type(&intercom, "contacts"), "email"));
	assert_false(write_editable(&intercom, type(&intercom, "contacts"), "last_seen"));
}

/* ---- how they go together ---- */

static void mine_base_and_theirs(void **state)
{
	static const struct {
		const char *mine, *base, *theirs;
		enum write_verdict verdict;
	} cases[] = {
		{"{\"a\":1}", "{\"a\":0}", "{\"a\":0}", WRITE_NEEDED},
		{"{\"a\":1}", "{\"a\":0}", "{\"a\":1}", WRITE_DONE},
		{"{\"a\":1}", "{\"a\":0}", "{\"a\":2}", WRITE_CONFLICT},
		{"{\"a\":1,\"b\":1}", "{\"a\":0,\"b\":0}", "{\"a\":1,\"b\":0}", WRITE_NEEDED},
		{"{\"a\":1,\"b\":1}", "{\"a\":0,\"b\":0}", "{\"a\":1,\"b\":2}", WRITE_CONFLICT},
		{"{\"a\":1}", "{}", "{\"a\":null}", WRITE_NEEDED},
		{"{\"t\":[\"1\",\"2\"]}", "{\"t\":[\"1\",\"3\"]}", "{\"t\":[\"1\",\"2\",\"3\"]}",
		 WRITE_NEEDED},
		{"{\"t\":[\"1\",\"2\"]}", "{\"t\":[\"1\",\"3\"]}", "{\"t\":[\"1\"]}", WRITE_NEEDED},
		{"{\"t\":[\"1\",\"2\"]}", "{\"t\":[\"1\",\"3\"]}", "{\"t\":[\"3\"]}", WRITE_CONFLICT},
		{"{\"t\":[\"1\",\"2\"]}", "{\"t\":[\"1\",\"3\"]}", "{\"t\":[\"1\",\"4\"]}",
		 WRITE_CONFLICT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (write_judge(mp(cases[i].mine), mp(cases[i].base), mp(cases[i].theirs)) !=
		    cases[i].verdict)
			fail_msg("case %zu", i);
}

static int look_up(void *ctx, const char *resource, struct bytes id, struct bytes *doc_out)
{
	(void)ctx;
	if (strcmp(resource, "tags") != 0 || !bytes_is(id, "2"))
		return 0;
	*doc_out = mp("{\"type\":\"tag\",\"id\":\"2\",\"name\":\"urgent\"}");
	return 1;
}

static void an_overlay_shows_what_will_be(void **state)
{
	const struct write_lookup look = {look_up, NULL};
	struct buf out = {0}, set = {0}, doc = {0};

	(void)state;
	buf_put_bytes(
		&doc,
		mp("{\"id\":\"1\",\"state\":\"open\",\"open\":true,\"admin_assignee_id\":null,\"tags\":{\"type\":\"tag.list\",\"tags\":[{\"id\":\"1\",\"name\":\"vip\"}]},\"x\":[1,2]}"));
	buf_put_bytes(
		&set,
		mp("{\"state\":\"closed\",\"assignee\":\"12\",\"tags\":[\"1\",\"2\",\"3\"],\"custom_attributes.a\":1,\"unheard\":1}"));
	assert_int_equal(write_overlay(&intercom, type(&intercom, "conversations"), buf_bytes(&set),
				       buf_bytes(&doc), &look, &out),
			 0);
	assert_json(buf_bytes(&out),
		    "{\"id\":\"1\",\"state\":\"closed\",\"open\":false,\"snoozed_until\":null,\"admin_assignee_id\":12,"
		    "\"tags\":{\"type\":\"tag.list\",\"tags\":[{\"id\":\"1\",\"name\":\"vip\"},{\"type\":\"tag\",\"id\":\"2\",\"name\":\"urgent\"},{\"id\":\"3\"}]},"
		    "\"x\":[1,2],\"custom_attributes\":{\"a\":1}}");
	buf_release(&out);
	buf_release(&set);
	buf_release(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_is_the_request_that_the_provider_wants),
		cmocka_unit_test(steps_lead_to_what_is_wanted),
		cmocka_unit_test(what_cannot_be_asked_for_is_said),
		cmocka_unit_test(given_values_become_plain_ones),
		cmocka_unit_test(lists_and_times_and_choices),
		cmocka_unit_test(names_of_fields_are_checked),
		cmocka_unit_test(mine_base_and_theirs),
		cmocka_unit_test(an_overlay_shows_what_will_be),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	for (size_t i = 0; i < sizeof made / sizeof *made; i++)
		buf_release(&made[i]);
	return failed;
}
