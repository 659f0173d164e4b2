/* The truth about a resource, as a stream of lines. */
#ifndef APISIM_TRUTH_H
#define APISIM_TRUTH_H

#include "buf.h"
#include "render.h"

#include <stddef.h>

/* line() prints what there is to say about record t->at: any number of
 * lines. It is called for each number below t->end. */
struct truth {
	void (*line)(struct truth *t);
	uint32_t at, end, since;
	struct buf out;
	size_t sent;
	struct view view;
};

/* NULL: no such resource. since 0: everything. */
struct truth *truth_open(const char *resource, uint32_t since, const struct view *view);
/* Bytes written, 0 at the end. */
size_t truth_read(struct truth *t, char *out, size_t size);
void truth_close(struct truth *t);

/* For the lines: {"id":"...", left open, and }\n. */
void truth_line_open(struct truth *t, const char *id);
void truth_line_open_number(struct truth *t, uint64_t id);
void truth_line_close(struct truth *t);

#endif
