/* lookup: keys of ids, filter (in memory, then in the file), index, row, frame, in each segment of a resource from the newest to
 * the oldest. A match of hashes is never believed: the id is compared in full. Before all that: where it was the last time. */
#include "lookup.h"
#include "recent.h"
#include "resident.h"

/* What the filters in memory leave over is asked of the file's: 0: certainly not there, 1: perhaps. It knows no more than a
 * whole one in memory. */
static int filter_says(struct store *s, struct segment *g, uint64_t hash)
{
	return bloom_whole(g->resident) ? 1 : segment_may_hold(g, s->pages, hash);
}

/* An id, and what it asks of the segments before their files are looked at. */
struct sought {
	struct bytes id;
	uint64_t hash, key;
	struct bloom_key filter;
};

static struct sought sought(struct bytes id, uint64_t hash)
{
	return (struct sought){id, hash, id_key(id), bloom_key(hash)};
}

static inline bool may_hold(const struct state_segment *e, const struct sought *k)
{
	return id_keys_have(&e->ids, k->key) && id_keys_have(&e->segment->ids, k->key) &&
	       bloom_may_hold(e->segment->resident, &k->filter);
}

/* The rows of a hash in a segment: from its first place among the hashes on. */
struct places {
	const struct state_segment *entry;
	uint64_t hash;
	uint32_t at, hint;
};

/* The next one that lives: 1; 0: there is none; or an error. */
static int next_place(struct store *s, struct places *p, uint32_t *ordinal_out)
{
	struct segment *g = p->entry->segment;
	uint64_t other;

	while (p->at < g->meta.records) {
		int rc = segment_id(g, s->pages, p->at++, &p->hint, &other, ordinal_out);
		if (rc || other != p->hash)
			return rc;
		if (!dead_has(p->entry->dead, *ordinal_out))
			return 1;
	}
	return 0;
}

static int lookup_file(struct store *s, const struct state_segment *e, const struct sought *k,
		       struct found *out)
{
	struct segment *g = e->segment;
	struct places places = {.entry = e, .hash = k->hash};
	uint32_t hint = 0;
	int rc = segment_load(g, s->pages);

	/* Only now it is known of one that was not looked at before. */
	if (!rc && !id_keys_have(&g->ids, k->key))
		return 0;
	rc = rc ? rc : filter_says(s, g, k->hash);
	if (rc <= 0)
		return rc;
	dictionary_warm(s->dictionaries, g->meta.dictionary);
	out->entry = e;
	rc = segment_find(g, s->pages, k->hash, &places.at);
	while (!rc && (rc = next_place(s, &places, &out->ordinal)) == 1) {
		rc = segment_row(g, s->pages, out->ordinal, &hint, &out->row);
		if (!rc && out->row.id_hash != k->hash)
			rc = segment_note(g, ERR_CORRUPT);
		if (!rc)
			rc = segment_frame(g, s->pages, &out->row, &s->frame);
		if (!rc && bytes_equal(frame_id(buf_bytes(&s->frame)), k->id))
			return 1;
	}
	return rc;
}

int lookup_in(struct store *s, const struct state_segment *e, struct bytes id, uint64_t hash,
	      struct found *out)
{
	struct sought k = sought(id, hash);

	return may_hold(e, &k) ? lookup_file(s, e, &k, out) : 0;
}

/* ---- what was asked for before ---- */

/* The segment of a place in this state; NULL: it is of another one, or of another resource. */
static const struct state_segment *entry_of(const struct state_resource *r, struct place *p)
{
	for (uint32_t n = 0; n < r->count; n++, p->entry++) {
		if (p->entry >= r->count)
			p->entry = 0;
		if (r->segments[p->entry].segment->meta.number == p->segment)
			return &r->segments[p->entry];
	}
	return NULL;
}

/* 1: found. 0: it has to be looked for, whatever the reason. */
static int lookup_recent(struct store *s, const struct state_resource *r, struct bytes id,
			 uint64_t hash, struct found *out)
{
	struct place *p = r ? recent_find(s->recent, hash) : NULL;
	const struct state_segment *e = p ? entry_of(r, p) : NULL;

	if (e)
		dictionary_warm(s->dictionaries, e->segment->meta.dictionary);
	if (!e || e->segment->damaged || dead_has(e->dead, p->ordinal) ||
	    segment_frame(e->segment, s->pages, &p->row, &s->frame) ||
	    !bytes_equal(frame_id(buf_bytes(&s->frame)), id))
		return 0;
	*out = (struct found){e, p->ordinal, p->row};
	return 1;
}

static void remember(struct store *s, const struct state_resource *r, const struct found *f)
{
	const struct place place = {f->entry->segment->meta.number,
				    (uint32_t)(f->entry - r->segments), f->ordinal, f->row};

	recent_keep(s->recent, &place);
}

static int lookup_all(struct store *s, const struct state_resource *r, struct bytes id,
		      bool writing, uint64_t hash, struct found *out)
{
	const struct sought k = sought(id, hash);
	int trouble = 0;

	for (size_t i = r ? r->count : 0; i-- > 0;) {
		const struct state_segment *e = &r->segments[i];
		if (!may_hold(e, &k) || (writing && e->segment->damaged))
			continue;
		int rc = lookup_file(s, e, &k, out);
		if (rc == 1)
			return 1;
		if (rc == 0 || (writing && e->segment->damaged))
			continue;
		trouble = store_trouble(s, rc);
	}
	return trouble;
}

int lookup(struct store *s, const struct state_resource *r, struct bytes id, bool writing,
	   struct found *out)
{
	uint64_t hash = bytes_hash(id);

	if (!writing && lookup_recent(s, r, id, hash, out))
		return 1;
	int rc = lookup_all(s, r, id, writing, hash, out);
	if (rc == 1 && !writing)
		remember(s, r, out);
	return rc;
}

static int place_in_file(struct store *s, const struct state_segment *e, uint64_t hash,
			 uint32_t *ordinal_out)
{
	struct places places = {.entry = e, .hash = hash};
	int rc = filter_says(s, e->segment, hash);

	if (rc <= 0)
		return rc;
	rc = segment_find(e->segment, s->pages, hash, &places.at);
	return rc ? rc : next_place(s, &places, ordinal_out);
}

int lookup_place_in(struct store *s, const struct state_segment *e, uint64_t hash,
		    uint32_t *ordinal_out)
{
	struct bloom_key key = bloom_key(hash);

	return bloom_may_hold(e->segment->resident, &key) ? place_in_file(s, e, hash, ordinal_out)
							  : 0;
}

static int lookup_hash_file(struct store *s, const struct state_segment *e, uint64_t hash,
			    struct found *out)
{
	uint32_t hint = 0;
	int rc = place_in_file(s, e, hash, &out->ordinal);

	if (rc != 1)
		return rc;
	out->entry = e;
	rc = segment_row(e->segment, s->pages, out->ordinal, &hint, &out->row);
	return rc ? rc : 1;
}

int lookup_hash_in(struct store *s, const struct state_segment *e, uint64_t hash, struct found *out)
{
	struct bloom_key key = bloom_key(hash);

	return bloom_may_hold(e->segment->resident, &key) ? lookup_hash_file(s, e, hash, out) : 0;
}

int lookup_hash(struct store *s, const struct state_resource *r, uint64_t hash, struct found *out)
{
	struct bloom_key key = bloom_key(hash);

	for (size_t i = r ? r->count : 0; i-- > 0;) {
		const struct state_segment *e = &r->segments[i];
		if (!bloom_may_hold(e->segment->resident, &key) || e->segment->damaged)
			continue;
		int rc = lookup_hash_file(s, e, hash, out);
		if (rc < 0 && store_trouble(s, rc) && e->segment->damaged)
			continue;
		if (rc)
			return rc;
	}
	/* Children call the record whose hash is 0 by 1, too. */
	return hash == 1 ? lookup_hash(s, r, 0, out) : 0;
}

int lookup_in_memory(struct store *s, const struct state_resource *r, struct bytes id,
		     struct found *out)
{
	const struct sought k = sought(id, bytes_hash(id));

	for (size_t i = r ? r->count : 0; i-- > 0;) {
		const struct state_segment *e = &r->segments[i];
		if (!segment_in_memory(e->segment) || !may_hold(e, &k))
			continue;
		int rc = lookup_file(s, e, &k, out);
		if (rc)
			return rc;
	}
	return 0;
}

int lookup_record(struct store *s, struct segment *g, const struct row *row, struct bytes frame,
		  struct buf *memory, struct record *out)
{
	struct unpacker *u;

	buf_reset(memory);
	int rc = dictionary_unpacker(s->dictionaries, g->resource, g->meta.dictionary, &u);
	if (!rc)
		rc = unpacker_unpack(u, frame_packed(frame), row->raw_bytes, memory);
	if (!rc)
		rc = record_open(buf_bytes(memory), out);
	if (!rc && !bytes_equal(out->id, frame_id(frame)))
		rc = ERR_CORRUPT;
	if (rc)
		return store_trouble(s, segment_note(g, rc));
	out->revision = row->revision;
	return 1;
}
