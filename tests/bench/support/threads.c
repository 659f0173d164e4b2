/* threads: records as the provider's reader makes them, with the daemon's own indexes. */
#include "threads.h"

#include "../../../src/ficd/indexed.h"
#include "page.h"

#include <stdio.h>
#include <stdlib.h>

#define MEMORY     (16u << 20) /* the daemon's option, and its shares of it (ficd/source.c) */
#define PARTS_MIN  1
#define PARTS_MORE 3
#define SENTENCES  65 /* of a part, at most: 6.25 KB of JSON a conversation, most of it text */
#define COMMIT     300u

static struct indexed *indexed;

void threads_begin(void)
{
	page_init();
	page_sentences(SENTENCES);
	indexed = indexed_new(provider_intercom.types);
	if (!indexed)
		exit(1);
}

void threads_end(void)
{
	indexed_free(indexed);
}

const struct field *threads_fields(void)
{
	return provider_type(&provider_intercom, bytes_str("conversations"))->fields;
}

static void must(int rc, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "threads: %s: %s\n", what, err_name(rc));
	exit(1);
}

/* ---- the store as the daemon opens it ---- */

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

struct store *threads_open(const char *dir)
{
	struct store_options o = {.dir = dir,
				  .hooks = {.fsync = no_fsync, .wake = no_wake},
				  .cache_bytes = MEMORY / 8,
				  .filter_bytes = MEMORY / 4,
				  .txn_bytes_max = MEMORY / 4,
				  .journal_bytes = MEMORY / 16,
				  .keep_previous = true,
				  .schemas = indexed_schemas(indexed)};
	struct store *s;
	struct why why;

	if (store_open(&o, &s, &why) == 0)
		return s;
	fprintf(stderr, "threads: %s\n", why.text);
	exit(1);
}

static void committed(void *ctx, int rc, const struct why *why)
{
	*(bool *)ctx = true;
	if (rc)
		fprintf(stderr, "threads: %s\n", why->text);
	must(rc, "commit");
}

static void commit(struct store *s, struct txn *t)
{
	bool done = false;

	txn_commit(t, committed, &done);
	while (store_work(s) || !done)
		;
}

/* ---- filling it ---- */

/* Seven digits of its own, also in the ids of its parts. */
static void number_ids(struct buf *json, unsigned i)
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

static size_t put_conversation(struct txn *t, unsigned i)
{
	static const struct account account = {
		.provider = &provider_intercom, .base_url = "http://127.0.0.1", .version = "2.11"};
	static struct buf json;
	char id[16];
	struct why why;

	buf_reset(&json);
	page_conversation(&json, PARTS_MIN, PARTS_MORE);
	number_ids(&json, i);
	snprintf(id, sizeof id, "%07u", 1000000 + i);
	struct ask ask = {.kind = ASK_ONE,
			  .type = provider_type(&provider_intercom, bytes_str("conversations")),
			  .id = bytes_str(id)};
	struct reader *reader = reader_new(&account, &ask, 0);
	must(reader ? reader_feed(reader, json.data, json.len) : ERR_NOMEM, "read");
	struct page *page = reader_finish(reader, 200, "", 1760000000000);
	if (!page || page->fault) {
		fprintf(stderr, "threads: %s\n", page ? page->why.text : "no memory");
		exit(1);
	}
	for (size_t k = 0; k < page->count; k++)
		must(txn_put(t, page->records[k].type->name, &page->records[k].record, NULL, &why),
		     "put");
	page_free(page);
	reader_free(reader);
	return json.len;
}

/* Claims what the store holds: without that a daemon has everything still to read. */
static void hold_all(struct txn *t, unsigned count)
{
	int64_t end_ms = (THREADS_T0_S + ((int64_t)count / THREADS_A_DAY + 1) * 86400) * 1000;
	struct interval all = {TIME_MIN, end_ms, end_ms};

	must(txn_hold(t, "conversations", all), "hold");
	must(txn_hold(t, "messages", all), "hold");
}

double threads_fill(struct store *s, unsigned count)
{
	double json = 0;
	struct txn *t;

	for (unsigned i = 0; i < count;) {
		must(store_begin(s, &t, NULL), "begin");
		for (unsigned end = i + COMMIT; i < end && i < count; i++) {
			page_time(THREADS_T0_S + i / THREADS_A_DAY * 86400, 86400);
			json += (double)put_conversation(t, i);
		}
		if (i == count)
			hold_all(t, count);
		commit(s, t);
	}
	store_flush(s);
	while (store_work(s))
		;
	return json;
}
