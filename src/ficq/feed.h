/*
 * feed: the reading of changes, and the command of that name.
 */
#ifndef FIC_FICQ_FEED_H
#define FIC_FICQ_FEED_H

#include "app.h"

int feed_changes(struct app *a);

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
/* With columns, format and the place to continue from, as a command does. */
int feed_run(struct feed_reading *f);

/* The call that follows does not end by itself: what ended it is no error when it was asked for, by *done or the wait's time. 0 or an exit code. */
int feed_call(struct app *a, struct client *client, struct bytes params,
	      const struct client_wait *wait, const bool *done);
/* --duration as a moment of clock_mono_ms, -1 without it; an option that counts from 1, UINT64_MAX without it. 0 or an exit code. */
int feed_end_ms(struct app *a, int64_t *until_ms);
int feed_count(struct app *a, enum option option, uint64_t *out);

#endif
