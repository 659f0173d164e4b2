/*
 * webhook_test: signatures of both providers, against values that were computed elsewhere (Python's hmac), and what their events are about.
 */
#include <source/webhook.h>

#include <codec/json.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define NOW 1700000000000

static int check(const char *provider, const char *secret, const char *body, const char *signature,
		 const char *timestamp, int64_t now_ms)
{
	/* Signing needs the provider's name alone. */
	struct provider p = {.name = provider};
	struct webhook h = {.body = bytes_str(body),
			    .signature = signature,
			    .timestamp = timestamp,
			    .now_ms = now_ms};

	return webhook_check(&p, bytes_str(secret), &h);
}

static void test_intercom_signs_the_body(void **state)
{
	static const char body[] = "{\"type\":\"notification_event\",\"topic\":\"ping\"}";
	static const char good[] = "sha1=afd46c2e2b3cd345f03cef349d0d10c6ebe3542a";

	(void)state;
	assert_int_equal(check("intercom", "client-secret", body, good, NULL, NOW), 0);
	assert_int_equal(check("intercom", "client-secret", body, good, "anything", NOW), 0);
	assert_int_equal(check("intercom", "other", body, good, NULL, NOW), ERR_DENIED);
	assert_int_equal(check("intercom", "", body, good, NULL, NOW), ERR_DENIED);
	assert_int_equal(check("intercom", "client-secret", body + 1, good, NULL, NOW), ERR_DENIED);
	assert_int_equal(check("intercom", "client-secret", body, good + 5, NULL, NOW), ERR_DENIED);
	assert_int_equal(check("intercom", "client-secret", body, "", NULL, NOW), ERR_DENIED);
	assert_int_equal(check("intercom", "client-secret", body, NULL, NULL, NOW), ERR_DENIED);
	assert_int_equal(check("intercom", "client-secret", body,
			       "sha1=afd46c2e2b3cd345f03cef349d0d10c6ebe3542", NULL, NOW),
			 ERR_DENIED);
}

static void test_front_signs_time_and_body(void **state)
{
	static const char body[] = "{\"type\":\"sync\",\"authorization\":{\"id\":\"cmp_abc\"}}";
	static const char good[] = "e1iQI91T6wSG4RBAoQb01aYnTflpMcRC+GZLNi2nhpo=";
	static const char rule[] = "{\"id\":\"evt_1\",\"type\":\"tag\",\"emitted_at\":1453770984.123}";

	(void)state;
	assert_int_equal(check("front", "app_secret", body, good, "1700000000000", NOW), 0);
	assert_int_equal(check("front", "app_secret", body, good, "1700000000001", NOW), ERR_DENIED);
	assert_int_equal(check("front", "app_secret", body, good, "1700000000000",
			       NOW + WEBHOOK_WINDOW_MS + 1),
			 ERR_LIMIT);
	assert_int_equal(check("front", "app_secret", body, good, "1700000000000",
			       NOW - WEBHOOK_WINDOW_MS - 1),
			 ERR_LIMIT);
	assert_int_equal(check("front", "app_secret", body, good, NULL, NOW), ERR_DENIED);
	assert_int_equal(
		check("front", "api_secret", rule, "30XcYvsqvrMLavQjZp/duUQO4CE=", NULL, NOW), 0);
	assert_int_equal(check("front", "api_secret", rule, "30XcYvsqvrMLavQjZp/duUQO4CF=", NULL, NOW),
			 ERR_DENIED);
	assert_int_equal(check("nobody", "api_secret", rule, "x", NULL, NOW), ERR_DENIED);
}

static int read_event_of(const struct provider *p, const char *json, struct webhook_hint *out)
{
	struct buf body = {0};
	struct why why;

	assert_int_equal(json_to_msgpack(bytes_str(json), JSON_STRICT, &body, &why), 0);
	int rc = webhook_read(p, buf_bytes(&body), out);
	buf_release(&body);
	return rc;
}

static int read_event(const char *json, struct webhook_hint *out)
{
	return read_event_of(&provider_intercom, json, out);
}

#define EVENT(topic, item)                                                                      \
	"{\"type\":\"notification_event\",\"id\":\"notif_1\",\"topic\":\"" topic "\",\"data\":" \
	"{\"type\":\"notification_event_data\",\"item\":" item "}}"

static void test_what_intercoms_events_are_about(void **state)
{
	static const struct {
		const char *json, *resource, *first, *second;
	} cases[] = {
		{EVENT("conversation.user.replied", "{\"type\":\"conversation\",\"id\":\"41\"}"),
		 "conversations", "41", NULL},
		{EVENT("conversation.deleted", "{\"type\":\"conversation\",\"id\":41,\"deleted\":true}"),
		 "conversations", "41", NULL},
		{EVENT("conversation_part.redacted",
		       "{\"type\":\"conversation_part\",\"id\":\"9\",\"conversation\":{\"id\":\"41\"}}"),
		 "conversations", "41", NULL},
		{EVENT("conversation_part.redacted", "{\"type\":\"conversation_part\",\"id\":\"9\"}"),
		 "conversations", NULL, NULL},
		{EVENT("contact.user.tag.created",
		       "{\"type\":\"contact_tag\",\"id\":\"no\",\"contact\":{\"id\":\"c1\"}}"),
		 "contacts", "c1", NULL},
		{EVENT("contact.merged",
		       "{\"type\":\"contact\",\"id\":\"c1\",\"merged_from\":{\"type\":\"contact\",\"id\":\"c2\"}}"),
		 "contacts", "c1", "c2"},
		{EVENT("ticket.closed", "{\"type\":\"x\",\"ticket\":{\"id\":\"7\"}}"), "tickets",
		 "7", NULL},
		{EVENT("ticket.resolved", "{\"type\":\"ticket\",\"id\":\"7\"}"), "tickets", "7", NULL},
		{EVENT("ping", "{\"type\":\"ping\"}"), NULL, NULL, NULL},
		{EVENT("visitor.signed_up", "{\"id\":\"1\"}"), NULL, NULL, NULL},
	};
	struct webhook_hint hint;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(read_event(cases[i].json, &hint), 0);
		assert_string_equal(hint.event, "notif_1");
		if (!cases[i].resource) {
			assert_null(hint.type);
			continue;
		}
		assert_string_equal(hint.type->name, cases[i].resource);
		assert_int_equal(hint.count, !!cases[i].first + !!cases[i].second);
		if (cases[i].first)
			assert_string_equal(hint.ids[0], cases[i].first);
		if (cases[i].second)
			assert_string_equal(hint.ids[1], cases[i].second);
	}
	assert_int_equal(read_event("{}", &hint), ERR_INVALID);
	assert_int_equal(read_event("[]", &hint), ERR_INVALID);
	assert_int_equal(read_event("{\"type\":\"notification_event\"}", &hint), ERR_INVALID);
}

/* In an envelope, by itself, and as a preview, which says no more than the ids. */
static void test_what_fronts_events_are_about(void **state)
{
	static const char *const same[] = {
		"{\"type\":\"inbound_received\",\"authorization\":{\"id\":\"cmp_1\"},\"payload\":{\"id\":\"evt_7\",\"type\":\"inbound\","
		"\"emitted_at\":1693000000.5,\"conversation\":{\"id\":\"cnv_41\",\"subject\":\"x\"}}}",
		"{\"id\":\"evt_7\",\"type\":\"tag\",\"emitted_at\":1453770984.123,\"conversation\":{\"id\":\"cnv_41\"}}",
		"{\"id\":\"evt_7\",\"type\":\"assign\",\"conversation\":{\"_links\":{\"self\":\"https://x\"},\"id\":\"cnv_41\"}}",
	};
	struct webhook_hint hint;

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		assert_int_equal(read_event_of(&provider_front, same[i], &hint), 0);
		assert_string_equal(hint.event, "evt_7");
		assert_string_equal(hint.type->name, "conversations");
		assert_int_equal(hint.count, 1);
		assert_string_equal(hint.ids[0], "cnv_41");
	}
	assert_int_equal(read_event_of(&provider_front,
				       "{\"type\":\"sync\",\"authorization\":{\"id\":\"cmp_1\"}}",
				       &hint),
			 0);
	assert_null(hint.type);
	assert_int_equal(read_event_of(&provider_front, "{\"id\":\"evt_7\"}", &hint), ERR_INVALID);
	assert_int_equal(read_event_of(&provider_front, "[]", &hint), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intercom_signs_the_body),
		cmocka_unit_test(test_front_signs_time_and_body),
		cmocka_unit_test(test_what_intercoms_events_are_about),
		cmocka_unit_test(test_what_fronts_events_are_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
