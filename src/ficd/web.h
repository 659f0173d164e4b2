/*
 * web: what is served over HTTP: one table of paths. Private to this layer.
 *
 *   GET  /         the status page           GET  /status   the result of the method status
 *   GET  /healthz  the loop turns            GET  /metrics  the same for monitors
 *   GET  /readyz   questions are answered    POST /rpc      any method, one JSON-RPC request
 *   POST /webhooks/SOURCE                    what a provider says has changed
 *
 * Reading is for everybody who can connect when allow_read is any, else for those who show the token (http_token); writing is for these alone. Nothing is said to pages of
 * other sites: Host is checked, Sec-Fetch-Site too, and no answer allows another origin.
 */
#ifndef FIC_FICD_WEB_INTERNAL_H
#define FIC_FICD_WEB_INTERNAL_H

#include "session.h"
#include "web_server.h"

struct web {
	struct daemon *daemon;
	struct web_server *server;
	struct buf token; /* empty: nobody may write */
	char host[LISTENER_HOST_MAX];
	bool local; /* a UNIX socket: its file's mode says who may */
};

/* What a path needs. The request is answered by it, now or later. */
struct web_route {
	const char *method, *path; /* a path that ends with '/' stands for all below it */
	void (*serve)(struct web *w, struct web_request *r);
	bool open;     /* for whoever can connect, whatever allow_read says */
	bool linked;   /* also when a link of another site leads there */
	bool any_host; /* by whatever name: it comes through a server in front, and is signed */
};

/* Listens where the configuration says; 0 when it says off. */
int web_open(struct daemon *d, struct why *why);
void web_close(struct daemon *d);
void web_configure(struct daemon *d); /* the token is read again */

/* web_access.c */
bool web_may_read(const struct web *w, struct web_request *r);
bool web_may_write(const struct web *w, struct web_request *r);
bool web_shows_token(struct web_request *r); /* some token */
bool web_host_is_ours(const struct web *w, struct web_request *r);
bool web_is_foreign(struct web_request *r);  /* a page of another site asks */
bool web_is_followed(struct web_request *r); /* … by a link that somebody has followed */
void web_read_token(struct web *w);

/* web_reply.c: answers with the headers that every answer has. `type` NULL: plain text. */
void web_reply(struct web_request *r, unsigned status, const char *type, struct bytes body);
/* 200, with a Content-Security-Policy of its own. */
void web_reply_page(struct web_request *r, const char *type, const char *policy, struct bytes body);
void web_reply_text(struct web_request *r, unsigned status, const char *text);
void web_reply_allow(struct web_request *r, const char *methods);
void web_reply_unauthorized(struct web_request *r);

/* web_rpc.c: asks a method for this request; its result alone, or the whole JSON-RPC answer, is the body. */
void web_ask(struct web *w, struct web_request *r, struct bytes message, bool result_alone);
void web_rpc(struct web *w, struct web_request *r);
void web_status(struct web *w, struct web_request *r);
/* Nobody waits for what is asked any more. */
void web_ask_gone(struct web_request *r);

/* web_metrics.c */
void web_metrics(struct web *w, struct web_request *r);

/* web_page.c */
void web_page(struct web *w, struct web_request *r);

/* web_hook.c */
void web_hook(struct web *w, struct web_request *r);
void web_hook_probe(struct web *w, struct web_request *r);

#endif
