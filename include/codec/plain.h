/*
 * plain: the stretches of HTML that are text as they stand.
 */
#ifndef FIC_CODEC_PLAIN_H
#define FIC_CODEC_PLAIN_H

#include <base/bytes.h>

/* Bytes from the start on that have no '<', no '&', no byte C2 (of a no-break space) and no white space but single blanks, each with another such byte behind it. All of these
 * but for some at the end may be left to the next call: 0 does not mean that the first byte is none of them. */
size_t plain_html(struct bytes text);

#endif
