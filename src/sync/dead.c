/*
 * dead: records that are listed but cannot be read, whatever is tried. One of them must not keep the mirror from following all others: its listing's copy is
 * kept, marked as poor and truncated (so that no answer about its time is called complete), its id is noted durably, and every changes run asks for it
 * again. Many of them are no matter of records: then the run fails.
 */
#include "run.h"
#include "sync_state.h"

#include <base/log.h>

#include <stdio.h>
#include <stdlib.h>

static int find(const struct resource *r, struct bytes id)
{
	for (unsigned i = 0; i < r->dead_count; i++)
		if (bytes_is(id, r->dead[i]))
			return (int)i;
	return -1;
}

static int save(struct run *run)
{
	const struct resource *r = run->resource;
	char key[64], text[DEAD_MAX * DEAD_ID_MAX];
	int n = 0;

	for (unsigned i = 0; i < r->dead_count; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "%s\n", r->dead[i]);
	snprintf(key, sizeof key, "dead.%s", run->info.resource);
	return txn_mark(run->txn, key, n ? bytes_of(text, (size_t)n) : bytes_of(NULL, 0));
}

void resource_dead_load(struct resource *r, const struct snapshot *view)
{
	char key[64];

	snprintf(key, sizeof key, "dead.%s", r->options.type->name);
	struct bytes mark = snapshot_mark(view, key);
	r->dead_count = 0;
	for (size_t at = 0; at < mark.len && r->dead_count < DEAD_MAX;) {
		const uint8_t *end = memchr(mark.data + at, '\n', mark.len - at);
		size_t len = end ? (size_t)(end - mark.data) - at : 0;
		if (len == 0 || len >= DEAD_ID_MAX)
			return;
		snprintf(r->dead[r->dead_count++], DEAD_ID_MAX, "%.*s", (int)len,
			 (const char *)mark.data + at);
		at += len + 1;
	}
}

int run_dead_again(struct run *run)
{
	int rc = 0;

	for (unsigned i = 0; i < run->resource->dead_count && rc == 0; i++)
		rc = run_want(run, bytes_str(run->resource->dead[i]));
	return rc;
}

int run_dead_over(struct run *run, struct bytes id)
{
	struct resource *r = run->resource;
	int at = find(r, id);

	if (at < 0)
		return 0;
	memmove(r->dead[at], r->dead[--r->dead_count], DEAD_ID_MAX);
	return save(run);
}

static const struct record *shown(const struct run *run, struct bytes id)
{
	for (size_t i = 0; run->page && i < run->page->count; i++)
		if (bytes_equal(run->page->records[i].record.id, id))
			return &run->page->records[i].record;
	return NULL;
}

/* The copy of the listing. A fuller copy of the same state that is held must not stand there as if nothing were wrong: then this cannot be noted. */
static bool keep_listed(struct run *run, const struct record *listed, bool known)
{
	struct record copy = *listed;
	enum put_outcome outcome;
	struct why why;

	copy.flags |= RECORD_POOR | RECORD_TRUNCATED;
	return txn_put(run->txn, run->info.resource, &copy, &outcome, &why) == 0 &&
	       (known || outcome != PUT_POORER);
}

static int note(struct run *run, struct bytes id)
{
	struct resource *r = run->resource;

	snprintf(r->dead[r->dead_count++], DEAD_ID_MAX, "%.*s", (int)id.len, (const char *)id.data);
	return save(run);
}

bool run_dead_known(const struct run *run, struct bytes id)
{
	return find(run->resource, id) >= 0;
}

static bool has_room(const struct run *run, struct bytes id)
{
	return run->resource->dead_count < DEAD_MAX && id.len < DEAD_ID_MAX &&
	       !memchr(id.data, '\n', id.len);
}

bool run_dead_gone(struct run *run, struct bytes id)
{
	const struct record *listed = shown(run, id);

	if (!has_room(run, id))
		return false;
	/* A copy of the same state that is held stays as it is. */
	if (listed)
		keep_listed(run, listed, false);
	run->info.failed++;
	return note(run, id) == 0;
}

bool run_dead_letter(struct run *run, struct bytes id, const struct page *page)
{
	bool known = find(run->resource, id) >= 0;
	const struct record *listed = shown(run, id);

	if (page->fault != FAULT_NOW && page->fault != FAULT_NONSENSE && page->fault != FAULT_NEVER)
		return false;
	if (!known && (!listed || run->ops->kind == RUN_SNAPSHOT || !has_room(run, id) ||
		       run->info.failed > run->got / 4))
		return false;
	if ((listed && !keep_listed(run, listed, known)) || (!known && note(run, id)))
		return false;
	run->info.failed++;
	snprintf(run->info.error, sizeof run->info.error,
		 "%s %.*s cannot be read, and is tried again with each run: %.160s",
		 run->info.resource, (int)id.len, (const char *)id.data, page->why.text);
	log_warn("sync", "%s source=%s", run->info.error, run->info.source);
	return true;
}
