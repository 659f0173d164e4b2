/*
 * put: one record into a transaction: is it better than what is held, and if so, packed.
 *
 * The rules of <store/store.h> are one pure function, put_judge. A record waits raw while its
 * resource has no dictionary and not enough records have come to train one, and then for some others
 * to be packed together with; what waits is packed in slices, by the puts that follow and by the
 * commit.
 */
#include "lead.h"
#include "lookup.h"

#include <codec/msgpack.h>

#include <assert.h>
#include <stdlib.h>

/* ---- the rules ---- */

struct verdict {
	enum put_outcome outcome;
	bool write;
	bool old_revision; /* written for its seen_ms only */
};

static bool row_settled(const struct row *r)
{
	struct record as = {
		.created_ms = r->created_ms, .updated_ms = r->updated_ms, .seen_ms = r->seen_ms};

	return record_settled(&as);
}

static bool same_state(const struct row *a, const struct row *b)
{
	return a->doc_hash == b->doc_hash && a->flags == b->flags && a->created_ms == b->created_ms &&
	       a->updated_ms == b->updated_ms && a->parent_hash == b->parent_hash;
}

/* Negative: `a` shows an older state than `b`; by the record's own time where both know it, else by
 * when they were read. */
static int compare_age(const struct row *a, const struct row *b)
{
	bool timed = a->updated_ms != TIME_NONE && b->updated_ms != TIME_NONE;

	if (timed && a->updated_ms != b->updated_ms)
		return a->updated_ms < b->updated_ms ? -1 : 1;
	return a->seen_ms < b->seen_ms ? -1 : a->seen_ms > b->seen_ms;
}

static bool newer_by_update(const struct row *a, const struct row *b)
{
	return a->updated_ms != TIME_NONE &&
	       (b->updated_ms == TIME_NONE || a->updated_ms > b->updated_ms);
}

static bool has_moved(const struct row *held, const struct row *row)
{
	return held->parent_hash && row->parent_hash && held->parent_hash != row->parent_hash;
}

static struct verdict put_judge(const struct row *held, const struct row *row)
{
	bool deleted = row->flags & RECORD_DELETED;

	if (!held)
		return (struct verdict){deleted ? PUT_SAME : PUT_CREATED, true, false};
	if (same_state(held, row))
		return (struct verdict){PUT_SAME, !row_settled(held) && row_settled(row), true};
	bool gone = held->flags & RECORD_DELETED;
	if (deleted && !gone)
		return (struct verdict){PUT_DELETED, true, false};
	int age = compare_age(row, held);
	/* A deletion and a listing of the same moment: the listing was the slower one. But a full copy that was
	 * read after the deletion shows that it was none, whatever its last change, and so does one with another
	 * parent, whenever it was read: what is gone from one place says nothing about the other. */
	if (gone && !deleted) {
		bool full = !(row->flags & RECORD_POOR);
		bool back = age > 0 ||
			    (full && (row->seen_ms > held->seen_ms || has_moved(held, row)));
		return back ? (struct verdict){PUT_CREATED, true, false}
			    : (struct verdict){PUT_POORER, false, false};
	}
	if (row->flags & RECORD_POOR && !(held->flags & RECORD_POOR) && !newer_by_update(row, held))
		return (struct verdict){PUT_POORER, false, false};
	if (age < 0)
		return (struct verdict){PUT_POORER, false, false};
	return (struct verdict){gone ? PUT_SAME : PUT_UPDATED, true, false};
}

/* ---- rows of the transaction by id ---- */

/* Room for one more row and one more kill, so that nothing fails after the record was packed. */
static int part_reserve(struct txn_part *part)
{
	if (part->count == part->cap) {
		size_t cap = part->cap ? part->cap * 2 : 64;
		struct txn_row *rows = realloc(part->rows, cap * sizeof *rows);
		if (!rows)
			return ERR_NOMEM;
		part->rows = rows;
		part->cap = cap;
	}
	if (part->kills_count == part->kills_cap) {
		size_t cap = part->kills_cap ? part->kills_cap * 2 : 64;
		struct kill *kills = realloc(part->kills, cap * sizeof *kills);
		if (!kills)
			return ERR_NOMEM;
		part->kills = kills;
		part->kills_cap = cap;
	}
	if ((part->count + 1) * 2 <= part->table_size)
		return 0;
	size_t size = part->table_size ? part->table_size * 2 : 256;
	uint32_t *old = part->table, *table = calloc(size, sizeof *table);
	if (!table)
		return ERR_NOMEM;
	part->table = table;
	part->table_size = size;
	for (size_t i = 0; i < part->count; i++)
		if (!part->rows[i].dropped)
			*txn_slot(part, txn_row_id(part, &part->rows[i]),
				  part->rows[i].row.id_hash) = (uint32_t)i + 1;
	free(old);
	return 0;
}

/* ---- packing ---- */

static bool is_asked(const struct store *s)
{
	return s->hooks.asked && s->hooks.asked(s->hooks.ctx);
}

static int begin_training(struct txn_part *part)
{
	struct bytes *samples = malloc((part->count + 1) * sizeof *samples);
	size_t n = 0;

	if (!samples)
		return ERR_NOMEM;
	for (size_t i = 0; i < part->count; i++)
		if (!part->rows[i].dropped)
			samples[n++] = bytes_of(part->raw.data + part->rows[i].at,
						part->rows[i].row.raw_bytes);
	part->trainer = dictionary_trainer_new(samples, n);
	free(samples);
	return part->trainer ? 1 : ERR_NOMEM;
}

/* 1: there is more to do, 0: there is a dictionary, or there can be none. */
static int part_train(struct txn *t, struct txn_part *part)
{
	if (!part->trainer)
		return begin_training(part);
	unsigned steps = is_asked(t->store) ? 1 : TRAIN_STEPS;
	int rc = 1;
	while (rc == 1 && steps--)
		rc = dictionary_trainer_step(part->trainer, &part->dictionary_bytes);
	if (rc)
		return rc;
	dictionary_trainer_free(part->trainer);
	part->trainer = NULL;
	if (part->dictionary_bytes.len == 0)
		return 0;
	part->dictionary = t->store->next_file++;
	part->dictionary_new = true;
	return 0;
}

int part_packer(struct txn *t, struct txn_part *part)
{
	struct dictionaries *d = t->store->dictionaries;
	int rc = 0;

	if (part->packer && part->packer_dictionary == part->dictionary)
		return 0;
	dictionary_give_packer(d, part->packer_dictionary, part->packer);
	part->packer = NULL;
	if (part->dictionary_new)
		part->packer = packer_new(buf_bytes(&part->dictionary_bytes), PACK_LEVEL);
	else
		rc = dictionary_packer(d, part->name, part->dictionary, &part->packer);
	if (rc == ERR_CORRUPT) { /* what it packed is lost, but not what comes now */
		part->dictionary = 0;
		rc = dictionary_packer(d, part->name, 0, &part->packer);
	}
	if (rc)
		return rc;
	part->packer_dictionary = part->dictionary;
	return part->packer ? 0 : ERR_NOMEM;
}

/* Begins or goes on with the record of a row: 1 when there is more of it. The bytes do not depend
 * on when the slices come. */
static int pack_slice(struct txn_part *part, struct bytes id, struct bytes raw, struct txn_row *r)
{
	size_t left = raw.len - part->fed, n = left < PACK_SLICE ? left : PACK_SLICE;

	if (part->fed == 0) {
		part->fed_at = frame_begin(&part->packed, id);
		packer_begin(part->packer);
	}
	int rc = packer_feed(part->packer, bytes_of(raw.data + part->fed, n), n == left,
			     &part->packed);
	if (rc) {
		part->packed.len = part->fed_at;
		part->packed.error = 0;
		part->fed = 0;
		return rc;
	}
	part->fed += n;
	if (n < left)
		return 1;
	frame_end(&part->packed, part->fed_at);
	part->fed = 0;
	r->at = part->fed_at;
	r->row.frame_bytes = (uint32_t)(part->packed.len - part->fed_at);
	return 0;
}

/* The next row that waits. 1: there is more to do, 0: none waits. */
static int pack_waiting(struct txn_part *part)
{
	if (part->packed_rows == part->count)
		return 0;
	struct txn_row *r = &part->rows[part->packed_rows];
	size_t at = r->at;
	int rc = r->dropped ? 0
			    : pack_slice(part, txn_row_id(part, r),
					 bytes_of(part->raw.data + at, r->row.raw_bytes), r);
	if (rc)
		return rc;
	part->packed_raw = at + r->row.raw_bytes;
	if (++part->packed_rows < part->count)
		return 1;
	buf_reset(&part->raw);
	buf_give_back(&part->raw, PACK_TOGETHER * 2);
	part->packed_raw = 0;
	return 0;
}

static size_t pack_piece(const struct store *s)
{
	return is_asked(s) ? PACK_PIECE : PACK_SLICE;
}

bool part_trains(const struct txn_part *part)
{
	size_t n = part->count - part->dropped;

	return part->gathering && (part->trainer || n >= GATHER_RECORDS ||
				   (n >= GATHER_FEW && part->raw.len >= GATHER_BYTES_MAX));
}

int part_pack(struct txn *t, struct txn_part *part)
{
	size_t before = part->packed_raw + part->fed;
	int rc = 0;

	if (part->packed_rows == part->count)
		return 0;
	if (part_trains(part))
		rc = part_train(t, part);
	if (rc)
		return rc; /* also when a step of the training is over */
	part->gathering = false;
	rc = part_packer(t, part);
	if (rc)
		return rc;
	size_t piece = pack_piece(t->store);
	do
		rc = pack_waiting(part);
	while (rc == 1 && part->packed_raw + part->fed - before < piece);
	part->packing = rc == 1;
	return rc;
}

/* For a dictionary, or for others to be packed together with. */
static bool gathers_on(const struct txn_part *part)
{
	if (!part->gathering)
		return !part->packing && part->raw.len - part->packed_raw < PACK_TOGETHER;
	return !part->trainer && part->count - part->dropped < GATHER_MORE &&
	       part->raw.len < GATHER_BYTES_MAX;
}

/* Whether the record in hand is packed before the put ends: none waits before it, and there is no room
 * to wait. */
static bool packs_now(const struct txn *t, const struct txn_part *part)
{
	return !part->gathering && part->packed_rows == part->count &&
	       txn_bytes(t) > t->store->txn_bytes_max;
}

/* Appends the record's bytes, raw or packed. ERR_LIMIT and ERR_NOMEM leave the part as it was. */
static int part_append(struct txn *t, struct txn_part *part, const struct record *record,
		       struct txn_row *r)
{
	struct buf *raw = &part->raw;
	size_t before = raw->len, packed = part->packed.len;
	int rc = 0;

	record_encode(record, raw);
	if (raw->error)
		rc = raw->error;
	else if (raw->len - before > SEGMENT_RECORD_MAX)
		rc = ERR_LIMIT;
	r->row.raw_bytes = (uint32_t)(raw->len - before);
	r->at = before;
	if (!rc && packs_now(t, part)) {
		rc = part_packer(t, part);
		for (int more = 1; !rc && more;) {
			more = pack_slice(part, record->id, bytes_of(raw->data, raw->len), r);
			rc = more < 0 ? more : 0;
		}
		raw->len = before;
	}
	if (!rc && txn_bytes(t) > t->store->txn_bytes_max)
		rc = ERR_LIMIT;
	if (rc) {
		part->packed.len = packed;
		raw->len = before;
		raw->error = 0;
	}
	return rc;
}

/* ---- the call ---- */

static void row_fill(struct row *row, const struct record *r)
{
	*row = (struct row){.flags = r->flags,
			    .created_ms = r->created_ms,
			    .updated_ms = r->updated_ms,
			    .seen_ms = r->seen_ms,
			    .id_hash = bytes_hash(r->id),
			    .parent_hash = row_parent_hash(r->parent),
			    .doc_hash = row_doc_hash(r)};
}

static bool one_value(struct bytes doc)
{
	struct mp_reader reader = mp_reader_of(doc);

	return mp_skip(&reader) == 1 && reader.at == reader.end;
}

static int record_check(const struct record *r, struct why *why)
{
	if (r->id.len == 0 || r->id.len > RECORD_ID_MAX)
		return why_set(why, ERR_INVALID, "a record's id has %zu bytes; 1 to %d are possible",
			       r->id.len, RECORD_ID_MAX);
	if (r->parent.len > RECORD_ID_MAX || r->merged_into.len > RECORD_ID_MAX)
		return why_set(why, ERR_INVALID,
			       "a record names another whose id is longer than %d bytes",
			       RECORD_ID_MAX);
	if (r->flags > UINT16_MAX)
		return why_set(why, ERR_INVALID, "a record has unknown flags");
	if (r->doc.len && !one_value(r->doc))
		return why_set(why, ERR_INVALID, "a record's document is not one MessagePack value");
	return 0;
}

/* What is held of the record: a row of this transaction (own), or a committed one (found), or
 * nothing. */
struct held {
	const struct row *row; /* NULL: nothing */
	struct txn_row *own;
	struct found found;
};

static int held_find(struct txn *t, struct txn_part *part, struct bytes id, uint64_t hash,
		     struct held *h)
{
	uint32_t slot = part->table_size ? *txn_slot(part, id, hash) : 0;

	*h = (struct held){0};
	if (slot) {
		h->own = &part->rows[slot - 1];
		h->row = &h->own->row;
		return 0;
	}
	int rc = lookup(t->store, part->base, id, true, &h->found);
	if (rc < 0)
		return rc;
	h->row = rc ? &h->found.row : NULL;
	return 0;
}

/* A tombstone keeps where and when the record was. The parent's name lies in the held record. */
static int inherit(struct txn *t, const struct txn_part *part, const struct held *h,
		   struct record *r, struct buf *memory)
{
	struct record old;

	if (r->created_ms == TIME_NONE)
		r->created_ms = h->row->created_ms;
	if (r->parent.len || !h->row->parent_hash)
		return 0;
	if (h->own) {
		buf_put_bytes(memory, txn_row_parent(part, h->own));
		r->parent = buf_bytes(memory);
		return memory->error;
	}
	int rc = lookup_record(t->store, h->found.entry->segment, &h->found.row,
			       buf_bytes(&t->store->frame), memory, &old);
	if (rc == 1)
		r->parent = old.parent;
	return rc == ERR_CORRUPT || rc == 1 ? 0 : rc; /* damaged: it goes, and so does its parent */
}

/* Some of what waits, after a record came: as much as came, but of a very large one, which the next puts and
 * the commit pack on. What cannot be packed now for want of memory is tried again, at the latest by the
 * commit. */
static void pack_along(struct txn *t, struct txn_part *part, size_t raw_bytes)
{
	size_t piece = pack_piece(t->store), slices = 1;
	int rc = 1;

	if (raw_bytes > piece && raw_bytes <= PACK_SLICE * 2)
		slices = (raw_bytes + piece - 1) / piece;

	while (slices-- && rc == 1 && !gathers_on(part))
		rc = part_pack(t, part);
}

static int part_add(struct txn *t, struct txn_part *part, const struct record *record,
		    struct held *h, struct row *row)
{
	struct txn_row r = {.row = *row,
			    .id_at = part->ids.len,
			    .id_len = (uint8_t)record->id.len,
			    .parent_len = (uint8_t)record->parent.len};
	ptrdiff_t own = h->own ? h->own - part->rows : -1;
	int rc = part->count >= TXN_RECORDS_MAX ? ERR_LIMIT : part_reserve(part);

	if (!rc)
		rc = buf_reserve(&part->ids, record->id.len + record->parent.len);
	part->ids.error = 0;
	if (!rc)
		rc = extract_add(&part->extract, record);
	if (rc)
		return rc;
	r.extract = part->extract.count - 1;
	rc = part_append(t, part, record, &r);
	if (rc) {
		extract_drop_last(&part->extract);
		return rc;
	}
	buf_put_bytes(&part->ids, record->id);
	buf_put_bytes(&part->ids, record->parent);
	if (r.row.frame_bytes)
		part->packed_rows++;
	part->rows[part->count] = r;
	*txn_slot(part, record->id, row->id_hash) = (uint32_t)++part->count;
	if (own >= 0) {
		part->rows[own].dropped = true;
		part->dropped++;
	} else if (h->row) {
		part->kills[part->kills_count++] =
			(struct kill){h->found.entry->segment, h->found.ordinal, h->found.row.flags,
				      (uint32_t)part->count - 1};
	}
	pack_along(t, part, r.row.raw_bytes);
	return 0;
}

static int part_put(struct txn *t, struct txn_part *part, const struct record *record,
		    struct buf *memory, struct buf *stripped, enum put_outcome *outcome)
{
	struct record r = *record;
	struct held h;
	struct row row;
	int rc = forgotten_has(&t->store->forgotten, schema_find(&t->store->schemas, part->name),
			       part->name, r.id, r.parent);

	if (rc) {
		*outcome = PUT_POORER;
		return rc < 0 ? rc : 0;
	}
	rc = exclude_doc(t->store, part->name, r.doc, stripped);
	if (rc < 0)
		return rc;
	if (rc == 1)
		r.doc = buf_bytes(stripped);
	rc = held_find(t, part, r.id, bytes_hash(r.id), &h);
	if (!rc && h.row && r.flags & RECORD_DELETED)
		rc = inherit(t, part, &h, &r, memory);
	if (rc)
		return rc;
	row_fill(&row, &r);
	struct verdict v = put_judge(h.row, &row);
	if (v.write) {
		bool orphan;
		rc = lead_note(t, part, &r, h.row, &orphan);
		if (rc)
			return rc;
		row.revision = v.old_revision ? h.row->revision : t->revision;
		rc = part_add(t, part, &r, &h, &row);
		if (rc)
			return rc;
		part->rows[part->count - 1].orphan = orphan;
		t->revision += !v.old_revision;
	}
	*outcome = v.outcome;
	return 0;
}

int txn_put(struct txn *t, const char *resource, const struct record *record,
	    enum put_outcome *outcome_out, struct why *why)
{
	struct buf memory = {0}, stripped = {0};
	struct txn_part *part;
	enum put_outcome outcome;
	int rc = record_check(record, why);

	assert(!t->committing);

	if (!rc)
		rc = txn_part(t, resource, &part, why);
	if (rc)
		return rc;
	rc = part_put(t, part, record, &memory, &stripped, &outcome);
	buf_release(&memory);
	buf_release(&stripped);
	if (rc == ERR_LIMIT)
		return why_set(why, rc, "the transaction is full: commit it first");
	if (rc)
		return why_set(why, rc, "cannot put a record of %s: %s", resource,
			       rc == ERR_NOMEM ? "out of memory" : "the store cannot be read");
	if (outcome_out)
		*outcome_out = outcome;
	return 0;
}

/* ---- forgetting ---- */

/* A row that comes to nothing: whoever looks again for what it replaces needs its id. */
static int forget_held(struct txn *t, struct txn_part *part, struct bytes id, bool *held_out)
{
	uint64_t hash = bytes_hash(id);
	struct held h;
	int rc = held_find(t, part, id, hash, &h);

	if (!rc && h.own)
		rc = ERR_INVALID;
	if (!rc)
		rc = part->count >= TXN_RECORDS_MAX ? ERR_LIMIT : part_reserve(part);
	if (!rc)
		rc = buf_reserve(&part->ids, id.len);
	part->ids.error = 0;
	if (rc)
		return rc;
	part->forgets = true;
	*held_out = h.row != NULL;
	if (!h.row)
		return 0;
	part->rows[part->count++] = (struct txn_row){.row.id_hash = hash,
						     .at = part->raw.len,
						     .id_at = part->ids.len,
						     .id_len = (uint8_t)id.len,
						     .dropped = true};
	buf_put_bytes(&part->ids, id);
	part->dropped++;
	part->kills[part->kills_count++] = (struct kill){h.found.entry->segment, h.found.ordinal,
							 h.found.row.flags,
							 (uint32_t)part->count - 1};
	return 0;
}

int txn_forget(struct txn *t, const char *resource, struct bytes id, struct bytes key,
	       bool *held_out, struct why *why)
{
	struct txn_part *part;
	bool held = false;
	int rc = 0;

	assert(!t->committing);
	if (id.len == 0 || id.len > RECORD_ID_MAX || !resource_name_valid(resource))
		return why_set(why, ERR_INVALID, "no record has such an id");
	if (state_find(t->store->state, resource)) {
		rc = txn_part(t, resource, &part, why);
		if (!rc)
			rc = forget_held(t, part, id, &held);
	}
	if (!rc && key.data)
		rc = forgotten_add(t, resource, id, key);
	if (rc == ERR_LIMIT)
		return why_set(why, rc, "too much is to be forgotten at once, or was forgotten");
	if (rc)
		return why_set(why, rc, "cannot forget a record of %s: %s", resource, err_name(rc));
	*held_out = held;
	return 0;
}
