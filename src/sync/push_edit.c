/* push_edit: edits change their state: in the outbox, in the audit trail, and for whoever waits. Sends nothing. */
#include "push.h"

#include <base/log.h>

#include <stdarg.h>
#include <stdio.h>

/* ---- the audit trail ---- */

void sync_edit_note(struct sync *s, const struct edit *e, const char *step, const char *who)
{
	struct buf out = {0};
	struct why why = {""};

	edit_note(e, s->options.name, step, who, sync_provider_now(s), &out);
	if (out.error || trail_append(s->options.trail, buf_bytes(&out), &why))
		log_warn("sync", "an edit could not be noted in the audit trail: %s", why.text);
	buf_release(&out);
}

/* ---- states ---- */

/* What the edit's spans point to is another's from then on. */
static void change(struct push *p, const struct edit *e)
{
	struct why why = {""};

	if (outbox_change(p->sync->options.outbox, e, NULL, NULL, &why))
		log_error("sync", "an edit cannot be kept as it is now: %s source=%s", why.text,
			  p->sync->options.name);
}

void push_to(struct push *p, struct edit *e, enum edit_state state, const char *format, ...)
{
	struct sync *s = p->sync;
	char words[sizeof e->error];
	bool other = state != e->state;
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof words, format, args);
	va_end(args);
	memcpy(e->error, words, sizeof e->error);
	e->state = state;
	if (other)
		e->changed_ms = sync_provider_now(s);
	change(p, e);
	if (!other || state == EDIT_PENDING || state == EDIT_SENDING)
		return;
	log_info("sync", "edit %llu %s source=%s resource=%s%s%s", (unsigned long long)e->id,
		 edit_state_name(state), s->options.name, e->resource, words[0] ? ": " : "", words);
	const struct edit *kept = outbox_find(s->options.outbox, e->id);
	if (!kept)
		return;
	sync_edit_note(s, kept, edit_state_name(state), kept->who);
	if (s->options.edited)
		s->options.edited(s->options.edited_ctx, kept);
}

void push_later(struct push *p, struct edit *e, int64_t delay_ms, const char *words)
{
	e->next_ms = sync_provider_now(p->sync) + delay_ms;
	push_to(p, e, e->state, "%s", words);
}

/* ---- what was pushed shows ---- */

static const struct resource_type *type_of(const struct push *p, const struct edit *e)
{
	return provider_type(p->sync->options.account.provider, bytes_str(e->resource));
}

/* What is held is as wanted, or somebody has changed it since. */
static bool is_shown(struct push *p, const struct edit *e)
{
	struct snapshot *view = snapshot_new(p->sync->options.store);
	const struct resource_type *type = type_of(p, e);
	struct buf memory = {0}, theirs = {0};
	struct record r;
	bool shown = false;
	int rc = view && type ? snapshot_get(view, e->resource, e->record, &memory, &r) : 0;

	/* What was deleted since shows nothing any more. */
	if (rc == 1 && (r.flags & RECORD_DELETED))
		shown = true;
	else if (rc == 1 && write_values(p->sync->line.account, type, e->set, r.doc, &theirs) == 0) {
		enum write_verdict verdict = write_judge(e->set, e->base, buf_bytes(&theirs));
		shown = verdict == WRITE_DONE ||
			(verdict == WRITE_CONFLICT && r.seen_ms >= e->changed_ms);
	}
	buf_release(&memory);
	buf_release(&theirs);
	snapshot_free(view);
	return shown;
}

void push_read(struct push *p, const struct edit *e)
{
	const struct resource_type *type = e ? type_of(p, e) : NULL;
	struct why why = {""};
	uint64_t run;

	if (type && sync_wish_ids(p->sync, type, &e->record, 1, &run, &why))
		log_debug("sync", "what was pushed is not read yet: %s", why.text);
}

void push_show(struct push *p, const struct edit *e)
{
	struct edit next = *e;
	int64_t now = sync_provider_now(p->sync), age = now - e->changed_ms;

	next.shown = is_shown(p, e);
	if (!next.shown && age >= PUSH_SHOW_MAX_MS) {
		log_warn("sync",
			 "edit %llu was taken by the provider, but %s shows nothing of it source=%s",
			 (unsigned long long)e->id, e->resource, p->sync->options.name);
		next.shown = true;
	}
	if (next.shown) {
		next.next_ms = TIME_NONE;
		change(p, &next);
	} else if (e->next_ms == TIME_NONE || now >= e->next_ms) {
		next.next_ms = now + (age > PUSH_SHOW_MS ? age : PUSH_SHOW_MS);
		change(p, &next);
		push_read(p, outbox_find(p->sync->options.outbox, next.id));
	}
}
