/* Writes by programs, for the handlers of both APIs: how one is refused, how
 * it comes into effect, and the log of those that were accepted. */
#ifndef APISIM_WRITE_H
#define APISIM_WRITE_H

#include "buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct call;

/* Why a value is not taken. */
struct refusal {
	int status;
	const char *code; /* NULL: the usual one of the status */
	char message[200];
};

/* Always false. */
bool refuse(struct refusal *why, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Answers with the refusal. */
void write_refused(struct call *c, const struct refusal *why);
/* The first thing a handler of a write asks. false: the token may only read,
 * the error is written. */
bool write_allowed(struct call *c);
/* The last thing before anything is changed: all checks are passed. false: the
 * change is made later, by the same handler. */
bool write_now(struct call *c);

/* An accepted write is answered: it goes into the log, and, with a lag, into
 * the queue. */
void write_accepted(struct call *c);
/* Makes the changes whose time has come. */
void writes_due(void);
/* The log from the entry after this one on. */
void writes_print(struct buf *b, uint64_t after);
void writes_release(void);

#endif
