/*
 * plan: ficq plan, and ficq sync --dry-run.
 */
#ifndef FIC_FICQ_PLAN_H
#define FIC_FICQ_PLAN_H

#include "app.h"

/* The source and the resources that the arguments name, and --mode, as parameters of the method sync. Connected. */
void plan_targets(struct app *a, struct params *p);
int plan_command(struct app *a);

#endif
