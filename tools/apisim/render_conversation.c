/* Prints conversations: everything around the messages. Must print the same
 * bytes for the same state: the truth relies on it. */
#include "render.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

static void put_tags(struct buf *b, const struct conversation *c)
{
	j_open(b, "tags", '{');
	j_str(b, "type", "tag.list");
	j_open(b, "tags", '[');
	for (uint32_t i = 0; i < c->tag_count; i++) {
		const struct item *tag = &world.tags.list[c->tags[i].tag];

		j_open(b, NULL, '{');
		j_str(b, "type", "tag");
		j_idstr(b, "id", tag->id);
		j_str(b, "name", item_name(tag, c->seq));
		j_int(b, "applied_at", c->tags[i].at);
		j_open(b, "applied_by", '{');
		j_str(b, "type", "admin");
		j_idstr(b, "id", world.admins.list[c->tags[i].admin].id);
		buf_lit(b, "}}");
	}
	buf_lit(b, "]}");
}

static void put_statistics(struct buf *b, const struct conversation *c)
{
	const struct statistics *s = &c->stats;

	if (c->statistics_missing) {
		j_null(b, "statistics");
		return;
	}
	j_open(b, "statistics", '{');
	j_str(b, "type", "conversation_statistics");
	j_time(b, "time_to_assignment", s->to_assignment);
	j_time(b, "time_to_admin_reply", s->to_admin_reply);
	j_time(b, "time_to_first_close", s->to_first_close);
	j_time(b, "time_to_last_close", s->to_last_close);
	j_time(b, "median_time_to_reply", s->median_reply);
	j_time(b, "first_contact_reply_at", s->first_contact_reply);
	j_time(b, "first_assignment_at", s->first_assignment);
	j_time(b, "first_admin_reply_at", s->first_admin_reply);
	j_time(b, "first_close_at", s->first_close);
	j_time(b, "last_assignment_at", s->last_assignment);
	j_time(b, "last_assignment_admin_reply_at", s->last_assignment_reply);
	j_time(b, "last_contact_reply_at", s->last_contact_reply);
	j_time(b, "last_admin_reply_at", s->last_admin_reply);
	j_time(b, "last_close_at", s->last_close);
	if (s->last_closed_by)
		j_idstr(b, "last_closed_by_id", world.admins.list[s->last_closed_by - 1].id);
	else
		j_null(b, "last_closed_by_id");
	j_int(b, "count_reopens", s->reopens);
	j_int(b, "count_assignments", s->assignments);
	j_int(b, "count_conversation_parts", c->part_count);
	j_lit(b, "\"assigned_team_first_response_time\":[],"
		 "\"assigned_team_first_response_time_in_office_hours\":[]");
	j_int(b, "handling_time", s->handling);
	j_null(b, "adjusted_handling_time");
	j_close(b, '}');
}

static void put_rating(struct buf *b, const struct conversation *c)
{
	if (!c->rating) {
		j_null(b, "conversation_rating");
		return;
	}
	j_open(b, "conversation_rating", '{');
	j_int(b, "rating", c->rating);
	if (c->rating_seed % 3)
		render_text(b, "remark", c, VOICE_REMARK, c->rating_seed, true);
	else
		j_null(b, "remark");
	j_int(b, "created_at", c->rated_at);
	j_int(b, "updated_at", c->rated_at);
	render_contact_reference(b, "contact", c->contact);
	j_open(b, "teammate", '{');
	j_str(b, "type", "admin");
	j_idstr(b, "id", world.admins.list[c->rated_admin].id);
	buf_lit(b, "}}");
}

static void put_mates(struct buf *b, const struct conversation *c)
{
	if (!c->mate_count) {
		j_null(b, "teammates");
		return;
	}
	j_open(b, "teammates", '{');
	j_str(b, "type", "admin.list");
	j_open(b, "teammates", '[');
	for (uint32_t i = 0; i < c->mate_count; i++) {
		j_open(b, NULL, '{');
		j_str(b, "type", "admin");
		j_idstr(b, "id", world.admins.list[c->mates[i]].id);
		j_close(b, '}');
	}
	buf_lit(b, "]}");
}

/* What the seed made, where no program has written since. Every value is
 * drawn, whether it is shown or not. */
static bool seeded(const struct conversation *c, const char *name)
{
	char field[80];

	snprintf(field, sizeof(field), "custom_attributes.%s", name);
	return !written_find(&c->own, field);
}

static void put_custom(struct buf *b, const struct conversation *c)
{
	struct rng r = {c->attribute_seed};
	struct buf skipped = {0};

	if (c->own.count)
		j_open(&skipped, NULL, '{');
	j_open(b, "custom_attributes", '{');
	if (rng_chance(&r, 600))
		j_str(seeded(c, "Issue type") ? b : &skipped, "Issue type", text_word(rng_next(&r)));
	if (rng_chance(&r, 300))
		j_str(seeded(c, "Language") ? b : &skipped, "Language",
		      text_place(rng_next(&r))->language);
	if (rng_chance(&r, 200))
		j_bool(seeded(c, "Escalated") ? b : &skipped, "Escalated", rng_chance(&r, 500));
	if (rng_chance(&r, 200))
		j_int(seeded(c, "Score \xe2\x98\x85") ? b : &skipped, "Score \xe2\x98\x85",
		      (int64_t)rng_below(&r, 200) - 100);
	if (rng_chance(&r, 100)) {
		char amount[32];
		uint32_t whole = rng_below(&r, 5000);

		snprintf(amount, sizeof(amount), "%u.%02u", whole, rng_below(&r, 100));
		j_raw(seeded(c, "Order value") ? b : &skipped, "Order value", amount);
	}
	if (rng_chance(&r, 100))
		j_int(seeded(c, "Due date") ? b : &skipped, "Due date", c->created + 86400);
	if (rng_chance(&r, 100))
		j_null(b, "Order \\\"number\\\""); /* keys are written as they are */
	written_print_members(b, &c->own, "custom_attributes.");
	j_close(b, '}');
	buf_release(&skipped);
}

static void put_links(struct buf *b, const struct conversation *c)
{
	uint32_t n = c->link_count + (c->ticket ? 1 : 0);

	j_open(b, "linked_objects", '{');
	j_str(b, "type", "list");
	j_open(b, "data", '[');
	if (c->ticket)
		buf_fmt(b, "{\"type\":\"ticket\",\"id\":\"%u\",\"category\":\"Customer\"}", c->ticket);
	for (uint32_t i = 0; i < c->link_count; i++) {
		j_open(b, NULL, '{');
		j_str(b, "type", "conversation");
		j_idstr(b, "id", conversation_id(c->links[i]));
		j_null(b, "category");
		j_close(b, '}');
	}
	j_close(b, ']');
	j_int(b, "total_count", n);
	j_bool(b, "has_more", false);
	j_close(b, '}');
}

static void put_agents(struct buf *b, const struct conversation *c, const struct view *v)
{
	static const char *const outcomes[] = {"assumed_resolution", "confirmed_resolution",
					       "escalated"};

	if (!c->has_ai) {
		j_null(b, "ai_agent");
	} else {
		j_open(b, "ai_agent", '{');
		j_lit(b, "\"source_type\":\"workflow\",\"source_title\":\"Fin over chat\","
			 "\"last_answer_type\":\"ai_answer\"");
		j_str(b, "resolution_state", outcomes[c->seed % 3]);
		j_lit(b, "\"rating\":null,\"rating_remark\":null");
		j_int(b, "created_at", c->created);
		j_int(b, "updated_at", c->created);
		j_lit(b, "\"content_sources\":{\"type\":\"content_source.list\",\"total_count\":0,"
			 "\"content_sources\":[]}}");
	}
	j_bool(b, "ai_agent_participated", c->has_ai);
	if (v->version < VERSION_2_16)
		return;
	j_bool(b, "sales_agent_participated", c->has_sales);
	if (c->has_sales)
		j_lit(b, "\"sales_agent\":{\"outcome\":\"qualified\",\"routing_outcome\":null,"
			 "\"collected_data\":{\"company.name\":\"Acme Inc\"}}");
	else
		j_null(b, "sales_agent");
	buf_fmt(b, ",\"channel\":{\"initial\":\"%s\",\"current\":\"%s\"}", source_type_name(c),
		source_type_name(c));
	j_lit(b, "\"external_references\":[]");
}

/* From 2.16 on 0 means nobody; before, null did. */
static void put_assignee(struct buf *b, const char *key, const struct items *l, uint32_t which,
			 const struct view *v)
{
	if (which)
		j_int(b, key, (int64_t)l->list[which - 1].id);
	else if (v->version >= VERSION_2_16)
		j_int(b, key, 0);
	else
		j_null(b, key);
}

static void put_contacts(struct buf *b, const struct conversation *c)
{
	j_open(b, "contacts", '{');
	j_str(b, "type", "contact.list");
	j_open(b, "contacts", '[');
	render_contact_reference(b, NULL, c->contact);
	if (c->second_contact)
		render_contact_reference(b, NULL, c->second_contact - 1);
	buf_lit(b, "]}");
}

static void put_priority(struct buf *b, const struct conversation *c, const struct view *v)
{
	static const char *const names[] = {"none", "low", "medium", "high", "urgent"};

	if (v->version >= VERSION_2_16)
		j_str(b, "priority", names[c->priority % 5]);
	else
		j_str(b, "priority", c->priority >= 3 ? "priority" : "not_priority");
}

static void put_sla(struct buf *b, const struct conversation *c)
{
	static const char *const states[] = {"hit", "missed", "cancelled", "active"};

	if (!c->sla)
		j_null(b, "sla_applied");
	else
		buf_fmt(b,
			",\"sla_applied\":{\"type\":\"conversation_sla_summary\",\"sla_name\":"
			"\"First reply in 2h\",\"sla_status\":\"%s\"}",
			states[(c->sla - 1) % 4]);
}

static void put_parts(struct buf *b, const struct conversation *c, const struct view *v)
{
	uint32_t from = c->part_count > SERVED_PARTS_MAX ? c->part_count - SERVED_PARTS_MAX : 0;

	j_open(b, "conversation_parts", '{');
	j_str(b, "type", "conversation_part.list");
	j_open(b, "conversation_parts", '[');
	for (uint32_t i = from; i < c->part_count; i++)
		render_part(b, &c->parts[i], v);
	j_close(b, ']');
	j_int(b, "total_count", v->parts_total ? c->part_count : c->part_count - from);
	j_close(b, '}');
}

static void put_middle(struct buf *b, const struct conversation *c, const struct view *v)
{
	const json_t *title = written_find(&c->own, "title");

	if (c->stats.first_contact_reply)
		buf_fmt(b,
			",\"first_contact_reply\":{\"created_at\":%u,\"type\":\"conversation\","
			"\"url\":null}",
			c->stats.first_contact_reply);
	else
		j_null(b, "first_contact_reply");
	put_assignee(b, "admin_assignee_id", &world.admins, c->admin, v);
	put_assignee(b, "team_assignee_id", &world.teams, c->team, v);
	if (v->version >= VERSION_2_15) {
		if (c->company)
			render_company(b, "company", c->company - 1,
				       &(struct view){.version = v->version, .snapshot = true});
		else
			j_null(b, "company");
	}
	j_bool(b, "open", c->state != STATE_CLOSED);
	j_str(b, "state", conversation_state_name(c->state));
	j_bool(b, "read", c->read);
	put_tags(b, c);
	put_priority(b, c, v);
	put_sla(b, c);
	put_statistics(b, c);
	put_rating(b, c);
	put_mates(b, c);
	if (title)
		written_print(b, "title", title);
	else if (c->has_title)
		render_text(b, "title", c, VOICE_TITLE, c->title_seed, true);
	else
		j_null(b, "title");
}

void render_conversation(struct buf *b, const char *key, const struct conversation *c,
			 const struct view *v)
{
	b->ascii = c->seed % 8 == 0;
	j_open(b, key, '{');
	j_str(b, "type", "conversation");
	j_idstr(b, "id", conversation_id(c->idx));
	j_int(b, "created_at", c->created);
	j_int(b, "updated_at", c->updated);
	j_time(b, "waiting_since", c->waiting_since);
	j_time(b, "snoozed_until", c->snoozed_until);
	render_source(b, "source", c, v);
	put_contacts(b, c);
	put_middle(b, c, v);
	put_custom(b, c);
	j_lit(b, "\"topics\":{},\"ticket\":null");
	put_links(b, c);
	put_agents(b, c, v);
	if (v->monitors)
		j_lit(b, "\"monitor_evaluations\":[]");
	if (v->scorecards)
		j_lit(b, "\"scorecards\":[]");
	if (v->parts)
		put_parts(b, c, v);
	j_close(b, '}');
	b->ascii = false;
}
