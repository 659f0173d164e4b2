/*
 * config_load: a file into a struct config.
 *
 *   lex -> each section finds its place (ficd, a source, a resource of a source) -> each entry is parsed by its row of the option
 *   table -> what was not set gets its default -> what must fit together is checked
 *
 * Goes on after each mistake, so that all are reported at once; hands out nothing if there was one. Must never read a secret and never
 * repeat a value that may be one.
 */
#include "config_access.h"
#include "config_loader.h"
#include "config_value.h"

#include <base/files.h>
#include <base/suggest.h>

#include <stdio.h>
#include <stdlib.h>

#define MEMORY_MAX (4u << 20)

/* ---- the names of sections ---- */

static bool source_name_valid(struct bytes name)
{
	if (name.len == 0 || name.len > CONFIG_NAME_MAX || name.data[0] == '-' || name.data[0] == '_')
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789_-", name.data[i], 38))
			return false;
	return true;
}

static struct config_source *find_source(struct config *c, struct bytes name)
{
	for (size_t i = 0; i < c->source_count; i++)
		if (bytes_is(name, c->sources[i].name))
			return &c->sources[i];
	return NULL;
}

static const char *near_source(const struct config *c, struct bytes name)
{
	const char *names[CONFIG_SOURCES_MAX + 1] = {NULL};

	for (size_t i = 0; i < c->source_count; i++)
		names[i] = c->sources[i].name;
	return suggest(name, names);
}

static struct config_source *add_source(struct loader *l, const struct config_section *s,
					struct bytes name)
{
	struct config *c = l->config;
	struct config_source *other = find_source(c, name);

	if (other) {
		config_error(l->errors, s->line, "[%s] stands at line %u already", s->head,
			     other->line);
		return NULL;
	}
	if (!source_name_valid(name)) {
		config_error(l->errors, s->line,
			     "a source's name has 1 to %d of a-z, 0-9, _ and -, a letter or digit first",
			     CONFIG_NAME_MAX);
		return NULL;
	}
	if (c->source_count == CONFIG_SOURCES_MAX) {
		if (!l->full)
			config_error(l->errors, s->line, "more than %d sources", CONFIG_SOURCES_MAX);
		l->full = true;
		return NULL;
	}
	struct config_source *new = &c->sources[c->source_count];
	new->name = arena_str(&c->memory, name);
	if (!new->name) {
		l->failed = ERR_NOMEM;
		return NULL;
	}
	c->source_count++;
	new->line = s->line;
	return new;
}

/* "SOURCE/NAME"; NULL and a complaint when that does not lead to a resource. */
static struct config_resource *place_resource(struct loader *l, const struct config_section *s,
					      struct bytes name)
{
	const uint8_t *slash = memchr(name.data, '/', name.len);

	if (!slash) {
		config_error(l->errors, s->line, "expected [resource SOURCE/NAME]");
		return NULL;
	}
	struct bytes first = bytes_of(name.data, (size_t)(slash - name.data));
	struct bytes second = bytes_of(slash + 1, name.len - first.len - 1);
	struct config_source *source = find_source(l->config, first);
	if (!source) {
		const char *near = near_source(l->config, first);
		if (!l->sources_broken)
			config_error(l->errors, s->line, "[%s]: there is no such source%s%s%s",
				     name_shown(s->head), near ? "; did you mean " : "",
				     near ? near : "", near ? "?" : "");
		return NULL;
	}
	int i = resource_index(second);
	if (i < 0) {
		const char *names[CONFIG_RESOURCES_MAX + 1] = {NULL};
		for (size_t n = 0; n < config_resource_count; n++)
			names[n] = config_resources[n].name;
		const char *near = suggest(second, names);
		config_error(l->errors, s->line, "[%s]: there is no such resource%s%s%s",
			     name_shown(s->head), near ? "; did you mean " : "", near ? near : "",
			     near ? "?" : "");
		return NULL;
	}
	struct config_resource *resource = &source->resources[i];
	if (resource->line) {
		config_error(l->errors, s->line, "[%s] stands at line %u already", s->head,
			     resource->line);
		return NULL;
	}
	resource->line = s->line;
	return resource;
}

/* Splits "KIND NAME". */
static struct bytes section_kind(const char *head, struct bytes *name_out)
{
	size_t kind = strcspn(head, " \t");
	const char *name = head + kind + strspn(head + kind, " \t");

	*name_out = bytes_str(name);
	return bytes_of(head, kind);
}

static void take_ficd(struct loader *l, const struct config_section *s, struct bytes name)
{
	struct config *c = l->config;
	struct target t = {.kind = SECTION_FICD, .fields = c, .given = &c->given};

	if (name.len)
		config_error(l->errors, s->line, "[ficd] has no name behind it");
	if (c->line) {
		config_error(l->errors, s->line, "[ficd] stands at line %u already", c->line);
		return;
	}
	c->line = s->line;
	loader_entries(l, &t, s);
}

static void take_source(struct loader *l, const struct config_section *s, struct bytes name)
{
	struct config_source *source = add_source(l, s, name);

	if (!source) {
		l->sources_broken = true;
		return;
	}
	struct target t = {.kind = SECTION_SOURCE, .fields = source, .given = &source->given};
	loader_defaults(l, SECTION_SOURCE, source);
	loader_entries(l, &t, s);
}

static void take_resource(struct loader *l, const struct config_section *s, struct bytes name)
{
	struct config_resource *resource = place_resource(l, s, name);

	if (!resource)
		return;
	struct target t = {.kind = SECTION_RESOURCE,
			   .fields = resource,
			   .given = &resource->given,
			   .follows = resource->follows};
	loader_entries(l, &t, s);
}

/* ---- alerts ---- */

static struct config_alert *add_alert(struct loader *l, const struct config_section *s,
				      struct bytes name)
{
	struct config *c = l->config;

	if (!source_name_valid(name)) {
		config_error(l->errors, s->line,
			     "an alert's name has 1 to %d of a-z, 0-9, _ and -, a letter or digit first",
			     CONFIG_NAME_MAX);
		return NULL;
	}
	for (size_t i = 0; i < c->alert_count; i++)
		if (bytes_is(name, c->alerts[i].name)) {
			config_error(l->errors, s->line, "[%s] stands at line %u already", s->head,
				     c->alerts[i].line);
			return NULL;
		}
	if (c->alert_count == CONFIG_ALERTS_MAX) {
		config_error(l->errors, s->line, "more than %d alerts", CONFIG_ALERTS_MAX);
		return NULL;
	}
	struct config_alert *new = &c->alerts[c->alert_count];
	new->name = arena_str(&c->memory, name);
	if (!new->name) {
		l->failed = ERR_NOMEM;
		return NULL;
	}
	c->alert_count++;
	new->line = s->line;
	return new;
}

/* Somebody must hear of it, by a way that leads somewhere. */
static void check_alert(struct loader *l, const struct config_section *s, const struct config_alert *a)
{
	const char *rest = a->sources ? a->sources : "";
	struct bytes name;

	if (!a->slack.name && !a->email && !a->command)
		config_error(l->errors, s->line, "[%s] tells nobody: set slack, email or command",
			     s->head);
	if (a->email && !a->smtp)
		config_error(l->errors, s->line,
			     "[%s]: email needs smtp, the mail server that takes it", s->head);
	if (!a->smtp_user != !a->smtp_password.name)
		config_error(l->errors, s->line,
			     "[%s]: smtp_user and smtp_password belong together", s->head);
	while (list_next(&rest, &name)) {
		if (l->sources_broken || find_source(l->config, name))
			continue;
		const char *near = near_source(l->config, name);
		config_error(l->errors, s->line, "[%s]: sources: there is no source %.*s%s%s%s",
			     s->head, (int)(name.len > 32 ? 32 : name.len), (const char *)name.data,
			     near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	}
}

static void take_alert(struct loader *l, const struct config_section *s, struct bytes name)
{
	struct config_alert *a = add_alert(l, s, name);
	size_t errors = l->errors->fatal;

	if (!a)
		return;
	struct target t = {.kind = SECTION_ALERT, .fields = a, .given = &a->given};
	loader_defaults(l, SECTION_ALERT, a);
	loader_entries(l, &t, s);
	if (l->errors->fatal == errors)
		check_alert(l, s, a);
}

static void unknown_section(struct loader *l, const struct config_section *s, struct bytes kind)
{
	const char *near = suggest(kind, section_names);
	config_error(l->errors, s->line, "[%s]: there is no such section%s%s%s", name_shown(s->head),
		     near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	/* Whatever it was meant to be: what refers to it is not a second mistake. */
	l->sources_broken = true;
}

/* ---- the whole ---- */

static bool is_given(const struct config *c, const char *name)
{
	return c->given & option_bit(option_find(SECTION_FICD, name));
}

/* The two defaults that depend on who starts the daemon where. */
static void default_path(struct loader *l, const char *name, const char *path, const char *reason)
{
	const struct option *o = option_find(SECTION_FICD, name);
	struct why why = {""};

	if (!*path) {
		config_error(l->errors, l->config->line,
			     "[ficd] must set %s: there is no default (%s)", name, reason);
		return;
	}
	int rc = option_parse(o, l->config, path, &l->config->memory, &why);
	if (rc == ERR_NOMEM)
		l->failed = rc;
	else if (rc)
		config_error(l->errors, l->config->line,
			     "[ficd] must set %s: the default will not do (%s)", name, why.text);
}

static void default_paths(struct loader *l)
{
	struct config_paths paths;
	struct why why = {""};

	config_default_paths(&paths, &why);
	if (!is_given(l->config, "state_dir"))
		default_path(l, "state_dir", paths.state_dir, why.text);
	if (!is_given(l->config, "socket"))
		default_path(l, "socket", paths.socket, why.text);
}

/* Sources first, so that a resource may stand above its source. */
static void take_sections(struct loader *l, const struct config_section *sections)
{
	struct bytes name;

	loader_defaults(l, SECTION_FICD, l->config);
	for (const struct config_section *s = sections; s; s = s->next) {
		struct bytes kind = section_kind(s->head, &name);
		if (bytes_is(kind, "ficd"))
			take_ficd(l, s, name);
		else if (bytes_is(kind, "source"))
			take_source(l, s, name);
		else if (!bytes_is(kind, "resource") && !bytes_is(kind, "alert"))
			unknown_section(l, s, kind);
	}
	for (size_t i = 0; i < l->config->source_count; i++)
		loader_resource_defaults(l, &l->config->sources[i]);
	for (const struct config_section *s = sections; s; s = s->next)
		if (bytes_is(section_kind(s->head, &name), "resource"))
			take_resource(l, s, name);
		else if (bytes_is(section_kind(s->head, &name), "alert"))
			take_alert(l, s, name);
	for (size_t i = 0; i < l->config->source_count; i++)
		loader_resource_checks(l, &l->config->sources[i]);
	if (l->config->source_count == 0 && !l->sources_broken)
		config_error(l->errors, 0, "there is no [source NAME] section: nothing to mirror");
	default_paths(l);
}

static int finish(struct loader *l, struct config **out)
{
	config_errors_sort(l->errors);
	if (l->failed)
		config_error(l->errors, 0, "out of memory");
	if (l->failed || l->errors->fatal) {
		config_free(l->config);
		return l->failed ? l->failed : ERR_INVALID;
	}
	*out = l->config;
	return 0;
}

int config_parse(const char *path, struct bytes text, struct config **out, struct config_errors *errors)
{
	struct loader l = {.config = calloc(1, sizeof *l.config), .errors = errors};
	struct config_section *sections = NULL;
	struct arena memory;

	snprintf(errors->path, sizeof errors->path, "%s", path);
	if (!l.config) {
		config_error(errors, 0, "out of memory");
		return ERR_NOMEM;
	}
	arena_init(&memory, MEMORY_MAX);
	arena_init(&l.config->memory, MEMORY_MAX);
	if (text.len > CONFIG_BYTES_MAX)
		config_error(errors, 0, "the file is longer than %d bytes", CONFIG_BYTES_MAX);
	else
		l.failed = config_lex(text, &memory, &sections, errors);
	if (!l.failed && text.len <= CONFIG_BYTES_MAX)
		take_sections(&l, sections);
	arena_release(&memory);
	return finish(&l, out);
}

int config_load(const char *path, struct config **out, struct config_errors *errors)
{
	struct buf text;
	struct why why;

	buf_init(&text, CONFIG_BYTES_MAX + 1);
	int rc = file_read(path, CONFIG_BYTES_MAX, &text, &why);
	if (rc) {
		snprintf(errors->path, sizeof errors->path, "%s", path);
		config_error(errors, 0, "%s", why.text);
	} else {
		rc = config_parse(path, buf_bytes(&text), out, errors);
	}
	buf_release(&text);
	return rc;
}
