/*
 * cursor: 46 bytes as 62 letters.
 *
 *   u8 version (1), u8 axis, i64 start, i64 end, i64 time, u64 id hash, u64 question, u32 low half of the hash of the bytes before
 *
 * A text that is cut, mistyped or from another release is refused; nothing in it is believed beyond that.
 */
#include <query/cursor.h>

#define VERSION    1
#define BYTES      46
#define CHECKED    42
#define TEXT_BYTES ((BYTES * 4 + 2) / 3)

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

_Static_assert(TEXT_BYTES < CURSOR_TEXT_MAX, "a cursor fits its text");

static void put_i64(uint8_t *p, int64_t v)
{
	put_le64(p, (uint64_t)v);
}

static int64_t get_i64(const uint8_t *p)
{
	return (int64_t)le64(p);
}

static uint32_t checksum(const uint8_t *data)
{
	return (uint32_t)bytes_hash(bytes_of(data, CHECKED));
}

const char *cursor_text(const struct cursor *c, char out[CURSOR_TEXT_MAX])
{
	uint8_t b[BYTES + 2] = {VERSION, (uint8_t)c->axis};

	put_i64(b + 2, c->start_ms);
	put_i64(b + 10, c->end_ms);
	put_i64(b + 18, c->position.time_ms);
	put_le64(b + 26, c->position.id_hash);
	put_le64(b + 34, c->question);
	put_le32(b + CHECKED, checksum(b));
	for (int i = 0; i < TEXT_BYTES; i++) {
		int bit = i * 6, at = bit / 8;
		unsigned pair = (unsigned)b[at] << 8 | b[at + 1];
		out[i] = letters[pair >> (10 - bit % 8) & 63];
	}
	out[TEXT_BYTES] = 0;
	return out;
}

static bool decode(struct bytes text, uint8_t out[BYTES])
{
	uint32_t bits = 0;
	int held = 0, n = 0;

	if (text.len != TEXT_BYTES)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const char *at = text.data[i] ? strchr(letters, text.data[i]) : NULL;
		if (!at)
			return false;
		bits = bits << 6 | (uint32_t)(at - letters);
		held += 6;
		if (held >= 8 && n < BYTES) {
			held -= 8;
			out[n++] = (uint8_t)(bits >> held);
		}
	}
	/* One text for one cursor: what is left over is zero. */
	return n == BYTES && (bits & ((1u << held) - 1)) == 0;
}

int cursor_parse(struct bytes text, struct cursor *out, struct why *why)
{
	uint8_t b[BYTES];

	if (!decode(text, b) || le32(b + CHECKED) != checksum(b))
		return why_set(why, ERR_INVALID,
			       "this is not a cursor: pass next_cursor of an answer as it is");
	if (b[0] != VERSION || b[1] > AXIS_UPDATED)
		return why_set(why, ERR_INVALID,
			       "this cursor is from another release: ask again without it");
	*out = (struct cursor){
		.axis = b[1] ? AXIS_UPDATED : AXIS_CREATED,
		.start_ms = get_i64(b + 2),
		.end_ms = get_i64(b + 10),
		.position = {get_i64(b + 18), le64(b + 26)},
		.question = le64(b + 34),
	};
	return 0;
}
