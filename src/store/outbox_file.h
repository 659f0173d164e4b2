/*
 * outbox_file: the bytes of an outbox's file (store/outbox.h has the format). Private to this layer.
 */
#ifndef FIC_STORE_OUTBOX_FILE_H
#define FIC_STORE_OUTBOX_FILE_H

#include <store/outbox.h>

#define OUTBOX_MAGIC       "FICOBX1\n"
#define OUTBOX_FILE_HEAD   8u
#define OUTBOX_FRAME_HEAD  12u
#define OUTBOX_MARKER      0xED17F1C5u
#define OUTBOX_PAYLOAD_MAX (64u << 20)

/* A frame around what is appended between the two. */
size_t outbox_frame_begin(struct buf *out);
void outbox_frame_end(struct buf *out, size_t start);

#endif
