/* purge: see the header. What is to be done is done in purge_work.c, and by merges, which prefer what a purge waits for (choice.c). */
#include "purge.h"

#include <stdio.h>

#define VALUE_BYTES 25u
#define KEY_SIZE    (SEGMENT_NAME_SIZE + sizeof PURGE_MARK)

static struct bytes purge_key(const char *resource, char out[KEY_SIZE])
{
	snprintf(out, KEY_SIZE, PURGE_MARK "%s", resource);
	return bytes_str(out);
}

static void encode(const struct purge *p, uint8_t out[VALUE_BYTES])
{
	put_le64(out, p->rows);
	put_le64(out + 8, p->dictionary);
	put_le64(out + 16, p->strip);
	out[24] = p->settled;
}

static struct purge decode(const struct mark *m)
{
	const uint8_t *v = mark_value(m).data;

	if (m->value_len != VALUE_BYTES)
		return (struct purge){0};
	return (struct purge){le64(v), le64(v + 8), le64(v + 16), v[24] != 0};
}

struct purge purge_of(const struct state *t, const char *resource)
{
	char key[KEY_SIZE];
	const struct mark *m = state_find_mark(t, purge_key(resource, key));

	return m ? decode(m) : (struct purge){0};
}

bool purge_needs(const struct purge *p, const struct state_segment *e)
{
	const struct segment_meta *m = &e->segment->meta;

	return m->number < p->strip || (m->number < p->rows && e->dead && e->dead->count) ||
	       (m->dictionary && m->dictionary < p->dictionary);
}

/* ---- what makes it necessary ---- */

int purge_mark(struct txn *t, const char *resource, const struct purge *p)
{
	uint8_t value[VALUE_BYTES];
	char key[KEY_SIZE];

	purge_key(resource, key);
	if (!p)
		return txn_mark_add(t, key, bytes_of(NULL, 0));
	encode(p, value);
	return txn_mark_add(t, key, bytes_of(value, sizeof value));
}

/* What is being merged, or trained from, has the records still. */
static void drop_copies(struct store *s)
{
	s->merge_void = s->renewal_void = true;
}

int purge_note(struct txn *t)
{
	struct store *s = t->store;
	uint64_t before = 0;
	int rc = 0;

	for (const struct txn_part *part = t->parts; !rc && part; part = part->next) {
		if (!part->forgets)
			continue;
		if (!before) {
			before = s->next_file++;
			drop_copies(s);
		}
		struct purge p = purge_of(s->state, part->name);
		p.rows = p.dictionary = before;
		p.settled = false;
		rc = purge_mark(t, part->name, &p);
	}
	return rc;
}

int purge_all(struct txn *t, const char *resource)
{
	uint64_t before = t->store->next_file++;

	drop_copies(t->store);
	return purge_mark(t, resource, &(struct purge){before, before, before, false});
}

/* ---- old copies ---- */

static struct bytes scrub_key(const char *resource, char out[KEY_SIZE])
{
	snprintf(out, KEY_SIZE, SCRUB_MARK "%s", resource);
	return bytes_str(out);
}

int txn_scrub(struct txn *t, const char *resource)
{
	char key[KEY_SIZE];
	struct bytes name = scrub_key(resource, key);

	if (state_find_mark(t->store->state, name))
		return 0;
	for (size_t i = 0; i < t->marks_count; i++)
		if (bytes_equal(mark_key(t->marks[i]), name))
			return 0;
	return txn_mark(t, key, bytes_str("1"));
}

int purge_scrub(struct txn *t, const char *resource)
{
	struct store *s = t->store;
	struct purge p = purge_of(s->state, resource);
	char key[KEY_SIZE];

	drop_copies(s);
	p.rows = s->next_file++;
	p.settled = false;
	scrub_key(resource, key);
	int rc = purge_mark(t, resource, &p);
	return rc ? rc : txn_mark_add(t, key, bytes_of(NULL, 0));
}

/* ---- which there are ---- */

bool purge_next(const struct state *t, const char *prefix, size_t *at, char out[SEGMENT_NAME_SIZE])
{
	size_t skip = strlen(prefix);

	for (; *at < t->marks_count; ++*at) {
		struct bytes key = mark_key(t->marks[*at]);
		if (key.len <= skip || key.len - skip >= SEGMENT_NAME_SIZE ||
		    memcmp(key.data, prefix, skip) != 0)
			continue;
		memcpy(out, key.data + skip, key.len - skip);
		out[key.len - skip] = 0;
		++*at;
		return true;
	}
	return false;
}

static void add_files(const struct state *t, const char *resource, bool all, struct store_purge *to)
{
	const struct purge p = purge_of(t, resource);
	const struct state_resource *r = state_find(t, resource);

	for (size_t i = 0; r && i < r->count; i++) {
		const struct state_segment *e = &r->segments[i];
		if (segment_in_memory(e->segment) || !(all || purge_needs(&p, e)))
			continue;
		to->files++;
		to->bytes += e->segment->meta.bytes;
	}
}

bool store_purging(const struct store *s, struct store_purge *left_out)
{
	char resource[SEGMENT_NAME_SIZE];
	bool any = false;
	size_t at = 0;

	*left_out = (struct store_purge){0, 0};
	for (; purge_next(s->state, PURGE_MARK, &at, resource); any = true)
		add_files(s->state, resource, false, left_out);
	return any || s->lingering || s->doomed_count || s->leftovers_count;
}

void store_purge_cost(const struct store *s, const char *resource, struct store_purge *cost)
{
	add_files(s->state, resource, true, cost);
}
