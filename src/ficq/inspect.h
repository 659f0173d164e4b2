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

/* The method's result for a resource (NULL: conversations), with --source, the span and --max-age; 0 or an exit code. */
int inspect_call_freshness(struct app *a, const char *resource, struct bytes *result);

/* Of [{name: A, <inner>: [{…} …]} …] the inner maps as rows, each with `key`: A in front; of the one named `only`, or (NULL) of all. */
int inspect_print_flat(struct app *a, struct bytes outer, const char *inner, const char *key,
		       const char *only, const struct column *list);

#endif
