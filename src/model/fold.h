/*
 * fold: text without regard to case, in linear time.
 */
#ifndef FIC_MODEL_FOLD_H
#define FIC_MODEL_FOLD_H

#include <base/arena.h>

/* Both know the letters of ASCII and those of Latin, Greek and Cyrillic that UTF-8 writes with two bytes; other bytes are compared as they are. */
bool fold_equal(struct bytes a, struct bytes b);

/* What fold_find needs of a text that is looked for (at most UINT16_MAX bytes); NULL: no memory. */
uint16_t *fold_prepare(struct bytes needle, struct arena *a);
bool fold_find(struct bytes text, struct bytes needle, const uint16_t *failure);

#endif
