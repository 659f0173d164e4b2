/*
 * sentence: a verdict in words.
 */
#ifndef FIC_MODEL_SENTENCE_H
#define FIC_MODEL_SENTENCE_H

#include <model/freshness.h>

/* Writes f->message from all the rest of the verdict; "" when it is fresh. */
void sentence_write(struct freshness *f);

#endif
