/* config_apply: a configuration that is in force takes over what of a newer one needs no restart. Texts and lists are copied: both stay independent. */
#include "config_table.h"
#include "config_value.h"

#include <stddef.h>

static int apply_option(const struct option *o, struct arena *memory, void *to, const void *from,
			struct why *why)
{
	struct buf text = {0}, held = {0};

	option_print(o, from, &text);
	option_print(o, to, &held);
	int rc = text.error || held.error ? ERR_NOMEM : 0;
	if (rc == 0 && !bytes_equal(buf_bytes(&text), buf_bytes(&held)))
		rc = option_parse(o, to, buf_text(&text), memory, why);
	buf_release(&text);
	buf_release(&held);
	return rc;
}

static int apply_section(enum section_kind kind, struct arena *memory, void *to, uint64_t *given,
			 const void *from, uint64_t given_now, struct why *why)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < config_option_count; i++) {
		const struct option *o = &config_options[i];
		if (o->section != kind || !o->reloadable)
			continue;
		rc = apply_option(o, memory, to, from, why);
		*given = (*given & ~option_bit(o)) | (given_now & option_bit(o));
	}
	return rc;
}

static int apply_source(struct arena *memory, struct config_source *to,
			const struct config_source *from, struct why *why)
{
	int rc = apply_section(SECTION_SOURCE, memory, to, &to->given, from, from->given, why);

	for (size_t i = 0; rc == 0 && i < to->resource_count; i++) {
		struct config_resource *r = &to->resources[i];
		const struct config_resource *now = &from->resources[i];
		rc = apply_section(SECTION_RESOURCE, memory, r, &r->given, now, now->given, why);
		r->history_ms = now->history_ms; /* follows from the source's */
	}
	return rc;
}

static int check_sources(const struct config *c, const struct config *now, struct why *why)
{
	for (size_t i = 0; i < c->source_count; i++)
		if (!config_source(now, bytes_str(c->sources[i].name)))
			return why_set(why, ERR_INVALID, "source %s is gone from the file",
				       c->sources[i].name);
	for (size_t i = 0; i < now->source_count; i++) {
		const struct config_source *s = &now->sources[i];
		const struct config_source *held = config_source(c, bytes_str(s->name));
		if (!held)
			return why_set(why, ERR_INVALID, "source %s is new in the file", s->name);
		if (held->resource_count != s->resource_count)
			return why_set(why, ERR_INVALID, "source %s has another provider now",
				       s->name);
	}
	return 0;
}

static int apply_alerts(struct config *c, const struct config *now, struct why *why)
{
	struct config_alert alerts[CONFIG_ALERTS_MAX];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < now->alert_count; i++) {
		const struct config_alert *from = &now->alerts[i];
		alerts[i] =
			(struct config_alert){.name = arena_str(&c->memory, bytes_str(from->name))};
		rc = alerts[i].name ? apply_section(SECTION_ALERT, &c->memory, &alerts[i],
						    &alerts[i].given, from, from->given, why)
				    : ERR_NOMEM;
	}
	if (rc)
		return rc;
	memcpy(c->alerts, alerts, now->alert_count * sizeof *alerts);
	c->alert_count = now->alert_count;
	return 0;
}

int config_apply(struct config *c, const struct config *now, struct why *why)
{
	int rc = check_sources(c, now, why);

	if (rc)
		return rc;
	rc = apply_section(SECTION_FICD, &c->memory, c, &c->given, now, now->given, why);
	for (size_t i = 0; rc == 0 && i < c->source_count; i++) {
		const char *name = c->sources[i].name;
		rc = apply_source(&c->memory, &c->sources[i], config_source(now, bytes_str(name)),
				  why);
	}
	if (rc == 0)
		rc = apply_alerts(c, now, why);
	return rc == ERR_INVALID ? ERR_NOMEM : rc;
}
