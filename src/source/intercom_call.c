/*
 * intercom_call: an ask becomes one HTTP request. Never puts anything into a path but checked ids and its own constants; cursors travel as
 * values.
 *
 * Two parameters that the description leaves open are always sent: `sort` on searches (without it the order is not said), and the version
 * header (without it the app's default decides the shapes).
 */
#include "intercom.h"

#include <codec/json.h>

#include <stdio.h>
#include <string.h>

static void set_headers(const struct account *a, struct call *out, bool body)
{
	snprintf(out->headers[0], sizeof out->headers[0], "Accept: application/json");
	snprintf(out->headers[1], sizeof out->headers[1], "Intercom-Version: %s", a->version);
	if (body)
		snprintf(out->headers[2], sizeof out->headers[2], "Content-Type: application/json");
}

/* Pages of another size are cut elsewhere (and do not meet again soon): what fell between two of them does not do so again. */
static unsigned page_size(const struct intercom_route *route, const struct ask *ask)
{
	static const unsigned quarters[] = {4, 3, 2};

	return ask->walk ? route->page_max * quarters[ask->walk % 3] / 4 - 1 : route->page_max;
}

static void put_scroll(const struct account *a, const struct intercom_route *route,
		       struct bytes parameter, struct call *out)
{
	out->route = INTERCOM_ROUTE_SCROLL;
	buf_printf(&out->url, "%s%s", a->base_url, route->scroll);
	if (!parameter.len)
		return;
	out->once = true;
	buf_put_str(&out->url, "?scroll_param=");
	url_put_escaped(&out->url, parameter);
}

static int put_list(const struct account *a, const struct intercom_route *route,
		    const struct ask *ask, struct bytes cursor, struct call *out)
{
	char sign = strchr(route->list, '?') ? '&' : '?';
	struct bytes parameter = bytes_of(NULL, 0);

	if (route->scroll && (intercom_cursor_scrolls(cursor, &parameter) || ask->sure)) {
		put_scroll(a, route, parameter, out);
		return 0;
	}
	out->method = route->list_method ? route->list_method : "GET";
	buf_printf(&out->url, "%s%s", a->base_url, route->list);
	if (route->page_max) {
		buf_printf(&out->url, "%cper_page=%u", sign, page_size(route, ask));
		sign = '&';
	}
	/* An empty starting_after is answered with an error: it is left out. */
	if (route->page_numbers || cursor.len)
		buf_printf(&out->url, "%c%s=", sign, route->page_numbers ? "page" : "starting_after");
	if (cursor.len)
		url_put_escaped(&out->url, cursor);
	else if (route->page_numbers)
		buf_put_str(&out->url, "1");
	return 0;
}

static const char *axis_of(const struct ask *ask)
{
	return ask->created ? "created_at" : "updated_at";
}

static void put_filter(struct buf *body, const struct ask *ask, const char *operator, int64_t seconds)
{
	buf_printf(body, "{\"field\":\"%s\",\"operator\":\"%s\",\"value\":%lld}",
		   axis_of(ask), operator,(long long) seconds);
}

/* Contacts are matched by calendar day: ">" begins on the day after the given second and "=" is its whole day, so both are asked; what is too
 * old is harmless. Others are matched by the second; whether ">" and "<" include it is not certain, so one second is added on both sides. */
static void put_span(struct buf *body, const struct intercom_route *route, const struct ask *ask)
{
	int64_t start = ask->start_ms == TIME_MIN ? 0 : ask->start_ms / 1000;

	if (route->day_search) {
		buf_put_str(body, "{\"operator\":\"OR\",\"value\":[");
		put_filter(body, ask, ">", start);
		buf_put_byte(body, ',');
		put_filter(body, ask, "=", start);
		buf_put_str(body, "]}");
		return;
	}
	if (ask->end_ms == TIME_MAX) {
		put_filter(body, ask, ">", start - 1);
		return;
	}
	buf_put_str(body, "{\"operator\":\"AND\",\"value\":[");
	put_filter(body, ask, ">", start - 1);
	buf_put_byte(body, ',');
	put_filter(body, ask, "<", (ask->end_ms + 999) / 1000 + 1);
	buf_put_str(body, "]}");
}

/* Filters of which all hold; with the terms the span is one more of them, and says so when it is open: a search must ask for something. */
static void put_query(struct buf *body, const struct intercom_route *route, const struct ask *ask)
{
	if (ask->kind != ASK_SEARCH || ask->seek->count == 0) {
		put_span(body, route, ask);
		return;
	}
	buf_put_str(body, "{\"operator\":\"AND\",\"value\":[");
	put_span(body, route, ask);
	intercom_put_seek(body, ask);
	buf_put_str(body, "]}");
}

static int put_search(const struct account *a, const struct intercom_route *route,
		      const struct ask *ask, struct bytes cursor, struct call *out)
{
	struct buf *body = &out->body;
	bool seeks = ask->kind == ASK_SEARCH;

	out->method = "POST";
	out->route = INTERCOM_ROUTE_SEARCH;
	buf_printf(&out->url, "%s%s", a->base_url, route->search);
	buf_put_str(body, "{\"query\":");
	put_query(body, route, ask);
	buf_printf(body,
		   ",\"sort\":{\"field\":\"%s\",\"order\":\"%s\"},\"pagination\":{\"per_page\":%u",
		   axis_of(ask), ask->descending || seeks ? "descending" : "ascending",
		   seeks && route->page_max > SEEK_RECORDS_MAX ? SEEK_RECORDS_MAX : route->page_max);
	if (cursor.len) {
		buf_put_str(body, ",\"starting_after\":");
		json_write_str(body, cursor);
	}
	buf_put_str(body, "}}");
	return 0;
}

static int put_deleted(const struct account *a, struct bytes cursor, struct call *out)
{
	out->method = "GET";
	buf_printf(&out->url, "%s/conversations/deleted?order=desc&per_page=%d&page=", a->base_url,
		   INTERCOM_DELETED_PAGE_MAX);
	if (cursor.len)
		url_put_escaped(&out->url, cursor);
	else
		buf_put_str(&out->url, "1");
	return 0;
}

static int put_one(const struct account *a, const struct intercom_route *route,
		   const struct ask *ask, struct call *out, struct why *why)
{
	if (!url_id_usable(ask->id))
		return why_set(why, ERR_INVALID, "'%.*s' cannot be an id at Intercom",
			       (int)(ask->id.len > 60 ? 60 : ask->id.len),
			       (const char *)ask->id.data);
	buf_printf(&out->url, "%s%s", a->base_url, route->one);
	buf_put_bytes(&out->url, ask->id);
	return 0;
}

static int put_nested(const struct account *a, const struct intercom_route *route,
		      const struct ask *ask, struct bytes cursor, struct call *out, struct why *why)
{
	const char *path = intercom_nested_path(ask->nested);
	int rc = put_one(a, route, ask, out, why);

	if (rc)
		return rc;
	buf_put_str(&out->url, path);
	if (cursor.len)
		url_put_escaped(&out->url, cursor);
	else if (strchr(path, '?'))
		buf_put_str(&out->url, "1");
	return 0;
}

static int put_call(const struct account *a, const struct ask *ask, struct bytes cursor,
		    struct call *out, struct why *why)
{
	const struct intercom_route *route = intercom_route(a, ask->type);

	out->method = "GET";
	switch (ask->kind) {
	case ASK_IDENTITY: buf_printf(&out->url, "%s/me", a->base_url); return 0;
	case ASK_LIST:
		if (route && route->list)
			return put_list(a, route, ask, cursor, out);
		break;
	case ASK_CHANGED:
		if (route && route->search && (!ask->created || (ask->type->traits & TRAIT_CREATED)))
			return put_search(a, route, ask, cursor, out);
		break;
	case ASK_SEARCH:
		if (route && route->search && ask->seek)
			return put_search(a, route, ask, cursor, out);
		break;
	case ASK_ONE:
		if (route && route->one)
			return put_one(a, route, ask, out, why);
		break;
	case ASK_NESTED:
		if (route && route->cut_lists && ask->nested && intercom_nested_path(ask->nested))
			return put_nested(a, route, ask, cursor, out, why);
		break;
	case ASK_DELETED:
		if (ask->type->traits & TRAIT_DELETED)
			return put_deleted(a, cursor, out);
		break;
	case ASK_PASS:
		out->route = ask->route;
		buf_put_str(&out->url, a->base_url);
		buf_put_bytes(&out->url, ask->path);
		return 0;
	case ASK_CHANGE: /* write_call */
	case ASK_EVENTS: break;
	}
	return why_set(why, ERR_INVALID, "Intercom has no such reading of %s",
		       ask->type ? ask->type->name : "this");
}

int intercom_call(const struct account *a, const struct ask *ask, struct bytes cursor,
		  struct call *out, struct why *why)
{
	int rc = put_call(a, ask, cursor, out, why);

	if (rc)
		return rc;
	set_headers(a, out, out->body.len > 0);
	if (out->url.error || out->body.error)
		return why_set(why, ERR_NOMEM, "out of memory while writing a request");
	buf_text(&out->url);
	return 0;
}
