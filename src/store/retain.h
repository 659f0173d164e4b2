/*
 * retain: the rows of a commit that end with what txn_retain_threads says.
 */
#ifndef FIC_STORE_RETAIN_H
#define FIC_STORE_RETAIN_H

#include "prepare.h"

/* A slice for the part at hand, of `r`, from segment and at on: 1: there is more, 0: done, or an error. */
int retain_step(struct prepared *p);

#endif
