/* check: --check-store, everything on disk without a daemon. Changes nothing. */
#include "check.h"

#include <base/clock.h>
#include <store/outbox.h>
#include <store/store.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define STEP_BYTES (1024 * 1024)

#define HARMLESS 2 /* exit code: no record is concerned */

struct findings {
	const char *source;
	uint64_t harmless;
};

static void on_found(void *ctx, const struct store_damage *d)
{
	static const char *const then[] = {
		[STORE_ENDS] = ": the next start removes it",
		[STORE_FORGETS] = ": it is lost, and nothing else",
	};
	char start[TIME_TEXT_MAX], end[TIME_TEXT_MAX];
	struct findings *f = ctx;

	f->harmless += d->action == STORE_ENDS || d->action == STORE_FORGETS;
	printf("%s: %s: %s%s", f->source, d->file, d->words,
	       d->action == STORE_ENDS || d->action == STORE_FORGETS ? then[d->action] : "");
	if (d->records)
		printf(": %" PRIu64 " of the %s", d->records, d->resource);
	if (d->records && d->span.start_ms > TIME_MIN)
		printf(", %s to %s", time_text(d->span.start_ms, false, start),
		       time_text(d->span.end_ms, false, end));
	printf("\n");
}

/* 0 sound, 1 damaged, HARMLESS, else an exit code. */
static int check_opened(struct store *store, const char *name)
{
	struct store_check *check = store_check_new(store);
	struct findings found = {.source = name};
	uint64_t bad = 0, files = 0, bytes = 0;
	double progress;
	int rc = ERR_NOMEM;

	if (check) {
		store_check_tell(check, on_found, &found);
		do
			rc = store_check_step(check, STEP_BYTES, &bad, &progress);
		while (rc == 1);
		store_check_read(check, &files, &bytes);
	}
	store_check_free(check);
	if (rc < 0) {
		fprintf(stderr, "ficd: %s: out of memory\n", name);
		return EX_OSERR;
	}
	printf("%s: %" PRIu64 " files, %" PRIu64 " bytes, %" PRIu64 " damaged\n", name, files,
	       bytes, bad);
	return bad == 0 ? 0 : bad == found.harmless ? HARMLESS : 1;
}

/* An error of ours says most, then damage. */
static int worse(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	return high == HARMLESS && low == 1 ? low : high;
}

/* The edits, which alone cannot be fetched again. */
static int check_outbox(const char *source_dir, const char *name)
{
	char path[CONFIG_PATH_MAX + 80];
	const struct outbox_options options = {.dir = path, .read_only = true};
	struct outbox_stats stats;
	struct outbox *outbox;
	struct why why = {""};

	snprintf(path, sizeof path, "%s/outbox", source_dir);
	int rc = outbox_open(&options, &outbox, &why);
	if (rc) {
		fprintf(stderr, "ficd: %s: %s\n", name, why.text);
		return rc == ERR_DENIED ? EX_NOPERM : EX_IOERR;
	}
	outbox_stats(outbox, &stats);
	outbox_close(outbox);
	if (stats.damaged && why.text[0])
		printf("%s: %s\n", name, why.text);
	else if (stats.damaged)
		printf("%s: %s has %u damaged files that were set aside\n", name, path, stats.damaged);
	return stats.damaged ? 1 : 0;
}

static int check_source(const struct config *c, const struct config_source *source)
{
	char path[CONFIG_PATH_MAX + 64];
	struct store_options options = {.dir = path, .read_only = true};
	struct store *store;
	struct stat st;
	struct why why = {""};

	snprintf(path, sizeof path, "%s/%s", c->state_dir, source->name);
	if (lstat(path, &st) != 0 && errno == ENOENT) {
		printf("%s: nothing is stored in %s\n", source->name, path);
		return 0;
	}
	int rc = store_open(&options, &store, &why);
	if (rc) {
		fprintf(stderr, "ficd: %s: %s\n", source->name, why.text);
		return rc == ERR_DENIED ? EX_NOPERM : EX_IOERR;
	}
	rc = worse(check_opened(store, source->name), check_outbox(path, source->name));
	store_close(store);
	return rc;
}

/* The lock of the daemon's own: nobody starts one meanwhile. -1: there is none to take; -2: it is taken, or may not be looked at. */
static int take_lock(const char *state_dir, int *code_out)
{
	char path[CONFIG_PATH_MAX + 16], owner[24] = "";

	snprintf(path, sizeof path, "%s/LOCK", state_dir);
	int lock = open(path, O_RDONLY | O_CLOEXEC);
	if (lock < 0 && errno == ENOENT)
		return -1;
	if (lock < 0) {
		fprintf(stderr, "ficd: cannot open %s: %s\n", path, strerror(errno));
		*code_out = errno == EACCES || errno == EPERM ? EX_NOPERM : EX_IOERR;
		return -2;
	}
	if (flock(lock, LOCK_EX | LOCK_NB) == 0)
		return lock;
	if (read(lock, owner, sizeof owner - 1) < 0)
		owner[0] = 0;
	fprintf(stderr,
		"ficd: another ficd (process %d) uses %s: stop it first, or ask it with 'ficq verify'\n",
		atoi(owner), state_dir);
	close(lock);
	*code_out = EX_TEMPFAIL;
	return -2;
}

int check_store(struct config *config)
{
	int code = 0, lock = take_lock(config->state_dir, &code);

	/* What is damaged is said here, and not in the log. */
	log_setup(LOG_LEVEL_ERROR, false);
	for (size_t i = 0; i < config->source_count && lock != -2; i++) {
		int rc = check_source(config, &config->sources[i]);
		code = worse(code, rc);
	}
	if (lock >= 0)
		close(lock);
	config_free(config);
	return fflush(stdout) ? EX_IOERR : code;
}
