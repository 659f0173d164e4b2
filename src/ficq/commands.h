/*
 * commands: the one table of commands: what they are called, take and do. main.c knows which function does it.
 */
#ifndef FIC_FICQ_COMMANDS_H
#define FIC_FICQ_COMMANDS_H

#include "options.h"

enum command {
	CMD_STATUS,
	CMD_SOURCES,
	CMD_FIELDS,
	CMD_QUERY,
	CMD_SEARCH,
	CMD_GET,
	CMD_THREAD,
	CMD_COUNT,
	CMD_FRESHNESS,
	CMD_COVERAGE,
	CMD_SYNC,
	CMD_PLAN,
	CMD_WAIT,
	CMD_RUNS,
	CMD_CHANGES,
	CMD_WATCH,
	CMD_EXPORT,
	CMD_VERIFY,
	CMD_PRUNE,
	CMD_FORGET,
	CMD_DEAD,
	CMD_ALERTS,
	CMD_EDIT,
	CMD_EDITS,
	CMD_RESOLVE,
	CMD_RELOAD,
	CMD_LIVE,
	CMD_RPC,
	CMD_MCP,
	CMD_COMPLETION,
	CMD_HELP,
	CMD_VERSION,
	CMD_NUMBER
};

/* What an argument is, for completion. */
enum arg_kind {
	ARG_NONE,
	ARG_RESOURCE,
	ARG_SOURCE_OR_RESOURCE,
	ARG_COMMAND,
	ARG_SHELL,
	ARG_DEAD,   /* retry or drop */
	ARG_ALERTS, /* test */
	ARG_SIDE,   /* mine or theirs */
	ARG_THREAD, /* the id of a conversation or ticket */
	ARG_ID,     /* of a record of the first argument's resource */
	ARG_CLIENT, /* of mcp --print-config */
};

/* A whole command line, and what it answers. A test runs each against a demo workspace (tests/system/everyday.py). */
struct example {
	const char *command;
	const char *what;
};

/* What an option means to one command, where that is not what it means to the others. */
struct option_note {
	enum option option;
	const char *arg;
	const char *help;
};

struct command_spec {
	const char *name;
	const char *synopsis; /* of the arguments */
	const char *summary;
	const char *detail; /* for help and the manual; NULL: the summary says it all */
	size_t args_min;
	size_t args_max;
	enum arg_kind first; /* the first argument */
	enum arg_kind rest;
	const struct example *examples;  /* ended by a NULL command; at least one */
	const struct option_note *notes; /* ended by a NULL help; NULL: none */
	uint64_t options;                /* OPTION_BIT of what it takes beside OPTIONS_EVERYWHERE */
};

#define OPTIONS_EVERYWHERE                                                             \
	(OPTION_BIT(OPT_SOCKET) | OPTION_BIT(OPT_OUTPUT) | OPTION_BIT(OPT_JSON) |      \
	 OPTION_BIT(OPT_TIMEOUT) | OPTION_BIT(OPT_TZ) | OPTION_BIT(OPT_COLOR) |        \
	 OPTION_BIT(OPT_NO_PAGER) | OPTION_BIT(OPT_NO_HEADER) | OPTION_BIT(OPT_WIDE) | \
	 OPTION_BIT(OPT_QUIET) | OPTION_BIT(OPT_VERBOSE) | OPTION_BIT(OPT_HELP) |      \
	 OPTION_BIT(OPT_VERSION) | OPTION_BIT(OPT_NOW) | OPTION_BIT(OPT_WIRE))

extern const struct command_spec command_table[CMD_NUMBER];
extern const char *const shell_words[];
extern const char *const mcp_client_words[];

/* The resource that a command line is about; NULL: none, or it does not say. */
const char *command_resource(enum command command, const struct options *o);

/* CMD_NUMBER: there is none of that name; `why` says what may have been meant. */
enum command command_find(const char *name, struct why *why);

/* 0, or ERR_SYNTAX: too few or many arguments, or an option that the command has no use for. */
int command_check(enum command command, const struct options *o, struct why *why);

#endif
