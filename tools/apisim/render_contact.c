/* Prints contacts. Every field of the schema is there, unset ones as null;
 * nested lists stop after ten and say so. List, search and GET must serve
 * the very same object. */
#include "render.h"
#include "settings.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NESTED_MAX 10

void render_contact_reference(struct buf *b, const char *key, uint32_t contact)
{
	struct contact_identity who;
	char hex[25];

	contact_identify(contact, &who);
	contact_id(contact, hex);
	j_open(b, key, '{');
	j_str(b, "type", "contact");
	j_str(b, "id", hex);
	j_str(b, "external_id", who.external_id[0] ? who.external_id : NULL);
	j_close(b, '}');
}

struct nested {
	const char *key, *type, *path;
	uint32_t count;
};

static void nested_open(struct buf *b, const struct nested *n)
{
	j_open(b, n->key, '{');
	j_str(b, "type", "list");
	j_open(b, "data", '[');
}

static void nested_close(struct buf *b, const struct nested *n, const char *contact, uint32_t shown)
{
	j_close(b, ']');
	buf_fmt(b, ",\"url\":\"/contacts/%s/%s\"", contact, n->path);
	j_int(b, "total_count", n->count);
	j_bool(b, "has_more", n->count > shown);
	j_close(b, '}');
}

static void put_link(struct buf *b, const char *type, const char *id, const char *path)
{
	buf_fmt(b, "%s{\"type\":\"%s\",\"id\":\"%s\",\"url\":\"/%s/%s\"}",
		b->p[b->len - 1] == '[' ? "" : ",", type, id, path, id);
}

/* Whole, the notes stand as their own path lists them: newest first. */
static const struct contact_note *note_at(const struct contact *c, uint32_t i, bool whole)
{
	return &c->notes[whole && c->note_count > NESTED_MAX ? c->note_count - 1 - i : i];
}

static void put_lists(struct buf *b, const struct contact *c, const char *hex, bool whole)
{
	struct nested tags = {"tags", "tag", "tags", c->tag_count};
	struct nested notes = {"notes", "note", "notes", c->note_count};
	struct nested companies = {"companies", "company", "companies", c->company_count};
	struct nested out = {"opted_out_subscription_types", "subscription", "subscriptions", 0};
	struct nested in = {"opted_in_subscription_types", "subscription", "subscriptions", 0};
	uint32_t shown = whole ? CONTACT_LINKS_MAX : NESTED_MAX;
	char id[32];

	nested_open(b, &tags);
	for (uint32_t i = 0; i < c->tag_count && i < shown; i++) {
		snprintf(id, sizeof(id), "%llu",
			 (unsigned long long)world.tags.list[c->tags[i].tag].id);
		put_link(b, "tag", id, "tags");
	}
	nested_close(b, &tags, hex, shown);
	nested_open(b, &notes);
	for (uint32_t i = 0; i < c->note_count && i < shown; i++) {
		snprintf(id, sizeof(id), "%llu", (unsigned long long)note_at(c, i, whole)->id);
		put_link(b, "note", id, "notes");
	}
	nested_close(b, &notes, hex, shown);
	nested_open(b, &companies);
	for (uint32_t i = 0; i < c->company_count && i < shown; i++) {
		company_id(c->companies[i], id);
		put_link(b, "company", id, "companies");
	}
	nested_close(b, &companies, hex, shown);
	nested_open(b, &out);
	nested_close(b, &out, hex, shown);
	nested_open(b, &in);
	nested_close(b, &in, hex, shown);
}

static void put_devices(struct buf *b, const struct contact *c)
{
	static const char android[] = "\"android_app_name\":\"Acme\",\"android_app_version\":\"7.2\","
				      "\"android_device\":\"Pixel 7\",\"android_os_version\":\"14\","
				      "\"android_sdk_version\":\"15.10.3\"";
	static const char no_android[] =
		"\"android_app_name\":null,\"android_app_version\":null,\"android_device\":null,"
		"\"android_os_version\":null,\"android_sdk_version\":null";
	static const char ios[] =
		"\"ios_app_name\":\"Acme\",\"ios_app_version\":\"7.1\",\"ios_device\":\"iPhone15,2\","
		"\"ios_os_version\":\"17.4\",\"ios_sdk_version\":\"17.0.1\"";
	static const char no_ios[] = "\"ios_app_name\":null,\"ios_app_version\":null,\"ios_device\":null,"
				     "\"ios_os_version\":null,\"ios_sdk_version\":null";

	j_lit(b, c->has_android ? android : no_android);
	j_time(b, "android_last_seen_at", c->has_android ? c->last_seen : 0);
	j_lit(b, c->has_ios ? ios : no_ios);
	j_time(b, "ios_last_seen_at", c->has_ios ? c->last_seen : 0);
}

static void put_browser(struct buf *b, const struct contact *c)
{
	static const char *const names[] = {"chrome", "firefox", "safari", "edge"};
	static const char *const systems[] = {"Windows 11", "macOS 14", "Linux", "iOS 17"};
	bool known = c->has_browser;

	j_str(b, "language_override", c->seed % 13 == 0 ? c->place->language : NULL);
	j_str(b, "browser", known ? names[c->seed % 4] : NULL);
	j_str(b, "browser_version", known ? "128.0.0" : NULL);
	j_str(b, "browser_language", known ? c->place->language : NULL);
	j_str(b, "os", known ? systems[c->seed / 4 % 4] : NULL);
	j_open(b, "location", '{');
	j_str(b, "type", "location");
	j_str(b, "country", c->has_location ? c->place->country : NULL);
	j_str(b, "region", c->has_location ? c->place->region : NULL);
	j_str(b, "city", c->has_location ? c->place->city : NULL);
	j_str(b, "country_code", c->has_location ? c->place->country_code : NULL);
	j_str(b, "continent_code", c->has_location ? c->place->continent_code : NULL);
	j_close(b, '}');
}

static void put_tail(struct buf *b, const struct contact *c, const struct view *v)
{
	static const char utm[] =
		"\"utm_campaign\":\"spring\",\"utm_content\":\"hero\","
		"\"utm_medium\":\"cpc\",\"utm_source\":\"newsletter\","
		"\"utm_term\":\"help desk\",\"referrer\":\"https://www.example.org/?q=a&b=c\"";
	static const char no_utm[] = "\"utm_campaign\":null,\"utm_content\":null,"
				     "\"utm_medium\":null,\"utm_source\":null,\"utm_term\":null,"
				     "\"referrer\":null";

	j_lit(b, c->has_utm ? utm : no_utm);
	if (c->push_known)
		j_bool(b, "enabled_push_messaging", c->push);
	else
		j_null(b, "enabled_push_messaging");
	if (!v->merge_history || v->version < VERSION_2_16)
		return;
	j_open(b, "merge_history", '[');
	for (uint32_t i = 0;
	     pop_overlay(&world.contacts, c->idx) && i < pop_overlay(&world.contacts, c->idx)->count;
	     i++) {
		const struct op *op = &pop_overlay(&world.contacts, c->idx)->ops[i];
		struct contact_identity who;
		char hex[25];

		if (op->kind != CONTACT_MERGED_FROM)
			continue;
		contact_id(op->a, hex);
		contact_identify(op->a, &who);
		buf_fmt(b,
			"%s{\"type\":\"merge_history\",\"source_contact_id\":\"%s\","
			"\"source_contact_role\":\"%s\",\"merged_at\":%u}",
			b->p[b->len - 1] == '[' ? "" : ",", hex, who.user ? "user" : "lead", op->at);
	}
	j_close(b, ']');
}

static void put_owner(struct buf *b, const struct contact *c, const struct view *v)
{
	if (!c->owner)
		j_null(b, "owner_id");
	else if (v->version >= VERSION_2_16)
		j_idstr(b, "owner_id", world.admins.list[c->owner - 1].id);
	else
		j_int(b, "owner_id", (int64_t)world.admins.list[c->owner - 1].id);
}

static void put_avatar(struct buf *b, const struct contact *c)
{
	if (!c->has_avatar)
		j_null(b, "avatar");
	else
		buf_fmt(b,
			",\"avatar\":{\"type\":\"avatar\",\"image_url\":"
			"\"https://static.example.com/avatars/%08x/square_128.png\"}",
			(uint32_t)c->seed);
}

static void put_moment(struct buf *b, const char *key, uint32_t at, uint64_t seed)
{
	time_t t = at;
	struct tm tm;
	char text[32];

	if (!settings.mixed_times || seed % 3 == 0) {
		j_int(b, key, at);
	} else if (seed % 3 == 1) {
		j_int(b, key, (int64_t)at * 1000);
	} else {
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
		j_str(b, key, text);
	}
}

static void put_times(struct buf *b, const struct contact *c)
{
	j_bool(b, "has_hard_bounced", c->bounced);
	j_bool(b, "marked_email_as_spam", c->spam);
	j_bool(b, "unsubscribed_from_emails", c->unsubscribed);
	put_moment(b, "created_at", c->created, c->seed);
	put_moment(b, "updated_at", c->updated, c->seed);
	j_time(b, "signed_up_at", c->signed_up);
	j_time(b, "last_seen_at", c->last_seen);
	j_time(b, "last_replied_at", c->last_replied);
	j_time(b, "last_contacted_at", c->last_contacted);
	j_time(b, "last_email_opened_at", c->last_opened);
	j_time(b, "last_email_clicked_at", c->last_clicked);
}

/* What the seed made, where no program has written since. */
static bool seeded(const struct contact *c, const char *name)
{
	char field[80];

	snprintf(field, sizeof(field), "custom_attributes.%s", name);
	return c->seed % 5 && !written_find(&c->own, field);
}

static void put_custom(struct buf *b, const struct contact *c)
{
	j_open(b, "custom_attributes", '{');
	if (seeded(c, "plan"))
		j_str(b, "plan", contact_plan_name(c->plan));
	if (c->seats && seeded(c, "seats"))
		j_int(b, "seats", c->seats);
	if (c->renewal && seeded(c, "renewal_date"))
		j_int(b, "renewal_date", c->renewal);
	if (seeded(c, "beta"))
		j_bool(b, "beta", c->seed % 7 == 0);
	if (c->seed % 9 == 0 && seeded(c, "lifetime value"))
		j_raw(b, "lifetime value", "1234.5");
	if (c->seed % 11 == 0 && seeded(c, "since"))
		j_str(b, "since", "2024-02-29T23:59:60Z");
	written_print_members(b, &c->own, "custom_attributes.");
	j_close(b, '}');
}

void render_contact(struct buf *b, const char *key, const struct contact *c, const struct view *v)
{
	char hex[25];

	contact_id(c->idx, hex);
	b->ascii = c->seed % 8 == 0;
	j_open(b, key, '{');
	j_str(b, "type", "contact");
	j_str(b, "id", hex);
	j_str(b, "workspace_id", world.opt.app_id);
	j_str(b, "external_id", c->who.external_id[0] ? c->who.external_id : NULL);
	j_str(b, "role", c->who.user ? "user" : "lead");
	j_str(b, "email", c->who.email[0] ? c->who.email : NULL);
	j_str(b, "phone", c->phone[0] ? c->phone : NULL);
	j_str(b, "name", c->name[0] ? c->name : NULL);
	put_avatar(b, c);
	put_owner(b, c, v);
	j_lit(b, "\"social_profiles\":{\"type\":\"list\",\"data\":[]}");
	put_times(b, c);
	put_browser(b, c);
	put_devices(b, c);
	put_custom(b, c);
	put_lists(b, c, hex, v->whole_lists);
	put_tail(b, c, v);
	if (c->archived)
		j_bool(b, "archived", true);
	j_close(b, '}');
	b->ascii = false;
}

void render_contact_note(struct buf *b, const struct contact *c, const struct contact_note *n)
{
	char hex[25], email[64];
	const struct item *admin = &world.admins.list[n->admin];

	contact_id(c->idx, hex);
	j_open(b, NULL, '{');
	j_str(b, "type", "note");
	j_idstr(b, "id", n->id);
	j_int(b, "created_at", n->at);
	j_open(b, "contact", '{');
	j_str(b, "type", "contact");
	j_str(b, "id", hex);
	j_close(b, '}');
	j_open(b, "author", '{');
	j_str(b, "type", "admin");
	j_idstr(b, "id", admin->id);
	j_str(b, "name", item_name(admin, UINT64_MAX));
	j_str(b, "email", admin_email(n->admin, email));
	j_lit(b, "\"away_mode_enabled\":false,\"away_mode_reassign\":false");
	j_close(b, '}');
	buf_fmt(b, ",\"body\":\"<p>Asked about the %s &amp; the %s.</p>\"", text_word(n->seed),
		text_word(n->seed + 9));
	j_close(b, '}');
}
