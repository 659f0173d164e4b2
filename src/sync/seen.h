/*
 * seen: ids that a listing has shown, by 59 bits of their hash, in little memory: at most 8 bytes an id beyond the first 64 KiB, and so many ids only. Exact but for
 * two ids that share these bits: among a million, one id in 10^11 is taken for another. Each may be marked: of several readings together, what the last one has shown.
 */
#ifndef FIC_SYNC_SEEN_H
#define FIC_SYNC_SEEN_H

#include <base/bytes.h>

#define SEEN_MAX 1000000 /* ids, unless told otherwise */

struct seen_part;

/* A zeroed one is empty. */
struct seen {
	struct seen_part *parts;
	size_t count, marked; /* ids, and how many of them are marked */
};

void seen_release(struct seen *s); /* it is empty then */
bool seen_has(const struct seen *s, uint64_t hash);
/* 1: new, and not marked; 0: was there; ERR_LIMIT: there are `max` others, ERR_NOMEM. */
int seen_add(struct seen *s, uint64_t hash, size_t max);
bool seen_mark(struct seen *s, uint64_t hash);   /* true: it is there, and was not marked before */
void seen_mark_all(struct seen *s, bool marked); /* or none */
void seen_keep_marked(struct seen *s);           /* forgets the others */

#endif
