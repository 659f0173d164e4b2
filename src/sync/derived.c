/*
 * derived: records that were made of what others say (provider.derived): people who take part in a thread without being contacts. One is put once, whatever else names
 * him, and not where the record is that stands for him; when that one comes, it takes his place. Claims nothing.
 */
#include "run.h"
#include "sync_state.h"

static const uint8_t nil = 0xc0;

/* Whether a record is held that has this text in the field: what the index knows of it. */
static int has_text(struct run *run, const struct resource *of, const char *field,
		    struct bytes text, bool *has_out)
{
	const struct resource_type *type = of->options.type;
	const struct field *f = field_find(type->fields, bytes_str(field));
	int number = f ? snapshot_field(run->view, type->name, f, NULL) : -1;
	struct store_term term = {.field = (unsigned)number, .text = text};
	uint64_t count = 0;

	int rc = number < 0 ? 0
			    : snapshot_term_count(run->view, type->name, &term, TIME_MIN, TIME_MAX,
						  &count);
	*has_out = rc == 1 && count > 0;
	return rc < 0 && rc != ERR_CORRUPT ? rc : 0;
}

/* Whether a record is held that stands for it. */
static int stands_there(struct run *run, const struct resource *of, const struct record *derived,
			bool *there_out)
{
	const struct provider *p = run->sync->line.account->provider;
	struct bytes texts[DERIVED_TEXTS_MAX];
	const char *field;
	size_t n = p->derived_by ? p->derived_by(of->options.type, derived, &field, texts) : 0;
	int rc = 0;

	*there_out = false;
	for (size_t i = 0; i < n && rc == 0 && !*there_out; i++)
		rc = has_text(run, of, field, texts[i], there_out);
	return rc;
}

int run_put_derived(struct run *run, const struct page_record *item, struct why *why)
{
	const struct resource *of = resource_find(run->sync, item->type->name);
	struct record held;
	bool there;

	if (!of)
		return 0;
	int rc = snapshot_peek(run->view, item->type->name, item->record.id, &held);
	if (rc < 0 && rc != ERR_CORRUPT)
		return why_set(why, rc, "cannot look up a record in the store");
	if (rc == 1)
		return 0;
	rc = stands_there(run, of, &item->record, &there);
	if (rc)
		return why_set(why, rc, "cannot look up a record in the store");
	/* The thread is what it was. */
	bool differs = run->differs;
	rc = there ? 0 : run_put(run, item->type, &item->record, false, why);
	run->differs = differs;
	return rc;
}

int run_replace_derived(struct run *run, const struct resource_type *type,
			const struct record *record, struct why *why)
{
	const struct provider *p = run->sync->line.account->provider;
	struct buf id = {0};
	int rc = 0;

	for (unsigned i = 0; p->stands_for && rc >= 0; i++) {
		struct record held, stone = {.merged_into = record->id,
					     .created_ms = TIME_NONE,
					     .updated_ms = record->seen_ms,
					     .seen_ms = record->seen_ms,
					     .flags = RECORD_DELETED | RECORD_MERGED,
					     .doc = bytes_of(&nil, 1)};
		rc = p->stands_for(type, record->doc, i, &id);
		if (rc <= 0)
			break;
		stone.id = buf_bytes(&id);
		rc = snapshot_peek(run->view, type->name, stone.id, &held);
		if (rc == 1 && !(held.flags & RECORD_DELETED))
			rc = run_put(run, type, &stone, false, why);
		else if (rc == ERR_CORRUPT)
			rc = 0;
	}
	buf_release(&id);
	return rc < 0 ? why_set(why, rc, "cannot put a record in the place of another") : 0;
}
