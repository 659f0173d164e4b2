/* help: what the tables of commands and options say. Knows no command by name. */
#include "help.h"

#include "term.h"
#include "text.h"

#include <stdio.h>

#define NAME_COLUMNS 26
#define MDOC_COLUMNS 76

static void put_heading(struct buf *out, const char *text, bool color)
{
	buf_printf(out, "%s%s%s\n", style_on(color, STYLE_BOLD), text, style_off(color, STYLE_BOLD));
}

/* A name, and its explanation wrapped beside it. */
static void put_entry(struct buf *out, struct bytes name, const char *text, size_t width)
{
	size_t room = width > NAME_COLUMNS + 24 ? width - NAME_COLUMNS : 24;
	struct bytes rest = bytes_str(text), line;
	bool first = true;

	buf_put_str(out, "  ");
	buf_put_bytes(out, name);
	if (name.len + 4 > NAME_COLUMNS)
		buf_put_byte(out, '\n');
	else
		text_put_spaces(out, NAME_COLUMNS - 2 - name.len);
	first = name.len + 4 <= NAME_COLUMNS;
	while (text_wrap(&rest, room, &line)) {
		if (!first)
			text_put_spaces(out, NAME_COLUMNS);
		buf_put_bytes(out, line);
		buf_put_byte(out, '\n');
		first = false;
	}
}

static void put_option(struct buf *out, int option, const struct option_note *notes, size_t width)
{
	const struct option_spec *s = &option_table[option];
	const char *arg = s->arg, *help = s->help;
	struct buf name = {0};

	for (; notes && notes->help; notes++) {
		if ((int)notes->option != option)
			continue;
		arg = notes->arg;
		help = notes->help;
	}

	if (s->letter)
		buf_printf(&name, "-%c, ", s->letter);
	else
		buf_put_str(&name, "    ");
	buf_printf(&name, "--%s%s%s", s->name, arg ? "=" : "", arg ? arg : "");
	put_entry(out, buf_bytes(&name), help, width);
	buf_release(&name);
}

static void put_options(struct buf *out, uint64_t which, const struct option_note *notes, size_t width)
{
	for (int i = 0; i < OPT_COUNT; i++)
		if (option_table[i].help && (which & OPTION_BIT(i)))
			put_option(out, i, notes, width);
}

void help_short(struct buf *out)
{
	buf_put_str(out, "usage: ficq [OPTION ...] COMMAND [ARGUMENT ...]\n"
			 "Commands: ");
	for (int i = 0; i < CMD_NUMBER; i++)
		buf_printf(out, "%s%s",
			   i == 0   ? ""
			   : i == 8 ? ",\n          "
				    : ", ",
			   command_table[i].name);
	buf_put_str(out, "\nTry \"ficq help\" or \"ficq help COMMAND\".\n");
}

void help_all(struct buf *out, size_t width, bool color)
{
	put_heading(out, "usage: ficq [OPTION ...] COMMAND [ARGUMENT ...]", color);
	buf_put_str(
		out,
		"\nAsks ficd, which keeps a local copy of helpdesk data, and says what its answers\nare worth.\n\n");
	put_heading(out, "Commands", color);
	for (int i = 0; i < CMD_NUMBER; i++) {
		struct buf name = {0};
		buf_printf(&name, "%s %s", command_table[i].name, command_table[i].synopsis);
		put_entry(out, buf_bytes(&name), command_table[i].summary, width);
		buf_release(&name);
	}
	buf_put_byte(out, '\n');
	put_heading(out, "Options of every command", color);
	put_options(out, OPTIONS_EVERYWHERE, NULL, width);
	buf_put_str(
		out,
		"\n\"ficq help COMMAND\" tells a command's own options, with examples; ficq(1) tells everything.\n");
}

static void put_examples(struct buf *out, const struct example *e, size_t width, bool color)
{
	buf_put_byte(out, '\n');
	put_heading(out, "Examples", color);
	for (; e && e->command; e++) {
		struct bytes rest = bytes_str(e->what), line;
		/* Whole, however long: it is copied. */
		buf_printf(out, "  %s\n", e->command);
		while (text_wrap(&rest, width > 48 ? width - 8 : 40, &line)) {
			text_put_spaces(out, 8);
			buf_printf(out, "%s%.*s%s\n", style_on(color, STYLE_DIM), (int)line.len,
				   (const char *)line.data, style_off(color, STYLE_DIM));
		}
	}
}

void help_command(struct buf *out, enum command command, size_t width, bool color)
{
	const struct command_spec *c = &command_table[command];
	struct bytes rest, line;
	struct buf usage = {0};

	buf_printf(&usage, "usage: ficq %s%s%s%s", c->name, c->options ? " [OPTION ...]" : "",
		   *c->synopsis ? " " : "", c->synopsis);
	put_heading(out, buf_text(&usage), color);
	buf_release(&usage);
	buf_printf(out, "\n%c%s.\n",
		   c->summary[0] >= 'a' && c->summary[0] <= 'z' ? c->summary[0] - 32 : c->summary[0],
		   c->summary + 1);
	rest = bytes_str(c->detail);
	while (text_wrap(&rest, width < 40 ? 40 : width, &line)) {
		buf_put_bytes(out, line);
		buf_put_byte(out, '\n');
	}
	put_examples(out, c->examples, width, color);
	if (c->options) {
		buf_put_byte(out, '\n');
		put_heading(out, "Options", color);
		put_options(out, c->options, c->notes, width);
	}
	buf_put_byte(out, '\n');
	put_heading(out, "Options of every command", color);
	put_options(out, OPTIONS_EVERYWHERE, c->notes, width);
}

/* --- mdoc --- */

/* One line as mdoc takes it: a dot or quote at its start would be a request, a backslash an escape. */
static void put_mdoc_line(struct buf *out, struct bytes line)
{
	if (line.len && (line.data[0] == '.' || line.data[0] == '\''))
		buf_put_str(out, "\\&");
	for (size_t i = 0; i < line.len; i++) {
		bool dashes = line.data[i] == '-' && i + 1 < line.len && line.data[i + 1] == '-';
		if (line.data[i] == '\\')
			buf_put_str(out, "\\e");
		else if (dashes)
			buf_put_str(out, "\\-");
		else
			buf_put_byte(out, line.data[i]);
	}
	buf_put_byte(out, '\n');
}

/* A capital, a full stop; new sentence, new line. */
static void put_mdoc_text(struct buf *out, const char *text)
{
	struct buf sentences = {0};
	struct bytes rest, line;

	buf_put_byte(&sentences, (uint8_t)(text[0] >= 'a' && text[0] <= 'z' ? text[0] - 32 : text[0]));
	for (text++; *text; text++) {
		bool next = text[-1] == '.' && text[0] == ' ' && text[1] >= 'A' && text[1] <= 'Z';
		buf_put_byte(&sentences, next ? '\n' : (uint8_t)*text);
	}
	if (text[-1] != '.')
		buf_put_byte(&sentences, '.');
	for (rest = buf_bytes(&sentences); text_wrap(&rest, MDOC_COLUMNS, &line);)
		put_mdoc_line(out, line);
	buf_release(&sentences);
}

/* "RESOURCE ID", "[retry | drop] [ID]", "[RESOURCE ...]" */
static void put_mdoc_arguments(struct buf *out, const char *synopsis)
{
	while (*synopsis) {
		size_t n = strcspn(synopsis, " []");
		if (*synopsis == '[')
			buf_put_str(out, " Oo");
		else if (*synopsis == ']')
			buf_put_str(out, " Oc");
		else if (n && (*synopsis == '|' || *synopsis == '.'))
			buf_printf(out, " %.*s", (int)n, synopsis);
		else if (n)
			buf_printf(out, " Ar %.*s", (int)n, synopsis);
		synopsis += n ? n : 1;
	}
}

void help_mdoc_commands(struct buf *out)
{
	buf_put_str(out, ".Bl -tag -width Ds\n");
	for (int i = 0; i < CMD_NUMBER; i++) {
		const struct command_spec *c = &command_table[i];
		buf_printf(out, ".It Cm %s", c->name);
		put_mdoc_arguments(out, c->synopsis);
		buf_put_byte(out, '\n');
		put_mdoc_text(out, c->summary);
		if (c->detail)
			put_mdoc_text(out, c->detail);
		if (c->options)
			buf_put_str(out, "Options:");
		for (int o = 0, n = 0; o < OPT_COUNT; o++)
			if (c->options & OPTION_BIT(o))
				buf_printf(out, "%s\n.Fl -%s", n++ ? " ," : "", option_table[o].name);
		if (c->options)
			buf_put_str(out, " .\n");
	}
	buf_put_str(out, ".El\n");
}

void help_mdoc_options(struct buf *out)
{
	buf_put_str(out, ".Bl -tag -width Ds\n");
	for (int i = 0; i < OPT_COUNT; i++) {
		const struct option_spec *s = &option_table[i];
		if (!s->help)
			continue;
		buf_put_str(out, ".It");
		if (s->letter)
			buf_printf(out, " Fl %c ,", s->letter);
		buf_printf(out, " Fl -%s", s->name);
		if (s->arg)
			buf_printf(out, " Ns = Ns Ar %s", s->arg);
		buf_put_byte(out, '\n');
		put_mdoc_text(out, s->help);
	}
	buf_put_str(out, ".El\n");
}
