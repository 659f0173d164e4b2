/*
 * care: the commands that look after what is stored: verify, prune.
 */
#ifndef FIC_FICQ_CARE_H
#define FIC_FICQ_CARE_H

#include "app.h"

int care_verify(struct app *a);
int care_prune(struct app *a);

#endif
