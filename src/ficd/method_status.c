/* method_status: what the daemon says of itself: hello, status, resources. Reads, never changes anything. */
#include "alerts.h"
#include "method.h"
#include "pairs.h"
#include "params.h"
#include "process.h"

#include <codec/msgpack.h>
#include <source/write.h>

#include <sys/statvfs.h>
#include <unistd.h>

void method_hello(struct request *r)
{
	static const char *const features[] = {"query",   "thread",   "freshness", "coverage",
					       "sync",    "progress", "runs",      "dead",
					       "msgpack", "changes",  "cancel",    "on_stale",
					       "stream",  "live",     "edit"};
	struct buf *out = &r->result;

	mp_put_map(out, 5);
	put_text(out, "name", "ficd");
	put_text(out, "version", FIC_VERSION);
	mp_put_cstr(out, "protocol");
	mp_put_map(out, 2);
	put_integer(out, "major", RPC_PROTOCOL_MAJOR);
	put_integer(out, "minor", RPC_PROTOCOL_MINOR);
	mp_put_cstr(out, "sources");
	mp_put_array(out, (uint32_t)r->daemon->source_count);
	for (size_t i = 0; i < r->daemon->source_count; i++)
		mp_put_cstr(out, r->daemon->sources[i].config->name);
	mp_put_cstr(out, "features");
	mp_put_array(out, sizeof features / sizeof *features);
	for (size_t i = 0; i < sizeof features / sizeof *features; i++)
		mp_put_cstr(out, features[i]);
	request_answer(r);
}

/* ---- status ---- */

static void put_progress(struct buf *out, const struct sync_resource_state *state)
{
	double ratio = run_progress(&state->run);

	mp_put_cstr(out, "progress");
	if (!state->syncing) {
		mp_put_nil(out);
		return;
	}
	mp_put_map(out, 4);
	put_integer(out, "done", (int64_t)state->run.done);
	mp_put_cstr(out, "total");
	if (state->run.total >= 0)
		mp_put_int(out, state->run.total);
	else
		mp_put_nil(out);
	put_text(out, "phase", state->run.phase);
	mp_put_cstr(out, "ratio");
	if (ratio >= 0)
		mp_put_float(out, ratio);
	else
		mp_put_nil(out);
}

static void put_resource(struct buf *out, const struct source *s, struct snapshot *view,
			 const struct resource_type *type)
{
	struct freshness_question q = {.start_ms = TIME_MIN, .end_ms = TIME_MAX, .max_age_ms = -1};
	struct sync_resource_state state = {.last_sync_ms = TIME_NONE, .next_run_ms = TIME_NONE};
	const struct coverage *c = snapshot_coverage(view, type->name);
	struct freshness f;

	sync_resource_state(s->sync, type->name, &state);
	if (source_judge(s, view, type, &q, &f))
		out->error = ERR_NOMEM;
	mp_put_map(out, 14);
	put_text(out, "name", type->name);
	put_text(out, "state", freshness_state_name(f.state));
	put_integer(out, "records", (int64_t)snapshot_count(view, type->name));
	put_time(out, "last_sync", state.last_sync_ms);
	put_text(out, "last_error", state.last_error);
	put_text(out, "note", state.note);
	put_time(out, "next_run", state.next_run_ms);
	put_bool(out, "syncing", state.syncing);
	put_bool(out, "waiting", state.waiting);
	put_progress(out, &state);
	put_real(out, "coverage_ratio", source_ratio(s, type, c));
	put_time(out, "as_of", f.as_of_ms);
	put_integer(out, "every_s",
		    config_resource(s->config, type->parent ? type->parent : type->name)->every_ms /
			    1000);
	put_integer(out, "retain_s", config_resource(s->config, type->name)->retain_ms / 1000);
	freshness_release(&f);
}

static void put_routes(struct buf *out, const struct sync *sync)
{
	struct sync_route routes[ROUTE_CLASSES_MAX];
	size_t n = sync_routes(sync, routes);

	mp_put_cstr(out, "routes");
	mp_put_array(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		mp_put_map(out, 5);
		put_text(out, "name", routes[i].name);
		mp_put_cstr(out, "limit");
		if (routes[i].limit < 0)
			mp_put_nil(out);
		else
			mp_put_int(out, routes[i].limit);
		put_integer(out, "window_ms", routes[i].window_ms);
		put_integer(out, "used", (int64_t)routes[i].used);
		put_integer(out, "wait_ms", routes[i].wait_ms);
	}
}

static void put_budget(struct buf *out, const struct sync *sync, const struct sync_state *state)
{
	mp_put_cstr(out, "budget");
	if (state->rate_limit < 0) {
		mp_put_nil(out);
		return;
	}
	mp_put_map(out, 5);
	put_integer(out, "limit_per_minute", state->rate_limit * 60000 / state->rate_window_ms);
	put_integer(out, "remaining", state->rate_remaining);
	put_integer(out, "used_last_minute", (int64_t)state->calls_last_minute);
	put_integer(out, "concurrency", state->concurrency);
	put_routes(out, sync);
}

static void put_breaker(struct buf *out, const struct sync_state *state)
{
	mp_put_cstr(out, "breaker");
	mp_put_map(out, 3);
	put_text(out, "state", breaker_name(state->breaker));
	put_time(out, "since", state->breaker_since_ms);
	put_time(out, "next_probe", state->probe_ms);
}

static void put_workspace(struct buf *out, const struct sync_state *state)
{
	mp_put_cstr(out, "workspace");
	if (!state->workspace_id[0]) {
		mp_put_nil(out);
		return;
	}
	mp_put_map(out, 4);
	put_text(out, "id", state->workspace_id);
	put_text(out, "name", state->workspace_name);
	put_text(out, "region", state->region);
	put_text(out, "timezone", state->timezone);
}

/* What was forgotten, excluded or removed upstream and is still to go from the disk. */
static void put_erasing(struct buf *out, const struct source *s)
{
	struct store_purge left;

	mp_put_cstr(out, "erasing");
	if (!store_purging(s->store, &left)) {
		mp_put_nil(out);
		return;
	}
	mp_put_map(out, 2);
	put_integer(out, "files", (int64_t)left.files);
	put_integer(out, "bytes", (int64_t)left.bytes);
}

static void put_edits(struct buf *out, const struct source *s)
{
	struct outbox_stats stats;

	outbox_stats(s->outbox, &stats);
	mp_put_cstr(out, "edits");
	mp_put_map(out, 5);
	put_integer(out, "pending", stats.count[EDIT_PENDING] + stats.count[EDIT_SENDING]);
	put_integer(out, "conflicts", stats.count[EDIT_CONFLICT]);
	put_integer(out, "failed", stats.count[EDIT_FAILED]);
	put_integer(out, "damaged_files", stats.damaged);
	put_bool(out, "unwritten", stats.unwritten);
}

static void put_source(struct buf *out, const struct source *s)
{
	struct snapshot *view = snapshot_new(s->store);
	struct sync_state state;
	uint32_t n = 0;

	sync_state(s->sync, &state);
	mp_put_map(out, 12);
	put_text(out, "name", s->config->name);
	put_text(out, "provider", s->config->provider);
	put_workspace(out, &state);
	put_text(out, "state", s->token_error[0] ? "error" : state.state);
	put_text(out, "error", s->token_error[0] ? s->token_error : state.error);
	put_budget(out, s->sync, &state);
	put_breaker(out, &state);
	put_integer(out, "calls", (int64_t)state.calls);
	put_integer(out, "dead_letters", sync_dead_count(s->sync));
	put_erasing(out, s);
	put_edits(out, s);
	mp_put_cstr(out, "resources");
	size_t mark = mp_begin_array(out);
	for (const struct resource_type *t = s->provider->types; view && t->name; t++) {
		if (!source_type(s, bytes_str(t->name)))
			continue;
		put_resource(out, s, view, t);
		n++;
	}
	mp_end_array(out, mark, n);
	snapshot_free(view);
}

static void put_store(struct buf *out, const struct daemon *d)
{
	struct store_stats sum = {0};
	struct statvfs disk;

	for (size_t i = 0; i < d->source_count; i++) {
		struct store_stats one;
		store_stats(d->sources[i].store, &one);
		sum.disk_bytes += one.disk_bytes;
		sum.segments += one.segments;
		sum.quarantined += one.quarantined;
		sum.revision += one.revision;
	}
	mp_put_cstr(out, "store");
	mp_put_map(out, 6);
	put_integer(out, "bytes", (int64_t)sum.disk_bytes);
	put_integer(out, "segments", (int64_t)sum.segments);
	put_integer(out, "quarantined", (int64_t)sum.quarantined);
	put_integer(out, "revision", (int64_t)sum.revision);
	put_integer(out, "reserve_bytes", d->config->disk_reserve_bytes);
	mp_put_cstr(out, "free_bytes");
	if (statvfs(d->config->state_dir, &disk) == 0)
		mp_put_uint(out, (uint64_t)disk.f_bavail * disk.f_frsize);
	else
		mp_put_nil(out);
}

static void put_process(struct buf *out, const struct daemon *d)
{
	struct loop_stats stats;

	loop_stats(d->loop, &stats);
	mp_put_cstr(out, "memory");
	mp_put_map(out, 2);
	put_integer(out, "limit_bytes", d->config->memory_bytes);
	put_integer(out, "rss_bytes", process_resident_bytes());
	mp_put_cstr(out, "loop");
	mp_put_map(out, 5);
	put_integer(out, "held_max_us", stats.held_max_us);
	put_integer(out, "held_last_us", stats.held_last_us);
	put_integer(out, "worked_max_us", stats.worked_max_us);
	put_integer(out, "worked_last_us", stats.worked_last_us);
	put_integer(out, "turns", (int64_t)stats.turns);
	put_integer(out, "connections", server_count(d->server));
	put_integer(out, "connections_cut", (int64_t)d->connections_cut);
}

void method_status(struct request *r)
{
	struct buf *out = &r->result;
	struct source *sources;
	size_t count;

	if (!param_sources(r, &sources, &count))
		return;
	mp_put_map(out, 11);
	put_text(out, "version", FIC_VERSION);
	put_integer(out, "pid", getpid());
	put_time(out, "started", r->daemon->started_ms);
	put_time(out, "now", loop_wall_ms(r->daemon->loop));
	mp_put_cstr(out, "sources");
	mp_put_array(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		put_source(out, &sources[i]);
	put_store(out, r->daemon);
	put_process(out, r->daemon);
	put_integer(out, "alerts", (int64_t)alerts_raised_count(r->daemon->alerts));
	request_answer(r);
}

/* ---- resources ---- */

static void put_fields(struct buf *out, const struct source *s, const struct snapshot *view,
		       const struct resource_type *type)
{
	const struct account account = {.provider = s->provider, .version = s->config->version};
	uint32_t n = 0;

	mp_put_cstr(out, "fields");
	size_t mark = mp_begin_array(out);
	for (const struct field *f = type->fields; f && f->name; f++, n++) {
		mp_put_map(out, 5);
		put_text(out, "name", f->name);
		put_text(out, "type", field_type_name(f->type));
		put_bool(out, "indexed", snapshot_field(view, type->name, f, NULL) >= 0);
		put_bool(out, "editable", write_editable(&account, type, f->name));
		put_text(out, "help", f->help);
	}
	mp_end_array(out, mark, n);
}

static const char *kind_word(const struct resource_type *type)
{
	if (type->traits & TRAIT_CHILD)
		return "child";
	return type->traits & TRAIT_WINDOWED ? "windowed" : "snapshot";
}

static uint32_t put_resources(struct buf *out, const struct source *s)
{
	struct snapshot *view = snapshot_new(s->store);
	uint32_t n = 0;

	for (const struct resource_type *t = s->provider->types; view && t->name; t++) {
		if (!source_type(s, bytes_str(t->name)))
			continue;
		mp_put_map(out, 6);
		put_text(out, "source", s->config->name);
		put_text(out, "name", t->name);
		put_text(out, "kind", kind_word(t));
		put_text(out, "parent", t->parent);
		put_integer(out, "records", (int64_t)snapshot_count(view, t->name));
		put_fields(out, s, view, t);
		n++;
	}
	snapshot_free(view);
	return n;
}

void method_resources(struct request *r)
{
	struct buf *out = &r->result;
	struct source *sources;
	size_t count;
	uint32_t n = 0;

	if (!param_sources(r, &sources, &count))
		return;
	mp_put_map(out, 1);
	mp_put_cstr(out, "resources");
	size_t mark = mp_begin_array(out);
	for (size_t i = 0; i < count; i++)
		n += put_resources(out, &sources[i]);
	mp_end_array(out, mark, n);
	request_answer(r);
}
