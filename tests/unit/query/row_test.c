/* row: what a record looks like in an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <codec/json.h>
#include <codec/msgpack.h>
#include <query/row.h>

#include <stdio.h>

static const struct field fields[] = {
	{"state", FIELD_TEXT, "state", ""}, {"assignee", FIELD_TEXT, "admin_id", ""},
	{"body", FIELD_HTML, "body", ""},   {"waiting_since", FIELD_TIME, "waiting", ""},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const char doc_text[] =
	"{\"state\":\"open\",\"admin_id\":null,\"body\":\"<p>a &amp; b</p>\",\"waiting\":1700000000,"
	"\"statistics\":{\"reopens\":2},\"big\":18446744073709551615}";

static int make(enum projection_kind kind, const struct bytes *names, size_t count,
		struct projection **out, struct why *why)
{
	const struct projection_spec spec = {kind, "acme", "conversations", fields, names, count};

	return projection_new(&spec, out, why);
}

/* The row of a record as JSON. */
static void row_is(enum projection_kind kind, const char *const *names, const struct record *record,
		   const char *expected)
{
	struct bytes list[PROJECTION_NAMES_MAX];
	struct projection *p;
	struct buf doc = {0}, row = {0}, text = {0};
	struct record r = *record;
	struct why why;
	size_t n = 0;

	for (; names && names[n]; n++)
		list[n] = bytes_str(names[n]);
	if (r.doc.len == 0) {
		assert_int_equal(json_to_msgpack(bytes_str(doc_text), JSON_STRICT, &doc, &why), 0);
		r.doc = buf_bytes(&doc);
	}
	if (make(kind, list, n, &p, &why))
		fail_msg("%s", why.text);
	assert_int_equal(row_write(p, &r, &row), 0);
	assert_int_equal(mp_check(buf_bytes(&row)), 0);
	assert_int_equal(json_write(buf_bytes(&row), &text), 0);
	assert_string_equal(buf_text(&text), expected);
	projection_free(p);
	buf_release(&doc);
	buf_release(&row);
	buf_release(&text);
}

static struct record plain(void)
{
	return (struct record){.id = bytes_str("17"),
			       .created_ms = 1700000000000,
			       .updated_ms = 1700000000250,
			       .revision = 5};
}

static void the_summary(void **state)
{
	struct record r = plain();

	(void)state;
	row_is(PROJECTION_SUMMARY, NULL, &r,
	       "{\"source\":\"acme\",\"resource\":\"conversations\",\"id\":\"17\",\"created\":\"2023-11-14T22:13:20.000Z\","
	       "\"updated\":\"2023-11-14T22:13:20.250Z\",\"revision\":5,\"state\":\"open\",\"body\":\"a & b\","
	       "\"waiting_since\":\"2023-11-14T22:13:20.000Z\"}");
}

static void everything(void **state)
{
	struct record r = plain();

	(void)state;
	r.created_ms = r.updated_ms = TIME_NONE;
	r.parent = bytes_str("9");
	r.merged_into = bytes_str("18");
	r.flags = RECORD_DELETED | RECORD_MERGED | RECORD_TRUNCATED;
	row_is(PROJECTION_ALL, NULL, &r,
	       "{\"source\":\"acme\",\"resource\":\"conversations\",\"id\":\"17\",\"created\":null,\"updated\":null,\"revision\":5,"
	       "\"parent\":\"9\",\"deleted\":true,\"merged_into\":\"18\",\"truncated\":true,\"state\":\"open\",\"body\":\"a & b\","
	       "\"waiting_since\":\"2023-11-14T22:13:20.000Z\",\"doc\":{\"state\":\"open\",\"admin_id\":null,"
	       "\"body\":\"<p>a &amp; b</p>\",\"waiting\":1700000000,\"statistics\":{\"reopens\":2},\"big\":18446744073709551615}}");
}

static void a_tombstone_without_a_document(void **state)
{
	static const uint8_t nil = 0xc0;
	struct record r = plain();

	(void)state;
	r.flags = RECORD_DELETED;
	r.doc = bytes_of(&nil, 1);
	row_is(PROJECTION_ALL, NULL, &r,
	       "{\"source\":\"acme\",\"resource\":\"conversations\",\"id\":\"17\",\"created\":\"2023-11-14T22:13:20.000Z\","
	       "\"updated\":\"2023-11-14T22:13:20.250Z\",\"revision\":5,\"deleted\":true,\"doc\":null}");
}

static void names(void **state)
{
	static const char *const list[] = {"state",
					   "doc.statistics.reopens",
					   "id",
					   "created",
					   "assignee",
					   "state",
					   "doc.nothing",
					   "parent",
					   "statistics.reopens",
					   NULL};
	static const char *const doc[] = {"doc", NULL};
	static const char *const none[] = {NULL};
	struct record r = plain();

	(void)state;
	r.flags = RECORD_TRUNCATED;
	row_is(PROJECTION_NAMED, list, &r,
	       "{\"source\":\"acme\",\"resource\":\"conversations\",\"id\":\"17\",\"truncated\":true,\"state\":\"open\","
	       "\"doc.statistics.reopens\":2,\"created\":\"2023-11-14T22:13:20.000Z\",\"assignee\":null,\"doc.nothing\":null,"
	       "\"parent\":null,\"statistics.reopens\":2}");
	r.flags = 0;
	row_is(PROJECTION_NAMED, doc, &r,
	       "{\"source\":\"acme\",\"resource\":\"conversations\",\"id\":\"17\",\"doc\":{\"state\":\"open\",\"admin_id\":null,"
	       "\"body\":\"<p>a &amp; b</p>\",\"waiting\":1700000000,\"statistics\":{\"reopens\":2},\"big\":18446744073709551615}}");
	row_is(PROJECTION_NAMED, none, &r,
	       "{\"source\":\"acme\",\"resource\":\"conversations\",\"id\":\"17\"}");
}

static void names_that_are_refused(void **state)
{
	struct bytes many[PROJECTION_NAMES_MAX + 1];
	char text[PROJECTION_NAMES_MAX + 1][16];
	struct bytes one = bytes_str("stat");
	struct projection *p = NULL;
	struct why why;

	(void)state;
	assert_int_equal(make(PROJECTION_NAMED, &one, 1, &p, &why), ERR_NOTFOUND);
	assert_non_null(strstr(why.text, "did you mean state?"));
	one = bytes_str("doc..x");
	assert_int_equal(make(PROJECTION_NAMED, &one, 1, &p, &why), ERR_INVALID);
	for (size_t i = 0; i <= PROJECTION_NAMES_MAX; i++) {
		snprintf(text[i], sizeof text[i], "doc.x%zu", i);
		many[i] = bytes_str(text[i]);
	}
	assert_int_equal(make(PROJECTION_NAMED, many, PROJECTION_NAMES_MAX + 1, &p, &why), ERR_LIMIT);
	assert_null(p);
}

/* Nothing is left in the buffer of a row that could not be finished. */
static void a_damaged_document_leaves_no_row(void **state)
{
	static const uint8_t cut[] = {0x81, 0xa5, 's', 't'};
	struct record r = plain();
	struct projection *p;
	struct buf out = {0};
	struct why why;

	(void)state;
	r.doc = bytes_of(cut, sizeof cut);
	buf_put_str(&out, "x");
	assert_int_equal(make(PROJECTION_SUMMARY, NULL, 0, &p, &why), 0);
	assert_int_equal(row_write(p, &r, &out), ERR_CORRUPT);
	assert_int_equal(out.len, 1);
	buf_release(&out);
	buf_init(&out, 40);
	r.doc = bytes_of(NULL, 0);
	assert_int_equal(row_write(p, &r, &out), ERR_LIMIT);
	assert_int_equal(out.len, 0);
	buf_release(&out);
	projection_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_summary),
		cmocka_unit_test(everything),
		cmocka_unit_test(a_tombstone_without_a_document),
		cmocka_unit_test(names),
		cmocka_unit_test(names_that_are_refused),
		cmocka_unit_test(a_damaged_document_leaves_no_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
