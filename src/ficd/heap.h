/*
 * heap: how the allocator is to behave, so that memory that is not used is not held. Nor are pages of
 * programs and libraries that only the start needed.
 */
#ifndef FIC_FICD_HEAP_H
#define FIC_FICD_HEAP_H

/* First of all. */
void heap_setup(void);
/* After the start: what was read of programs and libraries goes; what is needed again comes again, from
 * the system's memory. Takes a tenth of a millisecond. */
void heap_started(void);
/* Gives back what lies free between what is used. Takes a tenth of a millisecond or two. */
void heap_trim(void);

#endif
