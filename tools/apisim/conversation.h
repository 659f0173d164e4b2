/* Conversations and their parts, as values: built from the seed and the
 * changes since. */
#ifndef APISIM_CONVERSATION_H
#define APISIM_CONVERSATION_H

#include "world.h"
#include "written.h"

#include <stdbool.h>
#include <stdint.h>

#define SERVED_PARTS_MAX       500
#define CONVERSATION_TAGS_MAX  12
#define CONVERSATION_LINKS_MAX 16
#define CONVERSATION_MATES_MAX 16
#define PARTS_MAX              16000

enum who { WHO_CONTACT, WHO_ADMIN, WHO_BOT, WHO_FIN, WHO_TEAM };

enum part_type {
	PART_COMMENT,
	PART_NOTE,
	PART_QUICK_REPLY,
	PART_OPEN,
	PART_CLOSE,
	PART_SNOOZED,
	PART_ASSIGNMENT,
	PART_ATTRIBUTE_ADMIN,
	PART_ATTRIBUTE_USER,
	PART_ATTRIBUTE_WORKFLOW,
	PART_ACTION_STARTED,
	PART_ACTION_FINISHED,
	PART_MERGED_PRIMARY,
	PART_RATING,
	PART_EXPECTATION,
	PART_PARTICIPANT,
	PART_LANGUAGE,
	PART_TYPE_COUNT
};

enum conversation_state { STATE_OPEN, STATE_CLOSED, STATE_SNOOZED };

struct part {
	uint32_t owner, number; /* which id it has: the conversation that gave it, and there from 0 */
	uint32_t topic, about; /* what is spoken of, and with which contact */
	uint64_t thread_seed;
	uint32_t at, updated;
	uint8_t type, who, state;
	bool redacted, has_body, external;
	uint8_t attachments;
	bool to_team;
	uint32_t who_idx;  /* contact, admin or team */
	uint32_t assigned; /* admin or team index plus 1; 0 none */
	uint32_t tag;      /* tag index plus 1 */
	uint32_t written;  /* the number of the body that a program wrote; 0 none */
	uint64_t seed, seq;
};

enum conversation_op {
	CONV_CREATED = 1, /* a: contact, seed */
	CONV_REPLY,       /* x: 0 contact, 1 admin, 2 bot; a: admin */
	CONV_NOTE,        /* a: admin */
	CONV_STATE, /* x: enum conversation_state; a: admin, b: until when, 0 for a day, or the body's number */
	CONV_ASSIGN,    /* x: 0 admin, 1 team, 2 nobody, 3 no team; a: which, b: by admin */
	CONV_TAG,       /* a: tag, b: admin; toggles */
	CONV_ATTRIBUTE, /* seed */
	CONV_REDACT,    /* a: part number, UINT32_MAX the opening message */
	CONV_RATE,      /* x: 1..5, seed */
	CONV_READ,
	CONV_PRIORITY,    /* x: 0..4 */
	CONV_MERGED_INTO, /* a: primary, b: admin; what was said there is not shown any more */
	CONV_MERGED_FROM, /* a: secondary, whose parts are shown here; x: 0 with their ids, 1 with others */
	CONV_TITLE,   /* seed */
	CONV_WRITTEN, /* a: the number of the written value */
	CONV_SAID,    /* a: the number of the text, b: admin, x: enum part_type */
};

struct statistics {
	uint32_t to_assignment, to_admin_reply, to_first_close, to_last_close, median_reply;
	uint32_t first_contact_reply, first_assignment, first_admin_reply, first_close;
	uint32_t last_assignment, last_assignment_reply, last_contact_reply, last_admin_reply;
	uint32_t last_close, last_closed_by; /* admin index plus 1 */
	uint32_t reopens, assignments, handling;
};

struct conversation {
	uint32_t idx, created, updated;
	uint64_t seq, seed;
	uint32_t topic;
	uint32_t contact, second_contact; /* second: index plus 1 */
	uint8_t source_type, delivered_as;
	uint8_t source_who;
	uint32_t source_who_idx;
	uint8_t source_attachments;
	bool source_redacted, has_subject, has_url;
	uint8_t state, priority;
	bool read, has_title, statistics_missing, has_ai, has_fin_answer, has_sales;
	uint64_t title_seed;
	uint32_t snoozed_until, waiting_since;
	uint32_t admin, team; /* index plus 1 */
	uint32_t company;     /* index plus 1 */
	uint8_t sla;          /* 0 none, else 1 + index of status */
	uint8_t rating;       /* 0 none */
	uint32_t rated_at, rated_admin;
	uint64_t rating_seed, attribute_seed;
	struct written_set own; /* title and custom attributes that programs wrote */
	uint32_t ticket;        /* linked ticket's number, 0 none */
	struct {
		uint32_t tag, at, admin;
	} tags[CONVERSATION_TAGS_MAX];
	uint32_t tag_count;
	uint32_t links[CONVERSATION_LINKS_MAX];
	uint32_t link_count;
	uint32_t mates[CONVERSATION_MATES_MAX];
	uint32_t mate_count;
	struct statistics stats;
	struct part *parts; /* owned, by time; kept from one build to the next */
	uint32_t part_count, part_cap;
	uint32_t numbered; /* parts that were ever said here */
};

/* Fills c, reusing its memory. c starts as all zero bytes. */
void conversation_build(uint32_t idx, struct conversation *c);
/* As it was right before it was merged into the other one. */
void conversation_build_unmerged(uint32_t idx, uint32_t into, struct conversation *c);
void conversation_release(struct conversation *c);
const char *part_type_name(enum part_type t);
const char *conversation_state_name(uint8_t state);

/* For conversation_replay.c only. */
struct part *conversation_add_part(struct conversation *c, enum part_type type, enum who who,
				   uint32_t who_idx, uint32_t at, uint64_t seed);
/* The first `count` changes. */
void conversation_replay(struct conversation *c, const struct overlay *o, uint32_t count);
void conversation_count(struct conversation *c);

#endif
