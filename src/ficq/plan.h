/*
 * plan: ficq plan, and ficq sync --dry-run.
 */
#ifndef FIC_FICQ_PLAN_H
#define FIC_FICQ_PLAN_H

#include "app.h"

int plan_command(struct app *a);

#endif
