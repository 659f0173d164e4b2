/* Prints the members of the short lists: admins, teams, tags, segments, and
 * the descriptions of attributes. These always show the present state. */
#include "render.h"

#include <stdio.h>
#include <string.h>

const char *admin_email(uint32_t idx, char out[64])
{
	snprintf(out, 64, "admin%u@acme-support.example", idx + 1);
	return out;
}

static bool is_member(uint32_t admin, uint32_t team)
{
	return world_seed(SEED_TEAM, hash2(admin, team)) % 3 == 0;
}

static void put_ids(struct buf *b, const char *key, const struct items *l, uint32_t me, bool i_am_admin)
{
	j_open(b, key, '[');
	for (uint32_t i = 0; i < l->count; i++)
		if (!l->list[i].gone_seq && (i_am_admin ? is_member(me, i) : is_member(i, me)))
			j_int(b, NULL, (int64_t)l->list[i].id);
	j_close(b, ']');
}

void render_admin(struct buf *b, uint32_t idx, const struct view *v)
{
	const struct item *it = &world.admins.list[idx];
	uint64_t seed = world_seed(SEED_ADMIN, idx);
	char email[64];

	j_open(b, NULL, '{');
	j_str(b, "type", "admin");
	j_str(b, "email", admin_email(idx, email));
	j_idstr(b, "id", it->id);
	j_str(b, "name", item_name(it, UINT64_MAX));
	j_str(b, "job_title", seed % 3 ? "Support specialist" : "Team lead");
	j_bool(b, "away_mode_enabled", seed % 7 == 0);
	j_bool(b, "away_mode_reassign", seed % 14 == 0);
	j_null(b, "away_status_reason_id");
	j_bool(b, "has_inbox_seat", seed % 11 != 0);
	put_ids(b, "team_ids", &world.teams, idx, true);
	if (v->avatar)
		buf_fmt(b, ",\"avatar\":\"https://static.example.com/admins/%u.png\"", idx + 128);
	j_lit(b, "\"team_priority_level\":{\"primary_team_ids\":null,\"secondary_team_ids\":null}");
	if (v->version >= VERSION_2_16)
		j_lit(b, idx == 0 ? "\"role\":{\"type\":\"role\",\"id\":\"1\",\"name\":\"Owner\"}"
				  : "\"role\":null");
	j_close(b, '}');
}

void render_me(struct buf *b)
{
	const struct item *it = &world.admins.list[0];
	char email[64];

	j_open(b, NULL, '{');
	j_str(b, "type", "admin");
	j_idstr(b, "id", it->id);
	j_str(b, "email", admin_email(0, email));
	j_str(b, "name", item_name(it, UINT64_MAX));
	j_bool(b, "email_verified", true);
	j_open(b, "app", '{');
	j_str(b, "type", "app");
	j_str(b, "id_code", world.opt.app_id);
	j_str(b, "name", world.opt.app_name);
	j_int(b, "created_at", it->created);
	j_bool(b, "secure", false);
	j_bool(b, "identity_verification", false);
	j_str(b, "timezone", world.opt.timezone);
	j_str(b, "region", world.opt.region);
	j_close(b, '}');
	j_lit(b, "\"avatar\":{\"type\":\"avatar\",\"image_url\":"
		 "\"https://static.example.com/admins/128.png\"},\"has_inbox_seat\":true");
	j_close(b, '}');
}

void render_team(struct buf *b, uint32_t idx)
{
	const struct item *it = &world.teams.list[idx];

	j_open(b, NULL, '{');
	j_str(b, "type", "team");
	j_idstr(b, "id", it->id);
	j_str(b, "name", item_name(it, UINT64_MAX));
	put_ids(b, "admin_ids", &world.admins, idx, false);
	j_lit(b, "\"admin_priority_level\":{\"primary_admin_ids\":null,\"secondary_admin_ids\":null}");
	j_null(b, "assignment_limit");
	j_str(b, "distribution_method", idx % 2 ? "round_robin" : "manual");
	j_close(b, '}');
}

void render_tag(struct buf *b, uint32_t idx, uint64_t seq)
{
	const struct item *it = &world.tags.list[idx];

	j_open(b, NULL, '{');
	j_str(b, "type", "tag");
	j_idstr(b, "id", it->id);
	j_str(b, "name", item_name(it, seq));
	j_close(b, '}');
}

void render_tagging(struct buf *b, uint32_t tag, uint32_t at, uint32_t admin)
{
	const struct item *it = &world.tags.list[tag];

	j_open(b, NULL, '{');
	j_str(b, "type", "tag");
	j_idstr(b, "id", it->id);
	j_str(b, "name", item_name(it, UINT64_MAX));
	j_int(b, "applied_at", at);
	j_open(b, "applied_by", '{');
	j_str(b, "type", "admin");
	j_idstr(b, "id", world.admins.list[admin].id);
	buf_lit(b, "}}");
}

static uint32_t count_members(uint32_t segment)
{
	struct contact c = {0};
	uint32_t n = 0, list[2];

	for (uint32_t i = 0; i < world.contacts.count; i++) {
		c.seed = world_seed(SEED_CONTACT, i);
		if (!pop_live(&world.contacts, i))
			continue;
		for (uint32_t k = contact_segments(&c, list); k > 0; k--)
			n += list[k - 1] == segment;
	}
	return n;
}

void render_segment(struct buf *b, uint32_t idx, const struct view *v)
{
	const struct item *it = &world.segments.list[idx];
	char hex[25];

	segment_id(idx, hex);
	j_open(b, NULL, '{');
	j_str(b, "type", "segment");
	j_str(b, "id", hex);
	j_str(b, "name", item_name(it, UINT64_MAX));
	j_int(b, "created_at", it->created);
	j_int(b, "updated_at", it->updated);
	j_str(b, "person_type", idx % 4 == 3 ? "contact" : "user");
	if (v->count)
		j_int(b, "count", count_members(idx));
	j_close(b, '}');
}

struct attribute {
	const char *model, *name, *full_name, *label, *type;
	bool custom, archived;
};

static const struct attribute attributes[] = {
	{"contact", "name", "name", "Name", "string", false, false},
	{"contact", "email", "email", "Email", "string", false, false},
	{"contact", "phone", "phone", "Phone", "string", false, false},
	{"contact", "owner_id", "owner_id", "Owner", "string", false, false},
	{"contact", "created_at", "created_at", "First seen", "date", false, false},
	{"contact", "updated_at", "updated_at", "Updated at", "date", false, false},
	{"contact", "last_seen_at", "last_seen_at", "Last seen", "date", false, false},
	{"contact", "city", "location.city", "City", "string", false, false},
	{"contact", "plan", "custom_attributes.plan", "plan", "string", true, false},
	{"contact", "seats", "custom_attributes.seats", "seats", "integer", true, false},
	{"contact", "renewal_date", "custom_attributes.renewal_date", "renewal_date", "date", true,
	 false},
	{"contact", "beta", "custom_attributes.beta", "beta", "boolean", true, false},
	{"contact", "lifetime value", "custom_attributes.lifetime value", "lifetime value", "float",
	 true, false},
	{"contact", "old code", "custom_attributes.old code", "old code", "string", true, true},
	{"company", "name", "name", "Company name", "string", false, false},
	{"company", "company_id", "company_id", "Company ID", "string", false, false},
	{"company", "monthly_spend", "monthly_spend", "Monthly Spend", "float", false, false},
	{"company", "paid_subscriber", "custom_attributes.paid_subscriber", "paid_subscriber",
	 "boolean", true, false},
	{"company", "team_mates", "custom_attributes.team_mates", "team_mates", "integer", true, false},
	{"company", "monthly volume", "custom_attributes.monthly volume", "monthly volume", "float",
	 true, false},
	/* Up to 2.15 the conversation's attributes were found here, too. */
	{"conversation", "Issue type", "custom_attributes.Issue type", "Issue type", "string", true,
	 false},
	{"conversation", "Language", "custom_attributes.Language", "Language", "string", true, false},
	{"conversation", "Escalated", "custom_attributes.Escalated", "Escalated", "boolean", true,
	 false},
	{"contact", "training_topic", "custom_attributes.training_topic", "training_topic",
	 "string", true, false},
	/* Names that others have: of another model, and one that was archived. */
	{"company", "plan", "custom_attributes.plan", "plan", "string", true, false},
	{"contact", "seats", "custom_attributes.seats", "seats", "string", true, true},
};

static const struct {
	const char *name, *type;
} conversation_attributes[] = {
	{"Issue type", "string"},          {"Language", "list"},       {"Escalated", "boolean"},
	{"Score \xe2\x98\x85", "integer"}, {"Order value", "decimal"}, {"Due date", "datetime"},
	{"Contract", "relationship"},      {"Language", "string"},
};

#define CONVERSATION_ATTRIBUTES \
	(sizeof(conversation_attributes) / sizeof(conversation_attributes[0]))

const char *attribute_type(const char *model, const char *name)
{
	if (!strcmp(model, "conversation")) {
		for (size_t i = 0; i < CONVERSATION_ATTRIBUTES; i++)
			if (!strcmp(conversation_attributes[i].name, name))
				return conversation_attributes[i].type;
		return NULL;
	}
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (attributes[i].custom && !attributes[i].archived &&
		    !strcmp(attributes[i].model, model) && !strcmp(attributes[i].name, name))
			return attributes[i].type;
	return NULL;
}

void render_data_attributes(struct buf *b, const char *model, bool archived)
{
	j_open(b, NULL, '{');
	j_str(b, "type", "list");
	j_open(b, "data", '[');
	for (uint32_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		const struct attribute *a = &attributes[i];

		if ((model && strcmp(model, a->model) != 0) || (a->archived && !archived) ||
		    (!model && !strcmp(a->model, "conversation")))
			continue;
		j_open(b, NULL, '{');
		if (a->custom)
			j_int(b, "id", 30 + (int64_t)i);
		j_str(b, "type", "data_attribute");
		j_str(b, "name", a->name);
		j_str(b, "full_name", a->full_name);
		j_str(b, "label", a->label);
		j_str(b, "description", a->custom ? "" : a->label);
		j_str(b, "data_type", a->type);
		buf_fmt(b, ",\"api_writable\":%s,\"ui_writable\":%s,\"messenger_writable\":true",
			a->custom ? "true" : "false", a->custom ? "true" : "false");
		j_bool(b, "custom", a->custom);
		j_bool(b, "archived", a->archived);
		if (a->custom) {
			j_idstr(b, "admin_id", world.admins.list[0].id);
			j_int(b, "created_at", world.admins.list[0].created + i);
			j_int(b, "updated_at", world.admins.list[0].created + i);
		}
		j_str(b, "model", a->model);
		j_close(b, '}');
	}
	buf_lit(b, "]}");
}

void render_conversation_attributes(struct buf *b)
{
	j_open(b, NULL, '{');
	j_str(b, "type", "list");
	j_open(b, "data", '[');
	for (uint32_t i = 0; i < CONVERSATION_ATTRIBUTES; i++) {
		j_open(b, NULL, '{');
		j_str(b, "type", "conversation_attribute");
		j_int(b, "id", i + 2);
		j_str(b, "name", conversation_attributes[i].name);
		j_str(b, "description", "");
		j_str(b, "data_type", conversation_attributes[i].type);
		j_lit(b, "\"required\":false,\"visible_to_team_ids\":[],\"archived\":false");
		j_int(b, "created_at", world.admins.list[0].created + i);
		j_int(b, "updated_at", world.admins.list[0].created + i);
		j_idstr(b, "admin_id", world.admins.list[0].id);
		if (i == 0)
			j_lit(b, "\"multiline\":false");
		if (i == 6)
			j_lit(b, "\"reference\":{\"type\":\"many\",\"object_type_id\":\"Contract\"}");
		if (i == 1)
			j_lit(b,
			      "\"options\":[{\"id\":\"a1b2c3d4-e5f6-7890-abcd-ef1234567890\","
			      "\"label\":\"en\",\"archived\":false},{\"id\":"
			      "\"b2c3d4e5-f6a7-8901-bcde-f01234567891\",\"label\":\"de\",\"archived\":false}]");
		j_close(b, '}');
	}
	buf_lit(b, "]}");
}
