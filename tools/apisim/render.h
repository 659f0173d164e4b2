/* Printing records as the API serves them. */
#ifndef APISIM_RENDER_H
#define APISIM_RENDER_H

#include "buf.h"
#include "contact.h"
#include "conversation.h"

#include <stdbool.h>
#include <stdint.h>

#define VERSION_2_14    214
#define VERSION_2_15    215
#define VERSION_2_16    216
#define VERSION_PREVIEW 217

/* What of a record is asked for, and in which version of the API. */
struct view {
	int version;
	bool parts;       /* conversations: with the thread */
	bool plain;       /* conversations: display_as=plaintext */
	bool parts_total; /* total_count counts parts that are not served, too */
	bool monitors, scorecards;
	bool merge_history; /* contacts */
	bool whole_lists;   /* contacts: nested lists are not cut */
	bool snapshot;      /* companies: as they were at the start */
	bool count;         /* segments: with the number of people */
	bool avatar;        /* admins */
};

/* key NULL: as an element or a document of its own. */
void render_conversation(struct buf *b, const char *key, const struct conversation *c,
			 const struct view *v);
/* A text of the tables as a string. */
void render_text(struct buf *b, const char *key, const struct conversation *c, enum voice voice,
		 uint64_t seed, bool plain);
void render_source(struct buf *b, const char *key, const struct conversation *c, const struct view *v);
void render_part(struct buf *b, const struct part *p, const struct view *v);
/* The plain text of the opening message and its subject, for searches. */
void conversation_source_text(struct buf *b, const struct conversation *c);
void conversation_subject_text(struct buf *b, const struct conversation *c);
const char *source_type_name(const struct conversation *c);
const char *delivered_as_name(const struct conversation *c);

void render_contact(struct buf *b, const char *key, const struct contact *c, const struct view *v);
/* What the nested paths of a contact serve. */
void render_contact_note(struct buf *b, const struct contact *c, const struct contact_note *n);
void render_contact_reference(struct buf *b, const char *key, uint32_t contact);

/* false: hidden, since nobody is in it. */
bool company_visible(uint32_t idx);
uint32_t company_last_request(uint32_t idx); /* 0: never */
/* The name; 128 bytes are enough. */
void company_name(uint32_t idx, char *out, size_t size);
bool company_has_tag(uint32_t idx, uint32_t tag);
bool company_has_segment(uint32_t idx, uint32_t segment);
void render_company(struct buf *b, const char *key, uint32_t idx, const struct view *v);
enum company_op { COMPANY_SET = 1, COMPANY_CREATED };

struct ticket;
uint32_t ticket_type_count(void);
uint32_t ticket_state_count(void);
const char *ticket_state_name(uint8_t state);
void render_ticket(struct buf *b, const char *key, const struct ticket *t, const struct view *v);
void render_ticket_part(struct buf *b, const struct ticket *t, uint32_t number);
void render_ticket_type(struct buf *b, uint32_t type);
void render_ticket_state(struct buf *b, uint32_t state);
void render_article(struct buf *b, const char *key, uint32_t idx, const struct view *v);
uint32_t collection_count(void);
void render_collection(struct buf *b, uint32_t i);

void render_admin(struct buf *b, uint32_t idx, const struct view *v);
void render_me(struct buf *b);
void render_team(struct buf *b, uint32_t idx);
void render_tag(struct buf *b, uint32_t idx, uint64_t seq);
/* A tag as it hangs on a record; its present name. */
void render_tagging(struct buf *b, uint32_t tag, uint32_t at, uint32_t admin);
void render_segment(struct buf *b, uint32_t idx, const struct view *v);
void render_data_attributes(struct buf *b, const char *model, bool archived);
void render_conversation_attributes(struct buf *b);
/* NULL: there is none of this name that a program may write. */
const char *attribute_type(const char *model, const char *name);
const char *admin_email(uint32_t idx, char out[64]);

#endif
