/*
 * record_test: the envelope there and back, what is refused, and when a copy is settled.
 */
#include <model/record.h>

#include <codec/msgpack.h>

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static const struct record full = {
	.id = {(const uint8_t *)"msg_1", 5},
	.parent = {(const uint8_t *)"cnv_1", 5},
	.merged_into = {(const uint8_t *)"msg_2", 5},
	.created_ms = 1734652800123,
	.updated_ms = 1734652801000,
	.seen_ms = 1734652805000,
	.revision = 99,
	.flags = RECORD_MERGED | RECORD_POOR,
	.doc = {(const uint8_t *)"\x81\xa1x\x05", 4},
};

static const struct record bare = {
	.id = {(const uint8_t *)"7", 1},
	.created_ms = TIME_NONE,
	.updated_ms = TIME_NONE,
	.seen_ms = -5,
};

static void test_there_and_back(void **state)
{
	struct record got;
	struct buf out = {0};

	(void)state;
	record_encode(&full, &out);
	assert_int_equal(record_decode(buf_bytes(&out), &got), 0);
	assert_true(bytes_equal(got.id, full.id));
	assert_true(bytes_equal(got.parent, full.parent));
	assert_true(bytes_equal(got.merged_into, full.merged_into));
	assert_true(bytes_equal(got.doc, full.doc));
	assert_int_equal(got.created_ms, full.created_ms);
	assert_int_equal(got.updated_ms, full.updated_ms);
	assert_int_equal(got.seen_ms, full.seen_ms);
	assert_int_equal(got.flags, full.flags);
	assert_int_equal(got.revision, 0);
	for (size_t cut = 0; cut < out.len; cut++)
		assert_int_equal(record_decode(bytes_of(out.data, cut), &got), ERR_CORRUPT);
	for (size_t cut = 0; cut <= out.len - full.doc.len; cut++)
		assert_int_equal(record_open(bytes_of(out.data, cut), &got), ERR_CORRUPT);
	got = (struct record){0};
	assert_int_equal(record_open(buf_bytes(&out), &got), 0);
	assert_true(bytes_equal(got.id, full.id) && bytes_equal(got.doc, full.doc));
	assert_true(got.updated_ms == full.updated_ms && got.flags == full.flags);
	mp_put_nil(&out);
	assert_int_equal(record_decode(buf_bytes(&out), &got), ERR_CORRUPT);
	buf_release(&out);
}

static void test_what_is_not_there(void **state)
{
	struct record got;
	struct buf out = {0};

	(void)state;
	record_encode(&bare, &out);
	assert_int_equal(record_decode(buf_bytes(&out), &got), 0);
	assert_null(got.parent.data);
	assert_null(got.merged_into.data);
	assert_int_equal(got.created_ms, TIME_NONE);
	assert_int_equal(got.updated_ms, TIME_NONE);
	assert_int_equal(got.seen_ms, -5);
	assert_true(bytes_equal(got.doc, bytes_str("\xc0")));
	buf_release(&out);
}

static int decode_with_id(size_t len)
{
	static const uint8_t letters[RECORD_ID_MAX + 1] = "a";
	struct record r = bare, got;
	struct buf out = {0};

	r.id = bytes_of(letters, len);
	record_encode(&r, &out);
	int rc = record_decode(buf_bytes(&out), &got);
	buf_release(&out);
	return rc;
}

static void test_id_lengths(void **state)
{
	(void)state;
	assert_int_equal(decode_with_id(0), ERR_CORRUPT);
	assert_int_equal(decode_with_id(1), 0);
	assert_int_equal(decode_with_id(RECORD_ID_MAX), 0);
	assert_int_equal(decode_with_id(RECORD_ID_MAX + 1), ERR_CORRUPT);
}

static void test_other_version(void **state)
{
	struct record got;
	struct buf out = {0};

	(void)state;
	record_encode(&full, &out);
	out.data[1] = 2;
	assert_int_equal(record_decode(buf_bytes(&out), &got), ERR_CORRUPT);
	out.data[1] = 1;
	out.data[0] = 0x98;
	assert_int_equal(record_decode(buf_bytes(&out), &got), ERR_CORRUPT);
	buf_release(&out);
}

static bool settled(int64_t created_ms, int64_t updated_ms, int64_t seen_ms)
{
	return record_settled(&(struct record){
		.created_ms = created_ms, .updated_ms = updated_ms, .seen_ms = seen_ms});
}

static void test_settled(void **state)
{
	(void)state;
	assert_true(settled(0, 10000, 12000));
	assert_false(settled(0, 10000, 11999));
	assert_false(settled(0, 10999, 11999)); /* seconds are what counts */
	assert_true(settled(0, 10999, 12000));
	assert_false(settled(0, 10000, 9000));
	assert_true(settled(10000, TIME_NONE, 12000));
	assert_false(settled(TIME_NONE, TIME_NONE, 12000));
	assert_false(settled(0, 10000, TIME_NONE));
	assert_true(settled(0, -1500, 0));
	assert_false(settled(0, -900, 0));
}

static void test_redacted(void **state)
{
	static const uint8_t yes[] = "\x81\xa8redacted\xc3", no[] = "\x81\xa8redacted\xc2";

	(void)state;
	assert_true(record_redacted(&(struct record){.doc = bytes_of(yes, sizeof yes - 1)}));
	assert_false(record_redacted(&(struct record){.doc = bytes_of(no, sizeof no - 1)}));
	assert_false(record_redacted(&(struct record){.doc = bytes_of(NULL, 0)}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_what_is_not_there),
		cmocka_unit_test(test_id_lengths),     cmocka_unit_test(test_other_version),
		cmocka_unit_test(test_settled),        cmocka_unit_test(test_redacted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
