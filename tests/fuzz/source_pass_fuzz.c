/*
 * source_pass_fuzz: any text as a path to be read through, with the lines behind the first as names and values of parameters. What is let through stays at the account's own address:
 * segments of harmless characters and escapes, none of them a way up, and at most one query.
 */
#include <source/pass.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARAMETERS 8

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool is_plain(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       strchr("-_.~", c);
}

static void check_path(const char *path)
{
	const char *query = strchr(path, '?');
	const char *end = query ? query : path + strlen(path);

	must(path[0] == '/' && end > path + 1 && end[-1] != '/');
	for (const char *c = path; c < end; c++) {
		must(*c == '/' || *c == '%' || is_plain((uint8_t)*c));
		/* Neither empty nor a way up, nor what is one when it is read twice. */
		must(*c != '/' || (c[1] != '/' && c[1] != '.'));
		must(*c != '%' || (strncmp(c, "%2F", 3) != 0 && strncmp(c, "%25", 3) != 0 &&
				   strncmp(c, "%5C", 3) != 0 && strncmp(c, "%0", 2) != 0));
	}
	for (const char *c = query; c && *c; c++)
		must(is_plain((uint8_t)*c) || strchr("%=&", *c) || c == query);
}

/* The next line of the input. */
static struct bytes line(struct bytes *rest)
{
	const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
	size_t n = end ? (size_t)(end - rest->data) : rest->len;
	struct bytes taken = bytes_of(rest->data, n);

	*rest = bytes_of(rest->data + n + (end != NULL), rest->len - n - (end != NULL));
	return taken;
}

static void ask(const struct provider *p, struct bytes rest)
{
	struct pass_parameter list[PARAMETERS];
	struct bytes path = line(&rest);
	struct buf out = {0};
	struct why why = {""};
	unsigned route = 0;
	size_t n = 0;

	for (; n < PARAMETERS && rest.len; n++) {
		list[n].name = line(&rest);
		list[n].value = line(&rest);
	}
	int rc = pass_path(p, path, list, n, &out, &route, &why);
	must(rc == 0 || (rc == ERR_INVALID && why.text[0]));
	if (rc == 0) {
		must(out.len <= PASS_PATH_MAX && p->routes[route].name);
		check_path(buf_text(&out));
	}
	pass_near(p, path);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ask(&provider_intercom, bytes_of(data, size));
	ask(&provider_front, bytes_of(data, size));
	return 0;
}
