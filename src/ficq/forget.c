/* forget: see the header. What cannot be undone is said before it is done: on a terminal somebody has to say yes, elsewhere --yes has to. */
#include "forget.h"

#include "sync.h"

#include <codec/msgpack.h>

#include <stdio.h>

static const char left[] = "what was begun goes on";

static int call(struct app *a, bool dry, struct bytes *result)
{
	struct params p = {0};

	params_str(&p, "source", app_value(a, OPT_SOURCE));
	params_str(&p, "resource", app_arg(a, 0));
	params_str(&p, "id", app_arg(a, 1));
	if (dry)
		params_bool(&p, "dry_run", true);
	int code = sync_watch_call(a, "forget", params_end(&p), left, result);
	params_release(&p);
	return code;
}

/* "acme: 1 contacts, 2 conversations, 14 messages" */
static void put_counts(struct app *a, struct bytes result, struct buf *out)
{
	struct mp_reader r = mp_reader_of(member(result, "erased"));
	struct mp_value head;
	struct bytes row;

	member_show(out, &a->show, result, "source", CELL_TEXT);
	buf_put_byte(out, ':');
	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return;
	for (uint32_t i = 0; i < head.count && mp_take(&r, &row) == 1; i++) {
		buf_put_str(out, i ? ", " : " ");
		member_show(out, &a->show, row, "records", CELL_NUMBER);
		buf_put_byte(out, ' ');
		member_show(out, &a->show, row, "resource", CELL_TEXT);
	}
}

static void put_words(struct app *a, struct bytes result, struct buf *out)
{
	bool dry = member_true(result, "dry_run");

	put_counts(a, result, out);
	buf_put_str(out, dry ? " would be erased; " : " erased; ");
	member_show(out, &a->show, result, "files", CELL_NUMBER);
	buf_put_str(out, " files, ");
	member_show(out, &a->show, result, "bytes", CELL_BYTES);
	buf_put_str(out, dry ? ", would be written anew\n"
			     : ", were written anew, and no sync brings it back\n");
}

/* 0: go on, or an exit code. */
static int confirm(struct app *a)
{
	struct bytes result;
	struct buf words = {0};
	char answer[16] = "";

	if (app_given(a, OPT_YES))
		return 0;
	if (!a->term.in_tty || !a->term.err_tty)
		return report_error(
			&a->report, EXIT_USAGE, "usage",
			"what is forgotten cannot be brought back: --yes says that this is meant, --dry-run shows what it would be");
	int code = call(a, true, &result);
	if (code)
		return code;
	put_words(a, result, &words);
	fprintf(stderr, "%sThis cannot be undone, and no sync brings it back. Forget it? [y/N] ",
		buf_text(&words));
	buf_release(&words);
	fflush(stderr);
	if (fgets(answer, sizeof answer, stdin) &&
	    (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0))
		return 0;
	return report_error(&a->report, EXIT_NO, "refused", "nothing was forgotten");
}

int forget_command(struct app *a)
{
	static const struct column list[] = {
		{"source", NULL, CELL_TEXT},
		{"resource", NULL, CELL_TEXT},
		{"records", NULL, CELL_TEXT},
		{NULL, NULL, CELL_TEXT},
	};
	bool dry = app_given(a, OPT_DRY_RUN);
	struct columns columns;
	struct bytes result;
	int code = dry ? 0 : confirm(a);

	if (!code)
		code = call(a, dry, &result);
	if (code)
		return code;
	if (a->format == FORMAT_JSON)
		return app_print_json(a, result);
	if (a->format == FORMAT_TABLE) {
		put_words(a, result, &a->out.buf);
		return 0;
	}
	columns_of_list(&columns, list);
	return app_print_rows(a, member(result, "erased"), &columns, NULL);
}
