/*
 * kept: see the header.
 *
 * The key is all that rows depend on beside the records: the parameters as they came, the span and the condition as they were understood at this moment ("since 2 hours
 * ago" is another question a second later), the source, and the form of the connection. Records of both the resource and its children count, by the version of their state.
 */
#include "kept.h"

#include "method.h"

#include <codec/json.h>
#include <codec/msgpack.h>

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
	buf_put_byte(b, request_takes_json(g->request));
	put_part(b, bytes_str(g->request->method->name));
	put_part(b, bytes_str(g->source->config->name));
	put_part(b, bytes_str(g->type->name));
	put_number(b, g->question.start_ms);
	put_number(b, g->question.end_ms);
	put_part(b, g->request->rpc.params);
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

	/* What a provider said just now, and what is left of what is damaged, is not what the records say. */
	if (!kept || g->request->live || g->request->damaged || make_key(g))
		return NULL;
	const struct asked asked = asked_of(g);
	const struct answer *known = answers_find(kept, &asked);
	g->known = known != NULL;
	g->keeps = !known;
	return known;
}

/* Rows as JSON, with commas between. */
static int write_rows(struct bytes rows, struct buf *out)
{
	struct mp_reader r = mp_reader_of(rows);
	struct bytes row;
	int rc = 0;

	while (!rc && mp_take(&r, &row) == 1) {
		if (out->len)
			buf_put_byte(out, ',');
		rc = json_write(row, out);
	}
	return rc ? rc : out->error;
}

void kept_note(struct reading *g, const struct answer *answer)
{
	struct answers *kept = g->request->daemon->kept;
	struct buf texts[ANSWER_PARTS] = {{.max = ANSWER_BYTES_MAX}, {.max = ANSWER_BYTES_MAX}};
	struct answer own = *answer;
	int rc = 0;

	if (!g->keeps)
		return;
	const struct asked asked = asked_of(g);
	own.cost_us = (uint32_t)(clock_mono_us() - g->request->began_us);
	if (!answers_wants(kept, &asked, &own))
		return;
	for (unsigned i = 0; !rc && request_takes_json(g->request) && i < ANSWER_PARTS; i++) {
		rc = write_rows(answer->parts[i], &texts[i]);
		own.parts[i] = buf_bytes(&texts[i]);
	}
	if (!rc)
		answers_keep(kept, &asked, &own);
	for (unsigned i = 0; i < ANSWER_PARTS; i++)
		buf_release(&texts[i]);
}

void kept_splice(struct reading *g, const struct answer *answer, unsigned part, bool array)
{
	const struct json_piece piece = {.bytes = answer->parts[part],
					 .text = g->known && request_takes_json(g->request),
					 .array = array,
					 .values = answer->rows[part]};

	request_splice(g->request, &piece);
}
