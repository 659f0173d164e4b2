/*
 * sync: the command that makes the daemon fetch, and stays to watch when asked to.
 */
#ifndef FIC_FICQ_SYNC_H
#define FIC_FICQ_SYNC_H

#include "app.h"

int sync_command(struct app *a);

/* A call that takes long, with its progress on standard error. Interrupted (Ctrl-C) it says `left` and ends ficq. 0 and the result (borrowed until the next call), or an
 * exit code. */
int sync_watch_call(struct app *a, const char *method, struct bytes params, const char *left,
		    struct bytes *result);

#endif
