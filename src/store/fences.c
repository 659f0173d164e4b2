/* fences: a search by halves. */
#include "fences.h"

uint64_t fence_key(struct bytes term)
{
	uint64_t key = 0;

	for (size_t i = 0; i < 8; i++)
		key = key << 8 | (i < term.len ? term.data[i] : 0);
	return key;
}

/* How many keys are smaller. */
static uint32_t rank_of(const struct fences *f, uint64_t key)
{
	uint32_t low = 0, high = f->leaves;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (f->keys[mid] < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Terms that begin alike have the same key: where one is a leaf's, the term may be in the leaf before it, too. */
bool fences_find(const struct fences *f, struct bytes term, uint32_t *leaf_out)
{
	uint64_t key = fence_key(term);
	uint32_t rank = rank_of(f, key);

	if (rank == 0 || (rank < f->leaves && f->keys[rank] == key))
		return false;
	*leaf_out = rank - 1;
	return true;
}
