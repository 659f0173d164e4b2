/*
 * named: the few records that a condition names: by their ids, or by whose children they are. Looking them up takes the place of passing over all rows. Private to this
 * layer.
 */
#ifndef FIC_QUERY_NAMED_H
#define FIC_QUERY_NAMED_H

#include <model/where.h>
#include <query/overlay.h>
#include <store/store.h>

#define NAMED_MAX 64 /* ids; of more the rows are passed */

/* Zeroed: nothing is named. */
struct named {
	const struct where_value *ids; /* NULL: none; else all records that the condition holds for have one of these ids */
	struct bytes parent; /* {NULL, 0}: none; else all are children of this one. Not both are set */
	bool read;
	struct overlay overlay; /* after named_read: the records, as an overlay has them */
	struct record *records;
	uint64_t *hashes;
	struct buf *memory; /* of each record */
};

/* Finds out what the condition names; borrows its values. */
void named_init(struct named *n, const struct where *where);
void named_release(struct named *n);

/* Looks the ids up, once: the records that are live, each as `edits` (may be NULL) has it, or else the snapshot. Borrowed from both. *damaged grows by those that cannot be
 * read. 0, or an error. */
int named_read(struct named *n, struct snapshot *v, const char *resource,
	       const struct overlay *edits, uint64_t *damaged);

#endif
