/*
 * count: how many records there are, in all or in groups.
 */
#ifndef FIC_FICQ_COUNT_H
#define FIC_FICQ_COUNT_H

#include "app.h"

int count_records(struct app *a);
/* Its groups are in the order of time, the newest last. */
bool count_by_time(const struct app *a);

#endif
