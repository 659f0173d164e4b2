/*
 * reading: one question that reads records: what query, get, thread and aggregate have in common. Each reads one snapshot, so that its answer and its freshness belong
 * together; long ones go on in slices. What returns false or NULL has sent the error. Private to this layer.
 */
#ifndef FIC_FICD_READING_INTERNAL_H
#define FIC_FICD_READING_INTERNAL_H

#include "session.h"

#include <query/aggregate.h>
#include <query/merged.h>
#include <query/query.h>
#include <query/thread.h>

#define READING_BYTES_MIN (64 * 1024) /* what everybody gets, however many answers lie unread */
#define READING_HOLD_MS \
	(5 * 60 * 1000)       /* for a snapshot, by one whose answer depends on its reader */
#define READING_FIRST_US 1000 /* of a question when it comes: most are answered within it */
#define READING_STEP_UNITS \
	16 /* between two looks at the clock: of some 25 us, so that a slice is hardly longer than it is to be */

/* What a question is about, besides its resource and span: what a provider may be asked for (live.h). */
struct live_question {
	const struct where *where;   /* NULL: nothing */
	const struct search *search; /* NULL: nothing */
	struct bytes id;             /* of the one record; {NULL, 0}: it is about many */
	bool never;                  /* it is nothing that a provider can be asked for */
	bool insists;                /* it is asked for however fresh the cache is */
};

/* One question that reads records; of one that names no source, where there are several, what it asks one of them (several.h). */
struct reading {
	struct request *request;
	struct reading *next; /* the same question of the next source; NULL: of no other */
	struct source *source;
	const struct resource_type *type;
	const struct field *fields;       /* common fields that it is asked by */
	const struct field *asked_fields; /* those of conditions and groups */
	struct snapshot *view;
	struct arena arena;
	struct freshness_question question;
	struct live_question asks;
	enum freshness_state least; /* what the answer must be worth */
	/* What it was found worth in a turn of the loop, of a span; nothing that it was judged by changes before that turn is over. */
	struct freshness verdict;
	bool judged; /* there is a verdict */
	uint64_t judged_turn;
	int64_t judged_start_ms, judged_end_ms;
	struct bytes *names;
	size_t name_count;
	struct buf rows;
	struct buf memory;
	struct record record;   /* in `memory`, of the one that is asked for by id … */
	bool found;             /* … if it was found on the way */
	struct buf overlaid;    /* a record with edits over it */
	struct overlay overlay; /* all of them, of a question */
	struct task *task;
	bool (*step)(void *ctx); /* of the task */
	struct timer *timer;     /* of its end, whatever it has by then; NULL: none */
	int64_t deadline_ms;     /* for reading, as asked for; 0: none */
	struct stream *stream; /* owned: its rows go out while it reads (stream.h); NULL: with the answer */
	bool counted;          /* no row is shown, of what matches only the number */
	bool told;             /* rows have gone out: it cannot begin again */
	struct query *query;
	struct merged *merged; /* in place of the query, of the first of several */
	struct thread *thread;
	struct aggregate *aggregate;
	struct zone *zone;         /* of buckets, and of the times in conditions */
	struct bytes conversation; /* its row, of a thread */
	bool truncated;
	bool crowded;    /* a page is short: too much lies unread */
	struct buf key;  /* of the question, among the answers that are kept (kept.h) */
	bool keeps;      /* its answer may be */
	int64_t cost_us; /* processor time of finding it, until … */
	int64_t began_us,
		began_thread_us; /* … the time, and this thread's, since which it is worked on */
};

/* The source, the resource (NULL: the parameter's) and a snapshot of them; the first of a list, where several sources are asked. */
struct reading *reading_new(struct request *r, const char *resource);
/* All of the list are asked the same as the first. */
void reading_share(struct reading *first);
/* Only this one of the list is asked, whatever its place. */
void reading_keep(struct reading *first, struct reading *one);
/* Sends the error; what is damaged is set aside, and the question asked once more of the rest. */
void reading_fail(struct reading *g, int rc, const struct why *why);
void reading_no_memory(struct reading *g);
/* What the answer must be worth, and what is done when it is not: before anything is read; the answer may come later … */
bool reading_meets(struct reading *g);
/* … and after records turned out to be damaged. */
bool reading_sound_enough(struct reading *g, uint64_t damaged);
/* The verdict on all of the list. 0 or ERR_NOMEM; release it. */
int reading_judge(struct reading *first, struct freshness *out);
/* The freshness of the reading as a pair of the result, or of another map; `over`: all rows have been looked at. 0 or ERR_NOMEM. */
int reading_freshness(struct reading *g, uint64_t damaged);
int reading_put_freshness(struct reading *g, uint64_t damaged, bool over, struct buf *out);
/* Where there are edits to be laid over the answer: all of the reading's resource. False: the error was sent. */
bool reading_overlay(struct reading *g, const struct overlay **out);
/* The parameter `text`, with the children of the reading's resource. */
bool reading_text(struct reading *g, struct query_text *out);
/* More than everybody gets, while unread answers fill the memory: false. */
bool reading_has_room(struct reading *g);
/* Ends the request when it is not answered within so long: nobody holds a snapshot for ever. */
bool reading_end_within(struct reading *g, int64_t ms);
/* The rows of the query, or of the merge: as query_step, query_result and query_cursor. */
int reading_step(struct reading *g, struct why *why);
const struct query_result *reading_result(const struct reading *g);
const char *reading_cursor(struct reading *g, char out[CURSOR_TEXT_MAX]);
/* Runs `step` now, and as a task of the loop when there is more. */
void reading_go(struct reading *g, bool (*step)(void *ctx));
/* When a step that begins now is to end (monotonic): the first one has READING_FIRST_US, others give way to who asks after loop_slice_us. */
int64_t reading_slice_end(const struct reading *g);

#endif
