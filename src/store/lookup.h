/*
 * lookup: one record by its id, in the committed state.
 */
#ifndef FIC_STORE_LOOKUP_H
#define FIC_STORE_LOOKUP_H

#include "inside.h"

struct found {
	const struct state_segment *entry;
	uint32_t ordinal;
	struct row row;
};

/* 1: found, its verified frame lies in s->frame until the next lookup; 0: not held; or an error.
 * `writing`: damage counts as not held (what is in a damaged segment goes with it at the commit);
 * else it is ERR_CORRUPT unless the record is found elsewhere. */
int lookup(struct store *s, const struct state_resource *r, struct bytes id, bool writing,
	   struct found *out);

/* The row of a hash alone, as children name their parents (row_parent_hash): 1, 0 or an error; what is in a damaged segment is not held. */
int lookup_hash(struct store *s, const struct state_resource *r, uint64_t hash, struct found *out);

/* Where it is in one segment, damaged or not; a tombstone is something, too. */
int lookup_place_in(struct store *s, const struct state_segment *e, uint64_t hash,
		    uint32_t *ordinal_out);

/* The row of a hash there. */
int lookup_hash_in(struct store *s, const struct state_segment *e, uint64_t hash, struct found *out);

/* By its id in one segment. The hash is the id's. */
int lookup_in(struct store *s, const struct state_segment *e, struct bytes id, uint64_t hash,
	      struct found *out);
/* The same among what lies in memory. */
int lookup_in_memory(struct store *s, const struct state_resource *r, struct bytes id,
		     struct found *out);

/* Inflates a verified frame into `memory` (reset first) and decodes it. 1 or an error. */
int lookup_record(struct store *s, struct segment *g, const struct row *row, struct bytes frame,
		  struct buf *memory, struct record *out);

#endif
