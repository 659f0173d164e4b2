/* Answers about contacts, contact lists and accounts. */
#include "front_api.h"
#include "front_page.h"
#include "front_render.h"
#include "settings.h"

#include <stdlib.h>
#include <string.h>

struct span {
	int64_t after, before;
	uint32_t account, list; /* plus 1; 0: any */
};

static int64_t created_key(uint32_t idx)
{
	return front.contacts.list[idx].created;
}

static int64_t updated_key(uint32_t idx)
{
	return front.contacts.list[idx].updated;
}

static bool contact_wanted(const struct front_page *p, uint32_t idx)
{
	const struct span *s = p->filter;
	const struct front_contact *c = &front.contacts.list[idx];
	int64_t slack = settings.inclusive ? 0 : 1;

	if (c->updated < s->after + slack || c->updated > s->before - slack)
		return false;
	return (!s->account || c->account == s->account) && (!s->list || c->list == s->list);
}

static void print_contact(struct buf *b, uint32_t idx)
{
	front_render_contact(b, NULL, idx);
}

static void list_contacts(struct call *c, struct span *s)
{
	const char *by = call_argument(c, "sort_by");
	bool updated = by && !strcmp(by, "updated_at");
	const struct front_order *o = updated ? &front.by_contact_updated : &front.by_contact_created;
	struct front_page p = {.call = c,
			       .idx = o->idx,
			       .count = o->count,
			       .key = updated ? updated_key : created_key,
			       .wanted = contact_wanted,
			       .shown = front_contact_visible,
			       .print = print_contact,
			       .filter = s,
			       .max = 100,
			       .usual = 50,
			       .sorts = " created_at updated_at "};

	s->after = INT64_MIN / 2;
	s->before = INT64_MAX / 2;
	if (front_time_argument(c, "q[updated_after]", &s->after) &&
	    front_time_argument(c, "q[updated_before]", &s->before))
		front_page_answer(&p);
}

void front_answer_contacts(struct call *c)
{
	list_contacts(c, &(struct span){0});
}

void front_answer_contact(struct call *c)
{
	uint32_t idx;

	if (front_contact_find(c->id, &idx))
		front_render_contact(&c->out, NULL, idx);
	else
		front_unknown(c, "contact");
}

void front_answer_contact_notes(struct call *c)
{
	uint32_t idx;

	if (!front_contact_find(c->id, &idx)) {
		front_unknown(c, "contact");
		return;
	}
	c->status = 202;
	front_whole_open(c);
	if (idx % 4 == 0) {
		j_open(&c->out, NULL, '{');
		j_open(&c->out, "_links", '{');
		j_open(&c->out, "related", '{');
		front_url(&c->out, "author", "/teammates/%s",
			  front_id(FRONT_TEAMMATE, idx % front.teammates.count).text);
		j_null(&c->out, "owner");
		front_links_close(&c->out);
		front_render_teammate(&c->out, "author", idx % front.teammates.count, UINT64_MAX);
		j_str(&c->out, "body", "Asked for the yearly plan");
		front_time(&c->out, "created_at", front.contacts.list[idx].created);
		j_bool(&c->out, "is_private", false);
		j_close(&c->out, '}');
	}
	front_whole_close(c);
}

void front_answer_contact_lists(struct call *c)
{
	front_whole_open(c);
	for (uint32_t i = 0; i < front.lists.count; i++)
		if (front_item_live(&front.lists, i))
			front_render_list(&c->out, i, UINT64_MAX);
	front_whole_close(c);
}

void front_answer_list_contacts(struct call *c)
{
	uint32_t idx;

	if (front_index(FRONT_LIST, c->id, front.lists.count, &idx))
		list_contacts(c, &(struct span){.list = idx + 1});
	else
		front_unknown(c, "contact list");
}

static int64_t account_created(uint32_t idx)
{
	return front_decimals(front.accounts.list[idx].created, idx);
}

static int64_t account_updated(uint32_t idx)
{
	return front_account_updated(idx, UINT64_MAX);
}

static bool account_live(uint32_t idx)
{
	return front_item_live(&front.accounts, idx);
}

static void print_account(struct buf *b, uint32_t idx)
{
	front_render_account(b, NULL, idx, UINT64_MAX);
}

void front_answer_accounts(struct call *c)
{
	const char *by = call_argument(c, "sort_by");
	struct front_page p = {.call = c,
			       .shown = account_live,
			       .print = print_account,
			       .max = 100,
			       .usual = 50,
			       .sorts = " created_at updated_at "};

	p.key = by && !strcmp(by, "updated_at") ? account_updated : account_created;
	p.idx = front_sorted(front.accounts.count, p.key);
	p.count = front.accounts.count;
	front_page_answer(&p);
}

/* alt:domain:account1.example and alt:ext_id:ext-4001, too. */
static bool account_find(const char *id, uint32_t *idx)
{
	if (!strncmp(id, "alt:domain:account", 18))
		*idx = (uint32_t)strtoul(id + 18, NULL, 10) - 1;
	else if (!strncmp(id, "alt:ext_id:ext-", 15))
		*idx = (uint32_t)strtoul(id + 15, NULL, 10) - 4000;
	else if (!front_index(FRONT_ACCOUNT, id, front.accounts.count, idx))
		return false;
	return front_item_live(&front.accounts, *idx);
}

void front_answer_account(struct call *c)
{
	uint32_t idx;

	if (account_find(c->id, &idx))
		front_render_account(&c->out, NULL, idx, UINT64_MAX);
	else
		front_unknown(c, "account");
}

void front_answer_account_contacts(struct call *c)
{
	uint32_t idx;

	if (account_find(c->id, &idx))
		list_contacts(c, &(struct span){.account = idx + 1});
	else
		front_unknown(c, "account");
}
