/*
 * field_test: values found by path and read by type, and names resolved.
 */
#include <model/field.h>

#include <codec/json.h>
#include <codec/msgpack.h>

#include <stdarg.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

static const char document[] =
	"{\"id\": 123, \"big\": 18446744073709551615, \"title\": null, \"subject\": \"Hi\", \"open\": true, \"count\": \"42\", \"half\": 0.5,"
	" \"created_at\": 1734652800, \"sent_at\": 1734652800.123, \"iso\": \"2024-12-20T00:00:00Z\", \"body\": \"<p>a &amp; b</p><br>c\","
	" \"tags\": {\"tags\": [{\"name\": \"vip\", \"id\": 1}, {\"name\": null}, {\"id\": 3}, {\"name\": \"new\", \"id\": 2}]},"
	" \"flat\": [\"a\", 2, null, {\"x\": 1}], \"none\": [], \"stats\": {\"reopens\": 3, \"a.b\": 7}, \"one\": 1, \"word\": \"abc\","
	" \"real\": 3.0, \"deep\": [[{\"v\": [1, 2]}], [{\"v\": [3]}, {}]], \"url\": \"https://h/contacts/crd_1?x=/y#z\","
	" \"zero\": 0, \"zero_text\": \"0\", \"empty\": \"\", \"zeros\": [0, 7, \"0\", \"00\"],"
	" \"urls\": [\"/a\", \"https://h/\", null, \"b\"]}";

static struct buf doc;

static int setup(void **state)
{
	(void)state;
	return json_to_msgpack(bytes_str(document), JSON_STRICT, &doc, NULL);
}

static int teardown(void **state)
{
	(void)state;
	buf_release(&doc);
	return 0;
}

static const struct row {
	enum field_type type;
	const char *path;
	const char *json; /* NULL: no value */
} rows[] = {
	{FIELD_TEXT, "id", "\"123\""},
	{FIELD_TEXT, "big", "\"18446744073709551615\""},
	{FIELD_TEXT, "subject", "\"Hi\""},
	{FIELD_TEXT, "open", "\"true\""},
	{FIELD_TEXT, "half", "\"0.5\""},
	{FIELD_TEXT, "real", "\"3\""},
	{FIELD_TEXT, "title", NULL},
	{FIELD_TEXT, "missing", NULL},
	{FIELD_TEXT, "tags", NULL}, /* an object is no text */
	{FIELD_TEXT, "title|subject", "\"Hi\""},
	/* conditions, stars with one, ends of addresses, plain text */
	{FIELD_TEXT, "?word=abc?=\xa3yes|=\xa2no", "\"yes\""},
	{FIELD_TEXT, "?word=ab?=\xa3yes|=\xa2no", "\"no\""},
	{FIELD_TEXT, "?open=true,flat.0?=\xa3yes|subject", "\"yes\""},
	{FIELD_TEXT, "?open=true,none.0?=\xa3yes|subject", "\"Hi\""},
	{FIELD_TEXT, "?title?=\xa3yes", NULL},
	{FIELD_TEXT, "?title=?=\xa3yes", NULL},
	{FIELD_TEXT, "?id=123?word", "\"abc\""},
	{FIELD_TEXT, "?", NULL},
	{FIELD_TEXT, "?missing?", NULL},
	{FIELD_TEXT, "tags.tags.*(id=2).name", "\"new\""},
	{FIELD_TEXT, "tags.tags.*(id=9).name", NULL},
	{FIELD_LIST, "tags.tags.*(name).id", "[\"1\",\"2\"]"},
	{FIELD_LIST, "tags.tags.*(name,id=1).name", "[\"vip\"]"},
	{FIELD_TEXT, "url#", "\"crd_1\""},
	{FIELD_TEXT, "id!", "\"123\""},
	{FIELD_TEXT, "zero!", NULL},
	{FIELD_TEXT, "zero_text!", NULL},
	{FIELD_TEXT, "empty!", NULL},
	{FIELD_TEXT, "title!", NULL},
	{FIELD_TEXT, "zero", "\"0\""},
	{FIELD_LIST, "zeros!", "[\"7\",\"00\"]"},
	{FIELD_LIST, "urls.*#", "[\"a\",\"b\"]"},
	{FIELD_TEXT, "id#", "\"123\""},
	{FIELD_HTML, "body~", "\"<p>a &amp; b</p><br>c\""},
	{FIELD_HTML, "?word=x?body~|body", "\"a & b\\n\\nc\""},
	{FIELD_TEXT, "missing|title|id", "\"123\""},
	{FIELD_TEXT, "missing|title", NULL},
	{FIELD_TEXT, "tags.tags.0.name", "\"vip\""},
	{FIELD_TEXT, "tags.tags.*.name", "\"vip\""}, /* the first */
	{FIELD_INTEGER, "id", "123"},
	{FIELD_INTEGER, "count", "42"},
	{FIELD_INTEGER, "real", "3"},
	{FIELD_INTEGER, "half", NULL},
	{FIELD_INTEGER, "word", NULL},
	{FIELD_INTEGER, "open", NULL},
	{FIELD_REAL, "half", "0.5"},
	{FIELD_REAL, "id", "123"},
	{FIELD_REAL, "count", "42"},
	{FIELD_BOOL, "open", "true"},
	{FIELD_BOOL, "one", "true"},
	{FIELD_BOOL, "id", NULL},
	{FIELD_BOOL, "word", NULL},
	{FIELD_TIME, "created_at", "\"2024-12-20T00:00:00.000Z\""},
	{FIELD_TIME, "sent_at", "\"2024-12-20T00:00:00.123Z\""},
	{FIELD_TIME, "iso", "\"2024-12-20T00:00:00.000Z\""},
	{FIELD_TIME, "word", NULL},
	{FIELD_TIME, "big", NULL},
	{FIELD_LIST, "tags.tags.*.name", "[\"vip\",\"new\"]"},
	{FIELD_LIST, "tags.tags.*.id", "[\"1\",\"3\",\"2\"]"},
	{FIELD_LIST, "flat", "[\"a\",\"2\"]"},
	{FIELD_LIST, "subject", "[\"Hi\"]"},
	{FIELD_LIST, "none", NULL},
	{FIELD_LIST, "missing.*.x|flat", "[\"a\",\"2\"]"},
	{FIELD_LIST, "subject.*.x", NULL}, /* not an array */
	{FIELD_LIST, "deep.*.*.v.*", "[\"1\",\"2\",\"3\"]"},
	{FIELD_LIST, "deep.*.*.v", "[\"1\",\"2\",\"3\"]"},
	{FIELD_HTML, "body", "\"a & b\\n\\nc\""},
	{FIELD_HTML, "id", "\"123\""},
	{FIELD_HTML, "title", NULL},
	{FIELD_ANY, "stats", "{\"reopens\":3,\"a.b\":7}"},
	{FIELD_ANY, "stats.reopens", "3"},
	{FIELD_ANY, "stats.a.b", "7"},
	{FIELD_ANY, "none", "[]"},
	{FIELD_ANY, "title", NULL},
	{FIELD_ANY, "title|subject", NULL}, /* a bar is a letter in a raw path */
	{FIELD_ANY, "tags.tags.*.id", "[1,3,2]"},
	{FIELD_ANY, "missing.*", "[]"},
	{FIELD_TEXT, "missing|=\xa6source", "\"source\""}, /* a constant */
	{FIELD_TEXT, "subject|=\xa6source", "\"Hi\""},
	{FIELD_ANY, "=\xa6source", NULL}, /* but not where a question says so */
	{FIELD_ANY, "=\xc1", NULL},
};

static void test_rows(void **state)
{
	struct buf out = {0}, json = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct field f = {"f", rows[i].type, rows[i].path, NULL};
		buf_reset(&out);
		buf_reset(&json);
		int rc = field_value(&f, buf_bytes(&doc), &out);
		assert_int_equal(mp_check(buf_bytes(&out)), 0);
		assert_int_equal(json_write(buf_bytes(&out), &json), 0);
		if (rc != (rows[i].json != NULL) ||
		    strcmp(buf_text(&json), rows[i].json ? rows[i].json : "null") != 0)
			fail_msg("%s as %s: %d %s", rows[i].path, field_type_name(rows[i].type), rc,
				 buf_text(&json));
	}
	buf_release(&out);
	buf_release(&json);
}

/* An outline changes no answer, nor does the short way of plain fields. */
static void test_outlined(void **state)
{
	const struct record r = {.doc = buf_bytes(&doc)};
	struct buf plain = {0}, out = {0};
	struct mp_outline outline;
	size_t plain_fields = 0, i = 0;

	(void)state;
	mp_outline(r.doc, &outline);
	assert_true(outline.outer.count > 0);
	for (; i < sizeof rows / sizeof *rows; i++) {
		struct field f = {"f", rows[i].type, rows[i].path, NULL};
		buf_reset(&plain);
		int rc = record_value(&r, &f, &plain);
		plain_fields += field_is_plain(&f);
		for (int way = 0; way <= field_is_plain(&f); way++) {
			buf_reset(&out);
			assert_int_equal(record_value_in(&r, &outline, &f, way, &out), rc);
			assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&plain)));
		}
	}
	assert_in_range(plain_fields, 1, i - 1);
	buf_release(&plain);
	buf_release(&out);
}

/* An index keeps the value, and shows what the document would have. */
static void test_stored(void **state)
{
	struct buf direct = {0}, stored = {0}, shown = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct field f = {"f", rows[i].type, rows[i].path, NULL};
		if (f.type == FIELD_ANY)
			continue;
		buf_reset(&direct);
		buf_reset(&stored);
		buf_reset(&shown);
		int rc = field_value(&f, buf_bytes(&doc), &direct);
		assert_int_equal(field_stored(&f, buf_bytes(&doc), &stored), rc);
		assert_int_equal(field_shown(&f, buf_bytes(&stored), &shown), rc);
		assert_true(bytes_equal(buf_bytes(&shown), buf_bytes(&direct)));
		if (f.type == FIELD_TIME && rc == 1) {
			struct mp_value v;
			assert_true(mp_get(buf_bytes(&stored), &v) && v.type == MP_INT);
		}
	}
	buf_release(&direct);
	buf_release(&stored);
	buf_release(&shown);
}

static void test_damaged_document(void **state)
{
	struct field f = {"f", FIELD_LIST, "tags.tags.*.name|deep.*.*.v.*", NULL};

	(void)state;
	for (size_t cut = 1; cut < doc.len; cut++) {
		struct buf out = {0};
		uint8_t *copy = malloc(cut);
		memcpy(copy, doc.data, cut);
		int rc = field_value(&f, bytes_of(copy, cut), &out);
		assert_true(rc == 0 || rc == 1 || rc == ERR_CORRUPT);
		free(copy);
		buf_release(&out);
	}
	struct buf out = {0};
	assert_int_equal(field_value(&f, bytes_of(NULL, 0), &out), 0);
	buf_release(&out);
}

static void test_envelope(void **state)
{
	struct record r = {.id = bytes_str("7"),
			   .created_ms = 1734652800000,
			   .updated_ms = TIME_NONE,
			   .revision = 12,
			   .flags = RECORD_DELETED};
	static const struct {
		const char *name;
		const char *json;
	} values[] = {
		{"id", "\"7\""},        {"created", "\"2024-12-20T00:00:00.000Z\""},
		{"updated", "null"},    {"parent", "null"},
		{"revision", "12"},     {"deleted", "true"},
		{"truncated", "false"}, {"merged_into", "null"},
	};
	size_t n = 0;

	(void)state;
	for (; envelope_fields[n].name; n++) {
		struct buf out = {0}, json = {0};
		assert_string_equal(envelope_fields[n].name, values[n].name);
		int rc = record_value(&r, &envelope_fields[n], &out);
		assert_int_equal(json_write(buf_bytes(&out), &json), 0);
		assert_string_equal(buf_text(&json), values[n].json);
		assert_int_equal(rc, strcmp(values[n].json, "null") != 0);
		buf_release(&out);
		buf_release(&json);
	}
	assert_int_equal(n, sizeof values / sizeof *values);
}

static const struct field table[] = {
	{"state", FIELD_TEXT, "state", NULL},
	{"assignee", FIELD_TEXT, "admin.email|admin.id", NULL},
	{"created", FIELD_TEXT, "wrong", NULL}, /* the envelope's goes first */
	{NULL, FIELD_TEXT, NULL, NULL},
};

static void test_resolve(void **state)
{
	struct arena a = {0};
	const struct field *f;
	struct why why;

	(void)state;
	assert_int_equal(field_resolve(bytes_str("state"), table, &a, &f, &why), 0);
	assert_ptr_equal(f, &table[0]);
	assert_int_equal(field_resolve(bytes_str("created"), table, &a, &f, &why), 0);
	assert_int_equal(f->type, FIELD_TIME);
	assert_int_equal(field_resolve(bytes_str("doc.state"), table, &a, &f, &why), 0);
	assert_int_equal(f->type, FIELD_ANY);
	assert_string_equal(f->path, "state");
	assert_string_equal(f->name, "doc.state");
	assert_int_equal(field_resolve(bytes_str("stats.reopens"), NULL, &a, &f, &why), 0);
	assert_string_equal(f->path, "stats.reopens");
	f = NULL;
	assert_int_equal(field_resolve(bytes_str("asignee"), table, &a, &f, &why), ERR_NOTFOUND);
	assert_non_null(strstr(why.text, "did you mean assignee?"));
	assert_int_equal(field_resolve(bytes_str("xyzzy"), table, &a, &f, &why), ERR_NOTFOUND);
	assert_non_null(strstr(why.text, "doc."));
	static const char *const bad[] = {"doc.", ".a", "a.", "a..b", "doc..", "*.*.*.*.*.*.*.*.*"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(field_resolve(bytes_str(bad[i]), table, &a, &f, &why), ERR_INVALID);
	assert_int_equal(field_resolve(bytes_of("a.\0b", 4), table, &a, &f, &why), ERR_INVALID);
	assert_int_equal(field_resolve(bytes_str(""), table, &a, &f, &why), ERR_NOTFOUND);
	assert_int_equal(field_resolve(bytes_str("doc"), table, &a, &f, &why), ERR_NOTFOUND);
	assert_null(f);
	struct arena full = {.max = 1};
	assert_int_equal(field_resolve(bytes_str("a.b"), table, &full, &f, &why), ERR_NOMEM);
	arena_release(&a);
	arena_release(&full);
}

static bool note_text(void *ctx, struct bytes text)
{
	struct buf *all = ctx;

	buf_put_bytes(all, text);
	buf_put_byte(all, ' ');
	return bytes_is(text, "stop");
}

static void test_texts(void **state)
{
	static const uint8_t list[] = "\x94\xa1x\x2a\x91\xa4stop\xa1y";
	struct buf all = {0};

	(void)state;
	assert_true(field_texts(bytes_of(list, sizeof list - 1), note_text, &all));
	assert_string_equal(buf_text(&all), "x 42 stop ");
	buf_reset(&all);
	assert_false(field_texts(bytes_of("\x92\xa1x\x2a", 4), note_text, &all));
	assert_string_equal(buf_text(&all), "x 42 ");
	assert_false(field_texts(bytes_of(NULL, 0), note_text, &all));
	buf_release(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),     cmocka_unit_test(test_outlined),
		cmocka_unit_test(test_stored),   cmocka_unit_test(test_damaged_document),
		cmocka_unit_test(test_envelope), cmocka_unit_test(test_texts),
		cmocka_unit_test(test_resolve),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
