/*
 * place: where somebody is in the changes: a revision, or where several sources are asked one of each, "acme:12,front:33".
 */
#ifndef FIC_FICQ_PLACE_H
#define FIC_FICQ_PLACE_H

#include "app.h"

/* As an option gives it: 0, or an exit code; empty when it is not given. Borrowed. */
int place_of_option(struct app *a, enum option option, struct bytes *out);
/* As a parameter; an empty one is left out. */
void place_put(struct params *p, const char *key, struct bytes place);
/* Out of an answer, into a buffer that is emptied first; false when there is none. */
bool place_take(struct bytes answer, const char *key, struct buf *out);
/* Where a page leads to, becomes where this row of it leads to. */
void place_end_with(struct buf *place, struct bytes row);

#endif
