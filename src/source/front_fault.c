/* front_fault: what an error answer means, and whether trying again helps. */
#include "front.h"

#include <stdio.h>
#include <string.h>

static enum fault fault_of(int status)
{
	switch (status) {
	case 401: return FAULT_AUTH;
	case 403: return FAULT_DENIED;
	case 404:
	case 410: return FAULT_GONE;
	case 408: return FAULT_NOW;
	case 423: /* what it computes is not ready */
	case 429: return FAULT_LATER;
	}
	if (status >= 500)
		return FAULT_NOW;
	return status >= 300 ? FAULT_NEVER : FAULT_NONSENSE;
}

/* "… for tier-2 route. Please retry in 341 milliseconds.": not the first number in it. */
static int64_t retry_in(struct bytes message)
{
	static const char before[] = "retry in ";
	size_t n = sizeof before - 1;

	for (size_t i = 0; i + n < message.len; i++) {
		int64_t ms = 0;
		if (memcmp(message.data + i, before, n) != 0)
			continue;
		for (i += n; i < message.len && message.data[i] >= '0' && message.data[i] <= '9' &&
			     ms < 1000000000;
		     i++)
			ms = ms * 10 + (message.data[i] - '0');
		return bytes_has(bytes_of(message.data + i, message.len - i), "millisecond") ? ms : 0;
	}
	return 0;
}

void front_read_fault(const struct ask *ask, int status, struct page *page)
{
	struct bytes body = buf_bytes(&page->body), error, title = {0}, message = {0};
	bool own = mp_find(body, bytes_str("_error"), &error) == 1;

	if (own) {
		mp_find_str(error, "title", &title);
		mp_find_str(error, "message", &message);
	}
	page->fault = fault_of(status);
	/* Only Front's own words delete something: a "not found" page may be a proxy's. */
	if (page->fault == FAULT_GONE && !own)
		page->fault = FAULT_NONSENSE;
	/* Only a single record can be gone, or the handle that a contact is looked for by; the reading that a page token belongs to may be. */
	if (page->fault == FAULT_GONE && ask->kind != ASK_ONE && ask->kind != ASK_NESTED &&
	    ask->kind != ASK_PASS && (ask->kind != ASK_SEARCH || front_route(ask->type)->threads))
		page->fault = FAULT_NEVER;
	if (page->fault == FAULT_NEVER &&
	    (bytes_has(message, "page_token") || bytes_has(message, "page token")))
		page->fault = FAULT_CURSOR;
	if (page->fault == FAULT_LATER) {
		page->again_ms = retry_in(message);
		page->route_only = bytes_has(message, "tier-");
	}
	why_set(&page->why, 0, "status %d, %.*s: %.*s", status,
		(int)(title.len < 60 ? title.len : 60), title.len ? (const char *)title.data : "",
		(int)(message.len < 160 ? message.len : 160),
		message.len ? (const char *)message.data : "");
}

void front_moved(const struct ask *ask, const char *location, struct page *page)
{
	struct bytes id = front_url_id(page, location ? location : "");

	/* Every address of a conversation that was merged leads elsewhere: which one it became, its own says. */
	if (ask->kind == ASK_NESTED || (ask->kind == ASK_ONE && !bytes_equal(id, ask->id))) {
		page->fault = FAULT_GONE;
		if (ask->kind == ASK_ONE)
			page->merged_into = id;
		why_set(&page->why, 0, "it was merged into another record");
		return;
	}
	page->fault = FAULT_NEVER;
	why_set(&page->why, 0, "a redirection, which is not followed");
}
