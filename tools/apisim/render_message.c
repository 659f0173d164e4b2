/* Prints what people wrote: opening messages and parts, with their authors
 * and attachments. Field order and null-versus-missing follow the examples of
 * the 2.16 description. Must print the same bytes for the same state: the
 * truth relies on it. */
#include "render.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

static struct buf scratch; /* one body at a time, before it is escaped */

static void names_for(const struct conversation *c, uint64_t seed, struct text_names *out,
		      char company[128])
{
	static const struct contact_identity none;
	static struct contact_identity who;

	who = none;
	contact_identify(c->contact, &who);
	snprintf(company, 128, "%s %s", text_company_stem(c->seed), text_company_tail(c->seed));
	out->customer = who.first_name;
	out->agent = text_first_name(world_seed(SEED_ADMIN, seed % world.opt.admins));
	out->company = company;
}

void render_text(struct buf *b, const char *key, const struct conversation *c, enum voice voice,
		 uint64_t seed, bool plain)
{
	struct text_names names;
	char company[128];

	names_for(c, seed, &names, company);
	buf_reset(&scratch);
	text_write(&scratch, voice, c->topic, seed, &names, plain);
	j_strn(b, key, scratch.p, scratch.len);
}

static void put_author(struct buf *b, const struct conversation *c, uint8_t who, uint32_t idx,
		       uint64_t seq, bool part)
{
	struct contact_identity id;
	char hex[25], email[64];

	j_open(b, "author", '{');
	switch ((enum who)who) {
	case WHO_CONTACT:
		contact_identify(idx, &id);
		contact_id(idx, hex);
		j_str(b, "type", id.user ? "user" : "lead");
		j_str(b, "id", hex);
		j_str(b, "name", id.name[0] ? id.name : NULL);
		j_str(b, "email", id.email[0] ? id.email : NULL);
		break;
	case WHO_ADMIN:
		j_str(b, "type", "admin");
		j_idstr(b, "id", world.admins.list[idx].id);
		j_str(b, "name", item_name(&world.admins.list[idx], seq));
		j_str(b, "email", admin_email(idx, email));
		break;
	case WHO_TEAM:
		j_str(b, "type", "team");
		j_idstr(b, "id", world.teams.list[idx].id);
		j_str(b, "name", item_name(&world.teams.list[idx], seq));
		j_str(b, "email", "team@acme-support.example");
		break;
	case WHO_BOT:
		j_lit(b, "\"type\":\"bot\",\"id\":\"991266999\",\"name\":\"Operator\","
			 "\"email\":\"operator+simapp@acme-support.example\"");
		break;
	case WHO_FIN:
		j_lit(b, "\"type\":\"bot\",\"id\":\"991266998\",\"name\":\"Fin\","
			 "\"email\":\"operator+fin@acme-support.example\"");
		break;
	}
	if (part) {
		j_bool(b, "from_ai_agent", who == WHO_FIN);
		j_bool(b, "is_ai_answer", who == WHO_FIN && (c->seed & 1));
	}
	j_close(b, '}');
}

static void put_attachments(struct buf *b, uint32_t count, uint64_t seed)
{
	static const char *const types[] = {"image/png", "application/pdf", "text/csv", "video/mp4"};
	static const char *const ends[] = {"png", "pdf", "csv", "mp4"};

	j_open(b, "attachments", '[');
	for (uint32_t i = 0; i < count; i++) {
		struct rng r = {hash2(seed, i)};
		uint32_t t = rng_below(&r, 4);

		j_open(b, NULL, '{');
		buf_fmt(b, "\"type\":\"upload\",\"name\":\"%s %u.%s\"", text_word(rng_next(&r)),
			rng_below(&r, 100), ends[t]);
		buf_fmt(b,
			",\"url\":\"https://downloads.example.com/i/o/%u/%08x/file.%s?expires=%u"
			"&signature=%016llx\"",
			rng_below(&r, 999999), (uint32_t)rng_next(&r), ends[t], 1900000000u + i,
			(unsigned long long)rng_next(&r));
		buf_fmt(b, ",\"content_type\":\"%s\",\"filesize\":%u", types[t],
			rng_range(&r, 400, 9000000));
		if (t == 0)
			j_lit(b, "\"width\":1280,\"height\":720");
		else
			j_lit(b, "\"width\":null,\"height\":null");
		j_close(b, '}');
	}
	j_close(b, ']');
}

const char *source_type_name(const struct conversation *c)
{
	static const char *const names[] = {"conversation", "email",    "whatsapp",
					    "instagram",    "facebook", "sms"};

	return names[c->source_type % 6];
}

const char *delivered_as_name(const struct conversation *c)
{
	static const char *const names[] = {"customer_initiated", "admin_initiated", "automated",
					    "campaigns_initiated"};

	return names[c->delivered_as % 4];
}

static void write_source_text(struct buf *b, const struct conversation *c, enum voice voice, bool plain)
{
	struct text_names names;
	char company[128];

	names_for(c, c->seed, &names, company);
	text_write(b, voice, c->topic, c->seed, &names, plain);
}

void conversation_source_text(struct buf *b, const struct conversation *c)
{
	if (!c->source_redacted)
		write_source_text(b, c, VOICE_OPENING, true);
}

void conversation_subject_text(struct buf *b, const struct conversation *c)
{
	if (c->has_subject)
		write_source_text(b, c, VOICE_SUBJECT, true);
}

void render_source(struct buf *b, const char *key, const struct conversation *c, const struct view *v)
{
	j_open(b, key, '{');
	j_str(b, "type", source_type_name(c));
	j_idstr(b, "id", source_id(c->idx));
	j_str(b, "delivered_as", delivered_as_name(c));
	if (!c->has_subject)
		j_str(b, "subject", "");
	else if (v->plain)
		render_text(b, "subject", c, VOICE_SUBJECT, c->seed, true);
	else {
		buf_reset(&scratch);
		buf_lit(&scratch, "<p>");
		write_source_text(&scratch, c, VOICE_SUBJECT, true);
		buf_lit(&scratch, "</p>");
		j_strn(b, "subject", scratch.p, scratch.len);
	}
	if (c->source_redacted)
		j_str(b, "body", "");
	else
		render_text(b, "body", c, VOICE_OPENING, c->seed, v->plain);
	put_author(b, c, c->source_who, c->source_who_idx, 0, false);
	put_attachments(b, c->source_attachments, c->seed);
	if (c->has_url)
		j_str(b, "url", "https://app.acme.example/dashboard?tab=inbox&lang=en");
	else
		j_null(b, "url");
	j_bool(b, "redacted", c->source_redacted);
	j_close(b, '}');
}

static void put_event_details(struct buf *b, const struct part *p)
{
	const char *word = text_word(p->seed);

	switch ((enum part_type)p->type) {
	case PART_ATTRIBUTE_ADMIN:
	case PART_ATTRIBUTE_USER:
		j_open(b, "event_details", '{');
		buf_fmt(b,
			"\"attribute\":{\"name\":\"Issue type\"},\"value\":{\"name\":\"%s\","
			"\"previous\":null}",
			word);
		break;
	case PART_ATTRIBUTE_WORKFLOW:
		j_open(b, "event_details", '{');
		buf_fmt(b,
			"\"attribute\":{\"name\":\"Language\"},\"value\":{\"name\":\"%s\"},"
			"\"workflow\":{\"name\":\"Route by language\"}",
			word);
		break;
	case PART_ACTION_STARTED:
		j_open(b, "event_details", '{');
		j_lit(b, "\"action\":{\"name\":\"Create issue\"}");
		break;
	case PART_ACTION_FINISHED:
		j_open(b, "event_details", '{');
		j_lit(b, "\"action\":{\"name\":\"Create issue\",\"result\":\"success\"}");
		break;
	default: j_null(b, "event_details"); return;
	}
	j_close(b, '}');
}

static enum voice part_voice(const struct part *p)
{
	if (p->type == PART_NOTE || p->type == PART_ASSIGNMENT)
		return VOICE_NOTE;
	if (p->type == PART_CLOSE)
		return VOICE_CLOSING;
	return p->who == WHO_CONTACT ? VOICE_CUSTOMER
	       : p->who == WHO_ADMIN ? VOICE_AGENT
				     : VOICE_BOT;
}

static void put_assigned(struct buf *b, const struct part *p)
{
	const struct items *l = p->to_team ? &world.teams : &world.admins;

	if (!p->assigned) {
		j_null(b, "assigned_to");
		return;
	}
	j_open(b, "assigned_to", '{');
	j_str(b, "type", p->to_team ? "team" : "admin");
	j_idstr(b, "id", l->list[p->assigned - 1].id);
	j_close(b, '}');
}

static void put_part_tail(struct buf *b, const struct conversation *c, const struct part *p)
{
	j_null(b, "email_message_metadata");
	if (p->type == PART_QUICK_REPLY)
		buf_fmt(b,
			",\"metadata\":{\"quick_reply_options\":[{\"text\":\"%s\",\"uuid\":"
			"\"%08x-0000-4000-8000-%012llx\"}]}",
			text_word(p->seed), (uint32_t)p->seed, (unsigned long long)(p->seed >> 16));
	else
		j_null(b, "metadata");
	j_str(b, "state", conversation_state_name(p->state));
	j_open(b, "tags", '[');
	if (p->tag) {
		j_open(b, NULL, '{');
		j_str(b, "type", "tag");
		j_idstr(b, "id", world.tags.list[p->tag - 1].id);
		j_str(b, "name", item_name(&world.tags.list[p->tag - 1], 0));
		j_close(b, '}');
	}
	j_close(b, ']');
	put_event_details(b, p);
	j_str(b, "app_package_code",
	      p->type == PART_ACTION_STARTED && c->seed & 1 ? "issue-tracker" : NULL);
}

void render_part(struct buf *b, const struct part *p, const struct view *v)
{
	/* It stays what it was when its thread is merged into another one. */
	struct conversation said = {.topic = p->topic, .contact = p->about, .seed = p->thread_seed};
	const struct conversation *c = &said;
	char external[32];

	snprintf(external, sizeof(external), "ext-%08x", (uint32_t)p->seed);
	j_open(b, NULL, '{');
	j_str(b, "type", "conversation_part");
	j_idstr(b, "id", part_id(p->owner, p->number));
	j_str(b, "part_type", part_type_name((enum part_type)p->type));
	if (p->has_body && p->written)
		written_print(b, "body", written_at(p->written)->value);
	else if (p->has_body)
		render_text(b, "body", c, part_voice(p), p->seed, v->plain);
	else
		j_null(b, "body");
	j_int(b, "created_at", p->at);
	j_int(b, "updated_at", p->updated);
	j_int(b, "notified_at", p->at);
	put_assigned(b, p);
	put_author(b, c, p->who, p->who_idx, p->seq, true);
	put_attachments(b, p->attachments, p->seed);
	j_str(b, "external_id", p->external ? external : NULL);
	j_bool(b, "redacted", p->redacted);
	put_part_tail(b, c, p);
	j_close(b, '}');
}
