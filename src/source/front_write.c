/*
 * front_write: what can be edited at Front, and by which requests. Facts: the description of Front's Core API.
 *
 *   PATCH /conversations/{id}        state, assignee, custom fields
 *   POST, DELETE /conversations/{id}/tags   tags that come, tags that go: unlike tag_ids of PATCH it leaves those alone that somebody else changes meanwhile
 *   PATCH /contacts/{id}             name, description, custom fields
 *
 * `custom_fields` replaces all of them, so all that were read just before are sent, with ours in them. The answers are empty (204).
 */
#include "front.h"
#include "write_doc.h"

#include <codec/json.h>

#include <stdio.h>
#include <string.h>

/* ---- the state: the words of questions for Front's statuses ---- */

static const struct field *state_field(void)
{
	for (const struct resource_type *t = front_types; t->name; t++)
		if (strcmp(t->name, "conversations") == 0)
			return field_find(t->fields, bytes_str("state"));
	return NULL;
}

static int state_value(struct bytes doc, struct buf *out)
{
	int rc = field_value(state_field(), doc, out);

	return rc < 0 ? rc : out->error;
}

static int put_member(struct bytes doc, const char *key, const char *text, struct buf *out)
{
	struct buf value = {0};
	int rc;

	mp_put_cstr(&value, text);
	rc = value.error ? value.error : doc_put(doc, key, (struct bytes){0}, buf_bytes(&value), out);
	buf_release(&value);
	return rc;
}

static int drop_reminders(struct bytes doc, struct buf *out)
{
	static const uint8_t none = 0x90;

	return doc_put(doc, "scheduled_reminders", (struct bytes){0}, bytes_of(&none, 1), out);
}

static int state_apply(struct bytes doc, struct bytes value, struct buf *out)
{
	struct buf first = {0};
	struct bytes assignee;
	struct mp_value v, who;
	bool assigned = mp_find(doc, bytes_str("assignee"), &assignee) == 1 &&
			mp_get(assignee, &who) && who.type == MP_MAP;
	int rc;

	if (!mp_get(value, &v) || v.type != MP_STR)
		return ERR_CORRUPT;
	bool open = bytes_is(v.str, "open"), closed = bytes_is(v.str, "closed");
	rc = put_member(doc, "status",
			open && assigned ? "assigned"
			: open           ? "unassigned"
			: closed         ? "archived"
					 : "deleted",
			&first);
	if (rc == 0)
		rc = drop_reminders(buf_bytes(&first), out);
	buf_release(&first);
	return rc;
}

const struct editable front_editable[] = {
	{.resource = "contacts", .name = "name", .kind = EDITABLE_TEXT, .path = "name", .empties = true},
	{.resource = "contacts",
	 .name = "description",
	 .kind = EDITABLE_TEXT,
	 .path = "description",
	 .empties = true},
	{.resource = "contacts",
	 .name = "custom_fields.",
	 .kind = EDITABLE_MEMBER,
	 .path = "custom_fields",
	 .empties = true},
	/* Who is assigned decides which of two statuses an open one has: it comes first. */
	{.resource = "conversations",
	 .name = "assignee",
	 .kind = EDITABLE_OBJECT,
	 .path = "assignee",
	 .of = "admins",
	 .empties = true},
	{.resource = "conversations",
	 .name = "state",
	 .kind = EDITABLE_CHOICE,
	 .path = "status",
	 .choices = "open|closed|trashed",
	 .value = state_value,
	 .apply = state_apply},
	{.resource = "conversations", .name = "ticket_status", .kind = EDITABLE_TEXT, .path = "status_id"},
	{.resource = "conversations",
	 .name = "tags",
	 .kind = EDITABLE_OBJECTS,
	 .path = "tags",
	 .of = "tags",
	 .empties = true},
	{.resource = "conversations",
	 .name = "custom_fields.",
	 .kind = EDITABLE_MEMBER,
	 .path = "custom_fields",
	 .empties = true},
	{.resource = NULL},
};

/* With ticketing the ticket's status says whether it is open, whatever is archived. */
static bool has_ticket_status(struct bytes doc)
{
	struct bytes at;
	struct mp_value v;

	return mp_find(doc, bytes_str("status_category"), &at) == 1 && mp_get(at, &v) &&
	       v.type == MP_STR && v.str.len;
}

/* ---- writing ---- */

struct writing {
	const struct account *account;
	const struct ask *ask;
	struct bytes wanted;
	struct call *out;
	struct buf *covers;
	struct why *why;
	uint32_t count;  /* members of the request, */
	uint32_t fields; /* fields that they are */
	bool custom;
};

#define CUSTOM "custom_fields."

static bool is_custom(struct bytes name)
{
	return name.len > strlen(CUSTOM) && memcmp(name.data, CUSTOM, strlen(CUSTOM)) == 0;
}

static void put_path(const struct writing *w, const char *method, const char *rest)
{
	w->out->method = method;
	buf_printf(&w->out->url, "%s%s/", w->account->base_url, front_route(w->ask->type)->path);
	buf_put_bytes(&w->out->url, w->ask->id);
	buf_put_str(&w->out->url, rest);
}

static void begin_member(struct writing *w, const char *name)
{
	if (w->count++)
		buf_put_byte(&w->out->body, ',');
	json_write_str(&w->out->body, bytes_str(name));
	buf_put_byte(&w->out->body, ':');
}

static int put_status(struct writing *w, struct bytes value)
{
	static const char *const words[][2] = {
		{"open", "open"}, {"closed", "archived"}, {"trashed", "deleted"}};
	struct mp_value v;

	bool trashes = mp_get(value, &v) && v.type == MP_STR && bytes_is(v.str, "trashed");
	if (!trashes && has_ticket_status(w->ask->change->doc))
		return why_set(
			w->why, ERR_INVALID,
			"this conversation is a ticket, and its status decides whether it is open: set ticket_status to the id of another one");
	begin_member(w, "status");
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (mp_get(value, &v) && v.type == MP_STR && bytes_is(v.str, words[i][0]))
			json_write_str(&w->out->body, bytes_str(words[i][1]));
	return 0;
}

static int put_attribute(void *ctx, struct bytes name, struct bytes value)
{
	struct writing *w = ctx;
	int rc = 0;

	if (is_custom(name)) {
		w->custom = true;
	} else if (bytes_is(name, "state")) {
		rc = put_status(w, value);
	} else if (bytes_is(name, "ticket_status")) {
		begin_member(w, "status_id");
		rc = json_write(value, &w->out->body);
	} else if (bytes_is(name, "assignee")) {
		begin_member(w, "assignee_id");
		rc = json_write(value, &w->out->body);
	} else if (bytes_is(name, "name") || bytes_is(name, "description")) {
		begin_member(w, bytes_is(name, "name") ? "name" : "description");
		rc = json_write(value, &w->out->body);
	} else {
		return 0;
	}
	mp_put_str(w->covers, name);
	buf_put_bytes(w->covers, value);
	w->fields++;
	return rc;
}

/* All that there are, as they will be. */
static int put_custom(struct writing *w)
{
	struct buf after = {0};
	struct bytes map;
	int rc = write_overlay(w->account, w->ask->type, w->wanted, w->ask->change->doc, NULL, &after);

	if (rc == 0 && mp_find(buf_bytes(&after), bytes_str("custom_fields"), &map) != 1)
		rc = ERR_CORRUPT;
	if (rc == 0) {
		begin_member(w, "custom_fields");
		rc = json_write(map, &w->out->body);
	}
	buf_release(&after);
	return rc;
}

/* 1: there are none; the request is not begun. */
static int put_attributes(struct writing *w)
{
	size_t mark = mp_begin_map(w->covers);
	int rc;

	buf_put_byte(&w->out->body, '{');
	rc = fields_each(w->wanted, put_attribute, w);
	if (rc == 0 && w->custom)
		rc = put_custom(w);
	buf_put_byte(&w->out->body, '}');
	mp_end_map(w->covers, mark, w->fields);
	if (rc)
		return rc;
	if (w->fields == 0) {
		buf_reset(&w->out->body);
		buf_reset(w->covers);
		return 1;
	}
	put_path(w, "PATCH", "");
	return 0;
}

/* ---- tags ---- */

/* Appends the ids of one list that another has not, or (`both`) has, too. */
static uint32_t put_ids(struct bytes list, struct bytes other, bool both, struct buf *out)
{
	struct mp_reader r = mp_reader_of(list);
	struct mp_value head, v;
	uint32_t n = 0;

	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return 0;
	for (uint32_t i = 0; i < head.count && mp_next(&r, &v) == 1; i++)
		if (v.type == MP_STR && ids_have(other, v.str) == both) {
			mp_put_str(out, v.str);
			n++;
		}
	return n;
}

/* What has to come first, then what has to go. */
static int put_tags(const struct writing *w)
{
	struct buf there = {0}, ids = {0}, rest = {0};
	struct bytes wanted, raw;
	int rc;

	if (mp_find(w->wanted, bytes_str("tags"), &wanted) != 1)
		return 1;
	rc = mp_find(w->ask->change->doc, bytes_str("tags"), &raw);
	rc = rc < 0 ? rc : ids_put(rc ? raw : (struct bytes){0}, &there);
	size_t mark = mp_begin_array(&ids);
	uint32_t n = put_ids(wanted, buf_bytes(&there), false, &ids);
	bool adds = n > 0;
	if (!adds)
		n = put_ids(buf_bytes(&there), wanted, false, &ids);
	mp_end_array(&ids, mark, n);
	/* What it leaves: with those that come all that are there, else those that stay. */
	mark = mp_begin_array(&rest);
	uint32_t kept = put_ids(buf_bytes(&there), adds ? buf_bytes(&there) : wanted, true, &rest);
	if (adds)
		kept += put_ids(wanted, buf_bytes(&there), false, &rest);
	mp_end_array(&rest, mark, kept);
	if (rc == 0 && (there.error || ids.error || rest.error))
		rc = ERR_NOMEM;
	if (rc == 0) {
		put_path(w, adds ? "POST" : "DELETE", "/tags");
		buf_put_str(&w->out->body, "{\"tag_ids\":");
		rc = json_write(buf_bytes(&ids), &w->out->body);
		buf_put_byte(&w->out->body, '}');
		mp_put_map(w->covers, 1);
		mp_put_cstr(w->covers, "tags");
		if (rc == 0)
			rc = ids_put(buf_bytes(&rest), w->covers);
	}
	buf_release(&there);
	buf_release(&ids);
	buf_release(&rest);
	return rc;
}

int front_change(const struct account *a, const struct ask *ask, struct bytes wanted,
		 struct call *out, struct buf *covers, struct why *why)
{
	struct writing w = {
		.account = a, .ask = ask, .wanted = wanted, .out = out, .covers = covers, .why = why};
	int rc;

	if (!url_id_usable(ask->id))
		return why_set(why, ERR_INVALID, "this cannot be an id at Front");
	rc = put_attributes(&w);
	if (rc == 1)
		rc = put_tags(&w);
	snprintf(out->headers[0], sizeof out->headers[0], "Accept: application/json");
	snprintf(out->headers[1], sizeof out->headers[1], "Content-Type: application/json");
	return rc == 1 ? why_set(why, ERR_INVALID, "Front has no request for this change") : rc;
}
