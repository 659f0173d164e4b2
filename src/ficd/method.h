/*
 * method: what the socket can be asked. One table; sockets, and later MCP and HTTP, serve the same methods. Private to this layer.
 */
#ifndef FIC_FICD_METHOD_INTERNAL_H
#define FIC_FICD_METHOD_INTERNAL_H

#include "session.h"

enum param_type {
	PARAM_TEXT,
	PARAM_INTEGER,
	PARAM_BOOL,
	PARAM_TEXTS /* a text or a list of texts */,
	PARAM_TIME,
	PARAM_DURATION,
	PARAM_ID, /* an integer or a text */
	PARAM_MAP
};

struct param {
	const char *name; /* NULL ends */
	enum param_type type;
	bool required;
};

struct method {
	const char *name;
	bool writes; /* needs allow_write */
	bool judged; /* its answer says what it is worth */
	const struct param *params;
	/* Answers, fails, or keeps the request for later (exactly one request_answer or request_error follows). */
	void (*call)(struct request *r);
};

extern const struct method methods[]; /* ended by a name of NULL */

/* Finds the method, checks rights and parameters, and calls it: what sessions do with a request. */
void method_dispatch(struct request *r, bool may_read, bool may_write);

void method_hello(struct request *r);
void method_status(struct request *r);
void method_resources(struct request *r);
void method_freshness(struct request *r);
void method_coverage(struct request *r);
void method_query(struct request *r);
void method_aggregate(struct request *r);
void method_get(struct request *r);
void method_thread(struct request *r);
void method_changes(struct request *r);
void method_cancel(struct request *r);
void method_sync(struct request *r);
void method_runs(struct request *r);
void method_verify(struct request *r);
void method_prune(struct request *r);
void method_forget(struct request *r);
void method_dead(struct request *r);
void method_dead_retry(struct request *r);
void method_dead_drop(struct request *r);
void method_alerts(struct request *r);
void method_alerts_test(struct request *r);
void method_edit(struct request *r);
void method_edits(struct request *r);
void method_edit_resolve(struct request *r);
void method_reload(struct request *r);
void method_config(struct request *r);
void method_live(struct request *r);

/* An edit of the source has come into another state (`ctx` is the source): who waits for it is told. */
void edit_changed(void *ctx, const struct edit *e);
void edits_close(struct source *s); /* nobody waits any more */

/* The source has committed: whoever follows its changes is to look. */
void changes_committed(struct source *s);

#endif
