/* config_schedule: times of full runs, by the clocks of the source's time zone. */
#include "config_schedule.h"

#include <ctype.h>
#include <stdio.h>

/* The next word of at most 15 letters, "" at the end. */
static void take_word(const char **text, char out[16])
{
	size_t n = 0;

	*text += strspn(*text, " \t");
	for (; **text && **text != ' ' && **text != '\t'; ++*text)
		if (n < 15)
			out[n++] = **text;
	out[n] = 0;
}

/* HH:MM */
static int parse_time(const char *word)
{
	int hour, minute;

	if (strlen(word) != 5 || word[2] != ':' || !isdigit((unsigned char)word[0]) ||
	    !isdigit((unsigned char)word[1]) || !isdigit((unsigned char)word[3]) ||
	    !isdigit((unsigned char)word[4]))
		return -1;
	hour = (word[0] - '0') * 10 + word[1] - '0';
	minute = (word[3] - '0') * 10 + word[4] - '0';
	return hour < 24 && minute < 60 ? hour * 60 + minute : -1;
}

/* cron "m h d m w", with or without the quotes. */
static int parse_cron(const char *text, struct schedule *out, struct why *why)
{
	struct bytes fields = bytes_str(text + strspn(text, " \t"));

	while (fields.len &&
	       (fields.data[fields.len - 1] == ' ' || fields.data[fields.len - 1] == '\t'))
		fields.len--;
	if (fields.len && *fields.data == '"') {
		if (fields.len < 2 || fields.data[fields.len - 1] != '"')
			return why_set(why, ERR_SYNTAX, "cron: the closing quote is missing");
		fields = bytes_of(fields.data + 1, fields.len - 2);
	}
	*out = (struct schedule){.kind = SCHEDULE_CRON};
	struct why inner = {""};
	int rc = cron_parse(fields, &out->cron, &inner);
	return rc ? why_set(why, rc, "cron: %s", inner.text) : 0;
}

static const char *expects(const char *text)
{
	if (strncmp(text, "daily", 5) == 0)
		return "a time of the day, as in daily 03:00";
	if (strncmp(text, "weekly", 6) == 0)
		return "a day and a time, as in weekly Sun 03:00";
	return "off, hourly, daily HH:MM, weekly DAY HH:MM or cron \"m h d m w\"";
}

int schedule_parse(const char *text, struct schedule *out, struct why *why)
{
	struct schedule s = {.kind = SCHEDULE_OFF};
	char kind[16], word[16];

	const char *expected = expects(text);
	take_word(&text, kind);
	if (strcmp(kind, "cron") == 0)
		return parse_cron(text, out, why);
	if (strcmp(kind, "hourly") == 0) {
		s.kind = SCHEDULE_HOURLY;
	} else if (strcmp(kind, "daily") == 0 || strcmp(kind, "weekly") == 0) {
		s.kind = *kind == 'd' ? SCHEDULE_DAILY : SCHEDULE_WEEKLY;
		take_word(&text, word);
		if (s.kind == SCHEDULE_WEEKLY) {
			s.weekday = weekday_parse(bytes_str(word));
			take_word(&text, word);
		}
		s.minute = parse_time(word);
	} else if (strcmp(kind, "off") != 0) {
		return why_set(why, ERR_SYNTAX, "%s", expected);
	}
	take_word(&text, word);
	if (*word || s.weekday < 0 || s.minute < 0)
		return why_set(why, ERR_SYNTAX, "%s", expected);
	*out = s;
	return 0;
}

void schedule_print(const struct schedule *s, struct buf *out)
{
	switch (s->kind) {
	case SCHEDULE_OFF: buf_put_str(out, "off"); return;
	case SCHEDULE_HOURLY: buf_put_str(out, "hourly"); return;
	case SCHEDULE_DAILY:
		buf_printf(out, "daily %02d:%02d", s->minute / 60, s->minute % 60);
		return;
	case SCHEDULE_WEEKLY:
		buf_printf(out, "weekly %.3s %02d:%02d", weekday_name(s->weekday), s->minute / 60,
			   s->minute % 60);
		return;
	case SCHEDULE_CRON: buf_printf(out, "cron \"%s\"", s->cron.text); return;
	}
}
