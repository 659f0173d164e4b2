/*
 * codec_bench: how fast text becomes MessagePack and back, and what packing records costs and
 * gives.
 *
 * Rivals run in the same process, in turns, several rounds; medians are printed, and ratios to
 * fic. The page is made here, the same on every run of one build (which argument of a call draws
 * first is the compiler's choice): 150 conversations shaped like Intercom's, of 2.5 to 6 KB, with
 * HTML bodies of English words in about the frequencies of English, and 200 contacts of about 2
 * KB.
 */
#include "support/page.h"

#include <base/clock.h>
#include <codec/deflate.h>
#include <codec/json.h>
#include <codec/msgpack.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef HAVE_JANSSON
#include <jansson.h>
#endif
#ifdef HAVE_YAJL
#include <yajl/yajl_parse.h>
#include <yajl/yajl_tree.h>
#endif

#define CONVERSATIONS 150
#define CONTACTS      300
#define SAMPLES       100 /* of the records train the dictionary; the rest is measured */
#define PIECE         16384
#define ROUNDS        9

/* --- the page
 * ----------------------------------------------------------------------------------------------------- */

static void put_conversation(struct buf *b)
{
	page_conversation(b, 2, 5);
}

static void put_page(struct buf *b)
{
	buf_put_str(b, "{\"type\":\"conversation.list\",\"conversations\":[");
	for (int i = 0; i < CONVERSATIONS; i++) {
		if (i)
			buf_put_byte(b, ',');
		put_conversation(b);
	}
	buf_printf(b,
		   "],\"total_count\":%d,\"pages\":{\"type\":\"pages\",\"page\":1,\"per_page\":150,\"total_pages\":1}}",
		   CONVERSATIONS);
}

/* --- timing
 * ------------------------------------------------------------------------------------------------------- */

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

struct contest {
	const char *name;
	size_t (*run)(struct bytes page); /* bytes handled; 0 when it failed */
	double rates[ROUNDS];             /* MB/s */
};

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_size);
	return values[n / 2];
}

/* At least 40 ms of it. */
static double rate_of(const struct contest *c, struct bytes page)
{
	double start = now_us(), bytes = 0, spent = 0;

	while (spent < 40000) {
		size_t n = c->run(page);
		if (n == 0) {
			fprintf(stderr, "codec_bench: %s failed\n", c->name);
			exit(1);
		}
		bytes += (double)n;
		spent = now_us() - start;
	}
	return bytes / spent;
}

static struct buf scratch;
static struct json *transcoder;
static struct bytes packed_page; /* the page as MessagePack */

static size_t run_fic(struct bytes page)
{
	buf_reset(&scratch);
	json_reset(transcoder, &scratch);
	for (size_t at = 0; at < page.len; at += PIECE) {
		size_t n = page.len - at < PIECE ? page.len - at : PIECE;
		if (json_feed(transcoder, page.data + at, n, NULL))
			return 0;
	}
	return json_finish(transcoder, NULL) ? 0 : page.len;
}

static size_t run_write(struct bytes page)
{
	(void)page;
	buf_reset(&scratch);
	return json_write(packed_page, &scratch) ? 0 : scratch.len;
}

static size_t run_check(struct bytes page)
{
	(void)page;
	return mp_check(packed_page) ? 0 : packed_page.len;
}

#ifdef HAVE_JANSSON
static size_t run_jansson(struct bytes page)
{
	json_t *tree = json_loadb((const char *)page.data, page.len, 0, NULL);

	if (!tree)
		return 0;
	json_decref(tree);
	return page.len;
}

static size_t run_jansson_dump(struct bytes page)
{
	static json_t *tree;

	if (!tree)
		tree = json_loadb((const char *)page.data, page.len, 0, NULL);
	char *text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;
	size_t n = text ? strlen(text) : 0;
	free(text);
	return n;
}
#endif

#ifdef HAVE_YAJL
static int on_nil(void *context)
{
	++*(size_t *)context;
	return 1;
}

static int on_bool(void *context, int v)
{
	*(size_t *)context += v ? 2 : 1;
	return 1;
}

static int on_integer(void *context, long long v)
{
	*(size_t *)context += (size_t)v;
	return 1;
}

static int on_double(void *context, double v)
{
	*(size_t *)context += v > 0;
	return 1;
}

static int on_string(void *context, const unsigned char *text, size_t len)
{
	*(size_t *)context += len + text[0];
	return 1;
}

static size_t run_yajl(struct bytes page)
{
	static const yajl_callbacks calls = {on_nil, on_bool,   on_integer, on_double,
					     NULL,   on_string, on_nil,     on_string,
					     on_nil, on_nil,    on_nil};
	size_t sum = 0;
	yajl_handle y = yajl_alloc(&calls, NULL, &sum);
	size_t done = page.len;

	for (size_t at = 0; at < page.len && done; at += PIECE) {
		size_t n = page.len - at < PIECE ? page.len - at : PIECE;
		if (yajl_parse(y, page.data + at, n) != yajl_status_ok)
			done = 0;
	}
	if (yajl_complete_parse(y) != yajl_status_ok)
		done = 0;
	yajl_free(y);
	return done;
}

static size_t run_yajl_tree(struct bytes page)
{
	/* The page is terminated. */
	yajl_val tree = yajl_tree_parse((const char *)page.data, NULL, 0);

	if (!tree)
		return 0;
	yajl_tree_free(tree);
	return page.len;
}
#endif

static void compete(const char *title, struct contest *contests, size_t n, struct bytes page)
{
	printf("%-34s %10s %10s %10s %8s\n", title, "MB/s", "lowest", "highest", "ratio");
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < n; i++)
			contests[i].rates[round] = rate_of(&contests[i], page);
	double first = median(contests[0].rates, ROUNDS);
	for (size_t i = 0; i < n; i++) {
		double middle = median(contests[i].rates, ROUNDS);
		printf("%-34s %10.0f %10.0f %10.0f %8.2f\n", contests[i].name, middle,
		       contests[i].rates[0], contests[i].rates[ROUNDS - 1], middle / first);
	}
	printf("\n");
}

/* --- packing
 * ------------------------------------------------------------------------------------------------------ */

struct records {
	struct buf data;
	struct bytes items[CONTACTS];
	size_t n;
	size_t json_size;
};

static void make_records(struct records *r, size_t n, void (*put)(struct buf *))
{
	struct buf text = {.max = 0};
	size_t ends[CONTACTS];

	r->n = n;
	for (size_t i = 0; i < n; i++) {
		buf_reset(&text);
		put(&text);
		if (json_to_msgpack(buf_bytes(&text), JSON_STRICT, &r->data, NULL))
			exit(1);
		r->json_size += i < SAMPLES ? 0 : text.len;
		ends[i] = r->data.len;
	}
	for (size_t i = 0; i < n; i++) {
		size_t start = i ? ends[i - 1] : 0;
		r->items[i] = bytes_of(r->data.data + start, ends[i] - start);
	}
	buf_release(&text);
}

struct pack_result {
	double pack_us;
	double unpack_us;
	size_t raw;
	size_t packed;
};

/* One round over the records that the dictionary has not seen. */
static struct pack_result pack_round(const struct records *r, struct packer *p, struct unpacker *u)
{
	static struct buf packed, raw;
	size_t ends[CONTACTS];
	struct pack_result result = {0};
	double start = now_us();

	buf_reset(&packed);
	for (size_t i = SAMPLES; i < r->n; i++) {
		if (packer_pack(p, r->items[i], &packed))
			exit(1);
		ends[i] = packed.len;
	}
	result.pack_us = now_us() - start;
	start = now_us();
	for (size_t i = SAMPLES; i < r->n; i++) {
		size_t from = i > SAMPLES ? ends[i - 1] : 0;
		buf_reset(&raw);
		if (unpacker_unpack(u, bytes_of(packed.data + from, ends[i] - from),
				    r->items[i].len, &raw) ||
		    !bytes_equal(buf_bytes(&raw), r->items[i]))
			exit(1);
		result.raw += raw.len;
	}
	result.unpack_us = now_us() - start;
	result.packed = packed.len;
	return result;
}

static void pack_row(const char *name, const struct records *r, struct bytes dictionary, int level)
{
	struct packer *p = packer_new(dictionary, level);
	struct unpacker *u = unpacker_new(dictionary);
	double pack[ROUNDS], unpack[ROUNDS];
	struct pack_result one = {0};
	double n = (double)(r->n - SAMPLES);

	for (int round = 0; round < ROUNDS && p && u; round++) {
		one = pack_round(r, p, u);
		pack[round] = one.pack_us / n;
		unpack[round] = one.unpack_us / n;
	}
	printf("%-26s %5d %6.0f %10.1f %10.1f %12.2f %12.3f\n", name, level, (double)one.raw / n,
	       median(pack, ROUNDS), median(unpack, ROUNDS), (double)one.raw / (double)one.packed,
	       (double)one.packed / (double)r->json_size);
	packer_free(p);
	unpacker_free(u);
}

static void pack_table(const char *name, const struct records *r)
{
	struct buf dictionary = {.max = 0};
	double start = now_us();
	char title[64];

	if (dictionary_train(r->items, SAMPLES, &dictionary))
		exit(1);
	double spent = now_us() - start;
	static const int levels[] = {1, 3, 6, 9};
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		snprintf(title, sizeof(title), "%s, dictionary", name);
		pack_row(title, r, buf_bytes(&dictionary), levels[i]);
	}
	snprintf(title, sizeof(title), "%s, none", name);
	pack_row(title, r, bytes_str(""), 1);
	pack_row(title, r, bytes_str(""), 6);
	printf("%-26s %zu bytes trained on %d records in %.1f ms\n", "", dictionary.len, SAMPLES,
	       spent / 1e3);
	buf_release(&dictionary);
}

int main(void)
{
	static struct records conversations, contacts;
	struct buf page = {.max = 0}, packed = {.max = 0};

	page_init();
	put_page(&page);
	buf_text(&page);
	if (json_to_msgpack(buf_bytes(&page), JSON_STRICT, &packed, NULL))
		return 1;
	packed_page = buf_bytes(&packed);
	transcoder = json_new(JSON_STRICT, NULL, &scratch);
	printf("a page of %d conversations, %.2f KB each, as MessagePack %.3f of that\n\n",
	       CONVERSATIONS, (double)page.len / 1e3 / CONVERSATIONS,
	       (double)packed.len / (double)page.len);

	struct contest readers[] = {
		{.name = "fic, to MessagePack, 16 KiB pieces", .run = run_fic},
#ifdef HAVE_YAJL
		{.name = "yajl, callbacks, 16 KiB pieces", .run = run_yajl},
		{.name = "yajl_tree", .run = run_yajl_tree},
#endif
#ifdef HAVE_JANSSON
		{.name = "jansson, json_loadb", .run = run_jansson},
#endif
	};
	compete("reading JSON", readers, sizeof(readers) / sizeof(readers[0]), buf_bytes(&page));
	struct contest writers[] = {
		{.name = "fic, json_write (of JSON)", .run = run_write},
		{.name = "fic, mp_check (of MessagePack)", .run = run_check},
#ifdef HAVE_JANSSON
		{.name = "jansson, json_dumps", .run = run_jansson_dump},
#endif
	};
	compete("writing", writers, sizeof(writers) / sizeof(writers[0]), buf_bytes(&page));

	make_records(&conversations, CONVERSATIONS + SAMPLES, put_conversation);
	make_records(&contacts, CONTACTS, page_contact);
	printf("%-26s %5s %6s %10s %10s %12s %12s\n", "packing records", "level", "bytes",
	       "pack us", "unpack us", "times small", "of the JSON");
	pack_table("conversations", &conversations);
	pack_table("contacts", &contacts);

	json_free(transcoder);
	buf_release(&conversations.data);
	buf_release(&contacts.data);
	buf_release(&page);
	buf_release(&packed);
	return 0;
}
