/*
 * commands: the one table of commands. Dispatch, help, completion and the manual are made from it; it knows no function, so
 * that help may read it and be in it.
 */
#include "commands.h"

#include <base/suggest.h>

#define BIT OPTION_BIT

/* What narrows a question. */
#define SPAN_OPTIONS     (BIT(OPT_SOURCE) | BIT(OPT_SINCE) | BIT(OPT_UNTIL) | BIT(OPT_AXIS))
#define QUESTION_OPTIONS (SPAN_OPTIONS | BIT(OPT_WHERE) | BIT(OPT_MAX_AGE) | BIT(OPT_REQUIRE))

const char *const shell_words[] = {"bash", "zsh", "fish", NULL};

const struct command_spec command_table[CMD_NUMBER] = {
	[CMD_STATUS] = {"status", "", "how the daemon, its sources and their resources are", NULL, 0, 0, ARG_NONE, ARG_NONE,
			BIT(OPT_SOURCE)},
	[CMD_SOURCES] = {"sources", "", "the configured sources", NULL, 0, 0, ARG_NONE, ARG_NONE, BIT(OPT_SOURCE)},
	[CMD_FIELDS] = {"fields", "[RESOURCE]", "which fields can be asked for, with their types", NULL, 0, 1, ARG_RESOURCE,
			ARG_NONE, BIT(OPT_SOURCE)},
	[CMD_QUERY] = {"query", "RESOURCE", "records of a resource, newest first",
		       "Standard output gets the rows, standard error what the answer is worth. With --limit=0 all rows are printed "
		       "as they arrive, page after page.",
		       1, 1, ARG_RESOURCE, ARG_NONE, QUESTION_OPTIONS | BIT(OPT_FIELDS) | BIT(OPT_LIMIT)},
	[CMD_GET] = {"get", "RESOURCE ID", "one record with the provider's own object",
		     "Exits with 1 when there is no such record, and says why: deleted, merged, never seen, or not covered.", 2, 2,
		     ARG_RESOURCE, ARG_NONE, BIT(OPT_SOURCE) | BIT(OPT_FIELDS) | BIT(OPT_REQUIRE)},
	[CMD_THREAD] = {"thread", "ID", "a conversation with its messages, to read",
			"Notes are marked, quoted text is folded (--verbose shows it).", 1, 1, ARG_NONE, ARG_NONE,
			BIT(OPT_SOURCE) | BIT(OPT_REQUIRE)},
	[CMD_COUNT] = {"count", "RESOURCE", "how many records there are", NULL, 1, 1, ARG_RESOURCE, ARG_NONE, QUESTION_OPTIONS},
	[CMD_FRESHNESS] = {"freshness", "[RESOURCE]", "what an answer would be worth, without asking for one",
			   "Without a resource it is about conversations.", 0, 1, ARG_RESOURCE, ARG_NONE,
			   SPAN_OPTIONS | BIT(OPT_MAX_AGE) | BIT(OPT_REQUIRE)},
	[CMD_COVERAGE] = {"coverage", "[RESOURCE]", "which spans of time are held, drawn as bars, with the gaps in words",
			  "A full block is held, a light one is held but older than --max-age (default 60m), a half one is held in "
			  "part, a blank is a gap.",
			  0, 1, ARG_RESOURCE, ARG_NONE, BIT(OPT_SOURCE) | BIT(OPT_MAX_AGE)},
	[CMD_SYNC] = {"sync", "[SOURCE] [RESOURCE ...]", "fetch now",
		      "The first argument is a source when one has that name. On a terminal (standard error) the command stays "
		      "until the sync has ended and shows how far it is; elsewhere it prints the runs' numbers and leaves. Exits "
		      "with 69 when a run failed, 75 when it was canceled or should be tried later.",
		      0, ARGS_MAX, ARG_SOURCE_OR_RESOURCE, ARG_RESOURCE,
		      BIT(OPT_SOURCE) | BIT(OPT_MODE) | BIT(OPT_WAIT) | BIT(OPT_NO_WAIT)},
	[CMD_WAIT] = {"wait", "", "wait until the data is fresh",
		      "Exits with 3 when it is not within --timeout (default 60s; 0: wait without end), with 69 when the daemon could "
		      "not be reached in that time. Fetches nothing by itself.",
		      0, 0, ARG_NONE, ARG_NONE, SPAN_OPTIONS | BIT(OPT_MAX_AGE) | BIT(OPT_FRESH)},
	[CMD_RUNS] = {"runs", "[RESOURCE]", "past syncs, newest first", NULL, 0, 1, ARG_RESOURCE, ARG_NONE,
		      BIT(OPT_SOURCE) | BIT(OPT_LIMIT)},
	[CMD_RPC] = {"rpc", "METHOD [JSON]", "call any method of the daemon and print its result",
		     "The parameters are a JSON object; - reads it from standard input.", 1, 2, ARG_NONE, ARG_NONE, 0},
	[CMD_COMPLETION] = {"completion", "SHELL", "the completion script for bash, zsh or fish",
			    "For bash: source <(ficq completion bash).", 1, 1, ARG_SHELL, ARG_NONE, 0},
	[CMD_HELP] = {"help", "[COMMAND]", "this help, or a command's", NULL, 0, 1, ARG_COMMAND, ARG_NONE, 0},
	[CMD_VERSION] = {"version", "", "the versions of ficq and of the daemon", NULL, 0, 0, ARG_NONE, ARG_NONE, 0},
};

enum command command_find(const char *name, struct why *why)
{
	const char *names[CMD_NUMBER + 1] = {NULL};

	for (int i = 0; i < CMD_NUMBER; i++) {
		names[i] = command_table[i].name;
		if (strcmp(name, names[i]) == 0)
			return (enum command)i;
	}
	const char *near = suggest(bytes_str(name), names);
	why_set(why, ERR_SYNTAX, "there is no command \"%.40s\"%s%s%s", name, near ? "; did you mean " : "", near ? near : "",
		near ? "?" : "");
	return CMD_NUMBER;
}

int command_check(enum command command, const struct options *o, struct why *why)
{
	const struct command_spec *c = &command_table[command];
	size_t args = o->arg_count > 0 ? o->arg_count - 1 : 0;

	for (int i = 0; i < OPT_COUNT; i++)
		if (o->times[i] && !((c->options | OPTIONS_EVERYWHERE) & BIT(i)))
			return why_set(why, ERR_SYNTAX, "--%s means nothing to \"%s\"", option_table[i].name, c->name);
	if (args < c->args_min)
		return why_set(why, ERR_SYNTAX, "%s needs %s: ficq %s %s", c->name, args ? "more arguments" : "an argument", c->name,
			       c->synopsis);
	if (args > c->args_max)
		return why_set(why, ERR_SYNTAX, "%s takes %s: ficq %s %s", c->name, c->args_max ? "fewer arguments" : "no argument",
			       c->name, c->synopsis);
	return 0;
}
