/* office: see the header. */
#include "office.h"

#include <codec/msgpack.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int hook_fsync(void *ctx, int fd, void (*done)(void *arg, int error), void *arg)
{
	(void)ctx;
	(void)fd;
	done(arg, 0);
	return 0;
}

/* By what a contact's handle is found. */
static const struct store_schema *schemas(void)
{
	static struct store_field handles;
	static struct store_schema all[2];

	handles = (struct store_field){
		field_find(provider_type(&provider_front, bytes_str("contacts"))->fields,
			   bytes_str("handles")),
		STORE_LIST};
	all[0] = (struct store_schema){"contacts", &handles, 1, NULL};
	return all;
}

static void begin(struct office *o)
{
	static const char *const names[] = {"conversations", "tags", "contacts"};
	struct sync_resource_options resources[3];
	struct why why = {""};
	char runs[96];
	size_t n = o->only_threads ? 1 : 3;
	struct store_options store = {
		.dir = o->dir, .hooks = {.fsync = hook_fsync}, .schemas = schemas()};

	assert_int_equal(store_open(&store, &o->store, &why), 0);
	snprintf(runs, sizeof runs, "%s/runs", o->dir);
	assert_int_equal(trail_open(runs, 1 << 20, 2, &o->trail, &why), 0);
	for (size_t i = 0; i < n; i++)
		resources[i] = (struct sync_resource_options){
			.type = provider_type(&provider_front, bytes_str(names[i])),
			.every_ms = i ? HOUR_MS : o->every_ms,
			.full = {.kind = SCHEDULE_OFF},
			.history_ms = o->history_ms,
			.verify_ms = o->verify_ms,
			.priority = (unsigned)i + 1,
		};
	struct sync_options options = {
		.name = "acme",
		.account = {&provider_front, "https://front.test", ""},
		.token = "token",
		.loop = o->loop,
		.http = o->http,
		.store = o->store,
		.trail = o->trail,
		.budget = 0.8,
		.concurrency = 4,
		.retry_ms = 1000,
		.resources = resources,
		.resource_count = n,
	};
	o->sync = sync_new(&options);
	assert_non_null(o->sync);
	sync_start(o->sync);
}

void office_open(struct office *o, unsigned threads, int64_t apart_ms)
{
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	struct why why;

	if (!o->every_ms)
		o->every_ms = 5 * MINUTE_MS;
	if (!o->history_ms)
		o->history_ms = 400 * DAY_MS;
	snprintf(o->dir, sizeof o->dir, "%s/fic-front-XXXXXX", tmp);
	assert_non_null(mkdtemp(o->dir));
	o->loop = sim_loop_new(START);
	o->company = company_new(o->loop, threads, apart_ms, 7);
	if (o->rate)
		o->company->rate = (int)o->rate;
	if (o->contacts) {
		company_contacts(o->company, o->contacts);
		o->company->contact_page = 100;
	}
	o->http = http_new(o->loop, NULL, &why);
	sim_http_serve(o->http, company_serve, o->company, 40, 7);
	begin(o);
}

void office_restart(struct office *o)
{
	sync_free(o->sync);
	trail_close(o->trail);
	store_close(o->store);
	begin(o);
}

void office_close(struct office *o)
{
	char command[128];

	assert_int_equal(o->company->breaches, 0);
	sync_free(o->sync);
	http_free(o->http);
	trail_close(o->trail);
	store_close(o->store);
	company_free(o->company);
	sim_run(o->loop, loop_mono_ms(o->loop), NULL, NULL);
	loop_free(o->loop);
	snprintf(command, sizeof command, "rm -rf '%s'", o->dir);
	assert_int_equal(system(command), 0);
}

void office_live(struct office *o, int64_t ms)
{
	sim_run(o->loop, loop_mono_ms(o->loop) + ms, NULL, NULL);
}

/* ---- runs ---- */

static void on_ended(void *ctx, const struct run_info *run)
{
	struct office *o = ctx;

	o->ended = true;
	o->outcome = run->outcome;
	o->info = *run;
}

static bool has_ended(void *ctx)
{
	return ((struct office *)ctx)->ended;
}

void office_wish(struct office *o, const char *resource, enum sync_mode mode)
{
	struct run_watch watch = {.ended = on_ended, .ctx = o};
	struct why why = {""};
	uint64_t id = 0;

	o->ended = false;
	if (sync_wish(o->sync, provider_type(&provider_front, bytes_str(resource)), mode, &id, 1,
		      &why) != 1)
		fail_msg("no run: %s", why.text);
	assert_int_equal(sync_watch(o->sync, id, &watch), 0);
	if (!sim_run(o->loop, loop_mono_ms(o->loop) + 10 * HOUR_MS, has_ended, o))
		fail_msg("the run does not end");
	if (o->outcome != RUN_OK && o->info.error[0])
		print_message("%s\n", o->info.error);
}

static int64_t ended_after(struct office *o, int64_t began_ms)
{
	if (!sim_run(o->loop, loop_mono_ms(o->loop) + 10 * HOUR_MS, has_ended, o))
		fail_msg("the run does not end");
	assert_int_equal(o->outcome, RUN_OK);
	return loop_mono_ms(o->loop) - began_ms;
}

int64_t office_read(struct office *o, unsigned thread)
{
	struct run_watch watch = {.ended = on_ended, .ctx = o};
	int64_t began = loop_mono_ms(o->loop);
	struct why why = {""};
	uint64_t run;
	char id[32];

	snprintf(id, sizeof id, "cnv_%u", thread);
	struct bytes ids = bytes_str(id);
	o->ended = false;
	if (sync_wish_ids(o->sync, provider_type(&provider_front, bytes_str("conversations")), &ids,
			  1, &run, &why))
		fail_msg("%s cannot be asked for: %s", id, why.text);
	assert_int_equal(sync_watch(o->sync, run, &watch), 0);
	return ended_after(o, began);
}

int64_t office_search(struct office *o)
{
	struct bytes value = bytes_str("unassigned");
	struct sync_search search = {
		.type = provider_type(&provider_front, bytes_str("conversations")),
		.start_ms = TIME_MIN,
		.end_ms = TIME_MAX,
	};
	struct run_watch watch = {.ended = on_ended, .ctx = o};
	int64_t began = loop_mono_ms(o->loop);
	struct why why = {""};

	search.seek.terms[search.seek.count++] = (struct seek_term){
		field_find(search.type->fields, bytes_str("status")), SEEK_IS, &value, 1};
	assert_int_equal(provider_seek(&(struct account){&provider_front, "https://front.test", ""},
				       search.type, false, &search.seek, &why),
			 0);
	o->ended = false;
	if (sync_search(o->sync, &search, &watch, &why))
		fail_msg("nothing can be searched for: %s", why.text);
	return ended_after(o, began);
}

bool office_covered(const struct office *o, const char *resource, int64_t start, int64_t end)
{
	struct snapshot *view = snapshot_new(o->store);
	const struct coverage *c = snapshot_coverage(view, resource);
	struct intervals gaps = {0};

	assert_int_equal(intervals_gaps(&c->held, start, end, &gaps), 0);
	bool all = gaps.count == 0 && c->chain_end_ms != TIME_NONE;
	intervals_release(&gaps);
	snapshot_free(view);
	return all;
}

bool office_history_is_held(void *ctx)
{
	struct office *o = ctx;
	int64_t now = loop_wall_ms(o->loop);

	return office_covered(o, "conversations", now - o->history_ms + DAY_MS, START - 1000) &&
	       office_covered(o, "messages", now - o->history_ms + DAY_MS, START - 1000);
}

void office_whole(struct office *o)
{
	if (!sim_run(o->loop, loop_mono_ms(o->loop) + 40 * DAY_MS, office_history_is_held, o))
		fail_msg("the history is never held whole");
}

/* ---- what is held ---- */

static unsigned version_of(struct snapshot *view, const char *resource, const char *id,
			   const char *member)
{
	struct buf memory = {0};
	struct record r;
	struct bytes text;
	unsigned version = 0;

	if (snapshot_get(view, resource, bytes_str(id), &memory, &r) == 1 &&
	    !(r.flags & (RECORD_DELETED | RECORD_POOR)) && mp_find_str(r.doc, member, &text))
		for (size_t i = 1; i < text.len; i++)
			version = version * 10 + (unsigned)(text.data[i] - '0');
	buf_release(&memory);
	return version;
}

static void equal_part(struct snapshot *view, const char *prefix, const struct company_part *part,
		       bool lives)
{
	char id[32];

	snprintf(id, sizeof id, "%s_%u", prefix, part->id);
	unsigned held = version_of(view, "messages", id, "body");
	if (held != (lives && !part->gone ? part->version : 0))
		fail_msg("%s is held as v%u, it is v%u, lives %d", id, held, part->version, lives);
}

static void equal_thread(struct snapshot *view, const struct company_thread *t)
{
	bool lives = t->gone_ms == TIME_MAX;
	struct buf memory = {0};
	struct bytes inbox;
	struct record r;
	char id[32];

	snprintf(id, sizeof id, "cnv_%u", t->id);
	unsigned held = version_of(view, "conversations", id, "subject");
	if (held != (lives ? t->version : 0))
		fail_msg("%s is held as v%u, it is v%u, lives %d", id, held, t->version, lives);
	if (snapshot_get(view, "conversations", bytes_str(id), &memory, &r) == 1 && t->into) {
		char into[32];
		snprintf(into, sizeof into, "cnv_%u", t->into);
		assert_true(r.flags & RECORD_MERGED);
		assert_true(bytes_is(r.merged_into, into));
	} else if (lives) {
		assert_int_equal(mp_path(r.doc, bytes_str("inboxes.0.id"), &inbox), 1);
		assert_true(r.created_ms == t->created_ms && r.updated_ms == t->updated_ms);
	}
	buf_release(&memory);
	/* What went into another has its messages there. */
	for (unsigned i = 0; i < t->parts && !t->into; i++)
		equal_part(view, "msg", &t->messages[i], lives);
	for (unsigned i = 0; i < t->notes; i++)
		equal_part(view, "com", &t->comments[i], lives);
}

unsigned office_true(struct office *o)
{
	struct snapshot *view = snapshot_new(o->store);
	const struct coverage *c = snapshot_coverage(view, "conversations");
	unsigned n = 0;

	for (unsigned i = 0; i < o->company->count; i++)
		if (intervals_contain(&c->held, o->company->threads[i].created_ms,
				      o->company->threads[i].created_ms + 1)) {
			equal_thread(view, &o->company->threads[i]);
			n++;
		}
	snapshot_free(view);
	return n;
}

void office_equal(struct office *o)
{
	struct snapshot *view = snapshot_new(o->store);
	struct company *c = o->company;
	uint64_t live = 0;

	assert_non_null(view);
	for (unsigned i = 0; i < c->count; i++) {
		equal_thread(view, &c->threads[i]);
		live += c->threads[i].gone_ms == TIME_MAX;
	}
	assert_true(snapshot_count(view, "conversations") == live);
	for (unsigned i = 0; i < c->contacts && !o->only_threads; i++) {
		char id[32];
		snprintf(id, sizeof id, "crd_%u", i);
		assert_int_equal(version_of(view, "contacts", id, "name"), c->contact_version[i]);
	}
	snapshot_free(view);
}
