/* intercom_doc: what all of Intercom's objects have in common: ids, times, types. */
#include "intercom.h"

#include <codec/msgpack.h>

#include <stdio.h>

#define SECONDS_MAX 1e11 /* the year 5138 */

void intercom_nonsense(struct page *page, const char *words)
{
	page->fault = FAULT_NONSENSE;
	why_set(&page->why, 0, "%s", words);
	page->count = 0;
}

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

bool intercom_records(struct page *page, size_t count)
{
	if (count > INTERCOM_ITEMS_MAX) {
		intercom_nonsense(page, "the answer has more items than can be");
		return false;
	}
	page->records = arena_alloc(&page->arena, count * sizeof *page->records + 1);
	if (!page->records)
		intercom_nonsense(page, "out of memory while reading a page");
	return page->records != NULL;
}

struct bytes intercom_map_with(struct page *page, struct bytes map, const char *key, struct bytes value)
{
	struct mp_reader r = mp_reader_of(map);
	struct buf out = {0};
	struct mp_value head;
	struct bytes name, old, copy;
	uint32_t kept = 0;

	if (mp_next(&r, &head) != 1)
		return bytes_of(NULL, 0);
	size_t mark = mp_begin_map(&out);
	for (uint32_t i = 0; i < head.count; i++) {
		struct mp_value k;
		if (mp_take(&r, &name) != 1 || mp_take(&r, &old) != 1)
			break;
		bool found = mp_get(name, &k) && k.type == MP_STR && bytes_is(k.str, key);
		if (found && !value.len)
			continue;
		buf_put_bytes(&out, name);
		buf_put_bytes(&out, found ? value : old);
		kept++;
	}
	mp_end_map(&out, mark, kept);
	copy = out.error ? bytes_of(NULL, 0) : arena_bytes(&page->arena, buf_bytes(&out));
	buf_release(&out);
	return copy;
}
