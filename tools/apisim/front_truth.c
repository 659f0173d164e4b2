/* The truth about Front: what a complete and correct mirror holds now. Printed
 * by the same functions as the answers; must never take another way to a
 * document than GET does. */
#include "front_api.h"
#include "front_render.h"

#include <string.h>

static void open_line(struct truth *t, enum front_kind kind, uint64_t idx)
{
	truth_line_open(t, front_id(kind, idx).text);
}

static bool skipped(const struct truth *t)
{
	return !front_conversation_visible(t->at) ||
	       front.conversations.list[t->at].updated / 1000 < t->since;
}

/* The inboxes are no part of the document: they have a path of their own. */
static void conversation_line(struct truth *t)
{
	const struct front_conversation *c = &front.conversations.list[t->at];

	if (skipped(t))
		return;
	open_line(t, FRONT_CONVERSATION, t->at);
	front_render_conversation(&t->out, "doc", t->at);
	j_open(&t->out, "inboxes", '[');
	if (c->inbox)
		j_str(&t->out, NULL, front_id(FRONT_INBOX, c->inbox - 1).text);
	if (c->second_inbox && !front_inbox_private(c->second_inbox - 1))
		j_str(&t->out, NULL, front_id(FRONT_INBOX, c->second_inbox - 1).text);
	j_close(&t->out, ']');
	truth_line_close(t);
}

static void parent(struct truth *t)
{
	j_str(&t->out, "parent", front_id(FRONT_CONVERSATION, t->at).text);
}

static void comment_lines(struct truth *t)
{
	uint32_t at = front.conversations.list[t->at].comment;

	if (skipped(t))
		return;
	for (; at; at = front.comments.list[at - 1].older) {
		if (front.comments.list[at - 1].gone)
			continue;
		open_line(t, FRONT_COMMENT, at - 1);
		parent(t);
		front_render_comment(&t->out, "doc", at - 1);
		truth_line_close(t);
	}
}

/* Messages and comments: all that was said. */
static void message_lines(struct truth *t)
{
	uint32_t at = front.conversations.list[t->at].message;

	if (skipped(t))
		return;
	for (; at; at = front.messages.list[at - 1].older) {
		if (front.messages.list[at - 1].gone || front.messages.list[at - 1].private_draft)
			continue;
		open_line(t, FRONT_MESSAGE, at - 1);
		parent(t);
		front_render_message(&t->out, "doc", at - 1);
		truth_line_close(t);
	}
	comment_lines(t);
}

static void event_line(struct truth *t)
{
	const struct front_event *e = &front.events.list[t->at];

	if (!front_conversation_visible(e->conversation) || front_event_forgotten(t->at) ||
	    e->emitted / 1000 < t->since)
		return;
	open_line(t, FRONT_EVENT, t->at);
	j_str(&t->out, "parent", front_id(FRONT_CONVERSATION, e->conversation).text);
	front_render_event(&t->out, "doc", t->at);
	truth_line_close(t);
}

static void contact_line(struct truth *t)
{
	if (!front_contact_visible(t->at) || front.contacts.list[t->at].updated / 1000 < t->since)
		return;
	open_line(t, FRONT_CONTACT, t->at);
	front_render_contact(&t->out, "doc", t->at);
	truth_line_close(t);
}

static void account_line(struct truth *t)
{
	if (!front_item_live(&front.accounts, t->at))
		return;
	open_line(t, FRONT_ACCOUNT, t->at);
	front_render_account(&t->out, "doc", t->at, UINT64_MAX);
	truth_line_close(t);
}

static void teammate_line(struct truth *t)
{
	open_line(t, FRONT_TEAMMATE, t->at);
	front_render_teammate(&t->out, "doc", t->at, UINT64_MAX);
	truth_line_close(t);
}

static void team_line(struct truth *t)
{
	open_line(t, FRONT_TEAM, t->at);
	buf_lit(&t->out, ",\"doc\":");
	front_render_team(&t->out, t->at, false);
	truth_line_close(t);
}

static void tag_line(struct truth *t)
{
	if (!front_item_live(&front.tags, t->at) || front_tag_private(t->at))
		return;
	open_line(t, FRONT_TAG, t->at);
	front_render_tag(&t->out, "doc", t->at, UINT64_MAX);
	truth_line_close(t);
}

static void inbox_line(struct truth *t)
{
	if (!front_item_live(&front.inboxes, t->at) || front_inbox_private(t->at))
		return;
	open_line(t, FRONT_INBOX, t->at);
	front_render_inbox(&t->out, "doc", t->at, UINT64_MAX);
	truth_line_close(t);
}

static void channel_line(struct truth *t)
{
	if (!front_item_live(&front.inboxes, t->at) || front_inbox_private(t->at))
		return;
	open_line(t, FRONT_CHANNEL, t->at);
	buf_lit(&t->out, ",\"doc\":");
	front_render_channel(&t->out, t->at);
	truth_line_close(t);
}

static void link_line(struct truth *t)
{
	if (!front_item_live(&front.links, t->at))
		return;
	open_line(t, FRONT_LINK, t->at);
	front_render_link(&t->out, "doc", t->at, UINT64_MAX);
	truth_line_close(t);
}

static void list_line(struct truth *t)
{
	open_line(t, FRONT_LIST, t->at);
	buf_lit(&t->out, ",\"doc\":");
	front_render_list(&t->out, t->at, UINT64_MAX);
	truth_line_close(t);
}

static void status_line(struct truth *t)
{
	open_line(t, FRONT_STATUS, t->at);
	buf_lit(&t->out, ",\"doc\":");
	front_render_status(&t->out, t->at);
	truth_line_close(t);
}

static void rule_line(struct truth *t)
{
	open_line(t, FRONT_RULE, t->at);
	front_render_rule(&t->out, "doc", t->at);
	truth_line_close(t);
}

/* Under the names of the API, and under those that both APIs share. */
bool front_truth(const char *resource, struct truth *t)
{
	const struct {
		const char *name, *other;
		void (*line)(struct truth *t);
		uint32_t count;
	} table[] = {
		{"conversations", "", conversation_line, front.conversations.count},
		{"messages", "", message_lines, front.conversations.count},
		{"comments", "", comment_lines, front.conversations.count},
		{"events", "", event_line, front.events.count},
		{"contacts", "", contact_line, front.contacts.count},
		{"accounts", "companies", account_line, front.accounts.count},
		{"teammates", "admins", teammate_line, front.teammates.count},
		{"teams", "", team_line, front.teams.count},
		{"tags", "", tag_line, front.tags.count},
		{"inboxes", "", inbox_line, front.inboxes.count},
		{"channels", "", channel_line, front.inboxes.count},
		{"links", "", link_line, front.links.count},
		{"contact_lists", "contact_groups", list_line, front.lists.count},
		{"statuses", "", status_line, front_status_count()},
		{"rules", "", rule_line, front_rule_count()},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].name, resource) != 0 && strcmp(table[i].other, resource) != 0)
			continue;
		t->line = table[i].line;
		t->end = table[i].count;
		return true;
	}
	return false;
}
