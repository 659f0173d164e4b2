/*
 * lead: by how much records may be older than their parents. A mark of the store says it for each resource whose records have parents, so that
 * it is as durable as the records it speaks of. It only grows.
 */
#ifndef FIC_STORE_LEAD_H
#define FIC_STORE_LEAD_H

#include "inside.h"

/* A record is about to be put in place of a held one (NULL: of none): what that means for its own lead, and its children's. *orphan_out: its parent is not
 * held yet. 0 or an error. */
int lead_note(struct txn *t, struct txn_part *part, const struct record *r, const struct row *held,
	      bool *orphan_out);

/* All is put: orphans whose parents came later are none; what has changed becomes a mark. 0 or an error. */
int lead_settle(struct txn *t);

/* Looks at some hundred records of a resource that has no mark. True: there is more to do. */
bool lead_survey(struct store *s);
void lead_survey_end(struct store *s);

#endif
