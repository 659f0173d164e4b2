/* Makes the workspace from a seed: times of all records, short lists, ids.
 * The world before the start is a pure function of the options; nothing but
 * mutations (mutate.c) may change it afterwards. */
#include "world.h"

#include "contact.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world world;

enum { SALT_CONVERSATIONS = 1, SALT_CONTACTS, SALT_COMPANIES, SALT_TICKETS, SALT_ARTICLES };

#define CONVERSATION_BASE      200963800000000u
#define CONVERSATION_STRIDE    7u
#define PART_BASE              40000000000u
#define PARTS_PER_CONVERSATION 16384u
#define ADMIN_BASE             991267000u
#define TEAM_BASE              5017000u
#define TAG_BASE               12300u

void world_defaults(struct world_options *opt)
{
	*opt = (struct world_options){
		.seed = 1,
		.contacts = 200,
		.companies = 40,
		.conversations = 60,
		.admins = 12,
		.teams = 4,
		.tags = 20,
		.segments = 6,
		.tickets = 30,
		.articles = 12,
		.inboxes = 7,
		.links = 12,
		.days = 400,
		.long_threads = UINT32_MAX,
		.deleted = 3,
		.timezone = "America/Los_Angeles",
		.region = "US",
		.app_id = "simapp01",
	};
}

uint64_t world_seed(enum seed_kind kind, uint64_t idx)
{
	return hash2(hash2(world.opt.seed, (uint64_t)kind), idx);
}

/* Weight of an hour of the week (UTC): working hours are busier. */
static uint32_t hour_weight(uint64_t unix_hour)
{
	uint64_t hour = unix_hour % 24, day = (unix_hour / 24 + 4) % 7; /* 0 Sunday */

	if (day == 0 || day == 6)
		return 2;
	return hour >= 8 && hour < 18 ? 12 : 3;
}

/* Creation times rising with the index, dense where the weights are high.
 * The weight function is walked once, hour by hour. */
static void spread_creations(struct pop *p, uint32_t from, uint32_t to, uint64_t salt)
{
	double total = 0, before = 0;
	uint64_t hour = from / 3600;

	for (uint64_t h = hour; h <= to / 3600; h++)
		total += hour_weight(h);
	for (uint32_t i = 0; i < p->count; i++) {
		double u = (double)(world_seed(SEED_TIME, hash2(salt, i)) >> 11) / 9007199254740992.0;
		double at = ((double)i + u) * total / (double)p->count, t;

		while (before + hour_weight(hour) < at) {
			before += hour_weight(hour);
			hour++;
		}
		t = ((double)hour + (at - before) / hour_weight(hour)) * 3600;
		p->created[i] = t < from ? from : t > to ? to : (uint32_t)t;
	}
}

uint32_t conversation_base_span(uint32_t idx)
{
	struct rng r = {world_seed(SEED_SPAN, idx)};
	uint32_t left = world.opt.now - world.conversations.created[idx];
	uint32_t kind = rng_below(&r, 100);
	uint32_t span = kind < 6    ? 0
			: kind < 45 ? rng_range(&r, 60, 5400)
			: kind < 80 ? rng_range(&r, 3600, 90000)
			: kind < 95 ? rng_range(&r, 86400, 86400 * 9)
				    : rng_range(&r, 86400, 86400 * 45);

	return span < left ? span : left;
}

static void init_conversations(void)
{
	struct pop *p = &world.conversations;
	uint32_t now = world.opt.now;

	pop_init(p, world.opt.conversations);
	spread_creations(p, now - world.opt.days * 86400, now - 30, SALT_CONVERSATIONS);
	for (uint32_t i = 0; i < p->count; i++)
		p->updated[i] = p->created[i] + conversation_base_span(i);
	pop_sort(p);
}

/* Half were touched lately, the others some time in their lives. */
static uint32_t base_updated(const struct pop *p, uint64_t salt, uint32_t idx)
{
	struct rng r = {world_seed(SEED_SPAN, hash2(salt, idx))};
	uint32_t left = world.opt.now - p->created[idx], back;

	if (idx >= p->base)
		return p->created[idx];
	back = rng_chance(&r, 500) ? rng_below(&r, 20 * 86400) : rng_below(&r, left + 1);
	return world.opt.now - (back < left ? back : left);
}

uint32_t contact_base_updated(uint32_t idx)
{
	return base_updated(&world.contacts, SALT_CONTACTS, idx);
}

uint32_t company_base_updated(uint32_t idx)
{
	return base_updated(&world.companies, SALT_COMPANIES, idx);
}

uint32_t ticket_base_updated(uint32_t idx)
{
	return base_updated(&world.tickets, SALT_TICKETS, idx);
}

static void init_people(struct pop *p, uint32_t count, uint32_t days, uint64_t salt)
{
	uint32_t now = world.opt.now;

	pop_init(p, count);
	spread_creations(p, now - days * 86400, now - 60, salt);
	if (count)
		p->created[0] = now - days * 86400;
	for (uint32_t i = 0; i < count; i++)
		p->updated[i] = base_updated(p, salt, i);
	pop_sort(p);
}

static void init_short_lists(void)
{
	static const char *const roles[] = {"Support", "Billing",     "Onboarding", "Escalations",
					    "Sales",   "Night shift", "Partners",   "Tier 2"};
	char name[128];
	uint32_t at = world.opt.now - (world.opt.days + 60) * 86400;

	for (uint32_t i = 0; i < world.opt.admins; i++) {
		uint64_t s = world_seed(SEED_ADMIN, i);

		snprintf(name, sizeof(name), "%s %s", text_first_name(s), text_last_name(s));
		items_add(&world.admins, ADMIN_BASE + i * 3, name, at);
	}
	for (uint32_t i = 0; i < world.opt.teams; i++) {
		if (i < 8)
			snprintf(name, sizeof(name), "%s", roles[i]);
		else
			snprintf(name, sizeof(name), "%s %u", roles[i % 8], i / 8 + 1);
		items_add(&world.teams, TEAM_BASE + i, name, at);
	}
	for (uint32_t i = 0; i < world.opt.tags; i++) {
		uint64_t s = world_seed(SEED_TAG, i);

		snprintf(name, sizeof(name), i % 7 == 3 ? "%s / %u \xf0\x9f\x94\xa5" : "%s-%u",
			 text_word(s), i);
		items_add(&world.tags, TAG_BASE + i * 2, name, at);
	}
	for (uint32_t i = 0; i < world.opt.segments; i++) {
		snprintf(name, sizeof(name), "%s users", text_word(world_seed(SEED_SEGMENT, i)));
		items_add(&world.segments, i, name, at + i * 3600);
	}
}

/* Deletions before the start: ids that no longer lead anywhere. */
static void init_deletions(void)
{
	for (uint32_t i = 0; i < world.opt.deleted; i++) {
		struct rng r = {world_seed(SEED_DELETED, i)};
		uint64_t slot = rng_below(&r, world.opt.conversations + 1);
		uint64_t own = conversation_id((uint32_t)slot) - CONVERSATION_BASE;
		uint64_t id = CONVERSATION_BASE + slot * CONVERSATION_STRIDE +
			      (own + 1 + i) % CONVERSATION_STRIDE;

		world_delete_feed(id, world.opt.now - rng_range(&r, 100, 86400 * 20),
				  rng_chance(&r, 500));
	}
}

static void count_company_users(void)
{
	uint32_t list[CONTACT_LINKS_MAX];

	for (uint32_t i = 0; i < world.contacts.count; i++) {
		uint32_t n = contact_base_companies(i, list);

		for (uint32_t k = 0; k < n; k++)
			company_users_add(list[k], 1);
	}
}

void world_init(const struct world_options *opt)
{
	world = (struct world){.opt = *opt};
	if (world.opt.long_threads == UINT32_MAX)
		world.opt.long_threads = opt->conversations >= 50;
	init_short_lists();
	init_people(&world.contacts, opt->contacts, opt->days + opt->days / 2 + 1, SALT_CONTACTS);
	init_people(&world.companies, opt->companies, opt->days + opt->days / 2 + 1, SALT_COMPANIES);
	init_people(&world.tickets, opt->tickets, opt->days, SALT_TICKETS);
	init_people(&world.articles, opt->articles, opt->days, SALT_ARTICLES);
	init_conversations();
	init_deletions();
	count_company_users();
}

uint64_t conversation_id(uint32_t idx)
{
	return CONVERSATION_BASE + (uint64_t)idx * CONVERSATION_STRIDE +
	       world_seed(SEED_ID, idx) % CONVERSATION_STRIDE;
}

bool conversation_index(const char *id, uint32_t *idx_out)
{
	char *end;
	unsigned long long v = strtoull(id, &end, 10);
	uint64_t slot = (v - CONVERSATION_BASE) / CONVERSATION_STRIDE;

	if (*id < '0' || *id > '9' || *end || v < CONVERSATION_BASE ||
	    slot >= world.conversations.count || conversation_id((uint32_t)slot) != v)
		return false;
	*idx_out = (uint32_t)slot;
	return true;
}

uint64_t part_id(uint32_t conversation, uint32_t number)
{
	return PART_BASE + (uint64_t)conversation * PARTS_PER_CONVERSATION + number + 1;
}

uint64_t source_id(uint32_t conversation)
{
	return 3000000000u + (uint64_t)conversation * 2 + 1;
}

/* Like an ObjectId: time, a constant of the workspace and kind, a counter. */
static void hex_id(char out[25], uint32_t created, uint64_t kind, uint32_t idx)
{
	uint64_t machine = world_seed(SEED_ID, kind << 40) & 0xffffffffffu;

	snprintf(out, 25, "%08x%010llx%06x", created, (unsigned long long)machine,
		 (idx + 0x1a3) & 0xffffffu);
}

static bool hex_index(const char *id, const struct pop *p, void (*make)(uint32_t, char[25]),
		      uint32_t *idx_out)
{
	char own[25];
	uint32_t idx;

	if (strlen(id) != 24)
		return false;
	idx = ((uint32_t)strtoul(id + 18, NULL, 16) - 0x1a3) & 0xffffffu;
	if (idx >= p->count)
		return false;
	make(idx, own);
	if (strcmp(own, id) != 0)
		return false;
	*idx_out = idx;
	return true;
}

void contact_id(uint32_t idx, char out[25])
{
	hex_id(out, world.contacts.created[idx], 1, idx);
}

bool contact_index(const char *id, uint32_t *idx_out)
{
	return hex_index(id, &world.contacts, contact_id, idx_out);
}

void company_id(uint32_t idx, char out[25])
{
	hex_id(out, world.companies.created[idx], 2, idx);
}

bool company_index(const char *id, uint32_t *idx_out)
{
	return hex_index(id, &world.companies, company_id, idx_out);
}

void segment_id(uint32_t idx, char out[25])
{
	hex_id(out, world.segments.list[idx].created, 3, idx);
}

bool company_hidden_at_start(uint32_t idx)
{
	return idx != 0 && world_seed(SEED_COMPANY, idx) % 9 == 0;
}

void company_users_add(uint32_t company, int change)
{
	if (company >= world.company_users_cap) {
		uint32_t cap = world.companies.cap > company ? world.companies.cap : company + 64;
		uint32_t *p = realloc(world.company_users, cap * sizeof(*p));

		if (!p)
			abort();
		memset(p + world.company_users_cap, 0, (cap - world.company_users_cap) * sizeof(*p));
		world.company_users = p;
		world.company_users_cap = cap;
	}
	world.company_users[company] += (uint32_t)change;
}

void world_delete_feed(uint64_t id, uint32_t at, bool metrics_retained)
{
	uint32_t k;

	if (world.deletion_count == world.deletion_cap) {
		world.deletion_cap = world.deletion_cap ? world.deletion_cap * 2 : 32;
		world.deletions = realloc(world.deletions,
					  world.deletion_cap * sizeof(*world.deletions));
		if (!world.deletions)
			abort();
	}
	k = world.deletion_count++;
	for (; k > 0 && world.deletions[k - 1].at > at; k--)
		world.deletions[k] = world.deletions[k - 1];
	world.deletions[k] = (struct deletion){id, at, metrics_retained};
}
