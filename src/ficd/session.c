/*
 * session: takes messages off a connection, makes requests of them, and sends the answers back in the connection's own form. Never interprets a method.
 *
 *   bytes ─ wire_take ─ request ─ method ─ answer ─ wire_give ─ bytes
 *
 * A request lives until it is answered, or its connection ends. Answers go out in the order in which they are ready. Nothing is taken off a connection that
 * does not read its answers, and all that is unsent together is kept within a part of the memory (MEMORY_UNREAD, request_crowded).
 */
#include "access_log.h"
#include "answers.h"
#include "heap.h"
#include "memory.h"
#include "method.h"
#include "service.h"

#include <base/log.h>
#include <codec/msgpack.h>

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MESSAGES_PER_TURN 8
#define SENDING_KEPT      (128 * 1024) /* of the scratch: fresh pages cost more than what fills them */
#define RESULT_PIECES_MAX (2 * REQUEST_SPLICES_MAX + 1)
#define TRIM_BYTES        (256 * 1024) /* of unsent answers that a connection leaves behind */
#define SPARE_BYTES       (16 * 1024)  /* of a buffer that waits for the next request */

struct session {
	struct session *next;
	struct daemon *daemon;
	struct conn *conn; /* NULL: a local one */
	void (*sink)(void *ctx, struct bytes message);
	void *sink_ctx;
	enum wire_encoding encoding;
	bool may_read, may_write, paused;
	unsigned open;
	struct request *requests;
	struct buf message; /* scratch of wire_take */
};

/* Bytes that the other side has not read yet. */
static size_t unread(const struct session *s)
{
	return s->conn ? conn_pending(s->conn) : 0;
}

/* What was made in the daemon's scratch, or was not: rc. */
static void session_put(struct session *s, int rc)
{
	struct buf *out = &s->daemon->sending;

	if (rc == 0)
		conn_send(s->conn, out);
	else
		log_error("ficd", "an answer could not be written");
	buf_give_back(out, SENDING_KEPT);
}

static void session_send(struct session *s, struct bytes message)
{
	if (s->sink) {
		s->sink(s->sink_ctx, message);
		return;
	}
	struct buf *out = &s->daemon->sending;
	buf_reset(out);
	int rc = wire_give(s->encoding, message, out);
	session_put(s, rc);
}

/* Of a request that is over: before its result is forgotten. */
static void request_note(const struct request *r, int code)
{
	const struct session *s = r->session;
	struct access_peer peer = {"http", (uid_t)-1, (gid_t)-1, 0};

	if (s->conn) {
		peer.via = "socket";
		conn_peer(s->conn, &peer.uid, &peer.gid, &peer.pid);
	}
	access_log_note(s->daemon->access_log, r, &peer, code);
}

static void request_unlink(struct request *r)
{
	struct session *s = r->session;
	struct request **at = &s->requests;

	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
	s->open--;
	if (!s->conn)
		return;
	conn_hold(s->conn, false);
	if (s->paused && s->open < SESSION_REQUESTS_MAX) {
		s->paused = false;
		conn_pause(s->conn, false);
	}
}

static void request_free(struct request *r)
{
	struct spare *spare = &r->daemon->spare;

	if (r->release)
		r->release(r);
	spare_leave(&spare->message, &r->message, SPARE_BYTES);
	spare_leave(&spare->result, &r->result, SPARE_BYTES);
	free(r->live);
	free(r);
}

static struct request *request_new(struct session *s)
{
	/* Not calloc, which does not look among the small pieces that were freed just now. */
	struct request *r = malloc(sizeof *r);
	struct spare *spare = &s->daemon->spare;

	if (!r)
		return NULL;
	*r = (struct request){.session = s, .daemon = s->daemon, .began_us = clock_mono_us()};
	spare_take(&spare->message, &r->message);
	spare_take(&spare->result, &r->result);
	return r;
}

static void request_send(struct request *r, const struct buf *message)
{
	if (message->error)
		log_error("ficd", "out of memory while answering");
	else if (!r->rpc.notification)
		session_send(r->session, buf_bytes(message));
	request_unlink(r);
	request_free(r);
}

/* The same bytes exist several times on their way: no longer than needed. */
static void request_forget(struct request *r)
{
	if (r->release)
		r->release(r);
	r->release = NULL;
	spare_leave(&r->daemon->spare.result, &r->result, SPARE_BYTES);
}

void request_splice(struct request *r, const struct json_piece *piece)
{
	r->splices[r->splices_count++] = (struct splice){r->result.len, *piece};
}

/* The result and its splices, one behind the other. Returns how many pieces there are. */
static size_t request_pieces(const struct request *r, struct json_piece out[RESULT_PIECES_MAX])
{
	size_t n = 0, from = 0;

	for (unsigned i = 0; i < r->splices_count; i++) {
		const struct splice *s = &r->splices[i];
		out[n++].bytes = bytes_of(r->result.data + from, s->at - from);
		out[n++] = s->piece;
		from = s->at;
	}
	if (r->result.len > from || n == 0)
		out[n++].bytes = bytes_of(r->result.data + from, r->result.len - from);
	return n;
}

/* Straight into the connection's form. */
static void request_give(struct request *r)
{
	struct session *s = r->session;
	struct buf *out = &s->daemon->sending;
	struct json_piece pieces[RESULT_PIECES_MAX] = {{.array = false}};
	size_t count = request_pieces(r, pieces);

	buf_reset(out);
	int rc = wire_give_result(s->encoding, r->rpc.id, pieces, count, out);
	request_forget(r);
	session_put(s, rc);
	request_unlink(r);
	request_free(r);
}

/* To a session that takes messages. */
static void request_hand_over(struct request *r)
{
	struct json_piece pieces[RESULT_PIECES_MAX] = {{.array = false}};
	struct buf message = {0};
	struct buf whole = {0};

	wire_join(pieces, request_pieces(r, pieces), &whole);
	request_forget(r);
	rpc_put_result(&message, r->rpc.id, buf_bytes(&whole));
	if (whole.error)
		message.error = whole.error;
	buf_release(&whole);
	request_send(r, &message);
	buf_release(&message);
}

void request_answer(struct request *r)
{
	if (!r->result.len)
		mp_put_nil(&r->result);
	if (r->result.error) {
		request_error(r, RPC_INTERNAL, "no_memory", "ask for less at once",
			      "the answer does not fit into memory");
		return;
	}
	if (r->answers)
		r->answers[r->worth]++;
	request_note(r, 0);
	if (r->session->conn && !r->rpc.notification)
		request_give(r);
	else
		request_hand_over(r);
}

void request_error(struct request *r, int code, const char *reason, const char *hint,
		   const char *format, ...)
{
	struct buf message = {0};
	char words[512];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof words, format, args);
	va_end(args);
	rpc_put_error(&message, r->rpc.id, code, words, reason, hint);
	if (r->answers)
		r->answers[WORTH_NOTHING]++;
	request_note(r, code);
	request_send(r, &message);
	buf_release(&message);
}

/* Users that a service elsewhere knows are named by number only: asking it could take long. */
static bool user_name(uid_t uid, char *out, size_t cap)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd entry, *p;
	char line[1024];
	bool found = false;

	while (file && !found && fgetpwent_r(file, &entry, line, sizeof line, &p) == 0)
		if (p->pw_uid == uid) {
			snprintf(out, cap, "%.32s", p->pw_name);
			found = true;
		}
	if (file)
		fclose(file);
	return found;
}

/* "alice (uid 1000)", and the process. */
static pid_t peer_words(const struct conn *c, char *out, size_t cap)
{
	char name[40];
	uid_t uid;
	gid_t gid;
	pid_t pid;

	conn_peer(c, &uid, &gid, &pid);
	if (user_name(uid, name, sizeof name))
		snprintf(out, cap, "%s (uid %u)", name, (unsigned)uid);
	else
		snprintf(out, cap, "uid %u", (unsigned)uid);
	return pid;
}

const char *request_peer(const struct request *r, char *out, size_t cap)
{
	if (r->session->conn)
		peer_words(r->session->conn, out, cap);
	else
		snprintf(out, cap, "http");
	return out;
}

void request_restart(struct request *r)
{
	if (r->release)
		r->release(r);
	r->release = NULL;
	r->drained = r->cancel = NULL;
	r->state = NULL;
	r->weight = 0;
	buf_reset(&r->result);
	r->splices_count = 0;
	r->method->call(r);
}

void request_notify(struct request *r, const char *method, struct bytes params)
{
	struct buf message = {0};

	rpc_put_notification(&message, method, params);
	if (!message.error)
		session_send(r->session, buf_bytes(&message));
	buf_release(&message);
}

bool session_cancel(struct request *r, struct bytes id)
{
	struct request *other = r->session->requests;

	while (other && (other == r || other->rpc.notification || !mp_equal(other->rpc.id, id)))
		other = other->next;
	if (!other)
		return false;
	if (other->cancel)
		other->cancel(other);
	else
		request_error(other, RPC_CANCELED, "canceled", NULL, "canceled as asked for");
	return true;
}

size_t request_backlog(const struct request *r)
{
	return unread(r->session);
}

bool request_crowded(const struct request *r)
{
	const struct daemon *d = r->daemon;
	size_t own = unread(r->session), sum = 0;

	for (const struct session *s = d->sessions; s; s = s->next) {
		sum += unread(s);
		for (const struct request *other = s->requests; other; other = other->next)
			sum += other == r ? 0 : other->weight;
	}
	return sum > memory_of(d->config, MEMORY_UNREAD) ||
	       (own && own + 2 * r->weight > SESSION_UNSENT_MAX);
}

/* What is not even a request still gets an answer, with the id that could be found or nil. */
static void session_refuse(struct session *s, struct bytes id, int code, const char *words,
			   const char *hint)
{
	static const uint8_t nil = 0xc0;
	struct buf message = {0};

	rpc_put_error(&message, id.len ? id : bytes_of(&nil, 1), code, words,
		      code == RPC_PARSE ? "parse" : "invalid_request", hint);
	if (!message.error)
		session_send(s, buf_bytes(&message));
	buf_release(&message);
}

static void session_request(struct session *s)
{
	struct request *r = request_new(s);
	struct why why;

	if (!r)
		return;
	why_clear(&why);
	buf_put_bytes(&r->message, buf_bytes(&s->message));
	if (r->message.error || rpc_request_parse(buf_bytes(&r->message), &r->rpc, &why)) {
		session_refuse(s, r->rpc.id, RPC_INVALID_REQUEST, why.text,
			       "send {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}");
		request_free(r);
		return;
	}
	r->next = s->requests;
	s->requests = r;
	s->open++;
	if (s->conn)
		conn_hold(s->conn, true);
	s->daemon->dispatch(r, s->may_read, s->may_write);
}

/* Behind a bad line the next one begins; behind bad MessagePack, or in the middle of a line that is too long, nobody knows. */
static bool next_begins(const struct session *s, struct bytes data, size_t used)
{
	return s->encoding != WIRE_MSGPACK && used > 0 && data.data[used - 1] == '\n';
}

/* What makes room is taken even when there is none. */
static bool makes_room(const struct session *s)
{
	struct rpc_request rpc;
	struct why why;

	return rpc_request_parse(buf_bytes(&s->message), &rpc, &why) == 0 &&
	       bytes_is(rpc.method, "cancel");
}

static size_t take_messages(struct session *s, struct bytes data)
{
	size_t taken = 0;

	for (int i = 0; i < MESSAGES_PER_TURN && taken < data.len; i++) {
		struct bytes rest = bytes_of(data.data + taken, data.len - taken);
		struct why why;
		size_t used = 0;
		why_clear(&why);
		int rc = wire_take(s->daemon->parser, rest, &s->encoding, &s->message, &used, &why);
		if (rc == 1 && s->open >= SESSION_REQUESTS_MAX && !makes_room(s)) {
			s->paused = true;
			conn_pause(s->conn, true);
			break;
		}
		taken += used;
		if (rc == 1)
			session_request(s);
		else if (rc < 0)
			session_refuse(s, bytes_of(NULL, 0), RPC_PARSE, why.text,
				       "one JSON-RPC 2.0 object a line, or MessagePack maps");
		if (rc < 0 && !next_begins(s, rest, used)) {
			conn_close(s->conn);
			return data.len;
		}
		if (rc == 0 && used == 0)
			break;
		/* The server calls again when they are sent. */
		if (conn_pending(s->conn) > SESSION_UNSENT_LOW)
			break;
	}
	buf_give_back(&s->message, 16 * 1024);
	return taken;
}

/* ---- the server's events ---- */

static void session_allow(struct session *s)
{
	const struct config *config = s->daemon->config;
	uid_t uid;
	gid_t gid;
	pid_t pid;

	conn_peer(s->conn, &uid, &gid, &pid);
	s->may_write = access_allowed(&config->allow_write, uid, gid);
	s->may_read = s->may_write || access_allowed(&config->allow_read, uid, gid);
}

void sessions_allow(struct daemon *d)
{
	for (struct session *s = d->sessions; s; s = s->next)
		if (s->conn)
			session_allow(s);
}

static void *on_open(void *ctx, struct conn *c)
{
	struct daemon *d = ctx;
	struct session *s = calloc(1, sizeof *s);

	if (!s) {
		conn_abort(c);
		return NULL;
	}
	s->next = d->sessions;
	d->sessions = s;
	s->daemon = d;
	s->conn = c;
	session_allow(s);
	return s;
}

static size_t on_data(void *ctx, struct conn *c, struct bytes data)
{
	struct session *s = conn_user(c);

	(void)ctx;
	return s ? take_messages(s, data) : data.len;
}

/* A last line may come without its newline. When too much is under way it is told again as soon as there is room. */
static void on_end(void *ctx, struct conn *c, struct bytes rest)
{
	struct session *s = conn_user(c);
	struct buf line = {0};

	(void)ctx;
	if (!s || rest.len == 0 || s->encoding == WIRE_MSGPACK)
		return;
	buf_put_bytes(&line, rest);
	buf_put_byte(&line, '\n');
	if (!line.error)
		take_messages(s, buf_bytes(&line));
	buf_release(&line);
}

static void on_overflow(void *ctx, struct conn *c, bool timeout)
{
	struct session *s = conn_user(c);

	(void)ctx;
	if (!s)
		return;
	if (timeout)
		session_refuse(s, bytes_of(NULL, 0), RPC_INVALID_REQUEST,
			       "the request was not finished in time",
			       "end each request with a newline");
	else
		session_refuse(s, bytes_of(NULL, 0), RPC_INVALID_REQUEST,
			       "the request is longer than 1 MiB", "ask for less at once");
}

static void on_drain(void *ctx, struct conn *c)
{
	struct session *s = conn_user(c);

	(void)ctx;
	for (struct request *r = s ? s->requests : NULL; r; r = r->next)
		if (r->drained)
			r->drained(r);
}

/* The client cannot be told: what it does not read is in the way. */
static void on_stall(void *ctx, struct conn *c)
{
	struct daemon *d = ctx;
	char peer[80];
	pid_t pid = peer_words(c, peer, sizeof peer);

	d->connections_cut++;
	log_warn("ficd",
		 "%s, process %lld, has taken nothing of its answers for %lld ms (send_timeout) and is cut off; bytes=%zu",
		 peer, (long long)pid, (long long)d->config->send_timeout_ms, conn_pending(c));
}

static void session_unlink(struct session *s)
{
	struct session **at = &s->daemon->sessions;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
}

void session_end(struct session *s)
{
	if (!s)
		return;
	session_unlink(s);
	for (struct request *r = s->requests, *next; r; r = next) {
		next = r->next;
		request_note(r, ACCESS_GONE);
		request_free(r);
	}
	buf_release(&s->message);
	free(s);
}

static void on_close(void *ctx, struct conn *c)
{
	struct daemon *d = ctx;

	if (conn_user(c) && conn_pending(c) >= TRIM_BYTES)
		heap_trim(d->heap);
	session_end(conn_user(c));
}

/* ---- sessions without a connection ---- */

struct session *session_local(struct daemon *d, bool may_read, bool may_write,
			      void (*sink)(void *ctx, struct bytes message), void *ctx)
{
	struct session *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	*s = (struct session){.next = d->sessions,
			      .daemon = d,
			      .sink = sink,
			      .sink_ctx = ctx,
			      .may_read = may_read || may_write,
			      .may_write = may_write};
	d->sessions = s;
	return s;
}

void session_ask(struct session *s, struct bytes message)
{
	buf_reset(&s->message);
	buf_put_bytes(&s->message, message);
	if (s->message.error)
		session_refuse(s, bytes_of(NULL, 0), RPC_INTERNAL, "out of memory",
			       "ask for less at once");
	else
		session_request(s);
}

static struct bytes on_refused(void *ctx)
{
	(void)ctx;
	return bytes_str(
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":7,\"message\":\"too many connections\","
		"\"data\":{\"reason\":\"busy\",\"hint\":\"close one, or try again later\"}}}\n");
}

int sessions_listen(struct daemon *d, struct why *why)
{
	d->parser = wire_parser();
	d->kept = answers_new(memory_of(d->config, MEMORY_KEPT));
	struct server_options options = {
		.path = d->config->socket,
		.mode = 0660,
		.in_max = WIRE_MESSAGE_MAX + 4096,
		.out_max = SESSION_UNSENT_MAX,
		.out_low = SESSION_UNSENT_LOW,
		.stall_ms = d->config->send_timeout_ms,
	};
	struct server_events events = {
		.on_open = on_open,
		.on_data = on_data,
		.on_end = on_end,
		.on_overflow = on_overflow,
		.on_drain = on_drain,
		.on_stall = on_stall,
		.on_close = on_close,
		.on_refused = on_refused,
		.ctx = d,
	};

	int fd = service_descriptor("control");
	d->server = fd < 0 ? server_open(d->loop, &options, &events, why)
			   : server_adopt(d->loop, fd, &options, &events, why);
	return d->server ? 0 : ERR_IO;
}

void sessions_close(struct daemon *d)
{
	server_close(d->server);
	d->server = NULL;
	buf_release(&d->sending);
	spare_release(&d->spare);
	json_free(d->parser);
	answers_free(d->kept);
}
