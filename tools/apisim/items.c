/* The short lists (admins, teams, tags, segments) and the history of their
 * names. Members are never taken out of the array: an index stays good for
 * ever, a member that is gone is only marked. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static void name_push(struct item *it, const char *name, uint32_t at)
{
	it->names = realloc(it->names, (it->name_count + 1) * sizeof(*it->names));
	if (!it->names)
		abort();
	it->names[it->name_count].seq = world.version;
	it->names[it->name_count].at = at;
	it->names[it->name_count].text = strdup(name);
	if (!it->names[it->name_count].text)
		abort();
	it->name_count++;
}

struct item *items_add(struct items *l, uint64_t id, const char *name, uint32_t at)
{
	struct item *it;

	if (l->count == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->list = realloc(l->list, l->cap * sizeof(*l->list));
		if (!l->list)
			abort();
	}
	it = &l->list[l->count++];
	*it = (struct item){.id = id, .created = at, .updated = at};
	name_push(it, name, at);
	return it;
}

void item_rename(struct item *it, const char *name, uint32_t at)
{
	name_push(it, name, at);
	it->updated = at;
}

uint32_t item_revision(const struct item *it, uint64_t seq)
{
	uint32_t k = it->name_count - 1;

	while (k > 0 && it->names[k].seq > seq)
		k--;
	return k;
}

const char *item_name(const struct item *it, uint64_t seq)
{
	return it->names[item_revision(it, seq)].text;
}

bool item_there(const struct item *it, uint64_t seq)
{
	return !it->gone_seq || it->gone_seq > seq;
}

int64_t items_find(const struct items *l, const char *id)
{
	char *end;
	unsigned long long v = strtoull(id, &end, 10);

	if (*id < '0' || *id > '9' || *end)
		return -1;
	for (uint32_t i = 0; i < l->count; i++)
		if (l->list[i].id == v && !l->list[i].gone_seq)
			return i;
	return -1;
}

uint32_t items_pick(const struct items *l, struct rng *r)
{
	uint32_t i = rng_below(r, l->count);

	for (uint32_t k = 0; k < l->count; k++, i = (i + 1) % l->count)
		if (!l->list[i].gone_seq)
			return i;
	return 0;
}

void items_release(struct items *l)
{
	for (uint32_t i = 0; i < l->count; i++) {
		for (uint32_t k = 0; k < l->list[i].name_count; k++)
			free(l->list[i].names[k].text);
		free(l->list[i].names);
	}
	free(l->list);
	*l = (struct items){0};
}

void world_release(void)
{
	pop_release(&world.conversations);
	pop_release(&world.contacts);
	pop_release(&world.companies);
	pop_release(&world.tickets);
	pop_release(&world.articles);
	items_release(&world.admins);
	items_release(&world.teams);
	items_release(&world.tags);
	items_release(&world.segments);
	free(world.deletions);
	free(world.company_users);
	world = (struct world){0};
}
