/* intercom_doc: what all of Intercom's objects have in common: ids, times, types. */
#include "intercom.h"

#include <codec/msgpack.h>

#include <stdio.h>

#define SECONDS_MAX 1e11 /* the year 5138 */

bool intercom_type_is(struct bytes doc, const char *type)
{
	struct bytes text;

	return mp_find_str(doc, "type", &text) && bytes_is(text, type);
}

/* An id as text: Intercom writes most as text, some as numbers. {NULL, 0} when there is none. */
static struct bytes id_text(struct page *page, struct bytes doc)
{
	struct bytes whole;
	struct mp_value v;
	char digits[24];

	if (mp_find(doc, bytes_str("id"), &whole) != 1 || !mp_get(whole, &v))
		return bytes_of(NULL, 0);
	if (v.type == MP_STR && v.str.len > 0 && v.str.len <= RECORD_ID_MAX)
		return v.str;
	if (v.type != MP_INT)
		return bytes_of(NULL, 0);
	snprintf(digits, sizeof digits, "%lld", (long long)v.integer);
	return arena_bytes(&page->arena, bytes_str(digits));
}

/* "contact.location.city": of an attribute that is built in. */
static struct bytes full_name(struct page *page, struct bytes doc)
{
	struct bytes model, name;
	char id[RECORD_ID_MAX + 1];

	if (!mp_find_str(doc, "model", &model) || !mp_find_str(doc, "full_name", &name) ||
	    name.len == 0 || model.len + name.len + 1 > RECORD_ID_MAX)
		return bytes_of(NULL, 0);
	snprintf(id, sizeof id, "%.*s.%.*s", (int)model.len, (const char *)model.data,
		 (int)name.len, (const char *)name.data);
	return arena_bytes(&page->arena, bytes_str(id));
}

/* Some times of some objects are milliseconds: no second that is meant is so far away. */
static int64_t time_of(double value)
{
	return time_from_seconds(value > SECONDS_MAX ? value / 1000 : value);
}

int64_t intercom_seconds(struct bytes doc, const char *key)
{
	struct bytes whole;
	struct mp_value v;
	int64_t ms;

	if (mp_find(doc, bytes_str(key), &whole) != 1 || !mp_get(whole, &v))
		return TIME_NONE;
	if (v.type == MP_INT)
		return time_of((double)v.integer);
	if (v.type == MP_FLOAT)
		return time_of(v.real);
	if (v.type == MP_STR && time_parse(v.str, &ms) == 0)
		return ms;
	return TIME_NONE;
}

bool intercom_record(const struct intercom_reading *g, struct bytes doc, struct record *out)
{
	*out = (struct record){
		.id = id_text(g->page, doc),
		.created_ms = intercom_seconds(doc, "created_at"),
		.updated_ms = intercom_seconds(doc, "updated_at"),
		.seen_ms = g->seen_ms,
		.doc = doc,
	};
	if (out->id.len == 0 && g->route && g->route->nameless)
		out->id = full_name(g->page, doc);
	return out->id.len > 0;
}
