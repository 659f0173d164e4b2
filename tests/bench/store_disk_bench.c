/*
 * store_disk_bench: what conversations cost on disk and in CPU, with their indexes, beside the same
 * in SQLite with FTS5 (the table and the triggers that a user would write).
 *
 * What the disk holds is told by sections, and how much smaller the records become when all of them
 * are packed at the level of compaction.
 *
 * STORE_BENCH_CONVERSATIONS says how many (6,000; the goals speak of 100,000). They come from
 * support/page.h, 6.25 KB of JSON each on average, whole threads with their parts, in pages of 150 as
 * a first sync takes them: parsed, indexed, compressed, written. The disk is memory (/dev/shm).
 */
#include "support/page.h"

#include <base/files.h>
#include <base/log.h>
#include <codec/deflate.h>
#include <codec/json.h>
#include <codec/msgpack.h>
#include <model/html.h>
#include <store/segment.h>
#include <store/store.h>

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_SQLITE3
#include <sqlite3.h>
#endif

#define PAGE       150
#define PARTS_MIN  6
#define PARTS_MORE 5

static const struct field fields[] = {
	{"state", FIELD_TEXT, "state", NULL},
	{"subject", FIELD_HTML, "title|source.subject", NULL},
	{"assignee", FIELD_TEXT, "admin_assignee_id", NULL},
	{"team", FIELD_TEXT, "team_assignee_id", NULL},
	{"contact", FIELD_LIST, "contacts.contacts.*.id", NULL},
	{"author", FIELD_TEXT, "source.author.email|source.author.name|source.author.id", NULL},
	{"tags", FIELD_LIST, "tags.tags.*.name", NULL},
	{"priority", FIELD_TEXT, "priority", NULL},
	{"open", FIELD_BOOL, "open", NULL},
	{"read", FIELD_BOOL, "read", NULL},
	{"body", FIELD_HTML, "source.body", NULL},
	{"waiting_since", FIELD_TIME, "waiting_since", NULL},
	{"snoozed_until", FIELD_TIME, "snoozed_until", NULL},
	{"reply", FIELD_INTEGER, "statistics.time_to_admin_reply", NULL},
	{"parts", FIELD_LIST, "conversation_parts.conversation_parts.*.body", NULL},
};

static const struct store_field indexed[] = {
	{&fields[0], STORE_KEYWORD}, {&fields[1], STORE_TEXT},     {&fields[2], STORE_KEYWORD},
	{&fields[3], STORE_KEYWORD}, {&fields[4], STORE_LIST},     {&fields[5], STORE_KEYWORD},
	{&fields[6], STORE_LIST},    {&fields[7], STORE_KEYWORD},  {&fields[8], STORE_KEYWORD},
	{&fields[9], STORE_KEYWORD}, {&fields[10], STORE_WORDS},   {&fields[11], STORE_TIME},
	{&fields[12], STORE_TIME},   {&fields[13], STORE_INTEGER}, {&fields[14], STORE_WORDS},
};

static const struct store_schema schemas[] = {{"conversations", indexed, 15, NULL},
					      {NULL, NULL, 0, NULL}};

static unsigned count;
static double json_bytes;

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(int rc, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "store_disk_bench: %s: %s\n", what, err_name(rc));
	exit(1);
}

/* ---- fic ---- */

static void committed(void *ctx, int rc, const struct why *why)
{
	(void)ctx;
	if (rc)
		fprintf(stderr, "commit: %s\n", why->text);
	must(rc, "commit");
}

static int no_fsync(void *ctx, int fd, void (*done)(void *arg, int error), void *arg)
{
	(void)ctx;
	(void)fd;
	done(arg, 0);
	return 0;
}

static void put_one(struct txn *t, struct bytes json)
{
	static struct buf doc;
	struct bytes id;
	int64_t created, updated;
	struct why why;

	buf_reset(&doc);
	must(json_to_msgpack(json, JSON_STRICT, &doc, &why), "json");
	if (!mp_find_str(buf_bytes(&doc), "id", &id) ||
	    !mp_find_int(buf_bytes(&doc), "created_at", &created) ||
	    !mp_find_int(buf_bytes(&doc), "updated_at", &updated))
		must(ERR_INVALID, "document");
	struct record r = {.id = id,
			   .created_ms = created * 1000,
			   .updated_ms = updated * 1000,
			   .seen_ms = 1800000000000,
			   .doc = buf_bytes(&doc)};
	must(txn_put(t, "conversations", &r, NULL, &why), "put");
}

/* With an id of its own: the generator's, of seven digits, may come twice. */
static void make_json(struct buf *out, unsigned i)
{
	char id[16];

	buf_reset(out);
	page_conversation(out, PARTS_MIN, PARTS_MORE);
	snprintf(id, sizeof id, "%07u", 1000000 + i);
	memcpy(strstr(buf_text(out), "\"id\":\"") + 6, id, 7);
}

struct texts {
	struct buf all;
	size_t *ends;
};

/* One page at a time is made, so that memory does not depend on the count. */
static void make_page(struct texts *p, unsigned first, unsigned n)
{
	struct buf one = {0};

	buf_reset(&p->all);
	for (unsigned i = 0; i < n; i++) {
		make_json(&one, first + i);
		buf_put_bytes(&p->all, buf_bytes(&one));
		p->ends[i] = p->all.len;
	}
	buf_release(&one);
}

static struct bytes text_of(const struct texts *p, unsigned i)
{
	size_t start = i ? p->ends[i - 1] : 0;

	return bytes_of(p->all.data + start, p->ends[i] - start);
}

static double worst_page;

static double fill(struct store *s, struct texts *p)
{
	double total = 0;

	for (unsigned first = 0; first < count; first += PAGE) {
		unsigned n = count - first < PAGE ? count - first : PAGE;
		struct txn *t;
		make_page(p, first, n);
		double start = cpu_s();
		must(store_begin(s, &t, NULL), "begin");
		for (unsigned i = 0; i < n; i++)
			put_one(t, text_of(p, i));
		txn_commit(t, committed, NULL);
		double spent = cpu_s() - start;
		total += spent;
		worst_page = spent > worst_page ? spent : worst_page;
		json_bytes += (double)p->all.len;
	}
	return total;
}

static void say(const char *what, double value, const char *unit)
{
	printf("%-52s %10.3f %s\n", what, value, unit);
}

/* ---- what the disk holds ---- */

static double sections[SEGMENT_SECTIONS + 2]; /* then records, and what belongs to no section */
static char dictionary_file[256];

static void add_segment(const uint8_t *page, double bytes)
{
	uint32_t n = le32(page + HEADER_SECTIONS);
	double rest = bytes - (double)(le64(page + HEADER_DATA_END) - SEGMENT_PAGE);

	sections[SEGMENT_SECTIONS] += bytes - rest;
	for (uint32_t i = 0; i < n && i < SEGMENT_SECTIONS; i++) {
		double size = le32(page + HEADER_TABLE + SEGMENT_TABLE_SIZE * i + 8) *
			      (double)SEGMENT_PAGE;
		sections[i] += size;
		rest -= size;
	}
	sections[SEGMENT_SECTIONS + 1] += rest;
}

static int add_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	uint8_t page[SEGMENT_PAGE];
	const char *end = strrchr(path, '.');

	(void)ftw;
	if (type != FTW_F)
		return 0;
	if (end && strcmp(end, ".dict") == 0)
		snprintf(dictionary_file, sizeof dictionary_file, "%s", path);
	FILE *f = fopen(path, "rb");
	if (f && end && strcmp(end, ".seg") == 0 && fread(page, 1, sizeof page, f) == sizeof page)
		add_segment(page, (double)st->st_size);
	else
		sections[SEGMENT_SECTIONS + 1] += (double)st->st_size;
	if (f)
		fclose(f);
	return 0;
}

static void tell_sections(const char *dir)
{
	static const char *const names[] = {"rows",    "ids",       "filter",  "updated",
					    "parents", "truncated", "changes", "columns",
					    "fields",  "postings",  "terms",   "parent_filter",
					    "records", "all else"};
	char name[64];

	nftw(dir, add_file, 16, FTW_PHYS);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(name, sizeof name, "  %s, of the JSON", names[i]);
		if (sections[i] > 0)
			say(name, sections[i] / json_bytes, "");
	}
}

/* Packs every eighth record again. */
static void tell_cold(struct store *s)
{
	struct snapshot *v = snapshot_new(s);
	struct buf file = {0}, memory = {0}, raw = {0}, warm = {0}, cold = {0};
	struct record r;
	char id[16];

	if (!*dictionary_file)
		return;
	must(file_read(dictionary_file, 1 << 20, &file, NULL), "dictionary");
	struct bytes dictionary = bytes_of(file.data + FRAMED_HEAD, file.len - FRAMED_HEAD);
	struct packer *fast = packer_new(dictionary, 3), *best = packer_new(dictionary, 9);
	for (unsigned i = 0; i < count; i += 8) {
		snprintf(id, sizeof id, "%07u", 1000000 + i);
		must(snapshot_get(v, "conversations", bytes_str(id), &memory, &r) - 1, "get");
		buf_reset(&raw);
		record_encode(&r, &raw);
		must(packer_pack(fast, buf_bytes(&raw), &warm), "pack");
		must(packer_pack(best, buf_bytes(&raw), &cold), "pack");
	}
	double saved = sections[SEGMENT_SECTIONS] * (1 - (double)cold.len / (double)warm.len),
	       all = 0;
	for (unsigned i = 0; i < SEGMENT_SECTIONS + 2; i++)
		all += sections[i];
	say("disk, of the JSON, with all records packed cold", (all - saved) / json_bytes, "");
	packer_free(fast);
	packer_free(best);
	snapshot_free(v);
	buf_release(&file);
	buf_release(&memory);
	buf_release(&raw);
	buf_release(&warm);
	buf_release(&cold);
}

static void bench_gets(struct store *s)
{
	struct snapshot *v = snapshot_new(s);
	struct buf memory = {0};
	struct record r;
	char id[16];
	double t = 0;

	for (int round = 0; round < 2; round++) {
		t = cpu_s();
		for (unsigned i = 0; i < 2000; i++) {
			snprintf(id, sizeof id, "%07u", 1000000 + i * 7919 % count);
			must(snapshot_get(v, "conversations", bytes_str(id), &memory, &r) == 1
				     ? 0
				     : ERR_NOTFOUND,
			     "get");
		}
		t = cpu_s() - t;
	}
	say("get, warm", t / 2000 * 1e6, "us");
	snapshot_free(v);
	buf_release(&memory);
}

static void bench_count(struct store *s, const char *what, unsigned field, const char *text,
			int64_t start, int64_t end)
{
	struct store_term term = {field, bytes_str(text)};
	struct snapshot *v = snapshot_new(s);
	uint64_t found = 0;
	char name[80];
	double t = 0;

	for (int round = 0; round < 2; round++) {
		t = cpu_s();
		for (int i = 0; i < 200; i++)
			must(snapshot_term_count(v, "conversations", &term, start, end, &found) - 1,
			     "count");
		t = cpu_s() - t;
	}
	snprintf(name, sizeof name, "count %s (%" PRIu64 ")", what, found);
	say(name, t / 200 * 1e6, "us");
	snapshot_free(v);
}

static void bench_newest(struct store *s, const char *what, const struct store_term *terms,
			 size_t n, bool whole)
{
	struct scan_spec spec = {.resource = "conversations",
				 .start_ms = TIME_MIN,
				 .end_ms = TIME_MAX,
				 .descending = true,
				 .terms = terms,
				 .terms_count = n};
	struct snapshot *v = snapshot_new(s);
	struct buf memory = {0};
	struct bytes value, parent;
	struct scan_row row;
	struct record r;
	struct scan *scan;
	double t = 0;

	for (int round = 0; round < 2; round++) {
		t = cpu_s();
		for (int i = 0; i < 50; i++) {
			must(scan_open(v, &spec, &scan, NULL), "scan");
			for (int k = 0; k < 20 && scan_next(scan, &row) == 1; k++) {
				if (whole)
					must(scan_record(scan, &memory, &r), "record");
				else
					must(scan_names(scan, &value, &parent), "names");
				for (unsigned f = 0; !whole && f < 8; f++)
					must(scan_column(scan, f, &value), "column");
			}
			scan_close(scan);
		}
		t = cpu_s() - t;
	}
	say(what, t / 50 * 1e6, "us");
	snapshot_free(v);
	buf_release(&memory);
}

static void bench_reads(struct store *s)
{
	const struct store_term common[] = {{10, bytes_str("customer")}, {14, bytes_str("team")}},
				rare[] = {{14, bytes_str("bluetooth")}},
				open[] = {{0, bytes_str("open")}};

	bench_gets(s);
	bench_count(s, "of a common word", 14, "customer", TIME_MIN, TIME_MAX);
	bench_count(s, "of a rare word", 14, "bluetooth", TIME_MIN, TIME_MAX);
	bench_count(s, "of state = open, a part of the time", 0, "open", 1732000000000, 1736000000000);
	bench_count(s, "of no word at all", 14, "qqqqqqqq", TIME_MIN, TIME_MAX);
	bench_newest(s, "newest 20, 8 columns, common word", common, 1, false);
	bench_newest(s, "newest 20, 8 columns, rare word", rare, 1, false);
	bench_newest(s, "newest 20, 8 columns, two words", common, 2, false);
	bench_newest(s, "newest 20, 8 columns, state = open", open, 1, false);
	bench_newest(s, "newest 20 inflated, state = open", open, 1, true);
}

static void bench_fic(const char *dir)
{
	struct store_options o = {
		.dir = dir, .hooks = {.fsync = no_fsync}, .cache_bytes = 32 << 20, .schemas = schemas};
	struct texts page = {.ends = calloc(PAGE, sizeof *page.ends)};
	struct store_stats stats;
	struct store *s;
	struct why why;

	if (store_open(&o, &s, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	double t = fill(s, &page);
	store_stats(s, &stats);
	printf("%u conversations of %.2f KB of JSON\n\nfic\n", count, json_bytes / count / 1000);
	say("disk, of the JSON", (double)stats.disk_bytes / json_bytes, "");
	tell_sections(dir);
	tell_cold(s);
	say("segments", (double)stats.segments, "");
	say("CPU for a page of 150, folds included", t * PAGE / count * 1e3, "ms");
	say("the worst page", worst_page * 1e3, "ms");
	bench_reads(s);
	store_close(s);
	free(page.ends);
	buf_release(&page.all);
}

/* ---- SQLite ---- */

#ifdef HAVE_SQLITE3
static void run(sqlite3 *db, const char *sql)
{
	char *error = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
		fprintf(stderr, "sqlite: %s\n", error);
		exit(1);
	}
}

/* All text of the conversation that is HTML, as words. */
static void text_of_doc(struct bytes doc, struct buf *out)
{
	static struct buf value;
	struct mp_value v;

	buf_reset(out);
	for (unsigned i = 0; i < 15; i++) {
		if (i != 1 && i != 10 && i != 14)
			continue;
		buf_reset(&value);
		if (field_value(&fields[i], doc, &value) != 1)
			continue;
		struct mp_reader r = mp_reader_of(buf_bytes(&value));
		while (mp_next(&r, &v) == 1)
			if (v.type == MP_STR) {
				buf_put_byte(out, ' ');
				html_to_text(v.str, out);
			}
	}
}

static void bind(sqlite3_stmt *q, int at, struct bytes text)
{
	sqlite3_bind_text(q, at, (const char *)text.data, (int)text.len, SQLITE_TRANSIENT);
}

static void time_sql(sqlite3 *db, const char *what, const char *sql)
{
	sqlite3_stmt *q;
	double t = 0;

	sqlite3_prepare_v2(db, sql, -1, &q, NULL);
	for (int round = 0; round < 2; round++) {
		t = cpu_s();
		for (int i = 0; i < 20; i++) {
			sqlite3_reset(q);
			while (sqlite3_step(q) == SQLITE_ROW)
				sqlite3_column_text(q, 0);
		}
		t = cpu_s() - t;
	}
	say(what, t / 20 * 1e6, "us");
	sqlite3_finalize(q);
}

static void bench_sqlite(const char *dir)
{
	struct texts page = {.ends = calloc(PAGE, sizeof *page.ends)};
	struct buf doc = {0}, text = {0};
	char path[128];
	sqlite3 *db;
	sqlite3_stmt *put, *put_text;
	double t = 0, bytes = 0;

	snprintf(path, sizeof path, "%s/sqlite.db", dir);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		exit(1);
	run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
		"CREATE TABLE c(id TEXT PRIMARY KEY, created INT, updated INT, state TEXT, assignee TEXT,"
		" subject TEXT, doc TEXT);"
		"CREATE INDEX c1 ON c(created); CREATE INDEX c2 ON c(updated);"
		"CREATE INDEX c3 ON c(state, created); CREATE INDEX c4 ON c(assignee, created);"
		"CREATE VIRTUAL TABLE f USING fts5(text, content='');");
	sqlite3_prepare_v2(db, "INSERT INTO c VALUES(?,?,?,?,?,?,?)", -1, &put, NULL);
	sqlite3_prepare_v2(db, "INSERT INTO f(rowid, text) VALUES(?,?)", -1, &put_text, NULL);
	for (unsigned first = 0; first < count; first += PAGE) {
		unsigned n = count - first < PAGE ? count - first : PAGE;
		make_page(&page, first, n);
		double start = cpu_s();
		run(db, "BEGIN");
		for (unsigned i = 0; i < n; i++) {
			struct bytes json = text_of(&page, i), s = {0};
			int64_t number = 0;
			buf_reset(&doc);
			must(json_to_msgpack(json, JSON_STRICT, &doc, NULL), "json");
			mp_find_str(buf_bytes(&doc), "id", &s);
			bind(put, 1, s);
			mp_find_int(buf_bytes(&doc), "created_at", &number);
			sqlite3_bind_int64(put, 2, number);
			mp_find_int(buf_bytes(&doc), "updated_at", &number);
			sqlite3_bind_int64(put, 3, number);
			mp_find_str(buf_bytes(&doc), "state", &s);
			bind(put, 4, s);
			mp_find_int(buf_bytes(&doc), "admin_assignee_id", &number);
			sqlite3_bind_int64(put, 5, number);
			bind(put, 6, bytes_str("subject"));
			bind(put, 7, json);
			if (sqlite3_step(put) != SQLITE_DONE)
				exit(1);
			sqlite3_reset(put);
			text_of_doc(buf_bytes(&doc), &text);
			sqlite3_bind_int64(put_text, 1, sqlite3_last_insert_rowid(db));
			bind(put_text, 2, buf_bytes(&text));
			if (sqlite3_step(put_text) != SQLITE_DONE)
				exit(1);
			sqlite3_reset(put_text);
		}
		run(db, "COMMIT");
		t += cpu_s() - start;
		bytes += (double)page.all.len;
	}
	sqlite3_finalize(put);
	sqlite3_finalize(put_text);
	run(db, "PRAGMA wal_checkpoint(TRUNCATE);");
	FILE *f = fopen(path, "rb");
	fseek(f, 0, SEEK_END);
	printf("\nSQLite %s with FTS5\n", sqlite3_libversion());
	say("disk, of the JSON", (double)ftell(f) / bytes, "");
	fclose(f);
	say("CPU for a page of 150", t * PAGE / count * 1e3, "ms");
	time_sql(db, "count of a common word", "SELECT count(*) FROM f WHERE f MATCH 'customer'");
	time_sql(db, "count of a rare word", "SELECT count(*) FROM f WHERE f MATCH 'bluetooth'");
	time_sql(db, "count of state = open, a part of the time",
		 "SELECT count(*) FROM c WHERE state='open' AND created BETWEEN 1732000000 AND 1736000000");
	time_sql(db, "newest 20 by rowid, rare word",
		 "SELECT doc FROM f JOIN c ON c.rowid = f.rowid WHERE f MATCH 'bluetooth'"
		 " ORDER BY f.rowid DESC LIMIT 20");
	time_sql(db, "newest 20, state = open",
		 "SELECT doc FROM c WHERE state='open' ORDER BY created DESC LIMIT 20");
	sqlite3_close(db);
	free(page.ends);
	buf_release(&page.all);
	buf_release(&doc);
	buf_release(&text);
}
#endif

int main(void)
{
	char dir[] = "/dev/shm/fic-bench-XXXXXX", command[64];
	const char *wanted = getenv("STORE_BENCH_CONVERSATIONS");

	log_setup(LOG_LEVEL_ERROR, false);
	page_init();
	count = wanted ? (unsigned)atoi(wanted) : 6000;
	if (count == 0 || !mkdtemp(dir))
		return 1;
	bench_fic(dir);
#ifdef HAVE_SQLITE3
	bench_sqlite(dir);
#endif
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command) == 0 ? 0 : 1;
}
