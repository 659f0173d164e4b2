/* find: see the header. */
#include "find.h"
#include "lab.h"

#include <codec/deflate.h>
#include <codec/msgpack.h>
#include <store/journal.h>
#include <store/segment.h>

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct search {
	char resource[256]; /* its folder */
	struct bytes text;
	unsigned found, inflated;
};

static bool holds(struct bytes in, struct bytes text)
{
	return text.len && in.len >= text.len && memmem(in.data, in.len, text.data, text.len);
}

static struct unpacker *unpacker_of(const char *folder, uint64_t dictionary)
{
	struct buf file = {0};
	char path[512];

	if (dictionary) {
		snprintf(path, sizeof path, "%.400s/%" PRIu64 ".dict", folder, dictionary);
		lab_read("", path, &file);
		assert_true(file.len > FRAMED_HEAD);
	}
	struct unpacker *u =
		unpacker_new(dictionary ? bytes_of(file.data + FRAMED_HEAD, file.len - FRAMED_HEAD)
					: bytes_of(NULL, 0));
	assert_non_null(u);
	buf_release(&file);
	return u;
}

/* One frame, from its row. */
static void look_at_row(struct search *s, struct unpacker *u, const uint8_t *row, struct bytes area)
{
	uint32_t offset = le32(row), len = le32(row + 4), raw = le32(row + 8);
	struct buf out = {0};

	assert_true(offset + len <= area.len);
	const uint8_t *frame = area.data + offset;
	size_t head = SEGMENT_FRAME_HEAD + frame[4];
	assert_int_equal(unpacker_unpack(u, bytes_of(frame + head, len - head), raw, &out), 0);
	s->found += holds(buf_bytes(&out), s->text);
	s->inflated++;
	buf_release(&out);
}

static void look_at_segment(struct search *s, struct bytes file)
{
	const uint8_t *section = file.data + HEADER_TABLE;
	uint64_t at = le64(section);
	uint32_t records = le32(file.data + HEADER_RECORDS),
		 each = SEGMENT_PAGE_ROOM / SEGMENT_ROW_SIZE;
	struct unpacker *u = unpacker_of(s->resource, le64(file.data + HEADER_DICTIONARY));

	for (uint32_t i = 0; i < records; i++)
		look_at_row(s, u,
			    file.data + at + (uint64_t)(i / each) * SEGMENT_PAGE +
				    i % each * SEGMENT_ROW_SIZE,
			    file);
	unpacker_free(u);
}

static struct bytes bin(struct mp_reader *r)
{
	struct mp_value v;

	assert_int_equal(mp_next(r, &v), 1);
	assert_int_equal(v.type, MP_BIN);
	return v.str;
}

static void look_at_frame(struct search *s, const char *dir, struct bytes body)
{
	struct mp_reader r = mp_reader_of(body);
	struct mp_value v;
	struct bytes skip;
	char folder[512];

	for (int i = 0; i < 4; i++) /* the array, its version, two revisions */
		assert_int_equal(mp_next(&r, &v), 1);
	assert_int_equal(mp_next(&r, &v), 1);
	for (uint32_t n = v.count; n > 0; n--) {
		assert_int_equal(mp_next(&r, &v), 1);
		assert_int_equal(mp_next(&r, &v), 1);
		snprintf(folder, sizeof folder, "%.200s/%.*s", dir, (int)v.str.len,
			 (const char *)v.str.data);
		assert_int_equal(mp_next(&r, &v), 1);
		uint64_t dictionary = (uint64_t)v.integer;
		assert_int_equal(mp_take(&r, &skip), 1);
		assert_int_equal(mp_take(&r, &skip), 1);
		bin(&r);
		struct bytes rows = bin(&r), frames = bin(&r);
		struct unpacker *u = rows.len ? unpacker_of(folder, dictionary) : NULL;
		for (size_t at = 0; at + SEGMENT_ROW_SIZE <= rows.len; at += SEGMENT_ROW_SIZE)
			look_at_row(s, u, rows.data + at, frames);
		unpacker_free(u);
	}
}

static void look_at_journal(struct search *s, const char *dir, struct bytes file)
{
	for (size_t at = JOURNAL_HEAD; at + JOURNAL_FRAME_HEAD < file.len;) {
		uint32_t len = le32(file.data + at);
		if (len > file.len - at - JOURNAL_FRAME_HEAD)
			return;
		look_at_frame(s, dir, bytes_of(file.data + at + JOURNAL_FRAME_HEAD, len));
		at += JOURNAL_FRAME_HEAD + len;
	}
}

static bool begins(struct bytes file, const char *magic)
{
	return file.len > 8 && memcmp(file.data, magic, 8) == 0;
}

static void look_at_file(struct search *s, const char *top, const char *path)
{
	struct buf file = {0};

	lab_read("", path, &file);
	s->found += holds(buf_bytes(&file), s->text);
	if (begins(buf_bytes(&file), SEGMENT_MAGIC))
		look_at_segment(s, buf_bytes(&file));
	if (begins(buf_bytes(&file), JOURNAL_MAGIC))
		look_at_journal(s, top, buf_bytes(&file));
	buf_release(&file);
}

static void look_at_folder(struct search *s, const char *top, const char *path, unsigned depth)
{
	DIR *dir = opendir(path);

	assert_non_null(dir);
	if (depth == 1)
		snprintf(s->resource, sizeof s->resource, "%.255s", path);
	for (struct dirent *e; (e = readdir(dir));) {
		char below[512];
		if (e->d_name[0] == '.')
			continue;
		snprintf(below, sizeof below, "%.250s/%.250s", path, e->d_name);
		if (e->d_type == DT_DIR)
			look_at_folder(s, top, below, depth + 1);
		else
			look_at_file(s, top, below);
	}
	closedir(dir);
}

unsigned find_bytes(const char *dir, struct bytes text, unsigned *inflated_out)
{
	struct search s = {.text = text};

	look_at_folder(&s, dir, dir, 0);
	if (inflated_out)
		*inflated_out = s.inflated;
	return s.found;
}
