/* Packing: what goes in comes out, alone and in any order; damaged streams are errors;
 * dictionaries help and are the same every time. */
#include "support/codec_support.h"

#include <base/clock.h>
#include <codec/deflate.h>
#include <stdio.h>
#include <stdlib.h>

#define RECORDS 200

static struct buf records[RECORDS];
static struct bytes samples[RECORDS];
static struct buf phrases; /* trained on the first half */

static int make_records(void **state)
{
	static const char *const words[] = {"please",
					    "the invoice",
					    "order",
					    "could not be found",
					    "in our workspace",
					    "today",
					    "refund",
					    "thanks",
					    "button",
					    "does nothing when I",
					    "press it"};
	uint64_t seed = 77;

	(void)state;
	for (int i = 0; i < RECORDS; i++) {
		struct buf *b = &records[i];
		buf_printf(b,
			   "{\"type\":\"conversation\",\"id\":\"%u\",\"created_at\":%u,\"updated_at\":%u,\"waiting_since\":null,"
			   "\"snoozed_until\":null,\"source\":{\"type\":\"conversation\",\"body\":\"",
			   rnd(&seed, 1u << 30), rnd(&seed, 1u << 31), rnd(&seed, 1u << 31));
		for (uint32_t n = rnd(&seed, 200); n > 0; n--)
			buf_printf(b, "%s ", words[rnd(&seed, 11)]);
		buf_printf(b,
			   "\",\"author\":{\"type\":\"user\",\"id\":\"%u\",\"email\":\"user%u@example.com\"}},\"state\":\"open\"}",
			   rnd(&seed, 1u << 30), rnd(&seed, 1000));
		samples[i] = buf_bytes(b);
	}
	return dictionary_train(samples, RECORDS / 2, &phrases);
}

static int free_records(void **state)
{
	(void)state;
	for (int i = 0; i < RECORDS; i++)
		buf_release(&records[i]);
	buf_release(&phrases);
	return 0;
}

static size_t pack_all(struct bytes dictionary, int level)
{
	struct packer *p = packer_new(dictionary, level);
	struct unpacker *u = unpacker_new(dictionary);
	struct buf packed = {.max = 0}, raw = {.max = 0};
	size_t total = 0;

	assert_non_null(p);
	assert_non_null(u);
	for (int i = 0; i < RECORDS; i++) {
		buf_reset(&packed);
		buf_reset(&raw);
		assert_int_equal(packer_pack(p, samples[i], &packed), 0);
		unpacker_warm(u);
		assert_int_equal(unpacker_unpack(u, buf_bytes(&packed), samples[i].len, &raw), 0);
		assert_true(bytes_equal(buf_bytes(&raw), samples[i]));
		total += packed.len;
	}
	packer_free(p);
	unpacker_free(u);
	buf_release(&packed);
	buf_release(&raw);
	return total;
}

static void test_round_trip(void **state)
{
	struct buf dictionary = {.max = 0};

	(void)state;
	assert_int_equal(dictionary_train(samples, RECORDS, &dictionary), 0);
	for (int level = 1; level <= 9; level++) {
		size_t without = pack_all(bytes_str(""), level);
		size_t with = pack_all(buf_bytes(&dictionary), level);
		assert_true(with * 3 < without * 2);
	}
	buf_release(&dictionary);
}

static void sizes_with(struct bytes dictionary, int level)
{
	static const size_t sizes[] = {0,     1,     2,     100,   4095,  4096,
				       16384, 32768, 65536, 65535, 300000};
	struct packer *p = packer_new(dictionary, level);
	struct unpacker *u = unpacker_new(dictionary);
	uint64_t seed = 3;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf raw = {.max = 0}, packed = {.max = 0}, back = {.max = 0};
		for (size_t k = 0; k < sizes[i]; k++)
			buf_put_byte(&raw, (uint8_t)(k < sizes[i] / 2 ? rnd64(&seed) : k / 100));
		assert_int_equal(packer_pack(p, buf_bytes(&raw), &packed), 0);
		assert_int_equal(unpacker_unpack(u, buf_bytes(&packed), sizes[i], &back), 0);
		assert_true(bytes_equal(buf_bytes(&raw), buf_bytes(&back)));
		buf_release(&raw);
		buf_release(&packed);
		buf_release(&back);
	}
	packer_free(p);
	unpacker_free(u);
}

static void test_sizes(void **state)
{
	(void)state;
	sizes_with(samples[0], 1);
	sizes_with(buf_bytes(&phrases), 1);
	sizes_with(buf_bytes(&phrases), 9);
	packer_free(NULL);
	unpacker_free(NULL);
}

/* What was packed before leaves no trace. */
static void pack_twice(struct bytes dictionary, int level)
{
	struct packer *used = packer_new(dictionary, level);
	struct buf first = {.max = 0}, again = {.max = 0}, waste = {.max = 0};

	for (int i = 1; i < RECORDS; i++) {
		struct packer *fresh = packer_new(dictionary, level);
		buf_reset(&first);
		buf_reset(&again);
		assert_int_equal(packer_pack(fresh, samples[i], &first), 0);
		assert_int_equal(packer_pack(used, samples[i], &again), 0);
		assert_true(bytes_equal(buf_bytes(&first), buf_bytes(&again)));
		assert_int_equal(packer_pack(used, samples[RECORDS - i], &waste), 0);
		packer_free(fresh);
	}
	packer_free(used);
	buf_release(&first);
	buf_release(&again);
	buf_release(&waste);
}

static void test_independent(void **state)
{
	(void)state;
	pack_twice(samples[0], 3);
	pack_twice(buf_bytes(&phrases), 3);
	pack_twice(buf_bytes(&phrases), 9);
}

static void damage_with(struct bytes dictionary)
{
	struct packer *p = packer_new(dictionary, 6);
	struct unpacker *u = unpacker_new(dictionary);
	struct buf packed = {.max = 0}, out = {.max = 0};
	uint64_t seed = 1;
	size_t len = samples[1].len;

	buf_put_str(&out, "kept");
	assert_int_equal(packer_pack(p, samples[1], &packed), 0);
	struct bytes whole = buf_bytes(&packed);
	assert_int_equal(unpacker_unpack(u, whole, len - 1, &out), ERR_CORRUPT);
	assert_int_equal(unpacker_unpack(u, whole, len + 1, &out), ERR_CORRUPT);
	assert_int_equal(unpacker_unpack(u, whole, SIZE_MAX, &out), ERR_LIMIT);
	assert_int_equal(unpacker_unpack(u, whole, 4000000000u, &out), ERR_CORRUPT);
	assert_int_equal(unpacker_unpack(u, bytes_str(""), 0, &out), ERR_CORRUPT);
	for (size_t n = 0; n < whole.len; n++)
		assert_int_equal(unpacker_unpack(u, bytes_of(whole.data, n), len, &out), ERR_CORRUPT);
	buf_put_byte(&packed, 0);
	assert_int_equal(unpacker_unpack(u, buf_bytes(&packed), len, &out), ERR_CORRUPT);
	packed.len--;
	for (int i = 0; i < 2000; i++) {
		size_t at = rnd(&seed, (uint32_t)packed.len);
		uint8_t flip = (uint8_t)(1u << rnd(&seed, 8));
		packed.data[at] ^= flip;
		int rc = unpacker_unpack(u, buf_bytes(&packed), len, &out);
		assert_true(rc == 0 || rc == ERR_CORRUPT);
		assert_int_equal(out.len, rc == 0 ? 4 + len : 4);
		out.len = 4;
		packed.data[at] ^= flip;
	}
	/* And in order after all that. */
	assert_int_equal(unpacker_unpack(u, buf_bytes(&packed), len, &out), 0);
	assert_memory_equal(out.data, "kept", 4);
	packer_free(p);
	unpacker_free(u);
	buf_release(&packed);
	buf_release(&out);
}

static void test_damage(void **state)
{
	(void)state;
	damage_with(samples[0]);
	damage_with(buf_bytes(&phrases));
}

static void limits_with(struct bytes dictionary)
{
	struct packer *p = packer_new(dictionary, 1);
	struct unpacker *u = unpacker_new(dictionary);
	struct buf packed = {.max = 0};

	assert_int_equal(packer_pack(p, samples[5], &packed), 0);
	for (size_t max = 1; max < packed.len + 3; max++) {
		struct buf out = {.max = max};
		assert_int_equal(packer_pack(p, samples[5], &out), max < packed.len ? ERR_LIMIT : 0);
		assert_int_equal(out.len, max < packed.len ? 0 : packed.len);
		buf_release(&out);
	}
	struct buf small = {.max = samples[5].len - 1};
	assert_int_equal(unpacker_unpack(u, buf_bytes(&packed), samples[5].len, &small), ERR_LIMIT);
	assert_int_equal(small.len, 0);
	buf_release(&small);
	packer_free(p);
	unpacker_free(u);
	buf_release(&packed);
}

static void test_limits(void **state)
{
	(void)state;
	limits_with(samples[0]);
	limits_with(buf_bytes(&phrases));
}

/* In pieces, a record is packed by deflate; with the phrases' text as its dictionary. */
static void test_pieces(void **state)
{
	struct packer *p = packer_new(buf_bytes(&phrases), 3);
	struct unpacker *u = unpacker_new(buf_bytes(&phrases));
	struct buf packed = {.max = 0}, out = {.max = 0};

	(void)state;
	for (int i = 0; i < RECORDS; i++) {
		size_t half = samples[i].len / 2;
		buf_reset(&packed);
		buf_reset(&out);
		packer_begin(p);
		assert_int_equal(packer_feed(p, bytes_of(samples[i].data, half), false, &packed), 0);
		assert_int_equal(packer_feed(p,
					     bytes_of(samples[i].data + half, samples[i].len - half),
					     true, &packed),
				 0);
		assert_int_equal(unpacker_unpack(u, buf_bytes(&packed), samples[i].len, &out), 0);
		assert_true(bytes_equal(buf_bytes(&out), samples[i]));
	}
	packer_free(p);
	unpacker_free(u);
	buf_release(&packed);
	buf_release(&out);
}

/* Better than deflate at its best with the same samples, and the best way better than the fast one. */
static void test_phrases_are_small(void **state)
{
	size_t fast = pack_all(buf_bytes(&phrases), 3), best = pack_all(buf_bytes(&phrases), 9);

	(void)state;
	assert_true(best < fast);
	assert_true(fast < pack_all(samples[0], 9));
}

/* A dictionary with any byte changed is another one, or one for deflate; and never a crash. */
static void test_damaged_phrases(void **state)
{
	struct buf copy = {.max = 0}, packed = {.max = 0}, out = {.max = 0};
	struct packer *right = packer_new(buf_bytes(&phrases), 3);

	(void)state;
	assert_int_equal(packer_pack(right, samples[1], &packed), 0);
	buf_put_bytes(&copy, buf_bytes(&phrases));
	for (size_t at = 0; at < copy.len; at += at < 700 ? 1 : 97) {
		copy.data[at] ^= 0x11;
		struct unpacker *u = unpacker_new(buf_bytes(&copy));
		assert_non_null(u);
		buf_reset(&out);
		int rc = unpacker_unpack(u, buf_bytes(&packed), samples[1].len, &out);
		assert_true(rc == 0 || rc == ERR_CORRUPT);
		unpacker_free(u);
		copy.data[at] ^= 0x11;
	}
	for (size_t len = 0; len < copy.len; len += 61) {
		struct unpacker *u = unpacker_new(bytes_of(copy.data, len));
		assert_non_null(u);
		unpacker_free(u);
	}
	packer_free(right);
	buf_release(&copy);
	buf_release(&packed);
	buf_release(&out);
}

/* Another dictionary than the one it was packed with: an error or other bytes, never a crash. */
static void test_wrong_dictionary(void **state)
{
	struct packer *p = packer_new(samples[0], 6);
	struct unpacker *none = unpacker_new(bytes_str("")), *other = unpacker_new(samples[7]);
	struct buf packed = {.max = 0}, out = {.max = 0};

	(void)state;
	assert_int_equal(packer_pack(p, samples[1], &packed), 0);
	assert_int_equal(unpacker_unpack(none, buf_bytes(&packed), samples[1].len, &out), ERR_CORRUPT);
	int rc = unpacker_unpack(other, buf_bytes(&packed), samples[1].len, &out);
	assert_true(rc == 0 || rc == ERR_CORRUPT);
	packer_free(p);
	unpacker_free(none);
	unpacker_free(other);
	buf_release(&packed);
	buf_release(&out);
}

/* Of a dictionary that is too long its end counts, on both sides. */
static void test_long_dictionary(void **state)
{
	struct buf dictionary = {.max = 0}, packed = {.max = 0}, out = {.max = 0};

	(void)state;
	for (int i = 0; i < 60; i++)
		buf_put_bytes(&dictionary, samples[i]);
	assert_true(dictionary.len > DEFLATE_DICTIONARY_MAX);
	struct packer *p = packer_new(buf_bytes(&dictionary), 6);
	struct unpacker *u = unpacker_new(bytes_of(
		dictionary.data + dictionary.len - DEFLATE_DICTIONARY_MAX, DEFLATE_DICTIONARY_MAX));
	assert_int_equal(packer_pack(p, samples[100], &packed), 0);
	assert_int_equal(unpacker_unpack(u, buf_bytes(&packed), samples[100].len, &out), 0);
	assert_true(bytes_equal(buf_bytes(&out), samples[100]));
	packer_free(p);
	unpacker_free(u);
	buf_release(&dictionary);
	buf_release(&packed);
	buf_release(&out);
}

static void test_train(void **state)
{
	struct buf first = {.max = 0}, again = {.max = 0};

	(void)state;
	assert_int_equal(dictionary_train(NULL, 0, &first), 0);
	assert_int_equal(first.len, 0);
	assert_int_equal(dictionary_train(samples, 1, &first), 0);
	assert_int_equal(first.len, 0); /* nothing is shared */
	struct bytes tiny[] = {B("a"), B(""), B("1234567"), B("a"), B("12345678"), B("12345678")};
	assert_int_equal(dictionary_train(tiny, 6, &first), 0);
	assert_int_equal(first.len, 0); /* it would be larger than what it saves */
	struct bytes nothing[] = {B(""), B(""), B("")};
	assert_int_equal(dictionary_train(nothing, 3, &first), 0);
	assert_int_equal(first.len, 0);
	assert_int_equal(dictionary_train(samples, RECORDS, &first), 0);
	assert_int_equal(dictionary_train(samples, RECORDS, &again), 0);
	assert_true(bytes_equal(buf_bytes(&first), buf_bytes(&again)));
	assert_true(first.len > 1000 && first.len <= DICTIONARY_MAX);
	struct buf full = {.max = 100};
	assert_int_equal(dictionary_train(samples, RECORDS, &full), ERR_LIMIT);
	buf_release(&full);
	buf_release(&first);
	buf_release(&again);
}

/* However many samples and however long: bounded work. */
static void test_train_much(void **state)
{
	size_t n = 20000;
	struct bytes *many = calloc(n, sizeof(*many));
	struct buf out = {.max = 0}, huge = {.max = 0};

	(void)state;
	assert_non_null(many);
	for (size_t i = 0; i < n; i++)
		many[i] = samples[i % RECORDS];
	int64_t start = clock_mono_ms();
	assert_int_equal(dictionary_train(many, n, &out), 0);
	assert_true(out.len > 1000);
	for (int i = 0; i < 5000; i++)
		buf_put_bytes(&huge, samples[i % RECORDS]);
	for (size_t i = 0; i < n; i++)
		many[i] = buf_bytes(&huge);
	assert_int_equal(dictionary_train(many, n, &out), 0);
	/* Milliseconds, but for a sanitizer, valgrind or a busy machine. */
	assert_true(clock_mono_ms() - start < 10000);
	free(many);
	buf_release(&out);
	buf_release(&huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_independent),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_wrong_dictionary),
		cmocka_unit_test(test_long_dictionary),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_phrases_are_small),
		cmocka_unit_test(test_damaged_phrases),
		cmocka_unit_test(test_train),
		cmocka_unit_test(test_train_much),
	};

	return cmocka_run_group_tests(tests, make_records, free_records);
}
