/* stream: see the header. Whoever reads slowly slows only his own question: it stands until his connection has room. */
#include "stream.h"

#include "live.h"
#include "pairs.h"

#include <codec/msgpack.h>

#include <stdlib.h>

struct stream {
	bool blocked; /* until the connection has room */
	int64_t told_us;
	uint64_t rows; /* that went out */
	void (*answer)(struct reading *g);
};

static void notify(struct reading *g, const struct buf *params)
{
	if (!params->error)
		request_notify(g->request, "records", buf_bytes(params));
	g->stream->told_us = clock_mono_us();
	g->stream->blocked = request_backlog(g->request) > SESSION_UNSENT_LOW;
}

static void put_head(struct reading *g, uint32_t pairs, struct buf *out)
{
	mp_put_map(out, pairs);
	mp_put_cstr(out, "id");
	buf_put_bytes(out, g->request->rpc.id);
}

static bool tell_worth(struct reading *g)
{
	struct buf params = {0};

	put_head(g, 3, &params);
	int rc = reading_put_freshness(g, 0, false, &params);
	mp_put_cstr(&params, "rows");
	mp_put_array(&params, 0);
	rc = rc ? rc : params.error;
	if (rc == 0)
		notify(g, &params);
	buf_release(&params);
	if (rc)
		reading_no_memory(g);
	return rc == 0;
}

bool stream_begin(struct reading *g)
{
	if (g->request->rpc.notification) {
		request_error(g->request, RPC_INVALID_REQUEST, "stream", NULL, "'stream' needs an id");
		return false;
	}
	g->stream = calloc(1, sizeof *g->stream);
	if (g->stream)
		return tell_worth(g);
	reading_no_memory(g);
	return false;
}

static void tell_rows(struct reading *g)
{
	struct stream *s = g->stream;
	struct buf params = {0};
	char cursor[CURSOR_TEXT_MAX];
	uint32_t rows = (uint32_t)(reading_result(g)->rows - s->rows);

	live_look(g->request, buf_bytes(&g->rows));
	put_head(g, 3, &params);
	mp_put_cstr(&params, "rows");
	mp_put_array(&params, rows);
	buf_put_bytes(&params, buf_bytes(&g->rows));
	put_text(&params, "next_cursor", reading_cursor(g, cursor));
	buf_reset(&g->rows);
	buf_give_back(&g->rows, 2 * STREAM_PIECE_BYTES);
	s->rows += rows;
	g->told = true;
	notify(g, &params);
	buf_release(&params);
}

static bool is_due(const struct reading *g, bool over)
{
	return g->rows.len >= STREAM_PIECE_BYTES ||
	       (g->rows.len && (over || clock_mono_us() - g->stream->told_us >= STREAM_PIECE_US));
}

static bool slice(void *ctx)
{
	struct reading *g = ctx;
	struct why why = {""};
	int64_t end_us = clock_mono_us() + loop_slice_us(g->request->daemon->loop);
	int rc = 1;

	if (g->stream->blocked)
		return false;
	while (rc > 0 && clock_mono_us() < end_us && g->rows.len < STREAM_PIECE_BYTES)
		rc = reading_step(g, &why);
	if (!reading_has_room(g))
		return false;
	if (is_due(g, rc <= 0))
		tell_rows(g);
	if (rc > 0)
		return !g->stream->blocked;
	if (rc < 0)
		reading_fail(g, rc, &why);
	else
		g->stream->answer(g);
	return false;
}

static void on_drained(struct request *r)
{
	struct reading *g = r->state;

	if (!g->stream->blocked)
		return;
	g->stream->blocked = false;
	task_start(g->task);
}

void stream_go(struct reading *g, void (*answer)(struct reading *g))
{
	g->stream->answer = answer;
	g->task = task_new(g->request->daemon->loop, slice, g);
	if (!g->task) {
		reading_no_memory(g);
		return;
	}
	g->request->drained = on_drained;
	if (reading_end_within(g, READING_HOLD_MS))
		task_start(g->task);
}
