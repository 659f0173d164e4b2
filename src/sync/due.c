/*
 * due: when regular runs are due: what was missed is made up for once, clocks that jump neither stall nor repeat anything, and not all begin in the same
 * second. Makes no run itself.
 */
#include "sync_state.h"

#include <stdio.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define SPREAD_MS (5 * MINUTE_MS)
#define JUMP_MS \
	10000 /* between the wall clock and the monotonic one: the machine slept, or the clock was set */

/* The same for the same source, resource and round, and different for others; 0 when nothing is to be spread. */
static uint64_t seed_of(const struct resource *r, uint64_t round)
{
	uint64_t seed = r->sync->options.seed;

	if (seed == 0)
		return 0;
	seed ^= bytes_hash(bytes_str(r->options.type->name));
	seed = (seed + round) * UINT64_C(0x9e3779b97f4a7c15);
	seed = (seed ^ seed >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
	return seed ^ seed >> 29;
}

int64_t due_after_ms(struct resource *r)
{
	int64_t every = r->options.every_ms;

	return every - (int64_t)(seed_of(r, ++r->rounds) % (uint64_t)(every / 10 + 1));
}

static int64_t next_of(const struct resource *r, int64_t after_ms)
{
	return schedule_next(&r->options.full, r->sync->options.zone, after_ms);
}

static void plan_full(struct resource *r, int64_t after, int64_t wall)
{
	int64_t at = next_of(r, after);

	if (at != TIME_NONE && at < wall) {
		/* Missed: made up for, unless the next time is near. */
		int64_t next = next_of(r, wall);
		at = next != TIME_NONE && next - wall <= (next_of(r, next) - next) / 4 ? next : wall;
	}
	r->full_wall_ms = at == TIME_NONE
				  ? TIME_NONE
				  : at + schedule_spread(&r->options.full, r->sync->options.zone,
							 at, SPREAD_MS, seed_of(r, 0));
}

/* A time in the future was noted by a clock that ran ahead: up to an hour it keeps what is done from being done again, beyond that it is not believed. */
void due_replan(struct resource *r, int64_t wall)
{
	if (r->full_done_ms == TIME_NONE || r->full_done_ms > wall + HOUR_MS)
		r->full_done_ms = wall;
	plan_full(r, r->full_done_ms, wall);
}

void due_load(struct resource *r, const struct snapshot *view, int64_t wall)
{
	char key[64];

	snprintf(key, sizeof key, "full.%s", r->options.type->name);
	struct bytes mark = snapshot_mark(view, key);
	if (mark.len == 0 || time_parse(mark, &r->full_done_ms))
		r->full_done_ms = TIME_NONE;
	due_replan(r, wall);
}

bool due_full(struct resource *r, int64_t wall)
{
	if (r->full_wall_ms == TIME_NONE || wall < r->full_wall_ms)
		return false;
	plan_full(r, wall, wall);
	return true;
}

void due_full_ended(struct resource *r, bool ok, int64_t wall)
{
	if (ok) {
		r->full_done_ms = wall;
		due_replan(r, wall);
	} else if (r->full_wall_ms != TIME_NONE && r->full_wall_ms > wall + HOUR_MS) {
		r->full_wall_ms = wall + HOUR_MS;
	}
}

static bool reads_all(const struct resource *r)
{
	for (int k = 0; k < RUN_KINDS; k++)
		if (r->runs[k] && r->runs[k]->full)
			return true;
	return false;
}

/* After a sleep the delays that were slept through are over. */
static void jumped(struct resource *r, int64_t by, int64_t wall)
{
	if (by > 0) {
		r->due_mono_ms -= by;
		r->backfill_mono_ms -= by;
	}
	/* One that is under way plans the next at its end. */
	if (!reads_all(r))
		due_replan(r, wall);
}

void due_clock(struct sync *s, int64_t mono, int64_t wall)
{
	int64_t by = wall - mono - s->clock_base_ms;

	if (by > -JUMP_MS && by < JUMP_MS)
		return;
	s->clock_base_ms += by;
	if (by > 0)
		s->paused_until_ms -= by;
	for (size_t i = 0; i < s->options.resource_count; i++)
		jumped(&s->resources[i], by, wall);
}
