/* cron: five fields of text into sets. Pure. */
#include <model/schedule.h>

#include <ctype.h>
#include <strings.h>

static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
				       "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"January",   "February", "March",    "April",
				     "May",       "June",     "July",     "August",
				     "September", "October",  "November", "December"};

struct field {
	const char *name;
	int min, max; /* what may be written */
	const char *const *names;
	size_t name_count;
	const char *example;
};

static const struct field fields[] = {
	{"minute", 0, 59, NULL, 0, "30"},           {"hour", 0, 23, NULL, 0, "2"},
	{"day of the month", 1, 31, NULL, 0, "1"},  {"month", 1, 12, months, 12, "1 or Jan"},
	{"weekday", 0, 7, weekdays, 7, "0 or Sun"},
};

#define FIELDS (sizeof fields / sizeof *fields)

int weekday_parse(struct bytes name)
{
	for (int i = 0; i < 7; i++)
		if ((name.len == 3 || name.len == strlen(weekdays[i])) &&
		    strncasecmp((const char *)name.data, weekdays[i], name.len) == 0)
			return i;
	return -1;
}

const char *weekday_name(int weekday)
{
	return weekdays[weekday];
}

/* Where we are in the text. */
struct parser {
	struct bytes text;
	size_t at;
	const struct field *field;
	struct why *why;
};

static int fail(struct parser *p, const char *what)
{
	const struct field *f = p->field;

	return why_set(
		p->why, ERR_SYNTAX,
		"%s in the %s (field %d of five, position %zu): write %d to %d as in %s, *, a-b, or a list with commas; /n takes every nth",
		what, f->name, (int)(f - fields) + 1, p->at + 1, f->min, f->max, f->example);
}

static int peek(const struct parser *p)
{
	return p->at < p->text.len ? p->text.data[p->at] : 0;
}

static bool ends(int c)
{
	return c == 0 || c == ' ' || c == '\t';
}

static int number(struct parser *p, int *out)
{
	int n = 0;

	if (!isdigit(peek(p)))
		return fail(p, ends(peek(p)) ? "something is missing" : "an unknown word or sign");
	for (size_t digits = 0; isdigit(peek(p)); p->at++, digits++) {
		if (digits == 3)
			return fail(p, "too large a number");
		n = n * 10 + peek(p) - '0';
	}
	*out = n;
	return 0;
}

/* A number, or a name where the field has names. */
static int value(struct parser *p, int *out)
{
	const struct field *f = p->field;
	size_t start = p->at, n = 0;

	while (p->at + n < p->text.len && isalpha(p->text.data[p->at + n]))
		n++;
	for (size_t i = 0; n && i < f->name_count; i++)
		if ((n == 3 || n == strlen(f->names[i])) &&
		    strncasecmp((const char *)p->text.data + p->at, f->names[i], n) == 0) {
			*out = (int)i + f->min;
			p->at += n;
			return 0;
		}
	if (number(p, out))
		return ERR_SYNTAX;
	if (*out >= f->min && *out <= f->max)
		return 0;
	p->at = start;
	return fail(p, "out of range");
}

/* *, a, a-b, each with /step; a/step runs to the field's end. */
static int item(struct parser *p, uint64_t *set)
{
	const struct field *f = p->field;
	int low = f->min, high = f->max, step = 1;
	size_t start = p->at;

	if (peek(p) == '*') {
		p->at++;
	} else {
		if (value(p, &low))
			return ERR_SYNTAX;
		high = low;
		if (peek(p) == '-') {
			p->at++;
			if (value(p, &high))
				return ERR_SYNTAX;
			/* Fri-Sun */
			if (f->max == 7 && high == 0)
				high = 7;
			if (high < low) {
				p->at = start;
				return fail(p, "a range that ends before it begins");
			}
		} else if (peek(p) == '/') {
			high = f->max;
		}
	}
	if (peek(p) == '/') {
		p->at++;
		start = p->at;
		if (number(p, &step))
			return ERR_SYNTAX;
		if (step < 1 || step > f->max) {
			p->at = start;
			return fail(p, "a step that is out of range");
		}
	}
	for (int n = low; n <= high; n += step)
		*set |= UINT64_C(1) << n;
	return 0;
}

static void skip_blanks(struct parser *p)
{
	while (peek(p) == ' ' || peek(p) == '\t')
		p->at++;
}

static int field_parse(struct parser *p, uint64_t *set, bool *star)
{
	skip_blanks(p);
	*star = peek(p) == '*';
	for (;;) {
		if (item(p, set))
			return ERR_SYNTAX;
		if (peek(p) != ',')
			break;
		p->at++;
	}
	return ends(peek(p)) ? 0 : fail(p, "an unknown sign");
}

/* 30 February: no day of the months that are meant has that date. */
static bool never(const struct cron *c)
{
	struct schedule s = {.kind = SCHEDULE_CRON, .cron = *c};

	return schedule_next(&s, NULL, 0) == TIME_NONE;
}

int cron_parse(struct bytes text, struct cron *out, struct why *why)
{
	struct parser p = {.text = text, .why = why};
	uint64_t sets[FIELDS] = {0};
	bool stars[FIELDS];

	if (text.len >= sizeof out->text)
		return why_set(why, ERR_SYNTAX, "longer than %zu letters", sizeof out->text - 1);
	for (size_t i = 0; i < FIELDS; i++) {
		p.field = &fields[i];
		if (field_parse(&p, &sets[i], &stars[i]))
			return ERR_SYNTAX;
	}
	skip_blanks(&p);
	if (p.at < text.len)
		return why_set(
			why, ERR_SYNTAX,
			"more than five fields (position %zu): minute, hour, day of the month, month, weekday",
			p.at + 1);
	*out = (struct cron){
		.minutes = sets[0],
		.hours = (uint32_t)sets[1],
		.days = (uint32_t)sets[2],
		.months = (uint16_t)sets[3],
		.weekdays = (uint8_t)((sets[4] | sets[4] >> 7) & 0x7f),
		.either_day = !stars[2] && !stars[4],
	};
	if (text.len)
		memcpy(out->text, text.data, text.len);
	if (never(out))
		return why_set(why, ERR_SYNTAX,
			       "no such day ever comes: look at the day of the month and the month");
	return 0;
}
