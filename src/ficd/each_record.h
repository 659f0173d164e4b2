/*
 * each_record: goes through the records of a resource that has some hundred at most. Private to this layer.
 */
#ifndef FIC_FICD_EACH_RECORD_INTERNAL_H
#define FIC_FICD_EACH_RECORD_INTERNAL_H

#include <store/store.h>

/* Calls `each` with the first `max` of them until it answers other than 0. The record is borrowed for the call. 0, or the error of reading or of
 * `each` (negative). */
int each_record(struct snapshot *view, const char *resource, int max,
		int (*each)(void *ctx, const struct record *r), void *ctx);

#endif
