/* fences: see the header. */
#include "fences.h"
#include "terms.h"

#include <base/sorted.h>

/* Terms that begin alike have the same key: where one is a leaf's, the term may be in the leaf before it, too. */
bool fences_find(const struct fences *f, struct bytes term, uint32_t *leaf_out)
{
	uint64_t key = term_key(term);
	uint32_t rank = (uint32_t)sorted_rank64(f->keys, f->leaves, key);

	if (rank == 0 || (rank < f->leaves && f->keys[rank] == key))
		return false;
	*leaf_out = rank - 1;
	return true;
}

size_t fences_bytes(const struct state *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->resources_count; i++) {
		const struct state_resource *r = t->resources[i];
		for (size_t j = 0; j < r->count; j++) {
			const struct fences *f = r->segments[j].segment->fences;
			n += f ? sizeof *f + f->leaves * sizeof *f->keys : 0;
		}
	}
	return n;
}
