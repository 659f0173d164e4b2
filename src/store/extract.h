/*
 * extract: the terms and column values of records, made once when they are put and kept until a
 * segment is written.
 */
#ifndef FIC_STORE_EXTRACT_H
#define FIC_STORE_EXTRACT_H

#include "schema.h"

#include <model/record.h>

/* Different terms that are kept of one record; one with more is marked. */
#define EXTRACT_TERMS_MAX 32768u

struct extract_term {
	uint32_t at;  /* in `text` */
	uint32_t row; /* that had it last, plus one */
	uint32_t hash;
	uint8_t len;
};

struct member;
struct part;
struct waiting;

struct extract {
	const struct schema *schema; /* NULL: ids and parents only */
	struct buf text;             /* of the terms */
	struct extract_term *terms;
	uint32_t terms_count, terms_cap;
	/* By hash, open addressing: as many low bits as its size has are term + 1, those above the hash's; 0: empty. */
	uint32_t *table;
	uint32_t table_size;
	uint32_t *ids; /* terms of the rows, row after row */
	uint32_t ids_count, ids_cap;
	struct buf values; /* of the rows, in the order of the columns' fields */
	struct extract_row {
		uint32_t ids_at;
		uint32_t values_at;
	} * rows;
	uint32_t count, cap;
	/* Of the record under way. */
	struct buf scratch, doc, texts; /* texts: for field_stored_with */
	struct member *members;
	struct part *parts;
	struct waiting *waiting; /* terms that are not looked up yet */
	uint32_t waiting_count;
	int members_count; /* -1: the document is taken as it is */
	uint32_t parts_count;
	uint64_t present; /* fields for which the document has anything */
};

void extract_release(struct extract *x);
/* Adds the next row. ERR_CORRUPT: the document is damaged; ERR_LIMIT, ERR_NOMEM; then it is as it was
 * before. */
int extract_add(struct extract *x, const struct record *r);
void extract_drop_last(struct extract *x);
/* What is kept, for limits. */
size_t extract_bytes(const struct extract *x);

struct bytes extract_term(const struct extract *x, uint32_t term);
/* The terms of a row. */
const uint32_t *extract_terms(const struct extract *x, uint32_t row, uint32_t *count_out);
/* The value of a field (its number in the segment) in a row; nil when the field has no column. */
struct bytes extract_value(const struct extract *x, uint32_t row, unsigned field);

#endif
