/*
 * fed: the events that a mirror has dealt with, as a document: which they were, and how they were dated.
 */
#ifndef FIC_MODEL_FED_H
#define FIC_MODEL_FED_H

#include <base/bytes.h>

struct fed {
	uint64_t hash; /* of the event's id */
	int64_t at_ms; /* TIME_NONE: it was not dated */
};

/* Appends them as one MessagePack value; the buffer's sticky error is the only failure. */
void fed_encode(const struct fed *items, size_t count, struct buf *out);
/* How many a document has; 0 when it is none of these. */
size_t fed_count(struct bytes doc);
struct fed fed_at(struct bytes doc, size_t i);

#endif
