/*
 * retain: what lies before a moment ends, parents with their children. Works on the clones of the two resources that a commit makes, in slices, the parents
 * first.
 *
 * A parent goes when it was created and last updated before the moment and none of its children is from then on or later; with it go all its
 * children, whatever their times, and nobody else's. So what coverage still claims of either resource (creation from the moment on) stays whole, and so does
 * every parent that stays. What cannot be read keeps its parent: it is quarantined first.
 */
#include "retain.h"

#include <stdlib.h>

/* Taken in one step: some tenths of a millisecond. */
#define STEP_ROWS  1024u
#define STEP_SEEKS 48u

static uint64_t child_key(uint64_t id_hash)
{
	return id_hash ? id_hash : 1; /* as row_parent_hash */
}

/* Whether a live child of this segment is from the moment on or later: 1, 0 or an error. */
static int segment_newer(struct prepared *p, const struct state_segment *e, uint64_t parent_hash,
			 int64_t before_ms)
{
	struct segment *g = e->segment;
	uint32_t at, hint = 0;
	struct child child;
	int rc = segment_load(g, p->s->pages);

	if (!rc)
		rc = segment_seek_child(g, p->s->pages, parent_hash, before_ms, 0, &at);
	for (; !rc && at < g->sections[SECTION_PARENTS].elements; at++) {
		rc = segment_child(g, p->s->pages, at, &hint, &child);
		if (rc || child.parent_hash != parent_hash)
			break;
		if (!dead_has(e->dead, child.ordinal))
			return 1;
	}
	return rc;
}

static int children_newer(struct prepared *p, uint64_t parent_hash, int64_t before_ms, unsigned *seeks)
{
	const struct state_resource *r = state_find(p->s->state, p->part->retain_other);

	for (size_t i = 0; r && i < r->count; i++) {
		const struct range *created = &r->segments[i].segment->meta.ranges[RANGE_CREATED];
		if (created->max == TIME_NONE || created->max < before_ms)
			continue;
		++*seeks;
		int rc = segment_newer(p, &r->segments[i], parent_hash, before_ms);
		if (rc)
			return rc == ERR_CORRUPT ? 1 : rc;
	}
	return 0;
}

static int note_gone(struct prepared *p, uint64_t parent_hash)
{
	if (p->gone_count == p->gone_cap) {
		size_t cap = p->gone_cap ? p->gone_cap * 2 : 256;
		uint64_t *grown = realloc(p->gone, cap * sizeof *grown);
		if (!grown)
			return prepare_nomem(p);
		p->gone = grown;
		p->gone_cap = cap;
	}
	p->gone[p->gone_count++] = parent_hash;
	p->s->retained++;
	return 0;
}

static int cannot_read(struct prepared *p, int rc)
{
	return why_set(&p->why, rc, "cannot read the segments of %s: %s", p->part->name, err_name(rc));
}

/* One row of the parents. 1: it was looked at, 0: the rest of the segment is from later, or cannot be read. */
static int take_parent(struct prepared *p, struct state_segment *e, uint32_t *hint, unsigned *seeks)
{
	int64_t before_ms = p->part->retain_ms;
	struct row row;
	int rc = segment_row(e->segment, p->s->pages, (uint32_t)p->at, hint, &row);

	if (rc)
		return rc == ERR_CORRUPT ? 0 : cannot_read(p, rc);
	if (row.created_ms >= before_ms)
		return 0;
	if (dead_has(e->dead, (uint32_t)p->at) ||
	    (row.updated_ms != TIME_NONE && row.updated_ms >= before_ms))
		return 1;
	rc = children_newer(p, child_key(row.id_hash), before_ms, seeks);
	if (rc)
		return rc == 1 ? 1 : cannot_read(p, rc);
	if (entry_own_dead(e))
		return prepare_nomem(p);
	entry_kill(e, (uint32_t)p->at, row.flags);
	rc = note_gone(p, child_key(row.id_hash));
	return rc ? rc : 1;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* 1: there is more, 0: done, or an error. */
static int parents_step(struct prepared *p)
{
	unsigned rows = 0, seeks = 0;
	uint32_t hint = 0;

	while (p->segment < p->r->count && p->gone_count < STORE_RETAIN_MAX) {
		struct state_segment *e = &p->r->segments[p->segment];
		const struct segment_meta *m = &e->segment->meta;
		int rc = 0;
		if (p->at < m->untimed)
			p->at = m->untimed;
		if (p->at < m->records && m->ranges[RANGE_CREATED].min < p->part->retain_ms)
			rc = take_parent(p, e, &hint, &seeks);
		if (rc < 0)
			return rc;
		p->at++;
		if (rc == 0) {
			p->segment++;
			p->at = 0;
			hint = 0;
		}
		if (++rows > STEP_ROWS || seeks > STEP_SEEKS)
			return 1;
	}
	if (p->gone_count)
		qsort(p->gone, p->gone_count, sizeof *p->gone, by_value);
	return 0;
}

/* The children of one parent in one segment. */
static int take_children(struct prepared *p, struct state_segment *e, uint64_t parent_hash)
{
	struct segment *g = e->segment;
	uint32_t at, hint = 0, row_hint = 0;
	struct child child;
	struct row row;
	int rc = segment_load(g, p->s->pages);

	if (!rc)
		rc = segment_seek_child(g, p->s->pages, parent_hash, INT64_MIN, 0, &at);
	for (; !rc && at < g->sections[SECTION_PARENTS].elements; at++) {
		rc = segment_child(g, p->s->pages, at, &hint, &child);
		if (rc || child.parent_hash != parent_hash)
			break;
		if (dead_has(e->dead, child.ordinal))
			continue;
		rc = segment_row(g, p->s->pages, child.ordinal, &row_hint, &row);
		if (rc)
			break;
		if (entry_own_dead(e))
			return prepare_nomem(p);
		entry_kill(e, child.ordinal, row.flags);
	}
	return rc < 0 && rc != ERR_CORRUPT ? cannot_read(p, rc) : rc;
}

static int children_step(struct prepared *p)
{
	for (unsigned seeks = 0; p->segment < p->r->count; seeks++) {
		struct state_segment *e = &p->r->segments[p->segment];
		const struct segment_meta *m = &e->segment->meta;
		bool some = m->untimed || m->ranges[RANGE_CREATED].min < p->part->retain_ms;
		if (seeks == STEP_SEEKS)
			return 1;
		int rc = some && p->at < p->gone_count ? take_children(p, e, p->gone[p->at]) : 0;
		if (rc < 0 && rc != ERR_CORRUPT)
			return rc;
		p->at++;
		if (!some || rc || p->at >= p->gone_count) {
			p->segment++;
			p->at = 0;
		}
	}
	return 0;
}

int retain_step(struct prepared *p)
{
	return p->part->retain_how == RETAIN_PARENTS ? parents_step(p) : children_step(p);
}
