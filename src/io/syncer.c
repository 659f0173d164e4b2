/*
 * syncer: the loop's side of the fsync helper. The helper itself is syncer_child.c.
 *
 * What is under way stands in a ring, oldest first; the first `sent` of it have gone to the helper.
 * We keep a duplicate of each descriptor until its answer is there, so that a new helper can be
 * asked again when one dies.
 *
 *     no helper --fork--> helper --the socket ends--> dying --reaped, a pause--> fork again
 *
 * One thing a new helper cannot repair: the kernel reports a failed write-back to one fsync only.
 * If a helper is killed between that report and its answer, the repeated fsync says all is well.
 *
 * Never calls fsync itself, and never waits, except in syncer_free.
 */
#include <io/syncer.h>

#include "syncer_child.h"
#include "turn.h"

#include <base/files.h>
#include <base/log.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WINDOW \
	16 /* asked of the helper at once: descriptors in flight are a scarce resource of the user's */
#define REAP_MS        20
#define RESTART_MS     100
#define RESTART_MAX_MS 5000

struct sync_call {
	int fd; /* our duplicate */
	int64_t delay_ms;
	void (*done)(void *ctx, int error);
	void *ctx;
};

struct syncer {
	struct loop *loop;
	pid_t pid; /* 0: no helper */
	int fd;    /* to the helper; -1: it is dying, or there is none */
	struct watch *watch;
	struct timer *timer; /* to reap and to start again */
	int64_t restart_ms;
	struct sync_call calls[SYNCER_PENDING_MAX];
	unsigned first, count, sent;
	uint64_t first_number; /* of calls[first]: numbers go on for ever */
	int64_t delay_ms;
	bool closed;
	struct turn_grave grave;
};

static struct sync_call *call_at(struct syncer *s, unsigned i)
{
	return &s->calls[(s->first + i) % SYNCER_PENDING_MAX];
}

/* The oldest call ends. Its slot is free before its owner hears of it, so that the owner may ask
 * again. */
static void finish_first(struct syncer *s, int error)
{
	struct sync_call call = *call_at(s, 0);

	s->first = (s->first + 1) % SYNCER_PENDING_MAX;
	s->first_number++;
	s->count--;
	if (s->sent)
		s->sent--;
	close(call.fd);
	call.done(call.ctx, error);
}

/* --- talking to the helper ---------------------------------------------------------- */

static bool send_one(struct syncer *s, unsigned i)
{
	struct sync_call *call = call_at(s, i);
	struct sync_request request = {s->first_number + i, call->delay_ms};

	return sync_send_request(s->fd, &request, call->fd) == 0;
}

static void send_more(struct syncer *s)
{
	if (s->fd < 0)
		return;
	while (s->sent < s->count && s->sent < WINDOW && send_one(s, s->sent))
		s->sent++;
	/* What does not fit goes with the next answer; without any on the way, when the socket says
	 * so. */
	watch_set(s->watch, true, s->sent == 0 && s->count > 0);
}

static void helper_lost(struct syncer *s)
{
	watch_free(s->watch);
	s->watch = NULL;
	close(s->fd);
	s->fd = -1;
	s->sent = 0;
	kill(s->pid, SIGKILL);
	timer_start(s->timer, 0, 0);
}

static void take_answer(struct syncer *s, const struct sync_answer *a)
{
	if (s->sent == 0 || a->number != s->first_number) {
		log_error("syncer", "the helper answered what it was not asked; starting another");
		helper_lost(s);
		return;
	}
	s->restart_ms = RESTART_MS; /* it works */
	finish_first(s, a->error);
}

static void on_ready(void *ctx, bool readable, bool writable)
{
	struct syncer *s = ctx;

	(void)readable;
	(void)writable;
	/* A call's owner may free us: what is looked at here is there until the end of the turn. */
	for (int i = 0; i < WINDOW && s->fd >= 0; i++) {
		struct sync_answer answer;
		ssize_t n = recv(s->fd, &answer, sizeof answer, MSG_DONTWAIT);

		if (n == (ssize_t)sizeof answer) {
			take_answer(s, &answer);
		} else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			break;
		} else {
			log_warn("syncer", "the fsync helper (pid %d) has ended; starting another",
				 (int)s->pid);
			helper_lost(s);
		}
	}
	send_more(s);
}

/* --- the helper's life -------------------------------------------------------------- */

static int helper_start(struct syncer *s, struct why *why)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return why_errno(why, "cannot make a socket for the fsync helper");
	struct watch *watch = fd_nonblock(pair[0]) ? NULL : watch_new(s->loop, pair[0], on_ready, s);
	pid_t parent = getpid(), pid = watch ? fork() : -1;
	if (pid == 0)
		sync_child_run(pair[1], parent);
	int error = watch ? errno : ENOMEM;
	close(pair[1]);
	if (pid < 0) {
		watch_free(watch);
		close(pair[0]);
		errno = error;
		return why_errno(why, "cannot start the fsync helper");
	}
	s->pid = pid;
	s->fd = pair[0];
	s->watch = watch;
	watch_work(watch); /* what follows from an answer may be a commit */
	send_more(s);
	return 0;
}

static int64_t next_pause(struct syncer *s)
{
	int64_t ms = s->restart_ms;

	s->restart_ms = ms * 2 < RESTART_MAX_MS ? ms * 2 : RESTART_MAX_MS;
	return ms;
}

/* A helper that is killed inside an fsync ends when the disk lets go of it. Until then there is no
 * other. */
static void on_timer(void *ctx)
{
	struct syncer *s = ctx;
	struct why why;

	if (s->pid) {
		if (waitpid(s->pid, NULL, WNOHANG) == 0) {
			timer_start(s->timer, REAP_MS, 0);
			return;
		}
		s->pid = 0;
		timer_start(s->timer, next_pause(s), 0);
		return;
	}
	if (helper_start(s, &why)) {
		log_error("syncer", "%s; trying again", why.text);
		timer_start(s->timer, next_pause(s), 0);
	}
}

struct syncer *syncer_new(struct loop *l, struct why *why)
{
	struct syncer *s = calloc(1, sizeof *s);

	if (!s || !(s->timer = timer_new(l, on_timer, s))) {
		free(s);
		why_set(why, ERR_NOMEM, "no memory for the fsync helper");
		return NULL;
	}
	s->loop = l;
	s->fd = -1;
	s->restart_ms = RESTART_MS;
	if (helper_start(s, why)) {
		timer_free(s->timer);
		free(s);
		return NULL;
	}
	return s;
}

void syncer_free(struct syncer *s)
{
	if (!s || s->closed)
		return;
	s->closed = true;
	watch_free(s->watch);
	timer_free(s->timer);
	if (s->fd >= 0)
		close(s->fd); /* the helper ends at this */
	s->fd = -1;
	while (s->count)
		finish_first(s, ECANCELED);
	while (s->pid && waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	turn_bury(s->loop, &s->grave, free, s);
}

/* --- the owner's calls -------------------------------------------------------------- */

int syncer_fsync(struct syncer *s, int fd, void (*done)(void *ctx, int error), void *ctx)
{
	if (s->closed)
		return ERR_CANCELED;
	if (s->count == SYNCER_PENDING_MAX)
		return ERR_BUSY;
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return ERR_IO;
	*call_at(s, s->count) = (struct sync_call){own, s->delay_ms, done, ctx};
	s->count++;
	send_more(s);
	return 0;
}

unsigned syncer_pending(const struct syncer *s)
{
	return s->count;
}

void syncer_delay(struct syncer *s, int64_t delay_ms)
{
	s->delay_ms = delay_ms;
}

int syncer_pid(const struct syncer *s)
{
	return s->fd >= 0 ? (int)s->pid : 0;
}
