/*
 * digits: two decimal digits at once.
 */
#ifndef FIC_BASE_DIGITS_H
#define FIC_BASE_DIGITS_H

/* "00" to "99", one after the other. */
extern const char digit_pairs[201];

#endif
