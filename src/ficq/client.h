/*
 * client: one connection to the daemon, one question at a time.
 */
#ifndef FIC_FICQ_CLIENT_H
#define FIC_FICQ_CLIENT_H

#include <base/bytes.h>
#include <base/err.h>
#include <wire/rpc.h>

struct client {
	int fd;                  /* -1: not connected */
	enum wire_encoding ask;  /* how questions are sent */
	enum wire_encoding hear; /* how answers come: their first byte tells */
	struct buf in;           /* received, not taken yet */
	size_t tried;            /* bytes of `in` when a message was looked for in vain */
	struct buf message;      /* what the last answer borrows from */
	int64_t id;
	struct buf hello; /* the daemon's answer to hello */
};

/* What happens while an answer is awaited. */
struct client_wait {
	int64_t until_ms; /* clock_mono_ms; negative: for ever */
	void (*on_notification)(void *ctx, struct bytes method, struct bytes params);
	void (*on_tick)(void *ctx); /* every 100 ms or so; NULL: none */
	void *ctx;
};

/* Set by a signal handler: the wait ends with ERR_CANCELED. */
extern volatile int client_interrupted;

/* The answer could not be had:
 *   ERR_NOTFOUND nobody listens, ERR_DENIED not allowed to connect, ERR_IO the connection broke, ERR_SYNTAX the answer makes no
 *   sense, ERR_LIMIT it is too long, ERR_INVALID another protocol, ERR_BUSY no answer in time, ERR_REMOTE too many connections,
 *   ERR_CANCELED interrupted. */

/* Tries `path`, or where it is NULL $FICD_SOCKET, or the usual places in turn, and says hello. `why` names every path tried. */
int client_open(struct client *c, const char *path, const struct client_wait *wait, struct why *why);
void client_close(struct client *c);

/* Asks and waits. 0: `answer` is a result or the daemon's error; it borrows from the client until the next call. `params` may be
 * {NULL, 0}. */
int client_call(struct client *c, const char *method, struct bytes params,
		const struct client_wait *wait, struct rpc_response *answer, struct why *why);

/* For who asks much at once and waits elsewhere (poll(2) on `fd`). */

/* Connects as client_open does, but says no hello: that is the first question then. */
int client_connect(struct client *c, const char *path, struct why *why);
/* Sends a question and does not wait for an answer; questions are few and short, so that they find room. Its number goes to *id_out. */
int client_send(struct client *c, const char *method, struct bytes params,
		const struct client_wait *wait, int64_t *id_out, struct why *why);
/* 1: the next answer or notification of what has arrived; it borrows from the client until the next call. 0: not all of one is there. Never waits. */
int client_take(struct client *c, struct rpc_response *answer, struct why *why);
/* 0: the answer to hello comes from a daemon that this program understands. */
int client_greeted(const struct rpc_response *answer, struct why *why);

#endif
