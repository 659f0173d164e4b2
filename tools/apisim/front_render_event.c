/* Prints events: what happened, who did it, to what, and the conversation as
 * it is now. */
#include "front_render.h"

static const struct {
	const char *name, *target;
} types[EVENT_TYPES] = {
	[EVENT_ASSIGN] = {"assign", "teammate"},
	[EVENT_UNASSIGN] = {"unassign", NULL},
	[EVENT_ARCHIVE] = {"archive", NULL},
	[EVENT_REOPEN] = {"reopen", NULL},
	[EVENT_TRASH] = {"trash", NULL},
	[EVENT_RESTORE] = {"restore", NULL},
	[EVENT_REMINDER] = {"reminder", NULL},
	[EVENT_COMMENT] = {"comment", "comment"},
	[EVENT_MENTION] = {"mention", "comment"},
	[EVENT_INBOUND] = {"inbound", "message"},
	[EVENT_OUTBOUND] = {"outbound", "message"},
	[EVENT_OUT_REPLY] = {"out_reply", "message"},
	[EVENT_MOVE] = {"move", "inboxes"},
	[EVENT_FORWARD] = {"forward", "message"},
	[EVENT_TAG] = {"tag", "tag"},
	[EVENT_UNTAG] = {"untag", "tag"},
	[EVENT_SENDING_ERROR] = {"sending_error", "message"},
	[EVENT_BOUNCE] = {"message_bounce_error", "message"},
	[EVENT_MERGED] = {"conversations_merged", "deleted_conversation_ids"},
	[EVENT_LINK_ADDED] = {"link_added", "link"},
	[EVENT_LINK_REMOVED] = {"link_removed", "link"},
	[EVENT_FIELD] = {"custom_field_updated", "custom_field"},
	[EVENT_MACRO] = {"macro_triggered", NULL},
	[EVENT_TOPIC] = {"topic_identified", NULL},
	[EVENT_TICKET] = {"ticket_status_update", NULL},
};

const char *front_event_name(enum front_event_type type)
{
	return types[type].name;
}

/* A list of inboxes, one resource, or nothing at all: so it differs. */
static void print_source(struct buf *b, const struct front_event *e)
{
	static const char *const names[] = {"teammate", "rule",     "api",
					    "inboxes",  "reminder", "recipient"};

	j_open(b, "source", '{');
	j_open(b, "_meta", '{');
	j_str(b, "type", names[e->actor]);
	j_close(b, '}');
	if (e->actor == BY_TEAMMATE) {
		front_render_teammate(b, "data", e->who, UINT64_MAX);
	} else if (e->actor == BY_RULE) {
		front_render_rule(b, "data", e->who % front_rule_count());
	} else if (e->actor == BY_INBOX) {
		j_open(b, "data", '[');
		front_render_inbox(b, NULL, e->who, UINT64_MAX);
		j_close(b, ']');
	}
	j_close(b, '}');
}

static void print_list(struct buf *b, const struct front_event *e)
{
	j_open(b, "data", '[');
	if (e->type == EVENT_MOVE)
		front_render_inbox(b, NULL, e->target, UINT64_MAX);
	else
		j_str(b, NULL, front_id(FRONT_CONVERSATION, e->target).text);
	j_close(b, ']');
}

static void print_target(struct buf *b, const struct front_event *e)
{
	j_open(b, "target", '{');
	j_open(b, "_meta", '{');
	j_str(b, "type", types[e->type].target);
	j_close(b, '}');
	switch (e->type) {
	case EVENT_ASSIGN: front_render_teammate(b, "data", e->target, UINT64_MAX); break;
	case EVENT_COMMENT:
	case EVENT_MENTION: front_render_comment(b, "data", e->target); break;
	case EVENT_TAG:
	case EVENT_UNTAG: front_render_tag(b, "data", e->target, UINT64_MAX); break;
	case EVENT_LINK_ADDED:
	case EVENT_LINK_REMOVED: front_render_link(b, "data", e->target, UINT64_MAX); break;
	case EVENT_MOVE:
	case EVENT_MERGED: print_list(b, e); break;
	case EVENT_FIELD: break;
	default: front_render_message(b, "data", e->target);
	}
	j_close(b, '}');
}

void front_render_event(struct buf *b, const char *key, uint32_t idx)
{
	const struct front_event *e = &front.events.list[idx];
	struct front_id id = front_id(FRONT_EVENT, idx);

	j_open(b, key, '{');
	j_open(b, "_links", '{');
	front_url(b, "self", "/events/%s", id.text);
	j_close(b, '}');
	j_str(b, "id", id.text);
	j_str(b, "type", types[e->type].name);
	front_time(b, "emitted_at", e->emitted);
	print_source(b, e);
	if (types[e->type].target)
		print_target(b, e);
	front_render_conversation(b, "conversation", e->conversation);
	j_close(b, '}');
}
