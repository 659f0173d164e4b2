/*
 * html_test: HTML to text, row by row, and that it stays linear on what is made to break it.
 */
#include <model/html.h>

#include "entity.h"

#include <stdarg.h>
#include <stdlib.h>
#include <setjmp.h>
#include <time.h>
#include <cmocka.h>

static const struct row {
	const char *html;
	const char *text;
} rows[] = {
	{"", ""},
	{"plain", "plain"},
	{"  a \n\t b  ", "a b"},
	{"<p>Hello</p><p>world</p>", "Hello\nworld"},
	{"<p>Hello</p>\n<p>world</p>\n", "Hello\nworld"},
	{"a<br>b<br/>c<BR />d", "a\nb\nc\nd"},
	{"a<br><br>b<br><br><br><br>c", "a\n\nb\n\nc"},
	{"<div><div>a</div></div><div>b</div>", "a\nb"},
	{"<b>bold</b> and <i>it</i>alic", "bold and italic"},
	{"<ul><li>one</li><li>two</li></ul>after", "one\ntwo\nafter"},
	{"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"},
	{"<a href=\"https://x.test/?a=1>2\" title='>'>link</a>", "link"},
	{"<img src=x alt=\"y\">z", "z"},
	{"a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#x27; &apos;f&apos;", "a & b <c> \"d\" 'e' 'f'"},
	{"&nbsp;&nbsp;a&nbsp;b\xc2\xa0 c&nbsp;", "a b c"},
	{"&eacute;&Uuml;&szlig;&euro;&hellip;&mdash;",
	 "\xc3\xa9\xc3\x9c\xc3\x9f\xe2\x82\xac\xe2\x80\xa6\xe2\x80\x94"},
	{"&#128512;&#x1F600;", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80"},
	{"&#150;&#8211", "\xe2\x80\x93\xe2\x80\x93"},
	{"&#0;&#xD800;&#x110000;&#99999999999999;", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	{"a&#7;b&#10;c", "a b c"},
	{"&unknown; & &; &amp &#; &#x;", "&unknown; & &; &amp &#; &#x;"},
	{"AT&T&amp;T", "AT&T&T"},
	{"<script>alert('<p>')</script>x<style>p{}</STYLE>y", "xy"},
	{"<script>never closed", ""},
	{"<script></scrip", ""},
	{"<title>t</title><p>a", "a"},
	{"a<!-- <p>b --> c", "a c"},
	{"a<!-- never closed", "a"},
	{"<!DOCTYPE html><?xml version='1'?>a", "a"},
	{"1 < 2 and 3 > 2", "1 < 2 and 3 > 2"},
	{"a <3 b", "a <3 b"},
	{"a </3 b", "a </3 b"},
	{"x <b never closed", "x <b never closed"},
	{"<a title=\"never closed>text</a> more", "text more"},
	{"<pre>a\n  b\r\n\tc</pre>d\n e", "a\n  b\n\tc\nd e"},
	{"<pre>  </pre>", ""},
	{"<p> </p>", ""},
	{"<", "<"},
	{"</", "</"},
	{"<a", "<a"},
	{"<>", "<>"},
	{"&", "&"},
	{"&#", "&#"},
	{"\xe4\xbd\xa0\xe5\xa5\xbd<br>\xd0\xbf", "\xe4\xbd\xa0\xe5\xa5\xbd\n\xd0\xbf"},
	{"\xc2", "\xc2"},
};

static void test_rows(void **state)
{
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		buf_reset(&out);
		html_to_text(bytes_str(rows[i].html), &out);
		if (!bytes_is(buf_bytes(&out), rows[i].text))
			fail_msg("'%s' is '%s'", rows[i].html, buf_text(&out));
		assert_true(out.len <= strlen(rows[i].html));
	}
	buf_release(&out);
}

static void test_appends(void **state)
{
	struct buf out = {0};

	(void)state;
	buf_put_str(&out, "before ");
	html_to_text(bytes_str("<p> a</p>"), &out);
	assert_true(bytes_is(buf_bytes(&out), "before a"));
	html_to_text(bytes_str("<p> </p>"), &out);
	assert_true(bytes_is(buf_bytes(&out), "before a"));
	html_to_text(bytes_of(NULL, 0), &out);
	assert_true(bytes_is(buf_bytes(&out), "before a"));
	buf_release(&out);
}

/* What is between words, at every place of a block, with and without a whole block behind it. */
static void test_between_words(void **state)
{
	static const struct {
		const char *html, *text, *pre; /* what becomes of it, and within <pre> */
	} cases[] = {
		{"<b>", "", ""},
		{"<br>", "\n", "\n"},
		{"&amp;", "&", "&"},
		{" ", " ", " "},
		{"  ", " ", "  "},
		{" \t ", " ", " \t "},
		{"\xc2\xa0", " ", " "},
		{" \xc2\xa0", " ", "  "},
		{"\xc2\xa9", "\xc2\xa9", "\xc2\xa9"},
		{" <b> ", " ", "  "},
		{" &lt;", " <", " <"},
		{"\v", " ", "\v"},
		{"\x08", "\x08", "\x08"},
		{"\x0e", "\x0e", "\x0e"},
		{" \xc2\xa9", " \xc2\xa9", " \xc2\xa9"},
		{"\xc3\xa9", "\xc3\xa9", "\xc3\xa9"},
	};
	struct buf html = {0}, out = {0}, want = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (int at = 1; at < 100; at++) {
			int before = at % 50, behind = at < 50 ? 3 : 40;
			for (int pre = 0; pre < 2; pre++) {
				buf_reset(&html);
				buf_reset(&out);
				buf_reset(&want);
				buf_printf(&html, "%sw%0*d%s%0*dw", pre ? "<pre>" : "", before, 0,
					   cases[i].html, behind, 0);
				buf_printf(&want, "w%0*d%s%0*dw", before, 0,
					   pre ? cases[i].pre : cases[i].text, behind, 0);
				html_to_text(buf_bytes(&html), &out);
				if (!bytes_equal(buf_bytes(&out), buf_bytes(&want)))
					fail_msg("'%s' is '%s'", buf_text(&html), buf_text(&out));
			}
		}
	buf_release(&html);
	buf_release(&out);
	buf_release(&want);
}

/* Every way to make a scanner look ahead in vain, a million times. */
static void test_linear(void **state)
{
	static const char *const pieces[] = {"<a \"", "<a x=\"", "<!--", "<script>", "</script",
					     "<",     "&",       "&#",   "<a ",      "&amp",
					     "<pre>", "</",      "<br>", "<p> ",     "<x y='>"};
	enum { SIZE = 1 << 20 };
	char *html = malloc(SIZE);

	(void)state;
	assert_non_null(html);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		struct buf out = {0};
		size_t len = strlen(pieces[i]);
		for (size_t at = 0; at < SIZE; at++)
			html[at] = pieces[i][at % len];
		clock_t start = clock();
		html_to_text(bytes_of(html, SIZE), &out);
		assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
		assert_true(out.len <= SIZE && !out.error);
		buf_release(&out);
	}
	free(html);
}

static void test_limit(void **state)
{
	struct buf out = {.max = 10};

	(void)state;
	html_to_text(bytes_str("<p>more than ten letters</p>"), &out);
	assert_int_equal(out.error, -2);
	buf_release(&out);
}

/* The table is sorted, or bsearch would miss some. */
static void test_entities(void **state)
{
	static const char *const names[] = {"AElig", "Aacute", "yuml",   "zwnj", "zwj",  "quot",
					    "lt",    "gt",     "frac12", "sup2", "euro", "Yuml"};
	uint8_t text[ENTITY_TEXT_MAX];
	char source[32] = "&";
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		strcpy(source + 1, names[i]);
		strcat(source, ";x");
		if (entity_decode(bytes_str(source), text, &len) != strlen(names[i]) + 2)
			fail_msg("%s", names[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),          cmocka_unit_test(test_appends),
		cmocka_unit_test(test_between_words), cmocka_unit_test(test_linear),
		cmocka_unit_test(test_limit),         cmocka_unit_test(test_entities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
