/* The API of Front as a whole: its paths, how it judges a call (token,
 * limits, path, parameters, body), its refusals and its headers. */
#include "front_api.h"

#include "api.h"
#include "front_change.h"
#include "ledger.h"
#include "routes.h"
#include "settings.h"
#include "stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGED  " limit page_token "
#define SORTED PAGED "sort_by sort_order "
#define STATUSES                                                                       \
	PAGED "q[statuses] q[statuses][] q[status_categories] q[status_categories][] " \
	      "q[status_ids] q[status_ids][] "
#define CONTACTS SORTED "q[updated_after] q[updated_before] "

#define GET(path, handler, parameters)                                          \
	{                                                                       \
		"GET", path, front_answer_##handler, 0, parameters, NULL, false \
	}

#define WRITE(method, path, handler, members)                              \
	{                                                                  \
		method, path, front_write_##handler, 0, "", members, false \
	}

static const struct route routes[] = {
	WRITE("PATCH", "/conversations/{}", conversation,
	      " assignee_id inbox_id status status_id tag_ids custom_fields description due_at "),
	WRITE("PUT", "/conversations/{}/assignee", assignee, " assignee_id "),
	WRITE("POST", "/conversations/{}/tags", tags, " tag_ids "),
	WRITE("DELETE", "/conversations/{}/tags", untags, " tag_ids "),
	WRITE("PATCH", "/contacts/{}", contact,
	      " name description avatar links group_names list_names custom_fields "),
	GET("/me", me, ""),
	GET("/conversations", conversations, STATUSES "sort_by sort_order "),
	GET("/conversations/search/{text}", search, PAGED),
	GET("/conversations/custom_fields", fields, ""),
	GET("/conversations/{}", conversation, ""),
	GET("/conversations/{}/messages", conversation_messages, SORTED),
	GET("/conversations/{}/comments", conversation_comments, ""),
	GET("/conversations/{}/events", conversation_events, PAGED),
	GET("/conversations/{}/inboxes", conversation_inboxes, ""),
	GET("/conversations/{}/followers", conversation_followers, ""),
	GET("/conversations/{}/drafts", conversation_drafts, ""),
	GET("/messages/{}", message, ""),
	GET("/messages/{}/seen", message_seen, ""),
	GET("/comments/{}", comment, ""),
	GET("/comments/{}/mentions", comment_mentions, ""),
	GET("/events", events,
	    SORTED "q[before] q[after] q[types] q[types][] q[inboxes] q[inboxes][] "),
	GET("/events/{}", event, ""),
	GET("/download/{}", download, ""),
	GET("/contacts", contacts, CONTACTS),
	GET("/contacts/custom_fields", fields, ""),
	GET("/contacts/{}", contact, ""),
	GET("/contacts/{}/conversations", contact_conversations, STATUSES),
	GET("/contacts/{}/notes", contact_notes, ""),
	GET("/contact_lists", contact_lists, ""),
	GET("/contact_lists/{}/contacts", list_contacts, PAGED),
	GET("/contact_groups", contact_lists, ""),
	GET("/contact_groups/{}/contacts", list_contacts, PAGED),
	GET("/accounts", accounts, SORTED),
	GET("/accounts/custom_fields", fields, ""),
	GET("/accounts/{}", account, ""),
	GET("/accounts/{}/contacts", account_contacts, SORTED),
	GET("/tags", tags, SORTED),
	GET("/company/tags", company_tags, SORTED),
	GET("/tags/{}", tag, ""),
	GET("/tags/{}/children", tag_children, ""),
	GET("/tags/{}/conversations", tag_conversations, STATUSES),
	GET("/inboxes", inboxes, ""),
	GET("/inboxes/custom_fields", fields, ""),
	GET("/inboxes/{}", inbox, ""),
	GET("/inboxes/{}/channels", inbox_channels, ""),
	GET("/inboxes/{}/conversations", inbox_conversations, STATUSES),
	GET("/inboxes/{}/teammates", inbox_teammates, ""),
	GET("/channels", channels, ""),
	GET("/channels/{}", channel, ""),
	GET("/teammates", teammates, ""),
	GET("/teammates/custom_fields", fields, ""),
	GET("/teammates/{}", teammate, ""),
	GET("/teammates/{}/conversations", teammate_conversations, STATUSES),
	GET("/teammates/{}/inboxes", teammate_inboxes, ""),
	GET("/teams", teams, ""),
	GET("/teams/{}", team, ""),
	GET("/teams/{}/inboxes", team_inboxes, ""),
	GET("/links", links, SORTED "q[types] q[types][] "),
	GET("/links/custom_fields", fields, ""),
	GET("/links/{}", link, ""),
	GET("/links/{}/conversations", link_conversations, STATUSES "sort_by sort_order "),
	GET("/company/statuses", statuses, ""),
	GET("/company/statuses/{}", status, ""),
	GET("/rules", rules, ""),
	GET("/company/rules", rules, ""),
	GET("/rules/{}", rule, ""),
	GET("/custom_fields", fields, ""),
};

static const char *title_of(int status)
{
	static const struct {
		int status;
		const char *title;
	} titles[] = {
		{400, "Bad request"},       {401, "Unauthenticated"},
		{403, "Forbidden"},         {404, "Not found"},
		{409, "Conflict"},          {423, "Locked"},
		{429, "Too many requests"}, {503, "Service unavailable"},
	};

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Internal server error";
}

static void error(struct call *c, int status, const char *code, const char *message)
{
	j_open(&c->out, NULL, '{');
	j_open(&c->out, "_error", '{');
	j_int(&c->out, "status", status);
	j_str(&c->out, "title", code ? code : title_of(status));
	if (*message)
		j_str(&c->out, "message", message);
	buf_lit(&c->out, "}}");
}

void front_bad_request(struct call *c)
{
	call_error(c, 400, NULL, "Body did not satisfy requirements");
}

void front_unknown(struct call *c, const char *what)
{
	call_error(c, 404, NULL, "Unknown %s ID %s", what, c->id);
}

/* A value more in a number with decimals would be one too many. */
bool front_time_argument(struct call *c, const char *name, int64_t *out)
{
	const char *text = call_argument(c, name);
	int64_t whole = 0;
	int scale = 1000;
	size_t n;

	if (!text)
		return true;
	n = strspn(text, "0123456789");
	if (n > 0 && n <= 11) {
		whole = strtoll(text, NULL, 10) * 1000;
		text += n;
		if (*text == '.')
			for (text++; *text >= '0' && *text <= '9' && scale > 1; text++)
				whole += (int64_t)(*text - '0') * (scale /= 10);
		if (!*text) {
			*out = whole;
			return true;
		}
	}
	stats_breach(BREACH_BAD_VALUE, "%s=%s", name, call_argument(c, name));
	front_bad_request(c);
	return false;
}

struct values {
	const char *name;
	bool (*fn)(void *ctx, const char *value);
	void *ctx;
	const char *refused;
};

static void one_value(void *ctx, const char *name, const char *value)
{
	struct values *v = ctx;
	size_t n = strlen(v->name);

	if (strncmp(name, "q[", 2) != 0 || strncmp(name + 2, v->name, n) != 0 ||
	    (strcmp(name + 2 + n, "]") != 0 && strcmp(name + 2 + n, "][]") != 0))
		return;
	if (!v->refused && !v->fn(v->ctx, value))
		v->refused = value;
}

bool front_each_value(struct call *c, const char *name, bool (*fn)(void *ctx, const char *value),
		      void *ctx)
{
	struct values v = {name, fn, ctx, NULL};

	c->in->each_argument(c->in->from, one_value, &v);
	if (!v.refused)
		return true;
	stats_breach(BREACH_BAD_VALUE, "q[%s]=%s", name, v.refused);
	front_bad_request(c);
	return false;
}

static bool check_token(struct call *c)
{
	const char *given = call_header_in(c, "Authorization");

	if (given && !strncmp(given, "Bearer ", 7) && !strcmp(given + 7, settings.token)) {
		c->authorized = true;
		return true;
	}
	stats_breach(BREACH_NO_TOKEN, given ? "wrong token" : "no Authorization header");
	call_error(c, 401, NULL, given ? "Invalid token" : "JSON Web Token error");
	return false;
}

static bool check_rate(struct call *c)
{
	uint32_t wait_ms;

	ledger_arrival();
	if (front_rate_take())
		return true;
	wait_ms = ledger_window_left_ms();
	c->retry_after_s = (wait_ms + 999) / 1000;
	call_error(c, 429, NULL, "Rate limit exceeded. Please retry in %u milliseconds.", wait_ms);
	return false;
}

/* Guards: five calls a second to one resource, as many to write it and as
 * many to write its tags, and searches at 40 percent of the limit. They
 * concern that resource only. */
static bool check_guard(struct call *c)
{
	bool search = strstr(c->route->path, "{text}") != NULL;
	uint32_t most = search ? settings.rate * 2 / 5 : 5, wait_ms;
	char key[80];

	if (!settings.rate || (!search && !c->id[0]))
		return true;
	snprintf(key, sizeof(key), "%s%s",
		 !c->route->members                ? ""
		 : strstr(c->route->path, "/tags") ? "tags "
						   : "write ",
		 search ? "search" : c->id);
	if (front_guard_take(key, most ? most : 1, search ? 60000 : 1000, &wait_ms))
		return true;
	c->tier = search ? "3" : "2";
	c->retry_after_s = (wait_ms + 999) / 1000;
	call_error(c, 429, NULL,
		   "Rate limit exceeded for tier-%s route. Please retry in %u milliseconds.",
		   c->tier, wait_ms);
	return false;
}

static bool check_body(struct call *c)
{
	const char *type = call_header_in(c, "Content-Type");

	if (!c->route->members)
		return true;
	if (!type || strncmp(type, "application/json", 16) != 0)
		stats_breach(BREACH_NO_CONTENT_TYPE, "Content-Type: %s", type ? type : "(none)");
	c->body = json_loadb(c->body_text, c->body_len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(c->body))
		return true;
	stats_breach(BREACH_BAD_JSON, "not an object");
	front_bad_request(c);
	return false;
}

static bool judge(struct call *c)
{
	if (!check_token(c) || !check_rate(c))
		return false;
	if (strcmp(c->method, "GET") != 0 && !write_allowed(c))
		return false;
	c->route = route_find(c->method, c->path, c->ids);
	if (!c->route) {
		stats_breach(BREACH_UNKNOWN_PATH, "no such path");
		call_error(c, 404, NULL, "%s", "");
		return false;
	}
	stats_route(route_number(c->route));
	if (!check_body(c))
		return false;
	call_check_names(c);
	return check_guard(c);
}

static bool has_cursor(const struct call *c)
{
	return call_argument(c, "page_token") != NULL;
}

static void fault(struct call *c)
{
	const struct fault *f = c->fault;
	const char *code = f->code[0] ? f->code : NULL;

	switch (f->kind) {
	case FAULT_STATUS: call_error(c, f->status, code, "%s", "Fault on purpose"); break;
	case FAULT_ERROR_LIST_200: call_error(c, 200, code, "%s", "Fault on purpose"); break;
	case FAULT_RATE429:
		c->retry_after_s = f->retry_after_s;
		call_error(c, 429, NULL, "Rate limit exceeded. Please retry in %u milliseconds.",
			   f->retry_after_s * 1000);
		break;
	case FAULT_EXPIRED_CURSOR: front_bad_request(c); break;
	default: call_error(c, 401, NULL, "Invalid token");
	}
}

static void headers(struct call *c)
{
	uint32_t limit, remaining;

	if (c->link[0])
		call_header(c, "Location", "%s", c->link);
	if (c->retry_after_s)
		call_header(c, "Retry-After", "%u", c->retry_after_s);
	if (c->tier)
		call_header(c, "x-front-tier", "%s", c->tier);
	if (!c->authorized)
		return;
	front_burst_words(&limit, &remaining);
	call_header(c, "x-ratelimit-limit", "%u", c->words.limit);
	call_header(c, "x-ratelimit-remaining", "%u", c->words.remaining);
	call_header(c, "x-ratelimit-reset", "%lld", (long long)c->words.reset);
	call_header(c, "x-ratelimit-burst-limit", "%u", limit);
	call_header(c, "x-ratelimit-burst-remaining", "%u", remaining);
}

static bool conversation_named(const char *id, uint32_t *idx_out)
{
	return front_index(FRONT_CONVERSATION, id, front.conversations.count, idx_out);
}

static const struct kind kinds[] = {
	{"inbound", front_do_inbound, 20, true},
	{"reply", front_do_reply, 20, true},
	{"new_conversation", front_do_new_conversation, 8, false},
	{"new_outbound", front_do_new_outbound, 3, false},
	{"comment", front_do_comment, 8, true},
	{"mention", front_do_mention, 2, true},
	{"forward", front_do_forward, 1, true},
	{"late_message", front_do_late_message, 2, true},
	{"send_draft", front_do_send_draft, 1, false},
	{"sending_error", front_do_sending_error, 1, true},
	{"assign", front_do_assign, 6, true},
	{"unassign", front_do_unassign, 2, true},
	{"archive", front_do_archive, 5, true},
	{"reopen", front_do_reopen, 3, true},
	{"trash", front_do_trash, 2, true},
	{"restore", front_do_restore, 1, false},
	{"snooze", front_do_snooze, 2, true},
	{"wake", front_do_wake, 1, true},
	{"tag", front_do_tag, 6, true},
	{"untag", front_do_untag, 3, true},
	{"link", front_do_link, 2, true},
	{"unlink", front_do_unlink, 1, true},
	{"move", front_do_move, 2, true},
	{"custom_field", front_do_custom_field, 3, true},
	{"ticket_status", front_do_ticket_status, 2, true},
	{"merge", front_do_merge, 2, true},
	{"new_contact", front_do_new_contact, 3, false},
	{"adopt_stranger", front_do_adopt_stranger, 1, false},
	{"update_contact", front_do_update_contact, 6, false},
	{"add_handle", front_do_add_handle, 1, false},
	{"remove_handle", front_do_remove_handle, 1, false},
	{"new_account", front_do_new_account, 1, false},
	{"update_account", front_do_update_account, 2, false},
	{"new_tag", front_do_new_tag, 1, false},
	{"rename_tag", front_do_rename_tag, 1, false},
	{"rename_inbox", front_do_rename_inbox, 1, false},
	{"update_teammate", front_do_update_teammate, 1, false},
	{"rename_team", front_do_rename_team, 1, false},
	{"new_link", front_do_new_link, 1, false},
	{"rename_link", front_do_rename_link, 1, false},
	{"rename_list", front_do_rename_list, 1, false},
	{"new_inbox", front_do_new_inbox, 0, false},
	{"unsent", front_do_unsent, 0, false},
	{"import_message", front_do_import_message, 0, true},
	{"edit_comment", front_do_edit_comment, 0, true},
	{"delete_comment", front_do_delete_comment, 0, true},
	{"draft", front_do_draft, 0, true},
	{"edit_draft", front_do_edit_draft, 0, true},
	{"discard_draft", front_do_discard_draft, 0, true},
	{"silent_field", front_do_silent_field, 0, true},
	{"subject", front_do_subject, 0, true},
	{"make_private", front_do_make_private, 0, false},
	{"delete_forever", front_do_delete_forever, 0, false},
	{"delete_contact", front_do_delete_contact, 0, false},
	{"merge_contacts", front_do_merge_contacts, 0, false},
	{"delete_account", front_do_delete_account, 0, false},
	{"delete_tag", front_do_delete_tag, 0, false},
};

const struct api api_front = {
	.name = "front",
	.rate = 100,
	.window_ms = 60000,
	.init = front_init,
	.release = front_release,
	.routes = routes,
	.route_count = sizeof(routes) / sizeof(routes[0]),
	.judge = judge,
	.has_cursor = has_cursor,
	.error = error,
	.fault = fault,
	.headers = headers,
	.stats = front_limits_print,
	.edit = front_edit,
	.kinds = kinds,
	.kind_count = sizeof(kinds) / sizeof(kinds[0]),
	.conversation_index = conversation_named,
	.truth = front_truth,
};
