/*
 * open: a store from its folder, and its end.
 *
 *   read MANIFEST -> quarantine what is not there -> remove what nobody names -> open
 *
 * No segment is read here: the cost of a start depends on the manifest alone. What open changes in
 * memory (a quarantine) reaches the disk with the next commit; until then every start comes to the
 * same result.
 */
#include "hooks.h"
#include "inside.h"
#include "manifest.h"
#include "repair.h"

#include <base/files.h>
#include <base/log.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CACHE_BYTES_DEFAULT (4u << 20)
#define TXN_BYTES_DEFAULT   (8u << 20)
#define WINDOW_MS_DEFAULT   (86400 * 1000)
#define LEFTOVERS_MAX       4096

/* ---- files that go ---- */

void store_discard_later(struct store *s, char *path)
{
	char **grown = s->leftovers_count < LEFTOVERS_MAX
			       ? realloc(s->leftovers, (s->leftovers_count + 1) * sizeof *grown)
			       : NULL;

	if (!grown) {
		free(path); /* the next start removes it */
		return;
	}
	s->leftovers = grown;
	grown[s->leftovers_count++] = path;
}

void store_discard(struct store *s, char *path)
{
	if (path && s->hooks.unlink(s->hooks.ctx, path) != 0 && errno != ENOENT)
		store_discard_later(s, path);
	else
		free(path);
}

void store_discard_leftovers(struct store *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->leftovers_count; i++) {
		char *path = s->leftovers[i];
		if (s->hooks.unlink(s->hooks.ctx, path) == 0 || errno == ENOENT)
			free(path);
		else
			s->leftovers[kept++] = path;
	}
	s->leftovers_count = kept;
}

void store_segment_end(void *ctx, struct segment *g)
{
	struct store *s = ctx;

	if (g->doomed) {
		store_discard(s, g->file.path);
		g->file.path = NULL;
	}
	segment_free(g, s->pages);
}

/* ---- open ---- */

/* Puts a manifest that cannot be trusted where it harms nobody. */
static int set_manifest_aside(struct store *s, const char *path, const struct why *reason,
			      struct why *why)
{
	char *bad;

	log_error("store", "manifest set aside, everything will be read again file=%s: %s", path,
		  reason->text);
	if (asprintf(&bad, "%s.bad", path) < 0)
		return why_set(why, ERR_NOMEM, "out of memory to open %s", s->dir);
	int rc = s->hooks.rename(s->hooks.ctx, path, bad);
	free(bad);
	return rc ? why_errno(why, "cannot set the damaged %s aside", path) : 0;
}

static int read_manifest(struct store *s, const char *path, struct why *why)
{
	struct buf file = {0};
	struct why reason = {""};
	int rc = file_read(path, MANIFEST_BYTES_MAX, &file, &reason);

	if (rc == 0)
		rc = manifest_parse(buf_bytes(&file), s->dir, &s->state, &reason);
	buf_release(&file);
	if (rc == ERR_CORRUPT || rc == ERR_LIMIT)
		rc = set_manifest_aside(s, path, &reason, why);
	else if (rc && rc != ERR_NOTFOUND)
		return why_set(why, rc, "%s: %s", s->dir, reason.text);
	else
		rc = 0;
	if (rc || s->state)
		return rc;
	s->state = state_new();
	return s->state ? 0 : why_set(why, ERR_NOMEM, "out of memory to open %s", s->dir);
}

static int store_load(struct store *s, struct why *why)
{
	char *path;

	if (asprintf(&path, "%s/MANIFEST", s->dir) < 0)
		return why_set(why, ERR_NOMEM, "out of memory to open %s", s->dir);
	int rc = read_manifest(s, path, why);
	free(path);
	if (!rc)
		rc = repair_state(s, s->state, why);
	if (rc)
		return rc;
	s->next_file = s->state->next_file;
	repair_sweep(s, s->state);
	return 0;
}

static struct store *store_new(const struct store_options *o)
{
	struct store *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->hooks = o->hooks;
	hooks_fill(&s->hooks);
	s->txn_bytes_max = o->txn_bytes_max ? o->txn_bytes_max : TXN_BYTES_DEFAULT;
	s->window_ms = o->window_ms > 0 ? o->window_ms : WINDOW_MS_DEFAULT;
	s->dir = strdup(o->dir);
	s->pages = pages_new(o->cache_bytes ? o->cache_bytes : CACHE_BYTES_DEFAULT);
	s->dictionaries = s->dir ? dictionaries_new(s->dir) : NULL;
	if (s->pages && s->dictionaries)
		return s;
	store_close(s);
	return NULL;
}

int store_open(const struct store_options *options, struct store **store_out, struct why *why)
{
	int rc = dir_make(options->dir, 0700, why);

	if (rc)
		return rc;
	struct store *s = store_new(options);
	if (!s)
		return why_set(why, ERR_NOMEM, "out of memory to open %s", options->dir);
	rc = schemas_init(&s->schemas, options->schemas, why);
	if (!rc)
		rc = store_load(s, why);
	if (rc) {
		store_close(s);
		return rc;
	}
	*store_out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	assert(s->snapshots == 0);
	assert(!s->txn || !s->txn->committing);
	txn_abort(s->txn);
	state_unref(s->state, store_segment_end, s);
	dictionaries_free(s->dictionaries);
	pages_free(s->pages);
	schemas_release(&s->schemas);
	buf_release(&s->frame);
	for (size_t i = 0; i < s->leftovers_count; i++)
		free(s->leftovers[i]);
	free(s->leftovers);
	free(s->dir);
	free(s);
}

void store_stats(const struct store *s, struct store_stats *out)
{
	struct pages_stats pages;

	pages_stats(s->pages, &pages);
	*out = (struct store_stats){.revision = s->state->revision,
				    .commits = s->commits,
				    .quarantined = s->quarantined,
				    .cache_bytes = pages.bytes,
				    .cache_hits = pages.hits,
				    .cache_misses = pages.misses};
	for (size_t i = 0; i < s->state->resources_count; i++) {
		const struct state_resource *r = s->state->resources[i];
		out->segments += r->count;
		for (size_t j = 0; j < r->count; j++)
			out->disk_bytes += r->segments[j].segment->meta.bytes;
		for (size_t j = 0; j < r->dictionaries_count; j++)
			out->disk_bytes += r->dictionaries[j].bytes;
	}
}
