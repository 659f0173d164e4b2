/*
 * completion: scripts for shells, made from the tables of commands and options. What depends on the machine, the names of resources
 * and sources, is asked when it is needed, from a ficq that gives up after 300 ms and says nothing when there is no daemon.
 */
#include "completion.h"

#include "commands.h"

#include <stdio.h>

static bool shown(int option, uint64_t which)
{
	return option_table[option].help && (which & OPTION_BIT(option));
}

static bool is_resource(const struct option_spec *s)
{
	return s->arg && strcmp(s->arg, "RESOURCE") == 0;
}

static bool is_source(const struct option_spec *s)
{
	return s->arg && strcmp(s->name, "source") == 0;
}

static bool is_file(const struct option_spec *s)
{
	return s->arg && strcmp(s->arg, "PATH") == 0;
}

static void put_words(struct buf *out, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		buf_printf(out, "%s%s", i ? " " : "", words[i]);
}

static void put_commands(struct buf *out)
{
	for (int i = 0; i < CMD_NUMBER; i++)
		buf_printf(out, "%s%s", i ? " " : "", command_table[i].name);
}

/* --- bash --- */

static void bash_option_names(struct buf *out, uint64_t which)
{
	for (int i = 0; i < OPT_COUNT; i++)
		if (shown(i, which))
			buf_printf(out, " --%s%s", option_table[i].name,
				   option_table[i].arg ? "=" : "");
}

/* One branch for each option that takes a value: what may follow it. */
static void bash_values(struct buf *out)
{
	for (int i = 0; i < OPT_COUNT; i++) {
		const struct option_spec *s = &option_table[i];
		if (!s->arg || !s->help)
			continue;
		if (s->letter)
			buf_printf(out, "\t-%c|", s->letter);
		else
			buf_put_byte(out, '\t');
		buf_printf(out, "--%s) ", s->name);
		if (s->words) {
			buf_put_str(out, "_ficq_words \"");
			put_words(out, s->words);
			buf_put_str(out, "\"");
		} else if (is_resource(s) || is_source(s)) {
			buf_printf(out, "_ficq_words \"$(ficq completion %s 2>/dev/null)\"",
				   is_source(s) ? "sources" : "resources");
		} else if (is_file(s)) {
			buf_put_str(out, "COMPREPLY=($(compgen -f -- \"$cur\"))");
		} else {
			buf_put_str(out, ":");
		}
		buf_put_str(out, "; return ;;\n");
	}
}

static const char *bash_argument(enum arg_kind kind)
{
	switch (kind) {
	case ARG_RESOURCE: return "$(ficq completion resources 2>/dev/null)";
	case ARG_SOURCE_OR_RESOURCE:
		return "$(ficq completion sources 2>/dev/null) $(ficq completion resources 2>/dev/null)";
	case ARG_SHELL: return "bash zsh fish";
	case ARG_DEAD: return "retry drop";
	case ARG_CLIENT: return "claude cursor vscode codex";
	default: return "";
	}
}

/* One branch for each command: its options, and its arguments by their place. */
static void bash_commands(struct buf *out)
{
	for (int i = 0; i < CMD_NUMBER; i++) {
		const struct command_spec *c = &command_table[i];
		buf_printf(out, "\t%s) options=\"", c->name);
		bash_option_names(out, c->options);
		buf_put_str(out, "\"\n\t\t");
		if (c->first == ARG_COMMAND)
			buf_put_str(out, "[ $place = 0 ] && words=$commands\n");
		else if (c->first != ARG_NONE)
			buf_printf(out, "[ $place = 0 ] && words=\"%s\"\n", bash_argument(c->first));
		else
			buf_put_str(out, ":\n");
		if (c->rest != ARG_NONE)
			buf_printf(out, "\t\t[ $place -gt 0 ] && words=\"%s\"\n",
				   bash_argument(c->rest));
		buf_put_str(out, "\t\t;;\n");
	}
}

static void bash(struct buf *out)
{
	buf_put_str(
		out,
		"# bash completion for ficq, made by \"ficq completion bash\"\n"
		"_ficq_words() {\n\tCOMPREPLY=($(compgen -W \"$1\" -- \"$cur\"))\n}\n\n"
		"_ficq() {\n\tlocal cur prev command= place=0 words= options= commands i word\n\tCOMPREPLY=()\n\tcommands=\"");
	put_commands(out);
	buf_put_str(out, "\"\n\tcur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
			 "\t# \"--name=va\" comes as three words.\n"
			 "\tif [ \"$cur\" = '=' ]; then cur=; elif [ \"$prev\" = '=' ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
			 "\tcase $prev in\n");
	bash_values(out);
	buf_put_str(
		out,
		"\tesac\n\tfor ((i = 1; i < COMP_CWORD; i++)); do\n\t\tword=${COMP_WORDS[i]}\n\t\tcase $word in\n\t\t");
	bool first = true;
	for (int i = 0; i < OPT_COUNT; i++) {
		const struct option_spec *s = &option_table[i];
		if (!s->arg || !s->help)
			continue;
		buf_printf(out, "%s--%s", first ? "" : "|", s->name);
		if (s->letter)
			buf_printf(out, "|-%c", s->letter);
		first = false;
	}
	buf_put_str(out, ") [ \"${COMP_WORDS[i+1]}\" = '=' ] && i=$((i + 1)); i=$((i + 1)) ;;\n"
			 "\t\t-*|=) ;;\n"
			 "\t\t*) if [ -z \"$command\" ]; then command=$word; else place=$((place + 1)); fi ;;\n"
			 "\t\tesac\n\tdone\n\tcase $command in\n\t'') words=$commands ;;\n");
	bash_commands(out);
	buf_put_str(out, "\tesac\n\tcase $cur in\n\t-*) _ficq_words \"$options");
	bash_option_names(out, OPTIONS_EVERYWHERE);
	buf_put_str(out, "\"\n\t\t[ \"${COMPREPLY[0]: -1}\" = '=' ] && compopt -o nospace 2>/dev/null ;;\n"
			 "\t*) _ficq_words \"$words\" ;;\n\tesac\n}\ncomplete -F _ficq ficq\n");
}

/* --- zsh --- */

/* Inside single quotes, with zsh's own special characters of a specification escaped. */
static void put_zsh_text(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			buf_put_str(out, "'\\''");
		else if (strchr("[]:\\", *text))
			buf_printf(out, "\\%c", *text);
		else
			buf_put_byte(out, (uint8_t)*text);
	}
}

static void zsh_option(struct buf *out, int option)
{
	const struct option_spec *s = &option_table[option];

	for (int form = s->letter ? 0 : 1; form < 2; form++) {
		buf_put_str(out, "\t\t'");
		if (form == 0)
			buf_printf(out, "-%c%s", s->letter, s->arg ? "+" : "");
		else
			buf_printf(out, "--%s%s", s->name, s->arg ? "=" : "");
		buf_put_byte(out, '[');
		put_zsh_text(out, s->help);
		buf_put_byte(out, ']');
		if (s->arg) {
			buf_printf(out, ":%s:", s->arg);
			if (s->words) {
				buf_put_byte(out, '(');
				put_words(out, s->words);
				buf_put_byte(out, ')');
			} else if (is_resource(s)) {
				buf_put_str(out, "_ficq_resources");
			} else if (is_source(s)) {
				buf_put_str(out, "_ficq_sources");
			} else if (is_file(s)) {
				buf_put_str(out, "_files");
			}
		}
		buf_put_str(out, "' \\\n");
	}
}

static const char *zsh_argument(enum arg_kind kind)
{
	switch (kind) {
	case ARG_RESOURCE: return "_ficq_resources";
	case ARG_SOURCE_OR_RESOURCE: return "_ficq_targets";
	case ARG_COMMAND: return "_ficq_commands";
	case ARG_SHELL: return "(bash zsh fish)";
	case ARG_DEAD: return "(retry drop)";
	case ARG_CLIENT: return "(claude cursor vscode codex)";
	default: return " ";
	}
}

static void zsh(struct buf *out)
{
	buf_put_str(
		out,
		"#compdef ficq\n# zsh completion for ficq, made by \"ficq completion zsh\"\n\n"
		"_ficq_resources() { local -a n; n=(${(f)\"$(ficq completion resources 2>/dev/null)\"}); compadd -a n }\n"
		"_ficq_sources() { local -a n; n=(${(f)\"$(ficq completion sources 2>/dev/null)\"}); compadd -a n }\n"
		"_ficq_targets() { _ficq_sources; _ficq_resources }\n\n_ficq_commands() {\n\tlocal -a c\n\tc=(\n");
	for (int i = 0; i < CMD_NUMBER; i++) {
		buf_printf(out, "\t\t'%s:", command_table[i].name);
		put_zsh_text(out, command_table[i].summary);
		buf_put_str(out, "'\n");
	}
	buf_put_str(
		out,
		"\t)\n\t_describe command c\n}\n\n_ficq() {\n\tlocal context state line\n\tlocal -a all\n\tall=( \\\n");
	for (int i = 0; i < OPT_COUNT; i++)
		if (shown(i, OPTIONS_EVERYWHERE | OPTION_BIT(OPT_SOURCE)))
			zsh_option(out, i);
	buf_put_str(out, "\t)\n\t_arguments -C -s -S $all '1:command:_ficq_commands' '*::argument:->rest'\n"
			 "\t[[ $state = rest ]] || return\n\tcase $words[1] in\n");
	for (int i = 0; i < CMD_NUMBER; i++) {
		const struct command_spec *c = &command_table[i];
		buf_printf(out, "\t%s) _arguments -s -S $all \\\n", c->name);
		for (int o = 0; o < OPT_COUNT; o++)
			if (shown(o, c->options) && o != OPT_SOURCE)
				zsh_option(out, o);
		if (c->args_max > 0)
			buf_printf(out, "\t\t'1:argument:%s' \\\n", zsh_argument(c->first));
		if (c->args_max > 1)
			buf_printf(out, "\t\t'*:argument:%s' \\\n", zsh_argument(c->rest));
		buf_put_str(out, "\t\t;;\n");
	}
	buf_put_str(out,
		    "\tesac\n}\n\n"
		    "# Loaded by name it completes, sourced it registers.\n"
		    "if [[ $funcstack[1] = _ficq ]]; then _ficq \"$@\"; else compdef _ficq ficq; fi\n");
}

/* --- fish --- */

static void put_fish_text(struct buf *out, const char *text)
{
	buf_put_byte(out, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			buf_put_byte(out, '\\');
		buf_put_byte(out, (uint8_t)*text);
	}
	buf_put_byte(out, '\'');
}

static void fish_option(struct buf *out, int option, const char *condition)
{
	const struct option_spec *s = &option_table[option];

	buf_printf(out, "complete -c ficq%s%s%s -l %s", condition ? " -n '" : "",
		   condition ? condition : "", condition ? "'" : "", s->name);
	if (s->letter)
		buf_printf(out, " -s %c", s->letter);
	if (s->arg && is_file(s))
		buf_put_str(out, " -r -F");
	else if (s->arg)
		buf_put_str(out, " -x");
	if (s->words) {
		buf_put_str(out, " -a '");
		put_words(out, s->words);
		buf_put_byte(out, '\'');
	} else if (is_resource(s) || is_source(s)) {
		buf_printf(out, " -a '(ficq completion %s 2>/dev/null)'",
			   is_source(s) ? "sources" : "resources");
	}
	buf_put_str(out, " -d ");
	put_fish_text(out, s->help);
	buf_put_byte(out, '\n');
}

static const char *fish_argument(enum arg_kind kind)
{
	switch (kind) {
	case ARG_RESOURCE: return "(ficq completion resources 2>/dev/null)";
	case ARG_SOURCE_OR_RESOURCE:
		return "(ficq completion sources 2>/dev/null; ficq completion resources 2>/dev/null)";
	case ARG_SHELL: return "bash zsh fish";
	case ARG_DEAD: return "retry drop";
	case ARG_CLIENT: return "claude cursor vscode codex";
	default: return NULL;
	}
}

static void fish(struct buf *out)
{
	char condition[64];

	buf_put_str(
		out,
		"# fish completion for ficq, made by \"ficq completion fish\"\ncomplete -c ficq -f\n");
	for (int i = 0; i < OPT_COUNT; i++)
		if (shown(i, OPTIONS_EVERYWHERE))
			fish_option(out, i, NULL);
	for (int i = 0; i < CMD_NUMBER; i++) {
		const struct command_spec *c = &command_table[i];
		buf_printf(out, "complete -c ficq -n __fish_use_subcommand -a %s -d ", c->name);
		put_fish_text(out, c->summary);
		buf_put_byte(out, '\n');
		snprintf(condition, sizeof condition, "__fish_seen_subcommand_from %s", c->name);
		for (int o = 0; o < OPT_COUNT; o++)
			if (shown(o, c->options))
				fish_option(out, o, condition);
		const char *argument = fish_argument(c->first);
		if (argument)
			buf_printf(out, "complete -c ficq -n '%s' -a '%s'\n", condition, argument);
		if (c->first == ARG_COMMAND) {
			buf_printf(out, "complete -c ficq -n '%s' -a '", condition);
			put_commands(out);
			buf_put_str(out, "'\n");
		}
	}
}

bool completion_script(struct buf *out, const char *shell)
{
	if (strcmp(shell, "bash") == 0)
		bash(out);
	else if (strcmp(shell, "zsh") == 0)
		zsh(out);
	else if (strcmp(shell, "fish") == 0)
		fish(out);
	else
		return false;
	return true;
}
