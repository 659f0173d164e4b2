/* state: see the header. Nothing here touches a file. */
#include "state.h"

#include <model/record.h>

#include <assert.h>
#include <stdlib.h>

bool resource_name_valid(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	if (len == 0 || len >= SEGMENT_NAME_SIZE)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((name[i] >= 'a' && name[i] <= 'z') || name[i] == '_'))
			return false;
	return true;
}

/* ---- dead rows ---- */

struct dead *dead_new(uint32_t records)
{
	struct dead *d = calloc(1, sizeof *d + (records + 7) / 8);

	if (d) {
		d->refs = 1;
		d->records = records;
	}
	return d;
}

void dead_unref(struct dead *d)
{
	if (d && --d->refs == 0)
		free(d);
}

int entry_own_dead(struct state_segment *e)
{
	struct dead *own;

	if (e->dead && e->dead->refs == 1)
		return 0;
	own = dead_new(e->segment->meta.records);
	if (!own)
		return ERR_NOMEM;
	if (e->dead) {
		memcpy(own->bits, e->dead->bits, (own->records + 7) / 8);
		own->count = e->dead->count;
		dead_unref(e->dead);
	}
	e->dead = own;
	return 0;
}

void entry_kill(struct state_segment *e, uint32_t ordinal, unsigned flags)
{
	struct dead *d = e->dead;

	assert(d && d->refs == 1 && ordinal < d->records);
	if (dead_has(d, ordinal))
		return;
	d->bits[ordinal / 8] |= (uint8_t)(1u << (ordinal % 8));
	d->count++;
	if (flags & RECORD_DELETED && e->tombstones)
		e->tombstones--;
	if (flags & RECORD_TRUNCATED && e->truncated)
		e->truncated--;
}

/* ---- resources ---- */

struct state_resource *resource_new(const char *name)
{
	struct state_resource *r = calloc(1, sizeof *r);

	assert(resource_name_valid(name));
	if (!r)
		return NULL;
	r->refs = 1;
	strcpy(r->name, name);
	coverage_init(&r->coverage);
	return r;
}

static void segment_unref(struct segment *g, segment_end *end, void *ctx)
{
	if (--g->refs == 0)
		end(ctx, g);
}

void resource_unref(struct state_resource *r, segment_end *end, void *ctx)
{
	if (!r || --r->refs)
		return;
	for (size_t i = 0; i < r->count; i++) {
		dead_unref(r->segments[i].dead);
		segment_unref(r->segments[i].segment, end, ctx);
	}
	free(r->segments);
	free(r->dictionaries);
	coverage_release(&r->coverage);
	intervals_release(&r->damaged);
	free(r);
}

static int resource_copy(const struct state_resource *from, struct state_resource *to)
{
	for (size_t i = 0; i < from->dictionaries_count; i++)
		if (resource_add_dictionary(to, from->dictionaries[i].number,
					    from->dictionaries[i].bytes))
			return ERR_NOMEM;
	for (size_t i = 0; i < from->count; i++) {
		if (resource_add_segment(to, from->segments[i]))
			return ERR_NOMEM;
		from->segments[i].segment->refs++;
		if (from->segments[i].dead)
			from->segments[i].dead->refs++;
	}
	int rc = coverage_copy(&from->coverage, &to->coverage);
	return rc ? rc : intervals_copy(&from->damaged, &to->damaged);
}

/* Of a half-made clone: the original holds every segment too, so none can end here. */
static void none_ends(void *ctx, struct segment *g)
{
	(void)ctx;
	(void)g;
	assert(!"a segment of two owners lost its last one");
}

struct state_resource *resource_clone(const struct state_resource *r)
{
	struct state_resource *c = resource_new(r->name);

	if (!c)
		return NULL;
	c->version = r->version;
	c->dictionary = r->dictionary;
	if (resource_copy(r, c)) {
		resource_unref(c, none_ends, NULL);
		return NULL;
	}
	return c;
}

int resource_add_segment(struct state_resource *r, struct state_segment entry)
{
	if (r->count >= STATE_SEGMENTS_MAX)
		return ERR_LIMIT;
	if (r->count == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 8;
		struct state_segment *grown = realloc(r->segments, cap * sizeof *grown);
		if (!grown)
			return ERR_NOMEM;
		r->segments = grown;
		r->cap = cap;
	}
	r->segments[r->count++] = entry;
	return 0;
}

void resource_drop_segment(struct state_resource *r, size_t at, segment_end *end, void *ctx)
{
	struct state_segment gone = r->segments[at];

	r->count--;
	memmove(&r->segments[at], &r->segments[at + 1], (r->count - at) * sizeof *r->segments);
	dead_unref(gone.dead);
	segment_unref(gone.segment, end, ctx);
}

int resource_add_dictionary(struct state_resource *r, uint64_t number, uint32_t bytes)
{
	if (r->dictionaries_count >= STATE_DICTIONARIES_MAX)
		return ERR_LIMIT;
	struct state_dictionary *grown = realloc(r->dictionaries,
						 (r->dictionaries_count + 1) * sizeof *grown);
	if (!grown)
		return ERR_NOMEM;
	r->dictionaries = grown;
	grown[r->dictionaries_count++] = (struct state_dictionary){number, bytes};
	return 0;
}

void resource_drop_dictionary(struct state_resource *r, size_t at)
{
	r->dictionaries_count--;
	memmove(&r->dictionaries[at], &r->dictionaries[at + 1],
		(r->dictionaries_count - at) * sizeof *r->dictionaries);
}

bool state_damaged(const struct state *t)
{
	for (size_t i = 0; i < t->resources_count; i++)
		for (size_t j = 0; j < t->resources[i]->count; j++)
			if (t->resources[i]->segments[j].segment->damaged)
				return true;
	return false;
}

uint64_t resource_live(const struct state_resource *r)
{
	uint64_t live = 0;

	for (size_t i = 0; i < r->count; i++)
		live += segment_live(&r->segments[i]);
	return live;
}

/* ---- marks ---- */

struct mark *mark_new(struct bytes key, struct bytes value)
{
	struct mark *m = malloc(sizeof *m + key.len + value.len);

	if (!m)
		return NULL;
	*m = (struct mark){.refs = 1, .key_len = (uint32_t)key.len, .value_len = (uint32_t)value.len};
	memcpy(m->data, key.data, key.len);
	if (value.len)
		memcpy(m->data + key.len, value.data, value.len);
	return m;
}

void mark_unref(struct mark *m)
{
	if (m && --m->refs == 0)
		free(m);
}

/* The place of the first key that is not smaller. */
static size_t mark_place(const struct state *t, struct bytes key)
{
	size_t at = 0;

	while (at < t->marks_count && bytes_compare(mark_key(t->marks[at]), key) < 0)
		at++;
	return at;
}

const struct mark *state_find_mark(const struct state *t, struct bytes key)
{
	size_t at = mark_place(t, key);

	return at < t->marks_count && bytes_equal(mark_key(t->marks[at]), key) ? t->marks[at] : NULL;
}

static void mark_remove(struct state *t, size_t at)
{
	mark_unref(t->marks[at]);
	t->marks_count--;
	memmove(&t->marks[at], &t->marks[at + 1], (t->marks_count - at) * sizeof(struct mark *));
}

static int mark_insert(struct state *t, size_t at, struct mark *m)
{
	if (t->marks_count >= STATE_MARKS_MAX)
		return ERR_LIMIT;
	struct mark **grown = realloc(t->marks, (t->marks_count + 1) * sizeof(struct mark *));
	if (!grown)
		return ERR_NOMEM;
	t->marks = grown;
	memmove(&grown[at + 1], &grown[at], (t->marks_count - at) * sizeof(struct mark *));
	grown[at] = m;
	t->marks_count++;
	return 0;
}

int state_mark(struct state *t, struct bytes key, struct bytes value)
{
	size_t at = mark_place(t, key);
	bool held = at < t->marks_count && bytes_equal(mark_key(t->marks[at]), key);

	if (!value.data) {
		if (held)
			mark_remove(t, at);
		return 0;
	}
	struct mark *m = mark_new(key, value);
	if (!m)
		return ERR_NOMEM;
	if (held) {
		mark_unref(t->marks[at]);
		t->marks[at] = m;
		return 0;
	}
	int rc = mark_insert(t, at, m);
	if (rc)
		mark_unref(m);
	return rc;
}

/* ---- states ---- */

struct state *state_new(void)
{
	struct state *t = calloc(1, sizeof *t);

	if (t) {
		t->refs = 1;
		t->next_file = 1;
	}
	return t;
}

void state_unref(struct state *t, segment_end *end, void *ctx)
{
	if (!t || --t->refs)
		return;
	for (size_t i = 0; i < t->resources_count; i++)
		resource_unref(t->resources[i], end, ctx);
	for (size_t i = 0; i < t->marks_count; i++)
		mark_unref(t->marks[i]);
	free(t->marks);
	free(t);
}

struct state *state_clone(const struct state *t)
{
	struct state *c = malloc(sizeof *c);

	if (!c)
		return NULL;
	*c = *t;
	c->refs = 1;
	c->marks = malloc((t->marks_count + 1) * sizeof(struct mark *));
	if (!c->marks) {
		free(c);
		return NULL;
	}
	for (size_t i = 0; i < t->marks_count; i++) {
		c->marks[i] = t->marks[i];
		c->marks[i]->refs++;
	}
	for (size_t i = 0; i < c->resources_count; i++)
		c->resources[i]->refs++;
	return c;
}

struct state_resource *state_find(const struct state *t, const char *name)
{
	for (size_t i = 0; i < t->resources_count; i++)
		if (strcmp(t->resources[i]->name, name) == 0)
			return t->resources[i];
	return NULL;
}

int state_set(struct state *t, struct state_resource *r, segment_end *end, void *ctx)
{
	for (size_t i = 0; i < t->resources_count; i++) {
		if (strcmp(t->resources[i]->name, r->name) != 0)
			continue;
		resource_unref(t->resources[i], end, ctx);
		t->resources[i] = r;
		return 0;
	}
	if (t->resources_count == STORE_RESOURCES_MAX)
		return ERR_LIMIT;
	t->resources[t->resources_count++] = r;
	return 0;
}
