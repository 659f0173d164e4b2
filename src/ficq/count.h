/*
 * count: how many records there are, in all or in groups.
 */
#ifndef FIC_FICQ_COUNT_H
#define FIC_FICQ_COUNT_H

#include "app.h"

int count_records(struct app *a);

#endif
