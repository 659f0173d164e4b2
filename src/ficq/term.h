/*
 * term: what kind of terminal, if any, the output goes to.
 */
#ifndef FIC_FICQ_TERM_H
#define FIC_FICQ_TERM_H

#include <stdbool.h>
#include <stddef.h>

enum style { STYLE_NONE, STYLE_BOLD, STYLE_DIM, STYLE_RED, STYLE_GREEN, STYLE_YELLOW, STYLE_CYAN };

struct term {
	bool in_tty, out_tty, err_tty;
	bool out_color, err_color;
	bool utf8;        /* the locale's characters: drawings need more than ASCII */
	bool ascii_out;   /* texts too must be ASCII: a terminal that is not UTF-8 */
	bool width_known; /* the screen's, or that of $COLUMNS; else it is the usual one */
	size_t width, height;
};

/* `color` is auto, always, never or NULL. */
void term_init(struct term *t, const char *color);

/* Its size once more. */
void term_measure(struct term *t);

/* The sequences that switch a style on and everything off; "" without colour. */
const char *style_on(bool color, enum style style);
const char *style_off(bool color, enum style style);

#endif
