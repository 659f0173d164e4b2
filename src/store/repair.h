/*
 * repair: what happens to knowledge when a segment is damaged.
 */
#ifndef FIC_STORE_REPAIR_H
#define FIC_STORE_REPAIR_H

#include "inside.h"

/* Where the damage of a segment lies. Rows without a time may have been anything that is covered. */
struct interval repair_span(const struct segment_meta *m, const struct coverage *c);
/* Withdraws the segment's span from the coverage and records it as damaged. */
int repair_withdraw(const struct segment_meta *m, struct coverage *coverage,
		    struct intervals *damaged);

/* Puts a segment's file aside as N.seg.bad. Its last reference no longer removes it. */
void repair_set_aside(struct store *s, struct segment *g);

/* At open: quarantines each segment whose file or dictionary is missing or has the wrong size.
 * Changes `t`, which nobody else holds. */
int repair_state(struct store *s, struct state *t, struct why *why);

/* Removes what was set aside: it may hold what is to go from the disk. */
void repair_sweep_bad(struct store *s);

/* At open: removes what no manifest names; `previous`: NULL when there is none. */
void repair_sweep(struct store *s, const struct state *t, const struct state *previous);

#endif
