/* text: cleaning, measuring, cutting and wrapping what strangers wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "text.h"

static void assert_clean(const char *from, size_t len, enum text_form form, bool ascii,
			 const char *expected)
{
	struct buf out = {0};

	text_clean(&out, bytes_of(from, len), form, ascii);
	assert_string_equal(buf_text(&out), expected);
	buf_release(&out);
}

#define CLEAN(from, form, ascii, expected) \
	assert_clean(from, sizeof(from) - 1, form, ascii, expected)

static void cleaning(void **state)
{
	(void)state;
	CLEAN("plain", TEXT_LINE, false, "plain");
	CLEAN("two\nlines\r\nand\ttab", TEXT_LINE, false, "two lines and tab");
	CLEAN("\n\n x", TEXT_LINE, false, " x");
	CLEAN("two\r\nlines\rx\xe2\x80\xa8y", TEXT_BLOCK, false, "two\nlines\nx\ny");
	CLEAN("\tx\n123\ty", TEXT_BLOCK, false, "        x\n123     y");
	CLEAN("\x1b[31mred\x07\x7f", TEXT_LINE, false, "\xef\xbf\xbd[31mred\xef\xbf\xbd\xef\xbf\xbd");
	CLEAN("a\0b", TEXT_LINE, false,
	      "a\xef\xbf\xbd"
	      "b");
	/* U+009B is CSI to some terminals, in either of its forms */
	CLEAN("\xc2\x9b"
	      "2J\x9b"
	      "2J",
	      TEXT_LINE, false,
	      "\xef\xbf\xbd"
	      "2J\xef\xbf\xbd"
	      "2J");
	/* marks that turn the direction of writing */
	CLEAN("exe.\xe2\x80\xaegnp", TEXT_LINE, false, "exe.\xef\xbf\xbdgnp");
	CLEAN("caf\xc3\xa9", TEXT_LINE, true, "caf?");
	CLEAN("caf\xc3\xa9 \xe6\x97\xa5", TEXT_LINE, false, "caf\xc3\xa9 \xe6\x97\xa5");
}

static void broken_utf8(void **state)
{
	static const char *const bad[] = {"\xff",         "\xc0\x80",
					  "\xed\xa0\x80", "\xf4\x90\x80\x80",
					  "\xe6\x97",     "\x80",
					  "\xf0\x9f\x98"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct bytes s = bytes_str(bad[i]);
		size_t before = s.len;
		assert_int_equal(text_next(&s), 0xfffd);
		assert_int_equal(s.len, before - 1);
	}
	struct bytes s = bytes_str("\xf0\x9f\x98\x80");
	assert_int_equal(text_next(&s), 0x1f600);
	assert_int_equal(s.len, 0);
}

static void round_trip(void **state)
{
	(void)state;
	for (uint32_t c = 1; c < 0x110000; c += c < 0x3000 ? 1 : 97) {
		struct buf out = {0};
		if (c >= 0xd800 && c < 0xe000)
			continue;
		text_put_char(&out, c);
		struct bytes s = buf_bytes(&out);
		assert_int_equal(text_next(&s), c);
		assert_int_equal(s.len, 0);
		buf_release(&out);
	}
}

static void widths(void **state)
{
	(void)state;
	assert_int_equal(text_width(bytes_str("abc")), 3);
	assert_int_equal(text_width(bytes_str("caf\xc3\xa9")), 4);
	assert_int_equal(text_width(bytes_str("cafe\xcc\x81")), 4); /* a combining accent */
	assert_int_equal(text_width(bytes_str("\xe6\x97\xa5\xe6\x9c\xac")), 4); /* 日本 */
	assert_int_equal(text_width(bytes_str("\xef\xbc\xa1")), 2);             /* fullwidth A */
	assert_int_equal(text_width(bytes_str("\xf0\x9f\x98\x80")), 2);         /* an emoji */
	assert_int_equal(text_width(bytes_str("\xea\xb0\x80")), 2);             /* 가 */
	assert_int_equal(text_width(bytes_str("\xe2\x80\x8d")), 0);             /* a joiner */
	assert_int_equal(text_width(bytes_str("\xc2\xad")), 1); /* the soft hyphen */
	assert_int_equal(text_char_width(0x10ffff), 1);
}

static void assert_cut(const char *from, size_t width, bool ascii, const char *expected)
{
	struct buf out = {0};
	size_t used = text_put_cut(&out, bytes_str(from), width, ascii);

	assert_string_equal(buf_text(&out), expected);
	assert_int_equal(used, text_width(buf_bytes(&out)));
	assert_true(used <= width);
	buf_release(&out);
}

static void cutting(void **state)
{
	(void)state;
	assert_cut("hello", 5, false, "hello");
	assert_cut("hello", 4, false, "hel…");
	assert_cut("hello world", 7, false, "hello…");
	assert_cut("hello", 4, true, "h...");
	assert_cut("hello", 3, true, "he~");
	assert_cut("hello", 1, false, "…");
	assert_cut("hello", 0, false, "");
	assert_cut("日本語", 6, false, "日本語");
	assert_cut("日本語", 5, false, "日本…");
	assert_cut("日本語", 4, false, "日…");
	assert_cut("cafe\xcc\x81s", 5, false, "cafe\xcc\x81s");
	assert_cut("cafe\xcc\x81ss", 5, false, "cafe\xcc\x81…");
}

static char *wrapped(const char *block, size_t width)
{
	struct bytes rest = bytes_str(block), line;
	struct buf out = {0};

	while (text_wrap(&rest, width, &line)) {
		assert_true(text_width(line) <= width || width < 2);
		buf_put_bytes(&out, line);
		buf_put_byte(&out, '|');
	}
	char *text = strdup(buf_text(&out));
	buf_release(&out);
	return text;
}

static void assert_wrapped(const char *block, size_t width, const char *expected)
{
	char *text = wrapped(block, width);

	assert_string_equal(text, expected);
	free(text);
}

static void wrapping(void **state)
{
	(void)state;
	assert_wrapped("", 10, "");
	assert_wrapped("one two three", 7, "one two|three|");
	assert_wrapped("one two three", 8, "one two|three|");
	assert_wrapped("one two three", 100, "one two three|");
	assert_wrapped("one\n\ntwo\n", 10, "one||two|");
	assert_wrapped("abcdefghij", 4, "abcd|efgh|ij|");
	assert_wrapped("abc   \ndef", 3, "abc|def|");
	assert_wrapped("日本語日本語", 5, "日本|語日|本語|");
	assert_wrapped("日", 1, "日|");
	assert_wrapped("    indented text", 9, "    inden|ted text|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleaning),   cmocka_unit_test(broken_utf8),
		cmocka_unit_test(round_trip), cmocka_unit_test(widths),
		cmocka_unit_test(cutting),    cmocka_unit_test(wrapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
