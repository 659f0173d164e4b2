/*
 * zone: the system's time zone files (TZif, RFC 9636), decoded whole and kept small. Never calls tzset or localtime, never reads a
 * file outside the time zone folder because of a name.
 */
#include <base/zone.h>

#include <base/clock.h>
#include <base/files.h>

#include "zone_rule.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER          "/usr/share/zoneinfo"
#define LOCAL_FILE      "/etc/localtime"
#define HEADER          44
#define TRANSITIONS_MAX 4096
#define OFFSET_MAX_S    (26 * 3600)
/* Around a wall time: far enough that the change in question lies inside, near enough that no other one does. */
#define AROUND_S (36 * 3600)

struct transition {
	int64_t utc_s;
	int32_t offset_s; /* from then on */
};

struct zone {
	char name[ZONE_NAME_MAX];
	int32_t first_s; /* before the first transition */
	bool has_rule;   /* after the last one */
	uint64_t hash;   /* of the file's bytes; 0: its name says all */
	struct zone_rule rule;
	size_t count;
	struct transition transitions[];
};

static struct zone *zone_new(struct bytes name, size_t count)
{
	struct zone *z = calloc(1, sizeof *z + count * sizeof *z->transitions);
	size_t n = name.len < ZONE_NAME_MAX - 1 ? name.len : ZONE_NAME_MAX - 1;

	if (z && n)
		memcpy(z->name, name.data, n);
	return z;
}

void zone_free(struct zone *z)
{
	free(z);
}

const char *zone_name(const struct zone *z)
{
	return z ? z->name : "UTC";
}

uint64_t zone_hash(const struct zone *z)
{
	return z ? z->hash : 0;
}

/* --- the file --------------------------------------------------------------------------------------------------- */

struct block {
	uint32_t ut_count, std_count, leap_count, time_count, type_count, char_count;
	size_t width; /* of a time: 4 in the first block, 8 in the second */
	size_t size;  /* without its header */
	uint8_t version;
};

static bool block_read(struct bytes file, size_t width, struct block *b)
{
	const uint8_t *p = file.data;

	if (file.len < HEADER || memcmp(p, "TZif", 4) != 0)
		return false;
	*b = (struct block){be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32),
			    be32(p + 36), be32(p + 40), width,        0,
			    p[4]};
	if (b->time_count > TRANSITIONS_MAX || b->type_count == 0 || b->type_count > 256 ||
	    b->char_count > 4096 || b->leap_count > 4096 || b->ut_count > 256 || b->std_count > 256)
		return false;
	b->size = b->time_count * (width + 1) + b->type_count * 6 + b->char_count +
		  b->leap_count * (width + 4) + b->std_count + b->ut_count;
	return b->size <= file.len - HEADER;
}

static bool type_offset(const struct block *b, const uint8_t *types, unsigned type, int32_t *out)
{
	if (type >= b->type_count)
		return false;
	*out = (int32_t)be32(types + (size_t)type * 6);
	return *out > -OFFSET_MAX_S && *out < OFFSET_MAX_S;
}

static bool block_decode(const struct block *b, const uint8_t *data, struct zone *z)
{
	const uint8_t *kinds = data + b->time_count * b->width, *types = kinds + b->time_count;

	if (!type_offset(b, types, 0, &z->first_s))
		return false;
	for (size_t i = 0; i < b->time_count; i++) {
		const uint8_t *time = data + i * b->width;
		struct transition *t = &z->transitions[i];
		t->utc_s = b->width == 8 ? (int64_t)be64(time) : (int32_t)be32(time);
		if (!type_offset(b, types, kinds[i], &t->offset_s) || (i && t->utc_s <= t[-1].utc_s))
			return false;
	}
	z->count = b->time_count;
	return true;
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n"; an empty one says that nothing is known of later times. */
static bool footer_read(struct bytes rest, struct zone *z)
{
	if (rest.len < 2 || rest.data[0] != '\n')
		return false;
	const uint8_t *end = memchr(rest.data + 1, '\n', rest.len - 1);
	if (!end)
		return false;
	struct bytes rule = bytes_of(rest.data + 1, (size_t)(end - rest.data) - 1);
	if (rule.len == 0)
		return true;
	z->has_rule = true;
	return zone_rule_parse(rule, &z->rule) == 0;
}

int zone_decode(struct bytes tzif, struct bytes name, struct zone **zone_out, struct why *why)
{
	struct block b;
	uint64_t hash = bytes_hash(tzif);
	bool good = block_read(tzif, 4, &b);

	if (good && b.version >= '2') { /* the first block is for readers that cannot count to 64 bits */
		tzif = bytes_of(tzif.data + HEADER + b.size, tzif.len - HEADER - b.size);
		good = block_read(tzif, 8, &b);
	}
	if (!good)
		return why_set(why, ERR_CORRUPT, "the data of time zone %.*s are damaged",
			       (int)name.len, (const char *)name.data);
	struct zone *z = zone_new(name, b.time_count);
	if (!z)
		return why_set(why, ERR_NOMEM, "no memory for a time zone");
	z->hash = hash;
	good = block_decode(&b, tzif.data + HEADER, z);
	if (good && b.width == 8)
		good = footer_read(bytes_of(tzif.data + HEADER + b.size, tzif.len - HEADER - b.size),
				   z);
	if (!good) {
		zone_free(z);
		return why_set(why, ERR_CORRUPT, "the data of time zone %.*s are damaged",
			       (int)name.len, (const char *)name.data);
	}
	*zone_out = z;
	return 0;
}

/* --- by name ---------------------------------------------------------------------------------------------------- */

static int utc_new(struct zone **zone_out, struct why *why)
{
	struct zone *z = zone_new(bytes_str("UTC"), 0);

	if (!z)
		return why_set(why, ERR_NOMEM, "no memory for a time zone");
	*zone_out = z;
	return 0;
}

static bool is_utc(struct bytes name)
{
	return bytes_is(name, "UTC") || bytes_is(name, "Etc/UTC") || bytes_is(name, "GMT") ||
	       bytes_is(name, "Z") || bytes_is(name, "utc") || bytes_is(name, "z");
}

/* Letters, digits, "_+-" and slashes between them: no step out of the folder. */
static bool is_name(struct bytes name)
{
	if (name.len == 0 || name.len >= ZONE_NAME_MAX || !isalpha(name.data[0]))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum(name.data[i]) && (name.data[i] == 0 || !strchr("_+-/", name.data[i])))
			return false;
	return true;
}

static int file_load(const char *path, struct bytes name, struct zone **zone_out, struct why *why)
{
	struct buf file = {0};
	int rc = file_read(path, ZONE_FILE_MAX, &file, why);

	if (rc == 0)
		rc = zone_decode(buf_bytes(&file), name, zone_out, why);
	buf_release(&file);
	return rc;
}

static int rule_load(struct bytes text, struct zone **zone_out)
{
	struct zone_rule rule;

	if (zone_rule_parse(text, &rule))
		return ERR_NOTFOUND;
	struct zone *z = zone_new(text, 0);
	if (!z)
		return ERR_NOMEM;
	z->has_rule = true;
	z->rule = rule;
	*zone_out = z;
	return 0;
}

static int named_load(struct bytes name, struct zone **zone_out, struct why *why)
{
	const char *folder = getenv("TZDIR");
	char path[512];

	if (!folder || !*folder)
		folder = FOLDER;
	if (is_name(name) && snprintf(path, sizeof path, "%s/%.*s", folder, (int)name.len,
				      (const char *)name.data) < (int)sizeof path) {
		int rc = file_load(path, name, zone_out, why);
		/* A folder ("Europe") or a stray file is no zone either. */
		if (rc == 0 || rc == ERR_NOMEM || rc == ERR_DENIED)
			return rc;
	}
	int rc = rule_load(name, zone_out);
	if (rc == 0)
		return 0;
	if (snprintf(path, sizeof path, "%s/Europe", folder) < (int)sizeof path &&
	    access(path, F_OK) != 0)
		return why_set(
			why, ERR_NOTFOUND,
			"time zone '%.*s': no time zone data on this machine (package tzdata); UTC works",
			(int)name.len, (const char *)name.data);
	return why_set(why, ERR_NOTFOUND,
		       "unknown time zone '%.*s' (a name such as Europe/Berlin, or UTC)",
		       (int)name.len, (const char *)name.data);
}

static int local_load(struct zone **zone_out, struct why *why)
{
	const char *tz = getenv("TZ");

	if (!tz) {
		int rc = file_load(LOCAL_FILE, bytes_str("local"), zone_out, why);
		return rc == ERR_NOTFOUND ? utc_new(zone_out, why) : rc;
	}
	if (*tz == ':')
		tz++;
	if (*tz == '/')
		return file_load(tz, bytes_str("local"), zone_out, why);
	return zone_load(bytes_str(*tz ? tz : "UTC"), zone_out, why);
}

int zone_load(struct bytes name, struct zone **zone_out, struct why *why)
{
	if (is_utc(name))
		return utc_new(zone_out, why);
	if (bytes_is(name, "local"))
		return local_load(zone_out, why);
	if (name.len == 0 || name.len >= ZONE_NAME_MAX)
		return why_set(why, ERR_INVALID, "a time zone's name has 1 to %d characters",
			       ZONE_NAME_MAX - 1);
	return named_load(name, zone_out, why);
}

/* --- use -------------------------------------------------------------------------------------------------------- */

static int32_t offset_s(const struct zone *z, int64_t utc_s)
{
	size_t lo = 0, hi = z->count;

	while (lo < hi) { /* the first transition after the moment */
		size_t mid = lo + (hi - lo) / 2;
		if (z->transitions[mid].utc_s <= utc_s)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == z->count && z->has_rule)
		return zone_rule_offset_s(&z->rule, utc_s);
	return lo ? z->transitions[lo - 1].offset_s : z->first_s;
}

static int64_t seconds(int64_t ms)
{
	return ms / 1000 - (ms % 1000 < 0);
}

int32_t zone_offset_s(const struct zone *z, int64_t utc_ms)
{
	return z ? offset_s(z, seconds(utc_ms)) : 0;
}

/* The first second in (a, b] with another offset than a's. */
static int64_t change_after(const struct zone *z, int64_t a, int64_t b)
{
	int32_t before = offset_s(z, a);

	while (b - a > 1) {
		int64_t mid = a + (b - a) / 2;
		if (offset_s(z, mid) == before)
			a = mid;
		else
			b = mid;
	}
	return b;
}

int64_t zone_utc_ms(const struct zone *z, int64_t local_ms)
{
	if (!z || local_ms < TIME_MIN / 2 || local_ms > TIME_MAX / 2) /* no clock shows those */
		return local_ms;
	int64_t local = seconds(local_ms);
	int64_t a = local - AROUND_S, b = local + AROUND_S;
	int32_t before = offset_s(z, a), after = offset_s(z, b);

	if (offset_s(z, local - before) == before)
		return local_ms - (int64_t)before * 1000;
	if (offset_s(z, local - after) == after)
		return local_ms - (int64_t)after * 1000;
	return change_after(z, a, b) * 1000;
}
