/* intercom_fault: what an error answer means, and whether trying again helps. */
#include "intercom.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <string.h>

/* By code first, since some faults come with surprising statuses; "" matches any code, status 0 any status. */
static const struct rule {
	int status;
	const char *code;
	enum fault fault;
} rules[] = {
	{0, "rate_limit_exceeded", FAULT_LATER},
	{0, "too_many_requests", FAULT_LATER},
	{0, "retry_after", FAULT_LATER},
	{0, "scroll_exists", FAULT_CURSOR},
	{0, "unauthorized", FAULT_AUTH},
	{0, "token_unauthorized", FAULT_DENIED},
	{0, "token_revoked", FAULT_AUTH},
	{0, "token_expired", FAULT_AUTH},
	{0, "token_blocked", FAULT_AUTH},
	{0, "token_suspended", FAULT_AUTH},
	{0, "token_not_found", FAULT_AUTH},
	{0, "missing_authorization", FAULT_AUTH},
	{0, "api_plan_restricted", FAULT_DENIED},
	{0, "action_forbidden", FAULT_DENIED},
	{0, "contact_merged", FAULT_GONE},
	{0, "server_error", FAULT_NOW},
	{0, "service_unavailable", FAULT_NOW},
	{0, "request_timeout", FAULT_NOW},
	{401, "", FAULT_AUTH},
	{403, "", FAULT_DENIED},
	{404, "", FAULT_GONE},
	{408, "", FAULT_NOW},
	{410, "", FAULT_GONE},
	{429, "", FAULT_LATER},
};

static enum fault fault_of(int status, struct bytes code)
{
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if ((rules[i].status == 0 && bytes_is(code, rules[i].code)) ||
		    (rules[i].status == status && status != 0))
			return rules[i].fault;
	if (status >= 500)
		return FAULT_NOW;
	return status >= 300 ? FAULT_NEVER : FAULT_NONSENSE;
}

/* </contacts/{id}>; rel="canonical" */
static void read_merged_into(const char *link, struct page *page)
{
	const char *start = link ? strstr(link, "/contacts/") : NULL;

	if (!start)
		return;
	start += strlen("/contacts/");
	size_t len = strcspn(start, ">/?;, ");
	if (len && len <= RECORD_ID_MAX)
		page->merged_into = arena_bytes(&page->arena, bytes_of(start, len));
}

static struct bytes first_text(struct bytes body, const char *path)
{
	struct bytes whole;
	struct mp_value v;

	if (mp_path(body, bytes_str(path), &whole) == 1 && mp_get(whole, &v) && v.type == MP_STR)
		return v.str;
	return bytes_of(NULL, 0);
}

void intercom_read_fault(const struct ask *ask, int status, const char *link, struct page *page)
{
	struct bytes body = buf_bytes(&page->body);
	struct bytes code = first_text(body, "errors.0.code");
	struct bytes message = first_text(body, "errors.0.message");

	page->fault = fault_of(status, code);
	/* Only Intercom's own words delete something: a "not found" page may be a proxy's. */
	if (page->fault == FAULT_GONE && !intercom_type_is(body, "error.list"))
		page->fault = FAULT_NONSENSE;
	/* Only a single record can be gone. A listing that is not found is a request of ours that is wrong, but for a scroll that is over. */
	if (page->fault == FAULT_GONE && ask->kind != ASK_ONE && ask->kind != ASK_NESTED &&
	    ask->kind != ASK_PASS)
		page->fault = bytes_has(message, "scroll") ? FAULT_CURSOR : FAULT_NEVER;
	if (page->fault == FAULT_NEVER && ask->kind != ASK_ONE && bytes_is(code, "client_error"))
		page->fault = FAULT_CURSOR;
	if (bytes_is(code, "scroll_exists"))
		page->again_ms = INTERCOM_SCROLL_IDLE_MS;
	if (page->fault == FAULT_GONE && status == 410)
		read_merged_into(link, page);
	why_set(&page->why, 0, "status %d, %.*s: %.*s", status, (int)(code.len < 60 ? code.len : 60),
		code.len ? (const char *)code.data : "", (int)(message.len < 160 ? message.len : 160),
		message.len ? (const char *)message.data : "");
}
