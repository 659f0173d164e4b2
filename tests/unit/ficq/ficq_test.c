/*
 * ficq as it is run: the program itself against a daemon that answers canned lines, good and bad ones. What is held is what scripts rely on:
 * standard output, standard error and the exit code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "skip.h"

#include <base/clock.h>
#include <codec/json.h>
#include <codec/msgpack.h>

#include "support/fake.h"

#define FRESH \
	"{\"state\":\"fresh\",\"complete\":true,\"as_of\":\"2026-11-20T09:48:00Z\",\"last_sync\":\"2026-11-20T09:48:30Z\",\"message\":\"\"}"
#define PARTIAL \
	"{\"state\":\"partial\",\"as_of\":\"2026-11-20T09:48:00Z\",\"message\":\"Analysis includes conversations up to 2024-12-20 14:30 - may be missing recent conversations\"}"
#define STALE \
	"{\"state\":\"stale\",\"message\":\"Data is stale - syncing latest conversations...\"}"

#define ROW(id)                                                                            \
	"{\"source\":\"acme\",\"resource\":\"contacts\",\"id\":\"" id "\",\"name\":\"N" id \
	"\",\"created\":null}"

static struct run r;

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" has \"%s\"", text, part);
}

/* Runs one command against one script, and looks at the exit code. */
static void ask(const struct fake_step *script, const char *words, int exit)
{
	struct fake f;

	fake_start(&f, script);
	ficq_run(&r, f.socket, words);
	fake_stop(&f);
	if (r.exit != exit)
		fail_msg("ficq %s: exit %d, not %d; stdout \"%s\", stderr \"%s\"", words, r.exit,
			 exit, r.out, r.err);
}

#define NEED_FICQ()                                        \
	do {                                               \
		(void)state;                               \
		if (!ficq_path())                          \
			skip_because("ficq is not built"); \
	} while (0)

/* --- without a daemon --- */

static void usage(void **state)
{
	NEED_FICQ();
	ficq_run(&r, NULL, "");
	assert_int_equal(r.exit, 64);
	assert_string_equal(r.out, "");
	assert_has(r.err, "usage: ficq");
	run_release(&r);
	ficq_run(&r, NULL, "qurey conversations");
	assert_int_equal(r.exit, 64);
	assert_has(r.err, "ficq: there is no command \"qurey\"; did you mean query?");
	run_release(&r);
	ficq_run(&r, NULL, "query conversations --limit=x --json");
	assert_int_equal(r.exit, 64);
	assert_has(r.err, "{\"error\":{\"code\":\"usage\",\"message\":\"--limit: ");
	assert_has(r.err, "\"exit\":64}}\n");
	run_release(&r);
	ficq_run(&r, NULL, "--json nonsense");
	assert_int_equal(r.exit, 64);
	assert_has(r.err, "{\"error\":{\"code\":\"usage\"");
	run_release(&r);
}

static void help_and_version(void **state)
{
	static const char *const lines[] = {"help", "--help",    "help sync", "sync --help",
					    "-h",   "--version", "-V",        "query -h"};

	NEED_FICQ();
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		ficq_run(&r, NULL, lines[i]);
		assert_int_equal(r.exit, 0);
		assert_string_equal(r.err, "");
		assert_true(r.out_len > 10);
		run_release(&r);
	}
}

static void nobody_there(void **state)
{
	NEED_FICQ();
	ficq_run(&r, "/nonexistent/ficd.sock", "status");
	assert_int_equal(r.exit, 69);
	assert_string_equal(r.out, "");
	assert_has(r.err, "/nonexistent/ficd.sock (not there)");
	assert_has(r.err, "systemctl start ficd");
	run_release(&r);
	ficq_run(&r, "/nonexistent/ficd.sock", "status --json");
	assert_int_equal(r.exit, 69);
	assert_has(r.err, "{\"error\":{\"code\":\"unavailable\",\"message\":\"");
	assert_has(r.err, ",\"exit\":69}}\n");
	run_release(&r);
	ficq_run(&r, "/nonexistent/ficd.sock", "completion resources");
	assert_int_equal(r.exit, 0);
	assert_string_equal(r.err, "");
	run_release(&r);
	ficq_run(&r, NULL, "wait --timeout 0.1s");
	assert_int_equal(r.exit, 64);
	run_release(&r);
	ficq_run(&r, "/nonexistent/ficd.sock", "wait --timeout 300ms");
	assert_int_equal(r.exit, 69);
	run_release(&r);
}

/* --- rows --- */

static void query_formats(void **state)
{
	static const struct fake_step script[] = {
		{"query", FAKE_RESULT,
		 "{\"freshness\":" FRESH ",\"rows\":[" ROW("1") "," ROW(
			 "2") "],\"next_cursor\":null,\"stats\":{\"scanned\":2,\"duration_us\":5}}",
		 0},
		{0},
	};

	NEED_FICQ();
	ask(script, "query contacts", 0);
	assert_string_equal(
		r.out,
		"ID  UPDATED  ROLE  NAME  EMAIL\n1                  N1\n2                  N2\n");
	assert_string_equal(r.err, "");
	run_release(&r);
	ask(script, "query contacts -o csv --fields id,name", 0);
	assert_string_equal(r.out, "id,name\n1,N1\n2,N2\n");
	run_release(&r);
	ask(script, "query contacts -o tsv --fields id,name --no-header", 0);
	assert_string_equal(r.out, "1\tN1\n2\tN2\n");
	run_release(&r);
	ask(script, "query contacts -o ndjson", 0);
	assert_string_equal(r.out, ROW("1") "\n" ROW("2") "\n");
	run_release(&r);
	ask(script, "query contacts --json", 0);
	assert_string_equal(
		r.out,
		"{\"freshness\":" FRESH ",\"rows\":[" ROW("1") "," ROW(
			"2") "],\"next_cursor\":null,\"stats\":{\"scanned\":2,\"duration_us\":5}}\n");
	run_release(&r);
	ask(script, "query contacts -o msgpack", 0);
	struct mp_reader reader = mp_reader_of(bytes_of(r.out, r.out_len));
	assert_int_equal(mp_skip(&reader), 1);
	assert_int_equal(mp_skip(&reader), 1);
	assert_int_equal(mp_skip(&reader), 0);
	run_release(&r);
	/* the other form on the socket: the same answer */
	ask(script, "query contacts -o csv --fields id,name --wire json", 0);
	assert_string_equal(r.out, "id,name\n1,N1\n2,N2\n");
	run_release(&r);
}

static void query_params(void **state)
{
	static const struct fake_step script[] = {
		{"query", FAKE_RESULT, "{\"freshness\":" FRESH ",\"rows\":[],\"next_cursor\":null}", 0},
		{0},
	};
	const char *const args[] = {"query",
				    "contacts",
				    "--now=2026-11-20T09:51:35Z",
				    "--since=2h",
				    "--until",
				    "2026-11-20",
				    "--axis=updated",
				    "--tz=UTC",
				    "--where",
				    "name = \"Bob Example\"",
				    "-n7",
				    "--max-age=5m",
				    "-s",
				    "acme",
				    "--fields=id,doc.a",
				    NULL};
	struct fake f;

	NEED_FICQ();
	fake_start(&f, script);
	ficq_run_args(&r, f.socket, args, NULL);
	char *log = fake_log(&f);
	fake_stop(&f);
	assert_int_equal(r.exit, 0);
	assert_has(log, "\"method\":\"hello\"");
	assert_has(log, "\"resource\":\"contacts\"");
	assert_has(log, "\"since\":\"2026-11-20T07:51:35Z\"");
	assert_has(log, "\"until\":\"2026-11-21T00:00:00Z\"");
	assert_has(log, "\"axis\":\"updated\"");
	assert_has(log, "\"where\":\"name = \\\"Bob Example\\\"\"");
	assert_has(log, "\"limit\":7");
	assert_has(log, "\"max_age\":300");
	assert_has(log, "\"source\":\"acme\"");
	assert_has(log, "\"fields\":[\"id\",\"doc.a\"]");
	free(log);
	run_release(&r);
	ask(script, "query contacts --since=nonsense", 64);
	assert_has(r.err, "--since: ");
	run_release(&r);
	ask(script, "query contacts --tz=Nowhere/Land", 64);
	assert_has(r.err, "--tz: ");
	run_release(&r);
}

static void query_pages(void **state)
{
	static const struct fake_step script[] = {
		{"query", FAKE_RESULT,
		 "{\"freshness\":" PARTIAL ",\"rows\":[" ROW(
			 "1") "],\"next_cursor\":\"a\",\"stats\":{\"scanned\":2,\"duration_us\":5}}",
		 0},
		{"query", FAKE_RESULT,
		 "{\"freshness\":" FRESH
		 ",\"rows\":[],\"next_cursor\":\"b\",\"stats\":{\"scanned\":3,\"duration_us\":5}}",
		 0},
		{"query", FAKE_RESULT,
		 "{\"freshness\":" FRESH ",\"rows\":[" ROW("2") "," ROW(
			 "3") "],\"next_cursor\":null,\"stats\":{\"scanned\":4,\"duration_us\":5}}",
		 0},
		{0},
	};
	struct fake f;

	NEED_FICQ();
	fake_start(&f, script);
	ficq_run(&r, f.socket, "query contacts -n0 -o csv --fields id");
	char *log = fake_log(&f);
	fake_stop(&f);
	assert_int_equal(r.exit, 0);
	assert_string_equal(r.out, "id\n1\n2\n3\n");
	assert_has(r.err, "warning: Analysis includes");
	assert_has(log, "\"cursor\":\"a\"");
	assert_has(log, "\"cursor\":\"b\"");
	free(log);
	run_release(&r);
	ask(script, "query contacts -n0 --json", 0);
	assert_string_equal(
		r.out,
		"{\"freshness\":" PARTIAL ",\"rows\":[" ROW("1") "," ROW("2") "," ROW(
			"3") "],\"next_cursor\":null,\"stats\":{\"scanned\":9,\"duration_us\":15}}\n");
	assert_string_equal(r.err, "");
	run_release(&r);
	ask(script, "query contacts -n2 -o csv --fields id", 0);
	assert_string_equal(r.out, "id\n1\n2\n");
	run_release(&r);
}

#define STREAMS                                                                                            \
	{                                                                                                  \
		"hello", FAKE_RESULT,                                                                      \
			"{\"name\":\"ficd\",\"version\":\"0.1.0\",\"protocol\":{\"major\":1,\"minor\":2}," \
			"\"sources\":[\"acme\"],\"features\":[\"query\",\"stream\"]}",                     \
			0                                                                                  \
	}
#define PIECE(rows, next)                                                                           \
	{                                                                                           \
		"query", FAKE_RECORDS, "{\"id\":2,\"rows\":[" rows "],\"next_cursor\":" next "}", 0 \
	}
#define WORTH(freshness)                                                                       \
	{                                                                                      \
		"query", FAKE_RECORDS, "{\"id\":2,\"freshness\":" freshness ",\"rows\":[]}", 0 \
	}
#define STREAM_END                                                                                  \
	{                                                                                           \
		"query", FAKE_RESULT,                                                               \
			"{\"freshness\":" FRESH ",\"rows\":[],\"streamed\":3,\"next_cursor\":null," \
			"\"total\":3,\"stats\":{\"scanned\":4,\"duration_us\":5}}",                 \
			0                                                                           \
	}

/* Rows come before the end, whose freshness counts. */
static void query_streamed(void **state)
{
	static const struct fake_step script[] = {STREAMS,
						  WORTH(PARTIAL),
						  PIECE(ROW("1") "," ROW("2"), "\"a\""),
						  PIECE(ROW("3"), "\"b\""),
						  STREAM_END,
						  {0}};
	struct fake f;

	NEED_FICQ();
	fake_start(&f, script);
	ficq_run(&r, f.socket, "query contacts -n3 -o csv --fields id");
	char *log = fake_log(&f);
	fake_stop(&f);
	assert_int_equal(r.exit, 0);
	assert_string_equal(r.out, "id\n1\n2\n3\n");
	assert_string_equal(r.err, "");
	assert_has(log, "\"stream\":true");
	assert_has(log, "\"limit\":3");
	free(log);
	run_release(&r);
	ask(script, "query contacts -n0 --json", 0);
	assert_string_equal(
		r.out,
		"{\"freshness\":" PARTIAL ",\"rows\":[" ROW("1") "," ROW("2") "," ROW(
			"3") "],\"next_cursor\":null,\"total\":3,\"stats\":{\"scanned\":4,\"duration_us\":5}}\n");
	run_release(&r);
	ask(script, "query contacts -n0 -o ndjson --require fresh", 0);
	run_release(&r);
}

/* Without its end it is not whole, whatever was printed. */
static void query_cut_off(void **state)
{
	static const struct fake_step lost[] = {
		STREAMS, WORTH(FRESH), PIECE(ROW("1"), "\"a\""), {"query", FAKE_CUT, "", 0}, {0}};
	static const struct fake_step late[] = {
		STREAMS,
		{"changes", FAKE_RESULT, "{\"rows\":[],\"next\":5,\"more\":false,\"revision\":5}", 0},
		WORTH(FRESH),
		PIECE(ROW("1"), "\"a\""),
		{"query", FAKE_ERROR,
		 "{\"code\":3,\"message\":\"not complete within 5 ms\",\"data\":{\"reason\":\"timeout\"}}",
		 0},
		{0}};
	static const struct fake_step canceled[] = {STREAMS,
						    WORTH(FRESH),
						    {"query", FAKE_ERROR,
						     "{\"code\":9,\"message\":\"canceled\"}", 0},
						    {0}};

	NEED_FICQ();
	ask(lost, "query contacts -n0 -o csv --fields id", 69);
	assert_string_equal(r.out, "id\n1\n");
	assert_has(r.err, "not complete: it ends after 1 records");
	run_release(&r);
	ask(lost, "query contacts -n0 --json", 69);
	assert_null(strstr(r.out, "]"));
	assert_has(r.err, "\"exit\":69");
	run_release(&r);
	ask(late, "export contacts", 75);
	assert_has(r.err, "not complete");
	assert_null(strstr(r.err, "since-revision"));
	run_release(&r);
	ask(canceled, "query contacts -n0", 75);
	run_release(&r);
}

/* The daemon gave its snapshot up: the rest comes from the last piece's cursor on. */
static void query_goes_on(void **state)
{
	static const struct fake_step script[] = {
		STREAMS,
		WORTH(FRESH),
		PIECE(ROW("1"), "\"a\""),
		{"query", FAKE_ERROR,
		 "{\"code\":3,\"message\":\"given up\",\"data\":{\"reason\":\"expired\"}}", 0},
		WORTH(FRESH),
		PIECE(ROW("2"), "\"b\""),
		STREAM_END,
		{0}};
	static const struct fake_step stuck[] = {
		STREAMS,
		WORTH(FRESH),
		{"query", FAKE_ERROR,
		 "{\"code\":3,\"message\":\"given up\",\"data\":{\"reason\":\"expired\"}}", 0},
		{0}};
	struct fake f;

	NEED_FICQ();
	fake_start(&f, script);
	ficq_run(&r, f.socket, "query contacts -n10 --json");
	char *log = fake_log(&f);
	fake_stop(&f);
	assert_int_equal(r.exit, 0);
	assert_has(r.out, "\"rows\":[" ROW("1") "," ROW("2") "],");
	assert_has(log, "\"cursor\":\"a\"");
	assert_has(log, "\"limit\":9");
	free(log);
	run_release(&r);
	ask(stuck, "query contacts -n10", 69);
	run_release(&r);
}

static void fields_of_nothing(void **state)
{
	static const struct fake_step script[] = {
		{"resources", FAKE_RESULT,
		 "{\"resources\":[{\"source\":\"acme\",\"name\":\"contacts\",\"fields\":"
		 "[{\"name\":\"email\",\"type\":\"text\",\"help\":\"\"}]}]}",
		 0},
		{0}};

	NEED_FICQ();
	ask(script, "fields contcts", 64);
	assert_has(r.err, "there is no resource 'contcts'; did you mean contacts?");
	run_release(&r);
	ask(script, "fields contacts -o csv --no-header", 0);
	assert_has(r.out, "email,text");
	run_release(&r);
}

/* A limit that nobody gave is told wherever the rows go. */
static void query_tells_of_more(void **state)
{
	static const struct fake_step script[] = {
		STREAMS,
		WORTH(FRESH),
		PIECE(ROW("1"), "\"a\""),
		{"query", FAKE_RESULT,
		 "{\"freshness\":" FRESH ",\"rows\":[],\"streamed\":1,\"next_cursor\":\"a\"}", 0},
		{0}};

	NEED_FICQ();
	ask(script, "query contacts -o csv --fields id", 0);
	assert_string_equal(r.err, "there are more than these: --limit=0 prints all\n");
	run_release(&r);
	ask(script, "query contacts -o csv --fields id -n1", 0);
	assert_string_equal(r.err, "");
	run_release(&r);
	ask(script, "query contacts -o csv --fields id -q", 0);
	assert_string_equal(r.err, "");
	run_release(&r);
}

/* The connection broke, as when nothing was read for long: the rest comes over another. */
static void query_goes_on_elsewhere(void **state)
{
	static const struct fake_step script[] = {STREAMS,
						  WORTH(FRESH),
						  PIECE(ROW("1"), "\"a\""),
						  {"query", FAKE_CUT, "", 0},
						  WORTH(FRESH),
						  PIECE(ROW("2"), "\"b\""),
						  {"query", FAKE_CUT, "", 0},
						  WORTH(FRESH),
						  PIECE(ROW("3"), "\"c\""),
						  STREAM_END,
						  {0}};
	struct fake f;

	NEED_FICQ();
	fake_start(&f, script);
	ficq_run(&r, f.socket, "query contacts -n10 --json");
	char *log = fake_log(&f);
	fake_stop(&f);
	assert_int_equal(r.exit, 0);
	assert_has(r.out, "\"rows\":[" ROW("1") "," ROW("2") "," ROW("3") "],");
	assert_has(log, "\"cursor\":\"a\"");
	assert_has(log, "\"cursor\":\"b\"");
	assert_has(log, "\"limit\":8");
	free(log);
	run_release(&r);
}

static void query_stuck(void **state)
{
	static const struct fake_step script[] = {
		{"query", FAKE_RESULT,
		 "{\"freshness\":" FRESH ",\"rows\":[],\"next_cursor\":\"a\"}", 0},
		{0},
	};

	NEED_FICQ();
	ask(script, "query contacts -n0", 76);
	assert_has(r.err, "does not get on");
	run_release(&r);
}

#define GROUPS                                                                                   \
	"{\"day\":\"2024-12-19T23:00:00.000Z\",\"state\":\"open\",\"count\":1200,"               \
	"\"avg:reopens\":1.5},{\"day\":\"2024-12-20T23:00:00.000Z\",\"state\":null,\"count\":3," \
	"\"avg:reopens\":null}"

static void counts_in_groups(void **state)
{
	static const struct fake_step script[] = {{"aggregate", FAKE_RESULT,
						   "{\"freshness\":" FRESH ",\"groups\":[" GROUPS
						   "],\"groups_found\":2,\"total\":1203}",
						   0},
						  {0}};

	NEED_FICQ();
	ask(script, "count tickets --by day,state --metric avg:reopens,count --tz Europe/Berlin", 0);
	assert_string_equal(r.out, "DAY         STATE  COUNT  AVG:REOPENS\n"
				   "2024-12-20  open   1,200         1.50\n"
				   "2024-12-21  none       3\n");
	run_release(&r);
	ask(script, "count tickets --by day,state --metric avg:reopens -o csv", 0);
	assert_string_equal(r.out, "day,state,count,avg:reopens\n"
				   "2024-12-19T23:00:00.000Z,open,1200,1.5\n"
				   "2024-12-20T23:00:00.000Z,,3,\n");
	run_release(&r);
	ask(script, "count tickets --by day,state -n 2 --json", 0);
	assert_has(r.out, "\"groups\":[" GROUPS "]");
	run_release(&r);
	ask(script, "count tickets -n 2", 64);
	assert_has(r.err, "it needs --by");
	run_release(&r);
	ask(script, "count tickets --by day -n 10001", 64);
	assert_has(r.err, "is no number of groups");
	run_release(&r);
}

static void what_it_is_worth(void **state)
{
	static const struct fake_step partial[] = {
		{"query", FAKE_RESULT,
		 "{\"freshness\":" PARTIAL
		 ",\"rows\":[" ROW("1") "],\"next_cursor\":null,\"total\":17}",
		 0},
		{0}};
	static const struct fake_step stale[] = {
		{"query", FAKE_RESULT,
		 "{\"freshness\":" STALE ",\"rows\":[" ROW("1") "],\"next_cursor\":null}", 0},
		{0}};

	NEED_FICQ();
	ask(partial, "query contacts -o csv --fields id", 0);
	assert_string_equal(
		r.err,
		"warning: Analysis includes conversations up to 2024-12-20 14:30 - may be missing recent conversations\n");
	run_release(&r);
	ask(partial, "query contacts -o csv --fields id -q", 0);
	assert_string_equal(r.err, "");
	run_release(&r);
	ask(partial, "query contacts -o csv --fields id --require partial", 0);
	run_release(&r);
	ask(partial, "query contacts -o csv --fields id --require fresh", 3);
	assert_string_equal(r.out, "id\n1\n");
	assert_has(r.err, "the answer is partial");
	run_release(&r);
	ask(stale, "query contacts --json --require partial", 3);
	assert_has(r.out, "\"state\":\"stale\"");
	assert_has(r.err, "{\"error\":{\"code\":\"stale\"");
	run_release(&r);
	ask(stale, "query contacts --color always", 0);
	assert_has(r.err, "\033[33mwarning: Data is stale - syncing latest conversations...\033[0m\n");
	run_release(&r);
	ask(partial, "count contacts", 0);
	assert_string_equal(r.out, "17\n");
	run_release(&r);
}

/* --- one record --- */

static void get_and_thread(void **state)
{
	static const struct fake_step there[] = {
		{"get", FAKE_RESULT,
		 "{\"freshness\":" FRESH
		 ",\"record\":{\"source\":\"acme\",\"resource\":\"contacts\",\"id\":\"1\",\"name\":\"A\\u001bB\",\"created\":\"2026-11-18T08:00:00.000Z\",\"doc\":{\"x\":[1,2]}}}",
		 0},
		{"thread", FAKE_RESULT,
		 "{\"freshness\":" FRESH
		 ",\"conversation\":{\"id\":\"1\",\"subject\":\"Hi\"},\"messages\":[{\"id\":\"m\",\"kind\":\"comment\",\"body\":\"text\"}],\"truncated\":false}",
		 0},
		{0},
	};
	static const struct fake_step absent[] = {
		{"get", FAKE_RESULT,
		 "{\"freshness\":" FRESH
		 ",\"absence\":{\"reason\":\"deleted\",\"detail\":\"it was deleted upstream\"}}",
		 0},
		{"thread", FAKE_RESULT,
		 "{\"freshness\":" PARTIAL ",\"absence\":{\"reason\":\"not_covered\",\"detail\":null}}",
		 0},
		{0},
	};

	NEED_FICQ();
	ask(there, "get contacts 1", 0);
	assert_string_equal(
		r.out,
		"source        acme\nresource      contacts\nid            1\nname          A\xef\xbf\xbd"
		"B\ncreated       2026-11-18 08:00 +0000\n\n{\n  \"x\": [\n    1,\n    2\n  ]\n}\n");
	run_release(&r);
	ask(there, "get contacts 1 -o csv --fields id,doc.x", 0);
	assert_string_equal(r.out, "id,doc.x\n1,1;2\n");
	run_release(&r);
	ask(there, "thread 1", 0);
	assert_has(r.out, "Hi\n1\n");
	assert_has(r.out, "  text\n");
	run_release(&r);
	ask(absent, "get contacts 1", 1);
	assert_string_equal(r.out, "");
	assert_has(r.err, "ficq: contacts 1 was deleted\n");
	run_release(&r);
	ask(absent, "get contacts 1 --json", 1);
	assert_has(r.out, "\"absence\":{\"reason\":\"deleted\"");
	assert_has(r.err, "{\"error\":{\"code\":\"not_found\"");
	run_release(&r);
	ask(absent, "thread 1 --require fresh", 3);
	assert_has(r.err, "conversation 1 is not known here");
	run_release(&r);
}

/* --- the cache --- */

#define STATUS \
	"{\"version\":\"0.1.0\",\"sources\":[{\"name\":\"acme\",\"provider\":\"intercom\",\"workspace\":{\"id\":\"x\",\"name\":\"Acme\",\"region\":\"us\",\"timezone\":\"UTC\"},\"state\":\"ok\",\"error\":null,\"resources\":[{\"name\":\"contacts\",\"state\":\"fresh\",\"records\":5,\"coverage_ratio\":1.0}]}]}"

static void cache_commands(void **state)
{
	static const struct fake_step script[] = {
		{"status", FAKE_RESULT, STATUS, 0},
		{"resources", FAKE_RESULT,
		 "{\"resources\":[{\"source\":\"acme\",\"name\":\"contacts\",\"fields\":[{\"name\":\"email\",\"type\":\"text\",\"indexed\":true,\"editable\":false,\"help\":\"where, to write\"}]},{\"source\":\"acme\",\"name\":\"tags\",\"fields\":[{\"name\":\"name\",\"type\":\"text\"}]}]}",
		 0},
		{"freshness", FAKE_RESULT,
		 "{\"freshness\":" PARTIAL
		 ",\"coverage_start\":\"2026-10-01T00:00:00Z\",\"coverage_end\":null,\"records\":5}",
		 0},
		{"coverage", FAKE_RESULT,
		 "{\"resources\":[{\"source\":\"acme\",\"resource\":\"tags\",\"wanted\":[null,null],\"intervals\":[],\"gaps\":[],\"chain\":null,\"ratio\":1,\"records\":5}]}",
		 0},
		{"runs", FAKE_RESULT,
		 "{\"runs\":[{\"id\":7,\"source\":\"acme\",\"resource\":\"tags\",\"kind\":\"snapshot\",\"outcome\":\"ok\",\"duration_ms\":2400,\"created\":1200}],\"next_cursor\":null}",
		 0},
		{"dead", FAKE_RESULT,
		 "{\"letters\":[{\"id\":\"conversations/7\",\"source\":\"acme\",\"state\":\"waiting\",\"class\":\"never\",\"status\":422,\"attempts\":3,\"last\":null,\"next\":null,\"reason\":\"refused\",\"asked\":\"GET /x\",\"answer\":null}],\"next_cursor\":null}",
		 0},
		{"dead_retry", FAKE_RESULT, "{\"retried\":2,\"runs\":[7]}", 0},
		{"dead_drop", FAKE_RESULT, "{\"dropped\":1}", 0},
		{0},
	};

	NEED_FICQ();
	ask(script, "status", 0);
	assert_has(r.out, "contacts");
	assert_has(r.out, "● fresh");
	run_release(&r);
	ask(script, "status -o csv --no-header", 0);
	assert_string_equal(r.out, "acme,contacts,fresh,5,1,,,,,\n");
	run_release(&r);
	ask(script, "sources -o tsv --no-header", 0);
	assert_string_equal(r.out, "acme\tintercom\tAcme\tx\tus\tUTC\tok\t\n");
	run_release(&r);
	ask(script, "fields contacts -o csv", 0);
	assert_string_equal(
		r.out,
		"resource,name,type,indexed,editable,help\ncontacts,email,text,true,false,\"where, to write\"\n");
	run_release(&r);
	ask(script, "fields", 0);
	assert_has(r.out, "tags");
	run_release(&r);
	ask(script, "freshness contacts --require fresh", 3);
	assert_has(r.out, "state          partial\n");
	run_release(&r);
	ask(script, "coverage", 0);
	assert_has(r.out, "acme/tags  100 %, 5 records\n");
	run_release(&r);
	ask(script, "runs", 0);
	assert_has(r.out, "2.4 s");
	run_release(&r);
	ask(script, "runs --json", 0);
	assert_has(r.out, "{\"runs\":[{\"id\":7,");
	run_release(&r);
	ask(script, "dead", 0);
	assert_has(r.out, "conversations/7");
	assert_has(r.out, "refused");
	run_release(&r);
	ask(script, "dead conversations/7 -o csv --no-header", 0);
	assert_string_equal(r.out, "conversations/7,acme,waiting,never,422,3,,,refused,GET /x,\n");
	run_release(&r);
	ask(script, "dead retry --all", 0);
	assert_string_equal(r.out, "2 retried\n");
	run_release(&r);
	ask(script, "dead drop conversations/7 --json", 0);
	assert_string_equal(r.out, "{\"dropped\":1}\n");
	run_release(&r);
	ask(script, "dead retry", 64);
	run_release(&r);
	ask(script, "dead drop --all conversations/7", 64);
	run_release(&r);
	ask(script, "completion resources", 0);
	assert_string_equal(r.out, "contacts\ntags\n");
	run_release(&r);
	ask(script, "rpc resources {}", 0);
	assert_has(r.out, "{\"resources\":[{\"source\":\"acme\"");
	run_release(&r);
	ask(script, "version", 0);
	assert_has(r.out, "ficd 0.1.0 (protocol 1.0)\n");
	run_release(&r);
}

static void rpc_input(void **state)
{
	static const struct fake_step script[] = {{"status", FAKE_RESULT, "{\"ok\":true}", 0}, {0}};
	const char *const from_stdin[] = {"rpc", "status", "-", NULL}, *const bad[] = {
									       "rpc", "status",
									       "{\"a\":", NULL};
	struct fake f;

	NEED_FICQ();
	fake_start(&f, script);
	ficq_run_args(&r, f.socket, from_stdin, "{\"source\":\"acme\"}\n");
	char *log = fake_log(&f);
	assert_int_equal(r.exit, 0);
	assert_string_equal(r.out, "{\"ok\":true}\n");
	assert_has(log, "\"params\":{\"source\":\"acme\"}");
	free(log);
	run_release(&r);
	ficq_run_args(&r, f.socket, bad, NULL);
	assert_int_equal(r.exit, 65);
	run_release(&r);
	fake_stop(&f);
}

/* --- sync --- */

/* What a command sends. */
static void says(const struct fake_step *steps, const char *command, const char *words)
{
	struct fake f;

	fake_start(&f, steps);
	ficq_run(&r, f.socket, command);
	char *log = fake_log(&f);
	fake_stop(&f);
	assert_int_equal(r.exit, 0);
	assert_has(log, words);
	free(log);
	run_release(&r);
}

static void sync_runs(void **state)
{
	static const struct fake_step started[] = {{"sync", FAKE_RESULT, "{\"runs\":[7,8]}", 0}, {0}};
	static const struct fake_step ok[] = {
		{"sync", FAKE_NOTIFY,
		 "{\"source\":\"acme\",\"resource\":\"tags\",\"run\":7,\"phase\":\"listing\",\"done\":1,\"total\":null,\"ratio\":null,\"rate\":1.5}",
		 0},
		{"sync", FAKE_RESULT,
		 "{\"runs\":[{\"id\":7,\"source\":\"acme\",\"resource\":\"tags\",\"kind\":\"changes\",\"outcome\":\"ok\",\"created\":12,\"updated\":3,\"deleted\":0,\"calls\":31,\"duration_ms\":2400,\"error\":null}]}",
		 0},
		{0},
	};
	static const struct fake_step verified[] = {
		{"sync", FAKE_RESULT,
		 "{\"runs\":[{\"id\":7,\"source\":\"acme\",\"resource\":\"conversations\",\"kind\":\"verify\",\"outcome\":\"ok\",\"created\":0,\"updated\":1,\"deleted\":1,\"failed\":0,\"gone\":3,\"differences\":2,\"calls\":31,\"duration_ms\":2400}]}",
		 0},
		{0}};
	static const struct fake_step failed[] = {
		{"sync", FAKE_RESULT,
		 "{\"runs\":[{\"id\":7,\"resource\":\"tags\",\"outcome\":\"canceled\"},{\"id\":8,\"resource\":\"contacts\",\"outcome\":\"failed\",\"error\":\"HTTP 503\"}]}",
		 0},
		{0}};
	static const struct fake_step canceled[] = {
		{"sync", FAKE_RESULT, "{\"runs\":[{\"id\":7,\"outcome\":\"canceled\"}]}", 0}, {0}};
	static const struct fake_step limited[] = {
		{"sync", FAKE_ERROR, "{\"code\":4,\"message\":\"rate limited\"}", 0}, {0}};
	struct fake f;

	NEED_FICQ();
	fake_start(&f, started);
	ficq_run(&r, f.socket, "sync acme contacts tags --mode full");
	char *log = fake_log(&f);
	fake_stop(&f);
	assert_int_equal(r.exit, 0);
	assert_string_equal(r.out, "7\n8\n");
	assert_has(log, "\"source\":\"acme\",\"resource\":[\"contacts\",\"tags\"],\"mode\":\"full\"");
	free(log);
	run_release(&r);
	ask(ok, "sync --wait", 0);
	assert_string_equal(r.out,
			    "acme/tags: changes ok, 12 new, 3 changed, 0 gone in 2.4 s (31 calls)\n");
	run_release(&r);
	ask(verified, "sync --wait", 0);
	assert_string_equal(
		r.out,
		"acme/conversations: verify ok, 0 new, 1 changed, 1 gone, 2 not as they were held, 3 said not to exist in 2.4 s (31 calls)\n");
	run_release(&r);
	says(started,
	     "sync acme contacts --mode verify --since 2026-01-01 --until 2026-02-01 --tz UTC",
	     "\"resource\":[\"contacts\"],\"mode\":\"verify\",\"since\":\"2026-01-01T00:00:00Z\",\"until\":\"2026-02-02T00:00:00Z\"");
	says(started, "sync acme conversations 123 a4",
	     "\"ids\":[\"123\",\"a4\"],\"resource\":\"conversations\"");
	says(started, "sync conversations --ids 123,456",
	     "\"ids\":[\"123\",\"456\"],\"resource\":\"conversations\"");
	ask(failed, "sync --wait", 69);
	assert_has(r.out, "HTTP 503");
	run_release(&r);
	ask(canceled, "sync --wait --json", 75);
	run_release(&r);
	ask(limited, "sync --wait", 75);
	run_release(&r);
}

/* --- plan --- */

static void planning(void **state)
{
	static const struct fake_step known[] = {
		{"sync", FAKE_RESULT,
		 "{\"plan\":[{\"source\":\"acme\",\"resource\":\"contacts\",\"kind\":\"snapshot\",\"span\":[null,null],"
		 "\"calls_least\":67,\"calls\":1067,\"duration_least_ms\":900,\"duration_ms\":80000,\"basis\":\"what is held\"}],"
		 "\"calls_least\":67,\"calls\":1067,\"duration_ms\":80000}",
		 0},
		{0}};
	static const struct fake_step unknown[] = {
		{"sync", FAKE_RESULT,
		 "{\"plan\":[{\"source\":\"acme\",\"resource\":\"contacts\",\"kind\":\"snapshot\",\"span\":[null,null],"
		 "\"calls_least\":1,\"calls\":null,\"duration_least_ms\":null,\"duration_ms\":null,\"basis\":\"nothing was read yet\"}],"
		 "\"calls_least\":1,\"calls\":null,\"duration_ms\":null}",
		 0},
		{0}};

	NEED_FICQ();
	struct fake f;
	fake_start(&f, known);
	ficq_run(&r, f.socket, "plan contacts --mode full --wide");
	char *log = fake_log(&f);
	fake_stop(&f);
	assert_int_equal(r.exit, 0);
	assert_has(log, "\"mode\":\"full\"");
	assert_has(log, "\"dry_run\":true");
	free(log);
	assert_has(r.out, "1,067");
	assert_has(r.out, "in all 1,067 calls, 1 min 20 s; nothing was sent\n");
	run_release(&r);
	ask(unknown, "sync --dry-run contacts --wide", 0);
	assert_has(r.out, "nothing was read yet");
	assert_has(r.out, "in all at least 1 call, more is not known; nothing was sent\n");
	run_release(&r);
	ask(unknown, "plan -o csv", 0);
	assert_string_equal(r.out, "source,resource,kind,calls,calls_least,duration_ms,basis\n"
				   "acme,contacts,snapshot,,1,,nothing was read yet\n");
	run_release(&r);
}

/* --- wait --- */

#define STATUS_OF(state, syncing, waiting)                    \
	"{\"sources\":[{\"name\":\"acme\",\"state\":\"" state \
	"\",\"resources\":[{\"name\":\"tags\",\"syncing\":" syncing ",\"waiting\":" waiting "}]}]}"

static void waiting(void **state)
{
	static const struct fake_step soon[] = {
		{"freshness", FAKE_RESULT, "{\"freshness\":" STALE "}", 0},
		{"freshness", FAKE_RESULT, "{\"freshness\":" FRESH "}", 0},
		{0}};
	static const struct fake_step never[] = {
		{"freshness", FAKE_RESULT, "{\"freshness\":" STALE "}", 0}, {0}};

	/* Under way, then due, then neither. */
	static const struct fake_step busy[] = {
		{"status", FAKE_RESULT, STATUS_OF("syncing", "true", "true"), 0},
		{"status", FAKE_RESULT, STATUS_OF("ok", "false", "true"), 0},
		{"status", FAKE_RESULT, STATUS_OF("ok", "false", "false"), 0},
		{0}};
	static const struct fake_step starting[] = {
		{"status", FAKE_RESULT, STATUS_OF("starting", "false", "false"), 0}, {0}};

	NEED_FICQ();
	ask(soon, "wait --fresh contacts --timeout 20s", 0);
	run_release(&r);
	int64_t start = clock_mono_ms();
	ask(never, "wait --fresh contacts --timeout 500ms", 3);
	assert_true(clock_mono_ms() - start < 5000);
	assert_has(r.err, "still not fresh");
	run_release(&r);
	ask(busy, "wait --idle --timeout 20s", 0);
	run_release(&r);
	ask(starting, "wait --idle --timeout 500ms", 3);
	assert_has(r.err, "still syncing");
	run_release(&r);
}

/* --- a daemon that misbehaves --- */

static void errors(void **state)
{
	static const struct {
		const char *error;
		int exit;
		const char *words;
	} cases[] = {
		{"{\"code\":1,\"message\":\"no such thing\"}", 1, "ficq: no such thing\n"},
		{"{\"code\":2,\"message\":\"changed\"}", 4, "changed"},
		{"{\"code\":3,\"message\":\"away\"}", 69, "away"},
		{"{\"code\":4,\"message\":\"slowly\",\"data\":{\"reason\":\"quota\",\"hint\":\"wait a minute\"}}",
		 75, "hint: wait a minute\n"},
		{"{\"code\":5,\"message\":\"not you\"}", 77, "not you"},
		{"{\"code\":6,\"message\":\"old\"}", 3, "old"},
		{"{\"code\":7,\"message\":\"busy\"}", 75, "busy"},
		{"{\"code\":8,\"message\":\"cannot read it\"}", 65, "cannot read it"},
		{"{\"code\":-32602,\"message\":\"no resource 'x'\"}", 64, "no resource 'x'"},
		{"{\"code\":-32601,\"message\":\"no method\"}", 76, "no method"},
		{"{\"code\":-32603,\"message\":\"\\u001b[31mouch\\n\"}", 70, "\xef\xbf\xbd[31mouch"},
		{"{\"code\":99,\"message\":\"?\"}", 70, "?"},
	};

	NEED_FICQ();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct fake_step script[] = {{"status", FAKE_ERROR, cases[i].error, 0}, {0}};
		ask(script, "status", cases[i].exit);
		assert_has(r.err, cases[i].words);
		assert_lacks(r.err, "\033");
		assert_string_equal(r.out, "");
		run_release(&r);
	}
	const struct fake_step script[] = {{"status", FAKE_ERROR, cases[3].error, 0}, {0}};
	ask(script, "status --json", 75);
	assert_string_equal(
		r.err,
		"{\"error\":{\"code\":\"rate_limited\",\"message\":\"slowly\",\"reason\":\"quota\",\"hint\":\"wait a minute\",\"exit\":75}}\n");
	run_release(&r);
}

static void broken_answers(void **state)
{
	static const struct {
		enum fake_kind kind;
		const char *text;
		int exit;
		const char *words;
	} cases[] = {
		{FAKE_RAW, "{\"jsonrpc\":\"2.0\",\n", 76, "cannot be read"},
		{FAKE_RAW, "HTTP/1.1 400 Bad Request\r\n\r\n", 76, "cannot be read"},
		{FAKE_RAW, "[]\n", 76, "makes no sense"},
		{FAKE_RAW, "{\"jsonrpc\":\"2.0\",\"id\":2}\n", 76, "makes no sense"},
		{FAKE_RAW,
		 "\x82\xa1"
		 "a\xc1",
		 76, "cannot be read"},
		{FAKE_RAW,
		 "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"cannot read that\"}}\n",
		 70, "cannot read that"},
		{FAKE_CUT, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"sour", 69,
		 "in the middle of an answer"},
		{FAKE_CUT, "\x83\xa7json", 69, "in the middle of an answer"},
		{FAKE_CUT, "", 69, "without an answer"},
		{FAKE_CUT, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"sources\":[]}}\n", 0,
		 ""}, /* whole, then gone */
		{FAKE_RAW,
		 "\n\n{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}\n{\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"sources\":[]}}\n",
		 0, ""},
	};

	NEED_FICQ();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct fake_step script[] = {{"status", cases[i].kind, cases[i].text, 0}, {0}};
		bool json = (unsigned char)cases[i].text[0] < 0x80;
		ask(script, json ? "status -o csv --wire json" : "status -o csv", cases[i].exit);
		assert_has(r.err, cases[i].words);
		run_release(&r);
	}
}

static void nonsense_results(void **state)
{
	static const char *const results[] = {
		"null",
		"7",
		"[]",
		"\"x\"",
		"{}",
		"{\"sources\":7,\"rows\":{},\"resources\":\"x\",\"runs\":null,\"freshness\":[]}",
		"{\"sources\":[7,null,{\"name\":7,\"resources\":[[]]}],\"rows\":[7,[],{\"id\":{}}],\"resources\":[1,{\"wanted\":[1,2],\"gaps\":[1],\"intervals\":[[]]}],"
		"\"runs\":[1,{}],\"freshness\":{\"state\":5,\"gaps\":[1]},\"conversation\":7,\"messages\":[1],\"record\":5,\"total\":{}}"};
	static const char *const lines[] = {
		"status",          "sources",   "fields",      "query x",   "query x --json",
		"get x 1",         "thread 1",  "count x",     "freshness", "coverage",
		"coverage -o csv", "sync",      "sync --wait", "runs",      "status -o csv",
		"query x -o tsv",  "rpc status"};

	NEED_FICQ();
	for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
		const struct fake_step script[] = {
			{"status", FAKE_RESULT, results[i], 0},
			{"resources", FAKE_RESULT, results[i], 0},
			{"query", FAKE_RESULT, results[i], 0},
			{"get", FAKE_RESULT, results[i], 0},
			{"thread", FAKE_RESULT, results[i], 0},
			{"freshness", FAKE_RESULT, results[i], 0},
			{"coverage", FAKE_RESULT, results[i], 0},
			{"sync", FAKE_RESULT, results[i], 0},
			{"runs", FAKE_RESULT, results[i], 0},
			{0},
		};
		struct fake f;
		fake_start(&f, script);
		for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
			ficq_run(&r, f.socket, lines[k]);
			if (r.exit > 128 || r.exit == 99)
				fail_msg("ficq %s with %s: exit %d, %s", lines[k], results[i],
					 r.exit, r.err);
			run_release(&r);
		}
		fake_stop(&f);
	}
}

static void other_protocol(void **state)
{
	static const struct fake_step script[] = {
		{"hello", FAKE_RESULT,
		 "{\"name\":\"ficd\",\"version\":\"9.0.0\",\"protocol\":{\"major\":2,\"minor\":0},\"sources\":[]}",
		 0},
		{0}};
	static const struct fake_step newer[] = {
		{"hello", FAKE_RESULT,
		 "{\"name\":\"ficd\",\"version\":\"0.9.0\",\"protocol\":{\"major\":1,\"minor\":7},\"sources\":[]}",
		 0},
		{"status", FAKE_RESULT, STATUS, 0},
		{0}};
	static const struct fake_step mute[] = {
		{"hello", FAKE_ERROR, "{\"code\":-32601,\"message\":\"no\"}", 0}, {0}};

	NEED_FICQ();
	ask(script, "status", 76);
	assert_has(r.err, "protocol 2");
	run_release(&r);
	ask(mute, "status", 76);
	run_release(&r);
	ask(newer, "status", 0);
	run_release(&r);
}

static void slow(void **state)
{
	static const struct fake_step late[] = {
		{"status", FAKE_PAUSE, NULL, 400}, {"status", FAKE_RESULT, STATUS, 0}, {0}};
	static const struct fake_step never[] = {{"status", FAKE_SILENT, "", 0}, {0}};

	NEED_FICQ();
	ask(late, "status -o csv", 0);
	run_release(&r);
	int64_t start = clock_mono_ms();
	ask(never, "status --timeout 300ms", 75);
	assert_true(clock_mono_ms() - start < 10000);
	assert_has(r.err, "no answer in time");
	run_release(&r);
}

/* An answer that is there is not waited for. */
static void quick(void **state)
{
	static const struct fake_step script[] = {{"status", FAKE_RESULT, STATUS, 0}, {0}};
	int64_t best = INT64_MAX;

	NEED_FICQ();
	for (int i = 0; i < 5; i++) {
		int64_t start = clock_mono_ms();
		ask(script, "status -o csv", 0);
		if (clock_mono_ms() - start < best)
			best = clock_mono_ms() - start;
		run_release(&r);
	}
	if (best >= 150)
		fail_msg("the quickest of five took %d ms", (int)best);
}

static void full_disk(void **state)
{
	static const struct fake_step script[] = {{"status", FAKE_RESULT, STATUS, 0}, {0}};
	char command[512];
	struct fake f;

	NEED_FICQ();
	if (access("/dev/full", W_OK) < 0)
		skip_because("there is no /dev/full");
	fake_start(&f, script);
	snprintf(command, sizeof command, "%s -S %s status --json >/dev/full 2>/dev/null",
		 ficq_path(), f.socket);
	int status = system(command);
	fake_stop(&f);
	assert_int_equal(status >> 8, 74);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usage),
		cmocka_unit_test(help_and_version),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(query_formats),
		cmocka_unit_test(query_params),
		cmocka_unit_test(query_pages),
		cmocka_unit_test(query_streamed),
		cmocka_unit_test(query_cut_off),
		cmocka_unit_test(query_goes_on),
		cmocka_unit_test(fields_of_nothing),
		cmocka_unit_test(query_tells_of_more),
		cmocka_unit_test(query_goes_on_elsewhere),
		cmocka_unit_test(query_stuck),
		cmocka_unit_test(counts_in_groups),
		cmocka_unit_test(what_it_is_worth),
		cmocka_unit_test(get_and_thread),
		cmocka_unit_test(cache_commands),
		cmocka_unit_test(rpc_input),
		cmocka_unit_test(sync_runs),
		cmocka_unit_test(waiting),
		cmocka_unit_test(errors),
		cmocka_unit_test(planning),
		cmocka_unit_test(broken_answers),
		cmocka_unit_test(nonsense_results),
		cmocka_unit_test(other_protocol),
		cmocka_unit_test(slow),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
