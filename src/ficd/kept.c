/*
 * kept: see the header.
 *
 * The key is all that rows depend on beside the records: the parameters as they came, the span and the condition as they were understood at this moment ("since 2 hours
 * ago" is another question a second later), the rules of the time zone, and the source. Whoever reads a condition puts it into asks.where. Records of both the resource and its
 * children count, by the version of their state.
 */
#include "kept.h"

#include "method.h"
#include "overlay.h"

#define SHORT_US 200

static void put_number(struct buf *b, int64_t v)
{
	uint8_t word[8];

	put_le64(word, (uint64_t)v);
	buf_put(b, word, sizeof word);
}

static void put_part(struct buf *b, struct bytes part)
{
	put_number(b, (int64_t)part.len);
	buf_put_bytes(b, part);
}

/* Its values may be names that stand for something else by now. The depth is limited where it is parsed. */
static void put_where(struct buf *b, const struct where *w)
{
	for (const struct where_value *v = w->values; v; v = v->next) {
		put_part(b, v->text);
		put_number(b, v->is_time ? v->time.start_ms : 0);
		put_number(b, v->is_time ? v->time.end_ms : 0);
	}
	for (const struct where *child = w->child; child; child = child->next)
		put_where(b, child);
}

static int make_key(struct reading *g)
{
	struct buf *b = &g->key;

	buf_reset(b);
	put_part(b, bytes_str(g->request->method->name));
	put_part(b, bytes_str(g->source->config->name));
	put_part(b, bytes_str(g->type->name));
	put_number(b, g->question.start_ms);
	put_number(b, g->question.end_ms);
	put_part(b, g->request->rpc.params);
	put_number(b, (int64_t)zone_hash(g->zone));
	if (g->asks.where)
		put_where(b, g->asks.where);
	return b->error;
}

static uint64_t version_of(const struct reading *g)
{
	uint64_t own = snapshot_version(g->view, g->type->name);
	uint64_t children = g->type->child ? snapshot_version(g->view, g->type->child) : 0;

	return own > children ? own : children;
}

/* Which records these are: a source's resource. */
static unsigned scope_of(const struct reading *g)
{
	unsigned source = (unsigned)(g->source - g->request->daemon->sources);

	return (source * CONFIG_RESOURCES_MAX + (unsigned)(g->type - g->source->provider->types)) %
	       ANSWER_SCOPES;
}

static struct asked asked_of(const struct reading *g)
{
	return (struct asked){buf_bytes(&g->key), scope_of(g), version_of(g)};
}

const struct answer *kept_find(struct reading *g)
{
	struct answers *kept = g->request->daemon->kept;

	/* What a provider said just now, what edits say, and what is left of what is damaged, is not what the records say; and of several sources each has a version of
	 * its own. */
	if (!kept || g->next || g->request->live || g->request->damaged || overlay_any(g->source) ||
	    make_key(g))
		return NULL;
	const struct asked asked = asked_of(g);
	const struct answer *known = answers_find(kept, &asked);
	g->keeps = !known;
	if (g->keeps) {
		g->began_us = clock_mono_us();
		g->began_thread_us = loop_thread_us(g->request->daemon->loop);
	}
	return known;
}

void kept_resume(struct reading *g)
{
	if (!g->keeps)
		return;
	g->began_us = clock_mono_us();
	g->began_thread_us = clock_thread_us();
}

/* Processor time is a system call: what took little time took as much of it. */
static int64_t worked_us(const struct reading *g)
{
	int64_t us = clock_mono_us() - g->began_us;

	if (us >= SHORT_US) {
		int64_t thread_us = clock_thread_us() - g->began_thread_us;
		us = thread_us < us ? thread_us : us;
	}
	return us > 0 ? us : 0;
}

void kept_pause(struct reading *g)
{
	if (g->keeps)
		g->cost_us += worked_us(g);
}

void kept_note(struct reading *g, const struct answer *answer)
{
	struct answer own = *answer;

	/* What is left of a page that is short for want of room comes at once when there is room again. */
	if (!g->keeps || (g->crowded && answer->more))
		return;
	const struct asked asked = asked_of(g);
	kept_pause(g);
	own.cost_us = (uint32_t)g->cost_us;
	answers_keep(g->request->daemon->kept, &asked, &own);
}

void kept_splice(struct reading *g, const struct answer *answer)
{
	const struct json_piece piece = {
		.bytes = answer->rows, .array = true, .values = answer->row_count};

	request_splice(g->request, &piece);
}
