/* raised: see the header. */
#include "raised.h"

#include <base/files.h>
#include <codec/msgpack.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1024 * 1024)

struct raised *raised_find(struct raised_list *l, const char *alert, const char *condition,
			   const char *source, const char *resource, bool make)
{
	for (size_t i = 0; i < l->count; i++) {
		struct raised *r = &l->items[i];
		if (strcmp(r->alert, alert) == 0 && strcmp(r->condition, condition) == 0 &&
		    strcmp(r->source, source) == 0 && strcmp(r->resource, resource) == 0)
			return r;
	}
	if (!make || l->count == RAISED_MAX)
		return NULL;
	if (l->count == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 8;
		struct raised *items = realloc(l->items, cap * sizeof *items);
		if (!items)
			return NULL;
		l->items = items;
		l->cap = cap;
	}
	struct raised *r = &l->items[l->count++];
	*r = (struct raised){.looked = false};
	snprintf(r->alert, sizeof r->alert, "%s", alert);
	snprintf(r->condition, sizeof r->condition, "%s", condition);
	snprintf(r->source, sizeof r->source, "%s", source);
	snprintf(r->resource, sizeof r->resource, "%s", resource);
	return r;
}

bool raised_sweep(struct raised_list *l)
{
	bool lost = false;
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		struct raised *r = &l->items[i];
		bool stays = r->looked && (r->state.raised || r->state.begun_ms > 0);
		lost = lost || (!stays && r->state.raised);
		r->looked = false;
		if (stays)
			l->items[kept++] = *r;
	}
	l->count = kept;
	if (kept == 0)
		raised_release(l);
	return lost;
}

void raised_release(struct raised_list *l)
{
	free(l->items);
	*l = (struct raised_list){.items = NULL};
}

/* ---- the file ---- */

static void put_text(struct buf *out, const char *key, const char *value)
{
	mp_put_cstr(out, key);
	mp_put_cstr(out, value);
}

static void put_ms(struct buf *out, const char *key, int64_t ms)
{
	mp_put_cstr(out, key);
	mp_put_int(out, ms);
}

static void encode(const struct raised_list *l, struct buf *out)
{
	uint32_t n = 0;

	size_t mark = mp_begin_array(out);
	for (size_t i = 0; i < l->count; i++) {
		const struct raised *r = &l->items[i];
		if (!r->state.raised)
			continue;
		mp_put_map(out, 7);
		put_text(out, "alert", r->alert);
		put_text(out, "condition", r->condition);
		put_text(out, "source", r->source);
		put_text(out, "resource", r->resource);
		put_ms(out, "since", r->state.since_ms);
		put_ms(out, "held", r->state.held_ms);
		put_ms(out, "told", r->state.told_ms);
		n++;
	}
	mp_end_array(out, mark, n);
}

/* A text that fits, with its end. */
static bool take_text(struct bytes map, const char *key, char *out, size_t size)
{
	struct bytes text;

	if (!mp_find_str(map, key, &text) || text.len >= size ||
	    (text.len && memchr(text.data, 0, text.len)))
		return false;
	if (text.len)
		memcpy(out, text.data, text.len);
	out[text.len] = 0;
	return true;
}

static bool decode_one(struct raised_list *l, struct bytes map)
{
	struct raised r = {.looked = false};

	if (!take_text(map, "alert", r.alert, sizeof r.alert) ||
	    !take_text(map, "condition", r.condition, sizeof r.condition) ||
	    !take_text(map, "source", r.source, sizeof r.source) ||
	    !take_text(map, "resource", r.resource, sizeof r.resource) ||
	    !mp_find_int(map, "since", &r.state.since_ms) ||
	    !mp_find_int(map, "held", &r.state.held_ms) ||
	    !mp_find_int(map, "told", &r.state.told_ms) || r.state.since_ms <= 0)
		return false;
	struct raised *place = raised_find(l, r.alert, r.condition, r.source, r.resource, true);
	if (!place)
		return false;
	r.state.raised = true;
	r.state.begun_ms = r.state.since_ms;
	*place = r;
	return true;
}

static int decode(struct raised_list *l, struct bytes file)
{
	struct mp_reader r = mp_reader_of(file);
	struct mp_value list;
	struct bytes item;

	if (mp_check(file) || mp_next(&r, &list) != 1 || list.type != MP_ARRAY)
		return ERR_CORRUPT;
	for (uint32_t i = 0; i < list.count; i++)
		if (mp_take(&r, &item) != 1 || !decode_one(l, item))
			return ERR_CORRUPT;
	return 0;
}

int raised_load(struct raised_list *l, const char *state_dir, struct why *why)
{
	char path[CONFIG_PATH_MAX + 16];
	struct buf file = {0};

	snprintf(path, sizeof path, "%s/ALERTS", state_dir);
	int rc = file_read(path, FILE_BYTES_MAX, &file, why);
	if (rc == 0 && decode(l, buf_bytes(&file))) {
		raised_release(l);
		rc = why_set(why, ERR_CORRUPT, "%s is damaged", path);
	}
	buf_release(&file);
	return rc;
}

static int write_file(const char *path, struct bytes data, struct why *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return why_errno(why, "cannot open %s", path);
	int rc = file_pwrite(fd, data.data, data.len, 0);
	if (rc)
		why_errno(why, "cannot write %s", path);
	close(fd);
	return rc;
}

int raised_save(const struct raised_list *l, const char *state_dir, struct why *why)
{
	char path[CONFIG_PATH_MAX + 16], fresh[CONFIG_PATH_MAX + 24];
	struct buf file = {0};

	snprintf(path, sizeof path, "%s/ALERTS", state_dir);
	snprintf(fresh, sizeof fresh, "%s.new", path);
	encode(l, &file);
	int rc = file.error ? why_set(why, file.error, "out of memory")
			    : write_file(fresh, buf_bytes(&file), why);
	if (rc == 0 && rename(fresh, path))
		rc = why_errno(why, "cannot rename %s", fresh);
	buf_release(&file);
	return rc;
}
