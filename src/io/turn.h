/*
 * turn: what the modules of this layer leave for the end of the loop's turn.
 *
 * Callbacks of libev and libcurl only note. The loop acts on the notes when all of them have
 * returned, and frees what was freed meanwhile when nothing of it can be on the stack any more.
 * Never for other layers.
 */
#ifndef FIC_IO_TURN_H
#define FIC_IO_TURN_H

#include <io/loop.h>

#include "list.h"

/* Part of an object that wants to act at the end of a turn. */
struct turn_note {
	struct link link;
	void (*act)(void *ctx);
	void *ctx;
};

void turn_note_init(struct turn_note *n, void (*act)(void *ctx), void *ctx);

/* act(ctx) once: at the end of this turn, or of the next when asked for by a note's own act; the
 * loop does not sleep before. No effect when it is noted already. */
void turn_note(struct loop *l, struct turn_note *n);
/* The same as a piece of the work (loop.h), not to take longer than loop_slice_us: at the end of this turn, or of a later one when others' pieces
 * come first; the loop does not sleep before. */
void turn_work(struct loop *l, struct turn_note *n);
void turn_forget(struct turn_note *n);

/* Part of an object that can be freed from inside its own callbacks. */
struct turn_grave {
	struct link link;
	void (*release)(void *object);
	void *object;
};

/* release(object) at the end of this turn; at once when the loop is not running. The object makes
 * no sound after this: its watchers are stopped and its notes forgotten. */
void turn_bury(struct loop *l, struct turn_grave *g, void (*release)(void *object), void *object);

#endif
