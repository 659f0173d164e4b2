/*
 * pages: verified pages in a hash table with a clock hand that passes by what was looked at again and again (pages of ids before
 * pages of rows: they are fewer, and every get needs one), and segment files in a list by last use.
 *
 * A page enters the cache only after its checksum was right. Nothing here knows what a page means.
 * It must never map a file (a disk error would be a crash) and never hold more than its limit.
 */
#include "pages.h"

#include <base/files.h>
#include <codec/crc.h>
#include <store/segment.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SLOTS_MIN  16u
#define SLOT_NONE  UINT32_MAX
#define SLOT_TAKEN UINT64_MAX /* no file has this number */
#define SLOT_EXTRA 64u        /* what a page costs beside its bytes */
#define PAGE_WIPED UINT32_MAX

#define PAGE_SUM_HEAD 64u
#define WORTH_MAX     3u

#define STRETCH_BYTES 16384u
#define NEAR_BYTES    4096u /* between two reads: the next one will not be farther */

struct slot {
	uint64_t file; /* 0: empty */
	uint32_t page; /* of an empty one: PAGE_WIPED, or its bytes are what was there before */
	uint32_t next; /* in its chain */
	uint8_t worth; /* how often the hand passes it by: looks at it since, up to WORTH_MAX */
	bool ahead;    /* it was read before anybody asked for it, and nobody has yet */
	uint8_t *data;
};

/* What was read around a place, for who reads one thing after the other. */
struct stretch {
	uint64_t file; /* 0: nothing */
	uint64_t start;
	size_t len;
	uint64_t last_file, last_offset; /* of the last read */
	uint8_t data[STRETCH_BYTES];
};

struct pages {
	struct slot *slots;
	uint32_t count, cap;
	uint32_t hand;
	uint32_t *heads;
	uint32_t mask;
	uint64_t hits, misses, reads;
	struct page_file *newest, *oldest;
	unsigned files, files_max;
	struct stretch stretch;
};

struct pages *pages_new(size_t bytes_max, unsigned files_max)
{
	struct pages *p = calloc(1, sizeof *p);
	size_t cap = bytes_max / (SEGMENT_PAGE + SLOT_EXTRA);
	size_t heads = SLOTS_MIN;

	if (!p)
		return NULL;
	p->files_max = files_max;
	p->cap = cap < SLOTS_MIN ? SLOTS_MIN : cap > 1u << 24 ? 1u << 24 : (uint32_t)cap;
	while (heads < p->cap)
		heads *= 2;
	p->mask = (uint32_t)heads - 1;
	p->slots = calloc(p->cap, sizeof *p->slots);
	p->heads = malloc(heads * sizeof *p->heads);
	if (!p->slots || !p->heads) {
		pages_free(p);
		return NULL;
	}
	memset(p->heads, 0xff, heads * sizeof *p->heads);
	return p;
}

void pages_free(struct pages *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; p->slots && i < p->count; i++)
		free(p->slots[i].data);
	free(p->slots);
	free(p->heads);
	free(p);
}

void pages_stats(const struct pages *p, struct pages_stats *out)
{
	*out = (struct pages_stats){.bytes = (uint64_t)p->count * (SEGMENT_PAGE + SLOT_EXTRA),
				    .hits = p->hits,
				    .misses = p->misses,
				    .reads = p->reads};
}

/* ---- files ---- */

void page_file_init(struct page_file *f, uint64_t number, uint64_t bytes, char *path)
{
	*f = (struct page_file){.number = number, .bytes = bytes, .path = path, .fd = -1};
}

void page_file_init_memory(struct page_file *f, uint64_t number, uint64_t bytes, uint8_t *image)
{
	/* It was written into a buffer that grew by halves. */
	void *fitting = realloc(image, (size_t)bytes);

	if (fitting)
		image = fitting;
	*f = (struct page_file){.number = number, .bytes = bytes, .image = image, .fd = -1};
}

static void file_unlist(struct pages *p, struct page_file *f)
{
	*(f->newer ? &f->newer->older : &p->newest) = f->older;
	*(f->older ? &f->older->newer : &p->oldest) = f->newer;
	f->newer = f->older = NULL;
}

static void file_list(struct pages *p, struct page_file *f)
{
	f->older = p->newest;
	f->newer = NULL;
	*(f->older ? &f->older->newer : &p->oldest) = f;
	p->newest = f;
}

/* The descriptor only. */
static void page_file_close(struct pages *p, struct page_file *f)
{
	if (f->fd < 0)
		return;
	file_unlist(p, f);
	close(f->fd);
	f->fd = -1;
	p->files--;
}

void page_file_release(struct pages *p, struct page_file *f)
{
	page_file_close(p, f);
	free(f->path);
	free(f->image);
	f->path = NULL;
	f->image = NULL;
}

/* A file that is gone or has another length is damage; a descriptor that cannot be had is not. */
static int file_open(struct pages *p, struct page_file *f)
{
	struct stat st;
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? ERR_CORRUPT
		       : errno == ENOMEM                                     ? ERR_NOMEM
									     : ERR_IO;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != f->bytes) {
		close(fd);
		return ERR_CORRUPT;
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	if (p->files >= p->files_max)
		page_file_close(p, p->oldest);
	f->fd = fd;
	file_list(p, f);
	p->files++;
	return 0;
}

/* Open, and the one that was used last. */
static int file_use(struct pages *p, struct page_file *f)
{
	if (f->fd < 0)
		return file_open(p, f);
	if (p->newest != f) {
		file_unlist(p, f);
		file_list(p, f);
	}
	return 0;
}

int page_file_read(struct pages *p, struct page_file *f, void *data, size_t len, uint64_t offset)
{
	if (offset > f->bytes || len > f->bytes - offset)
		return ERR_CORRUPT;
	if (f->image) {
		memcpy(data, f->image + offset, len);
		return 0;
	}
	int rc = file_use(p, f);
	if (rc)
		return rc;
	p->reads++;
	rc = file_pread(f->fd, data, len, offset);
	f->lost += rc == ERR_IO && errno == EIO;
	return rc;
}

static bool stretch_has(const struct stretch *s, const struct page_file *f, uint64_t offset, size_t len)
{
	return s->file == f->number && offset >= s->start && offset - s->start <= s->len &&
	       len <= s->len - (offset - s->start);
}

/* Whether this read follows the last one, in either direction. */
static bool stretch_pays(const struct stretch *s, const struct page_file *f, uint64_t offset,
			 size_t len)
{
	uint64_t away = offset > s->last_offset ? offset - s->last_offset : s->last_offset - offset;

	return s->last_file == f->number && away <= NEAR_BYTES && len <= STRETCH_BYTES / 2;
}

/* From the place on, or up to the end of what is asked for, as the reads go. */
static void stretch_load(struct pages *p, struct page_file *f, size_t len, uint64_t offset)
{
	struct stretch *s = &p->stretch;
	uint64_t end = offset + len;
	bool down = offset < s->last_offset;

	s->file = 0;
	s->start = !down ? offset : end > STRETCH_BYTES ? end - STRETCH_BYTES : 0;
	s->len = f->bytes - s->start < STRETCH_BYTES ? (size_t)(f->bytes - s->start) : STRETCH_BYTES;
	if (page_file_read(p, f, s->data, s->len, s->start) == 0)
		s->file = f->number;
}

void page_file_ahead(struct pages *p, struct page_file *f, size_t len, uint64_t offset)
{
	struct stretch *s = &p->stretch;

	if (f->image || len > sizeof s->data || stretch_has(s, f, offset, len))
		return;
	s->file = 0;
	s->start = offset;
	s->len = len;
	if (page_file_read(p, f, s->data, len, offset) == 0)
		s->file = f->number;
}

int page_file_read_on(struct pages *p, struct page_file *f, void *data, size_t len, uint64_t offset)
{
	struct stretch *s = &p->stretch;

	if (f->image || offset > f->bytes || len > f->bytes - offset)
		return page_file_read(p, f, data, len, offset);
	bool has = stretch_has(s, f, offset, len);
	if (!has && stretch_pays(s, f, offset, len)) {
		stretch_load(p, f, len, offset);
		has = s->file != 0;
	}
	s->last_file = f->number;
	s->last_offset = offset;
	if (!has)
		return page_file_read(p, f, data, len, offset);
	memcpy(data, s->data + (offset - s->start), len);
	return 0;
}

/* ---- pages ---- */

uint32_t page_sum(const uint8_t *page, uint32_t number)
{
	/* With the number in front a page is as long as a whole one: no bytes are left over for the slow tables. */
	uint8_t head[PAGE_SUM_HEAD];

	put_le32(head, number);
	memcpy(head + 4, page, sizeof head - 4);
	return crc_add(crc_add(0, head, sizeof head), page + sizeof head - 4,
		       SEGMENT_PAGE - sizeof head);
}

static uint32_t *head_of(const struct pages *p, uint64_t file, uint32_t page)
{
	uint64_t h = (file * 0x9e3779b97f4a7c15u) ^ ((uint64_t)page * 0xd1b54a32d192ed03u);

	return &p->heads[(uint32_t)(h >> 32) & p->mask];
}

static void slot_empty(struct pages *p, uint32_t at)
{
	struct slot *s = &p->slots[at];

	if (!s->file)
		return;
	uint32_t *link = head_of(p, s->file, s->page);
	while (*link != at)
		link = &p->slots[*link].next;
	*link = s->next;
	s->file = 0;
}

/* An empty slot: a new one while the limit allows, else the first that is worth nothing when the
 * hand comes to it. */
static uint32_t slot_take(struct pages *p)
{
	if (p->count < p->cap) {
		uint8_t *data = malloc(SEGMENT_PAGE);
		if (data) {
			p->slots[p->count] = (struct slot){.data = data};
			return p->count++;
		}
		if (p->count == 0)
			return SLOT_NONE;
	}
	for (;;) {
		uint32_t at = p->hand;
		p->hand = at + 1 < p->count ? at + 1 : 0;
		if (!p->slots[at].file || !p->slots[at].worth) {
			slot_empty(p, at);
			p->slots[at].page = 0;
			return at;
		}
		p->slots[at].worth--;
	}
}

/* What was read becomes a page, if its checksum is right. */
static int slot_fill(struct pages *p, uint32_t at, const struct page_file *f, uint32_t page)
{
	struct slot *s = &p->slots[at];

	if (le32(s->data + SEGMENT_PAGE_ROOM) != page_sum(s->data, page))
		return ERR_CORRUPT;
	uint32_t *head = head_of(p, f->number, page);
	s->worth = 0;
	s->ahead = false;
	s->file = f->number;
	s->page = page;
	s->next = *head;
	*head = at;
	return 0;
}

static int page_load(struct pages *p, struct page_file *f, uint32_t page, uint32_t *at_out)
{
	uint32_t at = slot_take(p);

	if (at == SLOT_NONE)
		return ERR_NOMEM;
	int rc = page_file_read(p, f, p->slots[at].data, SEGMENT_PAGE, (uint64_t)page * SEGMENT_PAGE);
	if (!rc)
		rc = slot_fill(p, at, f, page);
	*at_out = at;
	return rc;
}

/* SLOT_NONE: it is not there. */
static inline uint32_t slot_find(const struct pages *p, uint64_t file, uint32_t page)
{
	uint32_t at = *head_of(p, file, page);

	while (at != SLOT_NONE && (p->slots[at].file != file || p->slots[at].page != page))
		at = p->slots[at].next;
	return at;
}

/* An empty slot for each of up to `count` pages. Until they are filled they are worth more than any other: the hand does not come back for them. */
static uint32_t take_slots(struct pages *p, uint32_t count, uint32_t *slots)
{
	uint32_t n = 0;

	while (n < count && (slots[n] = slot_take(p)) != SLOT_NONE) {
		p->slots[slots[n]].file = SLOT_TAKEN;
		p->slots[slots[n++]].worth = WORTH_MAX + 1;
	}
	for (uint32_t i = 0; i < n; i++)
		p->slots[slots[i]].file = 0;
	return n;
}

void pages_ahead(struct pages *p, struct page_file *f, uint32_t page, uint32_t count)
{
	uint32_t slots[PAGES_AHEAD], missing[PAGES_AHEAD], n = 0;
	struct iovec to[PAGES_AHEAD];

	count = count < PAGES_AHEAD ? count : PAGES_AHEAD;
	/* Among so many others there is always one that is worth less than the slots that are taken. */
	if (f->image || p->count < 2 * PAGES_AHEAD)
		return;
	for (uint32_t i = 0; i < count; i++)
		if (slot_find(p, f->number, page + i) == SLOT_NONE)
			missing[n++] = i;
	/* One alone is read when it is asked for. */
	if (n < 2 || file_use(p, f) || take_slots(p, n, slots) < n)
		return;
	/* Those between that are there already are read once more, to nowhere: that costs less than another read. */
	uint32_t first = missing[0];
	p->stretch.file = 0;
	for (uint32_t i = first; i <= missing[n - 1]; i++)
		to[i - first] = (struct iovec){p->stretch.data, SEGMENT_PAGE};
	for (uint32_t i = 0; i < n; i++)
		to[missing[i] - first].iov_base = p->slots[slots[i]].data;
	p->reads++;
	ssize_t got = preadv(f->fd, to, (int)(missing[n - 1] - first + 1),
			     (off_t)(page + first) * SEGMENT_PAGE);
	for (uint32_t i = 0; i < n && got >= (ssize_t)(missing[i] - first + 1) * SEGMENT_PAGE; i++)
		if (slot_fill(p, slots[i], f, page + missing[i]) == 0) {
			p->slots[slots[i]].ahead = true;
			p->misses++;
		}
}

const uint8_t *pages_peek(struct pages *p, const struct page_file *f, uint32_t page)
{
	if (f->image)
		return page < f->bytes / SEGMENT_PAGE ? f->image + (size_t)page * SEGMENT_PAGE : NULL;
	uint32_t at = slot_find(p, f->number, page);
	if (at == SLOT_NONE)
		return NULL;
	p->hits++;
	if (p->slots[at].worth < WORTH_MAX)
		p->slots[at].worth++;
	return p->slots[at].data;
}

int pages_get(struct pages *p, struct page_file *f, uint32_t page, uint32_t *hint,
	      const uint8_t **page_out)
{
	uint32_t at = *hint;

	if (f->image) {
		*page_out = f->image + (size_t)page * SEGMENT_PAGE;
		return page < f->bytes / SEGMENT_PAGE ? 0 : ERR_CORRUPT;
	}
	bool known = at < p->count && p->slots[at].file == f->number && p->slots[at].page == page;
	if (!known)
		at = slot_find(p, f->number, page);
	if (at != SLOT_NONE) {
		p->hits++;
		/* Who goes on with the page that he had says nothing about the next one: a scan leaves no mark. */
		if (!known && !p->slots[at].ahead && p->slots[at].worth < WORTH_MAX)
			p->slots[at].worth++;
		p->slots[at].ahead = false;
	} else {
		int rc = page_load(p, f, page, &at);
		if (rc)
			return rc;
		p->misses++;
	}
	*hint = at;
	*page_out = p->slots[at].data;
	return 0;
}

void pages_forget(struct pages *p, uint64_t number)
{
	for (uint32_t i = 0; i < p->count; i++) {
		struct slot *s = &p->slots[i];
		if (s->file == number)
			slot_empty(p, i);
		if (s->file || s->page == PAGE_WIPED)
			continue;
		explicit_bzero(s->data, SEGMENT_PAGE);
		s->page = PAGE_WIPED;
	}
	/* Behind what was brought last may be what was brought before. */
	p->stretch.file = 0;
	explicit_bzero(p->stretch.data, sizeof p->stretch.data);
}
