/*
 * summary: what is known of many numbers: how many, their sum, the smallest and largest, and, where wanted, percentiles. Private to this layer.
 *
 * A percentile is by nearest rank: the smallest number that so many per cent are not larger than. It is exact up to SUMMARY_EXACT_MAX numbers (fewer when memory is short);
 * beyond, numbers fall into classes 1/64 of their power of two wide, and the middle of a class stands for all in it: at most 0.8 % beside the exact one. When there are too many
 * classes, two become one, and the error doubles; summary_error tells it.
 */
#ifndef FIC_QUERY_SUMMARY_H
#define FIC_QUERY_SUMMARY_H

#include <base/bytes.h>

#define SUMMARY_EXACT_MAX 4096u

/* Bytes that may be taken, shared by all parts of one answer. */
struct allowance {
	size_t used, max;
};

/* False: it is used up. */
bool allowance_take(struct allowance *a, size_t bytes);

struct number {
	bool is_real;
	union {
		int64_t integer;
		double real;
	};
};

double number_real(struct number n);

/* Numbers of one summary are all integers or all reals. Starts zeroed. */
struct summary {
	uint64_t count;
	struct number min, max;
	int64_t sum;
	bool sum_left;          /* the integers' sum does not fit: real_sum has it */
	double real_sum, carry; /* of either, with what rounding lost */
	uint32_t items_count, items_cap;
	unsigned shift; /* 0: items are numbers, else classes */
	union summary_item *items;
};

/* `keep`: percentiles will be asked for. 0, ERR_LIMIT (the allowance is used up), ERR_NOMEM. */
int summary_add(struct summary *s, struct number n, bool keep, struct allowance *a);
/* False when there are no numbers. */
bool summary_average(const struct summary *s, double *out);
bool summary_sum(const struct summary *s, struct number *out);
bool summary_percentile(struct summary *s, unsigned percent, struct number *out);
/* How far a percentile may be from the exact one, relative to it; 0: not at all. */
double summary_error(const struct summary *s);
void summary_release(struct summary *s);

#endif
