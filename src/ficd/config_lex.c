/*
 * config_lex: hands a text to inih line by line, so that each thing found has its line number whatever inih was built with, and takes
 * away what inih would pass over or misread in silence:
 *
 *   indented lines (inih: more of the value above)    the indent means nothing
 *   lines over its buffer (inih: two lines)           an error
 *   [section] names over 49 bytes (inih: cut)         taken here, from the raw line
 *   lines that are neither (inih: the first only)     an error each
 *
 * Must never put a line's contents into a complaint: it may be a token that was pasted there.
 */
#include "config_lex.h"
#include "config_errors.h"

#include <ini.h>

struct lexer {
	struct bytes rest;
	unsigned line;
	bool awaiting; /* this line must turn out to be KEY = VALUE */
	bool failed;   /* no memory */
	bool told;     /* about entries before the first section */
	struct arena *memory;
	struct config_errors *errors;
	struct config_section **end;    /* where the next section goes */
	struct config_section *section; /* the last one; NULL: none yet, or a broken header */
	bool broken; /* entries of a section with a broken header are not worth a word */
};

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct bytes trim(struct bytes s)
{
	for (; s.len && is_space(s.data[0]); s.len--)
		s.data++;
	while (s.len && is_space(s.data[s.len - 1]))
		s.len--;
	return s;
}

static struct bytes next_line(struct lexer *l)
{
	const uint8_t *end = memchr(l->rest.data, '\n', l->rest.len);
	size_t len = end ? (size_t)(end - l->rest.data) : l->rest.len;
	struct bytes line = {l->rest.data, len};

	l->rest.data += len + (end != NULL);
	l->rest.len -= len + (end != NULL);
	l->line++;
	return trim(line);
}

/* A control character, or NULL when the line is fit to be read. */
static const uint8_t *control(struct bytes s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.data[i] < 0x20 && s.data[i] != '\t') || s.data[i] == 0x7f)
			return s.data + i;
	return NULL;
}

static void open_section(struct lexer *l, struct bytes line)
{
	const uint8_t *close = memchr(line.data, ']', line.len);

	l->section = NULL;
	l->broken = true;
	if (!close) {
		config_error(l->errors, l->line, "a section's name ends with ]");
		return;
	}
	struct bytes head = trim(bytes_of(line.data + 1, (size_t)(close - line.data) - 1));
	struct bytes behind = trim(bytes_of(close + 1, line.len - (size_t)(close + 1 - line.data)));
	if (behind.len && behind.data[0] != ';' && behind.data[0] != '#') {
		config_error(l->errors, l->line, "behind a section's ] only a comment may stand");
		return;
	}
	struct config_section *s = arena_alloc(l->memory, sizeof *s);
	if (!s || !(s->head = arena_str(l->memory, head))) {
		l->failed = true;
		return;
	}
	s->line = l->line;
	s->end = &s->entries;
	*l->end = s;
	l->end = &s->next;
	l->section = s;
	l->broken = false;
}

/* True: the line is for inih to take apart. */
static bool look_at(struct lexer *l, struct bytes line, size_t room)
{
	if (line.len == 0 || line.data[0] == ';' || line.data[0] == '#')
		return false;
	const uint8_t *bad = control(line);
	if (bad)
		config_error(l->errors, l->line, "a control character (0x%02x) in the line", *bad);
	else if (line.len > room)
		config_error(l->errors, l->line, "the line is longer than %zu bytes", room);
	else if (line.data[0] == '[')
		open_section(l, line);
	else
		return true;
	return false;
}

static void settle(struct lexer *l)
{
	if (l->awaiting && !l->broken)
		config_error(l->errors, l->line, "expected [SECTION] or KEY = VALUE");
	l->awaiting = false;
}

/* inih's reader, like fgets. */
static char *read_line(char *out, int size, void *ctx)
{
	struct lexer *l = ctx;

	settle(l);
	if (l->rest.len == 0 || l->failed || size < 2)
		return NULL;
	struct bytes line = next_line(l);
	if (!look_at(l, line, (size_t)size - 1))
		line.len = 0;
	l->awaiting = line.len > 0;
	memcpy(out, line.data, line.len);
	out[line.len] = 0;
	return out;
}

/* inih's handler: its idea of the section is not used, see above. */
static int take(void *ctx, const char *section, const char *key, const char *value)
{
	struct lexer *l = ctx;

	(void)section;
	if (!*key)
		return 1; /* settle will complain */
	l->awaiting = false;
	if (!l->section) {
		if (!l->broken && !l->told)
			config_error(l->errors, l->line, "%s stands before the first [SECTION]",
				     name_shown(key));
		l->told = true;
		return 1;
	}
	struct config_entry *e = arena_alloc(l->memory, sizeof *e);
	if (!e || !(e->key = arena_str(l->memory, bytes_str(key))) ||
	    !(e->value = arena_str(l->memory, bytes_str(value)))) {
		l->failed = true;
		return 1;
	}
	e->line = l->line;
	*l->section->end = e;
	l->section->end = &e->next;
	return 1;
}

int config_lex(struct bytes text, struct arena *memory, struct config_section **out,
	       struct config_errors *errors)
{
	struct lexer l = {.rest = text, .memory = memory, .errors = errors, .end = out};

	*out = NULL;
	if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
		l.rest = bytes_of(text.data + 3, text.len - 3);
	int rc = ini_parse_stream(read_line, &l, take, &l);
	settle(&l);
	return l.failed || rc == -2 ? ERR_NOMEM : 0;
}
