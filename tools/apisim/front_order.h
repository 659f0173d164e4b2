/* Records in the order of a time. */
#ifndef APISIM_FRONT_ORDER_H
#define APISIM_FRONT_ORDER_H

#include <stdint.h>

/* Indexes rising by (key, index); keys are by index. */
struct front_order {
	uint32_t *idx;
	int64_t *key;
	uint32_t count, cap, key_cap;
};

/* Puts it in, or moves it. */
void front_order_put(struct front_order *o, uint32_t idx, int64_t key);
void front_order_remove(struct front_order *o, uint32_t idx);
/* Where the first entry with (key, idx) >= the given one is. */
uint32_t front_order_lower(const uint32_t *order, uint32_t count, const int64_t *keys, int64_t key,
			   uint32_t idx);
void front_order_release(struct front_order *o);

#endif
