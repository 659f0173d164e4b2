/* A population: the times and orders of one kind of record, a few bytes for
 * each. The records themselves are derived when they are asked for. */
#ifndef APISIM_POP_H
#define APISIM_POP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pop_flag {
	POP_GONE = 1,     /* deleted: in no order any more */
	POP_MERGED = 2,   /* contacts: merged into another one */
	POP_FAULTY = 4,   /* its last GET answer was spoiled on purpose */
	POP_ARCHIVED = 8, /* contacts: POP_GONE as well, but still answered by id */
};

/* One change made at run time; what x, a and b mean is the kind's own. */
struct op {
	uint8_t kind;
	uint8_t x;
	uint32_t at; /* Unix seconds */
	uint32_t a, b;
	uint64_t seed;
	uint64_t seq; /* the world's version right after it */
};

struct overlay {
	struct op *ops;
	uint32_t count, cap;
};

struct pop {
	uint32_t count; /* records ever made; index = order of making */
	uint32_t base;  /* of these, made by the seed */
	uint32_t live;  /* entries in each order */
	uint32_t cap;
	uint32_t *created, *updated;
	uint32_t *by_created, *by_updated; /* live indexes, by (time, index) */
	uint32_t *fetched;                 /* when the client last got it whole; 0 never */
	uint32_t *over;                    /* its overlay's number plus 1; 0: unchanged */
	uint8_t *flags;
	struct overlay *overlays;
	uint32_t overlay_count, overlay_cap;
};

void pop_init(struct pop *p, uint32_t count);
/* Builds both orders from the times; for the start. */
void pop_sort(struct pop *p);
/* A new record; its index. */
uint32_t pop_add(struct pop *p, uint32_t created);
/* Moves the record to its new place; updated times never go back. */
void pop_touch(struct pop *p, uint32_t idx, uint32_t updated);
void pop_remove(struct pop *p, uint32_t idx);
static inline bool pop_live(const struct pop *p, uint32_t idx)
{
	return idx < p->count && !(p->flags[idx] & POP_GONE);
}

/* The record's changes so far, or NULL. */
const struct overlay *pop_overlay(const struct pop *p, uint32_t idx);
void pop_op(struct pop *p, uint32_t idx, struct op op);
/* How many records made by the seed were created at or before t. */
uint32_t pop_base_until(const struct pop *p, uint32_t t);
/* Where in an order the first entry with (key, idx) >= the given one is. */
uint32_t pop_lower(const uint32_t *order, uint32_t live, const uint32_t *key, uint32_t k,
		   uint32_t idx);
void pop_release(struct pop *p);

#endif
