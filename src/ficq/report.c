/*
 * report: what standard error gets to hear. Texts from outside are cleaned here and nowhere else; nothing is ever printed to
 * standard output.
 */
#include "report.h"

#include "term.h"
#include "text.h"

#include <codec/json.h>

#include <stdio.h>
#include <unistd.h>

/* In one write, so that lines of several programs do not mix. A standard error that is gone cannot be told. */
static void write_error(struct buf *text)
{
	size_t at = 0;

	while (at < text->len) {
		ssize_t n = write(STDERR_FILENO, text->data + at, text->len - at);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	buf_release(text);
}

static void put_member(struct buf *out, const char *key, struct bytes text)
{
	if (!text.data)
		return;
	buf_printf(out, "\"%s\":", key);
	json_write_str(out, text);
	buf_put_byte(out, ',');
}

static void failure_json(struct buf *out, const struct failure *f)
{
	struct buf clean[3] = {{0}, {0}, {0}};

	/* JSON strings must be UTF-8, and controls beyond ASCII are not JSON's business to escape. */
	text_clean(&clean[0], f->message, TEXT_LINE, false);
	text_clean(&clean[1], f->reason, TEXT_LINE, false);
	text_clean(&clean[2], f->hint, TEXT_LINE, false);
	buf_put_str(out, "{\"error\":{");
	put_member(out, "code", bytes_str(f->code));
	put_member(out, "message", f->message.data ? buf_bytes(&clean[0]) : f->message);
	put_member(out, "reason", f->reason.data ? buf_bytes(&clean[1]) : f->reason);
	put_member(out, "hint", f->hint.data ? buf_bytes(&clean[2]) : f->hint);
	buf_printf(out, "\"exit\":%d}}\n", f->exit);
	for (int i = 0; i < 3; i++)
		buf_release(&clean[i]);
}

int report_failure(const struct report *r, const struct failure *f)
{
	struct buf out = {0};

	if (r->json) {
		failure_json(&out, f);
	} else {
		buf_printf(&out, "ficq: %s", style_on(r->color, STYLE_RED));
		text_clean(&out, f->message, TEXT_LINE, r->ascii);
		buf_printf(&out, "%s\n", style_off(r->color, STYLE_RED));
		if (f->hint.len) {
			buf_put_str(&out, "hint: ");
			text_clean(&out, f->hint, TEXT_LINE, r->ascii);
			buf_put_byte(&out, '\n');
		}
	}
	write_error(&out);
	return f->exit;
}

int report_error(const struct report *r, int exit, const char *code, const char *format, ...)
{
	struct buf text = {0};
	va_list args;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	struct failure f = {.exit = exit, .code = code, .message = buf_bytes(&text)};
	report_failure(r, &f);
	buf_release(&text);
	return exit;
}

void report_warning(const struct report *r, struct bytes text)
{
	struct buf out = {0};

	if (r->quiet || r->json)
		return;
	buf_printf(&out, "%swarning: ", style_on(r->color, STYLE_YELLOW));
	text_clean(&out, text, TEXT_LINE, r->ascii);
	buf_printf(&out, "%s\n", style_off(r->color, STYLE_YELLOW));
	write_error(&out);
}

void report_note(const struct report *r, bool wanted, const char *format, ...)
{
	struct buf text = {0}, out = {0};
	va_list args;

	if (r->quiet || r->json || !wanted)
		return;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	buf_put_str(&out, style_on(r->color, STYLE_DIM));
	text_clean(&out, buf_bytes(&text), TEXT_LINE, r->ascii);
	buf_printf(&out, "%s\n", style_off(r->color, STYLE_DIM));
	write_error(&out);
	buf_release(&text);
}
