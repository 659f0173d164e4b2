/*
 * html: a provider's HTML as plain text, for reading, searching and tables.
 */
#ifndef FIC_MODEL_HTML_H
#define FIC_MODEL_HTML_H

#include <base/bytes.h>

/* Appends the text of `html` (UTF-8) to `out`: tags and comments stripped, script and style with their contents, entities decoded, block ends
 * and <br> as newlines (two in a row at most), other whitespace folded to one space (kept in <pre>), none at the start or end. Never longer than
 * the input, linear in it, whatever it holds; unclosed tags end at the next '>' or are text. The buffer's sticky error is the only failure. */
void html_to_text(struct bytes html, struct buf *out);

#endif
