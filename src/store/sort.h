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

struct sort {
	struct sort_key *keys; /* what is to be sorted, and what was */
	uint32_t count;
	struct sort_key *spare;
	uint32_t width; /* of the runs that are in order; 0: not begun */
	uint32_t at;
};

/* Negative, 0 or positive. */
int sort_compare(const struct sort_key *a, const struct sort_key *b);
/* Room for so many keys; count is 0. ERR_NOMEM. */
int sort_init(struct sort *s, uint32_t cap);
void sort_release(struct sort *s);
/* Another sort of as many keys at most, in the same memory. */
void sort_reset(struct sort *s);
/* Well under a millisecond for 100,000 keys. True: there is more to do. */
bool sort_step(struct sort *s);

#endif
