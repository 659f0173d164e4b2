/* Search bodies: parsed, judged and matched. */
#ifndef APISIM_SEARCH_H
#define APISIM_SEARCH_H

#include "pop.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
	FIELD_STRING,
	FIELD_INTEGER,
	FIELD_DATE,
	FIELD_BOOLEAN,
	FIELD_TAG,   /* a string for which only = and != are allowed */
	FIELD_TOKENS /* a string of which each word is searched by itself */
};

struct field {
	const char *name;
	uint8_t type;
	uint8_t what; /* the resource's own number of it */
};

/* What a record holds in a field: none (null), one or several values. */
struct values {
	struct {
		bool text;
		int64_t number;
		const char *s; /* valid until the next get() */
	} v[32];
	uint32_t count;
};

/* The two fields every resource finds without building a record. */
enum { WHAT_CREATED = 1, WHAT_UPDATED = 2, WHAT_ID = 3, WHAT_OWN = 4 };

struct resource {
	const char *name;
	struct pop *pop;
	const struct field *fields;
	size_t field_count;
	bool days;       /* dates are matched by calendar day */
	bool id_by_text; /* cursors hold the id as text */
	void (*get)(uint32_t idx, const struct field *f, struct values *out);
	/* A sort key other than created_at, updated_at and id; false: cannot. */
	bool (*sort_key)(uint32_t idx, const struct field *f, uint32_t *key_out);
	void (*id_text)(uint32_t idx, char out[32]);
	bool (*id_index)(const char *id, uint32_t *idx_out);
};

extern const struct resource resource_conversations, resource_contacts, resource_tickets;

#define QUERY_NODES_MAX 260
#define QUERY_GROUP_MAX 15
#define QUERY_DEPTH_MAX 2

struct node {
	bool group, any; /* any: OR */
	uint16_t kids[QUERY_GROUP_MAX];
	uint16_t kid_count;
	const struct field *field;
	uint8_t op;
	int64_t from, until; /* dates: the half-open span that matches */
	json_t *value;       /* borrowed from the body */
};

struct query {
	const struct resource *res;
	struct node nodes[QUERY_NODES_MAX];
	uint16_t count;
	bool inclusive; /* > and < include the value itself (not for days) */
};

/* Why a body was refused: what the answer says, and the breach it is. */
struct refusal {
	int status;
	const char *code;
	const char *breach;
	char message[300];
};

const struct field *resource_field(const struct resource *res, const char *name);
/* Parses "query"; false with a refusal. The query borrows from the JSON. */
bool query_parse(struct query *q, const struct resource *res, json_t *json, struct refusal *why);
bool query_match(const struct query *q, uint32_t idx);
/* The span of created_at or updated_at outside of which nothing can match;
 * exact_out: everything inside matches. */
void query_span(const struct query *q, uint8_t what, int64_t *from, int64_t *until, bool *exact_out);

/* Midnights of the workspace's time zone around t. */
void day_around(int64_t t, int64_t *start, int64_t *end);

#endif
