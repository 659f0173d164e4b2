/*
 * client: one connection to the daemon, one question at a time. Knows how to ask, not what. What arrives is not trusted: an answer
 * that is cut, late, too long or nonsense is an error in words.
 */
#include "client.h"

#include <base/clock.h>
#include <codec/msgpack.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef FIC_RUNSTATEDIR
#define FIC_RUNSTATEDIR "/run"
#endif

#define READ_BYTES ((size_t)64 << 10)
#define TICK_MS    100

volatile int client_interrupted;

/* --- finding the daemon --- */

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);

	if (len >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, len + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* Connecting blocks only when the daemon's queue of callers is full; everything after it never does. */
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

struct paths {
	char text[2][512];
	size_t count;
};

/* A path that was named is the only one: another daemon's answer would be a wrong one. */
static void list_paths(struct paths *p, const char *path)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	p->count = 0;
	if (!path)
		path = getenv("FICD_SOCKET");
	if (path && *path) {
		snprintf(p->text[p->count++], sizeof p->text[0], "%s", path);
		return;
	}
	if (runtime && *runtime)
		snprintf(p->text[p->count++], sizeof p->text[0], "%s/ficd/ficd.sock", runtime);
	snprintf(p->text[p->count++], sizeof p->text[0], "%s/ficd/ficd.sock", FIC_RUNSTATEDIR);
}

static int find_daemon(struct client *c, const char *path, struct why *why)
{
	struct paths p;
	char tried[260] = "";
	int code = ERR_NOTFOUND;
	size_t at = 0;

	list_paths(&p, path);
	for (size_t i = 0; i < p.count; i++) {
		c->fd = connect_to(p.text[i]);
		if (c->fd >= 0)
			return 0;
		if (errno == EACCES || errno == EPERM)
			code = ERR_DENIED;
		int n = snprintf(tried + at, sizeof tried - at, "%s%.100s (%s)", i ? ", " : "",
				 p.text[i],
				 errno == ENOENT         ? "not there"
				 : errno == ECONNREFUSED ? "nobody listens"
							 : strerror(errno));
		if (n > 0)
			at += (size_t)n < sizeof tried - at ? (size_t)n : sizeof tried - at - 1;
	}
	if (code == ERR_DENIED)
		return why_set(why, code, "not allowed to talk to ficd; tried %s", tried);
	return why_set(why, code, "ficd cannot be reached; tried %s", tried);
}

/* --- waiting --- */

/* 1: the socket is ready, 0: a tick passed, or an error. */
static int wait_for(struct client *c, short events, const struct client_wait *wait, struct why *why)
{
	struct pollfd p = {.fd = c->fd, .events = events};
	int64_t left = wait->until_ms < 0 ? TICK_MS : wait->until_ms - clock_mono_ms();

	if (client_interrupted)
		return why_set(why, ERR_CANCELED, "interrupted");
	if (left <= 0)
		return why_set(why, ERR_BUSY, "no answer in time");
	int timeout = left < TICK_MS ? (int)left : TICK_MS;
	if (wait->until_ms < 0 && !wait->on_tick)
		timeout = 1000;
	int n = poll(&p, 1, timeout);
	if (n < 0 && errno != EINTR)
		return why_errno(why, "waiting for ficd");
	if (wait->on_tick)
		wait->on_tick(wait->ctx);
	return n > 0;
}

static int send_all(struct client *c, struct bytes data, const struct client_wait *wait,
		    struct why *why)
{
	while (data.len > 0) {
		ssize_t n = send(c->fd, data.data, data.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			data.data += n;
			data.len -= (size_t)n;
			continue;
		}
		if (errno == EAGAIN) {
			int r = wait_for(c, POLLOUT, wait, why);
			if (r < 0)
				return r;
		} else if (errno == EPIPE || errno == ECONNRESET) {
			/* The daemon may have said why before it hung up: reading will tell. */
			return 0;
		} else if (errno != EINTR) {
			return why_errno(why, "asking ficd");
		}
	}
	return 0;
}

/* 1: something had arrived, 0: nothing yet. Never waits. */
static int receive(struct client *c, struct why *why)
{
	if (buf_reserve(&c->in, READ_BYTES) < 0)
		return why_set(why, ERR_LIMIT, "the answer is longer than %d MiB",
			       WIRE_ANSWER_MAX >> 20);
	ssize_t n = recv(c->fd, c->in.data + c->in.len, READ_BYTES, MSG_DONTWAIT);
	if (n > 0) {
		c->in.len += (size_t)n;
		return 1;
	}
	if (n == 0)
		return why_set(why, ERR_IO,
			       c->in.len ? "ficd hung up in the middle of an answer"
					 : "ficd hung up without an answer");
	if (errno == ECONNRESET)
		return why_set(why, ERR_IO, "ficd hung up without an answer");
	if (errno != EAGAIN && errno != EINTR)
		return why_errno(why, "reading ficd's answer");
	return 0;
}

/* --- messages --- */

static int take(struct client *c, struct why *why)
{
	static const struct wire_limits limits = {WIRE_ANSWER_MAX, WIRE_ANSWER_DEPTH_MAX};
	struct why inner = {""};
	size_t used;

	if (c->in.len == c->tried)
		return 0;
	int r = wire_take_within(&limits, buf_bytes(&c->in), &c->hear, &c->message, &used, &inner);
	buf_consume(&c->in, used);
	c->tried = r == 0 ? c->in.len : 0;
	if (r < 0)
		return why_set(why, r == ERR_LIMIT ? ERR_LIMIT : ERR_SYNTAX,
			       "ficd's answer cannot be read: %.250s", inner.text);
	return r;
}

/* The next message. A long answer is looked at again only when no more of it is waiting or it has doubled: its start would be
 * searched for the end over and over. */
static int next_message(struct client *c, const struct client_wait *wait, struct why *why)
{
	for (;;) {
		int r = take(c, why);
		if (r != 0)
			return r;
		size_t enough = c->in.len * 2 + READ_BYTES;
		do {
			r = receive(c, why);
		} while (r == 1 && c->in.len < enough);
		if (r == 0 && c->in.len == c->tried)
			r = wait_for(c, POLLIN, wait, why);
		/* The hangup may stand behind a whole answer. */
		if (r < 0) {
			int last = take(c, why);
			return last != 0 ? last : r;
		}
	}
}

static bool is_answer(const struct client *c, const struct rpc_response *answer)
{
	struct mp_value id;

	if (answer->method.data || !mp_get(answer->id, &id))
		return false;
	/* Without an id: the daemon could not read the question; there is only one. */
	return id.type == MP_NIL || (id.type == MP_INT && id.integer == c->id);
}

int client_send(struct client *c, const char *method, struct bytes params,
		const struct client_wait *wait, int64_t *id_out, struct why *why)
{
	struct buf question = {0}, sent = {0};

	*id_out = ++c->id;
	rpc_put_request(&question, c->id, method, params);
	int r = question.error ? question.error : wire_give(c->ask, buf_bytes(&question), &sent);
	if (r < 0)
		why_set(why, r, "the question cannot be written");
	else
		r = send_all(c, buf_bytes(&sent), wait, why);
	buf_release(&question);
	buf_release(&sent);
	return r;
}

static int parse(const struct client *c, struct rpc_response *answer, struct why *why)
{
	struct why inner = {""};

	if (rpc_response_parse(buf_bytes(&c->message), answer, &inner) == 0)
		return 1;
	return why_set(why, ERR_SYNTAX, "ficd's answer makes no sense: %.250s", inner.text);
}

int client_take(struct client *c, struct rpc_response *answer, struct why *why)
{
	int r = take(c, why);
	int more = 1;

	while (r == 0 && more == 1) {
		more = receive(c, why);
		/* The hangup may stand behind a whole answer. */
		if (more != 1)
			r = take(c, why);
	}
	if (r == 1)
		return parse(c, answer, why);
	return r < 0 ? r : more;
}

int client_call(struct client *c, const char *method, struct bytes params,
		const struct client_wait *wait, struct rpc_response *answer, struct why *why)
{
	int64_t id;
	int r = client_send(c, method, params, wait, &id, why);

	while (r >= 0) {
		r = next_message(c, wait, why);
		if (r >= 0)
			r = parse(c, answer, why);
		if (r < 0)
			break;
		if (is_answer(c, answer))
			return 0;
		if (answer->method.data && wait->on_notification)
			wait->on_notification(wait->ctx, answer->method, answer->params);
	}
	return r;
}

/* --- opening --- */

/* Refused before it was understood: a full daemon and a stranger's are not the same. */
static int not_greeted(const struct rpc_response *answer, struct why *why)
{
	int len = (int)(answer->error_message.len < 200 ? answer->error_message.len : 200);
	const char *text = (const char *)answer->error_message.data;

	if (answer->code == RPC_BUSY)
		return why_set(why, ERR_REMOTE, "ficd takes nobody in: %.*s", len, text);
	if (answer->code == RPC_FORBIDDEN)
		return why_set(why, ERR_DENIED, "ficd refuses: %.*s", len, text);
	return why_set(why, ERR_INVALID, "what listens there does not answer hello: %.*s", len, text);
}

int client_greeted(const struct rpc_response *answer, struct why *why)
{
	struct bytes protocol;
	int64_t major = -1;

	if (!answer->result.data)
		return not_greeted(answer, why);
	if (mp_find(answer->result, bytes_str("protocol"), &protocol) != 1 ||
	    !mp_find_int(protocol, "major", &major))
		return why_set(why, ERR_INVALID, "what listens there does not name its protocol");
	if (major == RPC_PROTOCOL_MAJOR)
		return 0;
	return why_set(
		why, ERR_INVALID,
		"ficd speaks protocol %lld, this ficq speaks %d: install the same version of both",
		(long long)major, RPC_PROTOCOL_MAJOR);
}

static int greet(struct client *c, const struct client_wait *wait, struct why *why)
{
	struct rpc_response answer;
	int r = client_call(c, "hello", (struct bytes){NULL, 0}, wait, &answer, why);

	if (r == 0)
		r = client_greeted(&answer, why);
	if (r < 0)
		return r;
	buf_reset(&c->hello);
	buf_put_bytes(&c->hello, answer.result);
	return 0;
}

int client_connect(struct client *c, const char *path, struct why *why)
{
	enum wire_encoding ask = c->ask;

	*c = (struct client){.fd = -1, .ask = ask == WIRE_UNKNOWN ? WIRE_MSGPACK : ask};
	buf_init(&c->in, WIRE_ANSWER_MAX + 2 * READ_BYTES);
	return find_daemon(c, path, why);
}

int client_open(struct client *c, const char *path, const struct client_wait *wait, struct why *why)
{
	int r = client_connect(c, path, why);

	if (r == 0)
		r = greet(c, wait, why);
	if (r < 0)
		client_close(c);
	return r;
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	buf_release(&c->in);
	buf_release(&c->message);
	buf_release(&c->hello);
}
