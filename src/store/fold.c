/*
 * fold: which segments, and their rows as they are. Revisions, times, hashes, tombstones and (where
 * the dictionary is the same) packed bytes are copied, never made anew.
 *
 * The smallest half of the small segments goes, and then every next one that is not larger than all
 * before it together: a record is copied about once for each doubling of its segment, and the
 * number of small segments stays below FOLD_SEGMENTS after a fold.
 */
#include "fold.h"
#include "lookup.h"

#include <stdlib.h>

/* Smaller ones are small anyway. */
#define HALF_DEAD_RECORDS 512u

void fold_release(struct fold *f)
{
	free(f->rows);
	free(f->chosen);
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

/* What is small, and how much is taken at once. */
struct limits {
	uint32_t small_records; /* that live */
	uint64_t small_bytes;   /* packed */
	uint32_t records_max;
	uint64_t bytes_max;
	uint64_t repack_bytes; /* of one that has another dictionary than the current one */
};

static const struct limits at_commit = {4096, 2u << 20, 4096, 4u << 20, UINT64_MAX};
/* So that a segment comes to 10,000 records and more; sorting so many takes about 5 MB. */
static const struct limits at_compaction = {8192, 16u << 20, 16384, 32u << 20, 256u << 10};

static bool half_dead(const struct candidate *c)
{
	uint32_t records = c->segment->meta.records;

	return records >= HALF_DEAD_RECORDS && c->live <= records / 2;
}

static size_t candidates(const struct state_resource *r, const struct limits *l, bool memory,
			 struct candidate *out)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++) {
		const struct segment_meta *m = &r->segments[i].segment->meta;
		uint32_t live = segment_live(&r->segments[i]);
		uint64_t bytes = (m->data_end - SEGMENT_PAGE) * live / m->records;
		if (live && live < l->small_records && bytes < l->small_bytes &&
		    (m->dictionary == r->dictionary || bytes <= l->repack_bytes) &&
		    segment_in_memory(r->segments[i].segment) == memory &&
		    !r->segments[i].segment->damaged)
			out[n++] = (struct candidate){r->segments[i].segment, live, bytes};
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

/* Of few segments only those are worth copying that are mostly dead. */
static size_t choose_files(struct candidate *c, size_t n)
{
	uint64_t records = 0;
	size_t taken = 0;

	if (n >= FOLD_SEGMENTS)
		return choose(c, n, &at_compaction, 0);
	for (size_t i = 0; i < n; i++) {
		if (!half_dead(&c[i]) || records + c[i].live > at_compaction.records_max)
			continue;
		records += c[i].live;
		c[taken++] = c[i];
	}
	return taken;
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

/* The frame packed anew, for another dictionary. */
static int repack(struct store *s, struct segment *g, const struct row *row, struct packer *packer,
		  struct fold *f)
{
	struct bytes frame = buf_bytes(&s->frame);
	struct unpacker *u;
	struct buf raw = {0};
	size_t start = f->frames.len;
	int rc = dictionary_unpacker(s->dictionaries, g->resource, g->meta.dictionary, &u);

	if (!rc)
		rc = unpacker_unpack(u, frame_packed(frame), row->raw_bytes, &raw);
	if (rc)
		segment_note(g, rc);
	if (!rc) {
		frame_begin(&f->frames, frame_id(frame));
		rc = packer_pack(packer, buf_bytes(&raw), &f->frames);
		frame_end(&f->frames, start);
	}
	buf_release(&raw);
	return rc;
}

static int take_row(struct store *s, struct segment *g, uint32_t ordinal, uint32_t *hint,
		    bool verbatim, struct packer *packer, struct fold *f)
{
	struct segment_row *out = &f->rows[f->count];
	size_t start = f->frames.len;
	int rc = segment_row(g, s->pages, ordinal, hint, &out->row);

	out->from = NULL;
	if (!rc && verbatim && f->later && !segment_in_memory(g)) {
		out->frame = NULL;
		out->from = g; /* the current state keeps it until the commit is over */
		out->source = out->row.offset;
		f->count++;
		return 0;
	}
	if (!rc)
		rc = segment_frame(g, s->pages, &out->row, &s->frame);
	if (rc)
		return rc;
	out->frame = NULL;                      /* until the frames stay where they are */
	if (verbatim && segment_in_memory(g)) { /* the current state keeps it until the commit is over */
		out->frame = g->file.image + out->row.offset;
		f->count++;
		return 0;
	}
	if (verbatim)
		buf_put_bytes(&f->frames, buf_bytes(&s->frame));
	else
		rc = repack(s, g, &out->row, packer, f);
	if (rc || f->frames.error)
		return rc ? rc : f->frames.error;
	out->row.offset = (uint32_t)start;
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

/* A segment is taken whole or not at all. */
static void forget_segment(struct fold *f)
{
	f->count = f->count_before;
	f->frames.len = f->frames_before;
	f->at++;
}

static void segment_over(struct store *s, struct fold *f, struct state_resource *r)
{
	size_t at;

	entry_of(r, f->chosen[f->at], &at);
	resource_drop_segment(r, at, store_segment_end, s);
	f->at++;
}

static int segment_begin(struct fold *f, const struct state_segment *e)
{
	f->count_before = f->count;
	f->frames_before = f->frames.len;
	f->hint = 0;
	return rows_reserve(f, segment_live(e));
}

int fold_begin(struct fold *f, const struct state_resource *r, enum fold_how how, size_t added)
{
	size_t n = 0;

	*f = (struct fold){.later = how == FOLD_COMPACT};
	struct candidate *c = malloc((r->count + 1) * sizeof *c);
	f->chosen = malloc((r->count + 1) * sizeof(struct segment *));
	if (!c || !f->chosen) {
		free(c);
		return ERR_NOMEM;
	}
	for (size_t i = 0; how != FOLD_MEMORY && i < r->count; i++)
		if (segment_in_memory(r->segments[i].segment)) {
			f->chosen[f->chosen_count++] = r->segments[i].segment;
			added += segment_live(&r->segments[i]);
		}
	if (how == FOLD_COMPACT)
		n = choose_files(c, candidates(r, &at_compaction, false, c));
	else if (how != FOLD_FLUSH && added)
		n = choose(c, candidates(r, &at_commit, how == FOLD_MEMORY, c), &at_commit, added);
	for (size_t i = 0; i < n; i++)
		f->chosen[f->chosen_count++] = c[i].segment;
	free(c);
	return 0;
}

bool fold_compacts(const struct state_resource *r)
{
	struct candidate *c = malloc((r->count + 1) * sizeof *c);
	size_t n = c ? choose_files(c, candidates(r, &at_compaction, false, c)) : 0;

	free(c);
	return n > 0;
}

bool fold_repacks(const struct fold *f, uint64_t dictionary)
{
	for (size_t i = 0; i < f->chosen_count; i++)
		if (f->chosen[i]->meta.dictionary != dictionary)
			return true;
	return false;
}

int fold_step(struct store *s, struct fold *f, struct state_resource *r, uint64_t dictionary,
	      struct packer *packer)
{
	size_t at, start = f->frames.len;
	int rc = 0;

	if (f->at == f->chosen_count) {
		for (uint32_t i = 0; i < f->count; i++)
			if (!f->rows[i].frame && !f->rows[i].from)
				f->rows[i].frame = f->frames.data + f->rows[i].row.offset;
		return 0;
	}
	struct segment *g = f->chosen[f->at];
	const struct state_segment *e = entry_of(r, g, &at);
	if (f->ordinal == 0)
		rc = segment_begin(f, e);
	bool verbatim = g->meta.dictionary == dictionary;
	for (uint32_t cost = 0; !rc && f->ordinal < g->meta.records && cost < FOLD_STEP_ROWS &&
				f->frames.len - start < FOLD_STEP_BYTES;
	     f->ordinal++) {
		if (dead_has(e->dead, f->ordinal))
			continue;
		rc = take_row(s, g, f->ordinal, &f->hint, verbatim, packer, f);
		cost += verbatim ? 1 : FOLD_REPACK_COST;
	}
	if (!rc && f->ordinal < g->meta.records)
		return 1;
	f->ordinal = 0;
	if (!rc)
		segment_over(s, f, r);
	else if (g->damaged)
		forget_segment(f);
	else
		return rc;
	return 1;
}
