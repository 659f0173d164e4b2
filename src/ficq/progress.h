/*
 * progress: how far a sync is, on standard error: a bar that redraws itself on a terminal, a line now and then elsewhere.
 */
#ifndef FIC_FICQ_PROGRESS_H
#define FIC_FICQ_PROGRESS_H

#include "cell.h"
#include "term.h"

#define PROGRESS_RUNS 16

struct progress_run {
	int64_t run;
	char name[128]; /* cleaned: "acme/conversations" */
	char phase[48];
	int64_t done;  /* -1: nobody counts */
	int64_t total; /* -1: not known */
	double ratio;  /* negative: not known */
	double rate;   /* records a second; negative: not known */
	int64_t at_ms; /* of the last word of it, clock_mono_ms */
};

struct progress {
	const struct term *term;
	const struct show *show;
	bool silent; /* draws nothing */
	bool lines;  /* no terminal, but wanted: a line every ten seconds */
	struct progress_run runs[PROGRESS_RUNS];
	size_t run_count;
	int64_t started_ms;
	int64_t shown_ms;
	bool drawn; /* something is to be cleared */
	unsigned spin;
};

void progress_init(struct progress *p, const struct term *term, const struct show *show, bool lines);
void progress_take(struct progress *p, struct bytes params); /* of a "progress" notification */
/* The same for what is only looked at now and then; `ratio` may be nil or missing. */
void progress_note(struct progress *p, const char *name, struct bytes phase, struct bytes ratio);
void progress_tick(struct progress *p);  /* draws, when it is time */
void progress_clear(struct progress *p); /* the line is free again */

/* The line for one run, at most `width` columns. */
void progress_line(struct buf *out, const struct progress_run *run, size_t width,
		   const struct show *show, unsigned spin);

#endif
