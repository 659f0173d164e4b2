/* Refusals of one class of routes: who waits for them, and who does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/sim.h"

#include "fetch.h"

#include <stdio.h>

#define START INT64_C(1700000000000)

/* A provider that refuses searches, and says whom that is about, or does not. */
static struct {
	struct loop *loop;
	struct http *http;
	struct account account;
	struct line line;
	const char *tier, *retry_after;
	unsigned refuses;            /* so many searches */
	unsigned searches, others;   /* that came */
	int64_t last_search_mono_ms; /* when */
	unsigned done;
} lab;

static void serve(void *ctx, const struct http_request *request, struct sim_answer *out)
{
	(void)ctx;
	out->status = 200;
	out->date_ms = loop_wall_ms(lab.loop) / 1000 * 1000;
	if (!strstr(request->url, "/search")) {
		lab.others++;
		buf_put_str(&out->body, "{\"type\":\"list\",\"data\":[]}");
		return;
	}
	lab.searches++;
	lab.last_search_mono_ms = loop_mono_ms(lab.loop);
	if (lab.refuses) {
		lab.refuses--;
		out->status = 429;
		snprintf(out->rate_tier, sizeof out->rate_tier, "%s", lab.tier);
		snprintf(out->retry_after, sizeof out->retry_after, "%s", lab.retry_after);
		buf_put_str(
			&out->body,
			"{\"type\":\"error.list\",\"errors\":[{\"code\":\"rate_limit_exceeded\",\"message\":\"m\"}]}");
		return;
	}
	buf_put_str(
		&out->body,
		"{\"type\":\"conversation.list\",\"conversations\":[],\"total_count\":0,\"pages\":{}}");
}

static int setup(void **state)
{
	(void)state;
	memset(&lab, 0, sizeof lab);
	lab.tier = "";
	lab.loop = sim_loop_new(START);
	lab.http = http_new(lab.loop, NULL, NULL);
	sim_http_serve(lab.http, serve, NULL, 10, 1);
	lab.account = (struct account){&provider_intercom, "https://api.test", "2.16"};
	lab.line = (struct line){.loop = lab.loop,
				 .http = lab.http,
				 .account = &lab.account,
				 .token = "t",
				 .concurrency = 8,
				 .retry_ms = 1000};
	budget_init(&lab.line.budget, 1, 10000);
	assert_int_equal(line_open(&lab.line), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	line_close(&lab.line);
	http_free(lab.http);
	loop_free(lab.loop);
	return 0;
}

static void on_page(void *ctx, struct page *page, const struct fetch_cost *cost)
{
	(void)ctx;
	(void)cost;
	assert_non_null(page);
	assert_int_equal(page->fault, FAULT_NONE);
	page_free(page);
	lab.done++;
}

static void ask(enum ask_kind kind, const char *resource)
{
	struct ask a = {.kind = kind,
			.type = provider_type(&provider_intercom, bytes_str(resource)),
			.start_ms = TIME_MIN,
			.end_ms = TIME_MAX};

	assert_non_null(fetch_start(&lab.line, &a, bytes_of(NULL, 0), NULL, on_page, NULL));
}

static void run(int64_t ms)
{
	sim_run(lab.loop, loop_mono_ms(lab.loop) + ms, NULL, NULL);
}

/* A search is refused; what is asked then, before its time has come. */
static void refused_and_asked(void)
{
	lab.refuses = 1;
	lab.retry_after = "30";
	ask(ASK_CHANGED, "conversations");
	run(100);
	assert_int_equal(lab.searches, 1);
	ask(ASK_CHANGED, "conversations");
	ask(ASK_LIST, "tags");
	run(20000);
	assert_int_equal(lab.searches, 1);
}

static void others_go_on(void **state)
{
	(void)state;
	lab.tier = "2";
	refused_and_asked();
	assert_int_equal(lab.others, 1);
	assert_int_equal(lab.done, 1);
	/* Nor are there fewer calls at once. */
	assert_int_equal(pace_calls(&lab.line.pace), 8);
	run(20000);
	assert_int_equal(lab.searches, 3);
	assert_int_equal(lab.done, 3);
	assert_true(lab.last_search_mono_ms >= 1000000 + 30000);
}

/* One that says nothing of routes is about all of them. */
static void all_wait(void **state)
{
	(void)state;
	refused_and_asked();
	assert_int_equal(lab.others, 0);
	assert_int_equal(pace_calls(&lab.line.pace), 4);
	run(20000);
	assert_int_equal(lab.searches, 3);
	assert_int_equal(lab.done, 3);
}

/* Who is refused again and again asks ever more slowly, whatever the refusal says. */
static void refused_at_once(void **state)
{
	(void)state;
	lab.tier = "2";
	lab.retry_after = "0";
	lab.refuses = 5;
	ask(ASK_CHANGED, "conversations");
	run(14000);
	assert_true(lab.searches < 6);
	run(10000);
	assert_int_equal(lab.searches, 6);
	assert_int_equal(lab.done, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {CASE(others_go_on), CASE(all_wait), CASE(refused_at_once)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
