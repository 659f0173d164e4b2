/* Faults injected on purpose. */
#ifndef APISIM_FAULTS_H
#define APISIM_FAULTS_H

#include "buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
	FAULT_NONE,
	FAULT_STATUS,
	FAULT_HTML200,
	FAULT_EMPTY200,
	FAULT_TRUNCATE,
	FAULT_WRONG_LENGTH,
	FAULT_BAD_JSON,
	FAULT_BAD_UTF8,
	FAULT_ERROR_LIST_200,
	FAULT_SLOW,
	FAULT_DRIP,
	FAULT_RESET,
	FAULT_RATE429,
	FAULT_REPEAT_CURSOR,
	FAULT_FOREIGN_CURSOR,
	FAULT_FOREIGN_NEXT_HOST,
	FAULT_WRONG_RESOURCE,
	FAULT_UNSORTED,
	FAULT_ENDLESS_NEXT,
	FAULT_HUGE,
	FAULT_EXPIRED_CURSOR,
	FAULT_UNAUTHORIZED,
	FAULT_EMPTY_LIST,
	FAULT_PART_LIST,
	FAULT_CUT_LIST,
	FAULT_SLIDING_PAGES,
	FAULT_KIND_COUNT
};

struct fault {
	enum fault_kind kind;
	char method[8];     /* "" any */
	char route[120];    /* the path begins with this; "" any */
	bool exact;         /* the path is this */
	bool acts;          /* what was asked for is done, though the answer does not say so */
	int64_t count;      /* how often yet; -1 for ever */
	int64_t after;      /* calls to let pass before */
	double probability; /* 1: always */
	uint64_t seed, rolls;
	int status;
	char code[64];
	uint32_t delay_ms, bytes_per_s, retry_after_s, size_mb;
	int64_t delta;  /* wrong_length: added to the length */
	uint32_t every; /* part_list: of so many records one is missing */
	uint32_t at;    /* cut_list: so many are shown */
	uint64_t hits;
};

/* The fault for this call, or NULL; counts it as used. has_cursor: the call
 * carries one. */
const struct fault *faults_take(const char *method, const char *path, bool has_cursor);
/* Adds an object or a list of them; NULL, or what is wrong with it. */
const char *faults_add(const json_t *json);
void faults_clear(void);
void faults_print(struct buf *b);
/* false: the answer is what it would have been, only slower. */
bool fault_spoils(const struct fault *f);

#endif
