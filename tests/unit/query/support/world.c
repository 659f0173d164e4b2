/* world: makes records up, the same for the same seed. */
#include "world.h"

#include <codec/msgpack.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define START_MS INT64_C(1700000000000)
#define DAY_MS   INT64_C(86400000)

const struct field world_fields[] = {
	{"state", FIELD_TEXT, "state", "open or closed"},
	{"title", FIELD_TEXT, "title", "title"},
	{"number", FIELD_INTEGER, "number", "a number"},
	{"labels", FIELD_LIST, "labels.*.name", "labels"},
	{"kind", FIELD_TEXT, "kind", "of a message"},
	{"cost", FIELD_REAL, "cost", "a number with decimals"},
	{"due", FIELD_TIME, "due", "a time"},
	{"late", FIELD_BOOL, "late", "yes or no"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

uint64_t world_random(struct world *w, uint64_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random % below;
}

bool world_indexed;

static const struct store_field indexed[] = {
	{&world_fields[0], STORE_KEYWORD}, {&world_fields[1], STORE_TEXT},
	{&world_fields[2], STORE_INTEGER}, {&world_fields[3], STORE_LIST},
	{&world_fields[4], STORE_KEYWORD}, {&world_fields[5], STORE_INTEGER},
	{&world_fields[6], STORE_TIME},    {&world_fields[7], STORE_KEYWORD},
};

static const struct store_schema schemas[] = {
	{"conversations", indexed, 8, NULL}, {"messages", indexed, 8, NULL}, {NULL, NULL, 0, NULL}};

static void open_store(struct world *w)
{
	const struct store_options options = {.dir = w->dir,
					      .journal_bytes = world_indexed ? 1 << 20 : 0,
					      .schemas = world_indexed ? schemas : NULL};
	struct why why;

	if (store_open(&options, &w->store, &why))
		fail_msg("%s", why.text);
}

void world_open(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof *w);
	w->random = seed * 2654435761u + 88172645463325252u;
	snprintf(w->dir, sizeof w->dir, "/tmp/fic-query-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	open_store(w);
}

void world_reopen(struct world *w)
{
	store_close(w->store);
	open_store(w);
}

void world_close(struct world *w)
{
	char command[100];

	store_close(w->store);
	snprintf(command, sizeof command, "rm -rf -- '%s'", w->dir);
	assert_int_equal(system(command), 0);
}

struct record world_record_of(const struct world_record *r)
{
	return (struct record){
		.id = bytes_str(r->id),
		.parent = bytes_str(r->parent),
		.created_ms = r->created_ms,
		.updated_ms = r->updated_ms,
		.seen_ms = r->updated_ms + 60000,
		.flags = r->deleted ? RECORD_DELETED : 0,
		.doc = bytes_of(r->doc, r->doc_len),
	};
}

static void remember(struct world *w, const struct world_record *r)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->records[i].id, r->id) == 0) {
			w->records[i] = *r;
			return;
		}
	assert_true(w->count < WORLD_RECORDS_MAX);
	w->records[w->count++] = *r;
}

void world_put(struct world *w, const char *resource, const struct world_record *r)
{
	struct record record = world_record_of(r);
	enum put_outcome outcome;
	struct why why;

	if (!w->txn)
		assert_int_equal(store_begin(w->store, &w->txn, &why), 0);
	if (txn_put(w->txn, resource, &record, &outcome, &why))
		fail_msg("%s", why.text);
	remember(w, r);
}

static void committed(void *ctx, int rc, const struct why *why)
{
	if (rc)
		fail_msg("%s", why->text);
	*(bool *)ctx = true;
}

void world_commit(struct world *w)
{
	bool done = false;

	if (!w->txn)
		return;
	txn_commit(w->txn, committed, &done);
	w->txn = NULL;
	assert_true(done);
}

static uint32_t put_pair(struct buf *b, const char *key, const char *value)
{
	if (!value)
		return 0;
	mp_put_cstr(b, key);
	mp_put_cstr(b, value);
	return 1;
}

void world_doc(struct world_record *r, const char *state, const char *title, int64_t number,
	       const char *label, const char *kind)
{
	struct buf b = {0};
	size_t map = mp_begin_map(&b);
	uint32_t n = put_pair(&b, "state", state) + put_pair(&b, "title", title) +
		     put_pair(&b, "kind", kind) + 3;

	if (number % 5) {
		mp_put_cstr(&b, "cost");
		mp_put_float(&b, (double)(number * number) / 8 - 100);
		mp_put_cstr(&b, "due");
		mp_put_int(&b, START_MS / 1000 + number * 40000);
		mp_put_cstr(&b, "late");
		mp_put_bool(&b, number % 2);
		n += 3;
	}

	mp_put_cstr(&b, "number");
	mp_put_int(&b, number);
	mp_put_cstr(&b, "labels");
	mp_put_array(&b, label ? 2 : 0);
	for (int i = 0; label && i < 2; i++) {
		mp_put_map(&b, 1);
		mp_put_cstr(&b, "name");
		mp_put_cstr(&b, i ? "every" : label);
	}
	mp_put_cstr(&b, "statistics");
	mp_put_map(&b, 1);
	mp_put_cstr(&b, "reopens");
	mp_put_int(&b, number % 3);
	mp_end_map(&b, map, n);
	assert_true(b.error == 0 && b.len <= sizeof r->doc);
	memcpy(r->doc, b.data, b.len);
	r->doc_len = b.len;
	buf_release(&b);
}

static void make_up(struct world *w, struct world_record *r)
{
	static const char *const labels[] = {NULL, "vip", "late", "spam"};
	char title[80];

	snprintf(title, sizeof title, "about %llu and %0*d",
		 (unsigned long long)world_random(w, 50), (int)world_random(w, 40) + 1, 1);
	world_doc(r, world_random(w, 3) ? "open" : "closed", world_random(w, 9) ? title : NULL,
		  (int64_t)world_random(w, 100), labels[world_random(w, 4)], NULL);
	/* Few different times, so that many rows share one. */
	if (r->updated_ms == 0) {
		r->created_ms = START_MS + (int64_t)world_random(w, 40) * DAY_MS / 4;
		if (world_random(w, 15) == 0)
			r->created_ms = TIME_NONE;
		r->updated_ms = START_MS + (int64_t)world_random(w, 40) * DAY_MS / 4;
	}
	r->deleted = world_random(w, 12) == 0;
}

const char *world_named(struct world *w, const char *text, struct arena *a)
{
	struct buf b = {0};

	for (; *text; text++)
		if (*text == '#')
			buf_put_str(&b, w->records[world_random(w, w->count)].id);
		else
			buf_put_byte(&b, (uint8_t)*text);
	const char *out = arena_str(a, buf_bytes(&b));
	buf_release(&b);
	return out;
}

void world_fill(struct world *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct world_record r = {.created_ms = 0};
		size_t old = w->count ? world_random(w, w->count) : 0;
		/* Whether a record can come back from the dead is the store's business. */
		if (w->count && !w->records[old].deleted && world_random(w, 5) == 0) {
			r = w->records[old];
			r.updated_ms += 1000 + (int64_t)world_random(w, 5) * DAY_MS;
		} else {
			snprintf(r.id, sizeof r.id, "%llu",
				 (unsigned long long)world_random(w, 1000000000));
			snprintf(r.parent, sizeof r.parent, "p%llu",
				 (unsigned long long)world_random(w, 6));
		}
		make_up(w, &r);
		world_put(w, "conversations", &r);
		if (world_random(w, 60) == 0)
			world_commit(w);
	}
	world_commit(w);
}
