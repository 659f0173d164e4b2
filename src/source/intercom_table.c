/* intercom_table: Intercom's resources, how each is listed, and their common fields. Nothing here runs but look-ups. */
#include "intercom.h"

#include <codec/msgpack.h>

#include <string.h>

static const struct field conversation_fields[] = {
	{"state", FIELD_TEXT, "state", "open, closed or snoozed"},
	{"subject", FIELD_HTML, "title|source.subject", "subject or title"},
	{"assignee", FIELD_TEXT, "admin_assignee_id", "id of the assigned admin; 0 when unassigned"},
	{"team", FIELD_TEXT, "team_assignee_id", "id of the assigned team; 0 when unassigned"},
	{"contact", FIELD_LIST, "contacts.contacts.*.id", "ids of the contacts that take part"},
	{"author", FIELD_TEXT, "source.author.email|source.author.name|source.author.id",
	 "who opened it"},
	{"author_type", FIELD_TEXT, "source.author.type", "user, lead, admin, bot or team"},
	{"email", FIELD_TEXT, "source.author.email", "mail address of the author"},
	{"tags", FIELD_LIST, "tags.tags.*.name", "names of its tags"},
	{"channel", FIELD_TEXT, "channel.initial|source.type", "how it began"},
	{"priority", FIELD_TEXT, "priority", "none, low, medium, high or urgent"},
	{"open", FIELD_BOOL, "open", "whether it is open"},
	{"read", FIELD_BOOL, "read", "whether it was read"},
	{"body", FIELD_HTML, "source.body", "the opening message as plain text"},
	{"waiting_since", FIELD_TIME, "waiting_since", "since when the contact waits for an answer"},
	{"snoozed_until", FIELD_TIME, "snoozed_until", "when it comes back"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field message_fields[] = {
	{"kind", FIELD_TEXT, "part_type|=\xa6source",
	 "comment, note, assignment, close …; source for the opening message"},
	{"author", FIELD_TEXT, "author.email|author.name|author.id", "who wrote it"},
	{"author_name", FIELD_TEXT, "author.name", "name of who wrote it"},
	{"author_type", FIELD_TEXT, "author.type", "user, lead, contact, admin, bot or team"},
	{"email", FIELD_TEXT, "author.email", "mail address of the author"},
	{"body", FIELD_HTML, "body", "the text as plain text"},
	{"assignee", FIELD_TEXT, "assigned_to.id", "to whom it assigned the conversation"},
	{"redacted", FIELD_BOOL, "redacted", "whether its text was removed upstream"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field contact_fields[] = {
	{"name", FIELD_TEXT, "name", "full name"},
	{"email", FIELD_TEXT, "email", "mail address"},
	{"role", FIELD_TEXT, "role", "user or lead"},
	{"phone", FIELD_TEXT, "phone", "telephone number"},
	{"external_id", FIELD_TEXT, "external_id", "id in the workspace's own system"},
	{"owner", FIELD_TEXT, "owner_id", "id of the admin who owns the contact"},
	{"last_seen", FIELD_TIME, "last_seen_at", "when last seen"},
	{"last_replied", FIELD_TIME, "last_replied_at", "when the contact last replied"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field company_fields[] = {
	{"name", FIELD_TEXT, "name", "name"},
	{"company_id", FIELD_TEXT, "company_id", "id in the workspace's own system"},
	{"plan", FIELD_TEXT, "plan.name", "name of the plan"},
	{"industry", FIELD_TEXT, "industry", "industry"},
	{"users", FIELD_INTEGER, "user_count", "number of its users"},
	{"spend", FIELD_REAL, "monthly_spend", "monthly spend"},
	{"tags", FIELD_LIST, "tags.tags.*.name", "names of its tags"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field admin_fields[] = {
	{"name", FIELD_TEXT, "name", "full name"},
	{"email", FIELD_TEXT, "email", "mail address"},
	{"role", FIELD_TEXT, "role.name", "role"},
	{"away", FIELD_BOOL, "away_mode_enabled", "whether away"},
	{"teams", FIELD_LIST, "team_ids.*", "ids of the teams"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field named_fields[] = {
	{"name", FIELD_TEXT, "name", "name"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

#define MINUTE_MS (60 * 1000)

const struct resource_type intercom_types[] = {
	{"admins", TRAIT_LIST | TRAIT_ETAG, NULL, NULL, admin_fields, 0},
	{"teams", TRAIT_LIST | TRAIT_ETAG, NULL, NULL, named_fields, 0},
	{"tags", TRAIT_LIST | TRAIT_ETAG, NULL, NULL, named_fields, 0},
	{"segments", TRAIT_LIST | TRAIT_ETAG, NULL, NULL, named_fields, 0},
	{"companies", TRAIT_LIST | TRAIT_UNSTABLE, NULL, NULL, company_fields, 0},
	/* New contacts show up in search after "a few minutes". */
	{"contacts", TRAIT_LIST | TRAIT_CHANGED | TRAIT_ONE, NULL, NULL, contact_fields,
	 10 * MINUTE_MS},
	/* More than a provider's clock may be ahead of ours. */
	{"conversations",
	 TRAIT_CHANGED | TRAIT_CREATED | TRAIT_ONE | TRAIT_DELETED | TRAIT_POOR | TRAIT_WINDOWED,
	 NULL, "messages", conversation_fields, 7 * MINUTE_MS},
	{"messages", TRAIT_CHILD | TRAIT_WINDOWED, "conversations", NULL, message_fields, 0},
	{NULL, 0, NULL, NULL, NULL, 0},
};

static const struct intercom_route routes[] = {
	{"admins", "/admins", "GET", "admin.list", "admins", "admin", NULL, NULL, false, false},
	{"teams", "/teams", "GET", "team.list", "teams", "team", NULL, NULL, false, false},
	{"tags", "/tags", "GET", "list", "data", "tag", NULL, NULL, false, false},
	{"segments", "/segments", "GET", "segment.list", "segments", "segment", NULL, NULL, false,
	 false},
	{"companies", "/companies/list", "POST", "list", "data", "company", NULL, NULL, true, false},
	{"contacts", "/contacts", "GET", "list", "data", "contact", "/contacts/search",
	 "/contacts/", false, true},
	{"conversations", NULL, NULL, "conversation.list", "conversations", "conversation",
	 "/conversations/search", "/conversations/", false, false},
	{NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false},
};

const struct intercom_route *intercom_route(const struct resource_type *type)
{
	for (const struct intercom_route *r = routes; type && r->name; r++)
		if (strcmp(r->name, type->name) == 0)
			return r;
	return NULL;
}

bool intercom_type_is(struct bytes doc, const char *type)
{
	struct bytes text;

	return mp_find_str(doc, "type", &text) && bytes_is(text, type);
}
