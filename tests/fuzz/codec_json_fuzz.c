/*
 * codec_json_fuzz: any bytes as JSON text, in both modes, whole and in pieces that the input
 * itself decides; what is accepted is well-formed MessagePack that goes to JSON text and back as
 * the same value.
 *
 * The first byte chooses the limits and how the rest is cut.
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

struct result {
	int rc;
	struct why why;
	struct json_stats stats;
	struct buf out;
};

/* Each piece in a block of its own size. */
static void feed(struct json *j, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		return;
	if (len)
		memcpy(copy, data, len);
	json_feed(j, copy, len, NULL);
	free(copy);
}

/* step 0: whole; else pieces of 1 .. step bytes that depend on the text. */
static void run(struct bytes text, enum json_mode mode, uint8_t knob, size_t step, struct result *r)
{
	struct json_limits limits = {
		.depth_max = knob & 1 ? 3 : 0,
		.wide_depth = knob >> 1 & 7,
		.number_max = knob & 16 ? 8 : 0,
		.text_max = knob & 32 ? 50 : 0,
	};

	*r = (struct result){.out = {.max = knob & 64 ? 40 : 0}};
	struct json *j = json_new(mode, &limits, &r->out);
	if (!j)
		return;
	for (size_t at = 0; at < text.len;) {
		size_t n = step ? 1 + (text.data[at] ^ at) % step : text.len;
		n = n < text.len - at ? n : text.len - at;
		feed(j, text.data + at, n);
		at += n;
	}
	r->rc = json_finish(j, &r->why);
	r->stats = *json_stats(j);
	json_free(j);
}

static void compare(const struct result *a, const struct result *b)
{
	require(a->rc == b->rc);
	require(strcmp(a->why.text, b->why.text) == 0);
	if (a->rc)
		return;
	require(bytes_equal(buf_bytes(&a->out), buf_bytes(&b->out)));
	require(memcmp(&a->stats, &b->stats, sizeof(a->stats)) == 0);
}

/* Of an accepted text: its JSON, compact and pretty, reads back as the same value. */
static void round_trip(struct bytes value)
{
	struct buf text = {.max = 0}, again = {.max = 0};

	require(mp_check(value) == 0);
	require(json_write(value, &text) == 0);
	for (size_t i = 0; i < text.len; i++)
		require(text.data[i] >= 0x20);
	require(json_to_msgpack(buf_bytes(&text), JSON_STRICT, &again, NULL) == 0);
	require(mp_equal(value, buf_bytes(&again)));
	buf_reset(&text);
	buf_reset(&again);
	require(json_write_pretty(value, &text) == 0);
	require(json_to_msgpack(buf_bytes(&text), JSON_STRICT, &again, NULL) == 0);
	require(mp_equal(value, buf_bytes(&again)));
	buf_release(&text);
	buf_release(&again);
}

static void try_mode(struct bytes text, enum json_mode mode, uint8_t knob)
{
	static const size_t steps[] = {1, 3, 17, 100};
	struct result whole, cut;

	run(text, mode, knob, 0, &whole);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		run(text, mode, knob, steps[i], &cut);
		compare(&whole, &cut);
		buf_release(&cut.out);
	}
	if (whole.rc == 0)
		round_trip(buf_bytes(&whole.out));
	buf_release(&whole.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	try_mode(bytes_of(data + 1, size - 1), JSON_STRICT, data[0]);
	try_mode(bytes_of(data + 1, size - 1), JSON_LENIENT, data[0]);
	return 0;
}
