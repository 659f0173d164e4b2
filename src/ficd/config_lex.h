/*
 * config_lex: an INI file as sections with their entries, each with its line.
 */
#ifndef FIC_FICD_CONFIG_LEX_H
#define FIC_FICD_CONFIG_LEX_H

#include <ficd/config.h>

struct config_entry {
	const char *key, *value;
	unsigned line;
	struct config_entry *next;
};

struct config_section {
	const char *head; /* between the brackets, spaces around it left out */
	unsigned line;
	struct config_entry *entries, **end;
	struct config_section *next;
};

/* All sections in their order, allocated in `memory`. What is not INI is complained about and left out. 0 or ERR_NOMEM. */
int config_lex(struct bytes text, struct arena *memory, struct config_section **out,
	       struct config_errors *errors);

#endif
