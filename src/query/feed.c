/*
 * feed: a scan of changes for each resource, and the one with the smallest revision first. Revisions are of the whole store, so no two rows have the same.
 * Invariant: all rows up to `next` were given, or did not match.
 */
#include <query/feed.h>

#include <stdlib.h>

#define READ_UNIT 8192

struct lane {
	const struct feed_resource *resource;
	struct projection *projection;
	struct scan *scan;
	struct scan_row row;
	bool ended;
};

struct feed {
	struct feed_spec spec;
	uint64_t end; /* the snapshot's revision */
	struct lane *lanes;
	size_t rows_start;
	bool done;
	int error;
	struct why error_words;
	struct buf memory, scratch;
	struct feed_result result;
};

static int lane_next(struct lane *lane)
{
	int rc = scan_next(lane->scan, &lane->row);

	lane->ended = rc == 0;
	return rc < 0 ? rc : 0;
}

static int lane_open(struct feed *f, struct snapshot *v, struct lane *lane, struct why *why)
{
	const struct feed_spec *spec = &f->spec;
	const struct scan_spec scan = {
		.resource = lane->resource->name,
		.start_ms = (int64_t)spec->since + 1,
		.end_ms = TIME_MAX,
		.tombstones = true,
		.changes = true,
	};
	const struct projection_spec shown = {
		.kind = spec->names   ? PROJECTION_NAMED
			: spec->whole ? PROJECTION_ALL
				      : PROJECTION_SUMMARY,
		.source = spec->source,
		.resource = lane->resource->name,
		.fields = lane->resource->fields,
		.names = spec->names,
		.name_count = spec->name_count,
	};
	int rc = projection_new(&shown, &lane->projection, why);

	if (rc == 0)
		rc = scan_open(v, &scan, &lane->scan, why);
	return rc ? rc : lane_next(lane);
}

int feed_open(struct snapshot *v, const struct feed_spec *spec, struct feed **out, struct why *why)
{
	struct feed *f = calloc(1, sizeof *f);
	int rc = 0;

	if (!f)
		return why_set(why, ERR_NOMEM, "out of memory");
	f->spec = *spec;
	f->rows_start = spec->rows->len;
	f->end = snapshot_revision(v);
	f->result.next = spec->since;
	f->lanes = calloc(spec->count + 1, sizeof *f->lanes);
	if (!f->lanes)
		rc = why_set(why, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < spec->count && rc == 0; i++) {
		f->lanes[i].resource = &spec->resources[i];
		rc = lane_open(f, v, &f->lanes[i], why);
	}
	if (rc) {
		feed_free(f);
		return rc;
	}
	*out = f;
	return 0;
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	for (size_t i = 0; f->lanes && i < f->spec.count; i++) {
		scan_close(f->lanes[i].scan);
		projection_free(f->lanes[i].projection);
	}
	free(f->lanes);
	buf_release(&f->memory);
	buf_release(&f->scratch);
	free(f);
}

static struct lane *first_lane(struct feed *f)
{
	struct lane *first = NULL;

	for (size_t i = 0; i < f->spec.count; i++) {
		struct lane *lane = &f->lanes[i];
		if (!lane->ended && (!first || lane->row.revision < first->row.revision))
			first = lane;
	}
	return first;
}

static bool page_full(const struct feed *f)
{
	return f->result.rows >= f->spec.limit ||
	       (f->result.rows && f->spec.rows->len - f->rows_start >= f->spec.bytes_max);
}

/* Writes the row unless the condition keeps it out. */
static int give(struct feed *f, struct lane *lane)
{
	const struct feed_spec *spec = &f->spec;
	size_t before = spec->rows->len;
	struct record record;
	int rc = scan_record(lane->scan, &f->memory, &record);

	if (rc < 0)
		return rc;
	if (spec->where && !(record.flags & RECORD_DELETED)) {
		rc = where_match(spec->where, &record, &f->scratch);
		if (rc != 1)
			return rc;
	}
	rc = row_write(lane->projection, &record, spec->rows);
	if (rc)
		return rc;
	/* One too many for the page begins the next one. */
	if (f->result.rows && spec->rows->len - f->rows_start > spec->bytes_max) {
		spec->rows->len = before;
		f->result.more = true;
		return 0;
	}
	f->result.rows++;
	return 0;
}

/* One row. 1: go on, 0: the page is ready. */
static int step(struct feed *f, unsigned *cost)
{
	struct lane *lane = first_lane(f);

	*cost = 1;
	if (!lane) {
		if (f->result.next < f->end)
			f->result.next = f->end;
		f->done = true;
		return 0;
	}
	if (page_full(f)) {
		f->result.more = true;
		return 0;
	}
	*cost += 1 + lane->row.raw_bytes / READ_UNIT;
	int rc = give(f, lane);
	if (rc < 0 || f->result.more)
		return rc;
	f->result.next = lane->row.revision;
	rc = lane_next(lane);
	return rc < 0 ? rc : 1;
}

int feed_step(struct feed *f, unsigned budget, struct why *why)
{
	unsigned cost;
	int rc = 1;

	if (f->error)
		return why_set(why, f->error, "%s", f->error_words.text);
	if (f->done || f->result.more)
		return 0;
	for (unsigned spent = 0; rc == 1 && spent < budget; spent += cost)
		rc = step(f, &cost);
	if (rc < 0) {
		f->error = rc;
		why_set(&f->error_words, rc, "the changes cannot be read: %s", err_name(rc));
		return why_set(why, rc, "%s", f->error_words.text);
	}
	return rc;
}

const struct feed_result *feed_result(const struct feed *f)
{
	return &f->result;
}

void feed_turn(struct feed *f)
{
	f->result.rows = 0;
	f->result.more = false;
	f->rows_start = f->spec.rows->len;
}
