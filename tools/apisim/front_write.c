/* Writes to the company's conversations and contacts, by programs and, for
 * tests, behind their backs. A write is judged whole before any of it is
 * made. Custom fields are replaced all at once: what is not sent is gone. */
#include "front_api.h"
#include "front_render.h"
#include "settings.h"
#include "written.h"

#include <stdio.h>
#include <string.h>

/* A change being made to one conversation. */
struct doing {
	uint32_t idx;
	struct front_conversation *c;
	int64_t at;
	enum front_actor actor; /* people's changes are in the feed, those of programs to fields are not */
	uint32_t changes;
};

static bool unfit(struct refusal *why)
{
	return refuse(why, 400, NULL, "Body did not satisfy requirements");
}

static void event(struct doing *d, enum front_event_type type, uint32_t target)
{
	front_event_add(d->idx, type, d->at, d->actor, 0, target);
	d->changes++;
}

static bool teammate_of(const json_t *value, uint32_t *idx)
{
	const char *id = json_string_value(value);

	return id && front_index(FRONT_TEAMMATE, id, front.teammates.count, idx);
}

static bool inbox_of(const json_t *value, uint32_t *idx)
{
	const char *id = json_string_value(value);

	return id && front_index(FRONT_INBOX, id, front.inboxes.count, idx) &&
	       front_item_live(&front.inboxes, *idx) && !front_inbox_private(*idx);
}

static bool tag_of(const json_t *value, uint32_t *idx)
{
	const char *id = json_string_value(value);

	return id && front_index(FRONT_TAG, id, front.tags.count, idx) &&
	       front_item_live(&front.tags, *idx) && !front_tag_private(*idx);
}

static bool tags_fit(const json_t *list)
{
	uint32_t idx;
	size_t i;
	json_t *one;

	if (!json_is_array(list) || json_array_size(list) > FRONT_TAGS_MAX)
		return false;
	json_array_foreach(list, i, one)
	{
		if (!tag_of(one, &idx))
			return false;
	}
	return true;
}

static bool fields_fit(const json_t *map)
{
	const char *name;
	json_t *v;

	if (!json_is_object(map))
		return false;
	json_object_foreach((json_t *)(uintptr_t)map, name, v)
	{
		if (!front_field_fits(name, v))
			return false;
	}
	return true;
}

static bool status_fits(const json_t *value)
{
	const char *status = json_string_value(value);

	return status && call_listed(" archived open deleted spam ", status);
}

static bool ticket_status_of(const json_t *value, uint32_t *idx)
{
	const char *id = json_string_value(value);

	return id && settings.ticketing && front_index(FRONT_STATUS, id, front_status_count(), idx);
}

static bool member_fits(const char *key, const json_t *v)
{
	uint32_t idx;

	if (!strcmp(key, "assignee_id"))
		return json_is_null(v) || teammate_of(v, &idx);
	if (!strcmp(key, "inbox_id"))
		return inbox_of(v, &idx);
	if (!strcmp(key, "status"))
		return status_fits(v);
	if (!strcmp(key, "status_id"))
		return ticket_status_of(v, &idx);
	if (!strcmp(key, "tag_ids"))
		return tags_fit(v);
	if (!strcmp(key, "custom_fields"))
		return fields_fit(v);
	if (!strncmp(key, "custom_fields.", 14))
		return front_field_fits(key + 14, v);
	return false;
}

static bool body_fits(const json_t *body, struct refusal *why)
{
	const char *key;
	json_t *v;

	if (!json_object_size(body) ||
	    (json_object_get(body, "status") && json_object_get(body, "status_id")))
		return unfit(why);
	json_object_foreach((json_t *)(uintptr_t)body, key, v)
	{
		if (!member_fits(key, v))
			return unfit(why);
	}
	return true;
}

static void set_assignee(struct doing *d, const json_t *value)
{
	uint32_t mate = 0, wanted = teammate_of(value, &mate) ? mate + 1 : 0;

	if (d->c->assignee == wanted)
		return;
	d->c->assignee = wanted;
	event(d, wanted ? EVENT_ASSIGN : EVENT_UNASSIGN, mate);
}

static void set_status(struct doing *d, const char *status)
{
	enum front_status wanted = !strcmp(status, "open")       ? STATUS_OPEN
				   : !strcmp(status, "archived") ? STATUS_ARCHIVED
								 : STATUS_TRASHED;
	bool restored = d->c->status == STATUS_TRASHED;

	if (d->c->status == wanted)
		return;
	d->c->status = (uint8_t)wanted;
	d->c->reminder_at = 0;
	event(d,
	      wanted == STATUS_TRASHED    ? EVENT_TRASH
	      : wanted == STATUS_ARCHIVED ? EVENT_ARCHIVE
	      : restored                  ? EVENT_RESTORE
					  : EVENT_REOPEN,
	      0);
}

static void set_inbox(struct doing *d, uint32_t inbox)
{
	if (d->c->inbox == inbox + 1)
		return;
	if (d->c->second_inbox == inbox + 1)
		d->c->second_inbox = 0;
	d->c->inbox = inbox + 1;
	event(d, EVENT_MOVE, inbox);
}

static bool add_tag(struct doing *d, uint32_t tag)
{
	for (uint32_t i = 0; i < d->c->tag_count; i++)
		if (d->c->tags[i] == tag + 1)
			return true;
	if (d->c->tag_count == FRONT_TAGS_MAX)
		return false;
	d->c->tags[d->c->tag_count++] = tag + 1;
	event(d, EVENT_TAG, tag);
	return true;
}

static void take_tag(struct doing *d, uint32_t tag)
{
	uint32_t kept = 0, had = d->c->tag_count;

	for (uint32_t i = 0; i < had; i++)
		if (d->c->tags[i] != tag + 1)
			d->c->tags[kept++] = d->c->tags[i];
	d->c->tag_count = (uint8_t)kept;
	if (kept < had)
		event(d, EVENT_UNTAG, tag);
}

static bool listed(const json_t *list, uint32_t tag)
{
	uint32_t idx;
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		if (tag_of(one, &idx) && idx == tag)
			return true;
	}
	return false;
}

/* Exactly these; what a token cannot see stays. */
static void set_tags(struct doing *d, const json_t *list)
{
	for (uint32_t tag = 0; tag < front.tags.count; tag++)
		if (!front_tag_private(tag) && !listed(list, tag))
			take_tag(d, tag);
	for (uint32_t tag = 0; tag < front.tags.count; tag++)
		if (listed(list, tag))
			add_tag(d, tag);
}

static void set_fields(struct doing *d, const json_t *map)
{
	d->c->own_fields = written_add("custom_fields", map);
	d->changes++;
	if (d->actor != BY_API)
		front_event_add(d->idx, EVENT_FIELD, d->at, d->actor, 0, 0);
}

/* One field of the map as it stands. The map is the caller's. */
static json_t *with_field(const struct buf *doc, const char *name, const json_t *value)
{
	json_t *whole = json_loadb(doc->p, doc->len, 0, NULL);
	json_t *map = json_incref(json_object_get(whole, "custom_fields"));

	json_object_set(map, name, (json_t *)(uintptr_t)value);
	json_decref(whole);
	return map;
}

static void set_field(struct doing *d, const char *name, const json_t *value)
{
	struct buf doc = {0};
	json_t *map;

	front_render_conversation(&doc, NULL, d->idx);
	map = with_field(&doc, name, value);
	set_fields(d, map);
	json_decref(map);
	buf_release(&doc);
}

static void set_member(struct doing *d, const char *key, const json_t *v)
{
	uint32_t idx;

	if (!strcmp(key, "assignee_id"))
		set_assignee(d, v);
	else if (!strcmp(key, "status"))
		set_status(d, json_string_value(v));
	else if (!strcmp(key, "inbox_id") && inbox_of(v, &idx))
		set_inbox(d, idx);
	else if (!strcmp(key, "tag_ids"))
		set_tags(d, v);
	else if (!strcmp(key, "custom_fields"))
		set_fields(d, v);
	else if (!strncmp(key, "custom_fields.", 14))
		set_field(d, key + 14, v);
	else if (!strcmp(key, "status_id") && ticket_status_of(v, &idx) && d->c->ticket_status != idx) {
		d->c->ticket_status = (uint8_t)idx;
		event(d, EVENT_TICKET, 0);
	}
}

static struct doing begin(uint32_t idx, enum front_actor actor)
{
	world.version++;
	return (struct doing){
		.idx = idx, .c = &front.conversations.list[idx], .at = front_now(), .actor = actor};
}

static void end(struct doing *d)
{
	if (d->changes)
		front_touch(d->idx, d->at, false);
}

static uint32_t make_body(uint32_t idx, const json_t *body, enum front_actor actor)
{
	struct doing d = begin(idx, actor);
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)body, key, v)
	{
		set_member(&d, key, v);
	}
	end(&d);
	return d.changes;
}

static void no_content(struct call *c)
{
	c->status = 204;
}

static bool names_one_field(const json_t *body)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)body, key, v)
	{
		if (strchr(key, '.'))
			return true;
	}
	return false;
}

void front_write_conversation(struct call *c)
{
	struct refusal why;
	uint32_t idx;

	if (!front_conversation_of(c, &idx))
		return;
	if (names_one_field(c->body) || !body_fits(c->body, &why)) {
		front_bad_request(c);
		return;
	}
	if (write_now(c))
		c->changes = make_body(idx, c->body, BY_API);
	no_content(c);
}

void front_write_assignee(struct call *c)
{
	const json_t *mate = json_object_get(c->body, "assignee_id");
	uint32_t idx;

	if (!front_conversation_of(c, &idx))
		return;
	if (!mate || !member_fits("assignee_id", mate)) {
		front_bad_request(c);
		return;
	}
	if (write_now(c))
		c->changes = make_body(idx, c->body, BY_API);
	no_content(c);
}

static void write_tags(struct call *c, bool on)
{
	const json_t *list = json_object_get(c->body, "tag_ids");
	uint32_t idx, tag;
	struct doing d;
	size_t i;
	json_t *one;

	if (!front_conversation_of(c, &idx))
		return;
	if (!tags_fit(list)) {
		front_bad_request(c);
		return;
	}
	no_content(c);
	if (!write_now(c))
		return;
	d = begin(idx, BY_API);
	json_array_foreach(list, i, one)
	{
		tag_of(one, &tag);
		if (on)
			add_tag(&d, tag);
		else
			take_tag(&d, tag);
	}
	end(&d);
	c->changes = d.changes;
}

void front_write_tags(struct call *c)
{
	write_tags(c, true);
}

void front_write_untags(struct call *c)
{
	write_tags(c, false);
}

static bool urls_fit(const json_t *list)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		if (!json_is_string(one))
			return false;
	}
	return json_is_array(list);
}

static bool contact_member_fits(const char *key, const json_t *v)
{
	if (!strcmp(key, "name") || !strcmp(key, "description"))
		return json_is_string(v);
	if (!strcmp(key, "links"))
		return urls_fit(v);
	if (!strcmp(key, "custom_fields"))
		return fields_fit(v);
	if (!strncmp(key, "custom_fields.", 14))
		return front_field_fits(key + 14, v);
	return false;
}

static bool contact_body_fits(const json_t *body, struct refusal *why)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)body, key, v)
	{
		if (!contact_member_fits(key, v))
			return unfit(why);
	}
	return json_object_size(body) || unfit(why);
}

static void set_contact_field(uint32_t idx, const char *name, const json_t *value)
{
	struct buf doc = {0};
	json_t *map;

	front_render_contact(&doc, NULL, idx);
	map = with_field(&doc, name, value);
	front.contacts.list[idx].own[OWN_FIELDS] = written_add("custom_fields", map);
	json_decref(map);
	buf_release(&doc);
}

static uint32_t make_contact(uint32_t idx, const json_t *body)
{
	static const char *const names[FRONT_OWN] = {"name", "description", "links", "custom_fields"};
	struct front_contact *p = &front.contacts.list[idx];
	int64_t at = front_now();
	const char *key;
	json_t *v;

	world.version++;
	json_object_foreach((json_t *)(uintptr_t)body, key, v)
	{
		for (int i = 0; i < FRONT_OWN; i++)
			if (!strcmp(names[i], key))
				p->own[i] = written_add(key, v);
		if (strchr(key, '.'))
			set_contact_field(idx, key + 14, v);
	}
	p->seq = world.version;
	p->updated = at > p->updated ? at : p->updated + 1;
	front_order_put(&front.by_contact_updated, idx, p->updated);
	return (uint32_t)json_object_size(body);
}

void front_write_contact(struct call *c)
{
	struct refusal why;
	uint32_t idx;

	if (!front_contact_find(c->id, &idx)) {
		front_unknown(c, "contact");
		return;
	}
	if (names_one_field(c->body) || !contact_body_fits(c->body, &why)) {
		front_bad_request(c);
		return;
	}
	if (write_now(c))
		c->changes = make_contact(idx, c->body);
	no_content(c);
}

bool front_edit(const char *resource, const char *id, const json_t *set, struct refusal *why)
{
	uint32_t idx;

	if (!strcmp(resource, "contacts")) {
		if (!front_contact_find(id, &idx))
			return refuse(why, 404, NULL, "no such contact");
		return contact_body_fits(set, why) && make_contact(idx, set) > 0;
	}
	if (strcmp(resource, "conversations") != 0)
		return refuse(why, 404, NULL, "no such resource, or not one that can be edited");
	if (!front_index(FRONT_CONVERSATION, id, front.conversations.count, &idx) ||
	    !front_conversation_visible(idx))
		return refuse(why, 404, NULL, "no such conversation");
	if (!body_fits(set, why))
		return false;
	make_body(idx, set, BY_TEAMMATE);
	return true;
}
