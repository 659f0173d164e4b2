/*
 * sorted: where a number stands in an ascending array.
 */
#ifndef FIC_BASE_SORTED_H
#define FIC_BASE_SORTED_H

#include <stddef.h>
#include <stdint.h>

/* How many of the `count` numbers are smaller than `value`: the place of the first that is not, or `count`. */
static inline size_t sorted_rank32(const uint32_t *numbers, size_t count, uint32_t value)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (numbers[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The same of larger numbers. */
static inline size_t sorted_rank64(const uint64_t *numbers, size_t count, uint64_t value)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (numbers[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

#endif
