/*
 * intercom_seek: what a question looks for, in the words of Intercom's searches. Never widens what a term means but where it says so (less is found), and
 * sends no value of a kind that the field does not take: one such filter refuses the whole search.
 */
#include "intercom.h"

#include <codec/json.h>

#include <string.h>

#define WORD_MAX 200 /* bytes of a value that is looked for */

enum value_kind { VALUE_TEXT, VALUE_NUMBER, VALUE_BOOL };

struct word {
	const char *resource;
	const char *field;    /* of a question; NULL: any text */
	const char *upstream; /* one more after a '|': either of them */
	enum value_kind kind;
	bool is, has; /* equality; a part of the text */
	bool less; /* matches are missed: the field has another place as well, or is searched word by word */
};

static const struct word words[] = {
	{"conversations", "id", "id", VALUE_TEXT, true, false, false},
	{"conversations", "state", "state", VALUE_TEXT, true, false, false},
	{"conversations", "assignee", "admin_assignee_id", VALUE_NUMBER, true, false, false},
	{"conversations", "team", "team_assignee_id", VALUE_NUMBER, true, false, false},
	{"conversations", "contact", "contact_ids", VALUE_TEXT, true, false, false},
	{"conversations", "email", "source.author.email", VALUE_TEXT, true, true, false},
	{"conversations", "author_type", "source.author.type", VALUE_TEXT, true, false, false},
	{"conversations", "open", "open", VALUE_BOOL, true, false, false},
	{"conversations", "read", "read", VALUE_BOOL, true, false, false},
	{"conversations", "subject", "source.subject", VALUE_TEXT, false, true, true},
	{"conversations", "body", "source.body", VALUE_TEXT, false, true, true},
	{"conversations", NULL, "source.body|source.subject", VALUE_TEXT, false, true, true},
	{"contacts", "id", "id", VALUE_TEXT, true, false, false},
	{"contacts", "name", "name", VALUE_TEXT, true, true, false},
	{"contacts", "email", "email", VALUE_TEXT, true, true, false},
	{"contacts", "phone", "phone", VALUE_TEXT, true, true, false},
	{"contacts", "external_id", "external_id", VALUE_TEXT, true, false, false},
	{"contacts", "role", "role", VALUE_TEXT, true, false, false},
	{"contacts", "owner", "owner_id", VALUE_TEXT, true, false, false},
	{"contacts", NULL, "name|email", VALUE_TEXT, false, true, true},
	{"tickets", "id", "id", VALUE_TEXT, true, false, false},
	{"tickets", "assignee", "admin_assignee_id", VALUE_TEXT, true, false, false},
	{"tickets", "team", "team_assignee_id", VALUE_TEXT, true, false, false},
	{"tickets", "contact", "contact_ids", VALUE_TEXT, true, false, false},
	{"tickets", "open", "open", VALUE_BOOL, true, false, false},
	{"tickets", "title", "title", VALUE_TEXT, true, true, false},
};

static const struct word *word_of(const char *resource, const struct field *field)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		const struct word *w = &words[i];
		if (strcmp(w->resource, resource) == 0 &&
		    (field && w->field ? strcmp(w->field, field->name) == 0 : !field && !w->field))
			return w;
	}
	return NULL;
}

static bool is_number(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return text.len > 0 && text.len < 19 && (text.len == 1 || text.data[0] != '0');
}

static bool value_fits(const struct word *w, struct bytes value)
{
	switch (w->kind) {
	case VALUE_NUMBER: return is_number(value);
	case VALUE_BOOL: return bytes_is(value, "true") || bytes_is(value, "false");
	default: return value.len > 0 && value.len <= WORD_MAX;
	}
}

bool intercom_seeks(const struct account *a, const struct resource_type *type,
		    const struct seek_term *term, bool *less)
{
	const struct word *w = word_of(type->name, term->field);

	(void)a;
	if (!w || !(term->op == SEEK_HAS ? w->has : w->is) || term->count == 0 ||
	    term->count > (term->op == SEEK_HAS ? 1 : SEEK_VALUES_MAX))
		return false;
	for (size_t i = 0; i < term->count; i++)
		if (!value_fits(w, term->values[i]))
			return false;
	*less |= w->less;
	return true;
}

static void put_value(struct buf *body, const struct word *w, struct bytes value)
{
	if (w->kind == VALUE_TEXT)
		json_write_str(body, value);
	else
		buf_put_bytes(body, value);
}

static void put_filter(struct buf *body, const struct word *w, struct bytes upstream,
		       const struct seek_term *term)
{
	static const char *const one[] = {"=", "!=", "~"}, *const several[] = {"IN", "NIN", "~"};
	bool list = term->op != SEEK_HAS && term->count > 1;

	buf_put_str(body, "{\"field\":");
	json_write_str(body, upstream);
	buf_printf(body, ",\"operator\":\"%s\",\"value\":", (list ? several : one)[term->op]);
	for (size_t i = 0; i < term->count; i++) {
		if (list)
			buf_put_byte(body, i ? ',' : '[');
		put_value(body, w, term->values[i]);
	}
	buf_put_str(body, list ? "]}" : "}");
}

static void put_term(struct buf *body, const struct word *w, const struct seek_term *term)
{
	const char *bar = strchr(w->upstream, '|');

	if (!bar) {
		put_filter(body, w, bytes_str(w->upstream), term);
		return;
	}
	buf_put_str(body, "{\"operator\":\"OR\",\"value\":[");
	put_filter(body, w, bytes_of(w->upstream, (size_t)(bar - w->upstream)), term);
	buf_put_byte(body, ',');
	put_filter(body, w, bytes_str(bar + 1), term);
	buf_put_str(body, "]}");
}

void intercom_put_seek(struct buf *body, const struct ask *ask)
{
	for (size_t i = 0; i < ask->seek->count; i++) {
		const struct seek_term *term = &ask->seek->terms[i];
		buf_put_byte(body, ',');
		put_term(body, word_of(ask->type->name, term->field), term);
	}
}
