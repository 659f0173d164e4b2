/*
 * answers: what questions were answered with, for as long as the records stay what they are. Private to this layer.
 *
 * Kept are the rows as MessagePack, and what a question learnt beside them; never what they are worth, which is judged anew each time. A
 * question is kept by all that its rows depend on (the key), and compared in full. An answer takes the place of others only when it is worth more: by the time
 * that it saves for each byte, as often as it is asked. So a thousand questions that come once do not push out the one that comes every minute.
 */
#ifndef FIC_FICD_ANSWERS_INTERNAL_H
#define FIC_FICD_ANSWERS_INTERNAL_H

#include <base/bytes.h>
#include <query/cursor.h>

#define ANSWER_SCOPES    384u
#define ANSWER_BYTES_MAX (64u * 1024) /* of one that is kept */

struct answers;

struct answer {
	struct bytes rows; /* one behind the other */
	uint32_t row_count;
	int64_t start_ms, end_ms; /* the span that was asked */
	uint64_t total, scanned;
	uint64_t groups_found; /* of groups, and how exact their percentiles are */
	double percentile_error;
	uint32_t cost_us; /* of finding it: processor time, or what waited once would stay for ever */
	bool total_known, more;
	char next_cursor[CURSOR_TEXT_MAX];
};

/* Keeps up to so many bytes, all included. NULL: no memory. */
struct answers *answers_new(size_t bytes_max);
void answers_free(struct answers *a);

/* A question: all that its answer depends on beside the records, and these: a number for each set of records that they can be (below ANSWER_SCOPES), and
 * their version. */
struct asked {
	struct bytes key;
	unsigned scope;
	uint64_t version;
};

/* Counts the question. Its answer from records of this version, borrowed until the next call; NULL: there is none. Answers of the same scope from other
 * versions are worth nothing from now on. */
const struct answer *answers_find(struct answers *a, const struct asked *q);
/* Copies the answer of a question that was not found, if it is worth more than what would have to go. Without memory it is as if it had never been asked. */
void answers_keep(struct answers *a, const struct asked *q, const struct answer *answer);

/* Nothing of what was kept is left, not in memory that was given back either. NULL: nothing. */
void answers_clear(struct answers *a);
/* Bytes that are kept. */
size_t answers_bytes(const struct answers *a);

#endif
