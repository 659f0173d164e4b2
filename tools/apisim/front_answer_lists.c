/* Answers about what there is little of: tags, inboxes, channels, teammates,
 * teams, links, statuses, rules, custom fields. */
#include "front_api.h"
#include "front_page.h"
#include "front_render.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void front_answer_me(struct call *c)
{
	j_open(&c->out, NULL, '{');
	j_open(&c->out, "_links", '{');
	front_url(&c->out, "self", "/me");
	j_close(&c->out, '}');
	j_str(&c->out, "id", world.opt.app_id);
	j_str(&c->out, "name", "Acme Freight");
	j_close(&c->out, '}');
}

static int64_t index_key(uint32_t idx)
{
	return idx;
}

static bool tag_visible(uint32_t idx)
{
	return front_item_live(&front.tags, idx) && !front_tag_private(idx);
}

static bool company_tag(const struct front_page *p, uint32_t idx)
{
	(void)p;
	return idx % 3 != 1 && !front_tag_private(idx);
}

static void print_tag(struct buf *b, uint32_t idx)
{
	front_render_tag(b, NULL, idx, UINT64_MAX);
}

static void list_tags(struct call *c, bool (*wanted)(const struct front_page *p, uint32_t idx))
{
	struct front_page p = {.call = c,
			       .idx = front_all(front.tags.count),
			       .count = front.tags.count,
			       .key = index_key,
			       .wanted = wanted,
			       .shown = tag_visible,
			       .print = print_tag,
			       .max = 100,
			       .usual = 50,
			       .sorts = " id "};

	front_page_answer(&p);
}

void front_answer_tags(struct call *c)
{
	list_tags(c, NULL);
}

void front_answer_company_tags(struct call *c)
{
	list_tags(c, company_tag);
}

static bool tag_of(struct call *c, uint32_t *idx)
{
	if (front_index(FRONT_TAG, c->id, front.tags.count, idx) && tag_visible(*idx))
		return true;
	front_unknown(c, "tag");
	return false;
}

void front_answer_tag(struct call *c)
{
	uint32_t idx;

	if (tag_of(c, &idx))
		print_tag(&c->out, idx);
}

void front_answer_tag_children(struct call *c)
{
	uint32_t idx;

	if (!tag_of(c, &idx))
		return;
	front_whole_open(c);
	for (uint32_t i = 0; i < front.tags.count; i++)
		if (front_tag_parent(i) == idx + 1 && tag_visible(i))
			print_tag(&c->out, i);
	front_whole_close(c);
}

static bool inbox_visible(uint32_t idx)
{
	return front_item_live(&front.inboxes, idx) && !front_inbox_private(idx);
}

static bool inbox_of(struct call *c, uint32_t *idx)
{
	if (front_index(FRONT_INBOX, c->id, front.inboxes.count, idx) && inbox_visible(*idx))
		return true;
	front_unknown(c, "inbox");
	return false;
}

/* Every step-th from the first on. */
static void print_inboxes(struct call *c, uint32_t first, uint32_t step)
{
	front_whole_open(c);
	for (uint32_t i = first; i < front.inboxes.count; i += step)
		if (inbox_visible(i))
			front_render_inbox(&c->out, NULL, i, UINT64_MAX);
	front_whole_close(c);
}

void front_answer_inboxes(struct call *c)
{
	print_inboxes(c, 0, 1);
}

void front_answer_inbox(struct call *c)
{
	uint32_t idx;

	if (inbox_of(c, &idx))
		front_render_inbox(&c->out, NULL, idx, UINT64_MAX);
}

void front_answer_inbox_channels(struct call *c)
{
	uint32_t idx;

	if (!inbox_of(c, &idx))
		return;
	front_whole_open(c);
	front_render_channel(&c->out, idx);
	front_whole_close(c);
}

void front_answer_inbox_teammates(struct call *c)
{
	uint32_t idx;

	if (!inbox_of(c, &idx))
		return;
	front_whole_open(c);
	for (uint32_t i = idx % front.teams.count; i < front.teammates.count; i += front.teams.count)
		front_render_teammate(&c->out, NULL, i, UINT64_MAX);
	front_whole_close(c);
}

void front_answer_channels(struct call *c)
{
	front_whole_open(c);
	for (uint32_t i = 0; i < front.inboxes.count; i++)
		if (inbox_visible(i))
			front_render_channel(&c->out, i);
	front_whole_close(c);
}

void front_answer_channel(struct call *c)
{
	uint32_t idx;

	if (front_index(FRONT_CHANNEL, c->id, front.inboxes.count, &idx) && inbox_visible(idx))
		front_render_channel(&c->out, idx);
	else
		front_unknown(c, "channel");
}

void front_answer_teammates(struct call *c)
{
	front_whole_open(c);
	for (uint32_t i = 0; i < front.teammates.count; i++)
		front_render_teammate(&c->out, NULL, i, UINT64_MAX);
	front_whole_close(c);
}

static bool teammate_of(struct call *c, uint32_t *idx)
{
	if (!strncmp(c->id, "alt:email:agent", 15))
		*idx = (uint32_t)strtoul(c->id + 15, NULL, 10) - 1;
	else if (!front_index(FRONT_TEAMMATE, c->id, front.teammates.count, idx))
		*idx = UINT32_MAX;
	if (*idx < front.teammates.count)
		return true;
	front_unknown(c, "teammate");
	return false;
}

void front_answer_teammate(struct call *c)
{
	uint32_t idx;

	if (teammate_of(c, &idx))
		front_render_teammate(&c->out, NULL, idx, UINT64_MAX);
}

void front_answer_teammate_inboxes(struct call *c)
{
	uint32_t idx;

	if (teammate_of(c, &idx))
		print_inboxes(c, idx % front.teams.count, front.teams.count);
}

void front_answer_teams(struct call *c)
{
	front_whole_open(c);
	for (uint32_t i = 0; i < front.teams.count; i++)
		front_render_team(&c->out, i, false);
	front_whole_close(c);
}

static bool team_of(struct call *c, uint32_t *idx)
{
	if (front_index(FRONT_TEAM, c->id, front.teams.count, idx))
		return true;
	front_unknown(c, "team");
	return false;
}

void front_answer_team(struct call *c)
{
	uint32_t idx;

	if (team_of(c, &idx))
		front_render_team(&c->out, idx, true);
}

void front_answer_team_inboxes(struct call *c)
{
	uint32_t idx;

	if (team_of(c, &idx))
		print_inboxes(c, idx, front.teams.count);
}

static bool link_live(uint32_t idx)
{
	return front_item_live(&front.links, idx);
}

static void print_link(struct buf *b, uint32_t idx)
{
	front_render_link(b, NULL, idx, UINT64_MAX);
}

/* Bits of idx % 3, which decides the type. */
static bool add_link_type(void *ctx, const char *value)
{
	unsigned *types = ctx;

	if (!strcmp(value, "web"))
		*types |= 1;
	else if (!strcmp(value, "jira"))
		*types |= 2;
	else if (!strcmp(value, "app_2f76b9ac738de158"))
		*types |= 4;
	else
		return call_listed(" asana monday trello github ", value);
	return true;
}

static bool link_wanted(const struct front_page *p, uint32_t idx)
{
	const unsigned *types = p->filter;

	return !*types || *types >> idx % 3 & 1;
}

void front_answer_links(struct call *c)
{
	unsigned types = 0;
	struct front_page p = {.call = c,
			       .idx = front_all(front.links.count),
			       .count = front.links.count,
			       .key = index_key,
			       .wanted = link_wanted,
			       .shown = link_live,
			       .print = print_link,
			       .filter = &types,
			       .max = 100,
			       .usual = 50,
			       .sorts = " id "};

	if (front_each_value(c, "types", add_link_type, &types))
		front_page_answer(&p);
}

void front_answer_link(struct call *c)
{
	uint32_t idx;

	if (front_index(FRONT_LINK, c->id, front.links.count, &idx) && link_live(idx))
		print_link(&c->out, idx);
	else
		front_unknown(c, "link");
}

void front_answer_statuses(struct call *c)
{
	if (!settings.ticketing) {
		call_error(c, 404, NULL, "Ticketing is not enabled");
		return;
	}
	front_whole_open(c);
	for (uint32_t i = 0; i < front_status_count(); i++)
		front_render_status(&c->out, i);
	front_whole_close(c);
}

void front_answer_status(struct call *c)
{
	uint32_t idx;

	if (settings.ticketing && front_index(FRONT_STATUS, c->id, front_status_count(), &idx))
		front_render_status(&c->out, idx);
	else
		front_unknown(c, "status");
}

void front_answer_rules(struct call *c)
{
	front_whole_open(c);
	for (uint32_t i = 0; i < front_rule_count(); i++)
		front_render_rule(&c->out, NULL, i);
	front_whole_close(c);
}

void front_answer_rule(struct call *c)
{
	uint32_t idx;

	if (front_index(FRONT_RULE, c->id, front_rule_count(), &idx))
		front_render_rule(&c->out, NULL, idx);
	else
		front_unknown(c, "rule");
}

void front_answer_fields(struct call *c)
{
	char scope[24];

	snprintf(scope, sizeof(scope), "%.*s", (int)strcspn(c->path + 1, "/"), c->path + 1);
	if (!strcmp(scope, "custom_fields")) /* the old name of the contacts' */
		snprintf(scope, sizeof(scope), "contacts");
	front_whole_open(c);
	for (uint32_t i = 0; i < front_field_count(); i++)
		front_render_field(&c->out, scope, i);
	front_whole_close(c);
}
