/* Populations: times and sorted orders. The orders hold exactly the live
 * records, sorted by (time, index), after every call; pop_add and pop_touch
 * move memory (4 bytes a record) rather than keep a tree, which is quick
 * enough for thousands of changes among a million records. */
#include "pop.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void *grow(void *p, size_t count, size_t size)
{
	void *q = realloc(p, count * size);

	if (!q)
		abort();
	return q;
}

static void pop_reserve(struct pop *p, uint32_t cap)
{
	if (cap <= p->cap)
		return;
	p->created = grow(p->created, cap, sizeof(uint32_t));
	p->updated = grow(p->updated, cap, sizeof(uint32_t));
	p->by_created = grow(p->by_created, cap, sizeof(uint32_t));
	p->by_updated = grow(p->by_updated, cap, sizeof(uint32_t));
	p->fetched = grow(p->fetched, cap, sizeof(uint32_t));
	p->over = grow(p->over, cap, sizeof(uint32_t));
	p->flags = grow(p->flags, cap, 1);
	p->cap = cap;
}

void pop_init(struct pop *p, uint32_t count)
{
	*p = (struct pop){0};
	pop_reserve(p, count + 64);
	p->count = p->base = p->live = count;
	memset(p->fetched, 0, sizeof(uint32_t) * p->cap);
	memset(p->over, 0, sizeof(uint32_t) * p->cap);
	memset(p->flags, 0, p->cap);
}

struct pair {
	uint32_t key, idx;
};

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->idx < y->idx ? -1 : x->idx > y->idx;
}

static void sort_order(uint32_t *order, const uint32_t *key, uint32_t n)
{
	struct pair *pairs = grow(NULL, n + 1, sizeof(*pairs));

	for (uint32_t i = 0; i < n; i++)
		pairs[i] = (struct pair){key[i], i};
	qsort(pairs, n, sizeof(*pairs), compare_pairs);
	for (uint32_t i = 0; i < n; i++)
		order[i] = pairs[i].idx;
	free(pairs);
}

void pop_sort(struct pop *p)
{
	/* Creation times of the seed rise with the index already. */
	for (uint32_t i = 0; i < p->count; i++)
		p->by_created[i] = i;
	sort_order(p->by_updated, p->updated, p->count);
	p->live = p->count;
}

uint32_t pop_lower(const uint32_t *order, uint32_t live, const uint32_t *key, uint32_t k, uint32_t idx)
{
	uint32_t lo = 0, hi = live;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2, i = order[mid];

		if (key[i] < k || (key[i] == k && i < idx))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void order_insert(uint32_t *order, uint32_t live, const uint32_t *key, uint32_t idx)
{
	uint32_t at = pop_lower(order, live, key, key[idx], idx);

	memmove(order + at + 1, order + at, sizeof(*order) * (live - at));
	order[at] = idx;
}

static void order_remove(uint32_t *order, uint32_t live, const uint32_t *key, uint32_t idx)
{
	uint32_t at = pop_lower(order, live, key, key[idx], idx);

	assert(at < live && order[at] == idx);
	memmove(order + at, order + at + 1, sizeof(*order) * (live - at - 1));
}

uint32_t pop_add(struct pop *p, uint32_t created)
{
	uint32_t idx = p->count;

	if (idx == p->cap)
		pop_reserve(p, p->cap + p->cap / 2 + 64);
	p->count++;
	p->created[idx] = p->updated[idx] = created;
	p->fetched[idx] = p->over[idx] = 0;
	p->flags[idx] = 0;
	order_insert(p->by_created, p->live, p->created, idx);
	order_insert(p->by_updated, p->live, p->updated, idx);
	p->live++;
	return idx;
}

void pop_touch(struct pop *p, uint32_t idx, uint32_t updated)
{
	assert(pop_live(p, idx));
	if (updated <= p->updated[idx])
		return;
	order_remove(p->by_updated, p->live, p->updated, idx);
	p->updated[idx] = updated;
	order_insert(p->by_updated, p->live - 1, p->updated, idx);
}

void pop_remove(struct pop *p, uint32_t idx)
{
	assert(pop_live(p, idx));
	order_remove(p->by_created, p->live, p->created, idx);
	order_remove(p->by_updated, p->live, p->updated, idx);
	p->flags[idx] |= POP_GONE;
	p->live--;
}

const struct overlay *pop_overlay(const struct pop *p, uint32_t idx)
{
	return p->over[idx] ? &p->overlays[p->over[idx] - 1] : NULL;
}

void pop_op(struct pop *p, uint32_t idx, struct op op)
{
	struct overlay *o;

	if (!p->over[idx]) {
		if (p->overlay_count == p->overlay_cap) {
			p->overlay_cap = p->overlay_cap ? p->overlay_cap * 2 : 64;
			p->overlays = grow(p->overlays, p->overlay_cap, sizeof(*p->overlays));
		}
		p->overlays[p->overlay_count] = (struct overlay){0};
		p->over[idx] = ++p->overlay_count;
	}
	o = &p->overlays[p->over[idx] - 1];
	if (o->count == o->cap) {
		o->cap = o->cap ? o->cap * 2 : 4;
		o->ops = grow(o->ops, o->cap, sizeof(*o->ops));
	}
	o->ops[o->count++] = op;
}

uint32_t pop_base_until(const struct pop *p, uint32_t t)
{
	uint32_t lo = 0, hi = p->base;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (p->created[mid] <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void pop_release(struct pop *p)
{
	for (uint32_t i = 0; i < p->overlay_count; i++)
		free(p->overlays[i].ops);
	free(p->overlays);
	free(p->created);
	free(p->updated);
	free(p->by_created);
	free(p->by_updated);
	free(p->fetched);
	free(p->over);
	free(p->flags);
	*p = (struct pop){0};
}
