/*
 * values: why a condition may have found nothing. A value that no record has is most often a misspelt one, and an answer without rows does not show it.
 */
#ifndef FIC_FICQ_VALUES_H
#define FIC_FICQ_VALUES_H

#include "params.h"

#define VALUES_MAX 2

/* A field that is compared with a word. Borrows from the condition. */
struct value_sought {
	struct bytes field, value;
	bool within; /* it need only be a part: contains */
};

#define VALUES_MS 1500 /* to wait for an answer at most: it is only a hint */

/* What `=`, `in` and `contains` compare with in a condition that the daemon understood, the first of it. How many: fields that are times, lengths of time, ids, or known
 * by names of somebody are passed over. */
size_t values_sought(struct bytes where, struct value_sought out[VALUES_MAX]);

/* What to ask the method aggregate for, beside resource and source: which values the field has at any time, if that can be told soon. */
void values_ask(struct params *p, const struct value_sought *v);

enum values_verdict {
	VALUES_UNKNOWN, /* nothing is held, or too many, or no texts */
	VALUES_HAS,     /* some record has it */
	VALUES_LACKS,   /* none has */
};

/* What the aggregate's result says. VALUES_LACKS: appends to `near` (NULL: not wanted) what it may have been meant to be, cleaned for a terminal, as in ": did you
 * mean 'open'?"; nothing when there is nothing like it and too many to be told. */
enum values_verdict values_judge(struct bytes result, const struct value_sought *v, bool ascii,
				 struct buf *near);

/* Appends "'resolved' is the state of none of the conversations that are held". */
void values_say(struct buf *out, const struct value_sought *v, struct bytes resource, bool ascii);

#endif
