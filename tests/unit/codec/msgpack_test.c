/* MessagePack by example: the writer's shortest forms, the reader's refusals, keys and paths.
 * The suite's own values are in msgpack_suite_test. */
#include "support/codec_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void expect(struct buf *b, struct bytes wanted)
{
	assert_true(bytes_equal(buf_bytes(b), wanted));
	assert_int_equal(mp_check(wanted), 0);
	buf_reset(b);
}

static void test_shortest(void **state)
{
	static const struct {
		int64_t value;
		size_t size;
	} ints[] = {
		{0, 1},
		{127, 1},
		{128, 2},
		{255, 2},
		{256, 3},
		{65535, 3},
		{65536, 5},
		{UINT32_MAX, 5},
		{1LL << 32, 9},
		{INT64_MAX, 9},
		{-1, 1},
		{-32, 1},
		{-33, 2},
		{-128, 2},
		{-129, 3},
		{-32768, 3},
		{-32769, 5},
		{INT32_MIN, 5},
		{INT32_MIN - 1LL, 9},
		{INT64_MIN, 9},
	};
	struct buf b = {.max = 0};
	struct mp_value v;

	(void)state;
	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		mp_put_int(&b, ints[i].value);
		assert_int_equal(b.len, ints[i].size);
		assert_true(mp_get(buf_bytes(&b), &v));
		assert_int_equal(v.type, MP_INT);
		assert_true(v.integer == ints[i].value);
		buf_reset(&b);
	}
	mp_put_uint(&b, UINT64_MAX);
	assert_true(mp_get(buf_bytes(&b), &v) && v.type == MP_UINT && v.uinteger == UINT64_MAX);
	buf_release(&b);
}

static void test_put(void **state)
{
	struct buf b = {.max = 0};

	(void)state;
	mp_put_nil(&b);
	expect(&b, B("\xc0"));
	mp_put_bool(&b, true);
	expect(&b, B("\xc3"));
	mp_put_bool(&b, false);
	expect(&b, B("\xc2"));
	mp_put_float(&b, 1);
	expect(&b, B("\xcb\x3f\xf0\0\0\0\0\0\0"));
	mp_put_cstr(&b, "abc");
	expect(&b, B("\xa3"
		     "abc"));
	mp_put_cstr(&b, NULL);
	expect(&b, B("\xc0"));
	mp_put_str(&b, (struct bytes){NULL, 0});
	expect(&b, B("\xa0"));
	mp_put_bin(&b, B("\xff\0"));
	expect(&b, B("\xc4\x02\xff\0"));
	mp_put_array(&b, 0);
	expect(&b, B("\x90"));
	mp_put_map(&b, 1);
	mp_put_int(&b, 1);
	mp_put_int(&b, 2);
	expect(&b, B("\x81\x01\x02"));
	size_t map = mp_begin_map(&b);
	mp_put_cstr(&b, "a");
	size_t array = mp_begin_array(&b);
	mp_put_int(&b, 7);
	mp_end_array(&b, array, 1);
	mp_end_map(&b, map, 1);
	expect(&b, B("\xdf\0\0\0\x01\xa1"
		     "a\xdd\0\0\0\x01\x07"));
	buf_release(&b);
}

static void test_put_lengths(void **state)
{
	static const size_t sizes[] = {31, 32, 255, 256, 65535, 65536};
	struct buf b = {.max = 0};
	char *text = calloc(1, 65536);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct mp_value v;
		mp_put_str(&b, bytes_of(text, sizes[i]));
		assert_int_equal(b.len - sizes[i], sizes[i] < 32      ? 1
						   : sizes[i] < 256   ? 2
						   : sizes[i] < 65536 ? 3
								      : 5);
		assert_true(mp_get(buf_bytes(&b), &v) && v.type == MP_STR && v.str.len == sizes[i]);
		buf_reset(&b);
		mp_put_bin(&b, bytes_of(text, sizes[i]));
		assert_int_equal(b.len - sizes[i], sizes[i] < 256 ? 2 : sizes[i] < 65536 ? 3 : 5);
		assert_true(mp_get(buf_bytes(&b), &v) && v.type == MP_BIN && v.str.len == sizes[i]);
		buf_reset(&b);
		mp_put_array(&b, (uint32_t)sizes[i]);
		for (size_t k = 0; k < sizes[i]; k++)
			mp_put_nil(&b);
		assert_int_equal(b.len - sizes[i], sizes[i] < 65536 ? 3 : 5);
		assert_int_equal(mp_check(buf_bytes(&b)), 0);
		buf_reset(&b);
	}
	free(text);
	buf_release(&b);
}

/* A buffer that is full stays in order: everything after is nothing. */
static void test_full_buffer(void **state)
{
	(void)state;
	for (size_t max = 1; max < 30; max++) {
		struct buf b = {.max = max};
		size_t map = mp_begin_map(&b);
		mp_put_cstr(&b, "a key");
		size_t array = mp_begin_array(&b);
		mp_put_int(&b, 1 << 20);
		mp_end_array(&b, array, 1);
		mp_end_map(&b, map, 1);
		assert_int_equal(b.error, max < 21 ? ERR_LIMIT : 0);
		assert_true(b.len <= max);
		buf_release(&b);
	}
}

static void test_corrupt(void **state)
{
	static const struct bytes bad[] = {
		{(const uint8_t *)"\xc1", 1},                     /* reserved */
		{(const uint8_t *)"\x91", 1},                     /* an item short */
		{(const uint8_t *)"\x81\x01", 2},                 /* a value short */
		{(const uint8_t *)"\xdd\xff\xff\xff\xff\x01", 6}, /* a count that cannot be */
		{(const uint8_t *)"\xdf\x80\0\0\0\x01", 6},
		{(const uint8_t *)"\xdb\xff\xff\xff\xff", 5},
		{(const uint8_t *)"\xc9\xff\xff\xff\xff\x01", 6},
		{(const uint8_t *)"\x01\x02", 2},     /* two values */
		{(const uint8_t *)"\xa2\xc3\x28", 3}, /* bad UTF-8 */
		{(const uint8_t *)"\x92\x01\xc1", 3},
		{(const uint8_t *)"", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mp_check(bad[i]), ERR_CORRUPT);
	/* Bytes that are no text may be in bin. */
	assert_int_equal(mp_check(B("\xc4\x02\xc3\x28")), 0);
}

static void test_reader_keeps_place(void **state)
{
	struct mp_reader r = mp_reader_of(B("\x01\xa5"
					    "ab"));
	const uint8_t *second = r.at + 1;
	struct mp_value v = {.type = MP_EXT};
	struct bytes whole = {NULL, 99};

	(void)state;
	assert_int_equal(mp_next(&r, &v), 1);
	assert_int_equal(v.type, MP_INT);
	v.type = MP_EXT;
	assert_int_equal(mp_next(&r, &v), ERR_CORRUPT);
	assert_int_equal(v.type, MP_EXT);
	assert_int_equal(mp_skip(&r), ERR_CORRUPT);
	assert_int_equal(mp_take(&r, &whole), ERR_CORRUPT);
	assert_int_equal(whole.len, 99);
	assert_ptr_equal(r.at, second);
}

static void test_depth(void **state)
{
	struct buf b = {.max = 0};

	(void)state;
	for (int depth = 1; depth < 200; depth++) {
		buf_put_byte(&b, 0x91);
		buf_put_byte(&b, 0xc0);
		struct mp_reader r = mp_reader_of(buf_bytes(&b));
		int wanted = depth <= MP_DEPTH_MAX ? 0 : ERR_LIMIT;
		assert_int_equal(mp_check(buf_bytes(&b)), wanted);
		assert_int_equal(mp_skip(&r), wanted == 0 ? 1 : ERR_LIMIT);
		b.len--;
	}
	buf_release(&b);
}

static struct buf parse(const char *text)
{
	struct buf b = {.max = 0};

	assert_int_equal(json_to_msgpack(bytes_str(text), JSON_STRICT, &b, NULL), 0);
	return b;
}

static void expect_path(const struct buf *doc, const char *path, const char *wanted)
{
	struct buf text = {.max = 0};
	struct mp_outline outline;
	struct bytes value, same;
	int rc = mp_path(buf_bytes(doc), bytes_str(path), &value);

	mp_outline(buf_bytes(doc), &outline);
	assert_int_equal(rc, wanted ? 1 : 0);
	assert_int_equal(mp_outline_path(&outline, bytes_str(path), &same), rc);
	assert_true(!wanted || (same.data == value.data && same.len == value.len));
	if (wanted) {
		assert_int_equal(json_write(value, &text), 0);
		assert_string_equal(buf_text(&text), wanted);
	}
	buf_release(&text);
}

static void test_path(void **state)
{
	struct buf doc = parse(
		"{\"a\":{\"b\":{\"c\":1,\"c.d\":2},\"b.x\":{\"y\":3}},\"tags\":[{\"name\":\"t0\"},{\"name\":\"t1\"},[7]],"
		"\"a.b\":{\"q\":4},\"\":{\"\":5},\"12\":6,\"whole.key\":7,\"whole\":{\"key\":8,\"other\":9}}");

	(void)state;
	expect_path(&doc, "a.b.c", "1");
	expect_path(&doc, "a.b.c.d", "2");
	expect_path(&doc, "a.b.x.y", NULL); /* "b" comes before "b.x" */
	expect_path(&doc, "a.b.q", NULL);   /* and "a" before "a.b" */
	expect_path(&doc, "a.b", "{\"q\":4}");
	expect_path(&doc, "tags.0.name", "\"t0\"");
	expect_path(&doc, "tags.1.name", "\"t1\"");
	expect_path(&doc, "tags.2.0", "7");
	expect_path(&doc, "tags.3", NULL);
	expect_path(&doc, "tags.00", NULL);
	expect_path(&doc, "tags.-1", NULL);
	expect_path(&doc, "tags.99999999999999999999", NULL);
	expect_path(&doc, "tags.name", NULL);
	expect_path(&doc, ".", "5");
	expect_path(&doc, "12", "6");
	expect_path(&doc, "whole.key", "7");
	expect_path(&doc, "whole.other", "9");
	expect_path(&doc, "12.x", NULL);
	expect_path(&doc, "nothing", NULL);
	buf_release(&doc);
	doc = parse("{\"x.y\":{\"z\":1}}");
	expect_path(&doc, "x.y.z", "1");
	buf_release(&doc);
}

/* One member more than an outline has room for, keys twice, keys that are no text, a value that is cut. */
static void test_outline(void **state)
{
	struct buf doc = {.max = 0};
	struct mp_outline o;
	struct bytes value;

	(void)state;
	for (uint32_t members = MP_OUTLINE_MAX; members <= MP_OUTLINE_MAX + 1; members++) {
		buf_reset(&doc);
		mp_put_map(&doc, members);
		for (uint32_t i = 1; i < members; i++) {
			mp_put_int(&doc, i);
			mp_put_nil(&doc);
		}
		mp_put_cstr(&doc, "last");
		mp_put_int(&doc, 5);
		mp_outline(buf_bytes(&doc), &o);
		assert_int_equal(o.outer.count, members <= MP_OUTLINE_MAX ? members : 0);
		assert_int_equal(mp_outline_path(&o, bytes_str("last"), &value), 1);
		assert_int_equal(value.data[0], 5);
		assert_int_equal(mp_outline_path(&o, bytes_str("1"), &value), 0);
	}
	mp_outline(B("\x83\xa1"
		     "a\x01\xa1"
		     "a\x02\xc0\x03"),
		   &o);
	assert_int_equal(mp_outline_path(&o, bytes_str("a"), &value), 1);
	assert_int_equal(value.data[0], 1);
	mp_outline(B("\x82\xa1"
		     "a\x01\xa1"
		     "b\xc1"),
		   &o);
	assert_int_equal(mp_outline_path(&o, bytes_str("a"), &value), 1);
	assert_int_equal(mp_outline_path(&o, bytes_str("b"), &value), ERR_CORRUPT);
	mp_outline(B("\x07"), &o);
	assert_int_equal(mp_outline_path(&o, bytes_str("a"), &value), 0);
	buf_release(&doc);
}

static void same_path(struct mp_outline *o, struct bytes path)
{
	struct bytes a = {NULL, 0}, b = {NULL, 0};
	int rc = mp_path(o->doc, path, &a);

	assert_int_equal(mp_outline_path(o, path, &b), rc);
	assert_true(rc != 1 || (a.data == b.data && a.len == b.len));
}

/* Keys of all lengths that begin alike, in two maps that have maps in them, with a dot at every place and without one. */
static void test_outline_keys(void **state)
{
	enum { KEYS = 25 };
	char key[KEYS + 1], path[2 * KEYS + 8];
	struct buf doc = {.max = 0};
	struct mp_outline o;

	(void)state;
	for (int dot = -1; dot < KEYS; dot++) {
		buf_reset(&doc);
		mp_put_map(&doc, 2 * KEYS);
		for (int i = 0; i < 2 * KEYS; i++) {
			for (int at = 0; at < KEYS; at++)
				key[at] = (char)(at == dot ? '.' : 'a' + at % 8);
			mp_put_str(&doc, bytes_of(key, (size_t)(i % KEYS)));
			mp_put_map(&doc, KEYS);
			for (int j = 0; j < KEYS; j++) {
				mp_put_str(&doc, bytes_of(key, (size_t)j));
				mp_put_int(&doc, j);
			}
		}
		mp_outline(buf_bytes(&doc), &o);
		for (int i = 0; i < KEYS; i++)
			for (int j = 0; j < KEYS; j++) {
				snprintf(path, sizeof path, "%.*s.%.*s", i,
					 "abcdefghabcdefghabcdefghabcdefgh", j,
					 "abcdefghabcdefghabcdefghabcdefgh");
				same_path(&o, bytes_str(path));
				same_path(&o, bytes_of(path, (size_t)i));
				snprintf(path, sizeof path, "%.*s.%.*s", i, key, j, key);
				same_path(&o, bytes_str(path));
				same_path(&o, bytes_of(key, (size_t)i));
			}
	}
	buf_release(&doc);
}

static void test_path_corrupt(void **state)
{
	struct bytes value;

	(void)state;
	assert_int_equal(mp_path(B(""), bytes_str("a"), &value), 0);
	assert_int_equal(mp_path(B("\xc1"), bytes_str("a"), &value), ERR_CORRUPT);
	assert_int_equal(mp_path(B("\x81\xa1"
				   "b\xc1"),
				 bytes_str("a"), &value),
			 ERR_CORRUPT);
	assert_int_equal(mp_find(B("\x82\xa1"
				   "b\x01"),
				 bytes_str("a"), &value),
			 ERR_CORRUPT);
	assert_int_equal(mp_find(B("\x81\xa5\x01"), bytes_str("a"), &value), ERR_CORRUPT);
	assert_int_equal(mp_path(B("\x92\xc1\x01"), bytes_str("1"), &value), ERR_CORRUPT);
}

static void test_find(void **state)
{
	struct buf doc = parse(
		"{\"s\":\"text\",\"i\":-5,\"f\":3.0,\"g\":3.5,\"h\":1e300,\"b\":true,\"i\":6,\"n\":null,"
		"\"a key that is longer than thirty-one bytes\":1}");
	struct bytes whole = buf_bytes(&doc), text;
	int64_t number;
	bool flag = false;

	(void)state;
	assert_true(mp_find_str(whole, "s", &text) && bytes_is(text, "text"));
	assert_false(mp_find_str(whole, "i", &text));
	assert_true(mp_find_int(whole, "i", &number) && number == -5);
	assert_true(mp_find_int(whole, "f", &number) && number == 3);
	assert_false(mp_find_int(whole, "g", &number));
	assert_false(mp_find_int(whole, "h", &number));
	assert_false(mp_find_int(whole, "s", &number));
	assert_true(mp_find_bool(whole, "b", &flag) && flag);
	assert_false(mp_find_bool(whole, "n", &flag));
	assert_true(mp_find_int(whole, "a key that is longer than thirty-one bytes", &number));
	assert_false(mp_find_int(whole, "missing", &number));
	assert_int_equal(mp_find(B("\x01"), bytes_str("a"), &text), 0);
	/* Keys of other types are stepped over. */
	assert_int_equal(mp_find(B("\x83\x01\x02\x91\x05\x06\xa1"
				   "a\x07"),
				 bytes_str("a"), &text),
			 1);
	assert_int_equal(text.data[0], 7);
	buf_release(&doc);
}

/* What lies behind the start of a value is not looked at. */
static void test_find_start(void **state)
{
	struct bytes map = B("\x83\xa1"
			     "a\x01\xa1"
			     "b\x92\x05\x06\xa1"
			     "c\xc1"),
		     from;

	(void)state;
	assert_int_equal(mp_find_start(map, bytes_str("b"), &from), 1);
	assert_ptr_equal(from.data, map.data + 6);
	assert_int_equal(from.len, map.len - 6);
	assert_int_equal(mp_find_start(map, bytes_str("c"), &from), 1);
	assert_int_equal(from.len, 1);
	assert_int_equal(mp_find_start(map, bytes_str("d"), &from), ERR_CORRUPT);
	assert_int_equal(mp_find_start(B("\x81\xa1"
					 "a\x01"),
				       bytes_str("b"), &from),
			 0);
	assert_int_equal(mp_find_start(B("\x01"), bytes_str("a"), &from), 0);
	assert_int_equal(mp_find_start(B("\x82\xa1"
					 "b\x01\xa1"
					 "a"),
				       bytes_str("a"), &from),
			 ERR_CORRUPT);
}

/* As mp_put_cstr, whatever the length and the room. */
static void test_put_name(void **state)
{
	static const char longest[] = "a name of forty characters and then some";
	struct buf name = {.max = 0}, text = {.max = 0};

	(void)state;
	for (size_t i = 0; i < sizeof longest; i++)
		for (size_t room = 0; room < 64; room++) {
			const char *one = longest + i;
			buf_release(&name);
			buf_reset(&text);
			if (room)
				buf_reserve(&name, room);
			for (size_t n = 0; n < room && n < name.cap; n++) {
				mp_put_nil(&name);
				mp_put_nil(&text);
			}
			mp_put_name(&name, one);
			mp_put_cstr(&text, one);
			assert_true(bytes_equal(buf_bytes(&name), buf_bytes(&text)));
		}
	buf_release(&name);
	name.max = 5;
	mp_put_name(&name, "abcde");
	assert_int_equal(name.error, ERR_LIMIT);
	mp_put_name(&name, "a");
	assert_true(name.len <= 1 && name.error == ERR_LIMIT);
	buf_release(&name);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shortest),    cmocka_unit_test(test_put),
		cmocka_unit_test(test_put_lengths), cmocka_unit_test(test_full_buffer),
		cmocka_unit_test(test_corrupt),     cmocka_unit_test(test_reader_keeps_place),
		cmocka_unit_test(test_depth),       cmocka_unit_test(test_path),
		cmocka_unit_test(test_outline),     cmocka_unit_test(test_path_corrupt),
		cmocka_unit_test(test_find),        cmocka_unit_test(test_find_start),
		cmocka_unit_test(test_put_name),    cmocka_unit_test(test_outline_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
