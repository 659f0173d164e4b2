/*
 * wait: ficq wait: until the data are fresh, or until syncs are done.
 */
#ifndef FIC_FICQ_WAIT_H
#define FIC_FICQ_WAIT_H

#include "app.h"

int wait_command(struct app *a);

#endif
