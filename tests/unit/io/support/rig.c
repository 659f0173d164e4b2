/* rig: loops under test. Waits for events, never for time, except where a test says that nothing
 * may happen. */
#include "rig.h"

#include <base/clock.h>

#define TEST_SECONDS 60
#define WAIT_MS      20000

struct waiting {
	struct loop *loop;
	struct timer *look;
	struct timer *limit;
	bool (*ready)(void *ctx);
	void *ctx;
	bool late;
};

int rig_setup(void **state)
{
	struct why why = {""};

	alarm(TEST_SECONDS);
	*state = loop_new(&why);
	return *state ? 0 : -1;
}

int rig_teardown(void **state)
{
	loop_free(*state);
	alarm(0);
	return 0;
}

static void look(void *ctx)
{
	struct waiting *w = ctx;

	if (w->ready(w->ctx))
		loop_stop(w->loop);
}

static void give_up(void *ctx)
{
	struct waiting *w = ctx;

	w->late = true;
	loop_stop(w->loop);
}

void rig_until(struct loop *l, bool (*ready)(void *ctx), void *ctx)
{
	struct waiting w = {.loop = l, .ready = ready, .ctx = ctx};

	w.look = timer_new(l, look, &w);
	w.limit = timer_new(l, give_up, &w);
	timer_start(w.look, 0, 1);
	timer_start(w.limit, WAIT_MS, 0);
	loop_run(l);
	timer_free(w.look);
	timer_free(w.limit);
	assert_false(w.late);
}

static bool is_set(void *ctx)
{
	return **(const bool **)ctx;
}

void rig_until_flag(struct loop *l, const bool *flag)
{
	rig_until(l, is_set, &flag);
}

struct count {
	const unsigned *count;
	unsigned at_least;
};

static bool is_reached(void *ctx)
{
	const struct count *c = ctx;

	return *c->count >= c->at_least;
}

void rig_until_count(struct loop *l, const unsigned *count, unsigned at_least)
{
	struct count c = {count, at_least};

	rig_until(l, is_reached, &c);
}

static bool is_over(void *ctx)
{
	return clock_mono_ms() >= *(int64_t *)ctx;
}

void rig_turns(struct loop *l, int64_t ms)
{
	int64_t end_ms = clock_mono_ms() + ms;

	rig_until(l, is_over, &end_ms);
}
