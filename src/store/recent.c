/* recent: sets of four places, in the order of use. */
#include "recent.h"

#include <stdlib.h>
#include <string.h>

#define SETS 512u
#define EACH 4u

struct recent {
	struct place places[SETS][EACH];
};

struct recent *recent_new(void)
{
	return calloc(1, sizeof(struct recent));
}

void recent_free(struct recent *t)
{
	free(t);
}

static struct place *set_of(struct recent *t, uint64_t id_hash)
{
	return t->places[(id_hash >> 20) % SETS];
}

/* The first of the set, which had been at `from`. */
static struct place *to_front(struct place *set, unsigned from, struct place place)
{
	memmove(set + 1, set, from * sizeof *set);
	set[0] = place;
	return set;
}

struct place *recent_find(struct recent *t, uint64_t id_hash)
{
	struct place *set = set_of(t, id_hash);

	for (unsigned i = 0; i < EACH; i++)
		if (set[i].segment && set[i].row.id_hash == id_hash)
			return i ? to_front(set, i, set[i]) : set;
	return NULL;
}

void recent_keep(struct recent *t, const struct place *place)
{
	struct place *set = set_of(t, place->row.id_hash);
	unsigned from = 0;

	while (from < EACH - 1 && set[from].segment && set[from].row.id_hash != place->row.id_hash)
		from++;
	to_front(set, from, *place);
}
