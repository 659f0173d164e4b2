/*
 * outbox_list: the edits of an outbox in memory, in the order of their numbers. Private to this layer.
 */
#ifndef FIC_STORE_OUTBOX_LIST_H
#define FIC_STORE_OUTBOX_LIST_H

#include <store/outbox.h>

struct outbox_entry {
	struct edit edit; /* its spans point into `memory` */
	void *memory;
	size_t bytes; /* encoded */
	uint64_t record_hash;
	bool fresh; /* not durable yet: nobody sees it */
};

/* Starts zeroed. */
struct outbox_list {
	struct outbox_entry **items;
	size_t count, cap, bytes;
};

void outbox_list_release(struct outbox_list *l);
/* Its place, or where one of this number would be. */
size_t outbox_list_place(const struct outbox_list *l, uint64_t id);
struct outbox_entry *outbox_list_find(const struct outbox_list *l, uint64_t id);
/* Puts a copy in, in place of the one with its number if there is one. ERR_NOMEM. */
int outbox_list_put(struct outbox_list *l, const struct edit *e, bool fresh);
void outbox_list_remove(struct outbox_list *l, uint64_t id);
/* Takes out the oldest of those that are over, until they are within what is kept. */
void outbox_list_trim(struct outbox_list *l);

#endif
