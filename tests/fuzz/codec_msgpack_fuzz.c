/*
 * codec_msgpack_fuzz: any bytes as MessagePack. Readers agree with each other, stay inside their
 * span, and never crash; what passes mp_check equals itself and its own JSON round trip behaves.
 */
#include <codec/json.h>
#include <codec/msgpack.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static bool inside(struct bytes part, struct bytes whole)
{
	return part.data >= whole.data && part.data + part.len <= whole.data + whole.len;
}

/* Every value in the order of the bytes, containers' items as values of their own. */
static void read_all(struct bytes whole)
{
	struct mp_reader r = mp_reader_of(whole);
	struct mp_value v;
	int rc;

	while ((rc = mp_next(&r, &v)) == 1) {
		require(r.at > whole.data && r.at <= r.end);
		if (v.type == MP_STR || v.type == MP_BIN || v.type == MP_EXT)
			require(inside(v.str, whole));
	}
	require(rc == 0 || rc == ERR_CORRUPT);
}

static void step_all(struct bytes whole)
{
	struct mp_reader r = mp_reader_of(whole);
	struct bytes part;
	int rc;

	while ((rc = mp_take(&r, &part)) == 1)
		require(part.len && inside(part, whole));
	require(rc == 0 || rc == ERR_CORRUPT || rc == ERR_LIMIT);
}

static void find(struct bytes whole)
{
	static const char *const paths[] = {"a", "a.b", "0",       "a.0.b", "1.1",
					    "",  ".",   "a.b.c.d", "00"};
	struct bytes value;
	int64_t number;
	bool flag;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (mp_path(whole, bytes_str(paths[i]), &value) == 1)
			require(value.len && inside(value, whole));
		if (mp_find(whole, bytes_str(paths[i]), &value) == 1)
			require(value.len && inside(value, whole));
		mp_find_str(whole, paths[i], &value);
		mp_find_int(whole, paths[i], &number);
		mp_find_bool(whole, paths[i], &flag);
	}
}

static void checked(struct bytes whole)
{
	struct buf copy = {.max = 0}, text = {.max = 0}, again = {.max = 0};
	struct mp_reader r = mp_reader_of(whole);

	require(mp_skip(&r) == 1 && r.at == r.end);
	/* Other encodings of the same value, through JSON. */
	if (json_write(whole, &text) == 0 &&
	    json_to_msgpack(buf_bytes(&text), JSON_LENIENT, &again, NULL) == 0) {
		require(mp_check(buf_bytes(&again)) == 0);
		mp_equal(whole, buf_bytes(&again));
		require(mp_equal(whole, buf_bytes(&again)) == mp_equal(buf_bytes(&again), whole));
	}
	/* Equality without the short cut for equal bytes: inside arrays of two with another
	 * second item. */
	mp_put_array(&copy, 2);
	buf_put_bytes(&copy, whole);
	size_t first = copy.len;
	mp_put_int(&copy, 1);
	struct buf wide = {.max = 0};
	buf_put(&wide, copy.data, first);
	mp_put_float(&wide, 1.0);
	if (mp_check(buf_bytes(&copy)) == 0)
		require(mp_equal(buf_bytes(&copy), buf_bytes(&wide)));
	require(mp_equal(whole, whole));
	buf_release(&copy);
	buf_release(&wide);
	buf_release(&text);
	buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes whole = bytes_of(data, size);
	struct buf out = {.max = 1 << 20};

	read_all(whole);
	step_all(whole);
	find(whole);
	json_write(whole, &out);
	buf_reset(&out);
	json_write_pretty(whole, &out);
	buf_release(&out);
	if (mp_check(whole) == 0)
		checked(whole);
	/* Two halves as two documents: never a crash, and the same both ways. */
	struct bytes a = bytes_of(data, size / 2), b = bytes_of(data + size / 2, size - size / 2);
	if (mp_check(a) == 0 && mp_check(b) == 0)
		require(mp_equal(a, b) == mp_equal(b, a));
	return 0;
}
