/* The truth: what a complete and correct mirror holds now, as lines. Printed
 * by the same functions as the answers of the API; must never take another
 * way to a document than GET does. */
#include "control.h"
#include "ticket.h"
#include "world.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct truth {
	void (*line)(struct truth *t);
	uint32_t at, end, since;
	struct buf out;
	size_t sent;
	struct conversation conversation;
	struct contact contact;
	struct ticket ticket;
	struct view view;
};

static void line_open(struct truth *t, const char *id)
{
	j_open(&t->out, NULL, '{');
	j_str(&t->out, "id", id);
}

static void line_close(struct truth *t)
{
	buf_lit(&t->out, "}\n");
}

static void line_open_number(struct truth *t, uint64_t id)
{
	j_open(&t->out, NULL, '{');
	j_idstr(&t->out, "id", id);
}

static bool skipped(const struct truth *t, const struct pop *p)
{
	return !pop_live(p, t->at) || p->updated[t->at] < t->since;
}

static void conversation_line(struct truth *t)
{
	if (skipped(t, &world.conversations))
		return;
	conversation_build(t->at, &t->conversation);
	line_open_number(t, conversation_id(t->at));
	render_conversation(&t->out, "doc", &t->conversation, &t->view);
	line_close(t);
}

static void message_lines(struct truth *t)
{
	struct conversation *c = &t->conversation;
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
	line_close(t);
	from = c->part_count > SERVED_PARTS_MAX ? c->part_count - SERVED_PARTS_MAX : 0;
	for (uint32_t i = from; i < c->part_count; i++) {
		line_open_number(t, part_id(t->at, c->parts[i].number));
		j_idstr(&t->out, "parent", id);
		buf_lit(&t->out, ",\"doc\":");
		render_part(&t->out, c, &c->parts[i], &t->view);
		line_close(t);
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
	contact_build(t->at, &t->contact);
	contact_id(t->at, hex);
	line_open(t, hex);
	render_contact(&t->out, "doc", &t->contact, &t->view);
	line_close(t);
}

static void company_line(struct truth *t)
{
	char hex[25];

	if (!company_visible(t->at))
		return;
	company_id(t->at, hex);
	line_open(t, hex);
	render_company(&t->out, "doc", t->at, &t->view);
	line_close(t);
}

static void admin_line(struct truth *t)
{
	if (world.admins.list[t->at].gone_seq)
		return;
	line_open_number(t, world.admins.list[t->at].id);
	buf_lit(&t->out, ",\"doc\":");
	render_admin(&t->out, t->at, &t->view);
	line_close(t);
}

static void team_line(struct truth *t)
{
	if (world.teams.list[t->at].gone_seq)
		return;
	line_open_number(t, world.teams.list[t->at].id);
	buf_lit(&t->out, ",\"doc\":");
	render_team(&t->out, t->at);
	line_close(t);
}

static void tag_line(struct truth *t)
{
	if (world.tags.list[t->at].gone_seq)
		return;
	line_open_number(t, world.tags.list[t->at].id);
	buf_lit(&t->out, ",\"doc\":");
	render_tag(&t->out, t->at, UINT64_MAX);
	line_close(t);
}

static void segment_line(struct truth *t)
{
	char hex[25];

	if (world.segments.list[t->at].gone_seq)
		return;
	segment_id(t->at, hex);
	line_open(t, hex);
	buf_lit(&t->out, ",\"doc\":");
	render_segment(&t->out, t->at, &t->view);
	line_close(t);
}

static void ticket_line(struct truth *t)
{
	if (skipped(t, &world.tickets))
		return;
	ticket_build(t->at, &t->ticket);
	line_open_number(t, ticket_id(t->at));
	render_ticket(&t->out, "doc", &t->ticket, &t->view);
	line_close(t);
}

static void ticket_part_lines(struct truth *t)
{
	uint32_t i;

	if (skipped(t, &world.tickets))
		return;
	ticket_build(t->at, &t->ticket);
	i = t->ticket.part_count > SERVED_PARTS_MAX ? t->ticket.part_count - SERVED_PARTS_MAX : 0;
	t->out.ascii = t->ticket.seed % 8 == 0;
	for (; i < t->ticket.part_count; i++) {
		line_open_number(t, ticket_part_id(t->at, i));
		j_idstr(&t->out, "parent", ticket_id(t->at));
		buf_lit(&t->out, ",\"doc\":");
		render_ticket_part(&t->out, &t->ticket, i);
		line_close(t);
	}
	t->out.ascii = false;
}

static void article_line(struct truth *t)
{
	if (skipped(t, &world.articles))
		return;
	line_open_number(t, article_id(t->at));
	render_article(&t->out, "doc", t->at, &t->view);
	line_close(t);
}

/* A document that was printed alone, with its id as the member "id" has it. */
static void line_of(struct truth *t, struct buf *doc)
{
	json_t *json = json_loadb(doc->p, doc->len, 0, NULL);
	const json_t *id = json_object_get(json, "id");

	if (json_is_integer(id))
		line_open_number(t, (uint64_t)json_integer_value(id));
	else
		line_open(t, json_string_value(id));
	buf_lit(&t->out, ",\"doc\":");
	buf_put(&t->out, doc->p, doc->len);
	line_close(t);
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
			line_open_number(t, (uint64_t)json_integer_value(id));
		else
			line_open(t, name);
		buf_lit(&t->out, ",\"doc\":");
		buf_str(&t->out, text);
		line_close(t);
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

struct truth *truth_open(const char *resource, uint32_t since, const struct view *view)
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
	struct truth *t = NULL;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].name, resource) != 0)
			continue;
		t = calloc(1, sizeof(*t));
		if (!t)
			abort();
		t->line = table[i].line;
		t->end = table[i].count;
		t->since = since;
		t->view = *view;
	}
	return t;
}

size_t truth_read(struct truth *t, char *out, size_t size)
{
	size_t n;

	while (t->sent == t->out.len && t->at < t->end) {
		buf_reset(&t->out);
		t->sent = 0;
		for (; t->at < t->end && t->out.len < size; t->at++)
			t->line(t);
	}
	n = t->out.len - t->sent < size ? t->out.len - t->sent : size;
	memcpy(out, t->out.p ? t->out.p + t->sent : "", n);
	t->sent += n;
	return n;
}

void truth_close(struct truth *t)
{
	conversation_release(&t->conversation);
	buf_release(&t->out);
	free(t);
}
