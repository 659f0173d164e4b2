/*
 * coverage: held spans and the changes chain. Must never say more than was read: whatever cannot be recorded is
 * an error, and what is in doubt is not known.
 */
#include <model/coverage.h>

#include <codec/msgpack.h>

#include <assert.h>

void coverage_init(struct coverage *c)
{
	*c = (struct coverage){.chain_start_ms = TIME_NONE, .chain_end_ms = TIME_NONE};
}

void coverage_release(struct coverage *c)
{
	intervals_release(&c->held);
	coverage_init(c);
}

int coverage_copy(const struct coverage *from, struct coverage *to)
{
	int rc = intervals_copy(&from->held, &to->held);

	if (rc)
		return rc;
	to->chain_start_ms = from->chain_start_ms;
	to->chain_end_ms = from->chain_end_ms;
	return 0;
}

static bool has_chain(const struct coverage *c)
{
	return c->chain_start_ms != TIME_NONE;
}

int64_t coverage_as_of(const struct coverage *c, struct interval span)
{
	if (has_chain(c) && span.as_of_ms >= c->chain_start_ms && span.as_of_ms <= c->chain_end_ms)
		return c->chain_end_ms;
	return span.as_of_ms;
}

int coverage_hold(struct coverage *c, struct interval span)
{
	assert(span.as_of_ms != TIME_NONE);
	span.as_of_ms = coverage_as_of(c, span);
	if (span.end_ms > span.as_of_ms)
		span.end_ms = span.as_of_ms;
	return intervals_add(&c->held, span);
}

int coverage_withdraw(struct coverage *c, int64_t start_ms, int64_t end_ms)
{
	return intervals_remove(&c->held, start_ms, end_ms);
}

/* Gives every span its effective as_of. In place: spans only ever merge, so this cannot fail. */
static void settle(struct coverage *c)
{
	struct intervals *held = &c->held;
	size_t n = 0;

	for (size_t i = 0; i < held->count; i++) {
		struct interval span = held->items[i];
		span.as_of_ms = coverage_as_of(c, span);
		struct interval *last = n ? &held->items[n - 1] : NULL;
		if (last && last->end_ms == span.start_ms && last->as_of_ms == span.as_of_ms)
			last->end_ms = span.end_ms;
		else
			held->items[n++] = span;
	}
	held->count = n;
}

void coverage_chain_start(struct coverage *c, int64_t t_ms)
{
	assert(t_ms != TIME_NONE);
	settle(c); /* what the old chain proved stays proved */
	c->chain_start_ms = t_ms;
	c->chain_end_ms = t_ms;
}

int coverage_chain_extend(struct coverage *c, int64_t from_ms, int64_t to_ms)
{
	if (!has_chain(c) || from_ms == TIME_NONE || from_ms > c->chain_end_ms)
		return ERR_INVALID;
	if (to_ms < c->chain_end_ms)
		return 0;
	int rc = intervals_add(&c->held, (struct interval){from_ms, to_ms, to_ms});
	if (rc)
		return rc;
	c->chain_end_ms = to_ms;
	settle(c);
	return 0;
}

int64_t coverage_end(const struct coverage *c)
{
	return c->held.count ? c->held.items[c->held.count - 1].end_ms : TIME_NONE;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int known_by_creation(const struct coverage *c, struct intervals *out)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->held.count; i++) {
		struct interval span = c->held.items[i];
		span.as_of_ms = coverage_as_of(c, span);
		rc = intervals_add(out, span);
	}
	return rc;
}

/* The lowest unbroken run of spans; `floor_ms` is the oldest state shown so far, past which only the chain knows of updates. */
static int known_by_update(const struct coverage *c, struct intervals *out)
{
	int64_t floor_ms = TIME_MAX;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->held.count; i++) {
		struct interval span = c->held.items[i];
		if (i && c->held.items[i - 1].end_ms != span.start_ms)
			return 0;
		floor_ms = earlier(floor_ms, coverage_as_of(c, span));
		rc = intervals_add(out, (struct interval){span.start_ms,
							  earlier(span.end_ms, floor_ms), floor_ms});
		if (rc == 0 && has_chain(c))
			rc = intervals_add(out,
					   (struct interval){later(later(span.start_ms, floor_ms),
								   c->chain_start_ms),
							     earlier(span.end_ms, c->chain_end_ms),
							     c->chain_end_ms});
	}
	return rc;
}

int coverage_known(const struct coverage *c, enum axis axis, struct intervals *out)
{
	return axis == AXIS_CREATED ? known_by_creation(c, out) : known_by_update(c, out);
}

double coverage_ratio(const struct coverage *c, int64_t start_ms, int64_t end_ms)
{
	double held = 0;

	if (start_ms >= end_ms)
		return 1;
	/* In doubles throughout: with an open bound the lengths do not fit 64 bits. */
	for (size_t i = 0; i < c->held.count; i++) {
		int64_t start = later(c->held.items[i].start_ms, start_ms);
		int64_t end = earlier(c->held.items[i].end_ms, end_ms);
		if (start < end)
			held += (double)end - (double)start;
	}
	double ratio = held / ((double)end_ms - (double)start_ms);
	return ratio > 1 ? 1 : ratio;
}

static void put_time(struct buf *out, int64_t ms)
{
	if (ms != TIME_NONE)
		mp_put_int(out, ms);
	else
		mp_put_nil(out);
}

void coverage_encode(const struct coverage *c, struct buf *out)
{
	mp_put_array(out, 3);
	intervals_encode(&c->held, out);
	put_time(out, c->chain_start_ms);
	put_time(out, c->chain_end_ms);
}

static bool get_time(struct mp_reader *r, int64_t *out)
{
	struct mp_value v;

	if (mp_next(r, &v) != 1 || (v.type != MP_NIL && v.type != MP_INT))
		return false;
	*out = v.type == MP_INT ? v.integer : TIME_NONE;
	return true;
}

static bool as_of_known(const struct intervals *held)
{
	for (size_t i = 0; i < held->count; i++)
		if (held->items[i].as_of_ms == TIME_NONE)
			return false;
	return true;
}

int coverage_decode(struct bytes whole, struct coverage *out)
{
	struct mp_reader r = mp_reader_of(whole);
	struct coverage got;
	struct mp_value head;
	struct bytes held;

	coverage_init(&got);
	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY || head.count != 3 ||
	    mp_take(&r, &held) != 1 || !get_time(&r, &got.chain_start_ms) ||
	    !get_time(&r, &got.chain_end_ms) || r.at != r.end)
		return ERR_CORRUPT;
	if ((got.chain_start_ms == TIME_NONE) != (got.chain_end_ms == TIME_NONE) ||
	    got.chain_start_ms > got.chain_end_ms)
		return ERR_CORRUPT;
	int rc = intervals_decode(held, &got.held);
	if (rc)
		return rc;
	if (!as_of_known(&got.held)) {
		coverage_release(&got);
		return ERR_CORRUPT;
	}
	*out = got;
	return 0;
}
