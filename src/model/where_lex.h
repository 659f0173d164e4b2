/*
 * where_lex: the words of a condition.
 */
#ifndef FIC_MODEL_WHERE_LEX_H
#define FIC_MODEL_WHERE_LEX_H

#include <base/arena.h>
#include <base/err.h>

enum token_type {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_OPERATOR,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_COMMA
};

struct token {
	enum token_type type;
	struct bytes text;   /* of a string: its contents, escapes resolved */
	struct bytes source; /* as it stands in the text */
};

struct lexer {
	struct bytes whole;
	const uint8_t *at;
	struct arena *arena; /* for strings with escapes */
};

/* The next word. 0, ERR_SYNTAX (a string that is not closed, a bad escape, a lone '!'), ERR_NOMEM. */
int lexer_next(struct lexer *l, struct token *out, struct why *why);

/* 1 for the first character. */
size_t lexer_column(const struct lexer *l, const uint8_t *at);

/* An unquoted word of the language, whatever its case. */
bool token_is(const struct token *t, const char *word);

#endif
