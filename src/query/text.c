/*
 * text: see the header. A child that was read is kept until the next, so that its snippet does not read it again.
 */
#include "text.h"

#include <codec/msgpack.h>

#include <stdlib.h>

#define SNIPPET_BYTES 160
#define TEXTS_MAX     62 /* fields of words that a schema can have */
#define READ_UNIT     8192
#define MARKED        8192 /* parents that are remembered while children mark them */
#define CHILD_COST    2

struct texts {
	const struct field *fields[TEXTS_MAX];
	size_t count;
	size_t body; /* the ones from here on are long: what snippets prefer */
};

struct text {
	const struct query_spec *spec;
	const struct search *search;
	struct match *own, *children; /* children: NULL, the resource has none */
	struct texts own_texts, child_texts;
	enum { TEXT_OWN, TEXT_CHILDREN, TEXT_CHOOSE, TEXT_MARK, TEXT_READY } stage;
	bool passes_all;
	uint64_t records; /* of the resource */
	uint64_t at;      /* among the children */
	uint64_t *marked; /* by a parent's hash: one that is sure already */
	struct buf hits, memory, value;
	struct record child; /* that was found last, in `memory` … */
	uint64_t parent;     /* … and its parent; 0: none */
	uint64_t damaged, read;
};

/* Short texts first, then those that are words only. */
static void find_texts(struct snapshot *v, const char *resource, const struct field *fields,
		       struct texts *out)
{
	enum store_kind kind;

	for (int words = 0; words < 2; words++) {
		for (const struct field *f = fields; f && f->name && out->count < TEXTS_MAX; f++)
			if (snapshot_field(v, resource, f, &kind) >= 0 &&
			    kind == (words ? STORE_WORDS : STORE_TEXT))
				out->fields[out->count++] = f;
		if (!words)
			out->body = out->count;
	}
}

int text_open(struct snapshot *v, const struct query_spec *spec, struct text **out)
{
	struct text *t = calloc(1, sizeof *t);
	int rc;

	if (!t)
		return ERR_NOMEM;
	t->spec = spec;
	t->search = spec->text;
	t->records = snapshot_count(v, spec->resource);
	find_texts(v, spec->resource, spec->fields, &t->own_texts);
	rc = match_new(v, spec->resource, spec->text, &t->own);
	if (!rc && spec->child) {
		find_texts(v, spec->child, spec->child_fields, &t->child_texts);
		rc = match_new(v, spec->child, spec->text, &t->children);
	}
	if (rc) {
		text_free(t);
		return rc;
	}
	*out = t;
	return 0;
}

void text_free(struct text *t)
{
	if (!t)
		return;
	match_free(t->own);
	match_free(t->children);
	free(t->marked);
	buf_release(&t->hits);
	buf_release(&t->memory);
	buf_release(&t->value);
	free(t);
}

const struct match *text_match(const struct text *t)
{
	return t->own;
}

bool text_passes_all(const struct text *t)
{
	return t->passes_all;
}

uint64_t text_damaged(const struct text *t)
{
	return t->damaged;
}

uint64_t text_read(const struct text *t)
{
	return t->read;
}

/* ---- a record's words ---- */

/* Calls `each` for the texts of a stored value until it says false. False: damaged. */
static bool each_text(struct bytes value, bool (*each)(void *ctx, struct bytes text), void *ctx)
{
	struct mp_reader r = mp_reader_of(value);
	struct mp_value v;

	if (mp_next(&r, &v) != 1)
		return false;
	if (v.type == MP_STR)
		each(ctx, v.str);
	uint32_t items = v.type == MP_ARRAY ? v.count : 0;
	while (items-- > 0) {
		if (mp_next(&r, &v) != 1)
			return false;
		if (v.type == MP_STR && !each(ctx, v.str))
			return true;
	}
	return true;
}

/* 1: the record has the field, in t->value; 0: it has not; or an error. */
static int value_of(struct text *t, const struct record *r, const struct field *f)
{
	buf_reset(&t->value);
	int rc = r->doc.len ? field_stored(f, r->doc, &t->value) : 0;
	return rc < 0 ? rc : t->value.error ? t->value.error : rc;
}

struct looking {
	const struct search *search;
	uint64_t found;
};

static bool look(void *ctx, struct bytes text)
{
	struct looking *l = ctx;

	search_look(l->search, text, &l->found);
	return true;
}

/* 1, 0 or an error. */
static int holds(struct text *t, const struct texts *texts, const struct record *r)
{
	struct looking l = {t->search, 0};

	for (size_t i = 0; i < texts->count; i++) {
		int rc = value_of(t, r, texts->fields[i]);
		if (rc < 0)
			return rc;
		if (rc && !each_text(buf_bytes(&t->value), look, &l))
			return ERR_CORRUPT;
	}
	return search_holds(t->search, l.found);
}

int text_finds(struct text *t, const struct record *r)
{
	return holds(t, &t->own_texts, r);
}

/* ---- getting ready ---- */

/* Whether asking each row for its children costs less than looking at all children that are found. */
static bool chooses_all(const struct text *t)
{
	const struct query_spec *s = t->spec;
	uint64_t hits = match_rows(t->children), segments = match_segments(t->children);

	if (s->want_total || s->sort || !hits || !t->records)
		return false;
	uint64_t parents = hits < t->records ? hits : t->records;
	uint64_t rows = (uint64_t)(s->limit + 1) * t->records / parents + 1;
	return rows * (segments + 1) * CHILD_COST < hits;
}

/* A child that is found marks its parent; most of them stand beside their siblings. */
static int mark_some(struct text *t, unsigned *cost)
{
	struct match_hit hit;

	if (!t->marked)
		t->marked = calloc(MARKED, sizeof *t->marked);
	if (!t->marked)
		return ERR_NOMEM;
	for (int i = 0; i < 32; i++) {
		int rc = match_next(t->children, &t->at, &hit);
		if (rc <= 0) {
			t->stage = rc ? t->stage : TEXT_READY;
			return rc;
		}
		*cost += i % 8 == 0;
		uint64_t *marked = &t->marked[hit.parent % MARKED];
		if (!hit.parent || *marked == hit.parent)
			continue;
		*cost += 1;
		rc = match_add(t->own, hit.parent, hit.sure);
		if (rc < 0)
			return rc;
		if (hit.sure)
			*marked = hit.parent;
	}
	return 0;
}

int text_step(struct text *t, unsigned *cost)
{
	int rc = 0;

	switch (t->stage) {
	case TEXT_OWN:
		rc = match_step(t->own, cost);
		if (rc == 0)
			t->stage = t->children ? TEXT_CHILDREN : TEXT_READY;
		break;
	case TEXT_CHILDREN:
		rc = match_step(t->children, cost);
		if (rc == 0)
			t->stage = TEXT_CHOOSE;
		break;
	case TEXT_CHOOSE:
		t->passes_all = chooses_all(t);
		t->stage = t->passes_all ? TEXT_READY : TEXT_MARK;
		break;
	case TEXT_MARK: rc = mark_some(t, cost); break;
	default: break;
	}
	return rc < 0 ? rc : t->stage != TEXT_READY;
}

int text_count(struct text *t, int64_t start_ms, int64_t end_ms, uint64_t *count_out)
{
	return t->passes_all ? 0 : match_count(t->own, start_ms, end_ms, count_out);
}

/* ---- one row ---- */

/* Reads a child into t->child. 1, 0: damaged (counted), or an error. */
static int read_child(struct text *t, const struct match_hit *hit, unsigned *cost)
{
	t->parent = 0;
	t->read++;
	int rc = match_record(t->children, hit, &t->memory, &t->child);
	*cost += 1 + (unsigned)(t->memory.len / READ_UNIT);
	if (rc == ERR_CORRUPT) {
		t->damaged++;
		return 0;
	}
	return rc;
}

/* Whether a child of the row is found, the newest one first; it is in t->child when it was read. `show`: it must be. */
static int find_child(struct text *t, uint64_t parent, bool show, unsigned *cost)
{
	if (!t->children)
		return 0;
	if (t->parent == parent)
		return 1;
	buf_reset(&t->hits);
	int rc = match_children(t->children, parent, &t->hits);
	*cost += 1 + (unsigned)match_segments(t->children);
	if (rc)
		return rc;
	const struct match_hit *hits = (const struct match_hit *)(const void *)t->hits.data;
	for (size_t i = 0; i < t->hits.len / sizeof *hits; i++) {
		if (hits[i].sure && !show)
			return 1;
		rc = read_child(t, &hits[i], cost);
		if (rc == 1)
			rc = holds(t, &t->child_texts, &t->child);
		if (rc == ERR_CORRUPT) {
			t->damaged++;
			continue;
		}
		if (rc > 0)
			t->parent = parent;
		if (rc)
			return rc;
	}
	return 0;
}

int text_row(struct text *t, const struct scan_row *row, unsigned *cost)
{
	if (row->verdict == MATCH_SURE)
		return 1;
	if (row->verdict == MATCH_OUT && !t->passes_all)
		return 0;
	int rc = find_child(t, match_parent(row->position.id_hash), false, cost);
	if (rc)
		return rc;
	return row->verdict == MATCH_OUT ? 0 : ERR_NOTFOUND;
}

/* ---- snippets ---- */

struct showing {
	const struct search *search;
	struct buf *out;
};

static bool show_text(void *ctx, struct bytes text)
{
	struct showing *s = ctx;

	return !search_snippet(s->search, text, SNIPPET_BYTES, s->out);
}

/* The long texts first. */
static int put_snippet(struct text *t, const struct texts *texts, const struct record *r,
		       struct buf *out)
{
	struct showing s = {t->search, out};

	for (size_t i = 0; i < texts->count && out->len == 0; i++) {
		size_t at = (texts->body + i) % texts->count;
		int rc = value_of(t, r, texts->fields[at]);
		if (rc < 0)
			return rc;
		if (rc && !each_text(buf_bytes(&t->value), show_text, &s))
			return ERR_CORRUPT;
	}
	return out->error ? out->error : out->len > 0;
}

int text_snippet(struct text *t, uint64_t id_hash, const struct record *r, struct buf *out,
		 unsigned *cost)
{
	buf_reset(out);
	int rc = find_child(t, match_parent(id_hash), true, cost);
	if (rc > 0)
		return put_snippet(t, &t->child_texts, &t->child, out);
	if (rc < 0)
		return rc;
	return r ? put_snippet(t, &t->own_texts, r, out) : ERR_NOTFOUND;
}
