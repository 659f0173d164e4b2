/*
 * options: the one table of options, and command lines read by it.
 *
 * GNU habits: --name=value and --name value, -n5 and -n 5, flags together (-qv), "--" ends the options, "-" is an argument,
 * options stand anywhere. Names are never guessed from prefixes: what a later release adds must not change a script.
 */
#ifndef FIC_FICQ_OPTIONS_H
#define FIC_FICQ_OPTIONS_H

#include "condition.h"

#include <base/bytes.h>
#include <base/err.h>

enum option {
	OPT_SOCKET,
	OPT_SOURCE,
	OPT_OUTPUT,
	OPT_JSON,
	OPT_FIELDS,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_DURING,
	OPT_AXIS,
	OPT_WHERE,
	OPT_TEXT,
	OPT_RESOURCE,
	OPT_BY,
	OPT_METRIC,
	OPT_SORT,
	OPT_LIMIT,
	OPT_MAX_AGE,
	OPT_REQUIRE,
	OPT_ON_STALE,
	OPT_LIVE,
	OPT_FOLLOW,
	OPT_TIMES,
	OPT_DURATION,
	OPT_SINCE_REVISION,
	OPT_GZIP,
	OPT_QUOTES,
	OPT_SPREADSHEET,
	OPT_TIMEOUT,
	OPT_FRESH,
	OPT_MODE,
	OPT_IDS,
	OPT_WAIT,
	OPT_NO_WAIT,
	OPT_DRY_RUN,
	OPT_YES,
	OPT_ALL,
	OPT_CONFLICTS,
	OPT_EXPECT,
	OPT_EDITS,
	OPT_IDLE,
	OPT_PRINT_CONFIG,
	OPT_TZ,
	OPT_COLOR,
	OPT_NO_PAGER,
	OPT_NO_HEADER,
	OPT_WIDE,
	OPT_QUIET,
	OPT_VERBOSE,
	OPT_HELP,
	OPT_VERSION,
	OPT_NOW,  /* hidden: the time that everything is shown against, for tests */
	OPT_WIRE, /* hidden: json or msgpack on the socket, for looking at it */
	OPT_COUNT
};

#define OPTION_BIT(option) (UINT64_C(1) << (option))

enum option_again {
	AGAIN_REFUSED, /* unless it is a flag, which says the same again */
	AGAIN_ADDS,    /* a list goes on */
	AGAIN_BOTH,    /* conditions hold all */
};

struct option_spec {
	char letter;              /* 0: none */
	const char *name;         /* without the dashes */
	const char *arg;          /* what its value is called; NULL: a flag */
	const char *const *words; /* the values there are, ended by NULL; NULL: any */
	const char *help;         /* NULL: hidden */
	enum option_again again;  /* what a second one of it means */
};

extern const struct option_spec option_table[OPT_COUNT];

#define ARGS_MAX 64

struct options {
	const char *value[OPT_COUNT]; /* as given, lists and conditions joined; of a flag "" */
	unsigned times[OPT_COUNT];    /* how often it was given */
	char *joined[OPT_COUNT];      /* owned: values that were put together */
	const char *wheres[CONDITIONS_MAX]; /* each --where as it was given */
	const char *args[ARGS_MAX];         /* the rest, the command first */
	size_t arg_count;
};

/* Borrows from argv. ERR_SYNTAX: `why` says what cannot be understood, and what may have been meant. An option with a value stands once, but lists go on
 * and conditions hold all. */
int options_parse(struct options *o, int argc, char *const *argv, struct why *why);
void options_release(struct options *o);

static inline bool option_given(const struct options *o, enum option option)
{
	return o->times[option] > 0;
}

/* The name as typed, "--since", of an option. */
void option_display(enum option option, char out[32]);

#endif
