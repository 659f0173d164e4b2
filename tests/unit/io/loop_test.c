/* loop: order, fairness, measurement, and freeing from inside callbacks. */
#include "support/rig.h"

#include <base/clock.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct note {
	char text[64];
	struct loop *loop;
	struct timer *timer;
	struct task *task;
	struct watch *watch;
	int fd;
	unsigned count;
	unsigned steps;
	bool done;
};

static void put(struct note *n, char c)
{
	size_t len = strlen(n->text);

	n->text[len] = c;
	n->text[len + 1] = 0;
}

static void put_a(void *ctx)
{
	put(ctx, 'a');
}

static void put_b(void *ctx)
{
	put(ctx, 'b');
}

static void put_c(void *ctx)
{
	put(ctx, 'c');
}

static void timers_fire_in_order(void **state)
{
	struct note n = {.text = ""};
	struct timer *a = timer_new(*state, put_a, &n);
	struct timer *b = timer_new(*state, put_b, &n);
	struct timer *c = timer_new(*state, put_c, &n);
	int64_t begun_ms = clock_mono_ms();

	timer_start(c, 15, 0);
	timer_start(a, 0, 0);
	timer_start(b, 500, 0);
	timer_start(b, 5, 0); /* replaces what was set */
	assert_true(timer_active(a) && timer_active(b) && timer_active(c));
	loop_run(*state); /* ends by itself: nothing is left */
	assert_string_equal(n.text, "abc");
	assert_false(timer_active(a));
	assert_true(clock_mono_ms() - begun_ms >= 15);
	timer_free(a);
	timer_free(b);
	timer_free(c);
	timer_free(NULL);
}

static void tick(void *ctx)
{
	struct note *n = ctx;

	if (++n->count == 3)
		timer_stop(n->timer);
}

static void a_timer_repeats_until_stopped(void **state)
{
	struct note n = {.count = 0};

	n.timer = timer_new(*state, tick, &n);
	timer_start(n.timer, 1, 1);
	loop_run(*state);
	assert_int_equal(n.count, 3);
	timer_free(n.timer);
}

static void late_start(void *ctx)
{
	struct note *n = ctx;

	usleep(20000); /* the turn is held: what is started now counts from now */
	timer_start(n->timer, 10, 0);
}

static void a_delay_never_ends_early(void **state)
{
	struct note n = {.text = ""};
	struct timer *late = timer_new(*state, late_start, &n);
	int64_t begun_ms = clock_mono_ms();

	n.timer = timer_new(*state, put_a, &n);
	timer_start(late, 0, 0);
	loop_run(*state);
	assert_true(clock_mono_ms() - begun_ms >= 30);
	assert_string_equal(n.text, "a");
	timer_free(late);
	timer_free(n.timer);
}

static void free_own_timer(void *ctx)
{
	struct note *n = ctx;

	timer_free(n->timer);
	n->timer = NULL;
	n->count++;
}

static bool free_own_task(void *ctx)
{
	struct note *n = ctx;

	task_free(n->task);
	n->task = NULL;
	n->steps++;
	return true; /* means nothing any more */
}

static void free_own_watch(void *ctx, bool readable, bool writable)
{
	struct note *n = ctx;

	assert_true(readable);
	assert_false(writable);
	watch_free(n->watch);
	close(n->fd);
	n->watch = NULL;
	n->done = true;
}

static void all_may_be_freed_in_their_own_callbacks(void **state)
{
	struct note n = {.loop = *state};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	n.fd = pair[0];
	n.timer = timer_new(*state, free_own_timer, &n);
	n.task = task_new(*state, free_own_task, &n);
	n.watch = watch_new(*state, n.fd, free_own_watch, &n);
	timer_start(n.timer, 0, 1);
	task_start(n.task);
	watch_set(n.watch, true, false);
	assert_int_equal(write(pair[1], "x", 1), 1);
	loop_run(*state);
	assert_int_equal(n.count, 1);
	assert_int_equal(n.steps, 1);
	assert_true(n.done);
	close(pair[1]);
}

struct two {
	struct timer *timer[2];
	unsigned fired;
};

static void free_both(void *ctx)
{
	struct two *t = ctx;

	t->fired++;
	timer_free(t->timer[0]);
	timer_free(t->timer[1]);
}

/* Both are due in the same turn: the second must not fire when the first has freed it. */
static void a_freed_timer_that_was_due_is_silent(void **state)
{
	struct two t = {.fired = 0};

	for (int i = 0; i < 2; i++) {
		t.timer[i] = timer_new(*state, free_both, &t);
		timer_start(t.timer[i], 1, 0);
	}
	usleep(3000);
	loop_run(*state);
	assert_int_equal(t.fired, 1);
}

static bool step_for_a_while(void *ctx)
{
	struct note *n = ctx;
	int64_t end_us = clock_mono_us() + 100;

	while (clock_mono_us() < end_us)
		;
	return ++n->steps < 300; /* 30 ms of work */
}

struct fair {
	struct note a, b;
	unsigned a_then, b_then;
};

static void look_between(void *ctx)
{
	struct fair *f = ctx;

	f->a_then = f->a.steps;
	f->b_then = f->b.steps;
}

static void tasks_take_turns_and_timers_come_between(void **state)
{
	struct fair f = {.a_then = 0};
	struct task *a = task_new(*state, step_for_a_while, &f.a),
		    *b = task_new(*state, step_for_a_while, &f.b);
	struct timer *t = timer_new(*state, look_between, &f);
	struct loop_stats stats;

	timer_start(t, 10, 0);
	task_start(a);
	task_start(a);
	task_start(b);
	assert_true(task_active(a));
	loop_run(*state);
	assert_false(task_active(a) || task_active(b));
	assert_int_equal(f.a.steps, 300);
	assert_int_equal(f.b.steps, 300);
	assert_true(f.a_then > 0 && f.a_then < 300);
	assert_true(f.a_then <= f.b_then + 1 && f.b_then <= f.a_then + 1);
	loop_stats(*state, &stats);
	assert_true(stats.turns >= 60000 / (150 + 200) / 2);
	task_free(a);
	task_free(b);
	task_free(NULL);
	timer_free(t);
}

struct spell {
	struct loop *loop;
	struct task *task;
	struct timer *timer;
	int64_t due_ms;
	int64_t late_ms;
};

static bool step_without_end(void *ctx)
{
	struct note *n = ctx;

	n->steps++;
	return true;
}

static void on_due(void *ctx)
{
	struct spell *s = ctx;

	s->late_ms = clock_mono_ms() - s->due_ms;
	task_stop(s->task);
}

static void a_task_without_end_starves_nobody(void **state)
{
	struct note n = {.steps = 0};
	struct spell s = {.loop = *state};
	struct loop_stats stats;

	s.task = task_new(*state, step_without_end, &n);
	s.timer = timer_new(*state, on_due, &s);
	s.due_ms = clock_mono_ms() + 50;
	timer_start(s.timer, 50, 0);
	task_start(s.task);
	loop_run(*state);
	assert_true(n.steps > 1000);
	loop_stats(*state, &stats);
	assert_true(stats.turns >= 5); /* about 25 on an idle machine */
	print_message("task: %u steps, %u turns, timer late by %d ms, held %d us\n", n.steps,
		      (unsigned)stats.turns, (int)s.late_ms, (int)stats.held_max_us);
	timer_free(s.timer);
	task_free(s.task);
}

static void hold(void *ctx)
{
	(void)ctx;
	usleep(30000);
}

static void the_loop_knows_how_long_it_is_held(void **state)
{
	struct timer *t = timer_new(*state, hold, NULL);
	struct loop_stats stats;

	loop_stats(*state, &stats);
	assert_int_equal(stats.held_max_us, 0);
	timer_start(t, 500, 0); /* sleeping is not holding */
	loop_run(*state);
	loop_stats(*state, &stats);
	assert_in_range(stats.held_max_us, 30000, 499000);
	assert_int_equal(stats.held_last_us, stats.held_max_us);
	assert_in_range(stats.worked_max_us, 0, 29000); /* nor is it work */
	timer_free(t);
}

static void work(void *ctx)
{
	int64_t end_us = clock_thread_us() + 20000;

	(void)ctx;
	while (clock_thread_us() < end_us)
		;
}

static void the_loop_knows_how_long_it_worked(void **state)
{
	struct timer *t = timer_new(*state, work, NULL);
	struct loop_stats stats;

	timer_start(t, 0, 0);
	loop_run(*state);
	int64_t before_us = loop_thread_us(*state);
	timer_start(t, 0, 0);
	loop_run(*state);
	assert_in_range(loop_thread_us(*state) - before_us, 20000, 40000);
	loop_stats(*state, &stats);
	assert_in_range(stats.worked_max_us, 20000, 40000);
	assert_int_equal(stats.worked_last_us, stats.worked_max_us);
	assert_true(stats.held_max_us >= stats.worked_max_us - 1000);
	timer_free(t);
}

struct turns {
	struct loop *loop;
	struct timer *timer;
	unsigned left;
	uint64_t turn; /* the one before */
};

/* Turns of 0.1 ms of work, and then one that only sleeps. */
static void work_little(void *ctx)
{
	struct turns *t = ctx;
	int64_t end_us = clock_mono_us() + 100;

	assert_true(loop_turn(t->loop) != t->turn);
	t->turn = loop_turn(t->loop);
	if (!t->left--) {
		hold(NULL);
		return;
	}
	while (clock_mono_us() < end_us)
		;
	timer_start(t->timer, 0, 0);
}

static void short_turns_are_not_the_work_of_a_long_one(void **state)
{
	struct turns turns = {.loop = *state, .left = 300, .turn = UINT64_MAX};
	struct loop_stats stats;

	turns.timer = timer_new(*state, work_little, &turns);
	timer_start(turns.timer, 0, 0);
	loop_run(*state);
	loop_stats(*state, &stats);
	assert_true(stats.turns >= 300);
	assert_true(stats.held_max_us >= 30000);
	assert_in_range(stats.worked_max_us, 100, 29000);
	timer_free(turns.timer);
}

static bool count_step(void *ctx)
{
	int64_t end_us = clock_mono_us() + 100;

	while (clock_mono_us() < end_us)
		;
	++*(unsigned *)ctx;
	return true;
}

struct long_turn {
	struct loop *loop;
	unsigned steps, before;
};

static void hold_and_stop(void *ctx)
{
	struct long_turn *l = ctx;

	usleep(8000);
	l->before = l->steps;
	loop_stop(l->loop);
}

static void a_long_turn_leaves_little_to_tasks(void **state)
{
	struct long_turn l = {.loop = *state};
	struct task *task = task_new(*state, count_step, &l.steps);
	struct timer *t = timer_new(*state, hold_and_stop, &l);

	task_start(task);
	timer_start(t, 5, 0);
	loop_run(*state);
	assert_in_range(l.steps - l.before, 1, 6); /* of 100 us: 300, not 2000 */
	task_free(task);
	timer_free(t);
}

/* Somebody who asks by a socket, while work goes on. */
struct asker {
	struct loop *loop;
	struct watch *watch;
	struct task *task;
	int pair[2];
	unsigned steps, asked_at, told_at;
};

static void asker_told(void *ctx, bool readable, bool writable)
{
	struct asker *a = ctx;

	(void)writable;
	assert_true(readable);
	a->told_at = a->steps;
	loop_stop(a->loop);
}

static void spin(int64_t us)
{
	int64_t end_us = clock_mono_us() + us;

	while (clock_mono_us() < end_us)
		;
}

static bool asker_step(void *ctx)
{
	struct asker *a = ctx;

	spin(LOOP_SLICE_ASKED_US);
	if (++a->steps == a->asked_at)
		assert_int_equal(write(a->pair[1], "x", 1), 1);
	return a->steps < 100;
}

/* How many pieces of work there were between the question and its coming to who answers. */
static unsigned pieces_before(struct asker *a, struct loop *l, unsigned asked_at)
{
	*a = (struct asker){.loop = l, .asked_at = asked_at};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a->pair), 0);
	a->watch = watch_new(l, a->pair[0], asker_told, a);
	a->task = task_new(l, asker_step, a);
	watch_set(a->watch, true, false);
	task_start(a->task);
	loop_run(l);
	task_free(a->task);
	watch_free(a->watch);
	close(a->pair[0]);
	close(a->pair[1]);
	assert_true(a->told_at >= asked_at);
	return a->told_at - asked_at;
}

static void who_asks_goes_first(void **state)
{
	struct asker a;
	unsigned most = 0;

	assert_false(loop_is_asked(*state));
	assert_int_equal(loop_slice_us(*state), LOOP_SLICE_US);
	/* A slice is of the wall clock: who was not let to the processor meanwhile did one piece only. */
	for (unsigned i = 0; i < 50; i++) {
		unsigned pieces = pieces_before(&a, *state, 1);
		assert_true(pieces <= LOOP_SLICE_US / LOOP_SLICE_ASKED_US);
		most = pieces > most ? pieces : most;
	}
	assert_true(most >= 1);
	loop_asked(*state);
	assert_true(loop_is_asked(*state));
	assert_int_equal(loop_slice_us(*state), LOOP_SLICE_ASKED_US);
	for (unsigned i = 1; i <= 20; i++)
		assert_int_equal(pieces_before(&a, *state, i), 0);
}

static void look_whether_asked(void *ctx)
{
	struct note *n = ctx;

	n->done = loop_is_asked(n->loop);
}

static void nobody_has_asked_for_a_second(void **state)
{
	struct note n = {.loop = *state, .done = true};
	struct timer *t = timer_new(*state, look_whether_asked, &n);

	loop_asked(*state);
	timer_start(t, 1050, 0);
	loop_run(*state);
	assert_false(n.done);
	timer_free(t);
}

/* Others' answers, which are work. */
struct answers {
	struct loop *loop;
	struct answer {
		struct answers *all;
		struct watch *watch;
		int pair[2];
		uint64_t turn; /* in which it came */
		unsigned count;
	} each[4];
	struct task *task;
	unsigned came, steps;
	bool frees; /* the first one all others */
};

static uint64_t turn_of(const struct loop *l)
{
	struct loop_stats stats;

	loop_stats(l, &stats);
	return stats.turns;
}

static void answer_came(void *ctx, bool readable, bool writable)
{
	struct answer *one = ctx;
	struct answers *a = one->all;

	assert_true(readable && !writable);
	one->turn = turn_of(a->loop);
	one->count++;
	a->came++;
	watch_set(one->watch, false, false);
	for (unsigned i = 0; a->frees && i < 4; i++) {
		watch_free(a->each[i].watch);
		a->each[i].watch = NULL;
	}
	spin(LOOP_SLICE_ASKED_US);
}

static void answers_open(struct answers *a, struct loop *l)
{
	*a = (struct answers){.loop = l};
	for (unsigned i = 0; i < 4; i++) {
		struct answer *one = &a->each[i];
		one->all = a;
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, one->pair), 0);
		assert_int_equal(write(one->pair[1], "x", 1), 1);
		one->watch = watch_new(l, one->pair[0], answer_came, one);
		watch_work(one->watch);
		watch_set(one->watch, true, false);
	}
}

static void answers_close(struct answers *a)
{
	for (unsigned i = 0; i < 4; i++) {
		watch_free(a->each[i].watch);
		close(a->each[i].pair[0]);
		close(a->each[i].pair[1]);
	}
}

static bool endless_step(void *ctx)
{
	struct answers *a = ctx;

	a->steps++;
	spin(LOOP_SLICE_ASKED_US);
	return a->came < 4;
}

/* All four are readable at once; the kernel is asked between any two of them. A task without end has its share. */
static void answers_come_one_a_turn(void **state)
{
	struct answers a;

	answers_open(&a, *state);
	a.task = task_new(*state, endless_step, &a);
	task_start(a.task);
	loop_asked(*state);
	loop_run(*state);
	assert_int_equal(a.came, 4);
	assert_in_range(a.steps, 1, 8);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned k = 0; k < i; k++)
			assert_true(a.each[i].turn != a.each[k].turn);
	task_free(a.task);
	answers_close(&a);
}

static void an_answer_that_nobody_wants_any_more_is_not_told(void **state)
{
	struct answers a;

	answers_open(&a, *state);
	a.frees = true;
	loop_run(*state);
	assert_int_equal(a.came, 1);
	answers_close(&a);
}

static void an_idle_loop_sleeps(void **state)
{
	struct note n = {.text = ""};
	struct timer *t = timer_new(*state, put_a, &n);
	struct loop_stats stats;

	timer_start(t, 200, 0);
	loop_run(*state);
	loop_stats(*state, &stats);
	assert_string_equal(n.text, "a");
	assert_in_range(stats.turns, 1, 2);
	timer_free(t);
}

static void on_signal(void *ctx, int signo)
{
	struct note *n = ctx;

	n->count++;
	n->done = signo == SIGUSR1;
	loop_stop(n->loop);
}

static void signals_arrive_on_the_loop(void **state)
{
	struct note n = {.loop = *state};

	assert_int_equal(loop_signal(*state, SIGUSR1, on_signal, &n), 0);
	assert_int_equal(loop_signal(*state, 1000, on_signal, &n), ERR_INVALID);
	raise(SIGUSR1);
	assert_int_equal(n.count, 0); /* not before the loop looks */
	rig_until_flag(*state, &n.done);
	assert_int_equal(n.count, 1);
	assert_int_equal(loop_signal(*state, SIGUSR1, NULL, NULL), 0);
	assert_ptr_equal(signal(SIGUSR1, SIG_DFL), SIG_DFL);
}

static void clocks_stand_still_within_a_turn(void **state)
{
	int64_t before_ms = clock_wall_ms();

	assert_true(loop_wall_ms(*state) >= before_ms);
	assert_true(loop_mono_ms(*state) <= clock_mono_ms());
}

static void count_ready(void *ctx, bool readable, bool writable)
{
	struct note *n = ctx;
	char byte;

	put(n, readable ? 'r' : '-');
	put(n, writable ? 'w' : '-');
	if (readable)
		assert_int_equal(read(n->fd, &byte, 1), 1);
	n->done = true;
	watch_set(n->watch, false, false);
}

static void a_watch_reports_what_it_was_set_to(void **state)
{
	struct note n = {.loop = *state};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	n.fd = pair[0];
	n.watch = watch_new(*state, n.fd, count_ready, &n);
	assert_int_equal(write(pair[1], "xx", 2), 2);
	watch_set(n.watch, false, true);
	rig_until_flag(*state, &n.done);
	assert_string_equal(n.text, "-w");
	n.done = false;
	watch_set(n.watch, true, false);
	rig_until_flag(*state, &n.done);
	assert_string_equal(n.text, "-wr-");
	watch_free(n.watch);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(timers_fire_in_order, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_timer_repeats_until_stopped, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_delay_never_ends_early, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(all_may_be_freed_in_their_own_callbacks, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(a_freed_timer_that_was_due_is_silent, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(tasks_take_turns_and_timers_come_between, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(a_task_without_end_starves_nobody, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(the_loop_knows_how_long_it_is_held, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(short_turns_are_not_the_work_of_a_long_one,
						rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(the_loop_knows_how_long_it_worked, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(a_long_turn_leaves_little_to_tasks, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(who_asks_goes_first, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(nobody_has_asked_for_a_second, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(answers_come_one_a_turn, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(an_answer_that_nobody_wants_any_more_is_not_told,
						rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(an_idle_loop_sleeps, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(signals_arrive_on_the_loop, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(clocks_stand_still_within_a_turn, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(a_watch_reports_what_it_was_set_to, rig_setup,
						rig_teardown),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
