/*
 * method: what the socket can be asked. One table; sockets, and later MCP and HTTP, serve the same methods. Private to this layer.
 */
#ifndef FIC_FICD_METHOD_INTERNAL_H
#define FIC_FICD_METHOD_INTERNAL_H

#include "session.h"

enum param_type { PARAM_TEXT, PARAM_INTEGER, PARAM_BOOL, PARAM_TEXTS /* a text or a list of texts */, PARAM_TIME, PARAM_DURATION };

struct param {
	const char *name; /* NULL ends */
	enum param_type type;
	bool required;
};

struct method {
	const char *name;
	bool writes; /* needs allow_write */
	const struct param *params;
	/* Answers, fails, or keeps the request for later (exactly one request_answer or request_error follows). */
	void (*call)(struct request *r);
};

extern const struct method methods[]; /* ended by a name of NULL */

/* Finds the method, checks rights and parameters, and calls it. */
void method_dispatch(struct request *r, bool may_read, bool may_write);

/* Parameters that were checked by the table; false when left out or nil. */
bool param_text(const struct request *r, const char *name, struct bytes *out);
bool param_integer(const struct request *r, const char *name, int64_t *out);
bool param_bool(const struct request *r, const char *name);
bool param_raw(const struct request *r, const char *name, struct bytes *out);
/* Seconds or "5m"; negative when left out. 0, or an error that was sent. */
int param_duration(struct request *r, const char *name, int64_t *ms_out);
/* since, until and axis, with their defaults (open, open, created). 0, or an error that was sent. */
int param_span(struct request *r, struct freshness_question *q);

/* The source that is named, or the only one. NULL: the error was sent. */
struct source *param_source(struct request *r);
/* Its resource of the parameter `resource`. NULL: the error was sent. */
const struct resource_type *param_resource(struct request *r, const struct source *s);

/* Pairs of the result under construction. */
void put_text(struct buf *out, const char *key, const char *value); /* NULL: nil */
void put_integer(struct buf *out, const char *key, int64_t value);
void put_bool(struct buf *out, const char *key, bool value);
void put_real(struct buf *out, const char *key, double value);
void put_time(struct buf *out, const char *key, int64_t ms); /* nil for TIME_NONE and open ends */
void put_time_value(struct buf *out, int64_t ms);

void method_hello(struct request *r);
void method_status(struct request *r);
void method_resources(struct request *r);
void method_freshness(struct request *r);
void method_coverage(struct request *r);
void method_query(struct request *r);
void method_get(struct request *r);
void method_thread(struct request *r);
void method_sync(struct request *r);
void method_runs(struct request *r);

#endif
