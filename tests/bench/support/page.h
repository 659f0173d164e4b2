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
/* What conversations are made from here on: created in these `span_s` seconds, as they come to a source
 * that is read in the order of time. At first: 104 days from 1730000000. */
void page_time(uint32_t from_s, uint32_t span_s);
/* From here on the bodies of parts have one to `most` sentences, of 400 that are said again and again: long
 * threads that are made (and packed) in less time. At first: 5, all of them new. */
void page_sentences(uint32_t most);
/* From here on sentences are made of `n` words, the most frequent ones English, the k-th about as often as 1/k says (Zipf), the
 * rare ones less often still; before page_sentences. Three of ten sentences are new then. */
void page_vocabulary(uint32_t n);

#endif
