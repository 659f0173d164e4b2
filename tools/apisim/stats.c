/* Counts. Only real calls to the API come here, never the controls. */
#include "stats.h"

#include "clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[BREACH_COUNT] = {
	[BREACH_NO_VERSION] = "no_version",
	[BREACH_BAD_VERSION] = "bad_version",
	[BREACH_NO_ACCEPT] = "no_accept",
	[BREACH_BAD_ACCEPT] = "bad_accept",
	[BREACH_NO_USER_AGENT] = "no_user_agent",
	[BREACH_NO_CONTENT_TYPE] = "no_content_type",
	[BREACH_BAD_JSON] = "bad_json",
	[BREACH_PER_PAGE] = "per_page",
	[BREACH_UNKNOWN_PARAMETER] = "unknown_parameter",
	[BREACH_UNKNOWN_MEMBER] = "unknown_body_member",
	[BREACH_UNKNOWN_FIELD] = "unknown_field",
	[BREACH_UNKNOWN_OPERATOR] = "unknown_operator",
	[BREACH_BAD_VALUE] = "bad_value",
	[BREACH_BAD_QUERY] = "bad_query",
	[BREACH_TOO_DEEP] = "query_too_deep",
	[BREACH_TOO_MANY] = "too_many_filters",
	[BREACH_EXHAUSTED] = "call_while_exhausted",
	[BREACH_RETRY_AFTER] = "call_before_retry_after",
	[BREACH_CURSOR_FOREIGN] = "cursor_not_issued",
	[BREACH_CURSOR_OTHER_QUERY] = "cursor_other_query",
	[BREACH_EMPTY_CURSOR] = "empty_starting_after",
	[BREACH_REFETCHED] = "refetched_unchanged",
	[BREACH_PAGE_AGAIN] = "page_again",
	[BREACH_PAGE_ORDER] = "page_out_of_order",
	[BREACH_SECOND_SCROLL] = "second_scroll",
	[BREACH_SCROLL_AFTER_FAULT] = "scroll_continued_after_fault",
	[BREACH_CONNECTIONS] = "too_many_connections",
	[BREACH_UNKNOWN_PATH] = "unknown_path",
	[BREACH_NO_TOKEN] = "no_token",
	[BREACH_FOREIGN_TOKEN] = "token_to_foreign_host",
	[BREACH_WRITE] = "write_refused",
};

#define KEPT       100
#define ROUTES_MAX 96
#define STATUS_MAX 600

static struct {
	uint64_t calls, bytes, limited;
	uint64_t status[STATUS_MAX], route[ROUTES_MAX], breach[BREACH_COUNT];
	uint64_t breaches, peak;
	uint32_t second[10];
	int64_t second_at;
	struct {
		enum breach kind;
		char line[200], words[200];
	} kept[KEPT];
} s;

static char line[200];

/* Calls in the last ten seconds, in ten buckets of one second. */
static void count_second(void)
{
	int64_t now = clock_mono_ms() / 1000;
	uint64_t sum = 0;

	for (; s.second_at < now; s.second_at++) {
		if (now - s.second_at > 10)
			s.second_at = now - 10;
		s.second[(s.second_at + 1) % 10] = 0;
	}
	s.second[now % 10]++;
	for (int i = 0; i < 10; i++)
		sum += s.second[i];
	if (sum > s.peak)
		s.peak = sum;
}

void stats_begin(const char *method, const char *uri)
{
	snprintf(line, sizeof(line), "%s %s", method, uri);
	s.calls++;
	count_second();
}

void stats_begin_foreign(const char *method, const char *path)
{
	snprintf(line, sizeof(line), "(foreign host) %s %s", method, path);
}

void stats_breach(enum breach kind, const char *fmt, ...)
{
	unsigned slot = (unsigned)(s.breaches % KEPT);
	va_list ap;

	s.breach[kind]++;
	s.breaches++;
	s.kept[slot].kind = kind;
	memcpy(s.kept[slot].line, line, sizeof(line));
	va_start(ap, fmt);
	vsnprintf(s.kept[slot].words, sizeof(s.kept[slot].words), fmt, ap);
	va_end(ap);
}

enum breach stats_breach_named(const char *name)
{
	for (unsigned i = 0; i < BREACH_COUNT; i++)
		if (!strcmp(names[i], name))
			return (enum breach)i;
	return BREACH_BAD_QUERY;
}

void stats_answer(int status, uint64_t bytes)
{
	if (status > 0 && status < STATUS_MAX)
		s.status[status]++;
	s.limited += status == 429;
	s.bytes += bytes;
}

void stats_route(unsigned route)
{
	if (route < ROUTES_MAX)
		s.route[route]++;
}

static void print_breaches(struct buf *b)
{
	uint64_t from = s.breaches > KEPT ? s.breaches - KEPT : 0;

	j_int(b, "breach_total", (int64_t)s.breaches);
	j_open(b, "breaches", '{');
	for (unsigned i = 0; i < BREACH_COUNT; i++)
		j_int(b, names[i], (int64_t)s.breach[i]);
	j_close(b, '}');
	j_open(b, "last_breaches", '[');
	for (uint64_t i = from; i < s.breaches; i++) {
		j_open(b, NULL, '{');
		j_str(b, "kind", names[s.kept[i % KEPT].kind]);
		j_str(b, "request", s.kept[i % KEPT].line);
		j_str(b, "words", s.kept[i % KEPT].words);
		j_close(b, '}');
	}
	j_close(b, ']');
}

void stats_print(struct buf *b, const char *(*route_name)(unsigned), unsigned routes,
		 void (*more)(struct buf *b))
{
	char number[16];

	j_open(b, NULL, '{');
	j_int(b, "calls", (int64_t)s.calls);
	j_int(b, "bytes", (int64_t)s.bytes);
	j_int(b, "rate_limited", (int64_t)s.limited);
	j_int(b, "peak_10s", (int64_t)s.peak);
	j_open(b, "routes", '{');
	for (unsigned i = 0; i < routes && i < ROUTES_MAX; i++)
		j_int(b, route_name(i), (int64_t)s.route[i]);
	j_close(b, '}');
	j_open(b, "status", '{');
	for (int i = 0; i < STATUS_MAX; i++) {
		snprintf(number, sizeof(number), "%d", i);
		if (s.status[i])
			j_int(b, number, (int64_t)s.status[i]);
	}
	j_close(b, '}');
	if (more)
		more(b);
	print_breaches(b);
	j_close(b, '}');
}

void stats_reset(void)
{
	memset(&s, 0, sizeof(s));
}
