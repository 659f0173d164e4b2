/* How the simulator behaves, as opposed to what its world is like. */
#ifndef APISIM_SETTINGS_H
#define APISIM_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

struct settings {
	const char *token;
	const char *zone; /* what TZ is set to */
	const char *port_file, *pid_file;
	uint32_t port;
	uint32_t rate;        /* calls a minute; 0 unlimited */
	uint32_t search_rate; /* of them searches; 0 as many */
	uint32_t latency_ms;
	uint32_t grace_ms;    /* calls this soon after an answer may not know it yet */
	uint32_t connections; /* more at once are a breach */
	uint32_t search_lag_s;
	uint32_t write_lag_s; /* writes are answered 202 and come into effect this much later */
	uint32_t scroll_page;
	uint32_t others;      /* calls a minute that other programs make */
	uint32_t max_seconds; /* 0: for ever */
	bool gzip;
	bool parts_total;    /* total_count of a cut thread counts all parts */
	bool inclusive;      /* conversations: > and < include the value */
	bool inexact_totals; /* total_count is only about right */
	unsigned totals;     /* enum totals */
	bool read_only;      /* what the token may do */
	bool redact_silent;  /* redaction leaves updated_at alone */
	bool mixed_times;    /* some contacts have milliseconds, some text */
	bool unstable_ties;  /* articles of one second are missed between two pages */
	/* Front only. */
	uint32_t short_pages;         /* of 1000 pages, how many end too early */
	uint32_t event_days;          /* how far back the feed of events goes; 0: to the start */
	bool next_same, next_foreign; /* which host the next page is on; else the company's */
	bool ticketing;
	bool no_updated_at, updated_by_messages; /* of conversations */
	bool merged_without_location;
	bool frozen;
	bool exit_with_parent;
};

extern struct settings settings;

#endif
