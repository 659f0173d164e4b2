/* Counts of what was asked and answered, and of what was wrong with it. */
#ifndef APISIM_STATS_H
#define APISIM_STATS_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

enum breach {
	BREACH_NO_VERSION,
	BREACH_BAD_VERSION,
	BREACH_NO_ACCEPT,
	BREACH_BAD_ACCEPT,
	BREACH_NO_USER_AGENT,
	BREACH_NO_CONTENT_TYPE,
	BREACH_BAD_JSON,
	BREACH_PER_PAGE,
	BREACH_UNKNOWN_PARAMETER,
	BREACH_UNKNOWN_MEMBER,
	BREACH_UNKNOWN_FIELD,
	BREACH_UNKNOWN_OPERATOR,
	BREACH_BAD_VALUE,
	BREACH_BAD_QUERY,
	BREACH_TOO_DEEP,
	BREACH_TOO_MANY,
	BREACH_EXHAUSTED,
	BREACH_RETRY_AFTER,
	BREACH_CURSOR_FOREIGN,
	BREACH_CURSOR_OTHER_QUERY,
	BREACH_EMPTY_CURSOR,
	BREACH_REFETCHED,
	BREACH_PAGE_AGAIN,
	BREACH_PAGE_ORDER,
	BREACH_SECOND_SCROLL,
	BREACH_SCROLL_AFTER_FAULT,
	BREACH_CONNECTIONS,
	BREACH_UNKNOWN_PATH,
	BREACH_NO_TOKEN,
	BREACH_FOREIGN_TOKEN,
	BREACH_WRITE,
	BREACH_COUNT
};

/* The call a breach is blamed on is the one begun last. */
void stats_begin(const char *method, const char *uri);
/* The same for a call that was not made to the API. */
void stats_begin_foreign(const char *method, const char *path);
void stats_breach(enum breach kind, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void stats_answer(int status, uint64_t bytes);
/* One more call to a route; numbers are the route table's. */
void stats_route(unsigned route);
void stats_print(struct buf *b, const char *(*route_name)(unsigned), unsigned routes,
		 void (*more)(struct buf *b));
void stats_reset(void);
/* A breach's name from a search refusal ("unknown_field"). */
enum breach stats_breach_named(const char *name);

#endif
