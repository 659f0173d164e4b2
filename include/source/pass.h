/*
 * pass: which paths of a provider may be read through by clients, and how they are written. Pure, like the rest of this layer.
 *
 * Each provider has a table of patterns. A path that is not in it is refused before anything is asked, so that a client reaches what the table names at the account's
 * own address and nothing else: what stands in a pattern's open segments is an id or is escaped, and parameters are names and values.
 */
#ifndef FIC_SOURCE_PASS_H
#define FIC_SOURCE_PASS_H

#include <source/provider.h>

/* One that a client may read. */
struct pass_pattern {
	const char *path; /* as "/conversations/" and a segment: `*` is an id, `?` any text; "!" before it: this one not. NULL ends */
	unsigned route;   /* its class of calls */
};

#define PASS_PATH_MAX 2000 /* bytes, with its query */

struct pass_parameter {
	struct bytes name, value;
};

/* Appends the path with its query, escaped, for ask.path; `route_out` gets its class of calls. A slash at its beginning may be missing. ERR_INVALID with words: it is none
 * that may be read through, or it is too long; ERR_NOMEM. */
int pass_path(const struct provider *p, struct bytes path, const struct pass_parameter *parameters,
	      size_t count, struct buf *out, unsigned *route_out, struct why *why);

/* The pattern that a refused path is most like, for a hint; NULL: none. */
const char *pass_near(const struct provider *p, struct bytes path);

#endif
