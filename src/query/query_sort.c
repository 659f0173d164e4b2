/* query_sort: what an order is called. */
#include <query/query.h>

#include <base/suggest.h>

#define NAMES_MAX 128

const struct field query_relevance = {"relevance", FIELD_REAL, NULL, NULL};

static int unknown(struct bytes name, const struct field *fields, struct why *why)
{
	const char *names[NAMES_MAX + 4] = {"created", "updated", "relevance"};
	size_t n = 3;

	for (const struct field *f = fields; f && f->name && n < NAMES_MAX + 3; f++)
		names[n++] = f->name;
	names[n] = NULL;
	const char *near = suggest(name, names);
	return why_set(why, ERR_NOTFOUND, "there is no order by '%.*s'%s%s%s",
		       (int)(name.len < 60 ? name.len : 60), (const char *)name.data,
		       near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

int query_sort(struct bytes text, const struct field *fields, enum axis axis, bool *ascending_out,
	       const struct field **sort_out, struct why *why)
{
	bool down = text.len && text.data[0] == '-';
	struct bytes name = down ? bytes_of(text.data + 1, text.len - 1) : text;
	bool created = bytes_is(name, "created"), updated = bytes_is(name, "updated");
	const struct field *f = created || updated ? field_find(envelope_fields, name)
						   : field_find(fields, name);

	if (!f && bytes_is(name, query_relevance.name)) {
		*ascending_out = false;
		*sort_out = &query_relevance;
		return down ? why_set(why, ERR_INVALID, "relevance is one way only: the best first")
			    : 0;
	}
	if (!f)
		return unknown(name, fields, why);
	if (f->type == FIELD_LIST)
		return why_set(why, ERR_INVALID, "'%s' is a list: nothing to sort by", f->name);
	*ascending_out = !down;
	*sort_out = (axis == AXIS_UPDATED ? updated : created) ? NULL : f;
	return 0;
}
