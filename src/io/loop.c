/*
 * loop: libev, and around it the fixed stages of a turn. The only file that knows libev.
 *
 *     wait in the kernel -> callbacks (signals, timers, sockets) -> notes -> work -> graves -> wait
 *            \_______________________ held: measured, worst case kept ______________________/
 *
 * Who asks is served by callbacks and notes, in the very turn; what can wait is work: providers'
 * answers, what is noted for later, tasks, and with them what is left of a long question. Work is done a piece at a time, and between two pieces
 * that together took long enough the kernel is asked whether somebody asks. That is all there is
 * of priorities: nothing runs in between, and nobody waits for more than a piece.
 *
 * Notes and graves (turn.h) are how "callbacks note, the turn acts" is kept: whatever a callback
 * frees stays in memory until the last stage. While notes or work are left the kernel is asked
 * without sleeping; an idle loop sleeps without end. Never frees anything in a callback, never
 * calls back from a call that starts something.
 */
#include "turn.h"

#include <base/clock.h>

#include <ev.h>

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#define HELD_SLOTS \
	13 /* the last minute, in slots of five seconds and the one that is being filled */
#define HELD_SLOT_US 5000000
/* Processor time is a system call: a turn shorter than SHORT_US is taken for work from end to end, and
 * what such turns used is told apart from the work of a long one to within SHORT_US and what the
 * kernel took for UNREAD_TURNS wake-ups. */
#define SHORT_US     200
#define UNREAD_TURNS 16
#define ASKED_FOR_US 1000000 /* after a question another one is likely */

struct held_slot {
	int64_t index; /* which five seconds of the monotonic clock */
	int64_t max_us, worked_us;
};

struct loop_signal {
	ev_signal ev;
	void (*fn)(void *ctx, int signo);
	void *ctx;
};

struct loop {
	struct ev_loop *ev;
	ev_check woke;
	ev_periodic never; /* see watch_clock_steps */
	bool running;
	bool stopped;
	int64_t wall_ms;
	int64_t mono_ms;
	int64_t woke_us;
	int64_t thread_us, unread_us; /* processor time when it was read last; held since then */
	unsigned unread_turns;
	struct link notes;
	struct link work;  /* notes that can wait */
	struct link round; /* of those: the ones before the next step of a task */
	struct link tasks;
	struct link graves;
	bool stepped; /* a task, since the round is over */
	int64_t asked_us;
	struct loop_signal *signals[NSIG];
	uint64_t turns;
	int64_t held_max_us, worked_max_us;
	struct held_slot held[HELD_SLOTS];
};

struct timer {
	struct loop *loop;
	ev_timer ev;
	void (*fire)(void *ctx);
	void *ctx;
	struct turn_grave grave;
};

struct task {
	struct loop *loop;
	struct link link; /* on the loop's tasks while started */
	bool (*step)(void *ctx);
	void *ctx;
	struct turn_grave grave;
};

struct watch {
	struct loop *loop;
	ev_io ev;
	struct turn_note note; /* of a watch whose news are work */
	bool works, readable, writable;
	void (*ready)(void *ctx, bool readable, bool writable);
	void *ctx;
	struct turn_grave grave;
};

/* --- the turn ----------------------------------------------------------------------- */

static void read_thread(struct loop *l)
{
	l->thread_us = clock_thread_us();
	l->unread_us = 0;
	l->unread_turns = 0;
}

static void read_clocks(struct loop *l)
{
	l->woke_us = clock_mono_us();
	l->mono_ms = l->woke_us / 1000;
	l->wall_ms = clock_wall_ms();
	if (l->unread_us >= SHORT_US || l->unread_turns >= UNREAD_TURNS)
		read_thread(l);
}

/* The highest priority: runs before every other callback of the turn. */
static void on_woke(struct ev_loop *ev, ev_check *w, int events)
{
	(void)ev;
	(void)events;
	read_clocks(w->data);
}

static void on_never(struct ev_loop *ev, ev_periodic *w, int events)
{
	(void)ev;
	(void)w;
	(void)events;
}

/* Without a periodic event libev looks once a minute whether the wall clock was stepped. With one
 * it lets the kernel tell it, and then an idle loop does not wake up at all. */
static void watch_clock_steps(struct loop *l)
{
	const double year_2286 = 1e10;

	ev_periodic_init(&l->never, on_never, year_2286, 0., NULL);
	ev_periodic_start(l->ev, &l->never);
	ev_unref(l->ev);
}

struct loop *loop_new(struct why *why)
{
	struct loop *l = calloc(1, sizeof *l);

	if (!l || !(l->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV))) {
		free(l);
		errno = l ? errno : ENOMEM;
		why_errno(why, "cannot make the event loop");
		return NULL;
	}
	list_init(&l->notes);
	list_init(&l->work);
	list_init(&l->round);
	list_init(&l->tasks);
	l->asked_us = INT64_MIN / 2;
	list_init(&l->graves);
	ev_check_init(&l->woke, on_woke);
	ev_set_priority(&l->woke, EV_MAXPRI);
	l->woke.data = l;
	ev_check_start(l->ev, &l->woke);
	ev_unref(l->ev); /* neither this nor the next one is something to wait for */
	watch_clock_steps(l);
	/* A peer that went away is an error value of the write, not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	return l;
}

static void run_notes(struct loop *l)
{
	struct link round, *link;

	/* What is noted from here on belongs to the next turn: notes must not starve sockets. */
	list_init(&round);
	list_join(&round, &l->notes);
	while ((link = list_take(&round))) {
		struct turn_note *n = LIST_OF(link, struct turn_note, link);
		n->act(n->ctx);
	}
}

static void run_task(struct loop *l)
{
	struct task *t = LIST_OF(l->tasks.next, struct task, link);

	list_move(&l->tasks, &t->link);
	if (!t->step(t->ctx))
		task_stop(t); /* its memory is there until the graves, should it have freed itself */
}

/* Work of one kind after the other, which is kind to the processor's cache: all notes that there are,
 * then a step of a task. */
static struct link *next_note(struct loop *l)
{
	if (list_empty(&l->round) && (l->stepped || list_empty(&l->tasks))) {
		list_join(&l->round, &l->work);
		l->stepped = false;
	}
	return list_take(&l->round);
}

/* One piece; false: there is none. */
static bool work_piece(struct loop *l)
{
	struct link *link = next_note(l);

	if (link) {
		struct turn_note *n = LIST_OF(link, struct turn_note, link);
		n->act(n->ctx);
	} else if (!list_empty(&l->tasks)) {
		run_task(l);
		l->stepped = true;
	} else {
		return false;
	}
	return true;
}

static bool has_work(const struct loop *l)
{
	return !list_empty(&l->work) || !list_empty(&l->round) || !list_empty(&l->tasks);
}

static void run_work(struct loop *l)
{
	if (!has_work(l))
		return;
	int64_t end_us = clock_mono_us() + loop_slice_us(l);
	while (work_piece(l) && clock_mono_us() < end_us)
		continue;
}

static void run_graves(struct loop *l)
{
	struct link *link;

	while ((link = list_take(&l->graves))) {
		struct turn_grave *g = LIST_OF(link, struct turn_grave, link);
		g->release(g->object);
	}
}

/* Of a turn that is over: never more than it held. */
static int64_t worked(struct loop *l, int64_t held_us)
{
	int64_t before_us = l->thread_us;

	if (held_us < SHORT_US) {
		l->unread_us += held_us;
		l->unread_turns++;
		return held_us;
	}
	read_thread(l);
	return l->thread_us - before_us < held_us ? l->thread_us - before_us : held_us;
}

static void account(struct loop *l)
{
	int64_t now_us = clock_mono_us(), held_us = now_us - l->woke_us;
	int64_t worked_us = worked(l, held_us);
	struct held_slot *slot = &l->held[now_us / HELD_SLOT_US % HELD_SLOTS];

	l->turns++;
	if (slot->index != now_us / HELD_SLOT_US)
		*slot = (struct held_slot){now_us / HELD_SLOT_US, 0, 0};
	if (held_us > slot->max_us)
		slot->max_us = held_us;
	if (worked_us > slot->worked_us)
		slot->worked_us = worked_us;
	if (held_us > l->held_max_us)
		l->held_max_us = held_us;
	if (worked_us > l->worked_max_us)
		l->worked_max_us = worked_us;
}

static bool goes_on(const struct loop *l)
{
	return !list_empty(&l->notes) || has_work(l);
}

void loop_run(struct loop *l)
{
	bool waiting = true;

	assert(!l->running);
	l->running = true;
	l->stopped = false;
	read_thread(l);
	read_clocks(l);
	while (!l->stopped && (waiting || goes_on(l))) {
		waiting = ev_run(l->ev, goes_on(l) ? EVRUN_NOWAIT : EVRUN_ONCE);
		run_notes(l);
		run_work(l);
		run_graves(l);
		account(l);
	}
	l->running = false;
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
}

int64_t loop_wall_ms(const struct loop *l)
{
	return l->running ? l->wall_ms : clock_wall_ms();
}

int64_t loop_mono_ms(const struct loop *l)
{
	return l->running ? l->mono_ms : clock_mono_ms();
}

uint64_t loop_turn(const struct loop *l)
{
	return l->turns;
}

int64_t loop_thread_us(const struct loop *l)
{
	return l->thread_us + l->unread_us;
}

void loop_asked(struct loop *l)
{
	l->asked_us = l->running ? l->woke_us : clock_mono_us();
}

bool loop_is_asked(const struct loop *l)
{
	return l->woke_us - l->asked_us < ASKED_FOR_US;
}

int64_t loop_slice_us(const struct loop *l)
{
	return loop_is_asked(l) ? LOOP_SLICE_ASKED_US : LOOP_SLICE_US;
}

void loop_stats(const struct loop *l, struct loop_stats *out)
{
	int64_t newest = clock_mono_us() / HELD_SLOT_US;

	*out = (struct loop_stats){
		.turns = l->turns, .held_max_us = l->held_max_us, .worked_max_us = l->worked_max_us};
	for (size_t i = 0; i < HELD_SLOTS; i++) {
		const struct held_slot *slot = &l->held[i];
		if (slot->index <= newest - HELD_SLOTS)
			continue;
		if (slot->max_us > out->held_last_us)
			out->held_last_us = slot->max_us;
		if (slot->worked_us > out->worked_last_us)
			out->worked_last_us = slot->worked_us;
	}
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	assert(!l->running && !goes_on(l));
	for (int i = 0; i < NSIG; i++)
		if (l->signals[i])
			loop_signal(l, i, NULL, NULL);
	for (int i = 0; i < NSIG; i++)
		free(l->signals[i]);
	ev_ref(l->ev);
	ev_periodic_stop(l->ev, &l->never);
	ev_ref(l->ev);
	ev_check_stop(l->ev, &l->woke);
	ev_loop_destroy(l->ev);
	free(l);
}

/* --- notes and graves --------------------------------------------------------------- */

void turn_note_init(struct turn_note *n, void (*act)(void *ctx), void *ctx)
{
	list_init(&n->link);
	n->act = act;
	n->ctx = ctx;
}

void turn_note(struct loop *l, struct turn_note *n)
{
	if (list_empty(&n->link))
		list_append(&l->notes, &n->link);
}

void turn_work(struct loop *l, struct turn_note *n)
{
	if (list_empty(&n->link))
		list_append(&l->work, &n->link);
}

void turn_forget(struct turn_note *n)
{
	list_remove(&n->link);
}

void turn_bury(struct loop *l, struct turn_grave *g, void (*release)(void *object), void *object)
{
	if (!l->running) {
		release(object);
		return;
	}
	g->release = release;
	g->object = object;
	list_init(&g->link);
	list_append(&l->graves, &g->link);
}

/* --- timers ------------------------------------------------------------------------- */

static void on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	struct timer *t = w->data;

	(void)ev;
	(void)events;
	t->fire(t->ctx);
}

struct timer *timer_new(struct loop *l, void (*fire)(void *ctx), void *ctx)
{
	struct timer *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->loop = l;
	t->fire = fire;
	t->ctx = ctx;
	ev_timer_init(&t->ev, on_timer, 0., 0.);
	t->ev.data = t;
	return t;
}

void timer_start(struct timer *t, int64_t delay_ms, int64_t repeat_ms)
{
	timer_stop(t);
	/* libev counts from when it woke; a delay asked for late in a long turn must not end
	 * early. */
	ev_now_update(t->loop->ev);
	ev_timer_set(&t->ev, (double)(delay_ms > 0 ? delay_ms : 0) / 1e3,
		     (double)(repeat_ms > 0 ? repeat_ms : 0) / 1e3);
	ev_timer_start(t->loop->ev, &t->ev);
}

void timer_stop(struct timer *t)
{
	ev_timer_stop(t->loop->ev, &t->ev);
}

bool timer_active(const struct timer *t)
{
	return ev_is_active(&t->ev) || ev_is_pending(&t->ev);
}

void timer_free(struct timer *t)
{
	if (!t)
		return;
	timer_stop(t);
	turn_bury(t->loop, &t->grave, free, t);
}

/* --- tasks -------------------------------------------------------------------------- */

struct task *task_new(struct loop *l, bool (*step)(void *ctx), void *ctx)
{
	struct task *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->loop = l;
	t->step = step;
	t->ctx = ctx;
	list_init(&t->link);
	return t;
}

void task_start(struct task *t)
{
	if (!task_active(t))
		list_append(&t->loop->tasks, &t->link);
}

void task_stop(struct task *t)
{
	list_remove(&t->link);
}

bool task_active(const struct task *t)
{
	return !list_empty(&t->link);
}

void task_free(struct task *t)
{
	if (!t)
		return;
	task_stop(t);
	turn_bury(t->loop, &t->grave, free, t);
}

/* --- signals ------------------------------------------------------------------------ */

static void on_signal(struct ev_loop *ev, ev_signal *w, int events)
{
	struct loop_signal *s = w->data;

	(void)ev;
	(void)events;
	s->fn(s->ctx, w->signum);
}

int loop_signal(struct loop *l, int signo, void (*fn)(void *ctx, int signo), void *ctx)
{
	if (signo <= 0 || signo >= NSIG)
		return ERR_INVALID;
	struct loop_signal *s = l->signals[signo];
	if (!s && !fn)
		return 0;
	if (!s) {
		s = l->signals[signo] = calloc(1, sizeof *s);
		if (!s)
			return ERR_NOMEM;
		ev_signal_init(&s->ev, on_signal, signo);
		s->ev.data = s;
	}
	s->fn = fn;
	s->ctx = ctx;
	if (fn && !ev_is_active(&s->ev)) {
		ev_signal_start(l->ev, &s->ev);
		ev_unref(l->ev); /* a loop with nothing else left is done */
	} else if (!fn && ev_is_active(&s->ev)) {
		ev_ref(l->ev);
		ev_signal_stop(l->ev, &s->ev);
	}
	return 0;
}

/* --- watches ------------------------------------------------------------------------ */

static void on_ready(struct ev_loop *ev, ev_io *w, int events)
{
	struct watch *watch = w->data;
	/* A descriptor that the kernel cannot watch is reported to whoever reads or writes it,
	 * which then fails. */
	bool broken = (events & EV_ERROR) != 0;
	bool readable = broken || (events & EV_READ), writable = broken || (events & EV_WRITE);

	(void)ev;
	if (!watch->works || broken) {
		watch->ready(watch->ctx, readable, writable);
		return;
	}
	watch->readable = watch->readable || readable;
	watch->writable = watch->writable || writable;
	turn_work(watch->loop, &watch->note);
}

/* Its owner may have changed its mind since. */
static void tell_ready(void *ctx)
{
	struct watch *w = ctx;
	bool readable = w->readable && (w->ev.events & EV_READ),
	     writable = w->writable && (w->ev.events & EV_WRITE);

	w->readable = w->writable = false;
	if (ev_is_active(&w->ev) && (readable || writable))
		w->ready(w->ctx, readable, writable);
}

struct watch *watch_new(struct loop *l, int fd,
			void (*ready)(void *ctx, bool readable, bool writable), void *ctx)
{
	struct watch *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->loop = l;
	w->ready = ready;
	w->ctx = ctx;
	ev_io_init(&w->ev, on_ready, fd, EV_NONE);
	w->ev.data = w;
	turn_note_init(&w->note, tell_ready, w);
	return w;
}

void watch_work(struct watch *w)
{
	w->works = true;
}

void watch_set(struct watch *w, bool want_read, bool want_write)
{
	int want = (want_read ? EV_READ : 0) | (want_write ? EV_WRITE : 0);

	if ((w->ev.events & (EV_READ | EV_WRITE)) == want && (ev_is_active(&w->ev) || want == EV_NONE))
		return;
	ev_io_stop(w->loop->ev, &w->ev);
	ev_io_modify(&w->ev, want);
	if (want)
		ev_io_start(w->loop->ev, &w->ev);
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	ev_io_stop(w->loop->ev, &w->ev);
	turn_forget(&w->note);
	turn_bury(w->loop, &w->grave, free, w);
}
