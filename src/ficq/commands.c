/*
 * commands: the one table of commands. Dispatch, help, completion and the manual are made from it; it knows no function, so
 * that help may read it and be in it.
 */
#include "commands.h"

#include <base/suggest.h>

#define BIT OPTION_BIT

/* What narrows a question. */
#define SPAN_OPTIONS \
	(BIT(OPT_SOURCE) | BIT(OPT_SINCE) | BIT(OPT_UNTIL) | BIT(OPT_DURING) | BIT(OPT_AXIS))
#define WORTH_OPTIONS    (BIT(OPT_MAX_AGE) | BIT(OPT_REQUIRE) | BIT(OPT_ON_STALE))
#define QUESTION_OPTIONS (SPAN_OPTIONS | BIT(OPT_WHERE) | WORTH_OPTIONS)

const char *const shell_words[] = {"bash", "zsh", "fish", NULL};
const char *const mcp_client_words[] = {"claude", "cursor", "vscode", "codex", NULL};

const struct command_spec command_table[CMD_NUMBER] = {
	[CMD_STATUS] =
		{
			.name = "status",
			.synopsis = "",
			.summary = "how the daemon, its sources and their resources are",
			.options = BIT(OPT_SOURCE),
			.examples =
				(const struct example[]){
					{"ficq status",
					 "sources, resources, when each was last read, and what the store takes"},
					{"ficq status --json | jq .store", "the same for a program"},
					{NULL, NULL},
				},
		},
	[CMD_SOURCES] =
		{
			.name = "sources",
			.synopsis = "",
			.summary = "the configured sources",
			.options = BIT(OPT_SOURCE),
			.examples =
				(const struct example[]){
					{"ficq sources",
					 "which workspaces there are, and whether their tokens work"},
					{NULL, NULL},
				},
		},
	[CMD_FIELDS] =
		{
			.name = "fields",
			.synopsis = "[RESOURCE]",
			.summary = "which fields can be asked for, with their types",
			.args_max = 1,
			.first = ARG_RESOURCE,
			.options = BIT(OPT_SOURCE),
			.examples =
				(const struct example[]){
					{"ficq fields conversations",
					 "what can stand in --where, --fields, --by, --sort"},
					{"ficq fields", "of all resources"},
					{NULL, NULL},
				},
		},
	[CMD_QUERY] =
		{
			.name = "query",
			.synopsis = "RESOURCE",
			.summary = "records of a resource, newest first",
			.detail = "Standard output gets the rows, standard error what the answer is worth. "
				  "With --limit=0 all rows are printed as they arrive, page after page.",
			.args_min = 1,
			.args_max = 1,
			.first = ARG_RESOURCE,
			.options = QUESTION_OPTIONS | BIT(OPT_TEXT) | BIT(OPT_FIELDS) |
				   BIT(OPT_SORT) | BIT(OPT_LIMIT) | BIT(OPT_SPREADSHEET),
			.examples =
				(const struct example[]){
					{"ficq query conversations --since today", "what came in today"},
					{"ficq query conversations --where 'state = open and team = Billing' -n 0",
					 "all open ones of a team"},
					{"ficq query conversations --where 'state = open' --sort waiting_since",
					 "who waits longest for an answer"},
					{"ficq query conversations --axis updated --since today",
					 "what changed today"},
					{"ficq query messages --since 7d --where 'kind = note' --fields created,author,body",
					 "who wrote notes this week"},
					{"ficq query contacts -n 0 --spreadsheet >contacts.csv",
					 "all contacts for a spreadsheet"},
					{NULL, NULL},
				},
		},
	[CMD_SEARCH] =
		{
			.name = "search",
			.synopsis = "TEXT",
			.summary = "records that have these words, newest first",
			.detail = "A conversation is found by its own words or by those of one of its messages. "
				  "\"a phrase\", prefix*, -without, a OR b and ( ) are understood. The column "
				  "SNIPPET shows the place.",
			.args_min = 1,
			.args_max = 32,
			.options = QUESTION_OPTIONS | BIT(OPT_RESOURCE) | BIT(OPT_FIELDS) |
				   BIT(OPT_SORT) | BIT(OPT_LIMIT) | BIT(OPT_SPREADSHEET),
			.examples =
				(const struct example[]){
					{"ficq search refund --during 'last month'",
					 "conversations that have the word"},
					{"ficq search '\"full refund\" -declined'",
					 "where somebody said just that, and not the other word"},
					{"ficq search 'invoic*' --where 'state = open' --fields id,subject,snippet",
					 "words that begin so, in open ones"},
					{NULL, NULL},
				},
		},
	[CMD_GET] =
		{
			.name = "get",
			.synopsis = "RESOURCE ID",
			.summary = "one record with the provider's own object",
			.detail = "Exits with 1 when there is no such record, and says why: deleted, merged, "
				  "never seen, or not covered.",
			.args_min = 2,
			.args_max = 2,
			.first = ARG_RESOURCE,
			.rest = ARG_ID,
			.options = BIT(OPT_SOURCE) | BIT(OPT_FIELDS) | BIT(OPT_LIVE) | WORTH_OPTIONS,
			.examples =
				(const struct example[]){
					{"ficq get conversations 200963800004193",
					 "a record as the provider has it"},
					{"ficq get conversations 200963800004193 --fields subject,doc.statistics.count_reopens -o csv",
					 "two things of it"},
					{NULL, NULL},
				},
		},
	[CMD_THREAD] =
		{
			.name = "thread",
			.synopsis = "ID",
			.summary = "a conversation or ticket with its messages, to read",
			.detail = "Notes are marked, attachments named, what is quoted is folded (--quotes shows it). "
				  "csv, tsv and ndjson have the messages alone. Where a conversation and a "
				  "ticket share an id, --resource=tickets tells which.",
			.args_min = 1,
			.args_max = 1,
			.first = ARG_THREAD,
			.options = BIT(OPT_SOURCE) | BIT(OPT_RESOURCE) | BIT(OPT_QUOTES) |
				   BIT(OPT_SPREADSHEET) | BIT(OPT_LIVE) | WORTH_OPTIONS,
			.examples =
				(const struct example[]){
					{"ficq thread 200963800004193", "a conversation to read"},
					{"ficq thread 5200087 --quotes",
					 "a ticket, with what mails quote"},
					{"ficq thread 200963800004193 -o ndjson | jq -r .body",
					 "the bare texts"},
					{NULL, NULL},
				},
		},
	[CMD_COUNT] =
		{
			.name = "count",
			.synopsis = "RESOURCE",
			.summary = "how many records there are, in all or in groups",
			.detail = "Without --by and --metric one number, which csv and tsv print alone, too. Days, weeks (from Monday) and months are "
				  "those of the clocks in --tz; groups by time come in its order, others the "
				  "largest first. Percentiles of more than 4,096 values in a group are within "
				  "1 %. In tables a day, a week, a month and an hour are called by their beginning "
				  "on those clocks; csv, tsv and json give that moment in UTC.",
			.args_min = 1,
			.args_max = 1,
			.first = ARG_RESOURCE,
			.notes =
				(const struct option_note[]){
					{OPT_LIMIT, "N", "at most so many groups; 0: all (the default)"},
					{0, NULL, NULL},
				},
			.options = QUESTION_OPTIONS | BIT(OPT_TEXT) | BIT(OPT_BY) |
				   BIT(OPT_METRIC) | BIT(OPT_LIMIT) | BIT(OPT_SPREADSHEET),
			.examples =
				(const struct example[]){
					{"ficq count conversations --where 'state = open'",
					 "how many are open"},
					{"ficq count conversations --text refund --during 'last week' --by team",
					 "how many speak of refunds, by team"},
					{"ficq count conversations --during 'this month' --by assignee --metric median:time_to_first_response",
					 "how fast who answers"},
					{"ficq count conversations --since 30d --by day,state -o csv",
					 "a table to draw from"},
					{NULL, NULL},
				},
		},
	[CMD_FRESHNESS] =
		{
			.name = "freshness",
			.synopsis = "[RESOURCE]",
			.summary = "what an answer would be worth, without asking for one",
			.detail = "Without a resource it is about conversations.",
			.args_max = 1,
			.first = ARG_RESOURCE,
			.options = SPAN_OPTIONS | BIT(OPT_MAX_AGE) | BIT(OPT_REQUIRE),
			.examples =
				(const struct example[]){
					{"ficq freshness --during yesterday",
					 "whether yesterday is complete"},
					{"ficq freshness messages --since 30d --require fresh",
					 "exit status 3 when the month has a gap"},
					{NULL, NULL},
				},
		},
	[CMD_COVERAGE] =
		{
			.name = "coverage",
			.synopsis = "[RESOURCE]",
			.summary = "which spans of time are held, drawn as bars, with the gaps in words",
			.detail = "A full block is held, a light one is held but older than --max-age (default "
				  "60m), a half one is held in part, a blank is a gap.",
			.args_max = 1,
			.first = ARG_RESOURCE,
			.options = BIT(OPT_SOURCE) | BIT(OPT_MAX_AGE),
			.examples =
				(const struct example[]){
					{"ficq coverage",
					 "how far back everything goes, and what is missing"},
					{"ficq coverage conversations --max-age 1d",
					 "one resource, with what is older than a day marked"},
					{NULL, NULL},
				},
		},
	[CMD_SYNC] =
		{
			.name = "sync",
			.synopsis = "[SOURCE] [RESOURCE ...]",
			.summary = "fetch now",
			.detail = "The first argument is a source when one has that name. With --ids, or after "
				  "one resource arguments with a digit in them (sync conversations 123 456), just "
				  "these records are fetched. Backfill and verify can be limited with --since and "
				  "--until. On a terminal (standard "
				  "error) the command stays until the sync has ended and shows how far it is; "
				  "elsewhere it prints the runs' numbers and leaves. Exits with 69 when a run "
				  "failed, 75 when it was canceled or should be tried later.",
			.args_max = ARGS_MAX,
			.first = ARG_SOURCE_OR_RESOURCE,
			.rest = ARG_RESOURCE,
			.options = BIT(OPT_SOURCE) | BIT(OPT_MODE) | BIT(OPT_SINCE) | BIT(OPT_UNTIL) |
				   BIT(OPT_IDS) | BIT(OPT_WAIT) | BIT(OPT_NO_WAIT) | BIT(OPT_DRY_RUN),
			.examples =
				(const struct example[]){
					{"ficq sync", "fetch what has changed"},
					{"ficq sync conversations 200963800004193 --wait",
					 "one conversation as it is now"},
					{"ficq sync tickets --mode full --wait",
					 "everything of a resource once more"},
					{"ficq sync conversations --mode verify --since 2d --wait",
					 "whether the last days are as they were read"},
					{NULL, NULL},
				},
		},
	[CMD_PLAN] =
		{
			.name = "plan",
			.synopsis = "[SOURCE] [RESOURCE ...]",
			.summary = "what a sync would do and cost, without sending anything",
			.detail = "The calls are estimated from what is held and from how earlier runs went; what "
				  "nobody can know is left blank, with the calls that it takes at the least. The "
				  "time is that at the budget's rate. The same as sync --dry-run.",
			.args_max = ARGS_MAX,
			.first = ARG_SOURCE_OR_RESOURCE,
			.rest = ARG_RESOURCE,
			.options = BIT(OPT_SOURCE) | BIT(OPT_MODE) | BIT(OPT_SINCE) |
				   BIT(OPT_UNTIL) | BIT(OPT_IDS),
			.examples =
				(const struct example[]){
					{"ficq plan", "the calls and time that a sync would take"},
					{"ficq plan --mode full conversations",
					 "of reading all conversations once more"},
					{NULL, NULL},
				},
		},
	[CMD_WAIT] =
		{
			.name = "wait",
			.synopsis = "",
			.summary = "wait until the data is fresh, or syncs are done",
			.detail = "Exits with 3 when it is not within --timeout (default 60s; 0: wait without "
				  "end), with 69 when the daemon could not be reached in that time. Fetches "
				  "nothing by itself.",
			.options = SPAN_OPTIONS | BIT(OPT_MAX_AGE) | BIT(OPT_FRESH) | BIT(OPT_IDLE),
			.examples =
				(const struct example[]){
					{"ficq wait", "until conversations are fresh"},
					{"ficq wait --idle --timeout 10m",
					 "until no sync is under way or due"},
					{NULL, NULL},
				},
		},
	[CMD_RUNS] =
		{
			.name = "runs",
			.synopsis = "[RESOURCE]",
			.summary = "past syncs, newest first",
			.args_max = 1,
			.first = ARG_RESOURCE,
			.options = BIT(OPT_SOURCE) | BIT(OPT_LIMIT),
			.examples =
				(const struct example[]){
					{"ficq runs -n 5",
					 "the last syncs: when, how long, what came, what failed"},
					{"ficq runs conversations -o csv",
					 "a resource's, with all their numbers"},
					{NULL, NULL},
				},
		},
	[CMD_CHANGES] =
		{
			.name = "changes",
			.synopsis = "[RESOURCE ...]",
			.summary = "records in the order in which they changed, deletions too",
			.detail = "--since is a revision: the number that an earlier reading ended with, which "
				  "standard error tells; of several sources one of each. Each record comes once, in its latest state, however often "
				  "it changed. With --follow it stays and prints what is stored from then on "
				  "(without --since: from now on). Without a terminal rows are ndjson. --where "
				  "needs one resource.",
			.args_max = 24,
			.first = ARG_RESOURCE,
			.rest = ARG_RESOURCE,
			.notes =
				(const struct option_note[]){
					{OPT_SINCE, "REV",
					 "behind this revision, with which an earlier reading ended; for times see query --axis=updated"},
					{OPT_LIMIT, "N", "at most so many (default: all)"},
					{0, NULL, NULL},
				},
			.options = BIT(OPT_SOURCE) | BIT(OPT_SINCE) | BIT(OPT_WHERE) | BIT(OPT_FIELDS) |
				   BIT(OPT_LIMIT) | BIT(OPT_FOLLOW) | BIT(OPT_DURATION),
			.examples =
				(const struct example[]){
					{"ficq changes conversations -n 100",
					 "the oldest changes that there are"},
					{"ficq changes --since 10000", "all since a revision"},
					{"ficq changes --follow", "whatever is stored from now on"},
					{NULL, NULL},
				},
		},
	[CMD_WATCH] =
		{
			.name = "watch",
			.synopsis = "[RESOURCE]",
			.summary = "the answer to a query or count, drawn again whenever something changes",
			.detail = "Without a resource it is about conversations. --by and --metric make it a "
				  "count. Without a terminal, or with "
				  "--output, it prints what changes from now on, as ndjson unless told "
				  "otherwise. The table is never longer than the screen, and waits for a daemon "
				  "that has gone. Ends with Ctrl-C, --count or --duration.",
			.args_max = 1,
			.first = ARG_RESOURCE,
			.options = QUESTION_OPTIONS | BIT(OPT_FIELDS) | BIT(OPT_LIMIT) |
				   BIT(OPT_TIMES) | BIT(OPT_DURATION) | BIT(OPT_TEXT) |
				   BIT(OPT_SORT) | BIT(OPT_BY) | BIT(OPT_METRIC),
			.examples =
				(const struct example[]){
					{"ficq watch conversations --where 'state = open'",
					 "a table that redraws itself; Ctrl-C ends it"},
					{"ficq watch --since today --by state", "a count, likewise"},
					{"ficq watch messages -o ndjson",
					 "what comes in, for a program"},
					{NULL, NULL},
				},
		},
	[CMD_EXPORT] =
		{
			.name = "export",
			.synopsis = "RESOURCE",
			.summary = "a whole resource, or what a question finds, for other programs",
			.detail = "ndjson and msgpack have whole records, csv and tsv their columns. Standard error "
				  "tells what the data is worth, and last the revision to resume from: "
				  "--since-revision brings what changed after it, deleted records marked as such. "
				  "See RECIPES.",
			.args_min = 1,
			.args_max = 1,
			.first = ARG_RESOURCE,
			.notes =
				(const struct option_note[]){
					{OPT_LIMIT, "N", "at most so many records (default: all)"},
					{OPT_OUTPUT, "FORMAT",
					 "ndjson (the default), csv, tsv or msgpack"},
					{0, NULL, NULL},
				},
			.options = QUESTION_OPTIONS | BIT(OPT_FIELDS) | BIT(OPT_LIMIT) |
				   BIT(OPT_SINCE_REVISION) | BIT(OPT_GZIP) | BIT(OPT_SPREADSHEET),
			.examples =
				(const struct example[]){
					{"ficq export conversations --gzip >conversations.ndjson.gz",
					 "whole records, packed"},
					{"ficq export conversations --where 'state = open and team = Billing' -o csv >billing.csv",
					 "a team's open ones as a table"},
					{"ficq export contacts --since-revision 2000 >new.ndjson",
					 "what changed since an earlier export"},
					{NULL, NULL},
				},
		},
	[CMD_VERIFY] =
		{
			.name = "verify",
			.synopsis = "",
			.summary = "check everything on the daemon's disk",
			.detail = "Every checksum of every file is read, while the daemon goes on with its work. What "
				  "is damaged is set aside, is no longer claimed to be held, and is fetched again. "
				  "Exits with 1 when there was damage, with 75 when a check is under way already.",
			.options = BIT(OPT_SOURCE),
			.examples =
				(const struct example[]){
					{"ficq verify",
					 "whether all that is stored is as it was written"},
					{NULL, NULL},
				},
		},
	[CMD_PRUNE] =
		{
			.name = "prune",
			.synopsis = "",
			.summary = "drop now what is older than the configuration keeps",
			.detail = "The same happens once a day: whole conversations without activity for longer than "
				  "retain allows, with their messages. --dry-run only counts them.",
			.options = BIT(OPT_SOURCE) | BIT(OPT_DRY_RUN),
			.examples =
				(const struct example[]){
					{"ficq prune --dry-run", "what would be dropped"},
					{NULL, NULL},
				},
		},
	[CMD_FORGET] =
		{
			.name = "forget",
			.synopsis = "RESOURCE ID",
			.summary = "erase a record and all that is under it from the daemon's disk",
			.detail = "A conversation goes with its messages; a contact with the contacts that were "
				  "merged into it and with every conversation that names it. Nothing of it is left "
				  "in any file when this ends, and no sync brings it back. What the provider has "
				  "stays as it is. On a terminal it asks first; elsewhere it needs --yes.",
			.args_min = 2,
			.args_max = 2,
			.first = ARG_RESOURCE,
			.rest = ARG_ID,
			.options = BIT(OPT_SOURCE) | BIT(OPT_DRY_RUN) | BIT(OPT_YES),
			.examples =
				(const struct example[]){
					{"ficq forget conversations 200963800004193 --dry-run",
					 "what would go with a conversation"},
					{NULL, NULL},
				},
		},
	[CMD_DEAD] =
		{
			.name = "dead",
			.synopsis = "[retry | drop] [ID]",
			.summary = "records that cannot be read, and what became of them",
			.detail = "Each says why, what was asked, and when it is tried again: after five minutes, an "
				  "hour, six hours, then every day. \"retry\" tries now, \"drop\" gives up until "
				  "the record changes; both take an ID or --all. What was dropped stays a known "
				  "hole: answers about its time are not complete. --all alone lists those, too.",
			.args_max = 2,
			.first = ARG_DEAD,
			.options = BIT(OPT_SOURCE) | BIT(OPT_LIMIT) | BIT(OPT_ALL),
			.examples =
				(const struct example[]){
					{"ficq dead", "records that could not be read, and why"},
					{"ficq dead retry --all", "try them all again, now"},
					{NULL, NULL},
				},
		},
	[CMD_ALERTS] =
		{
			.name = "alerts",
			.synopsis = "[test [NAME]]",
			.summary = "what the configured alerts have raised, and whether their notices arrive",
			.detail = "\"test\" sends a notice by every way of one alert, or of all, and says what came of "
				  "it; it exits with 69 when one was not taken. Alerts stand in ficd.conf(5), each in a "
				  "section [alert NAME].",
			.args_max = 2,
			.first = ARG_ALERTS,
			.examples =
				(const struct example[]){
					{"ficq alerts", "what holds now, and since when"},
					{"ficq alerts test ops",
					 "whether a notice of this alert arrives"},
					{NULL, NULL},
				},
		},
	[CMD_EDIT] =
		{
			.name = "edit",
			.synopsis = "RESOURCE ID FIELD=VALUE...",
			.summary = "change fields of a record, here at once and at the provider soon",
			.detail =
				"The edit is kept safe, shown in answers at once (marked pending), and pushed within the "
				"budget. When the same field was changed at the provider meanwhile, nothing is "
				"overwritten: it becomes a conflict for \"resolve\". FIELD=VALUE gives text, which "
				"becomes what the field takes (a number, true, a time, names of teammates, teams and tags); "
				"FIELD= empties it; FIELD:=JSON gives a value as JSON. \"fields\" says what can be edited. "
				"Exit status 4 is a conflict, 1 an edit that the provider refused.",
			.args_min = 3,
			.args_max = 18,
			.first = ARG_RESOURCE,
			.rest = ARG_ID,
			.options = BIT(OPT_SOURCE) | BIT(OPT_WAIT) | BIT(OPT_NO_WAIT) | BIT(OPT_EXPECT),
			.examples =
				(const struct example[]){
					{"ficq edit conversations 200963800004193 state=closed",
					 "close a conversation"},
					{"ficq edit conversations 200963800004193 assignee=none subject='Late parcel' --wait",
					 "unassign it, name it, and wait until the provider has it"},
					{NULL, NULL},
				},
		},
	[CMD_EDITS] =
		{
			.name = "edits",
			.synopsis = "[ID]",
			.summary = "edits that wait for the provider or for a decision",
			.detail = "With an ID that one, whatever became of it; --all lists those of late, too.",
			.args_max = 1,
			.options = BIT(OPT_SOURCE) | BIT(OPT_LIMIT) | BIT(OPT_ALL) | BIT(OPT_CONFLICTS),
			.examples =
				(const struct example[]){
					{"ficq edits", "what is not done yet, and why"},
					{"ficq edits --conflicts", "what waits for you to decide"},
					{NULL, NULL},
				},
		},
	[CMD_RESOLVE] =
		{
			.name = "resolve",
			.synopsis = "ID mine|theirs",
			.summary = "decide about an edit in conflict, or one that has failed",
			.detail = "\"mine\" pushes it over what the provider has now (a failed one is tried again), \"theirs\" gives "
				  "it up; that also takes back an edit that is still pending. The ID is that of \"edits\".",
			.args_min = 2,
			.args_max = 2,
			.rest = ARG_SIDE,
			.options = BIT(OPT_SOURCE),
			.examples =
				(const struct example[]){
					{"ficq edits --conflicts -o ndjson | jq .id | xargs -r -I{} ficq resolve {} theirs",
					 "leave all that is in conflict as it is upstream"},
					{NULL, NULL},
				},
		},
	[CMD_RELOAD] =
		{
			.name = "reload",
			.synopsis = "",
			.summary = "have the daemon read its configuration again",
			.detail = "Nobody is cut off. When anything in the file is wrong nothing changes, and it is said "
				  "what. Tells which options wait for a restart.",
			.examples =
				(const struct example[]){
					{"ficq reload", "after ficd.conf was changed"},
					{NULL, NULL},
				},
		},
	[CMD_LIVE] =
		{
			.name = "live",
			.synopsis = "PATH [PARAM=VALUE ...]",
			.summary = "pass a GET to the provider and print what it answers",
			.detail = "Within the budget of calls, and only paths that the daemon knows; nothing of it is "
				  "kept. It needs a place in allow_write, since it reaches what is not held and "
				  "spends calls. A parameter may be given more than once.",
			.args_min = 1,
			.args_max = 65,
			.options = BIT(OPT_SOURCE),
			.examples =
				(const struct example[]){
					{"ficq live /me", "whose the token is"},
					{"ficq live /contacts per_page=5", "with a parameter"},
					{NULL, NULL},
				},
		},
	[CMD_RPC] =
		{
			.name = "rpc",
			.synopsis = "METHOD [JSON]",
			.summary = "call any method of the daemon and print its result",
			.detail = "The parameters are a JSON object; - reads it from standard input.",
			.args_min = 1,
			.args_max = 2,
			.examples =
				(const struct example[]){
					{"ficq rpc status", "a method without parameters"},
					{"ficq rpc query '{\"resource\": \"tags\", \"limit\": 3}'",
					 "one with parameters"},
					{NULL, NULL},
				},
		},
	[CMD_MCP] =
		{
			.name = "mcp",
			.synopsis = "[CLIENT]",
			.summary = "serve agents: the Model Context Protocol on standard input and output",
			.detail = "Clients start it. --print-config prints what their configuration needs: for "
				  "claude and cursor (the default), vscode or codex.",
			.args_max = 1,
			.first = ARG_CLIENT,
			.options = BIT(OPT_SOURCE) | BIT(OPT_PRINT_CONFIG) | BIT(OPT_EDITS),
			.examples =
				(const struct example[]){
					{"ficq mcp --print-config", "for Claude or Cursor"},
					{"ficq mcp --print-config vscode", "for another client"},
					{NULL, NULL},
				},
		},
	[CMD_COMPLETION] =
		{
			.name = "completion",
			.synopsis = "SHELL",
			.summary = "the completion script for bash, zsh or fish",
			.detail = "For bash: source <(ficq completion bash).",
			.args_min = 1,
			.args_max = 3, /* what the scripts ask has more words */
			.first = ARG_SHELL,
			.options = BIT(OPT_SOURCE),
			.examples =
				(const struct example[]){
					{"source <(ficq completion bash)", "for this shell"},
					{"ficq completion zsh >_ficq",
					 "as a file for a folder of $fpath"},
					{"ficq completion fish >ficq.fish",
					 "as a file for ~/.config/fish/completions"},
					{NULL, NULL},
				},
		},
	[CMD_HELP] =
		{
			.name = "help",
			.synopsis = "[COMMAND]",
			.summary = "this help, or a command's",
			.args_max = 1,
			.first = ARG_COMMAND,
			.examples =
				(const struct example[]){
					{"ficq help", "all commands"},
					{"ficq help query", "one, with its options and examples"},
					{NULL, NULL},
				},
		},
	[CMD_VERSION] =
		{
			.name = "version",
			.synopsis = "",
			.summary = "the versions of ficq and of the daemon",
			.examples =
				(const struct example[]){
					{"ficq version", "of ficq and of the daemon"},
					{NULL, NULL},
				},
		},
};

/* What others call it. */
static const char *other_name(const char *name)
{
	static const char *const known[][2] = {
		{"list", "query"},
		{"ls", "query"},
		{"select", "query"},
		{"show", "get"},
		{"cat", "thread"},
		{"read", "thread"},
		{"conversation", "thread"},
		{"find", "search"},
		{"grep", "search"},
		{"stats", "count"},
		{"group", "count"},
		{"log", "runs"},
		{"logs", "runs"},
		{"history", "runs"},
		{"diff", "changes"},
		{"tail", "changes --follow"},
		{"follow", "changes --follow"},
		{"gaps", "coverage"},
		{"refresh", "sync"},
		{"fetch", "sync"},
		{"update", "sync"},
		{"fsck", "verify"},
		{"check", "verify"},
		{"conversations", "query conversations"},
		{"messages", "query messages"},
		{"tickets", "query tickets"},
		{"contacts", "query contacts"},
		{"teams", "query teams"},
		{"admins", "query admins"},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i][0], name) == 0)
			return known[i][1];
	return NULL;
}

enum command command_find(const char *name, struct why *why)
{
	const char *names[CMD_NUMBER + 1] = {NULL};

	for (int i = 0; i < CMD_NUMBER; i++) {
		names[i] = command_table[i].name;
		if (strcmp(name, names[i]) == 0)
			return (enum command)i;
	}
	const char *near = other_name(name);
	if (!near)
		near = suggest(bytes_str(name), names);
	why_set(why, ERR_SYNTAX, "there is no command \"%.40s\"%s%s%s", name,
		near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	return CMD_NUMBER;
}

const char *command_resource(enum command command, const struct options *o)
{
	if (command == CMD_SEARCH)
		return o->value[OPT_RESOURCE] ? o->value[OPT_RESOURCE] : "conversations";
	if (command_table[command].first != ARG_RESOURCE || o->arg_count < 2)
		return NULL;
	return o->args[1];
}

static int means_nothing(enum command command, enum option option, const struct options *o,
			 struct why *why)
{
	const char *name = option_table[option].name;

	if (command == CMD_EXPORT && option == OPT_TEXT)
		return why_set(
			why, ERR_SYNTAX,
			"--text means nothing to \"export\"; what a search finds: ficq query %.40s --text ... -n 0 -o ndjson",
			o->arg_count > 1 ? o->args[1] : "RESOURCE");
	return why_set(why, ERR_SYNTAX, "--%s means nothing to \"%s\"", name,
		       command_table[command].name);
}

/* The id of a record, which is the first or the second argument. */
static bool has_empty_id(const struct command_spec *c, const struct options *o)
{
	size_t at = c->first == ARG_THREAD ? 1 : c->rest == ARG_ID ? 2 : 0;

	return at && at < o->arg_count && !*o->args[at];
}

int command_check(enum command command, const struct options *o, struct why *why)
{
	const struct command_spec *c = &command_table[command];
	size_t args = o->arg_count > 0 ? o->arg_count - 1 : 0;

	for (int i = 0; i < OPT_COUNT; i++)
		if (o->times[i] && !((c->options | OPTIONS_EVERYWHERE) & BIT(i)))
			return means_nothing(command, (enum option)i, o, why);
	if (args < c->args_min)
		return why_set(why, ERR_SYNTAX, "%s needs %s: ficq %s %s", c->name,
			       args ? "more arguments" : "an argument", c->name, c->synopsis);
	if (has_empty_id(c, o))
		return why_set(why, ERR_SYNTAX, "%s: the ID is empty: ficq %s %s", c->name, c->name,
			       c->synopsis);
	if (args > c->args_max)
		return why_set(why, ERR_SYNTAX, "%s takes %s: ficq %s%s%s", c->name,
			       c->args_max ? "fewer arguments" : "no argument", c->name,
			       *c->synopsis ? " " : "", c->synopsis);
	return 0;
}
