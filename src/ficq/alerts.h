/*
 * alerts: the command about what alerts have raised, and whether their notices arrive.
 */
#ifndef FIC_FICQ_ALERTS_H
#define FIC_FICQ_ALERTS_H

#include "app.h"

int alerts_command(struct app *a);

#endif
