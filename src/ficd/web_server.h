/*
 * web_server: HTTP/1.1 on the loop, by libmicrohttpd. It moves requests and answers; what they mean is the owner's business. Private to this layer.
 *
 * A request is given when all of it is there, and answered once, at once or later. Limits: the sizes below, connections, and a time in which a request has to come.
 */
#ifndef FIC_FICD_WEB_SERVER_INTERNAL_H
#define FIC_FICD_WEB_SERVER_INTERNAL_H

#include <io/listener.h>
#include <io/loop.h>

#define WEB_CONNECTIONS_MAX 24
#define WEB_BODY_MAX        (1024 * 1024)
#define WEB_IDLE_S          15
#define WEB_HEADERS_MAX     8

struct web_server;
struct web_request;

struct web_header {
	const char *name, *value; /* of static or longer life than the call */
};

struct web_events {
	/* A whole request. Answer it (web_answer) now or later. */
	void (*on_request)(void *ctx, struct web_request *r);
	/* Not answered yet, and nobody waits any more. `r` is gone when it returns. */
	void (*on_gone)(void *ctx, struct web_request *r);
	void *ctx;
};

/* Takes the listening socket, also when it fails. NULL: `why`. */
struct web_server *web_server_open(struct loop *l, struct listener *listener,
				   const struct web_events *events, struct why *why);
void web_server_close(struct web_server *s); /* requests that wait are gone; NULL is fine */
unsigned web_server_port(const struct web_server *s); /* of a TCP socket; 0: a UNIX socket */

const char *web_method(const struct web_request *r); /* "GET" */
const char *web_path(const struct web_request *r);   /* without a query */
const char *web_header(const struct web_request *r,
		       const char *name); /* whatever the case; NULL: none. Of two, the first */
struct bytes web_body(const struct web_request *r);
bool web_too_long(const struct web_request *r); /* the body passed WEB_BODY_MAX and was dropped */
void web_set_user(struct web_request *r, void *user);
void *web_user(const struct web_request *r);

/* Ends the request. The body is copied; headers are ended by a name of NULL, or NULL. Content-Length and Date are added. */
void web_answer(struct web_request *r, unsigned status, const struct web_header *headers,
		struct bytes body);

#endif
