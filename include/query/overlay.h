/*
 * overlay: records that a question sees otherwise than its snapshot has them, because local edits lie over them. A few, and whole.
 *
 * The question takes them out of its walk over the indexes and judges them apart, each at its place in the order. In a search by words they are found by what is stored, and only then
 * seen with their edits.
 */
#ifndef FIC_QUERY_OVERLAY_H
#define FIC_QUERY_OVERLAY_H

#include <model/record.h>

struct overlay {
	const struct record *records; /* held and live, in the ascending order of `hashes` */
	const uint64_t *hashes;       /* bytes_hash of their ids */
	size_t count;
};

#endif
