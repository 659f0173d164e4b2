/*
 * prepare: the first half of a commit: the next state, built beside the current one, and its files,
 * written but not synced.
 *
 * For each resource: replaced rows die -> a new dictionary is written -> small segments are folded
 * in -> damaged and empty ones are dropped -> the new segment is written; at the end the manifest,
 * under another name. It must never touch what the current state names.
 */
#include "prepare.h"
#include "fold.h"
#include "manifest.h"
#include "out.h"
#include "repair.h"

#include <base/files.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int prepare_nomem(struct prepared *p)
{
	return why_set(&p->why, ERR_NOMEM, "out of memory in a commit");
}

/* ---- what must be synced ---- */

static int sync_add(struct prepared *p, char *path, int fd, bool made)
{
	if (p->count == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 8;
		struct sync *grown = realloc(p->syncs, cap * sizeof *grown);
		if (!grown) {
			close(fd);
			if (made)
				store_discard(p->s, path);
			else
				free(path);
			return prepare_nomem(p);
		}
		p->syncs = grown;
		p->cap = cap;
	}
	p->syncs[p->count++] = (struct sync){path, fd, made};
	return 0;
}

/* Takes the path. */
static int sync_folder(struct prepared *p, char *path)
{
	if (!path)
		return prepare_nomem(p);
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->syncs[i].path, path) == 0) {
			free(path);
			return 0;
		}
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return sync_add(p, path, fd, false);
	int rc = why_errno(&p->why, "cannot open the folder %s", path);
	free(path);
	return rc;
}

/* The folder of a new file: made when missing. Its own name must be durable, too; once that is
 * known it is not synced again. */
static int folder_make(struct prepared *p, const char *resource, const char *folder)
{
	char *path, *above;
	struct store *s = p->s;

	if (asprintf(&path, "%s/%s/%s", s->dir, resource, folder) < 0)
		return prepare_nomem(p);
	int rc = dir_make(path, 0700, &p->why);
	if (rc) {
		free(path);
		return rc;
	}
	rc = sync_folder(p, path);
	for (size_t i = 0; !rc && i < STORE_RESOURCES_MAX; i++)
		if (strcmp(s->durable[i].resource, resource) == 0 &&
		    strcmp(s->durable[i].folder, folder) == 0)
			return 0;
	if (!rc && asprintf(&above, "%s/%s", s->dir, resource) < 0)
		rc = prepare_nomem(p);
	else if (!rc)
		rc = sync_folder(p, above);
	return rc ? rc : sync_folder(p, strdup(s->dir));
}

/* Ends the writing of a file: takes path and descriptor over. */
static int file_written(struct prepared *p, struct out *o, char *path, int rc)
{
	if (!rc)
		rc = out_flush(o);
	if (rc)
		why_set(&p->why, rc,
			rc == ERR_NOSPACE ? "cannot write %s: the disk is full" : "cannot write %s: %s",
			path, err_name(rc));
	int fd = out_release(o), added = sync_add(p, path, fd, true);
	return rc ? rc : added;
}

static int write_whole(struct prepared *p, char *path, const struct buf *data)
{
	struct out o;
	int rc;

	if (!path)
		return prepare_nomem(p);
	rc = data->error ? prepare_nomem(p) : out_open(&o, &p->s->hooks, path, &p->why);
	if (rc) {
		free(path);
		return rc;
	}
	out_put(&o, data->data, data->len);
	return file_written(p, &o, path, 0);
}

/* ---- segments ---- */

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
	rc = sync_folder(p, above);
	dictionary_encode(buf_bytes(&part->dictionary_bytes), &file);
	if (!rc)
		rc = sync_folder(p, strdup(p->s->dir));
	if (!rc)
		rc = write_whole(p, dictionary_path(p->s->dir, r->name, part->dictionary), &file);
	buf_release(&file);
	if (!rc && resource_add_dictionary(r, part->dictionary, (uint32_t)part->dictionary_bytes.len))
		rc = prepare_nomem(p);
	r->dictionary = part->dictionary;
	return rc;
}

static int segment_make(struct prepared *p, struct state_resource *r, uint64_t dictionary,
			const struct segment_plan *plan, struct segment_row *rows, uint32_t count)
{
	struct segment_meta m = {.number = p->s->next_file++, .dictionary = dictionary};
	struct state_segment e = {0};
	struct out o;
	char *path;

	segment_folder(segment_rows_start(rows, count), p->s->window_ms, m.folder);
	int rc = folder_make(p, r->name, m.folder);
	if (rc)
		return rc;
	path = segment_path(p->s->dir, r->name, &m);
	if (!path)
		return prepare_nomem(p);
	rc = out_open(&o, &p->s->hooks, path, &p->why);
	if (rc) {
		free(path);
		return rc;
	}
	rc = segment_write(&o, plan, rows, count, &m);
	rc = file_written(p, &o, path, rc);
	if (rc)
		return rc;
	e = (struct state_segment){segment_new(r->name, &m, segment_path(p->s->dir, r->name, &m)),
				   NULL, m.tombstones, m.truncated};
	if (e.segment && !resource_add_segment(r, e))
		return 0;
	segment_free(e.segment, p->s->pages);
	return prepare_nomem(p);
}

/* One segment, or as many as the limits of one demand, by creation time. */
static int segments_make(struct prepared *p, struct state_resource *r, uint64_t dictionary,
			 const struct segment_plan *plan, struct segment_row *rows, uint32_t count)
{
	uint32_t start = 0;
	int rc = 0;

	segment_sort(rows, count);
	while (!rc && start < count) {
		uint64_t bytes = 0;
		uint32_t end = start;
		while (end < count && end - start < SEGMENT_RECORDS_MAX &&
		       (end == start || bytes + rows[end].row.frame_bytes <= SEGMENT_DATA_MAX))
			bytes += rows[end++].row.frame_bytes;
		rc = segment_make(p, r, dictionary, plan, rows + start, end - start);
		start = end;
	}
	return rc;
}

/* The rows of the transaction that were not replaced within it, and those folded in. */
static int rows_write(struct prepared *p, const struct txn_part *part, struct state_resource *r,
		      const struct fold *f)
{
	struct segment_source *sources = malloc((f->sources_count + 1u) * sizeof *sources);
	struct segment_row *rows = malloc((part->count - part->dropped + f->count + 1) * sizeof *rows);
	uint32_t count = 0;
	int rc;

	if (rows && sources) {
		for (size_t i = 0; i < part->count; i++)
			if (!part->rows[i].dropped)
				rows[count++] = (struct segment_row){
					part->rows[i].row, part->packed.data + part->rows[i].at,
					f->sources_count, part->rows[i].extract};
		if (f->count)
			memcpy(rows + count, f->rows, f->count * sizeof *rows);
		if (f->sources_count)
			memcpy(sources, f->sources, f->sources_count * sizeof *sources);
		sources[f->sources_count] = (struct segment_source){&part->extract, NULL};
		const struct segment_plan plan = {.resource = r->name,
						  .window_ms = p->s->window_ms,
						  .schema = part->extract.schema,
						  .sources = sources,
						  .sources_count = f->sources_count + 1,
						  .pages = p->s->pages};
		rc = segments_make(p, r, part->dictionary, &plan, rows, count + f->count);
	} else {
		rc = prepare_nomem(p);
	}
	free(rows);
	free(sources);
	return rc;
}

/* ---- the next state of one resource ---- */

static int kills_apply(struct prepared *p, const struct txn_part *part, struct state_resource *r)
{
	size_t at = 0;

	for (size_t i = 0; i < part->kills_count; i++) {
		const struct kill *k = &part->kills[i];
		for (size_t n = 0; n < r->count && r->segments[at].segment != k->segment; n++)
			at = at + 1 < r->count ? at + 1 : 0;
		if (entry_own_dead(&r->segments[at]))
			return prepare_nomem(p);
		entry_kill(&r->segments[at], k->ordinal, k->flags);
	}
	return 0;
}

static int drop_damaged(struct prepared *p, struct state_resource *r)
{
	for (size_t i = r->count; i-- > 0;) {
		struct segment *g = r->segments[i].segment;
		if (!g->damaged)
			continue;
		/* What was known before was withdrawn when the part began. */
		if (!g->damaged_before && repair_withdraw(&g->meta, &r->coverage, &r->damaged))
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

static void drop_empty(struct prepared *p, struct state_resource *r)
{
	for (size_t i = r->count; i-- > 0;)
		if (segment_live(&r->segments[i]) == 0)
			resource_drop_segment(r, i, store_segment_end, p->s);
	for (size_t d = r->dictionaries_count; d-- > 0;) {
		bool used = r->dictionaries[d].number == r->dictionary;
		for (size_t i = 0; !used && i < r->count; i++)
			used = r->segments[i].segment->meta.dictionary == r->dictionaries[d].number;
		if (!used)
			resource_drop_dictionary(r, d);
	}
}

static int coverage_set(struct prepared *p, const struct txn_part *part, struct state_resource *r)
{
	int rc = coverage_copy(&part->coverage, &r->coverage);

	if (!rc)
		rc = intervals_copy(&part->damaged, &r->damaged);
	return rc ? prepare_nomem(p) : 0;
}

static int part_build(struct prepared *p, struct txn_part *part, struct state_resource *r)
{
	struct fold f = {0};
	size_t added = part->count - part->dropped;
	int rc = kills_apply(p, part, r);

	r->dictionary = part->dictionary; /* 0 when the current one is lost */
	if (!rc && part->dictionary_new)
		rc = dictionary_write(p, part, r);
	if (!rc)
		rc = coverage_set(p, part, r);
	if (!rc && added)
		rc = fold_take(p->s, r, part->dictionary, part->packer, added, &f);
	if (rc && !p->why.text[0])
		why_set(&p->why, rc, "cannot read the segments of %s: %s", r->name, err_name(rc));
	if (!rc)
		rc = drop_damaged(p, r);
	drop_empty(p, r);
	if (!rc && added)
		rc = rows_write(p, part, r, &f);
	fold_release(&f);
	return rc;
}

static int part_commit(struct prepared *p, struct txn_part *part)
{
	struct state_resource *r;
	int rc = part_pack(p->t, part, part->count - part->dropped >= GATHER_RECORDS);

	if (rc)
		return prepare_nomem(p);
	r = part->base ? resource_clone(part->base) : resource_new(part->name);
	if (!r)
		return prepare_nomem(p);
	rc = part_build(p, part, r);
	if (!rc && state_set(p->next, r, store_segment_end, p->s))
		rc = prepare_nomem(p);
	if (rc)
		resource_unref(r, store_segment_end, p->s);
	return rc;
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

static bool part_changed(const struct txn_part *part)
{
	for (size_t i = 0; part->base && i < part->base->count; i++)
		if (part->base->segments[i].segment->damaged)
			return true;
	return part->count > part->dropped || part->kills_count || coverage_changed(part);
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
	int rc = write_whole(p, path, &file);
	buf_release(&file);
	return rc;
}

int prepare(struct prepared *p)
{
	struct store *s = p->s;
	bool changed = s->dirty || marks_changed(p->t);
	int rc = parts_for_damage(p);

	if (rc)
		return rc;
	if (asprintf(&p->manifest, "%s/MANIFEST", s->dir) < 0)
		p->manifest = NULL;
	if (asprintf(&p->manifest_tmp, "%s/MANIFEST.tmp", s->dir) < 0)
		p->manifest_tmp = NULL;
	p->next = p->manifest && p->manifest_tmp ? state_clone(s->state) : NULL;
	if (!p->next)
		return prepare_nomem(p);
	for (struct txn_part *part = p->t->parts; !rc && part; part = part->next) {
		if (!part_changed(part))
			continue;
		changed = true;
		rc = part_commit(p, part);
	}
	if (!rc)
		rc = marks_apply(p);
	if (rc || !changed)
		return rc;
	p->next->revision = p->t->revision > s->state->revision + 1 ? p->t->revision - 1
								    : s->state->revision + 1;
	p->next->next_file = s->next_file;
	rc = manifest_write(p);
	return rc ? rc : 1;
}

void prepared_close(struct prepared *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->syncs[i].fd >= 0) {
			close(p->syncs[i].fd);
			p->syncs[i].fd = -1;
		}
}

void prepared_release(struct prepared *p)
{
	prepared_close(p);
	state_unref(p->next, store_segment_end, p->s);
	for (size_t i = 0; i < p->count; i++)
		free(p->syncs[i].path);
	free(p->syncs);
	free(p->manifest);
	free(p->manifest_tmp);
	free(p->bad);
}
