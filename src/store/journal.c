/*
 * journal: appending and ending. Reading is journal_replay.c.
 *
 * What a file holds behind the last acknowledged frame is unknown after an error; the store is
 * `dirty` then, so that the next commit writes a manifest, and no journal outlives its manifest.
 */
#include "journal.h"
#include "hooks.h"

#include <base/files.h>
#include <codec/crc.h>
#include <codec/msgpack.h>
#include <store/journal.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BIN_HEAD 5u /* bytes before those of a long value, at most */

/* ---- a transaction as a frame ---- */

static void put_kills(const struct txn_part *part, struct buf *out)
{
	struct buf kills = {0};
	uint8_t k[JOURNAL_KILL_SIZE];

	for (size_t i = 0; i < part->kills_count; i++) {
		if (segment_in_memory(part->kills[i].segment))
			continue;
		put_le64(k, part->kills[i].segment->meta.number);
		put_le32(k + 8, part->kills[i].ordinal);
		put_le32(k + 12, part->kills[i].flags);
		buf_put(&kills, k, sizeof k);
	}
	mp_put_bin(out, buf_bytes(&kills));
	if (kills.error)
		out->error = kills.error;
	buf_release(&kills);
}

static void put_rows(const struct txn_part *part, struct buf *out)
{
	struct buf rows = {0}, frames = {0};
	uint8_t bytes[SEGMENT_ROW_SIZE];

	/* Much at once: growing by and by would copy it several times. */
	buf_reserve(&rows, part->count * sizeof bytes);
	buf_reserve(&frames, part->packed.len);
	for (size_t i = 0; i < part->count; i++) {
		struct row row = part->rows[i].row;
		if (part->rows[i].dropped)
			continue;
		row.offset = (uint32_t)frames.len;
		segment_row_encode(&row, bytes);
		buf_put(&rows, bytes, sizeof bytes);
		buf_put(&frames, part->packed.data + part->rows[i].at, row.frame_bytes);
	}
	buf_reserve(out, rows.len + frames.len + 2 * BIN_HEAD);
	mp_put_bin(out, buf_bytes(&rows));
	mp_put_bin(out, buf_bytes(&frames));
	if (rows.error || frames.error)
		out->error = ERR_NOMEM;
	buf_release(&rows);
	buf_release(&frames);
}

static void put_part(const struct txn_part *part, struct buf *out)
{
	mp_put_array(out, 7);
	mp_put_cstr(out, part->name);
	mp_put_uint(out, part->dictionary);
	coverage_encode(&part->coverage, out);
	intervals_encode(&part->damaged, out);
	put_kills(part, out);
	put_rows(part, out);
}

static void put_marks(const struct txn *t, struct buf *out)
{
	mp_put_array(out, (uint32_t)t->marks_count);
	for (size_t i = 0; i < t->marks_count; i++) {
		mp_put_array(out, 2);
		mp_put_str(out, mark_key(t->marks[i]));
		if (t->marks[i]->removes)
			mp_put_nil(out);
		else
			mp_put_bin(out, mark_value(t->marks[i]));
	}
}

static void put_frame(const struct prepared *p, struct buf *out)
{
	static const uint8_t head[JOURNAL_FRAME_HEAD];
	size_t start = out->len;
	uint32_t parts = 0;

	for (const struct txn_part *part = p->t->parts; part; part = part->next)
		parts += prepare_changes(p, part);
	buf_put(out, head, sizeof head);
	mp_put_array(out, 5);
	mp_put_uint(out, 1);
	mp_put_uint(out, p->s->state->revision);
	mp_put_uint(out, p->next->revision);
	mp_put_array(out, parts);
	for (const struct txn_part *part = p->t->parts; part; part = part->next)
		if (prepare_changes(p, part))
			put_part(part, out);
	put_marks(p->t, out);
	if (out->error)
		return;
	size_t body = out->len - start - JOURNAL_FRAME_HEAD;
	uint8_t *frame = out->data + start;
	put_le32(frame, (uint32_t)body);
	put_le32(frame + 4, crc_add(crc_add(0, frame, 4), frame + JOURNAL_FRAME_HEAD, body));
}

/* ---- the file ---- */

char *journal_path(const struct store *s, uint64_t number)
{
	char *path;

	return asprintf(&path, "%s/journal/%" PRIu64 ".log", s->dir, number) < 0 ? NULL : path;
}

static void put_header(const struct store *s, struct buf *out)
{
	uint8_t head[JOURNAL_HEAD];

	memcpy(head, JOURNAL_MAGIC, 8);
	put_le64(head + 8, s->manifest_revision);
	put_le32(head + 16, s->manifest_sum);
	put_le32(head + 20, crc_add(0, head, 20));
	buf_put(out, head, sizeof head);
}

/* Its name must be durable, and its folder's. */
static int file_begin(struct prepared *p)
{
	struct store *s = p->s;
	char *folder, *path = journal_path(s, s->journal.number + 1);

	if (!path)
		return prepare_nomem(p);
	if (asprintf(&folder, "%s/journal", s->dir) < 0) {
		free(path);
		return prepare_nomem(p);
	}
	int rc = dir_make(folder, 0700, &p->why);
	if (rc) {
		free(folder);
		free(path);
		return rc;
	}
	rc = prepare_folder(p, folder);
	if (!rc)
		rc = prepare_folder(p, strdup(s->dir));
	if (!rc) {
		s->journal.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (s->journal.fd < 0)
			rc = why_errno(&p->why, "cannot make %s", path);
		else
			s->journal.number++;
	}
	free(path);
	return rc;
}

int journal_append(struct prepared *p)
{
	struct journal *j = &p->s->journal;
	struct buf bytes = {.max = JOURNAL_BYTES_MAX / 4};
	bool first = j->fd < 0;
	int rc = first ? file_begin(p) : 0;

	if (rc)
		return rc;
	if (first) {
		put_header(p->s, &bytes);
		j->bytes = 0;
	}
	put_frame(p, &bytes);
	rc = bytes.error ? prepare_nomem(p) : 0;
	if (!rc) {
		rc = p->s->hooks.write(p->s->hooks.ctx, j->fd, bytes.data, bytes.len, j->bytes);
		if (rc)
			why_set(&p->why, rc,
				rc == ERR_NOSPACE ? "cannot write the journal: the disk is full"
						  : "cannot write the journal: %s",
				err_name(rc));
	}
	if (!rc) {
		j->bytes += bytes.len;
		j->total += bytes.len;
		rc = prepare_sync(p, j->fd);
	}
	buf_release(&bytes);
	p->s->dirty |= rc != 0;
	return rc;
}

void journal_close(struct store *s)
{
	if (s->journal.fd >= 0)
		close(s->journal.fd);
	s->journal.fd = -1;
}

void journal_rotate(struct store *s)
{
	journal_close(s);
	uint64_t end = s->keep_previous ? s->journal.first : s->journal.number + 1;
	for (uint64_t n = s->journal.before; n < end; n++)
		store_discard_slowly(s, journal_path(s, n));
	s->journal.before = end;
	s->journal.first = s->journal.number + 1;
	s->journal.total = 0;
}
