/* options, commands, help, completion: what the two tables promise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "skip.h"

#include <base/files.h>

#include "commands.h"
#include "completion.h"
#include "help.h"

static struct options o;
static struct why why;

/* The words of a command line. */
static int parse(const char *line)
{
	static char copy[512];
	char *argv[64], *save = NULL;
	int argc = 0;

	snprintf(copy, sizeof copy, "ficq %s", line);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	why.text[0] = 0;
	options_release(&o);
	return options_parse(&o, argc, argv, &why);
}

static void assert_refused(const char *line, const char *words)
{
	assert_int_equal(parse(line), ERR_SYNTAX);
	if (!strstr(why.text, words))
		fail_msg("\"%s\": \"%s\" lacks \"%s\"", line, why.text, words);
}

static void forms(void **state)
{
	static const char *const same[] = {"query x -n5", "query -n 5 x", "--limit=5 query x",
					   "query x --limit 5", "-qn5 query x"};

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		assert_int_equal(parse(same[i]), 0);
		assert_string_equal(o.value[OPT_LIMIT], "5");
		assert_int_equal(o.arg_count, 2);
		assert_string_equal(o.args[0], "query");
		assert_string_equal(o.args[1], "x");
	}
	assert_int_equal(parse("query --since -2h -- -x --json -"), 0);
	assert_string_equal(o.value[OPT_SINCE], "-2h");
	assert_int_equal(o.arg_count, 4);
	assert_string_equal(o.args[1], "-x");
	assert_string_equal(o.args[3], "-");
	assert_false(option_given(&o, OPT_JSON));
	assert_int_equal(parse("rpc status -"), 0);
	assert_string_equal(o.args[2], "-");
	assert_int_equal(parse("-qvv status"), 0);
	assert_int_equal(o.times[OPT_VERBOSE], 2);
	assert_int_equal(parse("--fields= query x"), 0);
	assert_string_equal(o.value[OPT_FIELDS], "");
	assert_int_equal(parse(""), 0);
	assert_int_equal(o.arg_count, 0);
}

static void last_one_counts(void **state)
{
	(void)state;
	assert_int_equal(parse("--json -o csv status"), 0);
	assert_string_equal(o.value[OPT_OUTPUT], "csv");
	assert_int_equal(parse("-o csv --json status"), 0);
	assert_string_equal(o.value[OPT_OUTPUT], "json");
	assert_int_equal(parse("sync --wait --no-wait"), 0);
	assert_false(option_given(&o, OPT_WAIT));
	assert_true(option_given(&o, OPT_NO_WAIT));
}

/* None gets lost without a word. */
static void given_twice(void **state)
{
	(void)state;
	assert_refused("query x --since 1d --since 2d", "--since is given twice");
	assert_refused("query x -s a --source=b", "--source is given twice");
	assert_refused("query x -n5 -n 6", "--limit is given twice");
	assert_refused("query x --text a --text b", "--text is given twice");
	assert_refused("query x -o csv -o csv", "--output is given twice");
	assert_int_equal(parse("query x --fields a,b --fields c --fields=d"), 0);
	assert_string_equal(o.value[OPT_FIELDS], "a,b,c,d");
	assert_int_equal(parse("count x --by a --by b --metric count --metric max:c"), 0);
	assert_string_equal(o.value[OPT_BY], "a,b");
	assert_string_equal(o.value[OPT_METRIC], "count,max:c");
	assert_int_equal(parse("query x --where a=1"), 0);
	assert_string_equal(o.value[OPT_WHERE], "a=1");
	assert_int_equal(parse("query x --where a=1 --where b=2 --where c"), 0);
	assert_string_equal(o.value[OPT_WHERE], "(a=1) and (b=2) and (c)");
	assert_refused("query x --where a=1)or(b=2 --where c", "'a=1)or(b=2'");
	assert_int_equal(parse("--json --json -q -q status"), 0);
}

static void not_utf8(void **state)
{
	(void)state;
	assert_refused("query x --text \xff", "--text: '");
	assert_refused("get x \xc3(", "is not UTF-8");
	assert_refused("query x --where a=\xed\xa0\x80", "is not UTF-8");
	assert_int_equal(parse("query x --text \xef\xbf\xbd\xf0\x9f\x98\x80"), 0);
	assert_int_equal(parse("-S /tmp/\xff status"), 0);
}

static void refused(void **state)
{
	(void)state;
	assert_refused("--limt 5", "did you mean --limit?");
	assert_refused("--outptu=csv", "did you mean --output?");
	assert_refused("--zzzzzzzz", "there is no option --zzzzzzzz");
	assert_refused("--lim 5", "there is no option --lim"); /* prefixes are not guessed */
	assert_refused("-Z", "there is no option -Z");
	assert_refused("--json=yes", "--json takes no value");
	assert_refused("status --limit", "--limit needs a value: N");
	assert_refused("status -n", "-n needs a value: N");
	assert_refused("--output=xml", "\"xml\" is not one of its values");
	assert_refused("--output=tabel", "did you mean table?");
	assert_refused("--require stale", "is not one of its values");
	assert_refused("--color=sometimes", "is not one of its values");
}

static int check(const char *line)
{
	assert_int_equal(parse(line), 0);
	enum command command = command_find(o.args[0], &why);
	return command == CMD_NUMBER ? ERR_SYNTAX : command_check(command, &o, &why);
}

static void commands(void **state)
{
	(void)state;
	assert_int_equal(check("query conversations -n5 --where x=1 --json -v"), 0);
	assert_int_equal(check("status -n5"), ERR_SYNTAX);
	assert_string_equal(why.text, "--limit means nothing to \"status\"");
	assert_int_equal(check("query"), ERR_SYNTAX);
	assert_non_null(strstr(why.text, "ficq query RESOURCE"));
	assert_int_equal(check("get conversations"), ERR_SYNTAX);
	assert_non_null(strstr(why.text, "more arguments"));
	assert_int_equal(check("status x"), ERR_SYNTAX);
	assert_non_null(strstr(why.text, "no argument"));
	assert_int_equal(check("qurey x"), ERR_SYNTAX);
	assert_non_null(strstr(why.text, "did you mean query?"));
	assert_int_equal(check("zzzzzz"), ERR_SYNTAX);
	assert_null(strstr(why.text, "did you mean"));
	assert_int_equal(check("sync acme conversations contacts --mode full --wait"), 0);
}

/* Each option is taken by at least one command, and every table entry is whole. */
static void tables(void **state)
{
	uint64_t used = OPTIONS_EVERYWHERE;

	(void)state;
	for (int i = 0; i < CMD_NUMBER; i++) {
		const struct command_spec *c = &command_table[i];
		assert_non_null(c->name);
		assert_non_null(c->summary);
		assert_non_null(c->synopsis);
		assert_true(c->args_min <= c->args_max);
		used |= c->options;
	}
	for (int i = 0; i < OPT_COUNT; i++) {
		assert_non_null(option_table[i].name);
		assert_true(used & OPTION_BIT(i));
		for (int k = 0; k < i; k++) {
			assert_string_not_equal(option_table[i].name, option_table[k].name);
			assert_true(!option_table[i].letter ||
				    option_table[i].letter != option_table[k].letter);
		}
	}
}

static void help(void **state)
{
	struct buf out = {0};

	(void)state;
	help_all(&out, 80, false);
	for (int i = 0; i < CMD_NUMBER; i++)
		assert_non_null(strstr(buf_text(&out), command_table[i].name));
	for (int i = 0; i < CMD_NUMBER; i++) {
		buf_reset(&out);
		help_command(&out, (enum command)i, 80, false);
		for (int k = 0; k < OPT_COUNT; k++) {
			char display[34];
			snprintf(display, sizeof display, "    --%s", option_table[k].name);
			bool there = strstr(buf_text(&out),
					    display + (option_table[k].letter ? 4 : 0)) != NULL;
			bool wanted = option_table[k].help &&
				      ((command_table[i].options | OPTIONS_EVERYWHERE) &
				       OPTION_BIT(k));
			if (wanted)
				assert_true(there);
		}
		assert_null(strstr(buf_text(&out), "--wire"));
		/* at least one example, of this command */
		const struct example *e = command_table[i].examples;
		assert_true(e && e->command);
		for (; e->command; e++) {
			assert_non_null(strstr(e->command, command_table[i].name));
			assert_non_null(strstr(buf_text(&out), e->command));
		}
	}
	buf_release(&out);
}

/* conf/man/ficq.1 holds the lists that the tables make. */
static void manual(void **state)
{
	struct buf page = {0}, list = {0};

	(void)state;
	if (file_read("conf/man/ficq.1", 1 << 20, &page, &why) < 0)
		skip_because(why.text);
	help_mdoc_commands(&list);
	if (!strstr(buf_text(&page), buf_text(&list)))
		fail_msg("conf/man/ficq.1 is not as \"ficq help mdoc\" prints the commands");
	buf_reset(&list);
	help_mdoc_options(&list);
	if (!strstr(buf_text(&page), buf_text(&list)))
		fail_msg("conf/man/ficq.1 is not as \"ficq help mdoc\" prints the options");
	buf_release(&page);
	buf_release(&list);
}

/* The shells that are here read the scripts without complaint. */
static void completions(void **state)
{
	static const char *const shells[] = {"bash", "zsh", "fish"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buf out = {0};
		char command[200], path[] = "/tmp/ficq-completion.XXXXXX";
		int fd = mkstemp(path);
		assert_true(fd >= 0);
		assert_true(completion_script(&out, shells[i]));
		FILE *f = fdopen(fd, "w");
		assert_int_equal(fwrite(out.data, 1, out.len, f), out.len);
		fclose(f);
		snprintf(command, sizeof command, "! command -v %s >/dev/null || %s -n %s",
			 shells[i], shells[i], path);
		int status = system(command);
		remove(path);
		if (status)
			fail_msg("%s does not read its completion", shells[i]);
		assert_non_null(strstr(buf_text(&out), "coverage"));
		assert_non_null(strstr(buf_text(&out), "_ask resources"));
		assert_null(strstr(buf_text(&out), "wire"));
		buf_release(&out);
	}
	struct buf none = {0};
	assert_false(completion_script(&none, "tcsh"));
}

/* What `make install` installs is what the program makes. */
static void completion_files(void **state)
{
	static const char *const files[][2] = {{"bash", "conf/completions/ficq.bash"},
					       {"zsh", "conf/completions/_ficq"},
					       {"fish", "conf/completions/ficq.fish"}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buf made = {0}, file = {0};
		if (file_read(files[i][1], 1 << 20, &file, &why) < 0)
			fail_msg("%s", why.text);
		completion_script(&made, files[i][0]);
		if (!bytes_equal(buf_bytes(&made), buf_bytes(&file)))
			fail_msg("ficq completion %s >%s makes it anew", files[i][0], files[i][1]);
		buf_release(&made);
		buf_release(&file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(last_one_counts),
		cmocka_unit_test(given_twice),
		cmocka_unit_test(not_utf8),
		cmocka_unit_test(refused),
		cmocka_unit_test(commands),
		cmocka_unit_test(tables),
		cmocka_unit_test(help),
		cmocka_unit_test(manual),
		cmocka_unit_test(completions),
		cmocka_unit_test(completion_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
