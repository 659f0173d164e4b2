/*
 * http: calls on libcurl's multi interface, driven by the loop. With its helpers http_* the only
 * file that knows libcurl.
 *
 *     http_start -> fresh --work--> running --libcurl, a limit--> ended --work--> done, gone
 *                     |              |    ^                         ^
 *                     |              paused  (much body)            |
 *                     \________________ http_cancel ________________/
 *
 * A call's state is the list it is on. libcurl is never called from its own callbacks: they note,
 * and a piece of work (loop.h) adds, removes and delivers. Time limits are our own timers, because
 * libcurl measures stalls in whole seconds; only connecting is left to it.
 *
 * Names are looked up by libcurl's threaded resolver or c-ares; http_new refuses a libcurl that has
 * neither, because it would hold the loop. Never follows a redirect, never writes a query or a
 * header into words.
 */
#include "http_headers.h"
#include "http_setup.h"
#include "http_words.h"
#include "turn.h"

#include <base/clock.h>
#include <base/log.h>

#include <curl/curl.h>

#include <assert.h>
#include <stdlib.h>

struct http {
	struct loop *loop;
	CURLM *multi;
	CURLSH *share; /* TLS sessions, so that a new connection need not start from nothing */
	struct timer *timer;   /* libcurl's one timer */
	struct turn_note note; /* there is work: ended, fresh, due, paused */
	struct turn_grave grave;
	struct link fresh, running, ended; /* of http_call */
	struct link paused;                /* running, but held back: who asks goes first */
	struct link sockets;               /* of http_socket */
	unsigned calls;
	struct http_manners manners;
	int64_t until_us; /* the end of the piece of work at hand */
	bool due;         /* libcurl's timer is */
	bool inside;      /* libcurl is on the stack */
	bool closing;
};

struct http_socket {
	struct link link;
	struct http *http;
	struct watch *watch;
	curl_socket_t fd;
};

struct http_call {
	struct link link;
	struct http *http;
	CURL *easy;
	struct curl_slist *headers; /* or recipients */
	struct http_upload upload;  /* of a mail */
	struct timer *timer;
	bool added;   /* to the multi handle */
	bool over;    /* on the ended list */
	bool decided; /* by us: result.outcome and result.why stand, whatever libcurl says */
	bool sent;
	bool body_began;
	CURLcode code;
	size_t header_bytes, body_bytes, body_max;
	int64_t connect_ms, stall_ms;
	int64_t total_at_ms; /* monotonic */
	int64_t moved_at_ms; /* when `moved` was last seen to grow */
	curl_off_t moved;    /* bytes either way */
	int64_t sent_us;
	int (*on_data)(void *ctx, const void *data, size_t len);
	void (*done)(void *ctx, const struct http_result *result);
	void *ctx;
	struct http_target to;
	char message[CURL_ERROR_SIZE];
	struct http_result result;
	struct turn_grave grave;
};

static const char *const outcome_names[] = {"ok",  "resolve", "connect", "tls",      "stalled",
					    "cut", "too_big", "aborted", "canceled", "failed"};

const char *http_outcome_name(enum http_outcome outcome)
{
	return (unsigned)outcome <= HTTP_FAILED ? outcome_names[outcome] : "unknown";
}

/* --- the states of a call ----------------------------------------------------------- */

static void call_end(struct http_call *c)
{
	c->over = true;
	c->result.ended_ms = clock_wall_ms();
	c->result.duration_us = clock_mono_us() - c->sent_us;
	timer_stop(c->timer);
	list_move(&c->http->ended, &c->link);
	turn_work(c->http->loop, &c->http->note);
}

/* The first decision stands: what follows from it (libcurl's "write error") is no reason. */
static void call_decide(struct http_call *c, enum http_outcome outcome)
{
	c->decided = true;
	c->result.outcome = outcome;
}

/* Everything but the memory. */
static void call_close(struct http_call *c)
{
	list_remove(&c->link);
	curl_easy_cleanup(c->easy);
	c->easy = NULL;
	curl_slist_free_all(c->headers);
	buf_release(&c->upload.body);
	timer_free(c->timer);
	c->http->calls--;
}

static void call_conclude(struct http_call *c)
{
	struct http_result *r = &c->result;
	struct http_ending ending = {c->code,
				     c->easy,
				     c->message,
				     c->to.host,
				     c->to.port,
				     c->connect_ms,
				     c->upload.body.len > 0};
	curl_off_t bytes = 0;
	long status = 0;

	if (!c->decided)
		r->outcome = http_words_explain(&ending, &r->why);
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c->easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
	r->status = (int)status;
	r->bytes = (uint64_t)bytes;
}

static void call_deliver(struct http_call *c)
{
	struct http *h = c->http;
	struct loop *l = h->loop;

	call_conclude(c);
	if (c->added) {
		h->inside = true;
		curl_multi_remove_handle(h->multi, c->easy);
		h->inside = false;
	}
	/* The call is closed before its owner hears of it, so that the owner may do anything,
	 * http_free too. */
	call_close(c);
	c->done(c->ctx, &c->result);
	turn_bury(l, &c->grave, free, c);
}

static void call_add(struct http_call *c)
{
	struct http *h = c->http;

	list_move(&h->running, &c->link);
	h->inside = true;
	CURLMcode code = curl_multi_add_handle(h->multi, c->easy);
	h->inside = false;
	c->added = code == CURLM_OK;
	if (!c->added) {
		call_decide(c, HTTP_FAILED);
		why_set(&c->result.why, 0, "%s: %s", c->to.host, curl_multi_strerror(code));
		call_end(c);
	}
}

/* libcurl reads a socket up to a hundred times in one go. What is over the time of a piece of work
 * is held back by pausing the call; it has a piece of its own later, when the kernel was asked for
 * everybody else. */
static void resume(struct http_call *c)
{
	struct http *h = c->http;

	list_move(&h->running, &c->link);
	c->moved_at_ms = loop_mono_ms(h->loop);
	h->inside = true;
	c->code = curl_easy_pause(c->easy, CURLPAUSE_CONT);
	h->inside = false;
	if (c->code && !c->over) /* on_body's answer; libcurl leaves it at that */
		call_end(c);
}

static void http_drive(struct http *h, curl_socket_t fd, int events);

/* The next of what there is to do; false: nothing is. A call that is added is begun at once, or
 * libcurl would begin all of them in one go. */
static bool http_next(struct http *h)
{
	if (!list_empty(&h->ended)) {
		call_deliver(LIST_OF(h->ended.next, struct http_call, link));
	} else if (!list_empty(&h->fresh)) {
		call_add(LIST_OF(h->fresh.next, struct http_call, link));
		http_drive(h, CURL_SOCKET_TIMEOUT, 0);
	} else if (h->due) {
		http_drive(h, CURL_SOCKET_TIMEOUT, 0);
	} else if (!list_empty(&h->paused)) {
		resume(LIST_OF(h->paused.next, struct http_call, link));
	} else {
		return false;
	}
	return !h->closing; /* by the owner of a call */
}

static void http_act(void *ctx)
{
	struct http *h = ctx;

	h->until_us = clock_mono_us() + loop_slice_us(h->loop);
	while (http_next(h))
		if (clock_mono_us() >= h->until_us) {
			turn_work(h->loop, &h->note);
			return;
		}
}

/* --- time limits -------------------------------------------------------------------- */

static curl_off_t moved_bytes(const struct http_call *c)
{
	curl_off_t up = 0, down = 0;

	curl_easy_getinfo(c->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(c->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	return up + down + (curl_off_t)c->header_bytes;
}

static int64_t tick_ms(const struct http_call *c)
{
	int64_t left_ms = c->total_at_ms - loop_mono_ms(c->http->loop);
	int64_t ms = c->stall_ms / 4 < left_ms ? c->stall_ms / 4 : left_ms;

	return ms > 1 ? ms : 1;
}

/* Looks four times in each stall_ms whether bytes went either way: cheaper than a timer that every
 * byte resets. */
static void call_tick(void *ctx)
{
	struct http_call *c = ctx;
	int64_t now_ms = loop_mono_ms(c->http->loop);
	curl_off_t moved = moved_bytes(c);

	if (moved != c->moved || !c->sent) {
		c->moved = moved;
		c->moved_at_ms = now_ms;
	}
	if (now_ms >= c->total_at_ms) {
		call_decide(c, HTTP_STALLED);
		why_set(&c->result.why, 0, "%s: the answer took longer than the limit allows",
			c->to.host);
	} else if (now_ms - c->moved_at_ms >= c->stall_ms) {
		call_decide(c, HTTP_STALLED);
		why_set(&c->result.why, 0, "%s: no byte for %lld.%lld s", c->to.host,
			(long long)c->stall_ms / 1000, (long long)c->stall_ms % 1000 / 100);
	} else {
		timer_start(c->timer, tick_ms(c), 0);
		return;
	}
	call_end(c);
}

/* --- libcurl's callbacks: they only note -------------------------------------------- */

static void mark_sent(struct http_call *c)
{
	c->sent_us = clock_mono_us();
	c->result.sent_ms = clock_wall_ms();
	c->moved_at_ms = c->sent_us / 1000;
}

/* Connected (or a connection is reused), and about to send. */
static int on_prereq(void *ctx, char *peer, char *own, int peer_port, int own_port)
{
	struct http_call *c = ctx;

	(void)peer;
	(void)own;
	(void)peer_port;
	(void)own_port;
	c->sent = true;
	mark_sent(c);
	return CURL_PREREQFUNC_OK;
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	struct http_call *c = ctx;
	size_t len = size * count;

	c->header_bytes += len;
	if (c->header_bytes > HTTP_HEADER_BYTES_MAX && !c->decided) {
		call_decide(c, HTTP_FAILED);
		why_set(&c->result.why, 0, "%s: the answer's headers are longer than %d bytes",
			c->to.host, HTTP_HEADER_BYTES_MAX);
	}
	if (c->decided)
		return 0;
	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0)
		http_headers_reset(&c->result);
	else if (!c->body_began) /* trailers are not ours */
		http_headers_take(&c->result, bytes_of(data, len));
	return len;
}

static void take_body(struct http_call *c, const void *data, size_t len)
{
	c->body_bytes += len;
	if (c->on_data && c->on_data(c->ctx, data, len) && !c->decided) {
		call_decide(c, HTTP_ABORTED);
		why_set(&c->result.why, 0, "%s: reading was stopped", c->to.host);
	}
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct http_call *c = ctx;
	struct http *h = c->http;
	size_t len = size * count;

	c->body_began = true;
	if (!c->decided && clock_mono_us() >= h->until_us) {
		list_move(&h->paused, &c->link);
		turn_work(h->loop, &h->note);
		return CURL_WRITEFUNC_PAUSE;
	}
	if (!c->decided && len > c->body_max - c->body_bytes) {
		call_decide(c, HTTP_TOO_BIG);
		why_set(&c->result.why, 0, "%s: the answer is bigger than %zu bytes", c->to.host,
			c->body_max);
	}
	if (!c->decided)
		take_body(c, data, len);
	return c->decided ? 0 : len;
}

static void http_drive(struct http *h, curl_socket_t fd, int events)
{
	CURLMsg *message;
	int left;

	if (fd == CURL_SOCKET_TIMEOUT)
		h->due = false;
	h->inside = true;
	curl_multi_socket_action(h->multi, fd, events, &left);
	h->inside = false;
	while ((message = curl_multi_info_read(h->multi, &left))) {
		struct http_call *c = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		CURLcode code = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&c);
		if (c->over) /* we were first */
			continue;
		c->code = code;
		call_end(c);
	}
}

static void on_timer(void *ctx)
{
	struct http *h = ctx;

	h->due = true;
	turn_work(h->loop, &h->note);
}

static void on_socket_ready(void *ctx, bool readable, bool writable)
{
	struct http_socket *s = ctx;

	s->http->until_us = clock_mono_us() + loop_slice_us(s->http->loop);
	http_drive(s->http, s->fd,
		   (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
}

static int on_timer_wanted(CURLM *multi, long ms, void *ctx)
{
	struct http *h = ctx;

	(void)multi;
	h->due = ms == 0;
	if (h->due)
		turn_work(h->loop, &h->note);
	if (ms > 0)
		timer_start(h->timer, ms, 0);
	else
		timer_stop(h->timer);
	return 0;
}

static void socket_free(struct http_socket *s)
{
	if (!s)
		return;
	list_remove(&s->link);
	watch_free(s->watch);
	free(s);
}

static struct http_socket *socket_new(struct http *h, curl_socket_t fd)
{
	struct http_socket *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->http = h;
	s->fd = fd;
	list_init(&s->link);
	s->watch = watch_new(h->loop, fd, on_socket_ready, s);
	if (!s->watch) {
		free(s);
		return NULL;
	}
	watch_work(s->watch);
	list_append(&h->sockets, &s->link);
	return s;
}

static struct http_socket *socket_of(struct http *h, curl_socket_t fd)
{
	for (struct link *l = h->sockets.next; l != &h->sockets; l = l->next)
		if (LIST_OF(l, struct http_socket, link)->fd == fd)
			return LIST_OF(l, struct http_socket, link);
	return NULL;
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct http *h = ctx;
	struct http_socket *s = socket_of(h, fd);

	(void)easy;
	(void)known;
	if (what == CURL_POLL_REMOVE) {
		socket_free(s);
		return 0;
	}
	if (!s && !(s = socket_new(h, fd))) {
		/* Not passed on: libcurl would give up every transfer. This one ends by its time
		 * limit. */
		log_error("http", "no memory to watch a socket");
		return 0;
	}
	watch_set(s->watch, what & CURL_POLL_IN, what & CURL_POLL_OUT);
	return 0;
}

/* --- life --------------------------------------------------------------------------- */

static int multi_setup(struct http *h, const struct http_options *o)
{
	long all = o->connections_max ? (long)o->connections_max : 8;
	long host = o->host_connections_max ? (long)o->host_connections_max : 8;

	return curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted) ||
	       curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) ||
	       curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted) ||
	       curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) ||
	       curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, all) ||
	       curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, host) ||
	       curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, all) ||
	       curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

static void http_release(void *object)
{
	struct http *h = object;

	http_manners_release(&h->manners);
	free(h);
}

static void http_close(struct http *h)
{
	h->inside = true;
	curl_multi_cleanup(h->multi);
	h->inside = false;
	while (!list_empty(&h->sockets))
		socket_free(LIST_OF(h->sockets.next, struct http_socket, link));
	curl_share_cleanup(h->share);
	timer_free(h->timer);
	turn_forget(&h->note);
	curl_global_cleanup();
	turn_bury(h->loop, &h->grave, http_release, h);
}

struct http *http_new(struct loop *l, const struct http_options *options, struct why *why)
{
	struct http *h = calloc(1, sizeof *h);

	if (!h || curl_global_init(CURL_GLOBAL_DEFAULT)) {
		free(h);
		why_set(why, ERR_NOMEM, "cannot start libcurl");
		return NULL;
	}
	h->loop = l;
	list_init(&h->fresh);
	list_init(&h->running);
	list_init(&h->ended);
	list_init(&h->paused);
	list_init(&h->sockets);
	turn_note_init(&h->note, http_act, h);
	h->timer = timer_new(l, on_timer, h);
	h->multi = curl_multi_init();
	h->share = curl_share_init();
	if (!h->timer || !h->multi || !h->share || http_manners_init(&h->manners, options) ||
	    multi_setup(h, options)) {
		why_set(why, ERR_NOMEM, "cannot start libcurl");
		http_close(h);
		return NULL;
	}
	if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS)) {
		why_set(why, ERR_INVALID,
			"this libcurl looks up names while everything waits; "
			"install one with the threaded resolver or c-ares");
		http_close(h);
		return NULL;
	}
	return h;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	assert(!h->inside && !h->closing);
	h->closing = true;
	list_join(&h->running, &h->fresh);
	list_join(&h->running, &h->paused);
	while (!list_empty(&h->running))
		http_cancel(LIST_OF(h->running.next, struct http_call, link));
	while (!list_empty(&h->ended))
		call_deliver(LIST_OF(h->ended.next, struct http_call, link));
	http_close(h);
}

unsigned http_running(const struct http *h)
{
	return h->calls;
}

/* --- starting and cancelling a call ------------------------------------------------- */

static int64_t or_default(int64_t ms, int64_t fallback)
{
	return ms > 0 ? ms : fallback;
}

static int set_callbacks(struct http_call *c)
{
	return curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c) ||
	       curl_easy_setopt(c->easy, CURLOPT_SHARE, c->http->share) ||
	       curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->message) ||
	       curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header) ||
	       curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, c) ||
	       curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body) ||
	       curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c) ||
	       curl_easy_setopt(c->easy, CURLOPT_PREREQFUNCTION, on_prereq) ||
	       curl_easy_setopt(c->easy, CURLOPT_PREREQDATA, c);
}

static int setup_easy(struct http_call *c, const struct http_request *r)
{
	const struct http_manners *m = &c->http->manners;

	if (r->mail)
		return http_mail_easy(c->easy, r, &c->to, m, c->connect_ms, &c->headers, &c->upload);
	return http_setup_easy(c->easy, r, &c->to, m, c->connect_ms, &c->headers);
}

static int call_setup(struct http_call *c, const struct http_request *r, struct why *why)
{
	int error = r->mail ? http_mail_check(r, &c->to, why)
			    : http_setup_check(&c->http->manners, r, &c->to, why);

	if (error)
		return error;
	c->body_max = r->body_max ? r->body_max : 32u << 20;
	c->connect_ms = or_default(r->connect_ms, 10000);
	c->stall_ms = or_default(r->stall_ms, 30000);
	c->total_at_ms = clock_mono_ms() + or_default(r->total_ms, 600000);
	c->on_data = r->on_data;
	c->done = r->done;
	c->ctx = r->ctx;
	http_headers_reset(&c->result);
	mark_sent(c);
	c->easy = curl_easy_init();
	c->timer = timer_new(c->http->loop, call_tick, c);
	if (!c->easy || !c->timer || set_callbacks(c) || setup_easy(c, r))
		return why_set(why, ERR_NOMEM, "no memory for a request to %s", c->to.host);
	return 0;
}

struct http_call *http_start(struct http *h, const struct http_request *request, struct why *why)
{
	struct http_call *c = h->closing ? NULL : calloc(1, sizeof *c);

	if (!c) {
		why_set(why, h->closing ? ERR_CANCELED : ERR_NOMEM, "%s",
			h->closing ? "the program is ending" : "no memory for a request");
		return NULL;
	}
	list_init(&c->link);
	c->http = h;
	h->calls++;
	if (call_setup(c, request, why)) {
		call_close(c);
		free(c);
		return NULL;
	}
	timer_start(c->timer, tick_ms(c), 0);
	list_append(&h->fresh, &c->link);
	turn_work(h->loop, &h->note);
	return c;
}

void http_cancel(struct http_call *c)
{
	if (!c->easy) /* its done is on the stack */
		return;
	/* One that ended this very turn, and is not delivered yet, was cancelled too as far as its
	 * owner knows. */
	call_decide(c, HTTP_CANCELED);
	why_set(&c->result.why, 0, "%s: the request was cancelled", c->to.host);
	if (!c->over)
		call_end(c);
}
