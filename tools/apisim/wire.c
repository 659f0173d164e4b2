/* Makes HTTP answers: headers, gzip, and bodies that are spoilt on purpose
 * where a fault says so. Must never spoil what no fault asked for. */
#include "wire.h"

#include "api.h"
#include "clock.h"
#include "rng.h"
#include "settings.h"
#include "stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

void wire_date(struct MHD_Response *res)
{
	time_t now = (time_t)clock_now();
	struct tm tm;
	char text[40];

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	MHD_add_response_header(res, "Date", text);
}

static void add_headers(struct request *r, struct MHD_Response *res, const struct call *c)
{
	if (c->out.len || c->status != 204)
		MHD_add_response_header(res, "Content-Type", c->content_type);
	for (unsigned i = 0; i < c->header_count; i++)
		MHD_add_response_header(res, c->headers[i].name, c->headers[i].value);
	r->tells = c->authorized;
	r->words = c->words;
	r->retry_after_s = c->tier ? 0 : c->retry_after_s; /* others need not wait */
}

/* gzip, when it was asked for and pays. */
static bool compress_body(struct call *c)
{
	const char *accepted = c->in->header(c->in->from, "Accept-Encoding");
	z_stream z = {0};
	struct buf packed = {0};

	if (!settings.gzip || !accepted || !strstr(accepted, "gzip") || c->out.len < 256)
		return false;
	if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	buf_need(&packed, deflateBound(&z, (uLong)c->out.len));
	z.next_in = (unsigned char *)c->out.p;
	z.avail_in = (uInt)c->out.len;
	z.next_out = (unsigned char *)packed.p;
	z.avail_out = (uInt)packed.cap;
	deflate(&z, Z_FINISH);
	packed.len = z.total_out;
	deflateEnd(&z);
	buf_release(&c->out);
	c->out = packed;
	return true;
}

/* Bodies that do not come at once and whole. */
struct spill {
	struct request *request;
	struct MHD_Connection *conn;
	char *data;
	uint64_t len, cut;    /* cut: bytes before the connection breaks */
	uint32_t bytes_per_s; /* 0: as fast as may be */
	int64_t began_ms;
	bool endless; /* huge: blanks after the data */
};

static ssize_t spill_read(void *cls, uint64_t pos, char *out, size_t max)
{
	struct spill *s = cls;
	uint64_t until = s->cut, n;

	if (s->bytes_per_s) {
		uint64_t allowed = (uint64_t)(clock_mono_ms() - s->began_ms) * s->bytes_per_s / 1000 +
				   1;

		if (allowed <= pos && pos < until) {
			request_sleep(s->request, s->conn,
				      clock_mono_ms() + 1000 / s->bytes_per_s + 5);
			return 0;
		}
		until = allowed < until ? allowed : until;
	}
	if (pos >= s->cut)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = until - pos < max ? until - pos : max;
	if (s->endless && pos >= s->len)
		memset(out, ' ', (size_t)n);
	else {
		n = s->endless && pos + n > s->len ? s->len - pos : n;
		memcpy(out, s->data + pos, (size_t)n);
	}
	return (ssize_t)n;
}

static void spill_free(void *cls)
{
	struct spill *s = cls;

	free(s->data);
	free(s);
}

static struct spill *spill_new(struct request *r, struct MHD_Connection *conn, struct buf *body)
{
	struct spill *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->request = r;
	s->conn = conn;
	s->data = body->p;
	s->len = s->cut = body->len;
	s->began_ms = clock_mono_ms();
	*body = (struct buf){0};
	return s;
}

static struct MHD_Response *spill_response(struct spill *s, uint64_t length)
{
	return MHD_create_response_from_callback(length, 16384, spill_read, s, spill_free);
}

struct MHD_Response *wire_plain(struct buf *body)
{
	struct MHD_Response *res = MHD_create_response_from_buffer(
		body->len, body->len ? body->p : (void *)(uintptr_t) "",
		body->len ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);

	if (body->len)
		*body = (struct buf){0};
	return res;
}

/* The body on the wire, spoilt where the fault says so. */
static struct MHD_Response *make_response(struct request *r, struct MHD_Connection *conn,
					  struct call *c)
{
	const struct fault *f = c->fault;
	struct MHD_Response *res;
	struct spill *s;

	switch (f ? f->kind : FAULT_NONE) {
	case FAULT_TRUNCATE:
		s = spill_new(r, conn, &c->out);
		s->cut = s->len / 2;
		return spill_response(s, s->len);
	case FAULT_DRIP:
		s = spill_new(r, conn, &c->out);
		s->bytes_per_s = f->bytes_per_s;
		return spill_response(s, s->len);
	case FAULT_HUGE:
		buf_lit(&c->out, "{\"type\":\"list\",\"data\":[");
		s = spill_new(r, conn, &c->out);
		s->endless = true;
		s->cut = (uint64_t)f->size_mb << 20;
		return spill_response(s, s->cut);
	/* Too long a length: the connection closes before the rest comes. Too short a one: the
	 * reader stops in the middle. */
	case FAULT_WRONG_LENGTH:
		if (f->delta >= 0) {
			s = spill_new(r, conn, &c->out);
			s->cut = s->len;
			return spill_response(s, s->len + (uint64_t)f->delta);
		}
		c->out.len -= c->out.len < (uint64_t)-f->delta ? c->out.len : (size_t)-f->delta;
		res = wire_plain(&c->out);
		MHD_add_response_header(res, "Connection", "close");
		return res;
	default: return wire_plain(&c->out);
	}
}

/* Compares what the client holds with what it would get. */
static bool unchanged(struct call *c, char etag[40])
{
	const char *held = c->in->header(c->in->from, "If-None-Match");
	uint64_t h = hash_bytes(c->out.p, c->out.len, (uint64_t)c->version);

	snprintf(etag, 40, "W/\"%016llx%016llx\"", (unsigned long long)h,
		 (unsigned long long)mix64(h + c->out.len));
	return c->snapshot && c->status == 200 && held && strstr(held, etag) && !c->spoiled;
}

void wire_finish(struct request *r, struct MHD_Connection *conn, struct call *c)
{
	char etag[40];
	bool packed = false;

	if (unchanged(c, etag)) {
		c->status = 304;
		buf_reset(&c->out);
	} else {
		packed = compress_body(c);
	}
	stats_answer(c->status, c->out.len);
	r->status = (unsigned)c->status;
	r->answer = make_response(r, conn, c);
	if (!r->answer)
		abort();
	if (packed)
		MHD_add_response_header(r->answer, "Content-Encoding", "gzip");
	if (api->etags && (c->status == 200 || c->status == 304))
		MHD_add_response_header(r->answer, "ETag", etag);
	add_headers(r, r->answer, c);
	wire_date(r->answer);
}
