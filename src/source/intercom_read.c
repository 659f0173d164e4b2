/*
 * intercom_read: pages out of Intercom's answers. Lenient in what it accepts (ids as text or numbers, null or missing, cursors as objects or
 * URLs), strict in what it believes: an answer of another kind than was asked for is a fault, never an empty page.
 */
#include "intercom.h"

#include <codec/msgpack.h>

#include <stdio.h>
#include <stdlib.h>

static void nonsense(struct page *page, const char *words)
{
	page->fault = FAULT_NONSENSE;
	why_set(&page->why, 0, "%s", words);
	page->count = 0;
}

/* An id as text: Intercom writes most as text, some as numbers. {NULL, 0} when there is none. */
static struct bytes id_text(struct page *page, struct bytes doc, const char *key)
{
	struct bytes whole;
	struct mp_value v;
	char digits[24];

	if (mp_find(doc, bytes_str(key), &whole) != 1 || !mp_get(whole, &v))
		return bytes_of(NULL, 0);
	if (v.type == MP_STR && v.str.len > 0 && v.str.len <= RECORD_ID_MAX)
		return v.str;
	if (v.type != MP_INT)
		return bytes_of(NULL, 0);
	snprintf(digits, sizeof digits, "%lld", (long long)v.integer);
	return arena_bytes(&page->arena, bytes_str(digits));
}

/* Seconds, as an integer, a double or text; TIME_NONE for anything else. */
static int64_t seconds_ms(struct bytes doc, const char *key)
{
	struct bytes whole;
	struct mp_value v;
	int64_t ms;

	if (mp_find(doc, bytes_str(key), &whole) != 1 || !mp_get(whole, &v))
		return TIME_NONE;
	if (v.type == MP_INT)
		return time_from_seconds((double)v.integer);
	if (v.type == MP_FLOAT)
		return time_from_seconds(v.real);
	if (v.type == MP_STR && time_parse(v.str, &ms) == 0)
		return ms;
	return TIME_NONE;
}

static bool record_of(struct page *page, struct bytes doc, int64_t seen_ms, struct record *out)
{
	*out = (struct record){
		.id = id_text(page, doc, "id"),
		.created_ms = seconds_ms(doc, "created_at"),
		.updated_ms = seconds_ms(doc, "updated_at"),
		.seen_ms = seen_ms,
		.doc = doc,
	};
	return out->id.len > 0;
}

static bool records_make(struct page *page, size_t count)
{
	if (count > INTERCOM_ITEMS_MAX) {
		nonsense(page, "the answer has more items than can be");
		return false;
	}
	page->records = arena_alloc(&page->arena, count * sizeof *page->records + 1);
	if (!page->records)
		nonsense(page, "out of memory while reading a page");
	return page->records != NULL;
}

/* ---- cursors ---- */

/* The place of a parameter's value in a URL's query; {NULL, 0}: it has none of that name. */
static struct bytes url_value(struct bytes url, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i + n + 1 < url.len; i++) {
		const char *at = (const char *)url.data + i;
		if ((at[0] != '?' && at[0] != '&') || memcmp(at + 1, name, n) != 0 || at[n + 1] != '=')
			continue;
		struct bytes value = bytes_of(at + n + 2, url.len - i - n - 2);
		for (size_t j = 0; j < value.len; j++)
			if (value.data[j] == '&' || value.data[j] == '#')
				value.len = j;
		return value;
	}
	return bytes_of(NULL, 0);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A parameter's value without its escapes. Only the value is taken: where the URL points to is never followed. */
static struct bytes url_parameter(struct page *page, struct bytes url, const char *name)
{
	struct bytes raw = url_value(url, name);
	uint8_t *out = arena_alloc(&page->arena, raw.len + 1);
	size_t n = 0;

	for (size_t i = 0; out && i < raw.len; i++) {
		int high = raw.data[i] == '%' && i + 2 < raw.len ? hex_digit(raw.data[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(raw.data[i + 2]) : -1;
		out[n++] = low >= 0 ? (uint8_t)(high * 16 + low) : raw.data[i];
		i += low >= 0 ? 2 : 0;
	}
	return bytes_of(out, n);
}

static struct bytes number_text(struct page *page, int64_t n)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%lld", (long long)n);
	return arena_bytes(&page->arena, bytes_str(digits));
}

/* pages.next: absent or null on the last page; an object {page, starting_after}, or a URL whose page is what counts. */
static void read_next(const struct ask *ask, struct bytes body, struct page *page)
{
	const struct intercom_route *route = intercom_route(ask->type);
	struct bytes next, text;
	struct mp_value v;
	int64_t number;
	bool numbered = route->page_numbers || ask->kind == ASK_DELETED;
	const char *name = numbered ? "page" : "starting_after";

	if (mp_path(body, bytes_str("pages.next"), &next) != 1 || !mp_get(next, &v) || v.type == MP_NIL)
		return;
	if (v.type == MP_STR)
		page->next = url_parameter(page, v.str, name);
	else if (mp_find_str(next, name, &text))
		page->next = text;
	else if (numbered && mp_find_int(next, name, &number))
		page->next = number_text(page, number);
	if (page->next.len == 0)
		nonsense(page, "there is a next page, but no cursor to it");
}

/* ---- lists ---- */

/* How many records a thread of a listing would bring: its parts, and the opening message. */
static int64_t children_of(const struct ask *ask, struct bytes doc)
{
	struct bytes value;
	struct mp_value v;
	int64_t parts;

	if (!ask->type->child || mp_find(doc, bytes_str("statistics"), &value) != 1 ||
	    !mp_find_int(value, "count_conversation_parts", &parts) || parts < 0)
		return -1;
	return parts + (mp_find(doc, bytes_str("source"), &value) == 1 && mp_get(value, &v) &&
			v.type == MP_MAP);
}

static void read_items(const struct ask *ask, const struct intercom_route *route, struct bytes list,
		       int64_t seen_ms, struct page *page)
{
	struct mp_reader r = mp_reader_of(list);
	struct mp_value head;
	struct bytes doc;

	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY) {
		nonsense(page, "the list of items is not a list");
		return;
	}
	if (!records_make(page, head.count))
		return;
	for (uint32_t i = 0; i < head.count; i++) {
		struct page_record *item = &page->records[page->count];
		if (mp_take(&r, &doc) != 1 || !intercom_type_is(doc, route->item_type) ||
		    !record_of(page, doc, seen_ms, &item->record)) {
			nonsense(page, "an item of the list is of another kind, or has no id");
			return;
		}
		item->type = ask->type;
		item->children = children_of(ask, doc);
		if (ask->type->traits & TRAIT_POOR)
			item->record.flags |= RECORD_POOR;
		page->count++;
	}
}

static void read_list(const struct ask *ask, struct bytes body, int64_t seen_ms, struct page *page)
{
	const struct intercom_route *route = intercom_route(ask->type);
	struct bytes list;

	if (!intercom_type_is(body, route->list_type)) {
		nonsense(page, "the answer is not the list that was asked for");
		return;
	}
	if (mp_find(body, bytes_str(route->key), &list) != 1) {
		nonsense(page, "the list has no items member");
		return;
	}
	if (!mp_find_int(body, "total_count", &page->total))
		page->total = -1;
	read_items(ask, route, list, seen_ms, page);
	if (!page->fault)
		read_next(ask, body, page);
}

/* Deletions come as {id, deleted_at}: tombstones without a document. */
static void read_deleted(const struct ask *ask, struct bytes body, int64_t seen_ms, struct page *page)
{
	static const uint8_t nil = 0xc0;
	struct bytes list;

	if (!intercom_type_is(body, "conversations.list") ||
	    mp_find(body, bytes_str("conversations"), &list) != 1) {
		nonsense(page, "the answer is not the list of deleted conversations");
		return;
	}
	read_items(ask, intercom_route(ask->type), list, seen_ms, page);
	for (size_t i = 0; i < page->count; i++) {
		struct record *r = &page->records[i].record;
		r->updated_ms = seconds_ms(r->doc, "deleted_at");
		/* What does not say when it was deleted may be a conversation that lives. */
		if (r->updated_ms == TIME_NONE) {
			nonsense(page, "an item of the deletions does not say when it was deleted");
			return;
		}
		r->created_ms = TIME_NONE;
		r->flags = RECORD_DELETED;
		r->doc = bytes_of(&nil, 1);
	}
	if (!page->fault)
		read_next(ask, body, page);
}

/* ---- single records ---- */

/* The map without one of its members, in the arena. */
static struct bytes map_without(struct page *page, struct bytes map, const char *key)
{
	struct mp_reader r = mp_reader_of(map);
	struct buf out = {0};
	struct mp_value head;
	struct bytes name, value, copy;
	uint32_t kept = 0;

	if (mp_next(&r, &head) != 1)
		return bytes_of(NULL, 0);
	size_t mark = mp_begin_map(&out);
	for (uint32_t i = 0; i < head.count; i++) {
		struct mp_value k;
		if (mp_take(&r, &name) != 1 || mp_take(&r, &value) != 1)
			break;
		if (mp_get(name, &k) && k.type == MP_STR && bytes_is(k.str, key))
			continue;
		buf_put_bytes(&out, name);
		buf_put_bytes(&out, value);
		kept++;
	}
	mp_end_map(&out, mark, kept);
	copy = out.error ? bytes_of(NULL, 0) : arena_bytes(&page->arena, buf_bytes(&out));
	buf_release(&out);
	return copy;
}

/* The opening message is not among the parts: it is made a record of its own. Its id space is not the parts', so its id names the
 * conversation. */
static void add_source(const struct resource_type *type, const struct record *parent,
		       struct bytes conversation, struct page *page)
{
	struct page_record *item = &page->records[page->count];
	char id[RECORD_ID_MAX + 1];
	struct bytes doc;
	struct mp_value v;

	if (mp_find(conversation, bytes_str("source"), &doc) != 1 || !mp_get(doc, &v) ||
	    v.type != MP_MAP)
		return;
	if (parent->id.len + strlen("source:") > RECORD_ID_MAX) {
		nonsense(page, "the id of the conversation is too long");
		return;
	}
	snprintf(id, sizeof id, "source:%.*s", (int)parent->id.len, (const char *)parent->id.data);
	*item = (struct page_record){
		.type = type,
		.record =
			{
				.id = arena_bytes(&page->arena, bytes_str(id)),
				.parent = parent->id,
				.created_ms = parent->created_ms,
				.updated_ms = parent->created_ms,
				.seen_ms = parent->seen_ms,
				.doc = doc,
			},
	};
	page->count++;
}

/* Parts in the order of their creation, whatever order they came in. */
static int by_creation(const void *a, const void *b)
{
	const struct record *x = &((const struct page_record *)a)->record;
	const struct record *y = &((const struct page_record *)b)->record;

	return (x->created_ms > y->created_ms) - (x->created_ms < y->created_ms);
}

static void add_parts(const struct resource_type *type, const struct record *parent,
		      struct bytes parts, int64_t seen_ms, struct page *page)
{
	struct mp_reader r = mp_reader_of(parts);
	struct mp_value head;
	struct bytes doc;
	size_t first = page->count;

	if (mp_next(&r, &head) != 1)
		return;
	for (uint32_t i = 0; i < head.count; i++) {
		struct page_record *item = &page->records[page->count];
		if (mp_take(&r, &doc) != 1 || !record_of(page, doc, seen_ms, &item->record)) {
			nonsense(page, "a part of the conversation has no id");
			return;
		}
		item->type = type;
		item->record.parent = parent->id;
		page->count++;
	}
	qsort(page->records + first, page->count - first, sizeof *page->records, by_creation);
}

/* Retrieving shows the 500 newest parts at most and does not say so: the counts do, where they are given. A thread that has reached the limit is
 * whole only when its own statistics say that there are just as many. */
static bool parts_missing(struct bytes conversation, uint32_t shown)
{
	struct bytes value;
	struct mp_value v;
	int64_t counted;

	if (mp_path(conversation, bytes_str("conversation_parts.total_count"), &value) == 1 &&
	    mp_get(value, &v) && v.type == MP_INT && v.integer > (int64_t)shown)
		return true;
	if (shown < INTERCOM_PARTS_MAX)
		return false;
	return mp_find(conversation, bytes_str("statistics"), &value) != 1 ||
	       !mp_find_int(value, "count_conversation_parts", &counted) || counted != (int64_t)shown;
}

static void read_conversation(const struct account *a, const struct ask *ask, struct bytes body,
			      int64_t seen_ms, struct page *page)
{
	const struct resource_type *child = provider_type(a->provider, bytes_str(ask->type->child));
	struct bytes parts;
	struct mp_value head;

	if (mp_path(body, bytes_str("conversation_parts.conversation_parts"), &parts) != 1 ||
	    !mp_get(parts, &head) || head.type != MP_ARRAY) {
		nonsense(page, "the conversation came without its parts");
		return;
	}
	if (!records_make(page, (size_t)head.count + 2))
		return;
	struct record *r = &page->records[0].record;
	page->records[0].type = ask->type;
	if (!record_of(page, body, seen_ms, r) || !bytes_equal(r->id, ask->id)) {
		nonsense(page, "another conversation was answered than was asked for");
		return;
	}
	page->count = 1;
	page->truncated = parts_missing(body, head.count);
	if (page->truncated)
		r->flags |= RECORD_TRUNCATED;
	r->doc = map_without(page, body, "conversation_parts");
	if (!r->doc.data) {
		nonsense(page, "out of memory while reading a conversation");
		return;
	}
	add_source(child, r, body, page);
	if (!page->fault)
		add_parts(child, r, parts, seen_ms, page);
}

static void read_one(const struct account *a, const struct ask *ask, struct bytes body,
		     int64_t seen_ms, struct page *page)
{
	const struct intercom_route *route = intercom_route(ask->type);

	if (!intercom_type_is(body, route->item_type)) {
		nonsense(page, "the answer is not the record that was asked for");
		return;
	}
	if (ask->type->child) {
		read_conversation(a, ask, body, seen_ms, page);
		return;
	}
	if (!records_make(page, 1))
		return;
	page->records[0].type = ask->type;
	if (!record_of(page, body, seen_ms, &page->records[0].record) ||
	    !bytes_equal(page->records[0].record.id, ask->id)) {
		nonsense(page, "another record was answered than was asked for");
		return;
	}
	page->count = 1;
}

/* ---- who we are ---- */

static void copy_text(struct bytes doc, const char *path, char *out, size_t cap)
{
	struct bytes value;
	struct mp_value v;

	out[0] = 0;
	if (mp_path(doc, bytes_str(path), &value) != 1 || !mp_get(value, &v) || v.type != MP_STR)
		return;
	/* Cut between characters, not inside one. */
	if (v.str.len >= cap)
		for (v.str.len = cap - 1; v.str.len && (v.str.data[v.str.len] & 0xc0) == 0x80;
		     v.str.len--)
			continue;
	snprintf(out, cap, "%.*s", (int)v.str.len, (const char *)v.str.data);
}

static void read_identity(struct bytes body, struct page *page)
{
	copy_text(body, "app.id_code", page->identity.id, sizeof page->identity.id);
	copy_text(body, "app.name", page->identity.name, sizeof page->identity.name);
	copy_text(body, "app.region", page->identity.region, sizeof page->identity.region);
	copy_text(body, "app.timezone", page->identity.timezone, sizeof page->identity.timezone);
	if (!page->identity.id[0])
		nonsense(page, "the answer does not name a workspace (app.id_code)");
}

void intercom_read(const struct account *a, const struct ask *ask, int status, const char *link,
		   int64_t seen_ms, struct page *page)
{
	struct bytes body = buf_bytes(&page->body);

	if (status != 200 || intercom_type_is(body, "error.list")) {
		intercom_read_fault(ask, status, link, page);
		return;
	}
	switch (ask->kind) {
	case ASK_IDENTITY: read_identity(body, page); return;
	case ASK_LIST:
	case ASK_CHANGED: read_list(ask, body, seen_ms, page); return;
	case ASK_DELETED: read_deleted(ask, body, seen_ms, page); return;
	case ASK_ONE: read_one(a, ask, body, seen_ms, page); return;
	}
}
