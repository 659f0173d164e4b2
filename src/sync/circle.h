/*
 * circle: whether a listing goes round. Told each id that is shown, it says when they come again and again. Counts all of them while there are few, and then one of 2, 4, 8 …, chosen
 * by their hashes: 32 KiB at most, however long the listing is.
 */
#ifndef FIC_SYNC_CIRCLE_H
#define FIC_SYNC_CIRCLE_H

#include "hashset.h"

/* A zeroed one is empty. */
struct circle {
	struct hashset ids; /* those that are counted */
	unsigned halvings;
	uint64_t again; /* how often one of them was shown that had been before */
};

void circle_release(struct circle *c); /* it is empty then */
/* 0, or ERR_NOMEM. */
int circle_show(struct circle *c, uint64_t hash);
/* What moves while it is read is shown again, and all of it may: but not three times, and a thousand besides. */
bool circle_closed(const struct circle *c);

#endif
