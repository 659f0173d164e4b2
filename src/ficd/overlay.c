/* overlay: see the header. A record's edits are laid over it one after the other, the oldest first. */
#include "overlay.h"

#include <source/write.h>

#include <stdlib.h>

struct looking {
	struct snapshot *view;
	struct buf memory;
};

static int look_up(void *ctx, const char *resource, struct bytes id, struct bytes *doc_out)
{
	struct looking *l = ctx;
	struct record r;
	int rc = id.len <= RECORD_ID_MAX ? snapshot_get(l->view, resource, id, &l->memory, &r) : 0;

	if (rc == 1)
		*doc_out = r.doc;
	/* What it is called is a nicety. */
	return rc == 1 && !(r.flags & RECORD_DELETED);
}

int overlay_record(const struct source *s, struct snapshot *view, const struct resource_type *type,
		   struct record *record, struct buf *memory)
{
	const struct account account = {.provider = s->provider, .version = s->config->version};
	struct looking l = {.view = view};
	const struct write_lookup look = {look_up, &l};
	const struct edit *e = outbox_overlay(s->outbox, type->name, record->id, 0);
	struct buf turn[2] = {0};
	struct bytes doc = record->doc;
	unsigned at = 0;
	int rc = 0;

	if (!e)
		return 0;
	for (; e && rc == 0; e = outbox_overlay(s->outbox, type->name, record->id, e->id)) {
		buf_reset(&turn[at]);
		rc = write_overlay(&account, type, e->set, doc, &look, &turn[at]);
		doc = buf_bytes(&turn[at]);
		at = !at;
	}
	buf_reset(memory);
	buf_put_bytes(memory, doc);
	buf_release(&turn[0]);
	buf_release(&turn[1]);
	buf_release(&l.memory);
	if (rc == 0)
		rc = memory->error;
	if (rc)
		return rc;
	record->doc = buf_bytes(memory);
	record->flags |= RECORD_PENDING;
	return 1;
}

/* ---- for questions ---- */

struct hashed {
	uint64_t hash;
	struct bytes id;
};

static int by_hash(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* The ids of the records, each once. */
static size_t collect(const struct source *s, const struct resource_type *type, struct hashed *out)
{
	size_t n = 0, kept = 0;

	for (const struct edit *e = outbox_next(s->outbox, 0); e; e = outbox_next(s->outbox, e->id))
		if (edit_overlays(e) && strcmp(e->resource, type->name) == 0)
			out[n++] = (struct hashed){bytes_hash(e->record), e->record};
	qsort(out, n, sizeof *out, by_hash);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || out[kept - 1].hash != out[i].hash)
			out[kept++] = out[i];
	return kept;
}

/* 1: a copy with its edits is in `out`; 0: it is not held any more; or an error. */
static int copy_record(const struct source *s, struct snapshot *view, const struct resource_type *type,
		       struct bytes id, struct arena *arena, struct buf turn[2], struct record *out)
{
	int rc = snapshot_get(view, type->name, id, &turn[0], out);

	if (rc == 1 && (out->flags & RECORD_DELETED))
		return 0;
	if (rc == 1)
		rc = overlay_record(s, view, type, out, &turn[1]);
	if (rc <= 0)
		return rc;
	out->id = arena_bytes(arena, out->id);
	out->doc = arena_bytes(arena, out->doc);
	out->parent = arena_bytes(arena, out->parent);
	out->merged_into = arena_bytes(arena, out->merged_into);
	return out->id.data && out->doc.data ? 1 : ERR_NOMEM;
}

int overlay_all(const struct source *s, struct snapshot *view, const struct resource_type *type,
		struct arena *arena, struct overlay *out)
{
	unsigned most = outbox_overlaid(s->outbox, type->name);
	struct hashed *ids = arena_alloc(arena, (most + 1) * sizeof *ids);
	struct record *records = arena_alloc(arena, (most + 1) * sizeof *records);
	uint64_t *hashes = arena_alloc(arena, (most + 1) * sizeof *hashes);
	struct buf turn[2] = {0};
	size_t n = 0;
	int rc = 0;

	if (!ids || !records || !hashes)
		return ERR_NOMEM;
	size_t count = collect(s, type, ids);
	for (size_t i = 0; i < count && rc >= 0; i++) {
		rc = copy_record(s, view, type, ids[i].id, arena, turn, &records[n]);
		hashes[n] = ids[i].hash;
		n += rc == 1;
	}
	buf_release(&turn[0]);
	buf_release(&turn[1]);
	*out = (struct overlay){records, hashes, n};
	return rc < 0 ? rc : 0;
}
