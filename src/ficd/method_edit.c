/*
 * method_edit: edits: asked for, listed, decided. An edit is checked against the provider's table and the record that is held, made durable in the outbox, and only then
 * acknowledged; sync pushes it. Nobody who goes away takes his edit with him.
 */
#include "attributes.h"
#include "method.h"
#include "names.h"
#include "overlay.h"
#include "pairs.h"
#include "params.h"

#include <base/log.h>
#include <codec/msgpack.h>
#include <source/write.h>

#include <stdio.h>
#include <stdlib.h>

#define LIMIT_MAX       1000
#define WAIT_DEFAULT_MS 30000
#define WAIT_MAX_MS     (10 * 60 * 1000)

/* One edit that was asked for, until its asker is answered. */
struct editing {
	struct editing *next;
	struct source *source;
	struct request *request; /* NULL: nobody waits */
	struct timer *timer;     /* of who waits until it is pushed */
	uint64_t id;
	int64_t timeout_ms;
	bool waits, durable, is_new;
	char who[64];
	const char *resolution; /* of one that somebody decides about */
};

/* ---- who waits ---- */

static void editing_free(struct editing *e)
{
	struct editing **at = &e->source->editings;

	while (*at && *at != e)
		at = &(*at)->next;
	if (*at)
		*at = e->next;
	timer_free(e->timer);
	free(e);
}

/* The request is gone, or over. What is not durable yet is still to be noted. */
static void editing_release(struct request *r)
{
	struct editing *e = r->state;

	e->request = NULL;
	if (e->durable)
		editing_free(e);
}

void edits_close(struct source *s)
{
	while (s->editings) {
		struct editing *e = s->editings;
		s->editings = e->next;
		if (e->request)
			e->request->release = NULL;
		timer_free(e->timer);
		free(e);
	}
}

static struct editing *editing_new(struct request *r, struct source *s)
{
	struct editing *e = calloc(1, sizeof *e);

	if (!e) {
		request_error(r, RPC_INTERNAL, "no_memory", NULL, "out of memory");
		return NULL;
	}
	e->source = s;
	e->request = r;
	e->next = s->editings;
	s->editings = e;
	r->state = e;
	r->release = editing_release;
	request_peer(r, e->who, sizeof e->who);
	return e;
}

static void put_fields(struct buf *out, const char *key, struct bytes map)
{
	mp_put_cstr(out, key);
	if (map.len)
		buf_put_bytes(out, map);
	else
		mp_put_nil(out);
}

static void put_edit(struct buf *out, const struct source *s, const struct edit *e)
{
	mp_put_map(out, 15);
	put_integer(out, "id", (int64_t)e->id);
	put_text(out, "source", s->config->name);
	put_text(out, "resource", e->resource);
	mp_put_cstr(out, "record");
	mp_put_str(out, e->record);
	put_text(out, "state", edit_state_name(e->state));
	put_fields(out, "set", e->set);
	put_fields(out, "base", e->base);
	put_fields(out, "theirs", e->theirs);
	put_time(out, "created", e->created_ms);
	put_time(out, "changed", e->changed_ms);
	put_time(out, "next", e->next_ms);
	put_integer(out, "attempts", e->attempts);
	put_text(out, "who", e->who);
	put_bool(out, "shown", e->shown);
	put_text(out, "error", e->error[0] ? e->error : NULL);
}

/* As it is now. */
static void answer(struct editing *e)
{
	struct request *r = e->request;
	const struct edit *edit = outbox_find(e->source->outbox, e->id);

	if (!edit) {
		request_error(r, RPC_NOT_FOUND, "no_edit", NULL, "edit %llu is gone",
			      (unsigned long long)e->id);
		return;
	}
	put_edit(&r->result, e->source, edit);
	request_answer(r);
}

static bool is_over(const struct edit *e)
{
	return e->state != EDIT_PENDING && e->state != EDIT_SENDING;
}

void edit_changed(void *ctx, const struct edit *edit)
{
	struct source *s = ctx;

	if (!is_over(edit))
		return;
	for (struct editing *e = s->editings, *next; e; e = next) {
		next = e->next;
		if (e->durable && e->waits && e->request && e->id == edit->id)
			timer_start(e->timer, 0, 0);
	}
}

static void on_waited(void *ctx)
{
	struct editing *e = ctx;

	if (e->request)
		answer(e);
}

/* ---- durable ---- */

static void refuse_disk(struct request *r, int rc, const struct why *why)
{
	request_error(r, rc == ERR_NOSPACE ? RPC_UNAVAILABLE : RPC_INTERNAL, err_name(rc),
		      "nothing was changed: try again", "%s", why->text);
}

static void on_durable(void *ctx, int rc, const struct why *why)
{
	struct editing *e = ctx;
	const struct edit *edit = outbox_find(e->source->outbox, e->id);

	e->durable = true;
	if (rc == 0 && edit && e->is_new)
		sync_edit_note(e->source->sync, edit, "asked", edit->who);
	else if (rc == 0 && edit)
		sync_edit_note(e->source->sync, edit, e->resolution, e->who);
	sync_edits(e->source->sync);
	if (!e->request)
		editing_free(e);
	else if (rc)
		refuse_disk(e->request, rc, why);
	else if (e->waits && edit && !is_over(edit))
		timer_start(e->timer, e->timeout_ms, 0);
	else
		answer(e);
}

/* ---- what is asked for ---- */

struct asking {
	struct request *request;
	struct source *source;
	const struct resource_type *type;
	struct account account;
	struct snapshot *view;
	struct arena arena;
	struct record record;
	struct buf memory, overlaid, set, base;
	uint32_t count;
	struct why why;
};

static void asking_release(struct asking *a)
{
	snapshot_free(a->view);
	arena_release(&a->arena);
	buf_release(&a->memory);
	buf_release(&a->overlaid);
	buf_release(&a->set);
	buf_release(&a->base);
}

/* False: the error was sent. */
static bool find_record(struct asking *a)
{
	struct request *r = a->request;
	struct bytes id;
	int rc;

	param_text(r, "id", &id);
	a->view = snapshot_new(a->source->store);
	rc = !a->view ? ERR_NOMEM
	     : id.len == 0 || id.len > RECORD_ID_MAX
		     ? 0
		     : snapshot_get(a->view, a->type->name, id, &a->memory, &a->record);
	if (rc == 1 && !(a->record.flags & RECORD_DELETED)) {
		if (overlay_any(a->source))
			rc = overlay_record(a->source, a->view, a->type, &a->record, &a->overlaid);
		if (rc >= 0)
			return true;
	}
	if (rc < 0)
		request_error(r, RPC_INTERNAL, err_name(rc), NULL, "the record cannot be read (%s)",
			      err_name(rc));
	else
		request_error(
			r, RPC_NOT_FOUND, rc ? "deleted" : "not_held",
			rc ? NULL : "'ficq sync --ids' reads single records",
			rc ? "%s %.*s was deleted upstream"
			   : "%s %.*s is not held, so that nobody can say what an edit of it would change",
			a->type->name, (int)(id.len < 60 ? id.len : 60), (const char *)id.data);
	return false;
}

/* False: the error was sent. */
static bool is_expected(struct asking *a)
{
	struct request *r = a->request;
	char held[TIME_TEXT_MAX];
	struct bytes text;
	int64_t expected;

	if (!param_raw(r, "expect_updated", &text))
		return true;
	if (param_integer(r, "expect_updated", &expected)) {
		expected *= 1000;
	} else if (!param_text(r, "expect_updated", &text) || time_parse(text, &expected)) {
		request_error(r, RPC_INVALID_PARAMS, "time",
			      "give it as the record's 'updated' shows it",
			      "'expect_updated' is not a time");
		return false;
	}
	if (expected == a->record.updated_ms)
		return true;
	request_error(r, RPC_CONFLICT, "updated", "look at it again, then decide",
		      "the record was updated since: at %s",
		      a->record.updated_ms == TIME_NONE
			      ? "an unknown time"
			      : time_text(a->record.updated_ms, true, held));
	return false;
}

/* People know teammates, teams and tags by name. */
static int settle_text(struct asking *a, const struct editable *f, struct bytes text, struct buf *out)
{
	const struct names names = {a->source, &a->arena, false};
	bool none = text.len == 0 || bytes_is(text, "none");
	int rc = none ? 0 : names_find(&names, f->of, &text, &a->why);

	mp_put_str(out, text);
	return rc ? rc : out->error;
}

static int settle_texts(struct asking *a, const struct editable *f, struct bytes list, struct buf *out)
{
	struct mp_reader r = mp_reader_of(list);
	struct mp_value head, v;
	struct bytes item;
	int rc = 0;

	mp_next(&r, &head);
	mp_put_array(out, head.count);
	for (uint32_t i = 0; i < head.count && rc == 0; i++) {
		if (mp_take(&r, &item) != 1)
			return ERR_INVALID;
		if (mp_get(item, &v) && v.type == MP_STR)
			rc = settle_text(a, f, v.str, out);
		else
			buf_put_bytes(out, item);
	}
	return rc ? rc : out->error;
}

/* A text with commas is a list of them. */
static void split(struct bytes text, struct buf *out)
{
	size_t mark = mp_begin_array(out);
	uint32_t n = 0;

	while (text.len) {
		const uint8_t *comma = memchr(text.data, ',', text.len);
		size_t len = comma ? (size_t)(comma - text.data) : text.len;
		if (len) {
			mp_put_str(out, bytes_of(text.data, len));
			n++;
		}
		len += comma != NULL;
		text = bytes_of(text.data + len, text.len - len);
	}
	mp_end_array(out, mark, n);
}

static int settle(struct asking *a, const struct editable *f, struct bytes name, struct bytes given,
		  struct buf *out)
{
	struct buf list = {0};
	struct mp_value v;
	int rc = 0;

	if (f->of && f->kind == EDITABLE_MEMBER) {
		size_t n = strlen(f->name);
		return attribute_settle(a->source, f->of, f->resource,
					bytes_of(name.data + n, name.len - n), given, &a->arena,
					out, &a->why);
	}
	if (!f->of || !mp_get(given, &v) || (v.type != MP_STR && v.type != MP_ARRAY)) {
		buf_put_bytes(out, given);
	} else if (f->kind != EDITABLE_OBJECTS) {
		if (v.type == MP_STR)
			rc = settle_text(a, f, v.str, out);
		else
			buf_put_bytes(out, given);
	} else if (v.type == MP_STR) {
		split(v.str, &list);
		rc = list.error ? list.error : settle_texts(a, f, buf_bytes(&list), out);
	} else {
		rc = settle_texts(a, f, given, out);
	}
	buf_release(&list);
	return rc ? rc : out->error;
}

static int take_field(struct asking *a, struct bytes name, struct bytes given)
{
	const struct editable *f = write_field(&a->account, a->type, name, &a->why);
	struct buf there = {0}, settled = {0};
	int rc = f ? write_value(f, name, a->record.doc, &there) : ERR_INVALID;

	if (rc == 0)
		rc = settle(a, f, name, given, &settled);
	if (rc == 0) {
		mp_put_str(&a->base, name);
		buf_put_bytes(&a->base, buf_bytes(&there));
		mp_put_str(&a->set, name);
		rc = write_take(f, buf_bytes(&settled), buf_bytes(&there), source_now(a->source),
				&a->set, &a->why);
	}
	buf_release(&there);
	buf_release(&settled);
	return rc;
}

static int take_fields(struct asking *a, struct bytes map)
{
	struct mp_reader r = mp_reader_of(map);
	struct mp_value head, key;
	struct bytes value, twice;
	int rc = mp_next(&r, &head) == 1 && head.count
			 ? 0
			 : why_set(&a->why, ERR_INVALID, "'set' names no field");

	if (rc == 0 && head.count > EDIT_FIELDS_MAX)
		rc = why_set(&a->why, ERR_INVALID, "an edit has at most %d fields", EDIT_FIELDS_MAX);
	if (rc)
		return rc;
	mp_put_map(&a->set, head.count);
	mp_put_map(&a->base, head.count);
	for (uint32_t i = 0; i < head.count && rc == 0; i++) {
		if (mp_next(&r, &key) != 1 || key.type != MP_STR || mp_take(&r, &value) != 1)
			return ERR_INVALID;
		if (mp_find(map, key.str, &twice) == 1 && twice.data != value.data)
			return why_set(&a->why, ERR_INVALID, "'%.*s' stands twice in 'set'",
				       (int)(key.str.len < 60 ? key.str.len : 60),
				       (const char *)key.str.data);
		rc = take_field(a, key.str, value);
	}
	return rc ? rc : a->set.error ? a->set.error : a->base.error;
}

static void refuse(struct asking *a, int rc)
{
	int code = rc == ERR_INVALID || rc == ERR_NOTFOUND || rc == ERR_SYNTAX ? RPC_INVALID_PARAMS
		   : rc == ERR_LIMIT                                           ? RPC_BUSY
									       : RPC_INTERNAL;

	request_error(a->request, code, code == RPC_INVALID_PARAMS ? "edit" : err_name(rc),
		      code == RPC_INVALID_PARAMS ? "'ficq fields' says what can be edited" : NULL,
		      "%s", a->why.text[0] ? a->why.text : "the edit cannot be taken in");
}

static void add(struct asking *a)
{
	struct request *r = a->request;
	struct editing *e = editing_new(r, a->source);
	int64_t now = source_now(a->source), timeout = WAIT_DEFAULT_MS;
	struct edit edit = {
		.state = EDIT_PENDING,
		.record = a->record.id,
		.set = buf_bytes(&a->set),
		.base = buf_bytes(&a->base),
		.base_updated_ms = a->record.updated_ms,
		.created_ms = now,
		.changed_ms = now,
		.next_ms = TIME_NONE,
		.sent_ms = TIME_NONE,
		.sent_updated_ms = TIME_NONE,
	};

	if (!e)
		return;
	param_integer(r, "timeout_ms", &timeout);
	snprintf(edit.resource, sizeof edit.resource, "%s", a->type->name);
	memcpy(edit.who, e->who, sizeof edit.who);
	e->is_new = true;
	e->waits = param_bool(r, "wait");
	e->timeout_ms = timeout < 0 || timeout > WAIT_MAX_MS ? WAIT_MAX_MS : timeout;
	e->timer = timer_new(r->daemon->loop, on_waited, e);
	int rc = e->timer ? outbox_add(a->source->outbox, &edit, &e->id, on_durable, e, &a->why)
			  : ERR_NOMEM;
	if (rc) {
		e->durable = true;
		refuse(a, rc);
	}
}

static void answer_unchanged(struct asking *a)
{
	struct buf *out = &a->request->result;

	mp_put_map(out, 3);
	mp_put_cstr(out, "id");
	mp_put_nil(out);
	put_text(out, "state", "pushed");
	put_bool(out, "unchanged", true);
	request_answer(a->request);
}

void method_edit(struct request *r)
{
	struct asking a = {.request = r, .source = param_source(r)};
	struct bytes set;
	int rc;

	a.type = a.source ? param_resource(r, a.source) : NULL;
	if (!a.type)
		return;
	a.account = (struct account){.provider = a.source->provider,
				     .base_url = a.source->base_url,
				     .version = a.source->config->version};
	param_raw(r, "set", &set);
	if (find_record(&a) && is_expected(&a)) {
		rc = take_fields(&a, set);
		if (rc == 0)
			rc = sync_edit_check(a.source->sync, a.type, a.record.id, a.record.doc,
					     buf_bytes(&a.set), &a.why);
		if (rc == 0)
			add(&a);
		else if (rc == 1)
			answer_unchanged(&a);
		else
			refuse(&a, rc);
	}
	asking_release(&a);
}

/* ---- listing ---- */

struct listing {
	struct request *r;
	struct bytes *states;
	size_t state_count;
	struct bytes resource, record;
	int64_t id, limit;
	bool all, more;
	uint32_t count;
	uint64_t after, last;
};

static bool wants(const struct listing *l, const struct edit *e)
{
	bool state = l->state_count == 0 && (l->all || edit_open(e));

	if (l->id && e->id != (uint64_t)l->id)
		return false;
	for (size_t i = 0; i < l->state_count && !state; i++)
		state = bytes_is(l->states[i], edit_state_name(e->state)) ||
			(e->state == EDIT_SENDING && bytes_is(l->states[i], "pending"));
	return (state || l->id) && (!l->resource.len || bytes_is(l->resource, e->resource)) &&
	       (!l->record.len || bytes_equal(l->record, e->record));
}

static void list(struct listing *l, const struct source *s)
{
	for (const struct edit *e = outbox_next(s->outbox, l->after); e;
	     e = outbox_next(s->outbox, e->id)) {
		if (!wants(l, e))
			continue;
		if (l->count == l->limit) {
			l->more = true;
			return;
		}
		put_edit(&l->r->result, s, e);
		l->count++;
		l->last = e->id;
	}
}

/* False: the error was sent. */
static bool check_states(struct listing *l)
{
	for (size_t i = 0; i < l->state_count; i++) {
		bool known = false;
		for (int k = 0; k < EDIT_STATES; k++)
			known |= bytes_is(l->states[i], edit_state_name((enum edit_state)k));
		if (known)
			continue;
		request_error(l->r, RPC_INVALID_PARAMS, "state",
			      "pending, sending, pushed, conflict, failed or dropped",
			      "'%.*s' is no state of an edit",
			      (int)(l->states[i].len < 60 ? l->states[i].len : 60),
			      (const char *)l->states[i].data);
		return false;
	}
	return true;
}

/* False: the error was sent. */
static bool read_listing(struct listing *l, const struct source *s, struct arena *a)
{
	struct request *r = l->r;
	struct bytes cursor;
	char text[24], *end;

	param_integer(r, "id", &l->id);
	param_integer(r, "limit", &l->limit);
	param_text(r, "record", &l->record);
	l->all = param_bool(r, "all");
	if (!param_names(r, a, "state", EDIT_STATES + 1, &l->states, &l->state_count) ||
	    !check_states(l))
		return false;
	if (param_text(r, "resource", &l->resource) && !param_resource(r, s))
		return false;
	if (l->limit < 1 || l->limit > LIMIT_MAX) {
		request_error(r, RPC_INVALID_PARAMS, "limit", NULL, "'limit' is 1 to %d", LIMIT_MAX);
		return false;
	}
	if (!param_text(r, "cursor", &cursor))
		return true;
	snprintf(text, sizeof text, "%.*s", (int)(cursor.len < 20 ? cursor.len : 20),
		 (const char *)cursor.data);
	l->after = strtoull(text, &end, 10);
	if (*end == 0 && end != text)
		return true;
	request_error(r, RPC_INVALID_PARAMS, "cursor", "use next_cursor of the answer before",
		      "not a cursor");
	return false;
}

void method_edits(struct request *r)
{
	struct source *s = param_source(r);
	struct listing l = {.r = r, .limit = 100};
	struct arena arena = {0};
	char text[24];

	if (!s)
		return;
	if (!read_listing(&l, s, &arena)) {
		arena_release(&arena);
		return;
	}
	mp_put_map(&r->result, 2);
	mp_put_cstr(&r->result, "edits");
	size_t mark = mp_begin_array(&r->result);
	list(&l, s);
	mp_end_array(&r->result, mark, l.count);
	snprintf(text, sizeof text, "%llu", (unsigned long long)l.last);
	put_text(&r->result, "next_cursor", l.more ? text : NULL);
	arena_release(&arena);
	if (l.id && l.count == 0)
		request_error(r, RPC_NOT_FOUND, "no_edit", "'ficq edits' lists them",
			      "there is no edit %lld", (long long)l.id);
	else
		request_answer(r);
}

/* ---- deciding ---- */

static void refuse_decision(struct request *r, int rc, const struct why *why)
{
	int code = rc == ERR_NOTFOUND  ? RPC_NOT_FOUND
		   : rc == ERR_BUSY    ? RPC_BUSY
		   : rc == ERR_INVALID ? RPC_INVALID_PARAMS
				       : RPC_INTERNAL;

	request_error(r, code, rc == ERR_NOTFOUND ? "no_edit" : err_name(rc),
		      rc == ERR_NOTFOUND ? "'ficq edits' lists them" : NULL, "%s", why->text);
}

void method_edit_resolve(struct request *r)
{
	struct source *s = param_source(r);
	struct why why = {"out of memory"};
	struct bytes resolution;
	int64_t id = 0;

	if (!s)
		return;
	param_integer(r, "id", &id);
	param_text(r, "resolution", &resolution);
	bool mine = bytes_is(resolution, "mine");
	if (!mine && !bytes_is(resolution, "theirs")) {
		request_error(r, RPC_INVALID_PARAMS, "resolution",
			      "mine: push it all the same; theirs: give it up",
			      "'resolution' is mine or theirs");
		return;
	}
	struct editing *e = editing_new(r, s);
	if (!e)
		return;
	e->id = (uint64_t)id;
	e->resolution = mine ? "mine" : "theirs";
	int rc = sync_edit_resolve(s->sync, e->id, mine, on_durable, e, &why);
	if (rc) {
		e->durable = true;
		refuse_decision(r, rc, &why);
	}
}
