/* fill: see the header. The shares of the memory are those of ficd/source.c. */
#include "fill.h"

#include "../../../src/ficd/indexed.h"

#include <stdio.h>
#include <stdlib.h>

#define MEMORY (16u << 20) /* the daemon's option */

void fill_must(int rc, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, err_name(rc));
	exit(1);
}

static int no_fsync(void *ctx, int fd, void (*done)(void *arg, int error), void *arg)
{
	(void)ctx;
	(void)fd;
	done(arg, 0);
	return 0;
}

static void no_wake(void *ctx)
{
	(void)ctx;
}

struct store *fill_open(const char *dir)
{
	static struct indexed *indexed; /* lives as long as the program */
	struct store *s;
	struct why why;

	if (!indexed)
		indexed = indexed_new(provider_intercom.types);
	fill_must(indexed ? 0 : ERR_NOMEM, dir);
	struct store_options o = {.dir = dir,
				  .hooks = {.fsync = no_fsync, .wake = no_wake},
				  .cache_bytes = MEMORY / 8,
				  .filter_bytes = MEMORY / 4,
				  .txn_bytes_max = MEMORY / 4,
				  .journal_bytes = MEMORY / 16,
				  .keep_previous = true,
				  .schemas = indexed_schemas(indexed)};
	if (store_open(&o, &s, &why) == 0)
		return s;
	fprintf(stderr, "%s\n", why.text);
	exit(1);
}

/* Seven digits of its own, also in the ids of its parts. */
void fill_number(struct buf *json, unsigned i)
{
	char digits[16], *at;
	unsigned part = 0;

	buf_text(json); /* ends it */
	at = (char *)json->data;
	snprintf(digits, sizeof digits, "%07u", 1000000 + i);
	memcpy(strstr(at, "\"id\":\"") + 6, digits, 7);
	for (; (at = strstr(at, "\"conversation_part\",\"id\":\"")); at += 26) {
		snprintf(digits, sizeof digits, "%09u", 100000000 + i * 10 % 900000000 + part++);
		memcpy(at + 26, digits, 9);
	}
}

void fill_put(struct txn *t, struct bytes json, const char *id)
{
	static const struct account account = {
		.provider = &provider_intercom, .base_url = "http://127.0.0.1", .version = "2.11"};
	struct ask ask = {.kind = ASK_ONE,
			  .type = provider_type(&provider_intercom, bytes_str("conversations")),
			  .id = bytes_str(id)};
	struct reader *reader = reader_new(&account, &ask, 0);
	struct why why;

	fill_must(reader ? reader_feed(reader, json.data, json.len) : ERR_NOMEM, "read");
	struct page *page = reader_finish(reader, 200, "", 1760000000000);
	if (!page || page->fault) {
		fprintf(stderr, "%s\n", page ? page->why.text : "no memory");
		exit(1);
	}
	for (size_t k = 0; k < page->count; k++)
		fill_must(txn_put(t, page->records[k].type->name, &page->records[k].record, NULL, &why),
			  "put");
	page_free(page);
	reader_free(reader);
}

void fill_hold(struct txn *t, int64_t end_ms)
{
	struct interval all = {TIME_MIN, end_ms, end_ms};

	fill_must(txn_hold(t, "conversations", all), "hold");
	fill_must(txn_hold(t, "messages", all), "hold");
}

static void committed(void *ctx, int rc, const struct why *why)
{
	*(bool *)ctx = true;
	if (rc)
		fprintf(stderr, "%s\n", why->text);
	fill_must(rc, "commit");
}

void fill_commit(struct store *s, struct txn *t)
{
	bool done = false;

	txn_commit(t, committed, &done);
	while (store_work(s) || !done)
		;
}

void fill_settle(struct store *s)
{
	store_flush(s);
	while (store_work(s))
		;
}
