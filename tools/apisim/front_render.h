/* Printing records as the API of Front serves them. What is embedded shows
 * the names of the version `seq` of the world, so that no document changes
 * without its own trace; UINT64_MAX: the present. */
#ifndef APISIM_FRONT_RENDER_H
#define APISIM_FRONT_RENDER_H

#include "buf.h"
#include "front.h"
#include "written.h"

/* Seconds with up to three decimals, trailing zeros dropped; 0: null. */
void front_time(struct buf *b, const char *key, int64_t ms);
/* A member that is a URL of the company's host. */
void front_url(struct buf *b, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "_links":{"self":"https://.../fmt","related":{ and the end of it. */
void front_links_open(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void front_links_close(struct buf *b);
/* The values of custom fields of a record: one in three has some. */
void front_custom_fields(struct buf *b, uint64_t seed);
/* The map that was written, where there is one (its number). */
void front_own_fields(struct buf *b, uint32_t written, uint64_t seed);
/* Whether there is such a field, and the value is of its type. */
bool front_field_fits(const char *name, const json_t *value);

void front_render_teammate(struct buf *b, const char *key, uint32_t idx, uint64_t seq);
void front_render_team(struct buf *b, uint32_t idx, bool whole);
void front_render_tag(struct buf *b, const char *key, uint32_t idx, uint64_t seq);
void front_render_inbox(struct buf *b, const char *key, uint32_t idx, uint64_t seq);
void front_render_channel(struct buf *b, uint32_t idx);
void front_render_link(struct buf *b, const char *key, uint32_t idx, uint64_t seq);
void front_render_list(struct buf *b, uint32_t idx, uint64_t seq);
void front_render_status(struct buf *b, uint32_t idx);
const char *front_status_category(uint32_t idx);
/* scope: whose fields they are: contacts, accounts, ... */
void front_render_field(struct buf *b, const char *scope, uint32_t idx);
void front_render_rule(struct buf *b, const char *key, uint32_t idx);
void front_render_account(struct buf *b, const char *key, uint32_t idx, uint64_t seq);
int64_t front_account_updated(uint32_t idx, uint64_t seq);
void front_channel_address(uint32_t idx, char out[96]);

void front_render_contact(struct buf *b, const char *key, uint32_t idx);
/* A handle as messages and conversations name it. contact: plus 1. */
void front_render_recipient(struct buf *b, const char *key, uint32_t handle, uint32_t contact,
			    const char *role);
void front_render_conversation(struct buf *b, const char *key, uint32_t idx);
void front_render_message(struct buf *b, const char *key, uint32_t idx);
/* Whom a text is between: person (handle plus 1), author (teammate plus 1). */
struct text_names;
void front_names(uint32_t person, uint64_t seed, uint32_t author, struct text_names *out);
/* number: even for messages, odd for comments. */
void front_render_attachments(struct buf *b, uint64_t seed, uint64_t number);
/* What hangs on a message or comment; false: there is no such attachment. */
struct front_attachment {
	uint32_t conversation, size;
	const char *type;
};
bool front_attachment(uint32_t file, struct front_attachment *out);
void front_render_comment(struct buf *b, const char *key, uint32_t idx);
const char *front_event_name(enum front_event_type type);
void front_render_event(struct buf *b, const char *key, uint32_t idx);
/* What is said, without HTML, and the subject: for searches. */
void front_message_text(struct buf *b, uint32_t idx, bool plain);
void front_subject(struct buf *b, uint32_t conversation);

#endif
