/* What happens to contacts, companies and the short lists. */
#include "change.h"
#include "contact.h"
#include "render.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

static void report_contact(struct change *m, uint32_t idx, uint32_t at)
{
	char hex[25];

	contact_id(idx, hex);
	change_report(m, "contacts", hex, at);
}

static bool change_contact(struct change *m, uint32_t idx, struct op op)
{
	uint32_t updated = world.contacts.updated[idx];

	op.at = m->at > updated ? m->at : updated;
	op.seed = rng_next(&m->rng);
	change_apply(&world.contacts, idx, op, false);
	report_contact(m, idx, op.at);
	return true;
}

bool do_new_contact(struct change *m)
{
	uint32_t idx = pop_add(&world.contacts, m->at);

	world.version++;
	report_contact(m, idx, m->at);
	return true;
}

static bool join_company(struct change *m, uint32_t contact, uint32_t company)
{
	static struct contact c;

	contact_build(contact, &c);
	for (uint32_t i = 0; i < c.company_count; i++)
		if (c.companies[i] == company)
			return false;
	if (c.company_count == CONTACT_LINKS_MAX)
		return false;
	company_users_add(company, 1);
	return change_contact(m, contact, (struct op){.kind = CONTACT_COMPANY, .a = company});
}

bool do_update_contact(struct change *m)
{
	static const uint8_t links[] = {CONTACT_TAG, CONTACT_UNTAG, CONTACT_NOTE};
	uint32_t idx, x = rng_below(&m->rng, CONTACT_FIELD_COUNT + 3);

	if (!change_pick(m, &world.contacts, &idx))
		return false;
	if (x < CONTACT_FIELD_COUNT)
		return change_contact(m, idx, (struct op){.kind = CONTACT_SET, .x = (uint8_t)x});
	return change_contact(m, idx,
			      (struct op){.kind = links[x - CONTACT_FIELD_COUNT],
					  .a = items_pick(&world.tags, &m->rng),
					  .b = change_admin(m)});
}

/* The contact leaves its companies, which may become hidden by that. */
static void leave_companies(uint32_t idx)
{
	static struct contact c;

	contact_build(idx, &c);
	for (uint32_t i = 0; i < c.company_count; i++)
		company_users_add(c.companies[i], -1);
}

bool do_delete_contact(struct change *m)
{
	uint32_t idx;

	if (!change_pick(m, &world.contacts, &idx))
		return false;
	leave_companies(idx);
	world.version++;
	pop_remove(&world.contacts, idx);
	report_contact(m, idx, m->at);
	return true;
}

bool do_merge_contact(struct change *m)
{
	uint32_t from, into;

	if (!change_pick(m, &world.contacts, &from) || !change_pick(m, &world.contacts, &into) ||
	    from == into)
		return false;
	leave_companies(from);
	change_contact(m, from, (struct op){.kind = CONTACT_MERGED_INTO, .a = into});
	pop_remove(&world.contacts, from);
	world.contacts.flags[from] |= POP_MERGED;
	return change_contact(m, into, (struct op){.kind = CONTACT_MERGED_FROM, .a = from});
}

/* No list and no search shows it any more; its own path does. */
bool do_archive_contact(struct change *m)
{
	uint32_t idx;

	if (!change_pick(m, &world.contacts, &idx))
		return false;
	change_contact(m, idx, (struct op){.kind = CONTACT_ARCHIVED});
	pop_remove(&world.contacts, idx);
	world.contacts.flags[idx] |= POP_ARCHIVED;
	return true;
}

static bool change_company(struct change *m, uint32_t idx, uint8_t kind)
{
	uint32_t updated = world.companies.updated[idx];
	char hex[25];
	struct op op = {.kind = kind,
			.x = (uint8_t)rng_below(&m->rng, 5),
			.at = m->at > updated ? m->at : updated,
			.seed = rng_next(&m->rng)};

	change_apply(&world.companies, idx, op, false);
	company_id(idx, hex);
	change_report(m, "companies", hex, op.at);
	return true;
}

static bool pick_company(struct change *m, bool visible, uint32_t *idx)
{
	for (int tries = 0; tries < 200; tries++)
		if (change_pick(m, &world.companies, idx) && company_visible(*idx) == visible)
			return true;
	return false;
}

bool do_update_company(struct change *m)
{
	uint32_t idx;

	return pick_company(m, true, &idx) && change_company(m, idx, COMPANY_SET);
}

bool do_update_hidden_company(struct change *m)
{
	uint32_t idx;

	return pick_company(m, false, &idx) && change_company(m, idx, COMPANY_SET);
}

/* With somebody in it, or it would not be seen. */
bool do_new_company(struct change *m)
{
	uint32_t contact, idx;

	if (!change_pick(m, &world.contacts, &contact))
		return false;
	idx = pop_add(&world.companies, m->at);
	company_users_add(idx, 0);
	change_company(m, idx, COMPANY_CREATED);
	return join_company(m, contact, idx);
}

static void rename_to(struct change *m, struct items *l, const char *resource, uint32_t i,
		      const char *name)
{
	char hex[25];

	world.version++;
	item_rename(&l->list[i], name, m->at);
	if (l == &world.segments) {
		segment_id(i, hex);
		change_report(m, resource, hex, m->at);
	} else {
		change_report_number(m, resource, l->list[i].id, m->at);
	}
}

static bool rename_in(struct change *m, struct items *l, const char *resource, const char *tail)
{
	uint32_t i = items_pick(l, &m->rng);
	char name[128];

	snprintf(name, sizeof(name), "%s %s", text_word(rng_next(&m->rng)), tail);
	if (l == &world.admins)
		snprintf(name, sizeof(name), "%s %s", text_first_name(rng_next(&m->rng)),
			 text_last_name(rng_next(&m->rng)));
	rename_to(m, l, resource, i, name);
	return true;
}

/* From now on it is called as another one is. */
bool do_same_name(struct change *m)
{
	static const struct {
		struct items *list;
		const char *resource;
	} lists[] = {{&world.tags, "tags"},
		     {&world.teams, "teams"},
		     {&world.segments, "segments"},
		     {&world.admins, "admins"}};
	uint32_t which = rng_below(&m->rng, 4);
	struct items *l = lists[which].list;
	uint32_t i = items_pick(l, &m->rng), other = items_pick(l, &m->rng);
	char name[128];

	snprintf(name, sizeof(name), "%s", item_name(&l->list[other], UINT64_MAX));
	if (!strcmp(name, item_name(&l->list[i], UINT64_MAX)))
		return false;
	rename_to(m, l, lists[which].resource, i, name);
	return true;
}

bool do_rename_tag(struct change *m)
{
	return rename_in(m, &world.tags, "tags", "renamed");
}
bool do_rename_admin(struct change *m)
{
	return rename_in(m, &world.admins, "admins", "");
}
bool do_rename_team(struct change *m)
{
	return rename_in(m, &world.teams, "teams", "desk");
}
bool do_rename_segment(struct change *m)
{
	return rename_in(m, &world.segments, "segments", "people");
}

static bool add_to(struct change *m, struct items *l, const char *resource)
{
	char name[128], hex[25];
	uint64_t id = l->count ? l->list[l->count - 1].id + 2 : 1;

	snprintf(name, sizeof(name), "%s %u", text_word(rng_next(&m->rng)), l->count);
	world.version++;
	items_add(l, l == &world.segments ? l->count : id, name, m->at);
	if (l == &world.segments) {
		segment_id(l->count - 1, hex);
		change_report(m, resource, hex, m->at);
	} else {
		change_report_number(m, resource, id, m->at);
	}
	return true;
}

bool do_new_tag(struct change *m)
{
	return add_to(m, &world.tags, "tags");
}
bool do_new_segment(struct change *m)
{
	return add_to(m, &world.segments, "segments");
}

bool do_delete_tag(struct change *m)
{
	uint32_t i = items_pick(&world.tags, &m->rng), left = 0;

	for (uint32_t k = 0; k < world.tags.count; k++)
		left += !world.tags.list[k].gone_seq;
	if (left < 2)
		return false;
	world.tags.list[i].gone_seq = ++world.version;
	change_report_number(m, "tags", world.tags.list[i].id, m->at);
	return true;
}
