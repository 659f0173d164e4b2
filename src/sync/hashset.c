/* hashset: open addressing with linear probing; the hashes are good already. */
#include "hashset.h"

#include <base/err.h>

#include <stdlib.h>

void hashset_release(struct hashset *s)
{
	free(s->slots);
	*s = (struct hashset){0};
}

static uint64_t *slot_of(const struct hashset *s, uint64_t hash)
{
	size_t i = (size_t)hash & (s->cap - 1);

	while (s->slots[i] && s->slots[i] != hash)
		i = (i + 1) & (s->cap - 1);
	return &s->slots[i];
}

bool hashset_has(const struct hashset *s, uint64_t hash)
{
	return s->cap && *slot_of(s, hash ? hash : 1);
}

static int grow(struct hashset *s)
{
	struct hashset bigger = {.cap = s->cap ? s->cap * 2 : 64, .count = s->count};

	bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
	if (!bigger.slots)
		return ERR_NOMEM;
	for (size_t i = 0; i < s->cap; i++)
		if (s->slots[i])
			*slot_of(&bigger, s->slots[i]) = s->slots[i];
	free(s->slots);
	*s = bigger;
	return 0;
}

int hashset_add(struct hashset *s, uint64_t hash)
{
	if (hash == 0)
		hash = 1;
	if (s->count * 4 >= s->cap * 3 && grow(s))
		return ERR_NOMEM;
	uint64_t *slot = slot_of(s, hash);
	if (*slot)
		return 0;
	*slot = hash;
	s->count++;
	return 1;
}
