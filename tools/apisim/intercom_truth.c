/* The truth: what a complete and correct mirror holds now, as lines. Printed
 * by the same functions as the answers of the API; must never take another
 * way to a document than GET does. */
#include "intercom.h"
#include "ticket.h"
#include "truth.h"
#include "world.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kept from one line to the next for their memory. */
static struct conversation conversation;
static struct contact contact;
static struct ticket ticket;

static bool skipped(const struct truth *t, const struct pop *p)
{
	return !pop_live(p, t->at) || p->updated[t->at] < t->since;
}

static void conversation_line(struct truth *t)
{
	if (skipped(t, &world.conversations))
		return;
	conversation_build(t->at, &conversation);
	truth_line_open_number(t, conversation_id(t->at));
	render_conversation(&t->out, "doc", &conversation, &t->view);
	truth_line_close(t);
}

static void message_lines(struct truth *t)
{
	struct conversation *c = &conversation;
	uint64_t id;
	uint32_t from;

	if (skipped(t, &world.conversations))
		return;
	conversation_build(t->at, c);
	id = conversation_id(t->at);
	buf_fmt(&t->out, "{\"id\":\"source:%llu\"", (unsigned long long)id);
	j_idstr(&t->out, "parent", id);
	t->out.ascii = c->seed % 8 == 0;
	render_source(&t->out, "doc", c, &t->view);
	truth_line_close(t);
	from = c->part_count > SERVED_PARTS_MAX ? c->part_count - SERVED_PARTS_MAX : 0;
	for (uint32_t i = from; i < c->part_count; i++) {
		truth_line_open_number(t, part_id(c->parts[i].owner, c->parts[i].number));
		j_idstr(&t->out, "parent", id);
		buf_lit(&t->out, ",\"doc\":");
		render_part(&t->out, &c->parts[i], &t->view);
		truth_line_close(t);
	}
	t->out.ascii = false;
}

static bool archived_since(const struct truth *t)
{
	return world.contacts.flags[t->at] & POP_ARCHIVED && world.contacts.updated[t->at] >= t->since;
}

static void contact_line(struct truth *t)
{
	char hex[25];

	if (skipped(t, &world.contacts) && !archived_since(t))
		return;
	contact_build(t->at, &contact);
	contact_id(t->at, hex);
	truth_line_open(t, hex);
	render_contact(&t->out, "doc", &contact, &t->view);
	truth_line_close(t);
}

static void company_line(struct truth *t)
{
	char hex[25];

	if (!company_visible(t->at))
		return;
	company_id(t->at, hex);
	truth_line_open(t, hex);
	render_company(&t->out, "doc", t->at, &t->view);
	truth_line_close(t);
}

static void admin_line(struct truth *t)
{
	if (world.admins.list[t->at].gone_seq)
		return;
	truth_line_open_number(t, world.admins.list[t->at].id);
	buf_lit(&t->out, ",\"doc\":");
	render_admin(&t->out, t->at, &t->view);
	truth_line_close(t);
}

static void team_line(struct truth *t)
{
	if (world.teams.list[t->at].gone_seq)
		return;
	truth_line_open_number(t, world.teams.list[t->at].id);
	buf_lit(&t->out, ",\"doc\":");
	render_team(&t->out, t->at);
	truth_line_close(t);
}

static void tag_line(struct truth *t)
{
	if (world.tags.list[t->at].gone_seq)
		return;
	truth_line_open_number(t, world.tags.list[t->at].id);
	buf_lit(&t->out, ",\"doc\":");
	render_tag(&t->out, t->at, UINT64_MAX);
	truth_line_close(t);
}

static void segment_line(struct truth *t)
{
	char hex[25];

	if (world.segments.list[t->at].gone_seq)
		return;
	segment_id(t->at, hex);
	truth_line_open(t, hex);
	buf_lit(&t->out, ",\"doc\":");
	render_segment(&t->out, t->at, &t->view);
	truth_line_close(t);
}

static void ticket_line(struct truth *t)
{
	if (skipped(t, &world.tickets))
		return;
	ticket_build(t->at, &ticket);
	truth_line_open_number(t, ticket_id(t->at));
	render_ticket(&t->out, "doc", &ticket, &t->view);
	truth_line_close(t);
}

static void ticket_part_lines(struct truth *t)
{
	uint32_t i;

	if (skipped(t, &world.tickets))
		return;
	ticket_build(t->at, &ticket);
	i = ticket.part_count > SERVED_PARTS_MAX ? ticket.part_count - SERVED_PARTS_MAX : 0;
	t->out.ascii = ticket.seed % 8 == 0;
	for (; i < ticket.part_count; i++) {
		truth_line_open_number(t, ticket_part_id(t->at, i));
		j_idstr(&t->out, "parent", ticket_id(t->at));
		buf_lit(&t->out, ",\"doc\":");
		render_ticket_part(&t->out, &ticket, i);
		truth_line_close(t);
	}
	t->out.ascii = false;
}

static void article_line(struct truth *t)
{
	if (skipped(t, &world.articles))
		return;
	truth_line_open_number(t, article_id(t->at));
	render_article(&t->out, "doc", t->at, &t->view);
	truth_line_close(t);
}

/* A document that was printed alone, with its id as the member "id" has it. */
static void line_of(struct truth *t, struct buf *doc)
{
	json_t *json = json_loadb(doc->p, doc->len, 0, NULL);
	const json_t *id = json_object_get(json, "id");

	if (json_is_integer(id))
		truth_line_open_number(t, (uint64_t)json_integer_value(id));
	else
		truth_line_open(t, json_string_value(id));
	buf_lit(&t->out, ",\"doc\":");
	buf_put(&t->out, doc->p, doc->len);
	truth_line_close(t);
	json_decref(json);
	buf_release(doc);
}

static void ticket_type_line(struct truth *t)
{
	struct buf doc = {0};

	render_ticket_type(&doc, t->at);
	line_of(t, &doc);
}

static void ticket_state_line(struct truth *t)
{
	struct buf doc = {0};

	render_ticket_state(&doc, t->at);
	line_of(t, &doc);
}

static void collection_line(struct truth *t)
{
	struct buf doc = {0};

	render_collection(&doc, t->at);
	line_of(t, &doc);
}

/* All at once: they are a list of the API. */
static void attribute_lines(struct truth *t, struct buf *list)
{
	json_t *json = json_loadb(list->p, list->len, 0, NULL), *item;
	size_t i;

	json_array_foreach(json_object_get(json, "data"), i, item)
	{
		const json_t *id = json_object_get(item, "id");
		char *text = json_dumps(item, JSON_COMPACT), name[160];

		snprintf(name, sizeof(name), "%s.%s",
			 json_string_value(json_object_get(item, "model")),
			 json_string_value(json_object_get(item, "full_name")));
		if (id)
			truth_line_open_number(t, (uint64_t)json_integer_value(id));
		else
			truth_line_open(t, name);
		buf_lit(&t->out, ",\"doc\":");
		buf_str(&t->out, text);
		truth_line_close(t);
		free(text);
	}
	json_decref(json);
	buf_release(list);
}

static void data_attribute_lines(struct truth *t)
{
	struct buf list = {0};

	render_data_attributes(&list, NULL, true);
	attribute_lines(t, &list);
}

static void conversation_attribute_lines(struct truth *t)
{
	struct buf list = {0};

	if (t->view.version >= VERSION_2_16)
		render_conversation_attributes(&list);
	else
		render_data_attributes(&list, "conversation", true);
	attribute_lines(t, &list);
}

bool intercom_truth(const char *resource, struct truth *t)
{
	const struct {
		const char *name;
		void (*line)(struct truth *t);
		uint32_t count;
	} table[] = {
		{"conversations", conversation_line, world.conversations.count},
		{"messages", message_lines, world.conversations.count},
		{"contacts", contact_line, world.contacts.count},
		{"companies", company_line, world.companies.count},
		{"admins", admin_line, world.admins.count},
		{"teams", team_line, world.teams.count},
		{"tags", tag_line, world.tags.count},
		{"segments", segment_line, world.segments.count},
		{"tickets", ticket_line, world.tickets.count},
		{"ticket_parts", ticket_part_lines, world.tickets.count},
		{"articles", article_line, world.articles.count},
		{"ticket_types", ticket_type_line, ticket_type_count()},
		{"ticket_states", ticket_state_line, ticket_state_count()},
		{"collections", collection_line, collection_count()},
		{"data_attributes", data_attribute_lines, 1},
		{"conversation_attributes", conversation_attribute_lines, 1},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].name, resource) != 0)
			continue;
		t->line = table[i].line;
		t->end = table[i].count;
		return true;
	}
	return false;
}

void intercom_truth_release(void)
{
	conversation_release(&conversation);
}
