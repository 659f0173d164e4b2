/* provider: finds providers, and reads answers piece by piece into pages. What a page means is the provider's own business. */
#include <source/provider.h>

#include <codec/json.h>

#include <stdlib.h>

const struct resource_type *provider_type(const struct provider *p, struct bytes name)
{
	for (const struct resource_type *t = p->types; t->name; t++)
		if (bytes_is(name, t->name))
			return t;
	return NULL;
}

int provider_route(const struct provider *p, struct bytes name)
{
	for (int i = 0; p->routes[i].name; i++)
		if (bytes_is(name, p->routes[i].name))
			return i;
	return -1;
}

const char *fault_name(enum fault fault)
{
	static const char *const names[] = {"none", "passing", "rate-limited", "cursor", "gone",
					    "auth", "denied",  "nonsense",     "refused"};

	return names[fault];
}

void call_release(struct call *c)
{
	buf_release(&c->url);
	buf_release(&c->body);
}

int provider_call(const struct account *a, const struct ask *ask, struct bytes cursor,
		  struct call *out, struct why *why)
{
	*out = (struct call){0};
	int rc = a->provider->call(a, ask, cursor, out, why);
	if (rc)
		call_release(out);
	return rc;
}

int provider_seek(const struct account *a, const struct resource_type *type, bool spanned,
		  struct seek *seek, struct why *why)
{
	size_t kept = 0;

	seek->less = false;
	if (!(a->provider->traits(a, type) & TRAIT_SEARCH) || !a->provider->seeks)
		return why_set(why, ERR_INVALID, "the provider has no search for %s", type->name);
	for (size_t i = 0; i < seek->count; i++)
		if (a->provider->seeks(a, type, &seek->terms[i], &seek->less))
			seek->terms[kept++] = seek->terms[i];
	if (seek->count && kept == 0 && !spanned)
		return why_set(why, ERR_INVALID,
			       "the provider's search of %s has no words for this question",
			       type->name);
	seek->count = kept;
	return a->provider->sought ? a->provider->sought(a, type, spanned, seek, why) : 0;
}

#define BODY_MAX ((size_t)48 * 1024 * 1024)

struct reader {
	const struct account *account;
	struct ask ask;
	struct page *page;
	struct json *json;
	uint64_t fed;
	int error;
	struct why why;
};

void page_free(struct page *p)
{
	if (!p)
		return;
	buf_release(&p->body);
	arena_release(&p->arena);
	free(p);
}

struct page *page_alone(const struct account *a, const struct page_record *item)
{
	struct page *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->total = -1;
	p->records = arena_alloc(&p->arena, sizeof *p->records);
	buf_put_bytes(&p->body, item->record.doc);
	struct bytes id = arena_bytes(&p->arena, item->record.id);
	if (!p->records || p->body.error || !id.data) {
		page_free(p);
		return NULL;
	}
	p->count = 1;
	p->records[0] = *item;
	p->records[0].event = (struct page_event){0};
	p->records[0].record.id = id;
	p->records[0].record.doc = buf_bytes(&p->body);
	p->records[0].record.flags &= ~(unsigned)RECORD_POOR;
	a->provider->cut(a, p);
	return p;
}

void reader_free(struct reader *r)
{
	if (!r)
		return;
	json_free(r->json);
	page_free(r->page);
	free(r);
}

struct reader *reader_new(const struct account *a, const struct ask *ask, size_t body_max)
{
	struct json_limits limits = {.depth_max = 64};
	struct reader *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->account = a;
	r->ask = *ask;
	r->page = calloc(1, sizeof *r->page);
	if (!r->page)
		goto fail;
	r->page->total = -1;
	buf_init(&r->page->body, body_max ? body_max : BODY_MAX);
	r->ask.id = arena_bytes(&r->page->arena, ask->id);
	r->json = json_new(JSON_LENIENT, &limits, &r->page->body);
	if (!r->json || (ask->id.len && !r->ask.id.data))
		goto fail;
	return r;
fail:
	reader_free(r);
	return NULL;
}

int reader_feed(struct reader *r, const void *data, size_t len)
{
	r->fed += len;
	if (!r->error)
		r->error = json_feed(r->json, data, len, &r->why);
	return r->error;
}

/* The class of an answer whose body says nothing usable. */
static enum fault fault_of_status(int status)
{
	if (status == 401)
		return FAULT_AUTH;
	if (status == 403)
		return FAULT_DENIED;
	/* The provider says in its own words that something is gone; anybody else's page does not delete it. */
	if (status == 404 || status == 410)
		return FAULT_NONSENSE;
	if (status == 429)
		return FAULT_LATER;
	if (status == 408 || status >= 500)
		return FAULT_NOW;
	return status >= 300 ? FAULT_NEVER : FAULT_NONSENSE;
}

static void page_unreadable(struct page *p, int status, const struct why *body)
{
	buf_reset(&p->body);
	p->fault = fault_of_status(status);
	why_set(&p->why, 0, "answered with status %d and a body that cannot be read (%.200s)",
		status, body->text);
}

struct page *reader_finish(struct reader *r, int status, const char *link, int64_t seen_ms)
{
	struct page *p = r->page;

	r->page = NULL;
	p->replaced = json_stats(r->json)->replaced;
	if (status == 304) {
		p->unchanged = r->ask.kind == ASK_LIST && (r->ask.type->traits & TRAIT_ETAG);
		if (!p->unchanged) {
			buf_reset(&p->body);
			p->fault = FAULT_NONSENSE;
			why_set(&p->why, 0,
				"answered \"not modified\" to a question that had no condition");
		}
		return p;
	}
	if ((status == 301 || status == 308) && r->account->provider->moved) {
		buf_reset(&p->body);
		r->account->provider->moved(&r->ask, link, p);
		return p;
	}
	/* What says that it took a change need not say more: with 204 it says nothing, and with 202 it may be some time before it shows. */
	if (r->ask.kind == ASK_CHANGE && status > 200 && status < 300) {
		buf_reset(&p->body);
		return p;
	}
	if (!r->error)
		r->error = json_finish(r->json, &r->why);
	if (!r->error && p->body.error)
		r->error = why_set(&r->why, p->body.error, "the answer is too large");
	if (r->fed == 0)
		why_set(&r->why, 0, "it is empty");
	if (r->error) {
		page_unreadable(p, status, &r->why);
		return p;
	}
	/* Some answers that are as they should be have another status than the usual one. */
	if (r->ask.kind == ASK_PASS && status > 200 && status < 300)
		status = 200;
	r->account->provider->read(r->account, &r->ask, status, link, seen_ms, p);
	return p;
}
