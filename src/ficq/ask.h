/*
 * ask: the commands that read records and runs: query, count, get, runs, dead letters.
 */
#ifndef FIC_FICQ_ASK_H
#define FIC_FICQ_ASK_H

#include "app.h"

int ask_query(struct app *a);
int ask_search(struct app *a);
int ask_count(struct app *a);
int ask_get(struct app *a);
int ask_runs(struct app *a);
int ask_dead(struct app *a);

/* An answer that is an absence: says why there is no record. EXIT_NO. */
int ask_absent(struct app *a, const char *resource, const char *id, struct bytes absence);

#endif
