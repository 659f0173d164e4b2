/*
 * help: what the tables of commands and options say, for people and for the manual.
 */
#ifndef FIC_FICQ_HELP_H
#define FIC_FICQ_HELP_H

#include "commands.h"

void help_short(struct buf *out); /* a few lines, for a command line that says nothing */
void help_all(struct buf *out, size_t width, bool color); /* every command and the options of all */
void help_command(struct buf *out, enum command command, size_t width, bool color);

/* The manual's lists in mdoc(7): conf/man/ficq.1 holds exactly this, and a test sees to it. */
void help_mdoc_commands(struct buf *out);
void help_mdoc_options(struct buf *out);

#endif
