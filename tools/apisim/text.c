/* Writes messages from the sentence tables. The same (voice, topic, seed,
 * names) must give the same bytes for ever: golden files and truth depend on
 * it. No customer's name or number here is real. */
#include "text.h"

#include "rng.h"
#include "text_tables.h"

#include <string.h>

struct writer {
	struct buf *out;
	struct rng rng;
	const struct text_names *names;
	const struct topic *topic;
	const char *last; /* the sentence before */
	bool plain;
};

static const char *pick(struct rng *r, struct lines l)
{
	return l.line[rng_below(r, (uint32_t)l.count)];
}

/* Plain text for a plain reader, escaped for an HTML one. */
static void put_text(struct writer *w, const char *s)
{
	for (; *s; s++) {
		if (!w->plain && *s == '&')
			buf_lit(w->out, "&amp;");
		else if (!w->plain && *s == '"')
			buf_lit(w->out, "&quot;");
		else
			buf_char(w->out, *s);
	}
}

static void put_link(struct writer *w)
{
	uint32_t n = rng_range(&w->rng, 1000, 99999);
	const char *word = pick(&w->rng, text_words);

	if (w->plain)
		buf_fmt(w->out, "%s (https://help.example.com/articles/%u-%s?ref=inbox&v=2)", word,
			n, word);
	else
		buf_fmt(w->out,
			"<a href=\"https://help.example.com/articles/%u-%s?ref=inbox&amp;v=2\" "
			"rel=\"nofollow noopener noreferrer\" target=\"_blank\">%s</a>",
			n, word, word);
}

/* A made-up name out of 16,384, the first ones often and the last ones
 * rarely, so that there are words of every frequency to search for. */
static void put_rare(struct writer *w)
{
	static const char *const heads[] = {"Vel", "Tar", "Ost", "Bran", "Quel", "Mor",
					    "Fen", "Lyr", "Dra", "Kes",  "Um",   "Zan",
					    "Pol", "Gri", "Hal", "Est"};
	static const char *const middles[] = {"mo",  "qui", "ra", "lin", "do",  "be", "ne", "vo",
					      "ti",  "sa",  "gu", "ke",  "pha", "wy", "co", "lu",
					      "hi",  "ja",  "re", "my",  "fo",  "zu", "da", "be",
					      "sto", "tri", "ca", "po",  "ni",  "va", "ly", "mu"};
	static const char *const tails[] = {"ra",    "nth",  "dale",   "wick", "mere", "xis",
					    "tov",   "lund", "ven",    "gard", "holm", "stead",
					    "vik",   "ros",  "zan",    "quo",  "bury", "nar",
					    "fell",  "gate", "thorpe", "mont", "sk",   "dorf",
					    "ville", "ham",  "rick",   "tein", "borg", "ton",
					    "nova",  "lek"};
	uint32_t octave = rng_below(&w->rng, 14);
	uint32_t i = (1u << octave) - 1 + rng_below(&w->rng, 1u << octave);

	buf_fmt(w->out, "%s%s%s", heads[i * 7 % 16], middles[i / 16 % 32], tails[i / 512 % 32]);
}

static void put_slot(struct writer *w, char slot)
{
	static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ";
	struct rng *r = &w->rng;

	switch (slot) {
	case 'n': put_text(w, w->names->customer); break;
	case 'a': put_text(w, w->names->agent); break;
	case 'c': put_text(w, w->names->company); break;
	case 'p': put_text(w, pick(r, text_products)); break;
	case 'w': put_text(w, pick(r, text_words)); break;
	case 'd': put_text(w, pick(r, text_days)); break;
	case 'x': buf_str(w->out, pick(r, text_emoji)); break;
	case 'o':
		buf_fmt(w->out, "%c%c-%06u", letters[rng_below(r, 24)], letters[rng_below(r, 24)],
			rng_below(r, 1000000));
		break;
	case 'k': buf_fmt(w->out, "%08x", (uint32_t)rng_next(r)); break;
	case 'e': buf_fmt(w->out, "E%04u", rng_range(r, 1, 400) * 7); break;
	case 'q': buf_int(w->out, rng_range(r, 2, 99)); break;
	case 't': buf_fmt(w->out, "%u:%02u", rng_range(r, 6, 20), rng_below(r, 60)); break;
	case 'm':
		buf_fmt(w->out, "\xe2\x82\xac%u.%02u", rng_range(r, 5, 900), rng_below(r, 100));
		break;
	case 'z': put_rare(w); break;
	case 'u': put_link(w); break;
	default: buf_char(w->out, slot);
	}
}

/* A tag of the tables themselves; gone in plain text, <br> a line break. */
static const char *put_tag(struct writer *w, const char *s)
{
	const char *end = strchr(s, '>');

	if (!end) {
		buf_char(w->out, *s);
		return s + 1;
	}
	if (!w->plain)
		buf_put(w->out, s, (size_t)(end - s) + 1);
	else if (!strncmp(s, "<br", 3) || !strncmp(s, "<pre", 4))
		buf_char(w->out, '\n');
	return end + 1;
}

/* A digit or a space after the percent sign makes it a real one. */
static void put_sentence(struct writer *w, const char *s)
{
	while (*s) {
		if (*s == '%' && ((s[1] >= 'a' && s[1] <= 'z'))) {
			put_slot(w, s[1]);
			s += 2;
		} else if (*s == '<') {
			s = put_tag(w, s);
		} else if (w->plain && !strncmp(s, "&gt;", 4)) {
			buf_char(w->out, '>');
			s += 4;
		} else if (*s == '&' && !w->plain && s[1] == ' ') {
			buf_lit(w->out, "&amp;");
			s++;
		} else {
			buf_char(w->out, *s++);
		}
	}
}

static void paragraph_open(struct writer *w)
{
	if (!w->plain)
		buf_lit(w->out, "<p>");
}

/* The draw is made for plain text, too: both must say the same. */
static void paragraph_close(struct writer *w, bool last)
{
	bool newline = !last && rng_chance(&w->rng, 300);

	if (!w->plain)
		buf_lit(w->out, "</p>");
	if (w->plain ? !last : newline)
		buf_char(w->out, '\n');
}

static void put_bullets(struct writer *w)
{
	uint32_t n = rng_range(&w->rng, 2, 4);

	buf_str(w->out, w->plain ? "\n" : "<ul>\n");
	for (uint32_t i = 0; i < n; i++) {
		buf_str(w->out, w->plain ? "- " : "<li>");
		put_sentence(w, pick(&w->rng, text_details));
		buf_str(w->out, w->plain ? "\n" : "</li>\n");
	}
	if (!w->plain)
		buf_lit(w->out, "</ul>");
}

static const char *own_line(struct writer *w, enum voice v)
{
	const struct topic *t = w->topic;

	switch (v) {
	case VOICE_OPENING: return t->openings[rng_below(&w->rng, 4)];
	case VOICE_CUSTOMER: return t->customers[rng_below(&w->rng, 4)];
	case VOICE_AGENT: return t->agents[rng_below(&w->rng, 4)];
	case VOICE_NOTE: return t->notes[rng_below(&w->rng, 2)];
	case VOICE_BOT: return pick(&w->rng, text_bot_lines);
	default: return pick(&w->rng, text_closings);
	}
}

static const char *common_line(struct writer *w, enum voice v)
{
	switch (v) {
	case VOICE_CUSTOMER: return pick(&w->rng, text_customer_more);
	case VOICE_AGENT: return pick(&w->rng, text_agent_more);
	case VOICE_NOTE: return pick(&w->rng, text_note_lines);
	case VOICE_BOT: return pick(&w->rng, text_bot_lines);
	default: return pick(&w->rng, text_details);
	}
}

/* Nobody says the same thing twice in a row. */
static const char *choose_line(struct writer *w, enum voice v, bool first)
{
	uint32_t kind = rng_below(&w->rng, 10);
	const char *line = first && kind < 5 ? own_line(w, v)
			   : kind < 7        ? common_line(w, v)
					     : pick(&w->rng, text_details);

	if (line == w->last)
		line = pick(&w->rng, text_details);
	w->last = line;
	return line;
}

static void put_paragraph(struct writer *w, enum voice v, uint32_t sentences)
{
	paragraph_open(w);
	for (uint32_t i = 0; i < sentences; i++) {
		if (i)
			buf_char(w->out, ' ');
		put_sentence(w, choose_line(w, v, i == 0));
	}
}

static void write_message(struct writer *w, enum voice v)
{
	bool opening = v == VOICE_OPENING;
	uint32_t paragraphs = opening ? rng_range(&w->rng, 2, 4) : rng_range(&w->rng, 1, 2);

	if (opening) {
		paragraph_open(w);
		put_sentence(w, pick(&w->rng, text_greetings));
		paragraph_close(w, false);
		paragraph_open(w);
		put_sentence(w, own_line(w, v));
		paragraph_close(w, false);
	}
	if (v == VOICE_CLOSING || v == VOICE_BOT) {
		paragraph_open(w);
		put_sentence(w, own_line(w, v));
		paragraph_close(w, true);
		return;
	}
	for (uint32_t i = 0; i < paragraphs; i++) {
		put_paragraph(w, v, rng_range(&w->rng, 1, 3));
		paragraph_close(w, i + 1 == paragraphs && !opening);
	}
	if (rng_chance(&w->rng, 60))
		put_bullets(w);
	if (opening) {
		paragraph_open(w);
		put_sentence(w, pick(&w->rng, text_signoffs));
		paragraph_close(w, true);
	}
}

uint32_t text_topics(void)
{
	return (uint32_t)text_topic_count;
}

void text_write(struct buf *out, enum voice voice, uint32_t topic, uint64_t seed,
		const struct text_names *names, bool plain)
{
	struct writer w = {.out = out,
			   .rng = {hash2(seed, (uint64_t)voice)},
			   .names = names,
			   .topic = &text_topic_table[topic % text_topic_count],
			   .plain = plain};

	if (voice == VOICE_REMARK || voice == VOICE_SUBJECT || voice == VOICE_TITLE) {
		w.plain = true;
		put_sentence(&w, voice == VOICE_REMARK  ? pick(&w.rng, text_remarks)
				 : voice == VOICE_TITLE ? w.topic->title
							: w.topic->subject);
		return;
	}
	write_message(&w, voice);
}

static const char *by_seed(struct lines l, uint64_t seed)
{
	return l.line[mix64(seed) % l.count];
}

const char *text_first_name(uint64_t seed)
{
	return by_seed(text_firsts, seed + 1);
}
const char *text_last_name(uint64_t seed)
{
	return by_seed(text_lasts, seed + 2);
}
const char *text_company_stem(uint64_t seed)
{
	return by_seed(text_stems, seed + 3);
}
const char *text_company_tail(uint64_t seed)
{
	return by_seed(text_tails, seed + 4);
}
const char *text_word(uint64_t seed)
{
	return by_seed(text_words, seed + 5);
}

const struct place *text_place(uint64_t seed)
{
	static const struct place places[] = {
		{"United States", "California", "San Francisco", "USA", "NA", "en"},
		{"United States", "New York", "New York", "USA", "NA", "en"},
		{"Germany", "Berlin", "Berlin", "DEU", "EU", "de"},
		{"Germany", "Bayern", "M\xc3\xbcnchen", "DEU", "EU", "de"},
		{"France", "\xc3\x8ele-de-France", "Paris", "FRA", "EU", "fr"},
		{"Brazil", "S\xc3\xa3o Paulo", "S\xc3\xa3o Paulo", "BRA", "SA", "pt-BR"},
		{"Japan", "T\xc5\x8dky\xc5\x8d", "Tokyo", "JPN", "AS", "ja"},
		{"Ireland", "Leinster", "Dublin", "IRL", "EU", "en"},
		{"Australia", "New South Wales", "Sydney", "AUS", "OC", "en"},
		{"Nigeria", "Lagos", "Lagos", "NGA", "AF", "en"},
		{"India", "Karnataka", "Bengaluru", "IND", "AS", "en"},
		{"Poland",
		 "\xc5\x81\xc3\xb3"
		 "d\xc5\xbakie",
		 "\xc5\x81\xc3\xb3"
		 "d\xc5\xba",
		 "POL", "EU", "pl"},
	};

	return &places[mix64(seed + 6) % (sizeof(places) / sizeof(places[0]))];
}
