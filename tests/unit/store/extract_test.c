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

/* ---- terms ---- */

#define TEXTS     6000u
#define ROW_TEXTS 40u
#define LONGEST   140u /* longer than a term may be */

/* As much of a text as a term holds. */
static struct bytes cut(struct bytes text)
{
	return bytes_of(text.data, text.len < SEGMENT_TERM_MAX - 1 ? text.len : SEGMENT_TERM_MAX - 1);
}

/* The i-th text, of all lengths; many begin alike. */
static struct bytes text_at(unsigned i, char room[LONGEST + 1])
{
	size_t len = 1 + i % LONGEST;

	memset(room, 'a' + (int)(i % 3), len);
	for (unsigned k = 0, rest = i; k < 4 && k < len; k++, rest /= 26)
		room[len - 1 - k] = (char)('a' + (int)(rest % 26));
	return bytes_of(room, len);
}

static bool is_term(struct bytes term, unsigned field, struct bytes text)
{
	return term.len == text.len + 1 && term.data[0] == field + SEGMENT_OWN_FIELDS &&
	       memcmp(term.data + 1, text.data, text.len) == 0;
}

/* The same text in two fields is two terms; twice in one it is one. */
static void put_texts(struct buf *doc, const unsigned *texts, unsigned n)
{
	char room[LONGEST + 1];

	buf_reset(doc);
	mp_put_map(doc, 2);
	for (unsigned f = 0; f < 2; f++) {
		mp_put_cstr(doc, f ? "b" : "a");
		mp_put_array(doc, n + 1);
		for (unsigned i = 0; i < n; i++)
			mp_put_str(doc, text_at(texts[i], room));
		mp_put_str(doc, text_at(texts[0], room));
	}
}

/* Every term that the row has is one of the texts in the order they came, and none is missing. */
static void check_terms(const struct extract *x, uint32_t row, const unsigned *texts, unsigned n)
{
	char room[LONGEST + 1], before[LONGEST + 1];
	uint32_t count, at = 0;
	const uint32_t *ids = extract_terms(x, row, &count);

	for (unsigned f = 0; f < 2; f++)
		for (unsigned i = 0; i < n; i++) {
			bool seen = false;
			struct bytes text = cut(text_at(texts[i], room));
			for (unsigned k = 0; k < i && !seen; k++)
				seen = bytes_equal(cut(text_at(texts[k], before)), text);
			if (seen)
				continue;
			assert_true(at < count);
			assert_true(is_term(extract_term(x, ids[at++]), f, text));
		}
	assert_int_equal(at, count);
}

static void terms_of_rows(void **state)
{
	static const struct field lists[] = {{"a", FIELD_LIST, "a.*", NULL},
					     {"b", FIELD_LIST, "b.*", NULL}};
	const struct store_field indexed[] = {{&lists[0], STORE_LIST}, {&lists[1], STORE_LIST}};
	const struct store_schema tables[] = {{"contacts", indexed, 2, NULL}, {NULL, NULL, 0, NULL}};
	static unsigned texts[TEXTS / ROW_TEXTS * 3][ROW_TEXTS];
	const unsigned rows = sizeof texts / sizeof *texts;
	struct extract x = {0};
	struct schemas schemas;
	struct buf doc = {0};

	(void)state;
	assert_int_equal(schemas_init(&schemas, tables, NULL), 0);
	x.schema = schema_find(&schemas, "contacts");
	for (unsigned row = 0; row < rows; row++) {
		for (unsigned i = 0; i < ROW_TEXTS; i++)
			texts[row][i] = below(TEXTS);
		put_texts(&doc, texts[row], 1 + row % ROW_TEXTS);
		struct record r = {.id = bytes_str("1"), .doc = buf_bytes(&doc)};
		assert_int_equal(extract_add(&x, &r), 0);
		if (row % 7 == 0) { /* one that comes to nothing leaves nothing behind */
			extract_drop_last(&x);
			assert_int_equal(extract_add(&x, &r), 0);
		}
	}
	assert_int_equal(x.count, rows);
	assert_true(x.table_size > 4096);
	for (unsigned row = 0; row < rows; row++)
		check_terms(&x, row, texts[row], 1 + row % ROW_TEXTS);
	extract_release(&x);
	schemas_release(&schemas);
	buf_release(&doc);
}

/* ---- chosen words ---- */

#define CHOSEN     2000u
#define CHOSEN_LEN 8u

/* How a word of eight bytes would be hashed if nothing of it were random: what somebody else can work out. */
static uint32_t foreseen(const char *word)
{
	const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t h = (uint64_t)CHOSEN_LEN << 8 | SEGMENT_OWN_FIELDS;

	h = (h ^ le64((const uint8_t *)word)) * factor;
	h ^= h >> 32;
	h *= factor;
	return (uint32_t)(h ^ h >> 32);
}

static void choose_words(struct buf *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char word[CHOSEN_LEN + 1];

	word[CHOSEN_LEN] = ' ';
	for (uint64_t i = 0, n = 0; n < CHOSEN; i++) {
		uint64_t rest = i;
		for (unsigned k = 0; k < CHOSEN_LEN; k++, rest /= 36)
			word[k] = letters[rest % 36];
		if ((foreseen(word) & 0xfff) == 0x123 && ++n)
			buf_put(text, word, sizeof word);
	}
}

/* The most places of the table that are taken one after the other: as many are looked at for one word. */
static uint32_t longest_run(const struct extract *x)
{
	uint32_t longest = 0, run = 0;

	for (uint32_t i = 0; i < 2 * x->table_size && longest < x->table_size; i++) {
		run = x->table[i % x->table_size] ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

static void chosen_words_cost_what_others_do(void **state)
{
	static const struct field body = {"body", FIELD_TEXT, "body", NULL};
	const struct store_field indexed[] = {{&body, STORE_WORDS}};
	const struct store_schema tables[] = {{"contacts", indexed, 1, NULL}, {NULL, NULL, 0, NULL}};
	struct extract x = {0};
	struct schemas schemas;
	struct buf doc = {0}, text = {0};
	uint32_t terms;

	(void)state;
	assert_int_equal(schemas_init(&schemas, tables, NULL), 0);
	x.schema = schema_find(&schemas, "contacts");
	choose_words(&text);
	mp_put_map(&doc, 1);
	mp_put_cstr(&doc, "body");
	mp_put_str(&doc, buf_bytes(&text));
	struct record r = {.id = bytes_str("1"), .doc = buf_bytes(&doc)};
	assert_int_equal(extract_add(&x, &r), 0);
	extract_terms(&x, 0, &terms);
	assert_int_equal(terms, CHOSEN);
	assert_true(longest_run(&x) < CHOSEN / 8);
	extract_release(&x);
	schemas_release(&schemas);
	buf_release(&doc);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(as_the_whole),
					   cmocka_unit_test(terms_of_rows),
					   cmocka_unit_test(chosen_words_cost_what_others_do)};
	const char *text = getenv("STORE_TEST_SEED");

	seed = text ? strtoull(text, NULL, 10) : 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
