/*
 * plan: ficq plan, and ficq sync --dry-run.
 */
#ifndef FIC_FICQ_PLAN_H
#define FIC_FICQ_PLAN_H

#include "app.h"

/* The source, resources and ids that the arguments name, --mode and the span, as parameters of the method sync. Connected. 0 or an exit code. */
int plan_targets(struct app *a, struct params *p);
int plan_command(struct app *a);

#endif
