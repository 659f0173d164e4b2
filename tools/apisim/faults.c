/* The list of faults to inject. The first that fits a call is taken; random
 * ones are drawn from a seed, so that a failing test fails again. */
#include "faults.h"

#include "rng.h"

#include <stdio.h>
#include <string.h>

#define FAULTS_MAX 64

static struct fault faults[FAULTS_MAX];
static unsigned fault_count;

static const char *const kinds[FAULT_KIND_COUNT] = {
	[FAULT_NONE] = "none",
	[FAULT_STATUS] = "status",
	[FAULT_HTML200] = "html200",
	[FAULT_EMPTY200] = "empty200",
	[FAULT_TRUNCATE] = "truncate",
	[FAULT_WRONG_LENGTH] = "wrong_length",
	[FAULT_BAD_JSON] = "bad_json",
	[FAULT_BAD_UTF8] = "bad_utf8",
	[FAULT_ERROR_LIST_200] = "error_list_200",
	[FAULT_SLOW] = "slow",
	[FAULT_DRIP] = "drip",
	[FAULT_RESET] = "reset",
	[FAULT_RATE429] = "rate429",
	[FAULT_REPEAT_CURSOR] = "repeat_cursor",
	[FAULT_FOREIGN_CURSOR] = "foreign_cursor",
	[FAULT_FOREIGN_NEXT_HOST] = "foreign_next_host",
	[FAULT_WRONG_RESOURCE] = "wrong_resource",
	[FAULT_UNSORTED] = "unsorted",
	[FAULT_ENDLESS_NEXT] = "endless_next",
	[FAULT_HUGE] = "huge",
	[FAULT_EXPIRED_CURSOR] = "expired_cursor",
	[FAULT_UNAUTHORIZED] = "unauthorized",
	[FAULT_EMPTY_LIST] = "empty_list",
	[FAULT_PART_LIST] = "part_list",
	[FAULT_CUT_LIST] = "cut_list",
	[FAULT_SLIDING_PAGES] = "sliding_pages",
};

static bool fits(const struct fault *f, const char *method, const char *path, bool has_cursor)
{
	if (f->count == 0 || (f->method[0] && strcmp(f->method, method) != 0))
		return false;
	if (f->exact ? strcmp(path, f->route) != 0 : strncmp(path, f->route, strlen(f->route)) != 0)
		return false;
	return f->kind != FAULT_EXPIRED_CURSOR || has_cursor;
}

static bool drawn(struct fault *f)
{
	struct rng r = {hash2(f->seed, f->rolls++)};

	return f->probability >= 1 ||
	       (double)(rng_next(&r) >> 11) / 9007199254740992.0 < f->probability;
}

const struct fault *faults_take(const char *method, const char *path, bool has_cursor)
{
	for (unsigned i = 0; i < fault_count; i++) {
		struct fault *f = &faults[i];

		if (!fits(f, method, path, has_cursor))
			continue;
		if (f->after > 0) {
			f->after--;
			continue;
		}
		if (!drawn(f))
			continue;
		if (f->count > 0)
			f->count--;
		f->hits++;
		return f;
	}
	return NULL;
}

bool fault_spoils(const struct fault *f)
{
	return f && f->kind != FAULT_SLOW && f->kind != FAULT_DRIP;
}

static int64_t integer(const json_t *json, const char *key, int64_t otherwise)
{
	const json_t *v = json_object_get(json, key);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

static void text(char *out, size_t size, const json_t *json, const char *key)
{
	const char *s = json_string_value(json_object_get(json, key));

	snprintf(out, size, "%s", s ? s : "");
}

static const char *add_one(const json_t *json)
{
	static const char *const members[] = {
		"route", "exact",       "method",      "kind",  "status",   "code",
		"count", "after",       "probability", "seed",  "delay_ms", "bytes_per_s",
		"acts",  "retry_after", "size_mb",     "delta", "every",    "at"};
	const char *kind = json_string_value(json_object_get(json, "kind")), *key;
	struct fault f = {.kind = FAULT_NONE};
	json_t *v, *p;

	json_object_foreach((json_t *)(uintptr_t)json, key, v)
	{
		bool known = false;

		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
			known |= !strcmp(members[i], key);
		if (!known)
			return "unknown member in fault";
	}
	for (unsigned i = 1; kind && i < FAULT_KIND_COUNT; i++)
		if (!strcmp(kinds[i], kind))
			f.kind = (enum fault_kind)i;
	if (f.kind == FAULT_NONE)
		return "unknown kind of fault";
	if (fault_count == FAULTS_MAX)
		return "too many faults";
	text(f.method, sizeof(f.method), json, "method");
	text(f.route, sizeof(f.route), json, "route");
	text(f.code, sizeof(f.code), json, "code");
	f.exact = json_is_true(json_object_get(json, "exact"));
	f.acts = json_is_true(json_object_get(json, "acts"));
	f.count = integer(json, "count", -1);
	f.after = integer(json, "after", 0);
	f.seed = (uint64_t)integer(json, "seed", 1);
	f.status = (int)integer(json, "status", 500);
	f.delay_ms = (uint32_t)integer(json, "delay_ms", 1000);
	f.bytes_per_s = (uint32_t)integer(json, "bytes_per_s", 1000);
	f.retry_after_s = (uint32_t)integer(json, "retry_after", 0);
	f.size_mb = (uint32_t)integer(json, "size_mb", 300);
	f.delta = integer(json, "delta", 100);
	f.every = (uint32_t)integer(json, "every", 2);
	f.at = (uint32_t)integer(json, "at", 60);
	p = json_object_get(json, "probability");
	f.probability = json_is_number(p) ? json_number_value(p) : 1;
	if (f.status < 200 || f.status > 599 || (f.kind == FAULT_DRIP && f.bytes_per_s == 0) ||
	    f.every < 1)
		return "a value is out of range";
	faults[fault_count++] = f;
	return NULL;
}

const char *faults_add(const json_t *json)
{
	size_t i;
	json_t *one;
	const char *wrong = NULL;

	if (json_is_object(json))
		return add_one(json);
	if (!json_is_array(json))
		return "a fault or a list of faults is expected";
	json_array_foreach(json, i, one) if (!wrong)
		wrong = json_is_object(one) ? add_one(one) : "a fault must be an object";
	return wrong;
}

void faults_clear(void)
{
	fault_count = 0;
}

void faults_print(struct buf *b)
{
	j_open(b, NULL, '[');
	for (unsigned i = 0; i < fault_count; i++) {
		j_open(b, NULL, '{');
		j_str(b, "kind", kinds[faults[i].kind]);
		j_str(b, "route", faults[i].route);
		j_str(b, "method", faults[i].method);
		j_int(b, "left", faults[i].count);
		j_int(b, "hits", (int64_t)faults[i].hits);
		j_close(b, '}');
	}
	j_close(b, ']');
}
