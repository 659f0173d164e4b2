/* Writes to conversations: their fields, what is done to them (close, open,
 * snooze, assign), what is said in them, and their tags. */
#include "clock.h"
#include "intercom.h"
#include "settings.h"
#include "stats.h"
#include "write_intercom.h"

#include <stdio.h>
#include <string.h>

static const char *const priorities[] = {"none", "low", "medium", "high", "urgent"};

static struct conversation now; /* the one being changed */

void conversation_change(uint32_t idx, struct op op)
{
	uint32_t at = (uint32_t)clock_now();

	op.at = at > world.conversations.updated[idx] ? at : world.conversations.updated[idx];
	op.seed = hash2(world.version, idx);
	change_apply(&world.conversations, idx, op, false);
}

bool tags_fit(const json_t *list, struct refusal *why)
{
	size_t i;
	json_t *one;

	if (!json_is_array(list) || json_array_size(list) > CONVERSATION_TAGS_MAX)
		return refuse(why, 400, "parameter_invalid",
			      "a short list of ids of tags is expected");
	json_array_foreach(list, i, one)
	{
		const char *id = json_string_value(one);

		if (!id || items_find(&world.tags, id) < 0)
			return refuse(why, 404, "tag_not_found", "Tag not found");
	}
	return true;
}

bool tag_listed(const json_t *list, uint32_t tag)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		if (items_find(&world.tags, json_string_value(one)) == (int64_t)tag)
			return true;
	}
	return false;
}

static int index_of(const char *const *names, size_t count, const json_t *value)
{
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < count; i++)
		if (!strcmp(names[i], text))
			return (int)i;
	return -1;
}

static int priority_of(const json_t *value)
{
	return index_of(priorities, sizeof(priorities) / sizeof(priorities[0]), value);
}

static int state_of(const json_t *value)
{
	static const char *const names[] = {"open", "closed", "snoozed"};

	return index_of(names, 3, value);
}

/* An id as text or as a number; 0, "0" and null: nobody. -1: there is none. */
static int64_t find_item(const struct items *l, const json_t *value, bool *nobody)
{
	char text[24] = "";

	if (json_is_integer(value))
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
	else if (json_is_string(value))
		snprintf(text, sizeof(text), "%s", json_string_value(value));
	*nobody = json_is_null(value) || !strcmp(text, "0");
	return *nobody ? -1 : items_find(l, text);
}

static bool item_fits(const struct items *l, const json_t *value, struct refusal *why)
{
	bool nobody;

	return find_item(l, value, &nobody) >= 0 || nobody ||
	       refuse(why, 404, "not_found", "Resource Not Found");
}

static bool company_fits(const json_t *value, struct refusal *why)
{
	const char *id = json_string_value(value);
	uint32_t idx;

	return json_is_null(value) || (id && company_index(id, &idx)) ||
	       refuse(why, 404, "company_not_found", "Company Not Found");
}

bool conversation_field_fits(const char *field, const json_t *value, struct refusal *why)
{
	bool fits = false;

	if (!strncmp(field, "custom_attributes.", 18))
		return attribute_fits("conversation", field + 18, value, why);
	if (!strcmp(field, "admin_assignee_id"))
		return item_fits(&world.admins, value, why);
	if (!strcmp(field, "team_assignee_id"))
		return item_fits(&world.teams, value, why);
	if (!strcmp(field, "tags"))
		return tags_fit(value, why);
	if (!strcmp(field, "company_id"))
		return company_fits(value, why);
	if (!strcmp(field, "title"))
		fits = json_is_string(value);
	else if (!strcmp(field, "read"))
		fits = json_is_boolean(value);
	else if (!strcmp(field, "priority"))
		fits = priority_of(value) >= 0;
	else if (!strcmp(field, "state"))
		fits = state_of(value) >= 0;
	return fits || refuse(why, 400, "parameter_invalid", "%.80s is invalid", field);
}

static void assign(uint32_t idx, const json_t *value, bool team, uint32_t admin)
{
	bool nobody;
	int64_t which = find_item(team ? &world.teams : &world.admins, value, &nobody);

	conversation_change(idx, (struct op){.kind = CONV_ASSIGN,
					     .x = (uint8_t)((nobody ? 2 : 0) + team),
					     .a = nobody ? 0 : (uint32_t)which,
					     .b = admin});
}

/* Tags toggle: only what is not as it shall be is changed. */
static void set_tag(uint32_t idx, uint32_t tag, bool on, uint32_t admin)
{
	bool has = false;

	conversation_build(idx, &now);
	for (uint32_t i = 0; i < now.tag_count; i++)
		has |= now.tags[i].tag == tag;
	if (has != on)
		conversation_change(idx, (struct op){.kind = CONV_TAG, .a = tag, .b = admin});
}

void conversation_field_set(uint32_t idx, const char *field, const json_t *value, uint32_t admin)
{
	if (!strcmp(field, "admin_assignee_id"))
		assign(idx, value, false, admin);
	else if (!strcmp(field, "team_assignee_id"))
		assign(idx, value, true, admin);
	else if (!strcmp(field, "priority"))
		conversation_change(idx, (struct op){.kind = CONV_PRIORITY,
						     .x = (uint8_t)priority_of(value)});
	else if (!strcmp(field, "state"))
		conversation_change(idx, (struct op){.kind = CONV_STATE,
						     .x = (uint8_t)state_of(value),
						     .a = admin});
	else if (!strcmp(field, "tags"))
		for (uint32_t i = 0; i < world.tags.count; i++)
			set_tag(idx, i, tag_listed(value, i), admin);
	else
		conversation_change(idx, (struct op){.kind = CONV_WRITTEN,
						     .a = written_add(field, value)});
}

/* The members of custom_attributes have names of their own. why NULL: they
 * are judged already and are set. */
static bool each_field(uint32_t idx, const json_t *body, uint32_t admin, struct refusal *why)
{
	json_t *v, *inner;
	const char *key, *name;
	char field[120];

	json_object_foreach((json_t *)(uintptr_t)body, key, v)
	{
		bool custom = !strcmp(key, "custom_attributes");

		if (custom && why && !json_is_object(v))
			return refuse(why, 400, "parameter_invalid", "custom_attributes is invalid");
		if (!custom && why && !conversation_field_fits(key, v, why))
			return false;
		if (!custom && !why)
			conversation_field_set(idx, key, v, admin);
		json_object_foreach(custom ? v : NULL, name, inner)
		{
			snprintf(field, sizeof(field), "custom_attributes.%s", name);
			if (why && !conversation_field_fits(field, inner, why))
				return false;
			if (!why)
				conversation_field_set(idx, field, inner, admin);
		}
	}
	return true;
}

bool conversation_edit(const char *id, const json_t *set, struct refusal *why)
{
	uint32_t idx;

	if (!conversation_index(id, &idx) || !pop_live(&world.conversations, idx))
		return refuse(why, 404, NULL, "no such conversation");
	return each_field(idx, set, 0, why) && each_field(idx, set, 0, NULL);
}

/* false: the error is written. */
static bool target(struct call *c, uint32_t *idx, const char *message)
{
	if (!write_allowed(c))
		return false;
	if (conversation_index(c->id, idx) && pop_live(&world.conversations, *idx))
		return true;
	return call_not_found(c, "not_found", message);
}

/* Who does it. false: the error is written. */
static bool actor(struct call *c, uint32_t *admin)
{
	const char *id = json_string_value(json_object_get(c->body, "admin_id"));
	int64_t found = id ? items_find(&world.admins, id) : -1;

	if (!id)
		call_error(c, 400, "parameter_not_found", "admin_id is required");
	else if (found < 0)
		call_not_found(c, "not_found", "Resource Not Found");
	*admin = (uint32_t)found;
	return found >= 0;
}

static void answer_whole(struct call *c, uint32_t idx)
{
	struct view v = {.version = c->version, .parts = true, .parts_total = settings.parts_total};

	conversation_build(idx, &now);
	render_conversation(&c->out, NULL, &now, &v);
}

/* Only what this path takes; the rest is ignored, as the API does. */
static json_t *known_members(struct call *c)
{
	static const char *const names[] = {"read", "title", "custom_attributes", "company_id",
					    "priority"};
	json_t *known = json_object();
	json_t *v;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		v = json_object_get(c->body, names[i]);
		if (!v)
			continue;
		if (!strcmp(names[i], "priority") && c->version < VERSION_PREVIEW)
			stats_breach(BREACH_UNKNOWN_MEMBER, "member priority is not in this version");
		else
			json_object_set(known, names[i], v);
	}
	return known;
}

void write_conversation(struct call *c)
{
	struct refusal why;
	uint32_t idx, admin = 0;
	json_t *known;

	if (!target(c, &idx, "Resource Not Found"))
		return;
	if (json_object_get(c->body, "admin_id") && !actor(c, &admin))
		return;
	known = known_members(c);
	if (!each_field(idx, known, admin, &why)) {
		write_refused(c, &why);
	} else {
		if (write_now(c)) {
			each_field(idx, known, admin, NULL);
			c->changes = (uint32_t)json_object_size(known);
		}
		answer_whole(c, idx);
	}
	json_decref(known);
}

struct deed {
	struct op op;
	const char *text; /* to be kept with it, or NULL */
};

static bool plan_snooze(struct call *c, struct deed *d)
{
	const json_t *until = json_object_get(c->body, "snoozed_until");

	if (!json_is_integer(until) || json_integer_value(until) <= clock_now() ||
	    json_integer_value(until) > UINT32_MAX) {
		call_error(c, 400, "parameter_invalid", "snoozed_until must be a time in the future");
		return false;
	}
	d->op.b = (uint32_t)json_integer_value(until);
	return true;
}

static bool plan_assignment(struct call *c, struct deed *d, uint32_t admin)
{
	const char *type = json_string_value(json_object_get(c->body, "type"));
	const json_t *to = json_object_get(c->body, "assignee_id");
	bool team = type && !strcmp(type, "team"), nobody;
	int64_t which;

	if (!type || (!team && strcmp(type, "admin") != 0) || !to) {
		call_error(c, 400, "parameter_invalid", "type and assignee_id are required");
		return false;
	}
	which = find_item(team ? &world.teams : &world.admins, to, &nobody);
	if (which < 0 && !nobody)
		return call_not_found(c, "not_found", "Resource Not Found");
	d->op = (struct op){.kind = CONV_ASSIGN,
			    .x = (uint8_t)((nobody ? 2 : 0) + team),
			    .a = nobody ? 0 : (uint32_t)which,
			    .b = admin};
	return true;
}

static bool plan_deed(struct call *c, struct deed *d, uint32_t admin)
{
	static const char *const types[] = {"open", "close", "snoozed", "assignment"};
	int type = index_of(types, 4, json_object_get(c->body, "message_type"));

	*d = (struct deed){.op = {.kind = CONV_STATE, .x = (uint8_t)type, .a = admin}};
	if (type == 2)
		return plan_snooze(c, d);
	if (type == 3)
		return plan_assignment(c, d, admin);
	if (type == STATE_CLOSED)
		d->text = json_string_value(json_object_get(c->body, "body"));
	if (type < 0)
		call_error(c, 400, "parameter_invalid", "message_type is invalid");
	return type >= 0;
}

static void do_deed(struct call *c, uint32_t idx, struct deed *d)
{
	if (write_now(c)) {
		if (d->text && d->op.kind == CONV_STATE)
			d->op.b = written_add("body", json_object_get(c->body, "body"));
		else if (d->text)
			d->op.a = written_add("body", json_object_get(c->body, "body"));
		conversation_change(idx, d->op);
		c->changes = 1;
	}
	answer_whole(c, idx);
}

void write_conversation_part(struct call *c)
{
	uint32_t idx, admin;
	struct deed d;

	if (target(c, &idx, "Resource Not Found") && actor(c, &admin) && plan_deed(c, &d, admin))
		do_deed(c, idx, &d);
}

/* An admin's comment or note; customers do not write through this program. */
void write_conversation_reply(struct call *c)
{
	static const char *const types[] = {"comment", "note"};
	int type = index_of(types, 2, json_object_get(c->body, "message_type"));
	uint32_t idx, admin;
	struct deed d;

	if (!target(c, &idx, "Resource Not Found") || !actor(c, &admin))
		return;
	d.text = json_string_value(json_object_get(c->body, "body"));
	if (type < 0 || !d.text || !*d.text) {
		call_error(c, 400, "parameter_invalid", "message_type and body are required");
		return;
	}
	d.op = (struct op){.kind = CONV_SAID, .x = type ? PART_NOTE : PART_COMMENT, .b = admin};
	do_deed(c, idx, &d);
}

static void answer_tagged(struct call *c, uint32_t idx, uint32_t tag, bool on, uint32_t admin)
{
	if (write_now(c)) {
		uint64_t before = world.version;

		set_tag(idx, tag, on, admin);
		c->changes = (uint32_t)(world.version - before);
	}
	render_tagging(&c->out, tag, (uint32_t)clock_now(), admin);
}

static void tag(struct call *c, const char *id, bool on)
{
	int64_t found = id ? items_find(&world.tags, id) : -1;
	uint32_t idx, admin;

	if (!target(c, &idx, "Conversation not found") || !actor(c, &admin))
		return;
	if (found < 0)
		call_not_found(c, "tag_not_found", "Tag not found");
	else
		answer_tagged(c, idx, (uint32_t)found, on, admin);
}

void write_conversation_tag(struct call *c)
{
	tag(c, json_string_value(json_object_get(c->body, "id")), true);
}

void write_conversation_untag(struct call *c)
{
	tag(c, c->ids[1], false);
}
