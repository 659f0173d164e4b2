/*
 * framed: a small file that is read whole: magic, u32 length, u32 CRC-32 of all but itself, body.
 */
#ifndef FIC_STORE_FRAMED_H
#define FIC_STORE_FRAMED_H

#include <base/bytes.h>
#include <base/err.h>

/* Appends magic (8 bytes) and room for length and checksum; end fills them in. The body begins at
 * *start + FRAMED_HEAD. */
size_t framed_begin(struct buf *out, const char *magic);
void framed_end(struct buf *out, size_t start);

/* The body, when the file is exactly one such frame. ERR_CORRUPT; ERR_INVALID when the checksum is
 * right and only the magic's version digit is another: a newer fic wrote it. */
int framed_parse(struct bytes file, const char *magic, struct bytes *body_out);

#endif
