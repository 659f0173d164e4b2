/* fetch: sends asks within the budget and retries what may pass. Never retries a refusal, never sends the token anywhere but to the account's
 * own address (redirects are not followed, cursors are values). */
#include "fetch.h"

#include <base/log.h>
#include <source/write.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTEMPTS_MAX       6  /* the first, and five more after 1, 2, 4, 8, 16 s */
#define WAITS_MAX          30 /* times that we let ourselves be told to wait for one question */
#define TOTAL_MS           (2 * 60 * 60 * 1000) /* of one answer that keeps moving */
#define RETRY_AFTER_MAX_MS (15 * 60 * 1000)
#define CLOCK_AHEAD_MAX_MS (5 * 60 * 1000)
#define CLOCK_DOUBTS_MAX   4
#define CLOCK_NOISE_MS     2000                   /* Date has whole seconds */
#define SECONDS_MAX        INT64_C(1000000000000) /* no time of an honest header is beyond it */

struct fetch {
	struct line *line;
	struct fetch *next;            /* in the queue */
	struct fetch *later, *earlier; /* in line->all */
	struct ask ask;
	char id[RECORD_ID_MAX + 1];
	struct buf cursor;
	char etag[96];
	struct reader *reader;
	struct call request;
	bool written; /* the request */
	struct http_call *call;
	struct timer *backoff;
	unsigned attempts, attempts_max, waits;
	size_t head_len;
	struct fetch_cost cost;
	bool dropped;
	void (*done)(void *ctx, struct page *page, const struct fetch_cost *cost);
	void *ctx;
};

static void line_pump(struct line *l);

static void on_line_timer(void *ctx)
{
	line_pump(ctx);
}

int line_open(struct line *l)
{
	const struct provider *p = l->account->provider;

	pace_init(&l->pace, l->concurrency);
	meter_init(&l->meter);
	for (unsigned i = 0; i < ROUTE_CLASSES_MAX && p->routes[i].name; i++)
		route_init(&l->routes[i], p, i, l->budget.share,
			   l->route_shares ? l->route_shares[i] : 0);
	l->timer = timer_new(l->loop, on_line_timer, l);
	return l->timer ? 0 : ERR_NOMEM;
}

static void fetch_free(struct fetch *f)
{
	struct line *l = f->line;

	if (f->earlier)
		f->earlier->later = f->later;
	else if (l)
		l->all = f->later;
	if (f->later)
		f->later->earlier = f->earlier;
	if (l && !l->all)
		meter_go(&l->meter, loop_mono_ms(l->loop));
	reader_free(f->reader);
	call_release(&f->request);
	timer_free(f->backoff);
	buf_release(&f->cursor);
	free(f);
}

static void fetch_end(struct fetch *f, struct page *page)
{
	if (f->dropped || !f->done)
		page_free(page);
	else
		f->done(f->ctx, page, &f->cost);
	fetch_free(f);
}

static void queue_put(struct fetch *f)
{
	struct line *l = f->line;

	f->next = NULL;
	if (l->tail)
		l->tail->next = f;
	else
		l->head = f;
	l->tail = f;
}

static void queue_remove(struct fetch *f)
{
	struct line *l = f->line;
	struct fetch **at = &l->head, *last = NULL;

	for (; *at && *at != f; at = &(*at)->next)
		last = *at;
	if (!*at)
		return;
	*at = f->next;
	if (l->tail == f)
		l->tail = last;
}

static void fetch_fail(struct fetch *f, const struct why *why)
{
	struct page *page = calloc(1, sizeof *page);

	if (page) {
		page->fault = FAULT_NEVER;
		page->why = *why;
	}
	fetch_end(f, page);
}

static int write_request(struct fetch *f, struct why *why)
{
	const struct account *account = f->line->account;

	if (f->ask.kind != ASK_CHANGE)
		return provider_call(account, &f->ask, buf_bytes(&f->cursor), &f->request, why);
	int rc = write_call(account, &f->ask, &f->request, NULL, why);
	if (rc == 0)
		return why_set(why, ERR_INVALID, "what is wanted is there already");
	return rc < 0 ? rc : 0;
}

/* The request is the same each time; its class must be known before it is sent. */
static void on_backoff(void *ctx)
{
	struct fetch *f = ctx;
	struct line *l = f->line;
	struct why why = {""};

	if (!f->written && write_request(f, &why)) {
		fetch_fail(f, &why);
		return;
	}
	f->written = true;
	queue_put(f);
	line_pump(l);
}

static int on_data(void *ctx, const void *data, size_t len)
{
	struct fetch *f = ctx;
	size_t room = sizeof f->cost.head - 1 - f->head_len;

	if (room) {
		memcpy(f->cost.head + f->head_len, data, len < room ? len : room);
		f->head_len += len < room ? len : room;
	}
	/* What cannot be read is read to its end all the same, so that the connection stays usable; only sheer size stops it. */
	return reader_feed(f->reader, data, len) == ERR_LIMIT;
}

/* The answer was dated at some moment between its question and its end, to the second: the offset lies between two bounds, of which the one
 * nearer to none is taken. False: this clock is suddenly far ahead. Coverage is measured by it, so one machine of the provider's with a wrong clock would make us claim
 * what has not happened yet; it is believed when several answers say the same. */
static bool learn_clock(struct line *l, const struct http_result *result)
{
	if (result->date_ms == TIME_NONE)
		return true;
	int64_t low = result->date_ms - result->ended_ms,
		high = result->date_ms + 999 - result->sent_ms;
	int64_t offset = low > 0 ? low : high < 0 ? high : 0;
	if (l->clock_known && offset - l->clock_offset_ms > CLOCK_AHEAD_MAX_MS &&
	    ++l->clock_doubts < CLOCK_DOUBTS_MAX)
		return false;
	l->clock_known = true;
	l->clock_doubts = 0;
	l->clock_offset_ms = offset > -CLOCK_NOISE_MS && offset < CLOCK_NOISE_MS ? 0 : offset;
	return true;
}

/* A limit of one class of routes says nothing about how many calls may be under way. */
static void learn_pace(struct line *l, const struct http_result *result, bool route_only)
{
	if (result->outcome == HTTP_CANCELED || route_only)
		return;
	if (result->outcome != HTTP_OK || result->status == 429 || result->status == 503)
		pace_refused(&l->pace, loop_mono_ms(l->loop));
	else
		pace_answered(&l->pace, result->duration_us);
}

static void refuse_clock(struct page *page, const struct http_result *result)
{
	char theirs[TIME_TEXT_MAX];

	page->fault = FAULT_NOW;
	page->count = 0;
	page->next = bytes_of(NULL, 0);
	why_set(&page->why, 0, "the provider's clock is suddenly far ahead (%s)",
		time_text(result->date_ms, false, theirs));
}

/* The answer, or a page that says what went wrong on the way to it. */
static struct page *page_of(struct fetch *f, const struct http_result *result, bool clock_fits)
{
	int64_t seen = result->date_ms != TIME_NONE ? result->date_ms
						    : result->ended_ms + f->line->clock_offset_ms;
	bool answered = result->outcome == HTTP_OK;
	bool moved = result->status == 301 || result->status == 308;
	struct page *page = reader_finish(f->reader, answered ? result->status : 599,
					  moved ? result->location : result->link, seen);

	if (page && !answered) {
		/* What is too large now will be so again. */
		page->fault = result->outcome == HTTP_ABORTED || result->outcome == HTTP_TOO_BIG
				      ? FAULT_NEVER
				      : FAULT_NOW;
		page->count = 0;
		page->next = bytes_of(NULL, 0);
		if (page->fault == FAULT_NOW)
			page->why = result->why;
		else
			why_set(&page->why, 0,
				"the answer is larger, or nested deeper, than is taken in");
	}
	if (page && !clock_fits)
		refuse_clock(page, result);
	/* A second question is answered with what follows. */
	if (page && f->request.once && (page->fault == FAULT_NOW || page->fault == FAULT_NONSENSE))
		page->fault = FAULT_CURSOR;
	if (page && page->unchanged && !f->etag[0]) {
		page->fault = FAULT_NONSENSE;
		why_set(&page->why, 0,
			"answered \"not modified\" to a question that had no condition");
	}
	reader_free(f->reader);
	f->reader = NULL;
	return page;
}

static struct route_budget *route_of(struct fetch *f)
{
	return &f->line->routes[f->request.route];
}

/* A refusal that the provider says is about the call's own class: by a header, or in words that the page knows. */
static bool is_route_only(const struct page *page, const struct http_result *result)
{
	return page && page->fault == FAULT_LATER && (page->route_only || result->rate_tier[0]);
}

static int64_t told_to_wait(const struct page *page, const struct http_result *result, int64_t wall_ms)
{
	if (page->again_ms > 0)
		return page->again_ms < RETRY_AFTER_MAX_MS ? page->again_ms : RETRY_AFTER_MAX_MS;

	int64_t wait = -1, at;
	char *end;
	long long seconds = strtoll(result->retry_after, &end, 10);
	int64_t date = result->date_ms != TIME_NONE ? result->date_ms : wall_ms;

	if (result->retry_after[0] && *end == 0)
		wait = seconds < RETRY_AFTER_MAX_MS / 1000 ? seconds * 1000 : RETRY_AFTER_MAX_MS;
	else if (result->retry_after[0] && time_parse_http(bytes_str(result->retry_after), &at) == 0)
		wait = at - date;
	else if (result->rate_reset > 0 && result->rate_reset < SECONDS_MAX)
		wait = result->rate_reset * 1000 - date;
	return wait < 0 ? -1 : wait > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : wait;
}

static int64_t backoff_ms(const struct fetch *f)
{
	int64_t base = f->line->retry_ms << (f->attempts - 1);

	/* A quarter of jitter, so that what failed together does not come back together. */
	return base - base / 8 + (int64_t)arc4random_uniform((uint32_t)(base / 4 + 1));
}

/* Whether it is worth asking again; arms the timer if so. */
static bool fetch_again(struct fetch *f, const struct page *page, const struct http_result *result)
{
	struct line *l = f->line;
	int64_t mono = loop_mono_ms(l->loop), delay;

	if (page->fault == FAULT_LATER && f->waits++ < WAITS_MAX) {
		delay = told_to_wait(page, result, loop_wall_ms(l->loop));
		if (delay < 0)
			delay = l->retry_ms << (f->waits < 6 ? f->waits : 6);
		/* "At once" is no time to wait: who is refused again and again asks ever more slowly. */
		if (delay < l->retry_ms * f->waits)
			delay = l->retry_ms * f->waits;
		meter_hold(&l->meter, mono);
		if (is_route_only(page, result))
			route_block(route_of(f), mono + delay);
		else
			budget_block(&l->budget, mono + delay);
	} else if ((page->fault == FAULT_NOW || page->fault == FAULT_NONSENSE) &&
		   f->attempts < f->attempts_max) {
		delay = backoff_ms(f);
	} else {
		return false;
	}
	log_debug("sync", "asking again in %lld ms: %s", (long long)delay, page->why.text);
	f->cost.retries++;
	l->retries++;
	timer_start(f->backoff, delay, 0);
	return true;
}

static void on_done(void *ctx, const struct http_result *result)
{
	struct fetch *f = ctx;
	struct line *l = f->line;

	f->call = NULL;
	if (!l) {
		fetch_free(f); /* the line was closed meanwhile */
		return;
	}
	l->sent--;
	budget_answered(&l->budget, result, loop_mono_ms(l->loop));
	route_answered(route_of(f), loop_mono_ms(l->loop));
	if (result->outcome != HTTP_CANCELED)
		l->unreached = result->outcome == HTTP_RESOLVE || result->outcome == HTTP_CONNECT;
	if (result->outcome != HTTP_CANCELED)
		meter_answered(&l->meter, result->outcome == HTTP_OK ? result->status : 0,
			       result->duration_us);
	bool clock_fits = learn_clock(l, result);
	f->cost.bytes += result->bytes;
	l->bytes += result->bytes;
	snprintf(f->cost.etag, sizeof f->cost.etag, "%s", result->etag);
	f->cost.status = result->status;
	f->cost.head[f->head_len] = 0;
	/* Also by an answer that is too large, or that never comes to its end. */
	f->cost.answered = result->status != 0;
	if (f->dropped || result->outcome == HTTP_CANCELED) {
		f->cost.canceled = true;
		learn_pace(l, result, result->rate_tier[0]);
		fetch_end(f, NULL);
	} else {
		int64_t took = (result->duration_us + 999) / 1000;
		int64_t answered = result->date_ms != TIME_NONE
					   ? result->date_ms
					   : result->ended_ms + l->clock_offset_ms;
		f->cost.asked_ms = (answered - took) / 1000 * 1000 - 1000;
		struct page *page = page_of(f, result, clock_fits);
		learn_pace(l, result, is_route_only(page, result));
		if (page && fetch_again(f, page, result))
			page_free(page);
		else
			fetch_end(f, page);
	}
	line_pump(l);
}

static void fill_request(struct fetch *f, char (*own)[4200], struct http_request *request)
{
	const struct call *call = &f->request;
	size_t n = 0;

	*request = (struct http_request){
		.method = call->method,
		.url = (const char *)call->url.data,
		.body = buf_bytes(&call->body),
		.never_twice = f->ask.kind == ASK_CHANGE,
		.stall_ms = f->line->stall_ms,
		.total_ms = TOTAL_MS,
		.on_data = on_data,
		.done = on_done,
		.ctx = f,
	};
	snprintf(own[0], sizeof own[0], "Authorization: Bearer %s", f->line->token);
	request->headers[n++] = own[0];
	if (f->etag[0]) {
		snprintf(own[1], sizeof own[1], "If-None-Match: %s", f->etag);
		request->headers[n++] = own[1];
	}
	for (size_t i = 0; i < CALL_HEADERS_MAX && call->headers[i][0]; i++)
		request->headers[n++] = call->headers[i];
}

/* Without the address, which is the account's. */
static void note_asked(struct fetch *f, const struct http_request *request)
{
	const char *base = f->line->account->base_url, *path = request->url;

	if (strncmp(path, base, strlen(base)) == 0)
		path += strlen(base);
	snprintf(f->cost.asked, sizeof f->cost.asked, "%s %s", request->method, path);
}

static void fetch_send(struct fetch *f)
{
	struct line *l = f->line;
	char own[2][4200];
	struct http_request request;
	struct why why = {""};

	f->reader = reader_new(l->account, &f->ask, f->ask.body_max);
	if (!f->reader) {
		why_set(&why, ERR_NOMEM, "out of memory");
		fetch_fail(f, &why);
		return;
	}
	f->head_len = 0;
	fill_request(f, own, &request);
	note_asked(f, &request);
	f->call = http_start(l->http, &request, &why);
	explicit_bzero(own[0], sizeof own[0]);
	if (!f->call) {
		fetch_fail(f, &why);
		return;
	}
	f->attempts++;
	f->cost.calls++;
	l->calls++;
	l->sent++;
	budget_sent(&l->budget, loop_mono_ms(l->loop));
	route_sent(route_of(f));
}

/* The first whose class may go; NULL: none, and how long the one that may go soonest waits. */
static struct fetch *line_next(struct line *l, int64_t mono_ms, int64_t *wait_out)
{
	*wait_out = BUDGET_WAIT_ANSWER;
	for (struct fetch *f = l->head; f; f = f->next) {
		int64_t wait = route_wait(route_of(f), l->budget.limit, mono_ms);
		if (wait == 0)
			return f;
		*wait_out = wait < *wait_out ? wait : *wait_out;
	}
	return NULL;
}

static void line_pump(struct line *l)
{
	while (l->head && l->sent < pace_calls(&l->pace)) {
		int64_t mono = loop_mono_ms(l->loop), wait = budget_wait(&l->budget, mono);
		struct fetch *f = wait ? NULL : line_next(l, mono, &wait);
		if (!f) {
			if (wait == BUDGET_WAIT_ANSWER)
				return;
			meter_hold(&l->meter, mono);
			timer_start(l->timer, wait, 0);
			return;
		}
		meter_go(&l->meter, mono);
		queue_remove(f);
		fetch_send(f);
	}
}

bool line_is_short(const struct line *l)
{
	return l->budget.reserve > 0 && budget_wait(&l->budget, loop_mono_ms(l->loop)) > 0;
}

void line_hurry(struct line *l)
{
	l->budget.urgent = true;
	line_pump(l);
}

struct fetch *fetch_start(struct line *l, const struct ask *ask, struct bytes cursor, const char *etag,
			  void (*done)(void *ctx, struct page *page, const struct fetch_cost *cost),
			  void *ctx)
{
	struct fetch *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->line = l;
	f->later = l->all;
	if (l->all)
		l->all->earlier = f;
	l->all = f;
	f->ask = *ask;
	if (ask->id.len && ask->id.len <= RECORD_ID_MAX) {
		memcpy(f->id, ask->id.data, ask->id.len);
		f->ask.id = bytes_of(f->id, ask->id.len);
	}
	buf_put_bytes(&f->cursor, cursor);
	snprintf(f->etag, sizeof f->etag, "%s", etag ? etag : "");
	f->done = done;
	f->ctx = ctx;
	f->attempts_max = ATTEMPTS_MAX;
	f->backoff = timer_new(l->loop, on_backoff, f);
	if (!f->backoff || f->cursor.error) {
		fetch_free(f);
		return NULL;
	}
	/* Sent from the loop, never from here: done must not come before the caller has its handle. */
	timer_start(f->backoff, 0, 0);
	return f;
}

void fetch_once(struct fetch *f)
{
	f->attempts_max = 1;
}

void fetch_drop(struct fetch *f)
{
	if (!f)
		return;
	f->dropped = true;
	if (f->call) {
		http_cancel(f->call);
		return;
	}
	queue_remove(f);
	fetch_free(f);
}

void line_close(struct line *l)
{
	for (struct fetch *f = l->all, *later; f; f = later) {
		later = f->later;
		/* A call ends later, from the loop: by then there is no line. */
		fetch_drop(f);
	}
	for (struct fetch *f = l->all; f; f = f->later)
		f->line = NULL;
	l->all = NULL;
	timer_free(l->timer);
	l->timer = NULL;
}
