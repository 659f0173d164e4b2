/*
 * loop: timers and tasks on a virtual clock. Tasks take no time, so that how much they do in a slice changes nothing; with SIM_SLOW in the environment
 * each of their turns takes a millisecond (and no run is quite like the other).
 */
#include "sim.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct timer {
	struct loop *loop;
	struct timer *next;
	void (*fire)(void *ctx);
	void *ctx;
	int64_t due_ms, repeat_ms;
	uint64_t order;
	bool active, freed;
};

struct task {
	struct loop *loop;
	struct task *next;
	bool (*step)(void *ctx);
	void *ctx;
	bool active, freed;
};

struct loop {
	struct timer *timers;
	struct task *tasks;
	int64_t mono_ms, wall_offset_ms;
	uint64_t order;
	bool stop, slow_tasks;
};

uint64_t sim_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Jitter is the same in every run of a test, too. */
static uint64_t jitter;

uint32_t arc4random_uniform(uint32_t n)
{
	return (uint32_t)sim_below(&jitter, n);
}

struct loop *sim_loop_new(int64_t wall_ms)
{
	struct loop *l = calloc(1, sizeof *l);

	assert(l);
	l->slow_tasks = getenv("SIM_SLOW") != NULL;
	jitter = l->slow_tasks ? (uint64_t)time(NULL) * 1000 + (uint64_t)getpid() : 0;
	l->mono_ms = 1000000;
	l->wall_offset_ms = wall_ms - l->mono_ms;
	return l;
}

struct loop *loop_new(struct why *why)
{
	(void)why;
	return sim_loop_new(1700000000000);
}

static void reap(struct loop *l)
{
	for (struct timer **at = &l->timers, *t; (t = *at);) {
		if (t->freed) {
			*at = t->next;
			free(t);
		} else {
			at = &t->next;
		}
	}
	for (struct task **at = &l->tasks, *t; (t = *at);) {
		if (t->freed) {
			*at = t->next;
			free(t);
		} else {
			at = &t->next;
		}
	}
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	reap(l);
	assert(!l->timers && !l->tasks); /* someone forgot a timer or a task */
	free(l);
}

static struct timer *first_due(const struct loop *l)
{
	struct timer *best = NULL;

	for (struct timer *t = l->timers; t; t = t->next)
		if (t->active && !t->freed &&
		    (!best || t->due_ms < best->due_ms ||
		     (t->due_ms == best->due_ms && t->order < best->order)))
			best = t;
	return best;
}

/* Timers that are due now and were so when the turn began: one that is set again waits for the next turn. */
static bool fire_timers(struct loop *l)
{
	uint64_t before = l->order;
	bool any = false;

	for (;;) {
		struct timer *t = first_due(l);
		if (!t || t->due_ms > l->mono_ms || t->order > before)
			return any;
		t->active = false;
		if (t->repeat_ms)
			timer_start(t, t->repeat_ms, t->repeat_ms);
		t->fire(t->ctx);
		any = true;
	}
}

static bool step_tasks(struct loop *l)
{
	bool any = false;

	for (struct task *t = l->tasks; t; t = t->next) {
		if (!t->active || t->freed)
			continue;
		any = true;
		if (!t->step(t->ctx) && !t->freed)
			t->active = false;
	}
	return any;
}

bool sim_run(struct loop *l, int64_t mono_ms, bool (*enough)(void *ctx), void *ctx)
{
	for (;;) {
		bool any = fire_timers(l);
		while (step_tasks(l)) {
			any = true;
			if (l->slow_tasks) {
				l->mono_ms++;
				break;
			}
		}
		reap(l);
		if (enough && enough(ctx))
			return true;
		if (any)
			continue;
		struct timer *t = first_due(l);
		if (!t || t->due_ms > mono_ms) {
			if (l->mono_ms < mono_ms)
				l->mono_ms = mono_ms;
			return false;
		}
		if (t->due_ms > l->mono_ms)
			l->mono_ms = t->due_ms;
	}
}

static bool stopped(void *ctx)
{
	return ((struct loop *)ctx)->stop;
}

void loop_run(struct loop *l)
{
	l->stop = false;
	sim_run(l, INT64_MAX, stopped, l);
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}

void sim_step_wall(struct loop *l, int64_t by_ms)
{
	l->wall_offset_ms += by_ms;
}

int64_t loop_wall_ms(const struct loop *l)
{
	return l->mono_ms + l->wall_offset_ms;
}

int64_t loop_mono_ms(const struct loop *l)
{
	return l->mono_ms;
}

/* Nobody waits here. */
int64_t loop_slice_us(const struct loop *l)
{
	(void)l;
	return LOOP_SLICE_US;
}

struct timer *timer_new(struct loop *l, void (*fire)(void *ctx), void *ctx)
{
	struct timer *t = calloc(1, sizeof *t);

	assert(t);
	*t = (struct timer){.loop = l, .next = l->timers, .fire = fire, .ctx = ctx};
	l->timers = t;
	return t;
}

void timer_start(struct timer *t, int64_t delay_ms, int64_t repeat_ms)
{
	assert(!t->freed);
	t->active = true;
	t->due_ms = t->loop->mono_ms + (delay_ms > 0 ? delay_ms : 0);
	t->repeat_ms = repeat_ms;
	t->order = ++t->loop->order;
}

void timer_stop(struct timer *t)
{
	t->active = false;
}

bool timer_active(const struct timer *t)
{
	return t->active;
}

void timer_free(struct timer *t)
{
	if (!t)
		return;
	assert(!t->freed);
	t->active = false;
	t->freed = true;
}

struct task *task_new(struct loop *l, bool (*step)(void *ctx), void *ctx)
{
	struct task *t = calloc(1, sizeof *t);

	assert(t);
	*t = (struct task){.loop = l, .next = l->tasks, .step = step, .ctx = ctx};
	l->tasks = t;
	return t;
}

void task_start(struct task *t)
{
	assert(!t->freed);
	t->active = true;
}

void task_stop(struct task *t)
{
	t->active = false;
}

bool task_active(const struct task *t)
{
	return t->active;
}

void task_free(struct task *t)
{
	if (!t)
		return;
	assert(!t->freed);
	t->active = false;
	t->freed = true;
}
