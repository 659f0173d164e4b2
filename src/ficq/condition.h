/*
 * condition: several --where as one condition, and the daemon's complaints about that one in terms of what was typed.
 */
#ifndef FIC_FICQ_CONDITION_H
#define FIC_FICQ_CONDITION_H

#include <base/bytes.h>
#include <base/err.h>

#define CONDITIONS_MAX 16

/* Appends "(A) and (B)"; what is blank says nothing and is left out. ERR_SYNTAX, nothing appended: a part has parentheses or quotes that do not close, so
 * that joined it would mean something else; `why` names it. */
int condition_join(const char *const *parts, size_t n, struct buf *out, struct why *why);

/* Appends the daemon's "column N: ..." about what condition_join made, as "the 2nd --where, column M: ..."; other words as they are. */
void condition_complaint(const char *const *parts, size_t n, struct bytes words, struct buf *out);

#endif
