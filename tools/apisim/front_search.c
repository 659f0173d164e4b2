/* Searches of conversations: name:value filters and words in the address,
 * newest activity first. Words are looked for in subjects and messages. */
#include "front_api.h"
#include "front_page.h"
#include "front_render.h"
#include "settings.h"
#include "stats.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILTERS_MAX 15
#define WORDS_MAX   15

enum term_kind {
	TERM_INBOX,
	TERM_TAG,
	TERM_LINK,
	TERM_CONTACT,
	TERM_ASSIGNEE,
	TERM_AUTHOR,
	TERM_COMMENTER,
	TERM_PARTICIPANT,
	TERM_MENTION,
	TERM_HANDLE, /* from, to, cc, bcc, recipient */
	TERM_IS,
	TERM_AFTER,
	TERM_BEFORE,
	TERM_DURING,
	TERM_FIELD,
};

struct term {
	enum term_kind kind;
	const char *name;
	char value[128];
	uint32_t idx;
	int64_t at;
};

struct query {
	struct term terms[FILTERS_MAX];
	unsigned term_count;
	char words[WORDS_MAX][64]; /* in lower case */
	unsigned word_count;
	bool trashed;
};

static const struct {
	const char *name;
	enum term_kind kind;
	enum front_kind id; /* of its value; FRONT_KINDS: none */
} names[] = {
	{"inbox", TERM_INBOX, FRONT_INBOX},
	{"tag", TERM_TAG, FRONT_TAG},
	{"link", TERM_LINK, FRONT_LINK},
	{"contact", TERM_CONTACT, FRONT_CONTACT},
	{"assignee", TERM_ASSIGNEE, FRONT_TEAMMATE},
	{"author", TERM_AUTHOR, FRONT_TEAMMATE},
	{"commenter", TERM_COMMENTER, FRONT_TEAMMATE},
	{"participant", TERM_PARTICIPANT, FRONT_TEAMMATE},
	{"mention", TERM_MENTION, FRONT_TEAMMATE},
	{"from", TERM_HANDLE, FRONT_KINDS},
	{"to", TERM_HANDLE, FRONT_KINDS},
	{"cc", TERM_HANDLE, FRONT_KINDS},
	{"bcc", TERM_HANDLE, FRONT_KINDS},
	{"recipient", TERM_HANDLE, FRONT_KINDS},
	{"is", TERM_IS, FRONT_KINDS},
	{"after", TERM_AFTER, FRONT_KINDS},
	{"before", TERM_BEFORE, FRONT_KINDS},
	{"during", TERM_DURING, FRONT_KINDS},
	{"custom_field", TERM_FIELD, FRONT_KINDS},
};

static bool wrong(struct call *c, enum breach kind, const char *what)
{
	stats_breach(kind, "search: %s", what);
	front_bad_request(c);
	return false;
}

/* Seconds, with up to three decimals. */
static bool read_time(const char *text, int64_t *out)
{
	size_t n = strspn(text, "0123456789");
	int scale = 1000;

	if (n == 0 || n > 11)
		return false;
	*out = strtoll(text, NULL, 10) * 1000;
	text += n;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9' && scale > 1; text++)
			*out += (int64_t)(*text - '0') * (scale /= 10);
	return !*text;
}

static bool check_value(struct call *c, struct query *q, struct term *t, enum front_kind id)
{
	static const char states[] =
		" open archived snoozed trashed assigned unassigned unreplied waiting resolved ";

	if (t->kind == TERM_IS && !call_listed(states, t->value))
		return wrong(c, BREACH_BAD_VALUE, t->value);
	if (t->kind == TERM_IS && !strcmp(t->value, "trashed"))
		q->trashed = true;
	if ((t->kind == TERM_AFTER || t->kind == TERM_BEFORE || t->kind == TERM_DURING) &&
	    !read_time(t->value, &t->at))
		return wrong(c, BREACH_BAD_VALUE, t->value);
	if (id != FRONT_KINDS && !front_index(id, t->value, UINT32_MAX, &t->idx))
		return wrong(c, BREACH_BAD_VALUE, t->value);
	return true;
}

static bool add_term(struct call *c, struct query *q, const char *name, size_t length,
		     const char *value)
{
	struct term *t;

	if (q->term_count == FILTERS_MAX)
		return wrong(c, BREACH_TOO_MANY, "more than 15 filters");
	t = &q->terms[q->term_count++];
	snprintf(t->value, sizeof(t->value), "%s", value);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i].name) != length || strncmp(names[i].name, name, length) != 0)
			continue;
		t->kind = names[i].kind;
		t->name = names[i].name;
		return check_value(c, q, t, names[i].id);
	}
	return wrong(c, BREACH_UNKNOWN_FIELD, name);
}

/* One word, phrase or filter from s; what follows it. */
static const char *next_piece(const char *s, char *out, size_t size)
{
	size_t n = 0;
	bool quoted = false;

	for (; *s && (quoted || *s != ' '); s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (n + 1 < size)
			out[n++] = *s;
	}
	out[n] = '\0';
	while (*s == ' ')
		s++;
	return s;
}

static bool add_word(struct call *c, struct query *q, const char *word)
{
	char *out;

	if (q->word_count == WORDS_MAX)
		return wrong(c, BREACH_TOO_MANY, "more than 15 words");
	out = q->words[q->word_count++];
	snprintf(out, sizeof(q->words[0]), "%.63s", word);
	for (; *out; out++)
		*out = (char)tolower((unsigned char)*out);
	return true;
}

static bool parse(struct call *c, struct query *q, const char *s)
{
	char piece[200];

	while (*s == ' ')
		s++;
	if (!*s)
		return wrong(c, BREACH_BAD_QUERY, "an empty query");
	while (*s) {
		const char *from = s, *colon;

		s = next_piece(s, piece, sizeof(piece));
		colon = *from == '"' ? NULL : strchr(piece, ':');
		if (colon ? !add_term(c, q, piece, (size_t)(colon - piece), colon + 1)
			  : !add_word(c, q, piece))
			return false;
	}
	return true;
}

static bool is_state(const struct front_conversation *c, uint32_t idx, const char *state)
{
	uint32_t last = front_last_message(idx);

	if (!strcmp(state, "open"))
		return c->status == STATUS_OPEN;
	if (!strcmp(state, "archived"))
		return c->status == STATUS_ARCHIVED;
	if (!strcmp(state, "snoozed"))
		return c->status == STATUS_ARCHIVED && c->reminder_at;
	if (!strcmp(state, "trashed"))
		return c->status == STATUS_TRASHED;
	if (!strcmp(state, "assigned"))
		return c->status == STATUS_OPEN && c->assignee;
	if (!strcmp(state, "unassigned"))
		return c->status == STATUS_OPEN && !c->assignee;
	if (!strcmp(state, "unreplied"))
		return last && front.messages.list[last - 1].inbound;
	return !strcmp(front_status_category(c->ticket_status), state);
}

/* Whether anything was said in a span, by a message or a comment. */
static bool said_between(const struct front_conversation *c, int64_t from, int64_t to)
{
	for (uint32_t at = c->message; at; at = front.messages.list[at - 1].older)
		if (front.messages.list[at - 1].created >= from &&
		    front.messages.list[at - 1].created <= to && !front.messages.list[at - 1].gone)
			return true;
	for (uint32_t at = c->comment; at; at = front.comments.list[at - 1].older)
		if (front.comments.list[at - 1].posted >= from &&
		    front.comments.list[at - 1].posted <= to && !front.comments.list[at - 1].gone)
			return true;
	return false;
}

static bool wrote(const struct front_conversation *c, uint32_t mate)
{
	for (uint32_t at = c->message; at; at = front.messages.list[at - 1].older)
		if (front.messages.list[at - 1].author == mate + 1)
			return true;
	return false;
}

static bool commented(const struct front_conversation *c, uint32_t mate)
{
	for (uint32_t at = c->comment; at; at = front.comments.list[at - 1].older)
		if (front.comments.list[at - 1].author == mate + 1)
			return true;
	return false;
}

static bool mentioned(const struct front_conversation *c, uint32_t mate)
{
	for (uint32_t at = c->comment; at; at = front.comments.list[at - 1].older)
		if (front.comments.list[at - 1].mentioned == mate + 1)
			return true;
	return false;
}

static bool listed(const uint32_t *list, uint32_t count, uint32_t idx)
{
	for (uint32_t i = 0; i < count; i++)
		if (list[i] == idx + 1)
			return true;
	return false;
}

/* In the messages as they are served: every member of a recipient counts. */
static bool has_recipient(const struct front_conversation *c, const struct term *t)
{
	bool any = !strcmp(t->name, "recipient"), found = false;

	for (uint32_t at = c->message; at && !found; at = front.messages.list[at - 1].older) {
		struct buf doc = {0};
		json_t *json, *r;
		size_t i;

		front_render_message(&doc, NULL, at - 1);
		json = json_loadb(doc.p, doc.len, 0, NULL);
		json_array_foreach(json_object_get(json, "recipients"), i, r) found |=
			!strcmp(json_string_value(json_object_get(r, "handle")), t->value) &&
			(any || !strcmp(json_string_value(json_object_get(r, "role")), t->name));
		json_decref(json);
		buf_release(&doc);
	}
	return found;
}

static bool has_field(const struct front_conversation *c, const char *pair)
{
	const char *equals = strchr(pair, '=');
	struct buf doc = {0};
	json_t *json, *value;
	char *text, name[64];
	bool found;

	if (!equals)
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(equals - pair), pair);
	j_open(&doc, NULL, '{');
	front_own_fields(&doc, c->own_fields, hash2(c->seed, c->fields));
	j_close(&doc, '}');
	json = json_loadb(doc.p, doc.len, 0, NULL);
	value = json_object_get(json_object_get(json, "custom_fields"), name);
	text = value && !json_is_string(value) ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
	found = value && !strcmp(text ? text : json_string_value(value), equals + 1);
	free(text);
	json_decref(json);
	buf_release(&doc);
	return found;
}

static bool fits(const struct term *t, uint32_t idx)
{
	const struct front_conversation *c = &front.conversations.list[idx];
	int64_t day = t->at - t->at % 86400000;

	switch (t->kind) {
	case TERM_INBOX: return c->inbox == t->idx + 1 || c->second_inbox == t->idx + 1;
	case TERM_TAG: return listed(c->tags, c->tag_count, t->idx);
	case TERM_LINK: return listed(c->links, c->link_count, t->idx);
	case TERM_CONTACT: return c->contact == t->idx + 1;
	case TERM_ASSIGNEE: return c->assignee == t->idx + 1;
	case TERM_AUTHOR: return wrote(c, t->idx);
	case TERM_COMMENTER: return commented(c, t->idx);
	case TERM_PARTICIPANT: return wrote(c, t->idx) || commented(c, t->idx);
	case TERM_MENTION: return mentioned(c, t->idx);
	case TERM_HANDLE: return has_recipient(c, t);
	case TERM_IS: return is_state(c, idx, t->value);
	case TERM_AFTER: return said_between(c, t->at, INT64_MAX);
	case TERM_BEFORE: return said_between(c, INT64_MIN, t->at);
	case TERM_DURING: return said_between(c, day, day + 86399999);
	default: return has_field(c, t->value);
	}
}

static void lower_case(struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		b->p[i] = (char)tolower((unsigned char)b->p[i]);
}

static bool has_words(const struct query *q, uint32_t idx)
{
	struct buf text = {0};
	bool found = true;

	if (!q->word_count)
		return true;
	front_subject(&text, idx);
	for (uint32_t at = front.conversations.list[idx].message; at;
	     at = front.messages.list[at - 1].older) {
		buf_char(&text, '\n');
		if (!front.messages.list[at - 1].gone && !front.messages.list[at - 1].draft)
			front_message_text(&text, at - 1, true);
	}
	lower_case(&text);
	for (unsigned i = 0; i < q->word_count && found; i++)
		found = strstr(buf_text(&text), q->words[i]) != NULL;
	buf_release(&text);
	return found;
}

/* Filters of one address role are alternatives, all others must fit. after
 * and before together mean one span: something was said inside of it. */
static bool matches(const struct query *q, uint32_t idx)
{
	int64_t from = INT64_MIN, to = INT64_MAX;

	for (unsigned i = 0; i < q->term_count; i++) {
		bool found = false;

		if (q->terms[i].kind == TERM_AFTER)
			from = q->terms[i].at;
		if (q->terms[i].kind == TERM_BEFORE)
			to = q->terms[i].at;
		for (unsigned k = 0; k < q->term_count && !found; k++)
			found = (k == i || (q->terms[i].kind == TERM_HANDLE &&
					    q->terms[k].name == q->terms[i].name)) &&
				fits(&q->terms[k], idx);
		if (!found)
			return false;
	}
	if (from != INT64_MIN && to != INT64_MAX &&
	    !said_between(&front.conversations.list[idx], from, to))
		return false;
	return has_words(q, idx);
}

static bool search_wanted(const struct front_page *p, uint32_t idx)
{
	const struct query *q = p->filter;
	const struct front_conversation *c = &front.conversations.list[idx];

	if (c->unsent || (c->status == STATUS_TRASHED) != q->trashed ||
	    !front_conversation_visible(idx))
		return false;
	/* What happened just now is not found yet. */
	if (settings.search_lag_s && c->updated + settings.search_lag_s * 1000ll > front_now())
		return false;
	return matches(q, idx);
}

static int64_t bump_key(uint32_t idx)
{
	return front.conversations.list[idx].bumped;
}

static void print_conversation(struct buf *b, uint32_t idx)
{
	front_render_conversation(b, NULL, idx);
}

void front_answer_search(struct call *c)
{
	static struct query q; /* large, and one search runs at a time */
	struct front_page p = {.call = c,
			       .idx = front.by_bump.idx,
			       .count = front.by_bump.count,
			       .key = bump_key,
			       .wanted = search_wanted,
			       .print = print_conversation,
			       .filter = &q,
			       .max = 100,
			       .usual = 50,
			       .total = true};

	q = (struct query){0};
	if (parse(c, &q, c->path + strlen("/conversations/search/")))
		front_page_answer(&p);
}
