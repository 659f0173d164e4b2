/* recent: a table with one place for each value of some bits of the hash: who comes later stays. */
#include "recent.h"

#include <stdlib.h>

#define PLACES 2048u

struct recent {
	struct place places[PLACES];
};

struct recent *recent_new(void)
{
	return calloc(1, sizeof(struct recent));
}

void recent_free(struct recent *t)
{
	free(t);
}

struct place *recent_place(struct recent *t, uint64_t id_hash)
{
	return &t->places[(id_hash >> 20) % PLACES];
}
