/* run: names and the audit form. Pure. */
#include <model/run.h>

#include <codec/msgpack.h>

const char *run_kind_name(enum run_kind kind)
{
	static const char *const names[RUN_KINDS] = {"snapshot", "changes", "backfill",
						     "verify",   "one",     "search"};

	return names[kind];
}

const char *run_outcome_name(enum run_outcome outcome)
{
	static const char *const names[RUN_OUTCOMES] = {"running", "ok", "failed", "canceled"};

	return names[outcome];
}

double run_progress(const struct run_info *run)
{
	if (run->total <= 0)
		return -1;
	double share = (double)run->done / (double)run->total;
	return share > 1 ? 1 : share;
}

static void put_time(struct buf *out, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms == TIME_NONE || ms == TIME_MIN || ms == TIME_MAX)
		mp_put_nil(out);
	else
		mp_put_cstr(out, time_text(ms, false, text));
}

static void put_pair_time(struct buf *out, const char *key, int64_t ms)
{
	mp_put_cstr(out, key);
	put_time(out, ms);
}

static void put_pair_text(struct buf *out, const char *key, const char *text)
{
	mp_put_cstr(out, key);
	mp_put_cstr(out, text);
}

void run_encode(const struct run_info *run, struct buf *out)
{
	const struct {
		const char *key;
		uint64_t value;
	} counts[] = {
		{"created", run->created},
		{"updated", run->updated},
		{"deleted", run->deleted},
		{"unchanged", run->unchanged},
		{"failed", run->failed},
		{"gone", run->gone},
		{"differences", run->differences},
		{"calls", run->calls},
		{"retries", run->retries},
		{"bytes", run->bytes},
		{"duration_ms",
		 run->ended_ms > run->started_ms ? (uint64_t)(run->ended_ms - run->started_ms) : 0},
	};
	uint32_t n = sizeof counts / sizeof *counts;

	mp_put_map(out, n + 10);
	mp_put_cstr(out, "id");
	mp_put_uint(out, run->id);
	put_pair_text(out, "source", run->source);
	put_pair_text(out, "resource", run->resource);
	put_pair_text(out, "kind", run_kind_name(run->kind));
	put_pair_text(out, "outcome", run_outcome_name(run->outcome));
	put_pair_time(out, "started", run->started_ms);
	put_pair_time(out, "ended", run->ended_ms);
	put_pair_time(out, "synced_until", run->synced_until_ms);
	mp_put_cstr(out, "span");
	mp_put_array(out, 2);
	put_time(out, run->span_start_ms);
	put_time(out, run->span_end_ms);
	for (uint32_t i = 0; i < n; i++) {
		mp_put_cstr(out, counts[i].key);
		mp_put_uint(out, counts[i].value);
	}
	put_pair_text(out, "error", run->error[0] ? run->error : NULL);
}

static uint64_t number_of(struct bytes entry, const char *key)
{
	int64_t n;

	return mp_find_int(entry, key, &n) && n > 0 ? (uint64_t)n : 0;
}

int run_decode(struct bytes entry, struct run_entry *out)
{
	struct bytes ended;

	*out = (struct run_entry){
		.created = number_of(entry, "created"),
		.updated = number_of(entry, "updated"),
		.deleted = number_of(entry, "deleted"),
		.calls = number_of(entry, "calls"),
		.duration_ms = number_of(entry, "duration_ms"),
	};
	if (!mp_find_str(entry, "resource", &out->resource) ||
	    !mp_find_str(entry, "kind", &out->kind) || !mp_find_str(entry, "outcome", &out->outcome) ||
	    !mp_find_str(entry, "ended", &ended) || time_parse(ended, &out->ended_ms))
		return ERR_SYNTAX;
	return 0;
}

bool run_record(struct bytes entry, struct bytes *resource_out, struct bytes *record_out)
{
	return mp_find_str(entry, "record", record_out) &&
	       mp_find_str(entry, "resource", resource_out);
}

static int reword(struct bytes entry, const char *key, const char *words, struct buf *out)
{
	struct bytes text, whole;

	if (!mp_find_str(entry, key, &text) || text.len == 0 || bytes_is(text, words) ||
	    mp_find(entry, bytes_str(key), &whole) != 1)
		return 0;
	size_t before = (size_t)(whole.data - entry.data);
	buf_put(out, entry.data, before);
	mp_put_cstr(out, words);
	buf_put(out, whole.data + whole.len, entry.len - before - whole.len);
	return 1;
}

int run_reword(struct bytes entry, const char *words, struct buf *out)
{
	struct buf first = {0};
	int error = reword(entry, "error", words, &first);
	int record = reword(error ? buf_bytes(&first) : entry, "record", words, out);

	if (error && !record)
		buf_put_bytes(out, buf_bytes(&first));
	if (first.error)
		out->error = first.error;
	buf_release(&first);
	return error || record;
}
