/* The Intercom API as a whole: its paths, how it judges a call (token, rate,
 * version, headers, body), its refusals and its headers. */
#include "intercom.h"

#include "api.h"
#include "conversation.h"
#include "ledger.h"
#include "mutate.h"
#include "routes.h"
#include "settings.h"
#include "stats.h"
#include "write_intercom.h"

#include <stdio.h>
#include <string.h>

#define SEARCH " query pagination sort "
#define CONTACT_MEMBERS                                                          \
	" role external_id email phone name signed_up_at last_seen_at owner_id " \
	"unsubscribed_from_emails custom_attributes "

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
	{"PUT", "/contacts/{}", write_contact, 214, "", CONTACT_MEMBERS, false},
	{"POST", "/contacts/{}/tags", write_contact_tag, 214, "", " id ", false},
	{"DELETE", "/contacts/{}/tags/{}", write_contact_untag, 214, "", NULL, false},
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
	{"PUT", "/conversations/{}", write_conversation, 214, " display_as ",
	 " read title custom_attributes company_id priority admin_id ", false},
	{"POST", "/conversations/{}/parts", write_conversation_part, 214, "",
	 " message_type type admin_id body snoozed_until assignee_id ", false},
	{"POST", "/conversations/{}/reply", write_conversation_reply, 214, "",
	 " message_type type admin_id body skip_notifications ", false},
	{"POST", "/conversations/{}/tags", write_conversation_tag, 214, "", " id admin_id ", false},
	{"DELETE", "/conversations/{}/tags/{}", write_conversation_untag, 214, "", " admin_id ", false},
	{"GET", "/data_attributes", answer_data_attributes, 214, " model include_archived ", NULL,
	 true},
	{"POST", "/tickets/search", answer_tickets_search, 214, "", SEARCH, false},
	{"GET", "/tickets/{}", answer_ticket, 214, "", NULL, false},
	{"GET", "/ticket_types", answer_ticket_types, 214, "", NULL, true},
	{"GET", "/ticket_states", answer_ticket_states, 214, "", NULL, true},
	{"GET", "/articles", answer_articles, 214, " page per_page ", NULL, false},
	{"GET", "/help_center/collections", answer_collections, 214, " page per_page ", NULL, false},
};

static bool check_token(struct call *c)
{
	const char *given = call_header_in(c, "Authorization");

	if (given && !strncmp(given, "Bearer ", 7) && !strcmp(given + 7, settings.token)) {
		c->authorized = true;
		return true;
	}
	stats_breach(BREACH_NO_TOKEN, given ? "wrong token" : "no Authorization header");
	call_error(c, 401, "unauthorized", "Access Token Invalid");
	return false;
}

static bool check_version(struct call *c)
{
	static const struct {
		const char *text;
		int number;
	} versions[] = {{"2.14", 214}, {"2.15", 215}, {"2.16", 216}, {"Preview", VERSION_PREVIEW}};
	const char *given = call_header_in(c, "Intercom-Version");

	c->version = VERSION_2_16;
	if (!given) {
		stats_breach(BREACH_NO_VERSION, "no Intercom-Version header");
		return true;
	}
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		if (!strcmp(versions[i].text, given)) {
			c->version = versions[i].number;
			return true;
		}
	}
	stats_breach(BREACH_BAD_VERSION, "Intercom-Version %s", given);
	call_error(c, 400, "intercom_version_invalid", "The requested version could not be found");
	return false;
}

static bool check_accept(struct call *c)
{
	const char *accept = call_header_in(c, "Accept");

	if (!accept)
		stats_breach(BREACH_NO_ACCEPT, "no Accept header");
	else if (!strstr(accept, "json") && !strstr(accept, "*/*") && !strstr(accept, "application/*"))
		stats_breach(BREACH_BAD_ACCEPT, "Accept: %s", accept);
	else
		return true;
	call_error(c, 406, "media_type_not_acceptable", "The Accept header must be application/json");
	return false;
}

static bool check_body(struct call *c)
{
	const char *type = call_header_in(c, "Content-Type");
	json_error_t error;

	if (c->body_len == 0 && !(c->route->members && *c->route->members))
		return true;
	if (!type || strncmp(type, "application/json", 16) != 0) {
		stats_breach(BREACH_NO_CONTENT_TYPE, "Content-Type: %s", type ? type : "(none)");
		call_error(c, 415, "media_type_not_supported",
			   "The Content-Type header must be application/json");
		return false;
	}
	c->body = json_loadb(c->body_text, c->body_len, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(c->body)) {
		stats_breach(BREACH_BAD_JSON, "%s", c->body ? "not an object" : error.text);
		call_error(c, 400, "parameter_invalid", "Request body is not valid JSON");
		return false;
	}
	return true;
}

static bool check_rate(struct call *c)
{
	struct rate_words words;

	ledger_arrival();
	if (ledger_rate_take())
		return true;
	ledger_rate_words(&words);
	call_error(c, 429, "rate_limit_exceeded", "Exceeded rate limit of %u in 10_seconds",
		   words.limit);
	return false;
}

static const char *code_of(int status)
{
	static const struct {
		int status;
		const char *code;
	} codes[] = {
		{400, "bad_request"},
		{401, "token_unauthorized"},
		{402, "payment_required"},
		{403, "api_plan_restricted"},
		{404, "not_found"},
		{408, "request_timeout"},
		{409, "conflict"},
		{422, "unprocessable_entity"},
		{429, "too_many_requests"},
		{502, "service_unavailable"},
		{503, "service_unavailable"},
		{504, "service_unavailable"},
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].status == status)
			return codes[i].code;
	return "server_error";
}

static void drop_scroll(struct call *c)
{
	if (strstr(c->path, "/companies/scroll"))
		ledger_scroll_given(0, true, true, true);
}

static bool has_cursor(const struct call *c)
{
	return call_argument(c, "starting_after") || call_argument(c, "scroll_param") ||
	       json_object_get(json_object_get(c->body, "pagination"), "starting_after");
}

/* A limit of its own, told as Front does: by a header that names whom it is about. */
static bool check_search_rate(struct call *c)
{
	uint32_t retry_after_s;
	size_t len = strlen(c->path);

	if (len < 7 || strcmp(c->path + len - 7, "/search") != 0 || ledger_search_take(&retry_after_s))
		return true;
	c->retry_after_s = retry_after_s;
	c->tier = "search";
	call_error(c, 429, "rate_limit_exceeded", "Rate limit exceeded for search routes");
	return false;
}

static bool judge(struct call *c)
{
	if (!check_token(c))
		return false;
	if (!check_rate(c) || !check_search_rate(c))
		return false;
	if (!check_version(c) || !check_accept(c))
		return false;
	c->route = route_find(c->method, c->path, c->ids);
	if (!c->route) {
		stats_breach(BREACH_UNKNOWN_PATH, "no such path or method");
		call_error(c, 404, "not_found", "Resource Not Found");
		return false;
	}
	stats_route(route_number(c->route));
	if (!check_body(c))
		return false;
	call_check_names(c);
	if (c->version < c->route->since) {
		stats_breach(BREACH_BAD_VERSION, "%s is not in this version", c->route->path);
		call_error(c, 400, "intercom_version_invalid",
			   "Requested resource is not available in current API version.");
		return false;
	}
	return true;
}

static void error(struct call *c, int status, const char *code, const char *message)
{
	j_open(&c->out, NULL, '{');
	j_str(&c->out, "type", "error.list");
	j_str(&c->out, "request_id", c->request_id);
	j_open(&c->out, "errors", '[');
	j_open(&c->out, NULL, '{');
	j_str(&c->out, "code", code ? code : code_of(status));
	j_str(&c->out, "message", message);
	buf_lit(&c->out, "}]}");
}

static void fault(struct call *c)
{
	const struct fault *f = c->fault;
	const char *code = f->code[0] ? f->code : NULL;

	switch (f->kind) {
	case FAULT_STATUS:
		drop_scroll(c);
		call_error(c, f->status, code,
			   f->status >= 500 ? "Request failed due to an internal error"
					    : "Fault on purpose");
		break;
	case FAULT_ERROR_LIST_200:
		call_error(c, 200, code ? code : "server_error", "Fault on purpose");
		break;
	case FAULT_RATE429:
		c->retry_after_s = f->retry_after_s;
		call_error(c, 429, "rate_limit_exceeded", "Exceeded rate limit of 1 in 10_seconds");
		break;
	case FAULT_EXPIRED_CURSOR:
		call_error(c, 400, "client_error",
			   "Invalid starting_after param. Please try again "
			   "using a starting_after value from a paginated response");
		break;
	default: call_error(c, 401, "token_revoked", "Access Token has been revoked");
	}
}

static void headers(struct call *c)
{
	call_header(c, "X-Request-Id", "%s", c->request_id);
	call_header(c, "Cache-Control", "max-age=0, private, must-revalidate");
	call_header(c, "Vary", "Accept,Accept-Encoding");
	if (c->version == VERSION_PREVIEW)
		call_header(c, "Intercom-Version", "Preview");
	else if (c->version)
		call_header(c, "Intercom-Version", "2.%d", c->version - 200);
	if (c->link[0])
		call_header(c, "Link", "%s", c->link);
	if (c->retry_after_s)
		call_header(c, "Retry-After", "%u", c->retry_after_s);
	if (c->tier)
		call_header(c, "X-Front-Tier", "%s", c->tier);
	if (!c->authorized)
		return;
	call_header(c, "X-RateLimit-Limit", "%u", c->words.limit);
	call_header(c, "X-RateLimit-Remaining", "%u", c->words.remaining);
	call_header(c, "X-RateLimit-Reset", "%lld", (long long)c->words.reset);
}

static const struct kind kinds[] = {
	{"reply", do_reply, 30, true},
	{"note", do_note, 6, true},
	{"new_conversation", do_new_conversation, 10, false},
	{"state", do_state, 8, true},
	{"assign", do_assign, 6, true},
	{"tag", do_tag, 5, true},
	{"attribute", do_attribute, 4, true},
	{"redact", do_redact, 3, true},
	{"rate", do_rate, 2, true},
	{"read", do_read, 3, true},
	{"priority", do_priority, 2, true},
	{"title", do_title, 2, true},
	{"delete_conversation", do_delete_conversation, 2, false},
	{"merge_conversation", do_merge_conversation, 2, true},
	{"new_contact", do_new_contact, 4, false},
	{"update_contact", do_update_contact, 8, false},
	{"update_company", do_update_company, 3, false},
	{"new_company", do_new_company, 1, false},
	{"rename_tag", do_rename_tag, 1, false},
	{"new_tag", do_new_tag, 1, false},
	{"delete_tag", do_delete_tag, 1, false},
	{"rename_admin", do_rename_admin, 1, false},
	{"rename_team", do_rename_team, 1, false},
	{"rename_segment", do_rename_segment, 1, false},
	{"new_segment", do_new_segment, 1, false},
	{"new_ticket", do_new_ticket, 2, false},
	{"update_ticket", do_update_ticket, 6, false},
	{"new_article", do_new_article, 1, false},
	{"update_article", do_update_article, 1, false},
	{"convert_conversation", do_convert_conversation, 0, false},
	{"delete_article", do_delete_article, 0, false},
	{"touch_articles", do_touch_articles, 0, false},
	{"grow_ticket", do_grow_ticket, 0, false},
	{"delete_ticket", do_delete_ticket, 0, false},
	{"delete_contact", do_delete_contact, 0, false},
	{"merge_contact", do_merge_contact, 0, false},
	{"archive_contact", do_archive_contact, 0, false},
	{"update_hidden_company", do_update_hidden_company, 0, false},
	{"same_name", do_same_name, 0, false},
};

static bool edit(const char *resource, const char *id, const json_t *set, struct refusal *why)
{
	if (!strcmp(resource, "contacts"))
		return contact_edit(id, set, why);
	if (!strcmp(resource, "conversations"))
		return conversation_edit(id, set, why);
	return refuse(why, 404, NULL, "no such resource, or not one that can be edited");
}

static void release(void)
{
	intercom_truth_release();
	world_release();
}

const struct api api_intercom = {
	.name = "intercom",
	.rate = 10000,
	.window_ms = 10000,
	.etags = true,
	.init = world_init,
	.release = release,
	.routes = routes,
	.route_count = sizeof(routes) / sizeof(routes[0]),
	.judge = judge,
	.has_cursor = has_cursor,
	.error = error,
	.fault = fault,
	.headers = headers,
	.edit = edit,
	.kinds = kinds,
	.kind_count = sizeof(kinds) / sizeof(kinds[0]),
	.conversation_index = conversation_index,
	.truth = intercom_truth,
};
