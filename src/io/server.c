/*
 * server: the listening socket, and the order in which its connections get their slices.
 *
 * Accepts in small bites; stops accepting for a moment when descriptors or memory run out; turns
 * away what is over the limit with a sentence. Each turn, the connections that have something to do
 * get a slice each (conn.c), for at most SERVER_BUDGET_US together; who did not get one is first in
 * the next turn.
 */
#include "conn.h"

#include <base/clock.h>
#include <base/log.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER_BUDGET_US 1000
#define ACCEPTS_A_TURN   16
#define ACCEPT_RETRY_MS  100

/* The end of the turn. */
static void server_act(void *ctx)
{
	struct server *s = ctx;
	int64_t end_us = clock_mono_us() + SERVER_BUDGET_US;
	struct link round, *link;

	list_init(&round);
	list_join(&round, &s->ready);
	while ((link = list_take(&round))) {
		conn_slice(conn_of_ready(link));
		if (clock_mono_us() >= end_us)
			break;
	}
	/* Those that were not served stand before those that have come again. */
	list_join(&round, &s->ready);
	list_join(&s->ready, &round);
	if (!list_empty(&s->ready))
		turn_note(s->loop, &s->note);
}

/* --- accepting ---------------------------------------------------------------------- */

static void refuse(struct server *s, int fd)
{
	struct bytes text = s->events.on_refused ? s->events.on_refused(s->events.ctx)
						 : bytes_of(NULL, 0);

	/* A new socket's buffer is empty: this either fits or is not worth waiting for. What the
	 * peer has sent is read, or it would be told "reset" instead. */
	if (text.len && send(fd, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		(void)!recv(fd, s->scratch, sizeof s->scratch, MSG_DONTWAIT);
	close(fd);
}

/* Out of descriptors or memory: the listener stays ready, so asking again at once would only burn
 * time. */
static void wait_with_accepting(struct server *s)
{
	if (!s->accept_failed)
		log_warn("server", "cannot accept a connection: %s; trying again every %d ms",
			 strerror(errno), ACCEPT_RETRY_MS);
	s->accept_failed = true;
	watch_set(s->watch, false, false);
	timer_start(s->retry, ACCEPT_RETRY_MS, 0);
}

static bool is_peers_fault(int error)
{
	return error == ECONNABORTED || error == EINTR || error == EPERM || error == EPROTO;
}

static void on_accept(void *ctx, bool readable, bool writable)
{
	struct server *s = ctx;

	(void)readable;
	(void)writable;
	for (int i = 0; i < ACCEPTS_A_TURN && s->listener.fd >= 0; i++) {
		int fd = accept4(s->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && is_peers_fault(errno))
			continue;
		if (fd < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				wait_with_accepting(s);
			return;
		}
		s->accept_failed = false;
		if (s->count >= s->limits.conns_max)
			refuse(s, fd);
		else
			conn_open(s, fd);
	}
}

static void on_retry(void *ctx)
{
	struct server *s = ctx;

	watch_set(s->watch, true, false);
	on_accept(s, true, false);
}

/* --- life --------------------------------------------------------------------------- */

static void set_limits(struct server_options *to, const struct server_options *from)
{
	*to = *from;
	to->path = NULL;
	to->conns_max = from->conns_max ? from->conns_max : 64;
	to->in_max = from->in_max ? from->in_max : (1u << 20) + 4096;
	to->out_max = from->out_max ? from->out_max : 8u << 20;
	to->out_low = from->out_low ? from->out_low : 65536;
	to->partial_ms = from->partial_ms ? from->partial_ms : 30000;
}

static struct server *server_new(struct loop *l, struct listener listener,
				 const struct server_options *options,
				 const struct server_events *events, struct why *why)
{
	struct server *s = calloc(1, sizeof *s);

	if (!s || !(s->watch = watch_new(l, listener.fd, on_accept, s)) ||
	    !(s->retry = timer_new(l, on_retry, s))) {
		why_set(why, ERR_NOMEM, "no memory for a server");
		if (s)
			watch_free(s->watch);
		free(s);
		listener_close(&listener);
		return NULL;
	}
	s->loop = l;
	s->listener = listener;
	s->events = *events;
	set_limits(&s->limits, options);
	list_init(&s->conns);
	list_init(&s->ready);
	turn_note_init(&s->note, server_act, s);
	watch_set(s->watch, true, false);
	return s;
}

struct server *server_open(struct loop *l, const struct server_options *options,
			   const struct server_events *events, struct why *why)
{
	struct listener listener;

	if (listener_open(&listener, options->path, options->mode, why))
		return NULL;
	return server_new(l, listener, options, events, why);
}

struct server *server_adopt(struct loop *l, int fd, const struct server_options *options,
			    const struct server_events *events, struct why *why)
{
	struct listener listener;

	if (listener_adopt(&listener, fd, why))
		return NULL;
	return server_new(l, listener, options, events, why);
}

void server_stop_accepting(struct server *s)
{
	watch_free(s->watch);
	s->watch = NULL;
	timer_stop(s->retry);
	listener_close(&s->listener);
}

void server_close(struct server *s)
{
	if (!s || s->closed)
		return;
	s->closed = true;
	server_stop_accepting(s);
	while (!list_empty(&s->conns))
		conn_end_first(s);
	timer_free(s->retry);
	turn_forget(&s->note);
	turn_bury(s->loop, &s->grave, free, s);
}

unsigned server_count(const struct server *s)
{
	return s->count;
}
