/*
 * when: times as people write them, and as they like to read them.
 *
 * One grammar for --since and --until, the socket's strings and the language of --where (after systemd.time(7)):
 *
 *   now                                a moment
 *   today  yesterday  tomorrow         days; a time of day may follow: "yesterday 14:00"
 *   monday  mon  last monday           the latest such day, today included; with "last", today not included
 *   this week  last month  last year   from Monday, the first, New Year on
 *   2h  -2h  2h ago  1w2d  90min       so long ago (a bare one too); +2h  2h left: so long ahead
 *   @1700000000  @1700000000.5         seconds since 1970
 *   2026-11-20                         a day;   2026-11: a month
 *   2026-11-20 14:00[:05[.123]]        a moment; T may stand for the space; Z, +01:00 or +0100 may follow
 *   14:00[:05[.123]]                   today at that time
 *   ... Europe/Paris, ... UTC          the zone of all that, for this text only
 *   A..B  A/B  A..  ..B                an interval; half-open, an end left out is open
 *
 * Units: ms s sec m min h d w M(30 days) y(365 days), and their long names; m is minutes, M is months. Words are not case-sensitive.
 * A day, week, month or year is a span: as the start of something it means its beginning, as the end its end, so that
 * "--since monday --until tuesday" and "2026-11..2026-11" include the last day. 24:00 is the end of a day. A local time that is
 * skipped by a clock change means the next one that exists, one that is repeated the first.
 */
#ifndef FIC_BASE_WHEN_H
#define FIC_BASE_WHEN_H

#include <base/clock.h>
#include <base/zone.h>

#define WHEN_TEXT_MAX 128 /* longer ones are refused */

enum when_role { WHEN_SINCE, WHEN_UNTIL };

/* [start, end); equal for a moment. */
struct when {
	int64_t start_ms;
	int64_t end_ms;
};

/* Pure functions of their arguments (a zone named in the text is read from the system's data). `zone` is borrowed, NULL is UTC. 0,
 * ERR_SYNTAX (why says what is accepted, and which part is not), ERR_NOTFOUND (no such zone), ERR_INVALID. */

/* One time, not an interval. */
int when_read(struct bytes text, int64_t now_ms, const struct zone *zone, struct when *out,
	      struct why *why);
/* The same as one end of something: of a span its start (WHEN_SINCE) or its end (WHEN_UNTIL). */
int when_parse(struct bytes text, int64_t now_ms, const struct zone *zone, enum when_role role,
	       int64_t *ms_out, struct why *why);
/* An interval, or a span by itself ("2026-11": the month; "2h": the last two hours). Open ends are TIME_MIN and TIME_MAX. A
 * moment is ERR_INVALID, and so is an end before its start. */
int when_parse_interval(struct bytes text, int64_t now_ms, const struct zone *zone,
			struct when *out, struct why *why);

#define WHEN_OUT_MAX 48
/* "2026-11-20 10:51 +0100", for tables; "-" for TIME_NONE. Returns out. */
const char *when_local_text(int64_t ms, const struct zone *zone, char out[WHEN_OUT_MAX]);
/* "3 min ago", "in 2 h", "just now", "5 days ago"; "-" for TIME_NONE. Returns out. */
const char *when_relative_text(int64_t ms, int64_t now_ms, char out[WHEN_OUT_MAX]);

#endif
