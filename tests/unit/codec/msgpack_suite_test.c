/* The MessagePack test suite: every value in every one of its encodings. Skipped, with a word,
 * when it is not there. */
#include "support/codec_support.h"

#include <codec/json.h>
#include <stdlib.h>

#include "skip.h"

#define SUITE "../shared/corpora/msgpack/msgpack-test-suite.json"

static void put_hex(struct buf *b, struct bytes text)
{
	for (size_t i = 0; i + 1 < text.len; i += 3) {
		char pair[3] = {(char)text.data[i], (char)text.data[i + 1], 0};
		buf_put_byte(b, (uint8_t)strtoul(pair, NULL, 16));
	}
}

static struct bytes member(struct bytes map, const char *key)
{
	struct bytes value;

	return mp_find(map, bytes_str(key), &value) == 1 ? value : (struct bytes){NULL, 0};
}

static struct bytes text_of(struct bytes whole)
{
	struct mp_value v;

	assert_true(mp_get(whole, &v));
	assert_int_equal(v.type, MP_STR);
	return v.str;
}

static void check_binary(const struct mp_value *v, struct bytes wanted_hex)
{
	struct buf wanted = {.max = 0};

	put_hex(&wanted, wanted_hex);
	assert_true(bytes_equal(v->str, buf_bytes(&wanted)));
	buf_release(&wanted);
}

static void check_bignum(const struct mp_value *v, struct bytes text)
{
	char digits[32] = "";

	memcpy(digits, text.data, text.len);
	if (v->type == MP_INT)
		assert_true(v->integer == strtoll(digits, NULL, 10));
	else if (v->type == MP_UINT)
		assert_true(v->uinteger == strtoull(digits, NULL, 10));
	else
		assert_true(v->type == MP_FLOAT && !(v->real < strtod(digits, NULL)) &&
			    !(v->real > strtod(digits, NULL)));
}

static int64_t item_int(struct bytes array, const char *index)
{
	struct bytes value;
	struct mp_value v;

	assert_int_equal(mp_path(array, bytes_str(index), &value), 1);
	assert_true(mp_get(value, &v) && v.type == MP_INT);
	return v.integer;
}

static uint64_t big_endian(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

/* The extension type -1: 32 bits of seconds; 30 bits of nanoseconds and 34 of seconds; 32 and
 * 64. */
static void check_timestamp(const struct mp_value *v, struct bytes wanted)
{
	int64_t seconds, nanos = 0;

	assert_int_equal(v->type, MP_EXT);
	assert_int_equal(v->ext_type, -1);
	if (v->str.len == 4) {
		seconds = (int64_t)big_endian(v->str.data, 4);
	} else if (v->str.len == 8) {
		uint64_t word = big_endian(v->str.data, 8);
		nanos = (int64_t)(word >> 34);
		seconds = (int64_t)(word & 0x3ffffffffu);
	} else {
		assert_int_equal(v->str.len, 12);
		nanos = (int64_t)big_endian(v->str.data, 4);
		seconds = (int64_t)big_endian(v->str.data + 4, 8);
	}
	assert_true(seconds == item_int(wanted, "0"));
	assert_true(nanos == item_int(wanted, "1"));
}

static void check_ext(const struct mp_value *v, struct bytes wanted)
{
	struct bytes hex;

	assert_int_equal(v->type, MP_EXT);
	assert_true(v->ext_type == item_int(wanted, "0"));
	assert_int_equal(mp_path(wanted, bytes_str("1"), &hex), 1);
	check_binary(v, text_of(hex));
}

static void check_encoding(struct bytes entry, struct bytes encoded)
{
	static const char *const plain[] = {"nil", "bool", "string", "array", "map", "number"};
	struct mp_value v;
	struct bytes wanted;

	assert_int_equal(mp_check(encoded), 0);
	assert_true(mp_get(encoded, &v));
	if ((wanted = member(entry, "binary")).data) {
		assert_int_equal(v.type, MP_BIN);
		check_binary(&v, text_of(wanted));
	} else if ((wanted = member(entry, "bignum")).data) {
		check_bignum(&v, text_of(wanted));
	} else if ((wanted = member(entry, "timestamp")).data) {
		check_timestamp(&v, wanted);
	} else if ((wanted = member(entry, "ext")).data) {
		check_ext(&v, wanted);
	} else {
		for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]) && !wanted.data; i++)
			wanted = member(entry, plain[i]);
		assert_non_null(wanted.data);
		assert_true(mp_equal(wanted, encoded));
	}
}

/* Every beginning of an encoding is cut short, and says so. */
static void check_cuts(struct bytes encoded)
{
	for (size_t n = 0; n < encoded.len; n++) {
		uint8_t *copy = malloc(n + 1);
		struct mp_reader r = mp_reader_of(bytes_of(copy, n));
		assert_non_null(copy);
		memcpy(copy, encoded.data, n);
		assert_int_equal(mp_check(bytes_of(copy, n)), ERR_CORRUPT);
		assert_int_equal(mp_skip(&r), n ? ERR_CORRUPT : 0);
		free(copy);
	}
}

static int check_entry(struct bytes entry)
{
	struct bytes list = member(entry, "msgpack");
	struct mp_reader r = mp_reader_of(list);
	struct mp_value v;

	assert_int_equal(mp_next(&r, &v), 1);
	assert_int_equal(v.type, MP_ARRAY);
	int n = (int)v.count;
	for (int i = 0; i < n; i++) {
		struct buf encoded = {.max = 0};
		assert_int_equal(mp_next(&r, &v), 1);
		put_hex(&encoded, v.str);
		check_encoding(entry, buf_bytes(&encoded));
		check_cuts(buf_bytes(&encoded));
		buf_release(&encoded);
	}
	return n;
}

static void test_suite(void **state)
{
	struct buf text = {.max = 0}, doc = {.max = 0};
	struct mp_value groups, group;
	int values = 0, encodings = 0;

	(void)state;
	if (!read_whole(SUITE, &text)) {
		skip_because(SUITE " is not there");
	}
	assert_int_equal(json_to_msgpack(buf_bytes(&text), JSON_STRICT, &doc, NULL), 0);
	struct mp_reader r = mp_reader_of(buf_bytes(&doc));
	assert_int_equal(mp_next(&r, &groups), 1);
	for (uint32_t i = 0; i < groups.count; i++) {
		assert_int_equal(mp_skip(&r), 1);
		assert_int_equal(mp_next(&r, &group), 1);
		for (uint32_t k = 0; k < group.count; k++) {
			struct bytes entry;
			assert_int_equal(mp_take(&r, &entry), 1);
			encodings += check_entry(entry);
			values++;
		}
	}
	assert_int_equal(values, 85);
	assert_int_equal(encodings, 233);
	buf_release(&text);
	buf_release(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
