/*
 * snapshot: a reference to one state, and what can be said about it without a scan. Reading never
 * changes a state; a damaged page only marks its segment, for the next commit.
 */
#include "lookup.h"
#include "repair.h"
#include "view.h"

#include <stdlib.h>

struct snapshot *snapshot_new(struct store *s)
{
	struct snapshot *v = calloc(1, sizeof *v);

	if (!v)
		return NULL;
	v->store = s;
	v->state = s->state;
	v->state->refs++;
	coverage_init(&v->nothing);
	s->snapshots++;
	return v;
}

/* The resource without its damaged segments. A reference; NULL: no memory. */
static struct state_resource *sound_resource(struct store *s, const struct state_resource *r)
{
	struct state_resource *sound = resource_clone(r);

	for (size_t i = sound ? sound->count : 0; sound && i-- > 0;) {
		const struct segment *g = sound->segments[i].segment;
		if (!g->damaged)
			continue;
		if (repair_withdraw(&g->meta, &sound->coverage, &sound->damaged)) {
			resource_unref(sound, store_segment_end, s);
			return NULL;
		}
		resource_drop_segment(sound, i, store_segment_end, s);
	}
	return sound;
}

static int make_sound(struct snapshot *v)
{
	struct state *sound = state_clone(v->state);

	if (!sound)
		return ERR_NOMEM;
	state_unref(v->state, store_segment_end, v->store);
	v->state = sound;
	for (size_t i = 0; i < sound->resources_count; i++) {
		struct state_resource *r = sound_resource(v->store, sound->resources[i]);
		if (!r || state_set(sound, r, store_segment_end, v->store)) {
			if (r)
				resource_unref(r, store_segment_end, v->store);
			return ERR_NOMEM;
		}
	}
	return 0;
}

struct snapshot *snapshot_sound(struct store *s)
{
	struct snapshot *v = snapshot_new(s);

	if (v && make_sound(v)) {
		snapshot_free(v);
		return NULL;
	}
	return v;
}

void snapshot_free(struct snapshot *v)
{
	if (!v)
		return;
	v->store->snapshots--;
	state_unref(v->state, store_segment_end, v->store);
	coverage_release(&v->nothing);
	free(v);
}

uint64_t snapshot_revision(const struct snapshot *v)
{
	return v->state->revision;
}

const struct coverage *snapshot_coverage(const struct snapshot *v, const char *resource)
{
	const struct state_resource *r = state_find(v->state, resource);

	return r ? &r->coverage : &v->nothing;
}

uint64_t snapshot_version(const struct snapshot *v, const char *resource)
{
	const struct state_resource *r = state_find(v->state, resource);

	return r ? r->version : 0;
}

uint64_t snapshot_count(const struct snapshot *v, const char *resource)
{
	const struct state_resource *r = state_find(v->state, resource);
	uint64_t n = 0;

	for (size_t i = 0; r && i < r->count; i++)
		n += segment_live(&r->segments[i]) - r->segments[i].tombstones;
	return n;
}

struct bytes snapshot_mark(const struct snapshot *v, const char *key)
{
	const struct mark *m = state_find_mark(v->state, bytes_str(key));

	return m ? mark_value(m) : (struct bytes){NULL, 0};
}

/* ---- counts by span ---- */

/* The first row from `at` on, in steps of one, that lives, is no tombstone and has a time. What
 * cannot be read ends the search: the answer then is what the manifest says of the segment, which
 * is never too small. */
static bool edge(struct store *s, const struct state_segment *e, bool last, int64_t *time_out)
{
	uint32_t n = e->segment->meta.records, hint = 0;
	struct row row;

	for (uint32_t i = e->segment->meta.untimed; i < n; i++) {
		uint32_t at = last ? n - 1 - (i - e->segment->meta.untimed) : i;
		if (dead_has(e->dead, at))
			continue;
		if (segment_row(e->segment, s->pages, at, &hint, &row)) {
			const struct range *r = &e->segment->meta.ranges[RANGE_CREATED];
			*time_out = last ? r->max : r->min;
			return true;
		}
		if (row.flags & RECORD_DELETED)
			continue;
		*time_out = row.created_ms;
		return true;
	}
	return false;
}

bool snapshot_extent(const struct snapshot *v, const char *resource, int64_t *first_ms_out,
		     int64_t *last_ms_out)
{
	const struct state_resource *r = state_find(v->state, resource);
	int64_t first = TIME_MAX, last = TIME_NONE, t;

	for (size_t i = 0; r && i < r->count; i++) {
		const struct state_segment *e = &r->segments[i];
		const struct range *range = &e->segment->meta.ranges[RANGE_CREATED];
		if (e->segment->meta.untimed == e->segment->meta.records)
			continue;
		if (range->min < first && edge(v->store, e, false, &t) && t < first)
			first = t;
		if (range->max > last && edge(v->store, e, true, &t) && t > last)
			last = t;
	}
	if (last == TIME_NONE)
		return false;
	*first_ms_out = first;
	*last_ms_out = last;
	return true;
}

static uint64_t truncated_in(struct store *s, const struct state_segment *e, int64_t start_ms,
			     int64_t end_ms)
{
	uint32_t hint = 0, row_hint = 0, ordinal;
	struct segment *g = e->segment;
	struct row row;
	uint64_t n = 0;

	if (segment_load(g, s->pages))
		return e->truncated;
	for (uint32_t i = 0; i < g->sections[SECTION_TRUNCATED].elements; i++) {
		if (segment_truncated(g, s->pages, i, &hint, &ordinal))
			return e->truncated;
		if (dead_has(e->dead, ordinal))
			continue;
		if (segment_row(g, s->pages, ordinal, &row_hint, &row))
			return e->truncated;
		if (row.created_ms >= end_ms) /* the ordinals ascend, and so do the times */
			break;
		n += row.created_ms >= start_ms && row.created_ms < end_ms &&
		     row.created_ms != TIME_NONE;
	}
	return n;
}

uint64_t snapshot_truncated(const struct snapshot *v, const char *resource, int64_t start_ms,
			    int64_t end_ms)
{
	const struct state_resource *r = state_find(v->state, resource);
	uint64_t n = 0;

	for (size_t i = 0; r && i < r->count; i++) {
		const struct state_segment *e = &r->segments[i];
		const struct range *range = &e->segment->meta.ranges[RANGE_CREATED];
		if (e->truncated && range->min < end_ms && range->max >= start_ms)
			n += truncated_in(v->store, e, start_ms, end_ms);
	}
	return n;
}

unsigned snapshot_quarantined(const struct snapshot *v, const char *resource, int64_t start_ms,
			      int64_t end_ms)
{
	const struct state_resource *r = state_find(v->state, resource);
	unsigned n = 0;

	for (size_t i = 0; r && i < r->damaged.count; i++)
		n += r->damaged.items[i].start_ms < end_ms && r->damaged.items[i].end_ms > start_ms;
	return n;
}

/* ---- by id ---- */

int snapshot_get(struct snapshot *v, const char *resource, struct bytes id, struct buf *memory,
		 struct record *out)
{
	struct store *s = v->store;
	struct found f;

	buf_reset(memory);
	int rc = lookup(s, state_find(v->state, resource), id, false, &f);
	if (rc != 1)
		return rc;
	return lookup_record(s, f.entry->segment, &f.row, buf_bytes(&s->frame), memory, out);
}

int snapshot_peek(struct snapshot *v, const char *resource, struct bytes id, struct record *out)
{
	struct found f;
	int rc = lookup(v->store, state_find(v->state, resource), id, false, &f);

	if (rc != 1)
		return rc;
	*out = (struct record){.id = id,
			       .created_ms = f.row.created_ms,
			       .updated_ms = f.row.updated_ms,
			       .seen_ms = f.row.seen_ms,
			       .revision = f.row.revision,
			       .flags = f.row.flags};
	return 1;
}
