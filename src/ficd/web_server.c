/*
 * web_server: see the header. libmicrohttpd has no thread here: its epoll descriptor is watched by the loop, its timeouts are a timer of the loop, and a request that is
 * answered later is suspended until then.
 */
#include "web_server.h"

#include <base/log.h>

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define CONNECTION_MEMORY ((size_t)24 << 10) /* request line and headers; more is 431 */

struct web_server {
	struct loop *loop;
	struct listener listener;
	struct web_events events;
	struct MHD_Daemon *daemon;
	struct watch *watch;
	struct timer *timer;
	struct web_request *requests;
	bool closing;
};

struct web_request {
	struct web_request *next;
	struct web_server *server;
	struct MHD_Connection *connection;
	const char *method, *path; /* libmicrohttpd's, as long as the request */
	struct buf body;
	bool too_long, given, suspended;
	struct MHD_Response *response; /* until it is queued */
	unsigned status;
	void *user;
};

/* ---- requests ---- */

const char *web_method(const struct web_request *r)
{
	return r->method;
}

const char *web_path(const struct web_request *r)
{
	return r->path;
}

const char *web_header(const struct web_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

struct bytes web_body(const struct web_request *r)
{
	return buf_bytes(&r->body);
}

bool web_too_long(const struct web_request *r)
{
	return r->too_long;
}

void web_set_user(struct web_request *r, void *user)
{
	r->user = user;
}

void *web_user(const struct web_request *r)
{
	return r->user;
}

void web_answer(struct web_request *r, unsigned status, const struct web_header *headers,
		struct bytes body)
{
	r->response = MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.data,
						      MHD_RESPMEM_MUST_COPY);
	r->status = status;
	for (; r->response && headers && headers->name; headers++)
		MHD_add_response_header(r->response, headers->name, headers->value);
	if (!r->suspended)
		return;
	r->suspended = false;
	MHD_resume_connection(r->connection);
	timer_start(r->server->timer, 0, 0);
}

/* ---- libmicrohttpd's calls ---- */

static void take_body(struct web_request *r, const char *data, size_t len)
{
	if (r->too_long)
		return;
	if (len > WEB_BODY_MAX - r->body.len) {
		r->too_long = true;
		buf_release(&r->body);
		return;
	}
	buf_put(&r->body, data, len);
}

static enum MHD_Result queue_answer(struct web_request *r)
{
	if (!r->response)
		return MHD_NO;
	enum MHD_Result rc = MHD_queue_response(r->connection, r->status, r->response);

	MHD_destroy_response(r->response);
	r->response = NULL;
	return rc;
}

static enum MHD_Result on_access(void *ctx, struct MHD_Connection *connection, const char *url,
				 const char *method, const char *version, const char *data,
				 size_t *len, void **state)
{
	struct web_server *s = ctx;
	struct web_request *r = *state;

	(void)version;
	if (!r) {
		r = calloc(1, sizeof *r);
		*state = r;
		if (!r)
			return MHD_NO;
		*r = (struct web_request){.next = s->requests,
					  .server = s,
					  .connection = connection,
					  .method = method,
					  .path = url};
		s->requests = r;
		return MHD_YES;
	}
	if (*len) {
		take_body(r, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (r->given)
		return queue_answer(r);
	r->given = true;
	if (r->body.error)
		return MHD_NO;
	s->events.on_request(s->events.ctx, r);
	if (r->response)
		return queue_answer(r);
	r->suspended = true;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode how)
{
	struct web_server *s = ctx;
	struct web_request *r = *state;

	(void)connection;
	if (!r)
		return;
	*state = NULL;
	struct web_request **at = &s->requests;
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	if (r->given && how != MHD_REQUEST_TERMINATED_COMPLETED_OK)
		s->events.on_gone(s->events.ctx, r);
	if (r->response)
		MHD_destroy_response(r->response);
	buf_release(&r->body);
	free(r);
}

/* Paths stay as they were sent: none of ours needs escapes, and a decoded one may end early. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *connection, char *text)
{
	(void)ctx;
	(void)connection;
	return strlen(text);
}

static void on_log(void *ctx, const char *format, va_list args)
{
	char text[256];

	(void)ctx;
	vsnprintf(text, sizeof text, format, args);
	text[strcspn(text, "\r\n")] = 0;
	log_debug("http", "%s", text);
}

/* ---- the loop ---- */

static void run(struct web_server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(s->daemon);
	if (MHD_get_timeout(s->daemon, &ms) == MHD_YES)
		timer_start(s->timer, (int64_t)(ms < 3600000 ? ms : 3600000), 0);
	else
		timer_stop(s->timer);
}

static void on_ready(void *ctx, bool readable, bool writable)
{
	struct web_server *s = ctx;

	(void)readable;
	(void)writable;
	loop_asked(s->loop);
	run(s);
}

static void on_timer(void *ctx)
{
	run(ctx);
}

static int watch_daemon(struct web_server *s)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	s->timer = timer_new(s->loop, on_timer, s);
	s->watch = info ? watch_new(s->loop, info->epoll_fd, on_ready, s) : NULL;
	if (!s->timer || !s->watch)
		return ERR_NOMEM;
	watch_set(s->watch, true, false);
	return 0;
}

struct web_server *web_server_open(struct loop *l, struct listener *listener,
				   const struct web_events *events, struct why *why)
{
	struct web_server *s = calloc(1, sizeof *s);

	if (!s) {
		why_set(why, ERR_NOMEM, "out of memory");
		listener_close(listener);
		return NULL;
	}
	*s = (struct web_server){.loop = l, .listener = *listener, .events = *events};
	s->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
				     0, NULL, NULL, on_access, s, MHD_OPTION_EXTERNAL_LOGGER,
				     on_log, NULL, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
				     MHD_OPTION_LISTEN_SOCKET, s->listener.fd,
				     MHD_OPTION_CONNECTION_LIMIT, WEB_CONNECTIONS_MAX,
				     MHD_OPTION_CONNECTION_TIMEOUT, WEB_IDLE_S,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
				     MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_END);
	if (!s->daemon || watch_daemon(s)) {
		why_set(why, ERR_IO, "the HTTP server cannot be started");
		web_server_close(s);
		return NULL;
	}
	return s;
}

void web_server_close(struct web_server *s)
{
	if (!s || s->closing)
		return;
	s->closing = true;
	watch_free(s->watch);
	timer_free(s->timer);
	/* It closes the listening socket as well, and wants nobody suspended. */
	if (s->daemon) {
		for (struct web_request *r = s->requests; r; r = r->next)
			if (r->suspended)
				MHD_resume_connection(r->connection);
		MHD_run(s->daemon);
		MHD_stop_daemon(s->daemon);
		s->listener.fd = -1;
	}
	listener_close(&s->listener);
	free(s);
}

unsigned web_server_port(const struct web_server *s)
{
	struct sockaddr_in6 at = {0};
	socklen_t len = sizeof at;

	if (getsockname(s->listener.fd, (struct sockaddr *)&at, &len) || at.sin6_family == AF_UNIX)
		return 0;
	/* The port stands at the same place in both families. */
	return ntohs(at.sin6_port);
}
