/*
 * sync: the command that makes the daemon fetch, and stays to watch when asked to.
 */
#ifndef FIC_FICQ_SYNC_H
#define FIC_FICQ_SYNC_H

#include "app.h"

int sync_command(struct app *a);

#endif
