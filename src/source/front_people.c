/*
 * front_people: who takes part in messages without being a contact. Front names him by his handle alone, so he becomes a contact of our own, with what the message
 * says of him and an id that Front understands as "the contact with this handle": alt:email:ann@x.test. He is one whatever messages he is in, and gives way to the
 * contact who has that handle.
 */
#include "front.h"

#include <string.h>

#define DERIVED "alt:"

/* The kinds of handles, by the type of the message that they stand in. */
static const char *source_of(struct bytes type)
{
	static const struct {
		const char *type, *source;
	} sources[] = {
		{"email", "email"},
		{"sms", "phone"},
		{"call", "phone"},
		{"phone-call", "phone"},
		{"whatsapp", "phone"},
		{"yalo_wha", "phone"},
		{"tweet", "twitter"},
		{"tweet_dm", "twitter"},
		{"facebook", "facebook"},
		{"intercom", "intercom"},
		{"front_chat", "front_chat"},
	};

	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
		if (bytes_is(type, sources[i].type))
			return sources[i].source;
	return "custom";
}

/* Mail addresses are the same in any case. */
static void put_id(struct buf *out, const char *source, struct bytes handle)
{
	bool mail = strcmp(source, "email") == 0;

	buf_printf(out, DERIVED "%s:", source);
	for (size_t i = 0; i < handle.len; i++) {
		uint8_t c = handle.data[i];
		buf_put_byte(out, mail && c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c);
	}
}

static bool has_contact(struct bytes recipient)
{
	struct bytes link;
	struct mp_value v;

	return mp_path(recipient, bytes_str("_links.related.contact"), &link) == 1 &&
	       mp_get(link, &v) && v.type != MP_NIL;
}

/* The sender of what goes out is a channel of the company's. */
static bool is_ours(struct bytes message, struct bytes recipient)
{
	struct bytes role;
	bool inbound;

	return mp_find_str(recipient, "role", &role) && bytes_is(role, "from") &&
	       mp_find_bool(message, "is_inbound", &inbound) && !inbound;
}

static bool is_there(const struct page *whole, struct bytes id)
{
	for (size_t i = 0; i < whole->count; i++)
		if (bytes_equal(whole->records[i].record.id, id))
			return true;
	return false;
}

static void put_doc(struct buf *out, struct bytes id, struct bytes name, const char *source,
		    struct bytes handle)
{
	mp_put_map(out, 4);
	mp_put_cstr(out, "id");
	mp_put_str(out, id);
	mp_put_cstr(out, "kind");
	mp_put_cstr(out, "recipient");
	mp_put_cstr(out, "name");
	if (name.len)
		mp_put_str(out, name);
	else
		mp_put_nil(out);
	mp_put_cstr(out, "handles");
	mp_put_array(out, 1);
	mp_put_map(out, 2);
	mp_put_cstr(out, "handle");
	mp_put_str(out, handle);
	mp_put_cstr(out, "source");
	mp_put_cstr(out, source);
}

static int add(const struct account *a, struct page *whole, const struct record *message,
	       struct bytes recipient)
{
	struct page_record item = {.children = -1, .record = *message};
	struct bytes handle, name = {0}, type = {0};
	struct buf id = {0}, doc = {0};

	if (has_contact(recipient) || is_ours(message->doc, recipient) ||
	    !mp_find_str(recipient, "handle", &handle) || handle.len == 0)
		return 0;
	mp_find_str(recipient, "name", &name);
	mp_find_str(message->doc, "type", &type);
	put_id(&id, source_of(type), handle);
	put_doc(&doc, buf_bytes(&id), name, source_of(type), handle);
	int rc = id.error ? id.error : doc.error;
	if (rc == 0 && id.len <= RECORD_ID_MAX && !is_there(whole, buf_bytes(&id))) {
		item.type = provider_type(a->provider, bytes_str("contacts"));
		item.record.id = arena_bytes(&whole->arena, buf_bytes(&id));
		item.record.doc = arena_bytes(&whole->arena, buf_bytes(&doc));
		item.record.parent = bytes_of(NULL, 0);
		item.record.updated_ms = item.record.created_ms;
		rc = item.record.id.data && item.record.doc.data ? 0 : ERR_NOMEM;
		if (rc == 0)
			whole->records[whole->count++] = item;
	}
	buf_release(&id);
	buf_release(&doc);
	return rc;
}

/* Recipients of a message; 0 where there are none. */
static uint32_t recipients_of(struct bytes message, struct mp_reader *out)
{
	struct bytes list;
	struct mp_value head;

	if (mp_find(message, bytes_str("recipients"), &list) != 1)
		return 0;
	*out = mp_reader_of(list);
	return mp_next(out, &head) == 1 && head.type == MP_ARRAY ? head.count : 0;
}

size_t front_recipients(const struct page *part)
{
	struct mp_reader r;
	size_t n = 0;

	for (size_t i = 0; i < part->count; i++)
		n += recipients_of(part->records[i].record.doc, &r);
	return n;
}

int front_add_people(const struct account *a, struct page *whole, const struct page *part)
{
	struct mp_reader r;
	struct bytes recipient;
	int rc = 0;

	for (size_t i = 0; i < part->count && rc == 0; i++) {
		const struct record *message = &part->records[i].record;
		uint32_t count = recipients_of(message->doc, &r);
		for (uint32_t k = 0; k < count && rc == 0 && mp_take(&r, &recipient) == 1; k++)
			rc = add(a, whole, message, recipient);
	}
	return rc;
}

bool front_derived(const struct resource_type *type, struct bytes id)
{
	return strcmp(type->name, "contacts") == 0 && id.len > sizeof DERIVED - 1 &&
	       memcmp(id.data, DERIVED, sizeof DERIVED - 1) == 0;
}

/* The handle as it was written, and as the id has it. */
size_t front_derived_by(const struct resource_type *type, const struct record *derived,
			const char **field_out, struct bytes texts[DERIVED_TEXTS_MAX])
{
	struct bytes item;

	*field_out = "handles";
	if (!front_derived(type, derived->id) ||
	    mp_path(derived->doc, bytes_str("handles.0"), &item) != 1 ||
	    !mp_find_str(item, "handle", &texts[0]) || texts[0].len >= derived->id.len)
		return 0;
	texts[1] = bytes_of(derived->id.data + derived->id.len - texts[0].len, texts[0].len);
	return 2;
}

int front_stands_for(const struct resource_type *type, struct bytes doc, unsigned i, struct buf *id)
{
	struct bytes list, item, handle, source;
	struct mp_value head;

	buf_reset(id);
	if (strcmp(type->name, "contacts") != 0 || mp_find(doc, bytes_str("handles"), &list) != 1)
		return 0;
	struct mp_reader r = mp_reader_of(list);
	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY)
		return 0;
	for (uint32_t k = 0; k < head.count && mp_take(&r, &item) == 1; k++) {
		char name[24];
		if (!mp_find_str(item, "handle", &handle) ||
		    !mp_find_str(item, "source", &source) || source.len >= sizeof name || i-- > 0)
			continue;
		memcpy(name, source.data, source.len);
		name[source.len] = 0;
		put_id(id, name, handle);
		return id->error ? id->error : 1;
	}
	return 0;
}
