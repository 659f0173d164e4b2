/* framed: see the header. The checksum covers the magic, too, so that a flipped bit never looks
 * like another version. */
#include "framed.h"

#include <codec/crc.h>
#include <store/segment.h>

size_t framed_begin(struct buf *out, const char *magic)
{
	static const uint8_t room[8];
	size_t start = out->len;

	buf_put(out, magic, 8);
	buf_put(out, room, sizeof room);
	return start;
}

static uint32_t sum_of(const uint8_t *frame, size_t body)
{
	uint32_t sum = crc_add(0, frame, 12);

	return (uint32_t)(body ? crc_add(sum, frame + FRAMED_HEAD, body) : sum);
}

void framed_end(struct buf *out, size_t start)
{
	if (out->error)
		return;
	uint8_t *frame = out->data + start;
	size_t body = out->len - start - FRAMED_HEAD;
	put_le32(frame + 8, (uint32_t)body);
	put_le32(frame + 12, sum_of(frame, body));
}

int framed_parse(struct bytes file, const char *magic, struct bytes *body_out)
{
	if (file.len < FRAMED_HEAD || file.len - FRAMED_HEAD != le32(file.data + 8))
		return ERR_CORRUPT;
	if (le32(file.data + 12) != sum_of(file.data, file.len - FRAMED_HEAD))
		return ERR_CORRUPT;
	if (memcmp(file.data, magic, 8) != 0)
		return memcmp(file.data, magic, 6) == 0 ? ERR_INVALID : ERR_CORRUPT;
	*body_out = bytes_of(file.data + FRAMED_HEAD, file.len - FRAMED_HEAD);
	return 0;
}
