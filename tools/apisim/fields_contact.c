/* The searchable fields of contacts and how to find their values. */
#include "contact.h"
#include "search.h"

#include <stdio.h>
#include <string.h>

enum {
	ROLE = WHAT_OWN,
	NAME,
	AVATAR,
	OWNER,
	EMAIL,
	DOMAIN_,
	PHONE,
	EXTERNAL,
	SIGNED_UP,
	SEEN,
	CONTACTED,
	REPLIED,
	OPENED,
	CLICKED,
	LANGUAGE,
	BROWSER,
	BROWSER_LANGUAGE,
	OS_,
	COUNTRY,
	REGION,
	CITY,
	UNSUBSCRIBED,
	SPAM,
	BOUNCED,
	IOS_SEEN,
	IOS_TEXT,
	ANDROID_SEEN,
	ANDROID_TEXT,
	SEGMENT,
	TAG,
	PLAN,
	SEATS,
	RENEWAL,
	BETA
};

static const struct field fields[] = {
	{"id", FIELD_STRING, WHAT_ID},
	{"created_at", FIELD_DATE, WHAT_CREATED},
	{"updated_at", FIELD_DATE, WHAT_UPDATED},
	{"role", FIELD_STRING, ROLE},
	{"name", FIELD_STRING, NAME},
	{"avatar", FIELD_STRING, AVATAR},
	{"owner_id", FIELD_STRING, OWNER},
	{"email", FIELD_STRING, EMAIL},
	{"email_domain", FIELD_STRING, DOMAIN_},
	{"phone", FIELD_STRING, PHONE},
	{"formatted_phone", FIELD_STRING, PHONE},
	{"external_id", FIELD_STRING, EXTERNAL},
	{"signed_up_at", FIELD_DATE, SIGNED_UP},
	{"last_seen_at", FIELD_DATE, SEEN},
	{"last_contacted_at", FIELD_DATE, CONTACTED},
	{"last_replied_at", FIELD_DATE, REPLIED},
	{"last_email_opened_at", FIELD_DATE, OPENED},
	{"last_email_clicked_at", FIELD_DATE, CLICKED},
	{"language_override", FIELD_STRING, LANGUAGE},
	{"browser", FIELD_STRING, BROWSER},
	{"browser_language", FIELD_STRING, BROWSER_LANGUAGE},
	{"os", FIELD_STRING, OS_},
	{"location.country", FIELD_STRING, COUNTRY},
	{"location.region", FIELD_STRING, REGION},
	{"location.city", FIELD_STRING, CITY},
	{"unsubscribed_from_emails", FIELD_BOOLEAN, UNSUBSCRIBED},
	{"marked_email_as_spam", FIELD_BOOLEAN, SPAM},
	{"has_hard_bounced", FIELD_BOOLEAN, BOUNCED},
	{"ios_last_seen_at", FIELD_DATE, IOS_SEEN},
	{"ios_app_version", FIELD_STRING, IOS_TEXT},
	{"ios_device", FIELD_STRING, IOS_TEXT},
	{"ios_app_device", FIELD_STRING, IOS_TEXT},
	{"ios_os_version", FIELD_STRING, IOS_TEXT},
	{"ios_app_name", FIELD_STRING, IOS_TEXT},
	{"ios_sdk_version", FIELD_STRING, IOS_TEXT},
	{"android_last_seen_at", FIELD_DATE, ANDROID_SEEN},
	{"android_app_version", FIELD_STRING, ANDROID_TEXT},
	{"android_device", FIELD_STRING, ANDROID_TEXT},
	{"android_app_name", FIELD_STRING, ANDROID_TEXT},
	{"andoid_sdk_version", FIELD_STRING, ANDROID_TEXT}, /* spelt like this */
	{"segment_id", FIELD_STRING, SEGMENT},
	{"tag_id", FIELD_TAG, TAG},
	{"custom_attributes.plan", FIELD_STRING, PLAN},
	{"custom_attributes.seats", FIELD_INTEGER, SEATS},
	{"custom_attributes.renewal_date", FIELD_DATE, RENEWAL},
	{"custom_attributes.beta", FIELD_BOOLEAN, BETA},
};

static struct contact *load(uint32_t idx)
{
	static struct contact c;
	static uint64_t version = UINT64_MAX;

	if (c.idx != idx || version != world.version || !c.created)
		contact_build(idx, &c);
	version = world.version;
	return &c;
}

static char ids[32][32];

static void put_text(struct values *out, const char *s)
{
	if (!s || !*s || out->count == 32)
		return;
	out->v[out->count].text = true;
	out->v[out->count++].s = s;
}

static void put_number(struct values *out, int64_t n)
{
	if (out->count == 32)
		return;
	out->v[out->count].text = false;
	out->v[out->count++].number = n;
}

static void put_id(struct values *out, uint64_t id)
{
	if (out->count == 32)
		return;
	snprintf(ids[out->count], sizeof(ids[0]), "%llu", (unsigned long long)id);
	put_text(out, ids[out->count]);
}

static uint32_t time_of(const struct contact *c, uint8_t what)
{
	switch (what) {
	case SIGNED_UP: return c->signed_up;
	case SEEN: return c->last_seen;
	case CONTACTED: return c->last_contacted;
	case REPLIED: return c->last_replied;
	case OPENED: return c->last_opened;
	case CLICKED: return c->last_clicked;
	case IOS_SEEN: return c->has_ios ? c->last_seen : 0;
	case ANDROID_SEEN: return c->has_android ? c->last_seen : 0;
	case RENEWAL: return c->seed % 5 ? c->renewal : 0;
	default: return 0;
	}
}

static const char *text_of(const struct contact *c, uint8_t what)
{
	const char *at = strchr(c->who.email, '@');

	switch (what) {
	case ROLE: return c->who.user ? "user" : "lead";
	case NAME: return c->name;
	case EMAIL: return c->who.email;
	case DOMAIN_: return at ? at + 1 : "";
	case PHONE: return c->phone;
	case EXTERNAL: return c->who.external_id;
	case LANGUAGE: return c->seed % 13 == 0 ? c->place->language : "";
	case BROWSER_LANGUAGE: return c->has_browser ? c->place->language : "";
	case COUNTRY: return c->has_location ? c->place->country : "";
	case REGION: return c->has_location ? c->place->region : "";
	case CITY: return c->has_location ? c->place->city : "";
	case IOS_TEXT: return c->has_ios ? "Acme" : "";
	case ANDROID_TEXT: return c->has_android ? "Acme" : "";
	case PLAN: return c->seed % 5 ? contact_plan_name(c->plan) : "";
	default: return "";
	}
}

static void get_links(const struct contact *c, uint8_t what, struct values *out)
{
	uint32_t list[2], n;

	if (what == TAG) {
		for (uint32_t i = 0; i < c->tag_count; i++)
			put_id(out, world.tags.list[c->tags[i].tag].id);
	} else if (what == SEGMENT) {
		n = contact_segments(c, list);
		for (uint32_t i = 0; i < n; i++) {
			segment_id(list[i], ids[i]);
			put_text(out, ids[i]);
		}
	} else if (c->owner) {
		put_id(out, world.admins.list[c->owner - 1].id);
	}
}

static void get(uint32_t idx, const struct field *f, struct values *out)
{
	const struct contact *c;

	if (f->what == WHAT_ID) {
		contact_id(idx, ids[0]);
		put_text(out, ids[0]);
		return;
	}
	c = load(idx);
	if (f->type == FIELD_DATE) {
		if (time_of(c, f->what))
			put_number(out, time_of(c, f->what));
	} else if (f->type == FIELD_BOOLEAN) {
		put_number(out, f->what == UNSUBSCRIBED ? c->unsubscribed
				: f->what == SPAM       ? c->spam
				: f->what == BOUNCED    ? c->bounced
							: c->seed % 5 && c->seed % 7 == 0);
	} else if (f->what == SEATS) {
		if (c->seats && c->seed % 5)
			put_number(out, c->seats);
	} else if (f->what == TAG || f->what == SEGMENT || f->what == OWNER) {
		get_links(c, f->what, out);
	} else {
		put_text(out, text_of(c, f->what));
	}
}

static bool sort_key(uint32_t idx, const struct field *f, uint32_t *key_out)
{
	if (f->type != FIELD_DATE)
		return false;
	*key_out = time_of(load(idx), f->what);
	return true;
}

static void id_text(uint32_t idx, char out[32])
{
	contact_id(idx, out);
}

const struct resource resource_contacts = {
	"contacts", &world.contacts,
	fields,     sizeof(fields) / sizeof(fields[0]),
	true,       true,
	get,        sort_key,
	id_text,    contact_index,
};
