/* The short lists: who we are, admins, teams, tags, segments, attributes. */
#include "intercom.h"
#include "stats.h"

#include <string.h>

void answer_me(struct call *c)
{
	render_me(&c->out);
}

void answer_admins(struct call *c)
{
	struct view v = {.version = c->version, .avatar = call_flag(c, "display_avatar")};

	buf_lit(&c->out, "{\"type\":\"admin.list\",\"admins\":[");
	for (uint32_t i = 0; i < world.admins.count; i++)
		if (!world.admins.list[i].gone_seq)
			render_admin(&c->out, i, &v);
	buf_lit(&c->out, "]}");
}

void answer_admin(struct call *c)
{
	struct view v = {.version = c->version, .avatar = call_flag(c, "display_avatar")};
	int64_t i = items_find(&world.admins, c->id);

	if (i < 0)
		call_not_found(c, "admin_not_found", "Admin not found");
	else
		render_admin(&c->out, (uint32_t)i, &v);
}

void answer_teams(struct call *c)
{
	buf_lit(&c->out, "{\"type\":\"team.list\",\"teams\":[");
	for (uint32_t i = 0; i < world.teams.count; i++)
		if (!world.teams.list[i].gone_seq)
			render_team(&c->out, i);
	buf_lit(&c->out, "]}");
}

void answer_team(struct call *c)
{
	int64_t i = items_find(&world.teams, c->id);

	if (i < 0)
		call_not_found(c, "team_not_found", "Team not found");
	else
		render_team(&c->out, (uint32_t)i);
}

void answer_tags(struct call *c)
{
	buf_lit(&c->out, "{\"type\":\"list\",\"data\":[");
	for (uint32_t i = 0; i < world.tags.count; i++)
		if (!world.tags.list[i].gone_seq)
			render_tag(&c->out, i, UINT64_MAX);
	buf_lit(&c->out, "]}");
}

void answer_tag(struct call *c)
{
	int64_t i = items_find(&world.tags, c->id);

	if (i < 0)
		call_not_found(c, "not_found", "Resource Not Found");
	else
		render_tag(&c->out, (uint32_t)i, UINT64_MAX);
}

void answer_segments(struct call *c)
{
	struct view v = {.version = c->version, .count = call_flag(c, "include_count")};

	buf_lit(&c->out, "{\"type\":\"segment.list\",\"segments\":[");
	for (uint32_t i = 0; i < world.segments.count; i++)
		if (!world.segments.list[i].gone_seq)
			render_segment(&c->out, i, &v);
	buf_lit(&c->out, "]}");
}

void answer_segment(struct call *c)
{
	char hex[25];

	for (uint32_t i = 0; i < world.segments.count; i++) {
		segment_id(i, hex);
		if (strcmp(hex, c->id) != 0 || world.segments.list[i].gone_seq)
			continue;
		render_segment(&c->out, i, &(struct view){.version = c->version});
		return;
	}
	call_not_found(c, "not_found", "Resource Not Found");
}

void answer_data_attributes(struct call *c)
{
	static const char *const models[] = {"contact", "company", "conversation"};
	const char *model = call_argument(c, "model");
	bool known = !model;

	for (size_t i = 0; model && i < 3; i++)
		known |= !strcmp(model, models[i]);
	if (model && !strcmp(model, "conversation") && c->version >= VERSION_2_16) {
		call_error(c, 422, "parameter_invalid",
			   "model=conversation is no longer supported. "
			   "Use GET /conversations/attributes instead");
	} else if (!known) {
		stats_breach(BREACH_UNKNOWN_PARAMETER, "model=%s", model);
		call_error(c, 400, "parameter_invalid",
			   "The Data Attribute model field must be either contact or company");
	} else {
		render_data_attributes(&c->out, model, call_flag(c, "include_archived"));
	}
}

void answer_conversation_attributes(struct call *c)
{
	render_conversation_attributes(&c->out);
}
