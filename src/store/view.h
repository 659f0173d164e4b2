/*
 * view: a snapshot as the store's own modules see it.
 */
#ifndef FIC_STORE_VIEW_H
#define FIC_STORE_VIEW_H

#include "inside.h"

struct snapshot {
	struct store *store;
	struct state *state;
	struct coverage nothing; /* of resources that were never written */
};

#endif
