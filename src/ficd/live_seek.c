/*
 * live_seek: a question's condition and words as terms of a search. Only what must hold for every match becomes a term: what stands below `or`, or is negated as a
 * whole, is left to the store.
 */
#include "live.h"

struct making {
	struct arena *arena;
	struct seek *out;
	bool left_out;
};

static void add(struct making *m, const struct field *field, enum seek_op op,
		const struct bytes *values, size_t count)
{
	if (m->out->count == SEEK_TERMS_MAX || count == 0 || count > SEEK_VALUES_MAX)
		m->left_out = true;
	else
		m->out->terms[m->out->count++] = (struct seek_term){field, op, values, count};
}

/* The search goes on when nobody asks any more: it borrows nothing of the question. NULL: no memory. */
static const struct field *keep_field(struct making *m, const struct field *field)
{
	struct field *kept;

	if (!field->path) /* of the envelope */
		return field;
	kept = arena_alloc(m->arena, sizeof *kept);
	if (!kept)
		return NULL;
	*kept = *field;
	kept->name = arena_str(m->arena, bytes_str(field->name));
	kept->path = arena_str(m->arena, bytes_str(field->path));
	kept->help = NULL;
	return kept->name && kept->path ? kept : NULL;
}

static void add_term(struct making *m, const struct where *w, enum seek_op op)
{
	const struct field *field = keep_field(m, w->field);
	struct bytes *values;
	size_t n = 0;

	for (const struct where_value *v = w->values; v; v = v->next)
		n++;
	values = arena_alloc(m->arena, (n + 1) * sizeof *values);
	if (!values || !field) {
		m->left_out = true;
		return;
	}
	n = 0;
	for (const struct where_value *v = w->values; v; v = v->next)
		values[n++] = arena_bytes(m->arena, v->text);
	add(m, field, op, values, n);
}

static bool is_equality(const struct where *w)
{
	return w->op == WHERE_EQUAL || w->op == WHERE_IN;
}

static void add_where(struct making *m, const struct where *w)
{
	if (w->op == WHERE_AND)
		for (const struct where *child = w->child; child; child = child->next)
			add_where(m, child);
	else if (is_equality(w) || (w->op == WHERE_CONTAINS && w->field->type == FIELD_LIST))
		add_term(m, w, SEEK_IS);
	else if (w->op == WHERE_CONTAINS || w->op == WHERE_MATCH)
		add_term(m, w, SEEK_HAS);
	else if (w->op == WHERE_NOT && is_equality(w->child))
		add_term(m, w->child, SEEK_NOT);
	else
		m->left_out = true;
}

static void add_words(struct making *m, const struct search *s, const struct search_node *node)
{
	if (node->op == SEARCH_ALL) {
		for (const struct search_node *child = node->child; child; child = child->next)
			add_words(m, s, child);
		return;
	}
	if (node->op != SEARCH_PHRASE) {
		m->left_out = true;
		return;
	}
	for (unsigned i = node->first; i < node->first + node->count; i++) {
		struct bytes *word = arena_alloc(m->arena, sizeof *word);
		if (word)
			*word = arena_bytes(m->arena, s->words[i].term);
		add(m, NULL, SEEK_HAS, word, word != NULL);
	}
}

bool live_seek(const struct live_question *q, struct arena *a, struct seek *out)
{
	struct making m = {a, out, false};

	*out = (struct seek){.count = 0};
	if (q->where)
		add_where(&m, q->where);
	if (q->search)
		add_words(&m, q->search, q->search->root);
	return m.left_out;
}
