/*
 * A segment whose checksums are all right and whose contents are anything: described by
 * store_inspect, then read through a store whose manifest names it, in all the ways there are. It
 * may be called damaged, and it may show nonsense; it must not crash, hang or read outside.
 */
#include <base/log.h>
#include <codec/msgpack.h>
#include <store/inspect.h>
#include <store/segment.h>
#include <store/store.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the place of base's: a store says a line for each thing that it finds damaged, and here that
 * is everything. */
void log_error(const char *area, const char *format, ...)
{
	(void)area;
	(void)format;
}

void log_warn(const char *area, const char *format, ...)
{
	(void)area;
	(void)format;
}

void log_info(const char *area, const char *format, ...)
{
	(void)area;
	(void)format;
}

#define FILE_MAX ((size_t)1 << 20)

static char dir[64], segment[128], manifest[80];
static uint8_t *file;
static size_t bytes;

static void clean(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	if (system(command) != 0)
		fprintf(stderr, "cannot remove %s\n", dir);
}

static void setup(void)
{
	if (dir[0])
		return;
	snprintf(dir, sizeof dir, "%s/fic-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(dir))
		abort();
	snprintf(segment, sizeof segment, "%s/contacts/all/1.seg", dir);
	snprintf(manifest, sizeof manifest, "%s/MANIFEST", dir);
	file = malloc(FILE_MAX);
	atexit(clean);
}

/* ---- sums that are right ---- */

static void sum_page(uint32_t page)
{
	uint8_t word[4], *p = file + (size_t)page * SEGMENT_PAGE;

	put_le32(word, page);
	put_le32(p + SEGMENT_PAGE_ROOM, (uint32_t)crc32(crc32(0, word, 4), p, SEGMENT_PAGE_ROOM));
}

static void sum_frame(const uint8_t *row)
{
	uint32_t at = le32(row), len = le32(row + 4);

	if (at >= SEGMENT_PAGE && len > SEGMENT_FRAME_HEAD && at < bytes && len <= bytes - at)
		put_le32(file + at, (uint32_t)crc32(0, file + at + 4, len - 4));
}

static void sum_all(void)
{
	uint64_t rows = le64(file + HEADER_TABLE), data_end = le64(file + HEADER_DATA_END);
	uint32_t pages = (uint32_t)(bytes / SEGMENT_PAGE), count = le32(file + HEADER_RECORDS);

	memcpy(file, SEGMENT_MAGIC, 8);
	memset(file + HEADER_RESOURCE, 0, SEGMENT_NAME_SIZE);
	memcpy(file + HEADER_RESOURCE, "contacts", 8);
	put_le32(file + HEADER_VERSION, le32(file + HEADER_SECTIONS) == SEGMENT_SECTIONS_V1   ? 1
					: le32(file + HEADER_SECTIONS) == SEGMENT_SECTIONS_V2 ? 3
					: le32(file + HEADER_VERSION) == 4                    ? 4
									   : SEGMENT_VERSION);
	put_le64(file + HEADER_BYTES, bytes);
	put_le64(file + HEADER_DICTIONARY, 0);
	for (uint32_t i = 0; i < count && i < 1000 && rows < bytes && data_end <= rows; i++) {
		uint64_t at = rows + (uint64_t)(i / 56) * SEGMENT_PAGE + (i % 56) * SEGMENT_ROW_SIZE;
		if (at + SEGMENT_ROW_SIZE <= bytes)
			sum_frame(file + at);
	}
	for (uint32_t i = 1; i < pages; i++)
		if ((uint64_t)i * SEGMENT_PAGE >= data_end)
			sum_page(i);
	sum_page(0);
}

/* ---- a store that names it ---- */

static void put_entry(struct buf *b)
{
	mp_put_array(b, 19);
	mp_put_uint(b, 1);
	mp_put_cstr(b, "all");
	mp_put_uint(b, bytes);
	mp_put_uint(b, le64(file + HEADER_DATA_END));
	mp_put_uint(b, le32(file + HEADER_RECORDS));
	mp_put_uint(b, le32(file + HEADER_TOMBSTONES));
	mp_put_uint(b, le32(file + HEADER_TRUNCATED));
	mp_put_uint(b, le32(file + HEADER_UNTIMED));
	mp_put_uint(b, 0);
	mp_put_uint(b, le32(file + SEGMENT_PAGE_ROOM));
	for (int i = 0; i < 8; i++)
		mp_put_int(b, (int64_t)le64(file + HEADER_RANGES + 8 * i));
	mp_put_nil(b);
}

static void put_manifest(struct buf *b)
{
	static const uint8_t head[8];

	buf_put(b, MANIFEST_MAGIC, 8);
	buf_put(b, head, 8);
	mp_put_array(b, 5);
	mp_put_uint(b, 1);
	mp_put_uint(b, 1000);
	mp_put_uint(b, 2);
	mp_put_array(b, 1);
	mp_put_array(b, 6);
	mp_put_cstr(b, "contacts");
	mp_put_uint(b, 0);
	mp_put_array(b, 0);
	mp_put_array(b, 1);
	put_entry(b);
	mp_put_array(b, 3);
	mp_put_array(b, 0);
	mp_put_nil(b);
	mp_put_nil(b);
	mp_put_array(b, 0);
	mp_put_map(b, 0);
	put_le32(b->data + 8, (uint32_t)(b->len - FRAMED_HEAD));
	put_le32(b->data + 12, (uint32_t)crc32(crc32(0, b->data, 12), b->data + FRAMED_HEAD,
					       (uInt)(b->len - FRAMED_HEAD)));
}

static void write_file(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || pwrite(fd, data, len, 0) != (ssize_t)len)
		abort();
	close(fd);
}

/* ---- reading it ---- */

/* As the corpus has them (tests/unit/store/support/lab.c). */
static const struct field fields[] = {
	{"seed", FIELD_INTEGER, "seed", NULL},
	{"state", FIELD_TEXT, "state_1", NULL},
	{"subject", FIELD_TEXT, "subject_0", NULL},
	{"body", FIELD_HTML, "customer_4|message_5", NULL},
	{"tags", FIELD_LIST, "thanks_7", NULL},
	{"when", FIELD_TIME, "seed", NULL},
};

static const struct store_field indexed[] = {
	{&fields[0], STORE_INTEGER}, {&fields[1], STORE_KEYWORD}, {&fields[2], STORE_TEXT},
	{&fields[3], STORE_WORDS},   {&fields[4], STORE_LIST},    {&fields[5], STORE_TIME},
};

static const struct store_schema schemas[] = {{"contacts", indexed, 6, NULL}, {NULL, NULL, 0, NULL}};

static const struct store_term terms[] = {{2, {(const uint8_t *)"open", 4}},
					  {3, {(const uint8_t *)"thanks", 6}},
					  {1, {(const uint8_t *)"closed subject 1", 16}}};

static void read_columns(struct scan *s)
{
	struct bytes value, parent;

	scan_names(s, &value, &parent);
	for (unsigned i = 0; i < 6; i++)
		if (scan_column(s, i, &value) == 1) {
			struct buf shown = {.max = 4096};
			field_shown(&fields[i], value, &shown);
			buf_release(&shown);
		}
}

static void read_scan(struct snapshot *v, int how, struct bytes parent)
{
	struct scan_position after = {1700000000000, UINT64_MAX / 3};
	struct scan_spec spec = {.resource = "contacts",
				 .axis = how & 1 ? AXIS_UPDATED : AXIS_CREATED,
				 .start_ms = TIME_MIN,
				 .end_ms = how & 8 ? 1700100000000 : TIME_MAX,
				 .descending = how & 2,
				 .tombstones = true,
				 .parent = parent,
				 .after = how & 4 ? &after : NULL,
				 .changes = how & 16,
				 .terms = terms,
				 .terms_count = (size_t)how >> 5};
	struct buf memory = {.max = 1 << 20};
	struct scan_row row;
	struct record r;
	struct scan *s;

	if (scan_open(v, &spec, &s, NULL))
		return;
	for (int n = 0; n < 200 && scan_next(s, &row) == 1; n++)
		if (n % 4 == how % 4)
			scan_record(s, &memory, &r);
		else
			read_columns(s);
	scan_close(s);
	buf_release(&memory);
}

static void read_all(struct snapshot *v)
{
	static const char *const ids[] = {"contact-1", "contact-7", "m1", "x"};
	struct buf memory = {.max = 1 << 20};
	struct record r;
	int64_t first, last;

	for (int i = 0; i < 4; i++) {
		snapshot_get(v, "contacts", bytes_str(ids[i]), &memory, &r);
		snapshot_peek(v, "contacts", bytes_str(ids[i]), &r);
	}
	snapshot_extent(v, "contacts", &first, &last);
	snapshot_truncated(v, "contacts", TIME_MIN, TIME_MAX);
	for (int how = 0; how < 128; how++)
		read_scan(v, how, bytes_of(NULL, 0));
	for (int how = 0; how < 4; how++)
		read_scan(v, how, bytes_str("contact-1"));
	for (int i = 0; i < 3; i++) {
		uint64_t count;
		snapshot_term_count(v, "contacts", &terms[i], TIME_MIN, TIME_MAX, &count);
		snapshot_term_count(v, "contacts", &terms[i], 1700000000000, 1700000000000, &count);
	}
	buf_release(&memory);
}

static void committed(void *ctx, int rc, const struct why *why)
{
	(void)ctx;
	(void)why;
	if (rc != 0 && rc != ERR_LIMIT && rc != ERR_NOMEM)
		abort();
}

static void use(struct store *s)
{
	struct snapshot *v = snapshot_new(s);
	struct record r = {
		.id = bytes_str("contact-1"), .created_ms = 1, .updated_ms = INT64_MAX, .seen_ms = 5};
	struct store_check *c = store_check_new(s);
	struct txn *t;
	uint64_t bad;
	double progress;

	read_all(v);
	while (store_check_step(c, 1 << 16, &bad, &progress) == 1)
		;
	store_check_free(c);
	if (store_begin(s, &t, NULL))
		abort();
	txn_put(t, "contacts", &r, NULL, NULL);
	txn_commit(t, committed, NULL);
	snapshot_free(v);
}

static void ignore(void *ctx, struct bytes text)
{
	*(size_t *)ctx += text.len;
}

/* Each time: an open that finds them empty removes them. */
static void make_folders(void)
{
	char folder[128];

	snprintf(folder, sizeof folder, "%s/contacts", dir);
	mkdir(folder, 0700);
	snprintf(folder, sizeof folder, "%s/contacts/all", dir);
	mkdir(folder, 0700);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_options o = {.dir = dir, .schemas = schemas};
	struct buf b = {0};
	struct store *s;
	size_t total = 0;

	if (size < HEADER_END_V4 || size > FILE_MAX)
		return 0;
	setup();
	bytes = (size + SEGMENT_PAGE - 1) / SEGMENT_PAGE * SEGMENT_PAGE;
	memcpy(file, data, size);
	memset(file + size, 0, bytes - size);
	sum_all();
	make_folders();
	write_file(segment, file, bytes);
	store_inspect(segment, true, ignore, &total, NULL);
	put_manifest(&b);
	write_file(manifest, b.data, b.len);
	buf_release(&b);
	if (store_open(&o, &s, NULL) == 0) {
		use(s);
		store_close(s);
	}
	return 0;
}
