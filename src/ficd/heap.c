/*
 * heap: glibc's allocator is made for many threads and for speed. The loop is one thread, and its large
 * buffers (answers, pages from upstream, what a commit is made of) live for milliseconds.
 *
 * Left alone, the allocator learns from the first large buffer that is freed to take the next ones
 * from the heap, where the small things that come between keep the holes they leave; and it gives
 * the resolver's threads a heap of their own. By estimate that is a few megabytes over a first sync, of
 * some eight that are in use; it was not measured by itself. Elsewhere there is nothing to set.
 */
#include "heap.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

#define LARGE_BYTES   (64 * 1024)
#define TRIM_DELAY_MS 200
#define TOP_BYTES     (128 * 1024) /* free at the end of the heap before it shrinks */

void heap_setup(void)
{
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	mallopt(M_TRIM_THRESHOLD, TOP_BYTES);
	mallopt(M_TOP_PAD, LARGE_BYTES);
#endif
}

#ifdef __GLIBC__
/* Only what nobody can have written to: it lies in the file as it is. */
static int forget_object(struct dl_phdr_info *info, size_t size, void *page)
{
	uintptr_t mask = *(const uintptr_t *)page - 1;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		uintptr_t start = (uintptr_t)(info->dlpi_addr + h->p_vaddr);
		uintptr_t end = (start + h->p_filesz) & ~mask;
		start = (start + mask) & ~mask;
		if (h->p_type == PT_LOAD && !(h->p_flags & PF_W) && start < end)
			madvise((void *)start, end - start,
				MADV_DONTNEED); /* NOLINT(performance-no-int-to-ptr) */
	}
	return 0;
}
#endif

void heap_started(void)
{
#ifdef __GLIBC__
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	dl_iterate_phdr(forget_object, &page);
#endif
}

struct heap {
	struct timer *timer;
};

static void on_timer(void *ctx)
{
	(void)ctx;
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

struct heap *heap_new(struct loop *l)
{
	struct heap *h = calloc(1, sizeof *h);

	if (h && !(h->timer = timer_new(l, on_timer, h))) {
		free(h);
		h = NULL;
	}
	return h;
}

void heap_trim(struct heap *h)
{
	if (!timer_active(h->timer))
		timer_start(h->timer, TRIM_DELAY_MS, 0);
}

void heap_free(struct heap *h)
{
	if (!h)
		return;
	timer_free(h->timer);
	free(h);
}
