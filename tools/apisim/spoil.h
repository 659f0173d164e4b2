/* Changes answers that are finished. */
#ifndef APISIM_SPOIL_H
#define APISIM_SPOIL_H

#include "buf.h"
#include "faults.h"

/* What total_count of a list is instead of a count. */
enum totals {
	TOTALS_RIGHT,
	TOTALS_HIGH,
	TOTALS_LOW,
	TOTALS_ZERO,
	TOTALS_NEGATIVE,
	TOTALS_ABSENT,
	TOTALS_NULL,
	TOTALS_TEXT,
	TOTALS_FRACTION,
	TOTALS_COUNT
};

/* The word of the command line; NULL: there is none. */
const char *totals_word(enum totals t);

/* As the fault wants it. truncate, wrong_length, slow and drip are the connection's affair (http.c). */
void spoil(const struct fault *f, struct buf *b);
/* total_count and total_pages of a list; other answers stay as they are. */
void spoil_totals(enum totals t, struct buf *b);

#endif
