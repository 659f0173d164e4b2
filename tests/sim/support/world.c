/* world: things that come, change and go on their own, and never forget when. */
#include "world.h"

#include <assert.h>
#include <stdlib.h>

int64_t world_now(const struct world *w)
{
	return loop_wall_ms(w->loop) + w->options.clock_ms;
}

static void grow(void **items, unsigned *cap, size_t size)
{
	*cap = *cap ? *cap * 2 : 8;
	*items = realloc(*items, *cap * size);
	assert(*items);
}

static void note_change(struct thing *t, int64_t at_ms)
{
	if (t->changes == t->cap)
		grow((void **)&t->change_ms, &t->cap, sizeof *t->change_ms);
	assert(t->changes == 0 || t->change_ms[t->changes - 1] <= at_ms);
	t->change_ms[t->changes++] = at_ms;
}

struct thing *world_add(struct world *w, enum kind kind, int64_t created_ms)
{
	struct thing *t = calloc(1, sizeof *t);

	assert(t);
	*t = (struct thing){.kind = kind, .id = ++w->next_id, .deleted_ms = TIME_MAX};
	note_change(t, created_ms);
	if (w->count == w->cap)
		grow((void **)&w->things, &w->cap, sizeof *w->things);
	w->things[w->count++] = t;
	return t;
}

struct thing *world_find(const struct world *w, unsigned id)
{
	/* Ids grow. */
	unsigned low = 0, high = w->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (w->things[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < w->count && w->things[low]->id == id ? w->things[low] : NULL;
}

void world_change(struct world *w, struct thing *t, int64_t at_ms, bool part)
{
	note_change(t, at_ms);
	if (!part || (t->kind != KIND_CONVERSATION && t->kind != KIND_TICKET))
		return;
	if (t->part_count == t->part_cap)
		grow((void **)&t->parts, &t->part_cap, sizeof *t->parts);
	t->parts[t->part_count++] = (struct part){++w->next_id, at_ms};
}

void world_delete(struct thing *t, int64_t at_ms)
{
	t->deleted_ms = at_ms;
}

unsigned thing_version(const struct thing *t, int64_t at_ms)
{
	unsigned n = t->changes;

	while (n && t->change_ms[n - 1] > at_ms)
		n--;
	return n;
}

static void happen(struct world *w, int64_t at_ms)
{
	uint64_t dice = sim_below(&w->random, 100);
	struct thing *t;

	if (dice < 12 || w->count == 0) {
		world_add(w,
			  (enum kind)(sim_below(&w->random, 100) < 70
					      ? KIND_CONVERSATION
					      : sim_below(&w->random, KIND_TICKET)),
			  at_ms);
		return;
	}
	/* The old are left in peace more often than the young. */
	unsigned back = (unsigned)sim_below(&w->random, w->count);
	if (sim_below(&w->random, 2))
		back = (unsigned)sim_below(&w->random, back + 1);
	t = w->things[w->count - 1 - back];
	if (t->deleted_ms != TIME_MAX)
		return;
	if (dice < 16 + w->options.deletions)
		world_delete(t, at_ms);
	else
		world_change(w, t, at_ms, sim_below(&w->random, 2));
	if (t->deleted_ms == TIME_MAX && sim_below(&w->random, 100) < w->options.burst)
		world_change(w, t,
			     at_ms + (int64_t)sim_below(&w->random, (uint64_t)(1000 - at_ms % 1000)),
			     true);
}

static int64_t next_in(struct world *w)
{
	return 1 + (int64_t)sim_below(&w->random, 2 * (uint64_t)w->options.change_every_ms);
}

void world_advance(struct world *w)
{
	int64_t now = world_now(w);

	while (w->options.change_every_ms && w->next_change_ms <= now) {
		int64_t at = w->next_change_ms;
		happen(w, at);
		/* A burst reaches at most to the end of its second. */
		w->next_change_ms = at / 1000 * 1000 + 1000 + next_in(w);
	}
}

struct world *world_new(struct loop *l, const struct world_options *options)
{
	struct world *w = calloc(1, sizeof *w);

	assert(w);
	*w = (struct world){.options = *options,
			    .loop = l,
			    .random = options->seed * 7919 + 1,
			    .workspace = "ws1"};
	for (int k = 0; k < KINDS; k++)
		for (unsigned i = 0; i < options->count[k]; i++) {
			uint64_t span = (uint64_t)options->history_ms;
			int64_t at = options->start_ms - options->history_ms +
				     (int64_t)sim_below(&w->random, span);
			struct thing *t = world_add(w, (enum kind)k, at);
			for (uint64_t n = sim_below(&w->random, 4); n > 0; n--) {
				at += (int64_t)sim_below(&w->random,
							 (uint64_t)(options->start_ms - at) + 1);
				world_change(w, t, at, true);
			}
		}
	w->next_change_ms = options->start_ms + (options->change_every_ms ? next_in(w) : 0);
	return w;
}

void world_free(struct world *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->count; i++) {
		free(w->things[i]->change_ms);
		free(w->things[i]->parts);
		free(w->things[i]);
	}
	free(w->things);
	free(w);
}
