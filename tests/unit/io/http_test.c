/* http: against a server that answers what the test says, on the same loop. */
#include "support/rig.h"
#include "support/web.h"

#include <io/http.h>

#include <base/clock.h>

#include <netinet/in.h>
#include <sys/socket.h>

/* One call as its owner sees it. */
struct got {
	struct http *http;
	struct http_call *call;
	struct http_result result;
	struct buf body;
	unsigned done;
	unsigned pieces;
	unsigned pieces_max; /* abort after so many; 0: never */
	bool cancel;         /* from inside on_data */
	unsigned *all;       /* counts ended calls of several */
	void (*then)(struct got *g);
};

struct bench {
	struct loop *loop;
	struct http *http;
	struct web web;
};

static int on_data(void *ctx, const void *data, size_t len)
{
	struct got *g = ctx;

	assert_int_equal(g->done, 0);
	assert_true(len <= 16384);
	buf_put(&g->body, data, len);
	g->pieces++;
	if (g->cancel)
		http_cancel(g->call);
	return g->pieces_max && g->pieces >= g->pieces_max;
}

static void on_done(void *ctx, const struct http_result *result)
{
	struct got *g = ctx;

	assert_int_equal(g->done, 0);
	g->done++;
	g->result = *result;
	assert_true((result->outcome == HTTP_OK) == (result->why.text[0] == 0));
	assert_null(strstr(result->why.text, "secret"));
	if (g->all)
		++*g->all;
	if (g->then)
		g->then(g);
}

static void got_release(struct got *g)
{
	buf_release(&g->body);
}

static void bench_open(struct bench *b, void **state, void (*answer)(struct web_conn *c), void *ctx)
{
	struct http_options options = {.user_agent = "fic-test/1"};
	struct why why;

	b->loop = *state;
	b->http = http_new(b->loop, &options, &why);
	assert_non_null(b->http);
	web_open(&b->web, b->loop, answer, ctx);
}

static void bench_close(struct bench *b)
{
	http_free(b->http);
	web_close(&b->web);
}

static struct http_request request_for(struct got *g, const char *url)
{
	return (struct http_request){
		.method = "GET",
		.url = url,
		.headers = {"Authorization: Bearer secret"},
		.on_data = on_data,
		.done = on_done,
		.ctx = g,
	};
}

static void start(struct bench *b, struct got *g, const struct http_request *r)
{
	struct why why = {""};

	g->http = b->http;
	g->call = http_start(b->http, r, &why);
	if (!g->call)
		print_message("%s\n", why.text);
	assert_non_null(g->call);
	assert_int_equal(g->done, 0);
}

static void get(struct bench *b, struct got *g, const char *path)
{
	struct http_request r = request_for(g, web_url(&b->web, path));

	start(b, g, &r);
	rig_until_count(b->loop, &g->done, 1);
}

/* --- answers ------------------------------------------------------------------------ */

static const uint8_t gzip_20000[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc3, 0x41,
	0x09, 0x00, 0x00, 0x08, 0x04, 0xb0, 0x2a, 0x76, 0x13, 0x0e, 0xae, 0x7f, 0x01,
	0x63, 0xf8, 0xd9, 0x60, 0xe9, 0x4e, 0x54, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
	0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x7d,
	0x7f, 0x81, 0x0d, 0xec, 0x08, 0x20, 0x4e, 0x00, 0x00,
};

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static const struct {
	const char *path;
	const char *answer;
	bool hang_up;
} script[] = {
	{"/hello", OK_HELLO, false},
	{"/bye", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true},
	{"/chunked",
	 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nETag: late\r\n\r\n",
	 false},
	{"/cut", "HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n0123456789", true},
	{"/cut-chunk",
	 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n wo", true},
	{"/cut-head", "HTTP/1.1 200 OK\r\nContent-Le", true},
	{"/nothing", "", true},
	{"/until-close", "HTTP/1.1 200 OK\r\n\r\nhello", true},
	{"/bad-length", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nhello", true},
	{"/long", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more", true},
	{"/not-http", "220 mail.example.com ESMTP\r\n\r\n", true},
	{"/moved", "HTTP/1.1 302 Found\r\nLocation: /hello\r\nContent-Length: 0\r\n\r\n", false},
	{"/limited",
	 "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 17\r\nContent-Length: 2\r\n\r\n{}", false},
	{"/early", "HTTP/1.1 103 Early Hints\r\nETag: \"early\"\r\n\r\n" OK_HELLO, false},
	{"/half", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", false},
	{"/silent", "", false},
	{"/bad-gzip",
	 "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\nnot gzip at.", false},
	{"/fields",
	 "HTTP/1.1 200 OK\r\nDate: Fri, 20 Nov 2026 09:51:35 GMT\r\nContent-Type: Application/JSON; charset=utf-8\r\n"
	 "X-RateLimit-Limit: 1000\r\nx-ratelimit-remaining:   83  \r\nX-RATELIMIT-RESET: 1795168300.75\r\n"
	 "ETag: W/\"abc\"\r\nLink: <https://x/y?z=1>; rel=next\r\nX-Request-Id: req-1\r\nRetry-After: 2.5\r\n"
	 "Content-Length: 2\r\n\r\n{}",
	 false},
	{"/odd-fields",
	 "HTTP/1.1 200 OK\r\nDate: yesterday\r\nX-RateLimit-Limit: lots\r\nX-RateLimit-Remaining: 99999999999999999999\r\n"
	 "X-RateLimit-Reset:\r\nX-Request-Id: a\x01"
	 "b\r\n"
	 "Retry-After: 0123456789012345678901234567890123456789\r\nContent-Length: 0\r\n\r\n",
	 false},
};

static void answer_script(struct web_conn *c)
{
	for (size_t i = 0; i < sizeof script / sizeof *script; i++)
		if (strcmp(script[i].path, c->path) == 0) {
			web_text(c, script[i].answer);
			if (script[i].hang_up)
				web_hang_up(c);
			return;
		}
	fail_msg("no answer for %s", c->path);
}

static void answer_gzip(struct web_conn *c)
{
	web_text(c, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 61\r\n\r\n");
	web_send(c, gzip_20000, sizeof gzip_20000);
}

static void answer_megabyte(struct web_conn *c)
{
	static const char piece[65536];

	web_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n");
	for (int i = 0; i < 16; i++)
		web_send(c, piece, sizeof piece);
}

/* --- answers read whole ------------------------------------------------------------- */

static void an_answer_with_its_fields(void **state)
{
	struct bench b;
	struct got g = {0};

	bench_open(&b, state, answer_script, NULL);
	get(&b, &g, "/fields?token=secret");
	assert_int_equal(g.result.outcome, HTTP_OK);
	assert_int_equal(g.result.status, 200);
	assert_true(g.result.date_ms == 1795168295000);
	assert_string_equal(g.result.content_type, "application/json");
	assert_int_equal(g.result.rate_limit, 1000);
	assert_int_equal(g.result.rate_remaining, 83);
	assert_int_equal(g.result.rate_reset, 1795168300);
	assert_string_equal(g.result.etag, "W/\"abc\"");
	assert_string_equal(g.result.link, "<https://x/y?z=1>; rel=next");
	assert_string_equal(g.result.request_id, "req-1");
	assert_string_equal(g.result.retry_after, "2.5");
	assert_int_equal(g.result.bytes, 2);
	assert_true(bytes_is(buf_bytes(&g.body), "{}"));
	assert_true(g.result.sent_ms > 0 && g.result.ended_ms >= g.result.sent_ms);
	assert_in_range(g.result.duration_us, 1, 5000000);
	got_release(&g);
	bench_close(&b);
}

static void odd_fields_are_left_out(void **state)
{
	struct bench b;
	struct got g = {0};

	bench_open(&b, state, answer_script, NULL);
	get(&b, &g, "/odd-fields");
	assert_int_equal(g.result.outcome, HTTP_OK);
	assert_true(g.result.date_ms == TIME_NONE);
	assert_int_equal(g.result.rate_limit, -1);
	assert_int_equal(g.result.rate_remaining, -1);
	assert_int_equal(g.result.rate_reset, -1);
	assert_string_equal(g.result.request_id, "");
	assert_string_equal(g.result.retry_after, "");
	got_release(&g);
	bench_close(&b);
}

static void whole(struct bench *b, const char *path, int status, const char *body)
{
	struct got g = {0};

	get(b, &g, path);
	assert_int_equal(g.result.outcome, HTTP_OK);
	assert_int_equal(g.result.status, status);
	assert_true(bytes_is(buf_bytes(&g.body), body));
	assert_string_equal(g.result.etag, ""); /* neither a trailer's nor an interim answer's */
	got_release(&g);
}

static void answers_in_every_form(void **state)
{
	struct bench b;

	bench_open(&b, state, answer_script, NULL);
	whole(&b, "/hello", 200, "hello");
	whole(&b, "/chunked", 200, "hello world");
	whole(&b, "/until-close", 200, "hello");
	whole(&b, "/early", 200, "hello");
	whole(&b, "/long", 200, "hello");
	whole(&b, "/moved", 302, "");
	whole(&b, "/limited", 429, "{}");
	assert_int_equal(b.web.requests, 7); /* the redirect was not followed */
	bench_close(&b);
}

static void compressed_answers_are_unpacked(void **state)
{
	struct bench b;
	struct got g = {0};

	bench_open(&b, state, answer_gzip, NULL);
	get(&b, &g, "/");
	assert_int_equal(g.result.outcome, HTTP_OK);
	assert_int_equal(g.result.bytes, sizeof gzip_20000);
	assert_int_equal(g.body.len, 20000);
	assert_memory_equal(g.body.data + 19996, "fic ", 4);
	got_release(&g);
	bench_close(&b);
}

static void note_head(struct web_conn *c)
{
	char *heads = c->web->ctx;

	assert_true(strlen(heads) + strlen(c->head) + strlen(c->body) < 8000);
	strcat(strcat(heads, c->head), c->body);
	web_text(c, strncmp(c->head, "HEAD", 4) == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"
						     : OK_HELLO);
}

static void requests_go_out_as_asked(void **state)
{
	static const char *const methods[] = {"POST", "PUT", "DELETE", "HEAD"};
	static char heads[8192];
	struct bench b;

	bench_open(&b, state, note_head, heads);
	for (size_t i = 0; i < 4; i++) {
		struct got g = {0};
		struct http_request r = request_for(&g, web_url(&b.web, "/x?a=1"));
		r.method = methods[i];
		r.headers[1] = i == 0 ? "Content-Type: application/json" : NULL;
		r.body = i == 0 ? bytes_str("{\"a\":1}") : bytes_of(NULL, 0);
		start(&b, &g, &r);
		rig_until_count(b.loop, &g.done, 1);
		assert_int_equal(g.result.outcome, HTTP_OK);
		assert_int_equal(g.body.len, i == 3 ? 0 : 5);
		got_release(&g);
	}
	assert_non_null(strstr(heads, "POST /x?a=1 HTTP/1.1\r\n"));
	assert_non_null(strstr(heads, "\r\nAuthorization: Bearer secret\r\n"));
	assert_non_null(strstr(heads, "\r\nUser-Agent: fic-test/1\r\n"));
	assert_non_null(strstr(heads, "\r\nAccept-Encoding: deflate, gzip"));
	assert_non_null(strstr(heads, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(heads, "\r\n\r\n{\"a\":1}PUT /x?a=1 HTTP/1.1\r\n"));
	assert_non_null(strstr(heads, "DELETE /x?a=1 HTTP/1.1\r\n"));
	assert_null(strstr(heads, "urlencoded"));
	assert_null(strstr(heads, "Expect"));
	bench_close(&b);
}

/* --- connections -------------------------------------------------------------------- */

static void connections_are_kept(void **state)
{
	struct bench b;

	bench_open(&b, state, answer_script, NULL);
	for (int i = 0; i < 5; i++)
		whole(&b, "/hello", 200, "hello");
	assert_int_equal(b.web.accepts, 1);
	whole(&b, "/bye", 200,
	      "hello"); /* the server closes this one, which is noticed, or tried and repeated */
	whole(&b, "/hello", 200, "hello");
	assert_int_equal(b.web.accepts, 2);
	bench_close(&b);
}

static void drops_writes(struct web_conn *c)
{
	if (strstr(c->head, "PUT ") == c->head)
		web_hang_up(c);
	else
		web_text(c, OK_HELLO);
}

/* What may act is not repeated behind our back. */
static void what_is_sent_once_is_not_repeated(void **state)
{
	struct bench b;

	bench_open(&b, state, drops_writes, NULL);
	for (int once = 0; once < 2; once++) {
		struct got got = {0};
		whole(&b, "/hello", 200, "hello");
		unsigned before = b.web.requests;
		struct http_request r = request_for(&got, web_url(&b.web, "/hello"));
		r.method = "PUT";
		r.body = bytes_str("{}");
		r.never_twice = once;
		start(&b, &got, &r);
		rig_until_count(b.loop, &got.done, 1);
		assert_int_not_equal(got.result.outcome, HTTP_OK);
		assert_int_equal(b.web.requests - before, once ? 1 : 2);
		got_release(&got);
	}
	bench_close(&b);
}

struct waiting {
	struct web_conn *conns[8];
	unsigned count;
};

/* The first ones wait until there are eight, so that none is answered before the last connection is needed. */
static void answer_eight(struct web_conn *c)
{
	struct waiting *w = c->web->ctx;

	if (w->count == 8) {
		answer_script(c);
		return;
	}
	w->conns[w->count++] = c;
	for (unsigned i = 0; w->count == 8 && i < 8; i++)
		answer_script(w->conns[i]);
}

static void a_hundred_calls_share_eight_connections(void **state)
{
	static struct got many[100];
	struct waiting waiting = {.count = 0};
	struct bench b;
	struct loop_stats stats;
	unsigned ended = 0;

	memset(many, 0, sizeof many);
	bench_open(&b, state, answer_eight, &waiting);
	for (int i = 0; i < 100; i++) {
		struct http_request r = request_for(&many[i], web_url(&b.web, "/hello"));
		many[i].all = &ended;
		start(&b, &many[i], &r);
	}
	assert_int_equal(http_running(b.http), 100);
	rig_until_count(b.loop, &ended, 100);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(many[i].result.outcome, HTTP_OK);
		assert_int_equal(many[i].body.len, 5);
		got_release(&many[i]);
	}
	assert_int_equal(http_running(b.http), 0);
	assert_int_equal(b.web.accepts, 8);
	assert_int_equal(b.web.requests, 100);
	loop_stats(b.loop, &stats);
	print_message("100 calls: held at most %d us\n", (int)stats.held_max_us);
	bench_close(&b);
}

struct later {
	struct timer *timer;
	struct web_conn *conn;
};

static void answer_now(void *ctx)
{
	struct later *l = ctx;

	web_text(l->conn, OK_HELLO);
}

static void answer_later(struct web_conn *c)
{
	struct later *l = c->web->ctx;

	l->conn = c;
	timer_start(l->timer, 60, 0);
}

/* The limit on connecting does not run while a call waits for its turn. */
static void waiting_for_a_connection_is_not_connecting(void **state)
{
	struct http_options one = {.connections_max = 1};
	struct bench b = {.loop = *state};
	struct later later = {0};
	struct got some[5] = {{0}};
	unsigned ended = 0;
	struct why why;

	b.http = http_new(b.loop, &one, &why);
	later.timer = timer_new(b.loop, answer_now, &later);
	web_open(&b.web, b.loop, answer_later, &later);
	for (int i = 0; i < 5; i++) {
		struct http_request r = request_for(&some[i], web_url(&b.web, "/hello"));
		r.connect_ms = 100;
		r.stall_ms = 2000;
		some[i].all = &ended;
		start(&b, &some[i], &r);
	}
	rig_until_count(b.loop, &ended, 5);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(some[i].result.outcome, HTTP_OK);
		got_release(&some[i]);
	}
	assert_int_equal(b.web.open_max, 1);
	timer_free(later.timer);
	bench_close(&b);
}

/* --- failures, in words ------------------------------------------------------------- */

static void fails(struct bench *b, const char *path, enum http_outcome outcome, const char *words)
{
	struct got g = {0};
	struct http_request r = request_for(&g, strchr(path, ':') ? path : web_url(&b->web, path));

	r.stall_ms = 100;
	r.body_max = 500000;
	r.connect_ms = 3000;
	start(b, &g, &r);
	rig_until_count(b->loop, &g.done, 1);
	if (g.result.outcome != outcome || !strstr(g.result.why.text, words))
		fail_msg("%s: %s '%s'", path, http_outcome_name(g.result.outcome), g.result.why.text);
	got_release(&g);
}

static void broken_answers_are_named(void **state)
{
	struct bench b;

	bench_open(&b, state, answer_script, NULL);
	fails(&b, "/cut", HTTP_CUT, "127.0.0.1: the connection ended after 10 of 1024 bytes");
	fails(&b, "/cut-chunk", HTTP_CUT, "127.0.0.1: the connection ended after ");
	fails(&b, "/nothing", HTTP_CUT, "127.0.0.1: the connection ended before an answer came");
	fails(&b, "/bad-length", HTTP_FAILED, "127.0.0.1: ");
	fails(&b, "/not-http", HTTP_FAILED, "127.0.0.1: ");
	fails(&b, "/bad-gzip", HTTP_CUT, "127.0.0.1: the answer cannot be decompressed");
	fails(&b, "/silent", HTTP_STALLED, "127.0.0.1: no byte for 0.1 s");
	fails(&b, "/half", HTTP_STALLED, "127.0.0.1: no byte for 0.1 s");
	bench_close(&b);
}

static void a_closed_port_refuses(void **state)
{
	struct bench b;
	char url[64], words[100];

	bench_open(&b, state, answer_script, NULL);
	web_close(&b.web);
	snprintf(url, sizeof url, "http://127.0.0.1:%d/path?q=secret", b.web.port);
	snprintf(words, sizeof words, "cannot connect to 127.0.0.1 port %d: Connection refused",
		 b.web.port);
	fails(&b, url, HTTP_CONNECT, words);
	unsetenv("http_proxy");
	fails(&b, "http://a..b/", HTTP_RESOLVE, "cannot find the host a..b");
	setenv("http_proxy", "http://127.0.0.1:9", 1);
	http_free(b.http);
}

/* A listener whose queue is full does not answer at all. */
static void an_unanswered_connection_ends(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0), full[4];
	struct bench b;
	struct got g = {0};
	char url[64];

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 0), 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	for (int i = 0; i < 4; i++) {
		full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(full[i], (struct sockaddr *)&at, sizeof at);
	}
	bench_open(&b, state, answer_script, NULL);
	snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(at.sin_port));
	struct http_request r = request_for(&g, url);
	r.connect_ms = 200;
	start(&b, &g, &r);
	rig_until_count(b.loop, &g.done, 1);
	assert_int_equal(g.result.outcome, HTTP_CONNECT);
	assert_non_null(strstr(g.result.why.text, "no answer within 0.2 s"));
	bench_close(&b);
	for (int i = 0; i < 4; i++)
		close(full[i]);
	close(fd);
}

static void answer_plainly(struct web_conn *c)
{
	web_text(c, "HTTP/1.1 400 Bad Request\r\n\r\n");
	web_hang_up(c);
}

static void a_handshake_that_fails_is_named(void **state)
{
	struct bench b;
	char url[64];

	bench_open(&b, state, answer_plainly, NULL);
	b.web.raw = true;
	snprintf(url, sizeof url, "https://127.0.0.1:%d/", b.web.port);
	fails(&b, url, HTTP_TLS, "127.0.0.1: TLS problem: ");
	bench_close(&b);
}

static void too_big_is_stopped_while_it_arrives(void **state)
{
	struct bench b;
	struct got g = {0};

	bench_open(&b, state, answer_megabyte, NULL);
	fails(&b, "/", HTTP_TOO_BIG, "127.0.0.1: the answer is bigger than 500000 bytes");
	b.web.answer = answer_gzip;
	struct http_request r = request_for(&g, web_url(&b.web, "/"));
	r.body_max = 19999;
	start(&b, &g, &r);
	rig_until_count(b.loop, &g.done, 1);
	assert_int_equal(g.result.outcome, HTTP_TOO_BIG);
	assert_true(g.body.len <= 19999);
	got_release(&g);
	bench_close(&b);
}

static void answer_with_many_headers(struct web_conn *c)
{
	web_text(c, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 1500; i++)
		web_text(c, "X-Filler: 0123456789012345678901234567890123456789\r\n");
	web_text(c, "Content-Length: 0\r\n\r\n");
}

static void endless_headers_are_stopped(void **state)
{
	struct bench b;

	bench_open(&b, state, answer_with_many_headers, NULL);
	fails(&b, "/", HTTP_FAILED, "127.0.0.1: the answer's headers are longer than 65536 bytes");
	bench_close(&b);
}

struct drip {
	struct web *web;
	struct timer *timer;
	struct web_conn *conn;
};

static void drip(void *ctx)
{
	struct drip *d = ctx;

	if (web_has(d->web, d->conn))
		web_text(d->conn, "x");
}

static void answer_dripping(struct web_conn *c)
{
	struct drip *d = c->web->ctx;

	d->conn = c;
	d->web = c->web;
	web_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
	timer_start(d->timer, 10, 10);
}

/* Bytes keep coming, so nothing stalls; the limit on the whole ends it. */
static void the_last_limit_is_on_the_whole(void **state)
{
	struct bench b;
	struct drip d = {0};
	struct got g = {0};

	bench_open(&b, state, answer_dripping, &d);
	d.timer = timer_new(b.loop, drip, &d);
	struct http_request r = request_for(&g, web_url(&b.web, "/"));
	r.stall_ms = 200;
	r.total_ms = 600;
	start(&b, &g, &r);
	rig_until_count(b.loop, &g.done, 1);
	timer_free(d.timer);
	assert_int_equal(g.result.outcome, HTTP_STALLED);
	assert_non_null(strstr(g.result.why.text, "took longer than the limit"));
	assert_in_range(g.result.duration_us, 500000, 10000000);
	got_release(&g);
	bench_close(&b);
}

static void bad_requests_do_not_begin(void **state)
{
	static const char *const urls[] = {
		"ftp://x/",           "http://user:secret@x/", "http://", "x y", "http://x:99999/",
		"file:///etc/passwd", "http://x/\r\nHost: y",  ""};
	struct bench b;
	struct got g = {0};
	struct why why;

	bench_open(&b, state, answer_script, NULL);
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct http_request r = request_for(&g, urls[i]);
		why.text[0] = 0;
		assert_null(http_start(b.http, &r, &why));
		assert_true(why.text[0] != 0);
		assert_null(strstr(why.text, "secret"));
	}
	struct http_request r = request_for(&g, web_url(&b.web, "/"));
	r.headers[0] = "X: secret\r\nY: 2";
	assert_null(http_start(b.http, &r, &why));
	assert_null(strstr(why.text, "secret"));
	r = request_for(&g, web_url(&b.web, "/"));
	r.method = "GET / HTTP/1.1";
	assert_null(http_start(b.http, &r, &why));
	assert_int_equal(http_running(b.http), 0);
	rig_turns(b.loop, 5);
	assert_int_equal(g.done, 0);
	bench_close(&b);
}

/* What is known of a host from the request before is no pass for what follows the host. */
static void known_hosts_are_judged_again(void **state)
{
	static const char *const ends[] = {"/a b", "?a b", "0/", "@x/", "/\n"};
	struct bench b;
	struct got g = {0};
	struct why why;
	char url[64];

	bench_open(&b, state, answer_script, NULL);
	struct http_request r = request_for(&g, web_url(&b.web, "/"));
	struct http_call *c = http_start(b.http, &r, &why);
	assert_non_null(c);
	http_cancel(c);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		snprintf(url, sizeof url, "http://127.0.0.1:%d%s", b.web.port, ends[i]);
		r = request_for(&g, url);
		why.text[0] = 0;
		assert_null(http_start(b.http, &r, &why));
		assert_true(why.text[0] != 0);
	}
	while (g.done == 0)
		rig_turns(b.loop, 1);
	assert_int_equal(g.done, 1);
	got_release(&g);
	bench_close(&b);
}

static int slow_data(void *ctx, const void *data, size_t len)
{
	int64_t end_us = clock_mono_us() + 500;

	while (clock_mono_us() < end_us)
		;
	return on_data(ctx, data, len);
}

/* A megabyte lies in the socket and each piece takes half a millisecond: it is taken over several
 * turns. */
static void a_big_answer_does_not_hold_the_loop(void **state)
{
	struct bench b;
	struct got g = {0}, other = {.pieces_max = 20};
	struct loop_stats before, after;

	bench_open(&b, state, answer_megabyte, NULL);
	loop_stats(b.loop, &before);
	struct http_request r = request_for(&g, web_url(&b.web, "/"));
	r.on_data = slow_data;
	start(&b, &g, &r);
	r.ctx = &other;
	start(&b, &other, &r);
	rig_until_count(b.loop, &g.done, 1);
	rig_until_count(b.loop, &other.done, 1);
	loop_stats(b.loop, &after);
	assert_int_equal(g.result.outcome, HTTP_OK);
	assert_int_equal(g.body.len, 1048576);
	assert_int_equal(other.result.outcome, HTTP_ABORTED);
	assert_int_equal(other.pieces, 20);
	assert_true(after.turns - before.turns > 10);
	print_message("slow body: %u turns, held %d us\n", (unsigned)(after.turns - before.turns),
		      (int)after.held_max_us);
	got_release(&g);
	got_release(&other);
	bench_close(&b);
}

struct turns {
	struct got got;
	struct loop *loop;
	uint64_t last; /* the turn of its last piece */
};

static int data_in_turn(void *ctx, const void *data, size_t len)
{
	struct turns *t = ctx;
	struct loop_stats stats;
	int64_t end_us = clock_mono_us() + LOOP_SLICE_ASKED_US;

	loop_stats(t->loop, &stats);
	t->last = stats.turns;
	while (clock_mono_us() < end_us)
		;
	return on_data(&t->got, data, len);
}

static void turns_done(void *ctx, const struct http_result *result)
{
	on_done(&((struct turns *)ctx)->got, result);
}

struct held_answers {
	struct web_conn *conns[8];
	unsigned count;
};

/* All at once, when the last has asked. */
static void answer_all_together(struct web_conn *c)
{
	struct held_answers *h = c->web->ctx;

	h->conns[h->count++] = c;
	for (unsigned i = 0; h->count == 8 && i < 8; i++)
		web_text(h->conns[i], OK_HELLO);
}

/* Eight answers lie in their sockets: while somebody asks, a turn takes one of them. */
static void answers_are_taken_one_a_turn_while_somebody_asks(void **state)
{
	static struct turns many[8];
	struct held_answers held = {.count = 0};
	struct bench b;
	unsigned ended = 0;

	memset(many, 0, sizeof many);
	bench_open(&b, state, answer_all_together, &held);
	for (int i = 0; i < 8; i++) {
		struct http_request r = request_for(&many[i].got, web_url(&b.web, "/hello"));
		many[i].loop = b.loop;
		many[i].got.all = &ended;
		r.on_data = data_in_turn;
		r.done = turns_done;
		r.ctx = &many[i];
		start(&b, &many[i].got, &r);
	}
	loop_asked(b.loop);
	rig_until_count(b.loop, &ended, 8);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(many[i].got.body.len, 5);
		for (int k = 0; k < i; k++)
			assert_true(many[i].last != many[k].last);
		got_release(&many[i].got);
	}
	bench_close(&b);
}

/* --- ending early ------------------------------------------------------------------- */

static void on_data_can_stop(void **state)
{
	struct bench b;
	struct got g = {.pieces_max = 2}, c = {.cancel = true};

	bench_open(&b, state, answer_megabyte, NULL);
	get(&b, &g, "/");
	assert_int_equal(g.result.outcome, HTTP_ABORTED);
	assert_int_equal(g.pieces, 2);
	get(&b, &c, "/");
	assert_int_equal(c.result.outcome, HTTP_CANCELED);
	assert_int_equal(c.pieces, 1);
	got_release(&g);
	got_release(&c);
	bench_close(&b);
}

struct stage {
	struct bench b;
	struct got g;
	struct timer *every_turn;
	int which;
	int turns;
};

/* Cancels after so many turns, which over all runs is at every stage of a call. */
static void cancel_at(void *ctx)
{
	struct stage *s = ctx;

	if (s->turns++ == s->which && !s->g.done) {
		http_cancel(s->g.call);
		assert_int_equal(s->g.done, 0);
	}
	timer_start(s->every_turn, 0, 0);
}

static enum http_outcome cancelled_at(void **state, int which)
{
	struct stage s = {.which = which};

	bench_open(&s.b, state, answer_megabyte, NULL);
	s.every_turn = timer_new(*state, cancel_at, &s);
	timer_start(s.every_turn, 0, 0);
	get(&s.b, &s.g, "/");
	timer_free(s.every_turn);
	got_release(&s.g);
	bench_close(&s.b);
	return s.g.result.outcome;
}

static void a_call_can_be_cancelled_at_every_stage(void **state)
{
	enum http_outcome outcome = HTTP_CANCELED;
	int which = 0;

	for (; outcome == HTTP_CANCELED && which < 1000; which++)
		outcome = cancelled_at(state, which);
	assert_int_equal(outcome, HTTP_OK);
	print_message("%s ", http_outcome_name(outcome));
	print_message("cancelled at %d stages\n", which - 1);
}

static void cancel_self(struct got *g)
{
	http_cancel(g->call);
}

static void free_all(struct got *g)
{
	http_free(g->http);
	g->http = NULL;
}

static void start_again(struct got *g)
{
	struct why why = {""};
	struct http_request r = request_for(g, "http://127.0.0.1:9/");

	assert_null(http_start(g->http, &r, &why));
	assert_string_equal(why.text, "the program is ending");
}

static void done_may_cancel_and_free(void **state)
{
	struct bench b;
	struct got a = {.then = cancel_self}, c = {.then = free_all}, d = {0},
		   e = {.then = start_again};
	struct http_request r;

	bench_open(&b, state, answer_script, NULL);
	get(&b, &a, "/hello");
	assert_int_equal(a.result.outcome, HTTP_OK);
	r = request_for(&d, web_url(&b.web, "/silent"));
	start(&b, &d, &r);
	r = request_for(&e, web_url(&b.web, "/silent"));
	start(&b, &e, &r);
	get(&b, &c, "/hello");
	assert_int_equal(c.result.outcome, HTTP_OK);
	assert_int_equal(d.done, 1);
	assert_int_equal(d.result.outcome, HTTP_CANCELED);
	assert_int_equal(e.result.outcome, HTTP_CANCELED);
	rig_turns(b.loop, 5);
	got_release(&a);
	got_release(&c);
	web_close(&b.web);
}

static void freed_while_running(void **state)
{
	struct bench b;
	struct got fresh = {0}, waiting = {0};

	bench_open(&b, state, answer_script, NULL);
	struct http_request r = request_for(&waiting, web_url(&b.web, "/half"));
	start(&b, &waiting, &r);
	rig_until_count(b.loop, &waiting.pieces, 1);
	r = request_for(&fresh, web_url(&b.web, "/hello"));
	start(&b, &fresh, &r);
	bench_close(&b);
	assert_int_equal(fresh.result.outcome, HTTP_CANCELED);
	assert_int_equal(waiting.result.outcome, HTTP_CANCELED);
	assert_int_equal(waiting.result.status, 200);
	http_free(NULL);
	got_release(&waiting);
}

static int start_inside(void *ctx, const void *data, size_t len)
{
	struct got *g = ctx;
	struct http_request r = request_for(g + 1, "http://127.0.0.1:9/");

	(void)data;
	(void)len;
	r.connect_ms = 1000;
	g[1].call = http_start(g->http, &r, NULL);
	assert_non_null(g[1].call);
	return 0;
}

static void a_call_may_be_started_from_on_data(void **state)
{
	struct bench b;
	struct got g[2] = {{0}};

	bench_open(&b, state, answer_script, NULL);
	struct http_request r = request_for(&g[0], web_url(&b.web, "/hello"));
	r.on_data = start_inside;
	start(&b, &g[0], &r);
	rig_until_count(b.loop, &g[1].done, 1);
	assert_int_equal(g[0].result.outcome, HTTP_OK);
	assert_int_equal(g[1].result.outcome, HTTP_CONNECT);
	bench_close(&b);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_answer_with_its_fields),
		CASE(odd_fields_are_left_out),
		CASE(answers_in_every_form),
		CASE(compressed_answers_are_unpacked),
		CASE(requests_go_out_as_asked),
		CASE(connections_are_kept),
		CASE(what_is_sent_once_is_not_repeated),
		CASE(a_hundred_calls_share_eight_connections),
		CASE(waiting_for_a_connection_is_not_connecting),
		CASE(broken_answers_are_named),
		CASE(a_closed_port_refuses),
		CASE(an_unanswered_connection_ends),
		CASE(a_handshake_that_fails_is_named),
		CASE(too_big_is_stopped_while_it_arrives),
		CASE(endless_headers_are_stopped),
		CASE(the_last_limit_is_on_the_whole),
		CASE(bad_requests_do_not_begin),
		CASE(known_hosts_are_judged_again),
		CASE(a_big_answer_does_not_hold_the_loop),
		CASE(answers_are_taken_one_a_turn_while_somebody_asks),
		CASE(on_data_can_stop),
		CASE(a_call_can_be_cancelled_at_every_stage),
		CASE(done_may_cancel_and_free),
		CASE(freed_while_running),
		CASE(a_call_may_be_started_from_on_data),
	};

	/* Nothing listens there: a call to this host that used it would fail. */
	setenv("http_proxy", "http://127.0.0.1:9", 1);
	setenv("https_proxy", "http://127.0.0.1:9", 1);
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
