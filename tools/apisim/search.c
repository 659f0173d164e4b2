/* Search bodies. Refuses whatever the documentation does not allow, in the
 * words of the API; must never guess what a client may have meant. */
#include "search.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum operator_kind {
	OP_EQ,
	OP_NE,
	OP_IN,
	OP_NIN,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_HAS,
	OP_HASNT,
	OP_STARTS,
	OP_ENDS,
	OP_COUNT
};

#define BIT(op)  (1u << (op))
#define EQUALITY (BIT(OP_EQ) | BIT(OP_NE))
#define SETS     (BIT(OP_IN) | BIT(OP_NIN))
#define ORDER    (BIT(OP_LT) | BIT(OP_LE) | BIT(OP_GT) | BIT(OP_GE))
#define TEXT     (BIT(OP_HAS) | BIT(OP_HASNT) | BIT(OP_STARTS) | BIT(OP_ENDS))

static const char *const op_names[OP_COUNT] = {
	"=", "!=", "IN", "NIN", "<", "<=", ">", ">=", "~", "!~", "^", "$",
};

static unsigned allowed_ops(const struct resource *res, uint8_t type)
{
	switch ((enum field_type)type) {
	case FIELD_STRING: return EQUALITY | SETS | TEXT;
	case FIELD_TOKENS: return EQUALITY | SETS | TEXT;
	case FIELD_INTEGER: return EQUALITY | SETS | ORDER;
	case FIELD_DATE:
		return res->days ? BIT(OP_EQ) | BIT(OP_LT) | BIT(OP_GT) : EQUALITY | SETS | ORDER;
	case FIELD_BOOLEAN: return EQUALITY | SETS;
	case FIELD_TAG: return EQUALITY;
	}
	return 0;
}

static bool refuse(struct refusal *why, const char *code, const char *breach, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static bool refuse(struct refusal *why, const char *code, const char *breach, const char *fmt, ...)
{
	va_list ap;

	why->status = 400;
	why->code = code;
	why->breach = breach;
	va_start(ap, fmt);
	vsnprintf(why->message, sizeof(why->message), fmt, ap);
	va_end(ap);
	return false;
}

const struct field *resource_field(const struct resource *res, const char *name)
{
	for (size_t i = 0; i < res->field_count; i++)
		if (!strcmp(res->fields[i].name, name))
			return &res->fields[i];
	return NULL;
}

void day_around(int64_t t, int64_t *start, int64_t *end)
{
	time_t when = (time_t)t;
	struct tm tm;

	localtime_r(&when, &tm);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	*start = mktime(&tm);
	tm.tm_mday++;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	*end = mktime(&tm);
}

/* Numbers may come as text. */
static bool as_number(const json_t *v, int64_t *out)
{
	char *end;

	if (json_is_integer(v)) {
		*out = json_integer_value(v);
		return true;
	}
	if (!json_is_string(v) || json_string_length(v) == 0)
		return false;
	*out = strtoll(json_string_value(v), &end, 10);
	return *end == '\0';
}

static bool value_fits(const struct field *f, const json_t *v)
{
	int64_t n;

	if (json_is_null(v))
		return true;
	switch ((enum field_type)f->type) {
	case FIELD_DATE:
	case FIELD_INTEGER: return as_number(v, &n);
	case FIELD_BOOLEAN:
		return json_is_boolean(v) ||
		       (json_is_string(v) && (!strcmp(json_string_value(v), "true") ||
					      !strcmp(json_string_value(v), "false")));
	default: return json_is_string(v) || json_is_integer(v);
	}
}

/* Far beyond all records, and still a date for the C library. */
#define DATE_MAX ((int64_t)1 << 44)

static void date_span(const struct query *q, struct node *n)
{
	int64_t v = 0, start, end;

	as_number(n->value, &v);
	v = v < -DATE_MAX ? -DATE_MAX : v > DATE_MAX ? DATE_MAX : v;
	start = v;
	end = v + 1;
	if (q->res->days)
		day_around(v, &start, &end);
	n->from = INT64_MIN;
	n->until = INT64_MAX;
	switch ((enum operator_kind)n->op) {
	case OP_EQ:
		n->from = start;
		n->until = end;
		break;
	case OP_GT: n->from = q->inclusive && !q->res->days ? start : end; break;
	case OP_GE: n->from = start; break;
	case OP_LT: n->until = q->inclusive && !q->res->days ? end : start; break;
	case OP_LE: n->until = end; break;
	default: break;
	}
}

static bool parse_leaf_value(struct query *q, struct node *n, json_t *value, struct refusal *why)
{
	bool list = n->op == OP_IN || n->op == OP_NIN;
	size_t i;
	json_t *v;

	if (!value || list != json_is_array(value))
		return refuse(why, "parameter_invalid", "bad_value",
			      list ? "Value for %s must be an array"
				   : "Value for %s is missing or of the wrong type",
			      n->field->name);
	n->value = value;
	if (!list && !value_fits(n->field, value))
		return refuse(why, "parameter_invalid", "bad_value", "Value for %s is not valid",
			      n->field->name);
	json_array_foreach(value, i, v) if (!value_fits(n->field, v)) return refuse(
		why, "parameter_invalid", "bad_value", "Value for %s is not valid", n->field->name);
	if (n->field->type == FIELD_DATE && !list) {
		if (json_is_null(value) && n->op != OP_EQ && n->op != OP_NE)
			return refuse(why, "parameter_invalid", "bad_value",
				      "Value for %s is not valid", n->field->name);
		date_span(q, n);
	}
	return true;
}

static bool only_members(json_t *json, const char *const *names, struct refusal *why)
{
	const char *key;
	json_t *v;

	json_object_foreach(json, key, v)
	{
		bool known = false;

		for (const char *const *n = names; *n; n++)
			known |= !strcmp(*n, key);
		if (!known)
			return refuse(why, "parameter_invalid", "unknown_body_member",
				      "Unknown member '%s' in query", key);
	}
	return true;
}

static bool parse_leaf(struct query *q, struct node *n, json_t *json, struct refusal *why)
{
	static const char *const members[] = {"field", "operator", "value", NULL};
	const char *name = json_string_value(json_object_get(json, "field"));
	const char *op = json_string_value(json_object_get(json, "operator"));

	if (!only_members(json, members, why))
		return false;
	if (!name || !op)
		return refuse(why, "parameter_invalid", "bad_query",
			      "Invalid query: field and operator are required");
	n->field = resource_field(q->res, name);
	if (!n->field)
		return refuse(why, "invalid_field", "unknown_field",
			      "%s is not a valid search field", name);
	for (n->op = 0; n->op < OP_COUNT && strcmp(op_names[n->op], op) != 0; n->op++)
		;
	if (n->op == OP_COUNT)
		return refuse(why, "parameter_invalid", "unknown_operator",
			      "%s is not a valid operator", op);
	if (!(allowed_ops(q->res, n->field->type) & BIT(n->op)))
		return refuse(why, "parameter_invalid", "unknown_operator",
			      "Operator %s is not supported for field %s", op, name);
	return parse_leaf_value(q, n, json_object_get(json, "value"), why);
}

static bool parse_node(struct query *q, json_t *json, unsigned depth, uint16_t *at_out,
		       struct refusal *why);

static bool parse_group(struct query *q, struct node *n, json_t *list, unsigned depth,
			struct refusal *why)
{
	size_t i;
	json_t *kid;

	if (depth >= QUERY_DEPTH_MAX)
		return refuse(why, "parameter_invalid", "query_too_deep",
			      "Query is nested too deeply: the limit is 2 nested filters");
	if (json_array_size(list) == 0 || json_array_size(list) > QUERY_GROUP_MAX)
		return refuse(why, "parameter_invalid", "too_many_filters",
			      "A group takes 1 to 15 filters, not %zu", json_array_size(list));
	json_array_foreach(list, i, kid) if (!parse_node(q, kid, depth + 1, &n->kids[n->kid_count++],
							 why)) return false;
	return true;
}

static bool parse_node(struct query *q, json_t *json, unsigned depth, uint16_t *at_out,
		       struct refusal *why)
{
	static const char *const members[] = {"operator", "value", NULL};
	const char *op = json_string_value(json_object_get(json, "operator"));
	json_t *value = json_object_get(json, "value");
	struct node *n = &q->nodes[q->count];

	if (!json_is_object(json))
		return refuse(why, "parameter_invalid", "bad_query", "Invalid query");
	*at_out = q->count++;
	*n = (struct node){0};
	if (!op || json_object_get(json, "field") || (strcmp(op, "AND") != 0 && strcmp(op, "OR") != 0))
		return parse_leaf(q, n, json, why);
	if (!json_is_array(value))
		return refuse(why, "parameter_invalid", "bad_query", "Value of %s must be an array",
			      op);
	n->group = true;
	n->any = op[0] == 'O';
	return only_members(json, members, why) && parse_group(q, n, value, depth, why);
}

bool query_parse(struct query *q, const struct resource *res, json_t *json, struct refusal *why)
{
	uint16_t root;

	q->res = res;
	q->count = 0;
	return parse_node(q, json, 0, &root, why);
}

static bool number_in(const struct values *vals, const json_t *v)
{
	int64_t want = 0;

	if (json_is_boolean(v))
		want = json_is_true(v);
	else if (!as_number(v, &want))
		want = json_is_string(v) && !strcmp(json_string_value(v), "true");
	for (uint32_t i = 0; i < vals->count; i++)
		if (vals->v[i].number == want)
			return true;
	return false;
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text; n && (p = strcasestr(p, word)); p++) {
		bool before = p == text ||
			      !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789",
				      p[-1]);

		if (before && (!p[n] || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
						"0123456789",
						p[n])))
			return true;
	}
	return false;
}

static bool text_in(const struct field *f, const struct values *vals, const json_t *v)
{
	char digits[24];
	const char *want = json_string_value(v);

	if (json_is_integer(v)) {
		snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(v));
		want = digits;
	}
	if (!want)
		return false;
	for (uint32_t i = 0; i < vals->count; i++)
		if (f->type == FIELD_TOKENS ? !strchr(want, ' ') && has_word(vals->v[i].s, want)
					    : !strcmp(vals->v[i].s, want))
			return true;
	return false;
}

static bool equals(const struct field *f, const struct values *vals, const json_t *v)
{
	if (json_is_null(v))
		return vals->count == 0;
	if (f->type == FIELD_STRING || f->type == FIELD_TAG || f->type == FIELD_TOKENS)
		return text_in(f, vals, v);
	return number_in(vals, v);
}

static bool in_list(const struct node *n, const struct values *vals)
{
	size_t i;
	json_t *v;

	json_array_foreach(n->value, i, v) if (equals(n->field, vals, v)) return true;
	return false;
}

static bool in_order(const struct node *n, const struct values *vals)
{
	int64_t want = 0;

	if (!as_number(n->value, &want))
		return false;
	for (uint32_t i = 0; i < vals->count; i++) {
		int64_t own = vals->v[i].number;

		if (n->op == OP_LT   ? own < want
		    : n->op == OP_LE ? own <= want
		    : n->op == OP_GT ? own > want
				     : own >= want)
			return true;
	}
	return false;
}

static bool text_like(const struct node *n, const struct values *vals)
{
	const char *want = json_string_value(n->value);
	size_t k = want ? strlen(want) : 0;

	for (uint32_t i = 0; want && i < vals->count; i++) {
		const char *own = vals->v[i].s;
		size_t len = strlen(own);

		if (n->op == OP_STARTS ? !strncasecmp(own, want, k)
		    : n->op == OP_ENDS ? len >= k && !strcasecmp(own + len - k, want)
				       : strcasestr(own, want) != NULL)
			return true;
	}
	return false;
}

static bool date_match(const struct node *n, const struct values *vals)
{
	if (json_is_null(n->value))
		return vals->count == 0;
	for (uint32_t i = 0; i < vals->count; i++)
		if (vals->v[i].number >= n->from && vals->v[i].number < n->until)
			return true;
	return false;
}

static bool leaf_match(const struct query *q, const struct node *n, uint32_t idx)
{
	static struct values vals; /* large; one search runs at a time */

	vals.count = 0;
	if (n->field->what == WHAT_CREATED || n->field->what == WHAT_UPDATED) {
		vals.v[0].text = false;
		vals.v[0].number = n->field->what == WHAT_CREATED ? q->res->pop->created[idx]
								  : q->res->pop->updated[idx];
		vals.count = 1;
	} else {
		q->res->get(idx, n->field, &vals);
	}
	switch ((enum operator_kind)n->op) {
	case OP_NE: return !equals(n->field, &vals, n->value);
	case OP_IN: return in_list(n, &vals);
	case OP_NIN: return !in_list(n, &vals);
	case OP_HASNT: return !text_like(n, &vals);
	case OP_HAS:
	case OP_STARTS:
	case OP_ENDS: return text_like(n, &vals);
	default: break;
	}
	if (n->field->type == FIELD_DATE)
		return date_match(n, &vals);
	return n->op == OP_EQ ? equals(n->field, &vals, n->value) : in_order(n, &vals);
}

static bool node_match(const struct query *q, uint16_t at, uint32_t idx)
{
	const struct node *n = &q->nodes[at];

	if (!n->group)
		return leaf_match(q, n, idx);
	for (uint16_t i = 0; i < n->kid_count; i++)
		if (node_match(q, n->kids[i], idx) == n->any)
			return n->any;
	return !n->any;
}

bool query_match(const struct query *q, uint32_t idx)
{
	return node_match(q, 0, idx);
}

static void leaf_span(const struct node *n, uint8_t what, int64_t *from, int64_t *until, bool *exact)
{
	bool simple = n->field->what == what && n->field->type == FIELD_DATE &&
		      (what == WHAT_CREATED || what == WHAT_UPDATED) && n->op != OP_NE &&
		      n->op != OP_IN && n->op != OP_NIN && !json_is_null(n->value);

	*from = simple ? n->from : INT64_MIN;
	*until = simple ? n->until : INT64_MAX;
	*exact = simple;
}

static void node_span(const struct query *q, uint16_t at, uint8_t what, int64_t *from,
		      int64_t *until, bool *exact)
{
	const struct node *n = &q->nodes[at];

	if (!n->group) {
		leaf_span(n, what, from, until, exact);
		return;
	}
	*from = n->any ? INT64_MAX : INT64_MIN;
	*until = n->any ? INT64_MIN : INT64_MAX;
	*exact = !n->any || n->kid_count == 1;
	for (uint16_t i = 0; i < n->kid_count; i++) {
		int64_t a, b;
		bool e;

		node_span(q, n->kids[i], what, &a, &b, &e);
		*exact &= e;
		if (n->any ? a < *from : a > *from)
			*from = a;
		if (n->any ? b > *until : b < *until)
			*until = b;
	}
}

void query_span(const struct query *q, uint8_t what, int64_t *from, int64_t *until, bool *exact_out)
{
	node_span(q, 0, what, from, until, exact_out);
}
