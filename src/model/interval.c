/*
 * interval: sets of spans as sorted arrays. A change computes the pieces that replace the touched stretch
 * first and swaps them in last, so that a failure never leaves half of it behind.
 */
#include <model/interval.h>

#include <codec/msgpack.h>

#include <assert.h>
#include <stdlib.h>

void intervals_release(struct intervals *s)
{
	free(s->items);
	*s = (struct intervals){0};
}

static int reserve(struct intervals *s, size_t count)
{
	if (count > INTERVALS_MAX)
		return ERR_LIMIT;
	if (count <= s->cap)
		return 0;
	size_t cap = s->cap ? s->cap : 4;
	while (cap < count)
		cap *= 2;
	struct interval *items = realloc(s->items, cap * sizeof *items);
	if (!items)
		return ERR_NOMEM;
	s->items = items;
	s->cap = cap;
	return 0;
}

int intervals_copy(const struct intervals *from, struct intervals *to)
{
	if (from == to)
		return 0;
	int rc = reserve(to, from->count);
	if (rc)
		return rc;
	if (from->count)
		memcpy(to->items, from->items, from->count * sizeof *from->items);
	to->count = from->count;
	return 0;
}

/* Appends at the end, where it may join the last span. Empty spans are dropped. */
static int append(struct intervals *s, int64_t start_ms, int64_t end_ms, int64_t as_of_ms)
{
	if (start_ms >= end_ms)
		return 0;
	if (s->count) {
		struct interval *last = &s->items[s->count - 1];
		if (last->end_ms == start_ms && last->as_of_ms == as_of_ms) {
			last->end_ms = end_ms;
			return 0;
		}
	}
	int rc = reserve(s, s->count + 1);
	if (rc)
		return rc;
	s->items[s->count++] = (struct interval){start_ms, end_ms, as_of_ms};
	return 0;
}

/* The first span whose end is at or after t: spans before it neither meet nor touch what starts at t. */
static size_t find(const struct intervals *s, int64_t t_ms)
{
	size_t lo = 0, hi = s->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (s->items[mid].end_ms < t_ms)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Puts the pieces in the place of spans [lo, hi) and frees them. */
static int replace(struct intervals *s, size_t lo, size_t hi, struct intervals *pieces, int rc)
{
	size_t count = s->count - (hi - lo) + pieces->count;

	if (rc == 0)
		rc = reserve(s, count);
	if (rc == 0 && s->items) {
		memmove(s->items + lo + pieces->count, s->items + hi,
			(s->count - hi) * sizeof *s->items);
		if (pieces->count)
			memcpy(s->items + lo, pieces->items, pieces->count * sizeof *s->items);
		s->count = count;
	}
	intervals_release(pieces);
	return rc;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* One old span under the new one: what lies before it, the new one's part up to it, both, what lies behind. */
static int overlay(struct intervals *pieces, struct interval old, struct interval span, int64_t *at_ms)
{
	int64_t start = later(old.start_ms, span.start_ms), end = earlier(old.end_ms, span.end_ms);
	int rc = append(pieces, old.start_ms, earlier(old.end_ms, span.start_ms), old.as_of_ms);

	if (rc == 0)
		rc = append(pieces, *at_ms, earlier(old.start_ms, span.end_ms), span.as_of_ms);
	if (rc == 0)
		rc = append(pieces, start, end, later(old.as_of_ms, span.as_of_ms));
	if (rc == 0)
		rc = append(pieces, later(old.start_ms, span.end_ms), old.end_ms, old.as_of_ms);
	*at_ms = later(*at_ms, end);
	return rc;
}

int intervals_add(struct intervals *s, struct interval span)
{
	struct intervals pieces = {0};
	int64_t at = span.start_ms;
	int rc = 0;

	assert(span.start_ms != TIME_NONE);
	if (span.start_ms >= span.end_ms)
		return 0;
	if (s->count == 0 || s->items[s->count - 1].end_ms <= span.start_ms)
		return append(s, span.start_ms, span.end_ms, span.as_of_ms);
	size_t lo = find(s, span.start_ms), hi = lo;
	for (; rc == 0 && hi < s->count && s->items[hi].start_ms <= span.end_ms; hi++)
		rc = overlay(&pieces, s->items[hi], span, &at);
	if (rc == 0)
		rc = append(&pieces, at, span.end_ms, span.as_of_ms);
	return replace(s, lo, hi, &pieces, rc);
}

int intervals_remove(struct intervals *s, int64_t start_ms, int64_t end_ms)
{
	struct intervals pieces = {0};
	int rc = 0;

	if (start_ms >= end_ms)
		return 0;
	size_t lo = find(s, start_ms), hi = lo;
	for (; rc == 0 && hi < s->count && s->items[hi].start_ms < end_ms; hi++) {
		struct interval old = s->items[hi];
		rc = append(&pieces, old.start_ms, earlier(old.end_ms, start_ms), old.as_of_ms);
		if (rc == 0)
			rc = append(&pieces, later(old.start_ms, end_ms), old.end_ms, old.as_of_ms);
	}
	return replace(s, lo, hi, &pieces, rc);
}

bool intervals_contain(const struct intervals *s, int64_t start_ms, int64_t end_ms)
{
	for (size_t i = find(s, start_ms); i < s->count && start_ms < end_ms; i++) {
		if (s->items[i].start_ms > start_ms)
			return false;
		start_ms = s->items[i].end_ms;
	}
	return start_ms >= end_ms;
}

int intervals_clip(const struct intervals *s, int64_t start_ms, int64_t end_ms, struct intervals *out)
{
	int rc = 0;

	for (size_t i = find(s, start_ms); rc == 0 && i < s->count && s->items[i].start_ms < end_ms;
	     i++)
		rc = append(out, later(s->items[i].start_ms, start_ms),
			    earlier(s->items[i].end_ms, end_ms), s->items[i].as_of_ms);
	return rc;
}

int intervals_gaps(const struct intervals *s, int64_t start_ms, int64_t end_ms, struct intervals *out)
{
	int64_t at = start_ms;
	int rc = 0;

	for (size_t i = find(s, start_ms); rc == 0 && i < s->count && s->items[i].start_ms < end_ms;
	     i++) {
		rc = append(out, at, s->items[i].start_ms, TIME_NONE);
		at = later(at, s->items[i].end_ms);
	}
	return rc ? rc : append(out, at, end_ms, TIME_NONE);
}

bool intervals_valid(const struct intervals *s)
{
	if (s->count > INTERVALS_MAX)
		return false;
	for (size_t i = 0; i < s->count; i++) {
		const struct interval *now = &s->items[i], *before = i ? now - 1 : NULL;
		if (now->start_ms < TIME_MIN || now->start_ms >= now->end_ms)
			return false;
		if (before && before->end_ms > now->start_ms)
			return false;
		if (before && before->end_ms == now->start_ms && before->as_of_ms == now->as_of_ms)
			return false;
	}
	return true;
}

void intervals_encode(const struct intervals *s, struct buf *out)
{
	mp_put_array(out, (uint32_t)s->count);
	for (size_t i = 0; i < s->count; i++) {
		mp_put_array(out, 3);
		mp_put_int(out, s->items[i].start_ms);
		mp_put_int(out, s->items[i].end_ms);
		mp_put_int(out, s->items[i].as_of_ms);
	}
}

static bool get_int(struct mp_reader *r, int64_t *out)
{
	struct mp_value v;

	if (mp_next(r, &v) != 1 || v.type != MP_INT)
		return false;
	*out = v.integer;
	return true;
}

static int decode_items(struct mp_reader *r, uint32_t count, struct intervals *out)
{
	struct mp_value head;

	for (uint32_t i = 0; i < count; i++) {
		struct interval *item = &out->items[i];
		if (mp_next(r, &head) != 1 || head.type != MP_ARRAY || head.count != 3 ||
		    !get_int(r, &item->start_ms) || !get_int(r, &item->end_ms) ||
		    !get_int(r, &item->as_of_ms))
			return ERR_CORRUPT;
	}
	out->count = count;
	return r->at == r->end && intervals_valid(out) ? 0 : ERR_CORRUPT;
}

int intervals_decode(struct bytes whole, struct intervals *out)
{
	struct mp_reader r = mp_reader_of(whole);
	struct intervals got = {0};
	struct mp_value head;

	if (mp_next(&r, &head) != 1 || head.type != MP_ARRAY || head.count > INTERVALS_MAX)
		return ERR_CORRUPT;
	int rc = reserve(&got, head.count);
	if (rc == 0)
		rc = decode_items(&r, head.count, &got);
	if (rc)
		intervals_release(&got);
	else
		*out = got;
	return rc;
}
