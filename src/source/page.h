/*
 * page: what the readers of all providers do to a page. Private to this layer.
 */
#ifndef FIC_SOURCE_PAGE_INTERNAL_H
#define FIC_SOURCE_PAGE_INTERNAL_H

#include <source/provider.h>

/* More items than this in one answer are not believed. */
#define PAGE_ITEMS_MAX 100000

/* The answer is not what was asked for. */
void page_nonsense(struct page *page, const char *words);
bool page_room(struct page *page, size_t count); /* room for so many records; false: a fault is set */
/* The map with one of its members replaced, or left out (value {NULL, 0}); in the page's arena. {NULL, 0}: no memory. */
struct bytes page_map_with(struct page *page, struct bytes map, const char *key, struct bytes value);
/* The text behind a path, cut between characters to what fits; "" when there is none. */
void page_copy_text(struct bytes doc, const char *path, char *out, size_t cap);

#endif
