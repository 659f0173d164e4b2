/* hashset: a growing set of 64-bit hashes. Eight to sixteen bytes an entry. */
#ifndef FIC_SYNC_HASHSET_H
#define FIC_SYNC_HASHSET_H

#include <base/bytes.h>

struct hashset {
	uint64_t *slots; /* 0: empty */
	size_t count, cap;
};

void hashset_release(struct hashset *s);
bool hashset_has(const struct hashset *s, uint64_t hash);
/* 1: new, 0: was there, ERR_NOMEM. */
int hashset_add(struct hashset *s, uint64_t hash);

#endif
