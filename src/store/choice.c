/*
 * choice: see the header. In this order:
 *
 *   files with what is to go from the disk (purge.h)
 *   files of another schema, and those of the dictionary that the fewest records need when there are too
 *     many, each by itself
 *   files of which a third is dead, together
 *   full files that went cold, each by itself, but in no rush
 *   small files, when there are MERGED_SMALL: the smaller half of them, and then every next one that
 *     is not larger than all before it together, so that a record is copied about once for each
 *     doubling of its file
 *   full files, where DEPTH of them speak of the same time, but in no rush
 *
 * In a rush nothing is packed anew, so that files of an older dictionary are left alone as well, and
 * small ones wait until a full one comes of them, or until they are RUSH_SMALL.
 */
#include "choice.h"
#include "purge.h"

#include <stdlib.h>

/* At once, in full segments: so much is done in vain when a source goes meanwhile. */
#define RUN   5u
#define DEPTH 4u
/* More files are not compared with each other. */
#define DEPTH_FILES_MAX 512u
/* What did not change for so long before the newest that was read. */
#define COLD_MS    INT64_C(2592000000) /* 30 days */
#define RUSH_SMALL 24u
/* Dead rows matter in files of more than this part of a full one. */
#define DEAD_PART 40u

struct candidate {
	const struct state_segment *entry;
	struct segment *segment;
	uint32_t live, dead;
	uint64_t bytes; /* packed, of those that live */
	bool small, aged;
};

struct candidates {
	struct candidate *items;
	size_t count;
	const struct store *store;
};

static int by_live(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->live != y->live)
		return x->live < y->live ? -1 : 1;
	return x->segment->meta.number < y->segment->meta.number ? -1 : 1;
}

static int by_start(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int64_t s = x->segment->meta.ranges[RANGE_CREATED].min,
		t = y->segment->meta.ranges[RANGE_CREATED].min;

	if (s != t)
		return s < t ? -1 : 1;
	return x->segment->meta.number < y->segment->meta.number ? -1 : 1;
}

/* What changed last before this moment is cold; TIME_NONE: nobody knows. */
static int64_t horizon(const struct state_resource *r)
{
	int64_t newest = TIME_NONE;

	for (size_t i = 0; i < r->count; i++) {
		int64_t seen = r->segments[i].segment->meta.ranges[RANGE_SEEN].max;
		newest = seen > newest ? seen : newest;
	}
	return newest > TIME_MIN + COLD_MS ? newest - COLD_MS : TIME_NONE;
}

static bool aged(const struct segment_meta *m, int64_t before_ms)
{
	int64_t last = m->ranges[RANGE_UPDATED].max;

	if (last == TIME_NONE)
		last = m->ranges[RANGE_CREATED].max;
	if (last == TIME_NONE)
		last = m->ranges[RANGE_SEEN].max;
	return last != TIME_NONE && before_ms != TIME_NONE && last < before_ms;
}

static void gather(struct store *s, const struct state_resource *r, struct candidates *c)
{
	int64_t before_ms = horizon(r);

	for (size_t i = 0; i < r->count; i++) {
		struct segment *g = r->segments[i].segment;
		uint32_t live = segment_live(&r->segments[i]);
		uint64_t bytes = (g->meta.data_end - SEGMENT_PAGE) * live / g->meta.records;
		if (live == 0 || segment_in_memory(g) || g->damaged || !g->fields_loaded ||
		    (s->rush && g->meta.dictionary != r->dictionary))
			continue;
		c->items[c->count++] = (struct candidate){
			.entry = &r->segments[i],
			.segment = g,
			.live = live,
			.dead = g->meta.records - live,
			.bytes = bytes,
			.small = live < s->merged_rows / 2 && bytes < MERGED_BYTES / 2,
			.aged = aged(&g->meta, before_ms),
		};
	}
}

/* False: no room for it. */
static bool take(const struct candidates *c, struct choice *out, const struct candidate *one)
{
	if (out->count && (out->rows + one->live > (uint64_t)RUN * c->store->merged_rows ||
			   out->bytes + one->bytes > (uint64_t)RUN * MERGED_BYTES))
		return false;
	out->segments[out->count++] = one->segment;
	out->rows += one->live;
	out->bytes += one->bytes;
	return true;
}

static void take_nothing(struct choice *out)
{
	out->count = 0;
	out->rows = out->bytes = 0;
}

/* Files that come of it, at most. */
static uint64_t outcome(const struct candidates *c, const struct choice *out)
{
	return out->rows / c->store->merged_rows + out->bytes / MERGED_BYTES + 1;
}

/* ---- the reasons ---- */

uint64_t choice_spare_dictionary(const struct state_resource *r, uint64_t *rows_out)
{
	uint64_t spare = 0;

	*rows_out = UINT64_MAX;
	for (size_t i = 0; i < r->dictionaries_count; i++) {
		uint64_t number = r->dictionaries[i].number, rows = 0;
		if (number == r->dictionary)
			continue;
		for (size_t k = 0; k < r->count; k++)
			if (r->segments[k].segment->meta.dictionary == number)
				rows += segment_live(&r->segments[k]);
		if (rows >= *rows_out)
			continue;
		*rows_out = rows;
		spare = number;
	}
	return spare;
}

/* Not those that are packed densely together with others. */
static void choose_purged(const struct candidates *c, const struct state_resource *r,
			  struct choice *out)
{
	const struct purge p = purge_of(c->store->state, r->name);

	for (size_t i = 0; p.rows && i < c->count; i++) {
		const struct candidate *one = &c->items[i];
		bool alike = out->count == 0 ||
			     out->segments[0]->meta.cold == one->segment->meta.cold;
		if (alike && purge_needs(&p, one->entry) && !take(c, out, one))
			return;
	}
}

static void choose_old(const struct candidates *c, const struct state_resource *r, struct choice *out)
{
	uint64_t rows, spare = r->dictionaries_count < RESOURCE_DICTIONARIES_MAX
				       ? 0
				       : choice_spare_dictionary(r, &rows);

	for (size_t i = 0; i < c->count && out->count == 0; i++) {
		const struct segment *g = c->items[i].segment;
		if (!g->same_schema || (spare && g->meta.dictionary == spare))
			take(c, out, &c->items[i]);
	}
}

static void choose_dead(const struct candidates *c, struct choice *out)
{
	for (size_t i = 0; i < c->count; i++) {
		uint32_t dead = c->items[i].dead, records = c->items[i].segment->meta.records;
		if (records >= c->store->merged_rows / DEAD_PART && dead && dead >= records / 3 &&
		    !take(c, out, &c->items[i]))
			return;
	}
}

static void choose_aged(const struct candidates *c, struct choice *out)
{
	if (c->store->rush)
		return;
	for (size_t i = 0; i < c->count && out->count == 0; i++) {
		const struct candidate *one = &c->items[i];
		if (one->aged && !one->small && !one->segment->meta.cold)
			take(c, out, one);
	}
}

/* In a rush they wait until a full file comes of them, so that a record is copied about once. */
static bool enough_small(const struct candidates *c, size_t count, const struct candidate *sum)
{
	if (!c->store->rush || count >= RUSH_SMALL)
		return count >= MERGED_SMALL;
	return sum->live >= c->store->merged_rows || sum->bytes >= MERGED_BYTES;
}

static void choose_small(struct candidates *c, struct choice *out)
{
	struct candidate sum = {.live = 0};
	size_t small = 0, met = 0;

	qsort(c->items, c->count, sizeof *c->items, by_live);
	for (size_t i = 0; i < c->count; i++)
		if (c->items[i].small) {
			small++;
			sum.live += c->items[i].live;
			sum.bytes += c->items[i].bytes;
		}
	if (!enough_small(c, small, &sum))
		return;
	for (size_t i = 0; i < c->count; i++) {
		const struct candidate *one = &c->items[i];
		if (!one->small)
			continue;
		if (met++ >= small / 2 && one->live > out->rows)
			break;
		if (!take(c, out, one))
			break;
	}
	if (out->count <= outcome(c, out))
		take_nothing(out);
}

static bool spans(const struct candidate *one, int64_t time_ms)
{
	const struct range *created = &one->segment->meta.ranges[RANGE_CREATED];

	return !one->small && created->min <= time_ms && created->max > time_ms;
}

/* How many full ones speak of the time right behind; TIME_NONE is no time. */
static size_t depth(const struct candidates *c, int64_t time_ms)
{
	size_t n = 0;

	for (size_t i = 0; time_ms != TIME_NONE && i < c->count; i++)
		n += spans(&c->items[i], time_ms);
	return n;
}

static void choose_deep(struct candidates *c, struct choice *out)
{
	int64_t deepest_ms = TIME_NONE;
	size_t most = DEPTH - 1;

	if (c->store->rush || c->count > DEPTH_FILES_MAX)
		return;
	for (size_t i = 0; i < c->count; i++) {
		int64_t start_ms = c->items[i].segment->meta.ranges[RANGE_CREATED].min;
		size_t n = depth(c, start_ms);
		if (n <= most)
			continue;
		most = n;
		deepest_ms = start_ms;
	}
	if (deepest_ms == TIME_NONE)
		return;
	qsort(c->items, c->count, sizeof *c->items, by_start);
	for (size_t i = 0; i < c->count; i++)
		if (spans(&c->items[i], deepest_ms) && !take(c, out, &c->items[i]))
			break;
	if (out->count < outcome(c, out) || out->count < 2)
		take_nothing(out);
}

/* Rows that were packed densely stay so, whatever comes to them; in a rush no others become so. */
static bool packs_cold(const struct candidates *c, const struct choice *out)
{
	bool all = !c->store->rush;

	for (uint32_t k = 0; k < out->count; k++) {
		if (out->segments[k]->meta.cold)
			return true;
		for (size_t i = 0; i < c->count; i++)
			if (c->items[i].segment == out->segments[k])
				all &= c->items[i].aged;
	}
	return all;
}

/* ---- the call ---- */

int choice_make(struct store *s, const struct state_resource *r, struct choice *out)
{
	struct candidates c = {.store = s};

	*out = (struct choice){0};
	c.items = malloc((r->count + 1) * sizeof *c.items);
	out->segments = malloc((r->count + 1) * sizeof(struct segment *));
	if (!c.items || !out->segments) {
		free(c.items);
		choice_release(out);
		return ERR_NOMEM;
	}
	gather(s, r, &c);
	choose_purged(&c, r, out);
	if (out->count == 0)
		choose_old(&c, r, out);
	if (out->count == 0)
		choose_dead(&c, out);
	if (out->count == 0)
		choose_aged(&c, out);
	if (out->count == 0)
		choose_small(&c, out);
	if (out->count == 0)
		choose_deep(&c, out);
	out->cold = out->count && packs_cold(&c, out);
	free(c.items);
	return 0;
}

void choice_release(struct choice *c)
{
	free(c->segments);
	*c = (struct choice){0};
}
