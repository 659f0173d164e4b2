/*
 * config_loader: what the stages of loading share. lex -> sections -> entries and their defaults -> resources.
 */
#ifndef FIC_FICD_CONFIG_LOADER_H
#define FIC_FICD_CONFIG_LOADER_H

#include "config_errors.h"
#include "config_lex.h"
#include "config_table.h"

struct loader {
	struct config *config;
	struct config_errors *errors;
	int failed;          /* ERR_NOMEM */
	bool sources_broken; /* a source's header was wrong: what refers to it is not complained about */
	bool full;
};

/* Where the entries of a section go. */
struct target {
	enum section_kind kind;
	void *fields;
	uint64_t *given;
	const char *follows; /* of a resource */
	unsigned seen[64];   /* line of each option, by its row */
};

/* Sets every option of a kind of section that has a default of its own. */
void loader_defaults(struct loader *l, enum section_kind kind, void *fields);
/* Sets one option from a text of ours (NULL: leaves it). */
void loader_set(struct loader *l, const struct option *o, void *fields, const char *text);
/* The file's entries; complains about what is wrong or missing. */
void loader_entries(struct loader *l, struct target *t, const struct config_section *s);

/* A source's resources: defaults before the file's sections override them, and what must fit together after. */
void loader_resource_defaults(struct loader *l, struct config_source *s);
void loader_resource_checks(struct loader *l, struct config_source *s);

#endif
