/*
 * options: the one table of options, and command lines read by it. Parsing, help, completion and the manual's list come from
 * the table; what a value means is the commands' business.
 */
#include "options.h"

#include "text.h"

#include <base/suggest.h>

#include <stdio.h>
#include <stdlib.h>

static const char *const output_words[] = {"table", "json",    "ndjson", "csv",
					   "tsv",   "msgpack", NULL};
static const char *const axis_words[] = {"created", "updated", NULL};
static const char *const require_words[] = {"fresh", "partial", NULL};
static const char *const stale_words[] = {"serve", "wait", "live", "error", NULL};
static const char *const mode_words[] = {"changes", "full", "backfill", "verify", NULL};
static const char *const color_words[] = {"auto", "always", "never", NULL};
static const char *const wire_words[] = {"json", "msgpack", NULL};

const struct option_spec option_table[OPT_COUNT] = {
	[OPT_SOCKET] = {'S', "socket", "PATH", NULL, "the daemon's socket"},
	[OPT_SOURCE] = {'s', "source", "NAME", NULL, "only this source; else all are asked"},
	[OPT_OUTPUT] = {'o', "output", "FORMAT", output_words,
			"how answers are printed: table, json, ndjson, csv, tsv or msgpack"},
	[OPT_JSON] = {0, "json", NULL, NULL,
		      "the method's whole result in one line; the same as --output=json"},
	[OPT_FIELDS] = {0, "fields", "LIST", NULL,
			"only these fields, separated by commas; doc.a.b reaches into the provider's object",
			AGAIN_ADDS},
	[OPT_SINCE] = {0, "since", "TIME", NULL,
		       "from this time on: 2h, yesterday, 2026-11-20, 2026-11-20T14:00Z"},
	[OPT_UNTIL] = {0, "until", "TIME", NULL, "up to this time; a date alone means its end"},
	[OPT_DURING] = {0, "during", "TIME", NULL,
			"both ends at once: yesterday, 'last week', 2026-11, monday..friday"},
	[OPT_AXIS] = {0, "axis", "AXIS", axis_words,
		      "which time --since and --until are about: created (the default) or updated"},
	[OPT_WHERE] = {0, "where", "EXPR", NULL,
		       "only what matches, as in 'state = open and not tags contains vip'; given again, all must match",
		       AGAIN_BOTH},
	[OPT_BY] = {0, "by", "LIST", NULL,
		    "count in groups: up to three fields, or hour, day, week, month (day:updated), separated by commas",
		    AGAIN_ADDS},
	[OPT_METRIC] = {0, "metric", "LIST", NULL,
			"numbers about each group, separated by commas: count, min, max, sum, avg, p50, p90 or p99 of a field, as in avg:reopens",
			AGAIN_ADDS},
	[OPT_SORT] = {0, "sort", "[-]FIELD", NULL,
		      "in the order of a field, with - the largest first; without a value last; what a text finds also by relevance"},
	[OPT_TEXT] = {0, "text", "TEXT", NULL,
		      "only what has these words: 'refund \"order number\" invoic* -spam'"},
	[OPT_RESOURCE] = {0, "resource", "RESOURCE", NULL, "where to look (default conversations)"},
	[OPT_LIMIT] = {'n', "limit", "N", NULL,
		       "at most so many rows; 0: all (default 20 on a terminal, else 100; of an export and of groups all)"},
	[OPT_MAX_AGE] = {0, "max-age", "SPAN", NULL,
			 "how old the state of the data may be to count as fresh: 5m, 1h"},
	[OPT_REQUIRE] = {0, "require", "STATE", require_words,
			 "exit with 3 when the answer is not at least fresh or partial"},
	[OPT_ON_STALE] =
		{0, "on-stale", "WHAT", stale_words,
		 "when the data is older than that: serve it and refresh behind, wait until it is read, have the provider asked live for just this, or error"},
	[OPT_LIVE] = {0, "live", NULL, NULL,
		      "have the provider asked for this record now, however fresh the cache is"},
	[OPT_FOLLOW] = {0, "follow", NULL, NULL, "stay, and print what changes as it is stored"},
	[OPT_TIMES] = {0, "count", "N", NULL, "leave after so many changes or drawings"},
	[OPT_DURATION] = {0, "duration", "SPAN", NULL, "leave after this time"},
	[OPT_SINCE_REVISION] = {0, "since-revision", "REV", NULL,
				"only what changed after this revision, deletions too"},
	[OPT_GZIP] = {0, "gzip", NULL, NULL, "compress what is written"},
	[OPT_QUOTES] = {0, "quotes", NULL, NULL, "show what is quoted in full"},
	[OPT_SPREADSHEET] =
		{0, "spreadsheet", NULL, NULL,
		 "csv as spreadsheets take it: marked as UTF-8, CRLF at line ends, and a ' before what would be read as a formula"},
	[OPT_TIMEOUT] = {0, "timeout", "SPAN", NULL,
			 "how long to wait for the answer (default 60s; a sync is waited for without end)"},
	[OPT_FRESH] = {0, "fresh", "RESOURCE", NULL, "what to wait for (default conversations)"},
	[OPT_MODE] = {0, "mode", "MODE", mode_words,
		      "what to fetch: changes (the default), full, backfill or verify"},
	[OPT_IDS] = {0, "ids", "LIST", NULL, "just these records, separated by commas", AGAIN_ADDS},
	[OPT_WAIT] = {0, "wait", NULL, NULL,
		      "stay until the sync has ended, or the edit is pushed (the default on a terminal)"},
	[OPT_NO_WAIT] = {0, "no-wait", NULL, NULL, "start it and leave (the default elsewhere)"},
	[OPT_DRY_RUN] = {0, "dry-run", NULL, NULL, "tell what it would do and cost, and do nothing"},
	[OPT_YES] = {'y', "yes", NULL, NULL, "do it without asking"},
	[OPT_ALL] = {0, "all", NULL, NULL,
		     "everything: every dead letter; in a list also what was dropped, or is over"},
	[OPT_CONFLICTS] = {0, "conflicts", NULL, NULL, "only edits that wait for a decision"},
	[OPT_EXPECT] = {0, "expect", "TIME", NULL,
			"the record's \"updated\" as you saw it: refuse when it has changed since"},
	[OPT_EDITS] = {0, "edits", NULL, NULL,
		       "offer agents a tool that changes records (who may, allow_write says)"},
	[OPT_IDLE] = {0, "idle", NULL, NULL,
		      "wait until no sync is under way or due, however fresh the data are"},
	[OPT_PRINT_CONFIG] = {0, "print-config", NULL, NULL,
			      "print what a client's configuration needs to start this, and leave"},
	[OPT_TZ] = {0, "tz", "ZONE", NULL,
		    "the time zone of times in tables and of times given: Europe/Paris, UTC"},
	[OPT_COLOR] = {0, "color", "WHEN", color_words, "auto, always or never"},
	[OPT_NO_PAGER] = {0, "no-pager", NULL, NULL, "never show long output in a pager"},
	[OPT_NO_HEADER] = {0, "no-header", NULL, NULL,
			   "leave out the line of column names in table, csv and tsv"},
	[OPT_WIDE] = {0, "wide", NULL, NULL, "do not cut tables to the terminal's width"},
	[OPT_QUIET] = {'q', "quiet", NULL, NULL, "no warnings and remarks on standard error"},
	[OPT_VERBOSE] = {'v', "verbose", NULL, NULL, "more of them"},
	[OPT_HELP] = {'h', "help", NULL, NULL, "help, of a command when one is given"},
	[OPT_VERSION] = {'V', "version", NULL, NULL, "the version"},
	[OPT_NOW] = {0, "now", "TIME", NULL, NULL},
	[OPT_WIRE] = {0, "wire", "FORM", wire_words, NULL},
};

void option_display(enum option option, char out[32])
{
	snprintf(out, 32, "--%s", option_table[option].name);
}

static int find_letter(char letter)
{
	for (int i = 0; i < OPT_COUNT; i++)
		if (option_table[i].letter == letter)
			return i;
	return -1;
}

static int find_name(struct bytes name)
{
	for (int i = 0; i < OPT_COUNT; i++)
		if (bytes_is(name, option_table[i].name))
			return i;
	return -1;
}

static int unknown_name(struct bytes name, struct why *why)
{
	const char *names[OPT_COUNT + 1];
	size_t n = 0;

	for (int i = 0; i < OPT_COUNT; i++)
		if (option_table[i].help)
			names[n++] = option_table[i].name;
	names[n] = NULL;
	const char *near = suggest(name, names);
	int shown = name.len > 40 ? 40 : (int)name.len;
	for (size_t i = 0; output_words[i]; i++)
		if (bytes_is(name, output_words[i]))
			return why_set(why, ERR_SYNTAX,
				       "there is no option --%s; did you mean --output=%s?",
				       output_words[i], output_words[i]);
	if (near)
		return why_set(why, ERR_SYNTAX, "there is no option --%.*s; did you mean --%s?",
			       shown, (const char *)name.data, near);
	return why_set(why, ERR_SYNTAX, "there is no option --%.*s", shown, (const char *)name.data);
}

/* --json stands for an output, --wait and --no-wait for each other's opposite: the last one counts. */
static void resolve(struct options *o, int option)
{
	if (option == OPT_JSON)
		o->value[OPT_OUTPUT] = "json";
	if (option == OPT_OUTPUT)
		o->times[OPT_JSON] = 0;
	if (option == OPT_WAIT)
		o->times[OPT_NO_WAIT] = 0;
	if (option == OPT_NO_WAIT)
		o->times[OPT_WAIT] = 0;
}

static int no_such_value(const struct option_spec *s, const char *value, struct why *why)
{
	const char *near = suggest(bytes_str(value), s->words);
	char list[120] = "";

	for (size_t i = 0; s->words[i]; i++) {
		size_t len = strlen(list);
		snprintf(list + len, sizeof list - len, "%s%s", i ? ", " : "", s->words[i]);
	}
	return why_set(why, ERR_SYNTAX, "--%s: \"%.40s\" is not one of its values%s%s%s", s->name,
		       value, near ? "; did you mean " : ": ", near ? near : list, near ? "?" : "");
}

static int keep_joined(struct options *o, int option, struct buf *text, struct why *why)
{
	buf_put_byte(text, 0);
	if (text->error) {
		buf_release(text);
		return why_set(why, ERR_NOMEM, "out of memory");
	}
	free(o->joined[option]);
	o->value[option] = o->joined[option] = (char *)text->data;
	return 0;
}

/* "a, b" is "a,b": whoever writes a list in quotes puts blanks in it. */
static int tidy(struct options *o, int option, struct why *why)
{
	struct buf text = {0};
	const char *p = o->value[option];

	if (!strpbrk(p, " \t"))
		return 0;
	while (*p) {
		size_t blanks = strspn(p, " \t");
		bool edge = text.len == 0 || text.data[text.len - 1] == ',' || p[blanks] == ',' ||
			    !p[blanks];
		if (!edge)
			buf_put(&text, p, blanks);
		p += blanks;
		size_t len = strcspn(p, " \t,");
		buf_put(&text, p, len);
		p += len;
		if (*p == ',')
			buf_put_byte(&text, (uint8_t)*p++);
	}
	return keep_joined(o, option, &text, why);
}

/* The second and any further one. */
static int add(struct options *o, int option, const char *value, struct why *why)
{
	const struct option_spec *s = &option_table[option];
	struct buf text = {0};

	if (s->again == AGAIN_BOTH) {
		int r = condition_join(o->wheres, o->times[option], &text, why);
		return r < 0 ? r : keep_joined(o, option, &text, why);
	}
	buf_printf(&text, "%s,%s", o->value[option], value);
	return keep_joined(o, option, &text, why);
}

static int store(struct options *o, int option, const char *value, struct why *why)
{
	const struct option_spec *s = &option_table[option];

	for (size_t i = 0; s->words && !(i && !s->words[i - 1]); i++) {
		if (!s->words[i])
			return no_such_value(s, value, why);
		if (strcmp(s->words[i], value) == 0)
			break;
	}
	/* A path may be anything; all else is sent, and only UTF-8 can be. */
	if (option != OPT_SOCKET && !text_is_utf8(bytes_str(value)))
		return why_set(why, ERR_SYNTAX, "--%s: '%.60s' is not UTF-8", s->name, value);
	unsigned times = o->times[option]++;
	if (s->again == AGAIN_BOTH) {
		if (times == CONDITIONS_MAX)
			return why_set(why, ERR_SYNTAX, "--%s is given more than %d times", s->name,
				       CONDITIONS_MAX);
		o->wheres[times] = value;
	}
	if (times && s->arg && s->again == AGAIN_REFUSED)
		return why_set(why, ERR_SYNTAX, "--%s is given twice", s->name);
	if (times && s->arg) {
		int r = add(o, option, value, why);
		return r < 0 || s->again != AGAIN_ADDS ? r : tidy(o, option, why);
	}
	o->value[option] = value;
	resolve(o, option);
	return s->again == AGAIN_ADDS ? tidy(o, option, why) : 0;
}

/* "--name", "--name=value"; *at moves over a value that stands by itself. */
static int parse_long(struct options *o, int argc, char *const *argv, int *at, struct why *why)
{
	const char *text = argv[*at] + 2, *equals = strchr(text, '=');
	struct bytes name = bytes_of(text, equals ? (size_t)(equals - text) : strlen(text));
	int option = find_name(name);

	if (option < 0)
		return unknown_name(name, why);
	const struct option_spec *s = &option_table[option];
	if (!s->arg && equals)
		return why_set(why, ERR_SYNTAX, "--%s takes no value", s->name);
	if (!s->arg)
		return store(o, option, "", why);
	if (equals)
		return store(o, option, equals + 1, why);
	if (*at + 1 >= argc)
		return why_set(why, ERR_SYNTAX, "--%s needs a value: %s", s->name, s->arg);
	return store(o, option, argv[++*at], why);
}

/* "-q", "-qv", "-n5", "-n 5", "-vn5" */
static int parse_letters(struct options *o, int argc, char *const *argv, int *at, struct why *why)
{
	for (const char *p = argv[*at] + 1; *p; p++) {
		int option = find_letter(*p), r;
		if (option < 0)
			return why_set(why, ERR_SYNTAX,
				       "there is no option -%c (words that begin with - go behind --)",
				       *p > ' ' && *p < 0x7f ? *p : '?');
		const struct option_spec *s = &option_table[option];
		if (!s->arg) {
			r = store(o, option, "", why);
			if (r < 0)
				return r;
			continue;
		}
		if (p[1])
			return store(o, option, p + 1, why);
		if (*at + 1 >= argc)
			return why_set(why, ERR_SYNTAX, "-%c needs a value: %s", *p, s->arg);
		return store(o, option, argv[++*at], why);
	}
	return 0;
}

int options_parse(struct options *o, int argc, char *const *argv, struct why *why)
{
	bool ended = false;

	*o = (struct options){0};
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		int r = 0;
		if (ended || word[0] != '-' || word[1] == 0) {
			if (o->arg_count == ARGS_MAX)
				return why_set(why, ERR_SYNTAX, "more than %d arguments", ARGS_MAX);
			if (!text_is_utf8(bytes_str(word)))
				return why_set(why, ERR_SYNTAX, "'%.60s' is not UTF-8", word);
			o->args[o->arg_count++] = word;
		} else if (strcmp(word, "--") == 0) {
			ended = true;
		} else if (word[1] == '-') {
			r = parse_long(o, argc, argv, &i, why);
		} else {
			r = parse_letters(o, argc, argv, &i, why);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

void options_release(struct options *o)
{
	for (size_t i = 0; i < OPT_COUNT; i++)
		free(o->joined[i]);
	*o = (struct options){0};
}
