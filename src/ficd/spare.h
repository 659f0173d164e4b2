/*
 * spare: memory that one request leaves to the next one. Most are answered before another one begins, and need the same again: fresh memory
 * would cost more than what fills it. Private to this layer.
 */
#ifndef FIC_FICD_SPARE_INTERNAL_H
#define FIC_FICD_SPARE_INTERNAL_H

#include <base/arena.h>

/* What waits for the next one; all of it may be empty. */
struct spare {
	struct buf message, result, key;
	struct buf rows, memory;
	struct arena arena;
};

/* Moves the memory of `spare`, an empty buffer, into one that has none. */
void spare_take(struct buf *spare, struct buf *to);
/* Takes the memory of `from`, which is an empty buffer then; it waits as long as it is no more than `max` bytes. */
void spare_leave(struct buf *spare, struct buf *from, size_t max);

void spare_take_arena(struct arena *spare, struct arena *to);
void spare_leave_arena(struct arena *spare, struct arena *from);

void spare_release(struct spare *s);

#endif
