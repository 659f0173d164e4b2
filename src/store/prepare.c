/*
 * prepare: the first half of a commit: the next state, built beside the current one, and its files,
 * written but not synced.
 *
 *   REBASE (what the store's own commits moved) -> NEXT (a resource that changes) -> PACK (what waits raw) -> BUILD (its clone; a new dictionary)
 *     -> KILLS (replaced rows die) -> RETAIN (old ones, too) -> FOLD (small segments come along) -> GATHER (damaged and empty
 *     ones are dropped) -> SORT -> ORDER -> SEGMENT -> WRITE -> REPLACE (what was merged takes its place)
 *
 * A merge begins with CHOOSE -> MERGE -> WRITE (prepare_merge.c), while other commits come and go.
 * Between two steps readers read, and what they find damaged stays for a later commit. It must never
 * touch what the current state names.
 */
#include "lookup.h"
#include "prepare.h"
#include "manifest.h"
#include "purge.h"
#include "repair.h"
#include "retain.h"

#include <base/files.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A transaction with more packed bytes or records goes to segments at once: it would be written
 * twice. */
#define JOURNAL_TXN_BYTES_MAX   (256u << 10)
#define JOURNAL_TXN_RECORDS_MAX 1000u
/* Rows in memory; the next commit beyond flushes them. */
#define JOURNAL_RECORDS_MAX 20000u
/* Of a rebase in one step: about 2 us each. */
#define STEP_LOOKUPS 128u
#define STEP_RETAIN  1024u

/* ---- dictionaries ---- */

static int dictionary_write(struct prepared *p, const struct txn_part *part, struct state_resource *r)
{
	struct buf file = {0};
	char *above;

	if (asprintf(&above, "%s/%s", p->s->dir, r->name) < 0)
		return prepare_nomem(p);
	int rc = dir_make(above, 0700, &p->why);
	if (rc) {
		free(above);
		return rc;
	}
	rc = prepare_folder(p, above);
	dictionary_encode(buf_bytes(&part->dictionary_bytes), &file);
	if (!rc)
		rc = prepare_folder(p, strdup(p->s->dir));
	if (!rc)
		rc = prepare_file(p, dictionary_path(p->s->dir, r->name, part->dictionary), &file);
	buf_release(&file);
	if (!rc && resource_add_dictionary(r, part->dictionary, (uint32_t)part->dictionary_bytes.len))
		rc = prepare_nomem(p);
	r->dictionary = part->dictionary;
	return rc;
}

/* ---- the next state of one resource ---- */

static int drop_damaged(struct prepared *p, struct state_resource *r)
{
	for (size_t i = r->count; i-- > 0;) {
		struct segment *g = r->segments[i].segment;
		/* What is found now stays for later when a transaction that does not know it may be open. */
		if (!g->damaged || (p->internal && !g->damaged_before))
			continue;
		/* What was known before was withdrawn when the part began. */
		if ((p->internal || !g->damaged_before) &&
		    repair_withdraw(&g->meta, &r->coverage, &r->damaged))
			return prepare_nomem(p);
		struct segment **grown = realloc(p->bad,
						 (p->bad_count + 1) * sizeof(struct segment *));
		if (!grown)
			return prepare_nomem(p);
		p->bad = grown;
		grown[p->bad_count++] = g; /* the current state keeps it */
		resource_drop_segment(r, i, store_segment_end, p->s);
	}
	return 0;
}

/* An open transaction packs with what was the current dictionary when it began, which may be as late
 * as right before this commit is published; but nobody packs with one whose file is damaged. */
static bool dictionary_needed(const struct prepared *p, const struct state_resource *r, uint64_t number)
{
	const struct txn *open = p->s->txn;

	if (number == r->dictionary || (p->part->base && number == p->part->base->dictionary &&
					dictionary_trusted(p->s->dictionaries, number)))
		return true;
	for (const struct txn_part *part = open ? open->parts : NULL; part; part = part->next)
		if (strcmp(part->name, r->name) == 0 && part->dictionary == number)
			return true;
	for (size_t i = 0; i < r->count; i++)
		if (r->segments[i].segment->meta.dictionary == number)
			return true;
	return false;
}

/* Files stay as long as the manifest on the disk names them, and what this commit merged until that is
 * in their place. */
static void drop_empty(struct prepared *p, struct state_resource *r)
{
	for (size_t i = r->count; i-- > 0;) {
		const struct segment *g = r->segments[i].segment;
		if (segment_live(&r->segments[i]) == 0 && !(p->from && g->merging) &&
		    (!p->journaled || segment_in_memory(g)))
			resource_drop_segment(r, i, store_segment_end, p->s);
	}
	if (p->journaled)
		return;
	for (size_t d = r->dictionaries_count; d-- > 0;)
		if (!dictionary_needed(p, r, r->dictionaries[d].number))
			resource_drop_dictionary(r, d);
}

static int coverage_set(struct prepared *p, const struct txn_part *part, struct state_resource *r)
{
	int rc = coverage_copy(&part->coverage, &r->coverage);

	if (!rc)
		rc = intervals_copy(&part->damaged, &r->damaged);
	return rc ? prepare_nomem(p) : 0;
}

/* ---- is there anything to do ---- */

static bool coverage_changed(const struct txn_part *part)
{
	struct coverage none;
	struct buf before = {0}, after = {0};

	coverage_init(&none);
	coverage_encode(part->base ? &part->base->coverage : &none, &before);
	coverage_encode(&part->coverage, &after);
	if (part->base)
		intervals_encode(&part->base->damaged, &before);
	else
		intervals_encode(&(struct intervals){0}, &before);
	intervals_encode(&part->damaged, &after);
	bool changed = before.error || after.error ||
		       !bytes_equal(buf_bytes(&before), buf_bytes(&after));
	buf_release(&before);
	buf_release(&after);
	return changed;
}

static bool has_memory(const struct state_resource *r)
{
	for (size_t i = 0; r && i < r->count; i++)
		if (segment_in_memory(r->segments[i].segment))
			return true;
	return false;
}

static bool part_changed(const struct txn_part *part)
{
	for (size_t i = 0; part->base && i < part->base->count; i++)
		if (part->base->segments[i].segment->damaged)
			return true;
	return part->count > part->dropped || part->kills_count || part->forgets ||
	       part->retain_ms != TIME_MIN || coverage_changed(part);
}

static bool marks_changed(const struct txn *t)
{
	for (size_t i = 0; i < t->marks_count; i++) {
		const struct mark *m = t->marks[i],
				  *held = state_find_mark(t->store->state, mark_key(m));
		if (m->removes ? held != NULL : !held || !bytes_equal(mark_value(m), mark_value(held)))
			return true;
	}
	return false;
}

bool prepare_changes(const struct prepared *p, const struct txn_part *part)
{
	return part_changed(part) || part->dictionary_new || part->dictionary_none || part->settles ||
	       (!p->journaled && has_memory(part->base)) || strcmp(p->compact, part->name) == 0;
}

/* What is in memory goes to segments with every manifest. */
static int parts_for_memory(struct prepared *p)
{
	const struct state *now = p->s->state;
	struct txn_part *part;

	for (size_t i = 0; i < now->resources_count; i++)
		if (has_memory(now->resources[i])) {
			int rc = txn_part(p->t, now->resources[i]->name, &part, &p->why);
			if (rc)
				return rc;
		}
	return 0;
}

/* Damaged segments must go although the transaction does not speak of their resource. */
static int parts_for_damage(struct prepared *p)
{
	const struct state *now = p->s->state;
	struct txn_part *part;

	for (size_t i = 0; i < now->resources_count; i++)
		for (size_t j = 0; j < now->resources[i]->count; j++)
			if (now->resources[i]->segments[j].segment->damaged) {
				int rc = txn_part(p->t, now->resources[i]->name, &part, &p->why);
				if (rc)
					return rc;
			}
	return 0;
}

/* ---- a base that is not the state any more ---- */

/* The store's own commits move rows while a transaction is open: what it replaces is looked up
 * again. */
static int kill_again(struct prepared *p, struct txn_part *part, struct state_resource *now,
		      struct kill *k, bool *gone)
{
	const struct txn_row *row = &part->rows[k->row];
	struct bytes id = bytes_of(part->ids.data + row->id_at, row->id_len);
	struct found found;

	*gone = false;
	for (size_t i = 0; now && i < now->count; i++)
		if (now->segments[i].segment == k->segment)
			return 0;
	int rc = lookup(p->s, now, id, true, &found);
	if (rc == 1)
		*k = (struct kill){found.entry->segment, found.ordinal, found.row.flags, k->row};
	*gone = rc == 0;
	return rc < 0 ? why_set(&p->why, rc, "cannot read the segments of %s: %s", part->name,
				err_name(rc))
		      : 0;
}

static int rebase(struct prepared *p, struct txn_part *part, struct state_resource *now)
{
	for (size_t n = 0; n < STEP_LOOKUPS && p->at < part->kills_count; n++) {
		bool gone;
		int rc = kill_again(p, part, now, &part->kills[p->at], &gone);
		if (rc)
			return rc;
		if (gone)
			part->kills[p->at] = part->kills[--part->kills_count];
		else
			p->at++;
	}
	if (p->at < part->kills_count)
		return 0;
	p->at = 0;
	if (now)
		now->refs++;
	resource_unref(part->base, store_segment_end, p->s);
	part->base = now;
	return 0;
}

/* ---- the stages: each says what comes next; 0 or an error ---- */

/* 1,000 of these take about as long as a row of a fold. */
#define STEP_KILLS 4096u
#define STEP_ROWS  4096u

static int stage_next(struct prepared *p)
{
	do
		p->part = p->part ? p->part->next : p->t->parts;
	while (p->part && !prepare_changes(p, p->part));
	p->stage = p->part ? PREPARE_PACK : PREPARE_END;
	return 0;
}

static int stage_pack(struct prepared *p)
{
	int rc = part_pack(p->t, p->part);

	if (rc == 0)
		p->stage = PREPARE_BUILD;
	return rc < 0 ? prepare_nomem(p) : 0;
}

static int stage_build(struct prepared *p)
{
	struct txn_part *part = p->part;

	/* What is in memory is packed anew; what the transaction has packed already cannot be. */
	if (!part->dictionary_new && part->count == 0 &&
	    !dictionary_trusted(p->s->dictionaries, part->dictionary))
		part->dictionary = 0;
	p->r = part->base ? resource_clone(part->base) : resource_new(part->name);
	if (!p->r)
		return prepare_nomem(p);
	/* There may be a newer one than when the transaction began. None: the current one is lost. */
	if (part->dictionary == 0)
		p->r->dictionary = 0;
	int rc = part->dictionary_new ? dictionary_write(p, part, p->r) : 0;
	if (!rc)
		rc = coverage_set(p, part, p->r);
	p->at = 0;
	p->stage = PREPARE_KILLS;
	return rc;
}

static int stage_kills(struct prepared *p)
{
	const struct txn_part *part = p->part;
	struct state_resource *r = p->r;
	size_t at = 0;

	for (size_t n = 0; n < STEP_KILLS && p->at < part->kills_count; n++, p->at++) {
		const struct kill *k = &part->kills[p->at];
		for (size_t i = 0; i < r->count && r->segments[at].segment != k->segment; i++)
			at = at + 1 < r->count ? at + 1 : 0;
		if (entry_own_dead(&r->segments[at]))
			return prepare_nomem(p);
		entry_kill(&r->segments[at], k->ordinal, k->flags);
	}
	if (p->at < part->kills_count)
		return 0;
	p->at = p->segment = 0;
	p->stage = PREPARE_RETAIN;
	return 0;
}

/* Which files come along. */
static int fold_start(struct prepared *p)
{
	const struct txn_part *part = p->part;
	struct state_resource *r = p->r;

	p->stage = PREPARE_FOLD;
	enum fold_how how = p->journaled                       ? FOLD_MEMORY
			    : p->internal || p->s->journal_max ? FOLD_FLUSH
							       : FOLD_FILES;
	if (fold_begin(p->s, &p->fold, r, how, part->count - part->dropped))
		return prepare_nomem(p);
	return fold_repacks(p->s, &p->fold, part->dictionary) && part_packer(p->t, p->part)
		       ? prepare_nomem(p)
		       : 0;
}

/* Rows of the segment that lie before the time; p->at goes behind them, or to the end of the slice.
 * What cannot be read because it is damaged is dropped with its segment. 1: there are more. */
static int retain_rows(struct prepared *p, struct state_segment *e, int64_t before_ms)
{
	struct segment *g = e->segment;
	uint32_t hint = 0;
	struct row row;

	if (p->at < g->meta.untimed)
		p->at = g->meta.untimed;
	if (entry_own_dead(e))
		return prepare_nomem(p);
	for (size_t n = 0; p->at < g->meta.records; n++, p->at++) {
		if (n == STEP_RETAIN)
			return 1;
		int rc = segment_row(g, p->s->pages, (uint32_t)p->at, &hint, &row);
		if (rc == ERR_CORRUPT)
			return 0;
		if (rc)
			return why_set(&p->why, rc, "cannot read the segments of %s: %s",
				       g->resource, err_name(rc));
		if (row.created_ms >= before_ms)
			return 0;
		entry_kill(e, (uint32_t)p->at, row.flags);
	}
	return 0;
}

static int stage_retain(struct prepared *p)
{
	int64_t before_ms = p->part->retain_ms;
	struct state_resource *r = p->r;

	if (before_ms != TIME_MIN && p->part->retain_how != RETAIN_ROWS) {
		int rc = retain_step(p);
		return rc == 1 ? 0 : rc ? rc : fold_start(p);
	}
	while (before_ms != TIME_MIN && p->segment < r->count) {
		struct state_segment *e = &r->segments[p->segment];
		const struct range *created = &e->segment->meta.ranges[RANGE_CREATED];
		bool some = created->min != TIME_NONE && created->min < before_ms;
		if (some && e->segment->meta.untimed == 0 && created->max < before_ms) {
			resource_drop_segment(r, p->segment, store_segment_end, p->s);
			continue;
		}
		int rc = some ? retain_rows(p, e, before_ms) : 0;
		if (rc)
			return rc < 0 ? rc : 0;
		p->segment++;
		p->at = 0;
	}
	return fold_start(p);
}

static int stage_fold(struct prepared *p)
{
	int rc = fold_step(p->s, &p->fold, p->r, p->part->dictionary, p->part->packer);

	if (rc == 0)
		p->stage = PREPARE_GATHER;
	return rc < 0 ? why_set(&p->why, rc, "cannot read the segments of %s: %s", p->r->name,
				err_name(rc))
		      : 0;
}

/* Rows come from the transaction, those behind them from what was folded in. */
static void unsorted_key(const void *ctx, uint32_t which, struct sort_key *out)
{
	const struct prepared *p = ctx;
	size_t own = p->part->count;

	segment_row_key(which < own ? &p->part->rows[which].row : &p->fold.rows[which - own].row, out);
}

static struct segment_row row_of(const struct prepared *p, uint32_t which)
{
	const struct txn_part *part = p->part;

	if (which >= part->count)
		return p->fold.rows[which - part->count];
	const struct txn_row *r = &part->rows[which];
	return (struct segment_row){.row = r->row,
				    .frame = part->packed.data + r->at,
				    .place = {p->fold.sources_count - 1, r->extract}};
}

/* The rows of the transaction that were not replaced within it, and those folded in. */
static int gather(struct prepared *p)
{
	const struct txn_part *part = p->part;
	uint32_t most = (uint32_t)(part->count - part->dropped) + p->fold.count, n = 0;

	if (sort_init(&p->sort, most))
		return prepare_nomem(p);
	for (size_t i = 0; i < part->count; i++)
		if (!part->rows[i].dropped)
			p->sort.order[n++] = (uint32_t)i;
	for (uint32_t i = 0; i < p->fold.count; i++)
		p->sort.order[n++] = (uint32_t)part->count + i;
	p->fold.sources[p->fold.sources_count++].extract = &part->extract;
	p->plan = (struct segment_plan){.resource = p->r->name,
					.window_ms = p->s->window_ms,
					.schema = part->extract.schema,
					.sources = p->fold.sources,
					.sources_count = p->fold.sources_count,
					.pages = p->s->pages};
	sort_reset(&p->sort, unsorted_key, p);
	p->rows_count = p->sort.count = most;
	p->stage = PREPARE_SORT;
	return 0;
}

static bool compacts(const struct prepared *p, const struct txn_part *part)
{
	return strcmp(p->compact, part->name) == 0;
}

static int part_over(struct prepared *p)
{
	if (state_set(p->next, p->r, store_segment_end, p->s))
		return prepare_nomem(p);
	p->r = NULL;
	fold_release(&p->fold);
	free(p->rows);
	sort_release(&p->sort);
	p->rows = NULL;
	p->stage = PREPARE_NEXT;
	return 0;
}

/* What the commit brings is written; now what it moved takes its place. */
static int rows_over(struct prepared *p)
{
	if (!compacts(p, p->part))
		return part_over(p);
	p->at = p->segment = 0;
	p->stage = PREPARE_REPLACE;
	return 0;
}

static int stage_replace(struct prepared *p)
{
	int rc = prepare_replace(p);

	if (rc)
		return rc == 1 ? 0 : rc;
	drop_empty(p, p->r); /* dictionaries, too */
	return part_over(p);
}

static int stage_gather(struct prepared *p)
{
	bool drops = !p->journaled && (!p->internal || p->quarantine);
	int rc = drops ? drop_damaged(p, p->r) : 0;

	drop_empty(p, p->r);
	if (rc)
		return rc;
	if (!p->journaled && has_memory(p->r))
		return why_set(&p->why, ERR_CORRUPT, "journaled records of %s cannot be read",
			       p->r->name);
	return p->part->count > p->part->dropped || p->fold.count ? gather(p) : rows_over(p);
}

static int stage_sort(struct prepared *p)
{
	if (sort_step(&p->sort))
		return 0;
	p->rows = malloc(p->rows_count * sizeof *p->rows);
	if (!p->rows)
		return prepare_nomem(p);
	p->at = p->start = 0;
	p->stage = PREPARE_ORDER;
	return 0;
}

static int stage_order(struct prepared *p)
{
	for (size_t n = 0; n < STEP_ROWS && p->at < p->rows_count; n++, p->at++)
		p->rows[p->at] = row_of(p, p->sort.order[p->at]);
	if (p->at < p->rows_count)
		return 0;
	fold_forget_rows(&p->fold);
	sort_release(&p->sort);
	p->stage = PREPARE_SEGMENT;
	return 0;
}

/* One segment, or as many as the limits of one demand, by creation time. */
static uint32_t segment_end_row(const struct prepared *p)
{
	uint64_t bytes = 0;
	uint32_t end = p->start;

	while (end < p->rows_count && end - p->start < SEGMENT_RECORDS_MAX &&
	       (end == p->start || bytes + p->rows[end].row.frame_bytes <= SEGMENT_DATA_MAX))
		bytes += p->rows[end++].row.frame_bytes;
	return end;
}

static int stage_segment(struct prepared *p)
{
	struct segment_row *rows = p->rows + p->start;
	uint32_t count = segment_end_row(p) - p->start;

	if (count == 0)
		return rows_over(p);
	p->meta = (struct segment_meta){.number = p->s->next_file++,
					.dictionary = p->part->dictionary};
	p->start += count;
	return prepare_segment(p, p->r->name, rows, count);
}

/* The file is written, or cannot be. */
static int segment_over(struct prepared *p, int rc)
{
	struct state_segment e = {.tombstones = p->meta.tombstones, .truncated = p->meta.truncated};
	struct state_resource *r = p->merging ? p->moved : p->r;
	char *path = p->path;

	segment_writer_release(&p->writer);
	p->writing = false;
	p->path = NULL;
	if (p->journaled) {
		if (rc) {
			buf_release(&p->out.image);
			return prepare_nomem(p);
		}
		e.segment = segment_new_memory(r->name, &p->meta, p->out.image.data);
	} else {
		rc = prepare_written(p, &p->out, path, rc);
		if (rc)
			return rc;
		e.segment = segment_new(r->name, &p->meta, segment_path(p->s->dir, r->name, &p->meta));
	}
	if (!e.segment || resource_add_segment(r, e)) {
		segment_free(e.segment, p->s->pages);
		return prepare_nomem(p);
	}
	p->stage = p->merging ? PREPARE_MERGE : PREPARE_SEGMENT;
	return 0;
}

static int stage_write(struct prepared *p)
{
	int rc = segment_writer_step(&p->writer);

	return rc == 1 ? 0 : segment_over(p, rc);
}

/* ---- prepare ---- */

static int marks_apply(struct prepared *p)
{
	for (size_t i = 0; i < p->t->marks_count; i++) {
		const struct mark *m = p->t->marks[i];
		int rc = state_mark(p->next, mark_key(m),
				    m->removes ? bytes_of(NULL, 0) : mark_value(m));
		if (rc == ERR_LIMIT)
			return why_set(&p->why, rc, "a store holds at most %u marks", STATE_MARKS_MAX);
		if (rc)
			return prepare_nomem(p);
	}
	return 0;
}

static int manifest_write(struct prepared *p)
{
	struct buf file = {.max = MANIFEST_BYTES_MAX};
	char *path = strdup(p->manifest_tmp);

	manifest_encode(p->next, &file);
	if (!file.error)
		p->manifest_sum = le32(file.data + 12);
	int rc = prepare_file(p, path, &file);
	buf_release(&file);
	return rc;
}

/* All parts are in the next state. */
static int prepare_end(struct prepared *p)
{
	struct store *s = p->s;
	int rc = marks_apply(p);

	if (rc)
		return rc;
	/* What moves rows only is no change; a transaction that is open meanwhile has the next. */
	if (!p->internal)
		p->next->revision = p->t->revision > s->state->revision + 1 ? p->t->revision - 1
									    : s->state->revision + 1;
	if (s->dirty) /* no two manifests may be alike: a journal would be of both */
		s->next_file++;
	p->next->next_file = s->next_file;
	return p->journaled ? 0 : manifest_write(p);
}

static size_t memory_bytes(const struct store *s, size_t *records_out)
{
	size_t bytes = 0;

	*records_out = 0;
	for (size_t i = 0; i < s->state->resources_count; i++) {
		const struct state_resource *r = s->state->resources[i];
		for (size_t j = 0; j < r->count; j++)
			if (segment_in_memory(r->segments[j].segment)) {
				bytes += r->segments[j].segment->meta.bytes;
				*records_out += r->segments[j].segment->meta.records;
			}
	}
	return bytes;
}

/* Without terms and columns, which the journal does not have. */
static size_t packed_bytes(const struct txn *t)
{
	size_t n = 0;

	for (const struct txn_part *part = t->parts; part; part = part->next)
		n += part_bytes(part);
	return n;
}

static bool journal_takes(const struct store *s, const struct txn *t)
{
	size_t records, n = txn_records(t);

	if (s->journal_max == 0 || s->dirty || s->renew || s->manifest_sum == 0 ||
	    packed_bytes(t) > JOURNAL_TXN_BYTES_MAX || n > JOURNAL_TXN_RECORDS_MAX)
		return false;
	size_t bytes = txn_bytes(t) + memory_bytes(s, &records);
	return bytes <= s->journal_max && records + n <= JOURNAL_RECORDS_MAX &&
	       s->journal.total <= s->journal_max * 4;
}

/* The journal takes what is small and needs no new dictionary. */
static bool goes_to_journal(const struct prepared *p)
{
	if (!journal_takes(p->s, p->t))
		return false;
	for (const struct txn_part *part = p->t->parts; part; part = part->next) {
		if (part->dictionary_new || part->forgets || part_trains(part) ||
		    part->retain_ms != TIME_MIN ||
		    part->dictionary != (part->base ? part->base->dictionary : 0))
			return false;
		for (size_t i = 0; part->base && i < part->base->count; i++)
			if (part->base->segments[i].segment->damaged)
				return false;
	}
	return true;
}

static int prepare_open(struct prepared *p)
{
	struct store *s = p->s;
	int rc = p->internal && !p->quarantine ? 0 : parts_for_damage(p);

	if (rc)
		return rc;
	p->stage = PREPARE_NEXT;
	p->changed |= s->dirty || s->renew || marks_changed(p->t);
	for (const struct txn_part *part = p->t->parts; part; part = part->next)
		p->changed |= part_changed(part);
	if (!p->changed) {
		p->stage = PREPARE_END;
		return 0;
	}
	rc = p->replayed ? 0 : purge_note(p->t);
	if (!rc && !p->replayed)
		rc = prepare_room(p, 0);
	if (rc)
		return rc;
	p->journaled = p->replayed || (!p->internal && goes_to_journal(p));
	rc = p->journaled ? 0 : parts_for_memory(p);
	if (!rc && p->compact[0])
		rc = txn_part(p->t, p->compact, &p->part, &p->why);
	p->part = NULL;
	if (rc)
		return rc;
	if (asprintf(&p->manifest, "%s/MANIFEST", s->dir) < 0)
		p->manifest = NULL;
	if (asprintf(&p->manifest_tmp, "%s/MANIFEST.tmp", s->dir) < 0)
		p->manifest_tmp = NULL;
	p->next = p->manifest && p->manifest_tmp ? state_clone(s->state) : NULL;
	return p->next ? 0 : prepare_nomem(p);
}

static int stage_rebase(struct prepared *p)
{
	for (struct txn_part *part = p->t->parts; part; part = part->next) {
		struct state_resource *now = state_find(p->s->state, part->name);
		if (now != part->base)
			return rebase(p, part, now);
	}
	return prepare_open(p);
}

int prepare_step(struct prepared *p)
{
	static int (*const stages[])(struct prepared * p) = {
		[PREPARE_REBASE] = stage_rebase,   [PREPARE_NEXT] = stage_next,
		[PREPARE_PACK] = stage_pack,       [PREPARE_BUILD] = stage_build,
		[PREPARE_KILLS] = stage_kills,     [PREPARE_RETAIN] = stage_retain,
		[PREPARE_FOLD] = stage_fold,       [PREPARE_GATHER] = stage_gather,
		[PREPARE_SORT] = stage_sort,       [PREPARE_ORDER] = stage_order,
		[PREPARE_SEGMENT] = stage_segment, [PREPARE_WRITE] = stage_write,
		[PREPARE_CHOOSE] = prepare_choose, [PREPARE_MERGE] = prepare_merge,
		[PREPARE_REPLACE] = stage_replace,
	};

	if (p->stage == PREPARE_END)
		return p->changed ? prepare_end(p) : 0;
	int rc = stages[p->stage](p);
	return rc ? rc : 1;
}

void prepared_close(struct prepared *p)
{
	if (p->writing) { /* the segment that was being written */
		struct why first = p->why;
		segment_over(p, ERR_CANCELED);
		p->why = first;
	}
	for (size_t i = 0; i < p->count; i++)
		if (p->syncs[i].fd >= 0) {
			close(p->syncs[i].fd);
			p->syncs[i].fd = -1;
		}
}

void prepared_release(struct prepared *p)
{
	prepared_close(p);
	fold_release(&p->fold);
	prepare_merge_release(p);
	free(p->rows);
	sort_release(&p->sort);
	resource_unref(p->r, store_segment_end, p->s);
	state_unref(p->next, store_segment_end, p->s);
	for (size_t i = 0; i < p->count; i++)
		free(p->syncs[i].path);
	free(p->syncs);
	free(p->gone);
	free(p->manifest);
	free(p->manifest_tmp);
	free(p->bad);
}
