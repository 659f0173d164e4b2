/*
 * absence: what is held but was not shown by a complete reading, and whether that is believed. A few records may be absent; when it is many, it is
 * rather the listing that is wrong: then nothing is buried, the run fails, and the refusal is noted, so that people see it. It is overcome by a later
 * reading that misses the very same records, or by a client who has been told and asks for a full reading all the same.
 */
#include "run.h"
#include "sync_state.h"

#include <base/log.h>

#include <stdio.h>

#define SCAN_ROWS   64    /* a slice */
#define WANTED_MAX  10000 /* that are asked for, or buried, before the next pass over what is held */
#define GUARD_SHARE 0.2
#define GUARD_COUNT 10               /* so many may be absent whatever their share */
#define AGREE_MS    INT64_C(3600000) /* between two readings that confirm each other */

/* What was refused, of one resource. */
struct refusal {
	long long at_ms, start_ms, end_ms;
	unsigned long long ids, absent, held;
};

#define REFUSAL_TEXT 160 /* six numbers */

static void key_of(const struct resource *r, char *key, size_t cap)
{
	snprintf(key, cap, "absent.%s", r->options.type->name);
}

static bool load(const struct resource *r, const struct snapshot *view, struct refusal *out)
{
	char key[64], text[REFUSAL_TEXT];

	key_of(r, key, sizeof key);
	struct bytes mark = snapshot_mark(view, key);
	if (mark.len == 0 || mark.len >= sizeof text)
		return false;
	memcpy(text, mark.data, mark.len);
	text[mark.len] = 0;
	return sscanf(text, "%lld %lld %lld %llu %llu %llu", &out->at_ms, &out->start_ms,
		      &out->end_ms, &out->ids, &out->absent, &out->held) == 6;
}

static int save(struct run *run, const struct refusal *refusal)
{
	char key[64], text[REFUSAL_TEXT];

	key_of(run->resource, key, sizeof key);
	if (!refusal)
		return txn_mark(run->txn, key, bytes_of(NULL, 0));
	snprintf(text, sizeof text, "%lld %lld %lld %llu %llu %llu", refusal->at_ms,
		 refusal->start_ms, refusal->end_ms, refusal->ids, refusal->absent, refusal->held);
	return txn_mark(run->txn, key, bytes_str(text));
}

static void put_words(const struct resource *r, const struct refusal *refusal, char *out, size_t cap)
{
	char how[32 + 2 * TIME_TEXT_MAX] = "full", since[TIME_TEXT_MAX], until[TIME_TEXT_MAX];

	if (refusal->start_ms != TIME_MIN)
		snprintf(how, sizeof how, "verify --since=%s --until=%s",
			 time_text(refusal->start_ms, false, since),
			 time_text(refusal->end_ms, false, until));
	snprintf(out, cap,
		 "%llu of %llu %s that are held are not listed any more: not believed, nothing is deleted. If it is "
		 "true, 'ficq sync %s --mode=%s' makes it so",
		 refusal->absent, refusal->held, r->options.type->name, r->options.type->name, how);
}

void resource_refusal_load(struct resource *r, const struct snapshot *view)
{
	struct refusal refusal;

	r->refusal[0] = 0;
	if (load(r, view, &refusal))
		put_words(r, &refusal, r->refusal, sizeof r->refusal);
}

/* ---- the scan ---- */

/* Known to exist without being listed. */
static bool is_unlisted(const struct run *run, const struct record *record)
{
	const struct provider *p = run->sync->line.account->provider;

	return p->unlisted && p->unlisted(run->resource->options.type, record->doc);
}

/* Made here: in no list, and nobody can be asked for it. */
static bool is_derived(const struct run *run, const struct record *record)
{
	const struct provider *p = run->sync->line.account->provider;

	return p->derived && p->derived(run->resource->options.type, record->id);
}

static int absent_row(struct run *run, uint64_t id_hash, struct why *why)
{
	struct record record;
	int rc = scan_record(run->scan, &run->memory, &record);

	if (rc < 0)
		return why_set(why, rc, "cannot read a held record");
	if (is_derived(run, &record)) {
		run->scanned--;
		return 0;
	}
	if (is_unlisted(run, &record)) {
		run->unlisted++;
		run->scanned--;
	} else {
		run->absent++;
		run->absent_ids ^= id_hash;
	}
	if (run->absent + run->unlisted > WANTED_MAX) {
		run->absent_more = true;
		return 0;
	}
	/* The next pass goes over it: one that is absent from the list may exist all the same. */
	rc = seen_add(&run->seen, id_hash, SIZE_MAX);
	return rc < 0 ? rc : run_want(run, record.id);
}

static int open_scan(struct run *run, int64_t start_ms, int64_t end_ms, struct why *why)
{
	struct scan_spec spec = {
		.resource = run->info.resource, .start_ms = start_ms, .end_ms = end_ms};

	run->scanned = run->absent = run->unlisted = run->absent_ids = 0;
	run->absent_more = false;
	run->seen_none = run->seen.count == 0;
	run->absences = (struct interval){.start_ms = start_ms, .end_ms = end_ms};
	return scan_open(run->view, &spec, &run->scan, why);
}

int run_absences(struct run *run, int64_t start_ms, int64_t end_ms, struct why *why)
{
	struct scan_row row;
	int rc = run->scan ? 0 : open_scan(run, start_ms, end_ms, why);

	for (int i = 0; i < SCAN_ROWS && rc == 0; i++) {
		rc = scan_next(run->scan, &row);
		if (rc < 0)
			return why_set(why, rc, "cannot read what is held");
		if (rc == 0) {
			scan_close(run->scan);
			run->scan = NULL;
			return 0;
		}
		run->scanned++;
		rc = seen_has(&run->seen, row.position.id_hash)
			     ? 0
			     : absent_row(run, row.position.id_hash, why);
	}
	return rc < 0 ? rc : 1;
}

/* ---- the guard ---- */

static bool doubtful(const struct run *run)
{
	return run->absent > GUARD_COUNT && (double)run->absent > (double)run->scanned * GUARD_SHARE;
}

/* An empty list is what a broken provider shows: only a client can vouch for it. */
static bool confirmed(const struct run *run, const struct refusal *before, const struct refusal *now)
{
	return run->insisted || (!run->seen_none && before->ids == now->ids &&
				 now->at_ms - before->at_ms >= AGREE_MS);
}

int run_absence_none(struct run *run, struct why *why)
{
	struct refusal before;
	int rc = load(run->resource, run->view, &before) ? save(run, NULL) : 0;

	return rc ? why_set(why, rc, "cannot note what was read") : 0;
}

int run_absence_guard(struct run *run, bool doubt, struct why *why)
{
	struct refusal before, now = {.at_ms = run->asked_ms,
				      .start_ms = run->absences.start_ms,
				      .end_ms = run->absences.end_ms,
				      .ids = run->absent_ids,
				      .absent = run->absent,
				      .held = run->scanned};
	bool refused_before = load(run->resource, run->view, &before);
	int rc = 0;

	if (!doubt && !doubtful(run)) {
		if (refused_before && before.start_ms < now.end_ms && now.start_ms < before.end_ms)
			rc = save(run, NULL);
		return rc ? why_set(why, rc, "cannot note what was read") : 0;
	}
	if (refused_before && confirmed(run, &before, &now)) {
		log_warn("sync",
			 "%s: %llu of %llu are not listed any more, which is now believed source=%s",
			 run->info.resource, (unsigned long long)run->absent,
			 (unsigned long long)run->scanned, run->info.source);
		rc = save(run, NULL);
		return rc ? why_set(why, rc, "cannot note what was read") : 0;
	}
	/* The moment of the first reading that misses just these. */
	if (!refused_before || before.ids != now.ids)
		rc = save(run, &now);
	if (rc)
		return why_set(why, rc, "cannot note what was read");
	put_words(run->resource, &now, run->info.error, sizeof run->info.error);
	log_warn("sync", "%s source=%s", run->info.error, run->info.source);
	run->info.failed += run->absent;
	run_wanted_drop(run);
	run->refused = true;
	return 1;
}
