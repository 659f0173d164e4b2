/*
 * journal_replay: what the journals say, as the commits that they were: each frame becomes a
 * transaction again and is prepared like any other, only that nothing is written.
 *
 * No segment is read: the rows in files that were replaced are named by their places, and those in
 * memory are found there. The checksum says that the bytes are what was written, not that what was
 * written makes sense: a frame that does not, or whose records cannot be unpacked because their
 * dictionary is damaged, ends its journal. Terms and columns are made from the records again.
 */
#include "journal.h"
#include "lookup.h"

#include <base/files.h>
#include <base/log.h>
#include <codec/crc.h>
#include <codec/msgpack.h>
#include <store/journal.h>

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- a frame as a transaction ---- */

struct frame {
	struct mp_reader r;
	uint64_t before, after;
	struct txn *t;
};

static bool take(struct frame *f, enum mp_type type, struct mp_value *v)
{
	return mp_next(&f->r, v) == 1 && v->type == type;
}

static bool take_number(struct frame *f, uint64_t *out)
{
	struct mp_value v;

	if (!take(f, MP_INT, &v) || v.integer < 0)
		return false;
	*out = (uint64_t)v.integer;
	return true;
}

static bool dictionary_known(const struct txn_part *part, uint64_t number)
{
	for (size_t i = 0; part->base && i < part->base->dictionaries_count; i++)
		if (part->base->dictionaries[i].number == number)
			return true;
	return number == 0;
}

static int add_kill(struct txn_part *part, const struct segment *g, uint32_t ordinal, unsigned flags)
{
	if (part->kills_count == part->kills_cap) {
		size_t cap = part->kills_cap ? part->kills_cap * 2 : 64;
		struct kill *kills = realloc(part->kills, cap * sizeof *kills);
		if (!kills)
			return ERR_NOMEM;
		part->kills = kills;
		part->kills_cap = cap;
	}
	part->kills[part->kills_count++] = (struct kill){g, ordinal, flags, 0};
	return 0;
}

/* A segment that is not named any more was quarantined: its rows are gone. */
static int take_kills(struct txn_part *part, struct bytes kills)
{
	if (kills.len % JOURNAL_KILL_SIZE)
		return ERR_CORRUPT;
	for (const uint8_t *k = kills.data; kills.len; kills.len -= JOURNAL_KILL_SIZE) {
		uint64_t number = le64(k);
		uint32_t ordinal = le32(k + 8), flags = le32(k + 12);
		const struct segment *g = NULL;
		for (size_t i = 0; !g && part->base && i < part->base->count; i++)
			if (part->base->segments[i].segment->meta.number == number &&
			    !segment_in_memory(part->base->segments[i].segment))
				g = part->base->segments[i].segment;
		if (g && ordinal >= g->meta.records)
			return ERR_CORRUPT;
		int rc = g ? add_kill(part, g, ordinal, flags) : 0;
		if (rc)
			return rc;
		k += JOURNAL_KILL_SIZE;
	}
	return 0;
}

static bool row_possible(const struct frame *f, const struct row *row, struct bytes frames)
{
	if (row->offset > frames.len || row->frame_bytes > frames.len - row->offset ||
	    row->frame_bytes <= SEGMENT_FRAME_HEAD || row->raw_bytes > SEGMENT_RECORD_MAX ||
	    row->flags > UINT16_MAX || row->revision > f->after)
		return false;
	struct bytes frame = bytes_of(frames.data + row->offset, row->frame_bytes),
		     id = frame_id(frame);
	return le32(frame.data) == crc_add(0, frame.data + 4, frame.len - 4) && id.len > 0 &&
	       bytes_hash(id) == row->id_hash;
}

/* The record's terms and column values, which the journal does not have. */
static int take_index(struct frame *f, struct txn_part *part, const struct row *row, struct bytes frame)
{
	struct buf raw = {0};
	struct record record;
	struct unpacker *u;
	int rc = dictionary_unpacker(f->t->store->dictionaries, part->name, part->dictionary, &u);

	if (!rc)
		rc = unpacker_unpack(u, frame_packed(frame), row->raw_bytes, &raw);
	if (!rc)
		rc = record_decode(buf_bytes(&raw), &record);
	if (!rc && !bytes_equal(record.id, frame_id(frame)))
		rc = ERR_CORRUPT;
	if (!rc)
		rc = extract_add(&part->extract, &record);
	buf_release(&raw);
	return rc == ERR_LIMIT ? ERR_CORRUPT : rc;
}

static int take_row(struct frame *f, struct txn_part *part, const struct row *row)
{
	struct bytes frames = buf_bytes(&part->packed);
	struct found held;

	if (!row_possible(f, row, frames))
		return ERR_CORRUPT;
	struct bytes frame = bytes_of(frames.data + row->offset, row->frame_bytes),
		     id = frame_id(frame);
	int rc = take_index(f, part, row, frame);
	if (rc)
		return rc;
	rc = lookup_in_memory(f->t->store, part->base, id, &held);
	if (rc == 1)
		rc = add_kill(part, held.entry->segment, held.ordinal, held.row.flags);
	if (!rc)
		part->rows[part->count++] = (struct txn_row){.row = *row,
							     .extract = part->extract.count - 1,
							     .at = row->offset,
							     .id_len = (uint8_t)id.len};
	return rc;
}

static int take_rows(struct frame *f, struct txn_part *part, struct bytes rows, struct bytes frames)
{
	size_t n = rows.len / SEGMENT_ROW_SIZE;
	int rc = 0;

	if (rows.len % SEGMENT_ROW_SIZE || n > TXN_RECORDS_MAX)
		return ERR_CORRUPT;
	part->rows = malloc((n + 1) * sizeof *part->rows);
	buf_put_bytes(&part->packed, frames);
	if (!part->rows || part->packed.error)
		return ERR_NOMEM;
	part->cap = n;
	for (size_t i = 0; !rc && i < n; i++) {
		struct row row;
		segment_row_decode(rows.data + i * SEGMENT_ROW_SIZE, &row);
		rc = take_row(f, part, &row);
	}
	part->packed_rows = part->count;
	part->gathering = false;
	return rc;
}

static int take_coverage(struct frame *f, struct txn_part *part)
{
	struct bytes coverage, damaged;
	struct coverage c;
	struct intervals d;

	if (mp_take(&f->r, &coverage) != 1 || mp_take(&f->r, &damaged) != 1)
		return ERR_CORRUPT;
	coverage_init(&c);
	int rc = coverage_decode(coverage, &c);
	if (rc)
		return rc;
	coverage_release(&part->coverage);
	part->coverage = c;
	d = (struct intervals){0};
	rc = intervals_decode(damaged, &d);
	if (rc)
		return rc;
	intervals_release(&part->damaged);
	part->damaged = d;
	return 0;
}

static int take_part(struct frame *f)
{
	struct mp_value v, kills, rows, frames;
	char name[SEGMENT_NAME_SIZE];
	struct txn_part *part;
	uint64_t dictionary;

	if (!take(f, MP_ARRAY, &v) || v.count != 7 || !take(f, MP_STR, &v) || v.str.len >= sizeof name)
		return ERR_CORRUPT;
	memcpy(name, v.str.data, v.str.len);
	name[v.str.len] = 0;
	int rc = txn_part(f->t, name, &part, NULL);
	if (rc)
		return rc == ERR_NOMEM ? rc : ERR_CORRUPT;
	if (part->rows || !take_number(f, &dictionary) || !dictionary_known(part, dictionary))
		return ERR_CORRUPT;
	part->dictionary = dictionary;
	rc = take_coverage(f, part);
	if (rc)
		return rc;
	if (!take(f, MP_BIN, &kills) || !take(f, MP_BIN, &rows) || !take(f, MP_BIN, &frames))
		return ERR_CORRUPT;
	rc = take_kills(part, kills.str);
	return rc ? rc : take_rows(f, part, rows.str, frames.str);
}

static int take_mark(struct frame *f)
{
	char name[MARK_KEY_MAX + 1];
	struct mp_value v, key;

	if (!take(f, MP_ARRAY, &v) || v.count != 2 || !take(f, MP_STR, &key) ||
	    key.str.len > MARK_KEY_MAX || memchr(key.str.data, 0, key.str.len) ||
	    mp_next(&f->r, &v) != 1 || (v.type != MP_NIL && v.type != MP_BIN))
		return ERR_CORRUPT;
	memcpy(name, key.str.data, key.str.len);
	name[key.str.len] = 0;
	static const uint8_t none;
	struct bytes value = v.type == MP_NIL ? bytes_of(NULL, 0)
			     : v.str.data     ? v.str
					      : bytes_of(&none, 0);
	int rc = txn_mark(f->t, name, value);
	return !rc || rc == ERR_NOMEM ? rc : ERR_CORRUPT;
}

/* ERR_CORRUPT: it makes no sense, or does not follow the state. */
static int frame_take(struct frame *f)
{
	struct mp_value v;
	uint64_t version;
	int rc = 0;

	if (!take(f, MP_ARRAY, &v) || v.count != 5 || !take_number(f, &version) || version != 1 ||
	    !take_number(f, &f->before) || !take_number(f, &f->after) ||
	    f->before != f->t->store->state->revision || f->after <= f->before)
		return ERR_CORRUPT;
	if (!take(f, MP_ARRAY, &v) || v.count > STORE_RESOURCES_MAX)
		return ERR_CORRUPT;
	for (uint32_t i = 0, n = v.count; !rc && i < n; i++)
		rc = take_part(f);
	if (rc)
		return rc;
	if (!take(f, MP_ARRAY, &v))
		return ERR_CORRUPT;
	for (uint32_t i = 0, n = v.count; !rc && i < n; i++)
		rc = take_mark(f);
	if (!rc && f->r.at != f->r.end)
		rc = ERR_CORRUPT;
	f->t->revision = f->after + 1;
	return rc;
}

/* The state becomes what it was after the commit. */
static int frame_apply(struct store *s, struct bytes body)
{
	struct frame f = {.r = mp_reader_of(body)};
	int rc = store_begin(s, &f.t, NULL);

	if (rc)
		return rc;
	rc = frame_take(&f);
	struct prepared p = {.s = s, .t = f.t, .replayed = true, .changed = true};
	f.t->committing = true;
	while (!rc) {
		rc = prepare_step(&p);
		if (rc == 0) {
			struct state *old = s->state;
			s->state = p.next;
			p.next = NULL;
			state_unref(old, store_segment_end, s);
			break;
		}
		rc = rc == 1 ? 0 : rc;
	}
	prepared_release(&p);
	txn_free(f.t);
	return rc;
}

/* ---- files ---- */

/* Whether it is a journal of this manifest. */
static bool header_is(struct bytes file, uint64_t revision, uint32_t sum)
{
	return sum && file.len >= JOURNAL_HEAD && memcmp(file.data, JOURNAL_MAGIC, 8) == 0 &&
	       le32(file.data + 20) == crc_add(0, file.data, 20) &&
	       le64(file.data + 8) == revision && le32(file.data + 16) == sum;
}

bool journal_frame_next(struct bytes file, size_t at, struct bytes *body)
{
	if (file.len - at < JOURNAL_FRAME_HEAD)
		return false;
	const uint8_t *head = file.data + at;
	uint32_t len = le32(head);
	if (len > file.len - at - JOURNAL_FRAME_HEAD)
		return false;
	*body = bytes_of(head + JOURNAL_FRAME_HEAD, len);
	return le32(head + 4) == crc_add(crc_add(0, head, 4), body->data, len);
}

/* Nobody can read on behind an end that is damaged, and a check must not find it again. */
static void cut(const struct store *s, const char *path, struct bytes file, size_t at)
{
	if (at < file.len && !s->read_only && truncate(path, (off_t)at) != 0)
		log_warn("store", "cannot cut file=%s: %s", path, strerror(errno));
}

/* One of the manifest before is not replayed. */
static void look_at_older(const struct store *s, const char *path, struct bytes file)
{
	size_t at = JOURNAL_HEAD;
	struct bytes body;

	while (journal_frame_next(file, at, &body))
		at += JOURNAL_FRAME_HEAD + body.len;
	cut(s, path, file, at);
}

static int replay_file(struct store *s, const char *path, struct bytes file)
{
	size_t at = JOURNAL_HEAD;
	struct bytes body;
	int rc = 0;

	while (!rc && journal_frame_next(file, at, &body)) {
		rc = frame_apply(s, body);
		at += rc ? 0 : JOURNAL_FRAME_HEAD + body.len;
	}
	if (!rc)
		cut(s, path, file, at);
	if (at < file.len && (!rc || rc == ERR_CORRUPT))
		log_warn("store",
			 "journal cut, what was not acknowledged is gone file=%s kept=%zu bytes=%zu",
			 path, at, file.len);
	return rc == ERR_CORRUPT ? 0 : rc;
}

static int replay(struct store *s, uint64_t number, struct why *why)
{
	struct buf file = {0};
	char *path = journal_path(s, number);
	int rc = path ? file_read(path, JOURNAL_BYTES_MAX, &file, why)
		      : why_set(why, ERR_NOMEM, "out of memory to open %s", s->dir);

	/* Upkeep that changed nothing leaves two manifests that are alike: a journal of both is one of the last. */
	if (!rc && header_is(buf_bytes(&file), s->manifest_revision, s->manifest_sum)) {
		rc = replay_file(s, path, buf_bytes(&file));
		if (rc)
			why_set(why, rc, "cannot replay %s: %s", path, err_name(rc));
		s->journal.total += file.len;
	} else if (!rc && header_is(buf_bytes(&file), s->previous_revision, s->previous_sum)) {
		s->journal.first = number + 1; /* they are the older ones */
		look_at_older(s, path, buf_bytes(&file));
	} else if (!rc || rc == ERR_LIMIT) {
		if (!s->read_only) {
			store_discard(s, path);
			path = NULL;
		}
		rc = 0;
	}
	free(path);
	buf_release(&file);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* "123.log": the number; 0 for any other name. */
static uint64_t numbered(const char *name)
{
	char *end;

	if (name[0] < '1' || name[0] > '9')
		return 0;
	errno = 0;
	unsigned long long n = strtoull(name, &end, 10);
	return errno == 0 && n < UINT64_MAX / 2 && strcmp(end, ".log") == 0 ? n : 0;
}

static int list_files(const char *path, uint64_t **out, size_t *count_out, struct why *why)
{
	DIR *dir = opendir(path);
	uint64_t *list = NULL;
	size_t n = 0;

	*out = NULL;
	*count_out = 0;
	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ? 0
							   : why_errno(why, "cannot read %s", path);
	// cppcheck-suppress readdirCalled ; one thread, one stream
	for (struct dirent *e; (e = readdir(dir));) {
		uint64_t number = numbered(e->d_name);
		if (!number)
			continue;
		uint64_t *grown = realloc(list, (n + 1) * sizeof *list);
		if (!grown) {
			free(list);
			closedir(dir);
			return why_set(why, ERR_NOMEM, "out of memory to read %s", path);
		}
		list = grown;
		list[n++] = number;
	}
	closedir(dir);
	if (n)
		qsort(list, n, sizeof *list, by_number);
	*out = list;
	*count_out = n;
	return 0;
}

int journal_replay(struct store *s, struct why *why)
{
	uint64_t *list;
	size_t count;
	char *folder;

	if (asprintf(&folder, "%s/journal", s->dir) < 0)
		return why_set(why, ERR_NOMEM, "out of memory to open %s", s->dir);
	int rc = list_files(folder, &list, &count, why);
	free(folder);
	if (count)
		s->journal.before = s->journal.first = list[0];
	for (size_t i = 0; !rc && i < count; i++)
		rc = replay(s, list[i], why);
	if (!rc && count)
		s->journal.number = list[count - 1];
	free(list);
	return rc;
}
