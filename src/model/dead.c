/* dead: names, the schedule and the kept form of dead letters. Pure. */
#include <model/dead.h>

#include <codec/msgpack.h>

#include <limits.h>

#define MINUTE_MS INT64_C(60000)

const char *fault_class_name(enum fault_class class)
{
	static const char *const names[FAULT_CLASSES] = {"now", "later", "never"};

	return names[class];
}

int64_t dead_delay_ms(unsigned attempts)
{
	static const int64_t delays[] = {0, 5 * MINUTE_MS, 60 * MINUTE_MS, 6 * 60 * MINUTE_MS,
					 24 * 60 * MINUTE_MS};
	const unsigned last = sizeof delays / sizeof *delays - 1;

	return delays[attempts < last ? attempts : last];
}

bool dead_touches(const struct dead_letter *letter, bool created, int64_t start_ms, int64_t end_ms)
{
	int64_t last_ms = created ? letter->created_ms : letter->updated_ms;

	return (letter->created_ms == TIME_NONE || letter->created_ms < end_ms) &&
	       (last_ms == TIME_NONE || last_ms >= start_ms);
}

void dead_text(char *out, size_t cap, struct bytes text)
{
	size_t n = text.len < cap - 1 ? text.len : cap - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = (char)(text.data[i] >= 0x20 && text.data[i] < 0x7f ? text.data[i] : '.');
	out[n] = 0;
}

static const struct text_field {
	const char *key;
	size_t offset, size;
} texts[] = {
#define TEXT(member)                                               \
	{                                                          \
#member, offsetof(struct dead_letter, member),     \
			sizeof((struct dead_letter *)NULL)->member \
	}
	TEXT(resource), TEXT(id), TEXT(reason), TEXT(asked), TEXT(answer),
#undef TEXT
};

static const struct time_field {
	const char *key;
	size_t offset;
} times[] = {
	{"created", offsetof(struct dead_letter, created_ms)},
	{"updated", offsetof(struct dead_letter, updated_ms)},
	{"first", offsetof(struct dead_letter, first_ms)},
	{"last", offsetof(struct dead_letter, last_ms)},
	{"next", offsetof(struct dead_letter, next_ms)},
};

#define TEXTS (sizeof texts / sizeof *texts)
#define TIMES (sizeof times / sizeof *times)

static void put_int(struct buf *out, const char *key, int64_t value)
{
	mp_put_cstr(out, key);
	mp_put_int(out, value);
}

void dead_encode(const struct dead_letter *letter, struct buf *out)
{
	int64_t ms;

	mp_put_map(out, TEXTS + TIMES + 4);
	for (size_t i = 0; i < TEXTS; i++) {
		mp_put_cstr(out, texts[i].key);
		mp_put_cstr(out, (const char *)letter + texts[i].offset);
	}
	for (size_t i = 0; i < TIMES; i++) {
		memcpy(&ms, (const char *)letter + times[i].offset, sizeof ms);
		put_int(out, times[i].key, ms);
	}
	put_int(out, "class", letter->class);
	put_int(out, "status", letter->status);
	put_int(out, "attempts", letter->attempts);
	put_int(out, "dropped", letter->dropped);
}

static bool read_int(struct bytes map, const char *key, int64_t max, int64_t *out)
{
	return mp_find_int(map, key, out) && *out >= 0 && *out <= max;
}

int dead_decode(struct bytes encoded, struct dead_letter *out)
{
	int64_t class, status, attempts, dropped, ms;
	struct bytes text;

	*out = (struct dead_letter){.class = CLASS_NOW};
	for (size_t i = 0; i < TEXTS; i++) {
		if (!mp_find_str(encoded, texts[i].key, &text))
			return ERR_CORRUPT;
		dead_text((char *)out + texts[i].offset, texts[i].size, text);
	}
	for (size_t i = 0; i < TIMES; i++) {
		if (!mp_find_int(encoded, times[i].key, &ms))
			return ERR_CORRUPT;
		memcpy((char *)out + times[i].offset, &ms, sizeof ms);
	}
	if (!out->resource[0] || !out->id[0] ||
	    !read_int(encoded, "class", FAULT_CLASSES - 1, &class) ||
	    !read_int(encoded, "status", 999, &status) ||
	    !read_int(encoded, "attempts", UINT_MAX, &attempts) ||
	    !read_int(encoded, "dropped", 1, &dropped))
		return ERR_CORRUPT;
	out->class = (enum fault_class) class;
	out->status = (int)status;
	out->attempts = (unsigned)attempts;
	out->dropped = dropped;
	return 0;
}
