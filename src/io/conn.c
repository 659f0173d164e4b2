/*
 * conn: one connection: reads, hands on, writes, and keeps its limits. Never calls its server,
 * which calls it.
 *
 *     OPEN --conn_close, overflow, peer's end--> CLOSING --all is sent--> ENDED --slice--> gone
 *        \____________ conn_abort, a broken socket, a limit _______________^
 *
 * Everything happens in slices at the end of a turn: what the socket, a timer or the owner want is
 * noted, the connection queues for its slice, and a slice does a little of everything. Memory: a
 * connection that waits has no buffers. Input passes through the server's scratch and is kept only
 * as far as the owner does not take it.
 */
#include "conn.h"

#include <base/clock.h>

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLICE_US    500   /* of on_data, before the next connection */
#define LINGER_MS   5000  /* for the last words to a peer that broke a limit */
#define LOOK_MS     1000  /* between looks whether a peer that we do not read is there at all */
#define COMPACT_MIN 65536 /* sent bytes at the front of the output that are worth moving the rest */
#define GATHER_MAX \
	49152 /* answers that wait for the end of the slice, so that many are one write; below the low mark */
#define NEVER INT64_MAX

enum conn_state { CONN_OPEN, CONN_CLOSING, CONN_ENDED };

struct conn {
	struct link all;
	struct link ready;
	struct server *server;
	int fd;
	struct watch *watch;
	struct timer *timer;
	int64_t timer_at_ms; /* when the timer fires; NEVER */
	enum conn_state state;
	bool in_slice;
	bool told;      /* something was sent at once in this slice */
	bool gathered;  /* the output waits for nothing but the slice's end */
	bool readable;  /* as far as we know */
	bool waiting;   /* the owner has seen all of `in` and needs more */
	bool paused;    /* by the owner */
	bool ended;     /* the peer has sent its last byte */
	bool end_told;  /* and the owner knows */
	bool drain_due; /* output was over the low mark */
	bool overflowed;
	unsigned held;
	struct buf in; /* not taken yet */
	struct buf out;
	size_t out_sent;    /* of out */
	int64_t active_ms;  /* the last sign of life */
	int64_t partial_ms; /* since when an unfinished request waits */
	int64_t moved_ms;   /* since when nothing was taken of the output */
	int64_t looked_ms;
	int64_t closing_ms;
	uid_t uid;
	gid_t gid;
	pid_t pid;
	void *user;
	struct turn_grave grave;
};

/* --- notes -------------------------------------------------------------------------- */

static int64_t now_ms(const struct conn *c)
{
	return loop_mono_ms(c->server->loop);
}

/* Queues the connection for a slice; one that is in its slice settles itself, one that is finished
 * stays so. */
static void conn_touch(struct conn *c)
{
	if (c->in_slice || c->fd < 0 || !list_empty(&c->ready))
		return;
	list_append(&c->server->ready, &c->ready);
	turn_note(c->server->loop, &c->server->note);
}

static void conn_end(struct conn *c)
{
	c->state = CONN_ENDED;
	conn_touch(c);
}

static void on_ready(void *ctx, bool readable, bool writable)
{
	struct conn *c = ctx;

	(void)writable; /* a slice writes whatever there is */
	c->readable = c->readable || readable;
	conn_touch(c);
}

static void on_timer(void *ctx)
{
	struct conn *c = ctx;

	c->timer_at_ms = NEVER;
	conn_touch(c);
}

struct conn *conn_of_ready(struct link *link)
{
	return LIST_OF(link, struct conn, ready);
}

/* --- life --------------------------------------------------------------------------- */

static void conn_release(void *object)
{
	struct conn *c = object;

	buf_release(&c->in);
	buf_release(&c->out);
	free(c);
}

static void read_peer(struct conn *c)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		peer = (struct ucred){.uid = (uid_t)-1, .gid = (gid_t)-1};
	c->uid = peer.uid;
	c->gid = peer.gid;
	c->pid = peer.pid;
}

void conn_open(struct server *s, int fd)
{
	struct conn *c = calloc(1, sizeof *c);

	if (!c || !(c->watch = watch_new(s->loop, fd, on_ready, c)) ||
	    !(c->timer = timer_new(s->loop, on_timer, c))) {
		if (c)
			watch_free(c->watch);
		free(c);
		close(fd);
		return;
	}
	c->server = s;
	c->fd = fd;
	c->timer_at_ms = NEVER;
	c->readable = true; /* who connects has something to say */
	c->active_ms = now_ms(c);
	list_init(&c->ready);
	list_init(&c->all);
	list_append(&s->conns, &c->all);
	s->count++;
	read_peer(c);
	conn_touch(c);
	c->user = s->events.on_open(s->events.ctx, c);
}

/* The kernel tells a peer "connection reset" instead of the end when what it sent was not read. Not
 * by the scratch: the owner may be looking at it, and have closed the server. */
static void read_away(const struct conn *c)
{
	char piece[8192];

	for (int i = 0; i < 32; i++)
		if (recv(c->fd, piece, sizeof piece, MSG_DONTWAIT) <= 0)
			return;
}

static void conn_gathered(struct conn *c);

static void conn_finish(struct conn *c)
{
	struct server *s = c->server;
	struct loop *l = s->loop;

	conn_gathered(c);
	list_remove(&c->ready);
	list_remove(&c->all);
	s->count--;
	watch_free(c->watch);
	timer_free(c->timer);
	if (c->out.len == c->out_sent && !c->ended)
		read_away(c);
	close(c->fd);
	c->fd = -1;
	s->events.on_close(s->events.ctx, c);
	turn_bury(l, &c->grave, conn_release, c);
}

void conn_end_first(struct server *s)
{
	struct conn *c = LIST_OF(s->conns.next, struct conn, all);

	c->state = CONN_ENDED;
	conn_finish(c);
}

/* --- output ------------------------------------------------------------------------- */

size_t conn_pending(const struct conn *c)
{
	return c->out.len - c->out_sent;
}

/* How much the kernel took; ends the connection when it takes nothing any more. */
static size_t write_some(struct conn *c, const void *data, size_t len)
{
	ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR && errno != ENOBUFS)
			conn_end(c);
		return 0;
	}
	c->moved_ms = c->active_ms = now_ms(c);
	return (size_t)n;
}

static void conn_flush(struct conn *c)
{
	if (!conn_pending(c))
		return;
	c->out_sent += write_some(c, c->out.data + c->out_sent, conn_pending(c));
	if (!conn_pending(c)) {
		c->out_sent = 0;
		buf_reset(&c->out);
		buf_give_back(&c->out, 0);
	} else if (c->out_sent >= COMPACT_MIN && c->out_sent >= c->out.len / 2) {
		buf_consume(&c->out, c->out_sent);
		c->out_sent = 0;
	}
}

/* What was not sent waits: copied, or in the buffer that it came in, when most of it waits and nothing waits before it. */
static void conn_queue(struct conn *c, struct buf *data, size_t sent)
{
	if (conn_pending(c) || sent > data->len / 2) {
		buf_put(&c->out, data->data + sent, data->len - sent);
		return;
	}
	buf_release(&c->out);
	c->out = *data;
	c->out_sent = sent;
	*data = (struct buf){0};
}

/* The first answer of a slice goes at once, the others together: whoever sends many requests without waiting is woken for some answers, not for each. */
static bool conn_gather(struct conn *c, struct bytes data)
{
	size_t pending = conn_pending(c), low = c->server->limits.out_low;

	if (!c->in_slice || !c->told || (pending && !c->gathered) ||
	    pending + data.len > (low < GATHER_MAX ? low : GATHER_MAX))
		return false;
	if (!pending && buf_reserve(&c->out, GATHER_MAX)) {
		buf_reset(&c->out);
		return false;
	}
	if (!pending)
		c->moved_ms = now_ms(c);
	buf_put_bytes(&c->out, data);
	c->gathered = true;
	return true;
}

/* Sends what waits for the slice's end. */
static void conn_gathered(struct conn *c)
{
	if (!c->gathered)
		return;
	c->gathered = false;
	conn_flush(c);
}

int conn_send(struct conn *c, struct buf *data)
{
	size_t sent = 0, len = data->len;

	if (c->state != CONN_OPEN)
		return ERR_CANCELED;
	if (conn_gather(c, buf_bytes(data)))
		return 0;
	conn_gathered(c);
	size_t pending = conn_pending(c);
	if (!pending && len && c->state == CONN_OPEN) {
		sent = write_some(c, data->data, len);
		c->told = true;
	}
	if (c->state != CONN_OPEN)
		return ERR_CANCELED;
	if (sent == len)
		return 0;
	if (len - sent > c->server->limits.out_max - pending) {
		conn_end(c);
		return ERR_LIMIT;
	}
	if (!pending)
		c->moved_ms = now_ms(c);
	conn_queue(c, data, sent);
	if (c->out.error) {
		conn_end(c);
		return ERR_NOMEM;
	}
	c->drain_due = c->drain_due || conn_pending(c) > c->server->limits.out_low;
	conn_touch(c);
	return 0;
}

static void conn_drain(struct conn *c)
{
	struct server *s = c->server;

	if (!c->drain_due || conn_pending(c) > s->limits.out_low || c->state != CONN_OPEN)
		return;
	c->drain_due = false;
	if (s->events.on_drain)
		s->events.on_drain(s->events.ctx, c);
}

/* --- input -------------------------------------------------------------------------- */

/* The owner may be called with input. */
static bool may_hand_on(const struct conn *c)
{
	return c->state == CONN_OPEN && !c->paused && conn_pending(c) <= c->server->limits.out_low;
}

static bool may_read(const struct conn *c)
{
	return may_hand_on(c) && !c->ended && (c->in.len == 0 || c->waiting);
}

/* Something the owner has not seen lies here, or the end of which it does not know. */
static bool may_go_on(const struct conn *c)
{
	return may_hand_on(c) && ((c->in.len && !c->waiting) || (c->ended && !c->end_told));
}

static void begin_closing(struct conn *c)
{
	if (c->state != CONN_OPEN)
		return;
	c->state = CONN_CLOSING;
	c->closing_ms = now_ms(c);
}

static void overflow(struct conn *c, bool timeout)
{
	struct server *s = c->server;

	c->overflowed = true;
	if (s->events.on_overflow)
		s->events.on_overflow(s->events.ctx, c, timeout);
	begin_closing(c);
}

/* Bytes from the socket into the scratch; none at its end, at an error, or when there are none. */
static struct bytes read_some(struct conn *c)
{
	ssize_t n = recv(c->fd, c->server->scratch, CONN_READ_BYTES, MSG_DONTWAIT);

	if (n < 0 && errno == EINTR)
		return bytes_of(NULL, 0);
	c->readable = false; /* the watch tells when there is more */
	if (n < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			conn_end(c);
		return bytes_of(NULL, 0);
	}
	c->ended = n == 0;
	c->active_ms = now_ms(c);
	if (n)
		loop_asked(c->server->loop);
	return bytes_of(c->server->scratch, (size_t)n);
}

/* Calls on_data for as long as it takes something, up to the slice's time; answers how much it
 * took. */
static size_t hand_on(struct conn *c, struct bytes data)
{
	const struct server_events *e = &c->server->events;
	int64_t end_us = clock_mono_us() + SLICE_US;
	size_t taken = 0;

	c->waiting = false;
	while (taken < data.len && may_hand_on(c)) {
		size_t n = e->on_data(e->ctx, c, bytes_of(data.data + taken, data.len - taken));
		assert(n <= data.len - taken);
		taken += n;
		if (n == 0) {
			/* One that paused instead of taking wants to see the same again. */
			c->waiting = !c->paused;
			break;
		}
		if (taken < data.len && clock_mono_us() >= end_us)
			break;
	}
	return taken;
}

static void keep_rest(struct conn *c, struct bytes fresh, size_t taken)
{
	bool was_partial = c->in.len > 0;

	if (c->in.len)
		buf_consume(&c->in, taken);
	else
		buf_put(&c->in, fresh.data + taken, fresh.len - taken);
	if (c->in.error)
		conn_end(c);
	if (c->in.len == 0)
		buf_give_back(&c->in, 0);
	if (taken || !was_partial)
		c->partial_ms = now_ms(c);
	if (c->waiting && c->in.len > c->server->limits.in_max && c->state == CONN_OPEN)
		overflow(c, false);
}

static bool is_gone(const struct conn *c)
{
	struct pollfd p = {.fd = c->fd};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR));
}

/* The peer's last byte was handed on. If it closed altogether, nobody waits for answers. */
static void tell_end(struct conn *c)
{
	struct server *s = c->server;

	if (s->events.on_end)
		s->events.on_end(s->events.ctx, c, buf_bytes(&c->in));
	/* An owner that paused instead of taking wants to see the same again; he is late, not the peer. */
	c->end_told = !c->paused;
	c->waiting = false;
	if (c->end_told) {
		buf_reset(&c->in);
		buf_give_back(&c->in, 0);
	}
	if (c->state == CONN_OPEN && is_gone(c))
		conn_end(c);
	c->looked_ms = now_ms(c);
}

static void conn_read(struct conn *c)
{
	struct bytes fresh = {NULL, 0};

	if (!may_hand_on(c))
		return;
	if (c->readable && may_read(c))
		fresh = read_some(c);
	if (fresh.len && c->in.len) {
		buf_put_bytes(&c->in, fresh);
		fresh = bytes_of(NULL, 0);
		c->waiting = false;
	}
	if (fresh.len || (c->in.len && !c->waiting))
		keep_rest(c, fresh, hand_on(c, c->in.len ? buf_bytes(&c->in) : fresh));
	if (c->ended && !c->end_told && may_hand_on(c) && (c->in.len == 0 || c->waiting))
		tell_end(c);
}

/* --- limits ------------------------------------------------------------------------- */

static bool is_partial(const struct conn *c)
{
	return c->state == CONN_OPEN && c->waiting && c->in.len > 0;
}

static bool is_idle(const struct conn *c)
{
	return c->state == CONN_OPEN && c->in.len == 0 && !c->held && !conn_pending(c);
}

/* Neither read nor written: the kernel would not tell us that the peer is gone. */
static bool is_unwatched(const struct conn *c)
{
	return c->state == CONN_OPEN && !may_read(c) && !conn_pending(c);
}

static int64_t due(bool applies, int64_t since_ms, int64_t limit_ms)
{
	return applies && limit_ms > 0 ? since_ms + limit_ms : NEVER;
}

static int64_t partial_due(const struct conn *c)
{
	return due(is_partial(c), c->partial_ms, c->server->limits.partial_ms);
}

static int64_t idle_due(const struct conn *c)
{
	return due(is_idle(c), c->active_ms, c->server->limits.idle_ms);
}

static int64_t stall_due(const struct conn *c)
{
	return due(conn_pending(c) > 0, c->moved_ms, c->server->limits.stall_ms);
}

static int64_t linger_due(const struct conn *c)
{
	return due(c->state == CONN_CLOSING && c->overflowed, c->closing_ms, LINGER_MS);
}

static int64_t look_due(const struct conn *c)
{
	return due(is_unwatched(c), c->looked_ms, LOOK_MS);
}

static void stall(struct conn *c)
{
	const struct server_events *e = &c->server->events;

	if (e->on_stall)
		e->on_stall(e->ctx, c);
	conn_end(c);
}

static void conn_expire(struct conn *c)
{
	int64_t now = now_ms(c);

	if (now >= partial_due(c))
		overflow(c, true);
	if (now >= idle_due(c))
		begin_closing(c);
	/* The kernel says that it has room again when most of what it holds was read, but takes something
	 * long before: the slice has just tried. */
	if (now >= stall_due(c))
		stall(c);
	if (now >= linger_due(c))
		conn_end(c);
	if (now >= look_due(c)) {
		c->looked_ms = now;
		if (is_gone(c))
			conn_end(c);
	}
}

/* The timer is moved only when it would fire too late: one that fires too early just has us look
 * again. */
static void conn_arm(struct conn *c)
{
	int64_t due_ms[] = {partial_due(c), idle_due(c), stall_due(c), linger_due(c), look_due(c)},
		first_ms = NEVER;

	for (size_t i = 0; i < sizeof due_ms / sizeof *due_ms; i++)
		if (due_ms[i] < first_ms)
			first_ms = due_ms[i];
	if (first_ms == NEVER)
		timer_stop(c->timer);
	else if (first_ms < c->timer_at_ms)
		timer_start(c->timer, first_ms - now_ms(c), 0);
	else
		return;
	c->timer_at_ms = first_ms;
}

/* --- the slice ---------------------------------------------------------------------- */

/* What follows from the new state. */
static void conn_settle(struct conn *c)
{
	if (c->end_told && !c->held && !conn_pending(c))
		begin_closing(c);
	if (c->state == CONN_CLOSING && !conn_pending(c))
		c->state = CONN_ENDED;
	if (c->state == CONN_ENDED) {
		conn_finish(c);
		return;
	}
	watch_set(c->watch, may_read(c), conn_pending(c) > 0);
	conn_arm(c);
	if (may_go_on(c))
		conn_touch(c);
}

void conn_slice(struct conn *c)
{
	c->in_slice = true;
	c->told = false;
	if (c->state != CONN_ENDED) {
		conn_flush(c);
		conn_drain(c);
		conn_read(c);
		conn_gathered(c);
		conn_expire(c);
	}
	c->in_slice = false;
	/* The owner may have closed the whole server meanwhile: then on_close was called, and only
	 * memory is left. */
	if (c->fd >= 0)
		conn_settle(c);
}

/* --- the owner's calls -------------------------------------------------------------- */

void *conn_user(const struct conn *c)
{
	return c->user;
}

void conn_peer(const struct conn *c, uid_t *uid_out, gid_t *gid_out, pid_t *pid_out)
{
	*uid_out = c->uid;
	*gid_out = c->gid;
	*pid_out = c->pid;
}

void conn_pause(struct conn *c, bool paused)
{
	if (paused == c->paused)
		return;
	c->paused = paused;
	c->looked_ms = now_ms(c);
	conn_touch(c);
}

void conn_hold(struct conn *c, bool under_way)
{
	assert(under_way || c->held);
	c->held += under_way ? 1u : -1u;
	c->active_ms = now_ms(c);
	if (!c->held)
		conn_touch(c);
}

void conn_close(struct conn *c)
{
	begin_closing(c);
	conn_touch(c);
}

void conn_abort(struct conn *c)
{
	conn_end(c);
}
