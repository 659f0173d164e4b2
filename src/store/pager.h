/*
 * pager: the sections of a new segment, page by page: elements of one size, streams of bytes, and
 * packed numbers.
 */
#ifndef FIC_STORE_PAGER_H
#define FIC_STORE_PAGER_H

#include "segment_file.h"

struct pager {
	struct out *out;
	struct section *section;
	uint32_t page; /* its number */
	uint32_t used;
	uint64_t bits; /* packed numbers that make no whole byte yet */
	unsigned bits_held;
	uint8_t bytes[SEGMENT_PAGE];
};

/* Begins a section at the next page; its place and size are written into `s` as it grows. */
void pager_begin(struct pager *p, struct section *s, uint32_t size);
void pager_end(struct pager *p);
/* Room for the next element, to be filled before the next call. */
uint8_t *pager_next(struct pager *p);
/* Into a section of single bytes. */
void pager_put(struct pager *p, const void *data, size_t len);
/* A number of `width` bits, and the end of a run of them. */
void pager_pack(struct pager *p, uint64_t v, unsigned width);
void pager_pack_end(struct pager *p);

#endif
