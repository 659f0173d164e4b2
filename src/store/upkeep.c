/*
 * upkeep: what a store does by itself, beside the transactions: damaged segments are quarantined,
 * what is in memory is flushed, files are merged. One commit of its own at a time, through the
 * manifest like any other; a transaction may be opened and filled meanwhile, and its commit waits.
 *
 * A quarantine takes coverage away, so it begins only while no transaction is open: one that is was
 * begun without knowing of it, and its own commit quarantines.
 */
#include "fold.h"
#include "resident.h"

static bool any_damage(const struct store *s)
{
	for (size_t i = 0; i < s->state->resources_count; i++) {
		const struct state_resource *r = s->state->resources[i];
		for (size_t j = 0; j < r->count; j++)
			if (r->segments[j].segment->damaged)
				return true;
	}
	return false;
}

static const char *compactable(struct store *s)
{
	for (size_t i = 0; i < s->state->resources_count; i++)
		if (fold_compacts(s, s->state->resources[i]))
			return s->state->resources[i]->name;
	return NULL;
}

/* Begins what is most needed; false: nothing is. */
static bool upkeep_begin(struct store *s)
{
	if (s->upkeep_failed)
		return false;
	bool damage = any_damage(s) || s->dirty;
	if (damage && s->txn)
		return false;
	bool flush = s->flush_wanted;
	s->flush_wanted = false;
	const char *compact = damage || !s->compact_wanted ? NULL : compactable(s);
	if (!damage && !compact)
		s->compact_wanted = false;
	return (damage || flush || compact) && commit_upkeep(s, compact, damage) == 0;
}

bool store_work(struct store *s)
{
	/* After a commit that ended at once there may be upkeep. */
	if (s->commit)
		return commit_step(s->commit) || s->commit || !s->committing;
	return !s->committing && (upkeep_begin(s) || resident_step(s));
}

void store_flush(struct store *s)
{
	struct store_stats stats;

	store_stats(s, &stats);
	s->upkeep_failed = false;
	if (stats.memory_bytes == 0)
		return;
	s->flush_wanted = true;
	store_wake(s);
}
