/* tools: the commands around the questions. Only live and rpc need the daemon; the others do without when it is not there. */
#include "tools.h"

#include "completion.h"
#include "help.h"
#include "text.h"

#include <base/suggest.h>
#include <codec/json.h>
#include <codec/msgpack.h>
#include <model/field.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef FIC_VERSION
#define FIC_VERSION "0"
#endif

#define NAMES_WAIT_MS 300
#define IDS_LOOKED_AT 200
#define WORDS_MAX     100 /* more nobody reads */

#define LIVE_PARAMETERS_MAX 64

/* --- rpc --- */

static int read_stdin(struct app *a, struct buf *text)
{
	char piece[8192];
	ssize_t n;

	buf_init(text, WIRE_MESSAGE_MAX);
	while ((n = read(STDIN_FILENO, piece, sizeof piece)) > 0)
		buf_put(text, piece, (size_t)n);
	if (n < 0)
		return report_error(&a->report, EXIT_IO, "io", "standard input: %s", strerror(errno));
	if (text->error)
		return report_error(&a->report, EXIT_DATA, "data",
				    "standard input is longer than %d bytes", WIRE_MESSAGE_MAX);
	return 0;
}

/* The JSON argument as MessagePack; nothing when there is none. */
static int read_params(struct app *a, struct buf *out)
{
	const char *json = app_arg(a, 1);
	struct buf text = {0};
	struct mp_value v;
	struct why why;
	int code = 0;

	if (!json)
		return 0;
	if (strcmp(json, "-") == 0)
		code = read_stdin(a, &text);
	else
		buf_put_str(&text, json);
	if (code == 0 && json_to_msgpack(buf_bytes(&text), JSON_STRICT, out, &why) < 0)
		code = report_error(&a->report, EXIT_DATA, "data", "the parameters are no JSON: %s",
				    why.text);
	else if (code == 0 &&
		 (!mp_get(buf_bytes(out), &v) || (v.type != MP_MAP && v.type != MP_ARRAY)))
		code = report_error(&a->report, EXIT_DATA, "data",
				    "the parameters must be an object or an array");
	buf_release(&text);
	return code;
}

static void print_notification(void *ctx, struct bytes method, struct bytes params)
{
	struct app *a = ctx;
	struct buf line = {0};

	(void)method;
	if (params.data && cell_json(&line, params) == 0)
		report_note(&a->report, true, "%s", buf_text(&line));
	buf_release(&line);
}

/* For a person spread out, for a program one line. */
static int print_value(struct app *a, struct bytes value)
{
	struct buf text = {0};

	if (a->format == FORMAT_MSGPACK) {
		buf_put_bytes(&a->out.buf, value);
		return 0;
	}
	if (a->format != FORMAT_TABLE || !a->term.out_tty)
		return app_print_json(a, value);
	if (json_write_pretty(value, &text) == 0) {
		text_clean(&a->out.buf, buf_bytes(&text), TEXT_BLOCK, a->show.ascii);
		buf_put_byte(&a->out.buf, '\n');
	}
	buf_release(&text);
	return 0;
}

int tools_rpc(struct app *a)
{
	struct client_wait wait = app_wait(a);
	struct buf params = {0};
	struct bytes result;

	int code = read_params(a, &params);
	wait.on_notification = print_notification;
	wait.ctx = a;
	if (code == 0)
		code = app_call_with(a, app_arg(a, 0), buf_bytes(&params), &wait, &result);
	buf_release(&params);
	return code ? code : print_value(a, result);
}

/* --- live --- */

/* The values of a name that is given for the first time at `first`: one text, or a list of them. False: there is no "=". */
static bool put_parameter(struct app *a, size_t first, struct params *p)
{
	const char *word = app_arg(a, first), *equals = strchr(word, '=');
	const char *values[LIVE_PARAMETERS_MAX];
	size_t name_len = equals ? (size_t)(equals - word) : 0, n = 0;
	char name[200];

	if (!name_len || name_len >= sizeof name)
		return false;
	snprintf(name, sizeof name, "%.*s", (int)name_len, word);
	for (size_t i = 1; (word = app_arg(a, i)); i++) {
		bool same = strncmp(word, name, name_len) == 0 && word[name_len] == '=';
		if (same && i < first)
			return true;
		if (same)
			values[n++] = word + name_len + 1;
	}
	if (n == 1)
		params_str(p, name, values[0]);
	else
		params_strs(p, name, values, n);
	return true;
}

/* PARAM=VALUE arguments as a map. */
static int put_parameters(struct app *a, struct params *p)
{
	struct params inner = {0};
	int code = 0;

	for (size_t i = 1; code == 0 && app_arg(a, i); i++)
		if (!put_parameter(a, i, &inner))
			code = report_error(&a->report, EXIT_USAGE, "usage",
					    "'%s' is no parameter: write NAME=VALUE", app_arg(a, i));
	if (code == 0 && app_arg(a, 1))
		params_value(p, "params", params_end(&inner));
	params_release(&inner);
	return code;
}

int tools_live(struct app *a)
{
	struct params p = {0};
	struct bytes result;

	params_str(&p, "path", app_arg(a, 0));
	params_str(&p, "source", app_value(a, OPT_SOURCE));
	app_put_on_stale(a, &p);
	int code = put_parameters(a, &p);
	if (code == 0)
		code = app_call(a, "live", params_end(&p), &result);
	params_release(&p);
	if (code)
		return code;
	/* --json is the whole result; else what the provider said. */
	return print_value(a, a->format == FORMAT_JSON ? result : member(result, "answer"));
}

/* --- completion --- */

/* Asks for a shell that is completing: quick, and silent when there is no answer. {NULL, 0}: none. */
static struct bytes ask_list(struct app *a, const char *method, struct params *p, const char *list)
{
	struct client_wait wait = {.until_ms = a->started_ms + NAMES_WAIT_MS};
	struct bytes params = params_end(p), items = {NULL, 0};
	struct rpc_response answer;
	struct why why;

	if (!a->connected && client_open(&a->client, app_value(a, OPT_SOCKET), &wait, &why) == 0)
		a->connected = true;
	if (a->connected && client_call(&a->client, method, params, &wait, &answer, &why) == 0)
		items = member(answer.result, list);
	params_release(p);
	return items;
}

/* What may stand on a command line without a shell making more of it: whoever wrote it, Enter may come before a look at it. */
static bool harmless(struct bytes word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!isalnum(word.data[i]) && !strchr("_-.@:+", word.data[i]))
			return false;
	return word.len > 0 && word.data[0] != '-';
}

static bool begins(struct bytes word, const char *prefix)
{
	size_t len = strlen(prefix);

	return word.len >= len && memcmp(word.data, prefix, len) == 0;
}

/* A line for each item: its name, and behind a tab what it is. Returns their number. */
static size_t print_items(struct app *a, struct bytes items, const char *key, const char *about,
			  const char *prefix)
{
	struct mp_reader r = mp_reader_of(items);
	struct mp_value head;
	struct bytes item;
	size_t n = 0;

	if (!items.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return 0;
	while (n < WORDS_MAX && mp_take(&r, &item) == 1) {
		struct bytes word = member_str(item, key), words = member_str(item, about);
		if (!harmless(word) || !begins(word, prefix))
			continue;
		buf_put_bytes(&a->out.buf, word);
		if (words.len) {
			buf_put_byte(&a->out.buf, '\t');
			text_clean(&a->out.buf, bytes_of(words.data, words.len < 60 ? words.len : 60),
				   TEXT_LINE, false);
		}
		buf_put_byte(&a->out.buf, '\n');
		n++;
	}
	return n;
}

static int print_names(struct app *a, const char *method, const char *list)
{
	struct params p = {0};

	print_items(a, ask_list(a, method, &p, list), "name", "", "");
	return 0;
}

static int print_fields(struct app *a, const char *resource)
{
	struct params p = {0};
	struct bytes item;

	params_str(&p, "source", app_value(a, OPT_SOURCE));
	struct bytes items = ask_list(a, "resources", &p, "resources");
	struct mp_reader r = mp_reader_of(items);
	struct mp_value head;

	if (!items.data || mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return 0;
	while (mp_take(&r, &item) == 1)
		if (bytes_is(member_str(item, "name"), resource))
			print_items(a, member(item, "fields"), "name", "help", "");
	for (const struct field *f = envelope_fields; f->name; f++)
		buf_printf(&a->out.buf, "%s\t%s\n", f->name, f->help);
	return 0;
}

/* The field that tells records of a resource apart. */
static const char *about_of(const char *resource)
{
	static const char *const known[][2] = {
		{"conversations", "subject"}, {"tickets", "title"},     {"articles", "title"},
		{"messages", "kind"},         {"ticket_parts", "kind"},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i][0], resource) == 0)
			return known[i][1];
	return "name";
}

/* The newest ones, or when none of these begins so, any. */
static void print_ids(struct app *a, const char *resource, const char *prefix)
{
	const char *about = about_of(resource);
	char where[80], fields[24];

	if (strlen(prefix) > 40 || (*prefix && !harmless(bytes_str(prefix))))
		return;
	snprintf(where, sizeof where, "id ~ '%s'", prefix);
	snprintf(fields, sizeof fields, "id,%s", about);
	for (int round = 0; round < (*prefix ? 2 : 1); round++) {
		struct params p = {0};
		params_str(&p, "source", app_value(a, OPT_SOURCE));
		params_str(&p, "resource", resource);
		params_list(&p, "fields", fields);
		params_str(&p, "where", round ? where : NULL);
		params_int(&p, "limit", IDS_LOOKED_AT);
		struct bytes rows = ask_list(a, "query", &p, "rows");
		if (print_items(a, rows, "id", about, prefix) > 0)
			return;
	}
}

static int complete_ids(struct app *a, const char *resource, const char *prefix)
{
	bool threads = strcmp(resource, "threads") == 0;

	print_ids(a, threads ? "conversations" : resource, prefix);
	if (threads)
		print_ids(a, "tickets", prefix);
	return 0;
}

int tools_completion(struct app *a)
{
	const char *shell = app_arg(a, 0);

	if (strcmp(shell, "resources") == 0)
		return print_names(a, "resources", "resources");
	if (strcmp(shell, "sources") == 0)
		return print_names(a, "status", "sources");
	if (strcmp(shell, "fields") == 0)
		return print_fields(a, app_arg(a, 1) ? app_arg(a, 1) : "conversations");
	if (strcmp(shell, "ids") == 0)
		return complete_ids(a, app_arg(a, 1) ? app_arg(a, 1) : "conversations",
				    app_arg(a, 2) ? app_arg(a, 2) : "");
	if (completion_script(&a->out.buf, shell))
		return 0;
	const char *near = suggest(bytes_str(shell), shell_words);
	return report_error(&a->report, EXIT_USAGE, "usage",
			    "completion: \"%.40s\" is none of bash, zsh, fish%s%s%s", shell,
			    near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* --- help, version --- */

int tools_help(struct app *a)
{
	const char *name = a->command == CMD_HELP ? app_arg(a, 0) : command_table[a->command].name;
	enum command command;
	struct why why;

	if (!name) {
		help_all(&a->out.buf, a->term.width, a->term.out_color);
		return 0;
	}
	/* What the manual's lists are made of. */
	if (strcmp(name, "mdoc") == 0) {
		help_mdoc_commands(&a->out.buf);
		help_mdoc_options(&a->out.buf);
		return 0;
	}
	command = command_find(name, &why);
	if (command == CMD_NUMBER)
		return report_error(&a->report, EXIT_USAGE, "usage", "%s", why.text);
	help_command(&a->out.buf, command, a->term.width, a->term.out_color);
	return 0;
}

int tools_version(struct app *a)
{
	struct client_wait wait = {.until_ms = clock_mono_ms() + NAMES_WAIT_MS};
	struct buf *out = &a->out.buf;
	struct why why;

	buf_printf(out, "ficq %s (protocol %d.%d)\n", FIC_VERSION, RPC_PROTOCOL_MAJOR,
		   RPC_PROTOCOL_MINOR);
	if (a->command != CMD_VERSION || app_given(a, OPT_VERSION) ||
	    client_open(&a->client, app_value(a, OPT_SOCKET), &wait, &why) < 0)
		return 0;
	a->connected = true;
	struct bytes hello = buf_bytes(&a->client.hello);
	member_show(out, &a->show, hello, "name", CELL_TEXT);
	buf_put_byte(out, ' ');
	member_show(out, &a->show, hello, "version", CELL_TEXT);
	buf_put_str(out, " (protocol ");
	member_show(out, &a->show, hello, "protocol.major", CELL_TEXT);
	buf_put_byte(out, '.');
	member_show(out, &a->show, hello, "protocol.minor", CELL_TEXT);
	buf_put_str(out, ")\n");
	return 0;
}
