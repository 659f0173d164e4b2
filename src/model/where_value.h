/*
 * where_value: what stands on the right side of a term.
 */
#ifndef FIC_MODEL_WHERE_VALUE_H
#define FIC_MODEL_WHERE_VALUE_H

#include <model/where.h>

/* Reads `text` as a value that is compared with a field. `quoted`: it stood in quotes, so it is no number, unless the field is one. Fills all of `out` but
 * next. 0, ERR_SYNTAX or ERR_INVALID (not a value for this field, or not with this operator), ERR_NOMEM. */
int where_value_read(struct bytes text, bool quoted, const struct field *f, enum where_op op,
		     int64_t now_ms, const struct zone *zone, struct arena *a,
		     struct where_value *out, struct why *why);

#endif
