/* Serves HTTP with libmicrohttpd, driven by one poll loop in one thread. A
 * call is answered when its last byte has arrived; waiting (latency, slow,
 * drip) suspends its connection and never holds the others. */
#include "http.h"

#include "call.h"
#include "clock.h"
#include "control.h"
#include "foreign.h"
#include "ledger.h"
#include "settings.h"
#include "stats.h"
#include "wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BODY_MAX (1u << 20)

static struct MHD_Daemon *httpd;
static uint32_t api_connections;
static struct request *sleeping;

void request_sleep(struct request *r, struct MHD_Connection *conn, int64_t due_ms)
{
	r->connection = conn;
	r->due_ms = due_ms;
	r->next = sleeping;
	sleeping = r;
	MHD_suspend_connection(conn);
}

static void wake(int64_t now_ms, bool all)
{
	struct request **at = &sleeping;

	while (*at) {
		struct request *r = *at;

		if (!all && r->due_ms > now_ms) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		r->next = NULL;
		MHD_resume_connection(r->connection);
	}
}

static void *uri_begun(void *cls, const char *uri, struct MHD_Connection *conn)
{
	struct request *r = calloc(1, sizeof(*r));

	(void)cls;
	(void)conn;
	if (!r)
		abort();
	r->uri = strdup(uri);
	return r;
}

static void request_done(void *cls, struct MHD_Connection *conn, void **con_cls,
			 enum MHD_RequestTerminationCode code)
{
	struct request *r = *con_cls;

	(void)cls;
	(void)conn;
	if (!r)
		return;
	/* It hung up before it had the whole answer: it knows nothing of it. */
	if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK)
		ledger_undelivered(&r->receipt);
	for (struct request **at = &sleeping; *at; at = &(*at)->next) {
		if (*at == r) {
			*at = r->next;
			break;
		}
	}
	if (r->answer)
		MHD_destroy_response(r->answer);
	free(r->uri);
	buf_release(&r->body);
	free(r);
	*con_cls = NULL;
}

/* A connection counts once its first call to the API arrives. */
struct socket_note {
	bool counted;
};

static void connection_changed(void *cls, struct MHD_Connection *conn, void **socket_context,
			       enum MHD_ConnectionNotificationCode code)
{
	struct socket_note *note = *socket_context;

	(void)cls;
	(void)conn;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = calloc(1, sizeof(*note));
		return;
	}
	if (note && note->counted)
		api_connections--;
	free(note);
	*socket_context = NULL;
}

static void count_connection(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct socket_note *note = info ? info->socket_context : NULL;

	if (!note || note->counted)
		return;
	note->counted = true;
	if (++api_connections > settings.connections)
		stats_breach(BREACH_CONNECTIONS, "%u connections at once", api_connections);
}

static const char *look_argument(void *from, const char *name)
{
	return MHD_lookup_connection_value(from, MHD_GET_ARGUMENT_KIND, name);
}

static const char *look_header(void *from, const char *name)
{
	return MHD_lookup_connection_value(from, MHD_HEADER_KIND, name);
}

struct each {
	void (*fn)(void *ctx, const char *name, const char *value);
	void *ctx;
};

static enum MHD_Result each_one(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct each *e = cls;

	(void)kind;
	e->fn(e->ctx, key, value ? value : "");
	return MHD_YES;
}

static void look_all(void *from, void (*fn)(void *ctx, const char *name, const char *value), void *ctx)
{
	struct each e = {fn, ctx};

	MHD_get_connection_values(from, MHD_GET_ARGUMENT_KIND, each_one, &e);
}

static void break_connection(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct linger now = {1, 0};

	if (info)
		setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static enum MHD_Result send_answer(struct request *r, struct MHD_Connection *conn)
{
	enum MHD_Result done;

	if (r->reset) {
		break_connection(conn);
		return MHD_NO;
	}
	if (r->tells)
		ledger_told(&r->words, r->retry_after_s);
	done = MHD_queue_response(conn, r->status, r->answer);
	MHD_destroy_response(r->answer);
	r->answer = NULL;
	return done;
}

static enum MHD_Result serve_api(struct request *r, struct MHD_Connection *conn, struct call *c)
{
	uint32_t wait = settings.latency_ms;

	count_connection(conn);
	call_answer(c);
	ledger_take_receipt(&r->receipt);
	if (c->fault && c->fault->kind == FAULT_SLOW)
		wait += c->fault->delay_ms;
	r->reset = c->fault && c->fault->kind == FAULT_RESET;
	if (!r->reset)
		wire_finish(r, conn, c);
	else
		stats_answer(0, 0);
	call_release(c);
	if (!wait)
		return send_answer(r, conn);
	request_sleep(r, conn, clock_mono_ms() + wait);
	return MHD_YES;
}

static ssize_t truth_chunk(void *cls, uint64_t pos, char *out, size_t max)
{
	size_t n = truth_read(cls, out, max);

	(void)pos;
	return n ? (ssize_t)n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void truth_end(void *cls)
{
	truth_close(cls);
}

static enum MHD_Result serve_control(struct request *r, struct MHD_Connection *conn, struct call *c)
{
	struct control_answer a = {.status = 200};

	control_answer(c, &a);
	r->status = (unsigned)a.status;
	if (a.stream)
		r->answer = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 65536, truth_chunk,
							      a.stream, truth_end);
	else
		r->answer = wire_plain(&a.out);
	MHD_add_response_header(r->answer, "Content-Type",
				a.stream ? "application/x-ndjson" : "application/json");
	wire_date(r->answer);
	call_release(c);
	return send_answer(r, conn);
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *conn, const char *path,
			      const char *method, const char *http_version, const char *data,
			      size_t *data_size, void **con_cls)
{
	struct request *r = *con_cls;
	struct lookup in = {conn, look_argument, look_header, look_all};
	struct call c = {.method = method, .path = path, .in = &in};

	(void)cls;
	(void)http_version;
	if (!r->begun) {
		r->begun = true;
		return MHD_YES;
	}
	if (r->answer || r->reset)
		return send_answer(r, conn); /* its time has come */
	if (*data_size) {
		if (r->body.len + *data_size > BODY_MAX)
			return MHD_NO;
		buf_put(&r->body, data, *data_size);
		*data_size = 0;
		return MHD_YES;
	}
	c.uri = r->uri;
	c.body_text = r->body.len ? buf_text(&r->body) : "";
	c.body_len = r->body.len;
	if (!strncmp(path, "/_sim/", 6))
		return serve_control(r, conn, &c);
	return serve_api(r, conn, &c);
}

bool http_start(uint32_t port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	httpd = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME |
					 MHD_USE_SUPPRESS_DATE_NO_CLOCK,
				 (uint16_t)port, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR,
				 (struct sockaddr *)&addr, MHD_OPTION_URI_LOG_CALLBACK, uri_begun,
				 NULL, MHD_OPTION_NOTIFY_COMPLETED, request_done, NULL,
				 MHD_OPTION_NOTIFY_CONNECTION, connection_changed, NULL,

				 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)65536, MHD_OPTION_END);
	return httpd != NULL;
}

uint32_t http_port(void)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(httpd, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

/* Milliseconds until something is due, or -1. */
static int next_due(int64_t deadline_ms)
{
	int64_t now = clock_mono_ms(), due = deadline_ms ? deadline_ms : INT64_MAX;
	MHD_UNSIGNED_LONG_LONG httpd_ms;

	for (const struct request *r = sleeping; r; r = r->next)
		if (r->due_ms < due)
			due = r->due_ms;
	if (MHD_get_timeout(httpd, &httpd_ms) == MHD_YES && now + (int64_t)httpd_ms < due)
		due = now + (int64_t)httpd_ms;
	if (due == INT64_MAX)
		return -1;
	return due <= now ? 0 : due - now > 60000 ? 60000 : (int)(due - now);
}

void http_serve(int stop_fd, int64_t deadline_ms)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(httpd, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd fds[3] = {
		{info->epoll_fd, POLLIN, 0}, {stop_fd, POLLIN, 0}, {foreign_fd(), POLLIN, 0}};

	for (;;) {
		poll(fds, 3, next_due(deadline_ms));
		if (fds[1].revents || (deadline_ms && clock_mono_ms() >= deadline_ms))
			return;
		wake(clock_mono_ms(), false);
		MHD_run(httpd);
		if (fds[2].revents)
			foreign_run();
	}
}

void http_stop(void)
{
	if (!httpd)
		return;
	wake(0, true);
	MHD_run(httpd);
	MHD_stop_daemon(httpd);
	httpd = NULL;
}
