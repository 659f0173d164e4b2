/* rows, cell, table: values as people and as programs read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <codec/json.h>
#include <codec/msgpack.h>

#include "rows.h"
#include "text.h"

#define NOW INT64_C(1795168295000) /* 2026-11-20T09:51:35Z */

static const struct show show = {.now_ms = NOW, .utf8 = true};
static const struct table_look look = {.width = 80, .header = true};

static void mp_of(const char *json, struct buf *out)
{
	struct why why;

	buf_reset(out);
	assert_int_equal(json_to_msgpack(bytes_str(json), JSON_STRICT, out, &why), 0);
}

static void assert_shown(const char *json, enum cell_kind kind, const char *expected)
{
	struct buf value = {0}, out = {0};

	mp_of(json, &value);
	cell_show(&out, &show, buf_bytes(&value), kind);
	assert_string_equal(buf_text(&out), expected);
	buf_release(&value);
	buf_release(&out);
}

/* What was found: in colour, between marks, or between brackets, never as a control of the text's own. */
static void snippets(void **state)
{
	static const char json[] = "\"a \u27e6re\\u001bfund\u27e7 now\"";
	struct show as = show;
	struct columns columns = {0};
	struct buf value = {0}, out = {0}, row = {0};
	struct rows rows;

	(void)state;
	assert_shown("\"a \u27e6refund\u27e7 now\"", CELL_SNIPPET,
		     "a \xe2\x9f\xa6refund\xe2\x9f\xa7 now");
	mp_of(json, &value);
	as.ascii = true;
	cell_show(&out, &as, buf_bytes(&value), CELL_SNIPPET);
	assert_null(strchr(buf_text(&out), 0x1b));
	assert_int_equal(strncmp(buf_text(&out), "a [re", 5), 0);
	columns_add_snippet(&columns, false);
	as = show;
	as.color = true;
	struct table_look colored = look;
	colored.color = true;
	colored.header = false;
	rows_begin(&rows, FORMAT_TABLE, &columns, &as, &colored);
	mp_of("{\"snippet\": \"a \u27e6refund\u27e7 now\"}", &row);
	buf_reset(&out);
	rows_add(&rows, buf_bytes(&row), &out);
	rows_page(&rows, &out);
	assert_string_equal(buf_text(&out), "a \x1b[33mrefund\x1b[0m now\n");
	rows_release(&rows);
	/* Where there is little room, what was found is what is shown. */
	colored.width = 20;
	rows_begin(&rows, FORMAT_TABLE, &columns, &as, &colored);
	mp_of("{\"snippet\": \"there are many words before the \u27e6refund\u27e7 of all\"}", &row);
	buf_reset(&out);
	rows_add(&rows, buf_bytes(&row), &out);
	rows_page(&rows, &out);
	assert_string_equal(buf_text(&out), "…the \x1b[33mrefund\x1b[0m of all\n");
	rows_release(&rows);
	rows_begin(&rows, FORMAT_TABLE, &columns, &show, &(struct table_look){.width = 20});
	buf_reset(&out);
	rows_add(&rows, buf_bytes(&row), &out);
	rows_page(&rows, &out);
	assert_string_equal(buf_text(&out), "…the ⟦refund⟧ of all\n");
	rows_release(&rows);
	buf_release(&value);
	buf_release(&out);
	buf_release(&row);
}

static void cells(void **state)
{
	(void)state;
	assert_shown("null", CELL_TEXT, "");
	assert_shown("\"a\\u001bb\\nc\"", CELL_TEXT,
		     "a\xef\xbf\xbd"
		     "b c");
	assert_shown("true", CELL_TEXT, "yes");
	assert_shown("false", CELL_TEXT, "no");
	assert_shown("false", CELL_YES, "");
	assert_shown("1234567", CELL_NUMBER, "1,234,567");
	assert_shown("-1234", CELL_NUMBER, "-1,234");
	assert_shown("123", CELL_NUMBER, "123");
	assert_shown("1234567", CELL_TEXT, "1234567");
	assert_shown("18446744073709551615", CELL_TEXT, "18446744073709551615");
	assert_shown("1.5", CELL_TEXT, "1.5");
	assert_shown("0.97399", CELL_RATIO, "97.3 %");
	assert_shown("0.99999", CELL_RATIO, "99.9 %");
	assert_shown("0.00001", CELL_RATIO, "0.1 %");
	assert_shown("0", CELL_RATIO, "0.0 %");
	assert_shown("1", CELL_RATIO, "100 %");
	assert_shown("1023", CELL_BYTES, "1023 B");
	assert_shown("1536", CELL_BYTES, "1.5 KiB");
	assert_shown("52428800", CELL_BYTES, "50.0 MiB");
	assert_shown("850", CELL_MILLIS, "850 ms");
	assert_shown("2400", CELL_MILLIS, "2.4 s");
	assert_shown("200000", CELL_MILLIS, "3 min 20 s");
	assert_shown("7500000", CELL_MILLIS, "2 h 5 min");
	assert_shown("[\"vip\",\"a\\tb\",[1,2]]", CELL_TEXT, "vip, a b, 1, 2");
	assert_shown("{\"a\":[1,null]}", CELL_TEXT, "{\"a\":[1,null]}");
	assert_shown("\"2026-11-20T09:48:35Z\"", CELL_AGO, "3 min ago");
	assert_shown("\"2026-11-20T09:48:35Z\"", CELL_TIME, "2026-11-20 09:48 +0000");
	assert_shown("\"not a time\\u0007\"", CELL_TIME, "not a time\xef\xbf\xbd");
}

static void json_lines(void **state)
{
	struct buf value = {0}, out = {0};

	(void)state;
	mp_of("{\"a\":\"x\\u009by\\u007f\\u001b\",\"b\":\"caf\\u00e9\"}", &value);
	assert_int_equal(cell_json(&out, buf_bytes(&value)), 0);
	assert_string_equal(buf_text(&out),
			    "{\"a\":\"x\\u009by\\u007f\\u001b\",\"b\":\"caf\xc3\xa9\"}");
	buf_release(&value);
	buf_release(&out);
}

static const char rows_json[] =
	"[{\"id\":\"1\",\"name\":\"plain\",\"n\":5,\"doc\":{\"a\":{\"b\":7}}},"
	"{\"id\":\"2\",\"name\":\"with, comma and \\\"quotes\\\"\",\"n\":null},"
	"{\"id\":\"3\",\"name\":\"two\\nlines\\tand \\\\\",\"n\":-1.5,\"doc.a.b\":\"flat\"},"
	"{\"id\":\"4\",\"name\":\" spaced\",\"n\":[1,\"x\"]}, 17]";

static char *print(enum format format, const char *fields, const struct table_look *l, bool guard)
{
	struct buf value = {0}, out = {0};
	struct columns columns;
	struct mp_value head;
	struct bytes row;
	struct rows r;

	mp_of(rows_json, &value);
	assert_int_equal(columns_of_fields(&columns, fields), 0);
	rows_begin(&r, format, &columns, &show, l);
	r.guard = guard;
	struct mp_reader reader = mp_reader_of(buf_bytes(&value));
	assert_int_equal(mp_next(&reader, &head), 1);
	while (mp_take(&reader, &row) == 1)
		rows_add(&r, row, &out);
	rows_page(&r, &out);
	rows_release(&r);
	columns_release(&columns);
	char *text = strdup(buf_text(&out));
	buf_release(&value);
	buf_release(&out);
	return text;
}

static void assert_printed(enum format format, const char *fields, const struct table_look *l,
			   bool guard, const char *expected)
{
	char *text = print(format, fields, l, guard);

	assert_string_equal(text, expected);
	free(text);
}

static void csv(void **state)
{
	struct table_look bare = look;

	(void)state;
	assert_printed(FORMAT_CSV, "id,name,n,doc.a.b", &look, false,
		       "id,name,n,doc.a.b\n1,plain,5,7\n2,\"with, comma and \"\"quotes\"\"\",,\n3,\"two\nlines\tand \\\",-1.5,flat\n"
		       "4,\" spaced\",1;x,\n");
	bare.header = false;
	assert_printed(FORMAT_CSV, "id", &bare, false, "1\n2\n3\n4\n");
}

static void tsv(void **state)
{
	(void)state;
	assert_printed(
		FORMAT_TSV, "id,name,n", &look, false,
		"id\tname\tn\n1\tplain\t5\n2\twith, comma and \"quotes\"\t\n3\ttwo\\nlines\\tand \\\\\t-1.5\n4\t spaced\t1;x\n");
}

static void ndjson(void **state)
{
	char *text = print(FORMAT_NDJSON, "id", &look, false);

	(void)state;
	/* whole rows: what is in them was the question's choice */
	assert_non_null(strstr(
		text, "{\"id\":\"2\",\"name\":\"with, comma and \\\"quotes\\\"\",\"n\":null}\n"));
	free(text);
}

static void table(void **state)
{
	struct table_look narrow = look;

	(void)state;
	assert_printed(FORMAT_TABLE, "id,name,n", &look, false,
		       "ID  NAME                      N\n1   plain                     5\n2   with, comma and \"quotes\"\n"
		       "3   two lines and \\           -1.5\n4    spaced                   1, x\n");
	narrow.width = 24;
	assert_printed(
		FORMAT_TABLE, "id,name,n", &narrow, false,
		"ID  NAME            N\n1   plain           5\n2   with, comma a…\n3   two lines and…  -1.5\n4    spaced         1, x\n");
	narrow.ascii = true;
	narrow.header = false;
	assert_printed(FORMAT_TABLE, "name", &narrow, false,
		       "plain\nwith, comma and \"quotes\"\ntwo lines and \\\n spaced\n");
}

/* Whatever the widths: no line is wider than the terminal while columns can give way. */
static void table_fits(void **state)
{
	(void)state;
	for (size_t width = 20; width < 60; width++) {
		struct table_look l = look;
		l.width = width;
		char *text = print(FORMAT_TABLE, "id,name,n,doc.a.b", &l, false), *save = NULL;
		for (char *line = strtok_r(text, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			assert_true(text_width(bytes_str(line)) <= (width < 22 ? 22 : width));
		free(text);
	}
}

static void fields(void **state)
{
	struct columns c;
	struct buf many = {0};

	(void)state;
	assert_int_equal(columns_of_fields(&c, ",,"), ERR_SYNTAX);
	columns_release(&c);
	assert_int_equal(columns_of_fields(&c, "id,,updated"), 0);
	assert_int_equal(c.count, 2);
	assert_string_equal(c.items[1].title, "UPDATED");
	assert_int_equal(c.items[1].kind, CELL_TIME);
	columns_release(&c);
	for (int i = 0; i < 70; i++)
		buf_put_str(&many, "x,");
	assert_int_equal(columns_of_fields(&c, buf_text(&many)), ERR_LIMIT);
	columns_release(&c);
	buf_release(&many);
}

static void put_rows(struct rows *rows, const char *json, const char *expected)
{
	struct buf row = {0}, out = {0};

	mp_of(json, &row);
	rows_add(rows, buf_bytes(&row), &out);
	assert_string_equal(buf_text(&out), expected);
	rows_release(rows);
	buf_release(&row);
	buf_release(&out);
}

/* Texts that would be formulas are none; numbers stay numbers. */
static void spreadsheet(void **state)
{
	struct columns columns;
	struct rows rows;

	(void)state;
	assert_int_equal(columns_of_fields(&columns, "a,b,c,d,e,f,g"), 0);
	rows_begin(&rows, FORMAT_CSV, &columns, &show, &look);
	rows.spreadsheet = true;
	put_rows(&rows,
		 "{\"a\":\"=1+1\",\"b\":\"+49 30\",\"c\":-5,\"d\":\"-5\",\"e\":\"@SUM(A1,B1)\",\"f\":[\"\\tx\"],\"g\":\"a=b\"}",
		 "\xef\xbb\xbf"
		 "a,b,c,d,e,f,g\r\n'=1+1,'+49 30,-5,'-5,\"'@SUM(A1,B1)\",'\tx,a=b\r\n");
	rows_begin(&rows, FORMAT_CSV, &columns, &show, &look);
	put_rows(&rows, "{\"a\":\"=1+1\",\"c\":-5}", "a,b,c,d,e,f,g\n=1+1,,-5,,,,\n");
	columns_release(&columns);
}

static void columns_that_are_sorted_by(void **state)
{
	struct columns c;

	(void)state;
	columns_of_resource(&c, "conversations");
	size_t count = c.count;
	/* shown already: nothing changes */
	assert_int_equal(columns_show(&c, "updated"), 0);
	assert_null(c.names);
	/* there but hidden */
	assert_int_equal(columns_show(&c, "priority"), 0);
	assert_int_equal(c.count, count);
	assert_string_equal(c.items[5].title, "PRIORITY");
	columns_release(&c);
	/* new: before the long one */
	columns_of_resource(&c, "conversations");
	assert_int_equal(columns_show(&c, "waiting_since"), 0);
	assert_int_equal(c.count, count + 1);
	assert_string_equal(c.items[count - 1].path, "waiting_since");
	assert_string_equal(c.items[count - 1].title, "WAITING_SINCE");
	assert_int_equal(c.items[count - 1].kind, CELL_TIME);
	assert_string_equal(c.items[count].path, "subject");
	columns_release(&c);
}

/* Ids of admins and teams as names, where they are known. */
static void names_of_ids(void **state)
{
	struct show s = show;
	struct names names = {0};
	struct buf rows = {0}, out = {0}, value = {0};
	struct bytes name;
	char json[64];

	(void)state;
	assert_false(names_find(NULL, NAMES_TEAMS, bytes_of(NULL, 0), bytes_str("7"), &name));
	buf_put_byte(&out, '[');
	for (int i = 300; i > 0; i--) {
		snprintf(json, sizeof json, "{\"id\":\"%d\",\"name\":\"N%d\"},", i * 7919 % 1000, i);
		buf_put_str(&out, json);
	}
	buf_put_str(&out, "3,{\"id\":1},{\"name\":\"x\"}]");
	mp_of(buf_text(&out), &rows);
	names_take(&names, NAMES_TEAMS, buf_bytes(&rows));
	assert_int_equal(names.count[NAMES_TEAMS], 300);
	for (int i = 1; i <= 300; i++) {
		char id[16], expected[16];
		snprintf(id, sizeof id, "%d", i * 7919 % 1000);
		snprintf(expected, sizeof expected, "N%d", i);
		assert_true(names_find(&names, NAMES_TEAMS, bytes_of(NULL, 0), bytes_str(id), &name));
		assert_true(bytes_is(name, expected));
	}
	assert_false(names_find(&names, NAMES_ADMINS, bytes_of(NULL, 0), bytes_str("919"), &name));
	assert_false(names_find(&names, NAMES_TEAMS, bytes_of(NULL, 0), bytes_str("x"), &name));
	s.names = &names;
	for (int i = 0; i < 3; i++) {
		static const char *const shown[][2] = {
			{"\"919\"", "N1"}, {"\"0\"", "none"}, {"\"nobody\"", "nobody"}};
		buf_reset(&out);
		mp_of(shown[i][0], &value);
		cell_show(&out, &s, buf_bytes(&value), CELL_TEAM);
		assert_string_equal(buf_text(&out), shown[i][1]);
	}
	names_take(&names, NAMES_ADMINS, bytes_of(NULL, 0));
	names_release(&names);
	buf_release(&rows);
	buf_release(&out);
	buf_release(&value);
}

/* Two sources may have one id for two people. */
static void names_belong_to_a_source(void **state)
{
	static const char *const rows[][2] = {
		{"{\"source\":\"acme\",\"assignee\":\"7\"}", "Ines"},
		{"{\"source\":\"beta\",\"assignee\":\"7\"}", "Bob"},
		{"{\"source\":\"gamma\",\"assignee\":\"7\"}", "7"},
		{"{\"assignee\":\"7\"}", "7"},
		{"{\"source\":\"beta\",\"assignee\":\"8\"}", "Cy"},
		{"{\"assignee\":\"8\"}", "Cy"},
		{"{\"assignee\":\"9\"}", "Dee"},
		{"{\"source\":\"acme\",\"assignee\":\"9\"}", "9"},
	};
	struct names names = {0};
	struct show s = {.names = &names};
	struct buf held = {0}, row = {0}, out = {0};

	(void)state;
	mp_of("[{\"source\":\"acme\",\"id\":\"7\",\"name\":\"Ines\"},{\"source\":\"beta\",\"id\":\"7\",\"name\":\"Bob\"},"
	      "{\"source\":\"beta\",\"id\":\"8\",\"name\":\"Cy\"},{\"source\":\"acme\",\"id\":\"8\",\"name\":\"Cy\"},"
	      "{\"source\":\"beta\",\"id\":\"9\",\"name\":\"Dee\"}]",
	      &held);
	names_take(&names, NAMES_ADMINS, buf_bytes(&held));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		buf_reset(&out);
		buf_reset(&row);
		mp_of(rows[i][0], &row);
		member_show(&out, &s, buf_bytes(&row), "assignee", CELL_ADMIN);
		assert_string_equal(buf_text(&out), rows[i][1]);
	}
	names_release(&names);
	buf_release(&held);
	buf_release(&row);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snippets),
		cmocka_unit_test(cells),
		cmocka_unit_test(json_lines),
		cmocka_unit_test(csv),
		cmocka_unit_test(tsv),
		cmocka_unit_test(ndjson),
		cmocka_unit_test(table),
		cmocka_unit_test(table_fits),
		cmocka_unit_test(fields),
		cmocka_unit_test(spreadsheet),
		cmocka_unit_test(names_of_ids),
		cmocka_unit_test(names_belong_to_a_source),
		cmocka_unit_test(columns_that_are_sorted_by),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
