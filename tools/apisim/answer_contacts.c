/* Contacts: list, search, one of them, and what hangs on it. */
#include "listing.h"
#include "intercom.h"

#include <stdio.h>
#include <string.h>

void answer_contacts(struct call *c)
{
	listing_answer(c, &resource_contacts);
}

void answer_contact_search(struct call *c)
{
	listing_search(c, &resource_contacts);
}

/* Follows merges as far as the API does. */
static uint32_t canonical(uint32_t idx)
{
	static struct contact c;

	for (int hop = 0; hop < 3; hop++) {
		contact_build(idx, &c);
		if (!c.merged_into)
			break;
		idx = c.merged_into - 1;
	}
	return idx;
}

static void answer_merged(struct call *c, uint32_t idx)
{
	char hex[25];

	contact_id(canonical(idx), hex);
	snprintf(c->link, sizeof(c->link), "</contacts/%s>; rel=\"canonical\"", hex);
	call_error(c, 410, "contact_merged",
		   "This contact has been merged. See the 'Link' header "
		   "for the canonical contact.");
}

bool contact_found(struct call *c, struct contact *out)
{
	struct pop *p = &world.contacts;
	uint32_t idx;

	if (!contact_index(c->id, &idx))
		return call_not_found(c, "not_found", "User Not Found");
	if (p->flags[idx] & POP_MERGED && c->version >= VERSION_2_16) {
		answer_merged(c, idx);
		return false;
	}
	if (!pop_live(p, idx) && !(p->flags[idx] & POP_ARCHIVED))
		return call_not_found(c, "not_found", "User Not Found");
	contact_build(idx, out);
	return true;
}

void answer_contact(struct call *c)
{
	static struct contact contact;
	struct view v = {.version = c->version,
			 .merge_history = call_flag(c, "include_merge_history")};

	if (contact_found(c, &contact))
		render_contact(&c->out, NULL, &contact, &v);
}

static void list_open(struct buf *b)
{
	buf_lit(b, "{\"type\":\"list\",\"data\":[");
}

void answer_contact_tags(struct call *c)
{
	static struct contact contact;
	struct buf *b = &c->out;

	if (!contact_found(c, &contact))
		return;
	list_open(b);
	for (uint32_t i = 0; i < contact.tag_count; i++) {
		const struct contact_tag *t = &contact.tags[i];

		render_tagging(b, t->tag, t->at, t->admin);
	}
	buf_lit(b, "]}");
}

void answer_contact_segments(struct call *c)
{
	static struct contact contact;
	uint32_t list[2], n;

	if (!contact_found(c, &contact))
		return;
	list_open(&c->out);
	n = contact_segments(&contact, list);
	for (uint32_t i = 0; i < n; i++)
		render_segment(&c->out, list[i], &(struct view){.version = c->version});
	buf_lit(&c->out, "]}");
}

struct span {
	uint32_t page, per_page, from, until;
};

static bool read_span(struct call *c, uint32_t total, struct span *s)
{
	if (!call_number(c, "page", 1, 100000, &s->page) ||
	    !call_number(c, "per_page", 50, 60, &s->per_page))
		return false;
	s->from = (s->page - 1) * s->per_page;
	s->until = s->from + s->per_page < total ? s->from + s->per_page : total;
	return true;
}

void answer_contact_companies(struct call *c)
{
	static struct contact contact;
	struct span s;

	if (!contact_found(c, &contact) || !read_span(c, contact.company_count, &s))
		return;
	list_open(&c->out);
	for (uint32_t i = s.from; i < s.until; i++)
		render_company(&c->out, NULL, contact.companies[i],
			       &(struct view){.version = c->version});
	j_close(&c->out, ']');
	listing_numbered_pages(c, "", s.page, s.per_page, contact.company_count);
	j_int(&c->out, "total_count", contact.company_count);
	j_close(&c->out, '}');
}

void answer_contact_notes(struct call *c)
{
	static struct contact contact;
	struct span s;

	if (!contact_found(c, &contact) || !read_span(c, contact.note_count, &s))
		return;
	list_open(&c->out);
	/* Newest first; they are kept in the order of their making. */
	for (uint32_t i = s.from; i < s.until; i++)
		render_contact_note(&c->out, &contact, &contact.notes[contact.note_count - 1 - i]);
	j_close(&c->out, ']');
	j_int(&c->out, "total_count", contact.note_count);
	listing_numbered_pages(c, "", s.page, s.per_page, contact.note_count);
	j_close(&c->out, '}');
}
