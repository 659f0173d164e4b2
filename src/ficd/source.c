/* source: one account's store, trail and sync, put together from its configuration. */
#include "daemon.h"
#include "heap.h"
#include "hooks.h"
#include "indexed.h"
#include "memory.h"
#include "live.h"

#include <base/files.h>
#include <base/log.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TRAIL_FILE_BYTES (1024 * 1024)
#define TRAIL_FILES      4
#define FLUSH_EVERY_MS   (15 * 60 * 1000) /* a journal is not older when it is small */
/* Of all sources: half of what a process may have open, if nobody says otherwise. */
#define FILES_MAX      512u
#define TOKEN_EVERY_MS 5000
#define DAY_MS         INT64_C(86400000)

static int hook_fsync(void *ctx, int fd, void (*done)(void *arg, int error), void *arg)
{
	struct source *s = ctx;

	return s->daemon->syncer ? syncer_fsync(s->daemon->syncer, fd, done, arg) : ERR_CANCELED;
}

/* The store asks for slices; the loop gives them between everything else. */
static void hook_wake(void *ctx)
{
	struct source *s = ctx;

	task_start(s->store_task);
}

static bool hook_asked(void *ctx)
{
	struct source *s = ctx;

	return loop_is_asked(s->daemon->loop);
}

static void hook_changed(void *ctx)
{
	struct source *s = ctx;

	s->daemon->committed(s);
}

static void on_flush(void *ctx)
{
	struct source *s = ctx;

	store_flush(s->store);
	store_scrub(s->store);
}

static bool on_store_task(void *ctx)
{
	struct source *s = ctx;

	if (store_work(s->store))
		return true;
	heap_trim(s->daemon->heap); /* a commit takes and frees much */
	return false;
}

/* What is never stored, as the configuration says now. */
static int exclude(struct source *s, struct why *why)
{
	struct store_exclusion list[CONFIG_EXCLUDE_MAX + 1] = {{NULL, NULL}};
	char *text = s->config->exclude ? strdup(s->config->exclude) : NULL, *rest = text;
	size_t n = 0;

	if (s->config->exclude && !text)
		return why_set(why, ERR_NOMEM, "out of memory");
	for (char *item; n < CONFIG_EXCLUDE_MAX && (item = strsep(&rest, ","));) {
		item += strspn(item, " ");
		char *path = strstr(item, ".doc.");
		if (!path)
			continue; /* the configuration has checked it */
		*path = 0;
		list[n++] = (struct store_exclusion){item, path + strlen(".doc.")};
	}
	int rc = store_exclude(s->store, list);
	free(text);
	return rc ? why_set(why, rc, "exclude of source %s cannot be kept: %s", s->config->name,
			    err_name(rc))
		  : 0;
}

static int open_store(struct source *s, struct why *why)
{
	const struct config *c = s->daemon->config;
	char path[CONFIG_PATH_MAX + 64];
	struct store_options options = {
		.dir = path,
		.hooks = {.fsync = hook_fsync,
			  .wake = hook_wake,
			  .changed = hook_changed,
			  .asked = hook_asked,
			  .ctx = s},
		.cache_bytes = memory_of_source(c, MEMORY_PAGES),
		.frame_bytes = memory_of_source(c, MEMORY_FRAMES),
		.filter_bytes = memory_of_source(c, MEMORY_FILTERS),
		.files_max = (unsigned)(FILES_MAX / c->source_count),
		.txn_bytes_max = memory_of_source(c, MEMORY_TXN),
		.keep_previous = true,
		.floor_bytes = (uint64_t)c->disk_reserve_bytes,
		.journal_bytes = memory_of_source(c, MEMORY_JOURNAL),
	};
	int rc;

	s->store_task = task_new(s->daemon->loop, on_store_task, s);
	s->flush_timer = timer_new(s->daemon->loop, on_flush, s);
	if (!s->store_task || !s->flush_timer)
		return why_set(why, ERR_NOMEM, "out of memory");
	timer_start(s->flush_timer, FLUSH_EVERY_MS, FLUSH_EVERY_MS);
	s->indexed = indexed_new(s->provider->types);
	if (!s->indexed)
		return why_set(why, ERR_NOMEM, "out of memory for the indexed fields");
	options.schemas = indexed_schemas(s->indexed);
	snprintf(path, sizeof path, "%s/%s", c->state_dir, s->config->name);
	rc = store_open(&options, &s->store, why);
	if (!rc)
		rc = exclude(s, why);
	if (rc)
		return rc;
	snprintf(path, sizeof path, "%s/%s/runs", c->state_dir, s->config->name);
	rc = trail_open(path, TRAIL_FILE_BYTES, TRAIL_FILES, &s->trail, why);
	if (rc)
		return rc;
	snprintf(path, sizeof path, "%s/%s/outbox", c->state_dir, s->config->name);
	const struct outbox_options outbox = {.dir = path, .hooks = {.fsync = hook_fsync, .ctx = s}};
	return outbox_open(&outbox, &s->outbox, why);
}

static size_t wanted_resources(const struct source *s, struct sync_resource_options *out)
{
	size_t n = 0;

	for (const struct resource_type *t = s->provider->types; t->name; t++) {
		const struct config_resource *r = config_resource(s->config, t->name);
		if (!r->enabled || (t->traits & TRAIT_CHILD))
			continue;
		out[n++] = (struct sync_resource_options){
			.type = t,
			.every_ms = r->every_ms,
			.full = r->full,
			.history_ms = r->history_ms,
			.retain_ms = r->retain_ms,
			.verify_ms = r->verify_ms,
			.verify_counts = r->verify_depth == CONFIG_VERIFY_COUNTS,
			.priority = r->priority,
		};
	}
	return n;
}

/* The same after each start, and another one on another host. */
static uint64_t spread_seed(const struct source *s)
{
	char text[CONFIG_NAME_MAX + 80], host[65] = "";

	if (gethostname(host, sizeof host - 1))
		host[0] = 0;
	snprintf(text, sizeof text, "%s@%s", s->config->name, host);
	return bytes_hash(bytes_str(text)) | 1;
}

static void on_run_ended(void *ctx, const struct run_info *run)
{
	struct source *s = ctx;

	s->daemon->run_ended(s, run);
}

/* Somebody may have mended it: it is looked at again and again, as long as there is none that is taken. */
static bool needs_token(const struct source *s)
{
	const char *trouble = sync_health(s->sync).trouble;

	return s->token.len == 0 || (trouble && strcmp(trouble, "auth") == 0);
}

static void on_token_timer(void *ctx)
{
	struct source *s = ctx;

	if (needs_token(s))
		source_token(s);
	else
		timer_stop(s->token_timer);
}

static void on_troubled(void *ctx)
{
	struct source *s = ctx;

	if (!timer_active(s->token_timer))
		timer_start(s->token_timer, TOKEN_EVERY_MS, TOKEN_EVERY_MS);
}

static int open_sync(struct source *s, struct why *why)
{
	struct sync_resource_options resources[CONFIG_RESOURCES_MAX];
	int rc = zone_load(bytes_str(s->config->timezone), &s->zone, why);

	if (rc)
		return rc;
	struct sync_options options = {
		.name = s->config->name,
		.account = {.provider = s->provider,
			    .base_url = s->base_url,
			    .version = s->config->version},
		.token = s->token.len ? buf_text(&s->token) : NULL,
		.loop = s->daemon->loop,
		.http = s->daemon->http,
		.store = s->store,
		.trail = s->trail,
		.outbox = s->outbox,
		.edited = s->daemon->edited,
		.edited_ctx = s,
		.budget = s->config->budget / 100.0,
		.concurrency = s->config->concurrency,
		.retry_ms = s->config->retry_ms,
		.stall_ms = s->config->stall_ms,
		.zone = s->zone,
		.window = s->config->sync_window,
		.window_strict = s->config->sync_window_strict == CONFIG_YES,
		.seed = spread_seed(s),
		.resources = resources,
		.resource_count = wanted_resources(s, resources),
		.ended = on_run_ended,
		.troubled = on_troubled,
		.ctx = s,
	};

	for (size_t i = 0; i < s->config->route_budget.count; i++) {
		int route = provider_route(s->provider,
					   bytes_str(s->config->route_budget.items[i].name));
		options.route_shares[route > 0 ? route : 0] =
			route > 0 ? s->config->route_budget.items[i].percent / 100.0 : 0;
	}
	s->sync = sync_new(&options);
	return s->sync ? 0 : why_set(why, ERR_NOMEM, "out of memory");
}

/* ---- the token ---- */

/* A token that cannot be read stops only its own source: the cache still answers. What is wrong is said once. */
static bool read_token(struct source *s, struct buf *token)
{
	struct why why = {""};
	int rc = config_token_read(&s->config->token, token, &why);

	if (rc && strcmp(why.text, s->token_error) != 0)
		log_error("ficd", "%s source=%s", why.text, s->config->name);
	else if (!rc && why.text[0])
		log_warn("ficd", "%s source=%s", why.text, s->config->name);
	if (rc && s->token.len == 0)
		snprintf(s->token_error, sizeof s->token_error, "%s", why.text);
	return rc == 0;
}

void source_token(struct source *s)
{
	bool first = s->token.len == 0;
	struct buf token = {0};

	if (!read_token(s, &token) || bytes_equal(buf_bytes(&token), buf_bytes(&s->token)) ||
	    sync_token(s->sync, buf_text(&token))) {
		config_token_forget(&token);
		return;
	}
	config_token_forget(&s->token);
	s->token = token;
	s->token_error[0] = 0;
	if (first)
		sync_start(s->sync);
}

void source_configure(struct source *s)
{
	struct sync_resource_options resources[CONFIG_RESOURCES_MAX];
	struct sync_options options = {.budget = s->config->budget / 100.0,
				       .resources = resources,
				       .resource_count = wanted_resources(s, resources)};

	struct why why = {""};

	if (exclude(s, &why))
		log_error("ficd", "%s", why.text);
	sync_configure(s->sync, &options);
	source_token(s);
	hooks_configure(s->hooks);
}

void source_start(struct source *s)
{
	if (needs_token(s))
		timer_start(s->token_timer, TOKEN_EVERY_MS, TOKEN_EVERY_MS);
	if (s->token.len)
		sync_start(s->sync);
}

int source_open(struct source *s, struct daemon *d, const struct config_source *config, struct why *why)
{
	const char *url;
	int rc;

	*s = (struct source){.daemon = d,
			     .config = config,
			     .provider = provider_find(bytes_str(config->provider))};
	if (!s->provider)
		return why_set(why, ERR_INVALID, "no such provider: %s", config->provider);
	url = config->base_url ? config->base_url : s->provider->base_url(config->region);
	if (!url || (size_t)snprintf(s->base_url, sizeof s->base_url, "%s", url) >= sizeof s->base_url)
		return why_set(why, ERR_INVALID, "source %s has no usable base_url", config->name);
	read_token(s, &s->token);
	s->token_timer = timer_new(d->loop, on_token_timer, s);
	if (!s->token_timer)
		return why_set(why, ERR_NOMEM, "out of memory");
	s->hooks = hooks_new(s);
	if (!s->hooks)
		return why_set(why, ERR_NOMEM, "out of memory");
	rc = open_store(s, why);
	return rc ? rc : open_sync(s, why);
}

void source_close(struct source *s)
{
	hooks_free(s->hooks);
	sync_free(s->sync);
	live_close(s);
	zone_free(s->zone);
	trail_close(s->trail);
	outbox_close(s->outbox);
	store_close(s->store);
	task_free(s->store_task);
	timer_free(s->flush_timer);
	indexed_free(s->indexed);
	timer_free(s->token_timer);
	config_token_forget(&s->token);
}

struct source *source_find(struct daemon *d, struct bytes name)
{
	for (size_t i = 0; i < d->source_count; i++)
		if (bytes_is(name, d->sources[i].config->name))
			return &d->sources[i];
	return NULL;
}

const struct resource_type *source_type(const struct source *s, struct bytes name)
{
	const struct resource_type *type = provider_type(s->provider, name);

	if (!type)
		return NULL;
	return config_resource(s->config, type->parent ? type->parent : type->name)->enabled ? type
											     : NULL;
}

int64_t source_now(const struct source *s)
{
	return loop_wall_ms(s->daemon->loop) + sync_health(s->sync).clock_offset_ms;
}

/* On a whole day, as backfill has it: a start that moves with every second would make a gap of it. */
int64_t source_history_start(const struct source *s, const struct resource_type *type)
{
	if (!(type->traits & TRAIT_WINDOWED))
		return TIME_MIN;
	int64_t start = source_now(s) - config_resource(s->config, type->name)->history_ms;

	return start - (start % DAY_MS + DAY_MS) % DAY_MS;
}

struct interval source_wanted(const struct source *s, const struct resource_type *type,
			      const struct coverage *c)
{
	int64_t now = source_now(s), known = coverage_end(c);
	int64_t tolerance = config_resource(s->config, type->name)->tolerance_ms;

	return (struct interval){
		.start_ms = source_history_start(s, type),
		.end_ms = known != TIME_NONE && known < now && now - known <= tolerance ? known : now,
		.as_of_ms = now,
	};
}

double source_ratio(const struct source *s, const struct resource_type *type, const struct coverage *c)
{
	struct interval wanted = source_wanted(s, type, c);

	if (wanted.start_ms > TIME_MIN)
		return coverage_ratio(c, wanted.start_ms, wanted.end_ms);
	return intervals_contain(&c->held, TIME_MIN, wanted.end_ms) ? 1 : 0;
}

static unsigned count_of(uint64_t n)
{
	return n > 1000000 ? 1000000 : (unsigned)n;
}

#define JUDGED_ROWS_MAX 4096

/* Threads of which parts are missing, in a span that is not about the creation of threads: what is missing lies between a thread's creation and its last update. More of
 * them than can be looked at count as if one touched it. */
static unsigned truncated_later(struct snapshot *view, const char *resource, int64_t start_ms,
				int64_t end_ms)
{
	struct scan_spec spec = {
		.resource = resource, .axis = AXIS_UPDATED, .start_ms = start_ms, .end_ms = TIME_MAX};
	struct scan_row row;
	struct scan *scan;
	bool found = false;
	int rc = scan_open(view, &spec, &scan, NULL);

	if (rc)
		return 1;
	for (int n = 0; !found && (rc = scan_next(scan, &row)) == 1; n++)
		found = n == JUDGED_ROWS_MAX ||
			((row.flags & RECORD_TRUNCATED) &&
			 (row.created_ms == TIME_NONE || row.created_ms < end_ms));
	scan_close(scan);
	return found || rc < 0;
}

static unsigned truncated(struct snapshot *view, const struct resource_type *type,
			  const struct freshness_question *q)
{
	const char *resource = type->parent ? type->parent : type->name;
	uint64_t within = snapshot_truncated(view, resource, q->start_ms, q->end_ms);

	if (within || q->start_ms == TIME_MIN || (!type->parent && q->axis == AXIS_CREATED) ||
	    snapshot_truncated(view, resource, TIME_MIN, q->end_ms) == 0)
		return count_of(within);
	return truncated_later(view, resource, q->start_ms, q->end_ms);
}

int source_judge(const struct source *s, struct snapshot *view, const struct resource_type *type,
		 struct freshness_question *q, struct freshness *out)
{
	struct sync_glance sync = sync_glance(s->sync, type->name);
	struct sync_health health = sync_health(s->sync);

	q->now_ms = source_now(s);
	q->noun = type->name;
	q->history_ms = source_history_start(s, type);
	q->tolerance_ms = config_resource(s->config, type->name)->tolerance_ms;
	if (q->max_age_ms < 0)
		q->max_age_ms = s->config->max_staleness_ms;
	struct freshness_evidence e = {
		.coverage = snapshot_coverage(view, type->name),
		.last_sync_ms = sync.last_sync_ms,
		.syncing = sync.syncing,
		.progress = sync.progress,
		.dead = sync_dead_touching(s->sync, type->parent ? type->parent : type->name,
					   !type->parent && q->axis == AXIS_CREATED, q->start_ms,
					   q->end_ms),
		.truncated = truncated(view, type, q),
		.quarantined = snapshot_quarantined(view, type->name, q->start_ms, q->end_ms),
		.trouble = s->token_error[0] ? "auth" : health.trouble,
		.unreached = health.unreached,
	};
	return freshness_judge(q, &e, out);
}
