/*
 * fingerprint: a hash of what a question asks, so that a cursor is not used with another.
 */
#ifndef FIC_QUERY_FINGERPRINT_H
#define FIC_QUERY_FINGERPRINT_H

#include <query/query.h>

/* Of source, resource, axis, order and condition as written. Not of the span (a cursor carries it), nor of limits and names (they change what a page shows, not where it
 * begins). 0 or ERR_NOMEM. */
int fingerprint(const struct query_spec *spec, uint64_t *out);

#endif
