/* The words themselves; private to text.c. */
#ifndef APISIM_TEXT_TABLES_H
#define APISIM_TEXT_TABLES_H

#include <stddef.h>

struct topic {
	const char *title; /* with slots */
	const char *subject;
	const char *openings[4];
	const char *customers[4];
	const char *agents[4];
	const char *notes[2];
};

struct lines {
	const char *const *line;
	size_t count;
};

extern const struct topic text_topic_table[];
extern const size_t text_topic_count;
extern const struct lines text_greetings, text_customer_more, text_agent_more, text_bot_lines,
	text_note_lines, text_closings, text_remarks, text_details, text_signoffs;
extern const struct lines text_words, text_products, text_firsts, text_lasts, text_stems,
	text_tails, text_emoji, text_days;

#endif
