/* identity: which workspace the token opens, asked before anything else. A store that was filled from one workspace is never mixed with another's. */
#include "sync_state.h"

#include <base/log.h>

#include <stdio.h>
#include <string.h>

static void on_recorded(void *ctx, int rc, const struct why *why)
{
	struct sync *s = ctx;

	s->identifying = false;
	if (s->stopping) {
		timer_start(s->reaper, 0, 0);
		return;
	}
	if (rc) {
		s->tell->fault(s, rc == ERR_NOSPACE ? FAULT_NONE : FAULT_NOW, why->text);
		return;
	}
	s->identified = true;
	log_info("sync", "workspace %s (%s) source=%s region=%s timezone=%s", s->workspace_id,
		 s->workspace_name, s->options.name, s->region, s->timezone);
	s->tell->answered(s);
	s->tell->stored(s);
	s->tell->pump(s);
}

static int put_mark(struct txn *txn, const char *key, const char *value)
{
	return txn_mark(txn, key, bytes_str(value));
}

static void record(struct sync *s)
{
	struct txn *txn;
	struct why why = {"out of memory"};
	int rc = store_begin(s->options.store, &txn, &why);

	if (rc == 0) {
		rc = put_mark(txn, "workspace.id", s->workspace_id);
		if (rc == 0)
			rc = put_mark(txn, "workspace.name", s->workspace_name);
		if (rc == 0)
			rc = put_mark(txn, "workspace.region", s->region);
		if (rc == 0)
			rc = put_mark(txn, "workspace.timezone", s->timezone);
		if (rc == 0) {
			txn_commit(txn, on_recorded, s);
			return;
		}
		txn_abort(txn);
	}
	on_recorded(s, rc, &why);
}

static bool same_workspace(struct sync *s, const char *id)
{
	struct snapshot *view = snapshot_new(s->options.store);
	struct bytes held = view ? snapshot_mark(view, "workspace.id") : bytes_of(NULL, 0);
	bool same = view && (held.len == 0 || bytes_is(held, id));

	if (!view)
		s->tell->fault(s, FAULT_NOW, "out of memory");
	if (view && !same) {
		char words[320];
		snprintf(words, sizeof words,
			 "the token belongs to workspace %s, but this cache was filled from %.*s: use that workspace's token, or "
			 "give the new one a [source] of its own",
			 id, (int)held.len, (const char *)held.data);
		s->tell->fault(s, FAULT_AUTH, words);
	}
	snapshot_free(view);
	return same;
}

static void on_identity(void *ctx, struct page *page, const struct fetch_cost *cost)
{
	struct sync *s = ctx;

	(void)cost;
	s->identity = NULL;
	s->identifying = page && !page->fault && same_workspace(s, page->identity.id);
	if (!page)
		s->tell->fault(s, FAULT_NOW, "out of memory");
	else if (page->fault)
		s->tell->fault(s, page->fault, page->why.text);
	if (s->identifying) {
		memcpy(s->workspace_id, page->identity.id, sizeof s->workspace_id);
		memcpy(s->workspace_name, page->identity.name, sizeof s->workspace_name);
		memcpy(s->region, page->identity.region, sizeof s->region);
		memcpy(s->timezone, page->identity.timezone, sizeof s->timezone);
		memcpy(s->actor, page->identity.actor, sizeof s->actor);
		record(s);
	}
	page_free(page);
}

void sync_identify(struct sync *s)
{
	struct ask ask = {.kind = ASK_IDENTITY};

	if (s->identity || s->identifying)
		return;
	s->identity = fetch_start(&s->line, &ask, bytes_of(NULL, 0), NULL, on_identity, s);
	/* Who has failed is asked once, not six times. */
	if (s->identity && s->failures)
		fetch_once(s->identity);
	if (!s->identity)
		s->tell->fault(s, FAULT_NOW, "out of memory");
}
