/*
 * forget: the command that erases a record from the daemon's disk.
 */
#ifndef FIC_FICQ_FORGET_H
#define FIC_FICQ_FORGET_H

#include "app.h"

int forget_command(struct app *a);

#endif
