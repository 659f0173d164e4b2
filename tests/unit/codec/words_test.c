/* Terms of texts: the same from whatever spelling, and nothing from what is no word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <codec/words.h>

#include <stdlib.h>

static int join(void *ctx, struct bytes term)
{
	struct buf *out = ctx;

	assert_in_range(term.len, 1, WORDS_TERM_MAX);
	if (out->len)
		buf_put_byte(out, '|');
	buf_put_bytes(out, term);
	return 0;
}

static void terms(const char *text, const char *want)
{
	struct buf out = {0};

	assert_int_equal(words_each(bytes_str(text), join, &out), 0);
	assert_string_equal(buf_text(&out), want);
	buf_release(&out);
}

static void test_words(void **state)
{
	(void)state;
	terms("", "");
	terms(" ,.;- \n", "");
	terms("Hello, World!", "hello|world");
	terms("a1 B2", "a1|b2");
	terms("don't", "don|t");
	terms("end.", "end");
	terms("..start", "start");
	terms("a--b", "a|b");
}

static void test_joined(void **state)
{
	(void)state;
	terms("mail Ada.Lovelace@Example.com now",
	      "mail|ada|lovelace|example|com|ada.lovelace@example.com|now");
	terms("ORD-2024_17.", "ord|2024|17|ord-2024_17");
	terms("well-known", "well|known");
	terms("v1.2", "v1|2|v1.2");
	terms("https://app.example.com/orders/0ab", "https|app|example|com|orders|0ab");
}

static void test_unicode(void **state)
{
	(void)state;
	terms("CAF\xc3\x89 cafe\xcc\x81 caf\xc3\xa9", "caf\xc3\xa9|caf\xc3\xa9|caf\xc3\xa9");
	terms("Stra\xc3\x9f"
	      "e",
	      "strasse");
	terms("\xce\xa3\xce\x91\xce\xa3", "\xcf\x83\xce\xb1\xcf\x83");
	terms("\xef\xac\x81n", "fin");           /* the ligature */
	terms("\xef\xbc\xa1\xef\xbc\xa2", "ab"); /* full width */
	terms("ok\xf0\x9f\x99\x82ok", "ok|ok");
	terms("a\xe2\x80\x93z", "a|z");
	terms("bad\xff\xfe"
	      "bytes\xc3",
	      "bad|bytes");
}

static void test_pairs(void **state)
{
	(void)state;
	terms("\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd",
	      "\xe6\x9d\xb1\xe4\xba\xac|\xe4\xba\xac\xe9\x83\xbd");
	terms("x\xe6\x9d\xb1y", "x|\xe6\x9d\xb1|y");
}

static void test_long(void **state)
{
	char text[400], want[WORDS_TERM_MAX + 1];

	(void)state;
	memset(text, 'A', 300);
	text[300] = 0;
	memset(want, 'a', WORDS_TERM_MAX);
	want[WORDS_TERM_MAX] = 0;
	terms(text, want);
	for (int i = 0; i < 150; i++)
		memcpy(text + 2 * i, "\xc3\xa9", 2);
	for (int i = 0; i < WORDS_TERM_MAX / 2; i++)
		memcpy(want + 2 * i, "\xc3\xa9", 2);
	terms(text, want);
}

/* Words of every length, behind each other. */
static void test_lengths(void **state)
{
	char text[WORDS_TERM_MAX + 20], want[WORDS_TERM_MAX + 20];

	(void)state;
	for (int n = 1; n <= WORDS_TERM_MAX; n++) {
		for (int i = 0; i < n; i++) {
			text[i] = (char)('A' + i % 26);
			want[i] = (char)('a' + i % 26);
		}
		strcpy(text + n, " Xyz");
		strcpy(want + n, "|xyz");
		terms(text, want);
	}
}

/* Whatever the bytes: terms within their limit, and what is a term can be split again. */
static int again(void *ctx, struct bytes term)
{
	struct buf out = {0};

	(void)ctx;
	assert_in_range(term.len, 1, WORDS_TERM_MAX);
	assert_int_equal(words_each(term, join, &out), 0);
	buf_release(&out);
	return 0;
}

static void test_random(void **state)
{
	uint8_t text[200];
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t n = 0;
		while (n < sizeof text) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			uint32_t r = (uint32_t)(seed >> 33);
			text[n++] = round % 2
					    ? (uint8_t)r
					    : (uint8_t) "aZ0.@-_ \xc3\xa9\xe6\x9d\xb1\xcc\x81"[r % 15];
		}
		assert_int_equal(words_each(bytes_of(text, n), again, NULL), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),   cmocka_unit_test(test_joined),
		cmocka_unit_test(test_unicode), cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_long),    cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
