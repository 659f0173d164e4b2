/* overlay: see the header. A record's edits are laid over it one after the other, the oldest first. */
#include "overlay.h"

#include <source/write.h>

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
