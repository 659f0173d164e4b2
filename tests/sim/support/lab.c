/* lab: puts the pieces together as the daemon does, and holds claims against the world. */
#include "lab.h"

#include <base/files.h>
#include <codec/msgpack.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- fsyncs that take their time ---- */

struct fsync_later {
	struct fsync_later *next;
	struct lab *lab;
	struct timer *timer;
	void (*done)(void *arg, int error);
	void *arg;
};

static void on_synced(void *ctx)
{
	struct fsync_later *f = ctx;

	for (struct fsync_later **at = &f->lab->fsyncs; *at; at = &(*at)->next)
		if (*at == f) {
			*at = f->next;
			break;
		}
	timer_free(f->timer);
	f->done(f->arg, 0);
	free(f);
}

/* A command with the lab's folder as $d. */
static void shell(const struct lab *lab, const char *command)
{
	char text[256];

	snprintf(text, sizeof text, "d='%s'; %s", lab->dir, command);
	assert(system(text) == 0);
}

static void durable_step(struct lab *lab)
{
	if (lab->strike == 0 || --lab->strike > 0)
		return;
	shell(lab, "rm -rf $d.killed && cp -a $d $d.killed");
	lab->struck = true;
}

static int hook_fsync(void *ctx, int fd, void (*done)(void *arg, int error), void *arg)
{
	struct lab *lab = ctx;

	(void)fd;
	durable_step(lab);
	if (lab->fsync_ms == 0) {
		done(arg, 0);
		return 0;
	}
	struct fsync_later *f = calloc(1, sizeof *f);
	assert(f);
	*f = (struct fsync_later){.next = lab->fsyncs, .lab = lab, .done = done, .arg = arg};
	f->timer = timer_new(lab->loop, on_synced, f);
	lab->fsyncs = f;
	timer_start(f->timer, lab->fsync_ms, 0);
	return 0;
}

/* Nobody dies between an edit's fsync and its end. */
static int hook_fsync_now(void *ctx, int fd, void (*done)(void *arg, int error), void *arg)
{
	(void)fd;
	durable_step(ctx);
	done(arg, 0);
	return 0;
}

static int hook_unlink(void *ctx, const char *path)
{
	durable_step(ctx);
	return unlink(path);
}

static int hook_write(void *ctx, int fd, const void *data, size_t len, uint64_t offset)
{
	struct lab *lab = ctx;

	durable_step(lab);
	ssize_t n = lab->disk_full ? -1 : pwrite(fd, data, len, (off_t)offset);

	if (lab->disk_full)
		errno = ENOSPC;
	return n == (ssize_t)len ? 0 : ERR_NOSPACE;
}

static int hook_rename(void *ctx, const char *from, const char *to)
{
	durable_step(ctx);
	return rename(from, to);
}

static void hook_wake(void *ctx)
{
	task_start(((struct lab *)ctx)->work);
}

static bool work_step(void *ctx)
{
	return store_work(((struct lab *)ctx)->store);
}

/* ---- opening and closing ---- */

void lab_init(struct lab *lab, uint64_t seed)
{
	*lab = (struct lab){
		.fsync_ms = 5,
		.share = 0.8,
		.concurrency = 4,
		.every_ms = 5 * MINUTE_MS,
		.history_ms = 30 * DAY_MS,
		.full = {.kind = SCHEDULE_DAILY, .minute = 120},
		.options =
			{
				.seed = seed,
				.start_ms = LAB_START,
				.history_ms = 40 * DAY_MS,
				.count = {[KIND_CONVERSATION] = 80, [KIND_CONTACT] = 30, [KIND_COMPANY] = 20, [KIND_TAG] = 8},
				.change_every_ms = 40000,
				.burst = 30,
				.page_max = 7,
				.parts_max = 500,
				.rate_limit = 200,
			},
	};
}

static void open_store(struct lab *lab)
{
	char runs[96];
	struct why why = {""};
	struct store_options options = {.dir = lab->dir,
					.hooks = {.fsync = hook_fsync,
						  .write = hook_write,
						  .rename = hook_rename,
						  .wake = lab->upkeep ? hook_wake : NULL,
						  .ctx = lab},
					.journal_bytes = lab->journal_bytes,
					.segment_rows = lab->upkeep ? 64 : 0,
					.keep_previous = lab->upkeep,
					.txn_bytes_max = lab->txn_bytes};

	assert(store_open(&options, &lab->store, &why) == 0);
	snprintf(runs, sizeof runs, "%s/runs", lab->dir);
	assert(trail_open(runs, 1 << 20, 2, &lab->trail, &why) == 0);
	snprintf(runs, sizeof runs, "%s/outbox", lab->dir);
	const struct outbox_options outbox = {.dir = runs,
					      .hooks = {.fsync = hook_fsync_now,
							.write = hook_write,
							.rename = hook_rename,
							.unlink = hook_unlink,
							.ctx = lab}};
	assert(outbox_open(&outbox, &lab->outbox, &why) == 0);
}

void lab_start(struct lab *lab)
{
	static const char *const names[] = {"tags", "companies", "contacts", "conversations",
					    "tickets"};
	struct sync_resource_options resources[5];
	size_t n = 0, end = lab->tickets ? 5 : 4;

	open_store(lab);
	for (size_t i = lab->only_conversations ? 3 : 0; i < end; i++)
		resources[n++] = (struct sync_resource_options){
			.type = provider_type(&provider_intercom, bytes_str(names[i])),
			.every_ms = i < 2 ? 60 * MINUTE_MS : lab->every_ms,
			.full = i == 2 ? lab->full : (struct schedule){.kind = SCHEDULE_OFF},
			.history_ms = lab->history_ms,
			.retain_ms = lab->retain_ms,
			.verify_ms = lab->verify_ms,
			.verify_counts = lab->verify_counts,
			.priority = (unsigned)i,
		};
	struct sync_options options = {
		.name = "acme",
		.account = {&provider_intercom, "https://api.test", "2.16"},
		.token = "token",
		.loop = lab->loop,
		.http = lab->http,
		.store = lab->store,
		.trail = lab->trail,
		.outbox = lab->outbox,
		.budget = lab->share,
		.route_shares = {[1] = lab->search_share},
		.concurrency = lab->concurrency,
		.listed_max = lab->listed_max,
		.retry_ms = 1000,
		.window = lab->window,
		.window_strict = lab->window_strict,
		.seed = lab->seed,
		.resources = resources,
		.resource_count = n,
	};
	lab->sync = sync_new(&options);
	assert(lab->sync);
	sync_start(lab->sync);
}

void lab_open(struct lab *lab)
{
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	struct why why;

	snprintf(lab->dir, sizeof lab->dir, "%s/fic-sim-XXXXXX", tmp);
	assert(mkdtemp(lab->dir));
	lab->loop = sim_loop_new(lab->options.start_ms - lab->options.clock_ms);
	lab->work = task_new(lab->loop, work_step, lab);
	assert(lab->work);
	lab->world = world_new(lab->loop, &lab->options);
	lab->http = http_new(lab->loop, NULL, &why);
	sim_http_serve(lab->http, world_serve, lab->world, 40, lab->options.seed);
	lab_start(lab);
}

static void on_stopped(void *ctx)
{
	((struct lab *)ctx)->stopped = true;
}

/* The store's own commits too. */
static bool is_stopped(void *ctx)
{
	struct lab *lab = ctx;

	return lab->stopped && !lab->fsyncs && !task_active(lab->work);
}

/* A store that is opened anew counts on from what is durable. */
static void forget_revisions(struct lab *lab)
{
	lab->checked_revision = 0;
	for (unsigned i = 0; i < lab->world->count; i++)
		lab->world->things[i]->seen_revision = 0;
}

void lab_strike(struct lab *lab)
{
	lab_stop(lab);
	shell(lab, "rm -rf $d && mv $d.killed $d");
	lab->struck = false;
	lab_start(lab);
}

void lab_kill(struct lab *lab)
{
	shell(lab, "rm -rf $d.killed && cp -a $d $d.killed");
	sync_free(lab->sync);
	trail_close(lab->trail);
	outbox_close(lab->outbox);
	task_stop(lab->work);
	store_close(lab->store);
	shell(lab, "rm -rf $d && mv $d.killed $d");
	forget_revisions(lab);
	lab_start(lab);
}

void lab_sleep(struct lab *lab, int64_t ms)
{
	sim_step_wall(lab->loop, ms);
}

void lab_step_clock(struct lab *lab, int64_t by_ms)
{
	sim_step_wall(lab->loop, by_ms);
	lab->world->options.clock_ms -= by_ms;
}

struct tally {
	const char *resource, *kind, *outcome;
	int64_t since_ms;
	unsigned count;
};

static bool is_text(struct bytes run, const char *key, const char *expected)
{
	struct bytes text;

	return !expected || (mp_find_str(run, key, &text) && bytes_is(text, expected));
}

static bool tally_run(void *ctx, uint64_t sequence, struct bytes run)
{
	struct tally *t = ctx;
	struct bytes started;
	int64_t ms;

	(void)sequence;
	assert(mp_find_str(run, "started", &started) && time_parse(started, &ms) == 0);
	t->count += ms >= t->since_ms && is_text(run, "resource", t->resource) &&
		    is_text(run, "kind", t->kind) && is_text(run, "outcome", t->outcome);
	return true;
}

unsigned lab_runs(struct lab *lab, const char *resource, const char *kind, const char *outcome,
		  int64_t since_ms)
{
	struct tally t = {resource, kind, outcome, since_ms, 0};

	assert(trail_scan(lab->trail, UINT64_MAX, tally_run, &t) == 0);
	return t.count;
}

void lab_stop(struct lab *lab)
{
	lab->stopped = false;
	sync_stop(lab->sync, on_stopped, lab);
	if (!sim_run(lab->loop, loop_mono_ms(lab->loop) + 60000, is_stopped, lab))
		fail_msg("the sync does not stop");
	sync_free(lab->sync);
	lab->sync = NULL;
	trail_close(lab->trail);
	outbox_close(lab->outbox);
	task_stop(lab->work);
	store_close(lab->store);
	forget_revisions(lab);
}

void lab_restart(struct lab *lab)
{
	lab_stop(lab);
	lab_start(lab);
}

void lab_close(struct lab *lab)
{
	char command[128];

	if (lab->sync)
		lab_stop(lab);
	task_free(lab->work);
	http_free(lab->http);
	world_free(lab->world);
	sim_run(lab->loop, loop_mono_ms(lab->loop), NULL, NULL);
	loop_free(lab->loop);
	snprintf(command, sizeof command, "rm -rf '%s'", lab->dir);
	assert(system(command) == 0);
}

/* ---- the law ---- */

static const char *const resource_names[KINDS] = {"conversations", "contacts", "companies", "tags",
						  "tickets"};

static void id_of(const struct thing *t, char *out, size_t cap)
{
	if (t->kind == KIND_CONTACT || t->kind == KIND_COMPANY)
		snprintf(out, cap, "%024x", t->id);
	else
		snprintf(out, cap, "%u", t->id);
}

static unsigned version_held(struct snapshot *view, struct thing *t, const char *id)
{
	static struct buf memory;
	struct record r;
	struct bytes name;

	assert(snapshot_get(view, resource_names[t->kind], bytes_str(id), &memory, &r) == 1);
	assert(mp_find_str(r.doc, t->kind == KIND_CONVERSATION ? "title" : "name", &name));
	unsigned version = 0;
	for (size_t i = 1; i < name.len; i++)
		version = version * 10 + (unsigned)(name.data[i] - '0');
	t->seen_revision = r.revision;
	t->seen_version = version;
	buf_release(&memory);
	return version;
}

static void broken(struct lab *lab, const char *format, ...)
{
	va_list args;

	if (lab->broken++ > 5)
		return;
	fprintf(stderr, "seed %llu, %lld ms after the start: ", (unsigned long long)lab->options.seed,
		(long long)(world_now(lab->world) - LAB_START));
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* The span that holds a creation time; false: none. */
static bool span_at(const struct coverage *c, int64_t at_ms, struct interval *out)
{
	for (size_t i = 0; i < c->held.count; i++)
		if (c->held.items[i].start_ms <= at_ms && at_ms < c->held.items[i].end_ms) {
			*out = c->held.items[i];
			out->as_of_ms = coverage_as_of(c, *out);
			return true;
		}
	return false;
}

#define LISTING_MS 5000

static void check_thing(struct lab *lab, struct snapshot *view, struct thing *t)
{
	const struct coverage *c = snapshot_coverage(view, resource_names[t->kind]);
	int64_t created = t->kind == KIND_TAG ? TIME_MIN : t->change_ms[0] / 1000 * 1000;
	struct interval span;
	struct record held;
	char id[32];

	if (!span_at(c, created, &span))
		return;
	int64_t as_of = span.as_of_ms - lab->options.index_lag_ms;
	unsigned version = thing_version(t, as_of);
	/* What nobody is told of only verify runs find. */
	if (t->unfed && t->deleted_ms <= span.as_of_ms)
		return;
	if (t->dropped && version > t->dropped)
		version = t->dropped;
	id_of(t, id, sizeof id);
	int rc = snapshot_peek(view, resource_names[t->kind], bytes_str(id), &held);
	assert(rc >= 0);
	bool live = rc == 1 && !(held.flags & RECORD_DELETED);
	if (t->deleted_ms <= span.as_of_ms) {
		/* Contacts that are deleted show only by their absence from a whole list. */
		if (live && t->kind != KIND_CONTACT)
			broken(lab, "%s %s was deleted at %lld, as of %lld it is held",
			       resource_names[t->kind], id, (long long)t->deleted_ms,
			       (long long)span.as_of_ms);
		return;
	}
	/* The as_of is the moment before the listing was asked for; a contact that was deleted in the seconds until it was answered
	 * shows neither its last change nor, before the next whole list, its deletion. */
	if (t->kind == KIND_CONTACT && t->deleted_ms <= span.as_of_ms + LISTING_MS)
		return;
	if (version == 0)
		return;
	if (!live) {
		if (t->deleted_ms > world_now(lab->world))
			broken(lab, "%s %s of %lld is not held (%d) as of %lld",
			       resource_names[t->kind], id, (long long)t->change_ms[0], rc,
			       (long long)span.as_of_ms);
		return;
	}
	unsigned got = held.revision == t->seen_revision ? t->seen_version
							 : version_held(view, t, id);
	if (got < version)
		broken(lab, "%s %s is held as v%u, as of %lld it was v%u (changed %lld)",
		       resource_names[t->kind], id, got, (long long)span.as_of_ms, version,
		       (long long)t->change_ms[version - 1]);
}

/* A thread that is marked as not whole claims nothing about its messages. */
static bool truncated(struct snapshot *view, const struct thing *t)
{
	struct record held;
	char id[32];

	id_of(t, id, sizeof id);
	return snapshot_peek(view, "conversations", bytes_str(id), &held) == 1 &&
	       (held.flags & RECORD_TRUNCATED);
}

static void check_message(struct lab *lab, struct snapshot *view, const struct thing *t,
			  const char *id, int64_t created_ms)
{
	const struct coverage *c = snapshot_coverage(view, "messages");
	struct interval span;
	struct record held;

	if (!span_at(c, created_ms / 1000 * 1000, &span))
		return;
	if ((t->unfed && t->deleted_ms <= span.as_of_ms) ||
	    (t->dropped && created_ms > t->change_ms[t->dropped - 1]))
		return;
	int rc = snapshot_peek(view, "messages", bytes_str(id), &held);
	bool live = rc == 1 && !(held.flags & RECORD_DELETED);
	if (t->deleted_ms <= span.as_of_ms) {
		if (live)
			broken(lab, "message %s of %u, which was deleted, is held", id, t->id);
		return;
	}
	if (!live && truncated(view, t))
		return;
	if (!live && created_ms <= span.as_of_ms - lab->options.index_lag_ms &&
	    t->deleted_ms > world_now(lab->world))
		broken(lab, "message %s of %u is not held as of %lld", id, t->id,
		       (long long)span.as_of_ms);
}

/* No reading of the past says more than the chain of changes does, so none makes anything fresh. */
static void check_chain(struct lab *lab, struct snapshot *view)
{
	const struct coverage *c = snapshot_coverage(view, "conversations");

	for (size_t i = 0; i < c->held.count; i++)
		if (c->held.items[i].as_of_ms > c->chain_end_ms)
			broken(lab, "conversations are held as of %lld, the chain ends at %lld",
			       (long long)c->held.items[i].as_of_ms, (long long)c->chain_end_ms);
}

void lab_check(struct lab *lab)
{
	struct snapshot *view = snapshot_new(lab->store);
	char id[32];

	assert(view);
	world_advance(lab->world);
	lab->checks++;
	lab->checked_revision = snapshot_revision(view);
	check_chain(lab, view);
	for (unsigned i = 0; i < lab->world->count; i++) {
		struct thing *t = lab->world->things[i];
		check_thing(lab, view, t);
		if (t->kind != KIND_CONVERSATION)
			continue;
		snprintf(id, sizeof id, "source:%u", t->id);
		check_message(lab, view, t, id, t->change_ms[0]);
		for (unsigned p = 0; p < t->part_count; p++) {
			/* What a truncated thread does not show is marked, and not claimed to be whole. */
			if (t->part_count - p > lab->options.parts_max)
				continue;
			snprintf(id, sizeof id, "%u", t->parts[p].id);
			check_message(lab, view, t, id, t->parts[p].created_ms);
		}
	}
	snapshot_free(view);
}

static void equal_thing(struct lab *lab, struct snapshot *view, struct thing *t)
{
	bool lives = t->deleted_ms > world_now(lab->world);
	int64_t wanted = world_now(lab->world) - lab->history_ms + DAY_MS;
	struct record held;
	char id[32];

	id_of(t, id, sizeof id);
	int rc = snapshot_peek(view, resource_names[t->kind], bytes_str(id), &held);
	assert(rc >= 0);
	bool live = rc == 1 && !(held.flags & RECORD_DELETED);
	if (live && !lives)
		broken(lab, "%s %s is deleted and held", resource_names[t->kind], id);
	if (!lives || (t->kind == KIND_CONVERSATION && t->change_ms[0] < wanted && !live))
		return;
	if (!live) {
		broken(lab, "%s %s is not held", resource_names[t->kind], id);
		return;
	}
	unsigned got = version_held(view, t, id);
	if (got != t->changes)
		broken(lab, "%s %s is held as v%u, it is v%u", resource_names[t->kind], id, got,
		       t->changes);
	for (unsigned p = 0; p < t->part_count; p++) {
		snprintf(id, sizeof id, "%u", t->parts[p].id);
		if (snapshot_peek(view, "messages", bytes_str(id), &held) != 1)
			broken(lab, "message %s of %u is not held", id, t->id);
	}
}

void lab_equal(struct lab *lab)
{
	struct snapshot *view = snapshot_new(lab->store);
	uint64_t live[KINDS] = {0};

	assert(view);
	for (unsigned i = 0; i < lab->world->count; i++) {
		struct thing *t = lab->world->things[i];
		live[t->kind] += t->deleted_ms > world_now(lab->world);
		if (!lab->only_conversations || t->kind == KIND_CONVERSATION)
			equal_thing(lab, view, t);
	}
	for (int k = KIND_CONTACT; k < KIND_TICKET && !lab->only_conversations; k++)
		if (snapshot_count(view, resource_names[k]) != live[k])
			broken(lab, "%llu %s are held, there are %llu",
			       (unsigned long long)snapshot_count(view, resource_names[k]),
			       resource_names[k], (unsigned long long)live[k]);
	snapshot_free(view);
}

struct until {
	struct lab *lab;
	bool (*enough)(struct lab *lab);
};

static bool after_turn(void *ctx)
{
	struct until *u = ctx;
	struct store_stats stats;
	int64_t mono = loop_mono_ms(u->lab->loop);

	if (mono >= u->lab->next_check_ms && u->lab->sync) {
		store_stats(u->lab->store, &stats);
		if (stats.revision != u->lab->checked_revision) {
			lab_check(u->lab);
			u->lab->next_check_ms = mono + u->lab->check_every_ms;
		}
	}
	return u->enough && u->enough(u->lab);
}

bool lab_run_until(struct lab *lab, int64_t ms, bool (*enough)(struct lab *lab))
{
	struct until u = {lab, enough};

	return sim_run(lab->loop, loop_mono_ms(lab->loop) + ms, after_turn, &u);
}

void lab_run(struct lab *lab, int64_t ms)
{
	lab_run_until(lab, ms, NULL);
}

bool lab_whole(struct lab *lab, int64_t age_ms)
{
	static const char *const names[] = {"conversations", "messages", "contacts", "companies",
					    "tags"};
	struct snapshot *view = snapshot_new(lab->store);
	int64_t now = world_now(lab->world);
	bool whole = true;

	for (size_t i = 0; i < (lab->only_conversations ? 2 : 5); i++) {
		const struct coverage *c = snapshot_coverage(view, names[i]);
		int64_t start = i < 2 ? now - lab->history_ms + DAY_MS : TIME_MIN;
		int64_t until = now - (i < 3 ? age_ms : age_ms + 61 * MINUTE_MS);
		struct interval span;
		for (int64_t at = start; whole && at < until; at = span.end_ms) {
			whole = span_at(c, at, &span) && span.as_of_ms >= until;
			if (!whole && getenv("SIM_LOG"))
				fprintf(stderr, "%s is not held at %lld\n", names[i], (long long)at);
		}
	}
	snapshot_free(view);
	return whole;
}
