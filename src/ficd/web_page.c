/*
 * web_page: GET /: the status page and what belongs to it, as they were built in. They hold nothing of anybody's: what the page shows it asks for itself, with the rights of
 * whoever looks at it.
 */
#include "web.h"
#include "web_files.h"

/* Scripts, styles and questions go to this server alone, and no text ever becomes markup or a script. */
#define PAGE_POLICY                                                                         \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "         \
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " \
	"require-trusted-types-for 'script'; trusted-types 'none'"

static const char *type_of(const char *name)
{
	static const char *const types[][2] = {{".html", "text/html; charset=utf-8"},
					       {".css", "text/css; charset=utf-8"},
					       {".js", "text/javascript; charset=utf-8"},
					       {".svg", "image/svg+xml"}};
	const char *suffix = strrchr(name, '.');

	for (size_t i = 0; suffix && i < sizeof types / sizeof *types; i++)
		if (strcmp(suffix, types[i][0]) == 0)
			return types[i][1];
	return NULL;
}

void web_page(struct web *w, struct web_request *r)
{
	const char *name = web_path(r) + 1;

	(void)w;
	if (!*name)
		name = "page.html";
	for (const struct web_file *f = web_files; f->name; f++)
		if (strcmp(f->name, name) == 0) {
			web_reply_page(r, type_of(name), PAGE_POLICY, bytes_of(f->data, f->len));
			return;
		}
	web_reply_text(r, 404, "there is nothing here\n");
}
