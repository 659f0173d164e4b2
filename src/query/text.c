/*
 * text: see the header. A child that was read is kept until the next, so that its snippet does not read it again.
 */
#include "found.h"
#include "text.h"

#include <codec/msgpack.h>
#include <store/parents.h>

#include <stdlib.h>

#define SNIPPET_BYTES 160
#define TEXTS_MAX     62 /* fields of words that a schema can have */
#define READ_UNIT     8192
#define CHILD_COST    2
#define WALK_COST     16 /* of one step */

struct texts {
	const struct field *fields[TEXTS_MAX];
	size_t count;
	size_t body; /* the ones from here on are long: what snippets prefer */
};

struct text {
	struct text_want want;
	struct snapshot *view;
	const struct search *search;
	struct match *own, *children; /* children: NULL, the resource has none */
	struct texts own_texts, child_texts;
	enum { TEXT_OWN, TEXT_CHILDREN, TEXT_CHOOSE, TEXT_MARK, TEXT_READY } stage;
	bool passes_all;
	uint64_t records;        /* of the resource */
	struct parents *parents; /* that children mark; NULL: not begun, or they all are */
	/* The walk. */
	bool walks;
	const char *child_resource;
	struct scan *scan;   /* over the children */
	int64_t lead_ms;     /* by how much they may be older than their parents */
	int64_t frontier_ms; /* children from here on were seen */
	int64_t reach_ms;    /* parents from here on are marked; TIME_MAX: none are yet */
	uint64_t quota;      /* hits of this stretch to come */
	uint64_t stretch;    /* of them in all, when it is not known how many are missing */
	uint64_t ready;      /* parents that were found and whose turn has come */
	bool over;           /* the stretch was given out */
	struct found found;
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

/* Whether rows can be had without getting all ready: of records without children a scan gets ready what it needs. */
static bool may_walk(struct text *t)
{
	if (!t->want.rows)
		return false;
	return !t->children ||
	       (t->want.newest && snapshot_lead(t->view, t->child_resource, &t->lead_ms));
}

int text_open(struct snapshot *v, const struct text_spec *spec, struct text **out)
{
	struct text *t = calloc(1, sizeof *t);
	int rc;

	if (!t)
		return ERR_NOMEM;
	t->view = v;
	t->want = spec->want;
	t->search = spec->text.search;
	t->records = snapshot_count(v, spec->resource);
	find_texts(v, spec->resource, spec->fields, &t->own_texts);
	rc = match_new(v, spec->resource, t->search, &t->own);
	if (!rc && spec->text.child) {
		t->child_resource = spec->text.child;
		find_texts(v, spec->text.child, spec->text.child_fields, &t->child_texts);
		rc = match_new(v, spec->text.child, t->search, &t->children);
	}
	if (rc) {
		text_free(t);
		return rc;
	}
	if (may_walk(t)) {
		t->walks = t->children;
		t->stage = TEXT_READY;
		t->frontier_ms = t->reach_ms = TIME_MAX;
		t->stretch = t->quota = t->want.rows;
	}
	*out = t;
	return 0;
}

void text_free(struct text *t)
{
	if (!t)
		return;
	scan_close(t->scan);
	match_free(t->own);
	match_free(t->children);
	parents_free(t->parents);
	found_release(&t->found);
	buf_release(&t->hits);
	buf_release(&t->memory);
	buf_release(&t->value);
	free(t);
}

struct match *text_match(const struct text *t)
{
	return t->own;
}

bool text_walks(const struct text *t)
{
	return t->walks;
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
	uint64_t hits = match_rows(t->children), segments = match_segments(t->children);

	if (!t->want.rows || !hits || !t->records)
		return false;
	uint64_t parents = hits < t->records ? hits : t->records;
	uint64_t rows = ((uint64_t)t->want.rows + 1) * t->records / parents + 1;
	return rows * (segments + 1) * CHILD_COST < hits;
}

/* Children that are found mark their parents. */
static int mark_some(struct text *t, unsigned *cost)
{
	int rc = t->parents ? 0 : parents_new(t->own, t->children, &t->parents);

	if (!rc)
		rc = parents_step(t->parents, cost);
	if (rc == 0) {
		parents_free(t->parents);
		t->parents = NULL;
		t->stage = TEXT_READY;
	}
	return rc;
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

/* ---- the walk ---- */

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

/* The latest time at which a parent of such a child was created. */
static int64_t latest_parent(const struct text *t, int64_t child_ms)
{
	return child_ms > TIME_MAX - t->lead_ms ? TIME_MAX : child_ms + t->lead_ms;
}

/* A child that is found, or may be: marks its parent. 0 or an error; ERR_LIMIT: too many wait for their turn. */
static int walk_child(struct text *t, const struct scan_row *row, unsigned *cost)
{
	const struct match_hit hit = {
		.parent = row->parent_hash,
		.created_ms = row->created_ms,
		.id_hash = row->position.id_hash,
		.segment = row->segment,
		.ordinal = row->ordinal,
		.sure = row->verdict == MATCH_SURE,
	};
	int64_t latest_ms = latest_parent(t, hit.created_ms);
	struct found_child child = {hit.parent,  latest_ms, hit.segment,
				    hit.ordinal, hit.sure,  false};
	const struct found_child *known = hit.parent ? found_find(&t->found, hit.parent) : NULL;

	if (known)
		found_more(&t->found, hit.parent);
	/* A sure one makes a parent sure that was only possible. */
	if (!hit.parent || (known && (known->sure || !hit.sure)))
		return 0;
	t->quota -= t->quota > 0;
	*cost += 1;
	int rc = match_add(t->own, hit.parent, hit.sure, latest_ms, &child.created_ms);
	/* One that is not held is not looked for again soon. */
	if (rc < 0 || known)
		return rc < 0 ? rc : 0;
	return found_add(&t->found, &child);
}

static int open_walk(struct text *t)
{
	int64_t start_ms = t->want.start_ms;
	const struct scan_spec spec = {
		.resource = t->child_resource,
		.start_ms = start_ms < TIME_MIN + t->lead_ms ? TIME_MIN : start_ms - t->lead_ms,
		.end_ms = TIME_MAX,
		.descending = true,
		.match = t->children,
	};

	return scan_open(t->view, &spec, &t->scan, NULL);
}

/* Parents from here on are marked for good: no child that comes is younger than the frontier. */
static int64_t reached(const struct text *t)
{
	int64_t latest_ms = latest_parent(t, t->frontier_ms);

	/* Children without a time come last, and their parents have none. */
	return t->frontier_ms == TIME_NONE || latest_ms == TIME_MAX ? t->reach_ms : latest_ms + 1;
}

/* The next stretch has what is missing, as far as every hit is a row; when that was not so, half as many hits again as the one before. */
static void end_stretch(struct text *t, int64_t reach_ms)
{
	t->reach_ms = reach_ms;
	t->ready += found_since(&t->found, reach_ms);
	if (t->ready < t->want.rows) {
		t->quota = t->want.rows - t->ready;
		t->quota += t->stretch / 4;
	} else {
		t->stretch += t->stretch / 2 + 1;
		t->quota = t->stretch;
	}
	t->over = true;
}

/* Too many parents wait for their turn: what is found is got ready in another way. What is marked stays. */
static void stop_walking(struct text *t)
{
	scan_close(t->scan);
	t->scan = NULL;
	found_release(&t->found);
	t->walks = false;
	t->stage = TEXT_OWN;
}

/* 1: there is more, 0: the stretch is over, or an error. */
static int walk_on(struct text *t, unsigned *cost)
{
	bool full = t->found.count == FOUND_MAX;
	struct scan_row row;

	if ((t->quota == 0 || full) && reached(t) < t->reach_ms) {
		end_stretch(t, reached(t));
		return 0;
	}
	if (full) {
		stop_walking(t);
		return 1;
	}
	int rc = scan_step(t->scan, &row);
	*cost += rc == SCAN_MORE ? WALK_COST : 1;
	if (rc == 0)
		end_stretch(t, TIME_MIN);
	if (rc == 1) {
		t->frontier_ms = row.created_ms;
		rc = row.verdict == MATCH_OUT ? 0 : walk_child(t, &row, cost);
		return rc ? rc : 1;
	}
	return rc == SCAN_MORE ? 1 : rc;
}

int text_walk(struct text *t, int64_t *reach_ms, unsigned *cost)
{
	unsigned end = *cost + WALK_COST;
	int rc = 0;

	if (t->over)
		rc = found_forget(&t->found, t->reach_ms);
	t->over = false;
	if (!rc && t->walks && !t->scan)
		rc = open_walk(t);
	for (rc = rc ? rc : 1; rc == 1 && *cost < end;)
		rc = t->walks ? walk_on(t, cost) : text_step(t, cost);
	*reach_ms = t->walks ? t->reach_ms : TIME_MIN;
	return rc;
}

int text_count(struct text *t, int64_t start_ms, int64_t end_ms, uint64_t *count_out)
{
	return t->passes_all ? 0 : match_count(t->own, start_ms, end_ms, count_out);
}

/* ---- one row ---- */

/* Whether the search holds for a child; it is in t->child then. A damaged one is counted. */
static int child_holds(struct text *t, const struct match_hit *hit, uint64_t parent, unsigned *cost)
{
	int rc = read_child(t, hit, cost);

	if (rc == 1)
		rc = holds(t, &t->child_texts, &t->child);
	if (rc == ERR_CORRUPT) {
		t->damaged++;
		return 0;
	}
	if (rc > 0)
		t->parent = parent;
	return rc;
}

/* The child that marked the parent, which is the newest one: 1, an error, or 0: an older one has to be looked for. */
static int find_walked(struct text *t, const struct found_child *c, bool show, unsigned *cost)
{
	const struct match_hit hit = {.segment = c->segment, .ordinal = c->ordinal};

	if (!c->sure)
		return child_holds(t, &hit, c->parent, cost);
	if (!show)
		return 1;
	int rc = read_child(t, &hit, cost);
	if (rc > 0)
		t->parent = c->parent;
	return rc;
}

/* The first of all children, the newest one first, for which it holds. `not`: one for which it does not; may be NULL. */
static int find_any(struct text *t, uint64_t parent, const struct found_child * not, bool show,
		    unsigned *cost)
{
	buf_reset(&t->hits);
	int rc = match_children(t->children, parent, &t->hits);
	*cost += 1 + (unsigned)match_segments(t->children);
	const struct match_hit *hits = (const struct match_hit *)(const void *)t->hits.data;
	for (size_t i = 0; !rc && i < t->hits.len / sizeof *hits; i++) {
		if (hits[i].sure && !show)
			return 1;
		if (!not || hits[i].segment != not ->segment || hits[i].ordinal != not ->ordinal)
			rc = child_holds(t, &hits[i], parent, cost);
	}
	return rc;
}

/* Whether a child of the row is found, the newest one first; it is in t->child when it was read. `show`: it must be. */
static int find_child(struct text *t, uint64_t parent, bool show, unsigned *cost)
{
	const struct found_child *c = NULL;

	if (!t->children)
		return 0;
	if (t->parent == parent)
		return 1;
	if (t->walks && !t->want.ranked) {
		c = found_find(&t->found, parent);
		int rc = c ? find_walked(t, c, show, cost) : 0;
		/* All children of a row whose turn has come were seen. */
		if (rc || !c || c->sure || !c->more)
			return rc;
	}
	return find_any(t, parent, c, show, cost);
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

/* ---- relevance ---- */

struct ranking {
	const struct search *search;
	struct rank_counts *counts;
};

static bool rank_text(void *ctx, struct bytes text)
{
	struct ranking *k = ctx;

	search_count(k->search, text, k->counts->words, &k->counts->length);
	return true;
}

/* Counts what is in a record that is found by itself. 0 or an error. */
static int rank_record(struct text *t, const struct texts *texts, const struct record *r,
		       struct rank_counts *counts)
{
	struct ranking k = {t->search, counts};
	int rc = holds(t, texts, r);

	for (size_t i = 0; rc > 0 && i < texts->count; i++) {
		int has = value_of(t, r, texts->fields[i]);
		if (has < 0)
			return has;
		if (has && !each_text(buf_bytes(&t->value), rank_text, &k))
			return ERR_CORRUPT;
	}
	return rc < 0 ? rc : 0;
}

int text_rank(struct text *t, uint64_t id_hash, const struct record *r, struct rank_counts *counts,
	      unsigned *cost)
{
	int rc = rank_record(t, &t->own_texts, r, counts);

	if (rc || !t->children)
		return rc;
	buf_reset(&t->hits);
	rc = match_children(t->children, match_parent(id_hash), &t->hits);
	*cost += 1 + (unsigned)match_segments(t->children);
	const struct match_hit *hits = (const struct match_hit *)(const void *)t->hits.data;
	size_t count = t->hits.len / sizeof *hits;
	count = count < RANK_CHILDREN_MAX ? count : RANK_CHILDREN_MAX;
	for (size_t i = 0; !rc && i < count; i++) {
		rc = read_child(t, &hits[i], cost);
		if (rc == 1)
			rc = rank_record(t, &t->child_texts, &t->child, counts);
		if (rc == ERR_CORRUPT) {
			t->damaged++;
			rc = 0;
		}
	}
	return rc;
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
