/*
 * prepare_files: what a commit writes, and the list of what must be synced before a manifest may
 * name it. Never syncs: that is the commit's.
 */
#include "prepare.h"
#include "manifest.h"

#include <base/files.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What a commit writes beside its records. */
#define COMMIT_BYTES (256u << 10)

int prepare_nomem(struct prepared *p)
{
	return why_set(&p->why, ERR_NOMEM, "out of memory in a commit");
}

/* ---- what must be synced ---- */

static int sync_add(struct prepared *p, char *path, int fd, bool made)
{
	if (p->count == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 8;
		struct sync *grown = realloc(p->syncs, cap * sizeof *grown);
		if (!grown) {
			close(fd);
			if (made)
				store_discard(p->s, path);
			else
				free(path);
			return prepare_nomem(p);
		}
		p->syncs = grown;
		p->cap = cap;
	}
	p->syncs[p->count++] = (struct sync){path, fd, made};
	return 0;
}

int prepare_sync(struct prepared *p, int fd)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return own < 0 ? why_errno(&p->why, "cannot sync a file") : sync_add(p, NULL, own, false);
}

/* Takes the path. */
int prepare_folder(struct prepared *p, char *path)
{
	if (!path)
		return prepare_nomem(p);
	for (size_t i = 0; i < p->count; i++)
		if (p->syncs[i].path && strcmp(p->syncs[i].path, path) == 0) {
			free(path);
			return 0;
		}
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return sync_add(p, path, fd, false);
	int rc = why_errno(&p->why, "cannot open the folder %s", path);
	free(path);
	return rc;
}

/* The folder of a new segment, made when missing, and those above it. Its own name must be durable, too; once that is
 * known it is not synced again. */
static int add_folders(struct prepared *p, const char *resource, const char *folder)
{
	char *path, *above;
	struct store *s = p->s;

	if (asprintf(&path, "%s/%s/%s", s->dir, resource, folder) < 0)
		return prepare_nomem(p);
	int rc = dir_make(path, 0700, &p->why);
	if (rc) {
		free(path);
		return rc;
	}
	rc = prepare_folder(p, path);
	for (size_t i = 0; !rc && i < STORE_RESOURCES_MAX; i++)
		if (strcmp(s->durable[i].resource, resource) == 0 &&
		    strcmp(s->durable[i].folder, folder) == 0)
			return 0;
	if (!rc && asprintf(&above, "%s/%s", s->dir, resource) < 0)
		rc = prepare_nomem(p);
	else if (!rc)
		rc = prepare_folder(p, above);
	return rc ? rc : prepare_folder(p, strdup(s->dir));
}

/* Ends the writing of a file: takes path and descriptor over. */
int prepare_written(struct prepared *p, struct out *o, char *path, int rc)
{
	if (!rc)
		rc = out_flush(o);
	if (rc)
		why_set(&p->why, rc,
			rc == ERR_NOSPACE ? "cannot write %s: the disk is full" : "cannot write %s: %s",
			path, err_name(rc));
	int fd = out_release(o), added = sync_add(p, path, fd, true);
	return rc ? rc : added;
}

int prepare_file(struct prepared *p, char *path, const struct buf *data)
{
	struct out o;
	int rc;

	if (!path)
		return prepare_nomem(p);
	rc = data->error ? prepare_nomem(p) : out_open(&o, &p->s->hooks, path, &p->why);
	if (rc) {
		free(path);
		return rc;
	}
	out_put(&o, data->data, data->len);
	return prepare_written(p, &o, path, 0);
}

/* ---- segments ---- */

static int frame_fetch(void *ctx, const struct moved_row *r, struct buf *out)
{
	return merge_frame(ctx, r, out);
}

static int row_fetch(void *ctx, const struct moved_row *r, struct row *out)
{
	return merge_row(ctx, r, out);
}

static void rows_forget(void *ctx)
{
	merge_forget_rows(ctx);
}

static int segment_open(struct prepared *p, const char *resource)
{
	int rc = add_folders(p, resource, p->meta.folder);

	if (rc)
		return rc;
	p->path = segment_path(p->s->dir, resource, &p->meta);
	if (!p->path)
		return prepare_nomem(p);
	rc = out_open(&p->out, &p->s->hooks, p->path, &p->why);
	if (rc) {
		free(p->path);
		p->path = NULL;
	}
	return rc;
}

int prepare_segment(struct prepared *p, const char *resource, const struct segment_row *rows,
		    uint32_t count)
{
	int64_t start_ms = rows ? segment_rows_start(rows, count) : merge_start(&p->merge);
	int rc = 0;

	segment_folder(start_ms, p->s->window_ms, p->meta.folder);
	if (p->journaled)
		out_memory(&p->out);
	else
		rc = segment_open(p, resource);
	if (rc)
		return rc;
	p->writing = true;
	p->stage = PREPARE_WRITE;
	if (segment_writer_init(&p->writer, &p->out, &p->plan, rows, rows ? NULL : p->merge.rows,
				count, &p->meta))
		return prepare_nomem(p);
	p->writer.fetch = frame_fetch;
	p->writer.fetch_row = row_fetch;
	p->writer.forget = rows ? NULL : rows_forget;
	p->writer.ctx = &p->merge;
	return 0;
}

/* ---- room ---- */

/* What brings nothing new may always be written: it settles, withdraws or makes room. */
int prepare_room(struct prepared *p, uint64_t more)
{
	struct store *s = p->s;
	uint64_t bytes, needed = txn_bytes(p->t) * 2 + COMMIT_BYTES + more;
	bool frees = p->quarantine;

	for (const struct txn_part *part = p->t->parts; part; part = part->next)
		frees |= part->retain_ms != TIME_MIN || part->forgets || part->settles;
	if (s->floor_bytes == 0 || frees || (!p->internal && txn_records(p->t) == 0) ||
	    s->hooks.free_bytes(s->hooks.ctx, s->dir, &bytes) || bytes >= s->floor_bytes + needed)
		return 0;
	return why_set(&p->why, ERR_NOSPACE,
		       "too little space on the disk of %s: %" PRIu64 " MiB are free, %" PRIu64
		       " MiB are to stay free (disk_reserve), and this may take %" PRIu64 " MiB",
		       s->dir, bytes >> 20, s->floor_bytes >> 20, (needed >> 20) + 1);
}
