/*
 * list: rings of links that live inside the things they join. A thing's state is the list it is on.
 */
#ifndef FIC_IO_LIST_H
#define FIC_IO_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* A list's head, or a thing's place in a list. Points to itself when the list is empty, or the
 * thing on none. */
struct link {
	struct link *prev;
	struct link *next;
};

#define LIST_OF(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void list_init(struct link *l)
{
	l->prev = l->next = l;
}

static inline bool list_empty(const struct link *head)
{
	return head->next == head;
}

/* The thing must be on no list. */
static inline void list_append(struct link *head, struct link *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

/* No effect on a thing that is on none. */
static inline void list_remove(struct link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

/* Onto the end of another list, from wherever it is. */
static inline void list_move(struct link *head, struct link *l)
{
	list_remove(l);
	list_append(head, l);
}

/* The first link, taken off; NULL when there is none. */
static inline struct link *list_take(struct link *head)
{
	struct link *l = head->next;

	if (l == head)
		return NULL;
	list_remove(l);
	return l;
}

/* All of `from` onto the end of `to`. */
static inline void list_join(struct link *to, struct link *from)
{
	struct link *l;

	while ((l = list_take(from)))
		list_append(to, l);
}

#endif
