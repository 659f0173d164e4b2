/* intercom_table: Intercom's resources and their common fields. */
#include "intercom.h"

static const struct field conversation_fields[] = {
	{"state", FIELD_TEXT, "state", "open, closed or snoozed"},
	{"subject", FIELD_HTML, "title|source.subject", "subject or title"},
	{"assignee", FIELD_TEXT, "admin_assignee_id!",
	 "id of the assigned admin; nothing when unassigned"},
	{"team", FIELD_TEXT, "team_assignee_id!", "id of the assigned team; nothing when unassigned"},
	{"contact", FIELD_LIST, "contacts.contacts.*.id", "ids of the contacts that take part"},
	{"author", FIELD_TEXT, "source.author.email|source.author.name|source.author.id",
	 "who opened it"},
	{"author_type", FIELD_TEXT, "source.author.type", "user, lead, admin, bot or team"},
	{"email", FIELD_TEXT, "source.author.email", "mail address of the author"},
	{"tags", FIELD_LIST, "tags.tags.*.name", "names of its tags"},
	{"channel", FIELD_TEXT, "channel.initial|source.type", "how it began"},
	{"priority", FIELD_TEXT, "priority",
	 "none, low, medium, high or urgent; up to 2.15 priority or not_priority"},
	{"open", FIELD_BOOL, "open", "whether it is open"},
	{"read", FIELD_BOOL, "read", "whether it was read"},
	{"body", FIELD_HTML, "source.body", "the opening message as plain text"},
	{"waiting_since", FIELD_TIME, "waiting_since", "since when the contact waits for an answer"},
	{"snoozed_until", FIELD_TIME, "snoozed_until", "when it comes back"},
	{"time_to_assignment", FIELD_INTEGER, "statistics.time_to_assignment",
	 "seconds until it was first assigned"},
	{"time_to_first_response", FIELD_INTEGER, "statistics.time_to_admin_reply",
	 "seconds until a teammate first replied"},
	{"time_to_first_close", FIELD_INTEGER, "statistics.time_to_first_close",
	 "seconds until it was first closed"},
	{"time_to_last_close", FIELD_INTEGER, "statistics.time_to_last_close",
	 "seconds until it was last closed"},
	{"median_response_time", FIELD_INTEGER, "statistics.median_time_to_reply",
	 "median of the seconds that contacts waited for a reply"},
	{"handling_time", FIELD_INTEGER, "statistics.handling_time",
	 "seconds that teammates spent on it, where that is said"},
	{"reopens", FIELD_INTEGER, "statistics.count_reopens", "how often it was reopened"},
	{"parts", FIELD_INTEGER, "statistics.count_conversation_parts", "how many parts it has"},
	{"rating", FIELD_INTEGER, "conversation_rating.rating", "1 to 5, where it was rated"},
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
	{"assignee", FIELD_TEXT, "assigned_to.id!", "to whom it assigned the conversation"},
	{"redacted", FIELD_BOOL, "redacted", "whether its text was removed upstream"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field contact_fields[] = {
	{"name", FIELD_TEXT, "name", "full name"},
	{"email", FIELD_TEXT, "email", "mail address"},
	{"role", FIELD_TEXT, "role", "user or lead"},
	{"phone", FIELD_TEXT, "phone", "telephone number"},
	{"external_id", FIELD_TEXT, "external_id", "id in the workspace's own system"},
	{"owner", FIELD_TEXT, "owner_id!", "id of the admin who owns the contact"},
	{"last_seen", FIELD_TIME, "last_seen_at", "when last seen"},
	{"last_replied", FIELD_TIME, "last_replied_at", "when the contact last replied"},
	{"tags", FIELD_LIST, "tags.data.*.id", "ids of the tags"},
	{"companies", FIELD_LIST, "companies.data.*.id", "ids of the companies"},
	{"archived", FIELD_BOOL, "archived", "whether it was archived, where that is said"},
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

static const struct field team_fields[] = {
	{"name", FIELD_TEXT, "name", "name"},
	{"admins", FIELD_LIST, "admin_ids.*", "ids of its admins"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field segment_fields[] = {
	{"name", FIELD_TEXT, "name", "name"},
	{"person_type", FIELD_TEXT, "person_type", "contact or user"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field ticket_fields[] = {
	{"number", FIELD_TEXT, "ticket_id", "its number in the inbox"},
	{"title", FIELD_TEXT, "ticket_attributes._default_title_", "title"},
	{"body", FIELD_HTML, "ticket_attributes._default_description_",
	 "its description as plain text"},
	{"state", FIELD_TEXT, "ticket_state.category|ticket_state",
	 "submitted, in_progress, waiting_on_customer or resolved"},
	{"label", FIELD_TEXT, "ticket_state.internal_label", "the state as teammates see it"},
	{"category", FIELD_TEXT, "category", "Customer, Back-office or Tracker"},
	{"kind", FIELD_TEXT, "ticket_type.name", "name of its type"},
	{"assignee", FIELD_TEXT, "admin_assignee_id!",
	 "id of the assigned admin; nothing when unassigned"},
	{"team", FIELD_TEXT, "team_assignee_id!", "id of the assigned team; nothing when unassigned"},
	{"contact", FIELD_LIST, "contacts.contacts.*.id", "ids of the contacts that take part"},
	{"open", FIELD_BOOL, "open", "whether it is open"},
	{"shared", FIELD_BOOL, "is_shared", "whether contacts see it"},
	{"snoozed_until", FIELD_TIME, "snoozed_until", "when it comes back"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field ticket_part_fields[] = {
	{"kind", FIELD_TEXT, "part_type", "comment, note, ticket_state_updated_by_admin …"},
	{"author", FIELD_TEXT, "author.email|author.name|author.id", "who wrote it"},
	{"author_name", FIELD_TEXT, "author.name", "name of who wrote it"},
	{"author_type", FIELD_TEXT, "author.type", "user, admin, bot or team"},
	{"email", FIELD_TEXT, "author.email", "mail address of the author"},
	{"body", FIELD_HTML, "body", "the text as plain text"},
	{"state", FIELD_TEXT, "ticket_state", "the ticket's state from then on"},
	{"assignee", FIELD_TEXT, "assigned_to.id!", "to whom it assigned the ticket"},
	{"redacted", FIELD_BOOL, "redacted", "whether its text was removed upstream"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field ticket_type_fields[] = {
	{"name", FIELD_TEXT, "name", "name"},
	{"description", FIELD_TEXT, "description", "what it is for"},
	{"category", FIELD_TEXT, "category", "Customer, Back-office or Tracker"},
	{"archived", FIELD_BOOL, "archived", "whether it is out of use"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field ticket_state_fields[] = {
	{"name", FIELD_TEXT, "internal_label", "what teammates see"},
	{"label", FIELD_TEXT, "external_label", "what contacts see"},
	{"category", FIELD_TEXT, "category", "submitted, in_progress, waiting_on_customer or resolved"},
	{"archived", FIELD_BOOL, "archived", "whether it is out of use"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field attribute_fields[] = {
	{"name", FIELD_TEXT, "name", "name"},
	{"label", FIELD_TEXT, "label|name", "what teammates see"},
	{"model", FIELD_TEXT,
	 "model|=\xac"
	 "conversation",
	 "contact, company or conversation"},
	{"type", FIELD_TEXT, "data_type", "string, integer, float, boolean, date …"},
	{"description", FIELD_TEXT, "description", "what it is for"},
	{"custom", FIELD_BOOL, "custom", "whether the workspace made it"},
	{"archived", FIELD_BOOL, "archived", "whether it is out of use"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field article_fields[] = {
	{"title", FIELD_TEXT, "title", "title"},
	{"description", FIELD_TEXT, "description", "what it is about"},
	{"state", FIELD_TEXT, "state", "published or draft"},
	{"body", FIELD_HTML, "body", "the article as plain text"},
	{"author", FIELD_TEXT, "author_id", "id of the admin who wrote it"},
	{"collections", FIELD_LIST, "parent_ids.*", "ids of the collections that it is in"},
	{"tags", FIELD_LIST, "tags.tags.*.name", "names of its tags"},
	{"locale", FIELD_TEXT, "default_locale", "its language"},
	{"url", FIELD_TEXT, "url", "where it is published"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field collection_fields[] = {
	{"name", FIELD_TEXT, "name", "name"},
	{"description", FIELD_TEXT, "description", "what it is about"},
	{"collection", FIELD_TEXT, "parent_id", "id of the collection that it is in"},
	{"help_center", FIELD_TEXT, "help_center_id", "id of its help center"},
	{"url", FIELD_TEXT, "url", "where it is published"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

#define MINUTE_MS (60 * 1000)

#define WHOLE (TRAIT_LIST | TRAIT_ETAG)

const struct resource_type intercom_types[] = {
	{"admins", WHOLE, NULL, NULL, admin_fields, 0},
	{"teams", WHOLE, NULL, NULL, team_fields, 0},
	{"tags", WHOLE, NULL, NULL, named_fields, 0},
	{"segments", WHOLE, NULL, NULL, segment_fields, 0},
	{"data_attributes", WHOLE, NULL, NULL, attribute_fields, 0},
	{"conversation_attributes", WHOLE, NULL, NULL, attribute_fields, 0},
	{"ticket_types", WHOLE, NULL, NULL, ticket_type_fields, 0},
	{"ticket_states", WHOLE, NULL, NULL, ticket_state_fields, 0},
	{"companies", TRAIT_LIST | TRAIT_UNSTABLE | TRAIT_SCROLLED, NULL, NULL, company_fields, 0},
	/* New contacts show up in search after "a few minutes". */
	{"contacts", TRAIT_LIST | TRAIT_CHANGED | TRAIT_ONE | TRAIT_SEARCH, NULL, NULL,
	 contact_fields, 10 * MINUTE_MS},
	/* More than a provider's clock may be ahead of ours. */
	{"conversations",
	 TRAIT_CHANGED | TRAIT_CREATED | TRAIT_ONE | TRAIT_DELETED | TRAIT_POOR | TRAIT_WINDOWED |
		 TRAIT_SEARCH,
	 NULL, "messages", conversation_fields, 7 * MINUTE_MS},
	{"messages", TRAIT_CHILD | TRAIT_WINDOWED, "conversations", NULL, message_fields, 0},
	/* A search shows tickets with their parts. */
	{"tickets", TRAIT_CHANGED | TRAIT_CREATED | TRAIT_ONE | TRAIT_WINDOWED | TRAIT_SEARCH, NULL,
	 "ticket_parts", ticket_fields, 7 * MINUTE_MS},
	{"ticket_parts", TRAIT_CHILD | TRAIT_WINDOWED, "tickets", NULL, ticket_part_fields, 0},
	{"articles", TRAIT_LIST | TRAIT_UNSTABLE, NULL, NULL, article_fields, 0},
	{"collections", TRAIT_LIST | TRAIT_UNSTABLE, NULL, NULL, collection_fields, 0},
	{NULL, 0, NULL, NULL, NULL, 0},
};
