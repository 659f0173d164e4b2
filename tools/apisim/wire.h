/* Answers on their way out: headers, compression, spoilt bodies. Between
 * http.c and wire.c only. */
#ifndef APISIM_WIRE_H
#define APISIM_WIRE_H

#include "call.h"
#include "ledger.h"

#include <microhttpd.h>

struct request {
	char *uri;
	struct buf body;
	bool begun;
	struct MHD_Response *answer; /* made, waiting for its time */
	unsigned status;
	bool reset;
	/* What the client learns by the answer, once it is sent. */
	bool tells;
	struct rate_words words;
	uint32_t retry_after_s;
	struct receipt receipt;
	/* Suspended connections, in one list. */
	struct MHD_Connection *connection;
	int64_t due_ms;
	struct request *next;
};

/* Suspends the connection; http.c wakes it when its time has come. */
void request_sleep(struct request *r, struct MHD_Connection *conn, int64_t due_ms);

/* Makes r->answer of what the API said. */
void wire_finish(struct request *r, struct MHD_Connection *conn, struct call *c);
void wire_date(struct MHD_Response *res);
/* Takes the body's memory. */
struct MHD_Response *wire_plain(struct buf *body);

#endif
