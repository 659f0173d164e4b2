/*
 * clock: the two clocks, and times as text.
 *
 * All times inside fic are milliseconds since 1970-01-01 UTC in an int64_t. TIME_NONE is "unknown".
 * Spans are half-open; TIME_MIN and TIME_MAX stand for an open start or end.
 */
#ifndef FIC_BASE_CLOCK_H
#define FIC_BASE_CLOCK_H

#include <base/bytes.h>
#include <base/err.h>

#define TIME_NONE INT64_MIN
#define TIME_MIN  (INT64_MIN + 1)
#define TIME_MAX  INT64_MAX

int64_t clock_wall_ms(void); /* for data: may step */
int64_t clock_mono_ms(void); /* for delays: never steps */
int64_t clock_mono_us(void);
/* Processor time that this thread has used: what a busy machine gives to others does not count. */
int64_t clock_thread_us(void);

#define TIME_TEXT_MAX   40
#define TIME_MILLIS_LEN 24 /* of one with milliseconds */
/* RFC 3339 UTC, "2026-11-20T09:51:35Z", with ".123" only when the time has milliseconds and, when
 * `millis` is set, always. Years 0000..9999; anything outside prints as the nearest. Returns out. */
const char *time_text(int64_t ms, bool millis, char out[TIME_TEXT_MAX]);

/* For who writes many times, one near the other: the date of the last one. Starts zeroed. */
struct time_date {
	bool known;
	int64_t days;
	char text[11];
};
/* As time_text with milliseconds: TIME_MILLIS_LEN bytes, and a NUL. */
void time_write(struct time_date *last, int64_t ms, char out[TIME_TEXT_MAX]);

/* RFC 3339 with any offset ("Z", "+01:00"), a space for the T allowed, seconds and fraction optional,
 * or a bare date (midnight UTC). 0 or ERR_SYNTAX. Fractions beyond milliseconds are cut. */
int time_parse(struct bytes text, int64_t *ms_out);

/* HTTP's Date ("Fri, 20 Nov 2026 09:51:35 GMT", RFC 9110 5.6.7, IMF-fixdate). 0 or ERR_SYNTAX. */
int time_parse_http(struct bytes text, int64_t *ms_out);

/* Seconds as a double, as JSON carries them, to milliseconds: exact for up to three decimals. Out of the
 * range of years 0000..9999 or not finite: TIME_NONE. */
int64_t time_from_seconds(double seconds);

/* The proleptic Gregorian calendar: days since 1970-01-01 and back (years within 32 bits), and the length of a month (1..12). */
int64_t date_days(int64_t year, int month, int day);
void date_of_days(int64_t days, int *year, int *month, int *day);
int date_month_days(int64_t year, int month);

/* "90s", "5m", "2h", "400d", "1w2d", "1h30m", "250ms", "0" into milliseconds; units ms s sec m min h d w M(30 d)
 * y(365 d). 0 or ERR_SYNTAX (also for negative and overflowing ones). */
int duration_parse(struct bytes text, int64_t *ms_out);

#define DURATION_TEXT_MAX 32
/* The shortest exact form, "1h30m"; 0 is "0". Returns out. */
const char *duration_text(int64_t ms, char out[DURATION_TEXT_MAX]);

#endif
