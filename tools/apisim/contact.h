/* Contacts, as values: built from the seed and the changes since. */
#ifndef APISIM_CONTACT_H
#define APISIM_CONTACT_H

#include "text.h"
#include "world.h"
#include "written.h"

#include <stdbool.h>
#include <stdint.h>

#define CONTACT_LINKS_MAX 24

enum contact_op {
	CONTACT_SET = 1,     /* x: enum contact_field, seed: the value */
	CONTACT_TAG,         /* a: tag, b: admin */
	CONTACT_UNTAG,       /* a: tag */
	CONTACT_NOTE,        /* seed, b: admin */
	CONTACT_COMPANY,     /* a: company */
	CONTACT_MERGED_INTO, /* a: the contact that remains */
	CONTACT_MERGED_FROM, /* a: the one that went */
	CONTACT_ARCHIVED,
	CONTACT_WRITTEN, /* a: the number of the written value */
};

enum contact_field {
	CONTACT_PHONE,
	CONTACT_SEEN,
	CONTACT_PLAN,
	CONTACT_OWNER,
	CONTACT_NAME,
	CONTACT_CITY,
	CONTACT_UNSUBSCRIBED,
	CONTACT_FIELD_COUNT
};

/* What does not change in a contact's life. */
struct contact_identity {
	bool user; /* else a lead */
	char name[96];
	const char *first_name;
	char email[96];       /* "" if unknown */
	char external_id[32]; /* "" for leads */
};

struct contact_tag {
	uint32_t tag, at, admin;
};

struct contact_note {
	uint32_t at, admin;
	uint64_t id, seed;
};

struct contact {
	uint32_t idx, created, updated;
	uint64_t seq; /* of its last change; 0: as the seed made it */
	struct contact_identity who;
	char name[96], phone[32];
	uint32_t owner; /* admin index plus 1, 0 none */
	bool bounced, spam, unsubscribed, push_known, push;
	uint32_t signed_up, last_seen, last_replied, last_contacted, last_opened, last_clicked;
	bool has_browser, has_ios, has_android, has_utm, has_avatar, has_location;
	uint64_t seed;
	const struct place *place;
	uint32_t plan, seats, renewal; /* custom attributes; seats 0: none set */
	struct contact_tag tags[CONTACT_LINKS_MAX];
	struct contact_note notes[CONTACT_LINKS_MAX];
	uint32_t companies[CONTACT_LINKS_MAX];
	uint32_t tag_count, note_count, company_count;
	uint32_t merged_into; /* index plus 1 */
	bool archived;
	struct written_set own; /* custom attributes that programs wrote */
};

void contact_identify(uint32_t idx, struct contact_identity *out);
void contact_build(uint32_t idx, struct contact *out);
/* The companies it belonged to at the start; how many. */
uint32_t contact_base_companies(uint32_t idx, uint32_t out[CONTACT_LINKS_MAX]);
uint32_t contact_segments(const struct contact *c, uint32_t out[2]);
const char *contact_plan_name(uint32_t plan);

#endif
