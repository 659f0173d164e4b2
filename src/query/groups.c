/* groups: an array of groups of one size, a hash table of their numbers, and their keys one behind the other. */
#include "groups.h"

#include <base/err.h>

#include <stdlib.h>

#define GROUPS_FIRST 16u

static size_t group_size(const struct groups *g)
{
	return sizeof(struct group) + g->summaries * sizeof(struct summary);
}

struct group *groups_at(const struct groups *g, uint32_t i)
{
	return (struct group *)(void *)(g->all + i * group_size(g));
}

struct bytes group_key(const struct groups *g, const struct group *group)
{
	return bytes_of(g->keys.data + group->key_at, group->key_len);
}

static uint32_t *slot_of(const struct groups *g, struct bytes key, uint64_t hash)
{
	uint32_t mask = g->table_size - 1, at = (uint32_t)hash & mask;

	for (; g->table[at]; at = (at + 1) & mask) {
		const struct group *group = groups_at(g, g->table[at] - 1);
		if (group->hash == hash && bytes_equal(group_key(g, group), key))
			break;
	}
	return &g->table[at];
}

/* Twice as many groups, and a table that stays half empty. */
static int grow(struct groups *g)
{
	uint32_t cap = g->cap ? g->cap * 2 : GROUPS_FIRST;
	size_t more = cap - g->cap;

	if (!allowance_take(&g->allowance, more * (group_size(g) + 2 * sizeof *g->table)))
		return ERR_LIMIT;
	uint8_t *all = realloc(g->all, cap * group_size(g));
	if (!all)
		return ERR_NOMEM;
	g->all = all;
	uint32_t *table = calloc(cap * 2u, sizeof *table);
	if (!table)
		return ERR_NOMEM;
	free(g->table);
	g->table = table;
	g->table_size = cap * 2;
	g->cap = cap;
	for (uint32_t i = 0; i < g->count; i++) {
		const struct group *group = groups_at(g, i);
		*slot_of(g, group_key(g, group), group->hash) = i + 1;
	}
	return 0;
}

int groups_find(struct groups *g, struct bytes key, struct group **out)
{
	uint64_t hash = bytes_hash(key);
	uint32_t *slot = g->table_size ? slot_of(g, key, hash) : NULL;

	if (slot && *slot) {
		*out = groups_at(g, *slot - 1);
		return 0;
	}
	if (g->count == g->groups_max || !allowance_take(&g->allowance, key.len))
		return ERR_LIMIT;
	int rc = g->count == g->cap ? grow(g) : 0;
	if (rc)
		return rc;
	struct group *made = groups_at(g, g->count);
	memset(made, 0, group_size(g));
	made->hash = hash;
	made->key_at = (uint32_t)g->keys.len;
	made->key_len = (uint32_t)key.len;
	slot = slot_of(g, key, hash);
	buf_put_bytes(&g->keys, key);
	if (g->keys.error)
		return g->keys.error;
	*slot = ++g->count;
	*out = made;
	return 0;
}

void groups_release(struct groups *g)
{
	for (uint32_t i = 0; i < g->count; i++)
		for (size_t k = 0; k < g->summaries; k++)
			summary_release(&groups_at(g, i)->summaries[k]);
	free(g->all);
	free(g->table);
	buf_release(&g->keys);
}

void groups_clear(struct groups *g)
{
	const struct groups empty = {.summaries = g->summaries,
				     .groups_max = g->groups_max,
				     .allowance = {.max = g->allowance.max}};

	groups_release(g);
	*g = empty;
}
