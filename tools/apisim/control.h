/* The controls under /_sim/: not part of the API, never counted. */
#ifndef APISIM_CONTROL_H
#define APISIM_CONTROL_H

#include "buf.h"
#include "call.h"

#include <stdbool.h>

struct truth; /* a stream of lines */

struct control_answer {
	int status;
	struct buf out;
	struct truth *stream; /* instead of out */
};

void control_answer(const struct call *c, struct control_answer *out);

/* The truth about a resource; NULL: no such resource. since 0: everything. */
struct truth *truth_open(const char *resource, uint32_t since, const struct view *view);
/* Bytes written, 0 at the end. */
size_t truth_read(struct truth *t, char *out, size_t size);
void truth_close(struct truth *t);

#endif
