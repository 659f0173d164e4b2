/*
 * quote: a message's HTML as text in which what is quoted is marked, as in mails: with "> " at the start of each line.
 */
#ifndef FIC_FICQ_QUOTE_H
#define FIC_FICQ_QUOTE_H

#include <base/bytes.h>

/* Whether there is anything to mark. */
bool quote_is_in(struct bytes html);
/* Appends the text, not cleaned. Linear in the length; quotes nest to QUOTE_DEPTH_MAX marks. */
void quote_text(struct bytes html, struct buf *out);

#define QUOTE_DEPTH_MAX 8

#endif
