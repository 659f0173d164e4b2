/*
 * id_key: a number for an id (<store/segment.h>). A segment knows the smallest and the largest of its own: those of one time hold
 * ids of one time, and most of them are told by two comparisons not to hold an id.
 */
#ifndef FIC_STORE_ID_KEY_H
#define FIC_STORE_ID_KEY_H

#include <base/bytes.h>

/* Other ids may have the same one. */
uint64_t id_key(struct bytes id);

/* The keys from `min` on, but for as many as are `outside`. Zeroed: all. */
struct id_keys {
	uint64_t min, outside;
};

static inline struct id_keys id_keys_of(uint64_t min, uint64_t max)
{
	return (struct id_keys){min, UINT64_MAX - (max - min)};
}

/* False: no id of this key is there. */
static inline bool id_keys_have(const struct id_keys *k, uint64_t key)
{
	return key - k->min <= ~k->outside;
}

#endif
