/*
 * The drawings: status, coverage, a conversation, a table of records, a line of progress, each from an answer in golden/NAME.json to what
 * stands in golden/NAME.txt (UTF-8) and NAME.ascii.txt. FICQ_GOLDEN=write writes them anew: look at the difference before it is kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <base/files.h>
#include <codec/json.h>
#include <codec/msgpack.h>

#include "names.h"
#include "progress.h"
#include "quote.h"
#include "render_coverage.h"
#include "render_status.h"
#include "render_thread.h"
#include "rows.h"

#define FOLDER "tests/unit/ficq/golden/"
#define NOW    INT64_C(1795168295000) /* 2026-11-20T09:51:35Z */

static struct zone *berlin;
static struct names names;

static void read_answer(const char *name, struct buf *out)
{
	struct buf text = {0};
	struct why why;
	char path[200];

	snprintf(path, sizeof path, FOLDER "%s.json", name);
	if (file_read(path, 1 << 20, &text, &why) < 0)
		fail_msg("%s", why.text);
	if (json_to_msgpack(buf_bytes(&text), JSON_STRICT, out, &why) < 0)
		fail_msg("%s: %s", path, why.text);
	buf_release(&text);
}

static void compare(const char *name, bool ascii, struct buf *drawn)
{
	const char *mode = getenv("FICQ_GOLDEN");
	struct buf golden = {0};
	struct why why;
	char path[200];

	snprintf(path, sizeof path, FOLDER "%s%s.txt", name, ascii ? ".ascii" : "");
	if (mode && strcmp(mode, "write") == 0) {
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(drawn->data, 1, drawn->len, f), drawn->len);
		fclose(f);
	}
	if (file_read(path, 1 << 20, &golden, &why) < 0)
		fail_msg("%s", why.text);
	assert_string_equal(buf_text(drawn), buf_text(&golden));
	/* no control character of the answer may have survived */
	for (size_t i = 0; i < drawn->len; i++) {
		assert_true(drawn->data[i] >= 0x20 || drawn->data[i] == '\n');
		assert_false(drawn->data[i] == 0xc2 && drawn->data[i + 1] < 0xa0);
		assert_true(!ascii || drawn->data[i] < 0x7f);
	}
	buf_release(&golden);
}

typedef void draw(struct buf *out, struct bytes answer, const struct show *s);

static void check(const char *name, draw *function)
{
	struct buf answer = {0}, out = {0};

	read_answer(name, &answer);
	for (int ascii = 0; ascii < 2; ascii++) {
		struct show s = {
			.zone = berlin, .names = &names, .now_ms = NOW, .ascii = ascii, .utf8 = !ascii};
		buf_reset(&out);
		function(&out, buf_bytes(&answer), &s);
		compare(name, ascii, &out);
	}
	buf_release(&answer);
	buf_release(&out);
}

static void draw_status(struct buf *out, struct bytes answer, const struct show *s)
{
	struct table_look look = {.width = 120, .header = true, .ascii = !s->utf8};

	render_status(out, answer, s, &look);
}

static void draw_coverage(struct buf *out, struct bytes answer, const struct show *s)
{
	struct coverage_look look = {.show = s, .width = 80, .old_ms = 24 * 3600 * 1000};

	render_coverage(out, answer, &look);
}

static void draw_thread(struct buf *out, struct bytes answer, const struct show *s)
{
	struct thread_look look = {.show = s, .width = 72};

	bool folded = render_thread(out, answer, &look);
	assert_int_equal(folded, member(answer, "conversation.subject").data != NULL);
}

static void draw_unfolded(struct buf *out, struct bytes answer, const struct show *s)
{
	struct thread_look look = {.show = s, .width = 72, .unfold = true};

	assert_false(render_thread(out, answer, &look));
}

static void draw_query(struct buf *out, struct bytes answer, const struct show *s)
{
	struct table_look look = {.width = 80, .header = true, .ascii = !s->utf8};
	struct mp_reader r = mp_reader_of(member(answer, "rows"));
	struct columns columns;
	struct mp_value head;
	struct bytes row;
	struct rows rows;

	columns_of_resource(&columns, "conversations");
	rows_begin(&rows, FORMAT_TABLE, &columns, s, &look);
	assert_int_equal(mp_next(&r, &head), 1);
	while (mp_take(&r, &row) == 1)
		rows_add(&rows, row, out);
	rows_page(&rows, out);
	rows_release(&rows);
	columns_release(&columns);
}

static void status(void **state)
{
	(void)state;
	check("status", draw_status);
}

static void coverage(void **state)
{
	(void)state;
	check("coverage", draw_coverage);
}

static void thread(void **state)
{
	(void)state;
	check("thread", draw_thread);
	check("ticket", draw_thread);
}

/* The same with all that was quoted. */
static void quotes(void **state)
{
	struct buf answer = {0}, out = {0};
	struct show s = {.zone = berlin, .names = &names, .now_ms = NOW, .utf8 = true};

	(void)state;
	read_answer("thread", &answer);
	draw_unfolded(&out, buf_bytes(&answer), &s);
	compare("thread.quotes", false, &out);
	buf_release(&answer);
	buf_release(&out);
}

static void assert_quote(const char *html, const char *expected)
{
	struct buf out = {0};

	quote_text(bytes_str(html), &out);
	assert_string_equal(buf_text(&out), expected);
	buf_release(&out);
}

static void quote_marks(void **state)
{
	(void)state;
	assert_false(quote_is_in(bytes_str("")));
	assert_false(quote_is_in(bytes_str("<p>a</p> <blockquotes> < blockquote>")));
	assert_true(quote_is_in(bytes_str("a<BlockQuote\n>b")));
	assert_quote("", "");
	assert_quote("<p>a</p>", "a");
	assert_quote("a<blockquote>b<br>c</blockquote>d", "a\n> b\n> c\nd");
	assert_quote("<blockquote>b<blockquote>c</blockquote></blockquote>", "> b\n> > c");
	/* Not closed, closed too often, cut off. */
	assert_quote("a<blockquote>b", "a\n> b");
	assert_quote("a</blockquote>b</blockquote>c", "a\nb\nc");
	assert_quote("a<blockquote", "a<blockquote");
	assert_quote("a<blockquote ", "a");
	struct buf deep = {0}, out = {0};
	for (int i = 0; i < 20000; i++)
		buf_put_str(&deep, "<blockquote>x");
	quote_text(buf_bytes(&deep), &out);
	assert_true(out.len < deep.len * 2);
	buf_release(&deep);
	buf_release(&out);
}

static void query(void **state)
{
	(void)state;
	check("query", draw_query);
}

static void assert_bar(const char *json, const char *expected)
{
	struct buf value = {0};
	struct why why;
	char bar[64] = "";

	assert_int_equal(json_to_msgpack(bytes_str(json), JSON_STRICT, &value, &why), 0);
	bool drawn = coverage_bar(buf_bytes(&value), NOW, 3600 * 1000, 10, bar);
	assert_int_equal(drawn, expected != NULL);
	if (expected) {
		bar[10] = 0;
		assert_string_equal(bar, expected);
	}
	buf_release(&value);
}

#define WANTED "{\"wanted\":[\"2026-11-10T09:51:35Z\",\"2026-11-20T09:51:35Z\"],"

static void bars(void **state)
{
	(void)state;
	assert_bar(WANTED
		   "\"intervals\":[],\"gaps\":[[\"2026-11-10T09:51:35Z\",\"2026-11-20T09:51:35Z\"]]}",
		   "          ");
	assert_bar(WANTED
		   "\"intervals\":[{\"start\":null,\"end\":\"2026-11-20T09:51:35Z\",\"as_of\":\"2026-11-20T09:51:00Z\"}],\"gaps\":[]}",
		   "##########");
	/* held, but as of yesterday; then with a chain that keeps it fresh */
	assert_bar(WANTED
		   "\"intervals\":[{\"start\":null,\"end\":null,\"as_of\":\"2026-11-19T09:51:00Z\"}],\"gaps\":[]}",
		   "----------");
	assert_bar(WANTED
		   "\"intervals\":[{\"start\":null,\"end\":null,\"as_of\":\"2026-11-19T09:51:00Z\"}],\"gaps\":[],"
		   "\"chain\":[\"2026-11-19T00:00:00Z\",\"2026-11-20T09:50:00Z\"]}",
		   "##########");
	/* a day, a piece of a day, and the minutes since the last sync, which are no hole */
	assert_bar(WANTED
		   "\"intervals\":[],\"gaps\":[[\"2026-11-11T09:51:35Z\",\"2026-11-12T09:51:35Z\"],"
		   "[\"2026-11-14T10:00:00Z\",\"2026-11-14T10:00:01Z\"],[\"2026-11-20T09:31:35Z\",\"2026-11-20T09:51:35Z\"]]}",
		   "# ##+#####");
	assert_bar(WANTED
		   "\"gaps\":[[null,\"2026-11-12T00:00:00Z\"],[\"2026-11-20T00:00:00Z\",null]]}",
		   " +#######+");
	assert_bar("{\"wanted\":[null,null]}", NULL);
	assert_bar("{\"wanted\":[\"2026-11-20T09:51:35Z\",\"2026-11-20T09:51:35Z\"]}", NULL);
	assert_bar("{}", NULL);
	assert_bar("{\"wanted\":7,\"gaps\":\"x\"}", NULL);
}

static void assert_progress(const struct progress_run *run, size_t width, bool utf8,
			    const char *expected)
{
	struct show s = {.now_ms = NOW, .utf8 = utf8};
	struct buf out = {0};

	progress_line(&out, run, width, &s, 0);
	assert_string_equal(buf_text(&out), expected);
	buf_release(&out);
}

static void progress(void **state)
{
	struct progress_run run = {
		.run = 1, .done = 4500, .total = 10000, .ratio = 0.45, .rate = 120.4};

	(void)state;
	strcpy(run.name, "acme/conversations");
	strcpy(run.phase, "listing");
	assert_progress(
		&run, 100, true,
		"acme/conversations listing ▕█████████████░░░░░░░░░░░░░░░░░▏ 45.0 %  4,500/10,000  120/s  ETA 46 s");
	assert_progress(
		&run, 79, false,
		"acme/conversations listing [#####.......] 45.0 %  4,500/10,000  120/s  ETA 46 s");
	assert_progress(&run, 40, false, "acme/conversations listing 45.0 %  4,...");
	/* What is nearly done takes "1 s", never "0 ms"; what is far off is not counted in seconds. */
	run.done = 9999;
	assert_progress(
		&run, 200, false,
		"acme/conversations listing [#############.................] 45.0 %  9,999/10,000  120/s  ETA 1 s");
	run.done = 4500;
	run.rate = 10;
	assert_progress(
		&run, 200, false,
		"acme/conversations listing [#############.................] 45.0 %  4,500/10,000  10/s  ETA 9 min 10 s");
	run.total = -1;
	run.ratio = -1;
	run.rate = -1;
	assert_progress(&run, 79, false, "- acme/conversations listing 4,500");
}

/* What is only looked at now and then has no counts. */
static void progress_that_is_looked_at(void **state)
{
	struct term term = {.width = 80};
	struct show show = {.now_ms = NOW};
	struct progress p;
	struct buf ratio = {0};

	(void)state;
	progress_init(&p, &term, &show, false);
	mp_put_float(&ratio, 0.43);
	progress_note(&p, "conversations", bytes_str("partial"), buf_bytes(&ratio));
	assert_progress(&p.runs[0], 80, false,
			"conversations partial [############..................] 43.0 %");
	/* The same again, not known how far. */
	progress_note(&p, "conversations", bytes_str("stale"), bytes_of(NULL, 0));
	assert_int_equal(p.run_count, 1);
	assert_progress(&p.runs[0], 80, false, "- conversations stale ");
	buf_release(&ratio);
}

static int load_zone(void **state)
{
	struct buf rows = {0};

	(void)state;
	assert_int_equal(json_to_msgpack(bytes_str("[{\"id\":\"991\",\"name\":\"Ada Ⓛ\"},7,{\"id\":\"99\"},"
						   "{\"id\":\"12\",\"name\":\"Bea\"}]"),
					 JSON_STRICT, &rows, NULL),
			 0);
	names_take(&names, NAMES_ADMINS, buf_bytes(&rows));
	buf_reset(&rows);
	assert_int_equal(json_to_msgpack(bytes_str("[{\"id\":\"7\",\"name\":\"Billing\"}]"),
					 JSON_STRICT, &rows, NULL),
			 0);
	names_take(&names, NAMES_TEAMS, buf_bytes(&rows));
	buf_release(&rows);
	/* A rule, so that no machine's data decides. */
	return zone_load(bytes_str("CET-1CEST,M3.5.0,M10.5.0/3"), &berlin, NULL);
}

static int free_zone(void **state)
{
	(void)state;
	zone_free(berlin);
	names_release(&names);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status),
		cmocka_unit_test(coverage),
		cmocka_unit_test(thread),
		cmocka_unit_test(quotes),
		cmocka_unit_test(quote_marks),
		cmocka_unit_test(query),
		cmocka_unit_test(bars),
		cmocka_unit_test(progress),
		cmocka_unit_test(progress_that_is_looked_at),
	};

	return cmocka_run_group_tests(tests, load_zone, free_zone);
}
