/*
 * prepare_merge: the part of a merge that is no commit yet, and how it becomes part of one.
 *
 *   CHOOSE (which files) -> MERGE (the rows of the next segment) -> WRITE (it) -> MERGE .. -> REBASE
 *
 * Until then nothing is changed but for new files that no manifest names, so that transactions commit
 * meanwhile. They leave the sources where they are and kill rows in them; REPLACE kills those in the
 * new segments, too. When a source is gone all the same (damage, retention), the merge is given up.
 */
#include "lookup.h"
#include "prepare.h"

/* Rows looked up, and bits looked at, in one step: some tenths of a millisecond. */
#define STEP_LOOKUPS 64u
#define STEP_BITS    32768u

static int stale(struct prepared *p)
{
	return why_set(&p->why, ERR_CANCELED, "the segments of %s changed", p->compact);
}

/* Of records that move about half as much comes for their indexes, and their frames may have to wait in
 * a file of their own. */
static uint64_t choice_cost(const struct choice *c)
{
	return c->bytes * 5 / 2;
}

int prepare_choose(struct prepared *p)
{
	struct store *s = p->s;
	struct state_resource *from = state_find(s->state, p->compact);

	if (!from || choice_make(s, from, &p->choice))
		return from ? prepare_nomem(p) : stale(p);
	from->refs++;
	p->from = from;
	p->commits = s->commits;
	if (p->choice.count == 0)
		return stale(p);
	int rc = prepare_room(p, choice_cost(&p->choice));
	if (rc)
		return rc;
	p->moved = resource_new(from->name);
	if (!p->moved)
		return prepare_nomem(p);
	for (uint32_t i = 0; i < p->choice.count; i++)
		p->choice.segments[i]->merging = true;
	p->merging = true;
	p->stage = PREPARE_MERGE;
	return merge_init(&p->merge, s, from, &p->choice, from->dictionary, &p->why);
}

static struct state_segment *entry_of(const struct state_resource *r, const struct segment *g)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->segments[i].segment == g)
			return &r->segments[i];
	return NULL;
}

static const struct choice *choice_of(const struct prepared *p)
{
	return p->merging ? &p->merge.choice : &p->choice;
}

bool prepare_holds(struct prepared *p)
{
	const struct choice *c = choice_of(p);

	if (!p->from || p->commits == p->s->commits)
		return true;
	const struct state_resource *now = state_find(p->s->state, p->from->name);
	if (!now || now->dictionary != p->from->dictionary)
		return false;
	for (uint32_t i = 0; i < c->count; i++)
		if (!entry_of(now, c->segments[i]))
			return false;
	p->commits = p->s->commits;
	return true;
}

/* All rows are in new segments: from here on it is a commit like any other. */
static int merge_over(struct prepared *p)
{
	p->choice = p->merge.choice;
	p->merge.choice = (struct choice){0};
	merge_release(&p->merge);
	p->merging = false;
	p->stage = PREPARE_REBASE;
	return 0;
}

int prepare_merge(struct prepared *p)
{
	struct merge *m = &p->merge;

	if (m->full)
		merge_next(m);
	int rc = merge_step(m);
	if (rc < 0)
		return why_set(&p->why, rc, "cannot merge the segments of %s: %s", p->compact,
			       rc == ERR_NOSPACE ? "the disk is full" : err_name(rc));
	if (rc == 1)
		return 0;
	if (m->count == 0)
		return merge_over(p);
	m->full = true; /* the rows go before the next ones come */
	p->plan = (struct segment_plan){.resource = p->from->name,
					.window_ms = p->s->window_ms,
					.schema = m->extract.schema,
					.sources = m->index,
					.sources_count = m->index_count,
					.pages = p->s->pages};
	p->meta = (struct segment_meta){
		.number = p->s->next_file++, .dictionary = m->dictionary, .cold = m->choice.cold};
	return prepare_segment(p, p->from->name, NULL, m->count);
}

/* ---- in the place of the sources ---- */

/* A row that was replaced in its source after the merge began. */
static int kill_moved(struct prepared *p, struct segment *g, uint32_t ordinal)
{
	struct store *s = p->s;
	uint8_t room[RECORD_ID_MAX];
	struct found found;
	struct row row;
	uint32_t hint = 0;
	int rc = segment_row(g, s->pages, ordinal, &hint, &row);

	if (!rc)
		rc = segment_frame(g, s->pages, &row, &s->frame);
	if (rc)
		return rc;
	struct bytes id = frame_id(buf_bytes(&s->frame));
	memcpy(room, id.data, id.len);
	id.data = room;
	for (size_t i = 0; i < p->moved->count; i++) {
		struct state_segment *e = &p->moved->segments[i];
		rc = lookup_in(s, e, id, row.id_hash, &found);
		if (rc == 1 && entry_own_dead(e))
			return ERR_NOMEM;
		if (rc == 1)
			entry_kill(e, found.ordinal, found.row.flags);
		if (rc)
			return rc < 0 ? rc : 0;
	}
	return segment_note(g, ERR_CORRUPT); /* each row that lived was moved */
}

/* From p->at on, those that died in the source since. 1: there are more. */
static int kill_some(struct prepared *p, struct segment *g)
{
	const struct dead *was = entry_of(p->from, g)->dead, *is = entry_of(p->r, g)->dead;
	uint32_t lookups = 0, bits = 0;

	for (; is != was && p->at < g->meta.records; p->at++, bits++) {
		uint32_t i = (uint32_t)p->at;
		if (lookups == STEP_LOOKUPS || bits == STEP_BITS)
			return 1;
		if (!dead_has(is, i) || dead_has(was, i))
			continue;
		int rc = kill_moved(p, g, i);
		if (rc)
			return rc;
		lookups++;
	}
	return 0;
}

static void drop_source(struct prepared *p, const struct segment *g)
{
	size_t at = (size_t)(entry_of(p->r, g) - p->r->segments);

	resource_drop_segment(p->r, at, store_segment_end, p->s);
}

int prepare_replace(struct prepared *p)
{
	if (p->segment < p->choice.count) {
		int rc = kill_some(p, p->choice.segments[p->segment]);
		if (rc < 0)
			return why_set(&p->why, rc, "cannot read the segments of %s: %s",
				       p->r->name, err_name(rc));
		if (rc == 0) {
			p->segment++;
			p->at = 0;
		}
		return 1;
	}
	for (uint32_t k = 0; k < p->choice.count; k++)
		drop_source(p, p->choice.segments[k]);
	for (size_t i = 0; i < p->moved->count; i++) {
		const struct state_segment *e = &p->moved->segments[i];
		if (resource_add_segment(p->r, *e))
			return prepare_nomem(p);
		e->segment->refs++;
		if (e->dead)
			e->dead->refs++;
	}
	return 0;
}

void prepare_merge_release(struct prepared *p)
{
	const struct choice *c = choice_of(p);

	for (uint32_t i = 0; p->from && i < c->count; i++)
		c->segments[i]->merging = false;
	merge_release(&p->merge);
	choice_release(&p->choice);
	resource_unref(p->moved, store_segment_end, p->s);
	resource_unref(p->from, store_segment_end, p->s);
}
