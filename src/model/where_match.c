/*
 * where_match: conditions against records. Pure; a damaged document is an error, never a guess.
 */
#include <model/where.h>

#include "field_walk.h"
#include "fold.h"

static int sign(bool less, bool greater)
{
	return greater - less;
}

/* Where a moment lies to a time's span: before it, in it, after it. */
static int place(int64_t ms, const struct when *time)
{
	return sign(ms < time->start_ms, ms >= time->end_ms);
}

static int order_numbers(const struct scalar *s, const struct where_value *v)
{
	if (s->type == SCALAR_INTEGER && v->is_integer)
		return sign(s->integer<v->integer, s->integer> v->integer);
	double number = s->type == SCALAR_INTEGER ? (double)s->integer : s->real;
	return sign(number<v->number, number> v->number);
}

static int order_texts(const struct scalar *s, const struct where_value *v)
{
	char room[40];

	return bytes_compare(scalar_text(s, room), v->text);
}

/* Negative, 0, positive. */
static int order(const struct scalar *s, const struct where_value *v)
{
	bool number = s->type == SCALAR_INTEGER || s->type == SCALAR_REAL;

	if (s->type == SCALAR_TIME)
		return place(s->integer, &v->time);
	if (number && v->is_number)
		return order_numbers(s, v);
	if (number && v->is_time) { /* a raw path: upstream, times are seconds */
		int64_t ms = time_from_seconds(s->type == SCALAR_INTEGER ? (double)s->integer
									 : s->real);
		return ms == TIME_NONE ? order_texts(s, v) : place(ms, &v->time);
	}
	return order_texts(s, v);
}

static bool satisfies(const struct where *w, const struct scalar *s)
{
	char room[40];

	switch (w->op) {
	case WHERE_EQUAL: return order(s, w->values) == 0;
	case WHERE_LESS: return order(s, w->values) < 0;
	case WHERE_LESS_EQUAL: return order(s, w->values) <= 0;
	case WHERE_GREATER: return order(s, w->values) > 0;
	case WHERE_GREATER_EQUAL: return order(s, w->values) >= 0;
	case WHERE_IN:
		for (const struct where_value *v = w->values; v; v = v->next)
			if (order(s, v) == 0)
				return true;
		return false;
	case WHERE_CONTAINS:
		if (s->item)
			return fold_equal(scalar_text(s, room), w->values->text);
		return fold_find(scalar_text(s, room), w->values->text, w->values->failure);
	case WHERE_MATCH:
		return fold_find(scalar_text(s, room), w->values->text, w->values->failure);
	default: return false;
	}
}

static int match_scalar(void *ctx, const struct scalar *s)
{
	const struct where *w = ctx;

	/* An object behind a raw path is there, although it compares with nothing. */
	if (w->op == WHERE_EXISTS)
		return s->type != SCALAR_NONE || w->field->type == FIELD_ANY;
	return s->type != SCALAR_NONE && satisfies(w, s);
}

/* Where the values of the fields come from. */
struct values {
	const struct record *r;
	int (*stored)(void *ctx, const struct field *f, struct bytes *out); /* NULL: the document */
	void *ctx;
	struct buf *scratch;
};

static int match(const struct where *w, const struct values *from);

/* Of `and` until one is false, of `or` until one is true. */
static int match_group(const struct where *w, const struct values *from)
{
	int stop = w->op == WHERE_OR;

	for (const struct where *child = w->child; child; child = child->next) {
		int rc = match(child, from);
		if (rc < 0 || rc == stop)
			return rc;
	}
	return !stop;
}

static int match_term(const struct where *w, const struct values *from)
{
	struct where term = *w; /* the callback's context is not const */
	struct bytes value;

	if (!from->stored || !w->field->path)
		return field_walk(w->field, &(struct field_source){.r = from->r}, from->scratch,
				  match_scalar, &term);
	int rc = from->stored(from->ctx, w->field, &value);
	return rc < 0 ? rc : field_walk_stored(w->field, value, match_scalar, &term);
}

static int match(const struct where *w, const struct values *from)
{
	if (w->op == WHERE_AND || w->op == WHERE_OR)
		return match_group(w, from);
	if (w->op == WHERE_NOT) {
		int rc = match(w->child, from);
		return rc < 0 ? rc : !rc;
	}
	return match_term(w, from);
}

int where_match(const struct where *w, const struct record *r, struct buf *scratch)
{
	return match(w, &(struct values){r, NULL, NULL, scratch});
}

int where_match_stored(const struct where *w, const struct record *r,
		       int (*stored)(void *ctx, const struct field *f, struct bytes *out),
		       void *ctx, struct buf *scratch)
{
	return match(w, &(struct values){r, stored, ctx, scratch});
}
