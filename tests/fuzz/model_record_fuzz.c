/*
 * model_record_fuzz: any bytes as a record, as spans and as coverage. What is accepted keeps its invariants, is written back as something that
 * reads the same, and can be judged.
 */
#include <model/freshness.h>
#include <model/record.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void try_record(struct bytes input)
{
	struct record r, again;
	struct buf out = {0};
	int opened = record_open(input, &again);

	if (record_decode(input, &r))
		return;
	require(opened == 0 && bytes_equal(r.doc, again.doc));
	require(r.id.len > 0 && r.id.len <= RECORD_ID_MAX && r.doc.len > 0);
	record_encode(&r, &out);
	require(record_decode(buf_bytes(&out), &again) == 0);
	require(bytes_equal(r.id, again.id) && bytes_equal(r.doc, again.doc) &&
		r.flags == again.flags);
	require(r.created_ms == again.created_ms && r.updated_ms == again.updated_ms);
	(void)record_settled(&r);
	buf_release(&out);
}

static void try_intervals(struct bytes input)
{
	struct intervals s;
	struct buf out = {0};

	if (intervals_decode(input, &s))
		return;
	require(intervals_valid(&s));
	intervals_encode(&s, &out);
	require(intervals_remove(&s, -1000, 1000) == 0 || s.count >= INTERVALS_MAX);
	require(intervals_valid(&s));
	intervals_release(&s);
	require(intervals_decode(buf_bytes(&out), &s) == 0);
	intervals_release(&s);
	buf_release(&out);
}

static void judge(const struct coverage *c, enum axis axis, int64_t start_ms, int64_t end_ms)
{
	struct freshness_question q = {start_ms, end_ms, axis, 1000000, TIME_MIN, 1000, 5000, NULL};
	struct freshness_evidence e = {.coverage = c, .last_sync_ms = TIME_NONE, .progress = -1};
	struct freshness f, other;
	struct buf out = {0};

	if (freshness_judge(&q, &e, &f))
		return;
	require(intervals_valid(&f.covered) && intervals_valid(&f.gaps));
	require(freshness_judge(&q, &e, &other) == 0);
	require(freshness_join(&f, &other) == 0);
	require(f.state == other.state);
	freshness_write(&f, "cache", 0, &out);
	require(!out.error);
	freshness_release(&f);
	freshness_release(&other);
	buf_release(&out);
}

static void try_coverage(struct bytes input)
{
	struct coverage c;

	if (coverage_decode(input, &c))
		return;
	for (int axis = AXIS_CREATED; axis <= AXIS_UPDATED; axis++) {
		judge(&c, (enum axis)axis, TIME_MIN, TIME_MAX);
		judge(&c, (enum axis)axis, 0, 900000);
		judge(&c, (enum axis)axis, TIME_MIN, TIME_MIN + 5);
		judge(&c, (enum axis)axis, TIME_MAX - 5, TIME_MAX);
	}
	double ratio = coverage_ratio(&c, TIME_MIN, TIME_MAX);
	require(ratio >= 0 && ratio <= 1);
	coverage_chain_start(&c, 5);
	(void)coverage_chain_extend(&c, 0, 900000);
	require(intervals_valid(&c.held));
	coverage_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = bytes_of(data, size);

	try_record(input);
	try_intervals(input);
	try_coverage(input);
	return 0;
}
