/* run_put: a record into the run's transaction, and into its counts. */
#include "run.h"
#include "sync_state.h"

static void count(struct run *run, enum put_outcome outcome)
{
	struct run_info *i = &run->info;

	i->created += outcome == PUT_CREATED;
	i->updated += outcome == PUT_UPDATED;
	i->deleted += outcome == PUT_DELETED;
	i->unchanged += outcome == PUT_SAME || outcome == PUT_POORER;
}

int run_put(struct run *run, const struct resource_type *type, const struct record *record,
	    bool counted, struct why *why)
{
	enum put_outcome outcome;
	int rc = txn_put(run->txn, type->name, record, &outcome, why);

	if (rc == 0 && type == run->resource->child && !(record->flags & RECORD_DELETED) &&
	    hashset_add(&run->placed, bytes_hash(record->id)) < 0)
		rc = why_set(why, ERR_NOMEM, "out of memory");
	if (rc == 0 && counted)
		count(run, outcome);
	run->differs |= rc == 0 && outcome != PUT_SAME && outcome != PUT_POORER;
	return rc;
}
