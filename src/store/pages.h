/*
 * pages: the bounded cache of verified pages, and the bounded number of open segment files.
 *
 * Memory and descriptors depend on their limits, not on the number of records or segments.
 */
#ifndef FIC_STORE_PAGES_H
#define FIC_STORE_PAGES_H

#include <base/bytes.h>
#include <base/err.h>

struct pages;

/* A file that is read through the cache. Owned by whoever embeds it; page_file_release before its
 * memory goes. */
struct page_file {
	uint64_t number; /* never used twice in one store: the cache's key */
	uint64_t bytes;  /* what its length must be */
	char *path;      /* owned by the file */
	uint8_t *image;  /* owned, too: the file lies here and nowhere else; NULL: on the disk */
	unsigned lost;   /* reads that the device refused */
	int fd;          /* -1: closed now */
	struct page_file *newer, *older;
};

struct pages_stats {
	uint64_t bytes, hits, misses;
	uint64_t reads; /* of files: a page each that was missed, and what is read past the cache */
};

/* `files_max`: descriptors that stay open. */
struct pages *pages_new(size_t bytes_max, unsigned files_max);
void pages_free(struct pages *p); /* every file must be released */
void pages_stats(const struct pages *p, struct pages_stats *out);
/* Of this file nothing is left in the memory that is here, nor of what was read past the cache: for one that goes. */
void pages_forget(struct pages *p, uint64_t number);

/* Takes `path` (from malloc). */
void page_file_init(struct page_file *f, uint64_t number, uint64_t bytes, char *path);
/* A file in memory; takes `image` (from malloc). */
void page_file_init_memory(struct page_file *f, uint64_t number, uint64_t bytes, uint8_t *image);
void page_file_release(struct pages *p, struct page_file *f);

/* Bytes as they lie in the file. ERR_CORRUPT: the file is gone, or is not as long as it must be;
 * ERR_IO, ERR_NOMEM. */
int page_file_read(struct pages *p, struct page_file *f, void *data, size_t len, uint64_t offset);

/* The same for who reads what lies side by side, forwards or backwards: one read of the file brings many of
 * them, and what was brought by the last one may be handed out without looking at the file again. */
int page_file_read_on(struct pages *p, struct page_file *f, void *data, size_t len, uint64_t offset);

/* All of this will be asked for by that: it is read at once, if there is room for it. What cannot be read is left for who asks. */
void page_file_ahead(struct pages *p, struct page_file *f, size_t len, uint64_t offset);

/* One page whose checksum was verified. Borrowed until the next call that may load a page. `hint`
 * is the caller's memory of where the page lay (start with 0); it makes the second look at the same
 * page cheap. */
int pages_get(struct pages *p, struct page_file *f, uint32_t page, uint32_t *hint,
	      const uint8_t **page_out);

/* The same of a page that needs no read; NULL: it does. */
const uint8_t *pages_peek(struct pages *p, const struct page_file *f, uint32_t page);

/* `count` pages from this one on are going to be asked for: of the first PAGES_AHEAD of them those that are not there yet are read at once. Trouble is left to
 * who asks for them. */
#define PAGES_AHEAD 8u
void pages_ahead(struct pages *p, struct page_file *f, uint32_t page, uint32_t count);

/* The checksum that ends a page. */
uint32_t page_sum(const uint8_t *page, uint32_t number);

#endif
