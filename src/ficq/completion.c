/*
 * completion: scripts for shells, made from the tables of commands and options. What depends on the machine (sources, resources, their fields, ids) is asked when it is
 * needed, from a ficq that gives up after 300 ms and says nothing when there is no daemon ("ficq completion fields RESOURCE", see tools.c).
 * What it answers was written by strangers: no script may have a shell expand it (compgen -W would).
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

/* Where names of fields may stand, one or several with commas between. */
static bool is_fields(const struct option_spec *s)
{
	static const char *const names[] = {"fields", "by", "sort", "metric", "where"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(s->name, names[i]) == 0)
			return true;
	return false;
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
			buf_printf(out, "_ficq_ask %s", is_source(s) ? "sources" : "resources");
		} else if (is_fields(s)) {
			buf_put_str(out, "_ficq_fields");
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
	case ARG_RESOURCE: return "_ficq_ask resources";
	case ARG_SOURCE_OR_RESOURCE: return "_ficq_ask sources; _ficq_ask resources";
	case ARG_COMMAND: return "_ficq_words \"$commands\"";
	case ARG_SHELL: return "_ficq_words \"bash zsh fish\"";
	case ARG_DEAD: return "_ficq_words \"retry drop\"";
	case ARG_ALERTS: return "_ficq_words test";
	case ARG_SIDE: return "_ficq_words \"mine theirs\"";
	case ARG_CLIENT: return "_ficq_words \"claude cursor vscode codex\"";
	case ARG_THREAD: return "_ficq_ask ids threads \"$cur\"";
	case ARG_ID: return "_ficq_ask ids \"$resource\" \"$cur\"";
	case ARG_NONE: break;
	}
	return ":";
}

/* One branch for each command: its options, and its arguments by their place. */
static void bash_commands(struct buf *out)
{
	for (int i = 0; i < CMD_NUMBER; i++) {
		const struct command_spec *c = &command_table[i];
		buf_printf(out, "\t%s)\n\t\tcase $cur in -*) _ficq_options \"", c->name);
		bash_option_names(out, c->options);
		buf_put_str(out, "\" ;;\n");
		if (c->first != ARG_NONE || c->rest != ARG_NONE)
			buf_printf(out, "\t\t*) if [ $place = 0 ]; then %s; else %s; fi ;;\n",
				   bash_argument(c->first), bash_argument(c->rest));
		buf_put_str(out, "\t\tesac ;;\n");
	}
}

/* -a|--name|... of all options that take a value. */
static void bash_takers(struct buf *out)
{
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
}

static const char bash_helpers[] =
	"# bash completion for ficq, made by \"ficq completion bash\"\n"
	"_ficq_words() {\n\tCOMPREPLY+=($(compgen -W \"$1\" -- \"$cur\"))\n}\n\n"
	"# What the daemon knows, word by word; what it tells is never expanded.\n"
	"_ficq_ask() {\n"
	"\tlocal line\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tline=${line%%$'\\t'*}\n"
	"\t\tif [[ $line == \"$cur\"* ]]; then COMPREPLY+=(\"$line\"); fi\n"
	"\tdone < <(ficq \"${ficq_daemon[@]}\" completion \"$@\" 2>/dev/null)\n}\n\n"
	"# The last of several, behind what stands before it.\n"
	"_ficq_fields() {\n"
	"\tlocal before=${cur%\"${cur##*[,: (\\'\\\"]}\"} i\n"
	"\tcur=${cur#\"$before\"}\n"
	"\tif [[ $cur == -* ]]; then before+=-; cur=${cur#-}; fi\n"
	"\t_ficq_ask fields \"${resource:-conversations}\"\n"
	"\tbefore=${before#[\\'\\\"]}\n"
	"\tif [[ $before == *:* && $COMP_WORDBREAKS == *:* ]]; then before=${before##*:}; fi\n"
	"\tfor i in \"${!COMPREPLY[@]}\"; do COMPREPLY[i]=$before${COMPREPLY[i]}; done\n"
	"\tcompopt -o nospace 2>/dev/null\n}\n\n"
	"_ficq_options() {\n"
	"\t_ficq_words \"$1 $everywhere\"\n"
	"\tif [[ ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi\n}\n\n";

/* "--name=a:b" comes as five words: the option, then its value. */
static const char bash_join[] =
	"\"\n"
	"\tfor ((i = 1; i <= COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif [[ $word == : || ( $i -gt 1 && ${COMP_WORDS[i-1]} == : ) ]]; then\n"
	"\t\t\twords[${#words[@]}-1]+=$word\n"
	"\t\telif [[ $word != = ]]; then\n"
	"\t\t\twords+=(\"$word\")\n"
	"\t\telif [ $i = $COMP_CWORD ]; then\n"
	"\t\t\twords+=('')\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tlast=$((${#words[@]} - 1))\n"
	"\tcur=${words[last]} prev=${words[last-1]}\n"
	"\tfor ((i = 1; i < last; i++)); do\n"
	"\t\tcase ${words[i]} in\n\t\t";

/* What was typed so far: the command, its resource, which daemon. */
static const char bash_read[] =
	")\n"
	"\t\t\ti=$((i + 1))\n"
	"\t\t\tif [ $i = $last ]; then break; fi\n"
	"\t\t\tcase ${words[i-1]} in\n"
	"\t\t\t-S|--socket) ficq_daemon+=(-S \"${words[i]}\") ;;\n"
	"\t\t\t-s|--source) ficq_daemon+=(-s \"${words[i]}\") ;;\n"
	"\t\t\t--resource) resource=${words[i]} ;;\n"
	"\t\t\tesac ;;\n"
	"\t\t-*) ;;\n"
	"\t\t*)\n"
	"\t\t\tif [ -z \"$command\" ]; then\n"
	"\t\t\t\tcommand=${words[i]}\n"
	"\t\t\telse\n"
	"\t\t\t\tplace=$((place + 1)) argument=${argument:-${words[i]}}\n"
	"\t\t\tfi ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tif [ -z \"$resource\" ] && [ \"$command\" != search ]; then resource=$argument; fi\n"
	"\tcase $prev in\n";

static void bash(struct buf *out)
{
	buf_put_str(out, bash_helpers);
	buf_put_str(out, "_ficq() {\n"
			 "\tlocal cur prev command= argument= resource= place=0 last commands everywhere i word\n"
			 "\tlocal -a words=(ficq) ficq_daemon=()\n\tCOMPREPLY=()\n\tcommands=\"");
	put_commands(out);
	buf_put_str(out, "\"\n\teverywhere=\"");
	bash_option_names(out, OPTIONS_EVERYWHERE);
	buf_put_str(out, bash_join);
	bash_takers(out);
	buf_put_str(out, bash_read);
	bash_values(out);
	buf_put_str(
		out,
		"\tesac\n\tcase $command in\n"
		"\t'') case $cur in -*) _ficq_options '' ;; *) _ficq_words \"$commands\" ;; esac ;;\n");
	bash_commands(out);
	buf_put_str(out, "\tesac\n}\ncomplete -F _ficq ficq\n");
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
			} else if (is_fields(s)) {
				buf_put_str(out, "_ficq_fields");
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
	case ARG_ALERTS: return "(test)";
	case ARG_SIDE: return "(mine theirs)";
	case ARG_CLIENT: return "(claude cursor vscode codex)";
	case ARG_THREAD: return "_ficq_threads";
	case ARG_ID: return "_ficq_ids";
	case ARG_NONE: break;
	}
	return " ";
}

static const char zsh_helpers[] =
	"#compdef ficq\n# zsh completion for ficq, made by \"ficq completion zsh\"\n\n"
	"# What the daemon knows: a word, a tab, what it is.\n"
	"_ficq_ask() {\n"
	"\tlocal -a daemon\n\tlocal line tab=$'\\t'\n"
	"\t[[ -n $opt_args[--socket] ]] && daemon+=(-S \"${(Q)opt_args[--socket]}\")\n"
	"\t[[ -n $opt_args[-S] ]] && daemon+=(-S \"${(Q)opt_args[-S]}\")\n"
	"\t_ficq_found=() _ficq_about=()\n"
	"\tfor line in ${(f)\"$(ficq $daemon completion \"$@\" 2>/dev/null)\"}; do\n"
	"\t\t_ficq_found+=(\"${line%%$tab*}\") _ficq_about+=(\"${line/$tab/  }\")\n"
	"\tdone\n}\n"
	"_ficq_list() { local -a _ficq_found _ficq_about; _ficq_ask \"$@\"; compadd -l -d _ficq_about -a _ficq_found }\n"
	"_ficq_resources() { local -a _ficq_found _ficq_about; _ficq_ask resources; compadd -a _ficq_found }\n"
	"_ficq_sources() { local -a _ficq_found _ficq_about; _ficq_ask sources; compadd -a _ficq_found }\n"
	"_ficq_targets() { _ficq_sources; _ficq_resources }\n"
	"_ficq_threads() { _ficq_list ids threads \"$PREFIX\" }\n"
	"_ficq_ids() { _ficq_list ids \"${line[1]:-conversations}\" \"$PREFIX\" }\n"
	"_ficq_fields() {\n"
	"\tlocal -a _ficq_found _ficq_about\n\tlocal resource=${${words[2,-1]:#-*}[1]:-conversations}\n"
	"\t[[ $words[1] = search ]] && resource=conversations\n"
	"\t[[ -n $opt_args[--resource] ]] && resource=${(Q)opt_args[--resource]}\n"
	"\tcompset -P '*[,: (]'\n\tcompset -P '-'\n"
	"\t_ficq_ask fields \"$resource\"\n"
	"\tcompadd -l -q -S '' -d _ficq_about -a _ficq_found\n}\n\n"
	"_ficq_commands() {\n\tlocal -a c\n\tc=(\n";

static void zsh(struct buf *out)
{
	buf_put_str(out, zsh_helpers);
	for (int i = 0; i < CMD_NUMBER; i++) {
		buf_printf(out, "\t\t'%s:", command_table[i].name);
		put_zsh_text(out, command_table[i].summary);
		buf_put_str(out, "'\n");
	}
	buf_put_str(
		out,
		"\t)\n\t_describe command c\n}\n\n_ficq() {\n\tlocal context state line\n\tlocal -A opt_args\n\tlocal -a all\n\tall=( \\\n");
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
		buf_printf(out, " -a '(__ficq_ask %s)'", is_source(s) ? "sources" : "resources");
	} else if (is_fields(s)) {
		buf_put_str(out, " -a '(__ficq_fields)'");
	}
	buf_put_str(out, " -d ");
	put_fish_text(out, s->help);
	buf_put_byte(out, '\n');
}

static const char *fish_argument(enum arg_kind kind)
{
	switch (kind) {
	case ARG_RESOURCE: return "(__ficq_ask resources)";
	case ARG_SOURCE_OR_RESOURCE: return "(__ficq_ask sources; __ficq_ask resources)";
	case ARG_SHELL: return "bash zsh fish";
	case ARG_DEAD: return "retry drop";
	case ARG_ALERTS: return "test";
	case ARG_SIDE: return "mine theirs";
	case ARG_CLIENT: return "claude cursor vscode codex";
	case ARG_THREAD: return "(__ficq_ask ids threads (commandline -ct))";
	case ARG_ID: return "(__ficq_ask ids (__ficq_resource) (commandline -ct))";
	case ARG_NONE:
	case ARG_COMMAND: break;
	}
	return NULL;
}

static const char fish_helpers[] =
	"# fish completion for ficq, made by \"ficq completion fish\"\n"
	"# What the daemon knows: a word, a tab, what it is.\n"
	"function __ficq_ask\n"
	"\tset -l daemon\n"
	"\tset -l words (commandline -opc)\n"
	"\tfor i in (seq 2 (count $words))\n"
	"\t\tswitch $words[$i]\n"
	"\t\t\tcase -S --socket -s --source\n"
	"\t\t\t\ttest $i -lt (count $words); and set -a daemon $words[$i] $words[(math $i + 1)]\n"
	"\t\t\tcase '--socket=*' '--source=*'\n"
	"\t\t\t\tset -a daemon $words[$i]\n"
	"\t\tend\n"
	"\tend\n"
	"\tcommand ficq $daemon completion $argv 2>/dev/null\n"
	"end\n"
	"# The argument after the command.\n"
	"function __ficq_resource\n"
	"\tset -l words (string match -v -r -- '^-' (commandline -opc))\n"
	"\tif test (count $words) -ge 3; and test $words[2] != search\n"
	"\t\techo $words[3]\n"
	"\telse\n"
	"\t\techo conversations\n"
	"\tend\n"
	"end\n"
	"# The last of several, behind what stands before it.\n"
	"function __ficq_fields\n"
	"\tset -l token (string replace -r -- '^--[a-z]+=' '' (commandline -ct))\n"
	"\tset -l before (string match -r -- '^.*[,: (]-?|^-' $token)\n"
	"\tfor line in (__ficq_ask fields (__ficq_resource))\n"
	"\t\techo \"$before$line\"\n"
	"\tend\n"
	"end\n"
	"complete -c ficq -f\n";

static void fish(struct buf *out)
{
	char condition[64];

	buf_put_str(out, fish_helpers);
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
		const char *argument = fish_argument(c->rest == ARG_ID ? c->rest : c->first);
		if (c->rest == ARG_ID)
			buf_printf(out,
				   "complete -c ficq -n '%s; and test (__ficq_resource) = conversations' -a '%s'\n",
				   condition, fish_argument(c->first));
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
