/* The transcoder, by example: values, numbers at their edges, escapes, errors with their
 * places, limits. */
#include "support/codec_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void expect_mode(const char *text, size_t len, enum json_mode mode, struct bytes wanted)
{
	struct outcome o;

	transcode(bytes_of(text, len), mode, NULL, 0, NULL, NULL, &o);
	if (o.rc)
		fail_msg("%s: %s", text, o.why.text);
	if (!bytes_equal(buf_bytes(&o.out), wanted))
		fail_msg("%s: not the bytes that were expected", text);
	outcome_release(&o);
	assert_cuts_agree(bytes_of(text, len), mode, NULL, 0);
}

#define EXPECT(text, wanted)  expect_mode(text, sizeof(text) - 1, JSON_STRICT, B(wanted))
#define LENIENT(text, wanted) expect_mode(text, sizeof(text) - 1, JSON_LENIENT, B(wanted))

static void refuse(const char *text, size_t len, enum json_mode mode, int code, const char *words)
{
	struct outcome o;

	transcode(bytes_of(text, len), mode, NULL, 0, NULL, NULL, &o);
	assert_int_equal(o.rc, code);
	if (!strstr(o.why.text, words))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, o.why.text, words);
	outcome_release(&o);
	assert_cuts_agree(bytes_of(text, len), mode, NULL, 0);
}

#define REFUSE(text, code, words) refuse(text, sizeof(text) - 1, JSON_STRICT, code, words)

static void test_scalars(void **state)
{
	(void)state;
	EXPECT("null", "\xc0");
	EXPECT(" true\n", "\xc3");
	EXPECT("false", "\xc2");
	EXPECT("\"\"", "\xa0");
	EXPECT("\"abc\"", "\xa3"
			  "abc");
	EXPECT("\t\"1234567890123456789012345678901\" ", "\xbf"
							 "1234567890123456789012345678901");
	EXPECT("\"12345678901234567890123456789012\"", "\xd9\x20"
						       "12345678901234567890123456789012");
}

static void test_integers(void **state)
{
	(void)state;
	EXPECT("0", "\0");
	EXPECT("127", "\x7f");
	EXPECT("128", "\xcc\x80");
	EXPECT("255", "\xcc\xff");
	EXPECT("256", "\xcd\x01\x00");
	EXPECT("65535", "\xcd\xff\xff");
	EXPECT("65536", "\xce\x00\x01\x00\x00");
	EXPECT("4294967295", "\xce\xff\xff\xff\xff");
	EXPECT("4294967296", "\xcf\0\0\0\x01\0\0\0\0");
	EXPECT("999999999999999999", "\xcf\x0d\xe0\xb6\xb3\xa7\x63\xff\xff");
	EXPECT("1000000000000000000", "\xcf\x0d\xe0\xb6\xb3\xa7\x64\0\0");
	EXPECT("9223372036854775807", "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff");
	EXPECT("9223372036854775808", "\xcf\x80\0\0\0\0\0\0\0");
	EXPECT("18446744073709551615", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
	EXPECT("-1", "\xff");
	EXPECT("-32", "\xe0");
	EXPECT("-33", "\xd0\xdf");
	EXPECT("-128", "\xd0\x80");
	EXPECT("-129", "\xd1\xff\x7f");
	EXPECT("-32768", "\xd1\x80\x00");
	EXPECT("-32769", "\xd2\xff\xff\x7f\xff");
	EXPECT("-2147483648", "\xd2\x80\0\0\0");
	EXPECT("-2147483649", "\xd3\xff\xff\xff\xff\x7f\xff\xff\xff");
	EXPECT("-9223372036854775808", "\xd3\x80\0\0\0\0\0\0\0");
}

static void test_doubles(void **state)
{
	(void)state;
	EXPECT("-0", "\xcb\x80\0\0\0\0\0\0\0");
	EXPECT("-0.0", "\xcb\x80\0\0\0\0\0\0\0");
	EXPECT("-0e5", "\xcb\x80\0\0\0\0\0\0\0");
	EXPECT("0.0", "\xcb\0\0\0\0\0\0\0\0");
	EXPECT("0e99999999999999999999", "\xcb\0\0\0\0\0\0\0\0");
	EXPECT("1.0", "\xcb\x3f\xf0\0\0\0\0\0\0");
	EXPECT("1E0", "\xcb\x3f\xf0\0\0\0\0\0\0");
	EXPECT("0.1", "\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a");
	EXPECT("-2.5e+3", "\xcb\xc0\xa3\x88\0\0\0\0\0");
	EXPECT("1e-400", "\xcb\0\0\0\0\0\0\0\0");
	EXPECT("1.7976931348623157e308", "\xcb\x7f\xef\xff\xff\xff\xff\xff\xff");
	EXPECT("2.2250738585072011e-308", "\xcb\x00\x0f\xff\xff\xff\xff\xff\xff");
	EXPECT("5e-324", "\xcb\0\0\0\0\0\0\0\x01");
	/* Halfway cases: to even, and one digit past the half. */
	EXPECT("9007199254740993.0", "\xcb\x43\x40\0\0\0\0\0\0");
	EXPECT("9007199254740993.00000000000000000000000000001", "\xcb\x43\x40\0\0\0\0\0\x01");
	EXPECT("123456789012345678901234567890e-20", "\xcb\x41\xd2\x65\x80\xb4\x87\xe6\xb7");
}

static void test_number_errors(void **state)
{
	(void)state;
	REFUSE("01", ERR_SYNTAX, "byte 0: a number that is none");
	REFUSE("-", ERR_SYNTAX, "byte 0");
	REFUSE("[-]", ERR_SYNTAX, "byte 1");
	REFUSE("1.", ERR_SYNTAX, "byte 0");
	REFUSE("1.e5", ERR_SYNTAX, "byte 0");
	REFUSE("1e", ERR_SYNTAX, "byte 0");
	REFUSE("1e+", ERR_SYNTAX, "byte 0");
	REFUSE("+1", ERR_SYNTAX, "byte 0: expected a value");
	REFUSE(".5", ERR_SYNTAX, "byte 0: expected a value");
	REFUSE("--1", ERR_SYNTAX, "byte 0");
	REFUSE("1-1", ERR_SYNTAX, "byte 0");
	REFUSE("NaN", ERR_SYNTAX, "byte 0");
	REFUSE("18446744073709551616", ERR_LIMIT, "byte 0: a number out of range");
	REFUSE("-9223372036854775809", ERR_LIMIT, "out of range");
	REFUSE("[1, 1e400]", ERR_LIMIT, "byte 4: a number out of range");
	REFUSE("1.7976931348623159e308", ERR_LIMIT, "out of range");
	refuse("1e400", 5, JSON_LENIENT, ERR_LIMIT, "out of range");
}

static void test_lenient_numbers(void **state)
{
	struct outcome o;

	(void)state;
	LENIENT("18446744073709551616", "\xcb\x43\xf0\0\0\0\0\0\0");
	LENIENT("-9223372036854775809", "\xcb\xc3\xe0\0\0\0\0\0\0");
	transcode(B("[36893488147419103232,1,-36893488147419103232]"), JSON_LENIENT, NULL, 0, NULL,
		  NULL, &o);
	assert_int_equal(o.rc, 0);
	assert_int_equal(o.stats.widened, 2);
	assert_int_equal(o.stats.bytes, 46);
	outcome_release(&o);
}

static void test_escapes(void **state)
{
	(void)state;
	EXPECT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\xa8\"\\/\b\f\n\r\t");
	EXPECT("\"\\u0000\"", "\xa1\0");
	EXPECT("\"a\\u00e9\\u20AC\"", "\xa6"
				      "a\xc3\xa9\xe2\x82\xac");
	EXPECT("\"\\uD83D\\uDE00\"", "\xa4\xf0\x9f\x98\x80");
	EXPECT("\"\\uDBFF\\uDFFF\\ud800\\udc00\"", "\xa8\xf4\x8f\xbf\xbf\xf0\x90\x80\x80");
	REFUSE("\"\\x\"", ERR_SYNTAX, "byte 2: no such escape");
	REFUSE("\"\\u12g4\"", ERR_SYNTAX, "byte 5: expected a hexadecimal digit");
	REFUSE("\"a\nb\"", ERR_SYNTAX, "byte 2: a raw control character");
	REFUSE("\"a\0b\"", ERR_SYNTAX, "byte 2: a raw control character");
	REFUSE("\"abc", ERR_SYNTAX, "byte 4: the text is cut");
	REFUSE("\"abc\\", ERR_SYNTAX, "the text is cut");
	REFUSE("\"abc\\u12", ERR_SYNTAX, "the text is cut");
}

static void test_surrogates(void **state)
{
	(void)state;
	REFUSE("\"\\ud800\"", ERR_SYNTAX, "half of a surrogate pair");
	REFUSE("\"\\udc00\"", ERR_SYNTAX, "half of a surrogate pair");
	REFUSE("\"\\ud800\\n\"", ERR_SYNTAX, "half of a surrogate pair");
	REFUSE("\"\\ud800\\u0041\"", ERR_SYNTAX, "half of a surrogate pair");
	LENIENT("\"\\ud800\"", "\xa3\xef\xbf\xbd");
	LENIENT("\"\\udc00x\"", "\xa4\xef\xbf\xbdx");
	LENIENT("\"\\ud800\\n\"", "\xa4\xef\xbf\xbd\n");
	LENIENT("\"\\ud800\\u0041\"", "\xa4\xef\xbf\xbd"
				      "A");
	LENIENT("\"\\ud800\\ud83d\\ude00\"", "\xa7\xef\xbf\xbd\xf0\x9f\x98\x80");
	LENIENT("\"\\ud800\\ud800\\ud800\"", "\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	LENIENT("\"\\ude00\\ud83d\"", "\xa6\xef\xbf\xbd\xef\xbf\xbd");
}

static void test_bad_utf8(void **state)
{
	(void)state;
	REFUSE("\"\xff\"", ERR_SYNTAX, "byte 1: a string is not valid UTF-8");
	REFUSE("\"\xe2\x82\"", ERR_SYNTAX, "byte 3: a string is not valid UTF-8");
	LENIENT("\"\xe2\x82\"", "\xa3\xef\xbf\xbd");
	LENIENT("\"\xf0\x9f\x98x\"", "\xa4\xef\xbf\xbdx");
	LENIENT("\"\xc0\xaf\"", "\xa6\xef\xbf\xbd\xef\xbf\xbd");
	LENIENT("\"\xed\xa0\x80\"", "\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	LENIENT("\"\xe2\x82\xe2\x82\xac\"", "\xa6\xef\xbf\xbd\xe2\x82\xac");
	LENIENT("\"\xe2\\n\"", "\xa4\xef\xbf\xbd\n");
}

static void test_byte_order_mark(void **state)
{
	(void)state;
	REFUSE("\xef\xbb\xbf{}", ERR_SYNTAX, "byte 0");
	LENIENT("\xef\xbb\xbf null", "\xc0");
	refuse("\xef\xbb null", 7, JSON_LENIENT, ERR_SYNTAX, "byte 2");
	refuse(" \xef\xbb\xbf null", 9, JSON_LENIENT, ERR_SYNTAX, "byte 1");
	refuse("\xef\xbb\xbf\xef\xbb\xbf null", 11, JSON_LENIENT, ERR_SYNTAX, "byte 3");
	refuse("\xef\xbb\xbf", 3, JSON_LENIENT, ERR_SYNTAX, "an empty text");
}

static void test_containers(void **state)
{
	(void)state;
	EXPECT("[]", "\xdd\0\0\0\0");
	EXPECT("{}", "\xdf\0\0\0\0");
	EXPECT(" [ 1 , [ ] , { } ] ", "\xdd\0\0\0\x03\x01\xdd\0\0\0\0\xdf\0\0\0\0");
	EXPECT("[[[[]]]]", "\xdd\0\0\0\x01\xdd\0\0\0\x01\xdd\0\0\0\x01\x90");
	EXPECT("[[[[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]]]]",
	       "\xdd\0\0\0\x01\xdd\0\0\0\x01\xdd\0\0\0\x01\x9f\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f");
	EXPECT("[[[[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,0]]]]",
	       "\xdd\0\0\0\x01\xdd\0\0\0\x01\xdd\0\0\0\x01\xdc\0\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\0");
	EXPECT("[[[{\"a\":{\"b\":null}}]]]", "\xdd\0\0\0\x01\xdd\0\0\0\x01\xdd\0\0\0\x01\x81\xa1"
					     "a\x81\xa1"
					     "b\xc0");
}

static void test_structure_errors(void **state)
{
	(void)state;
	REFUSE("", ERR_SYNTAX, "an empty text");
	REFUSE("  ", ERR_SYNTAX, "the text is cut");
	REFUSE("[1,]", ERR_SYNTAX, "byte 3: expected a value");
	REFUSE("[,1]", ERR_SYNTAX, "byte 1: expected a value or ']'");
	REFUSE("[1 2]", ERR_SYNTAX, "byte 3: expected ',' or ']'");
	REFUSE("[1}", ERR_SYNTAX, "byte 2: expected ',' or ']'");
	REFUSE("{\"a\":1]", ERR_SYNTAX, "byte 6: expected ',' or '}'");
	REFUSE("{\"a\" 1}", ERR_SYNTAX, "byte 5: expected ':'");
	REFUSE("{1:1}", ERR_SYNTAX, "byte 1: expected a quoted key or '}'");
	REFUSE("{\"a\":1,}", ERR_SYNTAX, "byte 7: expected a quoted key");
	REFUSE("{\"a\":}", ERR_SYNTAX, "byte 5: expected a value");
	REFUSE("[", ERR_SYNTAX, "byte 1: the text is cut");
	REFUSE("]", ERR_SYNTAX, "byte 0");
	REFUSE("1 2", ERR_SYNTAX, "byte 2: expected the end of the text");
	REFUSE("{}}", ERR_SYNTAX, "byte 2: expected the end of the text");
	REFUSE("null\0", ERR_SYNTAX, "byte 4: expected the end of the text");
	REFUSE("nul", ERR_SYNTAX, "the text is cut");
	REFUSE("nulL", ERR_SYNTAX, "byte 3");
	REFUSE("truefalse", ERR_SYNTAX, "byte 4");
	REFUSE("'a'", ERR_SYNTAX, "byte 0");
	REFUSE("[1]/**/", ERR_SYNTAX, "byte 3");
}

static int rc_with(struct bytes text, struct json_limits limits, size_t out_max)
{
	struct outcome o;

	transcode(text, JSON_STRICT, &limits, out_max, NULL, NULL, &o);
	int rc = o.rc;
	outcome_release(&o);
	assert_cuts_agree(text, JSON_STRICT, &limits, out_max);
	return rc;
}

static void test_depth(void **state)
{
	char text[1400];

	(void)state;
	for (unsigned depth = 1; depth <= 600; depth += depth < 10 || depth > 120 ? 1 : 17) {
		if (depth == 140)
			depth = 505;
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		struct bytes b = bytes_of(text, 2 * (size_t)depth);
		assert_int_equal(rc_with(b, (struct json_limits){.depth_max = 5}, 0),
				 depth <= 5 ? 0 : ERR_LIMIT);
		assert_int_equal(rc_with(b, (struct json_limits){0}, 0), depth <= 128 ? 0 : ERR_LIMIT);
		assert_int_equal(rc_with(b, (struct json_limits){.depth_max = 9999}, 0),
				 depth <= 512 ? 0 : ERR_LIMIT);
	}
}

static void test_text_max(void **state)
{
	struct bytes text = B("[1,2,3] ");

	(void)state;
	for (size_t max = 1; max < 10; max++)
		assert_int_equal(rc_with(text, (struct json_limits){.text_max = max}, 0),
				 max >= text.len ? 0 : ERR_LIMIT);
	/* An error before the limit stays what it is. */
	assert_int_equal(rc_with(B("[1x,2,3]"), (struct json_limits){.text_max = 4}, 0), ERR_SYNTAX);
}

static void test_number_max(void **state)
{
	char text[1200];

	(void)state;
	memset(text, '1', sizeof(text));
	text[1] = '.';
	assert_int_equal(rc_with(bytes_of(text, 1024), (struct json_limits){0}, 0), 0);
	assert_int_equal(rc_with(bytes_of(text, 1025), (struct json_limits){0}, 0), ERR_LIMIT);
	assert_int_equal(rc_with(bytes_of(text, 1100), (struct json_limits){.number_max = 1100}, 0),
			 0);
	assert_int_equal(rc_with(B("[12345]"), (struct json_limits){.number_max = 4}, 0), ERR_LIMIT);
	assert_int_equal(rc_with(B("[-123]"), (struct json_limits){.number_max = 4}, 0), 0);
	assert_int_equal(rc_with(B("[1..............2]"), (struct json_limits){.number_max = 4}, 0),
			 ERR_LIMIT);
}

/* Whatever the output's limit: an error and no crash below what the result takes, success from
 * there on. */
static void test_out_max(void **state)
{
	uint64_t seed = 11;
	struct json_limits limits = {.depth_max = 20, .wide_depth = 2};

	(void)state;
	for (int i = 0; i < 40; i++) {
		struct buf text = {.max = 0};
		struct outcome o;
		random_json(&seed, 4, &text);
		transcode(buf_bytes(&text), JSON_LENIENT, &limits, 0, NULL, NULL, &o);
		size_t size = o.rc ? 300 : o.out.len;
		int unlimited = o.rc;
		outcome_release(&o);
		size_t step = 1 + size / 60;
		for (size_t max = size % step + 1; max <= size + 20; max += step) {
			transcode(buf_bytes(&text), JSON_LENIENT, &limits, max, NULL, NULL, &o);
			if (unlimited == 0)
				assert_int_equal(o.rc, max < size ? ERR_LIMIT : 0);
			assert_true(o.out.len <= max && o.out.cap <= max);
			outcome_release(&o);
			assert_cuts_agree(buf_bytes(&text), JSON_LENIENT, &limits, max);
		}
		buf_release(&text);
	}
}

/* Strings whose header grows when they close, at every limit around their size. */
static void test_out_max_of_strings(void **state)
{
	static const size_t sizes[] = {0, 31, 32, 255, 256, 300};
	struct json_limits limits = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf text = {.max = 0};
		size_t n = sizes[i], head = n < 32 ? 1 : n < 256 ? 2 : 3;
		buf_put_byte(&text, '"');
		for (size_t k = 0; k < n; k++)
			buf_put_str(&text, k % 7 ? "x" : "\\n");
		buf_put_byte(&text, '"');
		for (size_t max = n > 4 ? n - 4 : 1; max < n + 8; max++)
			assert_int_equal(rc_with(buf_bytes(&text), limits, max),
					 max < n + head ? ERR_LIMIT : 0);
		buf_release(&text);
	}
}

static void test_long_strings(void **state)
{
	static const size_t sizes[] = {15, 16, 17, 30, 31, 32, 33, 255, 256, 65535, 65536, 70000};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf text = {.max = 0}, wanted = {.max = 0};
		char *body = malloc(sizes[i]);
		assert_non_null(body);
		memset(body, 'y', sizes[i]);
		mp_put_str(&wanted, bytes_of(body, sizes[i]));
		json_write_str(&text, bytes_of(body, sizes[i]));
		expect_mode((const char *)text.data, text.len, JSON_STRICT, buf_bytes(&wanted));
		free(body);
		buf_release(&text);
		buf_release(&wanted);
	}
}

static void test_random_values(void **state)
{
	uint64_t seed = 2026;

	(void)state;
	for (int i = 0; i < 400; i++) {
		struct buf text = {.max = 0}, narrow = {.max = 0}, again = {.max = 0};
		struct json_limits limits = {.wide_depth = 1 + rnd(&seed, 6)};
		struct outcome o;
		random_json(&seed, 5, &text);
		transcode(buf_bytes(&text), JSON_LENIENT, &limits, 0, NULL, NULL, &o);
		assert_int_equal(o.rc, 0);
		assert_int_equal(mp_check(buf_bytes(&o.out)), 0);
		assert_cuts_agree(buf_bytes(&text), JSON_LENIENT, &limits, 0);
		assert_int_equal(json_to_msgpack(buf_bytes(&text), JSON_LENIENT, &narrow, NULL), 0);
		assert_true(mp_equal(buf_bytes(&o.out), buf_bytes(&narrow)));
		buf_reset(&narrow);
		assert_int_equal(json_write(buf_bytes(&o.out), &narrow), 0);
		assert_int_equal(json_to_msgpack(buf_bytes(&narrow), JSON_STRICT, &again, NULL), 0);
		assert_true(mp_equal(buf_bytes(&o.out), buf_bytes(&again)));
		outcome_release(&o);
		buf_release(&text);
		buf_release(&narrow);
		buf_release(&again);
	}
}

static void test_reset_and_append(void **state)
{
	struct buf out = {.max = 0};
	struct json *j = json_new(JSON_STRICT, NULL, &out);
	struct why why;

	(void)state;
	assert_non_null(j);
	assert_int_equal(json_feed(j, "[1", 2, NULL), 0);
	assert_int_equal(json_finish(j, &why), ERR_SYNTAX);
	assert_int_equal(json_feed(j, "]", 1, &why), ERR_SYNTAX);
	assert_string_equal(why.text, "JSON, byte 2: the text is cut");
	buf_reset(&out);
	json_reset(j, &out);
	assert_int_equal(json_feed(j, "12", 2, NULL), 0);
	assert_int_equal(json_finish(j, NULL), 0);
	json_reset(j, &out);
	assert_int_equal(json_feed(j, "\"ab", 3, NULL), 0);
	assert_int_equal(json_feed(j, NULL, 0, NULL), 0);
	assert_int_equal(json_feed(j, "c\"", 2, NULL), 0);
	assert_int_equal(json_finish(j, NULL), 0);
	assert_true(bytes_equal(buf_bytes(&out), B("\x0c\xa3"
						   "abc")));
	json_free(j);
	json_free(NULL);
	assert_int_equal(json_to_msgpack(B("[1"), JSON_STRICT, &out, NULL), ERR_SYNTAX);
	assert_int_equal(out.len, 5);
	buf_release(&out);
}

static void test_failed_output(void **state)
{
	struct buf out = {.max = 4};

	(void)state;
	buf_put_str(&out, "too much");
	assert_int_equal(json_to_msgpack(B("1"), JSON_STRICT, &out, NULL), ERR_LIMIT);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),          cmocka_unit_test(test_integers),
		cmocka_unit_test(test_doubles),          cmocka_unit_test(test_number_errors),
		cmocka_unit_test(test_lenient_numbers),  cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_surrogates),       cmocka_unit_test(test_bad_utf8),
		cmocka_unit_test(test_byte_order_mark),  cmocka_unit_test(test_containers),
		cmocka_unit_test(test_structure_errors), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_text_max),         cmocka_unit_test(test_number_max),
		cmocka_unit_test(test_out_max),          cmocka_unit_test(test_out_max_of_strings),
		cmocka_unit_test(test_long_strings),     cmocka_unit_test(test_random_values),
		cmocka_unit_test(test_reset_and_append), cmocka_unit_test(test_failed_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
