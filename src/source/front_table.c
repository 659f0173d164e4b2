/* front_table: Front's resources and their common fields, named as those of other providers wherever they mean the same. */
#include "front.h"

#include <string.h>

/* With ticketing the category says it; without, what is archived and will come back is snoozed. */
#define STATE                                                                               \
	"?status=deleted?=\xa7trashed|?status_category=open?=\xa4open|"                     \
	"?status_category=waiting?=\xa7snoozed|?status_category=resolved?=\xa6"             \
	"closed|?status=archived,scheduled_reminders.0?=\xa7snoozed|?status=archived?=\xa6" \
	"closed|?status=assigned?=\xa4open|?status=unassigned?=\xa4open|status"

static const struct field conversation_fields[] = {
	{"state", FIELD_TEXT, STATE, "open, closed, snoozed or trashed"},
	{"subject", FIELD_HTML, "subject~", "subject"},
	{"assignee", FIELD_TEXT, "assignee.id", "id of the assigned teammate"},
	{"team", FIELD_LIST, "inboxes.*._links.related.owner#",
	 "ids of the teams whose inboxes it is in"},
	{"contact", FIELD_LIST, "recipient._links.related.contact#",
	 "id of the main recipient's contact"},
	{"author", FIELD_TEXT, "recipient.handle|recipient.name", "its main recipient"},
	{"email", FIELD_TEXT, "recipient.handle", "handle of the main recipient"},
	{"tags", FIELD_LIST, "tags.*.name", "names of its tags"},
	{"inbox", FIELD_LIST, "inboxes.*.name", "names of the inboxes it is in"},
	{"inbox_id", FIELD_LIST, "inboxes.*.id", "ids of the inboxes it is in"},
	{"links", FIELD_LIST, "links.*.name", "names of its links"},
	{"tickets", FIELD_LIST, "ticket_ids.*", "ids of its tickets"},
	{"type", FIELD_TEXT, "type", "conversation, discussion or task"},
	{"status", FIELD_TEXT, "status", "assigned, unassigned, archived, deleted or invisible"},
	{"ticket_status", FIELD_TEXT, "status_id", "id of the ticket status"},
	{"open", FIELD_BOOL,
	 "?status_category=open?=\xc3|?status_category?=\xc2|?status=assigned?=\xc3|?status=unassigned?=\xc3|?status?=\xc2",
	 "whether it is open"},
	{"private", FIELD_BOOL, "is_private", "whether it is in private inboxes only"},
	{"body", FIELD_HTML, "description~", "the description of a task"},
	{"waiting_since", FIELD_TIME, "waiting_since", "since when it waits for an answer"},
	{"snoozed_until", FIELD_TIME, "scheduled_reminders.0.scheduled_at", "when it comes back"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

/* Messages go to contacts or come from them; comments stay inside, as notes do elsewhere. */
static const struct field message_fields[] = {
	{"kind", FIELD_TEXT,
	 "?posted_at?=\xa4note|?is_draft=true?=\xa5"
	 "draft|=\xa7"
	 "comment",
	 "comment: a message from or to contacts; note: a comment among teammates; draft"},
	{"direction", FIELD_TEXT,
	 "?is_inbound=true?=\xa7inbound|?is_inbound=false?=\xa8outbound|=\xa8internal",
	 "inbound, outbound or internal"},
	{"author", FIELD_TEXT, "author.email|recipients.*(role=from).handle|author.id", "who wrote it"},
	{"author_name", FIELD_TEXT,
	 "author.username|recipients.*(role=from).name|author.first_name", "name of who wrote it"},
	{"author_type", FIELD_TEXT,
	 "?author.type=user?=\xa5"
	 "admin|?author.type?=\xa3"
	 "bot|?author.id?=\xa5"
	 "admin|?is_inbound=true?=\xa4user|?is_inbound=false?=\xa5"
	 "admin",
	 "user, admin or bot"},
	{"email", FIELD_TEXT, "author.email|recipients.*(role=from).handle",
	 "mail address or handle of the author"},
	{"recipients", FIELD_LIST, "recipients.*.handle",
	 "handles of all that take part, with a contact or without"},
	{"to", FIELD_LIST, "recipients.*(role=to).handle", "handles it went to"},
	{"contact", FIELD_LIST, "recipients.*._links.related.contact#",
	 "ids of the recipients' contacts"},
	{"subject", FIELD_HTML, "subject~", "subject"},
	{"body", FIELD_HTML, "?posted_at?body~|body", "the text as plain text"},
	{"type", FIELD_TEXT, "type", "email, sms, intercom, call, internal …"},
	{"error", FIELD_TEXT, "error_type", "what is wrong with it, where something is"},
	{"attachments", FIELD_LIST, "attachments.*.filename", "names of attached files"},
	{"pinned", FIELD_BOOL, "is_pinned", "whether the comment is pinned"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field contact_fields[] = {
	{"kind", FIELD_TEXT,
	 "kind|=\xa7"
	 "contact",
	 "contact; or recipient: known from messages alone"},
	{"name", FIELD_TEXT, "name", "full name"},
	{"email", FIELD_TEXT, "handles.*(source=email).handle", "the first mail address"},
	{"phone", FIELD_TEXT, "handles.*(source=phone).handle", "the first telephone number"},
	{"handles", FIELD_LIST, "handles.*.handle", "all handles"},
	{"lists", FIELD_LIST, "lists.*.name|groups.*.name", "names of the lists it is on"},
	{"companies", FIELD_LIST, "account.id", "id of the account"},
	{"description", FIELD_TEXT, "description", "description"},
	{"private", FIELD_BOOL, "is_private", "whether one teammate's only"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field account_fields[] = {
	{"name", FIELD_TEXT, "name", "name"},
	{"company_id", FIELD_TEXT, "external_id", "id in the company's own system"},
	{"domains", FIELD_LIST, "domains.*", "mail domains"},
	{"description", FIELD_TEXT, "description", "description"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field teammate_fields[] = {
	{"name", FIELD_TEXT, "username|first_name", "name"},
	{"email", FIELD_TEXT, "email", "mail address"},
	{"role", FIELD_TEXT,
	 "?is_admin=true?=\xa5"
	 "admin|=\xa8teammate",
	 "admin or teammate"},
	{"away", FIELD_BOOL, "?is_available=false?=\xc3|?is_available=true?=\xc2", "whether away"},
	{"blocked", FIELD_BOOL, "is_blocked", "whether blocked"},
	{"type", FIELD_TEXT, "type", "user, or the kind of a bot"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field tag_fields[] = {
	{"name", FIELD_TEXT, "name", "name"},
	{"description", FIELD_TEXT, "description", "what it is for"},
	{"tag", FIELD_TEXT, "_links.related.parent_tag#", "id of the tag above it"},
	{"owner", FIELD_TEXT, "_links.related.owner#", "id of the team or teammate whose it is"},
	{"private", FIELD_BOOL, "is_private", "whether one teammate's only"},
	{"visible", FIELD_BOOL, "is_visible_in_conversation_lists",
	 "whether lists of conversations show it"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field inbox_fields[] = {
	{"name", FIELD_TEXT, "name", "name"},
	{"team", FIELD_TEXT, "_links.related.owner#", "id of the team or teammate whose it is"},
	{"private", FIELD_BOOL, "is_private", "whether one teammate's only"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field channel_fields[] = {
	{"name", FIELD_TEXT, "name", "name"},
	{"address", FIELD_TEXT, "address", "address"},
	{"type", FIELD_TEXT, "type", "gmail, smtp, twilio …"},
	{"inbox_id", FIELD_TEXT, "_links.related.inbox#", "id of the inbox it leads to"},
	{"valid", FIELD_BOOL, "is_valid", "whether it works"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field link_fields[] = {
	{"name", FIELD_TEXT, "name", "name"},
	{"type", FIELD_TEXT, "type", "web, jira, github …"},
	{"url", FIELD_TEXT, "external_url", "where it leads to"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field list_fields[] = {
	{"name", FIELD_TEXT, "name", "name"},
	{"private", FIELD_BOOL, "is_private", "whether one teammate's only"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

static const struct field team_fields[] = {
	{"name", FIELD_TEXT, "name", "name"},
	{NULL, FIELD_TEXT, NULL, NULL},
};

#define MINUTE_MS (60 * 1000)

const struct resource_type front_types[] = {
	{"admins", TRAIT_LIST, NULL, NULL, teammate_fields, 0},
	{"teams", TRAIT_LIST, NULL, NULL, team_fields, 0},
	{"tags", TRAIT_LIST, NULL, NULL, tag_fields, 0},
	{"inboxes", TRAIT_LIST, NULL, NULL, inbox_fields, 0},
	{"channels", TRAIT_LIST, NULL, NULL, channel_fields, 0},
	{"contact_lists", TRAIT_LIST, NULL, NULL, list_fields, 0},
	{"companies", TRAIT_LIST, NULL, NULL, account_fields, 0},
	{"links", TRAIT_LIST, NULL, NULL, link_fields, 0},
	{"contacts", TRAIT_LIST | TRAIT_CHANGED | TRAIT_ONE | TRAIT_SEARCH, NULL, NULL,
	 contact_fields, 7 * MINUTE_MS},
	/* An event may be dated before the moment it shows up. */
	{"conversations",
	 TRAIT_CHANGED | TRAIT_EVENTS | TRAIT_BUMPED | TRAIT_ONE | TRAIT_WINDOWED | TRAIT_SEARCH,
	 NULL, "messages", conversation_fields, 10 * MINUTE_MS},
	{"messages", TRAIT_CHILD | TRAIT_WINDOWED, "conversations", NULL, message_fields, 0},
	{NULL, 0, NULL, NULL, NULL, 0},
};

/* Every status is asked for by name: which ones a list shows without is not said. A page of a walk is as many threads as are read and committed
 * together. */
#define STATUSES                                                           \
	"&q%5Bstatuses%5D%5B%5D=assigned&q%5Bstatuses%5D%5B%5D=unassigned" \
	"&q%5Bstatuses%5D%5B%5D=archived&q%5Bstatuses%5D%5B%5D=trashed"
#define NEWEST "sort_by=date&sort_order=desc"

static const struct front_route routes[] = {
	{.name = "admins", .path = "/teammates"},
	{.name = "teams", .path = "/teams"},
	{.name = "tags", .path = "/tags", .sort = "sort_by=id&sort_order=asc", .page_max = 100},
	{.name = "inboxes", .path = "/inboxes"},
	{.name = "channels", .path = "/channels"},
	{.name = "contact_lists", .path = "/contact_lists"},
	{.name = "companies",
	 .path = "/accounts",
	 .sort = "sort_by=created_at&sort_order=asc",
	 .page_max = 100},
	{.name = "links", .path = "/links", .sort = "sort_by=id&sort_order=asc", .page_max = 100},
	{.name = "contacts",
	 .path = "/contacts",
	 .sort = "sort_by=created_at&sort_order=asc",
	 .page_max = 100,
	 .since = "sort_by=updated_at&sort_order=asc&q%5Bupdated_after%5D="},
	{.name = "conversations",
	 .path = "/conversations",
	 .page_max = 25,
	 .newest = NEWEST STATUSES,
	 .threads = true},
};

const struct front_route *front_route(const struct resource_type *type)
{
	for (size_t i = 0; type && i < sizeof routes / sizeof *routes; i++)
		if (strcmp(routes[i].name, type->name) == 0)
			return &routes[i];
	return NULL;
}
