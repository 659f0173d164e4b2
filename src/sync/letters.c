/* letters: see the header. Decides nothing about records. */
#include "letters.h"

#include <base/log.h>

#include <stdio.h>
#include <stdlib.h>

#define KEY_MAX (sizeof((struct dead_letter *)NULL)->resource + DEAD_ID_MAX + 1)

static uint64_t hash_of(const char *resource, struct bytes id)
{
	return bytes_hash(id) ^ bytes_hash(bytes_str(resource));
}

void letters_release(struct letters *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
	*l = (struct letters){0};
}

struct letter *letters_find(const struct letters *l, const char *resource, struct bytes id)
{
	uint64_t hash = l->count ? hash_of(resource, id) : 0;

	for (size_t i = 0; i < l->count; i++) {
		struct letter *at = l->items[i];
		if (at->hash == hash && !at->over && bytes_is(id, at->info.id) &&
		    strcmp(resource, at->info.resource) == 0)
			return at;
	}
	return NULL;
}

static int make_room(struct letters *l)
{
	if (l->count < l->cap)
		return 0;
	size_t cap = l->cap ? l->cap * 2 : 16;
	struct letter **grown = realloc(l->items, cap * sizeof *grown);
	if (!grown)
		return ERR_NOMEM;
	l->items = grown;
	l->cap = cap;
	return 0;
}

int letters_add(struct letters *l, const struct dead_letter *letter, struct letter **out)
{
	struct letter *made;

	if (letter->dropped ? l->dropped >= LETTERS_DROPPED_MAX : l->count - l->dropped >= LETTERS_MAX)
		return ERR_LIMIT;
	if (make_room(l))
		return ERR_NOMEM;
	made = malloc(sizeof *made);
	if (!made)
		return ERR_NOMEM;
	*made = (struct letter){.info = *letter,
				.hash = hash_of(letter->resource, bytes_str(letter->id)),
				.number = ++l->last_number,
				.unsaved = true};
	l->items[l->count++] = made;
	l->dropped += letter->dropped;
	*out = made;
	return 0;
}

static void forget(struct letters *l, size_t at)
{
	l->dropped -= l->items[at]->info.dropped;
	free(l->items[at]);
	memmove(l->items + at, l->items + at + 1, (--l->count - at) * sizeof *l->items);
}

void letters_drop(struct letters *l, struct letter *letter)
{
	l->dropped += !letter->info.dropped;
	letter->info.dropped = true;
	letter->unsaved = true;
}

void letters_undrop(struct letters *l, struct letter *letter)
{
	l->dropped -= letter->info.dropped;
	letter->info.dropped = false;
	letter->unsaved = true;
}

/* ---- in the store ---- */

static int load_row(struct letters *l, struct scan *scan, const struct scan_row *row,
		    struct buf *memory)
{
	struct dead_letter info;
	struct record record;
	struct letter *letter;

	if (row->seen_ms > l->version)
		l->version = row->seen_ms;
	if (row->flags & RECORD_DELETED)
		return 0;
	int rc = scan_record(scan, memory, &record);
	if (rc < 0)
		return rc == ERR_NOMEM ? rc : 0;
	if (dead_decode(record.doc, &info))
		return 0;
	rc = letters_add(l, &info, &letter);
	if (rc == 0)
		letter->unsaved = false;
	return rc == ERR_LIMIT ? 0 : rc;
}

int letters_load(struct letters *l, struct snapshot *view, struct why *why)
{
	struct scan_spec spec = {.resource = LETTERS_RESOURCE,
				 .start_ms = TIME_MIN,
				 .end_ms = TIME_MAX,
				 .tombstones = true};
	struct buf memory = {0};
	struct scan_row row;
	struct scan *scan;
	int rc = scan_open(view, &spec, &scan, why);

	if (rc)
		return rc;
	while ((rc = scan_next(scan, &row)) == 1) {
		rc = load_row(l, scan, &row, &memory);
		if (rc < 0)
			break;
	}
	scan_close(scan);
	buf_release(&memory);
	return rc;
}

int letters_write(struct letters *l, struct letter *letter, struct txn *txn)
{
	static const uint8_t nil = 0xc0;
	char key[KEY_MAX];
	struct buf doc = {0};
	struct why why = {""};
	int n = snprintf(key, sizeof key, "%s/%s", letter->info.resource, letter->info.id);
	struct record record = {
		.id = bytes_of(key, (size_t)n),
		.created_ms = TIME_NONE,
		.updated_ms = TIME_NONE,
		.seen_ms = ++l->version,
		.flags = letter->over ? RECORD_DELETED : 0,
		.doc = bytes_of(&nil, 1),
	};

	if (!letter->over) {
		dead_encode(&letter->info, &doc);
		record.doc = buf_bytes(&doc);
	}
	int rc = doc.error ? doc.error : txn_put(txn, LETTERS_RESOURCE, &record, NULL, &why);
	buf_release(&doc);
	if (rc) {
		log_warn("sync", "a dead letter cannot be kept: %s", why.text);
		return rc;
	}
	letter->unsaved = false;
	letter->written = true;
	return 0;
}

int letters_forget(struct letters *l, const char *resource, struct bytes id, struct txn *txn,
		   struct why *why)
{
	char key[KEY_MAX];
	bool held;
	int n = snprintf(key, sizeof key, "%s/%.*s", resource, (int)id.len, (const char *)id.data);

	if (n < 0 || (size_t)n >= sizeof key)
		return 0; /* none is so long */
	for (size_t i = l->count; i-- > 0;)
		if (bytes_is(id, l->items[i]->info.id) &&
		    strcmp(l->items[i]->info.resource, resource) == 0)
			forget(l, i);
	return txn_forget(txn, LETTERS_RESOURCE, bytes_of(key, (size_t)n), bytes_of(NULL, 0), &held,
			  why);
}

bool letters_unsaved(const struct letters *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->items[i]->unsaved)
			return true;
	return false;
}

int letters_save(struct letters *l, struct txn *txn)
{
	int rc = 0;

	for (size_t i = 0; i < l->count && rc == 0; i++)
		if (l->items[i]->unsaved)
			rc = letters_write(l, l->items[i], txn);
	return rc;
}

void letters_committed(struct letters *l)
{
	for (size_t i = l->count; i-- > 0;) {
		struct letter *at = l->items[i];
		if (at->over && at->written)
			forget(l, i);
		else
			at->written = false;
	}
}

void letters_aborted(struct letters *l)
{
	for (size_t i = 0; i < l->count; i++) {
		struct letter *at = l->items[i];
		at->unsaved = at->unsaved || at->written;
		at->written = at->over = false;
	}
}
