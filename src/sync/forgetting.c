/* forgetting: see the header. Changes nothing. */
#include "forgetting.h"

#include <stdlib.h>

#define STEP_ROWS 16 /* each may have to be unpacked */

void fates_release(struct fates *f)
{
	scan_close(f->scan);
	hashset_release(&f->known);
	buf_release(&f->ids);
	buf_release(&f->memory);
	buf_release(&f->value);
	free(f->items);
	*f = (struct fates){0};
}

struct bytes fate_id(const struct fates *f, const struct fate *one)
{
	return bytes_of(f->ids.data + one->at, one->len);
}

int fates_add(struct fates *f, const struct resource_type *type, struct bytes id)
{
	int rc;

	if (id.len == 0 || id.len > RECORD_ID_MAX)
		return 0;
	rc = hashset_add(&f->known, bytes_hash(id) ^ bytes_hash(bytes_str(type->name)));
	if (rc <= 0)
		return rc;
	if (f->count == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 64;
		struct fate *grown = realloc(f->items, cap * sizeof *grown);
		if (!grown)
			return ERR_NOMEM;
		f->items = grown;
		f->cap = cap;
	}
	f->items[f->count++] = (struct fate){.type = type, .at = f->ids.len, .len = (uint8_t)id.len};
	buf_put_bytes(&f->ids, id);
	return f->ids.error;
}

/* ---- who is named ---- */

static bool is_it(void *ctx, struct bytes text)
{
	const struct bytes *id = ctx;

	return bytes_equal(text, *id);
}

static bool is_forgotten(void *ctx, struct bytes text)
{
	return snapshot_forgotten(ctx, PERSON_RESOURCE, text);
}

bool forgetting_names(struct snapshot *view, const struct resource_type *type,
		      const struct record *record)
{
	const struct field *f = field_find(type->fields, bytes_str(PERSON_FIELD));
	struct buf value = {0};

	if (!f || record->doc.len == 0 || !snapshot_forgets(view))
		return false;
	bool names = field_value(f, record->doc, &value) == 1 &&
		     field_texts(buf_bytes(&value), is_forgotten, view);
	buf_release(&value);
	return names;
}

bool forgetting_meets(struct snapshot *view, const struct resource_type *type,
		      const struct record *record)
{
	return snapshot_forgets(view) &&
	       (snapshot_forgotten(view, type->name, record->id) ||
		(type->parent && record->parent.len &&
		 snapshot_forgotten(view, type->parent, record->parent)) ||
		(record->merged_into.len && snapshot_forgotten(view, type->name, record->merged_into)) ||
		forgetting_names(view, type, record));
}

/* ---- following ---- */

static bool is_child(const struct resource_type *type, const struct resource_type *of)
{
	return type->parent && strcmp(type->parent, of->name) == 0;
}

/* The row is under the one that is followed: it goes, or the thread that it belongs to. */
static int take_row(struct fates *f, const struct record *r)
{
	const struct resource_type *parent =
		f->where->parent && !is_child(f->where, f->items[f->at].type)
			? provider_type(f->provider, bytes_str(f->where->parent))
			: NULL;

	return parent && r->parent.len ? fates_add(f, parent, r->parent)
				       : fates_add(f, f->where, r->id);
}

/* 1: it is, 0: it is not, or an error. */
static int is_under(struct fates *f, const struct scan_row *row, struct record *r)
{
	const struct fate *one = &f->items[f->at];
	int rc = 1;

	if (!f->field && f->where == one->type && !(row->flags & RECORD_MERGED))
		return 0;
	rc = scan_record(f->scan, &f->memory, r);
	if (rc != 1)
		return rc;
	if (!f->field && is_child(f->where, one->type))
		return bytes_equal(r->parent, fate_id(f, one));
	if (!f->field)
		return bytes_equal(r->merged_into, fate_id(f, one));
	buf_reset(&f->value);
	rc = field_value(f->field, r->doc, &f->value);
	struct bytes id = fate_id(f, one);
	return rc == 1 ? field_texts(buf_bytes(&f->value), is_it, &id) : rc == ERR_NOMEM ? rc : 0;
}

static int look_through(struct fates *f)
{
	struct scan_row row;
	struct record r;
	int rc = 1;

	for (int n = 0; n < STEP_ROWS && rc > 0; n++) {
		rc = scan_step(f->scan, &row);
		if (rc != 1)
			continue;
		int under = is_under(f, &row, &r);
		/* What cannot be read is set aside, and goes with that. */
		if (under == 1)
			under = take_row(f, &r);
		if (under < 0 && under != ERR_CORRUPT)
			return under;
	}
	if (rc > 0)
		return 1;
	scan_close(f->scan);
	f->scan = NULL;
	return rc == ERR_CORRUPT ? 0 : rc;
}

/* Begins to look through the next resource that may have something under the one at hand. False: there is none. */
static bool next_where(struct fates *f, struct scan_spec *spec, struct store_term *term)
{
	const struct fate *one = &f->items[f->at];
	bool person = strcmp(one->type->name, PERSON_RESOURCE) == 0;

	f->where = f->where ? f->where + 1 : f->provider->types;
	for (; f->where->name; f->where++) {
		bool child = is_child(f->where, one->type);
		f->field = person ? field_find(f->where->fields, bytes_str(PERSON_FIELD)) : NULL;
		if (!child && !f->field && !(person && f->where == one->type))
			continue;
		*spec = (struct scan_spec){.resource = f->where->name,
					   .start_ms = TIME_MIN,
					   .end_ms = TIME_MAX,
					   .tombstones = true};
		if (child)
			spec->parent = fate_id(f, one);
		int number = f->field ? snapshot_field(f->view, f->where->name, f->field, NULL) : -1;
		if (number >= 0) {
			*term = (struct store_term){(unsigned)number, fate_id(f, one)};
			spec->terms = term;
			spec->terms_count = 1;
		}
		return true;
	}
	return false;
}

int fates_step(struct fates *f)
{
	struct store_term term;
	struct scan_spec spec;

	if (f->scan)
		return look_through(f) < 0 ? ERR_IO : 1;
	if (f->at == f->count)
		return 0;
	if (next_where(f, &spec, &term)) {
		int rc = scan_open(f->view, &spec, &f->scan, NULL);
		return rc ? rc : 1;
	}
	f->where = NULL;
	f->at++;
	return 1;
}
