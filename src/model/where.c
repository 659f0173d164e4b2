/*
 * where: the parser of conditions, by recursive descent over at most WHERE_DEPTH_MAX levels. The tree lives in the caller's arena; a failure leaves
 * nothing but what the arena will free.
 */
#include <model/where.h>

#include "where_lex.h"
#include "where_value.h"

#include <stdarg.h>
#include <stdio.h>

struct parser {
	struct lexer lexer;
	struct token token; /* the one that is next */
	const struct field *fields;
	const struct where_names *names;
	int64_t now_ms;
	const struct zone *zone;
	struct arena *arena;
	unsigned nodes;
	unsigned depth;
	struct why *why;
};

static int fail(struct parser *p, struct bytes source, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int fail(struct parser *p, struct bytes source, int code, const char *format, ...)
{
	struct why what;
	va_list args;

	va_start(args, format);
	vsnprintf(what.text, sizeof what.text, format, args);
	va_end(args);
	what.text[sizeof what.text - 16] = 0; /* room for the column */
	return why_set(p->why, code, "column %zu: %s", lexer_column(&p->lexer, source.data),
		       what.text);
}

static int next(struct parser *p)
{
	return lexer_next(&p->lexer, &p->token, p->why);
}

/* What is next, in words, cut to a readable length. */
static int fail_expected(struct parser *p, const char *expected)
{
	struct bytes source = p->token.source;

	if (p->token.type == TOKEN_END)
		return fail(p, source, ERR_SYNTAX, "expected %s, but the condition ends here",
			    expected);
	return fail(p, source, ERR_SYNTAX, "expected %s, not '%.*s'", expected,
		    (int)(source.len < 40 ? source.len : 40), (const char *)source.data);
}

static int count_node(struct parser *p)
{
	if (++p->nodes > WHERE_NODES_MAX)
		return fail(p, p->token.source, ERR_LIMIT, "the condition has more than %d parts",
			    WHERE_NODES_MAX);
	return 0;
}

static int node_new(struct parser *p, enum where_op op, struct where **out)
{
	int rc = count_node(p);

	if (rc)
		return rc;
	*out = arena_alloc(p->arena, sizeof **out);
	if (!*out)
		return why_set(p->why, ERR_NOMEM, "no memory for the condition");
	(*out)->op = op;
	return 0;
}

static int negate(struct parser *p, struct where **w)
{
	struct where *outer;
	int rc = node_new(p, WHERE_NOT, &outer);

	if (rc)
		return rc;
	outer->child = *w;
	*w = outer;
	return 0;
}

/* --- terms ------------------------------------------------------------------------------------------------------ */

static bool is_joint(const struct token *t)
{
	return token_is(t, "and") || token_is(t, "or");
}

/* A time may be several words: all up to what cannot belong to it. */
static int take_words(struct parser *p, struct bytes *out)
{
	const uint8_t *start = p->token.source.data, *end = start;

	while (p->token.type == TOKEN_WORD && !is_joint(&p->token)) {
		end = p->token.source.data + p->token.source.len;
		int rc = next(p);
		if (rc)
			return rc;
	}
	*out = bytes_of(start, (size_t)(end - start));
	return 0;
}

static int settle_name(struct parser *p, const struct where *term, struct bytes text,
		       struct where_meant *out, struct why *why)
{
	bool known = term->op == WHERE_EQUAL || term->op == WHERE_IN ||
		     term->op == WHERE_CONTAINS || term->op == WHERE_MATCH;

	*out = (struct where_meant){.count = 0};
	if (!p->names || !known ||
	    (term->field->type != FIELD_TEXT && term->field->type != FIELD_LIST))
		return 0;
	int rc = p->names->settle(p->names->ctx, term->field, term->op, text, out, why);
	if (rc == 0 && out->nobody && term->op != WHERE_EQUAL)
		return why_set(why, ERR_SYNTAX, "'%.*s' goes with = and != only", (int)text.len,
			       (const char *)text.data);
	return rc;
}

/* One value, or all that it means, at the end of a list. */
static int make_values(struct parser *p, const struct where *term, struct bytes text, bool quoted,
		       const struct where_meant *meant, const struct where_value ***tail,
		       struct why *why)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < (meant->count ? meant->count : 1); i++) {
		struct where_value *value = arena_alloc(p->arena, sizeof *value);
		if (!value)
			return why_set(why, ERR_NOMEM, "no memory for the condition");
		if (i && ++p->nodes > WHERE_NODES_MAX)
			return why_set(why, ERR_LIMIT, "this is the name of too many: say more of it");
		rc = where_value_read(meant->count ? meant->texts[i] : text, quoted, term->field,
				      term->op, p->now_ms, p->zone, p->arena, value, why);
		**tail = value;
		*tail = &value->next;
	}
	return rc;
}

/* Where a name means several, or was only a part, it becomes `in`. Without a value, nobody is meant. */
static int take_value(struct parser *p, struct where *term, const struct where_value ***tail)
{
	struct token first = p->token;
	struct bytes text = first.text;
	struct where_meant meant;
	struct why why;

	if ((first.type != TOKEN_WORD && first.type != TOKEN_STRING) || is_joint(&first))
		return fail_expected(p, "a value");
	int rc = count_node(p);
	if (rc == 0)
		rc = first.type == TOKEN_WORD && term->field->type == FIELD_TIME
			     ? take_words(p, &text)
			     : next(p);
	if (rc)
		return rc;
	rc = settle_name(p, term, text, &meant, &why);
	if (meant.count > 1 || (meant.count && term->op != WHERE_EQUAL))
		term->op = WHERE_IN;
	if (rc == 0 && !meant.nobody)
		rc = make_values(p, term, text, first.type == TOKEN_STRING, &meant, tail, &why);
	return rc ? fail(p, first.source, rc, "%s", why.text) : 0;
}

static int take_in(struct parser *p, struct where *term)
{
	const struct where_value **tail = &term->values;

	if (p->token.type != TOKEN_OPEN)
		return fail_expected(p, "( behind in");
	do {
		int rc = next(p);
		if (rc == 0 && token_is(&p->token, "null"))
			return fail(p, p->token.source, ERR_SYNTAX, "null goes with = and != only");
		if (rc == 0)
			rc = take_value(p, term, &tail);
		if (rc)
			return rc;
	} while (p->token.type == TOKEN_COMMA);
	return p->token.type == TOKEN_CLOSE ? next(p) : fail_expected(p, ", or )");
}

static const struct operator
{
	const char *name;
	enum where_op op;
	bool negated;
}
operators[] = {
	{"=", WHERE_EQUAL, false},
	{"==", WHERE_EQUAL, false},
	{"!=", WHERE_EQUAL, true},
	{"<", WHERE_LESS, false},
	{"<=", WHERE_LESS_EQUAL, false},
	{">", WHERE_GREATER, false},
	{">=", WHERE_GREATER_EQUAL, false},
	{"~", WHERE_MATCH, false},
	{"in", WHERE_IN, false},
	{"contains", WHERE_CONTAINS, false},
	{"exists", WHERE_EXISTS, false},
};

static const struct operator* find_operator(const struct token *t)
{
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if ((t->type == TOKEN_OPERATOR && bytes_is(t->text, operators[i].name)) ||
		    token_is(t, operators[i].name))
			return &operators[i];
	return NULL;
}

/* `= null` holds exactly where the field does not exist. */
static void must_lack(struct where *term, bool *negated)
{
	term->op = WHERE_EXISTS;
	*negated = !*negated;
}

/* Behind the operator. */
static int take_right(struct parser *p, struct where *term, bool *negated)
{
	if (term->op == WHERE_EXISTS)
		return 0;
	if (term->op == WHERE_IN)
		return take_in(p, term);
	if (!token_is(&p->token, "null")) {
		const struct where_value **tail = &term->values;
		int rc = take_value(p, term, &tail);
		if (rc == 0 && !term->values)
			must_lack(term, negated);
		return rc;
	}
	if (term->op != WHERE_EQUAL)
		return fail(p, p->token.source, ERR_SYNTAX, "null goes with = and != only");
	must_lack(term, negated);
	return next(p);
}

/* A boolean by itself. */
static int finish_bare(struct parser *p, struct where *term, bool negated)
{
	if (negated)
		return fail_expected(p, "in, contains, exists or ~ behind not");
	if (term->field->type != FIELD_BOOL)
		return fail_expected(p, "an operator (= != < <= > >= ~ in contains exists)");
	struct where_value *value = arena_alloc(p->arena, sizeof *value);
	if (!value)
		return why_set(p->why, ERR_NOMEM, "no memory for the condition");
	value->text = bytes_str("true");
	term->values = value;
	return 0;
}

static int take_term(struct parser *p, struct where **out)
{
	struct token name = p->token;
	struct where *term;
	struct why why;

	if ((name.type != TOKEN_WORD && name.type != TOKEN_STRING) || is_joint(&name) ||
	    find_operator(&name))
		return fail_expected(p, "a field");
	int rc = node_new(p, WHERE_EQUAL, &term);
	if (rc)
		return rc;
	rc = field_resolve(name.text, p->fields, p->arena, &term->field, &why);
	if (rc)
		return fail(p, name.source, rc, "%s", why.text);
	rc = next(p);
	bool negated = rc == 0 && token_is(&p->token, "not");
	if (negated)
		rc = next(p);
	if (rc)
		return rc;
	const struct operator* o = find_operator(&p->token);
	if (!o || (negated && o->op < WHERE_IN)) {
		rc = finish_bare(p, term, negated);
	} else {
		term->op = o->op;
		negated = negated != o->negated;
		rc = next(p);
		if (rc == 0)
			rc = take_right(p, term, &negated);
	}
	*out = term;
	return rc || !negated ? rc : negate(p, out);
}

/* --- groups ----------------------------------------------------------------------------------------------------- */

static int take_joined(struct parser *p, enum where_op op, struct where **out);

static int deeper(struct parser *p)
{
	if (++p->depth > WHERE_DEPTH_MAX)
		return fail(p, p->token.source, ERR_LIMIT, "brackets and nots nest deeper than %d",
			    WHERE_DEPTH_MAX);
	return next(p);
}

static int take_group(struct parser *p, struct where **out)
{
	int rc = deeper(p);

	if (rc == 0)
		rc = take_joined(p, WHERE_OR, out);
	if (rc)
		return rc;
	p->depth--;
	return p->token.type == TOKEN_CLOSE ? next(p) : fail_expected(p, "and, or or )");
}

static int take_one(struct parser *p, struct where **out)
{
	if (p->token.type == TOKEN_OPEN)
		return take_group(p, out);
	if (!token_is(&p->token, "not"))
		return take_term(p, out);
	int rc = deeper(p);
	if (rc == 0)
		rc = take_one(p, out);
	if (rc)
		return rc;
	p->depth--;
	return negate(p, out);
}

/* One or more of the next tighter kind, with `and` or `or` between them; one stays as it is. */
static int take_joined(struct parser *p, enum where_op op, struct where **out)
{
	const char *joint = op == WHERE_OR ? "or" : "and";
	struct where *group = NULL, *last, *item;

	int rc = op == WHERE_OR ? take_joined(p, WHERE_AND, out) : take_one(p, out);
	last = *out;
	while (rc == 0 && token_is(&p->token, joint)) {
		if (!group) {
			rc = node_new(p, op, &group);
			if (rc)
				return rc;
			group->child = *out;
			*out = group;
		}
		rc = next(p);
		if (rc == 0)
			rc = op == WHERE_OR ? take_joined(p, WHERE_AND, &item) : take_one(p, &item);
		if (rc)
			return rc;
		last->next = item;
		last = item;
	}
	return rc;
}

static int parse(struct parser *p, struct where **out)
{
	int rc = next(p);

	if (rc)
		return rc;
	if (p->token.type == TOKEN_END)
		return node_new(p, WHERE_AND, out);
	rc = take_joined(p, WHERE_OR, out);
	if (rc == 0 && p->token.type != TOKEN_END)
		rc = fail_expected(p, "and, or or the end");
	return rc;
}

int where_parse(struct bytes text, const struct field *fields, int64_t now_ms, const struct zone *zone,
		struct arena *a, const struct where **where_out, struct why *why)
{
	return where_parse_named(text, fields, NULL, now_ms, zone, a, where_out, why);
}

int where_parse_named(struct bytes text, const struct field *fields,
		      const struct where_names *names, int64_t now_ms, const struct zone *zone,
		      struct arena *a, const struct where **where_out, struct why *why)
{
	struct bytes whole = text.len ? text : bytes_str("");
	struct parser p = {
		.lexer = {whole, whole.data, a},
		.fields = fields,
		.names = names,
		.now_ms = now_ms,
		.zone = zone,
		.arena = a,
		.why = why,
	};
	struct where *got = NULL;

	if (text.len > WHERE_TEXT_MAX)
		return why_set(why, ERR_LIMIT, "column %d: a condition has at most %d bytes",
			       WHERE_TEXT_MAX + 1, WHERE_TEXT_MAX);
	int rc = parse(&p, &got);
	if (rc == 0)
		*where_out = got;
	return rc;
}
