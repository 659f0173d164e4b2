/*
 * watch: a question's table, drawn again whenever something changes; without a terminal a stream of changes.
 */
#ifndef FIC_FICQ_WATCH_H
#define FIC_FICQ_WATCH_H

#include "app.h"

int watch_command(struct app *a);

#endif
