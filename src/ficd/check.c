/* check: --check-store, everything on disk without a daemon. */
#include "check.h"

#include <store/store.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#define STEP_BYTES (1024 * 1024)

/* 0 sound, 1 damaged, else an exit code. */
static int check_source(const struct config *c, const struct config_source *source)
{
	char path[CONFIG_PATH_MAX + 64];
	struct store_options options = {.dir = path};
	struct store *store;
	struct store_stats stats;
	struct why why = {""};
	uint64_t bad = 0;
	double progress;
	int rc;

	snprintf(path, sizeof path, "%s/%s", c->state_dir, source->name);
	if (store_open(&options, &store, &why)) {
		fprintf(stderr, "ficd: %s: %s\n", source->name, why.text);
		return EX_IOERR;
	}
	struct store_check *check = store_check_new(store);
	do
		rc = check ? store_check_step(check, STEP_BYTES, &bad, &progress) : ERR_NOMEM;
	while (rc == 1);
	store_check_free(check);
	store_stats(store, &stats);
	bad += stats.quarantined;
	printf("%s: %" PRIu64 " segments, %" PRIu64 " bytes, %" PRIu64 " damaged\n", source->name,
	       stats.segments, stats.disk_bytes, bad);
	store_close(store);
	return rc < 0 ? EX_IOERR : bad > 0;
}

int check_store(struct config *config)
{
	char path[CONFIG_PATH_MAX + 16];
	int code = 0;

	snprintf(path, sizeof path, "%s/LOCK", config->state_dir);
	int lock = open(path, O_RDWR | O_CLOEXEC);
	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) < 0) {
		fprintf(stderr, "ficd: the daemon is running on %s: stop it first\n",
			config->state_dir);
		code = EX_TEMPFAIL;
	}
	for (size_t i = 0; i < config->source_count && code != EX_TEMPFAIL; i++) {
		int rc = check_source(config, &config->sources[i]);
		if (rc > code)
			code = rc;
	}
	if (lock >= 0)
		close(lock);
	config_free(config);
	return code;
}
