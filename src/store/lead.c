/*
 * lead: what a search needs to know before it may stop: whoever goes through children from the newest on has seen all that belong to a parent as
 * soon as they are older than the parent by more than this.
 *
 * A provider's children are never older than their parents, so the bound is 0 nearly always. What cannot be bounded (a child whose parent is not
 * held, a parent that becomes younger) takes the mark away; then a search looks at all children, until upkeep has looked at all that there are.
 */
#include "lead.h"
#include "lookup.h"
#include "view.h"

#include <stdio.h>

#define LEAD_UNKNOWN INT64_MAX
#define KEY_SIZE     (SEGMENT_NAME_SIZE + 8)

static struct bytes mark_name(const struct schema *schema, char out[KEY_SIZE])
{
	snprintf(out, KEY_SIZE, "lead:%s", schema->resource);
	return bytes_str(out);
}

static const struct mark *mark_of(const struct state *t, const struct schema *schema)
{
	char key[KEY_SIZE];
	const struct mark *m = state_find_mark(t, mark_name(schema, key));

	return m && m->value_len == 8 ? m : NULL;
}

static int64_t mark_lead(const struct mark *m)
{
	return (int64_t)le64(mark_value(m).data);
}

/* LEAD_UNKNOWN: nobody knows, or not yet. */
static int64_t lead_of(const struct store *s, const struct state *t, const struct schema *schema)
{
	const struct store_lead *l = &s->leads[schema - s->schemas.all];
	const struct mark *m = mark_of(t, schema);
	const struct state_resource *r = state_find(t, schema->resource);

	if (m)
		return mark_lead(m);
	if (!r || r->count == 0)
		return 0;
	return l->known ? l->lead : LEAD_UNKNOWN;
}

bool snapshot_lead(const struct snapshot *v, const char *resource, int64_t *lead_ms_out)
{
	const struct schema *schema = schema_find(&v->store->schemas, resource);

	if (!schema || !*schema->parent)
		return false;
	int64_t lead_ms = lead_of(v->store, v->state, schema);
	if (lead_ms == LEAD_UNKNOWN)
		return false;
	*lead_ms_out = lead_ms;
	return true;
}

static struct txn_part *part_named(const struct txn *t, const char *resource)
{
	struct txn_part *part = t->parts;

	while (part && strcmp(part->name, resource) != 0)
		part = part->next;
	return part;
}

static void raise_lead(int64_t *lead, int64_t parent_ms, int64_t child_ms)
{
	uint64_t by = (uint64_t)parent_ms - (uint64_t)child_ms;

	if (parent_ms == TIME_NONE || parent_ms <= child_ms)
		return;
	if (child_ms == TIME_NONE || by >= INT64_MAX)
		*lead = LEAD_UNKNOWN;
	else if ((int64_t)by > *lead)
		*lead = (int64_t)by;
}

/* 1: its creation time, 0: not held; or an error. */
static int find_parent(struct txn *t, const struct schema *schema, struct bytes id,
		       int64_t *created_out)
{
	const struct row *own = txn_row_of(part_named(t, schema->parent), id);
	struct found found;

	if (own) {
		*created_out = own->created_ms;
		return 1;
	}
	int rc = lookup_hash(t->store, state_find(t->store->state, schema->parent),
			     row_parent_hash(id), &found);
	if (rc == 1)
		*created_out = found.row.created_ms;
	return rc;
}

static int note_child(struct txn *t, struct txn_part *part, const struct record *r, bool *orphan_out)
{
	int64_t parent_ms;
	int rc = find_parent(t, part->extract.schema, r->parent, &parent_ms);

	*orphan_out = rc == 0;
	if (rc == 1)
		raise_lead(&part->lead, parent_ms, r->created_ms);
	return rc < 0 ? rc : 0;
}

/* Children that are held were compared with what their parent was. */
static int note_parent(struct txn *t, const char *parent, const struct record *r,
		       const struct row *held)
{
	struct txn_part *part;

	if (!held || r->created_ms <= held->created_ms)
		return 0;
	const struct schema *child = schema_child(&t->store->schemas, parent);
	if (!child)
		return 0;
	int rc = txn_part(t, child->resource, &part, NULL);
	if (!rc)
		part->lead = LEAD_UNKNOWN;
	return rc;
}

int lead_note(struct txn *t, struct txn_part *part, const struct record *r, const struct row *held,
	      bool *orphan_out)
{
	const struct schema *own = part->extract.schema;
	int rc = 0;

	*orphan_out = false;
	/* Nobody finds a tombstone. */
	if (own && *own->parent && r->parent.len && !(r->flags & RECORD_DELETED) &&
	    part->lead != LEAD_UNKNOWN)
		rc = note_child(t, part, r, orphan_out);
	return rc ? rc : note_parent(t, part->name, r, held);
}

static void settle_orphans(const struct txn *t, struct txn_part *part)
{
	const struct txn_part *parents = part_named(t, part->extract.schema->parent);

	for (size_t i = 0; i < part->count && part->lead != LEAD_UNKNOWN; i++) {
		const struct txn_row *r = &part->rows[i];
		if (!r->orphan || r->dropped)
			continue;
		const struct row *parent = txn_row_of(parents, txn_row_parent(part, r));
		if (parent)
			raise_lead(&part->lead, parent->created_ms, r->row.created_ms);
		else
			part->lead = LEAD_UNKNOWN;
	}
}

/* Into the mark; while that is missing and not known yet, to what is known so far. */
static int settle(struct txn *t, const struct txn_part *part, const struct schema *schema)
{
	struct store *s = t->store;
	struct store_lead *l = &s->leads[schema - s->schemas.all];
	int64_t held = lead_of(s, s->state, schema);
	const struct mark *m = mark_of(s->state, schema);
	char key[KEY_SIZE];
	uint8_t value[8];

	mark_name(schema, key);
	if (part->lead == LEAD_UNKNOWN) {
		l->known = false;
		l->again = true;
		return m ? txn_mark(t, key, bytes_of(NULL, 0)) : 0;
	}
	if (part->lead > l->lead)
		l->lead = part->lead;
	if (held == LEAD_UNKNOWN || (m && part->lead <= held) ||
	    (!m && part->lead == 0 && part->count == part->dropped))
		return 0;
	put_le64(value, (uint64_t)(part->lead > held ? part->lead : held));
	return txn_mark(t, key, bytes_of(value, sizeof value));
}

int lead_settle(struct txn *t)
{
	int rc = 0;

	for (struct txn_part *part = t->parts; !rc && part; part = part->next) {
		const struct schema *schema = part->extract.schema;
		if (!schema || !*schema->parent)
			continue;
		settle_orphans(t, part);
		rc = settle(t, part, schema);
	}
	return rc;
}

/* ---- what has no mark: it was written before there were any, or something made it unknown ---- */

/* Of a step: about 2 us each. */
#define STEP_CHILDREN 128u

void lead_survey_end(struct store *s)
{
	if (s->survey.state)
		state_unref(s->survey.state, store_segment_end, s);
	s->survey = (struct lead_survey){0};
}

/* What was unknown is in the state, or came to nothing. */
static void survey_again(struct store *s)
{
	for (size_t i = 0; !s->committing && !s->waiting && i < s->schemas.count; i++) {
		if (!s->leads[i].again)
			continue;
		s->leads[i] = (struct store_lead){.known = false};
		lead_survey_end(s);
	}
}

/* Whoever commits from here on says so himself (settle). */
static bool survey_begin(struct store *s)
{
	for (size_t i = 0; i < s->schemas.count; i++) {
		const struct schema *schema = &s->schemas.all[i];
		const struct state_resource *r = state_find(s->state, schema->resource);
		if (!*schema->parent || s->leads[i].known || s->leads[i].again || !r ||
		    r->count == 0 || mark_of(s->state, schema))
			continue;
		s->state->refs++;
		s->survey = (struct lead_survey){.state = s->state, .schema = schema};
		return true;
	}
	return false;
}

/* The first one of a parent is the oldest. 0 or an error. */
static int survey_child(struct store *s, const struct state_segment *e, const struct child *c,
			uint32_t *hint)
{
	const struct state_resource *parents = state_find(s->survey.state, s->survey.schema->parent);
	int64_t *lead = &s->leads[s->survey.schema - s->schemas.all].lead;
	struct found found;
	struct row row;

	if (c->parent_hash == s->survey.parent || dead_has(e->dead, c->ordinal))
		return 0;
	int rc = segment_row(e->segment, s->pages, c->ordinal, hint, &row);
	if (rc || row.flags & RECORD_DELETED)
		return rc;
	s->survey.parent = c->parent_hash;
	rc = lookup_hash(s, parents, c->parent_hash, &found);
	if (rc == 0)
		*lead = LEAD_UNKNOWN;
	if (rc == 1)
		raise_lead(lead, found.row.created_ms, c->created_ms);
	return rc < 0 ? rc : 0;
}

/* 1: there is more in the segment, 0: there is not, or an error. */
static int survey_segment(struct store *s, const struct state_segment *e)
{
	struct segment *g = e->segment;
	uint32_t hint = 0, row_hint = 0;
	struct child c;
	int rc = segment_load(g, s->pages);

	for (uint32_t n = 0; !rc && n < STEP_CHILDREN; n++, s->survey.at++) {
		if (s->survey.at >= g->sections[SECTION_PARENTS].elements)
			return 0;
		rc = segment_child(g, s->pages, s->survey.at, &hint, &c);
		if (!rc)
			rc = survey_child(s, e, &c, &row_hint);
	}
	return rc ? rc : 1;
}

bool lead_survey(struct store *s)
{
	struct lead_survey *v = &s->survey;

	survey_again(s);
	if (!v->state && !survey_begin(s))
		return false;
	const struct state_resource *r = state_find(v->state, v->schema->resource);
	struct store_lead *l = &s->leads[v->schema - s->schemas.all];
	int rc = survey_segment(s, &r->segments[v->segment]);
	/* What cannot be read may belong to anybody. */
	if (rc < 0) {
		store_trouble(s, rc);
		l->lead = LEAD_UNKNOWN;
	}
	if (rc == 0) {
		v->segment++;
		v->at = 0;
		v->parent = 0;
	}
	if (l->lead == LEAD_UNKNOWN || v->segment == r->count) {
		l->known = true;
		lead_survey_end(s);
	}
	return true;
}
