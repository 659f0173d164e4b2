/*
 * alert: conditions under which people are told, and when they are told: once, again after a while, and that it is over. Pure: facts and times are
 * arguments.
 *
 *   conditions = condition ("," condition)*      sync_failure_rate > 5%, no_success > 2h
 *   condition  = subject (">" | ">=") limit
 */
#ifndef FIC_MODEL_ALERT_H
#define FIC_MODEL_ALERT_H

#include <base/bytes.h>
#include <base/clock.h>
#include <base/err.h>
#include <model/run.h>

enum alert_subject {
	ALERT_FAILURE_RATE, /* sync_failure_rate, percent: runs of the last day that failed */
	ALERT_NO_SUCCESS,   /* no_success, a duration: a resource without a run that succeeded */
	ALERT_QUOTA,        /* quota, percent: of the provider's rate limit that is used */
	ALERT_RUN_DURATION, /* duration, times: a run against the earlier ones of its kind */
	ALERT_DEAD_LETTERS, /* dead_letters, a number: records that cannot be read */
	ALERT_SUBJECTS
};

const char *alert_subject_name(enum alert_subject subject); /* "sync_failure_rate" … */

struct alert_condition {
	enum alert_subject subject;
	bool or_equal; /* >= */
	double limit;  /* percent, milliseconds, times or a number */
};

#define ALERT_CONDITIONS_MAX 8
#define ALERT_TEXT_MAX       64 /* bytes of one condition as text, with its NUL */

struct alert_conditions {
	struct alert_condition items[ALERT_CONDITIONS_MAX];
	size_t count;
};

/* 0, or ERR_INVALID: `why` says which condition and what was expected. At least one. */
int alert_parse(const char *text, struct alert_conditions *out, struct why *why);
/* One as alert_parse takes it: "no_success > 2h". */
void alert_print(const struct alert_condition *c, char out[ALERT_TEXT_MAX]);

enum alert_verdict {
	ALERT_UNKNOWN, /* nothing can be said: what stood stands */
	ALERT_QUIET,
	ALERT_HOLDS,
};

/* Does this value (in the limit's unit) meet it? */
enum alert_verdict alert_judge(const struct alert_condition *c, double value);

/* ---- when to tell ---- */

#define ALERT_QUIET_MS INT64_C(300000) /* so long it must not hold before it is over */

/* What was said of one condition about one thing. A zeroed struct: nothing. Wall clock; one that was set back makes nothing worse than a notice that comes again. */
struct alert_state {
	bool raised;
	int64_t since_ms; /* raised: when it began to hold */
	int64_t held_ms;  /* when it held last */
	int64_t told_ms;  /* when people were told last */
	int64_t begun_ms; /* not raised: it has held since; TIME_NONE or 0: it does not hold */
};

enum alert_step {
	ALERT_SAY_NOTHING,
	ALERT_SAY_RAISED,
	ALERT_SAY_AGAIN, /* it holds still, and `repeat_ms` have passed */
	ALERT_SAY_OVER,
};

/* What is to be said now. `patience_ms`: so long it must hold before it is said; `repeat_ms` 0: it is said once. */
enum alert_step alert_step(struct alert_state *s, enum alert_verdict verdict, int64_t now_ms,
			   int64_t patience_ms, int64_t repeat_ms);

/* ---- what runs tell ---- */

#define ALERT_HOURS    24
#define ALERT_RUNS_MIN 10   /* with fewer a share says little */
#define ALERT_PAST_MIN 5    /* runs of a kind before one can be called slow */
#define ALERT_SHORT_MS 5000 /* a run that takes no longer is never slow */

/* The runs of one source in the last day. A zeroed struct has none. */
struct alert_outcomes {
	struct {
		int64_t hour; /* since 1970 */
		uint32_t ended, failed;
	} hours[ALERT_HOURS];
};

void alert_outcome(struct alert_outcomes *o, int64_t ended_ms, bool failed);
/* Of the day before `now_ms`. */
void alert_outcomes_of(const struct alert_outcomes *o, int64_t now_ms, uint32_t *ended_out,
		       uint32_t *failed_out);

/* How long the runs of one kind of one resource take. A zeroed struct has seen none. */
struct alert_pace {
	uint32_t count;  /* runs before the last one */
	double mean_ms;  /* of these, the later ones weigh more */
	int64_t last_ms; /* the last one */
	bool any;
};

void alert_paced(struct alert_pace *p, int64_t duration_ms);
/* How many times the usual the last one took; negative: nothing can be said. */
double alert_pace_times(const struct alert_pace *p);

#endif
