#include "codec_support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

uint64_t rnd64(uint64_t *seed)
{
	/* splitmix64 */
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t rnd(uint64_t *seed, uint32_t n)
{
	return (uint32_t)(rnd64(seed) % n);
}

static void random_string(uint64_t *seed, struct buf *out)
{
	static const char *const bits[] = {"a",
					   "word ",
					   "\\n",
					   "\\\"",
					   "\\\\",
					   "\\/",
					   "\\u0000",
					   "\\u00e9",
					   "\\u20ac",
					   "\\ud83d\\ude00",
					   "\xc3\xa9",
					   "\xe2\x82\xac",
					   "\xf0\x9f\x98\x80",
					   "0123456789abcdef",
					   "<p>some longer text without anything special in it</p>",
					   "\\t",
					   "\x7f",
					   "'"};
	static const uint32_t lengths[] = {0, 1, 2, 3, 5, 9, 20, 90};
	uint32_t n = lengths[rnd(seed, 8)];

	buf_put_byte(out, '"');
	for (uint32_t i = 0; i < n; i++)
		buf_put_str(out, bits[rnd(seed, sizeof(bits) / sizeof(bits[0]))]);
	buf_put_byte(out, '"');
}

static void random_number(uint64_t *seed, struct buf *out)
{
	switch (rnd(seed, 5)) {
	case 0: buf_printf(out, "%d", (int)rnd(seed, 300) - 150); return;
	case 1: buf_printf(out, "%lld", (long long)rnd64(seed) >> rnd(seed, 63)); return;
	case 2: buf_printf(out, "%llu", (unsigned long long)rnd64(seed)); return;
	case 3: buf_printf(out, "%d.%u", (int)rnd(seed, 2000) - 1000, rnd(seed, 100000)); return;
	default:
		buf_printf(out, "%u.%uE%+d", rnd(seed, 10), rnd(seed, 1u << 31),
			   (int)rnd(seed, 600) - 300);
	}
}

static void random_space(uint64_t *seed, struct buf *out)
{
	static const char *const spaces[] = {"", "", "", "", " ", "\n  ", "\t", "\r\n"};

	buf_put_str(out, spaces[rnd(seed, 8)]);
}

static void random_container(uint64_t *seed, unsigned depth, struct buf *out)
{
	static const uint32_t lengths[] = {0, 1, 2, 3, 5, 15, 16, 17};
	uint32_t n = lengths[rnd(seed, depth > 1 ? 5 : 8)];
	bool map = rnd(seed, 2);

	buf_put_byte(out, map ? '{' : '[');
	for (uint32_t i = 0; i < n; i++) {
		random_space(seed, out);
		if (i)
			buf_put_byte(out, ',');
		random_space(seed, out);
		if (map) {
			random_string(seed, out);
			random_space(seed, out);
			buf_put_byte(out, ':');
		}
		random_json(seed, depth - 1, out);
	}
	random_space(seed, out);
	buf_put_byte(out, map ? '}' : ']');
}

void random_json(uint64_t *seed, unsigned depth, struct buf *out)
{
	static const char *const words[] = {"true", "false", "null"};

	random_space(seed, out);
	switch (rnd(seed, depth ? 6 : 3)) {
	case 0: buf_put_str(out, words[rnd(seed, 3)]); break;
	case 1: random_number(seed, out); break;
	case 2: random_string(seed, out); break;
	default: random_container(seed, depth, out);
	}
	random_space(seed, out);
}

bool cut_everywhere(void *context, size_t at)
{
	(void)context;
	(void)at;
	return true;
}

bool cut_at(void *context, size_t at)
{
	return *(size_t *)context == at;
}

bool cut_random(void *context, size_t at)
{
	(void)at;
	return rnd(context, 12) == 0;
}

/* In a block of its own, so that a sanitizer sees one byte too far. */
static int feed_piece(struct json *j, const uint8_t *data, size_t len, struct why *why)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, data, len);
	int rc = json_feed(j, copy, len, why);
	free(copy);
	return rc;
}

void transcode(struct bytes text, enum json_mode mode, const struct json_limits *limits,
	       size_t out_max, cut_fn *cut, void *context, struct outcome *o)
{
	*o = (struct outcome){.out = {.max = out_max}};
	struct json *j = json_new(mode, limits, &o->out);
	size_t start = 0;

	assert_non_null(j);
	for (size_t at = 1; at <= text.len; at++) {
		if (at < text.len && !(cut && cut(context, at)))
			continue;
		o->rc = feed_piece(j, text.data + start, at - start, &o->why);
		start = at;
	}
	int fed = o->rc;
	o->rc = json_finish(j, &o->why);
	if (fed)
		assert_int_equal(o->rc, fed);
	o->stats = *json_stats(j);
	json_free(j);
}

void outcome_release(struct outcome *o)
{
	buf_release(&o->out);
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->rc, b->rc);
	assert_string_equal(a->why.text, b->why.text);
	if (a->rc)
		return;
	assert_true(bytes_equal(buf_bytes(&a->out), buf_bytes(&b->out)));
	assert_memory_equal(&a->stats, &b->stats, sizeof(a->stats));
}

static void assert_cut_agrees(const struct outcome *whole, struct bytes text, enum json_mode mode,
			      const struct json_limits *limits, size_t out_max, cut_fn *cut,
			      void *context)
{
	struct outcome o;

	transcode(text, mode, limits, out_max, cut, context, &o);
	assert_same(whole, &o);
	outcome_release(&o);
}

void assert_cuts_agree(struct bytes text, enum json_mode mode, const struct json_limits *limits,
		       size_t out_max)
{
	struct outcome whole;
	uint64_t seed = 7;

	transcode(text, mode, limits, out_max, NULL, NULL, &whole);
	assert_cut_agrees(&whole, text, mode, limits, out_max, cut_everywhere, NULL);
	for (size_t at = 1; at < text.len && text.len < 300; at++)
		assert_cut_agrees(&whole, text, mode, limits, out_max, cut_at, &at);
	for (int i = 0; i < 4; i++)
		assert_cut_agrees(&whole, text, mode, limits, out_max, cut_random, &seed);
	outcome_release(&whole);
}

bool read_whole(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	char piece[4096];
	size_t n;

	if (!f)
		return false;
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_put(out, piece, n);
	fclose(f);
	return true;
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n >= m && strcmp(name + n - m, suffix) == 0;
}

int for_each_file(const char *folder, const char *suffix,
		  void (*call)(const char *path, const char *name))
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort), count = 0;

	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		char path[1024];
		struct stat st;
		int len = snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		bool fits = len > 0 && (size_t)len < sizeof(path);
		if (fits && names[i]->d_name[0] != '.' && stat(path, &st) == 0) {
			if (S_ISDIR(st.st_mode)) {
				count += for_each_file(path, suffix, call);
			} else if (ends_with(path, suffix)) {
				call(path, names[i]->d_name);
				count++;
			}
		}
		free(names[i]);
	}
	free(names);
	return count;
}
