/* ficq: asks ficd. Reads the command line, finds the command, and leaves with its exit code. */
#include "alerts.h"
#include "app.h"
#include "ask.h"
#include "count.h"
#include "care.h"
#include "dead.h"
#include "edit.h"
#include "export.h"
#include "feed.h"
#include "forget.h"
#include "help.h"
#include "inspect.h"
#include "mcp.h"
#include "plan.h"
#include "sync.h"
#include "wait.h"
#include "watch.h"
#include "tools.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int (*const functions[CMD_NUMBER])(struct app *a) = {
	[CMD_STATUS] = inspect_status,
	[CMD_SOURCES] = inspect_sources,
	[CMD_FIELDS] = inspect_fields,
	[CMD_QUERY] = ask_query,
	[CMD_SEARCH] = ask_search,
	[CMD_GET] = ask_get,
	[CMD_THREAD] = inspect_thread,
	[CMD_COUNT] = count_records,
	[CMD_FRESHNESS] = inspect_freshness,
	[CMD_COVERAGE] = inspect_coverage,
	[CMD_SYNC] = sync_command,
	[CMD_PLAN] = plan_command,
	[CMD_WAIT] = wait_command,
	[CMD_RUNS] = ask_runs,
	[CMD_CHANGES] = feed_changes,
	[CMD_WATCH] = watch_command,
	[CMD_EXPORT] = export_command,
	[CMD_VERIFY] = care_verify,
	[CMD_PRUNE] = care_prune,
	[CMD_FORGET] = forget_command,
	[CMD_DEAD] = dead_command,
	[CMD_ALERTS] = alerts_command,
	[CMD_EDIT] = edit_command,
	[CMD_EDITS] = ask_edits,
	[CMD_RESOLVE] = edit_resolve,
	[CMD_RELOAD] = care_reload,
	[CMD_LIVE] = tools_live,
	[CMD_RPC] = tools_rpc,
	[CMD_MCP] = mcp_command,
	[CMD_COMPLETION] = tools_completion,
	[CMD_HELP] = tools_help,
	[CMD_VERSION] = tools_version,
};

/* Before the options are understood it must be known how to say that they are not. */
static struct report early_report(int argc, char *const *argv)
{
	struct report r = {0};

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : "";
		if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "--output=json") == 0 ||
		    strcmp(argv[i], "-ojson") == 0 ||
		    ((strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "--output") == 0) &&
		     strcmp(next, "json") == 0))
			r.json = true;
	}
	return r;
}

/* `command`: the one whose help says more; NULL: none yet. */
static int complain(const struct report *r, const char *command, const struct why *why)
{
	char hint[80];

	snprintf(hint, sizeof hint, "\"ficq help%s%s\" tells %s", command ? " " : "",
		 command ? command : "", command ? "how, with examples" : "what there is");
	struct failure f = {
		.exit = EXIT_USAGE,
		.code = "usage",
		.message = bytes_str(why->text),
		.hint = r->json ? (struct bytes){NULL, 0} : bytes_str(hint),
	};

	return report_failure(r, &f);
}

static int say_nothing(const struct report *r)
{
	struct buf text = {0};

	if (r->json)
		return report_error(r, EXIT_USAGE, "usage", "no command");
	help_short(&text);
	fputs(buf_text(&text), stderr);
	buf_release(&text);
	return EXIT_USAGE;
}

static int run(struct app *a)
{
	int code = app_init(a);

	if (code == 0 && app_given(a, OPT_HELP))
		code = tools_help(a);
	else if (code == 0 && app_given(a, OPT_VERSION))
		code = tools_version(a);
	else if (code == 0)
		code = functions[a->command](a);
	return app_release(a, code);
}

/* The daemon's socket must not become a standard descriptor that was closed. What takes the place fails as a closed one does: the wrong way round. */
static void open_standard(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(EXIT_SOFTWARE);
}

static const char *name_of(enum command command)
{
	return command == CMD_NUMBER ? NULL : command_table[command].name;
}

int main(int argc, char **argv)
{
	static struct app app;

	open_standard();
	struct report report = early_report(argc, argv);
	struct why why;

	if (options_parse(&app.options, argc, argv, &why) < 0)
		return complain(&report, NULL, &why);
	bool asked = option_given(&app.options, OPT_HELP) || option_given(&app.options, OPT_VERSION);
	if (app.options.arg_count == 0 && !asked)
		return say_nothing(&report);
	app.command = CMD_HELP;
	if (app.options.arg_count > 0) {
		app.command = command_find(app.options.args[0], &why);
		if (app.command == CMD_NUMBER ||
		    (!asked && command_check(app.command, &app.options, &why) < 0))
			return complain(&report, name_of(app.command), &why);
	}
	return run(&app);
}
