/*
 * frame: where a MessagePack message ends, in bytes that may not all have arrived.
 */
#ifndef FIC_WIRE_FRAME_H
#define FIC_WIRE_FRAME_H

#include <wire/rpc.h>

/* 1: the first value of `input` is whole and *len_out bytes long; 0: more bytes are needed; ERR_SYNTAX: no MessagePack begins like this;
 * ERR_LIMIT: it is, or can only become, longer or deeper than allowed. Says nothing about the UTF-8 in it. */
int frame_msgpack(struct bytes input, const struct wire_limits *limits, size_t *len_out,
		  struct why *why);

#endif
