/*
 * groups: counts in groups, with numbers about each.
 */
#ifndef FIC_FICQ_GROUPS_H
#define FIC_FICQ_GROUPS_H

#include "app.h"

int ask_groups(struct app *a);

#endif
