/*
 * loop: the one event loop, its clocks, timers, signals and sliced work.
 *
 * libev stays inside src/io. Everything here is called from the loop's thread. Callbacks note, the
 * turn acts: any object of this layer may be freed from inside its own callback, and is gone for
 * its owner at once; its memory goes at the end of the turn.
 *
 * A turn: wait in the kernel; signals, timers and descriptors; what they noted; work; memory;
 * again. An idle loop sleeps without end. Work is what does not have to be done in the turn that hears
 * of it: tasks (what is left of a long question is one, too), and watches that say so.
 */
#ifndef FIC_IO_LOOP_H
#define FIC_IO_LOOP_H

#include <base/bytes.h>
#include <base/err.h>

struct loop;

/* NULL: why. Ignores SIGPIPE for the whole process: a peer that went away is an error value
 * here. */
struct loop *loop_new(struct why *why);
void loop_free(struct loop *l); /* after everything made on it was freed; NULL is fine */
/* Until loop_stop, or until nothing is left to wait for (a signal alone is not waited for). Not
 * from a callback. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l); /* this turn is the last one */

/* The wall clock (may step) and the monotonic one, in ms, as of the start of this turn's callbacks;
 * now, when the loop is not running. */
int64_t loop_wall_ms(const struct loop *l);
int64_t loop_mono_ms(const struct loop *l);

/* The number of this turn, from 0 on. */
uint64_t loop_turn(const struct loop *l);

/* Processor time that the thread had used before this turn, without a system call: off by as much as short turns are told apart below. 0 before the
 * first turn. */
int64_t loop_thread_us(const struct loop *l);

struct loop_stats {
	uint64_t turns;
	int64_t held_max_us; /* the longest that one turn kept away from the kernel, since the start */
	int64_t held_last_us; /* the longest within the last minute */
	/* The same in processor time: what the loop's own work took, never more than it was held. Held
	 * for much longer than worked means that it waited for a disk, or that other programs had the
	 * processor. A turn below 0.2 ms counts as work from end to end; a longer one may be told up to
	 * half a millisecond of the short ones before it. */
	int64_t worked_max_us, worked_last_us;
};

void loop_stats(const struct loop *l, struct loop_stats *out);

/* A timer. new/free; start (again) replaces what was set; repeat_ms 0: once. Delays run on the
 * monotonic clock, from the call on, and never end early. The start of a timer cannot fail.
 * timer_new: NULL without memory. */
struct timer;
struct timer *timer_new(struct loop *l, void (*fire)(void *ctx), void *ctx);
void timer_start(struct timer *t, int64_t delay_ms, int64_t repeat_ms);
void timer_stop(struct timer *t);
bool timer_active(const struct timer *t);
void timer_free(struct timer *t);

/*
 * Who asks goes first. Work is done in pieces, of which a turn takes one after the other for
 * loop_slice_us: little when somebody has asked within the last second, more (it is cheaper) when
 * nobody has. A piece that could be longer looks at the clock itself and ends when its time is over.
 */
#define LOOP_SLICE_ASKED_US 80
#define LOOP_SLICE_US       500
int64_t loop_slice_us(const struct loop *l);
void loop_asked(struct loop *l);          /* somebody asks now */
bool loop_is_asked(const struct loop *l); /* somebody has asked within the last second */

/* Sliced work. `step` does a piece and answers whether there is more; the loop calls the steps of
 * all started tasks in turn. false stops the task. task_new: NULL without memory. */
struct task;
struct task *task_new(struct loop *l, bool (*step)(void *ctx), void *ctx);
void task_start(struct task *t); /* no effect when started */
void task_stop(struct task *t);
bool task_active(const struct task *t);
void task_free(struct task *t); /* may be called from its own step, whose answer then means nothing */

/* Calls `fn` for a signal, on the loop. At most one function a signal; NULL: the default again. 0,
 * ERR_INVALID (no such signal), ERR_NOMEM. */
int loop_signal(struct loop *l, int signo, void (*fn)(void *ctx, int signo), void *ctx);

/* Watches a descriptor that something else owns (read side, write side). Free the watch before the
 * descriptor is closed. A hang-up is reported as whatever is watched for. watch_new: NULL without
 * memory; it watches for nothing yet. */
struct watch;
struct watch *watch_new(struct loop *l, int fd,
			void (*ready)(void *ctx, bool readable, bool writable), void *ctx);
void watch_work(struct watch *w); /* what it tells is work: from now on it is told when it comes to it */
void watch_set(struct watch *w, bool want_read, bool want_write);
void watch_free(struct watch *w);

#endif
