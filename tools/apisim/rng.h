/* Deterministic pseudo-random numbers. Every byte of the simulated world is a
 * function of a seed and a position, so nothing here may ever depend on time,
 * addresses or the order of calls from outside. */
#ifndef APISIM_RNG_H
#define APISIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t mix64(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* Two numbers to one, well spread; hash2(a, b) differs from hash2(b, a). */
static inline uint64_t hash2(uint64_t a, uint64_t b)
{
	return mix64(a + 0x9e3779b97f4a7c15u * (mix64(b + 0x632be59bd9b4e019u) | 1u));
}

static inline uint64_t rng_next(struct rng *r)
{
	r->state += 0x9e3779b97f4a7c15u;
	return mix64(r->state);
}

/* 0 <= result < n; 0 when n is 0. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)(((rng_next(r) >> 32) * n) >> 32);
}

/* lo <= result <= hi. */
static inline uint32_t rng_range(struct rng *r, uint32_t lo, uint32_t hi)
{
	return hi <= lo ? lo : lo + rng_below(r, hi - lo + 1);
}

static inline bool rng_chance(struct rng *r, uint32_t permille)
{
	return rng_below(r, 1000) < permille;
}

/* FNV-1a, widened: good enough to name a listing or a body. */
static inline uint64_t hash_bytes(const void *data, uint64_t n, uint64_t start)
{
	const unsigned char *p = data;
	uint64_t h = start ^ 0xcbf29ce484222325u;

	for (uint64_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return mix64(h);
}

#endif
