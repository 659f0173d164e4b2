/*
 * care: the commands that look after the daemon and what it stores: verify, prune, reload.
 */
#ifndef FIC_FICQ_CARE_H
#define FIC_FICQ_CARE_H

#include "app.h"

int care_verify(struct app *a);
int care_prune(struct app *a);
int care_reload(struct app *a);

#endif
