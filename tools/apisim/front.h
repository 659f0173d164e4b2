/* The simulated company of Front: everything in it, and where it is changed.
 * Records are kept as they are now, a few dozen bytes each; their words are
 * made from seeds when they are asked for. Times are Unix milliseconds. An
 * index plus 1 stands where there may be none (0). */
#ifndef APISIM_FRONT_H
#define APISIM_FRONT_H

#include "front_order.h"
#include "world.h"

#include <stdbool.h>
#include <stdint.h>

#define FRONT_HOST "https://acme.api.frontapp.com"

enum front_kind {
	FRONT_CONVERSATION,
	FRONT_MESSAGE,
	FRONT_COMMENT,
	FRONT_CONTACT,
	FRONT_EVENT,
	FRONT_TAG,
	FRONT_INBOX,
	FRONT_CHANNEL,
	FRONT_TEAMMATE,
	FRONT_TEAM,
	FRONT_ACCOUNT,
	FRONT_LINK,
	FRONT_LIST,
	FRONT_STATUS,
	FRONT_FIELD,
	FRONT_RULE,
	FRONT_FILE,
	FRONT_KINDS
};

struct front_id {
	char text[24];
};

/* "cnv_" and a number in base 36. */
struct front_id front_id(enum front_kind kind, uint64_t idx);
/* false: no such id was ever given out. count: how many of the kind there are. */
bool front_index(enum front_kind kind, const char *id, uint64_t count, uint32_t *idx_out);

enum front_source { SOURCE_EMAIL, SOURCE_PHONE, SOURCE_CUSTOM, SOURCE_TWITTER, SOURCES };
enum front_status { STATUS_OPEN, STATUS_ARCHIVED, STATUS_TRASHED };
enum front_type { TYPE_CONVERSATION, TYPE_DISCUSSION, TYPE_TASK };

/* An address of a person, who is a contact or nobody. */
struct front_handle {
	uint32_t owner; /* contact plus 1; 0: Front knows no contact for it */
	uint32_t next;  /* the owner's next one, plus 1 */
	uint8_t source;
	bool gone; /* taken from its contact */
};

/* What programs write into a contact. */
enum front_own { OWN_NAME, OWN_DESCRIPTION, OWN_LINKS, OWN_FIELDS, FRONT_OWN };

struct front_contact {
	int64_t created, updated;
	uint64_t seq; /* the world's version when it last changed */
	uint32_t revision;
	uint32_t handle; /* its first one, plus 1 */
	uint32_t account;
	uint32_t list;
	uint32_t own[FRONT_OWN]; /* numbers of written values; 0: as the seed has it */
	bool gone, is_private;
};

#define FRONT_TAGS_MAX  8
#define FRONT_LINKS_MAX 3

struct front_conversation {
	int64_t created, updated, bumped, waiting;
	uint64_t seed, seq;
	uint32_t message, comment, event; /* the newest of each, plus 1 */
	uint32_t person;                  /* handle plus 1 of the customer */
	uint32_t contact;                 /* of that handle when it was last looked at */
	uint32_t inbox, second_inbox, assignee, merged_into;
	uint32_t tags[FRONT_TAGS_MAX], links[FRONT_LINKS_MAX];
	uint32_t fields, subject; /* revisions */
	uint32_t own_fields;      /* the number of the written map, which stands for all; 0 none */
	uint32_t reminder_owner;
	int64_t reminder_at, reminder_created;
	uint8_t tag_count, link_count;
	uint8_t status, type, ticket_status;
	bool gone, is_private, ticket;
	bool from;   /* the recipient wrote last */
	bool unsent; /* it has nothing but a draft */
};

enum front_error { ERROR_NONE, ERROR_SPOOFED, ERROR_UNDELIVERED };

struct front_message {
	int64_t created;
	uint64_t seed, seq;
	uint32_t conversation, older, author, replied_to;
	uint32_t person, contact, inbox; /* whom it is with, and through what */
	uint32_t revision;               /* of a draft */
	uint8_t error;
	bool inbound, opening, draft, gone, private_draft;
};

struct front_comment {
	int64_t posted;
	uint64_t seed, seq;
	uint32_t conversation, older, author, replied_to;
	uint32_t mentioned; /* teammate */
	uint32_t revision;
	bool pinned, gone;
};

enum front_event_type {
	EVENT_ASSIGN,
	EVENT_UNASSIGN,
	EVENT_ARCHIVE,
	EVENT_REOPEN,
	EVENT_TRASH,
	EVENT_RESTORE,
	EVENT_REMINDER,
	EVENT_COMMENT,
	EVENT_MENTION,
	EVENT_INBOUND,
	EVENT_OUTBOUND,
	EVENT_OUT_REPLY,
	EVENT_MOVE,
	EVENT_FORWARD,
	EVENT_TAG,
	EVENT_UNTAG,
	EVENT_SENDING_ERROR,
	EVENT_BOUNCE,
	EVENT_MERGED,
	EVENT_LINK_ADDED,
	EVENT_LINK_REMOVED,
	EVENT_FIELD,
	EVENT_MACRO,
	EVENT_TOPIC,
	EVENT_TICKET,
	EVENT_TYPES
};

enum front_actor { BY_TEAMMATE, BY_RULE, BY_API, BY_INBOX, BY_REMINDER, BY_RECIPIENT };

struct front_event {
	int64_t emitted;
	uint32_t conversation, older;
	uint32_t who;    /* teammate, rule */
	uint32_t target; /* what the type has for one */
	uint8_t type, actor;
};

/* A growing array. */
#define FRONT_ARRAY(type)            \
	struct {                     \
		struct type *list;   \
		uint32_t count, cap; \
	}

struct front {
	struct items tags, inboxes, teammates, teams, links, lists, accounts;
	FRONT_ARRAY(front_handle) handles;
	FRONT_ARRAY(front_contact) contacts;
	FRONT_ARRAY(front_conversation) conversations;
	FRONT_ARRAY(front_message) messages;
	FRONT_ARRAY(front_comment) comments;
	FRONT_ARRAY(front_event) events;
	/* Live records, rising. */
	struct front_order by_bump, by_emitted, by_contact_created, by_contact_updated;
	uint32_t *first_handle; /* by contact of the start */
	bool settled;           /* the start is over: events are numbered as they come */
};

extern struct front front;

void front_init(const struct world_options *opt);
void front_release(void);
int64_t front_now(void);
/* Room for one more; the new one is all zero bytes. */
void *front_grow(void *list, uint32_t *count, uint32_t *cap, size_t size);
#define front_add(array)                                                           \
	((array)->list = front_grow((array)->list, &(array)->count, &(array)->cap, \
				    sizeof(*(array)->list)),                       \
	 (array)->count - 1)

/* Seconds to milliseconds: most times have decimals, some are whole. */
int64_t front_decimals(uint32_t at, uint64_t seed);

/* People (front_people.c). */
uint32_t front_handle_add(enum front_source source, uint32_t owner);
uint32_t front_contact_add(int64_t at);
void front_handle_text(uint32_t handle, char out[96]);
const char *front_source_name(enum front_source source);
/* The name that mails bear; 96 bytes. */
void front_person_name(uint32_t handle, char out[96]);
const char *front_person_first(uint32_t handle);
bool front_contact_visible(uint32_t idx);
bool front_contact_find(const char *id, uint32_t *idx_out);

/* Threads (front_thread.c). */
struct front_said {
	uint32_t conversation;
	int64_t at;
	uint64_t seed;
	uint32_t author; /* teammate plus 1; 0: the customer, or somebody outside Front */
	bool inbound;
};
uint32_t front_message_add(const struct front_said *said);
uint32_t front_comment_add(const struct front_said *said);
void front_event_add(uint32_t conversation, enum front_event_type type, int64_t at,
		     enum front_actor actor, uint32_t who, uint32_t target);
/* Whether the feed does not reach back to it any more. */
bool front_event_forgotten(uint32_t idx);
/* Sorts and numbers the events of the start. */
void front_events_settle(void);
/* Everything of one conversation becomes the other one's. */
void front_merge(uint32_t from, uint32_t into);
/* The conversation changed: its version and updated_at. bump: also its place in lists. */
void front_touch(uint32_t conversation, int64_t at, bool bump);
bool front_conversation_visible(uint32_t idx);
/* The newest message that is no draft, plus 1. */
uint32_t front_last_message(uint32_t conversation);

/* The properties of short lists that follow from the index. */
uint32_t front_tag_parent(uint32_t idx); /* plus 1 */
bool front_tag_private(uint32_t idx);
bool front_inbox_private(uint32_t idx);
enum front_source front_inbox_source(uint32_t idx);
uint32_t front_status_count(void);
uint32_t front_field_count(void);
uint32_t front_rule_count(void);
bool front_item_live(const struct items *l, uint32_t idx);

#endif
