/*
 * intercom_write: what can be edited at Intercom, and by which requests. Facts: the description of version 2.16.
 *
 *   PUT /contacts/{id}, /conversations/{id}                     attributes, several at once
 *   POST /conversations/{id}/parts                              open, close, snooze, assign: one at a time, in the name of a teammate
 *   POST /conversations/{id}/tags, DELETE …/tags/{tag}          one at a time
 */
#include "intercom.h"
#include "write_doc.h"

#include <codec/json.h>
#include <codec/msgpack.h>

#include <stdio.h>

static const uint8_t nil_value = 0xc0, true_value = 0xc3, false_value = 0xc2;

/* Its state says whether it is open; who is not snoozed has no time to come back. */
static int apply_state(struct bytes doc, struct bytes value, struct buf *out)
{
	struct buf first = {0}, second = {0};
	struct mp_value v;
	bool known = mp_get(value, &v) && v.type == MP_STR;
	bool closed = known && bytes_is(v.str, "closed"),
	     snoozed = known && bytes_is(v.str, "snoozed");
	int rc = doc_put(doc, "state", (struct bytes){0}, value, &first);

	if (rc == 0)
		rc = doc_put(buf_bytes(&first), "open", (struct bytes){0},
			     bytes_of(closed ? &false_value : &true_value, 1), &second);
	if (rc == 0 && snoozed) {
		buf_put_bytes(out, buf_bytes(&second));
		rc = out->error;
	} else if (rc == 0) {
		rc = doc_put(buf_bytes(&second), "snoozed_until", (struct bytes){0},
			     bytes_of(&nil_value, 1), out);
	}
	buf_release(&first);
	buf_release(&second);
	return rc;
}

static int apply_snooze(struct bytes doc, struct bytes value, struct buf *out)
{
	struct buf first = {0}, seconds = {0}, state = {0};
	struct mp_value v;
	int rc;

	if (!mp_get(value, &v) || v.type != MP_INT)
		return ERR_CORRUPT;
	mp_put_int(&seconds, v.integer / 1000);
	mp_put_cstr(&state, "snoozed");
	rc = seconds.error || state.error ? ERR_NOMEM : apply_state(doc, buf_bytes(&state), &first);
	if (rc == 0)
		rc = doc_put(buf_bytes(&first), "snoozed_until", (struct bytes){0},
			     buf_bytes(&seconds), out);
	buf_release(&first);
	buf_release(&seconds);
	buf_release(&state);
	return rc;
}

const struct editable intercom_editable[] = {
	{.resource = "contacts", .name = "name", .kind = EDITABLE_TEXT, .path = "name", .empties = true},
	{.resource = "contacts", .name = "email", .kind = EDITABLE_TEXT, .path = "email"},
	{.resource = "contacts", .name = "phone", .kind = EDITABLE_TEXT, .path = "phone", .empties = true},
	{.resource = "contacts",
	 .name = "role",
	 .kind = EDITABLE_CHOICE,
	 .path = "role",
	 .choices = "user|lead"},
	{.resource = "contacts", .name = "external_id", .kind = EDITABLE_TEXT, .path = "external_id"},
	{.resource = "contacts",
	 .name = "owner",
	 .kind = EDITABLE_ID,
	 .path = "owner_id",
	 .of = "admins",
	 .empties = true},
	{.resource = "contacts",
	 .name = "custom_attributes.",
	 .kind = EDITABLE_MEMBER,
	 .path = "custom_attributes",
	 .of = "data_attributes",
	 .empties = true},
	{.resource = "conversations", .name = "subject", .kind = EDITABLE_TEXT, .path = "title"},
	{.resource = "conversations", .name = "read", .kind = EDITABLE_BOOL, .path = "read"},
	{.resource = "conversations",
	 .name = "priority",
	 .kind = EDITABLE_CHOICE,
	 .path = "priority",
	 .choices = "none|low|medium|high|urgent",
	 .until = "2.16"},
	{.resource = "conversations",
	 .name = "custom_attributes.",
	 .kind = EDITABLE_MEMBER,
	 .path = "custom_attributes",
	 .of = "conversation_attributes",
	 .empties = true},
	{.resource = "conversations",
	 .name = "state",
	 .kind = EDITABLE_CHOICE,
	 .path = "state",
	 .choices = "open|closed|snoozed",
	 .apply = apply_state},
	{.resource = "conversations",
	 .name = "snoozed_until",
	 .kind = EDITABLE_TIME,
	 .path = "snoozed_until",
	 .apply = apply_snooze},
	{.resource = "conversations",
	 .name = "assignee",
	 .kind = EDITABLE_ID,
	 .path = "admin_assignee_id",
	 .of = "admins",
	 .empties = true},
	{.resource = "conversations",
	 .name = "team",
	 .kind = EDITABLE_ID,
	 .path = "team_assignee_id",
	 .of = "teams",
	 .empties = true},
	{.resource = "conversations",
	 .name = "tags",
	 .kind = EDITABLE_OBJECTS,
	 .path = "tags.tags",
	 .of = "tags",
	 .empties = true},
	{.resource = NULL},
};

/* ---- writing ---- */

struct writing {
	const struct account *account;
	const struct ask *ask;
	struct bytes wanted;
	struct call *out;
	struct buf *covers;
	struct why *why;
	uint32_t count; /* attributes so far */
	bool custom;    /* in this pass those inside custom_attributes */
	bool names_actor;
};

static void put_path(const struct writing *w, const char *method, const char *resource,
		     const char *rest)
{
	w->out->method = method;
	buf_printf(&w->out->url, "%s/%s/", w->account->base_url, resource);
	buf_put_bytes(&w->out->url, w->ask->id);
	buf_put_str(&w->out->url, rest);
}

static void put_headers(const struct writing *w)
{
	struct call *c = w->out;

	snprintf(c->headers[0], sizeof c->headers[0], "Accept: application/json");
	snprintf(c->headers[1], sizeof c->headers[1], "Intercom-Version: %s", w->account->version);
	snprintf(c->headers[2], sizeof c->headers[2], "Content-Type: application/json");
}

/* Attributes of one PUT, as it calls them; NULL: another request does it. */
static const char *member_of(const struct writing *w, struct bytes name)
{
	static const struct {
		const char *field, *member;
	} members[] = {
		{"name", "name"},     {"email", "email"},    {"phone", "phone"},
		{"role", "role"},     {"owner", "owner_id"}, {"external_id", "external_id"},
		{"subject", "title"}, {"read", "read"},      {"priority", "priority"},
	};

	(void)w;
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (bytes_is(name, members[i].field))
			return members[i].member;
	return NULL;
}

#define CUSTOM "custom_attributes."

static bool is_custom(struct bytes name)
{
	return name.len > strlen(CUSTOM) && memcmp(name.data, CUSTOM, strlen(CUSTOM)) == 0;
}

static int put_attribute(void *ctx, struct bytes name, struct bytes value)
{
	struct writing *w = ctx;
	const char *member = member_of(w, name);
	struct buf *body = &w->out->body;

	if (w->custom ? !is_custom(name) : !member)
		return 0;
	if (w->count++)
		buf_put_byte(body, ',');
	if (w->custom)
		json_write_str(body, bytes_of(name.data + strlen(CUSTOM), name.len - strlen(CUSTOM)));
	else
		json_write_str(body, bytes_str(member));
	buf_put_byte(body, ':');
	w->names_actor |= bytes_is(name, "priority");
	mp_put_str(w->covers, name);
	buf_put_bytes(w->covers, value);
	return json_write(value, body);
}

static int put_actor(const struct writing *w)
{
	const char *actor = w->ask->change->actor;

	if (!actor || !actor[0])
		return why_set(
			w->why, ERR_INVALID,
			"Intercom wants to know which teammate does this, and the token belongs to none");
	buf_put_str(&w->out->body, "\"admin_id\":");
	json_write_str(&w->out->body, bytes_str(actor));
	return 0;
}

/* 1: there are none; the request is not begun. */
static int put_attributes(struct writing *w)
{
	struct buf *body = &w->out->body;
	size_t mark = mp_begin_map(w->covers);
	uint32_t plain;
	int rc;

	buf_put_byte(body, '{');
	rc = fields_each(w->wanted, put_attribute, w);
	plain = w->count;
	if (rc == 0 && w->names_actor) {
		buf_put_byte(body, ',');
		rc = put_actor(w);
	}
	size_t before = body->len;
	buf_put_str(body, plain ? ",\"custom_attributes\":{" : "\"custom_attributes\":{");
	w->custom = true;
	w->count = 0;
	if (rc == 0)
		rc = fields_each(w->wanted, put_attribute, w);
	if (w->count)
		buf_put_byte(body, '}');
	else
		body->len = before;
	buf_put_byte(body, '}');
	mp_end_map(w->covers, mark, plain + w->count);
	if (rc)
		return rc;
	if (plain + w->count == 0) {
		buf_reset(body);
		buf_reset(w->covers);
		return 1;
	}
	put_path(w, "PUT", w->ask->type->name, "");
	return 0;
}

static void covers_put(const struct writing *w, const char *name, struct bytes value, bool begin,
		       uint32_t count)
{
	if (begin)
		mp_put_map(w->covers, count);
	mp_put_cstr(w->covers, name);
	buf_put_bytes(w->covers, value);
}

static bool wants(const struct writing *w, const char *name, struct bytes *value)
{
	return mp_find(w->wanted, bytes_str(name), value) == 1;
}

/* A part that changes something of the conversation: what it says besides is put by the caller, who closes it. */
static int begin_part(const struct writing *w, const char *message_type)
{
	put_path(w, "POST", "conversations", "/parts");
	buf_printf(&w->out->body, "{\"message_type\":\"%s\",", message_type);
	return put_actor(w);
}

static int put_snooze(const struct writing *w, struct bytes until, const struct bytes *state)
{
	struct mp_value v;
	int rc = begin_part(w, "snoozed");

	if (rc || !mp_get(until, &v) || v.type != MP_INT)
		return rc ? rc : ERR_CORRUPT;
	buf_printf(&w->out->body, ",\"snoozed_until\":%lld}", (long long)(v.integer / 1000));
	if (state)
		covers_put(w, "state", *state, true, 2);
	covers_put(w, "snoozed_until", until, !state, 1);
	return 0;
}

static int put_state(const struct writing *w, struct bytes state)
{
	struct mp_value v;
	bool closes = mp_get(state, &v) && v.type == MP_STR && bytes_is(v.str, "closed");
	int rc = begin_part(w, closes ? "close" : "open");

	if (rc)
		return rc;
	buf_put_str(&w->out->body, closes ? ",\"type\":\"admin\"}" : "}");
	covers_put(w, "state", state, true, 1);
	return 0;
}

/* 1: nothing of it is wanted. */
static int put_states(const struct writing *w)
{
	struct bytes state, until;
	bool has_state = wants(w, "state", &state), has_until = wants(w, "snoozed_until", &until);
	struct mp_value v;
	bool snoozes = has_state && mp_get(state, &v) && v.type == MP_STR &&
		       bytes_is(v.str, "snoozed");

	if (!has_state && !has_until)
		return 1;
	if (has_until && has_state && !snoozes)
		return why_set(w->why, ERR_INVALID,
			       "'snoozed_until' goes with the state snoozed, not with another one");
	if (snoozes && !has_until &&
	    mp_find(w->ask->change->set, bytes_str("snoozed_until"), &until) != 1)
		return why_set(w->why, ERR_INVALID,
			       "to snooze, say until when: snoozed_until=tomorrow");
	return has_until || snoozes ? put_snooze(w, until, has_state ? &state : NULL)
				    : put_state(w, state);
}

static int put_assignment(const struct writing *w, const char *field, const char *type)
{
	struct bytes value;
	struct mp_value v;

	if (!wants(w, field, &value))
		return 1;
	int rc = begin_part(w, "assignment");
	if (rc)
		return rc;
	buf_printf(&w->out->body, ",\"type\":\"%s\",\"assignee_id\":", type);
	json_write_str(&w->out->body, mp_get(value, &v) && v.type == MP_STR ? v.str : bytes_str("0"));
	buf_put_byte(&w->out->body, '}');
	covers_put(w, field, value, true, 1);
	return 0;
}

/* ---- tags ---- */

/* The first id of one list that another has not. */
static bool first_missing(struct bytes list, struct bytes other, struct bytes *id)
{
	struct mp_reader r = mp_reader_of(list);
	struct mp_value head, v;

	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return false;
	for (uint32_t i = 0; i < head.count && mp_next(&r, &v) == 1; i++)
		if (v.type == MP_STR && !ids_have(other, v.str)) {
			*id = v.str;
			return true;
		}
	return false;
}

/* The tags as they are once this one is there, or is not. */
static int covers_tag(const struct writing *w, struct bytes there, struct bytes id, bool adds)
{
	struct mp_reader r = mp_reader_of(there);
	struct buf list = {0};
	struct mp_value head, v;
	uint32_t n = 0;

	size_t mark = mp_begin_array(&list);
	if (mp_next(&r, &head) == 1 && head.type == MP_ARRAY)
		for (uint32_t i = 0; i < head.count && mp_next(&r, &v) == 1; i++)
			if (v.type == MP_STR && !bytes_equal(v.str, id)) {
				mp_put_str(&list, v.str);
				n++;
			}
	if (adds)
		mp_put_str(&list, id);
	mp_end_array(&list, mark, n + adds);
	mp_put_map(w->covers, 1);
	mp_put_cstr(w->covers, "tags");
	int rc = list.error ? list.error : ids_put(buf_bytes(&list), w->covers);
	buf_release(&list);
	return rc;
}

static int put_tag(const struct writing *w)
{
	struct buf there = {0};
	struct bytes wanted, raw, id;
	int rc;

	if (!wants(w, "tags", &wanted))
		return 1;
	rc = mp_path(w->ask->change->doc, bytes_str("tags.tags"), &raw);
	rc = rc < 0 ? rc : ids_put(rc ? raw : (struct bytes){0}, &there);
	bool adds = rc == 0 && first_missing(wanted, buf_bytes(&there), &id);
	if (rc == 0 && !adds && !first_missing(buf_bytes(&there), wanted, &id))
		rc = ERR_CORRUPT;
	if (rc == 0 && !url_id_usable(id))
		rc = why_set(w->why, ERR_INVALID, "'%.*s' cannot be the id of a tag",
			     (int)(id.len < 60 ? id.len : 60), (const char *)id.data);
	if (rc == 0) {
		put_path(w, adds ? "POST" : "DELETE", "conversations", "/tags");
		if (!adds) {
			buf_put_byte(&w->out->url, '/');
			buf_put_bytes(&w->out->url, id);
		}
		buf_put_byte(&w->out->body, '{');
		if (adds) {
			buf_put_str(&w->out->body, "\"id\":");
			json_write_str(&w->out->body, id);
			buf_put_byte(&w->out->body, ',');
		}
		rc = put_actor(w);
		buf_put_byte(&w->out->body, '}');
	}
	if (rc == 0)
		rc = covers_tag(w, buf_bytes(&there), id, adds);
	buf_release(&there);
	return rc;
}

int intercom_change(const struct account *a, const struct ask *ask, struct bytes wanted,
		    struct call *out, struct buf *covers, struct why *why)
{
	struct writing w = {
		.account = a, .ask = ask, .wanted = wanted, .out = out, .covers = covers, .why = why};
	int rc;

	if (!url_id_usable(ask->id))
		return why_set(why, ERR_INVALID, "this cannot be an id at Intercom");
	rc = put_attributes(&w);
	if (rc == 1)
		rc = put_states(&w);
	if (rc == 1)
		rc = put_assignment(&w, "assignee", "admin");
	if (rc == 1)
		rc = put_assignment(&w, "team", "team");
	if (rc == 1)
		rc = put_tag(&w);
	put_headers(&w);
	return rc == 1 ? why_set(why, ERR_INVALID, "Intercom has no request for this change") : rc;
}
