/*
 * front_events: the feed of what happened. An event is only a hint: which conversation it is about, and which ones it says were merged away. Conversations are
 * read for what they are now.
 */
#include "front.h"

/* Full events show the conversation as it is, previews its id alone. */
static bool is_whole(struct bytes doc)
{
	struct bytes value;

	return mp_find(doc, bytes_str("status"), &value) == 1 &&
	       mp_find(doc, bytes_str("subject"), &value) == 1;
}

static void add_hint(const struct front_reading *g, const struct page_event *event,
		     struct record *record)
{
	struct page_record *item = &g->page->records[g->page->count++];

	record->flags |= RECORD_POOR;
	*item = (struct page_record){
		.type = g->ask->type, .record = *record, .children = -1, .event = *event};
}

/* Ids as text, or objects that have one. */
static bool deleted_id(struct bytes item, struct bytes *out)
{
	struct mp_value v;

	if (mp_get(item, &v) && v.type == MP_STR)
		*out = v.str;
	else if (!mp_find_str(item, "id", out))
		return false;
	return url_id_usable(*out);
}

/* The list of the conversations that an event's target says are merged away. */
static bool merged_away(struct bytes event, struct mp_reader *out, uint32_t *count_out)
{
	struct bytes type, list;
	struct mp_value v;

	if (mp_path(event, bytes_str("target._meta.type"), &type) != 1 || !mp_get(type, &v) ||
	    v.type != MP_STR || !bytes_is(v.str, "deleted_conversation_ids") ||
	    mp_path(event, bytes_str("target.data"), &list) != 1)
		return false;
	*out = mp_reader_of(list);
	*count_out = mp_next(out, &v) == 1 && v.type == MP_ARRAY ? v.count : 0;
	return *count_out > 0;
}

static size_t hints_of(struct bytes event)
{
	struct mp_reader r;
	uint32_t count;

	return 1 + (merged_away(event, &r, &count) ? count : 0);
}

static void read_event(const struct front_reading *g, struct bytes doc)
{
	static const uint8_t nil = 0xc0;
	struct page_event event = {.at_ms = front_time(doc, "emitted_at")};
	struct bytes conversation, item;
	struct record record;
	struct mp_reader r;
	uint32_t count;

	if (!mp_find_str(doc, "id", &event.id) || !event.id.len || event.id.len > RECORD_ID_MAX) {
		page_nonsense(g->page, "an event has no id");
		return;
	}
	/* Events of other things than conversations are none of this feed's business. */
	if (mp_find(doc, bytes_str("conversation"), &conversation) == 1 &&
	    front_record(g, conversation, &record) && url_id_usable(record.id)) {
		event.shown = is_whole(conversation);
		add_hint(g, &event, &record);
	}
	if (!merged_away(doc, &r, &count))
		return;
	event.shown = false;
	for (uint32_t i = 0; i < count && mp_take(&r, &item) == 1; i++) {
		record = (struct record){.created_ms = TIME_NONE,
					 .updated_ms = TIME_NONE,
					 .seen_ms = g->seen_ms,
					 .doc = bytes_of(&nil, 1)};
		if (deleted_id(item, &record.id))
			add_hint(g, &event, &record);
	}
}

void front_read_events(const struct front_reading *g, struct bytes body)
{
	struct page *page = g->page;
	struct mp_reader r, ahead;
	struct bytes doc;
	uint32_t count;
	size_t hints = 0;

	if (!front_results(page, body, &r, &count))
		return;
	ahead = r;
	for (uint32_t i = 0; i < count && mp_take(&ahead, &doc) == 1; i++)
		hints += hints_of(doc);
	if (!page_room(page, hints))
		return;
	for (uint32_t i = 0; i < count && !page->fault && mp_take(&r, &doc) == 1; i++)
		read_event(g, doc);
	front_read_next(page, body);
}
