/*
 * fold: which segments, and their rows as they are. Revisions, times, hashes, tombstones and (where
 * the dictionary is the same) packed bytes are copied, never made anew; so are terms and columns
 * where the schema is the same.
 *
 * The smallest half of the small segments goes, and then every next one that is not larger than all
 * before it together: a record is copied about once for each doubling of its segment, and the
 * number of small segments stays below FOLD_SEGMENTS after a fold.
 */
#include "fold.h"
#include "columns.h"
#include "lookup.h"

#include <stdlib.h>

void fold_release(struct fold *f)
{
	free(f->rows);
	free(f->sources);
	extract_release(&f->extract);
	buf_release(&f->frames);
	*f = (struct fold){0};
}

struct candidate {
	struct segment *segment;
	uint32_t live;
	uint64_t bytes;
};

static int by_live(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->live != y->live)
		return x->live < y->live ? -1 : 1;
	return x->segment->meta.number < y->segment->meta.number ? -1 : 1;
}

static size_t candidates(const struct state_resource *r, struct candidate *out)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++) {
		const struct segment_meta *m = &r->segments[i].segment->meta;
		uint32_t live = segment_live(&r->segments[i]);
		uint64_t bytes = (m->data_end - SEGMENT_PAGE) * live / m->records;
		if (live && live < FOLD_SMALL_RECORDS && bytes < FOLD_SMALL_BYTES &&
		    !r->segments[i].segment->damaged)
			out[n++] = (struct candidate){r->segments[i].segment, live, bytes};
	}
	qsort(out, n, sizeof *out, by_live);
	return n;
}

/* How many of the candidates, smallest first. */
static size_t choose(const struct candidate *c, size_t n, size_t added)
{
	uint64_t records = 0, bytes = 0, before = added;
	size_t taken = 0;

	if (n < FOLD_SEGMENTS)
		return 0;
	for (; taken < n; taken++) {
		if (taken >= n / 2 && c[taken].live > before)
			break;
		if (records + c[taken].live > FOLD_RECORDS_MAX ||
		    bytes + c[taken].bytes > FOLD_BYTES_MAX)
			break;
		records += c[taken].live;
		bytes += c[taken].bytes;
		before += c[taken].live;
	}
	/* One alone is worth copying only when it is not larger than what comes to it. */
	return taken == 1 && c[0].live > added ? 0 : taken;
}

static int rows_reserve(struct fold *f, uint32_t extra)
{
	if (f->count + extra <= f->cap)
		return 0;
	uint32_t cap = f->cap ? f->cap : 256;
	while (cap < f->count + extra)
		cap *= 2;
	struct segment_row *rows = realloc(f->rows, cap * sizeof *rows);
	if (!rows)
		return ERR_NOMEM;
	f->rows = rows;
	f->cap = cap;
	return 0;
}

/* The record in the store's frame, inflated. */
static int unpack(struct store *s, struct segment *g, const struct row *row, struct buf *raw)
{
	struct unpacker *u;
	int rc = dictionary_unpacker(s->dictionaries, g->resource, g->meta.dictionary, &u);

	if (!rc)
		rc = unpacker_unpack(u, frame_packed(buf_bytes(&s->frame)), row->raw_bytes, raw);
	return segment_note(g, rc);
}

/* The frame packed anew, for another dictionary. */
static int repack(struct store *s, struct bytes raw, struct packer *packer, struct fold *f)
{
	size_t start = frame_begin(&f->frames, frame_id(buf_bytes(&s->frame)));
	int rc = packer_pack(packer, raw, &f->frames);

	frame_end(&f->frames, start);
	return rc;
}

/* Terms and columns made anew, for another schema. */
static int extract_again(struct segment *g, struct bytes raw, struct fold *f)
{
	struct record r;
	int rc = record_decode(raw, &r);

	if (!rc)
		rc = extract_add(&f->extract, &r);
	return segment_note(g, rc);
}

/* What of a segment's rows can be taken over as it is. */
struct taking {
	struct segment *segment;
	bool packed, indexed;
	uint32_t hint;
	struct packer *packer;
};

static int take_row(struct store *s, struct taking *t, uint32_t ordinal, struct fold *f)
{
	struct segment_row *out = &f->rows[f->count];
	struct segment *g = t->segment;
	size_t start = f->frames.len;
	struct buf raw = {0};
	int rc = segment_row(g, s->pages, ordinal, &t->hint, &out->row);

	if (!rc)
		rc = segment_frame(g, s->pages, &out->row, &s->frame);
	if (!rc && !(t->packed && t->indexed))
		rc = unpack(s, g, &out->row, &raw);
	out->index = t->indexed ? f->sources_count - 1 : 0;
	out->index_row = t->indexed ? ordinal : f->extract.count;
	if (!rc && !t->indexed)
		rc = extract_again(g, buf_bytes(&raw), f);
	if (!rc && t->packed)
		buf_put_bytes(&f->frames, buf_bytes(&s->frame));
	else if (!rc)
		rc = repack(s, buf_bytes(&raw), t->packer, f);
	buf_release(&raw);
	if (rc || f->frames.error)
		return rc ? rc : f->frames.error;
	out->row.offset = (uint32_t)start; /* until the frames stay where they are */
	out->row.frame_bytes = (uint32_t)(f->frames.len - start);
	f->count++;
	return 0;
}

static const struct state_segment *entry_of(const struct state_resource *r, const struct segment *g,
					    size_t *at_out)
{
	size_t at = 0;

	while (r->segments[at].segment != g)
		at++;
	*at_out = at;
	return &r->segments[at];
}

/* The segment as a source, when its terms and columns are those of the store's schema and can all
 * be read. */
static int take_source(struct store *s, struct taking *t, struct fold *f)
{
	struct segment *g = t->segment;
	int rc = segment_fields(g, s->pages, f->extract.schema);

	t->indexed = g->same_schema;
	if (!rc && t->indexed)
		rc = segment_probe(g, s->pages);
	if (rc || !t->indexed)
		return rc;
	struct segment_source *grown = realloc(f->sources, (f->sources_count + 1u) * sizeof *grown);
	if (!grown)
		return ERR_NOMEM;
	f->sources = grown;
	grown[f->sources_count++] = (struct segment_source){NULL, g};
	return 0;
}

/* All live rows of a segment, or none. */
static int take_segment(struct store *s, struct state_resource *r, struct segment *g,
			uint64_t dictionary, struct packer *packer, struct fold *f)
{
	struct taking t = {.segment = g, .packed = g->meta.dictionary == dictionary, .packer = packer};
	size_t at, frames = f->frames.len;
	uint32_t count = f->count, extracted = f->extract.count, sources = f->sources_count;
	const struct state_segment *e = entry_of(r, g, &at);
	int rc = rows_reserve(f, segment_live(e));

	if (!rc)
		rc = take_source(s, &t, f);
	for (uint32_t i = 0; !rc && i < g->meta.records; i++)
		if (!dead_has(e->dead, i))
			rc = take_row(s, &t, i, f);
	if (!rc) {
		resource_drop_segment(r, at, store_segment_end, s);
		return 0;
	}
	f->count = count;
	f->frames.len = frames;
	f->sources_count = sources;
	while (f->extract.count > extracted)
		extract_drop_last(&f->extract);
	return g->damaged ? 0 : rc;
}

int fold_take(struct store *s, struct state_resource *r, uint64_t dictionary, struct packer *packer,
	      size_t added, struct fold *f)
{
	struct candidate *c = r->count < FOLD_SEGMENTS ? NULL : malloc(r->count * sizeof *c);
	int rc = 0;

	if (!c)
		return r->count < FOLD_SEGMENTS ? 0 : ERR_NOMEM;
	size_t n = choose(c, candidates(r, c), added);
	f->extract.schema = schema_find(&s->schemas, r->name);
	f->sources = calloc(1, sizeof *f->sources);
	if (f->sources)
		f->sources[f->sources_count++].extract = &f->extract;
	else
		rc = ERR_NOMEM;
	for (size_t i = 0; !rc && i < n; i++)
		rc = take_segment(s, r, c[i].segment, dictionary, packer, f);
	for (uint32_t i = 0; !rc && i < f->count; i++)
		f->rows[i].frame = f->frames.data + f->rows[i].row.offset;
	free(c);
	return rc;
}
