/*
 * edit: the commands that change records, and decide about what came of it.
 */
#ifndef FIC_FICQ_EDIT_H
#define FIC_FICQ_EDIT_H

#include "app.h"

int edit_command(struct app *a);
int edit_resolve(struct app *a);

#endif
