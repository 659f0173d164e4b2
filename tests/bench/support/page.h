/*
 * page: JSON in the shape of Intercom's, the same on every run of one build, for benchmarks.
 */
#ifndef FIC_TESTS_BENCH_PAGE_H
#define FIC_TESTS_BENCH_PAGE_H

#include <base/bytes.h>

void page_init(void);             /* first */
uint32_t page_random(uint32_t n); /* below n */
const char *page_word(void);      /* about as often as English has it */
/* Appends a conversation with parts_min to parts_min + parts_more - 1 parts. */
void page_conversation(struct buf *b, unsigned parts_min, unsigned parts_more);
void page_contact(struct buf *b);

#endif
