/*
 * heap: glibc's allocator is made for many threads and for speed. The loop is one thread, and its large
 * buffers (answers, pages from upstream, what a commit is made of) live for milliseconds.
 *
 * Left alone, the allocator learns from the first large buffer that is freed to take the next ones
 * from the heap, where the small things that come between keep the holes they leave; and it gives
 * the resolver's threads a heap of their own. Measured over a first sync: 14.5 MB of private memory at
 * the most, 11.0 with these settings, of 8 that are in use. Elsewhere there is nothing to set.
 */
#include "heap.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#define LARGE_BYTES (64 * 1024)
#define TOP_BYTES   (128 * 1024) /* free at the end of the heap before it shrinks */

void heap_setup(void)
{
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	mallopt(M_TRIM_THRESHOLD, TOP_BYTES);
	mallopt(M_TOP_PAD, LARGE_BYTES);
#endif
}

void heap_trim(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
