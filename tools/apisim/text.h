/* Text that reads like a support inbox, made from tables and a seed. */
#ifndef APISIM_TEXT_H
#define APISIM_TEXT_H

#include "buf.h"

#include <stdint.h>

enum voice {
	VOICE_OPENING,  /* the customer's first message */
	VOICE_CUSTOMER, /* later ones */
	VOICE_AGENT,
	VOICE_BOT,
	VOICE_NOTE,    /* internal, between agents */
	VOICE_CLOSING, /* the agent's last words */
	VOICE_REMARK,  /* with a rating; no HTML */
	VOICE_SUBJECT, /* of an email; no HTML */
	VOICE_TITLE,   /* the summary given to a conversation; no HTML */
	VOICE_COUNT
};

/* What the slots of a sentence are filled with. */
struct text_names {
	const char *customer, *agent, *company;
};

uint32_t text_topics(void);
/* Appends the text. HTML for the message voices; plain takes the tags off
 * (links become "label (url)"). */
void text_write(struct buf *out, enum voice voice, uint32_t topic, uint64_t seed,
		const struct text_names *names, bool plain);

/* Deterministic picks from the name tables; the strings are static. */
const char *text_first_name(uint64_t seed);
const char *text_last_name(uint64_t seed);
const char *text_company_stem(uint64_t seed);
const char *text_company_tail(uint64_t seed);
const char *text_word(uint64_t seed);

struct place {
	const char *country, *region, *city, *country_code, *continent_code, *language;
};
const struct place *text_place(uint64_t seed);

#endif
