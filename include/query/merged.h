/*
 * merged: one question about several stores, its rows in one order, in steps.
 *
 * Each part is the same question of another snapshot. The rows come as one question over all of them would give them; what is equal in the order comes by the order of the
 * parts. A relevance is comparable as far as the parts' records are alike: how rare a word is, each part says for itself.
 */
#ifndef FIC_QUERY_MERGED_H
#define FIC_QUERY_MERGED_H

#include <query/query.h>

#define MERGED_PARTS_MAX  16
#define MERGED_CURSOR_MAX (MERGED_PARTS_MAX * CURSOR_TEXT_MAX)

struct merged_part {
	struct snapshot *view;
	/* Axis, order and span are those of all; rows, limit, bytes_max, flow, want_total and cursor are the merge's. */
	struct query_spec spec;
};

/* Meanings as in query_spec. The parts are copied; what they borrow is borrowed until merged_free. */
struct merged_spec {
	const struct merged_part *parts;
	size_t count;
	uint32_t limit;
	size_t bytes_max;
	bool flow;
	bool want_total;
	struct bytes cursor; /* merged_cursor of an answer to the same question of the same parts */
	struct buf *rows;
};

struct merged;

/* As query_open. */
int merged_open(const struct merged_spec *spec, struct merged **out, struct why *why);
/* As query_step. */
int merged_step(struct merged *m, unsigned budget, struct why *why);
/* The position of each part behind the last row that was written, as one text: it holds as long as cursors do. "" when there is none. Borrowed until the next call. */
const char *merged_cursor(struct merged *m);
/* Of all parts together, but for next_cursor, which merged_cursor gives. */
const struct query_result *merged_result(const struct merged *m);
void merged_free(struct merged *m);

#endif
