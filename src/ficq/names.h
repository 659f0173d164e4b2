/*
 * names: what the ids of admins and teams are called, for tables: records have ids, people know names.
 */
#ifndef FIC_FICQ_NAMES_H
#define FIC_FICQ_NAMES_H

#include <base/bytes.h>

enum names_of { NAMES_ADMINS, NAMES_TEAMS, NAMES_KINDS };

struct name {
	size_t id_at, id_len, at, len, source_at, source_len; /* in `text` */
};

/* A zeroed struct knows nobody. */
struct names {
	struct buf text;
	struct name *list[NAMES_KINDS]; /* by id */
	size_t count[NAMES_KINDS];
	bool loaded;
};

/* Takes the rows (an array of maps with id, name and source) of an answer; what is no such row is left out. Once for each kind. */
void names_take(struct names *n, enum names_of kind, struct bytes rows);
/* An id belongs to a source; {NULL, 0}: of whichever. False, and nothing is given: not known, or several are called differently by this id. `n` may be NULL. Borrowed until
 * the next names_take. */
bool names_find(const struct names *n, enum names_of kind, struct bytes source, struct bytes id,
		struct bytes *name_out);
void names_release(struct names *n);

#endif
