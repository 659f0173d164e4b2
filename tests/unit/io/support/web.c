/* web: accepts, collects a request's head and body, lets the test answer. Knows no more of HTTP
 * than that. */
#include "web.h"

#include "rig.h"

#include <base/files.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static void conn_free(struct web_conn *c)
{
	for (struct web_conn **p = &c->web->conns; *p; p = &(*p)->next)
		if (*p == c) {
			*p = c->next;
			break;
		}
	c->web->open--;
	watch_free(c->watch);
	close(c->fd);
	buf_release(&c->in);
	buf_release(&c->out);
	free(c);
}

/* Answers whether the connection is still there. */
static bool conn_flush(struct web_conn *c)
{
	while (c->out.len) {
		ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);
		if (n < 0)
			break;
		buf_consume(&c->out, (size_t)n);
	}
	if (c->out.len == 0 && c->close_when_sent) {
		conn_free(c);
		return false;
	}
	watch_set(c->watch, true, c->out.len > 0);
	return true;
}

static size_t head_len(const struct buf *in)
{
	const uint8_t *end = in->len ? memmem(in->data, in->len, "\r\n\r\n", 4) : NULL;

	return end ? (size_t)(end - in->data) + 4 : 0;
}

/* Takes a whole request off the input; false when there is none yet. */
static bool conn_request(struct web_conn *c)
{
	size_t head = head_len(&c->in), body = 0;

	if (c->web->raw) {
		bool some = c->in.len > 0;
		buf_reset(&c->in);
		return some;
	}
	if (!head || head >= sizeof c->head)
		return false;
	memcpy(c->head, c->in.data, head);
	c->head[head] = 0;
	const char *length = strcasestr(c->head, "\r\ncontent-length:");
	if (length)
		body = (size_t)strtoul(length + 17, NULL, 10);
	if (c->in.len < head + body)
		return false;
	snprintf(c->body, sizeof c->body, "%.*s", (int)body,
		 body ? (const char *)c->in.data + head : "");
	assert_int_equal(sscanf(c->head, "%*s %255[^? ]", c->path), 1);
	buf_consume(&c->in, head + body);
	return true;
}

static void on_ready(void *ctx, bool readable, bool writable)
{
	struct web_conn *c = ctx;
	char piece[16384];
	ssize_t n = 1;

	(void)writable;
	if (readable && (n = recv(c->fd, piece, sizeof piece, 0)) > 0)
		buf_put(&c->in, piece, (size_t)n);
	if (n <= 0) {
		conn_free(c);
		return;
	}
	while (!c->close_when_sent && conn_request(c)) {
		c->requests++;
		c->web->requests++;
		c->web->answer(c);
	}
	conn_flush(c);
}

static void on_accept(void *ctx, bool readable, bool writable)
{
	struct web *w = ctx;
	int fd = accept(w->fd, NULL, NULL);
	struct web_conn *c = calloc(1, sizeof *c);

	(void)readable;
	(void)writable;
	assert_true(fd >= 0 && c);
	assert_int_equal(fd_nonblock(fd), 0);
	c->web = w;
	c->fd = fd;
	c->next = w->conns;
	w->conns = c;
	w->accepts++;
	if (++w->open > w->open_max)
		w->open_max = w->open;
	c->watch = watch_new(w->loop, fd, on_ready, c);
	watch_set(c->watch, true, false);
}

void web_open(struct web *w, struct loop *l, void (*answer)(struct web_conn *c), void *ctx)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;

	*w = (struct web){.loop = l, .answer = answer, .ctx = ctx};
	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w->fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(w->fd, 128), 0);
	assert_int_equal(getsockname(w->fd, (struct sockaddr *)&at, &len), 0);
	w->port = ntohs(at.sin_port);
	w->watch = watch_new(l, w->fd, on_accept, w);
	watch_set(w->watch, true, false);
}

void web_close(struct web *w)
{
	while (w->conns)
		conn_free(w->conns);
	watch_free(w->watch);
	close(w->fd);
}

bool web_has(const struct web *w, const struct web_conn *c)
{
	for (const struct web_conn *p = w->conns; p; p = p->next)
		if (p == c)
			return true;
	return false;
}

void web_send(struct web_conn *c, const void *data, size_t len)
{
	buf_put(&c->out, data, len);
	watch_set(c->watch, true, true);
}

void web_text(struct web_conn *c, const char *text)
{
	web_send(c, text, strlen(text));
}

void web_hang_up(struct web_conn *c)
{
	c->close_when_sent = true;
	watch_set(c->watch, true, true);
}

const char *web_url(const struct web *w, const char *path)
{
	static char urls[4][300];
	static unsigned next;
	char *url = urls[next++ % 4];

	snprintf(url, sizeof urls[0], "http://127.0.0.1:%d%s", w->port, path);
	return url;
}
