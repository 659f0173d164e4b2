/* search: what is found and what is not, what is refused and where, and snippets. */
#include <model/search.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const struct search *parse(const char *text, struct arena *a)
{
	const struct search *s;
	struct why why = {""};

	if (search_parse(bytes_str(text), a, &s, &why))
		fail_msg("%s: %s", text, why.text);
	return s;
}

/* Whether the search finds a record of these texts. */
static bool finds(const char *text, const char *first, const char *second)
{
	struct arena a = {0};
	const struct search *s = parse(text, &a);
	uint64_t found = 0;

	search_look(s, bytes_str(first), &found);
	search_look(s, bytes_str(second), &found);
	bool holds = search_holds(s, found);
	arena_release(&a);
	return holds;
}

static const char first[] =
	"Please REFUND my order number 17, please. Mail: ada@example.com (v1.2) Stra\xc3\x9f"
	"e \xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd";
static const char second[] = "order invoice The number";

static void what_is_found(void **state)
{
	static const char *const yes[] = {
		"refund",
		"Refund invoice",
		"\"order number\"",
		"\"ORDER  number\" 17",
		"ref*",
		"\"order num\"*",
		"refund -\"number order\"",
		"refund -nothing",
		"nothing OR refund",
		"nothing OR refund invoice",
		"(nothing OR \"my order\") please",
		"refund AND invoice",
		"refund -(nothing invoice)",
		"ada@example.com",
		"example.com",
		"\"Mail ada\"",
		"\"com v1.2 strasse\"",
		"ada@*",
		"V1.2",
		"STRASSE",
		"stra\xc3\x9f"
		"e",
		"\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd",
		"\xe4\xba\xac\xe9\x83\xbd",
		"\xe6\x9d\xb1*",
		"\"please mail\"",
		"mail:",
		"the(number)",
		"17,",
	};

	(void)state;
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		if (!finds(yes[i], first, second))
			fail_msg("%s", yes[i]);
}

static void what_is_not_found(void **state)
{
	static const char *const no[] = {
		"nothing",
		"refunds",
		"refun",
		"\"number order\"",
		"\"17 order\"", /* a phrase does not go on in another text */
		"\"my number\"",
		"refund -invoice",
		"refund -ref*",
		"refund nothing",
		"nothing OR else",
		"(refund OR invoice) -please",
		"refund -(refund invoice)",
		"ada@example.org",
		"\xe4\xba\xac\xe6\x9d\xb1",
		"\"strasse the\"",
		"\"order number\" -\"number 17\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		if (finds(no[i], first, second))
			fail_msg("%s", no[i]);
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *why;
	} cases[] = {
		{"", ERR_INVALID, "column 1: there is nothing to look for"},
		{"  ", ERR_INVALID, "column 1: there is nothing to look for"},
		{"refund \"order", ERR_SYNTAX, "column 8: this phrase is not closed: a \" is missing"},
		{"\"ü山\" (order", ERR_SYNTAX, "column 6: this bracket is not closed: a ) is missing"},
		{"refund (order", ERR_SYNTAX, "column 8: this bracket is not closed: a ) is missing"},
		{"refund order)", ERR_SYNTAX, "column 13: this ) closes nothing"},
		{"refund !!", ERR_SYNTAX, "column 8: '!!' has no letter or digit"},
		{"\"\"", ERR_SYNTAX, "column 1: '' has no letter or digit"},
		{"a re*fund", ERR_SYNTAX, "column 5: '*' stands at the end of a word only: refun*"},
		{"refund**", ERR_SYNTAX, "column 7: '*' stands at the end of a word only: refun*"},
		{"\"an order\"*x", ERR_SYNTAX,
		 "column 11: '*' stands at the end of a word only: refun*"},
		{"x \"invoic*\"", ERR_SYNTAX,
		 "column 10: '*' stands behind the quotes: \"order numb\"*"},
		{"\"invoic* of\"", ERR_SYNTAX,
		 "column 8: '*' stands behind the quotes: \"order numb\"*"},
		{"order 🔥", ERR_SYNTAX,
		 "column 7: '🔥' has no letter or digit; a condition finds it: subject ~ '🔥'"},
		{"*fund", ERR_SYNTAX, "column 1: '*' stands behind the beginning of a word: refun*"},
		{"-spam", ERR_INVALID,
		 "column 1: this only leaves out words: name one to look for, too"},
		{"a (-spam -ham)", ERR_INVALID,
		 "column 4: this only leaves out words: name one to look for, too"},
		{"a - b", ERR_SYNTAX, "column 3: '-' stands right before what is left out: -word"},
		{"a --b", ERR_SYNTAX, "column 3: one '-' leaves out, two mean nothing"},
		{"a OR", ERR_SYNTAX, "column 5: expected a word, but the search ends here"},
		{"OR a", ERR_SYNTAX,
		 "column 1: expected a word before this (the word itself: \"or\", \"and\")"},
		{"a OR -b", ERR_INVALID, "column 6: OR joins what is looked for, not what is left out"},
		{"c -b OR a", ERR_INVALID,
		 "column 3: OR joins what is looked for, not what is left out"},
		{"a NOT b", ERR_SYNTAX, "column 3: 'NOT': to leave a word out write -word"},
		{"a || b", ERR_SYNTAX, "column 3: '||': did you mean OR?"},
		{"a && b", ERR_SYNTAX, "column 3: '&&': leave it out: all words must be there anyway"},
		{"()", ERR_SYNTAX, "column 2: expected a word, not ')'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena a = {0};
		struct why why = {""};
		const struct search *s;
		assert_int_equal(search_parse(bytes_str(cases[i].text), &a, &s, &why), cases[i].code);
		assert_string_equal(why.text, cases[i].why);
		arena_release(&a);
	}
}

static int parse_many(const char *word, unsigned n, const char *end)
{
	struct buf b = {0};
	struct arena a = {0};
	const struct search *s;
	struct why why = {""};

	for (unsigned i = 0; i < n; i++)
		buf_put_str(&b, word);
	buf_put_str(&b, end);
	int rc = search_parse(buf_bytes(&b), &a, &s, &why);
	assert_int_equal(rc != 0, strncmp(why.text, "column ", 7) == 0);
	buf_release(&b);
	arena_release(&a);
	return rc;
}

static void limits(void **state)
{
	struct arena small = {.max = 64};
	const struct search *s;
	struct why why;

	(void)state;
	assert_int_equal(parse_many("a ", SEARCH_WORDS_MAX, ""), 0);
	assert_int_equal(parse_many("a ", SEARCH_WORDS_MAX + 1, ""), ERR_LIMIT);
	assert_int_equal(parse_many("a-", SEARCH_WORDS_MAX + 1, ""), ERR_LIMIT);
	assert_int_equal(parse_many("(a ", SEARCH_DEPTH_MAX, "))))))))))))))))"), 0);
	assert_int_equal(parse_many("(", SEARCH_DEPTH_MAX + 1, "a"), ERR_LIMIT);
	assert_int_equal(parse_many("-(a ", SEARCH_DEPTH_MAX, ""), ERR_LIMIT);
	assert_int_equal(parse_many("x", SEARCH_TEXT_MAX, ""), 0);
	assert_int_equal(parse_many("x", SEARCH_TEXT_MAX + 1, ""), ERR_LIMIT);
	assert_int_equal(search_parse(bytes_str("a"), &small, &s, &why), ERR_NOMEM);
	arena_release(&small);
}

static void snippet_is(const char *text, const char *in, size_t room, const char *expected)
{
	struct arena a = {0};
	struct buf out = {0};

	assert_int_equal(search_snippet(parse(text, &a), bytes_str(in), room, &out), expected != NULL);
	if (expected) {
		buf_put_byte(&out, 0);
		assert_string_equal((const char *)out.data, expected);
	}
	buf_release(&out);
	arena_release(&a);
}

#define OPEN  "\xe2\x9f\xa6"
#define CLOSE "\xe2\x9f\xa7"
#define DOTS  "\xe2\x80\xa6"

static void snippets(void **state)
{
	(void)state;
	snippet_is("refund", "My  REFUND,\nplease", 160, "My " OPEN "REFUND" CLOSE ", please");
	snippet_is("\"my refund\" my", "my refund of my", 160,
		   OPEN "my refund" CLOSE " of " OPEN "my" CLOSE);
	snippet_is("ada@example.com com", "to ada@example.com now", 160,
		   "to " OPEN "ada@example.com" CLOSE " now");
	snippet_is("caf* -tea", "tea or caf\xc3\xa9", 160, "tea or " OPEN "caf\xc3\xa9" CLOSE);
	snippet_is("\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd", "a \xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd",
		   160, "a " OPEN "\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd" CLOSE);
	snippet_is("x", "a " OPEN "x" CLOSE " b", 160, "a [" OPEN "x" CLOSE "] b");
	snippet_is("refund -spam", "spam", 160, NULL);
	snippet_is("one two", "one 0123456789 0123456789 0123456789 two one 0123456789", 20,
		   DOTS "0123456789 " OPEN "two" CLOSE " " OPEN "one" CLOSE " 0123456789");
}

/* ---- passing over ---- */

static uint64_t seed = 5;

static unsigned below(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

/* Words of which some are looked for, some begin like these, and some are not ASCII. */
static void make_text(struct buf *out)
{
	static const char *const words[] = {"my",
					    "refund",
					    "Refunds",
					    "order",
					    "number",
					    "other",
					    "some",
					    "text",
					    "that",
					    "says",
					    "nothing",
					    "more",
					    "of",
					    "it",
					    "v1.2",
					    "caf\xc3\xa9",
					    "REFUND",
					    "don\xe2\x80\x99t",
					    "stra\xc3\x9f"
					    "e",
					    "my.order",
					    "x/refund",
					    "order-17",
					    "a_refund",
					    "\xe6\x9d\xb1\xe4\xba\xac"};
	unsigned n = below(60);

	buf_reset(out);
	for (unsigned i = 0; i < n; i++) {
		buf_put_str(out, words[below(3) ? 5 + below(8) : below(24)]);
		buf_put_str(out, below(12) ? " " : below(2) ? "\n" : "/");
	}
}

/* Both find and show the same of this text. */
static void assert_same(const struct search *s, const struct search *plain, struct bytes text,
			const char *asked)
{
	uint64_t found[2] = {0, 0};
	struct buf fast = {0}, slow = {0};

	search_look(s, text, &found[0]);
	search_look(plain, text, &found[1]);
	bool shows = search_snippet(s, text, 40, &fast);
	if (found[0] != found[1] || shows != search_snippet(plain, text, 40, &slow) ||
	    !bytes_equal(buf_bytes(&fast), buf_bytes(&slow)))
		fail_msg("%s, of '%.*s': '%.*s', reading all '%.*s'", asked, (int)text.len,
			 (const char *)text.data, (int)fast.len, (const char *)fast.data,
			 (int)slow.len, (const char *)slow.data);
	buf_release(&fast);
	buf_release(&slow);
}

/* A search that reads every word finds and shows the same. */
static void passing_over_changes_nothing(void **state)
{
	static const char *const asked[] = {"refund",
					    "\"my refund\" order",
					    "\"refund order\"",
					    "ref*",
					    "my -refund",
					    "caf\xc3\xa9 OR strasse",
					    "\"order number other\"",
					    "\xe6\x9d\xb1\xe4\xba\xac \"my order\""};
	struct arena a = {0};
	struct buf text = {0};

	(void)state;
	for (unsigned i = 0; i < sizeof asked / sizeof *asked; i++) {
		const struct search *s = parse(asked[i], &a);
		struct search plain = *s;
		assert_true(s->hunts);
		plain.hunts = false;
		for (int round = 0; round < 2000; round++) {
			make_text(&text);
			assert_same(s, &plain, buf_bytes(&text), asked[i]);
		}
	}
	buf_release(&text);
	arena_release(&a);
}

/* ---- names ---- */

/* Short words that begin each other, and what joins and parts them: so that nearly every text has names of what is looked for. */
static void make_names(struct buf *out)
{
	static const char *const pieces[] = {"a",
					     "b",
					     "ab",
					     "A",
					     "B",
					     " ",
					     "  ",
					     "\n",
					     ".",
					     "-",
					     "'",
					     "@",
					     "_",
					     "/",
					     "+",
					     ":",
					     "ab.ab",
					     "a@b.ab",
					     "ab-ab",
					     "ab_ab",
					     "x",
					     "e",
					     "k",
					     "s",
					     "0",
					     "1",
					     "1.0",
					     "\x01",
					     "\xc3\xa9",
					     "e\xcc\x81",
					     "\xc3\x9f",
					     "\xc5\xbf",
					     "\xe2\x84\xaa",
					     "\xe6\x97\xa5",
					     "\xe6\x9c\xac",
					     "\xc2\xa0",
					     "\xe2\x80\x99",
					     "\xe2\x80\x8b"};
	unsigned n = below(60);

	buf_reset(out);
	for (unsigned i = 0; i < n; i++)
		buf_put_str(out, pieces[below(below(2) ? 10 : sizeof pieces / sizeof *pieces)]);
}

static void make_search(char out[64])
{
	static const char *const terms[] = {"a",         "b",         "ab",
					    "aab",       "ss",        "k",
					    "1",         "a*",        "ab*",
					    "\xc3\xa9*", "1*",        "e*",
					    "\"a b\"",   "\"ab a\"*", "\xe6\x97\xa5\xe6\x9c\xac",
					    "a OR b*",   "b -a*"};
	unsigned n = 1 + below(3);

	out[0] = 0;
	for (unsigned i = 0; i < n; i++) {
		strcat(out, i ? " " : "");
		strcat(out, terms[below(sizeof terms / sizeof *terms)]);
	}
}

/* "ab*" finds the whole name ab-aba1.0 by its first word, whatever its last ones are. */
static void passing_over_keeps_names(void **state)
{
	struct buf text = {0};
	unsigned hunting = 0;

	(void)state;
	snippet_is("ab*", "see ab-aba1.0 then", 160, "see " OPEN "ab-aba1.0" CLOSE " then");
	snippet_is("ab*", "see ab-x1.0/y and x.1", 160, "see " OPEN "ab-x1.0" CLOSE "/y and x.1");
	for (int round = 0; round < 20000; round++) {
		struct arena a = {0};
		char asked[64];
		make_search(asked);
		const struct search *s = parse(asked, &a);
		struct search plain = *s;
		plain.hunts = false;
		hunting += s->hunts;
		make_names(&text);
		assert_same(s, &plain, buf_bytes(&text), asked);
		arena_release(&a);
	}
	assert_true(hunting > 15000);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_found),
		cmocka_unit_test(what_is_not_found),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(limits),
		cmocka_unit_test(snippets),
		cmocka_unit_test(passing_over_changes_nothing),
		cmocka_unit_test(passing_over_keeps_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
