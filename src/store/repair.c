/*
 * repair: damage becomes a gap. Coverage is withdrawn in the same commit that drops the segment (or
 * before the first reader, at open), so no answer ever claims what was lost. Nothing is salvaged:
 * the planner reads the span again.
 *
 * A segment that was found damaged:
 *   noted -> (next commit) rows dropped, coverage withdrawn, span recorded -> published -> set
 *       aside
 */
#include "repair.h"

#include <base/log.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files set aside that are kept for whoever wants to look; the oldest go. */
#define BAD_FILES_MAX 16

struct interval repair_span(const struct segment_meta *m, const struct coverage *c)
{
	struct interval span = {TIME_MIN, TIME_MIN + 1, 0};
	struct range created = m->ranges[RANGE_CREATED];
	int64_t end = coverage_end(c);

	if (created.min != TIME_NONE) {
		span.start_ms = created.min;
		span.end_ms = created.max < TIME_MAX ? created.max + 1 : TIME_MAX;
	}
	if (m->untimed == 0)
		return span;
	span.start_ms = TIME_MIN;
	if (end != TIME_NONE && end > span.end_ms)
		span.end_ms = end;
	return span;
}

int repair_withdraw(const struct segment_meta *m, struct coverage *coverage, struct intervals *damaged)
{
	struct interval span = repair_span(m, coverage);
	int rc = coverage_withdraw(coverage, span.start_ms, span.end_ms);

	if (rc == ERR_LIMIT) /* too torn to be torn once more: all of it, rather than too little */
		rc = coverage_withdraw(coverage, TIME_MIN, TIME_MAX);
	if (rc)
		return rc;
	rc = intervals_add(damaged, span);
	if (rc == ERR_LIMIT) {
		intervals_release(damaged);
		rc = intervals_add(damaged, (struct interval){TIME_MIN, TIME_MAX, 0});
	}
	return rc;
}

static void log_quarantine(const struct segment *g)
{
	char first[TIME_TEXT_MAX] = "-", last[TIME_TEXT_MAX] = "-";

	if (g->meta.ranges[RANGE_CREATED].min != TIME_NONE) {
		time_text(g->meta.ranges[RANGE_CREATED].min, false, first);
		time_text(g->meta.ranges[RANGE_CREATED].max, false, last);
	}
	log_error("store",
		  "segment quarantined, its span will be read again file=%s records=%" PRIu32
		  " first=%s last=%s",
		  g->file.path, g->meta.records, first, last);
}

void repair_set_aside(struct store *s, struct segment *g)
{
	char *bad;

	s->quarantined++;
	s->lingering -= g->doomed;
	g->doomed = false;
	if (segment_in_memory(g)) {
		log_error("store",
			  "journaled records lost, their span will be read again records=%" PRIu32,
			  g->meta.records);
		return;
	}
	log_quarantine(g);
	s->set_aside = true;
	if (asprintf(&bad, "%s.bad", g->file.path) < 0)
		return;
	/* Gone already, or it cannot be renamed: then no manifest names it and the next start
	 * removes it. */
	if (s->hooks.rename(s->hooks.ctx, g->file.path, bad) != 0) {
		free(bad);
		return;
	}
	free(g->file.path);
	g->file.path = bad;
}

/* ---- at open ---- */

/* 1: it is there as it must be, 0: it is lost; or an error, when that cannot be known: whoever may
 * not look must not throw away. */
static int file_is(const char *path, uint64_t bytes, struct why *why)
{
	struct stat st;

	if (!path)
		return why_set(why, ERR_NOMEM, "out of memory to open a store");
	if (lstat(path, &st) == 0)
		return S_ISREG(st.st_mode) && (uint64_t)st.st_size == bytes;
	return errno == ENOENT || errno == ENOTDIR ? 0 : why_errno(why, "cannot look at %s", path);
}

static int dictionary_is(const struct store *s, const struct state_resource *r, size_t at,
			 struct why *why)
{
	char *path = dictionary_path(s->dir, r->name, r->dictionaries[at].number);
	int rc = file_is(path, r->dictionaries[at].bytes + (uint64_t)FRAMED_HEAD, why);

	free(path);
	return rc;
}

static int quarantine(struct store *s, struct state_resource *r, size_t at, struct why *why)
{
	struct segment *g = r->segments[at].segment;

	if (repair_withdraw(&g->meta, &r->coverage, &r->damaged))
		return why_set(why, ERR_NOMEM,
			       "%s: out of memory while withdrawing damaged segments", s->dir);
	repair_set_aside(s, g);
	resource_drop_segment(r, at, store_segment_end, s);
	s->dirty = true;
	return 0;
}

/* What a lost dictionary packed is lost, too. */
static int drop_dictionary(struct store *s, struct state_resource *r, size_t at, struct why *why)
{
	uint64_t number = r->dictionaries[at].number;
	int rc = 0;

	log_error("store",
		  "dictionary lost, what it packed will be read again resource=%s number=%" PRIu64,
		  r->name, number);
	for (size_t i = r->count; !rc && i-- > 0;)
		if (r->segments[i].segment->meta.dictionary == number)
			rc = quarantine(s, r, i, why);
	resource_drop_dictionary(r, at);
	r->dictionary = r->dictionary == number ? 0 : r->dictionary;
	s->dirty = true;
	return rc;
}

static int repair_resource(struct store *s, struct state_resource *r, struct why *why)
{
	for (size_t d = r->dictionaries_count; d-- > 0;) {
		int rc = dictionary_is(s, r, d, why);
		if (rc == 0)
			rc = drop_dictionary(s, r, d, why);
		if (rc < 0)
			return rc;
	}
	for (size_t i = r->count; i-- > 0;) {
		const struct segment *g = r->segments[i].segment;
		int rc = segment_in_memory(g) ? 1 : file_is(g->file.path, g->file.bytes, why);
		if (rc == 0)
			rc = quarantine(s, r, i, why);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int repair_state(struct store *s, struct state *t, struct why *why)
{
	for (size_t i = 0; i < t->resources_count; i++) {
		int rc = repair_resource(s, t->resources[i], why);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- leftovers ---- */

/* "123.seg": the number; 0 for any other name. */
static uint64_t numbered(const char *name, const char *suffix)
{
	char *end;

	if (name[0] < '1' || name[0] > '9')
		return 0;
	errno = 0;
	unsigned long long n = strtoull(name, &end, 10);
	return errno == 0 && strcmp(end, suffix) == 0 ? n : 0;
}

struct sweep {
	struct store *s;
	const struct state *state;
	/* Of the folder at hand, and what the previous manifest has there; NULL: it does not know it. */
	const struct state_resource *r, *before;
	uint64_t bad[BAD_FILES_MAX]; /* the newest of those set aside */
	unsigned removed;
};

static bool segment_named(const struct state_resource *r, const char *folder, uint64_t number)
{
	for (size_t i = 0; r && i < r->count; i++)
		if (r->segments[i].segment->meta.number == number)
			return !segment_in_memory(r->segments[i].segment) &&
			       strcmp(r->segments[i].segment->meta.folder, folder) == 0;
	return false;
}

static bool dictionary_named(const struct state_resource *r, uint64_t number)
{
	for (size_t i = 0; r && i < r->dictionaries_count; i++)
		if (r->dictionaries[i].number == number)
			return true;
	return false;
}

static void sweep_remove(struct sweep *w, const char *folder, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return;
	if (w->s->hooks.unlink(w->s->hooks.ctx, path) == 0)
		w->removed++;
	free(path);
}

/* What only the previous manifest names goes with it. */
static void sweep_later(struct sweep *w, const char *folder, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, name) >= 0)
		store_retire(w->s, path);
}

/* Keeps the newest few; `number` or the one that it displaces goes. */
static bool bad_kept(struct sweep *w, uint64_t number)
{
	int least = 0;

	for (int i = 1; i < BAD_FILES_MAX; i++)
		if (w->bad[i] < w->bad[least])
			least = i;
	if (number <= w->bad[least])
		return w->bad[least] == number;
	w->bad[least] = number;
	return true;
}

static void sweep_window(struct sweep *w, const char *path, const char *folder)
{
	DIR *dir = opendir(path);
	bool any = false;

	// cppcheck-suppress readdirCalled ; one thread, one stream
	for (struct dirent *e; dir && (e = readdir(dir));) {
		uint64_t number = numbered(e->d_name, ".seg"), bad = numbered(e->d_name, ".seg.bad");
		w->s->set_aside |= bad != 0;
		bool unnamed = number && !segment_named(w->r, folder, number);
		bool before = unnamed && segment_named(w->before, folder, number);
		if ((unnamed && !before) || (bad && !bad_kept(w, bad)))
			sweep_remove(w, path, e->d_name);
		else if (e->d_name[0] != '.')
			any = true;
		if (before)
			sweep_later(w, path, e->d_name);
	}
	if (dir)
		closedir(dir);
	if (dir && !any)
		rmdir(path); /* fails when something was left: then it stays */
}

/* Folders of windows, as a segment's path has them. */
static bool window_name(const char *name)
{
	return strcmp(name, "all") == 0 || (strlen(name) == 10 && strspn(name, "0123456789-") == 10);
}

static void sweep_resource(struct sweep *w, const char *path)
{
	DIR *dir = opendir(path);

	// cppcheck-suppress readdirCalled ; one thread, one stream
	for (struct dirent *e; dir && (e = readdir(dir));) {
		char *below;
		uint64_t number = numbered(e->d_name, ".dict");
		bool unnamed = number && !dictionary_named(w->r, number);
		if (unnamed && !dictionary_named(w->before, number))
			sweep_remove(w, path, e->d_name);
		else if (unnamed)
			sweep_later(w, path, e->d_name);
		if (!window_name(e->d_name) || asprintf(&below, "%s/%s", path, e->d_name) < 0)
			continue;
		sweep_window(w, below, e->d_name);
		free(below);
	}
	if (dir)
		closedir(dir);
}

void repair_sweep(struct store *s, const struct state *t, const struct state *previous)
{
	struct sweep w = {.s = s, .state = t};
	DIR *dir = opendir(s->dir);

	// cppcheck-suppress readdirCalled ; one thread, one stream
	for (struct dirent *e; dir && (e = readdir(dir));) {
		char *path;
		s->set_aside |= strstr(e->d_name, ".bad") != NULL;
		if (strcmp(e->d_name, "MANIFEST.tmp") == 0)
			sweep_remove(&w, s->dir, e->d_name);
		if (!resource_name_valid(e->d_name) || asprintf(&path, "%s/%s", s->dir, e->d_name) < 0)
			continue;
		w.r = state_find(t, e->d_name);
		w.before = previous ? state_find(previous, e->d_name) : NULL;
		sweep_resource(&w, path);
		free(path);
	}
	if (dir)
		closedir(dir);
	if (w.removed)
		log_info("store", "files that no manifest names were removed dir=%s files=%u",
			 s->dir, w.removed);
}

/* ---- what was set aside ---- */

static bool is_bad(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".bad") == 0;
}

/* Of a folder, and of those in it down to a depth. */
static void sweep_bad(struct sweep *w, const char *path, unsigned depth)
{
	DIR *dir = opendir(path);

	// cppcheck-suppress readdirCalled ; one thread, one stream
	for (struct dirent *e; dir && (e = readdir(dir));) {
		char *below;
		if (is_bad(e->d_name))
			sweep_remove(w, path, e->d_name);
		else if (depth && (resource_name_valid(e->d_name) || window_name(e->d_name)) &&
			 asprintf(&below, "%s/%s", path, e->d_name) >= 0) {
			sweep_bad(w, below, depth - 1);
			free(below);
		}
	}
	if (dir)
		closedir(dir);
}

void repair_sweep_bad(struct store *s)
{
	struct sweep w = {.s = s};

	if (!s->set_aside)
		return;
	s->set_aside = false;
	sweep_bad(&w, s->dir, 2);
	if (w.removed)
		log_info("store", "files that were set aside were removed dir=%s files=%u", s->dir,
			 w.removed);
}
