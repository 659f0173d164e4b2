/* The table of the API's paths, and the search in it. */
#include "routes.h"

#include <stdio.h>
#include <string.h>

#define SEARCH " query pagination sort "

static const struct route routes[] = {
	{"GET", "/me", answer_me, 214, "", NULL, false},
	{"GET", "/admins", answer_admins, 214, " display_avatar ", NULL, true},
	{"GET", "/admins/{}", answer_admin, 214, " display_avatar ", NULL, false},
	{"GET", "/teams", answer_teams, 214, "", NULL, true},
	{"GET", "/teams/{}", answer_team, 214, "", NULL, false},
	{"GET", "/tags", answer_tags, 214, "", NULL, true},
	{"GET", "/tags/{}", answer_tag, 214, "", NULL, false},
	{"GET", "/segments", answer_segments, 214, " include_count ", NULL, true},
	{"GET", "/segments/{}", answer_segment, 214, "", NULL, false},
	{"GET", "/contacts", answer_contacts, 214,
	 " per_page starting_after include_merge_history ", NULL, false},
	{"POST", "/contacts/search", answer_contact_search, 214, " include_merge_history ", SEARCH,
	 false},
	{"GET", "/contacts/{}", answer_contact, 214, " include_merge_history ", NULL, false},
	{"GET", "/contacts/{}/tags", answer_contact_tags, 214, "", NULL, false},
	{"GET", "/contacts/{}/companies", answer_contact_companies, 214, " page per_page ", NULL,
	 false},
	{"GET", "/contacts/{}/notes", answer_contact_notes, 214, " page per_page ", NULL, false},
	{"GET", "/contacts/{}/segments", answer_contact_segments, 214, "", NULL, false},
	{"POST", "/companies/list", answer_companies_list, 214, " page per_page order ", "", false},
	{"GET", "/companies", answer_companies, 214,
	 " name company_id tag_id segment_id page per_page ", NULL, false},
	{"GET", "/companies/scroll", answer_companies_scroll, 214, " scroll_param ", NULL, false},
	{"GET", "/companies/{}", answer_company, 214, "", NULL, false},
	{"GET", "/conversations", answer_conversations, 214, " per_page starting_after ", NULL, false},
	{"POST", "/conversations/search", answer_conversation_search, 214,
	 " include_monitors include_scorecards ", SEARCH, false},
	{"GET", "/conversations/deleted", answer_conversations_deleted, 216,
	 " page per_page order ", NULL, false},
	{"GET", "/conversations/attributes", answer_conversation_attributes, 216,
	 " include_archived ", NULL, true},
	{"GET", "/conversations/{}", answer_conversation, 214,
	 " display_as include_translations include_email_history ", NULL, false},
	{"GET", "/data_attributes", answer_data_attributes, 214, " model include_archived ", NULL,
	 true},
	{"POST", "/tickets/search", answer_tickets_search, 214, "", SEARCH, false},
	{"GET", "/tickets/{}", answer_ticket, 214, "", NULL, false},
	{"GET", "/ticket_types", answer_ticket_types, 214, "", NULL, true},
	{"GET", "/ticket_states", answer_ticket_states, 214, "", NULL, true},
	{"GET", "/articles", answer_articles, 214, " page per_page ", NULL, false},
	{"GET", "/help_center/collections", answer_collections, 214, " page per_page ", NULL, false},
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

/* Fixed paths come before {} in the table where both would fit. */
static bool path_fits(const char *pattern, const char *path, char id[64])
{
	const char *brace = strstr(pattern, "{}");
	size_t before, n;

	if (!brace)
		return !strcmp(pattern, path);
	before = (size_t)(brace - pattern);
	if (strncmp(pattern, path, before) != 0)
		return false;
	n = strcspn(path + before, "/");
	if (n == 0 || n >= 64 || strcmp(path + before + n, brace + 2) != 0)
		return false;
	memcpy(id, path + before, n);
	id[n] = '\0';
	return true;
}

const struct route *route_find(const char *method, const char *path, char id[64])
{
	id[0] = '\0';
	for (size_t i = 0; i < ROUTES; i++)
		if (!strcmp(routes[i].method, method) && path_fits(routes[i].path, path, id))
			return &routes[i];
	return NULL;
}

unsigned route_number(const struct route *r)
{
	return (unsigned)(r - routes);
}

const char *route_name(unsigned number)
{
	static char name[80];

	snprintf(name, sizeof(name), "%s %s", routes[number].method, routes[number].path);
	return name;
}

unsigned route_count(void)
{
	return ROUTES;
}
