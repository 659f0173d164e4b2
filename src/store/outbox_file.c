/*
 * outbox_file: frames of an outbox, read from a file that may have been damaged. Believes a checksum and nothing else; a frame that cannot be believed costs itself
 * alone, since the next one is found by its marker.
 */
#include "outbox_file.h"

#include <codec/msgpack.h>

#include <zlib.h>

static uint32_t sum_of(const uint8_t *frame, size_t payload)
{
	uLong sum = crc32(0, frame, 8);

	return (uint32_t)crc32(sum, frame + OUTBOX_FRAME_HEAD, (uInt)payload);
}

size_t outbox_frame_begin(struct buf *out)
{
	static const uint8_t head[OUTBOX_FRAME_HEAD];
	size_t start = out->len;

	buf_put(out, head, sizeof head);
	return start;
}

void outbox_frame_end(struct buf *out, size_t start)
{
	if (out->error)
		return;
	uint8_t *frame = out->data + start;
	size_t payload = out->len - start - OUTBOX_FRAME_HEAD;
	put_le32(frame, OUTBOX_MARKER);
	put_le32(frame + 4, (uint32_t)payload);
	put_le32(frame + 8, sum_of(frame, payload));
}

enum frame { FRAME_GOOD, FRAME_CUT, FRAME_BAD };

static enum frame frame_look(struct bytes rest, struct bytes *payload_out)
{
	if (rest.len < OUTBOX_FRAME_HEAD)
		return FRAME_CUT;
	size_t len = le32(rest.data + 4);
	if (le32(rest.data) != OUTBOX_MARKER || len == 0 || len > OUTBOX_PAYLOAD_MAX)
		return FRAME_BAD;
	if (len > rest.len - OUTBOX_FRAME_HEAD)
		return FRAME_CUT;
	if (le32(rest.data + 8) != sum_of(rest.data, len))
		return FRAME_BAD;
	*payload_out = bytes_of(rest.data + OUTBOX_FRAME_HEAD, len);
	return FRAME_GOOD;
}

/* The next good frame behind a bad one; false: there is none. */
static bool frame_seek(struct bytes file, size_t *at)
{
	uint8_t marker[4];
	struct bytes payload;

	put_le32(marker, OUTBOX_MARKER);
	for (size_t i = *at + 1; i < file.len; i++) {
		const uint8_t *found = memmem(file.data + i, file.len - i, marker, sizeof marker);
		if (!found)
			return false;
		i = (size_t)(found - file.data);
		if (frame_look(bytes_of(found, file.len - i), &payload) == FRAME_GOOD) {
			*at = i;
			return true;
		}
	}
	return false;
}

/* What a file system makes of a write that was cut short. */
static bool is_zero(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.data[i])
			return false;
	return true;
}

static void read_payload(struct bytes payload, void (*each)(void *ctx, const struct edit *e),
			 void *ctx, unsigned *bad)
{
	struct mp_reader r = mp_reader_of(payload);
	struct mp_value head;
	struct bytes whole;
	struct edit e;

	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY) {
		(*bad)++;
		return;
	}
	for (uint32_t i = 0; i < head.count; i++) {
		if (mp_take(&r, &whole) != 1) {
			(*bad)++;
			return;
		}
		if (edit_decode(whole, &e))
			(*bad)++;
		else
			each(ctx, &e);
	}
}

int outbox_read(struct bytes file, void (*each)(void *ctx, const struct edit *e), void *ctx,
		size_t *end_out, unsigned *bad_out)
{
	struct bytes payload;
	size_t at = OUTBOX_FILE_HEAD;
	unsigned bad = 0;

	*end_out = 0;
	*bad_out = 1;
	if (file.len < OUTBOX_FILE_HEAD || memcmp(file.data, OUTBOX_MAGIC, OUTBOX_FILE_HEAD) != 0)
		return file.len >= OUTBOX_FILE_HEAD && memcmp(file.data, OUTBOX_MAGIC, 6) == 0
			       ? ERR_INVALID
			       : ERR_CORRUPT;
	while (at < file.len) {
		struct bytes rest = bytes_of(file.data + at, file.len - at);
		enum frame frame = frame_look(rest, &payload);
		if (frame == FRAME_GOOD) {
			read_payload(payload, each, ctx, &bad);
			at += OUTBOX_FRAME_HEAD + payload.len;
			continue;
		}
		size_t next = at;
		bool more = frame_seek(file, &next);
		if (!more && (frame == FRAME_CUT || is_zero(rest)))
			break;
		bad++;
		if (!more)
			break;
		at = next;
	}
	*end_out = at;
	*bad_out = bad;
	return bad ? ERR_CORRUPT : 0;
}
