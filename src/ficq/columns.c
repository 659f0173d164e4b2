/* columns: which parts of a row are shown when nobody says. Tables of names; asks nobody. */
#include "columns.h"

#include <base/err.h>

#include <ctype.h>
#include <stdlib.h>

static const struct column conversations[] = {
	{"id", "ID", CELL_TEXT},
	{"created", NULL, CELL_TIME},
	{"updated", "UPDATED", CELL_TIME},
	{"state", "STATE", CELL_TEXT},
	{"open", NULL, CELL_TEXT},
	{"priority", NULL, CELL_TEXT},
	{"assignee", "ASSIGNEE", CELL_ADMIN},
	{"team", NULL, CELL_TEAM},
	{"contact", NULL, CELL_TEXT},
	{"author", NULL, CELL_TEXT},
	{"author_type", NULL, CELL_TEXT},
	{"channel", NULL, CELL_TEXT},
	{"tags", NULL, CELL_TEXT},
	{"subject", "SUBJECT", CELL_TEXT},
	{NULL, NULL, CELL_TEXT},
};

static const struct column messages[] = {
	{"id", NULL, CELL_TEXT},           {"parent", "CONVERSATION", CELL_TEXT},
	{"created", "CREATED", CELL_TIME}, {"updated", NULL, CELL_TIME},
	{"kind", "KIND", CELL_TEXT},       {"author", "AUTHOR", CELL_TEXT},
	{"author_type", NULL, CELL_TEXT},  {"body", "BODY", CELL_TEXT},
	{NULL, NULL, CELL_TEXT},
};

static const struct column contacts[] = {
	{"id", "ID", CELL_TEXT},           {"created", NULL, CELL_TIME},
	{"updated", "UPDATED", CELL_TIME}, {"role", "ROLE", CELL_TEXT},
	{"name", "NAME", CELL_TEXT},       {"email", "EMAIL", CELL_TEXT},
	{"phone", NULL, CELL_TEXT},        {"external_id", NULL, CELL_TEXT},
	{NULL, NULL, CELL_TEXT},
};

static const struct column companies[] = {
	{"id", "ID", CELL_TEXT},           {"created", NULL, CELL_TIME},
	{"updated", "UPDATED", CELL_TIME}, {"company_id", "COMPANY ID", CELL_TEXT},
	{"plan", "PLAN", CELL_TEXT},       {"name", "NAME", CELL_TEXT},
	{NULL, NULL, CELL_TEXT},
};

static const struct column admins[] = {
	{"id", "ID", CELL_TEXT},
	{"name", "NAME", CELL_TEXT},
	{"email", "EMAIL", CELL_TEXT},
	{NULL, NULL, CELL_TEXT},
};

static const struct column tickets[] = {
	{"id", "ID", CELL_TEXT},           {"created", NULL, CELL_TIME},
	{"updated", "UPDATED", CELL_TIME}, {"state", "STATE", CELL_TEXT},
	{"kind", "TYPE", CELL_TEXT},       {"assignee", "ASSIGNEE", CELL_ADMIN},
	{"title", "TITLE", CELL_TEXT},     {NULL, NULL, CELL_TEXT},
};

static const struct column ticket_parts[] = {
	{"id", NULL, CELL_TEXT},           {"parent", "TICKET", CELL_TEXT},
	{"created", "CREATED", CELL_TIME}, {"updated", NULL, CELL_TIME},
	{"kind", "KIND", CELL_TEXT},       {"author", "AUTHOR", CELL_TEXT},
	{"body", "BODY", CELL_TEXT},       {NULL, NULL, CELL_TEXT},
};

static const struct column articles[] = {
	{"id", "ID", CELL_TEXT},           {"created", NULL, CELL_TIME},
	{"updated", "UPDATED", CELL_TIME}, {"state", "STATE", CELL_TEXT},
	{"title", "TITLE", CELL_TEXT},     {NULL, NULL, CELL_TEXT},
};

static const struct column others[] = {
	{"id", "ID", CELL_TEXT},     {"created", NULL, CELL_TIME}, {"updated", NULL, CELL_TIME},
	{"name", "NAME", CELL_TEXT}, {NULL, NULL, CELL_TEXT},
};

static const struct {
	const char *resource;
	const struct column *list;
} known[] = {
	{"conversations", conversations}, {"messages", messages}, {"contacts", contacts},
	{"companies", companies},         {"admins", admins},     {"tickets", tickets},
	{"ticket_parts", ticket_parts},   {"articles", articles},
};

void columns_of_list(struct columns *c, const struct column *list)
{
	*c = (struct columns){0};
	for (; list->path && c->count < COLUMNS_MAX; list++)
		c->items[c->count++] = *list;
}

void columns_of_resource(struct columns *c, const char *resource)
{
	const struct column *list = others;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].resource, resource) == 0)
			list = known[i].list;
	columns_of_list(c, list);
}

void columns_add_snippet(struct columns *c, bool narrow)
{
	for (size_t i = 0; narrow && i < c->count; i++)
		if (strcmp(c->items[i].path, "assignee") == 0 ||
		    strcmp(c->items[i].path, "state") == 0)
			c->items[i].title = NULL;
	if (c->count < COLUMNS_MAX)
		c->items[c->count++] = (struct column){"snippet", "SNIPPET", CELL_SNIPPET};
}

void columns_show_source(struct columns *c)
{
	static const struct column source = {"source", "SOURCE", CELL_TEXT};
	size_t at = 0;

	while (at < c->count && strcmp(c->items[at].path, source.path) != 0)
		at++;
	if (at == COLUMNS_MAX)
		return;
	c->count += at == c->count;
	memmove(&c->items[1], &c->items[0], at * sizeof c->items[0]);
	c->items[0] = source;
}

enum cell_kind columns_kind(const char *path)
{
	static const struct {
		const char *path;
		enum cell_kind kind;
	} kinds[] = {
		{"created", CELL_TIME},
		{"updated", CELL_TIME},
		{"waiting_since", CELL_TIME},
		{"snoozed_until", CELL_TIME},
		{"last_seen", CELL_TIME},
		{"last_replied", CELL_TIME},
		{"snippet", CELL_SNIPPET},
		{"assignee", CELL_ADMIN},
		{"owner", CELL_ADMIN},
		{"team", CELL_TEAM},
		{"median_response_time", CELL_SECONDS},
		{"handling_time", CELL_SECONDS},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].path, path) == 0)
			return kinds[i].kind;
	return strncmp(path, "time_to_", 8) == 0 ? CELL_SECONDS : CELL_TEXT;
}

int columns_show(struct columns *c, const char *field)
{
	size_t at = 0, len = strlen(field);

	while (at < c->count && strcmp(c->items[at].path, field) != 0)
		at++;
	if (c->names || (at < c->count && c->items[at].title) || c->count == COLUMNS_MAX)
		return 0;
	c->names = malloc(2 * (len + 1));
	if (!c->names)
		return ERR_NOMEM;
	for (size_t i = 0; i <= len; i++) {
		c->names[i] = field[i];
		c->names[len + 1 + i] = (char)toupper((unsigned char)field[i]);
	}
	if (at == c->count) {
		/* The last column is the long one. */
		at = c->count++ - 1;
		c->items[c->count - 1] = c->items[at];
	}
	c->items[at] = (struct column){c->names, c->names + len + 1, columns_kind(field)};
	return 0;
}

/* The names twice: as they are, and in capitals as titles. */
int columns_of_fields(struct columns *c, const char *fields)
{
	size_t len = strlen(fields);

	*c = (struct columns){.names = malloc(2 * (len + 1))};
	if (!c->names)
		return ERR_NOMEM;
	char *name = c->names, *title = c->names + len + 1;
	for (size_t i = 0; i <= len; i++) {
		name[i] = fields[i] == ',' ? 0 : fields[i];
		title[i] = (char)toupper((unsigned char)name[i]);
	}
	for (size_t at = 0; at <= len; at += strlen(name + at) + 1) {
		if (!name[at])
			continue;
		if (c->count == COLUMNS_MAX)
			return ERR_LIMIT;
		c->items[c->count++] = (struct column){name + at, title + at, columns_kind(name + at)};
	}
	return c->count ? 0 : ERR_SYNTAX;
}

void columns_release(struct columns *c)
{
	free(c->names);
	*c = (struct columns){0};
}
