/* lab: see the header. */
#include "lab.h"

#include <base/files.h>
#include <codec/msgpack.h>

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t lab_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1du >> 16;
}

/* ---- folders ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void lab_remove(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* No child process: a test copies thousands of times. */
static void copy_into(const char *from, const char *to)
{
	DIR *dir = opendir(from);
	struct buf file = {0};

	assert_non_null(dir);
	mkdir(to, 0700);
	for (struct dirent *e; (e = readdir(dir));) {
		char a[512], b[512];
		if (e->d_name[0] == '.')
			continue;
		snprintf(a, sizeof a, "%.200s/%.200s", from, e->d_name);
		snprintf(b, sizeof b, "%.200s/%.200s", to, e->d_name);
		if (e->d_type == DT_DIR) {
			copy_into(a, b);
			continue;
		}
		lab_read("", a, &file);
		lab_write("", b, buf_bytes(&file));
	}
	closedir(dir);
	buf_release(&file);
}

void lab_copy(const char *from, const char *to)
{
	lab_remove(to);
	copy_into(from, to);
}

static const char *suffix_sought;
static unsigned suffix_count;
static char suffix_first[512];

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t n = strlen(path), m = strlen(suffix_sought);

	(void)st;
	(void)ftw;
	if (type != FTW_F || n < m || strcmp(path + n - m, suffix_sought) != 0)
		return 0;
	if (suffix_count++ == 0)
		snprintf(suffix_first, sizeof suffix_first, "%s", path);
	return 0;
}

unsigned lab_files(const char *dir, const char *suffix)
{
	suffix_sought = suffix;
	suffix_count = 0;
	nftw(dir, visit, 16, FTW_PHYS);
	return suffix_count;
}

bool lab_find(const char *dir, const char *suffix, char out[512])
{
	if (lab_files(dir, suffix) == 0)
		return false;
	memcpy(out, suffix_first, 512);
	return true;
}

void lab_read(const char *dir, const char *path, struct buf *out)
{
	char whole[700];

	snprintf(whole, sizeof whole, "%s%s%s", dir, *dir ? "/" : "", path);
	buf_reset(out);
	assert_int_equal(file_read(whole, 64 << 20, out, NULL), 0);
}

void lab_write(const char *dir, const char *path, struct bytes data)
{
	char whole[700];

	snprintf(whole, sizeof whole, "%s%s%s", dir, *dir ? "/" : "", path);
	FILE *f = fopen(whole, "w");
	assert_non_null(f);
	if (data.len)
		assert_int_equal(fwrite(data.data, 1, data.len, f), data.len);
	fclose(f);
}

void lab_init(struct lab *l)
{
	memset(l, 0, sizeof *l);
	l->schemas = lab_schemas;
	snprintf(l->dir, sizeof l->dir, "%s/fic-store-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(l->dir));
}

void lab_release(struct lab *l)
{
	lab_remove(l->dir);
}

void lab_calm(struct lab *l)
{
	l->fault = FAULT_NONE;
	l->died = false;
	memset(l->unsynced, 0, sizeof l->unsynced);
	l->steps = l->syncs = l->writes = l->renames = l->unlinks = 0;
}

/* ---- hooks ---- */

enum step { STEP_DO, STEP_HALF, STEP_NOT, STEP_DO_AND_DIE };

static enum step step(struct lab *l)
{
	l->steps++;
	errno = l->error ? l->error : EIO;
	if (l->died)
		return STEP_NOT;
	if (l->fault == FAULT_NONE || l->steps != l->at)
		return STEP_DO;
	l->died = l->fault == FAULT_DIE || l->fault == FAULT_TORN || l->fault == FAULT_LOSE;
	return l->fault == FAULT_TORN    ? STEP_DO_AND_DIE
	       : l->fault == FAULT_SHORT ? STEP_HALF
					 : STEP_NOT;
}

/* What is written and not yet synced, by path. */
static void note_path(struct lab *l, const char *path, bool written)
{
	int empty = -1;

	for (int i = 0; i < 64; i++) {
		if (strcmp(l->unsynced[i], path) == 0) {
			if (!written)
				l->unsynced[i][0] = 0;
			return;
		}
		if (!l->unsynced[i][0])
			empty = i;
	}
	if (written && empty >= 0)
		snprintf(l->unsynced[empty], sizeof l->unsynced[empty], "%s", path);
}

static void note_fd(struct lab *l, int fd, bool written)
{
	char link[64], path[256];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	if (n <= 0)
		return;
	path[n] = 0;
	note_path(l, path, written);
}

void lab_lose(struct lab *l)
{
	for (int i = 0; i < 64; i++) {
		struct buf file = {0};
		if (!l->unsynced[i][0] || access(l->unsynced[i], F_OK) != 0)
			continue;
		lab_read("", l->unsynced[i], &file);
		for (size_t at = 0; at < file.len; at += 512)
			file.data[at] ^= 0x55;
		lab_write("", l->unsynced[i], bytes_of(file.data, i % 2 ? file.len / 2 : file.len));
		buf_release(&file);
	}
}

static int hook_fsync(void *ctx, int fd, void (*done)(void *arg, int error), void *arg)
{
	struct lab *l = ctx;
	enum step s = step(l);

	if (s == STEP_DO && !l->later)
		note_fd(l, fd, false);
	l->syncs++;
	if (l->later) {
		assert_true(l->waiting_count < 256);
		l->waiting[l->waiting_count++] = (struct lab_wait){done, arg};
		return 0;
	}
	if (s != STEP_DO && l->steps % 2) /* both ways to fail */
		return ERR_IO;
	done(arg, s == STEP_DO ? 0 : l->error ? l->error : EIO);
	return 0;
}

static int hook_write(void *ctx, int fd, const void *data, size_t len, uint64_t offset)
{
	struct lab *l = ctx;
	enum step s = step(l);
	int code = l->error == ENOSPC ? ERR_NOSPACE : ERR_IO;

	l->writes++;
	l->written += len;
	if (!l->died || s == STEP_DO_AND_DIE)
		note_fd(l, fd, true);
	if (s == STEP_DO)
		return file_pwrite(fd, data, len, offset);
	if (s == STEP_HALF || s == STEP_DO_AND_DIE)
		file_pwrite(fd, data, len / 2, offset);
	errno = l->error ? l->error : EIO;
	return code;
}

static int hook_rename(void *ctx, const char *from, const char *to)
{
	struct lab *l = ctx;
	enum step s = step(l);

	l->renames++;
	for (int i = 0; s == STEP_DO && i < 64; i++)
		if (strcmp(l->unsynced[i], from) == 0)
			snprintf(l->unsynced[i], sizeof l->unsynced[i], "%s", to);
	if (s == STEP_DO)
		return rename(from, to);
	if (s == STEP_DO_AND_DIE)
		rename(from, to);
	errno = l->error ? l->error : EIO;
	return -1;
}

static int hook_unlink(void *ctx, const char *path)
{
	struct lab *l = ctx;
	enum step s = step(l);

	l->unlinks++;
	if (s == STEP_DO)
		return unlink(path);
	if (s == STEP_DO_AND_DIE)
		unlink(path);
	errno = l->error ? l->error : EIO;
	return -1;
}

static void hook_wake(void *ctx)
{
	((struct lab *)ctx)->awake = true;
}

static bool hook_asked(void *ctx)
{
	return ((struct lab *)ctx)->asked;
}

static int hook_free_bytes(void *ctx, const char *dir, uint64_t *bytes_out)
{
	(void)dir;
	*bytes_out = ((struct lab *)ctx)->free_bytes;
	return 0;
}

struct store_hooks lab_hooks(struct lab *l)
{
	return (struct store_hooks){.fsync = hook_fsync,
				    .write = hook_write,
				    .rename = hook_rename,
				    .unlink = hook_unlink,
				    .free_bytes = l->floor_bytes ? hook_free_bytes : NULL,
				    .wake = l->sliced ? hook_wake : NULL,
				    .asked = hook_asked,
				    .ctx = l};
}

void lab_sync_all(struct lab *l, int error)
{
	while (l->waiting_count) {
		struct lab_wait w = l->waiting[--l->waiting_count];
		w.done(w.arg, error);
	}
}

/* ---- stores ---- */

static const struct field lab_fields[] = {
	{"seed", FIELD_INTEGER, "seed", NULL},
	{"state", FIELD_TEXT, "state_1", NULL},
	{"subject", FIELD_TEXT, "subject_0", NULL},
	{"body", FIELD_HTML, "customer_4|message_5", NULL},
	{"tags", FIELD_LIST, "thanks_7", NULL},
	{"when", FIELD_TIME, "seed", NULL},
};

static const struct store_field lab_indexed[] = {
	{&lab_fields[0], STORE_INTEGER}, {&lab_fields[1], STORE_KEYWORD},
	{&lab_fields[2], STORE_TEXT},    {&lab_fields[3], STORE_WORDS},
	{&lab_fields[4], STORE_LIST},    {&lab_fields[5], STORE_TIME},
};

const struct store_schema lab_schemas[] = {{"contacts", lab_indexed, 6, NULL},
					   {"messages", lab_indexed + 1, 3, NULL},
					   {NULL, NULL, 0, NULL}};

int lab_try_open(struct lab *l, struct store **out)
{
	struct store_options o = {.dir = l->dir,
				  .hooks = lab_hooks(l),
				  .cache_bytes = l->cache_bytes,
				  .filter_bytes = l->filter_bytes,
				  .txn_bytes_max = l->txn_bytes_max,
				  .journal_bytes = l->journal_bytes,
				  .segment_rows = l->segment_rows,
				  .keep_previous = l->keep_previous,
				  .floor_bytes = l->floor_bytes,
				  .schemas = l->schemas};
	struct why why;

	return store_open(&o, out, &why);
}

struct store *lab_open(struct lab *l)
{
	struct store *s = NULL;

	assert_int_equal(lab_try_open(l, &s), 0);
	return s;
}

void lab_work(struct store *s)
{
	while (store_work(s))
		;
}

/* Of the last transaction. */
static struct store *begun;

struct txn *lab_begin(struct store *s)
{
	struct txn *t = NULL;

	begun = s;
	assert_int_equal(store_begin(s, &t, NULL), 0);
	return t;
}

static void committed(void *ctx, int rc, const struct why *why)
{
	assert_int_equal(*(int *)ctx, 1);
	assert_true(rc == 0 || why->text[0]);
	*(int *)ctx = rc;
}

int lab_commit(struct txn *t)
{
	int rc = 1;

	txn_commit(t, committed, &rc);
	while (rc == 1 && store_work(begun))
		;
	assert_int_not_equal(rc, 1);
	return rc;
}

/* ---- records ---- */

void lab_doc(struct buf *out, unsigned seed, unsigned size)
{
	static const char *const words[] = {"subject",  "state",   "open",    "closed",
					    "customer", "message", "invoice", "thanks"};
	uint64_t random = seed * 0x9e3779b97f4a7c15u + 1;
	unsigned n = size / 24 + 1;

	buf_reset(out);
	mp_put_map(out, n + 1);
	mp_put_cstr(out, "seed");
	mp_put_uint(out, seed);
	for (unsigned i = 0; i < n; i++) {
		char key[32], value[64];
		snprintf(key, sizeof key, "%s_%u", words[i % 8], i);
		snprintf(value, sizeof value, "%s %s %u", words[lab_random(&random) % 8],
			 words[lab_random(&random) % 8], (unsigned)(lab_random(&random) % 10000));
		mp_put_cstr(out, key);
		mp_put_cstr(out, value);
	}
}

enum put_outcome lab_put(struct txn *t, const char *resource, const char *id, int64_t created,
			 int64_t updated, int64_t seen, unsigned flags, const char *parent,
			 unsigned seed)
{
	struct buf doc = {0};
	struct record r = {.id = bytes_str(id),
			   .parent = bytes_str(parent),
			   .created_ms = created,
			   .updated_ms = updated,
			   .seen_ms = seen,
			   .flags = flags};
	enum put_outcome outcome = PUT_SAME;
	struct why why;

	if (seed) {
		lab_doc(&doc, seed, 40 + seed % 200);
		r.doc = buf_bytes(&doc);
	}
	int rc = txn_put(t, resource, &r, &outcome, &why);
	if (rc)
		print_error("txn_put: %s\n", why.text);
	assert_int_equal(rc, 0);
	buf_release(&doc);
	return outcome;
}

/* ---- all that can be seen ---- */

static void dump_record(struct buf *out, const struct scan_row *row, const struct record *r)
{
	buf_printf(out,
		   "%.*s parent=%.*s merged=%.*s %" PRId64 " %" PRId64 " %" PRId64 " rev=%" PRIu64
		   " flags=%u doc=%016" PRIx64 "\n",
		   (int)r->id.len, (const char *)r->id.data, (int)r->parent.len,
		   r->parent.data ? (const char *)r->parent.data : "", (int)r->merged_into.len,
		   r->merged_into.data ? (const char *)r->merged_into.data : "", r->created_ms,
		   r->updated_ms, r->seen_ms, r->revision, r->flags, bytes_hash(r->doc));
	assert_true(row->created_ms == r->created_ms && row->updated_ms == r->updated_ms &&
		    row->seen_ms == r->seen_ms);
	assert_true(row->revision == r->revision && row->flags == r->flags);
	assert_true(row->position.id_hash == bytes_hash(r->id));
}

bool lab_columns(struct scan *s, const char *resource, const struct record *r)
{
	const struct store_schema *schema = lab_schemas;
	struct buf want = {0};
	struct bytes value, id, parent;
	int rc = scan_names(s, &id, &parent);
	bool good = rc >= 0;

	assert_true(rc != 1 || (bytes_equal(id, r->id) && bytes_equal(parent, r->parent)));
	while (schema->resource && strcmp(schema->resource, resource) != 0)
		schema++;
	for (unsigned i = 0; i < schema->count; i++) {
		rc = scan_column(s, i, &value);
		good &= rc >= 0 || rc == ERR_INVALID; /* opened without this schema */
		if (rc != 1)
			continue;
		buf_reset(&want);
		assert_true(field_stored(schema->fields[i].field, r->doc, &want) >= 0);
		assert_true(bytes_equal(value, buf_bytes(&want)));
	}
	buf_release(&want);
	return good;
}

static void dump_rows(struct snapshot *v, const char *resource, struct buf *out, bool strict)
{
	struct scan_spec spec = {
		.resource = resource, .start_ms = TIME_MIN, .end_ms = TIME_MAX, .tombstones = true};
	struct buf memory = {0};
	struct scan_row row;
	struct record r;
	struct scan *s;
	int rc = scan_open(v, &spec, &s, NULL);

	if (rc) {
		assert_false(strict);
		buf_printf(out, "error %d\n", rc);
		return;
	}
	while ((rc = scan_next(s, &row)) == 1) {
		rc = scan_record(s, &memory, &r);
		if (rc != 1)
			break;
		dump_record(out, &row, &r);
		bool answered = lab_columns(s, resource, &r);
		assert_true(answered || !strict);
	}
	if (rc) {
		assert_false(strict);
		buf_printf(out, "error %d\n", rc);
	}
	scan_close(s);
	buf_release(&memory);
}

static void dump_resource(struct snapshot *v, const char *resource, struct buf *out, bool strict)
{
	int64_t first = 0, last = 0;
	struct buf coverage = {0};
	bool any = snapshot_extent(v, resource, &first, &last);

	coverage_encode(snapshot_coverage(v, resource), &coverage);
	buf_printf(out,
		   "== %s count=%" PRIu64 " extent=%d %" PRId64 " %" PRId64 " truncated=%" PRIu64
		   " damaged=%u coverage=",
		   resource, snapshot_count(v, resource), any, first, last,
		   snapshot_truncated(v, resource, TIME_MIN, TIME_MAX),
		   snapshot_quarantined(v, resource, TIME_MIN, TIME_MAX));
	for (size_t i = 0; i < coverage.len; i++)
		buf_printf(out, "%02x", coverage.data[i]);
	buf_put_str(out, "\n");
	buf_release(&coverage);
	dump_rows(v, resource, out, strict);
}

void lab_dump(struct store *s, struct buf *out, bool strict)
{
	static const char *const resources[] = {"contacts", "messages", "tags"};
	static const char *const marks[] = {"a", "b", "etag"};
	struct snapshot *v = snapshot_new(s);

	buf_reset(out);
	buf_printf(out, "revision %" PRIu64 "\n", snapshot_revision(v));
	for (unsigned i = 0; i < 3; i++)
		dump_resource(v, resources[i], out, strict);
	for (unsigned i = 0; i < 3; i++) {
		struct bytes m = snapshot_mark(v, marks[i]);
		buf_printf(out, "mark %s %d %.*s\n", marks[i], m.data != NULL, (int)m.len,
			   m.data ? (const char *)m.data : "");
	}
	snapshot_free(v);
}
