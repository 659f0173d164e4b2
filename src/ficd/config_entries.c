/* config_entries: KEY = VALUE lines into the fields that the option table names. Must never repeat a value that may be a secret. */
#include "config_loader.h"
#include "config_value.h"

#include <base/suggest.h>

void loader_set(struct loader *l, const struct option *o, void *fields, const char *text)
{
	struct why why;

	/* Not an error when it is refused: the one default that depends on the machine is a group, and one that nobody made lets nobody in. */
	if (text && option_parse(o, fields, text, &l->config->memory, &why) == ERR_NOMEM)
		l->failed = ERR_NOMEM;
}

void loader_defaults(struct loader *l, enum section_kind kind, void *fields)
{
	for (size_t i = 0; i < config_option_count; i++)
		if (config_options[i].section == kind)
			loader_set(l, &config_options[i], fields, config_options[i].fallback);
}

static const char *near_option(enum section_kind kind, const char *key)
{
	const char *names[64] = {NULL};
	size_t n = 0;

	for (size_t i = 0; i < config_option_count; i++)
		if (config_options[i].section == kind)
			names[n++] = config_options[i].name;
	return suggest(bytes_str(key), names);
}

static void unknown_option(struct loader *l, const struct target *t, const struct config_entry *e)
{
	const struct option_later *later = option_later(t->kind, e->key);

	if (later && strcmp(e->value, later->nothing) == 0)
		return;
	if (later) {
		const char *instead = *later->nothing ? later->nothing : "nothing";
		config_error(l->errors, e->line, "%s: not in this release (only %s is possible)",
			     e->key, instead);
		return;
	}
	for (int kind = 0; kind < SECTION_KINDS; kind++)
		if ((enum section_kind)kind != t->kind &&
		    option_find((enum section_kind)kind, e->key)) {
			config_error(l->errors, e->line,
				     "%s belongs into a [%s] section, not into [%s]", e->key,
				     section_names[kind], section_names[t->kind]);
			return;
		}
	const char *near = near_option(t->kind, e->key);
	config_error(l->errors, e->line, "%s: there is no such option in a [%s] section%s%s%s",
		     name_shown(e->key), section_names[t->kind], near ? "; did you mean " : "",
		     near ? near : "", near ? "?" : "");
}

static void take_entry(struct loader *l, struct target *t, const struct config_entry *e)
{
	const struct option *o = option_find(t->kind, e->key);
	struct why why = {""};

	if (!o) {
		unknown_option(l, t, e);
		return;
	}
	unsigned *seen = &t->seen[o - config_options];
	if (*seen) {
		config_error(l->errors, e->line, "%s is set at line %u already", o->name, *seen);
		return;
	}
	*seen = e->line;
	if (t->follows && strcmp(o->name, "tolerance") != 0) {
		config_error(l->errors, e->line, "%s: these are read with the %s, set it there",
			     o->name, t->follows);
		return;
	}
	int rc = option_parse(o, t->fields, e->value, &l->config->memory, &why);
	if (rc == ERR_NOMEM)
		l->failed = rc;
	else if (rc)
		config_error(l->errors, e->line, "%s: %s", o->name, why.text);
	*t->given |= option_bit(o);
}

void loader_entries(struct loader *l, struct target *t, const struct config_section *s)
{
	for (const struct config_entry *e = s->entries; e; e = e->next)
		take_entry(l, t, e);
	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *o = &config_options[i];
		if (o->section == t->kind && o->required && !t->seen[i])
			config_error(l->errors, s->line, "[%s] must set %s (%s)", s->head, o->name,
				     o->help);
	}
}
