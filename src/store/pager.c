/* pager: fills one page at a time, and sums it when it is full. */
#include "pager.h"

#include <assert.h>

static void flush(struct pager *p)
{
	if (p->used == 0)
		return;
	memset(p->bytes + p->used, 0, SEGMENT_PAGE_ROOM - p->used);
	put_le32(p->bytes + SEGMENT_PAGE_ROOM, page_sum(p->bytes, p->page));
	out_put(p->out, p->bytes, SEGMENT_PAGE);
	p->used = 0;
	p->page++;
	p->section->pages++;
}

void pager_begin(struct pager *p, struct section *s, uint32_t size)
{
	assert(p->used == 0 && p->bits_held == 0);
	*s = (struct section){
		.first_page = p->page, .size = size, .per_page = SEGMENT_PAGE_ROOM / size};
	p->section = s;
}

void pager_end(struct pager *p)
{
	flush(p);
}

uint8_t *pager_next(struct pager *p)
{
	if (p->used + p->section->size > SEGMENT_PAGE_ROOM)
		flush(p);
	uint8_t *at = p->bytes + p->used;
	p->used += p->section->size;
	p->section->elements++;
	return at;
}

void pager_put(struct pager *p, const void *data, size_t len)
{
	const uint8_t *from = data;

	p->section->elements += (uint32_t)len;
	while (len) {
		size_t n = SEGMENT_PAGE_ROOM - p->used;
		n = n < len ? n : len;
		memcpy(p->bytes + p->used, from, n);
		p->used += (uint32_t)n;
		from += n;
		len -= n;
		if (p->used == SEGMENT_PAGE_ROOM)
			flush(p);
	}
}

void pager_pack(struct pager *p, uint64_t v, unsigned width)
{
	p->bits |= v << p->bits_held;
	p->bits_held += width;
	for (; p->bits_held >= 8; p->bits_held -= 8) {
		p->bytes[p->used++] = (uint8_t)p->bits;
		p->section->elements++;
		if (p->used == SEGMENT_PAGE_ROOM)
			flush(p);
		p->bits >>= 8;
	}
}

void pager_pack_end(struct pager *p)
{
	if (p->bits_held)
		pager_pack(p, 0, 8 - p->bits_held);
}
