/* config_schedule: times of full runs. All in UTC: no zone's daylight saving moves, repeats or skips a run. */
#include "config_schedule.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
				   "Thursday", "Friday", "Saturday"};

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

/* A day's name, or its first three letters. */
static int parse_day(const char *word)
{
	for (int i = 0; i < 7; i++)
		if (strcasecmp(word, days[i]) == 0 ||
		    (strlen(word) == 3 && strncasecmp(word, days[i], 3) == 0))
			return i;
	return -1;
}

int schedule_parse(const char *text, struct schedule *out)
{
	struct schedule s = {SCHEDULE_OFF, 0, 0};
	char kind[16], word[16];

	take_word(&text, kind);
	if (strcmp(kind, "hourly") == 0) {
		s.kind = SCHEDULE_HOURLY;
	} else if (strcmp(kind, "daily") == 0 || strcmp(kind, "weekly") == 0) {
		s.kind = *kind == 'd' ? SCHEDULE_DAILY : SCHEDULE_WEEKLY;
		take_word(&text, word);
		if (s.kind == SCHEDULE_WEEKLY) {
			s.weekday = parse_day(word);
			take_word(&text, word);
		}
		s.minute = parse_time(word);
	} else if (strcmp(kind, "off") != 0) {
		return ERR_SYNTAX;
	}
	take_word(&text, word);
	if (*word || s.weekday < 0 || s.minute < 0)
		return ERR_SYNTAX;
	*out = s;
	return 0;
}

const char *schedule_expects(const char *text)
{
	if (strncmp(text, "daily", 5) == 0)
		return "a time of the day (UTC), as in daily 03:00";
	if (strncmp(text, "weekly", 6) == 0)
		return "a day and a time (UTC), as in weekly Sun 03:00";
	if (strncmp(text, "cron", 4) == 0)
		return "off, hourly, daily HH:MM or weekly DAY HH:MM (cron is not in this release)";
	return "off, hourly, daily HH:MM or weekly DAY HH:MM";
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
		buf_printf(out, "weekly %.3s %02d:%02d", days[s->weekday], s->minute / 60,
			   s->minute % 60);
		return;
	}
}
