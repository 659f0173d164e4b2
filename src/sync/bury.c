/* bury: what is gone upstream gets a tombstone, and so do its children, one step of a scan after the other: to find these takes a look at every
 * file of theirs. */
#include "run.h"
#include "sync_state.h"

#include <stdlib.h>

struct burial {
	struct scan *scan; /* over the children */
	struct hashset keep;
	bool keeps;
	int64_t when_ms;
	const struct page_record *head; /* put at the end; NULL: none */
	bool stoned, counted;           /* a stone is, and is counted */
	struct record stone;
};

static const uint8_t nil = 0xc0;

void run_bury_drop(struct run *run)
{
	struct burial *b = run->burial;

	if (!b)
		return;
	scan_close(b->scan);
	hashset_release(&b->keep);
	free(b);
	run->burial = NULL;
}

static int begin(struct run *run, struct bytes parent, struct hashset *keep, int64_t when_ms,
		 struct why *why)
{
	struct scan_spec spec = {
		.resource = run->resource->child->name,
		.start_ms = TIME_MIN,
		.end_ms = TIME_MAX,
		.parent = parent,
	};
	struct burial *b = run->burial = calloc(1, sizeof *b);

	if (b) {
		b->when_ms = when_ms;
		b->keeps = keep != NULL;
		if (keep)
			b->keep = *keep;
	} else if (keep) {
		hashset_release(keep);
	}
	int rc = b ? scan_open(run->view, &spec, &b->scan, why) : ERR_NOMEM;
	if (rc)
		run_bury_drop(run);
	return rc;
}

int run_bury_children(struct run *run, struct bytes parent, struct hashset *keep, int64_t when_ms,
		      const struct page_record *head, struct why *why)
{
	int rc = begin(run, parent, keep, when_ms, why);

	if (rc == 0)
		run->burial->head = head;
	return rc;
}

static int bury_child(struct run *run, const struct scan_row *row, struct why *why)
{
	struct burial *b = run->burial;
	struct record child;

	/* What has another parent by now, in this very transaction, is that one's. */
	if ((b->keeps && hashset_has(&b->keep, row->position.id_hash)) ||
	    hashset_has(&run->placed, row->position.id_hash))
		return 0;
	int rc = scan_record(b->scan, &run->memory, &child);
	if (rc < 0)
		return rc;
	child.flags |= RECORD_DELETED;
	child.doc = bytes_of(&nil, 1);
	/* What has moved lives all the same where it is now: the store sees to that. */
	child.updated_ms = child.seen_ms = b->when_ms;
	return run_put(run, run->resource->child, &child, false, why);
}

/* All children are buried. */
static int finish(struct run *run, const struct burial *b, struct why *why)
{
	if (b->head)
		return run_put(run, b->head->type, &b->head->record, true, why);
	if (b->stoned)
		return run_put(run, run->resource->options.type, &b->stone, b->counted, why);
	return 0;
}

int run_bury_step(struct run *run, struct why *why)
{
	struct scan_row row;
	int rc = scan_step(run->burial->scan, &row);
	bool over = rc == 0;

	if (over)
		rc = finish(run, run->burial, why);
	else if (rc > 0)
		rc = rc == SCAN_MORE ? 0 : bury_child(run, &row, why);
	if (over || rc)
		run_bury_drop(run);
	return over || rc ? rc : 1;
}

int run_bury(struct run *run, struct bytes id, int64_t when_ms, struct bytes merged_into,
	     bool remember, struct why *why)
{
	const struct resource_type *type = run->resource->options.type;
	struct record old, stone = {
				   .id = id,
				   .merged_into = merged_into,
				   .created_ms = TIME_NONE,
				   .updated_ms = when_ms,
				   .seen_ms = when_ms,
				   .flags = RECORD_DELETED | (merged_into.len ? RECORD_MERGED : 0),
				   .doc = bytes_of(&nil, 1),
			   };
	int held = snapshot_peek(run->view, type->name, id, &old);

	if (held < 0)
		return held;
	if (held && (old.flags & RECORD_DELETED))
		return 0;
	bool stoned = held || remember;
	if (!run->resource->child)
		return stoned ? run_put(run, type, &stone, held, why) : 0;
	/* Children first: a transaction that is full in the middle is committed, and who is buried is not looked at again. They may have outlived it in another file, when its own
	 * was damaged. */
	int rc = begin(run, id, NULL, when_ms, why);
	if (rc == 0) {
		run->burial->stone = stone;
		run->burial->stoned = stoned;
		run->burial->counted = held;
	}
	return rc;
}
