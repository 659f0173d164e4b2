/* several: see the header. Never asks anything itself: it prepares and sums up what the readings of the list do. */
#include "several.h"

#include "live.h"
#include "pairs.h"
#include "params.h"

#include <base/suggest.h>
#include <codec/msgpack.h>

#include <stdio.h>

#define NAMES_MAX 64

/* ---- fields ---- */

static size_t count_fields(const struct field *f)
{
	size_t n = 0;

	while (f && f[n].name)
		n++;
	return n;
}

/* `source`, as a field that has one value: all records of a reading are of one. */
static bool put_source(struct arena *a, const struct source *s, struct field *out)
{
	struct buf value = {0};

	buf_put_byte(&value, '=');
	mp_put_cstr(&value, s->config->name);
	char *path = value.error ? NULL : arena_str(a, buf_bytes(&value));
	buf_release(&value);
	*out = (struct field){"source", FIELD_TEXT, path, "the source that has it"};
	return path != NULL;
}

const struct field *several_table(struct arena *a, const struct source *s, const struct field *own,
				  const struct field *const *others, size_t count)
{
	size_t max = 2 + count_fields(own), n = 1; /* `source`, and the end */

	for (size_t i = 0; i < count; i++)
		max += count_fields(others[i]);
	struct field *table = arena_alloc(a, max * sizeof *table);
	if (!table || !put_source(a, s, &table[0]))
		return NULL;
	for (const struct field *f = own; f && f->name; f++)
		table[n++] = *f;
	for (size_t i = 0; i < count; i++)
		for (const struct field *f = others[i]; f && f->name; f++) {
			if (field_find(table, bytes_str(f->name)))
				continue;
			table[n] = *f;
			table[n++].path = field_nowhere;
		}
	return table;
}

int several_fields(struct reading *first)
{
	const struct field *all[CONFIG_SOURCES_MAX];
	size_t n = 0;

	for (const struct reading *g = first; g; g = g->next)
		all[n++] = g->type->fields;
	for (struct reading *g = first; g; g = g->next) {
		g->asked_fields = several_table(&g->arena, g->source, g->type->fields, all, n);
		if (!g->asked_fields)
			return ERR_NOMEM;
		g->fields = g->asked_fields + 1;
	}
	return 0;
}

int several_source(struct reading *g)
{
	if (!param_mentions(g->request, "where", "source") &&
	    !param_mentions(g->request, "group_by", "source"))
		return 0;
	g->asked_fields = several_table(&g->arena, g->source, g->type->fields, NULL, 0);
	return g->asked_fields ? 0 : ERR_NOMEM;
}

/* ---- resources ---- */

static bool has_name(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

void several_refuse(struct request *r, struct bytes resource)
{
	const char *names[NAMES_MAX + 1] = {NULL};
	char hint[80] = "'ficq fields' lists the resources of each source";
	size_t n = 0;

	for (size_t i = 0; i < r->daemon->source_count; i++) {
		const struct source *s = &r->daemon->sources[i];
		for (const struct resource_type *t = s->provider->types; t->name; t++)
			if (n < NAMES_MAX && source_type(s, bytes_str(t->name)) &&
			    !has_name(names, n, t->name))
				names[n++] = t->name;
	}
	const char *near = suggest(resource, names);
	if (near)
		snprintf(hint, sizeof hint, "did you mean '%s'?", near);
	request_error(r, RPC_INVALID_PARAMS, "resource", hint, "no source has a resource '%.*s'",
		      (int)(resource.len > 60 ? 60 : resource.len), (const char *)resource.data);
}

/* ---- verdicts ---- */

/* The sentence of the worst, with its name, and who else is behind. */
static void name_sources(const struct reading *first, struct verdicts *v)
{
	struct freshness *f = &v->joined;
	const struct reading *g = first;
	size_t worst = 0;

	if (f->state == FRESHNESS_FRESH)
		return;
	for (size_t i = 1; i < v->count; i++)
		if (v->each[i].state > v->each[worst].state)
			worst = i;
	for (size_t i = 0; i < worst; i++)
		g = g->next;
	snprintf(f->message, sizeof f->message, "%.60s: %.200s", g->source->config->name,
		 v->each[worst].message);
	g = first;
	for (size_t i = 0; i < v->count; i++, g = g->next) {
		size_t len = strlen(f->message);
		if (i != worst && v->each[i].state != FRESHNESS_FRESH)
			snprintf(f->message + len, sizeof f->message - len, "; %.60s is %s, too",
				 g->source->config->name, freshness_state_name(v->each[i].state));
	}
}

static int judge(struct reading *g, struct freshness *out)
{
	return source_judge(g->source, g->view, g->type, &g->question, out);
}

static int join(struct reading *first, struct verdicts *v)
{
	int rc = judge(first, &v->joined);

	if (rc)
		return rc;
	v->all = &v->joined;
	for (size_t i = 1; rc == 0 && i < v->count; i++)
		rc = freshness_join(&v->joined, &v->each[i]);
	if (rc)
		freshness_release(&v->joined);
	else
		name_sources(first, v);
	return rc;
}

int verdicts_judge(struct reading *first, struct verdicts *v)
{
	bool all = param_all_sources(first->request);
	int rc = 0;

	v->count = 0;
	v->joined.covered = v->joined.gaps = (struct intervals){0};
	for (struct reading *g = first; g && rc == 0; g = g->next) {
		rc = judge(g, &v->each[v->count]);
		v->count += rc == 0;
	}
	v->all = &v->each[0];
	if (rc == 0 && all)
		rc = join(first, v);
	if (rc) {
		v->joined.covered = v->joined.gaps = (struct intervals){0};
		verdicts_release(v);
	}
	return rc;
}

void verdicts_release(struct verdicts *v)
{
	for (size_t i = 0; i < v->count; i++)
		freshness_release(&v->each[i]);
	freshness_release(&v->joined);
}

/* What came of asking all providers: NULL when none was to be asked. */
static const struct live *join_live(const struct reading *first, struct live *sum)
{
	*sum = (struct live){.asked_ms = TIME_NONE};
	for (const struct reading *g = first; g; g = g->next) {
		const struct live *one = live_of(g->request, g->source);
		if (!one)
			continue;
		sum->begun = true;
		sum->single |= one->single;
		sum->limited |= one->limited;
		sum->count += one->count;
		if (sum->asked_ms == TIME_NONE ||
		    (one->asked_ms != TIME_NONE && one->asked_ms < sum->asked_ms))
			sum->asked_ms = one->asked_ms;
		/* A reason why not is worth more than a remark. */
		if (one->reason ? sum->reason != NULL : sum->message[0] || !one->message[0])
			continue;
		sum->reason = one->reason;
		snprintf(sum->message, sizeof sum->message, "%.60s: %.250s",
			 g->source->config->name, one->message);
	}
	return sum->begun ? sum : NULL;
}

/* "cache" or "live" when all of them are. */
static const char *origin(const struct reading *first, bool over)
{
	const char *word = live_source(live_of(first->request, first->source), over);

	for (const struct reading *g = first->next; g; g = g->next)
		if (strcmp(live_source(live_of(g->request, g->source), over), word) != 0)
			return "mixed";
	return word;
}

void verdicts_write(const struct verdicts *v, const struct reading *first, bool over, struct buf *out)
{
	const struct reading *g = first;
	struct live sum;
	const struct live *live = join_live(first, &sum);

	freshness_write(v->all, origin(first, over), live_pairs(live) + 1, out);
	live_put(live, out);
	mp_put_cstr(out, "sources");
	mp_put_array(out, (uint32_t)v->count);
	for (size_t i = 0; i < v->count; i++, g = g->next) {
		live = live_of(g->request, g->source);
		mp_put_map(out, 2);
		put_text(out, "source", g->source->config->name);
		mp_put_cstr(out, "freshness");
		freshness_write(&v->each[i], live_source(live, over), live_pairs(live), out);
		live_put(live, out);
	}
}
