/* What happens to tickets and articles. */
#include "change.h"
#include "ticket.h"

static bool change_ticket(struct change *m, uint32_t idx, struct op op)
{
	uint32_t updated = world.tickets.updated[idx];

	op.at = m->at > updated ? m->at : updated;
	op.seed = rng_next(&m->rng);
	change_apply(&world.tickets, idx, op, false);
	change_report_number(m, "tickets", ticket_id(idx), op.at);
	return true;
}

bool do_new_ticket(struct change *m)
{
	uint32_t idx = pop_add(&world.tickets, m->at);

	world.version++;
	change_report_number(m, "tickets", ticket_id(idx), m->at);
	return true;
}

bool do_update_ticket(struct change *m)
{
	static struct ticket t;
	uint8_t kind = (uint8_t)rng_range(&m->rng, TICKET_REPLY, TICKET_REDACT);
	uint32_t idx, a = change_admin(m);

	if (!change_pick(m, &world.tickets, &idx))
		return false;
	ticket_build(idx, &t);
	if (kind == TICKET_REDACT) {
		if (t.part_count == 0)
			return false;
		a = t.part_count - 1 - rng_below(&m->rng, t.part_count < 400 ? t.part_count : 400);
	}
	return t.part_count < TICKET_PARTS_MAX &&
	       change_ticket(m, idx,
			     (struct op){.kind = kind, .x = (uint8_t)rng_below(&m->rng, 4), .a = a});
}

/* The first one: those with more than 500 parts are at the beginning. */
bool do_grow_ticket(struct change *m)
{
	static struct ticket t;

	if (!pop_live(&world.tickets, 0))
		return false;
	ticket_build(0, &t);
	return t.part_count < TICKET_PARTS_MAX &&
	       change_ticket(m, 0, (struct op){.kind = TICKET_REPLY, .a = change_admin(m)});
}

bool do_delete_ticket(struct change *m)
{
	uint32_t idx;

	if (!change_pick(m, &world.tickets, &idx))
		return false;
	world.version++;
	pop_remove(&world.tickets, idx);
	change_report_number(m, "tickets", ticket_id(idx), m->at);
	return true;
}

bool do_new_article(struct change *m)
{
	uint32_t idx = pop_add(&world.articles, m->at);

	world.version++;
	change_report_number(m, "articles", article_id(idx), m->at);
	return true;
}

bool do_update_article(struct change *m)
{
	uint32_t idx;

	if (!change_pick(m, &world.articles, &idx))
		return false;
	change_apply(&world.articles, idx,
		     (struct op){.kind = 1,
				 .at = m->at > world.articles.updated[idx]
					       ? m->at
					       : world.articles.updated[idx],
				 .seed = rng_next(&m->rng)},
		     false);
	change_report_number(m, "articles", article_id(idx), m->at);
	return true;
}

/* A change in bulk gives all of them the same second. */
bool do_touch_articles(struct change *m)
{
	for (uint32_t i = 0; i < world.articles.count; i++)
		if (pop_live(&world.articles, i) && m->at > world.articles.updated[i])
			change_apply(&world.articles, i,
				     (struct op){.kind = 1, .at = m->at, .seed = rng_next(&m->rng)},
				     false);
	change_report(m, "articles", "all", m->at);
	return true;
}

bool do_delete_article(struct change *m)
{
	uint32_t idx;

	if (!change_pick(m, &world.articles, &idx))
		return false;
	world.version++;
	pop_remove(&world.articles, idx);
	change_report_number(m, "articles", article_id(idx), m->at);
	return true;
}
