/* The parts of the Intercom API. */
#ifndef APISIM_INTERCOM_H
#define APISIM_INTERCOM_H

#include "call.h"
#include "change.h"
#include "contact.h"
#include "truth.h"

bool intercom_truth(const char *resource, struct truth *t);
void intercom_truth_release(void);

/* The contact of the path. false: the error is written. */
bool contact_found(struct call *c, struct contact *out);

/* Handlers, by file. */
void answer_conversations(struct call *c);
void answer_conversation_search(struct call *c);
void answer_conversation(struct call *c);
void answer_conversations_deleted(struct call *c);
void answer_tickets_search(struct call *c);
void answer_ticket(struct call *c);
void answer_ticket_types(struct call *c);
void answer_ticket_states(struct call *c);
void answer_contacts(struct call *c);
void answer_contact_search(struct call *c);
void answer_contact(struct call *c);
void answer_contact_tags(struct call *c);
void answer_contact_companies(struct call *c);
void answer_contact_notes(struct call *c);
void answer_contact_segments(struct call *c);
void answer_companies_list(struct call *c);
void answer_companies(struct call *c);
void answer_companies_scroll(struct call *c);
void answer_company(struct call *c);
void answer_me(struct call *c);
void answer_admins(struct call *c);
void answer_admin(struct call *c);
void answer_teams(struct call *c);
void answer_team(struct call *c);
void answer_tags(struct call *c);
void answer_tag(struct call *c);
void answer_segments(struct call *c);
void answer_segment(struct call *c);
void answer_data_attributes(struct call *c);
void answer_conversation_attributes(struct call *c);
void answer_articles(struct call *c);
void answer_collections(struct call *c);
void write_contact(struct call *c);
void write_contact_tag(struct call *c);
void write_contact_untag(struct call *c);
void write_conversation(struct call *c);
void write_conversation_part(struct call *c);
void write_conversation_reply(struct call *c);
void write_conversation_tag(struct call *c);
void write_conversation_untag(struct call *c);

#endif
