/*
 * cursor: where a question's next page begins, as text that a client carries.
 *
 * Base64url of a version, the axis, the span, the last row's position (with its value, in an order of values), a hash of the question and a check sum. It names a position, not a state: it stays good
 * across commits and restarts. It is not a secret and not signed: a forged one can only ask for rows that the asker may read anyway.
 */
#ifndef FIC_QUERY_CURSOR_H
#define FIC_QUERY_CURSOR_H

#include <store/store.h>

#define SORT_KEY_MAX 128

/* Where a row lies in an order of values (query_spec.sort). */
struct sort_key {
	bool known; /* there is a value */
	size_t len;
	uint64_t id_hash;
	uint8_t bytes[SORT_KEY_MAX];
};

struct cursor {
	enum axis axis;
	int64_t start_ms,
		end_ms; /* the first page's span: "the last hour" does not slide between pages */
	struct scan_position position; /* of the last row that was given out */
	uint64_t question;             /* hash of what was asked */
	bool sorted;                   /* `key` counts, not the position */
	struct sort_key key;
};

#define CURSOR_TEXT_MAX 256

/* Returns out. */
const char *cursor_text(const struct cursor *c, char out[CURSOR_TEXT_MAX]);

/* 0, or ERR_INVALID when the text is no cursor of this release. */
int cursor_parse(struct bytes text, struct cursor *out, struct why *why);

#endif
