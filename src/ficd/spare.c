/* spare: see the header. Of two that are left the larger one waits. */
#include "spare.h"

#define ARENA_BYTES 4096 /* handed out: then its chunk is a small one */

void spare_take(struct buf *spare, struct buf *to)
{
	*to = *spare;
	*spare = (struct buf){0};
}

void spare_leave(struct buf *spare, struct buf *from, size_t max)
{
	if (from->cap <= max && from->cap > spare->cap) {
		struct buf other = *spare;
		*spare = *from;
		*from = other;
		buf_reset(spare);
	}
	buf_release(from);
}

void spare_take_arena(struct arena *spare, struct arena *to)
{
	*to = *spare;
	*spare = (struct arena){0};
}

void spare_leave_arena(struct arena *spare, struct arena *from)
{
	if (from->head && !spare->head && from->used <= ARENA_BYTES) {
		arena_reset(from);
		*spare = *from;
		*from = (struct arena){0};
	}
	arena_release(from);
}

void spare_release(struct spare *s)
{
	buf_release(&s->message);
	buf_release(&s->result);
	buf_release(&s->key);
	buf_release(&s->rows);
	buf_release(&s->memory);
	arena_release(&s->arena);
}
