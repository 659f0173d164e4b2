/*
 * stream: the rows of a question, sent while it reads. Private to this layer.
 *
 *   records {id, freshness, rows: []}        before anything is read
 *   records {id, rows, next_cursor} ...      as they are found
 *   the answer {freshness, rows: [], ...}    or an error: then it is not whole
 *
 * Nothing is read while the connection has more than SESSION_UNSENT_LOW to take: the question stands with its snapshot, for READING_HOLD_MS at most.
 */
#ifndef FIC_FICD_STREAM_INTERNAL_H
#define FIC_FICD_STREAM_INTERNAL_H

#include "reading.h"

#define STREAM_PIECE_BYTES \
	(32 * 1024)           /* of rows in a notification; one that is larger comes alone */
#define STREAM_PIECE_US 20000 /* or what there is, this long after the last one */
#define STREAM_HOLD_MS  (5 * 60 * 1000) /* for a snapshot */

/* Says what the answer will be worth. False: the error was sent. */
bool stream_begin(struct reading *g);
/* Reads on, in slices, from the loop; `answer` says what comes behind the rows. */
void stream_go(struct reading *g, void (*answer)(struct reading *g));

#endif
