/* alert: see the header. Knows no clock; what a condition is about is looked up elsewhere. */
#include <base/suggest.h>
#include <model/alert.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum unit { UNIT_PERCENT, UNIT_MS, UNIT_TIMES, UNIT_NUMBER };

static const struct subject {
	const char *name;
	enum unit unit;
	const char *example;
} subjects[ALERT_SUBJECTS] = {
	[ALERT_FAILURE_RATE] = {"sync_failure_rate", UNIT_PERCENT, "sync_failure_rate > 5%"},
	[ALERT_NO_SUCCESS] = {"no_success", UNIT_MS, "no_success > 2h"},
	[ALERT_QUOTA] = {"quota", UNIT_PERCENT, "quota > 80%"},
	[ALERT_RUN_DURATION] = {"duration", UNIT_TIMES, "duration > 2x"},
	[ALERT_DEAD_LETTERS] = {"dead_letters", UNIT_NUMBER, "dead_letters > 0"},
};

const char *alert_subject_name(enum alert_subject subject)
{
	return (unsigned)subject < ALERT_SUBJECTS ? subjects[subject].name : "unknown";
}

/* ---- the words of a condition ---- */

static int unknown_subject(struct bytes name, struct why *why)
{
	const char *names[ALERT_SUBJECTS + 1] = {NULL};

	for (int i = 0; i < ALERT_SUBJECTS; i++)
		names[i] = subjects[i].name;
	const char *near = suggest(name, names);
	int shown = name.len > 32 ? 32 : (int)name.len;
	if (near)
		return why_set(why, ERR_INVALID, "there is no condition on \"%.*s\"; did you mean %s?",
			       shown, (const char *)name.data, near);
	return why_set(why, ERR_INVALID,
		       "there is no condition on \"%.*s\": known are sync_failure_rate, no_success, "
		       "quota, duration and dead_letters",
		       shown, (const char *)name.data);
}

/* A number with its unit's sign behind it ("" when it has none). */
static bool read_number(struct bytes text, const char *sign, double *out)
{
	char copy[32], *end;

	if (text.len == 0 || text.len >= sizeof copy || !isdigit(text.data[0]))
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = 0;
	if (strspn(copy, "0123456789.") + strlen(sign) != text.len)
		return false;
	*out = strtod(copy, &end);
	return strcmp(end, sign) == 0;
}

static bool read_limit(enum unit unit, struct bytes text, double *out)
{
	int64_t ms;

	switch (unit) {
	case UNIT_PERCENT: return read_number(text, "%", out) && *out <= 100;
	case UNIT_TIMES: return read_number(text, "x", out) && *out >= 1;
	case UNIT_NUMBER: return read_number(text, "", out) && *out <= 1e9;
	case UNIT_MS: break;
	}
	if (duration_parse(text, &ms) || ms < 60000)
		return false;
	*out = (double)ms;
	return true;
}

static struct bytes trim(struct bytes b)
{
	while (b.len && isspace(b.data[0]))
		b = bytes_of(b.data + 1, b.len - 1);
	while (b.len && isspace(b.data[b.len - 1]))
		b.len--;
	return b;
}

static int parse_one(struct bytes text, struct alert_condition *out, struct why *why)
{
	const uint8_t *sign = text.len ? memchr(text.data, '>', text.len) : NULL;
	struct bytes name = trim(sign ? bytes_of(text.data, (size_t)(sign - text.data)) : text);

	*out = (struct alert_condition){.subject = ALERT_SUBJECTS};
	for (int i = 0; i < ALERT_SUBJECTS; i++)
		if (bytes_is(name, subjects[i].name))
			out->subject = (enum alert_subject)i;
	if (out->subject == ALERT_SUBJECTS)
		return unknown_subject(name, why);
	const struct subject *s = &subjects[out->subject];
	if (!sign)
		return why_set(why, ERR_INVALID, "%s: expected > and a limit behind it, such as %s",
			       s->name, s->example);
	struct bytes limit = bytes_of(sign + 1, text.len - (size_t)(sign + 1 - text.data));
	out->or_equal = limit.len && limit.data[0] == '=';
	if (out->or_equal)
		limit = bytes_of(limit.data + 1, limit.len - 1);
	if (!read_limit(s->unit, trim(limit), &out->limit))
		return why_set(why, ERR_INVALID, "%s: expected a limit such as in %s%s", s->name,
			       s->example,
			       s->unit == UNIT_MS      ? ", a minute or more"
			       : s->unit == UNIT_TIMES ? ", 1x or more"
						       : "");
	return 0;
}

int alert_parse(const char *text, struct alert_conditions *out, struct why *why)
{
	out->count = 0;
	for (;;) {
		size_t len = strcspn(text, ",");
		struct bytes item = trim(bytes_of(text, len));
		if (item.len && out->count == ALERT_CONDITIONS_MAX)
			return why_set(why, ERR_INVALID, "more than %d conditions",
				       ALERT_CONDITIONS_MAX);
		if (item.len) {
			int rc = parse_one(item, &out->items[out->count], why);
			if (rc)
				return rc;
			out->count++;
		}
		if (!text[len])
			break;
		text += len + 1;
	}
	if (out->count == 0)
		return why_set(why, ERR_INVALID,
			       "expected conditions such as no_success > 2h, dead_letters > 0");
	return 0;
}

void alert_print(const struct alert_condition *c, char out[ALERT_TEXT_MAX])
{
	const struct subject *s = &subjects[c->subject];
	const char *sign = c->or_equal ? ">=" : ">";
	char text[DURATION_TEXT_MAX];

	switch (s->unit) {
	case UNIT_PERCENT:
		snprintf(out, ALERT_TEXT_MAX, "%s %s %g%%", s->name, sign, c->limit);
		return;
	case UNIT_TIMES:
		snprintf(out, ALERT_TEXT_MAX, "%s %s %gx", s->name, sign, c->limit);
		return;
	case UNIT_NUMBER:
		snprintf(out, ALERT_TEXT_MAX, "%s %s %.15g", s->name, sign, c->limit);
		return;
	case UNIT_MS: break;
	}
	snprintf(out, ALERT_TEXT_MAX, "%s %s %s", s->name, sign,
		 duration_text((int64_t)c->limit, text));
}

enum alert_verdict alert_judge(const struct alert_condition *c, double value)
{
	return value > c->limit || (c->or_equal && value == c->limit) ? ALERT_HOLDS : ALERT_QUIET;
}

/* ---- when to tell ---- */

static enum alert_step holds(struct alert_state *s, int64_t now_ms, int64_t patience_ms,
			     int64_t repeat_ms)
{
	if (s->begun_ms <= 0 || s->begun_ms > now_ms)
		s->begun_ms = now_ms;
	s->held_ms = now_ms;
	if (!s->raised) {
		if (now_ms - s->begun_ms < patience_ms)
			return ALERT_SAY_NOTHING;
		s->raised = true;
		s->since_ms = s->begun_ms;
		s->told_ms = now_ms;
		return ALERT_SAY_RAISED;
	}
	if (s->told_ms > now_ms)
		s->told_ms = now_ms; /* the clock was set back */
	if (repeat_ms == 0 || now_ms - s->told_ms < repeat_ms)
		return ALERT_SAY_NOTHING;
	s->told_ms = now_ms;
	return ALERT_SAY_AGAIN;
}

enum alert_step alert_step(struct alert_state *s, enum alert_verdict verdict, int64_t now_ms,
			   int64_t patience_ms, int64_t repeat_ms)
{
	if (verdict == ALERT_UNKNOWN)
		return ALERT_SAY_NOTHING;
	if (verdict == ALERT_HOLDS)
		return holds(s, now_ms, patience_ms, repeat_ms);
	s->begun_ms = TIME_NONE;
	if (!s->raised)
		return ALERT_SAY_NOTHING;
	if (s->held_ms > now_ms)
		s->held_ms = now_ms; /* the clock was set back */
	if (now_ms - s->held_ms < ALERT_QUIET_MS)
		return ALERT_SAY_NOTHING;
	*s = (struct alert_state){.begun_ms = TIME_NONE};
	return ALERT_SAY_OVER;
}

/* ---- what runs tell ---- */

#define HOUR_MS INT64_C(3600000)

void alert_outcome(struct alert_outcomes *o, int64_t ended_ms, bool failed)
{
	int64_t hour = ended_ms / HOUR_MS;
	size_t at = (size_t)(hour % ALERT_HOURS);

	if (ended_ms <= 0 || o->hours[at].hour > hour)
		return; /* a run of the day before: its hour has passed */
	if (o->hours[at].hour != hour) {
		o->hours[at].hour = hour;
		o->hours[at].ended = o->hours[at].failed = 0;
	}
	o->hours[at].ended++;
	o->hours[at].failed += failed;
}

void alert_outcomes_of(const struct alert_outcomes *o, int64_t now_ms, uint32_t *ended_out,
		       uint32_t *failed_out)
{
	int64_t hour = now_ms / HOUR_MS;

	*ended_out = *failed_out = 0;
	for (size_t i = 0; i < ALERT_HOURS; i++) {
		if (o->hours[i].hour <= hour - ALERT_HOURS || o->hours[i].hour > hour)
			continue;
		*ended_out += o->hours[i].ended;
		*failed_out += o->hours[i].failed;
	}
}

#define PACE_WEIGHT 20 /* the mean is that of about so many runs */

void alert_paced(struct alert_pace *p, int64_t duration_ms)
{
	if (p->any) {
		double weight = p->count < PACE_WEIGHT ? p->count + 1 : PACE_WEIGHT;
		p->mean_ms += ((double)p->last_ms - p->mean_ms) / weight;
		p->count++;
	}
	p->last_ms = duration_ms;
	p->any = true;
}

double alert_pace_times(const struct alert_pace *p)
{
	if (!p->any || p->count < ALERT_PAST_MIN)
		return -1;
	if (p->last_ms <= ALERT_SHORT_MS || p->mean_ms <= 0)
		return 0;
	return (double)p->last_ms / p->mean_ms;
}
