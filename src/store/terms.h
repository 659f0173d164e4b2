/*
 * terms: which rows of a segment have a term.
 */
#ifndef FIC_STORE_TERMS_H
#define FIC_STORE_TERMS_H

#include "pager.h"

/* The first eight bytes of a term as a number, zeros for what is missing: where they differ, they are in the order of the terms. */
static inline uint64_t term_key(struct bytes term)
{
	uint64_t key = 0;

	if (term.len >= sizeof key)
		return be64(term.data);
	for (size_t i = 0; i < term.len; i++)
		key |= (uint64_t)term.data[i] << (56 - 8 * i);
	return key;
}

/* Writes SECTION_POSTINGS and SECTION_TERMS of a new segment from the terms of its sources, in
 * slices. Borrows all of it until the end. NULL: no memory. */
struct terms_writer;
struct terms_writer *terms_writer_new(struct pager *p, const struct segment_plan *plan,
				      const struct segment_place *rows, uint32_t count,
				      struct section *sections);
/* About 2,000 rows of terms. 1: there is more, 0: done, or an error. */
int terms_writer_step(struct terms_writer *w);
void terms_writer_free(struct terms_writer *w);

/* A list of ordinals, read block by block. */
struct posting {
	struct segment *segment;
	struct pages *pages;
	uint32_t count;
	uint64_t offset; /* in SECTION_POSTINGS; of the first block */
	uint32_t skips;  /* words before it: one pair for each block; 0: one block */
	uint32_t block;  /* the one in `values`, UINT32_MAX: none */
	uint32_t hint;
	uint32_t values[SEGMENT_POST_BLOCK];
};

/* Where a list is, for who goes on with it later. */
struct posting_place {
	uint32_t count, skips;
	uint64_t offset;
	uint32_t values[SEGMENT_INLINE_MAX]; /* of a list as short as that */
};

void posting_place(const struct posting *l, struct posting_place *out);
void posting_resume(struct posting *l, struct segment *g, struct pages *p,
		    const struct posting_place *place);

/* 1: some row has the term, 0: none. The list is empty then. */
int terms_find(struct segment *g, struct pages *p, struct bytes term, struct posting *out);
/* The i-th ordinal. */
int posting_at(struct posting *l, uint32_t i, uint32_t *ordinal_out);
/* It and those behind it, as many as were read with it: borrowed until the list is read elsewhere. */
int posting_from(struct posting *l, uint32_t i, const uint32_t **ordinals_out, uint32_t *count_out);
/* How many ordinals are smaller. */
int posting_rank(struct posting *l, uint32_t ordinal, uint32_t *rank_out);

/* All terms in their order. 1, 0 at the end, or an error. */
struct term_cursor {
	struct segment *segment;
	struct pages *pages;
	uint32_t page, left, at; /* left: entries of the page that come */
	uint32_t hint;
	uint8_t term[SEGMENT_TERM_MAX];
	size_t len;
	struct posting list;
};

void term_cursor_init(struct term_cursor *c, struct segment *g, struct pages *p);
int term_cursor_next(struct term_cursor *c);
/* To the page from which on all terms that are not smaller are found; some smaller ones may come first. 0 or an error. */
int term_cursor_seek(struct term_cursor *c, struct bytes term);

#endif
