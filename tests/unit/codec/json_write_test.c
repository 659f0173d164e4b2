/* MessagePack to JSON: every kind of value, escapes, the shortest doubles, refusals, limits. */
#include "support/codec_support.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void expect(struct bytes value, const char *wanted)
{
	struct buf out = {.max = 0};

	assert_int_equal(json_write(value, &out), 0);
	assert_string_equal(buf_text(&out), wanted);
	buf_release(&out);
}

static void test_values(void **state)
{
	(void)state;
	expect(B("\xc0"), "null");
	expect(B("\xc2"), "false");
	expect(B("\xc3"), "true");
	expect(B("\x05"), "5");
	expect(B("\xff"), "-1");
	expect(B("\xcd\x03\xe7"), "999");
	expect(B("\xcd\x03\xe8"), "1000");
	expect(B("\xd3\x80\0\0\0\0\0\0\0"), "-9223372036854775808");
	expect(B("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), "9223372036854775807");
	expect(B("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615");
	expect(B("\xcb\x3f\xf8\0\0\0\0\0\0"), "1.5");
	expect(B("\xca\x3f\xc0\0\0"), "1.5");
	expect(B("\xcb\x7f\xf8\0\0\0\0\0\0"), "null");
	expect(B("\xcb\xff\xf0\0\0\0\0\0\0"), "null");
	expect(B("\xd4\x01\x02"), "null");
	expect(B("\xc4\0"), "\"\"");
	expect(B("\xc4\x01M"), "\"TQ==\"");
	expect(B("\xc4\x02Ma"), "\"TWE=\"");
	expect(B("\xc4\x03Man"), "\"TWFu\"");
	expect(B("\xc4\x04\xff\xfe\xfd\xfc"), "\"//79/A==\"");
	expect(B("\x90"), "[]");
	expect(B("\x80"), "{}");
	expect(B("\x93\x01\x92\x02\xc0\x80"), "[1,[2,null],{}]");
	expect(B("\x82\xa1"
		 "a\x01\xa1"
		 "b\x81\xa1"
		 "c\x90"),
	       "{\"a\":1,\"b\":{\"c\":[]}}");
}

static void test_keys(void **state)
{
	struct buf out = {.max = 0};

	(void)state;
	expect(B("\x86\x01\x02\xc0\x03\xc3\x04\xcb\x3f\xf8\0\0\0\0\0\0\x05\xc4\x01M\x06\xd4\x01\x02\x07"),
	       "{\"1\":2,\"null\":3,\"true\":4,\"1.5\":5,\"TQ==\":6,\"null\":7}");
	buf_put_str(&out, "kept");
	assert_int_equal(json_write(B("\x92\x01\x81\x90\x01"), &out), ERR_CORRUPT);
	assert_string_equal(buf_text(&out), "kept");
	buf_release(&out);
}

static void test_strings(void **state)
{
	(void)state;
	expect(B("\xa8\"\\/\b\f\n\r\t"), "\"\\\"\\\\/\\b\\f\\n\\r\\t\"");
	expect(B("\xa3\0\x1f\x7f"), "\"\\u0000\\u001f\x7f\"");
	expect(B("\xa9<\xe2\x80\xa8\xf0\x9f\x98\x80>"), "\"<\xe2\x80\xa8\xf0\x9f\x98\x80>\"");
	/* A byte to escape at every place of strings of every length around the blocks. */
	for (size_t len = 1; len < 70; len++) {
		for (size_t at = 0; at <= len; at++) {
			char text[80];
			struct buf value = {.max = 0}, out = {.max = 0}, again = {.max = 0};
			memset(text, 'x', len);
			if (at < len)
				text[at] = at % 2 ? '"' : '\n';
			mp_put_str(&value, bytes_of(text, len));
			assert_int_equal(json_write(buf_bytes(&value), &out), 0);
			assert_int_equal(out.len, len + 2 + (at < len));
			assert_int_equal(json_to_msgpack(buf_bytes(&out), JSON_STRICT, &again, NULL),
					 0);
			assert_true(bytes_equal(buf_bytes(&value), buf_bytes(&again)));
			buf_reset(&again);
			json_write_str(&again, bytes_of(text, len));
			assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
			buf_release(&value);
			buf_release(&out);
			buf_release(&again);
		}
	}
}

static void test_pretty(void **state)
{
	struct buf out = {.max = 0};

	(void)state;
	assert_int_equal(json_write_pretty(B("\x83\xa1"
					     "a\x92\x01\x02\xa1"
					     "b\x80\xa1"
					     "c\x90"),
					   &out),
			 0);
	assert_string_equal(buf_text(&out),
			    "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": []\n}");
	buf_reset(&out);
	assert_int_equal(json_write_pretty(B("\x01"), &out), 0);
	assert_string_equal(buf_text(&out), "1");
	buf_release(&out);
}

static void test_corrupt(void **state)
{
	static const char *const bad[] = {"\xc1",   "\x92\x01", "\x81\xa1", "\x81\xa1x",
					  "\xa5hi", "\x01\x02", "",         "\xdd\xff\xff\xff\xff"};
	struct buf out = {.max = 0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(json_write(bytes_str(bad[i]), &out), ERR_CORRUPT);
		assert_int_equal(out.len, 0);
	}
	uint8_t deep[200];
	memset(deep, 0x91, sizeof(deep));
	deep[MP_DEPTH_MAX] = 1;
	assert_int_equal(json_write(bytes_of(deep, MP_DEPTH_MAX + 1), &out), 0);
	buf_reset(&out);
	deep[MP_DEPTH_MAX] = 0x91;
	deep[MP_DEPTH_MAX + 1] = 1;
	assert_int_equal(json_write(bytes_of(deep, MP_DEPTH_MAX + 2), &out), ERR_LIMIT);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

static void test_limits(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct buf text = {.max = 0}, value = {.max = 0}, full = {.max = 0};
		random_json(&seed, 4, &text);
		assert_int_equal(json_to_msgpack(buf_bytes(&text), JSON_LENIENT, &value, NULL), 0);
		assert_int_equal(json_write(buf_bytes(&value), &full), 0);
		size_t step = 1 + full.len / 50;
		for (size_t max = 1 + full.len % step; max < full.len + 10; max += step) {
			struct buf out = {.max = max};
			assert_int_equal(json_write(buf_bytes(&value), &out),
					 max < full.len ? ERR_LIMIT : 0);
			assert_true(out.len <= max && out.cap <= max);
			if (max >= full.len)
				assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&full)));
			buf_release(&out);
		}
		buf_release(&text);
		buf_release(&value);
		buf_release(&full);
	}
}

static const char *double_text(double v)
{
	static char text[40];
	size_t n = json_write_double(v, text);

	assert_true(n > 0 && n <= 25);
	text[n] = 0;
	return text;
}

static void test_double_text(void **state)
{
	(void)state;
	assert_string_equal(double_text(0), "0");
	assert_string_equal(double_text(-0.0), "-0");
	assert_string_equal(double_text(1), "1");
	assert_string_equal(double_text(-1), "-1");
	assert_string_equal(double_text(0.1), "0.1");
	assert_string_equal(double_text(-12.5), "-12.5");
	assert_string_equal(double_text(1700000000.123), "1700000000.123");
	assert_string_equal(double_text(0.3), "0.3");
	assert_string_equal(double_text(0.1 + 0.2), "0.30000000000000004");
	assert_string_equal(double_text(100), "100");
	assert_string_equal(double_text(123456789012345680.0), "1.2345678901234568e17");
	assert_string_equal(double_text(12345678901234568.0), "1.2345678901234568e16");
	assert_string_equal(double_text(1e16), "1e16");
	assert_string_equal(double_text(1e15), "1000000000000000");
	assert_string_equal(double_text(1e300), "1e300");
	assert_string_equal(double_text(0.00001), "0.00001");
	assert_string_equal(double_text(0.000001), "0.000001");
	assert_string_equal(double_text(0.0000001), "1e-7");
	assert_string_equal(double_text(1.7976931348623157e308), "1.7976931348623157e308");
	assert_string_equal(double_text(2.2250738585072014e-308), "2.2250738585072014e-308");
	assert_string_equal(double_text(5e-324), "5e-324");
	assert_string_equal(double_text(4.35e-322), "4.35e-322");
	assert_string_equal(double_text(9007199254740993.0), "9007199254740992");
	/* The nearest of 16 digits reads back as the neighbour below; the next one is right. */
	assert_string_equal(double_text(0x1p-44), "5.684341886080802e-14");
	assert_string_equal(double_text(0x1p-1074 * 3), "1.5e-323");
}

static double from_bits(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static void round_trip(double v)
{
	struct buf out = {.max = 0};
	struct mp_value back;
	uint64_t a, b;
	double real;

	assert_int_equal(json_to_msgpack(bytes_str(double_text(v)), JSON_STRICT, &out, NULL), 0);
	assert_true(mp_get(buf_bytes(&out), &back));
	real = back.type == MP_FLOAT ? back.real : (double)back.integer;
	memcpy(&a, &v, sizeof(a));
	memcpy(&b, &real, sizeof(b));
	assert_true(a == b);
	buf_release(&out);
}

static void test_doubles_round_trip(void **state)
{
	uint64_t seed = 99;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		double v = from_bits(rnd64(&seed));
		if (isfinite(v))
			round_trip(v);
	}
	for (int i = 0; i < 20000; i++)
		round_trip((double)rnd(&seed, 1u << 31) / 1000);
	for (uint64_t i = 1; i < 2000; i++)
		round_trip(from_bits(i));
	for (uint64_t e = 1; e < 2047; e++) {
		round_trip(from_bits(e << 52));
		round_trip(from_bits((e << 52) - 1));
		round_trip(from_bits((e << 52) + 1));
	}
}

/* Digits between the first and the last that is not zero. */
static int digits_of(const char *text)
{
	int digits = 0, last = 0;

	for (; *text && *text != 'e'; text++) {
		if (*text == '.' || (*text == '0' && last == 0))
			continue;
		digits++;
		last = *text == '0' ? last : digits;
	}
	return last;
}

/* The nearest decimal of one digit less does not read back as the same. */
static void test_doubles_shortest(void **state)
{
	uint64_t seed = 123;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		double v = i % 2 ? from_bits(rnd64(&seed) & ~(1ull << 63))
				 : (double)rnd(&seed, 1u << 30) / 4096;
		char shorter[40];
		if (!isfinite(v))
			continue;
		int digits = digits_of(double_text(v));
		if (digits < 2)
			continue;
		snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, v);
		assert_true(strtod(shorter, NULL) < v || strtod(shorter, NULL) > v);
	}
}

/* A comma for a decimal point must neither be written nor wanted. */
static void test_locale(void **state)
{
	static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "it_IT.UTF-8"};
	bool found = false;

	(void)state;
	for (size_t i = 0; i < sizeof(commas) / sizeof(commas[0]) && !found; i++)
		found = setlocale(LC_ALL, commas[i]) != NULL;
	if (!found)
		print_message("no locale with a comma is installed: tested with the one there is\n");
	assert_string_equal(double_text(0.1 + 0.2), "0.30000000000000004");
	round_trip(0.1 + 0.2);
	round_trip(1.2345678901234567e-200);
	setlocale(LC_ALL, "C");
}

/* Each random value alone, byte by byte into a full buffer, and among others with much room behind it: whatever way it takes, it is written the same. */
static void test_runs(void **state)
{
	uint64_t seed = 4711;

	(void)state;
	for (int i = 0; i < 400; i++) {
		struct buf text = {.max = 0}, value = {.max = 0}, alone = {.max = 0},
			   many = {.max = 0};
		struct buf wide = {.max = 0}, wanted = {.max = 0};
		random_json(&seed, 4, &text);
		assert_int_equal(json_to_msgpack(buf_bytes(&text), JSON_STRICT, &value, NULL), 0);
		assert_int_equal(json_write(buf_bytes(&value), &alone), 0);
		mp_put_array(&many, 4);
		for (int k = 0; k < 4; k++)
			buf_put_bytes(&many, buf_bytes(&value));
		assert_int_equal(buf_reserve(&wide, 4 * alone.len + 4096), 0);
		assert_int_equal(json_write(buf_bytes(&many), &wide), 0);
		for (int k = 0; k < 4; k++) {
			buf_put_str(&wanted, k ? "," : "[");
			buf_put_bytes(&wanted, buf_bytes(&alone));
		}
		buf_put_str(&wanted, "]");
		assert_string_equal(buf_text(&wide), buf_text(&wanted));
		buf_release(&text);
		buf_release(&value);
		buf_release(&alone);
		buf_release(&many);
		buf_release(&wide);
		buf_release(&wanted);
	}
}

/* Texts of each length with one byte at each place that has to be escaped, with room for runs. */
static void test_runs_escape(void **state)
{
	static const size_t lengths[] = {1, 15, 16, 17, 31, 32, 33, 100, 255};

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		for (size_t at = 0; at < lengths[i]; at++) {
			uint8_t text[256];
			struct buf value = {.max = 0}, out = {.max = 0}, wanted = {.max = 0};
			memset(text, 'x', sizeof text);
			text[at] = at % 2 ? '"' : '\n';
			mp_put_array(&value, 2);
			mp_put_str(&value, bytes_of(text, lengths[i]));
			memset(text + at, 'x', 1);
			mp_put_str(&value, bytes_of(text, 200));
			assert_int_equal(buf_reserve(&out, 2048), 0);
			assert_int_equal(json_write(buf_bytes(&value), &out), 0);
			buf_put_str(&wanted, "[\"");
			for (size_t k = 0; k < lengths[i]; k++)
				buf_put_str(&wanted, k != at ? "x" : at % 2 ? "\\\"" : "\\n");
			buf_put_str(&wanted, "\",\"");
			buf_put(&wanted, text, 200);
			buf_put_str(&wanted, "\"]");
			assert_string_equal(buf_text(&out), buf_text(&wanted));
			buf_release(&value);
			buf_release(&out);
			buf_release(&wanted);
		}
	}
}

/* Long texts with many bytes to escape, in buffers of every size: whatever ends a run, the text is the same. */
static void test_runs_long(void **state)
{
	struct buf value = {.max = 0}, wanted = {.max = 0}, text = {.max = 0};

	(void)state;
	mp_put_array(&value, 3);
	buf_put_str(&wanted, "[");
	for (int i = 0; i < 3; i++) {
		size_t len = (size_t[]){20, 300, 70000}[i];
		buf_reset(&text);
		buf_put_str(&wanted, i ? ",\"" : "\"");
		for (size_t at = 0; at < len; at++) {
			const char *odd = at % 19 == 0 ? "\\\"" : at % 23 == 0 ? "\\u0001" : "x";
			buf_put_byte(&text, at % 19 == 0 ? '"' : at % 23 == 0 ? 1 : 'x');
			buf_put_str(&wanted, odd);
		}
		mp_put_str(&value, buf_bytes(&text));
		buf_put_str(&wanted, "\"");
	}
	buf_put_str(&wanted, "]");
	for (size_t room = 1; room < 1000; room++) {
		struct buf out = {.max = 0};
		assert_int_equal(buf_reserve(&out, room < 900 ? room : wanted.len + room - 900), 0);
		assert_int_equal(json_write(buf_bytes(&value), &out), 0);
		assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&wanted)));
		buf_release(&out);
	}
	/* Cut within the last text. */
	value.len -= 30;
	assert_int_equal(json_write(buf_bytes(&value), &text), ERR_CORRUPT);
	buf_release(&value);
	buf_release(&wanted);
	buf_release(&text);
}

/* A head that promises more than there is, or too deep, is refused in a run, too, and leaves nothing. */
static void test_runs_corrupt(void **state)
{
	static const uint8_t heads[][5] = {
		{0x9f}, {0x8f}, {0xdd, 0, 0, 1, 0}, {0xdf, 0x7f, 0xff, 0xff, 0xff}};
	struct buf value = {.max = 0}, out = {.max = 0};

	(void)state;
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		buf_reset(&value);
		mp_put_array(&value, 1);
		buf_put(&value, heads[i], heads[i][0] < 0xa0 ? 1 : 5);
		for (int k = 0; k < 40 && i > 1; k++)
			mp_put_int(&value, 1);
		mp_put_int(&value, 1);
		buf_reset(&out);
		assert_int_equal(buf_reserve(&out, 4096), 0);
		assert_int_equal(json_write(buf_bytes(&value), &out), ERR_CORRUPT);
		assert_int_equal(out.len, 0);
	}
	buf_reset(&value);
	for (int k = 0; k < MP_DEPTH_MAX + 1; k++)
		buf_put_byte(&value, 0x91);
	for (int k = 0; k < 64; k++)
		mp_put_int(&value, 1);
	assert_int_equal(json_write(buf_bytes(&value), &out), ERR_LIMIT);
	assert_int_equal(out.len, 0);
	buf_release(&value);
	buf_release(&out);
}

/* {"x":"manymany","a":[ITEMS],"b":ONE,"c":3}, of pieces. */
static int write_pieces(struct bytes items, uint32_t count, struct bytes one, struct buf *out)
{
	const struct json_piece pieces[] = {
		{.bytes = B("\x84\xa1x\xa8manymany\xa1"
			    "a")},
		{.bytes = items, .array = true, .values = count},
		{.bytes = B("\xa1"
			    "b")},
		{.bytes = one, .values = 1},
		{.bytes = B("\xa1"
			    "c\x03")},
	};

	buf_reset(out);
	return json_write_pieces(pieces, 5, out);
}

static void test_pieces(void **state)
{
	struct buf out = {.max = 0};

	(void)state;
	assert_int_equal(write_pieces(B("\x01\x92\x02\x03\xa1x"), 3, B("\x81\xa1k\xc0"), &out), 0);
	assert_string_equal(buf_text(&out),
			    "{\"x\":\"manymany\",\"a\":[1,[2,3],\"x\"],\"b\":{\"k\":null},\"c\":3}");
	assert_int_equal(write_pieces(bytes_of(NULL, 0), 0, B("\x05"), &out), 0);
	assert_string_equal(buf_text(&out), "{\"x\":\"manymany\",\"a\":[],\"b\":5,\"c\":3}");
	/* Items that are too few or too many, and values that are left over. */
	assert_int_equal(write_pieces(B("\x01"), 2, B("\x05"), &out), ERR_CORRUPT);
	assert_int_equal(write_pieces(B("\x01\x02"), 1, B("\x05"), &out), ERR_CORRUPT);
	assert_int_equal(write_pieces(B("\x01"), 1, B("\x05\x06"), &out), ERR_CORRUPT);
	assert_int_equal(write_pieces(B("\x01"), 1, B("\xa5x"), &out), ERR_CORRUPT);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

static uint64_t seed = 11;

static unsigned chance(unsigned of)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % of;
}

static void put_random_text(struct buf *out)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz 0123456789\"\\\n\x01/";
	char text[80];
	size_t len = chance(4) ? chance(12) : chance(sizeof text);

	for (size_t i = 0; i < len; i++)
		text[i] = letters[chance(chance(3) ? 37 : sizeof letters - 1)];
	mp_put_str(out, bytes_of(text, len));
}

static void put_random(struct buf *out, unsigned depth)
{
	uint32_t n = chance(20) ? chance(5) : 16 + chance(8);

	switch (chance(depth < 4 ? 9 : 7)) {
	case 0: mp_put_nil(out); return;
	case 1: mp_put_bool(out, chance(2)); return;
	case 2: mp_put_int(out, (int64_t)(seed >> chance(63)) - 5000); return;
	case 3: mp_put_float(out, chance(1000) / 8.0); return;
	case 7:
		mp_put_array(out, n);
		for (; n; n--)
			put_random(out, depth + 1);
		return;
	case 8:
		mp_put_map(out, n);
		for (; n; n--) {
			put_random_text(out);
			put_random(out, depth + 1);
		}
		return;
	default: put_random_text(out);
	}
}

/* Takes the space out that stands for reading only. */
static void squeeze(struct buf *text)
{
	size_t to = 0;
	bool quoted = false;

	for (size_t i = 0; i < text->len; i++) {
		uint8_t b = text->data[i];
		if (!quoted && (b == ' ' || b == '\n'))
			continue;
		text->data[to++] = b;
		if (quoted && b == '\\')
			text->data[to++] = text->data[++i];
		else if (b == '"')
			quoted = !quoted;
	}
	text->len = to;
}

/* As the plain way writes it, which is the one of pretty texts; from memory that ends where the value does, into much room and none. */
static void same_as_plain(struct bytes value)
{
	struct buf text = {.max = 0}, plain = {.max = 0};
	uint8_t *exact = malloc(value.len + !value.len);

	assert_non_null(exact);
	memcpy(exact, value.data, value.len);
	value.data = exact;
	int rc = json_write_pretty(value, &plain);
	squeeze(&plain);
	for (int room = 0; room < 2; room++) {
		buf_release(&text);
		if (room)
			assert_int_equal(buf_reserve(&text, 1 << 16), 0);
		assert_int_equal(json_write(value, &text), rc);
		assert_int_equal(text.len, plain.len);
		assert_memory_equal(text.data, plain.data, plain.len);
	}
	free(exact);
	buf_release(&text);
	buf_release(&plain);
}

static void test_ends_anywhere(void **state)
{
	struct buf value = {.max = 0};

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		buf_reset(&value);
		put_random(&value, 0);
		same_as_plain(buf_bytes(&value));
		/* A part of it is no value, and one byte that is another may be one. */
		same_as_plain(bytes_of(value.data, chance((unsigned)value.len)));
		value.data[chance((unsigned)value.len)] = (uint8_t)chance(256);
		same_as_plain(buf_bytes(&value));
	}
	buf_release(&value);
}

/* Two members of a map, each key and each value a piece. */
static void test_pieces_of_any_length(void **state)
{
	struct buf key[2] = {{.max = 0}, {.max = 0}}, value[2] = {{.max = 0}, {.max = 0}};
	struct buf whole = {.max = 0}, text = {.max = 0}, wanted = {.max = 0};

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		buf_reset(&whole);
		mp_put_map(&whole, 2);
		for (int k = 0; k < 2; k++) {
			buf_reset(&key[k]);
			buf_reset(&value[k]);
			/* A head promises no more than its own piece has bytes. */
			if (k == 0) {
				mp_put_map(&key[k], 2);
				mp_put_cstr(&key[k], "first");
			} else {
				put_random_text(&key[k]);
			}
			put_random(&value[k], 2);
			buf_put(&whole, key[k].data + !k, key[k].len - !k);
			buf_put_bytes(&whole, buf_bytes(&value[k]));
		}
		const struct json_piece pieces[] = {{.bytes = buf_bytes(&key[0])},
						    {.bytes = buf_bytes(&value[0])},
						    {.bytes = buf_bytes(&key[1])},
						    {.bytes = buf_bytes(&value[1])}};
		buf_reset(&text);
		buf_reset(&wanted);
		assert_int_equal(json_write_pieces(pieces, 4, &text), 0);
		assert_int_equal(json_write(buf_bytes(&whole), &wanted), 0);
		assert_string_equal(buf_text(&text), buf_text(&wanted));
	}
	for (int k = 0; k < 2; k++) {
		buf_release(&key[k]);
		buf_release(&value[k]);
	}
	buf_release(&whole);
	buf_release(&text);
	buf_release(&wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_pretty),
		cmocka_unit_test(test_corrupt),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_double_text),
		cmocka_unit_test(test_doubles_round_trip),
		cmocka_unit_test(test_doubles_shortest),
		cmocka_unit_test(test_locale),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_runs_escape),
		cmocka_unit_test(test_runs_long),
		cmocka_unit_test(test_runs_corrupt),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_ends_anywhere),
		cmocka_unit_test(test_pieces_of_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
