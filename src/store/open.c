/*
 * open: a store from its folder, and its end.
 *
 *   read MANIFEST -> replay its journals -> quarantine what is not there -> remove what nobody names -> open
 *
 * No segment is read here: the cost of a start depends on the manifest alone. What open changes in
 * memory (a quarantine) reaches the disk with the next commit; until then every start comes to the
 * same result.
 */
#include "choice.h"
#include "fences.h"
#include "frames.h"
#include "hooks.h"
#include "journal.h"
#include "lead.h"
#include "manifest.h"
#include "recent.h"
#include "renew.h"
#include "repair.h"
#include "resident.h"
#include "vocabulary.h"

#include <base/files.h>
#include <base/log.h>

#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define CACHE_BYTES_DEFAULT  (4u << 20)
#define FILES_MAX_DEFAULT    256u
#define TXN_BYTES_DEFAULT    (8u << 20)
#define FRAME_BYTES_DEFAULT  (1u << 20)
#define FILTER_BYTES_DEFAULT (4u << 20)
#define WINDOW_MS_DEFAULT    (86400 * 1000)

/* ---- open ---- */

/* Puts a manifest that cannot be trusted where it harms nobody. */
static int set_manifest_aside(struct store *s, const char *path, const struct why *reason,
			      struct why *why)
{
	char *bad;

	if (s->read_only)
		return 0;
	log_error("store", "manifest set aside file=%s: %s", path, reason->text);
	if (asprintf(&bad, "%s.bad", path) < 0)
		return why_set(why, ERR_NOMEM, "out of memory to open %s", s->dir);
	int rc = s->hooks.rename(s->hooks.ctx, path, bad);
	s->set_aside = true;
	free(bad);
	return rc ? why_errno(why, "cannot set the damaged %s aside", path) : 0;
}

/* 1: read, 0: there is none, or none any more; or an error. */
static int read_manifest(struct store *s, const char *path, struct state **out, uint32_t *sum_out,
			 struct why *why)
{
	struct buf file = {0};
	struct why reason = {""};
	int rc = file_read(path, MANIFEST_BYTES_MAX, &file, &reason);

	if (rc == 0)
		rc = manifest_parse(buf_bytes(&file), s->dir, out, &reason);
	if (rc == 0)
		*sum_out = le32(file.data + 12);
	buf_release(&file);
	if (rc == ERR_CORRUPT || rc == ERR_LIMIT)
		return set_manifest_aside(s, path, &reason, why);
	if (rc && rc != ERR_NOTFOUND)
		return why_set(why, rc, "%s: %s", s->dir, reason.text);
	return rc == 0;
}

/* The state, and the one before it when its manifest was kept and the newest can be read. */
static int read_manifests(struct store *s, struct state **previous_out, struct why *why)
{
	struct state *previous = NULL;
	char *path;

	if (asprintf(&path, "%s/MANIFEST.prev", s->dir) < 0)
		return why_set(why, ERR_NOMEM, "out of memory to open %s", s->dir);
	int rc = read_manifest(s, path, &previous, &s->previous_sum, why);
	path[strlen(path) - strlen(".prev")] = 0;
	if (rc >= 0)
		rc = read_manifest(s, path, &s->state, &s->manifest_sum, why);
	free(path);
	if (rc == 0 && previous) {
		log_warn("store", "the manifest before the last is used dir=%s revision=%" PRIu64,
			 s->dir, previous->revision);
		s->state = previous;
		s->manifest_sum = s->previous_sum;
		s->dirty = true; /* until there is a manifest again */
		previous = NULL;
	} else if (rc == 0) {
		s->state = state_new();
		rc = s->state ? 0 : why_set(why, ERR_NOMEM, "out of memory to open %s", s->dir);
	}
	if (rc < 0) {
		state_unref(previous, manifest_segment_end, NULL);
		return rc;
	}
	s->manifest_revision = s->state->revision;
	s->previous_sum = previous ? s->previous_sum : 0;
	s->previous_revision = previous ? previous->revision : 0;
	*previous_out = previous;
	return 0;
}

static int store_load(struct store *s, struct why *why)
{
	struct state *previous = NULL;
	int rc = read_manifests(s, &previous, why);

	if (rc)
		return rc;
	s->next_file = s->state->next_file;
	if (previous && previous->next_file > s->next_file)
		s->next_file = previous->next_file;
	/* First what happened, then what became of it: a journal says what the coverage was. */
	rc = journal_replay(s, why);
	if (!rc && !s->read_only)
		rc = repair_state(s, s->state, why);
	if (!rc && !s->read_only)
		repair_sweep(s, s->state, previous);
	state_unref(previous, manifest_segment_end, NULL);
	forgotten_load(&s->forgotten, s->state);
	s->compact_wanted = s->filters_wanted = s->vocabularies_wanted = true;
	return rc;
}

static struct store *store_new(const struct store_options *o)
{
	struct store *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->read_only = o->read_only;
	s->hooks = o->hooks;
	hooks_fill(&s->hooks);
	if (s->read_only)
		hooks_forbid(&s->hooks);
	s->txn_bytes_max = o->txn_bytes_max ? o->txn_bytes_max : TXN_BYTES_DEFAULT;
	s->journal_max = o->journal_bytes;
	s->filter_bytes = o->filter_bytes ? o->filter_bytes : FILTER_BYTES_DEFAULT;
	s->floor_bytes = o->floor_bytes;
	s->merged_rows = o->segment_rows ? o->segment_rows : MERGED_ROWS;
	s->keep_previous = o->keep_previous;
	s->journal.fd = -1;
	s->journal.before = s->journal.first = 1;
	s->window_ms = o->window_ms > 0 ? o->window_ms : WINDOW_MS_DEFAULT;
	s->dir = strdup(o->dir);
	s->pages = pages_new(o->cache_bytes ? o->cache_bytes : CACHE_BYTES_DEFAULT,
			     o->files_max ? o->files_max : FILES_MAX_DEFAULT);
	s->dictionaries = s->dir ? dictionaries_new(s->dir) : NULL;
	s->recent = recent_new();
	s->frames = frames_new(o->frame_bytes ? o->frame_bytes : FRAME_BYTES_DEFAULT);
	if (s->pages && s->dictionaries && s->recent && s->frames)
		return s;
	store_close(s);
	return NULL;
}

static int dir_is(const char *path, struct why *why)
{
	DIR *dir = opendir(path);

	if (!dir)
		return why_errno(why, "cannot read %s", path);
	closedir(dir);
	return 0;
}

int store_open(const struct store_options *options, struct store **store_out, struct why *why)
{
	int rc = options->read_only ? dir_is(options->dir, why) : dir_make(options->dir, 0700, why);

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
	store_wake(s);
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	assert(s->snapshots == 0);
	commit_forget(s);
	assert(!s->committing);
	txn_abort(s->txn);
	state_unref(s->state, store_segment_end, s);
	journal_close(s);
	lead_survey_end(s);
	vocabulary_stop(s);
	renewal_free(s->renewal);
	dictionaries_free(s->dictionaries);
	pages_free(s->pages);
	recent_free(s->recent);
	frames_free(s->frames);
	schemas_release(&s->schemas);
	forgotten_release(&s->forgotten);
	excludes_release(&s->excludes);
	excludes_release(&s->excludes_next);
	buf_release(&s->frame);
	while (store_discard_step(s))
		;
	free(s->doomed);
	for (size_t i = 0; i < s->leftovers_count; i++)
		free(s->leftovers[i]);
	free(s->leftovers);
	for (size_t i = 0; i < s->retired_count; i++)
		free(s->retired[i]);
	free(s->retired);
	free(s->dir);
	free(s);
}

void store_stats(const struct store *s, struct store_stats *out)
{
	struct pages_stats pages;

	pages_stats(s->pages, &pages);
	*out = (struct store_stats){.revision = s->state->revision,
				    .commits = s->commits,
				    .failed = s->failed,
				    .quarantined = s->quarantined,
				    .retained = s->retained,
				    .cache_bytes = pages.bytes,
				    .cache_hits = pages.hits,
				    .cache_misses = pages.misses,
				    .reads = pages.reads,
				    .filter_bytes = resident_bytes(s) + vocabulary_bytes(s) +
						    fences_bytes(s->state),
				    .journal_bytes = s->journal.total,
				    .rush = s->rush,
				    .disk_bytes = s->journal.total};
	for (size_t i = 0; i < s->state->resources_count; i++) {
		const struct state_resource *r = s->state->resources[i];
		for (size_t j = 0; j < r->count; j++) {
			uint64_t bytes = r->segments[j].segment->meta.bytes;
			bool memory = segment_in_memory(r->segments[j].segment);
			out->segments += !memory;
			out->disk_bytes += memory ? 0 : bytes;
			out->memory_bytes += memory ? bytes : 0;
		}
		for (size_t j = 0; j < r->dictionaries_count; j++)
			out->disk_bytes += r->dictionaries[j].bytes;
	}
}
