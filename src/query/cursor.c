/*
 * cursor: some bytes as letters.
 *
 *   u8 version (1; 2: sorted), u8 axis, i64 start, i64 end, i64 time, u64 id hash, u64 question, when sorted u8 whether there is a value and its
 *   key, u32 low half of the hash of the bytes before
 *
 * A text that is cut, mistyped or from another release is refused; nothing in it is believed beyond that.
 */
#include <query/cursor.h>

#define VERSION    1
#define SORTED     2
#define HEAD_BYTES 42
#define CHECK      4
#define BYTES_MAX  (HEAD_BYTES + 1 + SORT_KEY_MAX + CHECK)
#define TEXT_MAX   ((BYTES_MAX * 4 + 2) / 3)

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

_Static_assert(TEXT_MAX < CURSOR_TEXT_MAX, "a cursor fits its text");

static void put_i64(uint8_t *p, int64_t v)
{
	put_le64(p, (uint64_t)v);
}

static int64_t get_i64(const uint8_t *p)
{
	return (int64_t)le64(p);
}

static uint32_t checksum(const uint8_t *data, size_t len)
{
	return (uint32_t)bytes_hash(bytes_of(data, len));
}

const char *cursor_text(const struct cursor *c, char out[CURSOR_TEXT_MAX])
{
	uint8_t b[BYTES_MAX + 2] = {c->sorted ? SORTED : VERSION, (uint8_t)c->axis};
	size_t len = HEAD_BYTES;

	put_i64(b + 2, c->start_ms);
	put_i64(b + 10, c->end_ms);
	put_i64(b + 18, c->sorted ? 0 : c->position.time_ms);
	put_le64(b + 26, c->sorted ? c->key.id_hash : c->position.id_hash);
	put_le64(b + 34, c->question);
	if (c->sorted) {
		b[len++] = c->key.known;
		memcpy(b + len, c->key.bytes, c->key.len);
		len += c->key.len;
	}
	put_le32(b + len, checksum(b, len));
	size_t letters_count = ((len + CHECK) * 4 + 2) / 3;
	for (size_t i = 0; i < letters_count; i++) {
		size_t bit = i * 6, at = bit / 8;
		unsigned pair = (unsigned)b[at] << 8 | b[at + 1];
		out[i] = letters[pair >> (10 - bit % 8) & 63];
	}
	out[letters_count] = 0;
	return out;
}

/* The bytes, their check sum left out; 0: it is no cursor. */
static size_t decode(struct bytes text, uint8_t out[BYTES_MAX])
{
	uint32_t bits = 0;
	int held = 0;
	size_t n = 0;

	if (text.len > TEXT_MAX)
		return 0;
	for (size_t i = 0; i < text.len; i++) {
		const char *at = text.data[i] ? strchr(letters, text.data[i]) : NULL;
		if (!at)
			return 0;
		bits = bits << 6 | (uint32_t)(at - letters);
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[n++] = (uint8_t)(bits >> held);
		}
	}
	/* One text for one cursor: what is left over is zero, and less than a letter. */
	if (held >= 6 || bits & ((1u << held) - 1) || n < HEAD_BYTES + CHECK)
		return 0;
	n -= CHECK;
	return le32(out + n) == checksum(out, n) ? n : 0;
}

int cursor_parse(struct bytes text, struct cursor *out, struct why *why)
{
	uint8_t b[BYTES_MAX];
	size_t len = decode(text, b);

	if (len == 0)
		return why_set(why, ERR_INVALID,
			       "this is not a cursor: pass next_cursor of an answer as it is");
	bool sorted = b[0] == SORTED;
	if ((b[0] != VERSION && !sorted) || b[1] > AXIS_UPDATED ||
	    (sorted ? len <= HEAD_BYTES || b[HEAD_BYTES] > 1 : len != HEAD_BYTES))
		return why_set(why, ERR_INVALID,
			       "this cursor is from another release: ask again without it");
	*out = (struct cursor){
		.axis = b[1] ? AXIS_UPDATED : AXIS_CREATED,
		.start_ms = get_i64(b + 2),
		.end_ms = get_i64(b + 10),
		.position = {get_i64(b + 18), le64(b + 26)},
		.question = le64(b + 34),
		.sorted = sorted,
	};
	if (!sorted)
		return 0;
	out->key.known = b[HEAD_BYTES];
	out->key.id_hash = out->position.id_hash;
	out->key.len = len - HEAD_BYTES - 1;
	memcpy(out->key.bytes, b + HEAD_BYTES + 1, out->key.len);
	return 0;
}
