/*
 * inspect: the formats as a reader who trusts nothing meets them. A segment is read through the
 * same calls that answer questions; every index element is visited, so a fuzzer that reaches this
 * reaches them all.
 */
#include <codec/crc.h>
#include <store/inspect.h>

#include "columns.h"
#include "dictionary.h"
#include "framed.h"
#include "journal.h"
#include "manifest.h"
#include "terms.h"

#include <base/files.h>
#include <codec/deflate.h>
#include <codec/json.h>
#include <codec/msgpack.h>
#include <store/journal.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_BYTES (1u << 20)
#define FILES_MAX   256u

struct inspect {
	const char *path;
	bool records;
	void (*line)(void *ctx, struct bytes text);
	void *ctx;
	struct why *why;
	struct buf text;
};

static void say(struct inspect *n, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct inspect *n, const char *format, ...)
{
	va_list args;

	buf_reset(&n->text);
	va_start(args, format);
	buf_vprintf(&n->text, format, args);
	va_end(args);
	n->line(n->ctx, buf_bytes(&n->text));
}

static int damaged(struct inspect *n, const char *what)
{
	return why_set(n->why, ERR_CORRUPT, "%s: %s", n->path, what);
}

static const char *time_or_dash(int64_t ms, char out[TIME_TEXT_MAX])
{
	if (ms == TIME_NONE || ms == TIME_MIN || ms == TIME_MAX)
		return ms == TIME_MIN ? "start" : ms == TIME_MAX ? "end" : "-";
	return time_text(ms, false, out);
}

static void say_range(struct inspect *n, const char *name, const struct range *r)
{
	char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];

	say(n, "  %s %s .. %s", name, time_or_dash(r->min, first), time_or_dash(r->max, last));
}

static void say_meta(struct inspect *n, const struct segment_meta *m)
{
	say(n,
	    "  records %" PRIu32 " without-time %" PRIu32 " dictionary %" PRIu64 " bytes %" PRIu64
	    " data-end %" PRIu64,
	    m->records, m->untimed, m->dictionary, m->bytes, m->data_end);
	say_range(n, "created", &m->ranges[RANGE_CREATED]);
	say_range(n, "updated", &m->ranges[RANGE_UPDATED]);
	say(n, "  revision %" PRId64 " .. %" PRId64, m->ranges[RANGE_REVISION].min,
	    m->ranges[RANGE_REVISION].max);
	say_range(n, "seen", &m->ranges[RANGE_SEEN]);
}

/* ---- manifest ---- */

static void say_intervals(struct inspect *n, const char *name, const struct intervals *s)
{
	char start[TIME_TEXT_MAX], end[TIME_TEXT_MAX], as_of[TIME_TEXT_MAX];

	for (size_t i = 0; i < s->count; i++)
		say(n, "  %s %s .. %s as-of %s", name, time_or_dash(s->items[i].start_ms, start),
		    time_or_dash(s->items[i].end_ms, end), time_or_dash(s->items[i].as_of_ms, as_of));
}

static void say_resource(struct inspect *n, const struct state_resource *r)
{
	char start[TIME_TEXT_MAX], end[TIME_TEXT_MAX];

	say(n, "resource %s segments %zu rows %" PRIu64 " dictionary %" PRIu64, r->name, r->count,
	    resource_live(r), r->dictionary);
	for (size_t i = 0; i < r->dictionaries_count; i++)
		say(n, "  dictionary %" PRIu64 " bytes %" PRIu32, r->dictionaries[i].number,
		    r->dictionaries[i].bytes);
	say_intervals(n, "held", &r->coverage.held);
	say(n, "  chain %s .. %s", time_or_dash(r->coverage.chain_start_ms, start),
	    time_or_dash(r->coverage.chain_end_ms, end));
	say_intervals(n, "damaged", &r->damaged);
	for (size_t i = 0; i < r->count; i++) {
		const struct state_segment *e = &r->segments[i];
		say(n,
		    "segment %s/%s/%" PRIu64 ".seg live %" PRIu32 " dead %" PRIu32
		    " tombstones %" PRIu32 " truncated %" PRIu32,
		    r->name, e->segment->meta.folder, e->segment->meta.number, segment_live(e),
		    e->dead ? e->dead->count : 0, e->tombstones, e->truncated);
		say_meta(n, &e->segment->meta);
	}
}

static int inspect_manifest(struct inspect *n, struct bytes file)
{
	struct state *t;
	struct why why;
	int rc = manifest_parse(file, "", &t, &why);

	if (rc)
		return why_set(n->why, rc, "%s: %s", n->path, why.text);
	say(n, "manifest revision %" PRIu64 " next-file %" PRIu64 " resources %zu marks %zu bytes %zu",
	    t->revision, t->next_file, t->resources_count, t->marks_count, file.len);
	for (size_t i = 0; i < t->resources_count; i++)
		say_resource(n, t->resources[i]);
	for (size_t i = 0; i < t->marks_count; i++) {
		struct buf key = {0};
		json_write_str(&key, mark_key(t->marks[i]));
		say(n, "mark %s bytes %" PRIu32, buf_text(&key), t->marks[i]->value_len);
		buf_release(&key);
	}
	state_unref(t, manifest_segment_end, NULL);
	return 0;
}

/* ---- dictionary and trail ---- */

static int inspect_dictionary(struct inspect *n, struct bytes file)
{
	struct bytes body;

	if (dictionary_decode(file, &body))
		return damaged(n, "the dictionary's checksum or length is wrong");
	say(n, "dictionary bytes %zu phrases %" PRIu32, body.len, dictionary_phrases(body));
	return 0;
}

static int inspect_trail(struct inspect *n, struct bytes file)
{
	size_t at = 8, count = 0, bad = 0;

	while (file.len - at >= 8) {
		uint32_t len = le32(file.data + at);
		struct bytes value = bytes_of(file.data + at + 8, len);
		if (len == 0 || len > file.len - at - 8)
			break;
		bool good = le32(file.data + at + 4) ==
			    crc_add(crc_add(0, file.data + at, 4), value.data, len);
		buf_reset(&n->text);
		if (n->records && good && json_write(value, &n->text) == 0)
			n->line(n->ctx, buf_bytes(&n->text));
		count++;
		bad += !good;
		at += 8 + (size_t)len;
	}
	say(n, "trail entries %zu damaged %zu bytes %zu", count, bad, file.len);
	return bad || at != file.len ? damaged(n, "an entry is damaged or cut") : 0;
}

/* ---- journal ---- */

static uint64_t next_number(struct mp_reader *r)
{
	struct mp_value v;

	return mp_next(r, &v) == 1 && v.type == MP_INT ? (uint64_t)v.integer : 0;
}

static struct bytes next_bytes(struct mp_reader *r, enum mp_type type)
{
	struct mp_value v;

	return mp_next(r, &v) == 1 && v.type == type ? v.str : (struct bytes){NULL, 0};
}

static bool next_array(struct mp_reader *r, uint32_t *count_out)
{
	struct mp_value v;

	*count_out = mp_next(r, &v) == 1 && v.type == MP_ARRAY ? v.count : 0;
	return *count_out > 0;
}

static void say_journal_part(struct inspect *n, struct mp_reader *r)
{
	struct bytes whole;
	uint32_t count;

	if (!next_array(r, &count))
		return;
	struct bytes name = next_bytes(r, MP_STR);
	uint64_t dictionary = next_number(r);
	mp_take(r, &whole);
	mp_take(r, &whole);
	size_t kills = next_bytes(r, MP_BIN).len / JOURNAL_KILL_SIZE;
	size_t rows = next_bytes(r, MP_BIN).len / SEGMENT_ROW_SIZE;
	struct bytes frames = next_bytes(r, MP_BIN);
	say(n, "  resource %.*s dictionary %" PRIu64 " replaces %zu rows %zu bytes %zu", (int)name.len,
	    name.len ? (const char *)name.data : "", dictionary, kills, rows, frames.len);
}

static void say_journal_frame(struct inspect *n, struct bytes body)
{
	struct mp_reader r = mp_reader_of(body);
	uint32_t count;

	next_array(&r, &count);
	next_number(&r);
	uint64_t before = next_number(&r), after = next_number(&r);
	say(n, "transaction revision %" PRIu64 " .. %" PRIu64 " bytes %zu", before, after, body.len);
	next_array(&r, &count);
	for (uint32_t i = 0; i < count && r.at < r.end; i++)
		say_journal_part(n, &r);
	next_array(&r, &count);
	if (count)
		say(n, "  marks %" PRIu32, count);
}

static int inspect_journal(struct inspect *n, struct bytes file)
{
	size_t at = JOURNAL_HEAD, count = 0;
	struct bytes body;

	if (file.len < JOURNAL_HEAD || le32(file.data + 20) != crc_add(0, file.data, 20))
		return damaged(n, "the header is damaged");
	say(n, "journal of the manifest of revision %" PRIu64 " checksum %08" PRIx32,
	    le64(file.data + 8), le32(file.data + 16));
	for (; journal_frame_next(file, at, &body); at += JOURNAL_FRAME_HEAD + body.len, count++)
		say_journal_frame(n, body);
	say(n, "transactions %zu bytes %zu", count, file.len);
	return at != file.len ? damaged(n, "a frame is damaged or cut") : 0;
}

/* ---- segment ---- */

/* What the header page says, so far as it must be known to read the rest; segment_load checks it.
 * */
static bool header_read(const uint8_t *page, struct segment_meta *m, char name[SEGMENT_NAME_SIZE])
{
	if (le32(page + SEGMENT_PAGE_ROOM) != page_sum(page, 0))
		return false;
	*m = (struct segment_meta){.number = 1,
				   .dictionary = le64(page + HEADER_DICTIONARY),
				   .bytes = le64(page + HEADER_BYTES),
				   .data_end = le64(page + HEADER_DATA_END),
				   .records = le32(page + HEADER_RECORDS),
				   .tombstones = le32(page + HEADER_TOMBSTONES),
				   .truncated = le32(page + HEADER_TRUNCATED),
				   .untimed = le32(page + HEADER_UNTIMED),
				   .header_sum = le32(page + SEGMENT_PAGE_ROOM)};
	for (int i = 0; i < SEGMENT_RANGES; i++) {
		m->ranges[i].min = (int64_t)le64(page + HEADER_RANGES + 16 * i);
		m->ranges[i].max = (int64_t)le64(page + HEADER_RANGES + 16 * i + 8);
	}
	memcpy(name, page + HEADER_RESOURCE, SEGMENT_NAME_SIZE);
	return name[SEGMENT_NAME_SIZE - 1] == 0 && resource_name_valid(name) &&
	       m->data_end >= SEGMENT_PAGE && m->data_end <= m->bytes && m->records > 0 &&
	       m->records <= INT32_MAX;
}

struct segment_view {
	struct inspect *n;
	struct pages *pages;
	struct segment *g;
	uint32_t sections;         /* that its version has */
	struct unpacker *unpacker; /* NULL: records are not asked for, or the dictionary is not there */
	struct buf frame, memory;
};

static void put_time(struct buf *out, const char *key, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms != TIME_NONE)
		buf_printf(out, ",\"%s\":\"%s\"", key, time_text(ms, false, text));
}

static int say_record(struct segment_view *w, const struct row *row)
{
	struct buf *out = &w->n->text;
	struct record r;

	buf_reset(&w->memory);
	buf_reset(out);
	int rc = unpacker_unpack(w->unpacker, frame_packed(buf_bytes(&w->frame)), row->raw_bytes,
				 &w->memory);
	if (!rc)
		rc = record_decode(buf_bytes(&w->memory), &r);
	if (rc)
		return rc;
	buf_put_str(out, "{\"id\":");
	json_write_str(out, r.id);
	if (r.parent.len) {
		buf_put_str(out, ",\"parent\":");
		json_write_str(out, r.parent);
	}
	if (r.merged_into.len) {
		buf_put_str(out, ",\"merged_into\":");
		json_write_str(out, r.merged_into);
	}
	put_time(out, "created", r.created_ms);
	put_time(out, "updated", r.updated_ms);
	put_time(out, "seen", r.seen_ms);
	buf_printf(out,
		   ",\"revision\":%" PRIu64 ",\"deleted\":%s,\"poor\":%s,\"truncated\":%s,\"doc\":",
		   row->revision, r.flags & RECORD_DELETED ? "true" : "false",
		   r.flags & RECORD_POOR ? "true" : "false",
		   r.flags & RECORD_TRUNCATED ? "true" : "false");
	rc = json_write(r.doc, out);
	buf_put_byte(out, '}');
	if (!rc)
		w->n->line(w->n->ctx, buf_bytes(out));
	return rc;
}

/* Each row: its frame, and whether the index finds it again. */
static int visit_rows(struct segment_view *w)
{
	uint32_t hint = 0, id_hint = 0, at, ordinal = 0;
	uint64_t hash = 0;
	struct row row;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < w->g->meta.records; i++) {
		rc = segment_row(w->g, w->pages, i, &hint, &row);
		if (!rc)
			rc = segment_frame(w->g, w->pages, &row, &w->frame);
		if (!rc && (segment_may_hold(w->g, w->pages, row.id_hash) != 1 ||
			    !id_keys_have(&w->g->ids, id_key(frame_id(buf_bytes(&w->frame))))))
			rc = ERR_CORRUPT;
		if (!rc)
			rc = segment_find(w->g, w->pages, row.id_hash, &at);
		if (!rc)
			rc = segment_id(w->g, w->pages, at, &id_hint, &hash, &ordinal);
		if (!rc && hash != row.id_hash)
			rc = ERR_CORRUPT;
		if (!rc && w->unpacker)
			rc = say_record(w, &row);
	}
	return rc;
}

static int visit_indexes(struct segment_view *w)
{
	const struct section *s = w->g->sections;
	uint32_t hint = 0, ordinal, at;
	int64_t updated;
	struct child c;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < s[SECTION_UPDATED].elements; i++) {
		rc = segment_updated(w->g, w->pages, i, &hint, &updated, &ordinal);
		if (!rc)
			rc = segment_seek_updated(w->g, w->pages, updated, i % 2, &at);
	}
	for (uint32_t i = 0; !rc && i < s[SECTION_PARENTS].elements; i++) {
		rc = segment_child(w->g, w->pages, i, &hint, &c);
		if (!rc && segment_may_have_children(w->g, w->pages, c.parent_hash) != 1)
			rc = ERR_CORRUPT;
		if (!rc)
			rc = segment_seek_child(w->g, w->pages, c.parent_hash, c.created_ms,
						c.id_hash, &at);
	}
	for (uint32_t i = 0; !rc && i < s[SECTION_TRUNCATED].elements; i++)
		rc = segment_truncated(w->g, w->pages, i, &hint, &ordinal);
	return rc ? rc : segment_seek_created(w->g, w->pages, 0, 1, &at);
}

static int visit_columns(struct segment_view *w)
{
	static const char *const forms[] = {"none", "numbers", "dictionary", "heap"};
	struct segment *g = w->g;
	struct column c;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < g->sections[SECTION_FIELDS].elements; i++) {
		struct column_hint hint = {0};
		rc = segment_column(g, w->pages, i, &c);
		for (uint32_t k = 0; !rc && c.form != FORM_NONE && k < g->meta.records; k++)
			rc = column_value(g, w->pages, i, k, &hint, &w->memory);
		if (!rc)
			say(w->n,
			    "  field %" PRIu32 " %s kind %u column %s bits %u values %" PRIu32
			    " heap %" PRIu32 " present %" PRIu32,
			    i, c.name, c.kind, forms[c.form], c.width, c.heap_values, c.heap_bytes,
			    c.present);
		if (!rc && c.form == FORM_NUMBERS && c.present)
			say(w->n, "    numbers %" PRId64 " .. %" PRId64, c.min, c.max);
	}
	for (uint32_t i = 0, hint = 0, at; !rc && i < g->sections[SECTION_CHANGES].elements; i++)
		rc = segment_change(g, w->pages, i, &hint, &at);
	return rc;
}

/* Each term is found again, with as many rows. */
static int visit_terms(struct segment_view *w)
{
	uint64_t terms = 0, rows = 0;
	struct posting list;
	uint32_t ordinal = 0;
	struct term_cursor c;
	int rc;

	term_cursor_init(&c, w->g, w->pages);
	while ((rc = term_cursor_next(&c)) == 1) {
		rc = terms_find(w->g, w->pages, bytes_of(c.term, c.len), &list);
		if (rc == 1 && list.count == c.list.count)
			rc = posting_at(&list, list.count - 1, &ordinal);
		else if (rc >= 0)
			rc = segment_note(w->g, ERR_CORRUPT);
		if (rc)
			return rc;
		terms++;
		rows += list.count;
	}
	if (!rc && terms)
		say(w->n, "  terms %" PRIu64 " of rows %" PRIu64, terms, rows);
	return rc;
}

/* The dictionary where the store keeps it: beside the window's folder. */
static int view_dictionary(struct segment_view *w)
{
	struct buf file = {0};
	struct bytes body = {0};
	const char *slash = strrchr(w->n->path, '/');
	uint64_t number = w->g->meta.dictionary;
	char *path = NULL;
	int rc = 0;

	if (!w->n->records)
		return 0;
	if (number &&
	    asprintf(&path, "%.*s/../%" PRIu64 ".dict", slash ? (int)(slash - w->n->path) : 1,
		     slash ? w->n->path : ".", number) < 0)
		return ERR_NOMEM;
	if (number) {
		rc = file_read(path, FRAMED_HEAD + DICTIONARY_MAX, &file, w->n->why);
		if (!rc && dictionary_decode(buf_bytes(&file), &body))
			rc = why_set(w->n->why, ERR_CORRUPT, "%s: the dictionary is damaged", path);
	}
	if (!rc) {
		w->unpacker = unpacker_new(body);
		rc = w->unpacker ? 0 : ERR_NOMEM;
	}
	buf_release(&file);
	free(path);
	return rc;
}

static int view_segment(struct segment_view *w)
{
	static const char *const names[SEGMENT_SECTIONS] = {"rows",     "ids",     "filter",
							    "updated",  "parents", "truncated",
							    "changes",  "columns", "fields",
							    "postings", "terms",   "parent_filter"};
	int rc = segment_load(w->g, w->pages);

	if (rc)
		return damaged(w->n, "the header page contradicts itself or the file's length");
	for (uint32_t i = 0; i < w->sections; i++)
		say(w->n, "  section %s page %" PRIu32 " pages %" PRIu32 " elements %" PRIu32,
		    names[i], w->g->sections[i].first_page, w->g->sections[i].pages,
		    w->g->sections[i].elements);
	rc = view_dictionary(w);
	if (rc)
		return rc;
	rc = visit_rows(w);
	if (!rc)
		rc = visit_indexes(w);
	if (!rc)
		rc = visit_columns(w);
	if (!rc)
		rc = visit_terms(w);
	return rc ? why_set(w->n->why, rc, "%s: a page or frame is %s", w->n->path,
			    rc == ERR_CORRUPT ? "damaged" : err_name(rc))
		  : 0;
}

static int inspect_segment(struct inspect *n, const uint8_t *page)
{
	struct segment_view w = {.n = n};
	char name[SEGMENT_NAME_SIZE];
	struct segment_meta m;

	if (!header_read(page, &m, name))
		return damaged(n, "the header page is damaged");
	w.sections = le32(page + HEADER_SECTIONS);
	if (w.sections > SEGMENT_SECTIONS)
		return damaged(n, "the header page names more sections than there are");
	say(n, "segment of %s version %" PRIu32 " tombstones %" PRIu32 " truncated %" PRIu32, name,
	    le32(page + HEADER_VERSION), m.tombstones, m.truncated);
	say_meta(n, &m);
	w.pages = pages_new(CACHE_BYTES, FILES_MAX);
	w.g = w.pages ? segment_new(name, &m, strdup(n->path)) : NULL;
	int rc = w.g ? view_segment(&w) : why_set(n->why, ERR_NOMEM, "out of memory");
	unpacker_free(w.unpacker);
	buf_release(&w.frame);
	buf_release(&w.memory);
	segment_free(w.g, w.pages);
	pages_free(w.pages);
	return rc;
}

/* ---- which ---- */

static int inspect_whole(struct inspect *n, int (*what)(struct inspect *n, struct bytes file))
{
	struct buf file = {0};
	int rc = file_read(n->path, 256u << 20, &file, n->why);

	if (!rc)
		rc = what(n, buf_bytes(&file));
	buf_release(&file);
	return rc;
}

int store_inspect(const char *path, bool records, void (*line)(void *ctx, struct bytes text),
		  void *ctx, struct why *why)
{
	struct inspect n = {path, records, line, ctx, why, {0}};
	uint8_t page[SEGMENT_PAGE] = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return why_errno(why, "cannot open %s", path);
	ssize_t got = pread(fd, page, sizeof page, 0);
	close(fd);
	if (got < 0)
		return why_errno(why, "cannot read %s", path);
	if (memcmp(page, SEGMENT_MAGIC, 8) == 0)
		rc = got < (ssize_t)sizeof page ? damaged(&n, "the header page is cut")
						: inspect_segment(&n, page);
	else if (memcmp(page, MANIFEST_MAGIC, 6) == 0)
		rc = inspect_whole(&n, inspect_manifest);
	else if (memcmp(page, DICTIONARY_MAGIC, 8) == 0)
		rc = inspect_whole(&n, inspect_dictionary);
	else if (memcmp(page, JOURNAL_MAGIC, 8) == 0)
		rc = inspect_whole(&n, inspect_journal);
	else if (memcmp(page, "FICTRL1\n", 8) == 0)
		rc = inspect_whole(&n, inspect_trail);
	else
		rc = why_set(why, ERR_INVALID, "%s is no file of a store", path);
	buf_release(&n.text);
	return rc;
}
