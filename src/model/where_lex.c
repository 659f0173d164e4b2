/*
 * where_lex: cuts a condition into words. Never interprets them, never reads outside the text.
 */
#include "where_lex.h"

#include <ctype.h>
#include <strings.h>

size_t lexer_column(const struct lexer *l, const uint8_t *at)
{
	return bytes_characters(bytes_of(l->whole.data, (size_t)(at - l->whole.data))) + 1;
}

bool token_is(const struct token *t, const char *word)
{
	return t->type == TOKEN_WORD && t->text.len == strlen(word) &&
	       strncasecmp((const char *)t->text.data, word, t->text.len) == 0;
}

static const uint8_t *end_of(const struct lexer *l)
{
	return l->whole.data + l->whole.len;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool ends_word(uint8_t c)
{
	return is_space(c) || (c && strchr("(),=!<>~", c));
}

static int fail(const struct lexer *l, const uint8_t *at, const char *what, struct why *why)
{
	return why_set(why, ERR_SYNTAX, "column %zu: %s", lexer_column(l, at), what);
}

/* Four hexadecimal digits as UTF-8; surrogates and NUL are refused. Returns how many bytes, 0: bad. */
static size_t unicode(const uint8_t *digits, uint8_t *out)
{
	unsigned code = 0;

	for (int i = 0; i < 4; i++) {
		if (!isxdigit(digits[i]))
			return 0;
		code = code * 16 + (unsigned)(isdigit(digits[i]) ? digits[i] - '0'
								 : tolower(digits[i]) - 'a' + 10);
	}
	if (code == 0 || (code >= 0xd800 && code < 0xe000))
		return 0;
	if (code < 0x80) {
		out[0] = (uint8_t)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (uint8_t)(0xc0 | code >> 6);
		out[1] = (uint8_t)(0x80 | (code & 0x3f));
		return 2;
	}
	out[0] = (uint8_t)(0xe0 | code >> 12);
	out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
	out[2] = (uint8_t)(0x80 | (code & 0x3f));
	return 3;
}

/* At the backslash. Returns how many bytes of source it took, 0: bad; *len grows. */
static size_t escape(const uint8_t *at, const uint8_t *end, uint8_t *out, size_t *len)
{
	static const char from[] = "\"'\\/nt", to[] = "\"'\\/\n\t";

	if (end - at < 2)
		return 0;
	const char *known = at[1] ? strchr(from, at[1]) : NULL;
	if (known) {
		out[(*len)++] = (uint8_t)to[known - from];
		return 2;
	}
	if (at[1] != 'u' || end - at < 6)
		return 0;
	size_t n = unicode(at + 2, out + *len);
	*len += n;
	return n ? 6 : 0;
}

static int take_string(struct lexer *l, struct token *out, struct why *why)
{
	const uint8_t *start = l->at, *end = end_of(l), *p = start + 1;
	size_t len = 0;
	/* Escapes only ever shorten. */
	uint8_t *text = arena_alloc(l->arena, (size_t)(end - start));

	if (!text)
		return why_set(why, ERR_NOMEM, "no memory for the condition");
	while (p < end && *p != *start) {
		size_t n = 1;
		if (*p == '\\') {
			n = escape(p, end, text, &len);
			if (!n)
				return fail(l, p,
					    "unknown escape (known: \\\" \\' \\\\ \\/ \\n \\t \\uHHHH)",
					    why);
		} else {
			text[len++] = *p;
		}
		p += n;
	}
	if (p == end)
		return fail(l, start, "this string is not closed", why);
	l->at = p + 1;
	*out = (struct token){TOKEN_STRING, bytes_of(text, len),
			      bytes_of(start, (size_t)(l->at - start))};
	return 0;
}

static int take_operator(struct lexer *l, struct token *out, struct why *why)
{
	const uint8_t *start = l->at, *end = end_of(l);

	l->at++;
	if (l->at < end && *l->at == '=' && *start != '~')
		l->at++;
	else if (*start == '!')
		return fail(l, start, "'!' alone means nothing (write != or not)", why);
	struct bytes text = bytes_of(start, (size_t)(l->at - start));
	*out = (struct token){TOKEN_OPERATOR, text, text};
	return 0;
}

static void take_plain(struct lexer *l, struct token *out, enum token_type type, size_t len)
{
	struct bytes text = bytes_of(l->at, len);

	l->at += len;
	*out = (struct token){type, text, text};
}

int lexer_next(struct lexer *l, struct token *out, struct why *why)
{
	const uint8_t *end = end_of(l);
	size_t len = 0;

	while (l->at < end && is_space(*l->at))
		l->at++;
	if (l->at == end) {
		take_plain(l, out, TOKEN_END, 0);
		return 0;
	}
	switch (*l->at) {
	case '(': take_plain(l, out, TOKEN_OPEN, 1); return 0;
	case ')': take_plain(l, out, TOKEN_CLOSE, 1); return 0;
	case ',': take_plain(l, out, TOKEN_COMMA, 1); return 0;
	case '"':
	case '\'': return take_string(l, out, why);
	case '=':
	case '!':
	case '<':
	case '>':
	case '~': return take_operator(l, out, why);
	default:
		while (l->at + len < end && !ends_word(l->at[len]))
			len++;
		take_plain(l, out, TOKEN_WORD, len);
		return 0;
	}
}
