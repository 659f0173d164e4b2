/* desk: see the header. Takes writes as Intercom does: contacts and attributes by PUT, what is done to conversations as parts. */
#include "desk.h"

#include <codec/json.h>
#include <codec/msgpack.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[DESK_FIELDS] = {
	[CONTACT_PHONE] = "phone",
	[CONTACT_OWNER] = "owner",
	[CONTACT_TOPIC] = "custom_attributes.topic",
	[CONTACT_SEATS] = "custom_attributes.seats",
	[TALK_STATE] = "state",
	[TALK_ASSIGNEE] = "assignee",
	[TALK_READ] = "read",
	[TALK_TOPIC] = "custom_attributes.topic",
};

const char *desk_field_name(enum desk_field field)
{
	return names[field];
}

bool desk_field_of(enum kind kind, enum desk_field field)
{
	return kind == KIND_CONTACT        ? field < TALK_STATE
	       : kind == KIND_CONVERSATION ? field >= TALK_STATE
					   : false;
}

void desk_put_plain(enum desk_field field, int value, struct buf *out)
{
	char text[24];

	if (field == TALK_STATE) {
		mp_put_cstr(out, value % 2 ? "closed" : "open");
	} else if (field == TALK_READ) {
		mp_put_bool(out, value % 2);
	} else if (value == 0) {
		mp_put_nil(out);
	} else if (field == CONTACT_SEATS) {
		mp_put_int(out, value);
	} else {
		snprintf(text, sizeof text, "%s%d",
			 field == CONTACT_PHONE                          ? "+"
			 : field == CONTACT_TOPIC || field == TALK_TOPIC ? "t"
									 : "",
			 value);
		mp_put_cstr(out, text);
	}
}

/* ---- records ---- */

static struct desk_record *find(const struct desk *d, unsigned id)
{
	for (unsigned i = 0; i < d->count; i++)
		if (d->records[i].id == id)
			return &d->records[i];
	return NULL;
}

static struct desk_record *record_of(struct desk *d, const struct thing *t)
{
	struct desk_record *r = find(d, t->id);

	if (r)
		return r;
	if (d->count == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 16;
		d->records = realloc(d->records, d->cap * sizeof *d->records);
		assert(d->records);
	}
	r = &d->records[d->count++];
	*r = (struct desk_record){.id = t->id};
	for (int f = 0; f < DESK_FIELDS; f++)
		r->foreign_ms[f] = TIME_MIN;
	return r;
}

static const struct desk_state *state_at(const struct desk *d, unsigned id, unsigned version)
{
	static const struct desk_state none = {0};
	const struct desk_record *r = find(d, id);
	unsigned n = r ? r->count : 0;

	while (n && r->states[n - 1].version > version)
		n--;
	return n ? &r->states[n - 1] : &none;
}

int desk_value(const struct desk *d, const struct thing *t, enum desk_field field)
{
	return state_at(d, t->id, t->changes)->values[field];
}

int desk_value_before(const struct desk *d, const struct thing *t, enum desk_field field)
{
	const struct desk_record *r = find(d, t->id);
	int now = desk_value(d, t, field);

	for (unsigned i = r ? r->count : 0; i > 0; i--)
		if (r->states[i - 1].values[field] != now)
			return r->states[i - 1].values[field];
	return r && r->count ? 0 : now;
}

static bool is_plain(enum desk_field field, int value, struct bytes plain)
{
	struct buf text = {0};

	desk_put_plain(field, value, &text);
	bool same = mp_equal(buf_bytes(&text), plain);
	buf_release(&text);
	return same;
}

bool desk_was(const struct desk *d, const struct thing *t, enum desk_field field, struct bytes plain)
{
	const struct desk_record *r = find(d, t->id);

	for (unsigned i = 0; r && i < r->count; i++)
		if (is_plain(field, r->states[i].values[field], plain))
			return true;
	return is_plain(field, 0, plain);
}

int64_t desk_foreign_ms(const struct desk *d, const struct thing *t, enum desk_field field)
{
	const struct desk_record *r = find(d, t->id);

	return r ? r->foreign_ms[field] : TIME_MIN;
}

static void set(struct desk *d, struct thing *t, enum desk_field field, int value)
{
	world_advance(d->world);
	struct desk_state next = *state_at(d, t->id, t->changes);
	struct desk_record *r = record_of(d, t);

	world_change(d->world, t, world_now(d->world), field == TALK_STATE || field == TALK_ASSIGNEE);
	next.version = t->changes;
	next.values[field] = value;
	if (r->count == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 8;
		r->states = realloc(r->states, r->cap * sizeof *r->states);
		assert(r->states);
	}
	r->states[r->count++] = next;
}

void desk_change(struct desk *d, struct thing *t, enum desk_field field, int value)
{
	set(d, t, field, value);
	record_of(d, t)->foreign_ms[field] = world_now(d->world);
}

void desk_release(struct desk *d)
{
	for (unsigned i = 0; i < d->count; i++)
		free(d->records[i].states);
	free(d->records);
}

/* ---- documents ---- */

static void put_more(void *ctx, const struct thing *t, unsigned version, struct buf *out)
{
	const struct desk *d = ctx;
	const int *v = state_at(d, t->id, version)->values;

	if (t->kind == KIND_CONTACT) {
		if (v[CONTACT_PHONE])
			buf_printf(out, ",\"phone\":\"+%d\"", v[CONTACT_PHONE]);
		else
			buf_put_str(out, ",\"phone\":null");
		if (v[CONTACT_OWNER])
			buf_printf(out, ",\"owner_id\":\"%d\"", v[CONTACT_OWNER]);
		else
			buf_put_str(out, ",\"owner_id\":null");
		buf_put_str(out, ",\"custom_attributes\":{\"other\":1");
		if (v[CONTACT_TOPIC])
			buf_printf(out, ",\"topic\":\"t%d\"", v[CONTACT_TOPIC]);
		if (v[CONTACT_SEATS])
			buf_printf(out, ",\"seats\":%d", v[CONTACT_SEATS]);
		buf_put_byte(out, '}');
	} else if (t->kind == KIND_CONVERSATION) {
		buf_printf(
			out,
			",\"state\":\"%s\",\"open\":%s,\"snoozed_until\":null,\"admin_assignee_id\":%d,\"read\":%s,\"custom_attributes\":{",
			v[TALK_STATE] % 2 ? "closed" : "open", v[TALK_STATE] % 2 ? "false" : "true",
			v[TALK_ASSIGNEE], v[TALK_READ] % 2 ? "true" : "false");
		if (v[TALK_TOPIC])
			buf_printf(out, "\"topic\":\"t%d\"", v[TALK_TOPIC]);
		buf_put_byte(out, '}');
	}
}

/* ---- writes ---- */

/* The number in a text such as "t7", in a number, or of nothing. */
static int number_of(struct bytes value)
{
	struct mp_value v;
	size_t i = 0;
	int n = 0;

	assert(mp_get(value, &v));
	if (v.type == MP_NIL)
		return 0;
	if (v.type == MP_BOOL)
		return v.boolean;
	if (v.type == MP_INT)
		return (int)v.integer;
	assert(v.type == MP_STR);
	if (i < v.str.len && (v.str.data[i] == '+' || v.str.data[i] == 't'))
		i++;
	for (; i < v.str.len; i++) {
		assert(v.str.data[i] >= '0' && v.str.data[i] <= '9');
		n = n * 10 + v.str.data[i] - '0';
	}
	return n;
}

static void take(struct desk *d, struct thing *t, enum desk_field field, int value)
{
	struct desk_write w = {t, field, desk_value(d, t, field), value, world_now(d->world)};

	d->writes++;
	if (d->taken)
		d->taken(d->ctx, &w);
	set(d, t, field, value);
}

/* Members of an object, each a field of its own. */
static void take_members(struct desk *d, struct thing *t, struct bytes map, const char *prefix)
{
	static const struct {
		enum kind kind;
		const char *member;
		enum desk_field field;
	} table[] = {
		{KIND_CONTACT, "phone", CONTACT_PHONE},
		{KIND_CONTACT, "owner_id", CONTACT_OWNER},
		{KIND_CONTACT, "custom_attributes.topic", CONTACT_TOPIC},
		{KIND_CONTACT, "custom_attributes.seats", CONTACT_SEATS},
		{KIND_CONVERSATION, "read", TALK_READ},
		{KIND_CONVERSATION, "custom_attributes.topic", TALK_TOPIC},
	};
	struct mp_reader r = mp_reader_of(map);
	struct mp_value head, key;
	struct bytes value;
	char name[80];

	assert(mp_next(&r, &head) == 1 && head.type == MP_MAP);
	for (uint32_t i = 0; i < head.count; i++) {
		bool known = false;
		assert(mp_next(&r, &key) == 1 && key.type == MP_STR && mp_take(&r, &value) == 1);
		if (bytes_is(key.str, "custom_attributes")) {
			take_members(d, t, value, "custom_attributes.");
			continue;
		}
		snprintf(name, sizeof name, "%s%.*s", prefix, (int)key.str.len,
			 (const char *)key.str.data);
		for (size_t k = 0; k < sizeof table / sizeof *table; k++)
			if (table[k].kind == t->kind && strcmp(table[k].member, name) == 0) {
				take(d, t, table[k].field, number_of(value));
				known = true;
			}
		assert(known);
	}
}

static void take_part(struct desk *d, struct thing *t, struct bytes body)
{
	struct bytes type, value;

	assert(t->kind == KIND_CONVERSATION);
	assert(mp_find_str(body, "admin_id", &value) && bytes_is(value, "1"));
	assert(mp_find_str(body, "message_type", &type));
	if (bytes_is(type, "assignment")) {
		assert(mp_find(body, bytes_str("assignee_id"), &value) == 1);
		take(d, t, TALK_ASSIGNEE, number_of(value));
	} else {
		assert(bytes_is(type, "close") || bytes_is(type, "open"));
		take(d, t, TALK_STATE, bytes_is(type, "close"));
	}
}

static struct thing *thing_of(const struct desk *d, const char *path, const char **rest)
{
	bool contact = strncmp(path, "/contacts/", 10) == 0;
	char *end;

	assert(contact || strncmp(path, "/conversations/", 15) == 0);
	unsigned id = (unsigned)strtoul(path + (contact ? 10 : 15), &end, contact ? 16 : 10);
	struct thing *t = world_find(d->world, id);
	*rest = end;
	return t && t->kind == (contact ? KIND_CONTACT : KIND_CONVERSATION) &&
			       t->deleted_ms > world_now(d->world)
		       ? t
		       : NULL;
}

static bool serve_write(void *ctx, const struct http_request *request, const char *path,
			struct sim_answer *out)
{
	struct desk *d = ctx;
	struct buf body = {0};
	const char *rest;
	struct thing *t;
	struct why why;

	if (strcmp(request->method, "GET") == 0 || strstr(path, "/search"))
		return false;
	if (strncmp(path, "/contacts/", 10) != 0 && strncmp(path, "/conversations/", 15) != 0)
		return false;
	t = thing_of(d, path, &rest);
	if (d->dead && *d->dead)
		out->outcome = HTTP_CUT;
	else if (!t)
		world_error(out, 404, "not_found");
	else if (sim_below(&d->random, 100) < d->not_made_percent)
		world_error(out, 503, "service_unavailable");
	else if (sim_below(&d->random, 100) < d->refused_percent)
		world_error(out, 422, "parameter_invalid");
	else {
		assert(json_to_msgpack(request->body, JSON_STRICT, &body, &why) == 0);
		if (strcmp(rest, "/parts") == 0)
			take_part(d, t, buf_bytes(&body));
		else
			take_members(d, t, buf_bytes(&body), "");
		world_show(d->world, t, out);
	}
	buf_release(&body);
	return true;
}

void desk_open(struct desk *d, struct world *w, uint64_t seed)
{
	*d = (struct desk){.world = w, .random = seed};
	w->put_more = put_more;
	w->write = serve_write;
	w->desk = d;
}
