/*
 * output: standard output, or the pager when it is a terminal and there is more than fits.
 */
#ifndef FIC_FICQ_OUTPUT_H
#define FIC_FICQ_OUTPUT_H

#include <base/bytes.h>

#include "term.h"

#include <sys/types.h>

struct output {
	struct buf buf; /* written to by everyone; handed on by output_flush */
	bool may_page;  /* until it is decided */
	size_t height;  /* of the screen */
	int fd;
	pid_t pager; /* 0: none */
	bool filter; /* it is no pager: its end must be a good one */
	bool left;   /* the pager was, before the end: no error */
	bool hold;   /* nothing is handed on but at the end of what belongs together */
	bool held;   /* `given` is all that the pager got: it may not have started */
	struct buf given;
	int error; /* errno of a failed write; EPIPE: nobody reads any more */
};

void output_init(struct output *o, const struct term *t, bool may_page);
/* Everything goes through the program, by the shell, before anything was printed. 0, or -1: it cannot be started. */
int output_filter(struct output *o, const char *command);
/* Hands on what has gathered, when it is much or `last`. False when nothing more needs to be printed. */
bool output_flush(struct output *o, bool last);
/* Flushes, and waits for the pager to be left. Returns 0 or the errno of what failed. */
int output_end(struct output *o);

#endif
