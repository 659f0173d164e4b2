/*
 * heap: how the allocator is to behave, so that memory that is not used is not held.
 */
#ifndef FIC_FICD_HEAP_H
#define FIC_FICD_HEAP_H

/* First of all. */
void heap_setup(void);
/* Gives back what lies free between what is used. Takes a tenth of a millisecond or two. */
void heap_trim(void);

#endif
