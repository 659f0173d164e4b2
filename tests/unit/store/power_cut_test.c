/*
 * The power goes. Every write, fsync, rename and unlink of a life is recorded; for each moment between two of them disks are made as the power may have
 * left them: of what was not synced any part is there or not, in any order, torn at sectors of 512 bytes, zeroed or with its length only; names that their
 * folder's fsync has not made durable are there or not, each for itself. A store that is opened on such a disk shows exactly what one of the commits left that
 * were acknowledged or under way, with its coverage, and never less than the last acknowledged one; it goes on from there.
 *
 * The rules are those of POSIX, harder than any file system: an fsync of a file makes its contents durable and not its name.
 * POWER_CUT_STATES=N tries so many disks for each moment.
 */
#include "support/lab.h"

#include <base/files.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define T0        1700000000000
#define DAY       INT64_C(86400000)
#define OPS_MAX   4096
#define FILES_MAX 512
#define COMMITS   32
#define SECTOR    512

enum op_kind { OP_WRITE, OP_SYNC_FILE, OP_SYNC_DIR, OP_MAKE, OP_MKDIR, OP_RENAME, OP_UNLINK };

struct op {
	enum op_kind kind;
	unsigned file;
	uint64_t offset;
	uint8_t *data;
	size_t len;
	char path[128], to[128]; /* below the store's folder */
};

static struct op ops[OPS_MAX];
static unsigned ops_count;

/* A file that was made: its inode while it is there. */
static struct {
	ino_t inode;
	bool gone;
	char path[128];
} files[FILES_MAX];
static unsigned files_count;

static char folders[64][128];
static unsigned folders_count;

static struct {
	struct buf dump;
	unsigned begun, acknowledged; /* at which operation */
} commits[COMMITS];
static unsigned commits_count;

static struct lab lab;

/* ---- recording ---- */

static struct op *op_new(enum op_kind kind, const char *path)
{
	assert_true(ops_count < OPS_MAX);
	struct op *o = &ops[ops_count++];
	*o = (struct op){.kind = kind};
	snprintf(o->path, sizeof o->path, "%s", path);
	return o;
}

static const char *below(const char *path)
{
	size_t n = strlen(lab.dir);

	assert_true(strncmp(path, lab.dir, n) == 0);
	return path[n] == '/' ? path + n + 1 : "";
}

static void fd_path(int fd, char out[128])
{
	char link[64], path[512];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	assert_true(n > 0);
	path[n] = 0;
	snprintf(out, 128, "%s", below(path));
}

static void folder_of(const char *path, char out[128])
{
	const char *slash = strrchr(path, '/');

	snprintf(out, 128, "%.*s", slash ? (int)(slash - path) : 0, path);
}

/* A folder was made when the first of its names is. */
static void know_folder(const char *path)
{
	char above[128];

	for (unsigned i = 0; i < folders_count; i++)
		if (strcmp(folders[i], path) == 0)
			return;
	if (!*path)
		return;
	folder_of(path, above);
	know_folder(above);
	snprintf(folders[folders_count++], 128, "%s", path);
	op_new(OP_MKDIR, path);
}

static unsigned know_file(int fd)
{
	struct stat st;
	char path[128], folder[128];

	assert_int_equal(fstat(fd, &st), 0);
	for (unsigned i = 0; i < files_count; i++)
		if (files[i].inode == st.st_ino && !files[i].gone)
			return i;
	assert_true(files_count < FILES_MAX);
	fd_path(fd, path);
	folder_of(path, folder);
	know_folder(folder);
	files[files_count].inode = st.st_ino;
	files[files_count].gone = false;
	snprintf(files[files_count].path, 128, "%s", path);
	op_new(OP_MAKE, path)->file = files_count;
	return files_count++;
}

static unsigned named(const char *path)
{
	for (unsigned i = files_count; i-- > 0;)
		if (!files[i].gone && strcmp(files[i].path, path) == 0)
			return i;
	return FILES_MAX;
}

static int hook_write(void *ctx, int fd, const void *data, size_t len, uint64_t offset)
{
	unsigned file = know_file(fd);
	struct op *o = op_new(OP_WRITE, "");

	(void)ctx;
	o->file = file;
	o->offset = offset;
	o->len = len;
	o->data = malloc(len);
	memcpy(o->data, data, len);
	return file_pwrite(fd, data, len, offset);
}

static int hook_fsync(void *ctx, int fd, void (*done)(void *arg, int error), void *arg)
{
	struct stat st;
	char path[128];

	(void)ctx;
	assert_int_equal(fstat(fd, &st), 0);
	if (S_ISDIR(st.st_mode)) {
		fd_path(fd, path);
		know_folder(path);
		op_new(OP_SYNC_DIR, path);
	} else {
		unsigned file = know_file(fd);
		op_new(OP_SYNC_FILE, "")->file = file;
	}
	done(arg, 0);
	return 0;
}

static int hook_rename(void *ctx, const char *from, const char *to)
{
	unsigned file = named(below(from)), over = named(below(to));

	(void)ctx;
	if (file == FILES_MAX)
		return rename(from, to);
	struct op *o = op_new(OP_RENAME, below(from));
	o->file = file;
	snprintf(o->to, sizeof o->to, "%s", below(to));
	if (over != FILES_MAX)
		files[over].gone = true;
	snprintf(files[file].path, 128, "%s", below(to));
	return rename(from, to);
}

static int hook_unlink(void *ctx, const char *path)
{
	unsigned file = named(below(path));

	(void)ctx;
	if (file != FILES_MAX) {
		op_new(OP_UNLINK, below(path))->file = file;
		files[file].gone = true;
	}
	return unlink(path);
}

static struct store *open_recorded(void)
{
	struct store_options o = {.dir = lab.dir,
				  .hooks = {.fsync = hook_fsync,
					    .write = hook_write,
					    .rename = hook_rename,
					    .unlink = hook_unlink},
				  .journal_bytes = lab.journal_bytes,
				  .keep_previous = lab.keep_previous,
				  .schemas = lab_schemas};
	struct store *s;

	assert_int_equal(store_open(&o, &s, NULL), 0);
	return s;
}

/* ---- a life ---- */

static void commit(struct store *s, struct txn *t)
{
	assert_true(commits_count < COMMITS);
	commits[commits_count].begun = ops_count;
	assert_int_equal(lab_commit(t), 0);
	commits[commits_count].acknowledged = ops_count;
	lab_dump(s, &commits[commits_count++].dump, true);
}

static void put_some(struct store *s, unsigned from, unsigned n, const char *resource)
{
	struct txn *t = lab_begin(s);
	char id[16];

	for (unsigned i = from; i < from + n; i++) {
		snprintf(id, sizeof id, "i%u", i % 90);
		lab_put(t, resource, id, T0 + (i % 90) * DAY / 5, T0 + i * 1000, T0 + 90 * DAY,
			i % 11 == 7 ? RECORD_DELETED : 0, i % 2 ? "i1" : NULL, i + 1);
	}
	txn_hold(t, resource, (struct interval){T0, T0 + from * 100000 + 5, T0 + 90 * DAY});
	snprintf(id, sizeof id, "%u", from);
	txn_mark(t, "at", bytes_str(id));
	commit(s, t);
}

static void live(void)
{
	struct store *s = open_recorded();

	lab_dump(s, &commits[commits_count++].dump, true); /* nothing */
	put_some(s, 1, 6, "contacts");
	put_some(s, 5, 4, "contacts");
	put_some(s, 9, 3, "messages");
	put_some(s, 20, 70, "contacts"); /* a dictionary */
	put_some(s, 90, 5, "contacts");
	put_some(s, 96, 5, "messages");
	while (store_work(s))
		;
	store_close(s);
	s = open_recorded();
	put_some(s, 101, 3, "contacts"); /* a second journal */
	store_flush(s);
	while (store_work(s))
		;
	struct txn *t = lab_begin(s);
	txn_retain(t, "contacts", T0 + 6 * DAY);
	commit(s, t);
	put_some(s, 120, 4, "contacts");
	put_some(s, 130, 80, "messages");
	while (store_work(s))
		;
	t = lab_begin(s);
	txn_withdraw(t, "contacts", T0, T0 + 5);
	txn_mark(t, "at", bytes_of(NULL, 0));
	commit(s, t);
	put_some(s, 140, 2, "contacts");
	store_close(s);
}

static void forget(void)
{
	for (unsigned i = 0; i < ops_count; i++)
		free(ops[i].data);
	for (unsigned i = 0; i < commits_count; i++)
		buf_release(&commits[i].dump);
	memset(commits, 0, sizeof commits);
	ops_count = files_count = folders_count = commits_count = 0;
}

/* ---- what is left ---- */

static uint64_t chance;

enum taste { TASTE_NOTHING, TASTE_ALL, TASTE_ORDERED, TASTE_ANY };

struct cut {
	unsigned at;
	enum taste taste;
	unsigned until; /* TASTE_ORDERED */
};

static bool synced(const struct cut *c, unsigned i, enum op_kind kind, unsigned file, const char *path)
{
	for (unsigned k = i + 1; k < c->at; k++)
		if (ops[k].kind == kind &&
		    (kind == OP_SYNC_FILE ? ops[k].file == file : strcmp(ops[k].path, path) == 0))
			return true;
	return false;
}

static bool by_chance(const struct cut *c, unsigned i)
{
	switch (c->taste) {
	case TASTE_NOTHING: return false;
	case TASTE_ALL: return true;
	case TASTE_ORDERED: return i < c->until;
	default: return lab_random(&chance) % 2;
	}
}

struct disk {
	struct {
		struct buf data;
	} files[FILES_MAX];
	struct {
		char path[128];
		unsigned file;
	} names[FILES_MAX];
	unsigned names_count;
	char folders[64][128];
	unsigned folders_count;
};

static struct disk disk;

static void extend(struct buf *b, size_t len)
{
	static const uint8_t zeros[4096];

	while (b->len < len)
		buf_put(b, zeros, len - b->len < sizeof zeros ? len - b->len : sizeof zeros);
}

static void write_whole(struct buf *b, const struct op *o)
{
	extend(b, o->offset + o->len);
	memcpy(b->data + o->offset, o->data, o->len);
}

static void write_torn(struct buf *b, const struct op *o)
{
	for (size_t at = 0; at < o->len;) {
		size_t n = SECTOR - (o->offset + at) % SECTOR;
		n = n < o->len - at ? n : o->len - at;
		if (lab_random(&chance) % 2) {
			extend(b, o->offset + at + n);
			memcpy(b->data + o->offset + at, o->data + at, n);
		}
		at += n;
	}
}

static void do_write(const struct cut *c, unsigned i)
{
	const struct op *o = &ops[i];
	struct buf *b = &disk.files[o->file].data;

	if (synced(c, i, OP_SYNC_FILE, o->file, "")) {
		write_whole(b, o);
		return;
	}
	if (c->taste != TASTE_ANY) {
		if (by_chance(c, i))
			write_whole(b, o);
		return;
	}
	switch (lab_random(&chance) % 4) {
	case 0: write_whole(b, o); break;
	case 1: write_torn(b, o); break;
	case 2: extend(b, o->offset + o->len); break;
	default: break;
	}
}

static unsigned find_name(const char *path)
{
	for (unsigned i = 0; i < disk.names_count; i++)
		if (strcmp(disk.names[i].path, path) == 0)
			return i;
	return FILES_MAX;
}

static void set_name(const char *path, unsigned file)
{
	unsigned i = find_name(path);

	if (i == FILES_MAX)
		i = disk.names_count++;
	snprintf(disk.names[i].path, 128, "%s", path);
	disk.names[i].file = file;
}

/* Only if it is that file's: an older one of the name may be there. */
static void drop_name(const char *path, unsigned file)
{
	unsigned i = find_name(path);

	if (i != FILES_MAX && disk.names[i].file == file)
		disk.names[i] = disk.names[--disk.names_count];
}

static void do_name(const struct cut *c, unsigned i)
{
	const struct op *o = &ops[i];
	char folder[128];

	folder_of(o->path, folder);
	if (!synced(c, i, OP_SYNC_DIR, 0, folder) && !by_chance(c, i))
		return;
	switch (o->kind) {
	case OP_MKDIR: snprintf(disk.folders[disk.folders_count++], 128, "%s", o->path); break;
	case OP_MAKE: set_name(o->path, o->file); break;
	case OP_UNLINK: drop_name(o->path, o->file); break;
	default:
		drop_name(o->path, o->file);
		set_name(o->to, o->file);
		break;
	}
}

static bool folder_is(const char *path)
{
	char above[128];

	if (!*path)
		return true;
	folder_of(path, above);
	if (!folder_is(above))
		return false;
	for (unsigned i = 0; i < disk.folders_count; i++)
		if (strcmp(disk.folders[i], path) == 0)
			return true;
	return false;
}

static void make_disk(const struct cut *c, const char *dir)
{
	char path[512];

	disk.names_count = disk.folders_count = 0;
	for (unsigned i = 0; i < files_count; i++)
		buf_reset(&disk.files[i].data);
	for (unsigned i = 0; i < c->at; i++) {
		if (ops[i].kind == OP_WRITE)
			do_write(c, i);
		else if (ops[i].kind >= OP_MAKE)
			do_name(c, i);
	}
	lab_remove(dir);
	mkdir(dir, 0700);
	for (unsigned i = 0; i < disk.folders_count; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, disk.folders[i]);
		if (folder_is(disk.folders[i]))
			assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
	}
	for (unsigned i = 0; i < disk.names_count; i++) {
		folder_of(disk.names[i].path, path);
		if (folder_is(path))
			lab_write(dir, disk.names[i].path,
				  buf_bytes(&disk.files[disk.names[i].file].data));
	}
}

/* ---- judging ---- */

static void judge(const struct cut *c, const char *dir)
{
	struct lab found = {.journal_bytes = lab.journal_bytes,
			    .keep_previous = lab.keep_previous,
			    .schemas = lab_schemas};
	struct buf seen = {0}, again = {0};
	unsigned least = 0, most = 0, is = COMMITS;
	struct store_stats stats;

	for (unsigned i = 1; i < commits_count; i++) {
		if (commits[i].acknowledged <= c->at)
			least = i;
		if (commits[i].begun < c->at)
			most = i;
	}
	make_disk(c, dir);
	snprintf(found.dir, sizeof found.dir, "%s", dir);
	struct store *s = lab_open(&found);
	store_stats(s, &stats);
	lab_dump(s, &seen, stats.quarantined == 0);
	for (unsigned i = least; i <= most; i++)
		if (bytes_equal(buf_bytes(&seen), buf_bytes(&commits[i].dump)))
			is = i;
	if (is == COMMITS || stats.quarantined)
		fail_msg("operation %u of %u, taste %d: %u quarantined; commit %u was acknowledged; found:\n%.300s",
			 c->at, ops_count, (int)c->taste, (unsigned)stats.quarantined, least,
			 buf_text(&seen));
	/* It goes on, and what it finds next time is the same. */
	if (c->at % 5 == 0) {
		struct txn *t = lab_begin(s);
		lab_put(t, "contacts", "later", T0, T0 + 99, T0 + 99 * DAY, 0, NULL, 5);
		assert_int_equal(lab_commit(t), 0);
		lab_dump(s, &seen, true);
		store_close(s);
		s = lab_open(&found);
		lab_dump(s, &again, true);
		assert_string_equal(buf_text(&seen), buf_text(&again));
	}
	store_close(s);
	buf_release(&seen);
	buf_release(&again);
}

static void cut_everywhere(bool journal, bool keep)
{
	const char *wish = getenv("POWER_CUT_STATES");
	unsigned states = wish ? (unsigned)atoi(wish) : 4, disks = 0;
	char dir[160];

	lab_init(&lab);
	lab.journal_bytes = journal ? 1 << 20 : 0;
	lab.keep_previous = keep;
	live();
	snprintf(dir, sizeof dir, "%.100s-cut", lab.dir);
	chance = 88172645463325252u;
	for (unsigned at = 0; at <= ops_count; at++) {
		judge(&(struct cut){at, TASTE_NOTHING, 0}, dir);
		judge(&(struct cut){at, TASTE_ALL, 0}, dir);
		for (unsigned i = 0; i < states; i++)
			judge(&(struct cut){at, i % 3 ? TASTE_ANY : TASTE_ORDERED,
					    at ? (unsigned)(lab_random(&chance) % at) : 0},
			      dir);
		disks += 2 + states;
	}
	print_message("# %u operations, %u commits, %u disks\n", ops_count, commits_count, disks);
	assert_true(ops_count > 100);
	for (unsigned i = 0; i < FILES_MAX; i++)
		buf_release(&disk.files[i].data);
	forget();
	lab_remove(dir);
	lab_release(&lab);
}

static void segments(void **state)
{
	(void)state;
	cut_everywhere(false, false);
}

static void segments_kept(void **state)
{
	(void)state;
	cut_everywhere(false, true);
}

static void journal(void **state)
{
	(void)state;
	cut_everywhere(true, false);
}

static void journal_kept(void **state)
{
	(void)state;
	cut_everywhere(true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments),
		cmocka_unit_test(segments_kept),
		cmocka_unit_test(journal),
		cmocka_unit_test(journal_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
