/*
 * alerts: looks every minute, and after each run, whether what the configuration's alerts are about holds, and has it told. Private to this layer.
 *
 *   runs, states of syncs ─> conditions (model/alert) ─> what is raised (raised.c) ─> notices ─> deliver ─> ways
 */
#ifndef FIC_FICD_ALERTS_INTERNAL_H
#define FIC_FICD_ALERTS_INTERNAL_H

#include "deliver.h"
#include "raised.h"

struct alerts;

/* After the sources were opened. NULL: no memory. */
struct alerts *alerts_new(struct daemon *d);
void alerts_free(struct alerts *a); /* NULL is fine, here and below */
/* The configuration has changed. */
void alerts_configure(struct alerts *a);
void alerts_run_ended(struct alerts *a, const struct source *s, const struct run_info *run);

/* What is raised now (raised_list.items[].state.raised). */
const struct raised_list *alerts_raised(const struct alerts *a);
size_t alerts_raised_count(const struct alerts *a);
/* By the configuration's order; NULL: there is none. */
const struct deliver *alerts_deliver(const struct alerts *a, size_t index);

#endif
