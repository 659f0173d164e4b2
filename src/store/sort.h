/*
 * sort: many keys in order, a slice at a time. A merge sort, because it can stop anywhere.
 */
#ifndef FIC_STORE_SORT_H
#define FIC_STORE_SORT_H

#include <base/bytes.h>
#include <base/err.h>

/* Ordered by major, middle, minor, ordinal. */
struct sort_key {
	uint64_t major, middle, minor;
	uint32_t ordinal;
};

/* The key of an element, but for its ordinal. */
typedef void sort_key_of(const void *ctx, uint32_t ordinal, struct sort_key *out);

/* Holds ordinals, eight bytes for each: keys are asked for when they are compared. */
struct sort {
	uint32_t *order; /* what is to be sorted, and what was */
	uint32_t count;
	uint32_t *spare;
	struct sort_key *block; /* of which the keys are in memory, and room for as many */
	sort_key_of *key;
	const void *ctx;
	uint32_t width; /* of the runs that are in order; 0: not begun */
	uint32_t at;
};

/* Negative, 0 or positive. */
int sort_compare(const struct sort_key *a, const struct sort_key *b);
/* Room for so many; sort_reset comes next. ERR_NOMEM. */
int sort_init(struct sort *s, uint32_t cap);
void sort_release(struct sort *s);
/* A sort, or another one, of as many at most: count is 0. */
void sort_reset(struct sort *s, sort_key_of *key, const void *ctx);
/* Well under a millisecond for 100,000 keys. True: there is more to do. */
bool sort_step(struct sort *s);

#endif
