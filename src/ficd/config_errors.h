/*
 * config_errors: collects what is wrong with a configuration, line by line.
 */
#ifndef FIC_FICD_CONFIG_ERRORS_H
#define FIC_FICD_CONFIG_ERRORS_H

#include <ficd/config.h>

/* More than this many are counted but not kept. */
#define CONFIG_ERRORS_MAX 200

void config_error(struct config_errors *e, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void config_warning(struct config_errors *e, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For complaints: the name itself when it could be one of ours and is short, else "(not shown)". A token that was pasted into a line looks like a name to the
 * lexer, and must not end up in a log. */
const char *name_shown(const char *name);

/* Orders by line; errors of one line stay in the order in which they were found. */
void config_errors_sort(struct config_errors *e);

#endif
