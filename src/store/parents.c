/*
 * parents: see the header. Hits are taken until there are some thousands of different parents; then these are looked for, all at once.
 *
 *     TAKE -> SORT_OUT -> WALK -> SORT_OUT -> ... -> FIND -> TAKE ... until no hit is left
 *
 * Ids that are numbers are kept as such, in a column, in a small part of the room that the index by hash takes. Where a segment has enough of those that are sought
 * between its smallest and its largest one, that column is walked once for all of them: a few bits of its numbers tell most rows to be of no interest. All others are looked for one by one by their
 * hashes: they decide, and a walk only leaves them less to do.
 */
#include "columns.h"
#include "match_bits.h"
#include "view.h"

#include <store/parents.h>

#include <codec/msgpack.h>

#include <stdlib.h>

#define SOUGHT_MAX \
	6912u /* parents at a time: all of it is less than malloc asks the system for each time */
#define SLOT_BITS  14u
#define SLOTS      (1u << SLOT_BITS)
#define RUN        256u   /* hits, or rows, that are looked at together */
#define TAKE_ROWS  16384u /* among which the hits of a step are */
#define PAGE_ROWS  2048u  /* whose numbers a page has, about */
#define HITS_AHEAD 32u    /* of a step: they are on most pages of the column */
#define WALK_ROWS  2048u  /* of a step */
#define FIND_EACH  8u     /* of a step */
#define READ_COST  16u    /* of a run whose parents have to be read one by one */
#define ROWS_EACH  512u   /* that are walked while one parent is looked for by its hash */

enum stage { STAGE_TAKE, STAGE_SORT_OUT, STAGE_WALK, STAGE_FIND };

enum sought_flag {
	SOUGHT_SURE = 1,
	SOUGHT_HASH = 2, /* it has no number; its name is the hash */
	SOUGHT_DONE = 4,
};

/* A segment of children, and when the first of them was created. */
struct turn {
	int64_t created_ms;
	uint32_t segment;
};

struct parents {
	struct match *own, *children;
	enum stage stage;
	/* Hits. */
	struct turn *turns; /* by time: the parents of children of one time are often in one segment, too */
	size_t turns_count, taken;
	uint32_t ordinal;          /* in the segment whose turn it is */
	bool reads;                /* the segment's rows have to be read for their parents */
	struct column_hint column; /* else: of the segment; not loaded: none was looked at yet */
	uint32_t row_hint;
	struct buf text;
	/* The walk. */
	size_t walked; /* how many segments had their turn */
	size_t first;  /* of them: the one that had most the last time … */
	size_t most;   /* … and that of this time */
	size_t at;     /* the segment under way */
	struct column ids;
	uint32_t row, packed_hint, id_hint;
	/* What is sought, each once. */
	uint32_t count;
	uint32_t open_count;
	uint32_t next; /* of those that are open to look for */
	/* From here on nothing is zeroed when it begins, but for the slots: most questions need little of it. */
	uint64_t names[SOUGHT_MAX]; /* numbers or hashes */
	uint8_t flags[SOUGHT_MAX];
	uint16_t open[SOUGHT_MAX]; /* the places of what was not found yet */
	uint16_t others[SOUGHT_MAX]; /* behind a place: the next one with the same low bits, + 1; 0: none */
	/* Places + 1; 0: empty. While hits are taken: by name, open addressing. While a segment is walked: by the low bits of the packed number in its column of
	 * ids, the first of some. */
	uint16_t slots[SLOTS];
};

static void forget(struct parents *p)
{
	memset(p->slots, 0, sizeof p->slots);
	p->count = 0;
}

/* By what is known without a look at the files. */
static int by_time(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	return (x->created_ms > y->created_ms) - (x->created_ms < y->created_ms);
}

int parents_new(struct match *own, struct match *children, struct parents **out)
{
	const struct state_resource *r = match_resource(children);
	size_t count = r ? r->count : 0;
	struct parents *p = malloc(sizeof *p);
	struct turn *turns = malloc((count + 1) * sizeof *turns);

	if (!p || !turns) {
		free(p);
		free(turns);
		return ERR_NOMEM;
	}
	memset(p, 0, offsetof(struct parents, names));
	forget(p);
	p->own = own;
	p->children = children;
	p->turns = turns;
	for (size_t i = 0; i < count; i++)
		if (match_bits_of(children, i)->may_count)
			turns[p->turns_count++] = (struct turn){
				r->segments[i].segment->meta.ranges[RANGE_CREATED].min, (uint32_t)i};
	qsort(turns, p->turns_count, sizeof *turns, by_time);
	*out = p;
	return 0;
}

void parents_free(struct parents *p)
{
	if (!p)
		return;
	buf_release(&p->text);
	free(p->turns);
	free(p);
}

static struct pages *pages_of(const struct parents *p)
{
	return match_store(p->own)->pages;
}

/* ---- what is sought ---- */

/* Where the name is, or the empty slot where it belongs. */
static uint16_t *slot_of(struct parents *p, uint64_t name, unsigned hash_flag)
{
	uint32_t mask = SLOTS - 1;
	uint32_t at = (uint32_t)(name * 0x9e3779b97f4a7c15u >> (64 - SLOT_BITS));

	while (p->slots[at]) {
		uint32_t i = p->slots[at] - 1u;
		if (p->names[i] == name && (p->flags[i] & SOUGHT_HASH) == hash_flag)
			break;
		at = (at + 1) & mask;
	}
	return &p->slots[at];
}

static void seek(struct parents *p, uint64_t name, unsigned hash_flag, bool sure)
{
	uint16_t *slot = slot_of(p, name, hash_flag);

	if (!*slot) {
		p->names[p->count] = name;
		p->flags[p->count] = (uint8_t)hash_flag;
		*slot = (uint16_t)++p->count;
	}
	if (sure)
		p->flags[*slot - 1] |= SOUGHT_SURE;
}

static void seek_hash(struct parents *p, uint64_t hash, bool sure)
{
	/* 0: it has no parent. */
	if (hash)
		seek(p, hash, SOUGHT_HASH, sure);
}

/* ---- taking ---- */

/* From the row itself: one of a segment that keeps no column, or whose parent is no text, and so perhaps a tombstone. */
static int take_row(struct parents *p, struct segment *g, uint32_t ordinal, bool sure)
{
	struct row row;
	int rc = segment_row(g, pages_of(p), ordinal, &p->row_hint, &row);

	if (!rc && !(row.flags & RECORD_DELETED))
		seek_hash(p, row.parent_hash, sure);
	return rc;
}

/* Of a column that keeps no numbers. */
static int take_value(struct parents *p, struct segment *g, uint32_t ordinal, bool sure)
{
	struct mp_value v;
	int rc = column_value(g, pages_of(p), OWN_PARENT, ordinal, &p->column, &p->text);

	if (rc)
		return rc;
	if (!mp_get(buf_bytes(&p->text), &v) || (v.type != MP_STR && v.type != MP_NIL))
		return take_row(p, g, ordinal, sure);
	if (v.type == MP_STR)
		seek_hash(p, row_parent_hash(v.str), sure);
	return 0;
}

static int take_numbers(struct parents *p, struct segment *g, const struct match_bits *b,
			const uint32_t *ordinals, uint32_t n)
{
	const struct column *c = &p->column.column;
	uint64_t packed[RUN];
	int rc = column_packed(g, pages_of(p), c, ordinals, n, &p->column.packed.page, packed);

	for (uint32_t i = 0; !rc && i < n; i++) {
		bool sure = match_bits_has(b->must, ordinals[i]);
		int64_t number = packed[i] ? column_number_of(c, packed[i]) : 0;
		if (number < 0)
			rc = take_row(p, g, ordinals[i], sure);
		else if (packed[i])
			seek(p, (uint64_t)number, 0, sure);
	}
	return rc;
}

static int take_each(struct parents *p, struct segment *g, const struct match_bits *b,
		     const uint32_t *ordinals, uint32_t n)
{
	int rc = 0;

	for (uint32_t i = 0; !rc && i < n; i++) {
		bool sure = match_bits_has(b->must, ordinals[i]);
		rc = p->reads ? take_row(p, g, ordinals[i], sure)
			      : take_value(p, g, ordinals[i], sure);
	}
	return rc;
}

/* How the segment tells the parents of its rows: from their column, which is a fraction of the rows, unless there are tombstones among the hits. */
static int begin_hits(struct parents *p, const struct state_segment *e, const struct match_bits *b)
{
	int rc = segment_own_column(e->segment, pages_of(p), OWN_PARENT, &p->column.column);

	p->reads = rc == ERR_NOTFOUND || (!b->listed && e->tombstones);
	p->column.loaded = rc == 0;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int take_some(struct parents *p, unsigned *cost)
{
	uint32_t segment = p->turns[p->taken].segment, ordinals[RUN];
	const struct state_segment *e = &match_resource(p->children)->segments[segment];
	const struct match_bits *b = match_bits_of(p->children, segment);
	uint32_t records = e->segment->meta.records, left = records - p->ordinal;
	uint32_t end = left < TAKE_ROWS ? records : p->ordinal + TAKE_ROWS;
	int rc = p->ordinal == 0 ? begin_hits(p, e, b) : 0;

	if (rc)
		return rc;
	uint32_t n = match_bits_take(b, &p->ordinal, end, ordinals, RUN);
	if (p->ordinal == records) {
		p->taken++;
		p->ordinal = 0;
	}
	if (!n)
		return 0;
	bool numbers = !p->reads && p->column.column.form == FORM_NUMBERS;
	*cost += numbers ? (ordinals[n - 1] - ordinals[0]) / PAGE_ROWS : READ_COST;
	if (numbers && n >= HITS_AHEAD)
		column_ahead(e->segment, pages_of(p), &p->column.column, ordinals[0]);
	return numbers ? take_numbers(p, e->segment, b, ordinals, n)
		       : take_each(p, e->segment, b, ordinals, n);
}

static void begin_search(struct parents *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		p->open[i] = (uint16_t)i;
	p->open_count = p->count;
	p->walked = 0;
	p->first = p->most;
	p->stage = STAGE_SORT_OUT;
}

static int take(struct parents *p, unsigned *cost)
{
	if (p->taken < p->turns_count && p->count <= SOUGHT_MAX - RUN)
		return take_some(p, cost);
	begin_search(p);
	return 0;
}

/* ---- walking ---- */

/* The packed number of the name in the column of ids; 0: no row can have it. */
static uint64_t packed_of(const struct column *c, uint64_t name)
{
	uint64_t above = name - (uint64_t)c->min;

	if ((int64_t)name < c->min || (int64_t)name > c->max || c->scale == 0)
		return 0;
	if (c->scale == 1)
		return above + 1;
	return above % c->scale ? 0 : above / c->scale + 1;
}

/* How many of what is sought may be in the segment: they stand in the slots then. */
static uint32_t lay_out(struct parents *p)
{
	uint32_t n = 0;

	memset(p->slots, 0, sizeof p->slots);
	for (uint32_t i = 0; i < p->open_count; i++) {
		uint32_t at = p->open[i];
		uint64_t packed = p->flags[at] & SOUGHT_HASH ? 0 : packed_of(&p->ids, p->names[at]);
		if (!packed)
			continue;
		p->others[at] = p->slots[packed % SLOTS];
		p->slots[packed % SLOTS] = (uint16_t)(at + 1);
		n++;
	}
	return n;
}

static void drop_done(struct parents *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->open_count; i++) {
		p->open[n] = p->open[i];
		n += !(p->flags[p->open[i]] & SOUGHT_DONE);
	}
	if (p->open_count - n > n)
		p->most = p->at;
	p->open_count = n;
}

/* The next segment whose ids are worth a walk. */
static int sort_out(struct parents *p, unsigned *cost)
{
	const struct state_resource *r = match_resource(p->own);
	size_t count = r ? r->count : 0;

	if (p->walked >= count || p->open_count * ROWS_EACH < RUN) {
		p->next = 0;
		p->stage = STAGE_FIND;
		return 0;
	}
	/* The one of the last time, and then the others, from the newest on. */
	p->at = (p->first + count - p->walked++) % count;
	const struct state_segment *e = &r->segments[p->at];
	int rc = segment_own_column(e->segment, pages_of(p), OWN_ID, &p->ids);
	if (rc || p->ids.form != FORM_NUMBERS)
		return rc == ERR_NOTFOUND ? 0 : rc;
	*cost += p->open_count / (2 * RUN);
	if ((uint64_t)lay_out(p) * ROWS_EACH < e->segment->meta.records)
		return 0;
	p->row = 0;
	p->stage = STAGE_WALK;
	return 0;
}

/* A row whose packed number has the low bits of some that are sought. */
static int look_at(struct parents *p, const struct state_segment *e, uint32_t ordinal, uint64_t packed)
{
	uint64_t name = (uint64_t)column_number_of(&p->ids, packed);
	uint32_t place = p->slots[packed % SLOTS];
	struct row row = {.flags = 0};
	int rc = 0;

	while (place && p->names[place - 1] != name)
		place = p->others[place - 1];
	if (!packed || !place || dead_has(e->dead, ordinal))
		return 0;
	uint8_t *flags = &p->flags[place - 1];
	if (e->tombstones)
		rc = segment_row(e->segment, pages_of(p), ordinal, &p->id_hint, &row);
	if (!rc && !(row.flags & RECORD_DELETED))
		rc = match_mark(p->own, p->at, ordinal, *flags & SOUGHT_SURE);
	*flags |= rc ? 0 : SOUGHT_DONE;
	return rc;
}

/* Rows on one page. */
static int walk_run(struct parents *p, const struct state_segment *e)
{
	struct packed_run run;
	uint32_t rows[RUN], count = 0;
	uint64_t packed[RUN];
	int rc = column_run(e->segment, pages_of(p), &p->ids, p->row, &p->packed_hint, &run);

	if (rc)
		return rc;
	uint32_t end = run.rows < RUN ? p->row + run.rows : p->row + RUN;
	for (uint32_t row = p->row; row < end; row++) {
		rows[count] = row;
		count += p->slots[packed_run_at(&run, row) % SLOTS] != 0;
	}
	/* What is borrowed now is gone when the first of them was looked at. */
	for (uint32_t i = 0; i < count; i++)
		packed[i] = packed_run_at(&run, rows[i]);
	p->row = end;
	for (uint32_t i = 0; !rc && i < count; i++)
		rc = look_at(p, e, rows[i], packed[i]);
	return rc;
}

static int walk(struct parents *p, unsigned *cost)
{
	const struct state_segment *e = &match_resource(p->own)->segments[p->at];
	uint32_t start = p->row;
	int rc = 0;

	column_ahead(e->segment, pages_of(p), &p->ids, p->row);
	while (!rc && p->row < e->segment->meta.records && p->row - start < WALK_ROWS)
		rc = walk_run(p, e);
	*cost += (p->row - start) / (e->tombstones ? RUN / 4 : RUN);
	if (!rc && p->row >= e->segment->meta.records) {
		drop_done(p);
		p->stage = STAGE_SORT_OUT;
	}
	return rc;
}

/* ---- finding by hash ---- */

/* What the digits of a number are hashed to as a parent. */
static uint64_t number_hash(uint64_t v)
{
	char digits[24];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	return row_parent_hash(bytes_of(digits + at, sizeof digits - at));
}

static int find_some(struct parents *p, unsigned *cost)
{
	for (unsigned i = 0; i < FIND_EACH && p->next < p->open_count; i++) {
		uint32_t at = p->open[p->next++];
		unsigned flags = p->flags[at];
		uint64_t hash = flags & SOUGHT_HASH ? p->names[at] : number_hash(p->names[at]);
		int rc = match_add(p->own, hash, flags & SOUGHT_SURE, TIME_MAX, NULL);
		if (rc < 0)
			return rc;
	}
	*cost += FIND_EACH;
	if (p->next == p->open_count) {
		forget(p);
		p->stage = STAGE_TAKE;
	}
	return 0;
}

int parents_step(struct parents *p, unsigned *cost)
{
	int rc = 0;

	*cost += 1;
	switch (p->stage) {
	case STAGE_TAKE: rc = take(p, cost); break;
	case STAGE_SORT_OUT: rc = sort_out(p, cost); break;
	case STAGE_WALK: rc = walk(p, cost); break;
	default: rc = find_some(p, cost); break;
	}
	if (rc)
		return store_trouble(match_store(p->own), rc);
	return p->stage != STAGE_TAKE || p->taken < p->turns_count || p->count;
}
