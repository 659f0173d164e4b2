/*
 * cell: one value of an answer as a person reads it, and as a program does.
 */
#ifndef FIC_FICQ_CELL_H
#define FIC_FICQ_CELL_H

#include <base/bytes.h>
#include <base/when.h>

#include "names.h"

enum cell_kind {
	CELL_TEXT,   /* whatever it is */
	CELL_TIME,   /* RFC 3339 text: local, or relative when recent and wanted */
	CELL_AGO,    /* RFC 3339 text: relative */
	CELL_HOUR,   /* RFC 3339 text: local, never relative */
	CELL_DAY,    /* RFC 3339 text: the local date */
	CELL_MONTH,  /* likewise, its year and month */
	CELL_NUMBER, /* with thousands set apart */
	CELL_RATIO,  /* 0..1 as per cent */
	CELL_BYTES,
	CELL_MILLIS,  /* a duration */
	CELL_SECONDS, /* likewise */
	CELL_ADMIN,   /* an id: the name, where it is known */
	CELL_TEAM,
	CELL_NAME,    /* text that says nothing when it is cut */
	CELL_YES,     /* true as "yes", false as nothing */
	CELL_SNIPPET, /* text with U+27E6 U+27E7 around what was found */
};

/* How things are shown; fixed for one run of the program. */
struct show {
	const struct zone *zone;   /* NULL: UTC */
	const struct names *names; /* NULL: ids stay ids */
	int64_t now_ms;
	bool relative; /* times of the last 24 hours as "3 min ago" */
	bool ascii;    /* texts must be ASCII */
	bool utf8;     /* drawings need not be */
	bool color;    /* what was found stands between SHOW_MARK and SHOW_UNMARK */
};

/* In a cleaned text, which has no other controls: no columns wide, put out as colour by table_put. */
#define SHOW_MARK   0x01
#define SHOW_UNMARK 0x02

/* Appends cleaned text for a line; nothing for nil or a missing value ({NULL, 0}). */
void cell_show(struct buf *out, const struct show *s, struct bytes value, enum cell_kind kind);

/* Appends the value exactly: texts as they are, lists joined by ';', objects as JSON, nothing for nil. */
void cell_raw(struct buf *out, struct bytes value);

/* One line of JSON without its end, safe on any terminal: controls beyond ASCII are escaped as well. 0 or an error. */
int cell_json(struct buf *out, struct bytes value);

/* The pieces, for whoever writes sentences. */
void show_time(struct buf *out, const struct show *s, int64_t ms);
void show_count(struct buf *out, int64_t n);
void show_bytes(struct buf *out, int64_t n);
void show_millis(struct buf *out, int64_t ms);  /* "850 ms", "2.4 s", "3 min 20 s", "2 h 5 min" */
void show_ratio(struct buf *out, double ratio); /* "97.3 %"; never 100 below 1 */
bool cell_time(struct bytes value, int64_t *ms_out); /* of RFC 3339 text */

/* A member of a map: the value, {NULL, 0} when missing or nil. */
struct bytes member(struct bytes map, const char *path);
/* Its text, cleaned for a line; who is meant by an id, the map's `source` says. */
void member_show(struct buf *out, const struct show *s, struct bytes map, const char *path,
		 enum cell_kind kind);
bool member_float(struct bytes map, const char *path, double *out);
bool member_int(struct bytes map, const char *path, int64_t *out);
bool member_time(struct bytes map, const char *path, int64_t *ms_out);
struct bytes member_str(struct bytes map, const char *path); /* {NULL, 0}: no text */
bool member_true(struct bytes map, const char *path);

#endif
