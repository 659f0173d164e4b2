/* pass: one GET that a client asked for. */
#include "sync_state.h"

#include <stdlib.h>

struct sync_pass {
	struct fetch *fetch;
	struct buf path;
	void (*done)(void *ctx, const struct sync_passed *passed);
	void *ctx;
};

static void pass_free(struct sync_pass *p)
{
	buf_release(&p->path);
	free(p);
}

static void on_page(void *ctx, struct page *page, const struct fetch_cost *cost)
{
	static const struct why no_memory = {"out of memory"};
	struct sync_pass *p = ctx;
	struct sync_passed passed = {.fault = FAULT_NOW,
				     .why = &no_memory,
				     .status = cost->status,
				     .asked_ms = cost->answered ? cost->asked_ms : TIME_NONE};

	if (page) {
		passed.fault = page->fault;
		passed.why = &page->why;
		passed.again_ms = page->again_ms;
	}
	if (page && !page->fault)
		passed.answer = buf_bytes(&page->body);
	p->done(p->ctx, &passed);
	page_free(page);
	pass_free(p);
}

int sync_pass(struct sync *s, struct bytes path, unsigned route, size_t body_max,
	      void (*done)(void *ctx, const struct sync_passed *passed), void *ctx,
	      struct sync_pass **out, struct why *why)
{
	struct sync_pass *p = s->stopping ? NULL : calloc(1, sizeof *p);

	if (!p)
		return s->stopping ? why_set(why, ERR_BUSY, "the daemon is shutting down")
				   : why_set(why, ERR_NOMEM, "out of memory");
	buf_put_bytes(&p->path, path);
	p->done = done;
	p->ctx = ctx;
	const struct ask ask = {
		.kind = ASK_PASS, .path = buf_bytes(&p->path), .route = route, .body_max = body_max};
	if (!p->path.error)
		p->fetch = fetch_start(&s->line, &ask, bytes_of(NULL, 0), NULL, on_page, p);
	if (!p->fetch) {
		pass_free(p);
		return why_set(why, ERR_NOMEM, "out of memory");
	}
	fetch_once(p->fetch);
	*out = p;
	return 0;
}

void sync_pass_drop(struct sync_pass *p)
{
	if (!p)
		return;
	fetch_drop(p->fetch);
	pass_free(p);
}
