/*
 * lead: what a search needs to know before it may stop: whoever goes through children from the newest on has seen all that belong to a parent as
 * soon as they are older than the parent by more than this.
 *
 * A provider's children are never older than their parents, so the bound is 0 nearly always. What cannot be bounded (a child whose parent is not
 * held, a parent that becomes younger) makes it unknown; then a search looks at all children.
 */
#include "lead.h"
#include "lookup.h"
#include "view.h"

#include <stdio.h>

#define KEY_SIZE (SEGMENT_NAME_SIZE + 8)

static struct bytes mark_name(const struct schema *schema, char out[KEY_SIZE])
{
	snprintf(out, KEY_SIZE, "lead:%s", schema->resource);
	return bytes_str(out);
}

int64_t lead_of(const struct state *t, const struct schema *schema)
{
	char key[KEY_SIZE];
	const struct mark *m = state_find_mark(t, mark_name(schema, key));
	const struct state_resource *r = state_find(t, schema->resource);

	if (m && m->value_len == 8)
		return (int64_t)le64(mark_value(m).data);
	/* What was written without it may be anything. */
	return r && r->count ? LEAD_UNKNOWN : 0;
}

bool snapshot_lead(const struct snapshot *v, const char *resource, int64_t *lead_ms_out)
{
	const struct schema *schema = schema_find(&v->store->schemas, resource);

	if (!schema || !*schema->parent)
		return false;
	int64_t lead_ms = lead_of(v->state, schema);
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

static void raise_lead(struct txn_part *part, int64_t parent_ms, int64_t child_ms)
{
	uint64_t lead = (uint64_t)parent_ms - (uint64_t)child_ms;

	if (parent_ms == TIME_NONE || parent_ms <= child_ms)
		return;
	if (child_ms == TIME_NONE || lead >= INT64_MAX)
		part->lead = LEAD_UNKNOWN;
	else if ((int64_t)lead > part->lead)
		part->lead = (int64_t)lead;
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
		raise_lead(part, parent_ms, r->created_ms);
	return rc < 0 ? rc : 0;
}

/* Children that are held were compared with what their parent was. */
static int note_parent(struct txn *t, const char *child, const struct record *r, const struct row *held)
{
	struct txn_part *part;

	if (!held || r->created_ms <= held->created_ms)
		return 0;
	int rc = txn_part(t, child, &part, NULL);
	if (!rc)
		part->lead = LEAD_UNKNOWN;
	return rc;
}

int lead_note(struct txn *t, struct txn_part *part, const struct record *r, const struct row *held,
	      bool *orphan_out)
{
	const struct schema *own = part->extract.schema,
			    *child = schema_child(&t->store->schemas, part->name);
	int rc = 0;

	*orphan_out = false;
	if (own && *own->parent && r->parent.len && part->lead != LEAD_UNKNOWN)
		rc = note_child(t, part, r, orphan_out);
	return rc || !child ? rc : note_parent(t, child->resource, r, held);
}

static void settle_orphans(const struct txn *t, struct txn_part *part)
{
	const struct txn_part *parents = part_named(t, part->extract.schema->parent);

	for (size_t i = 0; i < part->count && part->lead != LEAD_UNKNOWN; i++) {
		const struct txn_row *r = &part->rows[i];
		if (!r->orphan || r->dropped)
			continue;
		const struct row *parent = txn_row_of(
			parents, bytes_of(part->ids.data + r->id_at + r->id_len, r->parent_len));
		if (parent)
			raise_lead(part, parent->created_ms, r->row.created_ms);
		else
			part->lead = LEAD_UNKNOWN;
	}
}

int lead_settle(struct txn *t)
{
	char key[KEY_SIZE];
	uint8_t value[8];
	int rc = 0;

	for (struct txn_part *part = t->parts; !rc && part; part = part->next) {
		const struct schema *schema = part->extract.schema;
		if (!schema || !*schema->parent)
			continue;
		settle_orphans(t, part);
		/* The first records bring the mark. */
		if (part->lead == lead_of(t->store->state, schema) &&
		    (part->count == part->dropped || part->lead == LEAD_UNKNOWN ||
		     state_find_mark(t->store->state, mark_name(schema, key))))
			continue;
		put_le64(value, (uint64_t)part->lead);
		mark_name(schema, key);
		rc = txn_mark(t, key, bytes_of(value, sizeof value));
	}
	return rc;
}
