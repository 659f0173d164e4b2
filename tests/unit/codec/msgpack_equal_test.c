/* mp_equal: what is the same JSON value and what is not, whatever the order and the encodings;
 * and what it costs. */
#include "support/codec_support.h"

#include <base/clock.h>
#include <math.h>
#include <stdio.h>

static void compare(const char *a, const char *b, bool wanted)
{
	struct buf x = {.max = 0}, y = {.max = 0};

	assert_int_equal(json_to_msgpack(bytes_str(a), JSON_STRICT, &x, NULL), 0);
	assert_int_equal(json_to_msgpack(bytes_str(b), JSON_STRICT, &y, NULL), 0);
	if (mp_equal(buf_bytes(&x), buf_bytes(&y)) != wanted)
		fail_msg("%s and %s", a, b);
	assert_int_equal(mp_equal(buf_bytes(&y), buf_bytes(&x)), wanted);
	assert_true(mp_equal(buf_bytes(&x), buf_bytes(&x)));
	buf_release(&x);
	buf_release(&y);
}

static void test_values(void **state)
{
	(void)state;
	compare("1", "1.0", true);
	compare("-5", "-5e0", true);
	compare("0", "-0.0", true);
	compare("1", "1.5", false);
	compare("1", "\"1\"", false);
	compare("0", "false", false);
	compare("null", "false", false);
	compare("true", "false", false);
	compare("9007199254740993", "9007199254740992.0", false);
	compare("9007199254740992", "9007199254740992.0", true);
	compare("9223372036854775807", "9223372036854775808.0", false);
	compare("9223372036854775808", "9223372036854775808.0", true);
	compare("18446744073709551615", "18446744073709551616.0", false);
	compare("18446744073709551615", "-1", false);
	compare("-9223372036854775808", "-9223372036854775808.0", true);
	compare("\"a\"", "\"a\"", true);
	compare("\"a\"", "\"b\"", false);
	compare("[1,2]", "[1.0,2]", true);
	compare("[1,2]", "[2,1]", false);
	compare("[1,2]", "[1,2,3]", false);
	compare("[]", "{}", false);
}

static void test_maps(void **state)
{
	(void)state;
	compare("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1.0}", true);
	compare("{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}", false);
	compare("{\"a\":1}", "{\"a\":1,\"b\":null}", false);
	compare("{\"a\":1,\"a\":2}", "{\"a\":2}", true);
	compare("{\"a\":1,\"a\":2}", "{\"a\":1}", false);
	compare("{\"a\":1,\"b\":0,\"a\":2}", "{\"b\":0,\"b\":0,\"a\":2}", true);
	compare("{\"a\":{\"x\":[{\"p\":1,\"q\":2}]},\"b\":0}",
		"{\"b\":0,\"a\":{\"x\":[{\"q\":2,\"p\":1.0}]}}", true);
	compare("{\"a\":{\"x\":[{\"p\":1,\"q\":2}]},\"b\":0}",
		"{\"b\":0,\"a\":{\"x\":[{\"q\":2,\"p\":1.5}]}}", false);
	compare("{}", "{}", true);
}

static void test_other_encodings(void **state)
{
	(void)state;
	assert_true(mp_equal(B("\x91\xa1"
			       "a"),
			     B("\xdd\0\0\0\x01\xdb\0\0\0\x01"
			       "a")));
	assert_true(mp_equal(B("\x05"), B("\xd3\0\0\0\0\0\0\0\x05")));
	assert_true(mp_equal(B("\xca\x3f\x80\0\0"), B("\x01")));
	assert_true(mp_equal(B("\x81\x01\x02"), B("\x81\xcb\x3f\xf0\0\0\0\0\0\0\x02")));
	assert_true(
		mp_equal(B("\x82\x91\x01\x02\x91\x03\x04"), B("\x82\x91\x03\x04\x91\xcc\x01\x02")));
	assert_false(
		mp_equal(B("\x82\x91\x01\x02\x91\x03\x04"), B("\x82\x91\x03\x04\x91\xcc\x02\x02")));
	assert_false(mp_equal(B("\xa1"
				"a"),
			      B("\xc4\x01"
				"a")));
	assert_false(mp_equal(B("\xd4\x01\x05"), B("\xd4\x02\x05")));
	assert_true(mp_equal(B("\xd4\x01\x05"), B("\xc7\x01\x01\x05")));
	/* NaN, in 32 and in 64 bits. */
	assert_true(mp_equal(B("\xca\x7f\xc0\0\0"), B("\xcb\x7f\xf8\0\0\0\0\0\0")));
}

/* The same map of n keys in two orders. */
static void put_large(struct buf *b, uint32_t n, uint32_t step)
{
	char key[32];

	mp_put_map(b, n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = (uint32_t)((uint64_t)i * step % n);
		snprintf(key, sizeof(key), "key number %u", k);
		mp_put_cstr(b, key);
		mp_put_uint(b, k);
	}
}

static void test_large_map(void **state)
{
	struct buf a = {.max = 0}, b = {.max = 0};
	int64_t start = clock_mono_ms();

	(void)state;
	put_large(&a, 100003, 1);
	put_large(&b, 100003, 4099);
	assert_true(mp_equal(buf_bytes(&a), buf_bytes(&b)));
	b.data[b.len - 1]++;
	assert_false(mp_equal(buf_bytes(&a), buf_bytes(&b)));
	/* Quadratic would take minutes. */
	assert_true(clock_mono_ms() - start < 20000);
	buf_release(&a);
	buf_release(&b);
}

/* A difference at the bottom must not be looked for again at every level. */
static void test_deep_difference(void **state)
{
	struct buf a = {.max = 0}, b = {.max = 0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		buf_put_str(&a, "\x82\xa1p\x01\xa1q");
		buf_put_str(&b, "\x82\xa1p\x01\xa1q");
	}
	mp_put_int(&a, 1);
	mp_put_int(&b, 2);
	assert_int_equal(mp_check(buf_bytes(&a)), 0);
	assert_false(mp_equal(buf_bytes(&a), buf_bytes(&b)));
	buf_release(&a);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),          cmocka_unit_test(test_maps),
		cmocka_unit_test(test_other_encodings), cmocka_unit_test(test_large_map),
		cmocka_unit_test(test_deep_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
