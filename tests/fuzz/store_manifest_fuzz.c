/*
 * A manifest whose checksum is right and whose contents are anything. What parses must come out of
 * a store that is opened with it: every segment that it names is missing, so all of them are
 * quarantined and the coverage is withdrawn, and a commit must settle that.
 */
#include <base/log.h>
#include <store/inspect.h>
#include <store/segment.h>
#include <store/store.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the place of base's: a store says a line for each thing that it finds damaged, and here that
 * is everything. */
void log_error(const char *area, const char *format, ...)
{
	(void)area;
	(void)format;
}

void log_warn(const char *area, const char *format, ...)
{
	(void)area;
	(void)format;
}

void log_info(const char *area, const char *format, ...)
{
	(void)area;
	(void)format;
}

static char dir[64], manifest[80];

static void clean(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	if (system(command) != 0)
		fprintf(stderr, "cannot remove %s\n", dir);
}

static void setup(void)
{
	if (dir[0])
		return;
	snprintf(dir, sizeof dir, "%s/fic-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(dir))
		abort();
	snprintf(manifest, sizeof manifest, "%s/MANIFEST", dir);
	atexit(clean);
}

static void ignore(void *ctx, struct bytes text)
{
	*(size_t *)ctx += text.len;
}

static void committed(void *ctx, int rc, const struct why *why)
{
	(void)ctx;
	(void)why;
	if (rc != 0 && rc != ERR_LIMIT && rc != ERR_NOMEM)
		abort();
}

static int write_manifest(const uint8_t *data, size_t size)
{
	uint8_t head[FRAMED_HEAD];
	int fd = open(manifest, O_RDWR | O_CREAT | O_TRUNC, 0600);

	memcpy(head, MANIFEST_MAGIC, 8);
	put_le32(head + 8, (uint32_t)size);
	put_le32(head + 12, (uint32_t)crc32(crc32(0, head, 12), data, (uInt)size));
	if (fd < 0 || pwrite(fd, head, sizeof head, 0) < 0 || pwrite(fd, data, size, sizeof head) < 0)
		abort();
	close(fd);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_options o = {.dir = dir};
	struct store *s;
	struct txn *t;
	size_t total = 0;

	if (size == 0)
		return 0;
	setup();
	write_manifest(data, size);
	int shown = store_inspect(manifest, true, ignore, &total, NULL);
	int rc = store_open(&o, &s, NULL);
	if (rc)
		return 0;
	if (shown == 0) {
		struct store_stats stats;
		store_stats(s, &stats);
		if (stats.segments)
			abort();
	}
	if (store_begin(s, &t, NULL))
		abort();
	txn_hold(t, "contacts", (struct interval){0, 1000, 1000});
	txn_commit(t, committed, NULL);
	store_close(s);
	if (store_open(&o, &s, NULL) == 0)
		store_close(s);
	return 0;
}
