/* The searchable fields of tickets. */
#include "render.h"
#include "search.h"
#include "ticket.h"

#include <stdio.h>

enum { TITLE = WHAT_OWN, CATEGORY, TYPE, CONTACTS, ADMIN, TEAM, OPEN, STATE };

static const struct field fields[] = {
	{"id", FIELD_STRING, WHAT_ID},
	{"created_at", FIELD_DATE, WHAT_CREATED},
	{"updated_at", FIELD_DATE, WHAT_UPDATED},
	{"title", FIELD_STRING, TITLE},
	{"category", FIELD_STRING, CATEGORY},
	{"ticket_type_id", FIELD_STRING, TYPE},
	{"contact_ids", FIELD_STRING, CONTACTS},
	{"admin_assignee_id", FIELD_STRING, ADMIN},
	{"team_assignee_id", FIELD_STRING, TEAM},
	{"open", FIELD_BOOLEAN, OPEN},
	{"state", FIELD_STRING, STATE},
};

static char text[48];

static void put_text(struct values *out, const char *s)
{
	out->v[0].text = true;
	out->v[0].s = s;
	out->count = 1;
}

static void put_id(struct values *out, uint64_t id)
{
	snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
	put_text(out, text);
}

static void get(uint32_t idx, const struct field *f, struct values *out)
{
	static const char *const categories[] = {"request", "task", "tracker"};
	static struct ticket t;

	if (f->what == WHAT_ID) {
		put_id(out, ticket_id(idx));
		return;
	}
	ticket_build(idx, &t);
	switch (f->what) {
	case CATEGORY: put_text(out, categories[t.type]); break;
	case TYPE: put_id(out, 60u + t.type); break;
	case ADMIN: put_id(out, t.admin ? world.admins.list[t.admin - 1].id : 0); break;
	case TEAM: put_id(out, 0); break;
	case OPEN:
		out->v[0].number = t.state != 3;
		out->v[0].text = false;
		out->count = 1;
		break;
	case STATE: put_text(out, ticket_state_name(t.state)); break;
	case CONTACTS:
		contact_id(t.contact, text);
		put_text(out, text);
		break;
	default: break;
	}
}

static bool sort_key(uint32_t idx, const struct field *f, uint32_t *key_out)
{
	*key_out = idx;
	return f->what == WHAT_ID;
}

static void id_text(uint32_t idx, char out[32])
{
	snprintf(out, 32, "%llu", (unsigned long long)ticket_id(idx));
}

const struct resource resource_tickets = {
	"tickets", &world.tickets, fields, sizeof(fields) / sizeof(fields[0]),
	false,     false,          get,    sort_key,
	id_text,   ticket_index,
};
