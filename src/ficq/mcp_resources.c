/*
 * mcp_resources: what is held as resources: fic://source/resource is what there is of a resource, fic://source/resource/id a record, of a conversation
 * with its messages.
 */
#include "mcp_tools.h"

#include <codec/msgpack.h>

#include <stdio.h>

#define SCHEME "fic://"
/* What is fresh now may be shown for so long. */
#define KEEP_MS 30000

static void put_pair(struct buf *out, const char *key, const char *value)
{
	mp_put_cstr(out, key);
	mp_put_cstr(out, value);
}

void mcp_templates_put(struct buf *out)
{
	mp_put_array(out, 2);
	mp_put_map(out, 5);
	put_pair(out, "uriTemplate", SCHEME "{source}/{resource}/{id}");
	put_pair(out, "name", "record");
	put_pair(out, "title", "A record");
	put_pair(out, "description",
		 "One record with its freshness; a conversation comes with its messages.");
	put_pair(out, "mimeType", "application/json");
	mp_put_map(out, 5);
	put_pair(out, "uriTemplate", SCHEME "{source}/{resource}");
	put_pair(out, "name", "resource");
	put_pair(out, "title", "What is held of a resource");
	put_pair(out, "description", "Freshness and coverage of a resource.");
	put_pair(out, "mimeType", "application/json");
}

/* ---- addresses ---- */

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to the next '/', unescaped; false: it is empty, too long, or no text. */
static bool take_part(struct bytes *left, char *out, size_t size)
{
	size_t n = 0;

	while (left->len > 0 && *left->data != '/') {
		int c = *left->data;
		size_t used = 1;
		if (c == '%') {
			int high = left->len > 2 ? hex_digit(left->data[1]) : -1;
			int low = left->len > 2 ? hex_digit(left->data[2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = high * 16 + low;
			used = 3;
		}
		if (c == 0 || n + 1 >= size)
			return false;
		out[n++] = (char)c;
		*left = bytes_of(left->data + used, left->len - used);
	}
	out[n] = 0;
	if (left->len > 0)
		*left = bytes_of(left->data + 1, left->len - 1);
	return n > 0;
}

int mcp_uri_read(struct bytes text, struct mcp_uri *out, struct why *why)
{
	size_t scheme = strlen(SCHEME);

	*out = (struct mcp_uri){0};
	struct bytes left = bytes_of(text.data + scheme, text.len > scheme ? text.len - scheme : 0);
	if (text.len <= scheme || memcmp(text.data, SCHEME, scheme) != 0 ||
	    !take_part(&left, out->source, sizeof out->source) ||
	    !take_part(&left, out->resource, sizeof out->resource) ||
	    (left.len > 0 && (!take_part(&left, out->id, sizeof out->id) || left.len > 0)))
		return why_set(why, ERR_INVALID,
			       "a resource is " SCHEME "source/resource or " SCHEME
			       "source/resource/id, with what is special in it as %%XX");
	return 0;
}

/* ---- the list ---- */

static int ask_resources(struct mcp_call *c, struct why *why)
{
	struct params p = {0};

	params_str(&p, "source", app_value(c->mcp->app, OPT_SOURCE));
	return mcp_ask(c, 0, "resources", &p, why);
}

static void put_resource(struct buf *out, struct bytes resource)
{
	struct bytes source = member_str(resource, "source"), name = member_str(resource, "name");
	struct buf text = {0}, words = {0};
	int64_t records = 0;

	buf_put_bytes(&text, source);
	buf_put_byte(&text, '/');
	buf_put_bytes(&text, name);
	mp_put_map(out, 4);
	mp_put_cstr(out, "uri");
	buf_put_str(&words, SCHEME);
	buf_put_bytes(&words, buf_bytes(&text));
	mp_put_str(out, buf_bytes(&words));
	mp_put_cstr(out, "name");
	mp_put_str(out, buf_bytes(&text));
	mp_put_cstr(out, "description");
	buf_reset(&words);
	member_int(resource, "records", &records);
	show_count(&words, records);
	buf_put_str(&words, records == 1 ? " record is held" : " records are held");
	mp_put_str(out, buf_bytes(&words));
	put_pair(out, "mimeType", "application/json");
	if (text.error || words.error)
		out->error = ERR_NOMEM;
	buf_release(&text);
	buf_release(&words);
}

static int answer_resources(struct mcp_call *c, struct mcp_answer *out, struct why *why)
{
	struct bytes list = member(mcp_result(c, 0), "resources"), one;
	struct mp_reader r = mp_reader_of(list);
	struct mp_value head;
	size_t mark = mp_begin_array(&out->found);
	uint32_t count = 0;

	(void)why;
	if (list.data && mp_next(&r, &head) == 1 && head.type == MP_ARRAY)
		for (; mp_take(&r, &one) == 1; count++)
			put_resource(&out->found, one);
	mp_end_array(&out->found, mark, count);
	out->ttl_ms = 2 * KEEP_MS;
	return 0;
}

const struct mcp_plan mcp_plan_resources = {ask_resources, answer_resources, NULL, NULL, true};

/* ---- one ---- */

static bool is_thread(const struct mcp_uri *uri)
{
	return uri->id[0] && strcmp(uri->resource, "conversations") == 0;
}

static int ask_resource(struct mcp_call *c, struct why *why)
{
	struct params p = {0}, more = {0};
	struct mcp_uri uri;
	int rc = mcp_uri_read(mcp_arg_text(c, "uri"), &uri, why);

	if (rc)
		return rc;
	params_str(&p, "source", uri.source);
	if (!is_thread(&uri))
		params_str(&p, "resource", uri.resource);
	if (uri.id[0])
		params_str(&p, "id", uri.id);
	rc = mcp_ask(c, 0, is_thread(&uri) ? "thread" : uri.id[0] ? "get" : "coverage", &p, why);
	if (rc || uri.id[0])
		return rc;
	params_str(&more, "source", uri.source);
	params_str(&more, "resource", uri.resource);
	return mcp_ask(c, 1, "freshness", &more, why);
}

static void put_held(struct mcp_call *c, struct buf *out)
{
	mp_put_map(out, 2);
	mcp_put_or_nil(out, "freshness", member(mcp_result(c, 1), "freshness"));
	mcp_put_or_nil(out, "coverage", member(mcp_result(c, 0), "resources.0"));
}

static int answer_resource(struct mcp_call *c, struct mcp_answer *out, struct why *why)
{
	struct bytes result = mcp_result(c, 0), freshness;
	struct mcp_uri uri;
	int rc = mcp_uri_read(mcp_arg_text(c, "uri"), &uri, why);

	if (rc)
		return rc;
	if (mcp_put_absence(&out->words, result))
		return why_set(why, ERR_NOTFOUND, "%.250s", buf_text(&out->words) + 1);
	if (!uri.id[0]) {
		put_held(c, &out->found);
	} else if (is_thread(&uri)) {
		mcp_put_thread(&out->found, result, 0);
	} else {
		mp_put_map(&out->found, 2);
		mcp_put_or_nil(&out->found, "freshness", member(result, "freshness"));
		mcp_put_or_nil(&out->found, "record", member(result, "record"));
	}
	freshness = member(buf_bytes(&out->found), "freshness");
	out->ttl_ms = bytes_is(member_str(freshness, "state"), "fresh") ? KEEP_MS : 0;
	return 0;
}

const struct mcp_plan mcp_plan_resource = {ask_resource, answer_resource, NULL, NULL, false};
