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
	free(f->chosen);
	free(f->sources);
	extract_release(&f->extract);
	buf_release(&f->frames);
	*f = (struct fold){0};
}

void fold_forget_rows(struct fold *f)
{
	free(f->rows);
	f->rows = NULL;
	f->count = f->cap = 0;
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

/* What is small, and how much is taken at once. */
struct limits {
	uint32_t small_records; /* that live */
	uint64_t small_bytes;   /* packed */
	uint32_t records_max;
	uint64_t bytes_max;
};

static const struct limits at_commit = {4096, 2u << 20, 4096, 4u << 20};
static size_t candidates(const struct state_resource *r, const struct limits *l, bool memory,
			 struct candidate *out)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++) {
		struct segment *g = r->segments[i].segment;
		uint32_t live = segment_live(&r->segments[i]);
		uint64_t bytes = (g->meta.data_end - SEGMENT_PAGE) * live / g->meta.records;
		if (live && live < l->small_records && bytes < l->small_bytes &&
		    segment_in_memory(g) == memory && !g->damaged && !g->merging)
			out[n++] = (struct candidate){g, live, bytes};
	}
	qsort(out, n, sizeof *out, by_live);
	return n;
}

/* How many of the candidates, smallest first. */
static size_t choose(const struct candidate *c, size_t n, const struct limits *l, size_t added)
{
	uint64_t records = 0, bytes = 0, before = added;
	size_t taken = 0;

	if (n < FOLD_SEGMENTS)
		return 0;
	for (; taken < n; taken++) {
		if (taken >= n / 2 && c[taken].live > before)
			break;
		if (records + c[taken].live > l->records_max || bytes + c[taken].bytes > l->bytes_max)
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

/* A copy of the frame in the store's frame, or a new one. */
static int take_frame(struct store *s, struct fold *f, struct bytes raw, struct packer *packer,
		      struct segment_row *out)
{
	size_t start = f->frames.len;
	int rc = 0;

	if (packer)
		rc = repack(s, raw, packer, f);
	else
		buf_put_bytes(&f->frames, buf_bytes(&s->frame));
	if (rc || f->frames.error)
		return rc ? rc : f->frames.error;
	out->row.offset = (uint32_t)start; /* until the frames stay where they are */
	out->row.frame_bytes = (uint32_t)(f->frames.len - start);
	return 0;
}

/* `packer` NULL: the dictionary is the same. */
static int take_row(struct store *s, struct segment *g, struct fold *f, struct packer *packer)
{
	struct segment_row *out = &f->rows[f->count];
	/* In memory it lies where it is until the commit is over. */
	bool stays = !packer && segment_in_memory(g);
	struct buf raw = {0};

	*out = (struct segment_row){.place = {f->indexed ? f->sources_count - 1 : 0,
					      f->indexed ? f->ordinal : f->extract.count}};
	int rc = segment_row(g, s->pages, f->ordinal, &f->hint, &out->row);
	if (!rc && !(stays && f->indexed))
		rc = segment_frame(g, s->pages, &out->row, &s->frame);
	if (!rc && (packer || !f->indexed))
		rc = unpack(s, g, &out->row, &raw);
	if (!rc && !f->indexed)
		rc = extract_again(g, buf_bytes(&raw), f);
	if (!rc && stays)
		out->frame = g->file.image + out->row.offset;
	else if (!rc)
		rc = take_frame(s, f, buf_bytes(&raw), packer, out);
	buf_release(&raw);
	f->count += !rc;
	return rc;
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

static void chosen_end(struct fold *f)
{
	f->begun = false;
	f->at++;
}

/* A segment is taken whole or not at all. */
static void forget_segment(struct fold *f)
{
	f->count = f->count_before;
	f->frames.len = f->frames_before;
	f->sources_count = f->sources_before;
	while (f->extract.count > f->extracted_before)
		extract_drop_last(&f->extract);
	chosen_end(f);
}

static void segment_over(struct store *s, struct fold *f, struct state_resource *r)
{
	size_t at;

	entry_of(r, f->chosen[f->at], &at);
	resource_drop_segment(r, at, store_segment_end, s);
	chosen_end(f);
}

/* It is a source when its terms and columns are those of the store's schema. */
static int segment_begin(struct store *s, struct fold *f, const struct state_segment *e)
{
	struct segment *g = e->segment;

	f->begun = true;
	f->count_before = f->count;
	f->frames_before = f->frames.len;
	f->sources_before = f->sources_count;
	f->extracted_before = f->extract.count;
	f->ordinal = f->hint = f->probed = 0;
	int rc = segment_fields(g, s->pages, f->extract.schema);
	f->indexed = !rc && g->same_schema;
	if (f->indexed)
		f->sources[f->sources_count++].segment = g;
	return rc ? rc : rows_reserve(f, segment_live(e));
}

int fold_begin(struct store *s, struct fold *f, const struct state_resource *r, enum fold_how how,
	       size_t added)
{
	size_t n = 0;

	*f = (struct fold){.extract.schema = schema_find(&s->schemas, r->name)};
	struct candidate *c = malloc((r->count + 1) * sizeof *c);
	f->chosen = malloc((r->count + 1) * sizeof(struct segment *));
	f->sources = calloc(r->count + 2, sizeof *f->sources);
	if (!c || !f->chosen || !f->sources) {
		free(c);
		return ERR_NOMEM;
	}
	f->sources[f->sources_count++].extract = &f->extract;
	for (size_t i = 0; how != FOLD_MEMORY && i < r->count; i++)
		if (segment_in_memory(r->segments[i].segment)) {
			f->chosen[f->chosen_count++] = r->segments[i].segment;
			added += segment_live(&r->segments[i]);
		}
	if (how != FOLD_FLUSH && added)
		n = choose(c, candidates(r, &at_commit, how == FOLD_MEMORY, c), &at_commit, added);
	for (size_t i = 0; i < n; i++)
		f->chosen[f->chosen_count++] = c[i].segment;
	free(c);
	return 0;
}

bool fold_repacks(const struct fold *f, uint64_t dictionary)
{
	for (size_t i = 0; i < f->chosen_count; i++)
		if (f->chosen[i]->meta.dictionary != dictionary)
			return true;
	return false;
}

/* 1: there is more of it; 0: it is taken. */
static int take_slice(struct store *s, struct fold *f, const struct state_segment *e,
		      struct packer *packer)
{
	struct segment *g = e->segment;
	size_t start = f->frames.len;
	int rc = f->begun ? 0 : segment_begin(s, f, e);

	if (!rc && f->indexed && !segment_in_memory(g))
		rc = segment_probe(g, s->pages, &f->probed);
	for (uint32_t cost = 0; !rc && f->ordinal < g->meta.records; f->ordinal++) {
		if (cost >= FOLD_STEP_ROWS || f->frames.len - start >= FOLD_STEP_BYTES)
			return 1;
		if (dead_has(e->dead, f->ordinal))
			continue;
		rc = take_row(s, g, f, packer);
		cost += f->indexed && !packer ? 1 : FOLD_REPACK_COST;
	}
	return rc;
}

int fold_step(struct store *s, struct fold *f, struct state_resource *r, uint64_t dictionary,
	      struct packer *packer)
{
	size_t at;

	if (f->at == f->chosen_count) {
		for (uint32_t i = 0; i < f->count; i++)
			if (!f->rows[i].frame)
				f->rows[i].frame = f->frames.data + f->rows[i].row.offset;
		return 0;
	}
	struct segment *g = f->chosen[f->at];
	int rc = take_slice(s, f, entry_of(r, g, &at),
			    g->meta.dictionary == dictionary ? NULL : packer);
	if (rc == 0)
		segment_over(s, f, r);
	else if (rc < 0 && g->damaged)
		forget_segment(f);
	else if (rc < 0)
		return rc;
	return 1;
}
