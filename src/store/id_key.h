/*
 * id_key: a number for an id (<store/segment.h>). A segment knows the smallest and the largest of its own: those of one time hold
 * ids of one time, and most of them are told by two comparisons not to hold an id.
 */
#ifndef FIC_STORE_ID_KEY_H
#define FIC_STORE_ID_KEY_H

#include <base/bytes.h>

/* Other ids may have the same one. */
uint64_t id_key(struct bytes id);

#endif
