/*
 * dead: the command about records that cannot be read: shows them, has them tried again, gives them up.
 */
#ifndef FIC_FICQ_DEAD_H
#define FIC_FICQ_DEAD_H

#include "app.h"

int dead_command(struct app *a);

#endif
