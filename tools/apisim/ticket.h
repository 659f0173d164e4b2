/* Tickets and their parts, and articles, as values: built from the seed and
 * the changes since. */
#ifndef APISIM_TICKET_H
#define APISIM_TICKET_H

#include "world.h"

#define TICKET_PARTS_MAX 1400

enum ticket_op {
	TICKET_REPLY = 1, /* a: admin, seed */
	TICKET_NOTE,      /* a: admin, seed */
	TICKET_STATE,     /* a: admin, x: enum ticket_state */
	TICKET_ASSIGN,    /* a: admin */
	TICKET_TITLE,     /* seed; no part tells of it */
	TICKET_REDACT,    /* a: part number */
};

struct ticket_part {
	uint32_t at, updated;
	uint8_t kind;        /* enum ticket_op */
	uint8_t state, from; /* after it and before */
	bool by_contact, redacted;
	uint32_t admin;
	uint64_t seed, seq;
};

struct ticket {
	uint32_t idx, created, updated;
	uint64_t seed, title_seed;
	uint8_t state, type;
	uint32_t contact, admin; /* admin index plus 1 */
	struct ticket_part parts[TICKET_PARTS_MAX];
	uint32_t part_count;
};

void ticket_build(uint32_t idx, struct ticket *out);
uint64_t ticket_id(uint32_t idx);
bool ticket_index(const char *id, uint32_t *idx_out);
uint64_t ticket_part_id(uint32_t ticket, uint32_t number);

uint64_t article_id(uint32_t idx);

#endif
