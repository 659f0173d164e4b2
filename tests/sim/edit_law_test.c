/*
 * Random interleavings of edits, changes by others, syncs, crashes at durable steps, requests that act and are not answered, and refusals, held against a model:
 *
 *   - no change of somebody else's that is newer than an edit's base is overwritten in the same field;
 *   - no edit that was acknowledged is lost;
 *   - none is made twice;
 *   - what answers show is what is held with the edits over it, and in the end what there is upstream.
 *
 * One thing no client can see: a change by others between the reading of the record and the arrival of the write. Those are counted, not blamed.
 *
 * SIM_SEEDS=N tries N more seeds, SIM_SEED=S one of them, with SIM_LOG=4 to see what happens.
 */
#include "support/desk.h"
#include "support/lab.h"

#include <codec/msgpack.h>
#include <source/write.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS      40
#define STEPS      40
#define EDITS_MAX  200
#define READING_MS 500 /* from the reading of a record to the note that it is about to be written */

static const struct account account = {&provider_intercom, "https://api.test", "2.16"};

struct promise {
	uint64_t id;
	const struct thing *thing;
	bool acknowledged, died; /* died: the process did, before it could be told */
	unsigned tries;          /* how often it was told to be made: 1, and once for each `mine` */
	unsigned made[DESK_FIELDS];
	enum edit_state state; /* the last that was seen */
};

struct bench {
	struct lab lab;
	struct desk desk;
	uint64_t seed, random;
	int last_value;
	struct promise promises[EDITS_MAX];
	unsigned count;
	unsigned broken, races, conflicts, edits, crashes;
};

static void broken(struct bench *b, const char *format, ...)
{
	va_list args;

	if (b->broken++ > 5)
		return;
	fprintf(stderr, "seed %llu, %lld ms after the start: ", (unsigned long long)b->seed,
		(long long)(world_now(b->lab.world) - LAB_START));
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static unsigned below(struct bench *b, unsigned n)
{
	return (unsigned)sim_below(&b->random, n);
}

static const struct resource_type *type_of(const struct thing *t)
{
	return provider_type(&provider_intercom,
			     bytes_str(t->kind == KIND_CONTACT ? "contacts" : "conversations"));
}

static struct bytes id_of(const struct thing *t, char out[32])
{
	snprintf(out, 32, t->kind == KIND_CONTACT ? "%024x" : "%u", t->id);
	return bytes_str(out);
}

static struct promise *promise_of(struct bench *b, uint64_t id)
{
	for (unsigned i = 0; i < b->count; i++)
		if (b->promises[i].id == id && !b->promises[i].died)
			return &b->promises[i];
	return NULL;
}

/* Whether a map says of the field what the number says. */
static bool says(struct bytes map, enum desk_field field, int value)
{
	struct buf plain = {0};
	struct bytes said;

	desk_put_plain(field, value, &plain);
	bool same = mp_find(map, bytes_str(desk_field_name(field)), &said) == 1 &&
		    mp_equal(said, buf_bytes(&plain));
	buf_release(&plain);
	return same;
}

static bool names(struct bytes map, enum desk_field field)
{
	struct bytes said;

	return mp_find(map, bytes_str(desk_field_name(field)), &said) == 1;
}

static bool is_of(const struct edit *e, const struct thing *t)
{
	char id[32];

	return strcmp(e->resource, type_of(t)->name) == 0 && bytes_equal(e->record, id_of(t, id));
}

/* ---- what the provider sees ---- */

/* The edit that is on its way to this record and wants this. */
static const struct edit *sending(struct bench *b, const struct thing *t, enum desk_field field,
				  int value)
{
	for (const struct edit *e = outbox_next(b->lab.outbox, 0); e;
	     e = outbox_next(b->lab.outbox, e->id))
		if (e->state == EDIT_SENDING && is_of(e, t) && says(e->set, field, value))
			return e;
	return NULL;
}

static void on_taken(void *ctx, const struct desk_write *w)
{
	struct bench *b = ctx;
	const struct edit *e = sending(b, w->thing, w->field, w->value);
	struct promise *p = e ? promise_of(b, e->id) : NULL;
	const char *field = desk_field_name(w->field);

	if (!p) {
		broken(b, "%u: %s was written (%d instead of %d), which no edit under way wants",
		       w->thing->id, field, w->value, w->before);
		return;
	}
	if (++p->made[w->field] > p->tries)
		broken(b, "edit %llu: %s was made %u times", (unsigned long long)e->id, field,
		       p->made[w->field]);
	if (says(e->base, w->field, w->before) || says(e->set, w->field, w->before))
		return;
	if (desk_foreign_ms(&b->desk, w->thing, w->field) >= e->sent_ms - READING_MS)
		b->races++;
	else
		broken(b,
		       "edit %llu: %s was changed upstream to %d after its base, and is overwritten",
		       (unsigned long long)e->id, field, w->before);
}

/* ---- what clients see ---- */

/* The record as answers show it: with the edits over it. False: it is not held, or deleted. `store_out` is the document without them. */
static bool shown(struct bench *b, struct snapshot *view, const struct thing *t,
		  struct buf *store_out, struct buf *doc_out, int64_t *updated_out)
{
	struct buf memory = {0}, next = {0};
	struct record r;
	char id[32];
	struct bytes name = id_of(t, id);
	int rc = snapshot_get(view, type_of(t)->name, name, &memory, &r);
	bool held = rc == 1 && !(r.flags & RECORD_DELETED);

	if (held) {
		buf_put_bytes(store_out, r.doc);
		buf_put_bytes(doc_out, r.doc);
		*updated_out = r.updated_ms;
	}
	for (const struct edit *e = held ? outbox_overlay(b->lab.outbox, type_of(t)->name, name, 0)
					 : NULL;
	     e; e = outbox_overlay(b->lab.outbox, type_of(t)->name, name, e->id)) {
		buf_reset(&next);
		assert(write_overlay(&account, type_of(t), e->set, buf_bytes(doc_out), NULL,
				     &next) == 0);
		buf_reset(doc_out);
		buf_put_bytes(doc_out, buf_bytes(&next));
	}
	buf_release(&memory);
	buf_release(&next);
	return held;
}

static void put_names(const struct thing *t, struct buf *out)
{
	size_t mark = mp_begin_map(out);
	uint32_t n = 0;

	for (int f = 0; f < DESK_FIELDS; f++)
		if (desk_field_of(t->kind, (enum desk_field)f)) {
			mp_put_cstr(out, desk_field_name((enum desk_field)f));
			mp_put_nil(out);
			n++;
		}
	mp_end_map(out, mark, n);
}

static void put_values(const struct thing *t, struct bytes doc, struct buf *out)
{
	struct buf all = {0};

	put_names(t, &all);
	assert(write_values(&account, type_of(t), buf_bytes(&all), doc, out) == 0);
	buf_release(&all);
}

/* The newest edit over the record that has the field; NULL: none. */
static const struct edit *newest_over(struct bench *b, const struct thing *t, enum desk_field field)
{
	const struct edit *found = NULL;

	for (const struct edit *e = outbox_next(b->lab.outbox, 0); e;
	     e = outbox_next(b->lab.outbox, e->id))
		if (edit_overlays(e) && is_of(e, t) && names(e->set, field))
			found = e;
	return found;
}

static void check_shown(struct bench *b, struct snapshot *view, const struct thing *t)
{
	struct buf store = {0}, doc = {0}, held = {0}, seen = {0};
	struct bytes a, expected;
	int64_t updated;

	if (shown(b, view, t, &store, &doc, &updated)) {
		put_values(t, buf_bytes(&store), &held);
		put_values(t, buf_bytes(&doc), &seen);
		for (int f = 0; f < DESK_FIELDS; f++) {
			const char *name = desk_field_name((enum desk_field)f);
			if (!desk_field_of(t->kind, (enum desk_field)f))
				continue;
			const struct edit *e = newest_over(b, t, (enum desk_field)f);
			assert(mp_find(buf_bytes(&seen), bytes_str(name), &a) == 1);
			assert(mp_find(e ? e->set : buf_bytes(&held), bytes_str(name), &expected) ==
			       1);
			if (!mp_equal(a, expected))
				broken(b, "%u: %s is not shown as %s", t->id, name,
				       e ? "its edit wants it" : "it is held");
		}
	}
	buf_release(&store);
	buf_release(&doc);
	buf_release(&held);
	buf_release(&seen);
}

/* A conflict needs something that it is in conflict with. */
static void check_conflict(struct bench *b, const struct edit *e)
{
	bool other = strstr(e->error, "was sent and not answered") != NULL;
	struct mp_reader r = mp_reader_of(e->theirs);
	struct mp_value head, key;
	struct bytes theirs, base;

	assert(mp_next(&r, &head) == 1 && head.type == MP_MAP);
	for (uint32_t i = 0; i < head.count; i++) {
		assert(mp_next(&r, &key) == 1 && mp_take(&r, &theirs) == 1);
		assert(mp_find(e->base, key.str, &base) == 1);
		other = other || !mp_equal(theirs, base);
	}
	if (!other)
		broken(b, "edit %llu: a conflict with what it was based on",
		       (unsigned long long)e->id);
	b->conflicts++;
}

static void check(struct bench *b)
{
	struct snapshot *view = snapshot_new(b->lab.store);

	assert(view);
	for (unsigned i = 0; i < b->count; i++) {
		struct promise *p = &b->promises[i];
		const struct edit *e = p->died ? NULL : outbox_find(b->lab.outbox, p->id);
		if (p->acknowledged && !e)
			broken(b, "edit %llu is lost", (unsigned long long)p->id);
		if (e && e->state == EDIT_CONFLICT && p->state != EDIT_CONFLICT)
			check_conflict(b, e);
		if (e)
			p->state = e->state;
	}
	for (unsigned i = 0; i < b->lab.world->count; i++)
		if (b->lab.world->things[i]->kind == KIND_CONTACT ||
		    b->lab.world->things[i]->kind == KIND_CONVERSATION)
			check_shown(b, view, b->lab.world->things[i]);
	snapshot_free(view);
}

/* ---- what happens ---- */

static struct thing *some_thing(struct bench *b)
{
	for (;;) {
		struct thing *t = b->lab.world->things[below(b, b->lab.world->count)];
		if (t->kind == KIND_CONTACT || t->kind == KIND_CONVERSATION)
			return t;
	}
}

static enum desk_field some_field(struct bench *b, const struct thing *t)
{
	return (enum desk_field)(t->kind == KIND_CONTACT
					 ? below(b, TALK_STATE)
					 : TALK_STATE + below(b, DESK_FIELDS - TALK_STATE));
}

/* Each value is new, but where there are two only, and now and then it is none. */
static int some_value(struct bench *b, enum desk_field field)
{
	if (field == TALK_STATE || field == TALK_READ)
		return (int)below(b, 2);
	return below(b, 8) ? ++b->last_value : 0;
}

struct told {
	struct bench *bench;
	uint64_t id;
};

static void on_durable(void *ctx, int rc, const struct why *why)
{
	struct told *told = ctx;
	struct promise *p = promise_of(told->bench, told->id);

	(void)why;
	/* What is told after the moment that the disk is put back to is told by nobody. */
	if (p && rc == 0 && !told->bench->lab.struck)
		p->acknowledged = true;
}

/* As the daemon takes one in. */
static void take_in(struct bench *b, const struct thing *t, struct bytes doc, struct bytes set,
		    int64_t updated_ms)
{
	struct promise *p = &b->promises[b->count];
	struct told told = {.bench = b};
	int64_t now = world_now(b->lab.world);
	struct buf base = {0};
	char id[32];
	struct edit e = {.state = EDIT_PENDING,
			 .record = id_of(t, id),
			 .set = set,
			 .base_updated_ms = updated_ms,
			 .created_ms = now,
			 .changed_ms = now,
			 .next_ms = TIME_NONE,
			 .sent_ms = TIME_NONE,
			 .sent_updated_ms = TIME_NONE};
	struct why why = {""};

	assert(write_values(&account, type_of(t), set, doc, &base) == 0);
	e.base = buf_bytes(&base);
	snprintf(e.resource, sizeof e.resource, "%s", type_of(t)->name);
	snprintf(e.who, sizeof e.who, "a test");
	int rc = sync_edit_check(b->lab.sync, type_of(t), e.record, doc, set, &why);
	if (rc < 0)
		broken(b, "an edit is not taken in: %s", why.text);
	if (rc == 0) {
		*p = (struct promise){.thing = t, .tries = 1};
		b->count++;
		/* `done` comes from inside the call, with what is in the outbox by then. */
		rc = outbox_add(b->lab.outbox, &e, &p->id, on_durable, &told, &why);
		assert(rc == 0);
		p->acknowledged = !b->lab.struck;
		b->edits++;
		sync_edits(b->lab.sync);
	}
	buf_release(&base);
}

static void edit_something(struct bench *b)
{
	const struct thing *t = some_thing(b);
	struct snapshot *view = snapshot_new(b->lab.store);
	struct buf store = {0}, doc = {0}, set = {0};
	enum desk_field first = some_field(b, t), second = some_field(b, t);
	bool two = second != first && below(b, 3) == 0;
	int64_t updated;

	assert(view);
	mp_put_map(&set, two ? 2 : 1);
	mp_put_cstr(&set, desk_field_name(first));
	desk_put_plain(first, some_value(b, first), &set);
	if (two) {
		mp_put_cstr(&set, desk_field_name(second));
		desk_put_plain(second, some_value(b, second), &set);
	}
	if (b->count < EDITS_MAX && shown(b, view, t, &store, &doc, &updated))
		take_in(b, t, buf_bytes(&doc), buf_bytes(&set), updated);
	snapshot_free(view);
	buf_release(&store);
	buf_release(&doc);
	buf_release(&set);
}

/* Whatever an edit under way wants, somebody puts it back, maybe right after it was made. */
static bool undo_something(struct bench *b)
{
	for (unsigned i = 0; i < b->count; i++) {
		const struct promise *p = &b->promises[i];
		const struct edit *e = p->died ? NULL : outbox_find(b->lab.outbox, p->id);
		if (!e || e->state != EDIT_SENDING || p->thing->deleted_ms != TIME_MAX)
			continue;
		for (int f = 0; f < DESK_FIELDS; f++)
			if (desk_field_of(p->thing->kind, (enum desk_field)f) &&
			    names(e->set, (enum desk_field)f) && p->made[f]) {
				desk_change(&b->desk, world_find(b->lab.world, p->thing->id),
					    (enum desk_field)f,
					    desk_value_before(&b->desk, p->thing, (enum desk_field)f));
				return true;
			}
	}
	return false;
}

static void change_something(struct bench *b)
{
	struct thing *t = some_thing(b);
	enum desk_field field = some_field(b, t);
	int now = desk_value(&b->desk, t, field);

	if (t->deleted_ms != TIME_MAX || (below(b, 2) && undo_something(b)))
		return;
	/* Sometimes back to none, which may be what an edit was based on. */
	desk_change(&b->desk, t, field,
		    field == TALK_STATE || field == TALK_READ ? !(now % 2)
		    : below(b, 4)                             ? ++b->last_value
							      : 0);
}

static void wish(struct bench *b)
{
	struct thing *t = some_thing(b);
	char id[32];
	struct bytes name = id_of(t, id);
	struct why why;
	uint64_t run;

	if (below(b, 2))
		sync_wish_ids(b->lab.sync, type_of(t), &name, 1, &run, &why);
	else
		sync_wish(b->lab.sync, type_of(t), SYNC_CHANGES, &run, 1, &why);
}

/* Somebody looks at what cannot go on by itself, or gives up what waits. */
static void decide(struct bench *b, bool all)
{
	struct why why;

	for (unsigned i = 0; i < b->count; i++) {
		struct promise *p = &b->promises[i];
		const struct edit *e = p->died ? NULL : outbox_find(b->lab.outbox, p->id);
		bool mine = below(b, 2);
		if (!e || (e->state != EDIT_CONFLICT && e->state != EDIT_FAILED &&
			   (all || e->state != EDIT_PENDING || mine || below(b, 4))))
			continue;
		if (!all && below(b, 2))
			continue;
		/* What is to be made again may have been made before it failed. */
		if (sync_edit_resolve(b->lab.sync, p->id, mine, NULL, NULL, &why) == 0)
			p->tries += mine;
	}
}

static bool struck(struct lab *lab)
{
	return lab->struck;
}

/* What nobody was told of may be there or not; what is not has given its number away. */
static void look_for_the_untold(struct bench *b)
{
	for (unsigned i = 0; i < b->count; i++) {
		struct promise *p = &b->promises[i];
		if (p->acknowledged || p->died)
			continue;
		p->acknowledged = outbox_find(b->lab.outbox, p->id) != NULL;
		p->died = !p->acknowledged;
	}
}

static void crash(struct bench *b)
{
	b->lab.strike = 1 + below(b, 12);
	for (int i = 0; i < 6 && !b->lab.struck; i++) {
		edit_something(b);
		if (!b->lab.struck)
			lab_run_until(&b->lab, 1 + below(b, 2000), struck);
	}
	b->lab.strike = 0;
	if (!b->lab.struck)
		return;
	lab_strike(&b->lab);
	look_for_the_untold(b);
	b->crashes++;
}

static void step(struct bench *b)
{
	unsigned dice = below(b, 100);

	if (dice < 40)
		edit_something(b);
	else if (dice < 66)
		change_something(b);
	else if (dice < 76)
		wish(b);
	else if (dice < 86)
		decide(b, false);
	else if (dice < 94)
		crash(b);
	else if (dice < 97)
		lab_restart(&b->lab);
	else
		lab_run(&b->lab, 200 * MINUTE_MS / 60);
	lab_run(&b->lab, below(b, 3) ? 1 + below(b, 300) : below(b, 20000));
	check(b);
}

/* ---- the end ---- */

/* It waits for somebody to decide about an earlier edit of its record. */
static bool waits_for_people(struct bench *b, const struct edit *e)
{
	for (const struct edit *before = outbox_next(b->lab.outbox, 0);
	     before && before->id < e->id; before = outbox_next(b->lab.outbox, before->id))
		if ((before->state == EDIT_CONFLICT || before->state == EDIT_FAILED) &&
		    strcmp(before->resource, e->resource) == 0 &&
		    bytes_equal(before->record, e->record))
			return true;
	return false;
}

static void check_end(struct bench *b, bool decided)
{
	struct snapshot *view = snapshot_new(b->lab.store);

	for (unsigned i = 0; i < b->count; i++) {
		const struct promise *p = &b->promises[i];
		const struct edit *e = p->died ? NULL : outbox_find(b->lab.outbox, p->id);
		if (!e)
			continue;
		/* Behind the edits of a record that is gone there is always one more to be decided about. */
		bool may_wait = waits_for_people(b, e) &&
				(!decided || p->thing->deleted_ms != TIME_MAX);
		if ((e->state == EDIT_PENDING && !may_wait) || e->state == EDIT_SENDING ||
		    (e->state == EDIT_PUSHED && !e->shown))
			broken(b, "edit %llu is still %s: %s", (unsigned long long)e->id,
			       edit_state_name(e->state), e->error);
		if (decided && (e->state == EDIT_CONFLICT || e->state == EDIT_FAILED) &&
		    p->thing->deleted_ms == TIME_MAX)
			broken(b, "edit %llu is still %s: %s", (unsigned long long)e->id,
			       edit_state_name(e->state), e->error);
	}
	for (unsigned i = 0; i < b->lab.world->count; i++) {
		const struct thing *t = b->lab.world->things[i];
		struct buf store = {0}, doc = {0}, values = {0};
		int64_t updated;
		if (t->deleted_ms != TIME_MAX ||
		    (t->kind != KIND_CONTACT && t->kind != KIND_CONVERSATION))
			continue;
		if (!shown(b, view, t, &store, &doc, &updated)) {
			broken(b, "%u (%s, created %lld ms after the start) is not held in the end",
			       t->id, type_of(t)->name, (long long)(t->change_ms[0] - LAB_START));
		} else {
			put_values(t, buf_bytes(&doc), &values);
			for (int f = 0; f < DESK_FIELDS; f++)
				if (desk_field_of(t->kind, (enum desk_field)f) &&
				    !newest_over(b, t, (enum desk_field)f) &&
				    !says(buf_bytes(&values), (enum desk_field)f,
					  desk_value(&b->desk, t, (enum desk_field)f)))
					broken(b, "%u: %s is not shown as it is upstream in the end",
					       t->id, desk_field_name((enum desk_field)f));
		}
		buf_release(&store);
		buf_release(&doc);
		buf_release(&values);
	}
	snapshot_free(view);
}

/* What was pushed was made, or was there already. */
static void check_made(struct bench *b)
{
	for (unsigned i = 0; i < b->count; i++) {
		const struct promise *p = &b->promises[i];
		const struct edit *e = p->died ? NULL : outbox_find(b->lab.outbox, p->id);
		struct bytes wanted;
		for (int f = 0; e && e->state == EDIT_PUSHED && f < DESK_FIELDS; f++)
			if (desk_field_of(p->thing->kind, (enum desk_field)f) &&
			    mp_find(e->set, bytes_str(desk_field_name((enum desk_field)f)),
				    &wanted) == 1 &&
			    !desk_was(&b->desk, p->thing, (enum desk_field)f, wanted))
				broken(b, "edit %llu is pushed, but %s never was what it wants",
				       (unsigned long long)p->id,
				       desk_field_name((enum desk_field)f));
	}
}

static void settle(struct bench *b)
{
	b->lab.world->mishap_percent = 0;
	b->lab.world->options.change_every_ms = 0;
	b->desk.not_made_percent = b->desk.refused_percent = 0;
	lab_run(&b->lab, 30 * MINUTE_MS);
	check(b);
	check_end(b, false);
	for (int i = 0; i < 8; i++) {
		decide(b, true);
		lab_run(&b->lab, 10 * MINUTE_MS);
		check(b);
	}
	check_end(b, true);
	check_made(b);
}

static void vary(struct bench *b)
{
	struct world_options *o = &b->lab.options;

	b->lab.upkeep = true;
	b->lab.journal_bytes = below(b, 2) ? 65536 : 0;
	b->lab.every_ms = MINUTE_MS;
	b->lab.history_ms = 60 * DAY_MS;
	b->lab.fsync_ms = below(b, 3) * 20;
	b->lab.concurrency = 1 + below(b, 4);
	b->lab.check_every_ms = DAY_MS; /* the law of coverage has tests of its own */
	o->rate_limit = below(b, 4) ? 0 : 60;
	o->burst = 0;
	o->deletions = 0;
	o->index_lag_ms = below(b, 3) ? 0 : 20000;
	o->change_every_ms = 20000;
	memset(o->count, 0, sizeof o->count);
	o->count[KIND_CONTACT] = 3;
	o->count[KIND_CONVERSATION] = 3;
}

static struct {
	unsigned edits, writes, conflicts, races, crashes;
} sums;

static void interleave(uint64_t seed)
{
	static struct bench b;

	b = (struct bench){.seed = seed, .random = seed * 977 + 3};
	lab_init(&b.lab, seed);
	vary(&b);
	lab_open(&b.lab);
	desk_open(&b.desk, b.lab.world, seed);
	b.desk.taken = on_taken;
	b.desk.ctx = &b;
	b.desk.dead = &b.lab.struck;
	lab_run(&b.lab, 2 * MINUTE_MS);
	b.lab.world->mishap_percent = below(&b, 3) ? 2 + below(&b, 30) : 0;
	b.desk.not_made_percent = below(&b, 2) ? below(&b, 30) : 0;
	b.desk.refused_percent = below(&b, 2) ? below(&b, 8) : 0;
	unsigned lost = b.lab.world->mishap_percent, not_made = b.desk.not_made_percent;
	for (int i = 0; i < STEPS; i++) {
		/* For some time hardly anything gets through, or nothing is written. */
		bool bad = i >= 10 && i < 30;
		if (seed % 3 == 0)
			b.lab.world->mishap_percent = bad ? 85 : lost;
		else if (seed % 3 == 1)
			b.desk.not_made_percent = bad ? 100 : not_made;
		step(&b);
	}
	settle(&b);
	if (b.broken)
		fail_msg("seed %llu: %u promises were broken (SIM_SEED=%llu)",
			 (unsigned long long)seed, b.broken, (unsigned long long)seed);
	sums.edits += b.edits;
	sums.writes += b.desk.writes;
	sums.conflicts += b.conflicts;
	sums.races += b.races;
	sums.crashes += b.crashes;
	lab_close(&b.lab);
	desk_release(&b.desk);
}

static void edits_against_a_model(void **state)
{
	uint64_t n = getenv("SIM_SEEDS") ? strtoull(getenv("SIM_SEEDS"), NULL, 10) : 0;

	(void)state;
	if (getenv("SIM_SEED")) {
		interleave(strtoull(getenv("SIM_SEED"), NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= SEEDS + n; seed++)
		interleave(seed);
	print_message(
		"%llu interleavings: %u edits, %u fields written, %u conflicts, %u crashes, %u changes that no client could see in time\n",
		(unsigned long long)(SEEDS + n), sums.edits, sums.writes, sums.conflicts,
		sums.crashes, sums.races);
	/* A test in which nothing happens holds nothing. */
	assert_true(sums.edits > 5 * SEEDS && sums.writes > 3 * SEEDS &&
		    sums.conflicts > SEEDS / 2 && sums.crashes > SEEDS);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits_against_a_model),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
