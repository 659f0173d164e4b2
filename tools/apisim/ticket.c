/* Builds a ticket from the seed, then replays its changes: a pure function of
 * (world, index), as with contacts. */
#include "ticket.h"

#include "conversation.h"

#include <stdlib.h>
#include <string.h>

#define TICKET_BASE      5200000u
#define TICKET_PART_BASE 80000000000u
#define ARTICLE_BASE     39000u

uint64_t ticket_id(uint32_t idx)
{
	return TICKET_BASE + (uint64_t)idx * 3;
}

static bool index_of(const char *id, uint64_t base, uint64_t stride, const struct pop *p,
		     uint32_t *idx_out)
{
	char *end;
	unsigned long long v = strtoull(id, &end, 10);

	if (*id < '0' || *id > '9' || *end || v < base || (v - base) % stride ||
	    (v - base) / stride >= p->count)
		return false;
	*idx_out = (uint32_t)((v - base) / stride);
	return true;
}

bool ticket_index(const char *id, uint32_t *idx_out)
{
	return index_of(id, TICKET_BASE, 3, &world.tickets, idx_out);
}

uint64_t ticket_part_id(uint32_t ticket, uint32_t number)
{
	return TICKET_PART_BASE + (uint64_t)ticket * 4096 + number;
}

uint64_t article_id(uint32_t idx)
{
	return ARTICLE_BASE + idx;
}

static void add_part(struct ticket *t, struct ticket_part part)
{
	if (t->part_count == TICKET_PARTS_MAX)
		return;
	part.from = t->state;
	if (part.kind != TICKET_STATE)
		part.state = t->state;
	t->state = part.state;
	part.updated = part.at;
	t->parts[t->part_count++] = part;
}

static void build_base(struct ticket *t)
{
	struct rng r = {t->seed};
	uint32_t span = ticket_base_updated(t->idx) - t->created, n = rng_below(&r, 6);

	t->type = (uint8_t)rng_below(&r, 3);
	t->contact = rng_below(&r, world.contacts.base);
	t->admin = rng_below(&r, world.opt.admins + 1);
	t->title_seed = rng_next(&r);
	if (t->idx < world.opt.long_tickets)
		n = SERVED_PARTS_MAX + 20;
	for (uint32_t i = 0; i < n; i++)
		add_part(t, (struct ticket_part){
				    .at = t->created + (uint32_t)((uint64_t)span * (i + 1) / n),
				    .kind = (uint8_t)rng_range(&r, TICKET_REPLY, TICKET_STATE),
				    .state = (uint8_t)rng_below(&r, 4),
				    .by_contact = rng_chance(&r, 400),
				    .admin = rng_below(&r, world.opt.admins),
				    .seed = rng_next(&r)});
}

static void replay(struct ticket *t, const struct op *op)
{
	switch ((enum ticket_op)op->kind) {
	case TICKET_REPLY:
	case TICKET_NOTE:
	case TICKET_STATE:
		add_part(t, (struct ticket_part){.at = op->at,
						 .kind = op->kind,
						 .state = op->x,
						 .admin = op->a,
						 .seed = op->seed,
						 .seq = op->seq});
		break;
	case TICKET_ASSIGN: t->admin = op->a + 1; break;
	case TICKET_TITLE: t->title_seed = op->seed; break;
	case TICKET_REDACT:
		if (op->a < t->part_count) {
			t->parts[op->a].redacted = true;
			t->parts[op->a].updated = op->at;
		}
		break;
	}
}

void ticket_build(uint32_t idx, struct ticket *t)
{
	const struct overlay *o = pop_overlay(&world.tickets, idx);

	memset(t, 0, sizeof(*t));
	t->idx = idx;
	t->created = world.tickets.created[idx];
	t->seed = world_seed(SEED_TICKET, idx);
	build_base(t);
	for (uint32_t i = 0; o && i < o->count; i++)
		replay(t, &o->ops[i]);
	t->updated = world.tickets.updated[idx];
}
