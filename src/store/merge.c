/*
 * merge: see the header. A row's frame is copied as it is when its dictionary stays, and when it was
 * packed as densely as the new segment is to be; terms and columns are taken over when the schema
 * stays. Revisions, times and tombstones are never made anew.
 */
#include "merge.h"
#include "columns.h"

#include <stdlib.h>

/* What one step may cost, in bytes that are unpacked and packed. */
#define STEP_COST   (28u << 10)
#define ROW_COST    64u   /* of a row that stays where it is */
#define REMAKE_COST 1024u /* of one that does not, beside its bytes */
/* The levels above take several times as long for a byte. */
#define DENSE_LEVEL 6
#define DENSE_COST  8u
/* Fed to the packer at once. */
#define FEED_BYTES (24u << 10)
/* Of terms and values that are made anew, in one segment: smaller ones are merged later. */
#define EXTRACT_BYTES_MAX (1536u << 10)

/* ---- life ---- */

/* A lost dictionary is no damage of the files at hand. */
static int open_packer(struct merge *m)
{
	int rc = dictionary_packer_new(m->s->dictionaries, m->resource, m->dictionary,
				       m->choice.cold ? PACK_LEVEL_COLD : PACK_LEVEL, &m->packer);

	return rc == ERR_CORRUPT ? ERR_IO : rc;
}

/* No more rows before these are written, which takes memory, too. */
static int rows_over(struct merge *m)
{
	packer_free(m->packer);
	m->packer = NULL;
	buf_release(&m->raw);
	buf_release(&m->packed);
	return 0;
}

void merge_forget_rows(struct merge *m)
{
	free(m->rows);
	free(m->stripped);
	m->rows = NULL;
	m->stripped = NULL;
}

static bool some_strips(const struct merge *m)
{
	for (uint32_t i = 0; i < m->choice.count; i++)
		if (m->sources[i].strips)
			return true;
	return false;
}

static int rows_begin(struct merge *m)
{
	const struct choice *c = &m->choice;
	uint64_t most = c->rows < m->s->merged_rows ? c->rows : m->s->merged_rows;

	if (!m->rows)
		m->rows = malloc((most + 1) * sizeof *m->rows);
	if (!m->stripped && some_strips(m))
		m->stripped = malloc((most + 1) * sizeof *m->stripped);
	return m->rows && (m->stripped || !some_strips(m)) ? 0 : ERR_NOMEM;
}

/* Whether frames of the segment can be copied. */
static bool frames_stay(const struct merge *m, const struct segment *g)
{
	return g->meta.dictionary == m->dictionary && (!m->choice.cold || g->meta.cold) &&
	       !exclude_unclean(m->s, m->resource, g->meta.number);
}

static bool all_stay(const struct merge *m)
{
	for (uint32_t i = 0; i < m->choice.count; i++)
		if (!frames_stay(m, m->choice.segments[i]))
			return false;
	return true;
}

static const struct dead *dead_of(const struct state_resource *r, const struct segment *g)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->segments[i].segment == g)
			return r->segments[i].dead;
	return NULL;
}

int merge_init(struct merge *m, struct store *s, const struct state_resource *r,
	       struct choice *choice, uint64_t dictionary, struct why *why)
{
	*m = (struct merge){.s = s, .choice = *choice, .resource = r->name, .dictionary = dictionary};
	*choice = (struct choice){0};
	m->sources = calloc(m->choice.count, sizeof *m->sources);
	m->index = calloc(m->choice.count + 1u, sizeof *m->index);
	if (!m->sources || !m->index)
		return why_set(why, ERR_NOMEM, "out of memory in a commit");
	for (uint32_t i = 0; i < m->choice.count; i++) {
		m->sources[i].segment = m->choice.segments[i];
		m->sources[i].dead = dead_of(r, m->choice.segments[i]);
	}
	m->extract.schema = schema_find(&s->schemas, m->resource);
	merge_next(m);
	return all_stay(m) ? 0 : spill_open(&m->spill, &s->hooks, s->dir, why);
}

void merge_release(struct merge *m)
{
	choice_release(&m->choice);
	packer_free(m->packer);
	spill_release(&m->spill);
	free(m->sources);
	merge_forget_rows(m);
	free(m->index);
	extract_release(&m->extract);
	buf_release(&m->raw);
	buf_release(&m->packed);
	*m = (struct merge){0};
}

void merge_next(struct merge *m)
{
	const struct schema *schema = m->extract.schema;

	extract_release(&m->extract);
	m->extract.schema = schema;
	m->count = 0;
	m->bytes = 0;
	m->full = false;
	m->index[0] = (struct segment_source){.extract = &m->extract};
	m->index_count = 1;
	for (uint32_t i = 0; i < m->choice.count; i++)
		m->sources[i].index = UINT32_MAX;
	spill_reset(&m->spill);
}

/* ---- sources ---- */

static int source_next(struct merge *m, struct merge_source *o)
{
	struct segment *g = o->segment;

	while (o->ordinal < g->meta.records && dead_has(o->dead, o->ordinal))
		o->ordinal++;
	o->open = o->ordinal < g->meta.records;
	if (!o->open)
		return 0;
	int rc = segment_row(g, m->s->pages, o->ordinal++, &o->hint, &o->row);
	segment_row_key(&o->row, &o->key);
	o->key.ordinal = (uint32_t)(o - m->sources);
	return rc;
}

static int source_begin(struct merge *m, struct merge_source *o)
{
	int rc = segment_fields(o->segment, m->s->pages, m->extract.schema);

	o->strips = exclude_unclean(m->s, m->resource, o->segment->meta.number);
	o->indexed = !rc && o->segment->same_schema && !o->strips;
	return rc ? rc : source_next(m, o);
}

static struct merge_source *least(struct merge *m)
{
	struct merge_source *first = NULL;

	for (uint32_t i = 0; i < m->choice.count; i++)
		if (m->sources[i].open &&
		    (!first || sort_compare(&m->sources[i].key, &first->key) < 0))
			first = &m->sources[i];
	return first;
}

/* ---- rows ---- */

/* The row at hand goes to the new segment. */
static int take(struct merge *m, struct merge_source *o, const struct moved_row *out)
{
	m->count++;
	m->bytes += out->frame_bytes;
	m->full = m->count == m->s->merged_rows || m->bytes >= MERGED_BYTES ||
		  extract_bytes(&m->extract) >= EXTRACT_BYTES_MAX;
	return source_next(m, o);
}

static struct moved_row *place(struct merge *m, struct merge_source *o)
{
	struct moved_row *out = &m->rows[m->count];
	const struct row *row = &o->row;

	if (o->indexed && o->index == UINT32_MAX) {
		o->index = m->index_count;
		m->index[m->index_count++].segment = o->segment;
		m->index[o->index].extract = NULL;
	}
	*out = (struct moved_row){.created_ms = row->created_ms,
				  .updated_ms = row->updated_ms,
				  .revision = row->revision,
				  .id_hash = row->id_hash,
				  .parent_hash = row->parent_hash,
				  .frame_bytes = row->frame_bytes,
				  .frame_at = row->offset,
				  .ordinal = o->ordinal - 1,
				  .source = (uint16_t)(o - m->sources),
				  .truncated = row->flags & RECORD_TRUNCATED,
				  .place = {o->indexed ? o->index : 0,
					    o->indexed ? o->ordinal - 1 : m->extract.count}};
	return out;
}

/* The record of the row at hand into `raw`, and its frame into the store's. */
static int unpack(struct merge *m, struct merge_source *o)
{
	struct segment *g = o->segment;
	struct buf *frame = &m->s->frame;
	struct unpacker *u;
	int rc = segment_frame(g, m->s->pages, &o->row, frame);

	if (rc)
		return rc;
	buf_reset(&m->raw);
	rc = dictionary_unpacker(m->s->dictionaries, g->resource, g->meta.dictionary, &u);
	if (!rc)
		rc = unpacker_unpack(u, frame_packed(buf_bytes(frame)), o->row.raw_bytes, &m->raw);
	return segment_note(g, rc);
}

static int extract_again(struct merge *m, struct merge_source *o)
{
	struct record r;
	int rc = record_decode(buf_bytes(&m->raw), &r);

	if (!rc)
		rc = extract_add(&m->extract, &r);
	return segment_note(o->segment, rc);
}

/* Some of the record that is being packed; at its end the row is taken. */
static int pack_on(struct merge *m)
{
	struct merge_source *o = m->packing;
	size_t left = m->raw.len - m->fed, n = left < FEED_BYTES ? left : FEED_BYTES;
	int rc = packer_feed(m->packer, bytes_of(m->raw.data + m->fed, n), n == left, &m->packed);

	m->fed += n;
	if (rc || n < left)
		return rc;
	frame_end(&m->packed, m->frame);
	m->packing = NULL;
	struct moved_row *out = &m->rows[m->count];
	out->packed = true;
	out->frame_at = (uint32_t)spill_end(&m->spill);
	out->frame_bytes = (uint32_t)m->packed.len;
	rc = m->packed.error ? m->packed.error : spill_put(&m->spill, buf_bytes(&m->packed));
	buf_reset(&m->raw);
	buf_give_back(&m->raw, FEED_BYTES);
	return rc ? rc : take(m, o, out);
}

static int pack_begin(struct merge *m, struct merge_source *o)
{
	int rc = m->packer ? 0 : open_packer(m);

	if (rc)
		return rc;
	buf_reset(&m->packed);
	m->frame = frame_begin(&m->packed, frame_id(buf_bytes(&m->s->frame)));
	packer_begin(m->packer);
	m->packing = o;
	m->fed = 0;
	return pack_on(m);
}

/* What is excluded goes from the record at hand; what the row says of it otherwise is kept beside the row. */
static int strip(struct merge *m, const struct merge_source *o)
{
	struct row row = o->row;
	int rc = exclude_record(m->s, m->resource, &m->raw, &row);

	m->stripped[m->count] = (struct stripped_row){.doc_hash = row.doc_hash,
						      .raw_bytes = row.raw_bytes};
	return segment_note(o->segment, rc);
}

static uint32_t row_cost(const struct merge *m, bool stays)
{
	return !stays && m->choice.cold && PACK_LEVEL_COLD > DENSE_LEVEL ? DENSE_COST : 1;
}

static int take_row(struct merge *m, struct merge_source *o, uint32_t *cost)
{
	bool stays = !o->strips && frames_stay(m, o->segment);
	struct moved_row *out = place(m, o);

	if (stays && o->indexed) {
		*cost += ROW_COST;
		return take(m, o, out);
	}
	*cost += REMAKE_COST + o->row.raw_bytes * row_cost(m, stays);
	int rc = unpack(m, o);
	if (!rc && o->strips)
		rc = strip(m, o);
	if (!rc && !o->indexed)
		rc = extract_again(m, o);
	if (rc)
		return rc;
	return stays ? take(m, o, out) : pack_begin(m, o);
}

int merge_step(struct merge *m)
{
	struct merge_source *o;
	uint32_t cost = 0;
	int rc = 0;

	if (m->begun < m->choice.count) {
		rc = source_begin(m, &m->sources[m->begun++]);
		return rc ? rc : 1;
	}
	if (m->packing) {
		rc = pack_on(m);
		if (rc || !m->full)
			return rc ? rc : 1;
	}
	rc = rows_begin(m);
	while (!rc && !m->full && !m->packing && cost < STEP_COST) {
		o = least(m);
		if (!o)
			return rows_over(m);
		rc = take_row(m, o, &cost);
	}
	if (rc || !m->full)
		return rc ? rc : 1;
	return rows_over(m);
}

int64_t merge_start(const struct merge *m)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (m->rows[i].created_ms != TIME_NONE)
			return m->rows[i].created_ms;
	return TIME_NONE;
}

int merge_frame(struct merge *m, const struct moved_row *r, struct buf *out)
{
	const struct row row = {
		.offset = r->frame_at, .frame_bytes = r->frame_bytes, .id_hash = r->id_hash};

	buf_reset(out);
	if (r->packed)
		return spill_read(&m->spill, r->frame_at, r->frame_bytes, out);
	return segment_frame_on(m->sources[r->source].segment, m->s->pages, &row, out);
}

int merge_row(struct merge *m, const struct moved_row *r, struct row *out)
{
	struct merge_source *o = &m->sources[r->source];
	int rc = segment_row(o->segment, m->s->pages, r->ordinal, &o->hint, out);

	out->frame_bytes = r->frame_bytes;
	if (o->strips) {
		out->doc_hash = m->stripped[r - m->rows].doc_hash;
		out->raw_bytes = m->stripped[r - m->rows].raw_bytes;
	}
	return rc;
}
