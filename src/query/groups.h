/*
 * groups: a table of groups by key, each with a count and some summaries, in bounded memory. Private to this layer.
 */
#ifndef FIC_QUERY_GROUPS_H
#define FIC_QUERY_GROUPS_H

#include "summary.h"

struct group {
	uint64_t hash, count;
	uint32_t key_at, key_len;
	struct summary summaries[];
};

/* Starts zeroed but for the first three. */
struct groups {
	size_t summaries; /* of each group */
	uint32_t groups_max;
	struct allowance allowance;
	uint8_t *all;
	uint32_t count, cap;
	uint32_t *table; /* by hash, open addressing: number + 1, 0: empty */
	uint32_t table_size;
	struct buf keys;
};

/* The key's group, made when there is none. 0, ERR_LIMIT (more than fit), ERR_NOMEM. The group moves with the next one that is made. */
int groups_find(struct groups *g, struct bytes key, struct group **out);
struct group *groups_at(const struct groups *g, uint32_t i);
struct bytes group_key(const struct groups *g, const struct group *group);
void groups_clear(struct groups *g); /* there are none again */
void groups_release(struct groups *g);

#endif
