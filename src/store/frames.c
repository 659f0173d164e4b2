/*
 * frames: a ring of entries, each written over the oldest ones, and a table of where they begin.
 *
 * A place counts all bytes that were ever written, so that it says by itself whether the entry was written over since: no entry needs to be looked for when it goes.
 */
#include "frames.h"

#include <stdlib.h>

#define BYTES_MIN   65536u
#define ENTRY_SHARE 64u /* of the ring, for one entry at most */
#define ALIGN       8u
#define EACH        128u /* bytes of the ring for a place of the table */
#define WAYS        4u   /* places that an entry can have */

struct entry {
	uint64_t segment;
	uint32_t ordinal, bytes; /* of the frame */
	struct row row;
	uint8_t frame[];
};

struct frames {
	uint8_t *ring;
	uint64_t size, end; /* bytes of the ring; bytes written, ever */
	uint32_t mask;
	uint64_t places[]; /* of entries, plus 1; 0: none */
};

struct frames *frames_new(size_t bytes_max)
{
	size_t places = BYTES_MIN / EACH;

	if (bytes_max < BYTES_MIN)
		bytes_max = BYTES_MIN;
	while (places * 2 * EACH <= bytes_max)
		places *= 2;
	struct frames *f = calloc(1, sizeof *f + places * sizeof *f->places);
	if (!f)
		return NULL;
	f->mask = (uint32_t)places - 1;
	f->size = (bytes_max - places * sizeof *f->places) / ALIGN * ALIGN;
	f->ring = malloc(f->size);
	if (!f->ring) {
		free(f);
		return NULL;
	}
	return f;
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	free(f->ring);
	free(f);
}

static uint32_t first_place(const struct frames *f, uint64_t segment, uint32_t ordinal)
{
	uint64_t h = (segment * UINT64_C(0x9e3779b97f4a7c15)) ^
		     (((uint64_t)ordinal + 1) * UINT64_C(0xd1b54a32d192ed03));

	return (uint32_t)(h >> 32) & f->mask & ~(WAYS - 1);
}

/* The entry at a place of the table; NULL: it is gone, or was never there. */
static const struct entry *entry_at(const struct frames *f, uint64_t place)
{
	if (!place || f->end - (place - 1) > f->size)
		return NULL;
	return (const struct entry *)(const void *)(f->ring + (place - 1) % f->size);
}

bool frames_find(const struct frames *f, uint64_t segment, uint32_t ordinal, struct row *row_out,
		 struct bytes *frame_out)
{
	uint32_t first = first_place(f, segment, ordinal);

	for (uint32_t i = first; i < first + WAYS; i++) {
		const struct entry *e = entry_at(f, f->places[i]);
		if (!e || e->segment != segment || e->ordinal != ordinal)
			continue;
		*row_out = e->row;
		*frame_out = bytes_of(e->frame, e->bytes);
		return true;
	}
	return false;
}

void frames_keep(struct frames *f, uint64_t segment, uint32_t ordinal, const struct row *row,
		 struct bytes frame)
{
	uint64_t bytes = (sizeof(struct entry) + frame.len + ALIGN - 1) / ALIGN * ALIGN;
	uint64_t left = f->size - f->end % f->size;
	uint32_t first = first_place(f, segment, ordinal), oldest = first;

	if (bytes > f->size / ENTRY_SHARE)
		return;
	/* None goes over the ring's end. */
	if (left < bytes)
		f->end += left;
	for (uint32_t i = first; i < first + WAYS; i++)
		if (f->places[i] < f->places[oldest])
			oldest = i;
	f->places[oldest] = f->end + 1;
	struct entry *e = (struct entry *)(void *)(f->ring + f->end % f->size);
	f->end += bytes;
	*e = (struct entry){
		.segment = segment, .ordinal = ordinal, .bytes = (uint32_t)frame.len, .row = *row};
	memcpy(e->frame, frame.data, frame.len);
}

void frames_clear(struct frames *f)
{
	memset(f->places, 0, ((size_t)f->mask + 1) * sizeof *f->places);
	explicit_bzero(f->ring, f->end < f->size ? f->end : f->size);
}
