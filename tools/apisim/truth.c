/* The truth: what a complete and correct mirror holds now, as lines. Printed
 * by the same functions as the answers of the API; must never take another
 * way to a document than GET does. */
#include "control.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

struct truth {
	void (*line)(struct truth *t);
	uint32_t at, end, since;
	struct buf out;
	size_t sent;
	struct conversation conversation;
	struct contact contact;
};

static const struct view view = {.version = VERSION_2_16};

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
	render_conversation(&t->out, "doc", &t->conversation, &view);
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
	render_source(&t->out, "doc", c, &view);
	line_close(t);
	from = c->part_count > SERVED_PARTS_MAX ? c->part_count - SERVED_PARTS_MAX : 0;
	for (uint32_t i = from; i < c->part_count; i++) {
		line_open_number(t, part_id(t->at, c->parts[i].number));
		j_idstr(&t->out, "parent", id);
		buf_lit(&t->out, ",\"doc\":");
		render_part(&t->out, c, &c->parts[i], &view);
		line_close(t);
	}
	t->out.ascii = false;
}

static void contact_line(struct truth *t)
{
	char hex[25];

	if (skipped(t, &world.contacts))
		return;
	contact_build(t->at, &t->contact);
	contact_id(t->at, hex);
	line_open(t, hex);
	render_contact(&t->out, "doc", &t->contact, &view);
	line_close(t);
}

static void company_line(struct truth *t)
{
	char hex[25];

	if (!company_visible(t->at))
		return;
	company_id(t->at, hex);
	line_open(t, hex);
	render_company(&t->out, "doc", t->at, &view);
	line_close(t);
}

static void admin_line(struct truth *t)
{
	if (world.admins.list[t->at].gone_seq)
		return;
	line_open_number(t, world.admins.list[t->at].id);
	buf_lit(&t->out, ",\"doc\":");
	render_admin(&t->out, t->at, &view);
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
	render_segment(&t->out, t->at, &view);
	line_close(t);
}

struct truth *truth_open(const char *resource, uint32_t since)
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
