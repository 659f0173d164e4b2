/*
 * upkeep: what a store does by itself, beside the transactions: damaged segments are quarantined,
 * what is in memory is flushed, files are merged. One commit of its own at a time, through the
 * manifest like any other; a transaction may be opened and filled meanwhile, and its commit waits. Not
 * for a merge: that becomes a commit when its files are written.
 *
 * A quarantine takes coverage away, so it begins only while no transaction is open: one that is was
 * begun without knowing of it, and its own commit quarantines.
 */
#include "choice.h"
#include "columns.h"
#include "lead.h"
#include "purge.h"
#include "renew.h"
#include "vocabulary.h"

/* What a choice has to know of a file is read before, one with each step. */
static bool look(struct store *s)
{
	for (size_t i = 0; i < s->state->resources_count; i++) {
		const struct state_resource *r = s->state->resources[i];
		const struct schema *schema = schema_find(&s->schemas, r->name);
		for (size_t j = 0; j < r->count; j++) {
			struct segment *g = r->segments[j].segment;
			if (g->fields_loaded || g->damaged || segment_in_memory(g))
				continue;
			if (segment_fields(g, s->pages, schema) == 0 || g->damaged)
				return true;
		}
	}
	return false;
}

bool store_damaged(const struct store *s)
{
	return state_damaged(s->state) || s->dirty || s->renew;
}

static bool compactable(struct store *s, const struct state_resource *r)
{
	struct choice c;
	bool some = choice_make(s, r, &c) == 0 && c.count > 0;

	choice_release(&c);
	return some;
}

/* The resource whose files are to be merged next; NULL: none. */
static const char *compact_next(struct store *s)
{
	for (size_t i = 0; i < s->state->resources_count; i++)
		if (compactable(s, s->state->resources[i]))
			return s->state->resources[i]->name;
	s->compact_wanted = false;
	return NULL;
}

/* Only what a trial says: at its end a commit may begin. True: there is more to do. */
static bool renew(struct store *s)
{
	bool better;

	if (!s->renewal && !renew_begin(s))
		return false;
	if (renew_step(s, &better) == 1)
		return true;
	if (better) {
		commit_dictionary(s, renewal_resource(s->renewal), renewal_dictionary(s->renewal));
		renewal_free(s->renewal);
		s->renewal = NULL;
	}
	return true;
}

static void drop_void_trial(struct store *s)
{
	if (s->renewal_void) {
		renewal_free(s->renewal);
		s->renewal = NULL;
	}
	s->renewal_void = false;
}

/* Begins what is most needed; false: nothing is. */
static bool upkeep_begin(struct store *s)
{
	drop_void_trial(s);
	exclude_apply(s);
	if (s->upkeep_failed)
		return false;
	bool damage = store_damaged(s);
	if (damage && s->txn)
		return false;
	if (!damage && purge_begin(s))
		return true;
	bool flush = s->flush_wanted;
	bool compacts = !damage && !flush && !s->merging && s->compact_wanted && s->compact_rests == 0;
	if (compacts && look(s))
		return true;
	s->flush_wanted = false;
	const char *compact = compacts ? compact_next(s) : NULL;
	if (!damage && !flush && !compact)
		return !s->merging && renew(s); /* which changes the dictionary */
	return commit_upkeep(s, compact, damage) == 0;
}

bool store_work(struct store *s)
{
	if (store_discard_step(s))
		return true;
	/* After a commit that ended at once there may be upkeep. */
	if (s->commit)
		return commit_step(s->commit) || s->commit || !s->committing;
	return (!s->committing && upkeep_begin(s)) || commit_merge_step(s) ||
	       (!s->committing && (resident_step(s) || vocabulary_step(s))) || lead_survey(s);
}

void store_rush(struct store *s, bool on)
{
	bool over = s->rush && !on;

	s->rush = on;
	if (!over)
		return;
	s->compact_wanted = true;
	store_wake(s);
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
