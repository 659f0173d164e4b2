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

/* What opens a thread stands in its own record, too. */
static int scrub(struct run *run, const struct resource_type *type)
{
	int rc = txn_scrub(run->txn, type->name);

	return rc || !type->parent ? rc : txn_scrub(run->txn, type->parent);
}

int run_put(struct run *run, const struct resource_type *type, const struct record *record,
	    bool counted, struct why *why)
{
	enum put_outcome outcome;
	int rc = txn_put(run->txn, type->name, record, &outcome, why);

	if (rc == 0 && type == run->resource->child && !(record->flags & RECORD_DELETED) &&
	    hashset_add(&run->placed, bytes_hash(record->id)) < 0)
		rc = why_set(why, ERR_NOMEM, "out of memory");
	/* Upstream it is gone: the old copy must not stay on the disk for as long as its file happens to. */
	if (rc == 0 && (outcome == PUT_DELETED || (outcome == PUT_UPDATED && record_redacted(record))))
		rc = scrub(run, type);
	if (rc == 0 && counted)
		count(run, outcome);
	run->differs |= rc == 0 && outcome != PUT_SAME && outcome != PUT_POORER;
	return rc;
}
