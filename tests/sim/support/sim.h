/*
 * sim: io/loop.h and io/http.h over a clock that only tests move. Stands in for src/io at link time: days pass in milliseconds, and nothing leaves the
 * process.
 */
#ifndef FIC_TEST_SIM_H
#define FIC_TEST_SIM_H

#include <io/http.h>
#include <io/loop.h>

/* A loop whose clocks begin at `wall_ms` and 1,000,000 (monotonic). */
struct loop *sim_loop_new(int64_t wall_ms);
/* Runs what is due until `mono_ms`, or until `enough` (NULL: never) says so after a turn; true when it did. */
bool sim_run(struct loop *l, int64_t mono_ms, bool (*enough)(void *ctx), void *ctx);
/* Our wall clock is stepped; the monotonic one is not. */
void sim_step_wall(struct loop *l, int64_t by_ms);

/* What a server answers. */
struct sim_answer {
	enum http_outcome outcome; /* HTTP_OK unless it never came to an answer */
	int status;
	struct buf body;
	int64_t date_ms; /* TIME_NONE: no Date header */
	char retry_after[40], etag[96], link[256], location[256];
	char rate_tier[16]; /* the class of routes that a 429 is about */
	int64_t rate_limit, rate_remaining, rate_reset; /* -1: no such header */
};

/* Called when a request has reached the server. `headers` as in struct http_request. */
typedef void sim_serve(void *ctx, const struct http_request *request, struct sim_answer *out);
/* Every call takes between `latency_ms` and twice that. */
void sim_http_serve(struct http *h, sim_serve *serve, void *ctx, int64_t latency_ms, uint64_t seed);

/* A small generator, the same everywhere. */
uint64_t sim_random(uint64_t *state);
static inline uint64_t sim_below(uint64_t *state, uint64_t n)
{
	return n ? sim_random(state) % n : 0;
}

#endif
