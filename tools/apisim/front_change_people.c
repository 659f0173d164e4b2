/* Changes to people and short lists. Nothing of this is in the feed of
 * events: contacts have updated_at, the rest has to be read again. */
#include "front_change.h"

#include "text.h"

#include <stdio.h>
#include <string.h>

static bool pick_contact(struct change *m, uint32_t *idx)
{
	for (int tries = 0; tries < 60 && front.contacts.count; tries++) {
		*idx = rng_below(&m->rng, front.contacts.count);
		if (front_contact_visible(*idx))
			return true;
	}
	return false;
}

static bool touch_contact(struct change *m, uint32_t idx, int64_t at)
{
	struct front_contact *c = &front.contacts.list[idx];

	c->seq = world.version;
	c->updated = at > c->updated ? at : c->updated + 1;
	front_order_put(&front.by_contact_updated, idx, c->updated);
	front_change_report(m, "contacts", FRONT_CONTACT, idx, at);
	return true;
}

bool front_do_new_contact(struct change *m)
{
	int64_t at = front_change_begin(m);

	return touch_contact(m, front_contact_add(at), at);
}

/* Somebody who wrote without being known becomes a contact. */
bool front_do_adopt_stranger(struct change *m)
{
	uint32_t start = rng_below(&m->rng, front.handles.count), idx;
	int64_t at;

	for (uint32_t k = 0; k < front.handles.count; k++) {
		uint32_t h = (start + k) % front.handles.count, *last;

		if (front.handles.list[h].owner || front.handles.list[h].gone)
			continue;
		at = front_change_begin(m);
		idx = front_contact_add(at);
		last = &front.contacts.list[idx].handle;
		while (*last)
			last = &front.handles.list[*last - 1].next;
		*last = h + 1;
		front.handles.list[h].owner = idx + 1;
		return touch_contact(m, idx, at);
	}
	return false;
}

bool front_do_update_contact(struct change *m)
{
	uint32_t idx;

	if (!pick_contact(m, &idx))
		return false;
	front.contacts.list[idx].revision++;
	memset(front.contacts.list[idx].own, 0, sizeof(front.contacts.list[idx].own));
	return touch_contact(m, idx, front_change_begin(m));
}

bool front_do_add_handle(struct change *m)
{
	uint32_t idx;

	if (!pick_contact(m, &idx))
		return false;
	front_handle_add((enum front_source)rng_below(&m->rng, SOURCES), idx + 1);
	return touch_contact(m, idx, front_change_begin(m));
}

/* Not the last one. */
bool front_do_remove_handle(struct change *m)
{
	uint32_t idx, h, last = 0, left = 0;

	if (!pick_contact(m, &idx))
		return false;
	for (h = front.contacts.list[idx].handle; h; h = front.handles.list[h - 1].next) {
		if (front.handles.list[h - 1].gone)
			continue;
		left++;
		last = h;
	}
	if (left < 2)
		return false;
	front.handles.list[last - 1].gone = true;
	front.handles.list[last - 1].owner = 0;
	return touch_contact(m, idx, front_change_begin(m));
}

static void remove_contact(uint32_t idx)
{
	front.contacts.list[idx].gone = true;
	front_order_remove(&front.by_contact_created, idx);
	front_order_remove(&front.by_contact_updated, idx);
}

bool front_do_delete_contact(struct change *m)
{
	uint32_t idx, h;
	int64_t at;

	if (!pick_contact(m, &idx))
		return false;
	at = front_change_begin(m);
	for (h = front.contacts.list[idx].handle; h; h = front.handles.list[h - 1].next)
		front.handles.list[h - 1].owner = 0;
	remove_contact(idx);
	front_change_report(m, "contacts", FRONT_CONTACT, idx, at);
	return true;
}

/* The survivor gets the handles of the other, who is not found any more. */
bool front_do_merge_contacts(struct change *m)
{
	uint32_t gone, into, h, *last;
	int64_t at;

	if (!pick_contact(m, &into) || !pick_contact(m, &gone) || gone == into)
		return false;
	at = front_change_begin(m);
	last = &front.contacts.list[into].handle;
	while (*last)
		last = &front.handles.list[*last - 1].next;
	*last = front.contacts.list[gone].handle;
	for (h = *last; h; h = front.handles.list[h - 1].next)
		front.handles.list[h - 1].owner = into + 1;
	remove_contact(gone);
	front_change_report(m, "contacts", FRONT_CONTACT, gone, at);
	return touch_contact(m, into, at);
}

static const char *new_name(struct change *m, char out[96], const char *what)
{
	uint64_t seed = rng_next(&m->rng);

	snprintf(out, 96, "%s %s %s", text_company_stem(seed), text_word(seed), what);
	return out;
}

static bool add_item(struct change *m, struct items *l, enum front_kind kind, const char *resource)
{
	char name[96];
	int64_t at = front_change_begin(m);

	items_add(l, l->count, new_name(m, name, "new"), m->at - 1);
	front_change_report(m, resource, kind, l->count - 1, at);
	return true;
}

static bool rename_item(struct change *m, struct items *l, enum front_kind kind, const char *resource)
{
	char name[96];
	uint32_t idx;
	int64_t at;

	if (!l->count)
		return false;
	idx = items_pick(l, &m->rng);
	if (!front_item_live(l, idx))
		return false;
	at = front_change_begin(m);
	item_rename(&l->list[idx], new_name(m, name, "renamed"), m->at - 1);
	front_change_report(m, resource, kind, idx, at);
	return true;
}

static bool delete_item(struct change *m, struct items *l, enum front_kind kind, const char *resource)
{
	uint32_t idx;
	int64_t at;

	if (!l->count)
		return false;
	idx = items_pick(l, &m->rng);
	if (!front_item_live(l, idx))
		return false;
	at = front_change_begin(m);
	l->list[idx].gone_seq = world.version;
	front_change_report(m, resource, kind, idx, at);
	return true;
}

bool front_do_new_account(struct change *m)
{
	return add_item(m, &front.accounts, FRONT_ACCOUNT, "accounts");
}

bool front_do_update_account(struct change *m)
{
	return rename_item(m, &front.accounts, FRONT_ACCOUNT, "accounts");
}

bool front_do_delete_account(struct change *m)
{
	return delete_item(m, &front.accounts, FRONT_ACCOUNT, "accounts");
}

bool front_do_new_tag(struct change *m)
{
	return add_item(m, &front.tags, FRONT_TAG, "tags");
}

bool front_do_rename_tag(struct change *m)
{
	return rename_item(m, &front.tags, FRONT_TAG, "tags");
}

bool front_do_delete_tag(struct change *m)
{
	return delete_item(m, &front.tags, FRONT_TAG, "tags");
}

bool front_do_rename_inbox(struct change *m)
{
	return rename_item(m, &front.inboxes, FRONT_INBOX, "inboxes");
}

bool front_do_new_inbox(struct change *m)
{
	return front.inboxes.count < 64 && add_item(m, &front.inboxes, FRONT_INBOX, "inboxes");
}

bool front_do_update_teammate(struct change *m)
{
	return rename_item(m, &front.teammates, FRONT_TEAMMATE, "teammates");
}

bool front_do_rename_team(struct change *m)
{
	return rename_item(m, &front.teams, FRONT_TEAM, "teams");
}

bool front_do_new_link(struct change *m)
{
	return add_item(m, &front.links, FRONT_LINK, "links");
}

bool front_do_rename_link(struct change *m)
{
	return rename_item(m, &front.links, FRONT_LINK, "links");
}

bool front_do_rename_list(struct change *m)
{
	return rename_item(m, &front.lists, FRONT_LIST, "contact_lists");
}
