/*
 * world: a store in a temporary folder, and a plain list of what must be in it.
 */
#ifndef FIC_TESTS_QUERY_WORLD_H
#define FIC_TESTS_QUERY_WORLD_H

#include <model/field.h>
#include <store/store.h>

#define WORLD_RECORDS_MAX 4000

extern const struct field world_fields[]; /* state, title, number, labels, kind, cost, due, late */

struct world_record {
	char id[24], parent[24];
	int64_t created_ms, updated_ms;
	bool deleted;
	uint8_t doc[600];
	size_t doc_len;
};

struct world {
	char dir[40];
	struct store *store;
	struct txn *txn;
	struct world_record records[WORLD_RECORDS_MAX]; /* the newest copy of each */
	size_t count;
	uint64_t random;
};

/* Whether stores are opened with the common fields indexed. */
extern bool world_indexed;

void world_open(struct world *w, uint64_t seed);
void world_close(struct world *w);  /* removes the folder */
void world_reopen(struct world *w); /* as after a restart */
uint64_t world_random(struct world *w, uint64_t below);

/* Puts a record into the list and the open transaction (made when there is none). */
void world_put(struct world *w, const char *resource, const struct world_record *r);
void world_commit(struct world *w);

/* A document with these common fields; NULL leaves one out. */
void world_doc(struct world_record *r, const char *state, const char *title, int64_t number,
	       const char *label, const char *kind);

/* `n` conversations with random times (some share one, some have none), documents, and tombstones; old ones are changed at times. */
void world_fill(struct world *w, size_t n);

/* The text with the id of some record, deleted or not, in place of each `#`; in the arena. */
const char *world_named(struct world *w, const char *text, struct arena *a);

struct record world_record_of(const struct world_record *r);

#endif
