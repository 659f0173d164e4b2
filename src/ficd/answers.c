/*
 * answers: entries in a hash table and in a list by last use, and how often questions were asked in a sketch: counts by two hashes, halved now and then. What goes is
 * looked for among all entries: there are some hundreds.
 */
#include "answers.h"

#include <stdlib.h>

#define HEADS       256u
#define COUNTS      8192u /* of each of two rows */
#define COUNT_MAX   15u
#define AGE_AFTER   (COUNTS * 4) /* questions: then all counts are halved */
#define ASKED_MIN   2u           /* times: what comes once is not copied */
#define SMALL_BYTES 4096u
#define SMALL_SHARE \
	4 /* of what may be kept, for small answers: many of them fit into what a large one takes */
#define ENTRIES_MAX 512u /* of each kind */
#define VICTIMS_MAX 16u  /* that one answer may push out */
#define ENTRY_EXTRA 32u  /* of the allocator */

/* Small answers, or large ones. */
struct shelf {
	size_t bytes, bytes_max;
	unsigned entries;
	struct entry *newest, *oldest; /* by last use */
};

struct entry {
	struct shelf *shelf;
	struct entry *next;          /* of its head */
	struct entry *newer, *older; /* on its shelf */
	uint64_t hash, version;
	unsigned scope;
	size_t bytes; /* of all of it */
	size_t key_len;
	struct answer answer; /* its rows point behind the key */
	uint8_t data[];       /* key, rows */
};

struct answers {
	struct shelf small, large;
	struct entry *heads[HEADS];
	unsigned asked; /* since the counts were halved */
	uint8_t counts[2][COUNTS];
	uint64_t versions[ANSWER_SCOPES]; /* that were asked for last */
};

struct answers *answers_new(size_t bytes_max)
{
	struct answers *a = calloc(1, sizeof *a);

	if (a) {
		a->small.bytes_max = bytes_max / SMALL_SHARE;
		a->large.bytes_max = bytes_max - a->small.bytes_max;
	}
	return a;
}

static void shelf_clear(struct shelf *s)
{
	while (s->oldest) {
		struct entry *e = s->oldest;
		s->oldest = e->newer;
		free(e);
	}
}

void answers_free(struct answers *a)
{
	if (!a)
		return;
	shelf_clear(&a->small);
	shelf_clear(&a->large);
	free(a);
}

size_t answers_bytes(const struct answers *a)
{
	return a->small.bytes + a->large.bytes;
}

/* ---- how often ---- */

static unsigned count_of(const struct answers *a, uint64_t hash)
{
	unsigned x = a->counts[0][hash % COUNTS], y = a->counts[1][(hash >> 32) % COUNTS];

	return x < y ? x : y;
}

static void count(struct answers *a, uint64_t hash)
{
	uint8_t *x = &a->counts[0][hash % COUNTS], *y = &a->counts[1][(hash >> 32) % COUNTS];

	/* The larger one counts others, too. */
	unsigned least = *x < *y ? *x : *y;
	*x = (uint8_t)(*x + (*x == least && least < COUNT_MAX));
	*y = (uint8_t)(*y + (*y == least && least < COUNT_MAX));
	if (++a->asked < AGE_AFTER)
		return;
	a->asked = 0;
	for (unsigned i = 0; i < COUNTS; i++) {
		a->counts[0][i] /= 2;
		a->counts[1][i] /= 2;
	}
}

/* ---- entries ---- */

static void entry_unlist(struct entry *e)
{
	*(e->newer ? &e->newer->older : &e->shelf->newest) = e->older;
	*(e->older ? &e->older->newer : &e->shelf->oldest) = e->newer;
}

static void entry_list(struct entry *e)
{
	e->newer = NULL;
	e->older = e->shelf->newest;
	*(e->older ? &e->older->newer : &e->shelf->oldest) = e;
	e->shelf->newest = e;
}

static void entry_drop(struct answers *a, struct entry *e)
{
	struct entry **at = &a->heads[e->hash % HEADS];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	entry_unlist(e);
	e->shelf->entries--;
	e->shelf->bytes -= e->bytes;
	free(e);
}

static struct entry *entry_find(const struct answers *a, struct bytes key, uint64_t hash)
{
	struct entry *e = a->heads[hash % HEADS];

	while (e && (e->hash != hash || !bytes_equal(bytes_of(e->data, e->key_len), key)))
		e = e->next;
	return e;
}

const struct answer *answers_find(struct answers *a, const struct asked *q)
{
	uint64_t hash = bytes_hash(q->key);
	struct entry *e = entry_find(a, q->key, hash);

	count(a, hash);
	a->versions[q->scope] = q->version;
	if (!e)
		return NULL;
	if (e->version != q->version) {
		entry_drop(a, e);
		return NULL;
	}
	entry_unlist(e);
	entry_list(e);
	return &e->answer;
}

/* ---- what is worth keeping ---- */

static size_t entry_size(const struct asked *q, const struct answer *answer)
{
	return sizeof(struct entry) + ENTRY_EXTRA + q->key.len + answer->rows.len;
}

/* Time that it saves for each byte, times how often it is asked. */
static double value_of(unsigned asked, uint32_t cost_us, size_t bytes)
{
	return (double)asked * (cost_us + 1.0) / (double)bytes;
}

static double entry_value(const struct answers *a, const struct entry *e)
{
	if (e->version != a->versions[e->scope])
		return 0;
	return value_of(count_of(a, e->hash), e->answer.cost_us, e->bytes);
}

struct victims {
	struct entry *entries[VICTIMS_MAX];
	double values[VICTIMS_MAX]; /* ascending */
	unsigned count;
};

/* One of the least worth; of equals the one that was not asked for longest. */
static void victims_note(struct victims *v, struct entry *e, double value)
{
	unsigned at = v->count;

	if (at == VICTIMS_MAX && value >= v->values[at - 1])
		return;
	at -= at == VICTIMS_MAX;
	for (; at > 0 && value < v->values[at - 1]; at--) {
		v->values[at] = v->values[at - 1];
		v->entries[at] = v->entries[at - 1];
	}
	v->values[at] = value;
	v->entries[at] = e;
	v->count += v->count < VICTIMS_MAX;
}

/* What has to go from the shelf for so many bytes of so much value, in v->count; false: more than it is worth. */
static bool victims_find(const struct answers *a, const struct shelf *s, size_t bytes, double value,
			 struct victims *v)
{
	size_t left = s->bytes_max - s->bytes;
	bool crowded = s->entries == ENTRIES_MAX;
	unsigned n = 0;

	v->count = 0;
	if (left >= bytes && !crowded)
		return true;
	for (struct entry *e = s->oldest; e; e = e->newer)
		victims_note(v, e, entry_value(a, e));
	for (; n < v->count && v->values[n] < value && (left < bytes || (crowded && n == 0)); n++)
		left += v->entries[n]->bytes;
	v->count = n;
	return left >= bytes && (!crowded || n);
}

static const struct shelf *shelf_for(const struct answers *a, size_t bytes)
{
	return bytes <= SMALL_BYTES ? &a->small : &a->large;
}

static bool has_worth(const struct answers *a, const struct asked *q, const struct answer *answer,
		      struct victims *v)
{
	size_t bytes = entry_size(q, answer);
	const struct shelf *shelf = shelf_for(a, bytes);
	unsigned asked = count_of(a, bytes_hash(q->key));

	return asked >= ASKED_MIN && bytes <= ANSWER_BYTES_MAX && bytes <= shelf->bytes_max &&
	       victims_find(a, shelf, bytes, value_of(asked, answer->cost_us, bytes), v);
}

/* ---- keeping ---- */

/* The rows of the answer behind the entry's key. */
static void entry_fill(struct entry *e, struct bytes key, const struct answer *answer)
{
	uint8_t *to = e->data;

	e->answer = *answer;
	e->key_len = key.len;
	memcpy(to, key.data, key.len);
	to += key.len;
	if (answer->rows.len)
		memcpy(to, answer->rows.data, answer->rows.len);
	e->answer.rows = bytes_of(to, answer->rows.len);
}

void answers_keep(struct answers *a, const struct asked *q, const struct answer *answer)
{
	uint64_t hash = bytes_hash(q->key);
	struct entry *same = entry_find(a, q->key, hash);
	struct victims v;

	if (same)
		entry_drop(a, same);
	if (!has_worth(a, q, answer, &v))
		return;
	struct entry *e = malloc(sizeof *e + q->key.len + answer->rows.len);
	if (!e)
		return;
	while (v.count)
		entry_drop(a, v.entries[--v.count]);
	e->bytes = entry_size(q, answer);
	e->shelf = e->bytes <= SMALL_BYTES ? &a->small : &a->large;
	e->hash = hash;
	e->version = q->version;
	e->scope = q->scope;
	entry_fill(e, q->key, answer);
	e->next = a->heads[hash % HEADS];
	a->heads[hash % HEADS] = e;
	entry_list(e);
	e->shelf->entries++;
	e->shelf->bytes += e->bytes;
}

static void shelf_empty(struct answers *a, struct shelf *s)
{
	while (s->oldest) {
		explicit_bzero(s->oldest->data, s->oldest->key_len + s->oldest->answer.rows.len);
		entry_drop(a, s->oldest);
	}
}

void answers_clear(struct answers *a)
{
	if (!a)
		return;
	shelf_empty(a, &a->small);
	shelf_empty(a, &a->large);
}
