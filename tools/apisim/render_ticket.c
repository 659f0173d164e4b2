/* Prints tickets, their parts, types and states, articles and collections.
 * Members and their order follow the examples of the 2.16 description. */
#include "render.h"
#include "text.h"
#include "ticket.h"

#include <stdio.h>

#define TYPES       3
#define STATES      4
#define COLLECTIONS 4

static const struct {
	const char *name, *description, *icon, *category;
	bool archived;
} types[TYPES] = {
	{"Bug report", "What does not work", "\xf0\x9f\x90\x9b", "Customer", false},
	{"Refund", "Money back", "\xf0\x9f\x92\xb6", "Back-office", false},
	{"Outage", "", "\xf0\x9f\x94\xa5", "Tracker", true},
};

static const struct {
	const char *category, *internal, *external;
} states[STATES] = {
	{"submitted", "New", "Submitted"},
	{"in_progress", "Being worked on", "In progress"},
	{"waiting_on_customer", "Waiting for the customer", "Waiting on you"},
	{"resolved", "Done", "Resolved"},
};

static const char *const part_kinds[] = {
	[TICKET_REPLY] = "comment",
	[TICKET_NOTE] = "note",
	[TICKET_STATE] = "ticket_state_updated_by_admin",
};

static void put_type_attribute(struct buf *b, uint32_t type, uint32_t k, uint32_t at)
{
	j_open(b, NULL, '{');
	j_str(b, "type", "ticket_type_attribute");
	j_idstr(b, "id", 160 + type * 2 + k);
	j_str(b, "workspace_id", world.opt.app_id);
	j_str(b, "name", k ? "_default_description_" : "_default_title_");
	j_str(b, "description", "");
	j_str(b, "data_type", "string");
	buf_fmt(b, ",\"input_options\":{\"multiline\":%s}", k ? "true" : "false");
	j_int(b, "order", k);
	j_lit(b, "\"required_to_create\":false,\"required_to_create_for_contacts\":false,"
		 "\"visible_on_create\":true,\"visible_to_contacts\":true,\"default\":true");
	j_int(b, "ticket_type_id", 60 + type);
	j_bool(b, "archived", false);
	j_int(b, "created_at", at);
	j_int(b, "updated_at", at);
	j_close(b, '}');
}

static void put_type_head(struct buf *b, const char *key, uint32_t type)
{
	j_open(b, key, '{');
	j_str(b, "type", "ticket_type");
	j_idstr(b, "id", 60 + type);
	j_str(b, "name", types[type].name);
	j_str(b, "description", types[type].description);
	j_str(b, "icon", types[type].icon);
}

static void put_type(struct buf *b, const char *key, uint32_t type)
{
	uint32_t at = world.admins.list[0].created + type;

	put_type_head(b, key, type);
	j_str(b, "workspace_id", world.opt.app_id);
	j_bool(b, "archived", types[type].archived);
	j_int(b, "created_at", at);
	j_int(b, "updated_at", at);
	j_bool(b, "is_internal", type == 1);
	j_open(b, "ticket_type_attributes", '{');
	j_str(b, "type", "list");
	j_open(b, "data", '[');
	put_type_attribute(b, type, 0, at);
	put_type_attribute(b, type, 1, at);
	buf_lit(b, "]}");
	j_str(b, "category", types[type].category);
	j_close(b, '}');
}

uint32_t ticket_type_count(void)
{
	return TYPES;
}

uint32_t ticket_state_count(void)
{
	return STATES;
}

void render_ticket_type(struct buf *b, uint32_t type)
{
	put_type(b, NULL, type);
}

static void put_state_head(struct buf *b, const char *key, uint32_t state)
{
	j_open(b, key, '{');
	j_str(b, "type", "ticket_state");
	j_idstr(b, "id", 8269 + state);
	j_str(b, "category", states[state].category);
	j_str(b, "internal_label", states[state].internal);
	j_str(b, "external_label", states[state].external);
}

void render_ticket_state(struct buf *b, uint32_t state)
{
	put_state_head(b, NULL, state);
	j_bool(b, "archived", false);
	j_open(b, "ticket_types", '{');
	j_str(b, "type", "list");
	j_open(b, "data", '[');
	for (uint32_t i = 0; i < TYPES; i++) {
		put_type_head(b, NULL, i);
		j_bool(b, "archived", types[i].archived);
		j_bool(b, "is_internal", i == 1);
		j_str(b, "category", types[i].category);
		j_close(b, '}');
	}
	buf_lit(b, "]}}");
}

static void put_author(struct buf *b, const struct ticket *t, const struct ticket_part *p)
{
	struct contact_identity who;
	char hex[25], email[64];

	j_open(b, "author", '{');
	if (p->by_contact) {
		contact_identify(t->contact, &who);
		contact_id(t->contact, hex);
		j_str(b, "id", hex);
		j_str(b, "type", "user");
		j_str(b, "name", who.name[0] ? who.name : NULL);
		j_str(b, "email", who.email);
	} else {
		j_idstr(b, "id", world.admins.list[p->admin].id);
		j_str(b, "type", "admin");
		j_str(b, "name", item_name(&world.admins.list[p->admin], p->seq));
		j_str(b, "email", admin_email(p->admin, email));
	}
	j_close(b, '}');
}

void render_ticket_part(struct buf *b, const struct ticket *t, uint32_t number)
{
	const struct ticket_part *p = &t->parts[number];

	j_open(b, NULL, '{');
	j_str(b, "type", "ticket_part");
	j_idstr(b, "id", ticket_part_id(t->idx, number));
	j_str(b, "part_type", part_kinds[p->kind]);
	if (p->kind != TICKET_STATE) {
		char words[160];
		snprintf(words, sizeof(words), "<p>About the %s &amp; %s.</p>", text_word(p->seed),
			 text_word(p->seed + 7));
		j_str(b, "body", p->redacted ? NULL : words);
	}
	j_str(b, "ticket_state", states[p->state].category);
	j_str(b, "previous_ticket_state", states[p->from].category);
	j_int(b, "created_at", p->at);
	j_int(b, "updated_at", p->updated);
	put_author(b, t, p);
	j_lit(b, "\"attachments\":[]");
	j_bool(b, "redacted", p->redacted);
	j_close(b, '}');
}

static void put_parts(struct buf *b, const struct ticket *t, const struct view *v)
{
	uint32_t from = t->part_count > SERVED_PARTS_MAX ? t->part_count - SERVED_PARTS_MAX : 0;

	j_open(b, "ticket_parts", '{');
	j_str(b, "type", "ticket_part.list");
	j_open(b, "ticket_parts", '[');
	for (uint32_t i = from; i < t->part_count; i++)
		render_ticket_part(b, t, i);
	j_close(b, ']');
	j_int(b, "total_count", v->parts_total ? t->part_count : t->part_count - from);
	j_close(b, '}');
}

static void put_assignee(struct buf *b, const char *key, uint64_t id, const struct view *v)
{
	if (v->version >= VERSION_2_16)
		j_int(b, key, (int64_t)id);
	else
		j_idstr(b, key, id);
}

void render_ticket(struct buf *b, const char *key, const struct ticket *t, const struct view *v)
{
	char title[128];

	b->ascii = t->seed % 8 == 0;
	snprintf(title, sizeof(title), "%s for %s \xe2\x80\x93 %s", text_word(t->title_seed),
		 text_company_stem(t->title_seed), text_word(t->title_seed + 1));
	j_open(b, key, '{');
	j_str(b, "type", "ticket");
	j_idstr(b, "id", ticket_id(t->idx));
	j_idstr(b, "ticket_id", t->idx + 1);
	j_open(b, "ticket_attributes", '{');
	j_str(b, "_default_title_", title);
	j_str(b, "_default_description_", t->seed % 3 ? title : NULL);
	j_close(b, '}');
	put_state_head(b, "ticket_state", t->state);
	j_close(b, '}');
	put_type(b, "ticket_type", t->type);
	j_open(b, "contacts", '{');
	j_str(b, "type", "contact.list");
	j_open(b, "contacts", '[');
	render_contact_reference(b, NULL, t->contact);
	buf_lit(b, "]}");
	put_assignee(b, "admin_assignee_id", t->admin ? world.admins.list[t->admin - 1].id : 0, v);
	put_assignee(b, "team_assignee_id", 0, v);
	j_int(b, "created_at", t->created);
	j_int(b, "updated_at", t->updated);
	if (v->parts)
		put_parts(b, t, v);
	j_bool(b, "open", t->state != STATES - 1);
	j_lit(b,
	      "\"linked_objects\":{\"type\":\"list\",\"data\":[],\"total_count\":0,\"has_more\":false}");
	j_str(b, "category", types[t->type].category);
	j_bool(b, "is_shared", t->type == 0);
	j_close(b, '}');
	b->ascii = false;
}

const char *ticket_state_name(uint8_t state)
{
	return states[state].category;
}

/* ---- help center ---- */

uint32_t collection_count(void)
{
	return COLLECTIONS;
}

void render_collection(struct buf *b, uint32_t i)
{
	static const char *const names[COLLECTIONS] = {"First steps", "Billing",
						       "Invoices \xe2\x82\xac", "API"};
	uint32_t at = world.admins.list[0].created + 60 * i;

	j_open(b, NULL, '{');
	j_idstr(b, "id", 159 + i);
	j_str(b, "workspace_id", world.opt.app_id);
	j_str(b, "name", names[i]);
	buf_fmt(b, ",\"url\":\"http://help.acme.example/collection-%u\"", i);
	j_int(b, "order", i);
	j_int(b, "created_at", at);
	j_int(b, "updated_at", at);
	j_str(b, "description", i ? "All about it" : NULL);
	j_str(b, "icon", "bookmark");
	j_str(b, "parent_id", i == 2 ? "160" : NULL);
	if (i == 2)
		j_null(b, "help_center_id");
	else
		j_int(b, "help_center_id", 79);
	j_close(b, '}');
}

void render_article(struct buf *b, const char *key, uint32_t idx, const struct view *v)
{
	const struct overlay *o = pop_overlay(&world.articles, idx);
	uint64_t own = world_seed(SEED_ARTICLE, idx), seed = o ? o->ops[o->count - 1].seed : own;

	j_open(b, key, '{');
	j_idstr(b, "id", article_id(idx));
	j_str(b, "type", "article");
	j_str(b, "workspace_id", world.opt.app_id);
	if (v->version < VERSION_2_16)
		buf_fmt(b, ",\"parent_id\":%u,\"parent_type\":\"collection\"",
			(unsigned)(159 + own % COLLECTIONS));
	buf_fmt(b, ",\"parent_ids\":[%u]", (unsigned)(159 + own % COLLECTIONS));
	j_lit(b, "\"tags\":{\"type\":\"tag.list\",\"tags\":[]}");
	buf_fmt(b, ",\"title\":\"How to %s the %s\"", text_word(seed), text_word(seed + 1));
	j_str(b, "description", seed % 3 ? "In short" : "");
	buf_fmt(b, ",\"body\":\"<p class=\\\"intro\\\">Open <b>%s</b> &amp; then %s.</p>\"",
		text_word(seed + 2), text_word(seed + 3));
	j_int(b, "author_id", (int64_t)world.admins.list[own % world.opt.admins].id);
	j_str(b, "state", own % 4 ? "published" : "draft");
	j_int(b, "created_at", world.articles.created[idx]);
	j_int(b, "updated_at", world.articles.updated[idx]);
	if (own % 4)
		buf_fmt(b, ",\"url\":\"http://help.acme.example/en/articles/%llu\"",
			(unsigned long long)article_id(idx));
	else
		j_null(b, "url");
	j_close(b, '}');
}
