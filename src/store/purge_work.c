/* purge_work: the store does what a purge is about, beside everything else: see purge.h. */
#include "frames.h"
#include "purge.h"
#include "renew.h"
#include "repair.h"

/* ---- going on ---- */

/* A dictionary that is to go, and an open transaction that packs with it: it is asked for again when that is over. */
static bool held_by_transaction(const struct store *s, const char *resource, uint64_t before)
{
	for (const struct txn_part *part = s->txn ? s->txn->parts : NULL; part; part = part->next)
		if (strcmp(part->name, resource) == 0 && part->dictionary && part->dictionary < before)
			return true;
	return false;
}

enum left { LEFT_NOTHING, LEFT_FILES, LEFT_WAITS };

/* What lies in memory, or has no row that lives, the settling commit takes care of. */
static enum left what_is_left(const struct store *s, const struct state_resource *r,
			      const struct purge *p)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct state_segment *e = &r->segments[i];
		if (e->segment->damaged)
			return LEFT_WAITS;
		if (purge_needs(p, e) && segment_live(e) && !segment_in_memory(e->segment))
			return LEFT_FILES;
	}
	return held_by_transaction(s, r->name, p->dictionary) ? LEFT_WAITS : LEFT_NOTHING;
}

static bool is_clean(const struct state_resource *r, const struct purge *p)
{
	for (size_t i = 0; i < r->count; i++)
		if (purge_needs(p, &r->segments[i]))
			return false;
	for (size_t i = 0; i < r->dictionaries_count; i++)
		if (r->dictionaries[i].number < p->dictionary)
			return false;
	return true;
}

static int note_settled(struct txn *t, const char *resource, const void *arg)
{
	struct purge p = *(const struct purge *)arg;

	p.settled = true;
	return purge_mark(t, resource, &p);
}

static int note_over(struct txn *t, const char *resource, const void *arg)
{
	(void)arg;
	return purge_mark(t, resource, NULL);
}

static int note_scrub(struct txn *t, const char *resource, const void *arg)
{
	(void)arg;
	return purge_scrub(t, resource);
}

/* Another dictionary, trained from what lives; none, where that is too little. True: there is more to do. */
static bool replace_dictionary(struct store *s, const char *resource)
{
	bool made = false;

	if (s->renewal && !renewal_insists(s->renewal, resource)) {
		renewal_free(s->renewal);
		s->renewal = NULL;
	}
	if ((s->renewal || renew_insist(s, resource)) && renew_step(s, &made) == 1)
		return true;
	int rc = commit_dictionary(s, resource,
				   made ? renewal_dictionary(s->renewal) : bytes_of(NULL, 0));
	renewal_free(s->renewal);
	s->renewal = NULL;
	return rc == 0;
}

static bool go_on(struct store *s, const char *resource, struct purge p)
{
	struct state_resource *r = state_find(s->state, resource);
	if (r && r->dictionary && r->dictionary < p.dictionary)
		return replace_dictionary(s, resource);
	enum left left = r ? what_is_left(s, r, &p) : LEFT_NOTHING;
	if (left != LEFT_NOTHING)
		return false;
	frames_clear(s->frames);
	if (p.settled && (!r || is_clean(r, &p)))
		return commit_settle(s, resource, note_over, NULL) == 0;
	repair_sweep_bad(s);
	return commit_settle(s, resource, note_settled, &p) == 0;
}

bool purge_begin(struct store *s)
{
	char resource[SEGMENT_NAME_SIZE];
	size_t at = 0;

	/* A transaction that is open may have put what is excluded only since. */
	if (!s->txn && exclude_differs(s, resource) &&
	    commit_settle(s, resource, exclude_note, NULL) == 0)
		return true;
	if (s->scrub_wanted) {
		s->scrub_wanted = purge_next(s->state, SCRUB_MARK, &at, resource);
		if (s->scrub_wanted && commit_settle(s, resource, note_scrub, NULL) == 0)
			return true;
		at = 0;
	}
	while (purge_next(s->state, PURGE_MARK, &at, resource))
		if (go_on(s, resource, purge_of(s->state, resource)))
			return true;
	return false;
}

void store_scrub(struct store *s)
{
	s->scrub_wanted = true;
	s->upkeep_failed = false;
	store_wake(s);
}
