/*
 * parents: a record is found when one of its children is. All rows that a match has found mark those whose children they are in the match of these.
 */
#ifndef FIC_STORE_PARENTS_H
#define FIC_STORE_PARENTS_H

#include <store/match.h>

struct parents;

/* Begins. Both matches are complete, of the same snapshot, and outlive it. ERR_NOMEM. */
int parents_new(struct match *own, struct match *children, struct parents **out);
/* What children sure to be found make sure, others possible, if it is not sure already; what is not held, or deleted, stays out. As match_step: 1: there is more, 0: all are
 * marked, or an error. */
int parents_step(struct parents *p, unsigned *cost);
void parents_free(struct parents *p);

#endif
