/* front_call: an ask becomes one HTTP request to the account's own address, with page tokens as values. */
#include "front.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Seconds with three decimals. */
static void put_seconds(struct buf *out, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	buf_printf(out, "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));
}

static void put_token(struct buf *url, char sign, struct bytes cursor)
{
	if (!cursor.len)
		return;
	buf_printf(url, "%cpage_token=", sign);
	url_put_escaped(url, cursor);
}

static void put_page(const struct account *a, const struct front_route *route, const char *query,
		     struct buf *url)
{
	buf_printf(url, "%s%s", a->base_url, route->path);
	if (route->page_max)
		buf_printf(url, "?limit=%u%s%s", route->page_max, query ? "&" : "",
			   query ? query : "");
}

/* Whether the bounds belong to a span is not said: a thousandth more on each side takes them in. */
static void put_events(const struct account *a, const struct ask *ask, struct bytes cursor,
		       struct buf *url)
{
	buf_printf(url, "%s/events?limit=%d&sort_by=created_at&sort_order=asc&q%%5Bafter%%5D=",
		   a->base_url, FRONT_EVENTS_PAGE_MAX);
	put_seconds(url, ask->start_ms - 1);
	if (ask->end_ms != TIME_MAX) {
		buf_put_str(url, "&q%5Bbefore%5D=");
		put_seconds(url, ask->end_ms + 1);
	}
	put_token(url, '&', cursor);
}

static int put_changed(const struct account *a, const struct front_route *route,
		       const struct ask *ask, struct bytes cursor, struct buf *url)
{
	if (ask->created || (ask->descending ? !route->newest : !route->since))
		return ERR_INVALID;
	put_page(a, route, ask->descending ? route->newest : route->since, url);
	if (!ask->descending)
		put_seconds(url, ask->start_ms == TIME_MIN ? 0 : ask->start_ms - 1);
	put_token(url, '&', cursor);
	return 0;
}

static int put_one(const struct account *a, const struct front_route *route, const struct ask *ask,
		   struct call *out, struct why *why)
{
	if (!url_id_usable(ask->id))
		return why_set(why, ERR_INVALID, "'%.*s' cannot be an id at Front",
			       (int)(ask->id.len > 60 ? 60 : ask->id.len),
			       (const char *)ask->id.data);
	buf_printf(&out->url, "%s%s/", a->base_url, route->path);
	buf_put_bytes(&out->url, ask->id);
	return 0;
}

static int put_nested(const struct account *a, const struct front_route *route,
		      const struct ask *ask, struct bytes cursor, struct call *out, struct why *why)
{
	const char *path = front_nested_path(ask->nested);
	int rc = put_one(a, route, ask, out, why);

	if (rc)
		return rc;
	buf_put_str(&out->url, path);
	put_token(&out->url, strchr(path, '?') ? '&' : '?', cursor);
	return 0;
}

static int put_call(const struct account *a, const struct ask *ask, struct bytes cursor,
		    struct call *out, struct why *why)
{
	const struct front_route *route = front_route(ask->type);
	unsigned traits = ask->type ? ask->type->traits : 0;

	out->method = "GET";
	switch (ask->kind) {
	case ASK_IDENTITY: buf_printf(&out->url, "%s/me", a->base_url); return 0;
	case ASK_LIST:
		if (!(traits & TRAIT_LIST))
			break;
		put_page(a, route, route->sort, &out->url);
		put_token(&out->url, route->page_max ? '&' : '?', cursor);
		return 0;
	case ASK_CHANGED:
		if (!(traits & TRAIT_CHANGED) || put_changed(a, route, ask, cursor, &out->url))
			break;
		return 0;
	case ASK_EVENTS:
		if (!(traits & TRAIT_EVENTS))
			break;
		put_events(a, ask, cursor, &out->url);
		return 0;
	case ASK_ONE:
		if (traits & TRAIT_ONE)
			return put_one(a, route, ask, out, why);
		break;
	case ASK_NESTED:
		if (route && route->threads && ask->nested && front_nested_path(ask->nested))
			return put_nested(a, route, ask, cursor, out, why);
		break;
	case ASK_PASS:
		out->route = ask->route;
		buf_put_str(&out->url, a->base_url);
		buf_put_bytes(&out->url, ask->path);
		return 0;
	case ASK_SEARCH:
		if ((traits & TRAIT_SEARCH) && front_put_search(a, route, ask, out) == 0)
			return 0;
		break;
	case ASK_CHANGE: /* write_call */
	case ASK_DELETED: break;
	}
	return why_set(why, ERR_INVALID, "Front has no such reading of %s",
		       ask->type ? ask->type->name : "this");
}

int front_call(const struct account *a, const struct ask *ask, struct bytes cursor,
	       struct call *out, struct why *why)
{
	int rc = put_call(a, ask, cursor, out, why);

	if (rc)
		return rc;
	snprintf(out->headers[0], sizeof out->headers[0], "Accept: application/json");
	if (out->url.error)
		return why_set(why, ERR_NOMEM, "out of memory while writing a request");
	buf_text(&out->url);
	return 0;
}
