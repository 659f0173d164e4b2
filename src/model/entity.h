/*
 * entity: HTML's character references.
 */
#ifndef FIC_MODEL_ENTITY_H
#define FIC_MODEL_ENTITY_H

#include <base/bytes.h>

#define ENTITY_TEXT_MAX 4

/* Decodes the reference at the start of `at` ("&amp;", "&#39;", "&#x1F600;"; the semicolon may be missing behind numbers). Returns how many
 * bytes it took, 0 when there is none that we know; its UTF-8 goes to text. */
size_t entity_decode(struct bytes at, uint8_t text[ENTITY_TEXT_MAX], size_t *len_out);

#endif
