/*
 * session: one client's connection: its framing, its rights, and its requests under way. Private to this layer.
 */
#ifndef FIC_FICD_SESSION_INTERNAL_H
#define FIC_FICD_SESSION_INTERNAL_H

#include "daemon.h"

#include <wire/rpc.h>

#define SESSION_REQUESTS_MAX 4                  /* at once; more wait unread, but for `cancel` */
#define SESSION_UNSENT_LOW   (64 * 1024)        /* over it nothing more is taken */
#define SESSION_UNSENT_MAX   (16 * 1024 * 1024) /* the largest thread, as JSON */

#define REQUEST_SPLICES_MAX 2
#define REQUEST_PARAMS_MAX  20 /* of one method */

struct session;
struct request;
struct live;

/* A part of a result that lies elsewhere. */
struct splice {
	size_t at; /* in the result: what stands from here on comes behind it */
	struct json_piece piece;
};

/* A parameter that was given. */
struct given {
	const char *name;   /* of the method's table */
	struct bytes whole; /* MessagePack */
};

/* One question under way. */
struct request {
	struct session *session;
	struct request *next;
	struct daemon *daemon;
	struct buf message;     /* the request, as MessagePack */
	struct rpc_request rpc; /* points into it */
	const struct method *method;
	struct given given[REQUEST_PARAMS_MAX]; /* once the method has checked them, each where it comes first */
	unsigned given_count;
	struct buf result; /* the answer under construction, one MessagePack value with its splices */
	struct splice splices[REQUEST_SPLICES_MAX];
	unsigned splices_count;
	int64_t began_us;  /* monotonic */
	unsigned worth;    /* of an answer that is judged: enum freshness_state */
	uint64_t *answers; /* of its method, by what they were worth; NULL: they are not counted */
	unsigned damaged;  /* how often it was begun again because it met damage */
	bool waited;       /* for data to be refreshed; it does not wait again */
	struct live *live; /* owned: what came of asking the providers, by source (live.h); NULL: none was to be asked */
	size_t weight; /* bytes of the answer so far, of methods that take long */
	/* Of methods that do not answer at once: */
	void *state;
	void (*drained)(struct request *r); /* the connection has read what was sent; NULL: nobody waits for that */
	void (*cancel)(struct request *r); /* ends the request; NULL: with an error */
	void (*release)(struct request *r); /* frees `state`; called exactly once, whether answered or abandoned */
};

/* The next part of the result. Borrows its bytes until the request ends. */
void request_splice(struct request *r, const struct json_piece *piece);
/* Sends the result and ends the request. */
void request_answer(struct request *r);
/* Sends an error and ends the request; `hint` may be NULL. */
void request_error(struct request *r, int code, const char *reason, const char *hint,
		   const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Forgets what was done for it and asks the method again: for methods whose state is not needed any more by the caller. */
void request_restart(struct request *r);
/* A notification on the request's connection. */
void request_notify(struct request *r, const char *method, struct bytes params);

/* Who asks, for the audit trail: "alice (uid 1000)". Returns out. */
const char *request_peer(const struct request *r, char *out, size_t cap);

/* Ends the other request of this id on the same connection; false: there is none under way. */
bool session_cancel(struct request *r, struct bytes id);

/* Bytes that the request's connection has not read yet; `drained` comes when there were more than SESSION_UNSENT_LOW and no more are. */
size_t request_backlog(const struct request *r);
/* Answers that wait to be read, and those under construction but this one, fill their part of the memory; or this one would not fit behind what its own
 * connection has not read yet. */
bool request_crowded(const struct request *r);

/* Whoever is connected may from now on what the configuration says now. */
void sessions_allow(struct daemon *d);

/* A session without a connection, for whoever has requests from elsewhere: answers, and notifications, go to `sink` as messages (MessagePack). NULL: no memory. */
struct session *session_local(struct daemon *d, bool may_read, bool may_write,
			      void (*sink)(void *ctx, struct bytes message), void *ctx);
/* Asks; the answer may come at once, or later. What is no request is answered with an error. */
void session_ask(struct session *s, struct bytes message);
/* Ends it with whatever is under way; not from its own sink. NULL is fine. */
void session_end(struct session *s);

int sessions_listen(struct daemon *d, struct why *why);
void sessions_close(struct daemon *d);

#endif
