/*
 * run_test: a run as the audit trail keeps it.
 */
#include <model/run.h>

#include <codec/json.h>
#include <codec/msgpack.h>

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

static void expect_str(struct bytes map, const char *key, const char *text)
{
	struct bytes got;

	if (!mp_find_str(map, key, &got) || !bytes_is(got, text))
		fail_msg("%s is not %s", key, text);
}

static void expect_json(struct bytes map, const char *key, const char *json)
{
	struct buf text = {0};
	struct bytes got;

	assert_int_equal(mp_find(map, bytes_str(key), &got), 1);
	assert_int_equal(json_write(got, &text), 0);
	assert_string_equal(buf_text(&text), json);
	buf_release(&text);
}

static void test_encode(void **state)
{
	struct run_info run = {
		.id = 7,
		.source = "acme",
		.resource = "contacts",
		.kind = RUN_VERIFY,
		.outcome = RUN_FAILED,
		.phase = "listing",
		.started_ms = 0,
		.ended_ms = 1500,
		.synced_until_ms = TIME_NONE,
		.span_start_ms = TIME_MIN,
		.span_end_ms = 1000,
		.total = -1,
		.created = 3,
		.gone = 4,
		.differences = 5,
		.error = "refused",
	};
	struct buf out = {0};

	(void)state;
	run_encode(&run, &out);
	struct bytes map = buf_bytes(&out);
	assert_int_equal(mp_check(map), 0);
	expect_str(map, "source", "acme");
	expect_str(map, "kind", "verify");
	expect_str(map, "outcome", "failed");
	expect_str(map, "error", "refused");
	expect_json(map, "id", "7");
	expect_json(map, "created", "3");
	expect_json(map, "gone", "4");
	expect_json(map, "differences", "5");
	expect_json(map, "started", "\"1970-01-01T00:00:00Z\"");
	expect_json(map, "synced_until", "null");
	expect_json(map, "span", "[null,\"1970-01-01T00:00:01Z\"]");
	expect_json(map, "duration_ms", "1500");
	buf_reset(&out);
	run.ended_ms = TIME_NONE;
	run.error[0] = 0;
	run_encode(&run, &out);
	expect_json(buf_bytes(&out), "duration_ms", "0");
	expect_json(buf_bytes(&out), "error", "null");
	buf_release(&out);
}

static void test_decode(void **state)
{
	struct run_info run = {.source = "acme",
			       .resource = "tags",
			       .kind = RUN_CHANGES,
			       .outcome = RUN_OK,
			       .started_ms = 1000,
			       .ended_ms = 3500,
			       .created = 3,
			       .updated = 2,
			       .deleted = 1,
			       .calls = 9,
			       .synced_until_ms = TIME_NONE,
			       .span_start_ms = TIME_MIN,
			       .span_end_ms = TIME_MAX};
	struct run_entry entry;
	struct buf out = {0};

	(void)state;
	run_encode(&run, &out);
	assert_int_equal(run_decode(buf_bytes(&out), &entry), 0);
	assert_true(bytes_is(entry.resource, "tags"));
	assert_true(bytes_is(entry.kind, "changes"));
	assert_true(bytes_is(entry.outcome, "ok"));
	assert_true(entry.ended_ms == 3500 && entry.duration_ms == 2500);
	assert_true(entry.created == 3 && entry.updated == 2 && entry.deleted == 1 &&
		    entry.calls == 9);
	buf_reset(&out);
	run.ended_ms = TIME_NONE;
	run_encode(&run, &out);
	assert_int_equal(run_decode(buf_bytes(&out), &entry), ERR_SYNTAX);
	assert_int_equal(run_decode(bytes_str("x"), &entry), ERR_SYNTAX);
	assert_int_equal(run_decode(bytes_of(NULL, 0), &entry), ERR_SYNTAX);
	buf_release(&out);
}

static void test_reword(void **state)
{
	struct run_info run = {.source = "acme", .resource = "contacts", .phase = "", .total = -1};
	struct buf before = {0}, after = {0}, want = {0};

	(void)state;
	run_encode(&run, &before);
	assert_int_equal(run_reword(buf_bytes(&before), "gone", &after), 0);
	assert_int_equal(after.len, 0);
	snprintf(run.error, sizeof run.error, "contacts 17 cannot be read: Ada Lovelace");
	buf_reset(&before);
	run_encode(&run, &before);
	assert_int_equal(run_reword(buf_bytes(&before), "gone", &after), 1);
	snprintf(run.error, sizeof run.error, "gone");
	run_encode(&run, &want);
	assert_true(bytes_equal(buf_bytes(&after), buf_bytes(&want)));
	assert_int_equal(run_reword(buf_bytes(&want), "gone", &after), 0);
	assert_int_equal(run_reword(bytes_str("x"), "gone", &after), 0);
	/* Of an edit the record, too. */
	buf_reset(&before);
	buf_reset(&after);
	buf_reset(&want);
	mp_put_map(&before, 2);
	mp_put_cstr(&before, "record");
	mp_put_cstr(&before, "17");
	mp_put_cstr(&before, "error");
	mp_put_cstr(&before, "Ada");
	assert_int_equal(run_reword(buf_bytes(&before), "gone", &after), 1);
	mp_put_map(&want, 2);
	mp_put_cstr(&want, "record");
	mp_put_cstr(&want, "gone");
	mp_put_cstr(&want, "error");
	mp_put_cstr(&want, "gone");
	assert_true(bytes_equal(buf_bytes(&after), buf_bytes(&want)));
	buf_release(&before);
	buf_release(&after);
	buf_release(&want);
}

static void test_names_and_progress(void **state)
{
	(void)state;
	for (int i = 0; i < RUN_KINDS; i++)
		assert_non_null(run_kind_name((enum run_kind)i));
	for (int i = 0; i < RUN_OUTCOMES; i++)
		assert_non_null(run_outcome_name((enum run_outcome)i));
	assert_true(run_progress(&(struct run_info){.done = 5, .total = -1}) == -1);
	assert_true(run_progress(&(struct run_info){.done = 5, .total = 10}) == 0.5);
	assert_true(run_progress(&(struct run_info){.done = 15, .total = 10}) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_reword),
		cmocka_unit_test(test_names_and_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
