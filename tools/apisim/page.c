/* Pages of listings and searches. Orders come from the population; others
 * are made on demand and kept until the world changes. A page is found by
 * two binary searches and a walk over what matches; the total is counted
 * once for a query and a version of the world. */
#include "page.h"

#include "clock.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

struct order {
	const uint32_t *idx; /* live indexes, rising by (key, index) */
	const uint32_t *key; /* by index */
	uint32_t count;
};

/* An order that no population keeps: made for one field of one resource. */
static struct derived {
	const struct resource *res;
	const struct field *field;
	uint64_t version;
	uint32_t *idx, *key;
	uint32_t count;
} derived[8];
static unsigned derived_next;

static const struct derived *sort_target;

static int compare_derived(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const uint32_t *key = sort_target->key;

	if (key[x] != key[y])
		return key[x] < key[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

static bool derive(struct derived *d)
{
	const struct pop *p = d->res->pop;

	d->version = world.version;
	d->count = 0;
	d->idx = realloc(d->idx, (p->count + 1) * sizeof(uint32_t));
	d->key = realloc(d->key, (p->count + 1) * sizeof(uint32_t));
	if (!d->idx || !d->key)
		abort();
	for (uint32_t i = 0; i < p->count; i++) {
		if (!d->res->sort_key(i, d->field, &d->key[i]))
			return false;
		if (pop_live(p, i))
			d->idx[d->count++] = i;
	}
	sort_target = d;
	qsort(d->idx, d->count, sizeof(uint32_t), compare_derived);
	return true;
}

static bool derived_order(const struct resource *res, const struct field *f, struct order *out)
{
	struct derived *d = NULL;

	for (unsigned i = 0; i < 8; i++)
		if (derived[i].res == res && derived[i].field == f)
			d = &derived[i];
	if (!d) {
		d = &derived[derived_next++ % 8];
		d->res = res;
		d->field = f;
		d->version = world.version + 1;
	}
	if (d->version != world.version && !derive(d)) {
		d->field = NULL;
		return false;
	}
	*out = (struct order){d->idx, d->key, d->count};
	return true;
}

static bool find_order(const struct walk *w, struct order *out)
{
	const struct pop *p = w->res->pop;

	/* Contacts' ids begin with their time of creation. */
	if (w->sort->what == WHAT_CREATED || (w->sort->what == WHAT_ID && w->res->id_by_text))
		*out = (struct order){p->by_created, p->created, p->live};
	else if (w->sort->what == WHAT_UPDATED)
		*out = (struct order){p->by_updated, p->updated, p->live};
	else
		return derived_order(w->res, w->sort, out);
	return true;
}

static uint32_t lower(const struct order *o, int64_t key)
{
	if (key <= 0)
		return 0;
	if (key > UINT32_MAX)
		return o->count;
	return pop_lower(o->idx, o->count, o->key, (uint32_t)key, 0);
}

static bool found(const struct walk *w, uint32_t idx)
{
	const struct pop *p = w->res->pop;

	if (w->lag_s && w->query && idx >= p->base && p->created[idx] + w->lag_s > clock_now())
		return false;
	if (w->lag_s && w->query && !w->res->days && p->over[idx] &&
	    p->updated[idx] + w->lag_s > clock_now())
		return false;
	return !w->query || query_match(w->query, idx);
}

static struct {
	uint64_t query, version;
	uint32_t total;
} totals[64];

static uint32_t count_all(const struct walk *w, const struct order *o, uint32_t from,
			  uint32_t until, bool exact)
{
	uint64_t name = hash2(w->query_hash, (uint64_t)(uintptr_t)o->key);
	unsigned slot = (unsigned)(name % 64);
	uint32_t n = 0;

	if ((exact || !w->query) && !w->lag_s)
		return until - from;
	if (totals[slot].query == name && totals[slot].version == world.version && !w->lag_s)
		return totals[slot].total;
	for (uint32_t i = from; i < until; i++)
		n += found(w, o->idx[i]);
	totals[slot].query = name;
	totals[slot].version = world.version;
	totals[slot].total = n;
	return n;
}

/* Where the walk begins: behind the cursor's record, whether or not that
 * one is still there. */
static uint32_t start_after(const struct walk *w, const struct order *o)
{
	uint32_t at = pop_lower(o->idx, o->count, o->key, w->after->key, w->after->idx);

	if (!w->descending && at < o->count && o->idx[at] == w->after->idx &&
	    o->key[o->idx[at]] == w->after->key)
		at++;
	return at;
}

static bool take(struct page *out, const struct walk *w, const struct order *o, uint32_t idx)
{
	if (!found(w, idx))
		return true;
	if (out->count == w->per_page) {
		out->more = true;
		return false;
	}
	out->idx[out->count++] = idx;
	out->last.idx = idx;
	out->last.key = o->key[idx];
	return true;
}

bool page_walk(const struct walk *w, struct page *out)
{
	struct order o;
	int64_t min = INT64_MIN, max = INT64_MAX;
	uint32_t from, until, at;
	bool exact = false;

	*out = (struct page){0};
	if (!find_order(w, &o))
		return false;
	if (w->query)
		query_span(w->query, w->sort->what, &min, &max, &exact);
	from = lower(&o, min);
	until = lower(&o, max);
	if (until < from)
		until = from;
	out->total = count_all(w, &o, from, until, exact);
	at = w->after ? start_after(w, &o) : w->descending ? until : from;
	if (w->descending) {
		for (at = at > until ? until : at; at > from; at--)
			if (!take(out, w, &o, o.idx[at - 1]))
				break;
	} else {
		for (at = at < from ? from : at; at < until; at++)
			if (!take(out, w, &o, o.idx[at]))
				break;
	}
	return true;
}
