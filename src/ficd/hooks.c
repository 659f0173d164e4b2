/* hooks: see the header. */
#include "hooks.h"

#include <base/log.h>

#include <stdlib.h>

#define GATHER_MS    10 /* what comes within this time is read together */
#define EVENTS_KEPT  1024
#define GATHERED_MAX SYNC_IDS_MAX

struct gathered {
	const struct resource_type *type;
	char ids[GATHERED_MAX][RECORD_ID_MAX + 1];
	unsigned count;
	bool all; /* whatever changed */
};

struct hooks {
	struct source *source;
	struct timer *timer;
	struct buf secret;
	uint64_t events[EVENTS_KEPT]; /* hashes of the last ones; 0: none */
	unsigned event_at;
	struct gathered gathered[4]; /* resources that webhooks are about at once; of more everything that changed is read */
	uint64_t counts[HOOK_RESULTS];
};

/* ---- the secret ---- */

void hooks_configure(struct hooks *h)
{
	const struct config_source *c = h->source->config;
	struct why why = {""};

	config_token_forget(&h->secret);
	if (!c->webhook_secret.name)
		return;
	if (config_token_read(&c->webhook_secret, &h->secret, &why))
		log_error("http", "webhooks are not taken: %s source=%s", why.text, c->name);
	else if (why.text[0])
		log_warn("http", "%s source=%s", why.text, c->name);
}

struct bytes hooks_secret(const struct hooks *h)
{
	return buf_bytes(&h->secret);
}

/* ---- reading what they are about ---- */

static void read_gathered(struct hooks *h, struct gathered *g)
{
	struct sync *sync = h->source->sync;
	struct bytes ids[GATHERED_MAX];
	uint64_t runs[CONFIG_RESOURCES_MAX], run;
	struct why why = {""};
	int rc = ERR_LIMIT;

	for (unsigned i = 0; i < g->count; i++)
		ids[i] = bytes_str(g->ids[i]);
	if (!g->all)
		rc = sync_wish_ids(sync, g->type, ids, g->count, &run, &why);
	/* Too much at once is what changed. */
	if (rc < 0)
		rc = sync_wish(sync, g->type, SYNC_CHANGES, runs, CONFIG_RESOURCES_MAX, &why);
	if (rc < 0)
		log_warn("http", "a webhook could not be followed: %s source=%s", why.text,
			 h->source->config->name);
	*g = (struct gathered){.type = NULL};
}

static void on_timer(void *ctx)
{
	struct hooks *h = ctx;

	for (size_t i = 0; i < sizeof h->gathered / sizeof *h->gathered; i++)
		if (h->gathered[i].type)
			read_gathered(h, &h->gathered[i]);
}

static struct gathered *gathered_of(struct hooks *h, const struct resource_type *type)
{
	size_t n = sizeof h->gathered / sizeof *h->gathered;

	for (size_t i = 0; i < n; i++)
		if (h->gathered[i].type == type || !h->gathered[i].type)
			return &h->gathered[i];
	read_gathered(h, &h->gathered[n - 1]);
	return &h->gathered[n - 1];
}

static bool has(const struct gathered *g, const char *id)
{
	for (unsigned i = 0; i < g->count; i++)
		if (strcmp(g->ids[i], id) == 0)
			return true;
	return false;
}

static void gather(struct hooks *h, const struct webhook_hint *hint)
{
	struct gathered *g = gathered_of(h, hint->type);

	g->type = hint->type;
	g->all |= hint->count == 0;
	for (unsigned i = 0; i < hint->count && !g->all; i++) {
		if (has(g, hint->ids[i]))
			continue;
		if (g->count == GATHERED_MAX)
			g->all = true;
		else
			strcpy(g->ids[g->count++], hint->ids[i]);
	}
	if (!timer_active(h->timer))
		timer_start(h->timer, GATHER_MS, 0);
}

/* ---- repetitions ---- */

static bool is_repeated(struct hooks *h, const char *event)
{
	uint64_t hash = bytes_hash(bytes_str(event)) | 1;

	if (!*event)
		return false;
	for (unsigned i = 0; i < EVENTS_KEPT; i++)
		if (h->events[i] == hash)
			return true;
	h->events[h->event_at++ % EVENTS_KEPT] = hash;
	return false;
}

enum hook_result hooks_take(struct hooks *h, const struct webhook_hint *hint)
{
	enum hook_result result = HOOK_TAKEN;

	if (is_repeated(h, hint->event))
		result = HOOK_REPEATED;
	else if (!hint->type)
		result = HOOK_IGNORED;
	else
		gather(h, hint);
	h->counts[result]++;
	return result;
}

void hooks_refused(struct hooks *h)
{
	h->counts[HOOK_REFUSED]++;
}

uint64_t hooks_count(const struct hooks *h, enum hook_result result)
{
	return h->counts[result];
}

/* ---- life ---- */

struct hooks *hooks_new(struct source *s)
{
	struct hooks *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->source = s;
	h->timer = timer_new(s->daemon->loop, on_timer, h);
	if (!h->timer) {
		free(h);
		return NULL;
	}
	hooks_configure(h);
	return h;
}

void hooks_free(struct hooks *h)
{
	if (!h)
		return;
	timer_free(h->timer);
	config_token_forget(&h->secret);
	free(h);
}
