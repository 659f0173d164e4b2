/*
 * web: a tiny HTTP server on the loop under test, that answers what the test says, byte for byte.
 */
#ifndef FIC_TEST_IO_WEB_H
#define FIC_TEST_IO_WEB_H

#include <io/loop.h>

struct web;

struct web_conn {
	struct web_conn *next;
	struct web *web;
	int fd;
	struct watch *watch;
	struct buf in, out;
	bool close_when_sent;
	unsigned requests;
	char head[4096]; /* of the request that is being answered */
	char path[256];
	char body[256];
};

struct web {
	struct loop *loop;
	int fd;
	int port;
	struct watch *watch;
	struct web_conn *conns;
	void (*answer)(struct web_conn *c); /* a whole request has come */
	void *ctx;
	bool raw; /* whatever comes is a request */
	unsigned accepts, requests, open, open_max;
};

void web_open(struct web *w, struct loop *l, void (*answer)(struct web_conn *c), void *ctx);
void web_close(struct web *w);

bool web_has(const struct web *w, const struct web_conn *c); /* it is still open */
void web_send(struct web_conn *c, const void *data, size_t len);
void web_text(struct web_conn *c, const char *text);
void web_hang_up(struct web_conn *c); /* when all is sent */
/* "http://127.0.0.1:PORT" and the path; one of a few static buffers. */
const char *web_url(const struct web *w, const char *path);

#endif
