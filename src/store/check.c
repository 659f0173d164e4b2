/*
 * check: reads everything that a state names, from the disk and not from the cache, in slices.
 *
 * The small files first (check_files.c). For each segment: every page, every frame, and whether the indexes say the same as the rows. What
 * is wrong marks the segment (the next commit quarantines it); nothing is changed here.
 */
#include "check.h"
#include "dictionary.h"
#include "repair.h"

#include <base/files.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct store_check *store_check_new(struct store *s)
{
	struct store_check *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->file.fd = -1;
	c->view = snapshot_new(s);
	if (!c->view) {
		free(c);
		return NULL;
	}
	for (size_t i = 0; i < c->view->state->resources_count; i++) {
		const struct state_resource *r = c->view->state->resources[i];
		for (size_t j = 0; j < r->count; j++)
			c->total += r->segments[j].segment->meta.bytes;
	}
	return c;
}

void store_check_free(struct store_check *c)
{
	if (!c)
		return;
	struct store *s = c->view->store;

	check_files_release(c);
	snapshot_free(c->view);
	buf_release(&c->value);
	free(c);
	store_wake(s);
}

void store_check_tell(struct store_check *c, store_check_found *found, void *ctx)
{
	c->found = found;
	c->found_ctx = ctx;
}

void store_check_read(const struct store_check *c, uint64_t *files_out, uint64_t *bytes_out)
{
	*files_out = c->files;
	*bytes_out = c->bytes;
}

/* ---- dictionaries ---- */

static void segment_wrong(struct store_check *c, const struct segment *g, const char *words)
{
	const struct store *s = c->view->store;
	bool memory = segment_in_memory(g);

	check_found(c, &(struct store_damage){
			       .file = memory ? "(memory)" : g->file.path + strlen(s->dir) + 1,
			       .resource = g->resource,
			       .words = words,
			       .span = repair_span(&g->meta, snapshot_coverage(c->view, g->resource)),
			       .records = g->meta.records,
			       .action = g->damaged ? STORE_QUARANTINES : STORE_LEAVES,
		       });
}

/* What a commit has taken away since the check began is not looked for. */
static bool dictionary_wanted(const struct store_check *c, const char *resource, uint64_t number)
{
	const struct state_resource *now = state_find(c->view->store->state, resource);

	for (size_t i = 0; now && i < now->dictionaries_count; i++)
		if (now->dictionaries[i].number == number)
			return true;
	return false;
}

static void check_dictionary(struct store_check *c, const struct state_resource *r, uint64_t number)
{
	struct store *s = c->view->store;
	char *path = dictionary_path(s->dir, r->name, number);
	const char *wrong = path ? check_dictionary_file(c, path) : NULL;

	c->no_memory |= !path;
	if (wrong && dictionary_wanted(c, r->name, number)) {
		dictionary_distrust(s->dictionaries, number);
		check_found(c, &(struct store_damage){
				       .file = path + strlen(s->dir) + 1,
				       .resource = r->name,
				       .words = wrong,
				       .span = {TIME_NONE, TIME_NONE, TIME_NONE},
				       .action = STORE_QUARANTINES,
			       });
		for (size_t i = 0; i < r->count; i++)
			if (r->segments[i].segment->meta.dictionary == number &&
			    !segment_in_memory(r->segments[i].segment)) {
				r->segments[i].segment->damaged = true;
				segment_wrong(c, r->segments[i].segment,
					      "the dictionary that packed it is damaged");
			}
	}
	free(path);
}

/* ---- one segment; each answers 1 with something done, 0 at the end of its phase, or an error ----
 * */

static int check_page(struct store_check *c, struct segment *g, size_t *cost)
{
	struct pages *p = c->view->store->pages;
	uint32_t last = (uint32_t)(g->meta.bytes / SEGMENT_PAGE);
	uint8_t page[SEGMENT_PAGE];
	int rc = segment_load(g, p);

	if (rc)
		return rc;
	if (c->at == 1) /* the data area has no pages of its own */
		c->at = g->sections[0].first_page;
	if (c->at >= last)
		return 0;
	rc = page_file_read(p, &g->file, page, sizeof page, (uint64_t)c->at * SEGMENT_PAGE);
	if (!rc && le32(page + SEGMENT_PAGE_ROOM) != page_sum(page, c->at))
		rc = ERR_CORRUPT;
	*cost = SEGMENT_PAGE;
	c->at++;
	return rc ? segment_note(g, rc) : 1;
}

static bool in_order(int64_t a_time, uint64_t a_hash, int64_t b_time, uint64_t b_hash)
{
	return a_time != b_time ? a_time < b_time : a_hash <= b_hash;
}

static int check_row(struct store_check *c, struct segment *g, size_t *cost)
{
	struct store *s = c->view->store;
	struct row row = {0};

	if (c->at >= g->meta.records)
		return 0;
	int rc = segment_row(g, s->pages, c->at, &c->hints[0], &row);
	if (!rc && c->at &&
	    !in_order(c->before.created_ms, c->before.id_hash, row.created_ms, row.id_hash))
		rc = ERR_CORRUPT;
	if (!rc)
		rc = segment_frame(g, s->pages, &row, &s->frame);
	if (!rc && segment_may_hold(g, s->pages, row.id_hash) != 1)
		rc = ERR_CORRUPT;
	c->before = row;
	*cost = row.frame_bytes + 64;
	c->at++;
	return rc ? segment_note(g, rc) : 1;
}

static int check_child(struct store_check *c, struct segment *g)
{
	struct store *s = c->view->store;
	const struct child *before = &c->child_before;
	struct child child;
	struct row row;
	int rc = segment_child(g, s->pages, c->at, &c->hints[0], &child);

	if (!rc)
		rc = segment_row(g, s->pages, child.ordinal, &c->hints[3], &row);
	if (rc)
		return rc;
	bool ordered = child.parent_hash != before->parent_hash
			       ? child.parent_hash > before->parent_hash
			       : in_order(before->created_ms, before->id_hash, child.created_ms,
					  child.id_hash);
	rc = segment_may_have_children(g, s->pages, child.parent_hash);
	if (rc < 0)
		return rc;
	if (rc == 0 || (c->at && !ordered) || row.parent_hash != child.parent_hash ||
	    row.created_ms != child.created_ms || row.id_hash != child.id_hash)
		return ERR_CORRUPT;
	c->child_before = child;
	return 0;
}

static int check_change(struct store_check *c, struct segment *g)
{
	struct store *s = c->view->store;
	uint32_t ordinal;
	struct row row;
	int rc = segment_change(g, s->pages, c->at, &c->hints[0], &ordinal);

	if (!rc)
		rc = segment_row(g, s->pages, ordinal, &c->hints[3], &row);
	if (rc)
		return rc;
	if (c->at && row.revision < c->revision_before)
		return ERR_CORRUPT;
	c->revision_before = row.revision;
	return 0;
}

static int check_index(struct store_check *c, struct segment *g, size_t *cost)
{
	struct store *s = c->view->store;
	struct row row;
	uint64_t hash = 0;
	uint32_t ordinal = 0;
	int64_t updated = 0;

	if (c->at >= g->meta.records)
		return 0;
	int rc = segment_id(g, s->pages, c->at, &c->hints[1], &hash, &ordinal);
	if (!rc)
		rc = segment_row(g, s->pages, ordinal, &c->hints[3], &row);
	if (!rc && (row.id_hash != hash || (c->at && hash < c->hash_before)))
		rc = ERR_CORRUPT;
	c->hash_before = hash;
	if (!rc)
		rc = segment_updated(g, s->pages, c->at, &c->hints[2], &updated, &ordinal);
	if (!rc)
		rc = segment_row(g, s->pages, ordinal, &c->hints[3], &row);
	if (!rc && (row.updated_ms != updated || (c->at && updated < c->updated_before)))
		rc = ERR_CORRUPT;
	c->updated_before = updated;
	if (!rc && c->at < g->sections[SECTION_PARENTS].elements)
		rc = check_child(c, g);
	if (!rc && c->at < g->sections[SECTION_CHANGES].elements)
		rc = check_change(c, g);
	*cost = 64;
	c->at++;
	return rc ? segment_note(g, rc) : 1;
}

/* The values of one row; its id is the row's. */
static int check_columns(struct store_check *c, struct segment *g, size_t *cost)
{
	struct store *s = c->view->store;
	uint32_t fields = g->sections[SECTION_FIELDS].elements;
	struct column column;
	int rc = 0;

	if (c->at == 0)
		memset(c->columns, 0, sizeof c->columns);
	if (c->at >= g->meta.records || fields == 0)
		return 0;
	for (uint32_t i = 0; !rc && i < fields; i++) {
		rc = segment_column(g, s->pages, i, &column);
		if (!rc && column.form != FORM_NONE)
			rc = column_value(g, s->pages, i, c->at, &c->columns[i], &c->value);
	}
	*cost = 16 * (size_t)fields;
	c->at++;
	return rc ? segment_note(g, rc) : 1;
}

/* The rows of one term, in their order. */
static int check_term(struct store_check *c, struct segment *g, size_t *cost)
{
	uint32_t ordinal = 0, before = 0;

	if (c->at == 0)
		term_cursor_init(&c->terms, g, c->view->store->pages);
	c->at = 1;
	int rc = term_cursor_next(&c->terms);
	for (uint32_t i = 0; rc == 1 && i < c->terms.list.count; i++) {
		rc = posting_at(&c->terms.list, i, &ordinal);
		if (!rc && i && ordinal <= before)
			rc = segment_note(g, ERR_CORRUPT);
		rc = rc ? rc : 1;
		before = ordinal;
	}
	*cost = 32 + c->terms.list.count;
	return rc;
}

static int check_slice(struct store_check *c, struct segment *g, size_t *cost)
{
	switch (c->phase) {
	case PHASE_PAGES: return check_page(c, g, cost);
	case PHASE_ROWS: return check_row(c, g, cost);
	case PHASE_INDEXES: return check_index(c, g, cost);
	case PHASE_COLUMNS: return check_columns(c, g, cost);
	default: return check_term(c, g, cost);
	}
}

static const char *what_is_wrong(struct segment *g, enum check_phase phase, int rc)
{
	static const char *const words[] = {
		[PHASE_PAGES] = "a page of it is damaged",
		[PHASE_ROWS] = "a record is damaged, or the rows are not in their order",
		[PHASE_INDEXES] = "an index disagrees with the rows",
		[PHASE_COLUMNS] = "a column is damaged",
		[PHASE_TERMS] = "the terms are damaged",
	};
	struct stat st;

	if (segment_in_memory(g))
		return words[phase];
	bool missing = lstat(g->file.path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR);
	if (missing || (uint64_t)st.st_size != g->file.bytes) {
		g->damaged = true;
		return missing ? "it is missing" : "it has another length";
	}
	return rc == ERR_CORRUPT ? words[phase] : "it cannot be read";
}

/* To the next phase, or with what is wrong to the next segment. */
static void check_advance(struct store_check *c, struct segment *g, int rc)
{
	/* Told with its dictionary. */
	bool known = rc >= 0 && !segment_in_memory(g) &&
		     !dictionary_trusted(c->view->store->dictionaries, g->meta.dictionary);

	if (rc == ERR_NOMEM) {
		c->no_memory = true;
		return;
	}
	if (rc < 0)
		segment_wrong(c, g, what_is_wrong(g, c->phase, rc));
	c->at = 0;
	memset(c->hints, 0, sizeof c->hints);
	if (rc == 0 && c->phase != PHASE_TERMS && !known) {
		c->phase++;
		return;
	}
	c->done += g->meta.bytes;
	c->files += !segment_in_memory(g);
	c->bytes += segment_in_memory(g) ? 0 : g->meta.bytes;
	c->phase = PHASE_PAGES;
	c->segment++;
}

static size_t check_dictionaries(struct store_check *c, const struct state_resource *r)
{
	for (size_t i = 0; i < r->dictionaries_count; i++)
		check_dictionary(c, r, r->dictionaries[i].number);
	c->phase = PHASE_PAGES;
	return r->dictionaries_count * DICTIONARY_MAX;
}

int store_check_step(struct store_check *c, size_t budget, uint64_t *bad_out, double *progress_out)
{
	const struct state *t = c->view->state;
	size_t spent = 0, cost;

	while (!c->no_memory && spent < budget && check_files_step(c, &cost))
		spent += cost;
	while (!c->no_memory && c->stage == STAGE_SEGMENTS && c->resource < t->resources_count &&
	       spent < budget) {
		const struct state_resource *r = t->resources[c->resource];
		if (c->phase == PHASE_DICTIONARIES) {
			spent += check_dictionaries(c, r);
		} else if (c->segment == r->count) {
			c->resource++;
			c->segment = 0;
			c->phase = PHASE_DICTIONARIES;
		} else {
			cost = 16;
			int rc = check_slice(c, r->segments[c->segment].segment, &cost);
			spent += cost;
			if (rc <= 0)
				check_advance(c, r->segments[c->segment].segment, rc);
		}
	}
	*bad_out = c->bad;
	*progress_out = c->total ? (double)c->done / (double)c->total : 1;
	if (c->no_memory)
		return ERR_NOMEM;
	return c->stage != STAGE_SEGMENTS || c->resource < t->resources_count;
}
