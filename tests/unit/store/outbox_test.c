/*
 * The outbox: what is acknowledged is there after whatever happens, what is not seen is not there, and what is damaged is set aside with all that can still be read.
 */
#include "support/lab.h"

#include <base/files.h>
#include <codec/msgpack.h>
#include <store/outbox.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct lab lab;

/* A disk that keeps its word late, or not at all. */
static struct disk {
	bool late;        /* fsyncs wait for disk_sync */
	int error;        /* of every fsync */
	uint64_t steps;   /* done so far */
	uint64_t dies_at; /* from this step on nothing happens any more; 0: never */
	bool torn;        /* the write of that step is done by half */
	void (*done[8])(void *arg, int error);
	void *arg[8];
	unsigned waiting;
} disk;

static bool is_dead(void)
{
	return disk.dies_at && disk.steps >= disk.dies_at;
}

static bool step(void)
{
	disk.steps++;
	return is_dead();
}

static int disk_fsync(void *ctx, int fd, void (*done)(void *arg, int error), void *arg)
{
	(void)ctx;
	if (step()) {
		done(arg, EIO);
		return 0;
	}
	if (disk.late) {
		assert_true(disk.waiting < 8);
		disk.done[disk.waiting] = done;
		disk.arg[disk.waiting++] = arg;
		return 0;
	}
	done(arg, disk.error ? disk.error : fsync(fd) ? errno : 0);
	return 0;
}

static void disk_sync(void)
{
	unsigned n = disk.waiting;

	disk.waiting = 0;
	for (unsigned i = 0; i < n; i++)
		disk.done[i](disk.arg[i], disk.error);
}

static int disk_write(void *ctx, int fd, const void *data, size_t len, uint64_t offset)
{
	bool before = is_dead();

	(void)ctx;
	if (step()) {
		if (!before && disk.torn)
			assert_true(pwrite(fd, data, len / 2, (off_t)offset) >= 0);
		return ERR_IO;
	}
	return pwrite(fd, data, len, (off_t)offset) == (ssize_t)len ? 0 : ERR_IO;
}

static int disk_rename(void *ctx, const char *from, const char *to)
{
	(void)ctx;
	if (!step())
		return rename(from, to);
	errno = EIO;
	return -1;
}

static int disk_unlink(void *ctx, const char *path)
{
	(void)ctx;
	if (!step())
		return unlink(path);
	errno = EIO;
	return -1;
}

static int setup(void **state)
{
	(void)state;
	lab_init(&lab);
	disk = (struct disk){0};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lab_release(&lab);
	return 0;
}

static struct outbox *open_outbox(void)
{
	const struct outbox_options options = {.dir = lab.dir,
					       .hooks = {.fsync = disk_fsync,
							 .write = disk_write,
							 .rename = disk_rename,
							 .unlink = disk_unlink}};
	struct outbox *o = NULL;
	struct why why = {""};

	if (outbox_open(&options, &o, &why))
		fail_msg("%s", why.text);
	return o;
}

/* ---- edits ---- */

static struct buf set, base;

static void put_map(struct buf *b, const char *value, size_t padding)
{
	buf_reset(b);
	mp_put_map(b, 1);
	mp_put_cstr(b, "name");
	size_t mark = b->len;
	mp_put_cstr(b, value);
	if (padding) {
		char *text = calloc(1, padding + 1);
		assert_non_null(text);
		memset(text, 'x', padding);
		b->len = mark;
		mp_put_cstr(b, text);
		free(text);
	}
}

static struct edit make(const char *record, const char *value, size_t padding)
{
	put_map(&set, value, padding);
	put_map(&base, "before", 0);
	return (struct edit){.state = EDIT_PENDING,
			     .resource = "contacts",
			     .record = bytes_str(record),
			     .set = buf_bytes(&set),
			     .base = buf_bytes(&base),
			     .base_updated_ms = 1000,
			     .created_ms = 2000,
			     .changed_ms = 2000,
			     .next_ms = TIME_NONE,
			     .sent_ms = TIME_NONE,
			     .sent_updated_ms = TIME_NONE,
			     .who = "alice (uid 1000)"};
}

struct told {
	unsigned count;
	int rc;
};

static void on_done(void *ctx, int rc, const struct why *why)
{
	struct told *t = ctx;

	t->count++;
	t->rc = rc;
	assert_true(rc == 0 || why->text[0]);
}

static uint64_t add(struct outbox *o, const char *record, const char *value, struct told *told)
{
	struct edit e = make(record, value, 0);
	uint64_t id = 0;

	assert_int_equal(outbox_add(o, &e, &id, on_done, told, NULL), 0);
	return id;
}

static void change(struct outbox *o, uint64_t id, enum edit_state state, struct told *told)
{
	struct edit e = *outbox_find(o, id);

	e.state = state;
	assert_int_equal(outbox_change(o, &e, told ? on_done : NULL, told, NULL), 0);
}

static unsigned count_of(const struct outbox *o)
{
	unsigned n = 0;

	for (const struct edit *e = outbox_next(o, 0); e; e = outbox_next(o, e->id))
		n++;
	return n;
}

static bool wants(const struct edit *e, const char *value)
{
	struct bytes text;

	return e && mp_find_str(e->set, "name", &text) && bytes_is(text, value);
}

static unsigned files_with(const char *suffix)
{
	DIR *dir = opendir(lab.dir);
	unsigned n = 0;

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));) {
		size_t len = strlen(e->d_name), tail = strlen(suffix);
		n += len > tail && strcmp(e->d_name + len - tail, suffix) == 0;
	}
	closedir(dir);
	return n;
}

/* ---- what is promised ---- */

static void an_edit_is_there_when_it_is_durable(void **state)
{
	struct told told = {0}, other = {0};

	(void)state;
	struct outbox *o = open_outbox();
	disk.late = true;
	uint64_t id = add(o, "a1", "one", &told), second = add(o, "a2", "two", &other);
	assert_int_equal(told.count + other.count, 0);
	assert_null(outbox_find(o, id));
	assert_int_equal(outbox_overlaid(o, NULL), 0);
	assert_null(outbox_overlay(o, "contacts", bytes_str("a1"), 0));
	assert_true(outbox_busy(o));
	/* A new file takes its fsync and the folder's; what came meanwhile goes with the next write. */
	disk_sync();
	disk_sync();
	assert_int_equal(told.count, 1);
	assert_int_equal(told.rc, 0);
	assert_int_equal(other.count, 0);
	assert_true(wants(outbox_find(o, id), "one"));
	assert_null(outbox_find(o, second));
	disk_sync();
	assert_int_equal(other.count, 1);
	assert_int_equal(outbox_overlaid(o, "contacts"), 2);
	assert_int_equal(outbox_overlaid(o, "conversations"), 0);
	assert_ptr_equal(outbox_overlay(o, "contacts", bytes_str("a2"), 0), outbox_find(o, second));
	outbox_close(o);
	o = open_outbox();
	assert_int_equal(count_of(o), 2);
	assert_true(wants(outbox_find(o, second), "two"));
	assert_string_equal(outbox_find(o, id)->who, "alice (uid 1000)");
	assert_int_equal(outbox_find(o, id)->next_ms, TIME_NONE);
	disk.late = false;
	assert_true(add(o, "a3", "three", &told) > second);
	outbox_close(o);
}

static void states_last_and_numbers_are_not_used_twice(void **state)
{
	struct told told = {0};

	(void)state;
	struct outbox *o = open_outbox();
	uint64_t id = add(o, "a1", "one", &told), last = 0;
	change(o, id, EDIT_SENDING, &told);
	change(o, id, EDIT_PUSHED, &told);
	assert_int_equal(told.count, 3);
	assert_int_equal(outbox_overlaid(o, NULL), 1);
	struct edit e = *outbox_find(o, id);
	e.shown = true;
	assert_int_equal(outbox_change(o, &e, NULL, NULL, NULL), 0);
	assert_int_equal(outbox_overlaid(o, NULL), 0);
	e.id = 77;
	assert_int_equal(outbox_change(o, &e, NULL, NULL, NULL), ERR_NOTFOUND);
	outbox_close(o);
	o = open_outbox();
	assert_int_equal(outbox_find(o, id)->state, EDIT_PUSHED);
	assert_true(outbox_find(o, id)->shown);
	for (int i = 0; i < 5; i++) {
		uint64_t next = add(o, "a1", "again", &told);
		assert_true(next > id && next > last);
		last = next;
	}
	outbox_close(o);
}

static void a_disk_that_fails_refuses_and_forgets(void **state)
{
	struct told told = {0}, good = {0};
	struct outbox_stats stats;

	(void)state;
	struct outbox *o = open_outbox();
	uint64_t kept = add(o, "a1", "kept", &good);
	disk.error = ENOSPC;
	uint64_t lost = add(o, "a2", "lost", &told);
	assert_int_equal(told.rc, ERR_NOSPACE);
	assert_null(outbox_find(o, lost));
	outbox_stats(o, &stats);
	assert_true(stats.unwritten);
	/* A state that cannot be written holds all the same, and is written with what comes next. */
	change(o, kept, EDIT_CONFLICT, NULL);
	assert_int_equal(outbox_find(o, kept)->state, EDIT_CONFLICT);
	disk.error = 0;
	add(o, "a3", "later", &good);
	assert_int_equal(good.count, 2);
	assert_int_equal(good.rc, 0);
	outbox_stats(o, &stats);
	assert_false(stats.unwritten);
	assert_int_equal(stats.count[EDIT_CONFLICT], 1);
	outbox_close(o);
	o = open_outbox();
	assert_int_equal(count_of(o), 2);
	assert_int_equal(outbox_find(o, kept)->state, EDIT_CONFLICT);
	assert_null(outbox_find(o, lost));
	assert_int_equal(files_with(".log"), 1);
	outbox_close(o);
}

static void who_is_forgotten_is_not_told(void **state)
{
	struct told told = {0};

	(void)state;
	struct outbox *o = open_outbox();
	disk.late = true;
	uint64_t id = add(o, "a1", "one", &told);
	outbox_forget(o, &told);
	disk_sync();
	disk_sync();
	assert_int_equal(told.count, 0);
	assert_non_null(outbox_find(o, id));
	outbox_close(o);
}

static void there_are_limits(void **state)
{
	struct told told = {0};
	struct why why = {""};

	(void)state;
	struct outbox *o = open_outbox();
	struct edit e = make("big", "x", EDIT_BYTES_MAX);
	assert_int_equal(outbox_add(o, &e, NULL, on_done, &told, &why), ERR_LIMIT);
	assert_int_equal(told.count, 0);
	uint64_t first = 0;
	for (unsigned i = 0; i < OUTBOX_OPEN_MAX; i++) {
		uint64_t id = add(o, "a1", "one", &told);
		first = first ? first : id;
	}
	e = make("a1", "more", 0);
	assert_int_equal(outbox_add(o, &e, NULL, on_done, &told, &why), ERR_LIMIT);
	assert_non_null(strstr(why.text, "try again"));
	/* What is over makes room, and is kept to be looked at, within a limit of its own. */
	for (unsigned i = 0; i < OUTBOX_KEPT_MAX + 50; i++) {
		struct edit over = *outbox_find(o, first + i);
		over.state = EDIT_PUSHED;
		over.shown = true;
		assert_int_equal(outbox_change(o, &over, NULL, NULL, NULL), 0);
		add(o, "a1", "one", &told);
	}
	assert_true(count_of(o) <= OUTBOX_OPEN_MAX + OUTBOX_KEPT_MAX + 60);
	outbox_close(o);
	struct outbox_stats stats;
	o = open_outbox();
	outbox_stats(o, &stats);
	assert_int_equal(stats.open, OUTBOX_OPEN_MAX);
	/* Most of what was written is history by now, and was left behind. */
	assert_true(stats.file_bytes < 4 * stats.bytes + (512 << 10));
	assert_int_equal(files_with(".log"), 1);
	outbox_close(o);
}

/* ---- death ---- */

enum { SCRIPT = 40 };

/* What was acknowledged before the end came. */
static struct promised {
	uint64_t id;
	enum edit_state state;
	enum edit_state asked; /* maybe it came to that */
} promised[SCRIPT];

static void on_added(void *ctx, int rc, const struct why *why)
{
	(void)why;
	*(int *)ctx = rc ? rc : 1;
}

/* Adds and changes, some large, so that files are written anew in between. */
static unsigned live(void)
{
	struct outbox *o = open_outbox();
	unsigned count = 0;

	for (unsigned i = 0; i < SCRIPT; i++) {
		int rc = 0;
		if (i % 3 == 2 && count > 1) {
			struct promised *p = &promised[(i * 7) % count];
			struct edit e = *outbox_find(o, p->id);
			e.state = (enum edit_state)(i % EDIT_STATES);
			p->asked = e.state;
			assert_int_equal(outbox_change(o, &e, on_added, &rc, NULL), 0);
			if (rc == 1)
				p->state = e.state;
			continue;
		}
		struct edit e = make("a1", "one", 30000);
		uint64_t id;
		assert_int_equal(outbox_add(o, &e, &id, on_added, &rc, NULL), 0);
		if (rc == 1)
			promised[count++] = (struct promised){id, EDIT_PENDING, EDIT_PENDING};
	}
	outbox_close(o);
	return count;
}

static void empty_folder(void)
{
	char command[320];

	snprintf(command, sizeof command, "rm -rf -- '%s' && mkdir '%s'", lab.dir, lab.dir);
	assert_int_equal(system(command), 0);
}

static void look_after_death(unsigned count)
{
	struct outbox *o = open_outbox();
	struct told told = {0};
	struct outbox_stats stats;

	for (unsigned i = 0; i < count; i++) {
		const struct edit *e = outbox_find(o, promised[i].id);
		if (!e)
			fail_msg("edit %llu is lost", (unsigned long long)promised[i].id);
		assert_true(e->state == promised[i].state || e->state == promised[i].asked);
	}
	outbox_stats(o, &stats);
	assert_int_equal(stats.damaged, 0);
	/* It works on, and a second opening finds the same. */
	unsigned n = count_of(o);
	add(o, "z", "after", &told);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.rc, 0);
	outbox_close(o);
	o = open_outbox();
	assert_int_equal(count_of(o), n + 1);
	assert_int_equal(files_with(".log"), 1);
	assert_int_equal(files_with(".tmp"), 0);
	outbox_close(o);
}

static void death_at_every_step_loses_nothing_acknowledged(void **state)
{
	(void)state;
	live();
	uint64_t steps = disk.steps;
	assert_true(steps > 80);
	for (int torn = 0; torn < 2; torn++)
		for (uint64_t k = 1; k <= steps; k++) {
			empty_folder();
			disk = (struct disk){.dies_at = k, .torn = torn};
			unsigned count = live();
			disk = (struct disk){0};
			look_after_death(count);
		}
}

/* ---- damage ---- */

static struct buf file_of(const char *name)
{
	struct buf out = {0};
	char path[200];

	snprintf(path, sizeof path, "%s/%s", lab.dir, name);
	assert_int_equal(file_read(path, 1 << 20, &out, NULL), 0);
	return out;
}

static void write_file(const char *name, const struct buf *b)
{
	char path[200];

	snprintf(path, sizeof path, "%s/%s", lab.dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(b->data, 1, b->len, f), b->len);
	fclose(f);
}

static void fill(unsigned n)
{
	struct outbox *o = open_outbox();
	struct told told = {0};

	for (unsigned i = 0; i < n; i++)
		add(o, "a1", i % 2 ? "odd" : "even", &told);
	outbox_close(o);
}

/* One frame may be lost, all others are there; the file lies beside as it was. */
static void a_flipped_bit_costs_one_frame_and_is_reported(void **state)
{
	(void)state;
	fill(8);
	struct buf good = file_of("1.log");
	for (size_t i = 8; i < good.len; i += 5) {
		struct outbox_stats stats;
		struct buf bad = {0};
		empty_folder();
		buf_put_bytes(&bad, buf_bytes(&good));
		bad.data[i] ^= (uint8_t)(1 << i % 8);
		write_file("1.log", &bad);
		struct outbox *o = open_outbox();
		unsigned n = count_of(o);
		assert_true(n == 7);
		outbox_stats(o, &stats);
		/* A length that points behind the end of the last frame looks like a write that was not finished. */
		if (stats.damaged == 0)
			assert_int_equal(files_with(".bad"), 0);
		else {
			assert_int_equal(stats.damaged, 1);
			struct buf aside = file_of("1.log.bad");
			assert_true(bytes_equal(buf_bytes(&aside), buf_bytes(&bad)));
			buf_release(&aside);
		}
		outbox_close(o);
		o = open_outbox();
		assert_int_equal(count_of(o), n);
		struct outbox_stats again;
		outbox_stats(o, &again);
		assert_int_equal(again.damaged, stats.damaged);
		outbox_close(o);
		buf_release(&bad);
	}
	buf_release(&good);
}

static void a_file_that_is_none_is_set_aside(void **state)
{
	struct buf junk = {0}, newer = {0};
	struct outbox_stats stats;
	struct told told = {0};
	struct why why = {""};

	(void)state;
	buf_put_str(&junk, "this is no outbox at all");
	write_file("4.log", &junk);
	struct outbox *o = open_outbox();
	outbox_stats(o, &stats);
	assert_int_equal(stats.damaged, 1);
	assert_int_equal(count_of(o), 0);
	add(o, "a1", "one", &told);
	outbox_close(o);
	assert_int_equal(files_with(".bad"), 1);
	o = open_outbox();
	assert_int_equal(count_of(o), 1);
	outbox_close(o);
	empty_folder();
	buf_put_str(&newer, "FICOBX2\nwhatever");
	write_file("9.log", &newer);
	const struct outbox_options options = {.dir = lab.dir};
	assert_int_equal(outbox_open(&options, &o, &why), ERR_INVALID);
	assert_non_null(strstr(why.text, "newer version"));
	assert_int_equal(files_with(".bad"), 0);
	buf_release(&junk);
	buf_release(&newer);
}

static void a_torn_tail_is_cut(void **state)
{
	(void)state;
	fill(3);
	struct buf good = file_of("1.log");
	for (size_t cut = 1; cut < 80; cut += 3) {
		struct outbox_stats stats;
		empty_folder();
		good.len -= cut;
		write_file("1.log", &good);
		good.len += cut;
		struct outbox *o = open_outbox();
		assert_int_equal(count_of(o), 2);
		outbox_stats(o, &stats);
		assert_int_equal(stats.damaged, 0);
		outbox_close(o);
	}
	buf_release(&good);
}

static void it_can_be_looked_at_without_being_touched(void **state)
{
	struct outbox *o = NULL;
	struct outbox_options options = {.dir = lab.dir, .read_only = true};

	(void)state;
	fill(3);
	struct buf good = file_of("1.log");
	good.data[20] ^= 1;
	write_file("1.log", &good);
	assert_int_equal(outbox_open(&options, &o, NULL), 0);
	assert_int_equal(count_of(o), 2);
	struct edit e = make("a1", "one", 0);
	assert_int_equal(outbox_add(o, &e, NULL, NULL, NULL, NULL), ERR_DENIED);
	outbox_close(o);
	assert_int_equal(files_with(".bad"), 0);
	options.dir = "/tmp/fic-no-such-folder";
	assert_int_equal(outbox_open(&options, &o, NULL), 0);
	outbox_close(o);
	buf_release(&good);
}

/* In any file of the folder. */
static bool lies_on_the_disk(const char *text)
{
	DIR *dir = opendir(lab.dir);
	bool found = false;

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));) {
		if (e->d_name[0] == '.')
			continue;
		struct buf file = file_of(e->d_name);
		found = found || bytes_has(buf_bytes(&file), text);
		buf_release(&file);
	}
	closedir(dir);
	return found;
}

static void what_is_erased_is_gone(void **state)
{
	struct told told = {0}, flying = {0};
	struct buf aside = {0};

	(void)state;
	struct outbox *o = open_outbox();
	uint64_t first = add(o, "a1", "secret one", &told);
	uint64_t kept = add(o, "a2", "kept", &told);
	change(o, first, EDIT_PUSHED, NULL);
	buf_put_str(&aside, "secret three");
	write_file("7.log.bad", &aside);
	assert_true(lies_on_the_disk("secret one"));
	/* While one is being written, and another waits for it. */
	disk.late = true;
	add(o, "a1", "secret two", &flying);
	add(o, "a1", "secret four", &flying);
	outbox_erase(o, "contacts", bytes_str("a1"));
	outbox_erase(o, "contacts", bytes_str("never seen"));
	assert_int_equal(count_of(o), 1);
	disk.error = EIO;
	while (disk.waiting)
		disk_sync();
	assert_int_equal(flying.count, 2);
	assert_true(lies_on_the_disk("secret one"));
	disk.error = 0;
	assert_true(outbox_erasing(o)); /* it is tried again */
	while (disk.waiting)
		disk_sync();
	assert_false(outbox_erasing(o));
	assert_false(lies_on_the_disk("secret"));
	assert_int_equal(files_with(".bad"), 0);
	assert_true(wants(outbox_find(o, kept), "kept"));
	outbox_close(o);
	disk.late = false;
	o = open_outbox();
	assert_int_equal(count_of(o), 1);
	assert_true(add(o, "a3", "new", &told) > kept);
	outbox_close(o);
	buf_release(&aside);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_edit_is_there_when_it_is_durable),
		TEST(states_last_and_numbers_are_not_used_twice),
		TEST(a_disk_that_fails_refuses_and_forgets),
		TEST(who_is_forgotten_is_not_told),
		TEST(there_are_limits),
		TEST(death_at_every_step_loses_nothing_acknowledged),
		TEST(a_flipped_bit_costs_one_frame_and_is_reported),
		TEST(a_file_that_is_none_is_set_aside),
		TEST(a_torn_tail_is_cut),
		TEST(it_can_be_looked_at_without_being_touched),
		TEST(what_is_erased_is_gone),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_release(&set);
	buf_release(&base);
	return failed;
}
