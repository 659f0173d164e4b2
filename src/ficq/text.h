/*
 * text: what an API or the daemon wrote, made safe for a terminal, measured, cut and wrapped.
 *
 * Cleaned text is valid UTF-8 without control characters, escape sequences or marks that turn the direction of writing; only
 * cleaned text may be printed in tables and conversations.
 */
#ifndef FIC_FICQ_TEXT_H
#define FIC_FICQ_TEXT_H

#include <base/bytes.h>

enum text_form {
	TEXT_LINE,  /* line breaks and tabs become single spaces */
	TEXT_BLOCK, /* '\n' stays ("\r\n" too becomes '\n'), tabs become eight spaces or less */
};

/* The next character, taken off the front; U+FFFD for each byte that is not UTF-8. `s` is not empty. */
uint32_t text_next(struct bytes *s);
bool text_is_utf8(struct bytes s);
void text_put_char(struct buf *out, uint32_t c);

unsigned text_char_width(uint32_t c); /* columns: 0, 1 or 2 */
size_t text_width(struct bytes clean);

/* Appends a cleaned copy. `ascii`: everything outside ASCII becomes '?', for terminals that do not speak UTF-8, where a byte
 * of a UTF-8 sequence may be a control character. */
void text_clean(struct buf *out, struct bytes s, enum text_form form, bool ascii);

/* How much of `clean` fits into `width` columns, in bytes; combining marks stay with their letter. */
size_t text_fit(struct bytes clean, size_t width, size_t *columns_out);

/* Appends at most `width` columns of a cleaned line, with an ellipsis where it was cut; returns the columns used. */
size_t text_put_cut(struct buf *out, struct bytes clean, size_t width, bool ascii);
void text_put_spaces(struct buf *out, size_t n);

/* Takes the next line of at most `width` columns off the front of a cleaned block: broken at spaces where possible, at
 * '\n' always. False when nothing is left. */
bool text_wrap(struct bytes *block, size_t width, struct bytes *line_out);

#endif
