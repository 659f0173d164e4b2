/*
 * columns: which parts of a row are shown when nobody says, in which order, and as what.
 */
#ifndef FIC_FICQ_COLUMNS_H
#define FIC_FICQ_COLUMNS_H

#include "cell.h"

#define COLUMNS_MAX 64 /* as many fields as a question may name */

struct column {
	const char *path;  /* into the row, and the name in csv and tsv */
	const char *title; /* in tables; NULL: not shown there */
	enum cell_kind kind;
};

struct columns {
	struct column items[COLUMNS_MAX];
	size_t count;
	size_t groups; /* so many, the first ones, are called "none" in tables where there is no value */
	char *names; /* owned: what items borrow from when they come from --fields */
};

/* Of a resource's records; what is not known here gets what every record has. */
void columns_of_resource(struct columns *c, const char *resource);
/* Adds where a search was found. `narrow`: tables leave out who has it and its state, for the snippet says more. */
void columns_add_snippet(struct columns *c, bool narrow);
/* Of a fixed list ended by a NULL path. */
void columns_of_list(struct columns *c, const struct column *list);
/* Of --fields, "a,b,doc.c". 0, ERR_SYNTAX (none at all), ERR_LIMIT (too many), ERR_NOMEM. */
int columns_of_fields(struct columns *c, const char *fields);
/* Has a table show a field that its resource's list leaves out; once. 0 or ERR_NOMEM. */
int columns_show(struct columns *c, const char *field);
/* Shows whose each row is, in front. */
void columns_show_source(struct columns *c);
/* What kind of value a common field has. */
enum cell_kind columns_kind(const char *path);
void columns_release(struct columns *c);

#endif
