/* Orders: sorted arrays with room for the next. Must never hold an index
 * twice; what is not in it has the key INT64_MIN. */
#include "front_order.h"

#include <stdlib.h>
#include <string.h>

uint32_t front_order_lower(const uint32_t *order, uint32_t count, const int64_t *keys, int64_t key,
			   uint32_t idx)
{
	uint32_t from = 0, to = count;

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;
		int64_t k = keys[order[mid]];

		if (k < key || (k == key && order[mid] < idx))
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static void make_room(struct front_order *o, uint32_t idx)
{
	if (o->count == o->cap) {
		o->cap = o->cap ? o->cap * 2 : 64;
		o->idx = realloc(o->idx, o->cap * sizeof(*o->idx));
	}
	if (idx >= o->key_cap) {
		uint32_t cap = idx + idx / 2 + 64;

		o->key = realloc(o->key, cap * sizeof(*o->key));
		for (uint32_t i = o->key_cap; o->key && i < cap; i++)
			o->key[i] = INT64_MIN;
		o->key_cap = cap;
	}
	if (!o->idx || !o->key)
		abort();
}

void front_order_remove(struct front_order *o, uint32_t idx)
{
	uint32_t at;

	if (idx >= o->key_cap || o->key[idx] == INT64_MIN)
		return;
	at = front_order_lower(o->idx, o->count, o->key, o->key[idx], idx);
	memmove(o->idx + at, o->idx + at + 1, (o->count - at - 1) * sizeof(*o->idx));
	o->count--;
	o->key[idx] = INT64_MIN;
}

void front_order_put(struct front_order *o, uint32_t idx, int64_t key)
{
	uint32_t at;

	front_order_remove(o, idx);
	make_room(o, idx);
	at = front_order_lower(o->idx, o->count, o->key, key, idx);
	memmove(o->idx + at + 1, o->idx + at, (o->count - at) * sizeof(*o->idx));
	o->idx[at] = idx;
	o->key[idx] = key;
	o->count++;
}

void front_order_release(struct front_order *o)
{
	free(o->idx);
	free(o->key);
	*o = (struct front_order){0};
}
