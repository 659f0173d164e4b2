/*
 * html: a scanner, not a parser: one pass over the text that knows tags, comments and entities. Must never read twice what it failed to understand
 * once (an unclosed quote in every tag would else cost the square of the length).
 */
#include <model/html.h>

#include "entity.h"

#include <ctype.h>
#include <strings.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct scan {
	const uint8_t *at;
	const uint8_t *end;
	struct buf *out;
	size_t start;        /* of our text in out */
	unsigned newlines;   /* to be written before the next letter */
	bool space;          /* likewise */
	unsigned pre;        /* open <pre> elements */
	bool no_quotes_left; /* some tag's quote is never closed: from then on quotes mean nothing */
	bool no_tags_left;   /* there is no '>' any more */
};

static void put_break(struct scan *s, unsigned newlines_max)
{
	if (s->newlines < newlines_max)
		s->newlines++;
}

static void put(struct scan *s, const uint8_t *text, size_t len)
{
	if (s->out->len > s->start) {
		for (unsigned i = 0; i < s->newlines; i++)
			buf_put_byte(s->out, '\n');
		if (s->space && !s->newlines)
			buf_put_byte(s->out, ' ');
	}
	s->newlines = 0;
	s->space = false;
	buf_put(s->out, text, len);
}

static void put_space(struct scan *s, uint8_t c)
{
	if (!s->pre) {
		s->space = true;
	} else if (c == '\n') {
		put_break(s, 2);
	} else if (c != '\r') {
		if (s->out->len > s->start)
			put(s, &c, 1);
	}
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\v';
}

/* --- tags ------------------------------------------------------------------------------------------------------- */

enum effect { EFFECT_NONE, EFFECT_BLOCK, EFFECT_BREAK, EFFECT_SPACE, EFFECT_PRE, EFFECT_DROP };

#define NAME(text) text, sizeof(text) - 1

static enum effect effect_of(const char *name, size_t len)
{
	static const struct {
		const char *name;
		size_t len;
		enum effect effect;
	} effects[] = {
		{NAME("p"), EFFECT_BLOCK},          {NAME("div"), EFFECT_BLOCK},
		{NAME("br"), EFFECT_BREAK},         {NAME("li"), EFFECT_BLOCK},
		{NAME("ul"), EFFECT_BLOCK},         {NAME("ol"), EFFECT_BLOCK},
		{NAME("h1"), EFFECT_BLOCK},         {NAME("h2"), EFFECT_BLOCK},
		{NAME("h3"), EFFECT_BLOCK},         {NAME("h4"), EFFECT_BLOCK},
		{NAME("h5"), EFFECT_BLOCK},         {NAME("h6"), EFFECT_BLOCK},
		{NAME("tr"), EFFECT_BLOCK},         {NAME("td"), EFFECT_SPACE},
		{NAME("th"), EFFECT_SPACE},         {NAME("table"), EFFECT_BLOCK},
		{NAME("blockquote"), EFFECT_BLOCK}, {NAME("pre"), EFFECT_PRE},
		{NAME("hr"), EFFECT_BLOCK},         {NAME("script"), EFFECT_DROP},
		{NAME("style"), EFFECT_DROP},       {NAME("title"), EFFECT_DROP},
		{NAME("template"), EFFECT_DROP},    {NAME("section"), EFFECT_BLOCK},
		{NAME("article"), EFFECT_BLOCK},    {NAME("header"), EFFECT_BLOCK},
		{NAME("footer"), EFFECT_BLOCK},     {NAME("dl"), EFFECT_BLOCK},
		{NAME("dt"), EFFECT_BLOCK},         {NAME("dd"), EFFECT_BLOCK},
		{NAME("figure"), EFFECT_BLOCK},     {NAME("figcaption"), EFFECT_BLOCK},
		{NAME("address"), EFFECT_BLOCK},    {NAME("form"), EFFECT_BLOCK},
		{NAME("fieldset"), EFFECT_BLOCK},   {NAME("option"), EFFECT_BLOCK},
		{NAME("main"), EFFECT_BLOCK},       {NAME("nav"), EFFECT_BLOCK},
		{NAME("aside"), EFFECT_BLOCK},      {NAME("center"), EFFECT_BLOCK},
		{NAME("body"), EFFECT_BLOCK},       {NAME("html"), EFFECT_BLOCK},
	};

	for (size_t i = 0; i < sizeof effects / sizeof *effects; i++)
		if (effects[i].len == len && strncasecmp(effects[i].name, name, len) == 0)
			return effects[i].effect;
	return EFFECT_NONE;
}

/* The '>' that ends the tag whose inside begins at p, or NULL. */
static const uint8_t *tag_end(struct scan *s, const uint8_t *p)
{
	const uint8_t *start = p;
	uint8_t quote = 0;

	if (s->no_tags_left)
		return NULL;
	for (; !s->no_quotes_left && p < s->end; p++) {
		if (quote)
			quote = *p == quote ? 0 : quote;
		else if ((*p == '"' || *p == '\'') && p[-1] == '=')
			quote = *p;
		else if (*p == '>')
			return p;
	}
	s->no_quotes_left = true;
	p = memchr(start, '>', (size_t)(s->end - start));
	s->no_tags_left = !p;
	return p;
}

/* Moves behind the end tag of an element whose contents are no text, or to the end of it all. */
static void drop_element(struct scan *s, const char *name, size_t len)
{
	while (s->at < s->end) {
		const uint8_t *p = memchr(s->at, '<', (size_t)(s->end - s->at));
		if (!p || (size_t)(s->end - p) < len + 2) {
			s->at = s->end;
			return;
		}
		s->at = p + 1;
		if (p[1] != '/' || strncasecmp((const char *)p + 2, name, len) != 0)
			continue;
		p = memchr(p, '>', (size_t)(s->end - p));
		s->at = p ? p + 1 : s->end;
		return;
	}
}

static void apply(struct scan *s, const char *name, size_t len, bool closing)
{
	switch (effect_of(name, len)) {
	case EFFECT_BLOCK: put_break(s, 1); break;
	case EFFECT_BREAK: put_break(s, 2); break;
	case EFFECT_SPACE: s->space = true; break;
	case EFFECT_PRE:
		put_break(s, 1);
		if (!closing)
			s->pre++;
		else if (s->pre)
			s->pre--;
		break;
	case EFFECT_DROP:
		if (!closing)
			drop_element(s, name, len);
		break;
	case EFFECT_NONE: break;
	}
}

/* At '<'. False when no tag begins here. */
static bool take_tag(struct scan *s)
{
	const uint8_t *p = s->at + 1;
	bool closing = p < s->end && *p == '/';

	p += closing;
	if (p == s->end || (!isalpha(*p) && (closing || (*p != '!' && *p != '?'))))
		return false;
	if (s->end - p >= 3 && memcmp(p, "!--", 3) == 0) {
		const uint8_t *end = memmem(p + 3, (size_t)(s->end - p) - 3, "-->", 3);
		s->at = end ? end + 3 : s->end; /* as browsers do */
		return true;
	}
	const uint8_t *end = tag_end(s, p + 1);
	if (!end)
		return false;
	size_t len = 0;
	while (p + len < end && isalnum(p[len]))
		len++;
	s->at = end + 1;
	apply(s, (const char *)p, len, closing);
	return true;
}

/* At '&'. False when no entity is here. */
static bool take_entity(struct scan *s)
{
	uint8_t text[ENTITY_TEXT_MAX];
	size_t text_len;
	size_t taken = entity_decode(bytes_of(s->at, (size_t)(s->end - s->at)), text, &text_len);

	if (!taken)
		return false;
	s->at += taken;
	if (text_len == 2 && text[0] == 0xc2 && text[1] == 0xa0)
		put_space(s, ' ');
	else if (text_len == 1 && is_space(text[0]))
		put_space(s, text[0]);
	else
		put(s, text, text_len);
	return true;
}

/* What may be more than itself. */
static const bool special[256] = {['<'] = 1,  ['&'] = 1,  [0xc2] = 1, [' '] = 1, ['\n'] = 1,
				  ['\r'] = 1, ['\t'] = 1, ['\f'] = 1, ['\v'] = 1};

#ifdef __SSE2__
#define BLOCK 16

/* Of the bytes at p: bit i is set where the i-th is special, and no space. */
static inline unsigned special_of(__m128i bytes)
{
	__m128i from_tab = _mm_sub_epi8(bytes, _mm_set1_epi8('\t'));
	__m128i odd = _mm_cmpeq_epi8(_mm_min_epu8(from_tab, _mm_set1_epi8('\r' - '\t')), from_tab);

	odd = _mm_or_si128(odd, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('<')));
	odd = _mm_or_si128(odd, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('&')));
	odd = _mm_or_si128(odd, _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)0xc2)));
	return (unsigned)_mm_movemask_epi8(odd);
}

/* Passes whole blocks of words, and what is words of the block that ends them. True: they end there. */
static bool pass_blocks(struct scan *s)
{
	for (; s->end - s->at > BLOCK; s->at += BLOCK) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)s->at);
		unsigned odd = special_of(bytes);
		unsigned spaces =
			(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')));
		unsigned next = (odd | spaces) >> 1 | (unsigned)special[s->at[BLOCK]] << (BLOCK - 1);
		unsigned ends = odd | (s->pre ? spaces : spaces & next);
		if (ends) {
			s->at += __builtin_ctz(ends);
			return true;
		}
	}
	return false;
}
#else
static bool pass_blocks(struct scan *s)
{
	(void)s;
	return false;
}
#endif

/* From a character on that is taken as it is: that, and words with single spaces between them, which stay as they are. */
static void take_words(struct scan *s)
{
	s->at++;
	if (pass_blocks(s))
		return;
	for (; s->at < s->end; s->at++) {
		if (!special[*s->at])
			continue;
		if (*s->at != ' ' || s->pre || s->end - s->at < 2 || special[s->at[1]])
			break;
	}
}

void html_to_text(struct bytes html, struct buf *out)
{
	struct scan s = {.at = html.data, .end = html.data + html.len, .out = out, .start = out->len};

	while (s.at < s.end) {
		const uint8_t *start = s.at;
		if ((*s.at == '<' && take_tag(&s)) || (*s.at == '&' && take_entity(&s)))
			continue;
		if (is_space(*s.at)) {
			put_space(&s, *s.at++);
			continue;
		}
		if (s.end - s.at >= 2 && s.at[0] == 0xc2 && s.at[1] == 0xa0) { /* no-break space */
			put_space(&s, ' ');
			s.at += 2;
			continue;
		}
		take_words(&s);
		put(&s, start, (size_t)(s.at - start));
	}
	while (out->len > s.start &&
	       is_space(out->data[out->len - 1])) /* <pre> writes its spaces at once */
		out->len--;
}
