/* config_print: a configuration as a file again, and what a reload cannot change. There is no secret in a struct config, so there is none in here. */
#include "config_table.h"
#include "config_value.h"

static void print_option(const struct option *o, const void *section, uint64_t given, struct buf *out)
{
	buf_printf(out, "%s = ", o->name);
	option_print(o, section, out);
	buf_put_str(out, given & option_bit(o) ? "\n" : " ; default\n");
}

static void print_section(enum section_kind kind, const void *section, uint64_t given,
			  bool verified, struct buf *out)
{
	for (size_t i = 0; i < config_option_count; i++)
		if (config_options[i].section == kind && (verified || !config_options[i].verifies))
			print_option(&config_options[i], section, given, out);
}

static void print_resource(const struct config_source *s, const struct config_resource *r,
			   struct buf *out)
{
	buf_printf(out, "\n[resource %s/%s]\n", s->name, r->name);
	if (!r->follows) {
		print_section(SECTION_RESOURCE, r, r->given,
			      config_resources[resource_index(bytes_str(r->name))].verified, out);
		return;
	}
	buf_printf(out, "; read with the %s\n", r->follows);
	print_option(option_find(SECTION_RESOURCE, "tolerance"), r, r->given, out);
}

void config_print(const struct config *c, struct buf *out)
{
	buf_put_str(out, "[ficd]\n");
	print_section(SECTION_FICD, c, c->given, false, out);
	for (size_t i = 0; i < c->source_count; i++) {
		const struct config_source *s = &c->sources[i];
		buf_printf(out, "\n[source %s]\n", s->name);
		print_section(SECTION_SOURCE, s, s->given, false, out);
		for (size_t r = 0; r < s->resource_count; r++)
			if (s->resources[r].enabled)
				print_resource(s, &s->resources[r], out);
	}
	for (size_t i = 0; i < c->alert_count; i++) {
		buf_printf(out, "\n[alert %s]\n", c->alerts[i].name);
		print_section(SECTION_ALERT, &c->alerts[i], c->alerts[i].given, false, out);
	}
}

static bool differs(const struct option *o, const void *a, const void *b)
{
	struct buf first, second;

	buf_init(&first, 0);
	buf_init(&second, 0);
	option_print(o, a, &first);
	option_print(o, b, &second);
	bool differ = !bytes_equal(buf_bytes(&first), buf_bytes(&second));
	buf_release(&first);
	buf_release(&second);
	return differ;
}

static void compare(enum section_kind kind, const char *name, const void *old, const void *now,
		    struct buf *out)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *o = &config_options[i];
		if (o->section == kind && !o->reloadable && differs(o, old, now))
			buf_printf(out, "%s[%s%s%s] %s", out->len ? ", " : "", section_names[kind],
				   name ? " " : "", name ? name : "", o->name);
	}
}

void config_restart_needed(const struct config *old, const struct config *now, struct buf *out)
{
	compare(SECTION_FICD, NULL, old, now, out);
	for (size_t i = 0; i < now->source_count; i++) {
		const struct config_source *s = &now->sources[i];
		const struct config_source *before = config_source(old, bytes_str(s->name));
		if (before)
			compare(SECTION_SOURCE, s->name, before, s, out);
	}
}
