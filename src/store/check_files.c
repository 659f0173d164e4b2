/*
 * check_files: the small files of a store, read piece by piece: manifests, journals, dictionaries and the audit trail. What is wrong is told;
 * what a new manifest mends makes the store write one with its next commit. Nothing on the disk is changed here.
 *
 * A journal or a trail may end in a frame that was being written when the power went: nobody was promised it, and the next start removes it. Damage of just the last
 * frame cannot be told from that, and is mended likewise. The file that this process appends to has no such end.
 */
#include "check.h"
#include "dictionary.h"
#include "framed.h"
#include "journal.h"
#include "manifest.h"

#include <base/files.h>
#include <codec/crc.h>
#include <store/journal.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE       (32u << 10)
#define TRAIL_MAGIC "FICTRL1\n"
#define TRAIL_HEAD  8u

void check_found(struct store_check *c, const struct store_damage *d)
{
	c->bad++;
	if (c->found)
		c->found(c->found_ctx, d);
}

/* ---- one file ---- */

static bool file_read_at(struct file_check *f, void *out, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(f->fd, (uint8_t *)out + got, len - got, (off_t)(f->at + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			f->wrong = n < 0 ? "it cannot be read" : "it is cut";
			return false;
		}
		got += (size_t)n;
	}
	f->at += len;
	return true;
}

static void framed_open(struct file_check *f)
{
	uint8_t head[FRAMED_HEAD];

	if (f->end < sizeof head) {
		f->wrong = "it is cut";
		return;
	}
	if (!file_read_at(f, head, sizeof head))
		return;
	f->left = le32(head + 8);
	f->want = le32(head + 12);
	f->sum = crc_add(0, head, 12);
	if (memcmp(head, f->magic, 8) != 0 || f->left != f->end - sizeof head)
		f->wrong = "its head is damaged, or it has another length";
	else if (f->left == 0 && f->sum != f->want)
		f->wrong = "its checksum is wrong";
}

static void frames_open(struct file_check *f)
{
	size_t len = f->kind == FILE_JOURNAL ? JOURNAL_HEAD : TRAIL_HEAD;
	uint8_t head[JOURNAL_HEAD];

	/* It was made, and nothing written to it: nobody was promised anything. */
	if (f->end == 0)
		return;
	if (f->end < len)
		f->wrong = "it is cut within its head";
	else if (file_read_at(f, head, len) &&
		 (memcmp(head, f->magic, 8) != 0 ||
		  (f->kind == FILE_JOURNAL && le32(head + 20) != crc_add(0, head, 20))))
		f->wrong = "its head is damaged";
}

/* 0, ERR_NOTFOUND, or ERR_IO. `most`: what lies behind is none of our business. */
static int file_open(struct file_check *f, const char *path, enum file_kind kind, const char *magic,
		     uint64_t most)
{
	struct stat st;

	*f = (struct file_check){.fd = open(path, O_RDONLY | O_CLOEXEC), .kind = kind, .magic = magic};
	if (f->fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? ERR_NOTFOUND : ERR_IO;
	if (fstat(f->fd, &st) != 0)
		return ERR_IO;
	f->end = (uint64_t)st.st_size < most ? (uint64_t)st.st_size : most;
	if (kind == FILE_FRAMED)
		framed_open(f);
	else
		frames_open(f);
	return 0;
}

/* The frame at work is not what was written. `torn`: nothing follows it. */
static void frame_wrong(struct file_check *f, bool torn)
{
	f->torn = torn;
	if (f->kind == FILE_JOURNAL)
		f->wrong = torn ? "the last transaction was never finished"
				: "a transaction is damaged";
	else
		f->wrong = torn ? "the last entry was never finished" : "an entry is damaged";
}

/* Some file systems leave zeros where the data did not come to. */
static bool only_zeros(struct file_check *f)
{
	uint8_t piece[PIECE];

	while (f->at < f->end) {
		size_t n = f->end - f->at < sizeof piece ? (size_t)(f->end - f->at) : sizeof piece;
		if (!file_read_at(f, piece, n))
			return false;
		for (size_t i = 0; i < n; i++)
			if (piece[i])
				return false;
	}
	return true;
}

static void frame_begin_check(struct file_check *f)
{
	uint8_t head[JOURNAL_FRAME_HEAD];

	if (f->end - f->at < sizeof head) {
		frame_wrong(f, true);
		return;
	}
	if (!file_read_at(f, head, sizeof head))
		return;
	f->left = le32(head);
	f->want = le32(head + 4);
	f->sum = crc_add(0, head, 4);
	if (f->left > f->end - f->at)
		frame_wrong(f, true);
	else if (f->left == 0)
		frame_wrong(f, f->want == 0 && only_zeros(f));
}

/* False: the end, or something is wrong. */
static bool file_step(struct file_check *f)
{
	uint8_t piece[PIECE];

	if (f->wrong || (f->at == f->end && f->left == 0))
		return false;
	if (f->left == 0) {
		frame_begin_check(f);
		return !f->wrong;
	}
	size_t n = f->left < sizeof piece ? (size_t)f->left : sizeof piece;
	if (!file_read_at(f, piece, n))
		return false;
	f->sum = crc_add(f->sum, piece, n);
	f->left -= n;
	if (f->left == 0 && f->sum != f->want && f->kind == FILE_FRAMED)
		f->wrong = "its checksum is wrong";
	else if (f->left == 0 && f->sum != f->want)
		frame_wrong(f, f->at == f->end);
	return !f->wrong;
}

static void file_close(struct file_check *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

const char *check_dictionary_file(struct store_check *c, const char *path)
{
	struct file_check f;
	int rc = file_open(&f, path, FILE_FRAMED, DICTIONARY_MAGIC, UINT64_MAX);

	if (rc)
		f.wrong = rc == ERR_NOTFOUND ? "it is missing" : "it cannot be read";
	else if (f.end > FRAMED_HEAD + DICTIONARY_MAX)
		f.wrong = "it has another length";
	while (!rc && file_step(&f))
		;
	file_close(&f);
	c->files++;
	c->bytes += f.at;
	return f.wrong;
}

/* ---- which files ---- */

static struct store *store_of(const struct store_check *c)
{
	return c->view->store;
}

static char *path_join(struct store_check *c, const char *folder, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s%s%s", store_of(c)->dir, folder, *name ? "/" : "", name) >= 0)
		return path;
	c->no_memory = true;
	return NULL;
}

static bool is_trail(const char *name)
{
	return name[0] >= '0' && name[0] <= '9' && strstr(name, ".log");
}

/* False: there is none. */
static bool open_trail(struct store_check *c)
{
	char *path = path_join(c, "runs", "");

	errno = 0;
	c->trail = path ? opendir(path) : NULL;
	c->no_memory |= errno == ENOMEM;
	free(path);
	// cppcheck-suppress readdirCalled ; one thread, one stream
	for (struct dirent *e; c->trail && (e = readdir(c->trail));)
		if (is_trail(e->d_name) && strtoull(e->d_name, NULL, 10) > c->trail_newest)
			c->trail_newest = strtoull(e->d_name, NULL, 10);
	if (c->trail)
		rewinddir(c->trail);
	return c->trail != NULL;
}

/* The next file of the stage: its path from malloc, NULL when there are no more. */
static char *next_path(struct store_check *c)
{
	struct store *s = store_of(c);
	char *path = NULL;

	if (c->stage == STAGE_MANIFEST || c->stage == STAGE_PREVIOUS) {
		bool first = c->at == 0;
		c->at = 1;
		return first ? path_join(c, c->stage == STAGE_MANIFEST ? "MANIFEST" : "MANIFEST.prev",
					 "")
			     : NULL;
	}
	if (c->stage == STAGE_JOURNALS) {
		if (c->journal < s->journal.before)
			c->journal = s->journal.before;
		if (c->journal > s->journal.number)
			return NULL;
		path = journal_path(s, c->journal++);
		c->no_memory |= !path;
		return path;
	}
	if (!c->trail && !open_trail(c))
		return NULL;
	// cppcheck-suppress readdirCalled ; one thread, one stream
	for (struct dirent *e; c->trail && (e = readdir(c->trail));)
		if (is_trail(e->d_name))
			return path_join(c, "runs", e->d_name);
	return NULL;
}

/* A file that this store must have. */
static bool must_be(const struct store_check *c)
{
	const struct store *s = store_of(c);

	if (c->stage == STAGE_MANIFEST) /* unless the one before it was taken for it */
		return s->manifest_sum && !(s->dirty && s->manifests == 0);
	return c->stage == STAGE_JOURNALS && c->journal - 1 == s->journal.number && s->journal.fd >= 0;
}

/* The end of a trail's older file is in the middle of the trail. */
static bool is_newest(const struct store_check *c)
{
	const char *name = strrchr(c->path, '/');

	return name && strtoull(name + 1, NULL, 10) == c->trail_newest;
}

static enum store_action action_of(const struct store_check *c)
{
	bool torn = c->file.torn && (c->stage == STAGE_JOURNALS || is_newest(c));

	if (torn && (c->stage == STAGE_TRAIL || store_of(c)->read_only))
		return STORE_ENDS;
	return c->stage == STAGE_TRAIL ? STORE_FORGETS : STORE_REWRITES;
}

static void file_wrong(struct store_check *c, const char *words)
{
	struct store *s = store_of(c);

	/* What a manifest or a journal says is in memory, and is written again. */
	s->dirty |= c->stage == STAGE_MANIFEST;
	s->renew |= c->stage != STAGE_TRAIL;
	check_found(c, &(struct store_damage){.file = c->path + strlen(s->dir) + 1,
					      .words = words,
					      .span = {TIME_NONE, TIME_NONE, TIME_NONE},
					      .action = action_of(c)});
}

static uint64_t length_of(const struct store_check *c)
{
	const struct journal *j = &store_of(c)->journal;

	return c->stage == STAGE_JOURNALS && j->fd >= 0 && c->journal - 1 == j->number ? j->bytes
										       : UINT64_MAX;
}

/* False: there are no more of the stage. */
static bool open_next(struct store_check *c)
{
	static const enum file_kind kinds[] = {FILE_FRAMED, FILE_FRAMED, FILE_JOURNAL, FILE_TRAIL};
	static const char *const magics[] = {MANIFEST_MAGIC, MANIFEST_MAGIC, JOURNAL_MAGIC,
					     TRAIL_MAGIC};

	free(c->path);
	c->path = next_path(c);
	if (!c->path)
		return false;
	int rc = file_open(&c->file, c->path, kinds[c->stage], magics[c->stage], length_of(c));
	if (rc == ERR_NOTFOUND && must_be(c))
		file_wrong(c, "it is missing");
	else if (rc == ERR_IO)
		file_wrong(c, "it cannot be read");
	if (rc)
		file_close(&c->file);
	return true;
}

bool check_files_step(struct store_check *c, size_t *cost)
{
	uint64_t before = c->file.at;

	*cost = 256;
	if (c->stage == STAGE_SEGMENTS)
		return false;
	if (c->file.fd < 0) {
		if (!open_next(c)) {
			c->stage++;
			c->at = 0;
		}
		return c->stage != STAGE_SEGMENTS;
	}
	if (file_step(&c->file)) {
		*cost += c->file.at - before;
		return true;
	}
	if (c->file.wrong)
		file_wrong(c, c->file.wrong);
	c->files++;
	c->bytes += c->file.at;
	file_close(&c->file);
	return true;
}

void check_files_release(struct store_check *c)
{
	file_close(&c->file);
	free(c->path);
	if (c->trail)
		closedir(c->trail);
}
