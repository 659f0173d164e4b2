/*
 * trail: see the header. A damaged entry costs itself, when its length can be believed, or the rest
 * of its file, and nothing else: the sequence numbers of later entries come from the first number
 * of their file, which is its name.
 */
#include <codec/crc.h>
#include <store/trail.h>

#include <base/files.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRAIL_MAGIC     "FICTRL1\n"
#define TRAIL_HEAD      8u
#define ENTRY_HEAD      8u
#define ENTRY_BYTES_MAX (1u << 20)
#define FILES_MAX       1024u
#define FILE_BYTES_MAX  (256u << 20)

struct trail {
	char *dir;
	size_t file_bytes;
	unsigned files_max;
	uint64_t *files; /* first sequence number of each, ascending: its name */
	size_t count;
	int fd;         /* of the newest, -1: none yet */
	uint64_t bytes; /* of the newest */
	uint64_t next;  /* sequence number */
};

static char *trail_path(const struct trail *t, uint64_t first)
{
	char *path;

	return asprintf(&path, "%s/%" PRIu64 ".log", t->dir, first) < 0 ? NULL : path;
}

/* ---- reading one file ---- */

struct entry {
	struct bytes value;
	bool good;
};

/* The next frame from *at on: 1, or 0 where the file ends or nothing can be believed any more. */
static int entry_next(struct bytes file, size_t *at, struct entry *out)
{
	if (file.len - *at < ENTRY_HEAD)
		return 0;
	const uint8_t *head = file.data + *at;
	uint32_t len = le32(head);
	if (len == 0 || len > ENTRY_BYTES_MAX || len > file.len - *at - ENTRY_HEAD)
		return 0;
	out->value = bytes_of(head + ENTRY_HEAD, len);
	out->good = le32(head + 4) == crc_add(crc_add(0, head, 4), head + ENTRY_HEAD, len);
	*at += ENTRY_HEAD + len;
	return 1;
}

static bool trail_begins(struct bytes file)
{
	return file.len >= TRAIL_HEAD && memcmp(file.data, TRAIL_MAGIC, TRAIL_HEAD) == 0;
}

/* ---- opening ---- */

static int by_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int files_list(struct trail *t, struct why *why)
{
	DIR *dir = opendir(t->dir);

	if (!dir)
		return why_errno(why, "cannot read the folder %s", t->dir);
	// cppcheck-suppress readdirCalled ; one thread, one stream
	for (struct dirent *e; (e = readdir(dir)) && t->count < FILES_MAX;) {
		char *end;
		errno = 0;
		unsigned long long first = strtoull(e->d_name, &end, 10);
		if (e->d_name[0] < '0' || e->d_name[0] > '9' || errno || strcmp(end, ".log") != 0 ||
		    first > UINT64_MAX / 2)
			continue;
		t->files[t->count++] = first;
	}
	closedir(dir);
	qsort(t->files, t->count, sizeof *t->files, by_first);
	return 0;
}

/* Finds the end of what can be believed in the newest file, and cuts what lies behind. */
static int newest_open(struct trail *t, struct why *why)
{
	struct buf file = {0};
	struct entry e;
	size_t at = TRAIL_HEAD, end = TRAIL_HEAD;
	uint64_t n = 0, last = 0;
	char *path = trail_path(t, t->files[t->count - 1]);
	int rc = path ? file_read(path, FILE_BYTES_MAX, &file, why) : ERR_NOMEM;

	if (!rc && !trail_begins(buf_bytes(&file))) {
		rc = ERR_CORRUPT;
	} else if (!rc) {
		while (entry_next(buf_bytes(&file), &at, &e)) {
			n++;
			if (e.good) {
				last = n;
				end = at;
			}
		}
		t->next = t->files[t->count - 1] + last;
		t->bytes = end;
		t->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (t->fd < 0 || (end < file.len && ftruncate(t->fd, (off_t)end) < 0))
			rc = why_errno(why, "cannot open %s", path);
	}
	buf_release(&file);
	free(path);
	return rc;
}

/* A newest file that is not one of ours goes on in the next: its number is passed by what such a
 * file could hold at most. */
static int newest_find(struct trail *t, struct why *why)
{
	if (t->count == 0)
		return 0;
	int rc = newest_open(t, why);
	if (rc != ERR_CORRUPT && rc != ERR_LIMIT)
		return rc;
	t->next = t->files[t->count - 1] + FILE_BYTES_MAX / ENTRY_HEAD;
	return 0;
}

int trail_open(const char *dir, size_t file_bytes, unsigned files, struct trail **trail_out,
	       struct why *why)
{
	struct trail *t;
	int rc = dir_make(dir, 0700, why);

	if (rc)
		return rc;
	t = calloc(1, sizeof *t);
	if (!t)
		return why_set(why, ERR_NOMEM, "out of memory to open %s", dir);
	t->fd = -1;
	t->file_bytes = file_bytes < FILE_BYTES_MAX / 2 ? file_bytes : FILE_BYTES_MAX / 2;
	t->files_max = files == 0 ? 1 : files > FILES_MAX - 1 ? FILES_MAX - 1 : files;
	t->dir = strdup(dir);
	t->files = calloc(FILES_MAX + 1, sizeof *t->files);
	rc = t->dir && t->files ? files_list(t, why)
				: why_set(why, ERR_NOMEM, "out of memory to open %s", dir);
	if (!rc)
		rc = newest_find(t, why);
	if (rc) {
		trail_close(t);
		return rc;
	}
	*trail_out = t;
	return 0;
}

void trail_close(struct trail *t)
{
	if (!t)
		return;
	if (t->fd >= 0)
		close(t->fd);
	free(t->files);
	free(t->dir);
	free(t);
}

/* ---- appending ---- */

static void oldest_remove(struct trail *t)
{
	while (t->count > t->files_max) {
		char *path = trail_path(t, t->files[0]);
		if (path)
			unlink(path);
		free(path);
		memmove(t->files, t->files + 1, --t->count * sizeof *t->files);
	}
}

static int file_begin(struct trail *t, struct why *why)
{
	char *path = trail_path(t, t->next);

	if (!path)
		return why_set(why, ERR_NOMEM, "out of memory to write %s", t->dir);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), rc = 0;
	if (fd < 0 || file_pwrite(fd, TRAIL_MAGIC, TRAIL_HEAD, 0)) {
		rc = why_errno(why, "cannot write %s", path);
		if (fd >= 0) {
			close(fd);
			unlink(path);
		}
	}
	free(path);
	if (rc)
		return rc;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = fd;
	t->bytes = TRAIL_HEAD;
	if (t->count == 0 || t->files[t->count - 1] != t->next)
		t->files[t->count++] = t->next;
	oldest_remove(t);
	return 0;
}

int trail_append(struct trail *t, struct bytes value, struct why *why)
{
	struct buf frame = {0};
	uint8_t head[ENTRY_HEAD];
	int rc = 0;

	if (value.len == 0 || value.len > ENTRY_BYTES_MAX)
		return why_set(why, ERR_LIMIT, "an entry of the trail has 1 to %u bytes",
			       ENTRY_BYTES_MAX);
	bool full = t->bytes > TRAIL_HEAD && t->bytes + ENTRY_HEAD + value.len > t->file_bytes;
	if (t->fd < 0 || full)
		rc = file_begin(t, why);
	if (rc)
		return rc;
	put_le32(head, (uint32_t)value.len);
	put_le32(head + 4, crc_add(crc_add(0, head, 4), value.data, value.len));
	buf_put(&frame, head, sizeof head);
	buf_put_bytes(&frame, value);
	rc = frame.error ? why_set(why, frame.error, "out of memory to write %s", t->dir) : 0;
	/* What a failed write left is overwritten by the next one, or cut at the next start. */
	if (!rc && file_pwrite(t->fd, frame.data, frame.len, t->bytes))
		rc = why_errno(why, "cannot write the trail in %s", t->dir);
	if (!rc) {
		t->bytes += frame.len;
		t->next++;
	}
	buf_release(&frame);
	return rc;
}

/* ---- scanning ---- */

struct scanned {
	struct bytes value;
	uint64_t sequence;
};

/* Newest first within one file: forwards once to find the entries, then backwards. 1: go on, 0:
 * enough, or an error. */
static int file_scan(struct bytes file, uint64_t first, uint64_t before,
		     bool (*each)(void *, uint64_t, struct bytes), void *ctx)
{
	struct scanned *list = NULL;
	size_t n = 0, cap = 0, at = TRAIL_HEAD;
	uint64_t sequence = first;
	struct entry e;

	while (sequence < before && entry_next(file, &at, &e)) {
		if (n == cap) {
			cap = cap ? cap * 2 : 64;
			struct scanned *grown = realloc(list, cap * sizeof *grown);
			if (!grown) {
				free(list);
				return ERR_NOMEM;
			}
			list = grown;
		}
		if (e.good)
			list[n++] = (struct scanned){e.value, sequence};
		sequence++;
	}
	int rc = 1;
	while (rc && n-- > 0)
		rc = each(ctx, list[n].sequence, list[n].value);
	free(list);
	return rc;
}

int trail_scan(struct trail *t, uint64_t before,
	       bool (*each)(void *ctx, uint64_t sequence, struct bytes value), void *ctx)
{
	int rc = 1;

	for (size_t i = t->count; rc == 1 && i-- > 0;) {
		uint64_t limit = i + 1 < t->count ? t->files[i + 1] : t->next;
		struct buf file = {0};
		char *path = t->files[i] < before ? trail_path(t, t->files[i]) : NULL;
		if (t->files[i] >= before)
			continue;
		rc = path ? file_read(path, FILE_BYTES_MAX, &file, NULL) : ERR_NOMEM;
		free(path);
		if (rc == ERR_NOTFOUND || rc == ERR_LIMIT ||
		    (rc == 0 && !trail_begins(buf_bytes(&file))))
			rc = 1; /* lost as a whole */
		else if (rc == 0)
			rc = file_scan(buf_bytes(&file), t->files[i],
				       before < limit ? before : limit, each, ctx);
		buf_release(&file);
	}
	return rc < 0 ? rc : 0;
}
