/*
 * encode: the heads of MessagePack values as bytes, shortest form, big-endian; shared by the
 * writer and the transcoder.
 *
 * Private to codec. Nothing here checks room: the caller has MP_HEAD_MAX bytes.
 */
#ifndef FIC_CODEC_ENCODE_H
#define FIC_CODEC_ENCODE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MP_HEAD_MAX 9

static inline void put_be16(uint8_t *w, uint16_t v)
{
	w[0] = (uint8_t)(v >> 8);
	w[1] = (uint8_t)v;
}

static inline void put_be32(uint8_t *w, uint32_t v)
{
	put_be16(w, (uint16_t)(v >> 16));
	put_be16(w + 2, (uint16_t)v);
}

static inline void put_be64(uint8_t *w, uint64_t v)
{
	put_be32(w, (uint32_t)(v >> 32));
	put_be32(w + 4, (uint32_t)v);
}

static inline size_t encode_uint(uint8_t *w, uint64_t v)
{
	if (v < 0x80) {
		w[0] = (uint8_t)v;
		return 1;
	}
	if (v <= UINT8_MAX) {
		w[0] = 0xcc;
		w[1] = (uint8_t)v;
		return 2;
	}
	if (v <= UINT16_MAX) {
		w[0] = 0xcd;
		put_be16(w + 1, (uint16_t)v);
		return 3;
	}
	if (v <= UINT32_MAX) {
		w[0] = 0xce;
		put_be32(w + 1, (uint32_t)v);
		return 5;
	}
	w[0] = 0xcf;
	put_be64(w + 1, v);
	return 9;
}

static inline size_t encode_int(uint8_t *w, int64_t v)
{
	if (v >= 0)
		return encode_uint(w, (uint64_t)v);
	if (v >= -32) {
		w[0] = (uint8_t)v;
		return 1;
	}
	if (v >= INT8_MIN) {
		w[0] = 0xd0;
		w[1] = (uint8_t)v;
		return 2;
	}
	if (v >= INT16_MIN) {
		w[0] = 0xd1;
		put_be16(w + 1, (uint16_t)v);
		return 3;
	}
	if (v >= INT32_MIN) {
		w[0] = 0xd2;
		put_be32(w + 1, (uint32_t)v);
		return 5;
	}
	w[0] = 0xd3;
	put_be64(w + 1, (uint64_t)v);
	return 9;
}

static inline size_t encode_float(uint8_t *w, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	w[0] = 0xcb;
	put_be64(w + 1, bits);
	return 9;
}

static inline size_t str_head_size(uint32_t len)
{
	return len < 32 ? 1 : len <= UINT8_MAX ? 2 : len <= UINT16_MAX ? 3 : 5;
}

/* Writes exactly str_head_size(len) bytes. */
static inline size_t encode_str_head(uint8_t *w, uint32_t len)
{
	if (len < 32) {
		w[0] = (uint8_t)(0xa0 | len);
		return 1;
	}
	if (len <= UINT8_MAX) {
		w[0] = 0xd9;
		w[1] = (uint8_t)len;
		return 2;
	}
	if (len <= UINT16_MAX) {
		w[0] = 0xda;
		put_be16(w + 1, (uint16_t)len);
		return 3;
	}
	w[0] = 0xdb;
	put_be32(w + 1, len);
	return 5;
}

static inline size_t container_head_size(uint32_t count)
{
	return count < 16 ? 1 : count <= UINT16_MAX ? 3 : 5;
}

/* Writes exactly container_head_size(count) bytes. */
static inline size_t encode_container_head(uint8_t *w, uint32_t count, int map)
{
	if (count < 16) {
		w[0] = (uint8_t)((map ? 0x80 : 0x90) | count);
		return 1;
	}
	if (count <= UINT16_MAX) {
		w[0] = map ? 0xde : 0xdc;
		put_be16(w + 1, (uint16_t)count);
		return 3;
	}
	w[0] = map ? 0xdf : 0xdd;
	put_be32(w + 1, count);
	return 5;
}

/* The five-byte form, whatever the count. */
static inline void encode_container_wide(uint8_t *w, uint32_t count, int map)
{
	w[0] = map ? 0xdf : 0xdd;
	put_be32(w + 1, count);
}

#endif
