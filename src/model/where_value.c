/*
 * where_value: reads values by the type of the field that they meet, once, so that matching has nothing left to parse.
 */
#include "where_value.h"

#include "fold.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#define NUMBER_MAX 64

/* Decimal digits only, then what strtod takes: no "inf", no hexadecimal. */
static bool is_number(const char *text)
{
	const char *p = text + (*text == '-' || *text == '+');

	return isdigit((unsigned char)p[p[0] == '.']) && text[strspn(text, "+-.0123456789eE")] == 0;
}

static void read_number(struct bytes text, struct where_value *out)
{
	char copy[NUMBER_MAX], *end;

	if (text.len == 0 || text.len >= sizeof copy || memchr(text.data, 0, text.len))
		return;
	memcpy(copy, text.data, text.len);
	copy[text.len] = 0;
	if (!is_number(copy))
		return;
	out->number = strtod(copy, &end);
	out->is_number = *end == 0 && isfinite(out->number);
	if (!out->is_number || strpbrk(copy, ".eE"))
		return;
	errno = 0;
	out->integer = strtoll(copy, &end, 10);
	out->is_integer = errno == 0 && *end == 0;
}

static int read_time(struct bytes text, int64_t now_ms, const struct zone *zone,
		     struct where_value *out, struct why *why)
{
	int rc = when_read(text, now_ms, zone, &out->time, why);

	if (rc)
		return rc;
	if (out->time.end_ms <= out->time.start_ms)
		out->time.end_ms = out->time.start_ms + 1;
	out->is_time = true;
	return 0;
}

static bool is_word(struct bytes text, const char *word)
{
	return text.len == strlen(word) && strncasecmp((const char *)text.data, word, text.len) == 0;
}

static bool searches(enum where_op op)
{
	return op == WHERE_CONTAINS || op == WHERE_MATCH;
}

static int refuse(const struct field *f, const char *what, struct why *why)
{
	return why_set(why, ERR_INVALID, "%s (%s) takes %s", f->name, field_type_name(f->type), what);
}

static int read_typed(const struct field *f, enum where_op op, int64_t now_ms,
		      const struct zone *zone, struct where_value *out, struct why *why)
{
	switch (f->type) {
	case FIELD_TIME:
		if (searches(op))
			return refuse(f, "= != < <= > >= in exists", why);
		return read_time(out->text, now_ms, zone, out, why);
	case FIELD_BOOL:
		if (op != WHERE_EQUAL && op != WHERE_IN)
			return refuse(f, "= and != or stands alone", why);
		if (!is_word(out->text, "true") && !is_word(out->text, "false"))
			return refuse(f, "true or false", why);
		out->text = bytes_str(is_word(out->text, "true") ? "true" : "false");
		return 0;
	case FIELD_INTEGER:
	case FIELD_REAL:
		read_number(out->text, out);
		return out->is_number || searches(op) ? 0 : refuse(f, "a number", why);
	default: return 0;
	}
}

int where_value_read(struct bytes text, bool quoted, const struct field *f, enum where_op op,
		     int64_t now_ms, const struct zone *zone, struct arena *a,
		     struct where_value *out, struct why *why)
{
	*out = (struct where_value){.text = text, .next = out->next};
	int rc = read_typed(f, op, now_ms, zone, out, why);
	if (rc)
		return rc;
	if (f->type == FIELD_ANY && !quoted) {
		read_number(text, out);
		/* Perhaps a time, if a number stands in the document. */
		if (!out->is_number)
			(void)read_time(text, now_ms, zone, out, NULL);
	}
	if (searches(op)) {
		out->failure = fold_prepare(out->text, a);
		if (!out->failure)
			return why_set(why, ERR_NOMEM, "no memory for the condition");
	}
	return 0;
}
