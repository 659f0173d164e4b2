/*
 * config_value: the text of one option into its field, and back.
 */
#ifndef FIC_FICD_CONFIG_VALUE_H
#define FIC_FICD_CONFIG_VALUE_H

#include "config_table.h"

/* Parses `text` into the option's field of `section` (a struct config, config_source or config_resource). Texts are copied into `memory`. 0, ERR_INVALID with words for
 * people (never with a token in them), ERR_NOMEM. */
int option_parse(const struct option *o, void *section, const char *text, struct arena *memory,
		 struct why *why);

/* The shortest text that parses to the field's value. */
void option_print(const struct option *o, const void *section, struct buf *out);

#endif
