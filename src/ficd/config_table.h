/*
 * config_table: the options of ficd.conf, each in one row, and the resources with their defaults.
 */
#ifndef FIC_FICD_CONFIG_TABLE_H
#define FIC_FICD_CONFIG_TABLE_H

#include <ficd/config.h>

enum section_kind { SECTION_FICD, SECTION_SOURCE, SECTION_RESOURCE, SECTION_ALERT, SECTION_KINDS };

/* What the field at `offset` is. */
enum option_type {
	OPTION_PATH,       /* const char *: absolute */
	OPTION_FILE,       /* the same; NULL: "off" */
	OPTION_SOCKET,     /* const char *: absolute, short enough for a socket's address */
	OPTION_ACCESS,     /* struct access */
	OPTION_SIZE,       /* int64_t, bytes */
	OPTION_DURATION,   /* int64_t, milliseconds */
	OPTION_PERCENT,    /* unsigned */
	OPTION_NUMBER,     /* unsigned */
	OPTION_WORD,       /* an enum: the index in `words` */
	OPTION_CHOICE,     /* const char *: one of `words` */
	OPTION_URL,        /* const char *, NULL when empty */
	OPTION_TOKEN,      /* struct config_token */
	OPTION_RESOURCES,  /* unsigned, bits of the resource table */
	OPTION_SCHEDULE,   /* struct schedule */
	OPTION_ZONE,       /* const char *: of a time zone that can be loaded */
	OPTION_WEEK,       /* struct week */
	OPTION_ROUTES,     /* struct config_routes */
	OPTION_EXCLUDE,    /* const char *: "RESOURCE.doc.PATH, …"; NULL when empty */
	OPTION_LISTEN,     /* const char *: a loopback address or an absolute path; NULL: "off" */
	OPTION_TEXT,       /* const char *: one line; NULL when empty */
	OPTION_ADDRESSES,  /* const char *: mail addresses divided by commas; NULL when empty */
	OPTION_SMTP,       /* const char *: smtp:// or smtps:// URL; NULL when empty */
	OPTION_CONDITIONS, /* struct alert_conditions */
};

struct option {
	enum section_kind section;
	const char *name;
	enum option_type type;
	size_t offset;
	const char *fallback; /* the default, as text; NULL: required, or decided elsewhere (`inherits`) */
	int64_t min, max;         /* of numbers, in the field's unit */
	bool zero;                /* 0 as well, whatever min is */
	const char *const *words; /* ended by NULL */
	const char *const *later; /* words that a later release takes; NULL: none */
	const char *inherits; /* what decides when it is not set, for people; NULL: the fallback */
	bool required;
	bool verifies;   /* only of resources that are verified */
	bool reloadable; /* a reload is enough; else a restart */
	const char *help;
};

extern const struct option config_options[];
extern const size_t config_option_count;

/* The option of that name in a section of that kind; NULL: there is none. */
const struct option *option_find(enum section_kind section, const char *name);
/* Its bit in `given`. */
uint64_t option_bit(const struct option *o);

/* Options of the contract that this release does not serve: refused unless the value asks for nothing. */
struct option_later {
	enum section_kind section;
	const char *name;
	const char *nothing; /* the value that is accepted */
};

const struct option_later *option_later(enum section_kind section, const char *name);

extern const char *const section_names[]; /* by section_kind; ended by NULL */

struct resource_default {
	const char *name;
	const char *follows;
	const char *every;
	const char *full;
	const char *tolerance; /* NULL: the source's */
	unsigned priority;
	bool windowed; /* wanted for a span of history; others as a whole */
	bool verified; /* by verify runs */
};

extern const struct resource_default config_resources[];
extern const size_t config_resource_count;

int resource_index(struct bytes name); /* in config_resources; negative: unknown */

#endif
