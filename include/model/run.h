/*
 * run: one execution of a sync, as clients see it and as the audit trail keeps it.
 */
#ifndef FIC_MODEL_RUN_H
#define FIC_MODEL_RUN_H

#include <base/bytes.h>
#include <base/clock.h>
#include <base/err.h>

enum run_kind {
	RUN_SNAPSHOT,
	RUN_CHANGES,
	RUN_BACKFILL,
	RUN_VERIFY,
	RUN_ONE,
	RUN_SEARCH,
	RUN_KINDS
};
enum run_outcome { RUN_RUNNING, RUN_OK, RUN_FAILED, RUN_CANCELED, RUN_OUTCOMES };

const char *run_kind_name(enum run_kind kind);          /* "snapshot" … */
const char *run_outcome_name(enum run_outcome outcome); /* "running" … */

struct run_info {
	uint64_t id;
	uint64_t follow; /* the run that makes coverage of what this one has read; 0: none. Not in the trail */
	const char *source, *resource; /* borrowed */
	enum run_kind kind;
	enum run_outcome outcome;
	const char *phase; /* "listing", "threads", "deletions", "absences"; borrowed, "" in the trail */
	int64_t started_ms;
	int64_t ended_ms;        /* TIME_NONE while running */
	int64_t synced_until_ms; /* TIME_NONE: nothing proven */
	int64_t span_start_ms;   /* what was asked for; TIME_MIN, TIME_MAX: open */
	int64_t span_end_ms;
	uint64_t done; /* records read */
	int64_t total; /* expected; -1: unknown. Not in the trail */
	uint64_t created, updated, deleted, unchanged, failed;
	uint64_t gone; /* single reads answered with "there is no such record" */
	uint64_t differences; /* RUN_VERIFY: records that were not held as they are upstream though no change was announced */
	uint64_t calls, retries, bytes;
	char error[320]; /* "" when there was none */
};

/* A MessagePack map {id, source, resource, kind, outcome, started, ended, synced_until, span, created …, duration_ms, error}: the contract's form, with RFC
 * 3339 times. */
void run_encode(const struct run_info *run, struct buf *out);

/* What run_encode made, as far as it tells what a run cost. Texts live as long as the encoded form. */
struct run_entry {
	struct bytes resource, kind, outcome;
	int64_t ended_ms;
	uint64_t created, updated, deleted, calls, duration_ms;
};

/* 0, or ERR_SYNTAX: it is not such an entry. */
int run_decode(struct bytes entry, struct run_entry *out);

/* Of an edit's entry, which names one: its record. False: it is no such entry. Borrowed from it. */
bool run_record(struct bytes entry, struct bytes *resource_out, struct bytes *record_out);

/* Appends the entry with other words in the place of its error, and of the record that it names. 1; 0: it has neither, or these, and nothing was appended. */
int run_reword(struct bytes entry, const char *words, struct buf *out);

/* Share of the work that is done, 0..1; -1 when the total is not known. */
double run_progress(const struct run_info *run);

#endif
