/*
 * names: who is meant by a name. Conversations have the ids of their admins and teams; people know names and mail addresses.
 */
#ifndef FIC_FICD_NAMES_INTERNAL_H
#define FIC_FICD_NAMES_INTERNAL_H

#include "daemon.h"

#include <model/where.h>

struct names {
	const struct source *source;
	struct arena *arena;
	bool anywhere; /* a name that only another source knows is nobody's here, and no error */
};

/* For where_parse_named, `ctx` a struct names: of a field that has the id of an admin or a team, turns a name or a mail address (whatever the
 * case of ASCII letters) into the id, which lives in the arena. What is a number, the id of a record, or of another field, stays. ERR_NOTFOUND with
 * a suggestion, ERR_INVALID (several have the name), ERR_NOMEM, or an error of reading. */
int names_settle(void *ctx, const struct field *f, struct bytes *text, struct why *why);
/* The same of a resource by its name, by what the source itself holds. */
int names_find(const struct names *n, const char *resource, struct bytes *text, struct why *why);

#endif
