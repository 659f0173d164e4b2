/*
 * names: looks through the admins or teams that are held. There are some hundred at most; of a longer list only the first are looked at, and who is not found among
 * them is asked for by id. Contacts are many: they are found by the index of their addresses, or of the words of their names.
 */
#include "names.h"
#include "each_record.h"

#include <base/suggest.h>
#include <codec/msgpack.h>
#include <query/query.h>
#include <store/store.h>

#include <ctype.h>
#include <strings.h>

#define RECORDS_MAX  2000
#define NAMES_MAX    400 /* that are suggested from */
#define FOUND_MAX    100
#define CONTACTS_MAX 1000 /* whose names are looked at */
#define STEP_UNITS   1024
#define STEPS_MAX    32 /* of a look at the contacts, which nothing interrupts */

struct looking {
	const struct resource_type *type;
	struct arena *arena;
	struct bytes text;
	bool part; /* all whose names have it */
	struct bytes ids[FOUND_MAX];
	size_t found; /* of them, and those that have no room */
	const char *names[NAMES_MAX + 1];
	size_t name_count;
	struct buf value;
};

static const char *resource_of(const struct field *f)
{
	static const struct {
		const char *field, *resource;
	} known[] = {{"assignee", "admins"}, {"owner", "admins"}, {"team", "teams"}};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].field, f->name) == 0)
			return known[i].resource;
	return NULL;
}

static bool is_number(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!isdigit(text.data[i]))
			return false;
	return true;
}

static bool same(struct bytes a, struct bytes b)
{
	return a.len == b.len && strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0;
}

static bool has(struct bytes text, struct bytes part)
{
	for (size_t i = 0; i + part.len <= text.len; i++)
		if (same(bytes_of(text.data + i, part.len), part))
			return true;
	return false;
}

static int keep_name(struct looking *l, struct bytes name)
{
	if (l->name_count == NAMES_MAX)
		return 0;
	char *copy = arena_alloc(l->arena, name.len + 1);
	if (!copy)
		return ERR_NOMEM;
	memcpy(copy, name.data, name.len);
	l->names[l->name_count++] = copy;
	return 0;
}

/* 0 or an error; *is_out: this is what it is called. */
static int compare(struct looking *l, const struct record *r, const char *name, bool *is_out)
{
	const struct field *f = field_find(l->type->fields, bytes_str(name));
	struct mp_value v;

	buf_reset(&l->value);
	int rc = f ? record_value(r, f, &l->value) : 0;
	if (rc <= 0 || !mp_get(buf_bytes(&l->value), &v) || v.type != MP_STR || v.str.len == 0)
		return rc < 0 ? rc : 0;
	*is_out |= l->part ? has(v.str, l->text) : same(v.str, l->text);
	return keep_name(l, v.str);
}

static int keep_id(struct looking *l, struct bytes id)
{
	struct bytes copy = arena_bytes(l->arena, id);

	if (!copy.data)
		return ERR_NOMEM;
	if (l->found < FOUND_MAX)
		l->ids[l->found] = copy;
	l->found++;
	return 0;
}

static int look_at(void *ctx, const struct record *r)
{
	struct looking *l = ctx;
	bool is = l->part && has(r->id, l->text);
	int rc = compare(l, r, "name", &is);

	if (rc == 0)
		rc = compare(l, r, "email", &is);
	return rc || !is ? rc : keep_id(l, r->id);
}

static int tell(const struct looking *l, struct why *why)
{
	int len = (int)(l->text.len < 60 ? l->text.len : 60);
	const char *text = (const char *)l->text.data, *what = l->type->name;

	if (l->found > FOUND_MAX)
		return why_set(why, ERR_LIMIT,
			       "more than %d %s have '%.*s' in their names: say more of it",
			       FOUND_MAX, what, len, text);
	if (l->found > 1)
		return why_set(why, ERR_INVALID,
			       "several %s are called '%.*s': say which by id, as in %.*s or %.*s",
			       what, len, text, (int)l->ids[0].len, (const char *)l->ids[0].data,
			       (int)l->ids[1].len, (const char *)l->ids[1].data);
	if (l->name_count == 0)
		return why_set(why, ERR_NOTFOUND,
			       "'%.*s' cannot be looked up: no %s are held yet; use the id", len,
			       text, what);
	const char *near = suggest(l->text, l->names);
	return why_set(why, ERR_NOTFOUND, "none of the %s is called '%.*s'%s%s%s", what, len, text,
		       near ? "; did you mean '" : " ('ficq query ", near ? near : what,
		       near ? "'?" : "' lists them)");
}

/* Whether a record has this id. */
static int is_held(struct snapshot *view, const char *resource, struct bytes id)
{
	struct record record;
	int rc = id.len && id.len <= RECORD_ID_MAX ? snapshot_peek(view, resource, id, &record) : 0;

	return rc == 1 ? !(record.flags & RECORD_DELETED) : rc;
}

/* All that are found are meant. */
static int give_found(const struct looking *l, struct where_meant *out, struct why *why)
{
	struct bytes *ids = arena_alloc(l->arena, l->found * sizeof *ids);

	if (!ids)
		return why_set(why, ERR_NOMEM, "out of memory");
	memcpy(ids, l->ids, l->found * sizeof *ids);
	*out = (struct where_meant){.texts = ids, .count = l->found};
	return 0;
}

/* By what one source holds. What is an id, or may be one, stays. */
static int find_in(const struct source *s, struct arena *a, const char *resource, struct bytes text,
		   bool part, struct where_meant *out, struct why *why)
{
	struct looking l = {.arena = a, .text = text, .part = part};

	l.type = source_type(s, bytes_str(resource));
	if (!l.type || is_number(text))
		return 0;
	struct snapshot *view = snapshot_new(s->store);
	if (!view)
		return why_set(why, ERR_NOMEM, "out of memory");
	int rc = is_held(view, resource, text), held = rc;
	if (rc == 0)
		rc = each_record(view, l.type->name, RECORDS_MAX, look_at, &l);
	snapshot_free(view);
	buf_release(&l.value);
	if (rc < 0)
		return why_set(why, rc, "the %s cannot be read (%s)", resource, err_name(rc));
	if (held)
		return 0;
	if (l.found == 0 || l.found > (part ? FOUND_MAX : 1))
		return tell(&l, why);
	return give_found(&l, out, why);
}

int names_find(const struct names *n, const char *resource, struct bytes *text, struct why *why)
{
	struct where_meant meant = {.count = 0};
	int rc = find_in(n->source, n->arena, resource, *text, false, &meant, why);

	if (rc == 0 && meant.count)
		*text = meant.texts[0];
	return rc;
}

/* ---- contacts: too many to look through ---- */

static bool is_address(struct bytes text)
{
	return bytes_has(text, "@");
}

/* An id has digits and no spaces, whoever made it. */
static bool may_be_id(struct bytes text)
{
	bool digit = false;

	for (size_t i = 0; i < text.len; i++)
		digit |= isdigit(text.data[i]) != 0;
	return digit && !is_address(text) && !bytes_has(text, " ");
}

/* Of ASCII; {NULL, 0}: no memory. */
static struct bytes small_letters(struct arena *a, struct bytes text)
{
	char *copy = arena_str(a, text);

	for (char *c = copy; c && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	return copy ? bytes_of(copy, text.len) : bytes_of(NULL, 0);
}

/* The rows that a question finds; their names are compared as those of others are. */
static int ask_contacts(struct looking *l, struct snapshot *view, const struct query_spec *spec,
			struct why *why)
{
	struct query *q;
	struct bytes row, id, name;
	int rc = query_open(view, spec, &q, why);

	if (rc)
		return rc;
	rc = 1;
	for (int n = 0; rc == 1 && n < STEPS_MAX; n++)
		rc = query_step(q, STEP_UNITS, why);
	if (rc == 1 || (rc == 0 && query_result(q)->more))
		l->found = FOUND_MAX + 1; /* too many have these words */
	query_free(q);
	rc = rc == 1 ? 0 : rc;
	struct mp_reader r = mp_reader_of(buf_bytes(spec->rows));
	while (rc == 0 && mp_take(&r, &row) == 1)
		if (mp_find_str(row, "id", &id) &&
		    (spec->where || (mp_find_str(row, "name", &name) && same(name, l->text))))
			rc = keep_id(l, id);
	return rc;
}

/* By the address that a contact has, as it was written, and in small letters. */
static int by_address(struct looking *l, struct snapshot *view, struct query_spec *spec,
		      struct why *why)
{
	const struct field *field = field_find(l->type->fields, bytes_str("email"));
	const struct bytes spellings[] = {l->text, small_letters(l->arena, l->text)};
	int rc = spellings[1].data ? 0 : ERR_NOMEM;

	for (size_t i = bytes_equal(spellings[0], spellings[1]); field && !rc && i < 2; i++) {
		const struct where_value value = {.text = spellings[i]};
		const struct where where = {.op = WHERE_EQUAL, .field = field, .values = &value};
		spec->where = &where;
		buf_reset(spec->rows);
		rc = ask_contacts(l, view, spec, why);
		spec->where = NULL;
	}
	return rc;
}

/* By the words of a contact's name. */
static int by_name(struct looking *l, struct snapshot *view, struct query_spec *spec, struct why *why)
{
	struct buf phrase = {0};

	buf_put_byte(&phrase, '"');
	for (size_t i = 0; i < l->text.len; i++)
		buf_put_byte(&phrase, l->text.data[i] == '"' || l->text.data[i] == '*'
					      ? ' '
					      : l->text.data[i]);
	buf_put_byte(&phrase, '"');
	int rc = phrase.error ? phrase.error
			      : search_parse(buf_bytes(&phrase), l->arena, &spec->text.search, why);
	/* What has no word is nobody's name. */
	if (rc == 0)
		rc = ask_contacts(l, view, spec, why);
	else if (rc == ERR_SYNTAX || rc == ERR_INVALID || rc == ERR_LIMIT)
		rc = 0;
	buf_release(&phrase);
	return rc;
}

static int tell_contact(const struct looking *l, struct why *why)
{
	int len = (int)(l->text.len < 60 ? l->text.len : 60);

	if (l->found > FOUND_MAX)
		return why_set(
			why, ERR_LIMIT,
			"too many contacts are called '%.*s', or have its words in their names: use the id",
			len, (const char *)l->text.data);
	return why_set(why, ERR_NOTFOUND,
		       "none of the contacts %s '%.*s' ('ficq query contacts' lists them)",
		       is_address(l->text) ? "has the address" : "is called", len,
		       (const char *)l->text.data);
}

/* Several may have one address or name: all of them are meant. */
static int contact_in(const struct source *s, struct arena *a, struct bytes text,
		      struct where_meant *out, struct why *why)
{
	static const struct bytes names[] = {{(const uint8_t *)"id", 2}, {(const uint8_t *)"name", 4}};
	struct looking l = {.arena = a, .text = text};
	struct buf rows = {0};
	struct query_spec spec = {.source = "",
				  .resource = "contacts",
				  .axis = AXIS_CREATED,
				  .start_ms = TIME_MIN,
				  .end_ms = TIME_MAX,
				  .limit = CONTACTS_MAX,
				  .names = names,
				  .name_count = 2,
				  .rows = &rows};

	l.type = source_type(s, bytes_str(spec.resource));
	if (!l.type || !text.len || may_be_id(text))
		return 0;
	spec.fields = l.type->fields;
	struct snapshot *view = snapshot_new(s->store);
	if (!view)
		return why_set(why, ERR_NOMEM, "out of memory");
	int rc = is_held(view, spec.resource, text), held = rc;
	if (rc == 0)
		rc = is_address(text) ? by_address(&l, view, &spec, why)
				      : by_name(&l, view, &spec, why);
	snapshot_free(view);
	buf_release(&rows);
	if (rc < 0)
		return why_set(why, rc, "the contacts cannot be read (%s)", err_name(rc));
	if (held)
		return 0;
	return l.found == 0 || l.found > FOUND_MAX ? tell_contact(&l, why) : give_found(&l, out, why);
}

/* ---- all of them ---- */

/* Providers write these in small letters; people do not always. */
static int spell(const struct names *n, const struct field *f, struct bytes text,
		 struct where_meant *out)
{
	static const char *const fields[] = {"email",       "state", "status", "priority",
					     "author_type", "role",  "channel"};
	size_t i = 0;

	while (i < sizeof fields / sizeof *fields && strcmp(fields[i], f->name) != 0)
		i++;
	if (i == sizeof fields / sizeof *fields)
		return 0;
	struct bytes small = small_letters(n->arena, text);
	if (small.data && bytes_equal(small, text))
		return 0;
	struct bytes *both = arena_alloc(n->arena, 2 * sizeof *both);
	if (!both || !small.data)
		return ERR_NOMEM;
	both[0] = text;
	both[1] = small;
	*out = (struct where_meant){.texts = both, .count = 2};
	return 0;
}

static int meaning_in(const struct source *s, const struct names *n, const struct field *f,
		      enum where_op op, struct bytes text, struct where_meant *out, struct why *why)
{
	const char *resource = resource_of(f);
	bool part = op == WHERE_MATCH || (op == WHERE_CONTAINS && f->type == FIELD_TEXT);

	if (resource)
		return find_in(s, n->arena, resource, text, part, out, why);
	return part ? 0 : contact_in(s, n->arena, text, out, why);
}

int names_settle(void *ctx, const struct field *f, enum where_op op, struct bytes text,
		 struct where_meant *out, struct why *why)
{
	const struct names *n = ctx;
	const struct daemon *d = n->source->daemon;
	bool whole = op == WHERE_EQUAL || op == WHERE_IN;

	if (!resource_of(f) && strcmp(f->name, "contact") != 0)
		return whole && f->type == FIELD_TEXT ? spell(n, f, text, out) : 0;
	if (whole && (bytes_is(text, "none") || bytes_is(text, "0"))) {
		out->nobody = true;
		return 0;
	}
	int rc = meaning_in(n->source, n, f, op, text, out, why);
	for (size_t i = 0; n->anywhere && rc == ERR_NOTFOUND && i < d->source_count; i++) {
		struct where_meant unused = {.count = 0};
		if (meaning_in(&d->sources[i], n, f, op, text, &unused, NULL) == 0)
			rc = 0;
	}
	return rc;
}
