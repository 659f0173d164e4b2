/*
 * names: who is meant by a name. Conversations have the ids of their admins, teams and contacts; people know names and mail addresses.
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

/* For where_parse_named, `ctx` a struct names. Of a field that has the id of an admin or a team, turns a name or a mail address (whatever the
 * case of ASCII letters) into the id; a part of either (`~`) into the ids of all who have it. Of a contact's id likewise, but whole, and into those of all
 * contacts with this name or address. `none` is nobody. What is a number, the id of a record, or of another field, stays; but of addresses and of words that providers write small,
 * capitals may be meant as small letters. All lives in the arena. ERR_NOTFOUND with a suggestion, ERR_INVALID (several have the name), ERR_LIMIT, ERR_NOMEM, or an error of
 * reading. */
int names_settle(void *ctx, const struct field *f, enum where_op op, struct bytes text,
		 struct where_meant *out, struct why *why);
/* The same of a resource by its name, by what the source itself holds. */
int names_find(const struct names *n, const char *resource, struct bytes *text, struct why *why);

#endif
