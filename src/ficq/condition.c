/*
 * condition: several --where as one condition. It is put together as text, so that the daemon needs to know nothing of it; for that each part must be whole in
 * itself: of "a = 1) or (b = 2" parentheses around it would make something else.
 */
#include "condition.h"

#include <stdlib.h>

static bool is_blank(const char *part)
{
	return part[strspn(part, " \t\r\n")] == 0;
}

/* Behind the string that begins at `at`; NULL: it does not end. */
static const char *behind_string(const char *at)
{
	for (const char *p = at + 1; *p; p++) {
		if (*p == *at)
			return p + 1;
		if (*p == '\\' && *++p == 0)
			break;
	}
	return NULL;
}

/* A quote begins a string only where a word may begin: "it's" is a word. */
static bool is_whole(const char *at)
{
	unsigned depth = 0;

	while (at && *at) {
		if (*at == ')' && depth == 0)
			return false;
		depth += *at == '(';
		depth -= *at == ')';
		if (*at == '"' || *at == '\'')
			at = behind_string(at);
		else if (strchr(" \t\r\n(),=!<>~", *at))
			at++;
		else
			at += strcspn(at, " \t\r\n(),=!<>~");
	}
	return at && depth == 0;
}

int condition_join(const char *const *parts, size_t n, struct buf *out, struct why *why)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (!is_whole(parts[i]))
			return why_set(why, ERR_SYNTAX,
				       "--where: parentheses or quotes do not close in '%.60s'",
				       parts[i]);
	for (size_t i = 0; i < n; i++)
		if (!is_blank(parts[i]))
			buf_printf(out, "%s(%s)", count++ ? " and " : "", parts[i]);
	return 0;
}

static size_t characters(const char *text)
{
	return bytes_characters(bytes_str(text));
}

/* Which part has the column, and where in it; its length + 1 is the parenthesis that was put behind it. `n`: none. */
static size_t find_part(const char *const *parts, size_t n, size_t *column)
{
	size_t start = 2;

	for (size_t i = 0; i < n; i++) {
		if (is_blank(parts[i]))
			continue;
		size_t len = characters(parts[i]);
		if (*column >= start && *column <= start + len) {
			*column -= start - 1;
			return i;
		}
		start += len + strlen(") and (");
	}
	return n;
}

static const char *ordinal_end(size_t n)
{
	static const char *const ends[] = {"th", "st", "nd", "rd"};

	return n < 4 ? ends[n] : "th";
}

/* The end of a part is a parenthesis in what was sent, and nothing in what was typed. */
static void put_words(struct buf *out, struct bytes words, bool at_end)
{
	static const char paren[] = ", not ')'";
	size_t len = sizeof paren - 1;

	if (at_end && words.len > len && memcmp(words.data + words.len - len, paren, len) == 0) {
		words.len -= len;
		buf_put_bytes(out, words);
		buf_put_str(out, ", but the condition ends here");
		return;
	}
	buf_put_bytes(out, words);
}

void condition_complaint(const char *const *parts, size_t n, struct bytes words, struct buf *out)
{
	static const char head[] = "column ";
	size_t i = sizeof head - 1, column = 0, part = n;

	if (words.len > i && memcmp(words.data, head, i) == 0) {
		for (; i < words.len && i < 16 && words.data[i] >= '0' && words.data[i] <= '9'; i++)
			column = column * 10 + (size_t)(words.data[i] - '0');
		if (i < words.len && words.data[i] == ':')
			part = find_part(parts, n, &column);
	}
	if (part == n) {
		buf_put_bytes(out, words);
		return;
	}
	buf_printf(out, "the %zu%s --where, column %zu", part + 1, ordinal_end(part + 1), column);
	put_words(out, bytes_of(words.data + i, words.len - i), column > characters(parts[part]));
}
