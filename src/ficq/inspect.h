/*
 * inspect: the commands that look at the cache rather than at records.
 */
#ifndef FIC_FICQ_INSPECT_H
#define FIC_FICQ_INSPECT_H

#include "app.h"

int inspect_status(struct app *a);
int inspect_sources(struct app *a);
int inspect_fields(struct app *a);
int inspect_freshness(struct app *a);
int inspect_coverage(struct app *a);
int inspect_thread(struct app *a);
int inspect_wait(struct app *a);

#endif
