/* Prints what short lists hold: teammates, teams, tags, inboxes, channels,
 * links, contact lists, statuses, custom fields, rules, accounts. */
#include "front_render.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void front_time(struct buf *b, const char *key, int64_t ms)
{
	int64_t rest = ms % 1000;

	if (!ms) {
		j_null(b, key);
		return;
	}
	j_int(b, key, ms / 1000);
	if (!rest)
		return;
	if (rest % 100 == 0)
		buf_fmt(b, ".%d", (int)(rest / 100));
	else if (rest % 10 == 0)
		buf_fmt(b, ".%02d", (int)(rest / 10));
	else
		buf_fmt(b, ".%03d", (int)rest);
}

void front_url(struct buf *b, const char *key, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	j_key(b, key);
	buf_fmt(b, "\"" FRONT_HOST "%s\"", text);
}

void front_links_open(struct buf *b, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	j_open(b, "_links", '{');
	front_url(b, "self", "%s", text);
	j_open(b, "related", '{');
}

void front_links_close(struct buf *b)
{
	buf_lit(b, "}}");
}

static void self_only(struct buf *b, const char *path, struct front_id id)
{
	j_open(b, "_links", '{');
	front_url(b, "self", "/%s/%s", path, id.text);
	j_close(b, '}');
	j_str(b, "id", id.text);
}

static const struct {
	const char *name, *type;
} fields[] = {
	{"Order number", "string"}, {"VIP", "boolean"},    {"Renewal", "datetime"},
	{"Seats", "number"},        {"Owner", "teammate"}, {"Escalate to", "inbox"},
	{"Plan", "enum"},
};

static const char *const plans[] = {"free", "team", "business \xe2\x98\x85"};

uint32_t front_field_count(void)
{
	return sizeof(fields) / sizeof(fields[0]);
}

static void teammate_email(uint32_t idx, char out[64])
{
	snprintf(out, 64, "agent%u@acme.example", idx + 1);
}

static void print_field(struct buf *b, uint32_t f, struct rng *r)
{
	const char *name = fields[f].name;
	char text[64];

	switch (f) {
	case 0:
		snprintf(text, sizeof(text), "A-%05u", rng_below(r, 100000));
		j_str(b, name, text);
		break;
	case 1: j_bool(b, name, rng_chance(r, 500)); break;
	case 2: j_int(b, name, world.opt.now - rng_below(r, 86400 * 300)); break;
	case 3: j_int(b, name, rng_below(r, 5000)); break;
	case 4:
		teammate_email(rng_below(r, world.opt.admins), text);
		j_str(b, name, text);
		break;
	case 5: j_str(b, name, front_id(FRONT_INBOX, rng_below(r, world.opt.inboxes)).text); break;
	default: j_str(b, name, plans[rng_below(r, 3)]);
	}
}

void front_custom_fields(struct buf *b, uint64_t seed)
{
	struct rng r = {hash2(seed, 41)};
	bool some = rng_chance(&r, 350);

	j_open(b, "custom_fields", '{');
	for (uint32_t f = 0; some && f < front_field_count(); f++)
		if (rng_chance(&r, 400))
			print_field(b, f, &r);
	j_close(b, '}');
}

void front_own_fields(struct buf *b, uint32_t written, uint64_t seed)
{
	if (written)
		written_print(b, "custom_fields", written_at(written)->value);
	else
		front_custom_fields(b, seed);
}

static bool is_plan(const char *text)
{
	for (size_t i = 0; text && i < sizeof(plans) / sizeof(plans[0]); i++)
		if (!strcmp(plans[i], text))
			return true;
	return false;
}

static bool is_teammate(const char *text)
{
	char email[64];

	for (uint32_t i = 0; text && i < front.teammates.count; i++) {
		teammate_email(i, email);
		if (!strcmp(email, text))
			return true;
	}
	return false;
}

bool front_field_fits(const char *name, const json_t *value)
{
	const char *text = json_string_value(value);
	uint32_t idx;

	for (uint32_t f = 0; f < front_field_count(); f++) {
		if (strcmp(fields[f].name, name) != 0)
			continue;
		switch (f) {
		case 0: return text != NULL;
		case 1: return json_is_boolean(value);
		case 2:
		case 3: return json_is_number(value);
		case 4: return is_teammate(text);
		case 5: return text && front_index(FRONT_INBOX, text, front.inboxes.count, &idx);
		default: return is_plan(text);
		}
	}
	return false;
}

void front_render_field(struct buf *b, const char *scope, uint32_t idx)
{
	uint32_t number = 0;

	for (const char *p = scope; *p; p++)
		number = number * 7 + (unsigned char)*p;
	j_open(b, NULL, '{');
	self_only(b, "custom_fields", front_id(FRONT_FIELD, number % 1000 * 10 + idx));
	j_str(b, "name", fields[idx].name);
	j_str(b, "description", idx % 2 ? "" : "For the weekly report");
	j_str(b, "type", fields[idx].type);
	if (idx == 6) {
		j_open(b, "values", '[');
		for (int i = 0; i < 3; i++) {
			j_open(b, NULL, '{');
			j_str(b, "value", plans[i]);
			j_str(b, "label", plans[i]);
			j_close(b, '}');
		}
		j_close(b, ']');
	}
	j_close(b, '}');
}

/* Rules that write are teammates, too. */
static bool is_bot(uint32_t idx)
{
	return idx && idx % 4 == 0;
}

void front_render_teammate(struct buf *b, const char *key, uint32_t idx, uint64_t seq)
{
	const struct item *it = &front.teammates.list[idx];
	const char *name = item_name(it, seq), *last = strchr(name, ' ');
	uint32_t revision = item_revision(it, seq);
	struct front_id id = front_id(FRONT_TEAMMATE, idx);
	char email[64];

	teammate_email(idx, email);
	j_open(b, key, '{');
	front_links_open(b, "/teammates/%s", id.text);
	front_url(b, "inboxes", "/teammates/%s/inboxes", id.text);
	front_url(b, "conversations", "/teammates/%s/conversations", id.text);
	if (is_bot(idx))
		front_url(b, "botSource", "/rules/%s",
			  front_id(FRONT_RULE, idx % front_rule_count()).text);
	front_links_close(b);
	j_str(b, "id", id.text);
	j_str(b, "email", email);
	j_key(b, "username");
	buf_fmt(b, "\"agent_%u\"", idx + 1);
	j_strn(b, "first_name", name, last ? (size_t)(last - name) : strlen(name));
	j_str(b, "last_name", last ? last + 1 : "");
	j_bool(b, "is_admin", idx == 0);
	j_bool(b, "is_available", world_seed(SEED_ADMIN, hash2(idx, revision)) % 2);
	j_bool(b, "is_blocked", idx % 13 == 12);
	j_str(b, "type", is_bot(idx) ? "rule" : "user");
	front_custom_fields(b, world_seed(SEED_ADMIN, 1000 + idx));
	j_close(b, '}');
}

void front_render_team(struct buf *b, uint32_t idx, bool whole)
{
	j_open(b, NULL, '{');
	self_only(b, "teams", front_id(FRONT_TEAM, idx));
	j_str(b, "name", item_name(&front.teams.list[idx], UINT64_MAX));
	if (whole) {
		j_open(b, "inboxes", '[');
		for (uint32_t i = idx; i < front.inboxes.count; i += front.teams.count)
			if (front_item_live(&front.inboxes, i) && !front_inbox_private(i))
				front_render_inbox(b, NULL, i, UINT64_MAX);
		j_close(b, ']');
		j_open(b, "members", '[');
		for (uint32_t i = idx; i < front.teammates.count; i += front.teams.count)
			front_render_teammate(b, NULL, i, UINT64_MAX);
		j_close(b, ']');
	}
	j_close(b, '}');
}

static bool has_children(uint32_t tag, uint64_t seq)
{
	const struct item *child = &front.tags.list[tag + 3];

	return !front_tag_parent(tag) && tag % 4 == 0 && tag + 3 < front.tags.count &&
	       child->names[0].seq <= seq && item_there(child, seq);
}

static void tag_owner(struct buf *b, uint32_t idx)
{
	if (front_tag_private(idx))
		front_url(b, "owner", "/teammates/%s",
			  front_id(FRONT_TEAMMATE, idx % front.teammates.count).text);
	else if (idx % 3 == 1)
		front_url(b, "owner", "/teams/%s", front_id(FRONT_TEAM, idx % front.teams.count).text);
	else
		j_null(b, "owner");
}

void front_render_tag(struct buf *b, const char *key, uint32_t idx, uint64_t seq)
{
	static const char *const colours[] = {NULL,     "grey",       "red",    "\xf0\x9f\x9a\x9a",
					      "teal",   "light-blue", "yellow", "purple",
					      "orange", "green",      "blue"};
	const struct item *it = &front.tags.list[idx];
	struct front_id id = front_id(FRONT_TAG, idx);
	uint32_t parent = front_tag_parent(idx), revision = item_revision(it, seq);

	j_open(b, key, '{');
	front_links_open(b, "/tags/%s", id.text);
	front_url(b, "conversations", "/tags/%s/conversations", id.text);
	tag_owner(b, idx);
	if (parent)
		front_url(b, "parent_tag", "/tags/%s", front_id(FRONT_TAG, parent - 1).text);
	else
		j_null(b, "parent_tag");
	if (has_children(idx, seq))
		front_url(b, "children", "/tags/%s/children", id.text);
	else
		j_null(b, "children");
	front_links_close(b);
	j_str(b, "id", id.text);
	j_str(b, "name", it->names[revision].text);
	j_str(b, "description", idx % 5 == 1 ? "What the night shift left" : NULL);
	j_str(b, "highlight", colours[idx % 11]);
	j_bool(b, "is_private", front_tag_private(idx));
	j_bool(b, "is_visible_in_conversation_lists", idx % 5 != 2);
	front_time(b, "created_at", front_decimals(it->created, idx));
	front_time(b, "updated_at", front_decimals(it->names[revision].at, idx + revision));
	j_close(b, '}');
}

void front_render_inbox(struct buf *b, const char *key, uint32_t idx, uint64_t seq)
{
	struct front_id id = front_id(FRONT_INBOX, idx);
	char address[96];

	front_channel_address(idx, address);
	j_open(b, key, '{');
	front_links_open(b, "/inboxes/%s", id.text);
	front_url(b, "teammates", "/inboxes/%s/teammates", id.text);
	front_url(b, "conversations", "/inboxes/%s/conversations", id.text);
	front_url(b, "channels", "/inboxes/%s/channels", id.text);
	front_url(b, "owner", front_inbox_private(idx) ? "/teammates/%s" : "/teams/%s",
		  front_id(front_inbox_private(idx) ? FRONT_TEAMMATE : FRONT_TEAM,
			   idx % front.teams.count)
			  .text);
	front_links_close(b);
	j_str(b, "id", id.text);
	j_str(b, "name", item_name(&front.inboxes.list[idx], seq));
	j_bool(b, "is_private", front_inbox_private(idx));
	j_bool(b, "is_public", !front_inbox_private(idx));
	front_custom_fields(b, world_seed(SEED_TEAM, 500 + idx));
	if (idx % 2 == 0) { /* old inboxes still show what channels have now */
		j_str(b, "address", address);
		j_str(b, "send_as", address);
		j_str(b, "type", "smtp");
	}
	j_close(b, '}');
}

void front_channel_address(uint32_t idx, char out[96])
{
	switch (front_inbox_source(idx)) {
	case SOURCE_PHONE: snprintf(out, 96, "+1555999%04u", idx); break;
	case SOURCE_CUSTOM: snprintf(out, 96, "shop-%u", idx); break;
	case SOURCE_TWITTER: snprintf(out, 96, "@acme_%u", idx); break;
	default: snprintf(out, 96, "inbox%u@acme.example", idx + 1);
	}
}

void front_render_channel(struct buf *b, uint32_t idx)
{
	static const char *const types[] = {"smtp",   "gmail",     "twilio",
					    "custom", "office365", "twitter"};
	struct front_id id = front_id(FRONT_CHANNEL, idx);
	char address[96];

	front_channel_address(idx, address);
	j_open(b, NULL, '{');
	front_links_open(b, "/channels/%s", id.text);
	if (front_item_live(&front.inboxes, idx))
		front_url(b, "inbox", "/inboxes/%s", front_id(FRONT_INBOX, idx).text);
	else
		j_null(b, "inbox");
	front_url(b, "owner", "/teams/%s", front_id(FRONT_TEAM, idx % front.teams.count).text);
	front_links_close(b);
	j_str(b, "id", id.text);
	j_str(b, "name", item_name(&front.inboxes.list[idx], UINT64_MAX));
	j_str(b, "address", address);
	j_str(b, "type", idx < 6 ? types[idx] : "imap");
	j_str(b, "send_as", address);
	j_lit(b, "\"settings\":{\"undo_send_time\":15,\"all_teammates_can_reply\":true}");
	j_bool(b, "is_private", front_inbox_private(idx));
	j_bool(b, "is_valid", idx % 5 != 4);
	j_close(b, '}');
}

void front_render_link(struct buf *b, const char *key, uint32_t idx, uint64_t seq)
{
	char url[96];

	snprintf(url, sizeof(url), "https://tracker.example/issues/%u?from=inbox&n=1", 1000 + idx * 7);
	j_open(b, key, '{');
	self_only(b, "links", front_id(FRONT_LINK, idx));
	j_str(b, "name", item_name(&front.links.list[idx], seq));
	j_str(b, "type", idx % 3 == 0 ? "web" : idx % 3 == 1 ? "jira" : "app_2f76b9ac738de158");
	j_str(b, "external_url", url);
	front_custom_fields(b, world_seed(SEED_SEGMENT, 900 + idx));
	j_close(b, '}');
}

void front_render_list(struct buf *b, uint32_t idx, uint64_t seq)
{
	struct front_id id = front_id(FRONT_LIST, idx);

	j_open(b, NULL, '{');
	front_links_open(b, "/contact_lists/%s", id.text);
	front_url(b, "contacts", "/contact_lists/%s/contacts", id.text);
	front_url(b, "owner", "/teams/%s", front_id(FRONT_TEAM, idx % front.teams.count).text);
	front_links_close(b);
	j_str(b, "id", id.text);
	j_str(b, "name", item_name(&front.lists.list[idx], seq));
	j_bool(b, "is_private", false);
	j_close(b, '}');
}

static const struct {
	const char *name, *category;
} statuses[] = {
	{"Open", "open"}, {"Waiting", "waiting"}, {"On hold", "waiting"}, {"Resolved", "resolved"}};

uint32_t front_status_count(void)
{
	return sizeof(statuses) / sizeof(statuses[0]);
}

const char *front_status_category(uint32_t idx)
{
	return statuses[idx].category;
}

void front_render_status(struct buf *b, uint32_t idx)
{
	uint32_t at = world.opt.now - (world.opt.days + 60) * 86400;

	j_open(b, NULL, '{');
	self_only(b, "company/statuses", front_id(FRONT_STATUS, idx));
	j_str(b, "name", statuses[idx].name);
	j_str(b, "category", statuses[idx].category);
	j_str(b, "description", idx ? NULL : "New, or being worked on");
	front_time(b, "created_at", front_decimals(at, idx));
	front_time(b, "updated_at", front_decimals(at + 86400, idx));
	j_close(b, '}');
}

uint32_t front_rule_count(void)
{
	return 4;
}

void front_render_rule(struct buf *b, const char *key, uint32_t idx)
{
	static const char *const names[] = {"New mail to the team", "Tag orders",
					    "Wake the snoozed", "Close old ones"};
	struct front_id id = front_id(FRONT_RULE, idx);

	j_open(b, key, '{');
	front_links_open(b, "/rules/%s", id.text);
	j_null(b, "owner");
	front_links_close(b);
	j_str(b, "id", id.text);
	j_str(b, "name", names[idx % 4]);
	j_lit(b, "\"actions\":[\"Assign to Support\"]");
	j_bool(b, "is_private", false);
	j_close(b, '}');
}

int64_t front_account_updated(uint32_t idx, uint64_t seq)
{
	const struct item *it = &front.accounts.list[idx];
	uint32_t revision = item_revision(it, seq);

	return front_decimals(it->names[revision].at, idx + revision);
}

void front_render_account(struct buf *b, const char *key, uint32_t idx, uint64_t seq)
{
	const struct item *it = &front.accounts.list[idx];
	struct front_id id = front_id(FRONT_ACCOUNT, idx);
	char text[64];

	j_open(b, key, '{');
	front_links_open(b, "/accounts/%s", id.text);
	front_url(b, "contacts", "/accounts/%s/contacts", id.text);
	front_links_close(b);
	j_str(b, "id", id.text);
	j_str(b, "name", item_name(it, seq));
	j_null(b, "logo_url");
	j_str(b, "description", idx % 3 ? NULL : "Came by the fair");
	j_open(b, "domains", '[');
	snprintf(text, sizeof(text), "account%u.example", idx + 1);
	j_str(b, NULL, text);
	j_close(b, ']');
	snprintf(text, sizeof(text), "ext-%u", 4000 + idx);
	j_str(b, "external_id", idx % 2 ? text : NULL);
	front_custom_fields(b, world_seed(SEED_COMPANY, hash2(idx, item_revision(it, seq))));
	front_time(b, "created_at", front_decimals(it->created, idx));
	front_time(b, "updated_at", front_account_updated(idx, seq));
	j_close(b, '}');
}
