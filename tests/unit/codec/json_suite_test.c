/* The public suites: JSONTestSuite, UTF-8 tests, and the providers' own example payloads.
 * Skipped, with a word, when they are not there. */
#include "support/codec_support.h"

#include <stdio.h>
#include <stdlib.h>

#include "skip.h"

#define CORPORA "../shared/corpora"
#define API     "../shared/api"

static void not_there(const char *what)
{
	skip_because(what);
}

/* JSON -> MessagePack -> JSON -> MessagePack. */
static void assert_round_trip(struct bytes msgpack)
{
	struct buf text = {.max = 0}, pretty = {.max = 0}, again = {.max = 0};

	assert_int_equal(mp_check(msgpack), 0);
	assert_int_equal(json_write(msgpack, &text), 0);
	assert_int_equal(json_write_pretty(msgpack, &pretty), 0);
	assert_null(memchr(text.data, '\n', text.len));
	assert_int_equal(json_to_msgpack(buf_bytes(&text), JSON_STRICT, &again, NULL), 0);
	assert_true(mp_equal(msgpack, buf_bytes(&again)));
	buf_reset(&again);
	assert_int_equal(json_to_msgpack(buf_bytes(&pretty), JSON_STRICT, &again, NULL), 0);
	assert_true(mp_equal(msgpack, buf_bytes(&again)));
	buf_release(&text);
	buf_release(&pretty);
	buf_release(&again);
}

static void verdict(struct bytes text, enum json_mode mode, const char *name)
{
	struct outcome o;

	transcode(text, mode, NULL, 0, NULL, NULL, &o);
	if (mode == JSON_STRICT && ((name[0] == 'y' && o.rc) || (name[0] == 'n' && !o.rc)))
		fail_msg("%s: %d %s", name, o.rc, o.why.text);
	if (o.rc == 0)
		assert_round_trip(buf_bytes(&o.out));
	else
		assert_non_null(strstr(o.why.text, "byte "));
	outcome_release(&o);
	assert_cuts_agree(text, mode, NULL, 0);
}

static void parsing_file(const char *path, const char *name)
{
	struct buf text = {.max = 0};

	assert_true(read_whole(path, &text));
	verdict(buf_bytes(&text), JSON_STRICT, name);
	verdict(buf_bytes(&text), JSON_LENIENT, name);
	buf_release(&text);
}

static void test_json_test_suite(void **state)
{
	(void)state;
	int n = for_each_file(CORPORA "/JSONTestSuite/test_parsing", ".json", parsing_file);
	if (n < 0)
		not_there(CORPORA "/JSONTestSuite");
	assert_true(n >= 300);
}

/* No verdicts in these names. */
static void transform_file(const char *path, const char *name)
{
	(void)name;
	parsing_file(path, "i");
}

static void test_transform(void **state)
{
	(void)state;
	if (for_each_file(CORPORA "/JSONTestSuite/test_transform", ".json", transform_file) < 0)
		not_there(CORPORA "/JSONTestSuite/test_transform");
}

static void payload_file(const char *path, const char *name)
{
	struct buf text = {.max = 0}, out = {.max = 0};
	struct why why = {""};

	(void)name;
	assert_true(read_whole(path, &text));
	if (json_to_msgpack(buf_bytes(&text), JSON_STRICT, &out, &why))
		fail_msg("%s: %s", path, why.text);
	assert_round_trip(buf_bytes(&out));
	assert_cuts_agree(buf_bytes(&text), JSON_STRICT, NULL, 0);
	buf_release(&text);
	buf_release(&out);
}

static void test_payloads(void **state)
{
	(void)state;
	int a = for_each_file(API "/intercom-examples", ".json", payload_file);
	int b = for_each_file(API "/front-examples", ".json", payload_file);
	if (a < 0 || b < 0)
		not_there(API);
	assert_true(a + b > 100);
}

/* "EFBFBD  EF" and "nothing" into bytes. */
static void put_hex(struct buf *b, const char *text, const char *end)
{
	int digits = 0, value = 0;

	for (; text < end; text++) {
		char c = *text;
		int digit = c >= '0' && c <= '9'                     ? c - '0'
			    : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
								     : -1;
		if (digit < 0)
			continue;
		value = value << 4 | digit;
		if (++digits % 2 == 0) {
			buf_put_byte(b, (uint8_t)value);
			value = 0;
		}
	}
}

static void quote(struct buf *out, const struct buf *inside)
{
	buf_put_byte(out, '"');
	for (size_t i = 0; i < inside->len; i++) {
		if (inside->data[i] < 0x20)
			buf_printf(out, "\\u%04x", inside->data[i]);
		else
			buf_put_byte(out, inside->data[i]);
	}
	buf_put_byte(out, '"');
}

static void utf8_case(const struct buf *given, const struct buf *wanted, bool valid)
{
	struct buf text = {.max = 0};
	struct outcome o;
	struct mp_value v;

	quote(&text, given);
	transcode(buf_bytes(&text), JSON_STRICT, NULL, 0, NULL, NULL, &o);
	assert_int_equal(o.rc, valid ? 0 : ERR_SYNTAX);
	outcome_release(&o);
	transcode(buf_bytes(&text), JSON_LENIENT, NULL, 0, NULL, NULL, &o);
	assert_int_equal(o.rc, 0);
	assert_true(mp_get(buf_bytes(&o.out), &v) && v.type == MP_STR);
	assert_true(bytes_equal(v.str, buf_bytes(wanted)));
	assert_int_equal(o.stats.replaced == 0, valid);
	outcome_release(&o);
	assert_cuts_agree(buf_bytes(&text), JSON_STRICT, NULL, 0);
	assert_cuts_agree(buf_bytes(&text), JSON_LENIENT, NULL, 0);
	buf_release(&text);
}

static const char *next_field(const char *p, const char *end)
{
	const char *colon = memchr(p, ':', (size_t)(end - p));

	return colon ? colon + 1 : end;
}

/* "num:invalid hex:given:when skipped:when replaced"; 1 when the line was a case. */
static int utf8_line(const char *line, const char *end)
{
	struct buf given = {.max = 0}, wanted = {.max = 0};
	const char *kind = next_field(line, end), *hex = next_field(kind, end);
	bool valid = (size_t)(end - kind) > 10 && memcmp(kind, "valid hex:", 10) == 0;
	bool invalid = (size_t)(end - kind) > 12 && memcmp(kind, "invalid hex:", 12) == 0;

	if (line == end || *line == '#' || !(valid || invalid))
		return 0;
	const char *third = next_field(hex, end), *fourth = next_field(third, end);
	put_hex(&given, hex, third);
	if (valid)
		put_hex(&wanted, hex, end);
	else
		put_hex(&wanted, fourth, end);
	utf8_case(&given, &wanted, valid);
	buf_release(&given);
	buf_release(&wanted);
	return 1;
}

static void test_utf8(void **state)
{
	struct buf text = {.max = 0};
	int n = 0;

	(void)state;
	if (!read_whole(CORPORA "/utf8tests/utf8tests.txt", &text))
		not_there(CORPORA "/utf8tests");
	const char *p = buf_text(&text);
	while (*p) {
		const char *end = strchr(p, '\n');
		end = end ? end : p + strlen(p);
		n += utf8_line(p, end);
		p = *end ? end + 1 : end;
	}
	assert_true(n > 100);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_test_suite),
		cmocka_unit_test(test_transform),
		cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
