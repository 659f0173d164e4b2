/*
 * feed: the commands that read changes: changes, and watch, which draws a table again where there is a terminal.
 */
#ifndef FIC_FICQ_FEED_H
#define FIC_FICQ_FEED_H

#include "app.h"

int feed_changes(struct app *a);
int feed_watch(struct app *a);

/* What one reading of changes asks for and has printed. */
struct feed_reading {
	struct app *app;
	struct rows rows;
	struct columns columns;
	const char *const *resources;
	size_t resource_count;
	int64_t since; /* negative: from the start, or from now on when it follows */
	bool follow;
	bool doc;       /* with the provider's objects */
	uint64_t left;  /* rows still wanted */
	uint64_t count; /* printed */
	int64_t next;   /* the revision to continue from; negative: not known yet */
	bool done;      /* there were as many rows as wanted */
};

/* Prints page after page, to the end. 0 or an exit code. */
int feed_read(struct feed_reading *f);
/* A revision as an option gives it: 0, or an exit code; *out is -1 when it is not given. */
int feed_revision(struct app *a, enum option option, int64_t *out);

#endif
