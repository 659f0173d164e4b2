/*
 * text: what an API or the daemon wrote, made safe for a terminal, measured, cut and wrapped.
 *
 * Never uses the C library's locale: what it calls printable differs from machine to machine.
 */
#include "text.h"

#include "width_ranges.h"

#define REPLACEMENT 0xfffd

/* Well-formed sequences of RFC 3629: the length, and the least character that may have it. */
uint32_t text_next(struct bytes *s)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = s->data[0];
	unsigned len = first < 0x80   ? 1
		       : first < 0xc2 ? 0
		       : first < 0xe0 ? 2
		       : first < 0xf0 ? 3
		       : first < 0xf5 ? 4
				      : 0;
	uint32_t c = len > 1 ? first & (0xffu >> (len + 1)) : first;

	for (unsigned i = 1; i < len; i++) {
		if (i >= s->len || (s->data[i] & 0xc0) != 0x80) {
			len = 0;
			break;
		}
		c = c << 6 | (s->data[i] & 0x3f);
	}
	if (len == 0 || c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
		len = 1;
		c = REPLACEMENT;
	}
	s->data += len;
	s->len -= len;
	return c;
}

bool text_is_utf8(struct bytes s)
{
	while (s.len) {
		size_t before = s.len;
		if (text_next(&s) == REPLACEMENT && before - s.len == 1)
			return false;
	}
	return true;
}

void text_put_char(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		buf_put_byte(out, (uint8_t)c);
		return;
	}
	if (c < 0x800) {
		buf_put_byte(out, (uint8_t)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		buf_put_byte(out, (uint8_t)(0xe0 | c >> 12));
		buf_put_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
	} else {
		buf_put_byte(out, (uint8_t)(0xf0 | c >> 18));
		buf_put_byte(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		buf_put_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_put_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
}

static bool in_ranges(uint32_t c, const struct range *ranges, size_t n)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (c > ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && c >= ranges[low].first;
}

unsigned text_char_width(uint32_t c)
{
	if (c < 0x300)
		return c >= 0x20;
	if (in_ranges(c, zero_ranges, sizeof zero_ranges / sizeof *zero_ranges))
		return 0;
	return in_ranges(c, wide_ranges, sizeof wide_ranges / sizeof *wide_ranges) ? 2 : 1;
}

size_t text_width(struct bytes clean)
{
	size_t width = 0;

	while (clean.len)
		width += text_char_width(text_next(&clean));
	return width;
}

/* Marks that reorder what stands around them make a line read as something else; the joiners of emoji and scripts stay. */
static bool turns_direction(uint32_t c)
{
	return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

static void put_break(struct buf *out, size_t start, enum text_form form)
{
	if (form == TEXT_BLOCK)
		buf_put_byte(out, '\n');
	else if (out->len > start && out->data[out->len - 1] != ' ')
		buf_put_byte(out, ' ');
}

static void put_tab(struct buf *out, size_t start, enum text_form form)
{
	size_t column = 0;

	if (form == TEXT_LINE) {
		put_break(out, start, form);
		return;
	}
	for (size_t i = out->len; i > start && out->data[i - 1] != '\n'; i--)
		column++;
	text_put_spaces(out, 8 - column % 8);
}

void text_clean(struct buf *out, struct bytes s, enum text_form form, bool ascii)
{
	size_t start = out->len;

	while (s.len) {
		uint32_t c = text_next(&s);
		if (c == '\r' && s.len && s.data[0] == '\n')
			continue;
		if (c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029)
			put_break(out, start, form);
		else if (c == '\t')
			put_tab(out, start, form);
		else if (is_control(c) || turns_direction(c))
			text_put_char(out, ascii ? '?' : REPLACEMENT);
		else
			text_put_char(out, ascii && c > 0x7e ? '?' : c);
	}
}

size_t text_fit(struct bytes clean, size_t width, size_t *columns_out)
{
	const uint8_t *start = clean.data;
	size_t columns = 0;

	while (clean.len) {
		struct bytes rest = clean;
		unsigned w = text_char_width(text_next(&rest));
		if (columns + w > width)
			break;
		columns += w;
		clean = rest;
	}
	*columns_out = columns;
	return clean.data ? (size_t)(clean.data - start) : 0;
}

size_t text_put_cut(struct buf *out, struct bytes clean, size_t width, bool ascii)
{
	const char *dots = ascii ? (width < 4 ? "~" : "...") : "…";
	size_t dots_width = ascii && width >= 4 ? 3 : 1, columns;

	if (text_fit(clean, width, &columns) == clean.len) {
		buf_put_bytes(out, clean);
		return columns;
	}
	if (width < dots_width)
		return 0;
	size_t n = text_fit(clean, width - dots_width, &columns);
	while (n > 0 && clean.data[n - 1] == ' ') {
		n--;
		columns--;
	}
	buf_put(out, clean.data, n);
	buf_put_str(out, dots);
	return columns + dots_width;
}

void text_put_spaces(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_put_byte(out, ' ');
}

/* Where to break a line of which `fits` bytes fit: behind the last space, or right there when a word fills the line. */
static size_t break_point(struct bytes line, size_t fits)
{
	size_t at = fits;

	if (line.data[fits] == ' ')
		return fits;
	while (at > 0 && line.data[at - 1] != ' ')
		at--;
	/* An indent is no place to break at: that would make a blank line. */
	for (size_t i = 0; i < at; i++)
		if (line.data[i] != ' ')
			return at;
	return fits;
}

bool text_wrap(struct bytes *block, size_t width, struct bytes *line_out)
{
	size_t columns;

	if (block->len == 0)
		return false;
	const uint8_t *end = memchr(block->data, '\n', block->len);
	struct bytes line = bytes_of(block->data, end ? (size_t)(end - block->data) : block->len);
	size_t fits = text_fit(line, width, &columns), taken = line.len + (end != NULL);
	if (fits < line.len) {
		/* A wide character in a column of one: at least something must be taken. */
		if (fits == 0) {
			struct bytes rest = line;
			text_next(&rest);
			fits = line.len - rest.len;
		}
		line.len = fits < line.len ? break_point(line, fits) : fits;
		taken = line.len;
		while (taken < block->len && block->data[taken] == ' ')
			taken++;
		if (taken < block->len && block->data[taken] == '\n')
			taken++;
	}
	while (line.len > 0 && line.data[line.len - 1] == ' ')
		line.len--;
	*line_out = line;
	block->data += taken;
	block->len -= taken;
	return true;
}
