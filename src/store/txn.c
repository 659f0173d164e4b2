/*
 * txn: what is about to change, in memory. Touches no file: an abort forgets, a commit (commit.c)
 * makes it so.
 */
#include "inside.h"
#include "repair.h"

#include <assert.h>
#include <stdlib.h>

/* Damage that is known when a transaction begins is withdrawn before its own changes, so that
 * reading the span again covers it; what is found later is withdrawn after them, because the
 * transaction may have left out records that it took for held. */
static void note_damage(struct store *s)
{
	for (size_t i = 0; i < s->state->resources_count; i++) {
		const struct state_resource *r = s->state->resources[i];
		for (size_t j = 0; j < r->count; j++)
			r->segments[j].segment->damaged_before = r->segments[j].segment->damaged;
	}
}

struct txn *txn_new(struct store *s)
{
	struct txn *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	note_damage(s);
	t->store = s;
	t->revision = s->state->revision + 1;
	return t;
}

int store_begin(struct store *s, struct txn **txn_out, struct why *why)
{
	if (s->txn)
		return why_set(why, ERR_BUSY, "another transaction of %s is %s", s->dir,
			       s->txn->committing ? "committing" : "open");
	struct txn *t = txn_new(s);
	if (!t)
		return why_set(why, ERR_NOMEM, "out of memory to begin a transaction");
	s->txn = *txn_out = t;
	return 0;
}

static void part_free(struct store *s, struct txn_part *part)
{
	resource_unref(part->base, store_segment_end, s);
	free(part->rows);
	free(part->table);
	free(part->kills);
	buf_release(&part->ids);
	buf_release(&part->packed);
	buf_release(&part->raw);
	extract_release(&part->extract);
	buf_release(&part->dictionary_bytes);
	dictionary_trainer_free(part->trainer);
	dictionary_give_packer(s->dictionaries, part->packer_dictionary, part->packer);
	coverage_release(&part->coverage);
	intervals_release(&part->damaged);
	free(part);
}

void txn_free(struct txn *t)
{
	while (t->parts) {
		struct txn_part *part = t->parts;
		t->parts = part->next;
		part_free(t->store, part);
	}
	for (size_t i = 0; i < t->marks_count; i++)
		mark_unref(t->marks[i]);
	free(t->marks);
	buf_release(&t->seals);
	if (t->store->txn == t)
		t->store->txn = NULL;
	free(t);
}

void txn_abort(struct txn *t)
{
	if (!t)
		return;
	assert(!t->committing);
	txn_free(t);
}

/* ---- parts ---- */

static int part_begin(struct txn_part *part)
{
	const struct state_resource *r = part->base;
	int rc;

	coverage_init(&part->coverage);
	if (!r)
		return 0;
	rc = coverage_copy(&r->coverage, &part->coverage);
	if (!rc)
		rc = intervals_copy(&r->damaged, &part->damaged);
	for (size_t i = 0; !rc && i < r->count; i++)
		if (r->segments[i].segment->damaged_before)
			rc = repair_withdraw(&r->segments[i].segment->meta, &part->coverage,
					     &part->damaged);
	return rc;
}

/* Resources of the state and new ones of this transaction, together. */
static size_t resources_of(const struct txn *t)
{
	size_t n = t->store->state->resources_count;

	for (const struct txn_part *part = t->parts; part; part = part->next)
		n += part->base == NULL;
	return n;
}

static struct txn_part *part_find(struct txn *t, const char *resource)
{
	struct txn_part *part = t->parts;

	while (part && strcmp(part->name, resource) != 0)
		part = part->next;
	return part;
}

int txn_part(struct txn *t, const char *resource, struct txn_part **out, struct why *why)
{
	if (!resource_name_valid(resource))
		return why_set(why, ERR_INVALID, "'%.40s' cannot be a resource's name",
			       resource ? resource : "");
	struct txn_part *part = part_find(t, resource);
	if (part) {
		*out = part;
		return 0;
	}
	struct state_resource *base = state_find(t->store->state, resource);
	if (!base && resources_of(t) >= STORE_RESOURCES_MAX)
		return why_set(why, ERR_LIMIT, "a store holds at most %d resources",
			       STORE_RESOURCES_MAX);
	part = calloc(1, sizeof *part);
	if (!part)
		return why_set(why, ERR_NOMEM, "out of memory in a transaction");
	strcpy(part->name, resource);
	part->retain_ms = TIME_MIN;
	part->base = base;
	if (base)
		base->refs++;
	part->extract.schema = schema_find(&t->store->schemas, resource);
	part->dictionary = base ? base->dictionary : 0;
	part->gathering = part->dictionary == 0;
	int rc = part_begin(part);
	if (rc) {
		part_free(t->store, part);
		return why_set(why, rc, "out of memory in a transaction");
	}
	struct txn_part **last = &t->parts; /* in the order of their first use */
	while (*last)
		last = &(*last)->next;
	*last = *out = part;
	return 0;
}

/* ---- rows by id ---- */

struct bytes txn_row_id(const struct txn_part *part, const struct txn_row *r)
{
	return bytes_of(part->ids.data + r->id_at, r->id_len);
}

struct bytes txn_row_parent(const struct txn_part *part, const struct txn_row *r)
{
	return bytes_of(part->ids.data + r->id_at + r->id_len, r->parent_len);
}

uint32_t *txn_slot(const struct txn_part *part, struct bytes id, uint64_t hash)
{
	size_t mask = part->table_size - 1, at = (size_t)hash & mask;

	for (;; at = (at + 1) & mask) {
		uint32_t *slot = &part->table[at];
		if (!*slot)
			return slot;
		const struct txn_row *r = &part->rows[*slot - 1];
		if (r->row.id_hash == hash && bytes_equal(txn_row_id(part, r), id))
			return slot;
	}
}

const struct row *txn_row_of(const struct txn_part *part, struct bytes id)
{
	uint32_t slot = part && part->table_size ? *txn_slot(part, id, bytes_hash(id)) : 0;

	return slot ? &part->rows[slot - 1].row : NULL;
}

/* ---- coverage and marks ---- */

static int part_of(struct txn *t, const char *resource, struct txn_part **out)
{
	assert(!t->committing);
	return txn_part(t, resource, out, NULL);
}

/* Nothing is held beyond the moment whose state it shows (coverage.c), and so no damage is healed
 * there. */
int txn_hold(struct txn *t, const char *resource, struct interval span)
{
	struct txn_part *part;
	int rc = part_of(t, resource, &part);

	if (!rc && (span.start_ms == TIME_NONE || span.as_of_ms == TIME_NONE))
		rc = ERR_INVALID;
	if (rc)
		return rc;
	int64_t as_of = coverage_as_of(&part->coverage, span);
	rc = coverage_hold(&part->coverage, span);
	return rc ? rc
		  : intervals_remove(&part->damaged, span.start_ms,
				     span.end_ms < as_of ? span.end_ms : as_of);
}

int txn_withdraw(struct txn *t, const char *resource, int64_t start_ms, int64_t end_ms)
{
	struct txn_part *part;
	int rc = part_of(t, resource, &part);

	return rc ? rc : coverage_withdraw(&part->coverage, start_ms, end_ms);
}

static int retain(struct txn *t, const char *resource, int64_t before_ms, struct txn_part **out)
{
	struct txn_part *part;
	int64_t window = t->store->window_ms, into = before_ms % window;
	int rc = part_of(t, resource, &part);

	if (!rc && before_ms == TIME_NONE)
		rc = ERR_INVALID;
	into += into < 0 ? window : 0;
	if (!rc)
		*out = part;
	if (rc || before_ms < TIME_MIN + window)
		return rc;
	before_ms -= into;
	rc = coverage_withdraw(&part->coverage, TIME_MIN, before_ms);
	if (!rc)
		rc = intervals_remove(&part->damaged, TIME_MIN, before_ms);
	if (!rc && before_ms > part->retain_ms)
		part->retain_ms = before_ms;
	return rc;
}

int txn_retain(struct txn *t, const char *resource, int64_t before_ms)
{
	struct txn_part *part;

	return retain(t, resource, before_ms, &part);
}

/* The commit takes the parts in the order of their first use. */
int txn_retain_threads(struct txn *t, const char *parent, const char *child, int64_t before_ms)
{
	struct txn_part *parents, *children;
	int rc = part_find(t, parent) || (child && part_find(t, child)) ? ERR_INVALID : 0;

	if (!rc)
		rc = retain(t, parent, before_ms, &parents);
	if (!rc && child)
		rc = retain(t, child, before_ms, &children);
	if (rc)
		return rc;
	parents->retain_how = RETAIN_PARENTS;
	if (child) {
		strcpy(parents->retain_other, child);
		children->retain_how = RETAIN_CHILDREN;
		strcpy(children->retain_other, parent);
	}
	return 0;
}

int txn_chain_start(struct txn *t, const char *resource, int64_t at_ms)
{
	struct txn_part *part;
	int rc = part_of(t, resource, &part);

	if (!rc)
		coverage_chain_start(&part->coverage, at_ms);
	return rc;
}

int txn_chain_extend(struct txn *t, const char *resource, int64_t from_ms, int64_t to_ms)
{
	struct txn_part *part;
	int rc = part_of(t, resource, &part);

	return rc ? rc : coverage_chain_extend(&part->coverage, from_ms, to_ms);
}

/* Whether the marks fit can only be said at the end; here a bound that a commit cannot pass by much
 * is held. */
int txn_mark_add(struct txn *t, const char *key, struct bytes value)
{
	struct bytes name = bytes_str(key);

	if (name.len == 0 || name.len > MARK_KEY_MAX)
		return ERR_INVALID;
	if (value.len > MARK_VALUE_MAX || t->marks_count >= STATE_MARKS_MAX)
		return ERR_LIMIT;
	if (t->marks_count == t->marks_cap) {
		size_t cap = t->marks_cap ? t->marks_cap * 2 : 8;
		struct mark **grown = realloc(t->marks, cap * sizeof(struct mark *));
		if (!grown)
			return ERR_NOMEM;
		t->marks = grown;
		t->marks_cap = cap;
	}
	struct mark *m = mark_new(name, value);
	if (!m)
		return ERR_NOMEM;
	m->removes = !value.data;
	t->marks[t->marks_count++] = m;
	return 0;
}

int txn_mark(struct txn *t, const char *key, struct bytes value)
{
	assert(!t->committing);
	return txn_mark_add(t, key, value);
}

size_t txn_bytes(const struct txn *t)
{
	size_t n = 0;

	for (const struct txn_part *part = t->parts; part; part = part->next)
		n += part_bytes(part) + extract_bytes(&part->extract);
	return n;
}

size_t txn_records(const struct txn *t)
{
	size_t n = 0;

	for (const struct txn_part *part = t->parts; part; part = part->next)
		n += part->count - part->dropped;
	return n;
}
