/*
 * A record's columns are what its fields say of the whole document, whatever the document is like: parts of it are all that each field is shown.
 *
 * STORE_TEST_SEED makes them other documents.
 */
#include "support/lab.h"

#include "extract.h"

#include <codec/msgpack.h>

#include <stdlib.h>

#define DOCUMENTS 20000
#define DEPTH     3u

static const struct field fields[] = {
	{"top", FIELD_TEXT, "a", NULL},
	{"below", FIELD_TEXT, "a.b", NULL},
	{"deep", FIELD_TEXT, "a.b.c", NULL},
	{"first", FIELD_TEXT, "a.c|b.a|c", NULL},
	{"constant", FIELD_TEXT, "b.b|=\xa1x", NULL},
	{"both", FIELD_TEXT, "b.c|b", NULL},
	{"number", FIELD_INTEGER, "c.a", NULL},
	{"items", FIELD_LIST, "d.*.a", NULL},
	{"deep_items", FIELD_LIST, "c.d.*.b", NULL},
	{"list", FIELD_LIST, "b.d", NULL},
	{"guarded", FIELD_TEXT, "?a.c=x,b.a?c.c|d.0", NULL},
	{"guarded_constant", FIELD_TEXT, "?d.1.a?=\xa1y|a.d", NULL},
};
#define FIELDS (sizeof fields / sizeof *fields)

static uint64_t seed = 1;

static unsigned below(unsigned n)
{
	return (unsigned)(lab_random(&seed) % n);
}

static void put_map(struct buf *out, unsigned depth);

static void put_value(struct buf *out, unsigned depth)
{
	switch (below(depth < DEPTH ? 7 : 4)) {
	case 0: mp_put_nil(out); break;
	case 1: mp_put_cstr(out, "x"); break;
	case 2: mp_put_cstr(out, "another text"); break;
	case 3: mp_put_uint(out, below(100000)); break;
	case 4: {
		unsigned n = below(4);
		mp_put_array(out, n);
		while (n--)
			put_value(out, depth + 1);
		break;
	}
	default: put_map(out, depth + 1); break;
	}
}

/* Keys with dots in them, and now and then one that stands twice or is no text. */
static void put_map(struct buf *out, unsigned depth)
{
	static const char *const keys[] = {"a",   "b",   "c",     "d", "a.b",
					   "b.c", "c.d", "a.b.c", "",  "z"};
	unsigned n = 0, wanted = below(6), start = below(10), stride = below(50) ? 3 : 5;
	size_t head = out->len;

	mp_put_map(out, 8); /* corrected below: a header of one byte in any case */
	for (; n < wanted; n++) {
		if (below(200))
			mp_put_cstr(out, keys[(start + n * stride) % 10]);
		else
			mp_put_uint(out, 7);
		put_value(out, depth);
	}
	out->data[head] = (uint8_t)(0x80 | n);
}

static void as_the_whole(void **state)
{
	struct store_field indexed[FIELDS];
	struct store_schema tables[] = {{"contacts", indexed, FIELDS, NULL}, {NULL, NULL, 0, NULL}};
	struct extract x = {0};
	struct schemas schemas;
	struct buf doc = {0}, whole = {0};
	unsigned values = 0;

	(void)state;
	for (size_t i = 0; i < FIELDS; i++)
		indexed[i] = (struct store_field){&fields[i],
						  fields[i].type == FIELD_LIST      ? STORE_LIST
						  : fields[i].type == FIELD_INTEGER ? STORE_INTEGER
										    : STORE_KEYWORD};
	assert_int_equal(schemas_init(&schemas, tables, NULL), 0);
	for (unsigned n = 0; n < DOCUMENTS; n++) {
		buf_reset(&doc);
		put_map(&doc, 0);
		struct record r = {.id = bytes_str("1"), .doc = buf_bytes(&doc)};
		extract_release(&x);
		x.schema = schema_find(&schemas, "contacts");
		assert_int_equal(extract_add(&x, &r), 0);
		for (unsigned i = 0; i < FIELDS; i++) {
			buf_reset(&whole);
			values += field_stored(&fields[i], r.doc, &whole) == 1;
			struct bytes shown = extract_value(&x, 0, i + SEGMENT_OWN_FIELDS);
			if (!bytes_equal(shown, buf_bytes(&whole)))
				fail_msg("document %u: %s is not what the whole document says", n,
					 fields[i].name);
		}
	}
	assert_true(values > DOCUMENTS);
	extract_release(&x);
	schemas_release(&schemas);
	buf_release(&doc);
	buf_release(&whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(as_the_whole)};
	const char *text = getenv("STORE_TEST_SEED");

	seed = text ? strtoull(text, NULL, 10) : 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
