/* The controls under /_sim/: not part of the API, never counted. */
#ifndef APISIM_CONTROL_H
#define APISIM_CONTROL_H

#include "buf.h"
#include "call.h"
#include "truth.h"

#include <stdbool.h>

struct control_answer {
	int status;
	struct buf out;
	struct truth *stream; /* instead of out */
};

void control_answer(const struct call *c, struct control_answer *out);

#endif
