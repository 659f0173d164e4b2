/* The simulated workspace: its options, populations, short lists and ids. */
#ifndef APISIM_WORLD_H
#define APISIM_WORLD_H

#include "pop.h"
#include "rng.h"

#include <stdbool.h>
#include <stdint.h>

struct world_options {
	uint64_t seed;
	uint32_t contacts, companies, conversations;
	uint32_t admins, teams, tags, segments;
	uint32_t tickets, long_tickets, articles;
	uint32_t inboxes, links; /* Front only */
	uint32_t days, long_threads, deleted;
	uint32_t now; /* Unix seconds at the start */
	const char *timezone, *region, *app_id;
};

/* A member of a short list. Names keep their history, because documents that
 * embed one show it as it was when the document last changed: a client that
 * follows updated_at can then hold every document exactly. */
struct item {
	uint64_t id;
	struct {
		uint64_t seq;
		uint32_t at;
		char *text;
	} * names;
	uint32_t name_count;
	uint32_t created, updated;
	uint64_t gone_seq; /* 0: still there */
};

struct items {
	struct item *list;
	uint32_t count, cap;
};

struct deletion {
	uint64_t conversation_id;
	uint32_t at;
	bool metrics_retained;
};

struct world {
	struct world_options opt;
	uint64_t version; /* counts changes made at run time */
	struct pop conversations, contacts, companies, tickets, articles;
	struct items admins, teams, tags, segments;
	struct deletion *deletions; /* by time, oldest first */
	uint32_t deletion_count, deletion_cap;
	uint32_t *company_users; /* people in each company */
	uint32_t company_users_cap;
};

extern struct world world;

void world_defaults(struct world_options *opt);
void world_init(const struct world_options *opt);
void world_release(void);

/* A seed for record idx of one kind; kinds are enum seed_kind. */
enum seed_kind {
	SEED_CONVERSATION = 1,
	SEED_CONTACT,
	SEED_COMPANY,
	SEED_ADMIN,
	SEED_TEAM,
	SEED_TAG,
	SEED_SEGMENT,
	SEED_TIME,
	SEED_SPAN,
	SEED_ID,
	SEED_MEMBERS,
	SEED_DELETED,
	SEED_TICKET,
	SEED_ARTICLE,
};
uint64_t world_seed(enum seed_kind kind, uint64_t idx);

/* Ids. The functions from text answer false for ids that were never given
 * out. Hexadecimal ids take 25 bytes with the end mark. */
uint64_t conversation_id(uint32_t idx);
bool conversation_index(const char *id, uint32_t *idx_out);
uint64_t part_id(uint32_t conversation, uint32_t number);
uint64_t source_id(uint32_t conversation);
void contact_id(uint32_t idx, char out[25]);
bool contact_index(const char *id, uint32_t *idx_out);
void company_id(uint32_t idx, char out[25]);
bool company_index(const char *id, uint32_t *idx_out);
void segment_id(uint32_t idx, char out[25]);

/* Short lists. */
struct item *items_add(struct items *l, uint64_t id, const char *name, uint32_t at);
/* Which of its names it had at a version of the world. */
uint32_t item_revision(const struct item *it, uint64_t seq);
void items_release(struct items *l);
void item_rename(struct item *it, const char *name, uint32_t at);
const char *item_name(const struct item *it, uint64_t seq);
bool item_there(const struct item *it, uint64_t seq);
/* Index of the live member with this decimal id, or -1. */
int64_t items_find(const struct items *l, const char *id);
/* A live member's index by chance; 0 when there is none. */
uint32_t items_pick(const struct items *l, struct rng *r);

void world_delete_feed(uint64_t id, uint32_t at, bool metrics_retained);
/* How long after its creation a conversation of the seed last changed, and
 * when other records did; for records made at run time, their creation. */
uint32_t conversation_base_span(uint32_t idx);
uint32_t contact_base_updated(uint32_t idx);
uint32_t company_base_updated(uint32_t idx);
uint32_t ticket_base_updated(uint32_t idx);
bool company_hidden_at_start(uint32_t idx);
void company_users_add(uint32_t company, int change);

#endif
