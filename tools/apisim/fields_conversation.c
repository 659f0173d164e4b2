/* The searchable fields of conversations and how to find their values. */
#include "conversation.h"
#include "render.h"
#include "search.h"

#include <stdio.h>
#include <string.h>

enum {
	SOURCE_TYPE = WHAT_OWN,
	SOURCE_ID,
	DELIVERED_AS,
	SUBJECT,
	BODY,
	AUTHOR_ID,
	AUTHOR_TYPE,
	AUTHOR_NAME,
	AUTHOR_EMAIL,
	SOURCE_URL,
	CONTACTS,
	MATES,
	ADMIN,
	TEAM,
	CHANNEL,
	OPEN,
	READ,
	STATE,
	WAITING,
	SNOOZED,
	TAGS,
	PRIORITY,
	TO_ASSIGNMENT,
	TO_REPLY,
	TO_FIRST_CLOSE,
	TO_LAST_CLOSE,
	MEDIAN,
	FIRST_CONTACT,
	FIRST_ASSIGNMENT,
	FIRST_ADMIN,
	FIRST_CLOSE,
	LAST_ASSIGNMENT,
	LAST_ASSIGNMENT_REPLY,
	LAST_CONTACT,
	LAST_ADMIN,
	LAST_CLOSE,
	CLOSED_BY,
	REOPENS,
	ASSIGNMENTS,
	PARTS,
	RATING_AT,
	RATING_REPLIED,
	RATING,
	REMARK,
	RATING_CONTACT,
	RATING_ADMIN,
	AI,
	AI_STATE,
	AI_ANSWER,
	AI_RATING,
	AI_REMARK,
	AI_SOURCE,
	AI_TITLE
};

#define STAT(name, type, what)                 \
	{                                      \
		"statistics." name, type, what \
	}

static const struct field fields[] = {
	{"id", FIELD_STRING, WHAT_ID},
	{"created_at", FIELD_DATE, WHAT_CREATED},
	{"updated_at", FIELD_DATE, WHAT_UPDATED},
	{"source.type", FIELD_STRING, SOURCE_TYPE},
	{"source.id", FIELD_STRING, SOURCE_ID},
	{"source.delivered_as", FIELD_STRING, DELIVERED_AS},
	{"source.subject", FIELD_STRING, SUBJECT},
	{"source.body", FIELD_TOKENS, BODY},
	{"source.author.id", FIELD_STRING, AUTHOR_ID},
	{"source.author.type", FIELD_STRING, AUTHOR_TYPE},
	{"source.author.name", FIELD_STRING, AUTHOR_NAME},
	{"source.author.email", FIELD_STRING, AUTHOR_EMAIL},
	{"source.url", FIELD_STRING, SOURCE_URL},
	{"contact_ids", FIELD_STRING, CONTACTS},
	{"teammate_ids", FIELD_STRING, MATES},
	{"admin_assignee_id", FIELD_INTEGER, ADMIN},
	{"team_assignee_id", FIELD_INTEGER, TEAM},
	{"channel_initiated", FIELD_STRING, CHANNEL},
	{"open", FIELD_BOOLEAN, OPEN},
	{"read", FIELD_BOOLEAN, READ},
	{"state", FIELD_STRING, STATE},
	{"waiting_since", FIELD_DATE, WAITING},
	{"snoozed_until", FIELD_DATE, SNOOZED},
	{"tag_ids", FIELD_STRING, TAGS},
	{"priority", FIELD_STRING, PRIORITY},
	STAT("time_to_assignment", FIELD_INTEGER, TO_ASSIGNMENT),
	STAT("time_to_admin_reply", FIELD_INTEGER, TO_REPLY),
	STAT("time_to_first_close", FIELD_INTEGER, TO_FIRST_CLOSE),
	STAT("time_to_last_close", FIELD_INTEGER, TO_LAST_CLOSE),
	STAT("median_time_to_reply", FIELD_INTEGER, MEDIAN),
	STAT("first_contact_reply_at", FIELD_DATE, FIRST_CONTACT),
	STAT("first_assignment_at", FIELD_DATE, FIRST_ASSIGNMENT),
	STAT("first_admin_reply_at", FIELD_DATE, FIRST_ADMIN),
	STAT("first_close_at", FIELD_DATE, FIRST_CLOSE),
	STAT("last_assignment_at", FIELD_DATE, LAST_ASSIGNMENT),
	STAT("last_assignment_admin_reply_at", FIELD_DATE, LAST_ASSIGNMENT_REPLY),
	STAT("last_contact_reply_at", FIELD_DATE, LAST_CONTACT),
	STAT("last_admin_reply_at", FIELD_DATE, LAST_ADMIN),
	STAT("last_close_at", FIELD_DATE, LAST_CLOSE),
	STAT("last_closed_by_id", FIELD_STRING, CLOSED_BY),
	STAT("count_reopens", FIELD_INTEGER, REOPENS),
	STAT("count_assignments", FIELD_INTEGER, ASSIGNMENTS),
	STAT("count_conversation_parts", FIELD_INTEGER, PARTS),
	{"conversation_rating.requested_at", FIELD_DATE, RATING_AT},
	{"conversation_rating.replied_at", FIELD_DATE, RATING_REPLIED},
	{"conversation_rating.score", FIELD_INTEGER, RATING},
	{"conversation_rating.remark", FIELD_STRING, REMARK},
	{"conversation_rating.contact_id", FIELD_STRING, RATING_CONTACT},
	{"conversation_rating.admin_d", FIELD_STRING, RATING_ADMIN}, /* spelt like this */
	{"ai_agent_participated", FIELD_BOOLEAN, AI},
	{"ai_agent.resolution_state", FIELD_STRING, AI_STATE},
	{"ai_agent.last_answer_type", FIELD_STRING, AI_ANSWER},
	{"ai_agent.rating", FIELD_INTEGER, AI_RATING},
	{"ai_agent.rating_remark", FIELD_STRING, AI_REMARK},
	{"ai_agent.source_type", FIELD_STRING, AI_SOURCE},
	{"ai_agent.source_title", FIELD_STRING, AI_TITLE},
};

static struct conversation *load(uint32_t idx)
{
	static struct conversation c;
	static uint64_t version = UINT64_MAX;

	if (c.idx != idx || version != world.version || !c.created)
		conversation_build(idx, &c);
	version = world.version;
	return &c;
}

static void put_number(struct values *out, int64_t n)
{
	if (out->count == 32)
		return;
	out->v[out->count].text = false;
	out->v[out->count++].number = n;
}

static void put_text(struct values *out, const char *s)
{
	if (out->count == 32)
		return;
	out->v[out->count].text = true;
	out->v[out->count++].s = s;
}

static void put_time(struct values *out, uint32_t t)
{
	if (t)
		put_number(out, t);
}

/* Ids as text live here until the next get(). */
static char ids[32][32];

static void put_id(struct values *out, uint64_t id)
{
	if (out->count == 32)
		return;
	snprintf(ids[out->count], sizeof(ids[0]), "%llu", (unsigned long long)id);
	put_text(out, ids[out->count]);
}

static void put_contact(struct values *out, uint32_t contact)
{
	if (out->count == 32)
		return;
	contact_id(contact, ids[out->count]);
	put_text(out, ids[out->count]);
}

static void get_source(const struct conversation *c, uint8_t what, struct values *out)
{
	static struct buf text;

	buf_reset(&text);
	switch (what) {
	case SOURCE_TYPE:
	case CHANNEL: put_text(out, source_type_name(c)); break;
	case SOURCE_ID: put_id(out, source_id(c->idx)); break;
	case DELIVERED_AS: put_text(out, delivered_as_name(c)); break;
	case SUBJECT:
		conversation_subject_text(&text, c);
		put_text(out, buf_text(&text));
		break;
	case BODY:
		conversation_source_text(&text, c);
		put_text(out, buf_text(&text));
		break;
	case SOURCE_URL:
		if (c->has_url)
			put_text(out, "https://app.acme.example/dashboard?tab=inbox&lang=en");
		break;
	default: break;
	}
}

static void get_author(const struct conversation *c, uint8_t what, struct values *out)
{
	static struct contact_identity who;
	static char email[64];
	bool admin = c->source_who == WHO_ADMIN;

	if (c->source_who == WHO_CONTACT)
		contact_identify(c->source_who_idx, &who);
	switch (what) {
	case AUTHOR_ID:
		if (c->source_who == WHO_CONTACT)
			put_contact(out, c->source_who_idx);
		else
			put_id(out, admin ? world.admins.list[c->source_who_idx].id : 991266999);
		break;
	case AUTHOR_TYPE:
		put_text(out, admin                      ? "admin"
			      : c->source_who == WHO_BOT ? "bot"
			      : who.user                 ? "user"
							 : "lead");
		break;
	case AUTHOR_NAME:
		if (c->source_who == WHO_CONTACT)
			put_text(out, who.name);
		else
			put_text(out, admin ? item_name(&world.admins.list[c->source_who_idx], 0)
					    : "Operator");
		break;
	case AUTHOR_EMAIL:
		if (c->source_who == WHO_CONTACT)
			put_text(out, who.email);
		else
			put_text(out, admin ? admin_email(c->source_who_idx, email)
					    : "operator+simapp@acme-support.example");
		break;
	default: break;
	}
}

static void get_statistics(const struct conversation *c, uint8_t what, struct values *out)
{
	const struct statistics *s = &c->stats;
	const uint32_t times[] = {s->to_assignment,         s->to_admin_reply,
				  s->to_first_close,        s->to_last_close,
				  s->median_reply,          s->first_contact_reply,
				  s->first_assignment,      s->first_admin_reply,
				  s->first_close,           s->last_assignment,
				  s->last_assignment_reply, s->last_contact_reply,
				  s->last_admin_reply,      s->last_close};

	if (c->statistics_missing)
		return;
	if (what >= TO_ASSIGNMENT && what <= LAST_CLOSE)
		put_time(out, times[what - TO_ASSIGNMENT]);
	else if (what == CLOSED_BY && s->last_closed_by)
		put_id(out, world.admins.list[s->last_closed_by - 1].id);
	else if (what == REOPENS)
		put_number(out, s->reopens);
	else if (what == ASSIGNMENTS)
		put_number(out, s->assignments);
	else if (what == PARTS)
		put_number(out, c->part_count);
}

static void get_marks(const struct conversation *c, uint8_t what, struct values *out)
{
	static const char *const priorities[] = {"none", "low", "medium", "high", "urgent"};

	switch (what) {
	case CONTACTS:
		put_contact(out, c->contact);
		if (c->second_contact)
			put_contact(out, c->second_contact - 1);
		break;
	case MATES:
		for (uint32_t i = 0; i < c->mate_count; i++)
			put_id(out, world.admins.list[c->mates[i]].id);
		break;
	case TAGS:
		for (uint32_t i = 0; i < c->tag_count; i++)
			put_id(out, world.tags.list[c->tags[i].tag].id);
		break;
	case ADMIN:
		put_number(out, c->admin ? (int64_t)world.admins.list[c->admin - 1].id : 0);
		break;
	case TEAM: put_number(out, c->team ? (int64_t)world.teams.list[c->team - 1].id : 0); break;
	case OPEN: put_number(out, c->state != STATE_CLOSED); break;
	case READ: put_number(out, c->read); break;
	case STATE: put_text(out, conversation_state_name(c->state)); break;
	case WAITING: put_time(out, c->waiting_since); break;
	case SNOOZED: put_time(out, c->snoozed_until); break;
	case PRIORITY: put_text(out, priorities[c->priority % 5]); break;
	default: break;
	}
}

static void get_rating(const struct conversation *c, uint8_t what, struct values *out)
{
	if (!c->rating)
		return;
	switch (what) {
	case RATING_AT:
	case RATING_REPLIED: put_time(out, c->rated_at); break;
	case RATING: put_number(out, c->rating); break;
	case RATING_CONTACT: put_contact(out, c->contact); break;
	case RATING_ADMIN: put_id(out, world.admins.list[c->rated_admin].id); break;
	default: break;
	}
}

static void get_ai(const struct conversation *c, uint8_t what, struct values *out)
{
	static const char *const outcomes[] = {"assumed_resolution", "confirmed_resolution",
					       "escalated"};

	if (what == AI)
		put_number(out, c->has_ai);
	else if (!c->has_ai)
		return;
	else if (what == AI_STATE)
		put_text(out, outcomes[c->seed % 3]);
	else if (what == AI_ANSWER)
		put_text(out, "ai_answer");
	else if (what == AI_SOURCE)
		put_text(out, "workflow");
	else if (what == AI_TITLE)
		put_text(out, "Fin over chat");
}

static void get(uint32_t idx, const struct field *f, struct values *out)
{
	const struct conversation *c;

	if (f->what == WHAT_ID) {
		put_id(out, conversation_id(idx));
		return;
	}
	c = load(idx);
	if (f->what >= AUTHOR_ID && f->what <= AUTHOR_EMAIL)
		get_author(c, f->what, out);
	else if (f->what <= SOURCE_URL || f->what == CHANNEL)
		get_source(c, f->what, out);
	else if (f->what <= PRIORITY)
		get_marks(c, f->what, out);
	else if (f->what <= PARTS)
		get_statistics(c, f->what, out);
	else if (f->what <= RATING_ADMIN)
		get_rating(c, f->what, out);
	else
		get_ai(c, f->what, out);
}

static bool sort_key(uint32_t idx, const struct field *f, uint32_t *key_out)
{
	*key_out = idx;
	return f->what == WHAT_ID;
}

static void id_text(uint32_t idx, char out[32])
{
	snprintf(out, 32, "%llu", (unsigned long long)conversation_id(idx));
}

const struct resource resource_conversations = {
	"conversations",
	&world.conversations,
	fields,
	sizeof(fields) / sizeof(fields[0]),
	false,
	false,
	get,
	sort_key,
	id_text,
	conversation_index,
};
