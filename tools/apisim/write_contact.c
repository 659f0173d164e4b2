/* Writes to people: their fields, and the tags on them. */
#include "clock.h"
#include "contact.h"
#include "intercom.h"
#include "write_intercom.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct contact now; /* the one being changed */

static void change(uint32_t idx, struct op op)
{
	uint32_t at = (uint32_t)clock_now();

	op.at = at > world.contacts.updated[idx] ? at : world.contacts.updated[idx];
	change_apply(&world.contacts, idx, op, false);
}

static bool type_fits(const char *type, const json_t *v)
{
	const char *text = json_string_value(v);

	if (!strcmp(type, "string"))
		return text && strlen(text) <= 255;
	if (!strcmp(type, "list"))
		return text && (!strcmp(text, "en") || !strcmp(text, "de"));
	if (!strcmp(type, "boolean"))
		return json_is_boolean(v);
	if (!strcmp(type, "float") || !strcmp(type, "decimal"))
		return json_is_number(v);
	return json_is_integer(v) && strcmp(type, "relationship") != 0;
}

bool attribute_fits(const char *model, const char *name, const json_t *value, struct refusal *why)
{
	const char *type = attribute_type(model, name);

	if (!type)
		return refuse(why, 400, "parameter_invalid",
			      "Custom attribute '%.80s' does not exist", name);
	if (json_is_null(value) || type_fits(type, value))
		return true;
	return refuse(why, 400, "parameter_invalid", "Custom attribute '%.80s' must be of type %s",
		      name, type);
}

static bool text_fits(const char *field, const json_t *value, size_t size, struct refusal *why)
{
	const char *text = json_string_value(value);

	if (json_is_null(value) || (text && strlen(text) < size))
		return true;
	return refuse(why, 400, "parameter_invalid", "%s must be a string of less than %zu bytes",
		      field, size);
}

/* Whether the text is this person's already, or was given to it by the seed or a write. */
static bool has_text(uint32_t idx, const char *text, bool email)
{
	static struct contact other;

	contact_build(idx, &other);
	return (pop_live(&world.contacts, idx) || other.archived) &&
	       !strcasecmp(email ? other.who.email : other.who.external_id, text);
}

/* The person whose email or external id it is; UINT32_MAX: nobody's. */
static uint32_t owner_of(const char *text, bool email)
{
	const char *digits = strpbrk(text, "0123456789");
	uint32_t idx = digits ? (uint32_t)strtoul(digits, NULL, 10) : 0;

	idx -= email ? 1 : 70000;
	if (idx < world.contacts.count && has_text(idx, text, email))
		return idx;
	for (idx = 0; idx < world.contacts.count; idx++)
		if (pop_overlay(&world.contacts, idx) && has_text(idx, text, email))
			return idx;
	return UINT32_MAX;
}

static bool is_free(uint32_t idx, const json_t *value, bool email, struct refusal *why)
{
	const char *text = json_string_value(value);
	uint32_t other = text && *text ? owner_of(text, email) : UINT32_MAX;
	char hex[25];

	if (other == UINT32_MAX || other == idx)
		return true;
	contact_id(other, hex);
	return refuse(why, 409, "conflict",
		      "A%s contact matching those details already exists with id=%s",
		      pop_live(&world.contacts, other) ? "" : "n archived", hex);
}

static bool email_fits(uint32_t idx, const json_t *value, struct refusal *why)
{
	const char *text = json_string_value(value);

	if (!text_fits("email", value, sizeof(now.who.email), why))
		return false;
	if (text && *text && !strchr(text, '@'))
		return refuse(why, 400, "parameter_invalid", "email is invalid");
	return is_free(idx, value, true, why);
}

static bool owner_fits(const json_t *value, struct refusal *why)
{
	const char *id = json_string_value(value);

	if (json_is_null(value) || (id && items_find(&world.admins, id) >= 0))
		return true;
	return refuse(why, 400, "parameter_invalid",
		      "The owner specified is not a member of the workspace");
}

static bool kind_fits(const char *field, bool right, struct refusal *why)
{
	return right || refuse(why, 400, "parameter_invalid", "%s is invalid", field);
}

bool contact_field_fits(uint32_t idx, const char *field, const json_t *value, struct refusal *why)
{
	const char *text = json_string_value(value);

	if (!strncmp(field, "custom_attributes.", 18))
		return attribute_fits("contact", field + 18, value, why);
	if (!strcmp(field, "name"))
		return text_fits(field, value, sizeof(now.name), why);
	if (!strcmp(field, "phone"))
		return text_fits(field, value, sizeof(now.phone), why);
	if (!strcmp(field, "email"))
		return email_fits(idx, value, why);
	if (!strcmp(field, "external_id"))
		return text_fits(field, value, sizeof(now.who.external_id), why) &&
		       is_free(idx, value, false, why);
	if (!strcmp(field, "owner_id"))
		return owner_fits(value, why);
	if (!strcmp(field, "role"))
		return kind_fits(field, text && (!strcmp(text, "user") || !strcmp(text, "lead")), why);
	if (!strcmp(field, "unsubscribed_from_emails"))
		return kind_fits(field, json_is_boolean(value), why);
	if (!strcmp(field, "signed_up_at") || !strcmp(field, "last_seen_at"))
		return kind_fits(field, json_is_null(value) || json_is_integer(value), why);
	if (!strcmp(field, "tags"))
		return tags_fit(value, why);
	return refuse(why, 400, "parameter_invalid", "%.80s cannot be written", field);
}

static void set_tag(uint32_t idx, uint32_t tag, bool on)
{
	bool has = false;

	contact_build(idx, &now);
	for (uint32_t i = 0; i < now.tag_count; i++)
		has |= now.tags[i].tag == tag;
	if (has != on)
		change(idx, (struct op){.kind = on ? CONTACT_TAG : CONTACT_UNTAG, .a = tag});
}

void contact_field_set(uint32_t idx, const char *field, const json_t *value)
{
	if (!strcmp(field, "tags"))
		for (uint32_t i = 0; i < world.tags.count; i++)
			set_tag(idx, i, tag_listed(value, i));
	else
		change(idx, (struct op){.kind = CONTACT_WRITTEN, .a = written_add(field, value)});
}

/* The members of custom_attributes have names of their own. why NULL: they
 * are judged already and are set. */
static bool each_field(uint32_t idx, const json_t *body, struct refusal *why)
{
	json_t *v, *inner;
	const char *key, *name;
	char field[120];

	json_object_foreach((json_t *)(uintptr_t)body, key, v)
	{
		bool custom = !strcmp(key, "custom_attributes");

		if (custom && why && !json_is_object(v))
			return refuse(why, 400, "parameter_invalid", "custom_attributes is invalid");
		if (!custom && why && !contact_field_fits(idx, key, v, why))
			return false;
		if (!custom && !why)
			contact_field_set(idx, key, v);
		json_object_foreach(custom ? v : NULL, name, inner)
		{
			snprintf(field, sizeof(field), "custom_attributes.%s", name);
			if (why && !contact_field_fits(idx, field, inner, why))
				return false;
			if (!why)
				contact_field_set(idx, field, inner);
		}
	}
	return true;
}

bool contact_edit(const char *id, const json_t *set, struct refusal *why)
{
	uint32_t idx;

	if (!contact_index(id, &idx) || !pop_live(&world.contacts, idx))
		return refuse(why, 404, NULL, "no such contact");
	return each_field(idx, set, why) && each_field(idx, set, NULL);
}

/* false: the error is written. */
static bool target(struct call *c, uint32_t *idx)
{
	if (!write_allowed(c) || !contact_found(c, &now))
		return false;
	if (now.archived)
		return call_not_found(c, "not_found", "User Not Found");
	*idx = now.idx;
	return true;
}

void write_contact(struct call *c)
{
	struct view v = {.version = c->version};
	struct refusal why;
	uint32_t idx;

	if (!target(c, &idx))
		return;
	if (!each_field(idx, c->body, &why)) {
		write_refused(c, &why);
		return;
	}
	if (write_now(c)) {
		each_field(idx, c->body, NULL);
		c->changes = (uint32_t)json_object_size(c->body);
	}
	contact_build(idx, &now);
	render_contact(&c->out, NULL, &now, &v);
}

static void answer_tagged(struct call *c, uint32_t idx, uint32_t tag, bool on)
{
	if (write_now(c)) {
		uint64_t before = world.version;

		set_tag(idx, tag, on);
		c->changes = (uint32_t)(world.version - before);
	}
	render_tagging(&c->out, tag, (uint32_t)clock_now(), 0);
}

void write_contact_tag(struct call *c)
{
	const char *id;
	int64_t tag;
	uint32_t idx;

	if (!target(c, &idx))
		return;
	id = json_string_value(json_object_get(c->body, "id"));
	tag = id ? items_find(&world.tags, id) : -1;
	if (tag < 0)
		call_not_found(c, "not_found", "Resource Not Found");
	else
		answer_tagged(c, idx, (uint32_t)tag, true);
}

void write_contact_untag(struct call *c)
{
	int64_t tag = items_find(&world.tags, c->ids[1]);
	uint32_t idx;

	if (!target(c, &idx))
		return;
	if (tag < 0)
		call_not_found(c, "not_found", "Resource Not Found");
	else
		answer_tagged(c, idx, (uint32_t)tag, false);
}
