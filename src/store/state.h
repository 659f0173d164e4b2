/*
 * state: what one manifest says, in memory, never changed once it is published.
 *
 * States share what did not change between them by count: resources, segments, bitmaps of dead
 * rows, marks. A commit clones the resources that it changes, changes the clones, and publishes; a
 * snapshot keeps the state that it saw.
 */
#ifndef FIC_STORE_STATE_H
#define FIC_STORE_STATE_H

#include "segment_file.h"

#include <model/coverage.h>
#include <store/store.h>

#define STATE_SEGMENTS_MAX     65536u
#define STATE_DICTIONARIES_MAX 1024u
#define STATE_MARKS_MAX        1024u
#define MARK_KEY_MAX           255u
#define MARK_VALUE_MAX         4096u

/* Rows of one segment that were replaced. */
struct dead {
	unsigned refs;
	uint32_t count;   /* of bits that are set */
	uint32_t records; /* of bits in all */
	uint8_t bits[];
};

struct state_segment {
	struct segment *segment;
	struct dead *dead; /* NULL: none */
	struct id_keys ids; /* the segment's, side by side for lookups; all, until they were learned (resident_step) */
	uint32_t tombstones, truncated; /* among the rows that live */
};

struct state_dictionary {
	uint64_t number;
	uint32_t bytes;
};

struct state_resource {
	unsigned refs;
	char name[SEGMENT_NAME_SIZE];
	uint64_t version;    /* of its rows: no other rows have the same one */
	uint64_t dictionary; /* the current one; 0: none */
	struct state_dictionary *dictionaries;
	size_t dictionaries_count;
	struct state_segment *segments; /* in the order in which they were written */
	size_t count, cap;
	struct coverage coverage;
	struct intervals damaged;
};

struct mark {
	unsigned refs;
	uint32_t key_len, value_len;
	bool removes; /* in a transaction: the key goes */
	char data[];  /* key, value */
};

struct state {
	unsigned refs;
	uint64_t revision;
	uint64_t next_file;
	struct state_resource *resources[STORE_RESOURCES_MAX];
	size_t resources_count;
	struct mark **marks; /* ordered by key */
	size_t marks_count;
};

static inline bool dead_has(const struct dead *d, uint32_t ordinal)
{
	return d && (d->bits[ordinal / 8] >> (ordinal % 8) & 1);
}

static inline uint32_t segment_live(const struct state_segment *e)
{
	return e->segment->meta.records - (e->dead ? e->dead->count : 0);
}

static inline struct bytes mark_key(const struct mark *m)
{
	return bytes_of(m->data, m->key_len);
}

static inline struct bytes mark_value(const struct mark *m)
{
	return bytes_of(m->data + m->key_len, m->value_len);
}

bool resource_name_valid(const char *name); /* [a-z_]{1,31} */

/* ---- what goes with the last reference ---- */

/* Called for a segment whose last reference went. */
typedef void segment_end(void *ctx, struct segment *g);

struct state *state_new(void);
void state_unref(struct state *t, segment_end *end, void *ctx);
struct state_resource *resource_new(const char *name);
void resource_unref(struct state_resource *r, segment_end *end, void *ctx);

/* ---- making the next state ---- */

struct state *state_clone(const struct state *t); /* shares everything; NULL: no memory */
struct state_resource *resource_clone(const struct state_resource *r); /* shares segments and bitmaps */
struct state_resource *state_find(const struct state *t, const char *name); /* NULL: never written */
/* Puts the resource (taking the caller's reference) in the place of the one with its name, or adds
 * it. ERR_LIMIT: too many. */
int state_set(struct state *t, struct state_resource *r, segment_end *end, void *ctx);

/* Takes the caller's reference to the segment (not on an error). */
int resource_add_segment(struct state_resource *r, struct state_segment entry);
void resource_drop_segment(struct state_resource *r, size_t at, segment_end *end, void *ctx);
int resource_add_dictionary(struct state_resource *r, uint64_t number, uint32_t bytes);
void resource_drop_dictionary(struct state_resource *r, size_t at);
/* A bitmap of its own for the entry, so that it may be changed. */
int entry_own_dead(struct state_segment *e);
void entry_kill(struct state_segment *e, uint32_t ordinal, unsigned flags);
struct dead *dead_new(uint32_t records);
void dead_unref(struct dead *d);

struct mark *mark_new(struct bytes key, struct bytes value);
void mark_unref(struct mark *m);
/* Sets, or with an empty value removes. */
int state_mark(struct state *t, struct bytes key, struct bytes value);
const struct mark *state_find_mark(const struct state *t, struct bytes key);

bool state_damaged(const struct state *t);              /* some segment is known to be */
uint64_t resource_live(const struct state_resource *r); /* rows, tombstones included */

#endif
