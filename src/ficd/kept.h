/*
 * kept: a reading's question among the answers that are kept (answers.h): of one source, with no edits over it, and neither asked of the provider nor read beside damage. What an
 * answer cost is the processor time of its own work. Private to this layer.
 */
#ifndef FIC_FICD_KEPT_INTERNAL_H
#define FIC_FICD_KEPT_INTERNAL_H

#include "answers.h"
#include "reading.h"

/* When all that the rows depend on is in the reading, and before anything is read: the answer, until the request is answered. NULL: it has to be
 * read; kept_note may keep it then. */
const struct answer *kept_find(struct reading *g);

/* The answer that was read. For nothing when kept_find was not asked. */
void kept_note(struct reading *g, const struct answer *answer);

/* What is done between these is the work of others. */
void kept_pause(struct reading *g);
void kept_resume(struct reading *g);

/* Its rows as an array, the next part of the result. */
void kept_splice(struct reading *g, const struct answer *answer);

#endif
