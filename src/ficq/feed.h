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
	struct bytes since; /* a place (place.h); empty: the start, or now when it follows. Borrowed */
	bool follow;
	bool doc;        /* with the provider's objects */
	uint64_t left;   /* rows still wanted */
	uint64_t count;  /* printed */
	struct buf next; /* owned: the place to continue from; empty: not known yet */
	bool done;       /* there were as many rows as wanted */
};

/* Prints page after page, to the end. 0 or an exit code. */
int feed_read(struct feed_reading *f);

#endif
