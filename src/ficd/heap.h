/*
 * heap: how the allocator is to behave, so that memory that is not used is not held. Nor are pages of
 * programs and libraries that only the start needed.
 */
#ifndef FIC_FICD_HEAP_H
#define FIC_FICD_HEAP_H

#include <io/loop.h>

/* First of all. */
void heap_setup(void);
/* After the start: what was read of programs and libraries goes; what is needed again comes again, from
 * the system's memory. Takes a tenth of a millisecond. */
void heap_started(void);
/* Gives back to the system what lies free between what is used. heap_new: NULL without memory. */
struct heap;
struct heap *heap_new(struct loop *l);
/* Soon, and once however often it is asked for: large things were freed. Takes a tenth of a millisecond
 * or two. */
void heap_trim(struct heap *h);
void heap_free(struct heap *h);

#endif
