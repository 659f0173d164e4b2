/*
 * store_outbox_fuzz: any bytes as an outbox's file, and as one edit. What is accepted keeps its invariants and is written back as something that reads the same; what is
 * put behind damage by us is found.
 */
#include <codec/msgpack.h>
#include <store/outbox.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void try_edit(const struct edit *e)
{
	struct edit again;
	struct buf out = {0};

	require(e->id > 0 && e->state < EDIT_STATES && e->resource[0] && e->record.len > 0 &&
		e->record.len <= RECORD_ID_MAX);
	require(mp_check(e->set) == 0 && mp_check(e->base) == 0 &&
		(e->theirs.len == 0 || mp_check(e->theirs) == 0));
	edit_encode(e, &out);
	require(edit_decode(buf_bytes(&out), &again) == 0);
	require(again.id == e->id && again.state == e->state && bytes_equal(again.set, e->set) &&
		bytes_equal(again.record, e->record) && bytes_equal(again.theirs, e->theirs) &&
		again.sent_ms == e->sent_ms && again.sent_hash == e->sent_hash &&
		again.attempts == e->attempts && again.shown == e->shown);
	buf_release(&out);
}

static void each(void *ctx, const struct edit *e)
{
	(*(unsigned *)ctx)++;
	try_edit(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = bytes_of(data, size);
	unsigned count = 0, again = 0, bad;
	struct edit e;
	size_t end;
	int rc;

	if (edit_decode(input, &e) == 0)
		try_edit(&e);
	rc = outbox_read(input, each, &count, &end, &bad);
	require(end <= size && (rc != 0 || bad == 0));
	/* What is kept is what there was. */
	if (rc == 0) {
		require(outbox_read(bytes_of(data, end), each, &again, &end, &bad) == 0);
		require(again == count && bad == 0);
	}
	return 0;
}
