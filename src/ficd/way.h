/*
 * way: one attempt to tell people something, by one of the ways that an alert has. Private to this layer.
 */
#ifndef FIC_FICD_WAY_INTERNAL_H
#define FIC_FICD_WAY_INTERNAL_H

#include "daemon.h"
#include "notice.h"

enum way { WAY_SLACK, WAY_EMAIL, WAY_COMMAND, WAYS };

const char *way_name(enum way way); /* "slack" … */
bool way_set(const struct config_alert *a, enum way way);

struct attempt;

/* Borrows the notice until the end. `done` comes exactly once, from the loop, with NULL or with why it failed; the attempt is gone then. NULL and `why`: it could not even
 * begin. */
struct attempt *attempt_start(struct daemon *d, const struct config_alert *a, enum way way,
			      struct notice *n, void (*done)(void *ctx, const char *error),
			      void *ctx, struct why *why);
/* `done` does not come. NULL is fine. */
void attempt_cancel(struct attempt *t);

#endif
