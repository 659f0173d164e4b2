/*
 * words_hunt: no term that is hunted lies in what is passed over, and the rest reads as if all had been read. And plain_html against its definition.
 */
#include <codec/plain.h>
#include <codec/words.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#define TEXT_MAX 400u

static uint64_t seed = 11;

static unsigned below(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

/* ---- words ---- */

static const char *const wanted[] = {"refund", "re", "r", "caf\xc3\xa9", "strasse", "17", "order"};

struct token {
	size_t at, end;
	char term[WORDS_TERM_MAX + 1];
};

struct tokens {
	const uint8_t *start;
	unsigned count;
	struct token items[TEXT_MAX];
};

static int take(void *ctx, struct bytes term, struct bytes source)
{
	struct tokens *t = ctx;
	struct token *one = &t->items[t->count++];

	one->at = (size_t)(source.data - t->start);
	one->end = one->at + source.len;
	memcpy(one->term, term.data, term.len);
	one->term[term.len] = 0;
	return 0;
}

static void read_from(struct tokens *t, struct bytes text, size_t from)
{
	t->start = text.data;
	t->count = 0;
	words_spans(bytes_of(text.data + from, text.len - from), take, t);
}

static size_t make_text(uint8_t *text, bool ascii)
{
	static const char *const parts[] = {"refund",
					    "REFUND",
					    "Refunds",
					    " ",
					    " ",
					    " ",
					    "re",
					    "order",
					    "-",
					    ".",
					    "x",
					    "17",
					    "someone",
					    "\n",
					    "/",
					    "pre",
					    "rf",
					    "  ",
					    "ORDER",
					    "'",
					    "_",
					    "\x01",
					    "\xc3\xa9",
					    "caf\xc3\xa9",
					    "stra\xc3\x9f"
					    "e",
					    "\xe2\x80\x99",
					    "\xe6\x9d\xb1",
					    "\xff"};
	unsigned kinds = ascii ? 22 : 28;
	size_t len = 0, want = below(TEXT_MAX - 20);

	while (len < want) {
		const char *part = parts[below(kinds)];
		memcpy(text + len, part, strlen(part));
		len += strlen(part);
	}
	return len;
}

static bool is_wanted(const struct token *t, unsigned mask)
{
	for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
		if (mask >> i & 1 && strncmp(t->term, wanted[i], strlen(wanted[i])) == 0)
			return true;
	return false;
}

/* From the start and from the end of every token. */
static void hunt_through(const struct words_hunt *h, unsigned mask, struct bytes text,
			 const struct tokens *all)
{
	static struct tokens rest;

	for (unsigned i = 0; i <= all->count; i++) {
		size_t at = i ? all->items[i - 1].end : 0, from;
		size_t place = words_hunt_next(h, text, at, &from);
		assert_in_range(place, at, text.len);
		assert_in_range(from, at, place);
		assert_true(from == at || place == text.len || text.data[from - 1] <= ' ');
		for (unsigned k = 0; k < all->count; k++)
			if (all->items[k].at >= at && all->items[k].at < place)
				assert_true(!is_wanted(&all->items[k], mask) ||
					    all->items[k].at >= from);
		if (from == at && i)
			continue;
		read_from(&rest, text, from);
		unsigned first = 0;
		while (first < all->count && all->items[first].at < from)
			first++;
		assert_int_equal(rest.count, all->count - first);
		for (unsigned k = 0; k < rest.count; k++)
			assert_string_equal(rest.items[k].term, all->items[first + k].term);
	}
}

static void nothing_is_passed_over(void **state)
{
	static struct tokens all;
	uint8_t text[TEXT_MAX];

	(void)state;
	for (int round = 0; round < 4000; round++) {
		unsigned mask = 1 + below(127);
		struct words_hunt h = {.count = 0};
		for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
			if (mask >> i & 1)
				assert_true(words_hunt_add(&h, bytes_str(wanted[i])));
		struct bytes t = bytes_of(text, make_text(text, round % 2));
		read_from(&all, t, 0);
		hunt_through(&h, mask, t, &all);
	}
}

/* In plain text it stops where a term begins, and nowhere else. */
static void it_finds_the_place(void **state)
{
	static const char text[] =
		"There is much text before what is looked for, and prefunds are none: only a REFUND is one";
	struct words_hunt h = {.count = 0};
	size_t from;

	(void)state;
	assert_true(words_hunt_add(&h, bytes_str("refund")));
	size_t place = words_hunt_next(&h, bytes_str(text), 0, &from);
	assert_int_equal(place, strstr(text, "REFUND") - text);
	assert_int_equal(from, place);
	assert_int_equal(words_hunt_next(&h, bytes_str(text), place + 6, &from), strlen(text));
	assert_int_equal(from, strlen(text));
	for (unsigned i = 1; i < WORDS_HUNT_MAX; i++)
		assert_true(words_hunt_add(&h, bytes_str("other")));
	assert_false(words_hunt_add(&h, bytes_str("one too many")));
}

/* ---- HTML ---- */

static bool is_special(uint8_t c)
{
	return c == '<' || c == '&' || c == 0xc2 || c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_plain(struct bytes text, size_t at)
{
	if (!is_special(text.data[at]))
		return true;
	return text.data[at] == ' ' && at + 1 < text.len && !is_special(text.data[at + 1]);
}

static void plain_is_plain(void **state)
{
	uint8_t text[TEXT_MAX];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len = below(100);
		for (size_t i = 0; i < len; i++)
			text[i] = below(5)   ? (uint8_t)('a' + below(26))
				  : below(3) ? ' '
					     : (uint8_t)below(256);
		struct bytes t = bytes_of(text, len);
		size_t n = plain_html(t);
		assert_in_range(n, 0, len);
		for (size_t i = 0; i < n; i++)
			assert_true(is_plain(t, i));
#ifdef __SSE2__
		if (len - n > 16)
			assert_false(is_plain(t, n));
#endif
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_passed_over),
					   cmocka_unit_test(it_finds_the_place),
					   cmocka_unit_test(plain_is_plain)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
