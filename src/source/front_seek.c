/*
 * front_seek: what a question looks for, in the words of Front's search of conversations; of contacts, whose is a handle. Never widens what a term means but where it
 * says so (less is found), and sends no value that could be read as another filter or that the filter does not take: one such refuses the whole search.
 *
 * A search shows what is in the trash only to who asks for just that, and knows the times of messages, not those of conversations.
 */
#include "front.h"

#include <inttypes.h>
#include <string.h>

#define WORD_MAX   100 /* bytes of a value that is looked for */
#define SECOND_MS  1000
#define BESIDES_MS 2000 /* a conversation may be made so long before or after its first message */

struct word {
	const char *field; /* of a question; NULL: any text */
	const char *filter;
	const char *value; /* the one that it is about; with a '_' at its end: how all ids begin; NULL: a handle, or words */
	bool has; /* a part of the text; else equality */
	bool less; /* matches are missed: the field has another place as well, or is searched word by word */
	bool trash; /* says whether they are in the trash */
};

/* With ticketing the state follows the category of the ticket, while filters follow the status. */
static const struct word words[] = {
	{"state", "is:open", "open", false, true, true},
	{"state", "is:archived", "closed", false, true, true},
	{"state", "is:snoozed", "snoozed", false, true, true},
	{"state", "is:trashed", "trashed", false, false, true},
	{"open", "is:open", "true", false, true, true},
	{"status", "is:assigned", "assigned", false, false, true},
	{"status", "is:unassigned", "unassigned", false, false, true},
	{"status", "is:archived", "archived", false, true, true},
	{"status", "is:trashed", "deleted", false, false, true},
	{"assignee", "assignee:", "tea_", false, false, false},
	{"inbox_id", "inbox:", "inb_", false, false, false},
	{"contact", "contact:", "crd_", false, false, false},
	{"email", "recipient:", NULL, false, false, false},
	{"subject", "", NULL, true, true, false},
	{NULL, "", NULL, true, true, false},
};

static bool is_value(const struct word *w, struct bytes value)
{
	size_t n = w->value ? strlen(w->value) : 0;

	if (!w->value || w->value[n - 1] != '_')
		return !w->value || bytes_is(value, w->value);
	return value.len > n && memcmp(value.data, w->value, n) == 0 && url_id_usable(value);
}

/* Nothing that ends a phrase; in a handle nothing that ends it. */
static bool is_plain(struct bytes value, bool phrase)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] < 0x20 || value.data[i] == '"' || value.data[i] == 0x7f ||
		    (!phrase && value.data[i] == ' '))
			return false;
	return value.len > 0 && value.len <= WORD_MAX;
}

static const struct word *word_of(const struct seek_term *term)
{
	if (term->count != 1 || term->op == SEEK_NOT ||
	    !is_plain(term->values[0], term->op == SEEK_HAS))
		return NULL;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		const struct word *w = &words[i];
		bool same = term->field ? w->field && strcmp(w->field, term->field->name) == 0
					: !w->field;
		if (same && w->has == (term->op == SEEK_HAS) && is_value(w, term->values[0]))
			return w;
	}
	return NULL;
}

/* The kind of handle that a contact is asked for by; NULL: another term. */
static const char *handle_of(const struct seek_term *term)
{
	if (!term->field || term->op != SEEK_IS || term->count != 1 ||
	    !is_plain(term->values[0], false))
		return NULL;
	return strcmp(term->field->name, "email") == 0   ? "email"
	       : strcmp(term->field->name, "phone") == 0 ? "phone"
							 : NULL;
}

bool front_seeks(const struct account *a, const struct resource_type *type,
		 const struct seek_term *term, bool *less)
{
	const struct word *w;

	(void)a;
	if (!front_route(type)->threads)
		return handle_of(term) != NULL;
	w = word_of(term);
	*less |= w && w->less;
	return w != NULL;
}

int front_sought(const struct account *a, const struct resource_type *type, bool spanned,
		 struct seek *seek, struct why *why)
{
	bool trash = false;

	(void)a;
	if (!front_route(type)->threads) {
		/* Each handle is one contact's. */
		if (seek->count == 0)
			return why_set(why, ERR_INVALID,
				       "Front finds contacts by a whole mail address or number only");
		seek->count = 1;
		return 0;
	}
	for (size_t i = 0; i < seek->count; i++)
		trash |= word_of(&seek->terms[i])->trash;
	seek->less |= spanned || (seek->count && !trash);
	return 0;
}

static void put_second(struct buf *query, const char *filter, int64_t ms)
{
	buf_printf(query, "%s%s%" PRId64, query->len ? " " : "", filter, ms < 0 ? 0 : ms / SECOND_MS);
}

static void put_term(struct buf *query, const struct seek_term *term)
{
	const struct word *w = word_of(term);
	bool fixed = w->value && w->value[strlen(w->value) - 1] != '_';

	buf_printf(query, "%s%s%s", query->len ? " " : "", w->filter, w->has ? "\"" : "");
	if (!fixed)
		buf_put_bytes(query, term->values[0]);
	buf_put_str(query, w->has ? "\"" : "");
}

/* The newest of all are what the list begins with, which has no limit of its own. */
static bool is_listed(const struct ask *ask)
{
	return ask->seek->count == 0 && ask->end_ms == TIME_MAX;
}

static void put_conversations(const struct account *a, const struct front_route *route,
			      const struct ask *ask, struct call *out)
{
	struct buf query = {0};

	if (is_listed(ask)) {
		buf_printf(&out->url, "%s%s?limit=%u&%s", a->base_url, route->path, route->page_max,
			   route->newest);
		return;
	}
	for (size_t i = 0; i < ask->seek->count; i++)
		put_term(&query, &ask->seek->terms[i]);
	if (ask->start_ms != TIME_MIN)
		put_second(&query, "after:", ask->start_ms - BESIDES_MS);
	if (ask->end_ms != TIME_MAX)
		put_second(&query, "before:", ask->end_ms + BESIDES_MS + SECOND_MS - 1);
	buf_printf(&out->url, "%s%s/search/", a->base_url, route->path);
	url_put_escaped(&out->url, buf_bytes(&query));
	buf_printf(&out->url, "?limit=%u", route->page_max);
	if (query.error)
		out->url.error = query.error;
	out->route = FRONT_ROUTE_SEARCH;
	buf_release(&query);
}

int front_put_search(const struct account *a, const struct front_route *route,
		     const struct ask *ask, struct call *out)
{
	if (!ask->seek || !route)
		return ERR_INVALID;
	if (route->threads) {
		put_conversations(a, route, ask, out);
		return 0;
	}
	if (ask->seek->count != 1)
		return ERR_INVALID;
	buf_printf(&out->url, "%s%s/alt:%s:", a->base_url, route->path,
		   handle_of(&ask->seek->terms[0]));
	url_put_escaped(&out->url, ask->seek->terms[0].values[0]);
	return 0;
}
