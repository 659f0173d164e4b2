/*
 * Answers come from outside: any bytes, any status, to any question, in pieces of any size. Never a crash; never a record without an id or a document
 * that is not one value; a fault never brings records, and a page that is no fault has a cursor or none, never an empty one.
 *
 * Input: a byte for the question, one for the status, one for the size of the pieces (the highest bit: at Front), then the body.
 */
#include <codec/msgpack.h>
#include <source/provider.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int statuses[] = {200, 200, 200, 200, 304, 400, 401, 403,
			       404, 410, 429, 500, 599, 0,   301, 206};

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void check_record(const struct page_record *item, bool nested)
{
	const struct record *r = &item->record;
	struct buf encoded = {0};
	struct record again;

	must((item->type == NULL) == nested);
	must(r->id.len > 0 && r->id.len <= RECORD_ID_MAX);
	must(r->parent.len <= RECORD_ID_MAX);
	must(mp_check(r->doc) == 0);
	record_encode(r, &encoded);
	must(encoded.error || record_decode(buf_bytes(&encoded), &again) == 0);
	buf_release(&encoded);
}

static void check_page(const struct page *p, const struct ask *ask)
{
	must(!p->fault || (p->count == 0 && p->why.text[0]));
	must(p->next.len > 0 || p->next.data == NULL || p->fault);
	must(ask->kind == ASK_EVENTS || p->count == 0 || !p->records[0].event.id.len);
	must(!p->unchanged || (p->count == 0 && ask->kind == ASK_LIST));
	must(!p->merged_into.len || p->fault == FAULT_GONE);
	must(p->fault != FAULT_GONE || ask->kind == ASK_ONE || ask->kind == ASK_NESTED);
	for (size_t i = 0; i < p->count; i++)
		check_record(&p->records[i], ask->kind == ASK_NESTED);
	if (ask->kind == ASK_ONE && !p->fault)
		must(p->count > 0 && bytes_equal(p->records[0].record.id, ask->id));
}

/* What a page gives as its next cursor can be asked with. */
static void check_next(const struct account *a, const struct ask *ask, const struct page *p)
{
	struct call call;

	if (p->fault || p->next.len == 0)
		return;
	must(provider_call(a, ask, p->next, &call, NULL) == 0);
	must(strlen((const char *)call.url.data) == call.url.len);
	call_release(&call);
}

/* What was read of a thread becomes a part of it. */
static void nest(const struct account *a, const struct ask *ask, const struct page *part)
{
	static const char head[] = "{\"id\":\"5\",\"subject\":\"x\"}";
	struct ask one = *ask;

	if (part->fault || a->provider != &provider_front)
		return;
	one.kind = ASK_ONE;
	struct reader *r = reader_new(a, &one, 0);
	if (!r)
		return;
	reader_feed(r, head, sizeof head - 1);
	struct page *whole = reader_finish(r, 200, NULL, 1800000000000);
	reader_free(r);
	if (!whole)
		return;
	must(whole->fault == FAULT_NONE && whole->count == 1);
	if (a->provider->nest(a, whole, ask->nested, part, true) == 0)
		for (size_t i = 0; i < whole->count; i++)
			must(whole->records[i].type && mp_check(whole->records[i].record.doc) == 0 &&
			     whole->records[i].record.id.len <= RECORD_ID_MAX);
	page_free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct provider *provider = size > 2 && data[2] & 0x80 ? &provider_front
								     : &provider_intercom;
	const struct account account = {provider, "https://api.test", "2.16"};
	struct ask ask = {.start_ms = TIME_MIN, .end_ms = TIME_MAX, .id = bytes_str("5")};
	struct call call;
	unsigned types = 0;

	if (size < 3)
		return 0;
	while (provider->types[types].name)
		types++;
	ask.kind = data[1] & 0x40 ? ASK_NESTED : (enum ask_kind)(data[0] % 5);
	if (provider == &provider_front && data[1] & 0x20)
		ask.kind = ASK_EVENTS;
	ask.nested = (const char *[]){"tags",     "companies", "notes",   "none",
				      "messages", "comments",  "inboxes", "none"}
		[(data[1] >> 4 & 3) | (provider == &provider_front ? 4 : 0)];
	ask.descending = data[1] & 1;
	if (ask.kind != ASK_IDENTITY)
		ask.type = &provider->types[data[0] / 5 % types];
	/* Only questions that can be asked are answered. */
	if (provider_call(&account, &ask, bytes_of(NULL, 0), &call, NULL))
		return 0;
	call_release(&call);
	struct reader *r = reader_new(&account, &ask, data[1] & 0x80 ? 64 : 0);
	size_t piece = (size_t)(data[2] & 0x7f) + 1;
	if (!r)
		return 0;
	for (size_t at = 3; at < size; at += piece)
		if (reader_feed(r, data + at, piece < size - at ? piece : size - at) == ERR_LIMIT)
			break;
	struct page *p = reader_finish(r, statuses[data[1] % 16],
				       provider == &provider_front
					       ? "https://h/conversations/abc"
					       : "</contacts/abc>; rel=\"canonical\"",
				       1800000000000);
	reader_free(r);
	if (!p)
		return 0;
	check_page(p, &ask);
	check_next(&account, &ask, p);
	if (ask.kind == ASK_NESTED)
		nest(&account, &ask, p);
	page_free(p);
	return 0;
}
