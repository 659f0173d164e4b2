/*
 * A journal frame whose checksum is right and whose contents are anything, behind a real manifest.
 * Whatever of it is taken must be readable to the end, survive a commit that flushes it, and show
 * the same when the store is opened again.
 */
#include <base/files.h>
#include <base/log.h>
#include <codec/msgpack.h>
#include <store/inspect.h>
#include <store/journal.h>
#include <store/store.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the place of base's: most frames are cut, and a store says so. */
void log_warn(const char *area, const char *format, ...)
{
	(void)area;
	(void)format;
}

void log_error(const char *area, const char *format, ...)
{
	(void)area;
	(void)format;
}

void log_info(const char *area, const char *format, ...)
{
	(void)area;
	(void)format;
}

#define SEGMENT "/contacts/2023-11-14/1.seg"
#define T0      1700000000000

static char dir[64];
static struct buf manifest, segment; /* as they were */

static void clean(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	if (system(command) != 0)
		fprintf(stderr, "cannot remove %s\n", dir);
	buf_release(&manifest);
	buf_release(&segment);
}

static void path_of(const char *name, char out[128])
{
	snprintf(out, 128, "%s/%s", dir, name);
}

static void write_file(const char *name, struct bytes head, struct bytes tail)
{
	char path[128];

	path_of(name, path);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || file_pwrite(fd, head.data, head.len, 0) ||
	    (tail.len && file_pwrite(fd, tail.data, tail.len, head.len)))
		abort();
	close(fd);
}

static void committed(void *ctx, int rc, const struct why *why)
{
	(void)ctx;
	(void)why;
	if (rc)
		abort();
}

static void first_commit(void)
{
	struct store_options o = {.dir = dir};
	struct buf doc = {0};
	struct store *s;
	struct txn *t;
	char id[16];

	if (store_open(&o, &s, NULL) || store_begin(s, &t, NULL))
		abort();
	mp_put_cstr(&doc, "document");
	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof id, "i%d", i);
		struct record r = {.id = bytes_str(id),
				   .created_ms = T0 + i,
				   .updated_ms = T0,
				   .seen_ms = T0,
				   .doc = buf_bytes(&doc)};
		if (txn_put(t, "contacts", &r, NULL, NULL))
			abort();
	}
	txn_hold(t, "contacts", (struct interval){T0, T0 + 100, T0 + 100});
	txn_commit(t, committed, NULL);
	store_close(s);
	buf_release(&doc);
}

static void setup(void)
{
	char path[128];

	if (dir[0])
		return;
	snprintf(dir, sizeof dir, "%s/fic-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(dir))
		abort();
	first_commit();
	path_of("MANIFEST", path);
	if (file_read(path, 1 << 20, &manifest, NULL))
		abort();
	path_of(SEGMENT, path);
	if (file_read(path, 1 << 20, &segment, NULL))
		abort();
	path_of("journal", path);
	mkdir(path, 0700);
	atexit(clean);
}

/* The body follows the manifest's revision, 5. */
static void write_journal(const uint8_t *data, size_t size)
{
	uint8_t head[JOURNAL_HEAD + JOURNAL_FRAME_HEAD];

	memcpy(head, JOURNAL_MAGIC, 8);
	put_le64(head + 8, 5);
	memcpy(head + 16, manifest.data + 12, 4);
	put_le32(head + 20, (uint32_t)crc32(0, head, 20));
	uint8_t *frame = head + JOURNAL_HEAD;
	put_le32(frame, (uint32_t)size);
	put_le32(frame + 4, (uint32_t)crc32(crc32(0, frame, 4), data, (uInt)size));
	write_file("journal/1.log", bytes_of(head, sizeof head), bytes_of(data, size));
}

/* Rows that can be read, and a sum over them. */
static uint64_t read_all(struct store *s)
{
	static const char *const names[] = {"contacts", "messages"};
	struct snapshot *v = snapshot_new(s);
	struct buf memory = {0};
	uint64_t sum = snapshot_revision(v);

	for (int i = 0; i < 2; i++) {
		struct scan_spec spec = {.resource = names[i],
					 .start_ms = TIME_MIN,
					 .end_ms = TIME_MAX,
					 .tombstones = true};
		struct scan_row row;
		struct record r;
		struct scan *scan;
		if (scan_open(v, &spec, &scan, NULL))
			continue;
		while (scan_next(scan, &row) == 1)
			if (scan_record(scan, &memory, &r) == 1)
				sum += bytes_hash(r.id) ^ row.revision;
		scan_close(scan);
		sum += coverage_end(snapshot_coverage(v, names[i])) != TIME_NONE;
	}
	snapshot_free(v);
	buf_release(&memory);
	return sum;
}

static void ignore(void *ctx, struct bytes text)
{
	*(size_t *)ctx += text.len;
}

static uint64_t open_and_read(bool commit)
{
	struct store_options o = {.dir = dir};
	struct store *s;
	struct txn *t;

	if (store_open(&o, &s, NULL))
		abort();
	read_all(s);
	if (commit) {
		if (store_begin(s, &t, NULL))
			abort();
		txn_mark(t, "fuzz", bytes_str("1"));
		txn_commit(t, committed, NULL);
	}
	uint64_t sum = read_all(s);
	store_close(s);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[128];
	size_t total = 0;

	setup();
	write_file("MANIFEST", buf_bytes(&manifest), bytes_of(NULL, 0));
	path_of("contacts", path);
	mkdir(path, 0700);
	path_of("contacts/2023-11-14", path);
	mkdir(path, 0700);
	write_file(SEGMENT, buf_bytes(&segment), bytes_of(NULL, 0));
	write_journal(data, size);
	path_of("journal/1.log", path);
	store_inspect(path, true, ignore, &total, NULL);
	if (open_and_read(true) != open_and_read(false))
		abort();
	return 0;
}
