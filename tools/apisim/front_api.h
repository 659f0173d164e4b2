/* The parts of Front's API. */
#ifndef APISIM_FRONT_API_H
#define APISIM_FRONT_API_H

#include "call.h"
#include "change.h"
#include "front.h"
#include "truth.h"
#include "write.h"

/* Body did not satisfy requirements. */
void front_bad_request(struct call *c);
/* "Unknown contact ID crd_1" */
void front_unknown(struct call *c, const char *what);
void front_put_host(const struct call *c, struct buf *b);
/* Unix seconds with up to three decimals, as milliseconds. absent: *out is
 * left alone. false: the error is written. */
bool front_time_argument(struct call *c, const char *name, int64_t *out);
/* All values of q[name] and q[name][]. false: fn refused one. */
bool front_each_value(struct call *c, const char *name, bool (*fn)(void *ctx, const char *value),
		      void *ctx);
/* The conversation of the path. false: the answer is written (404, or 301
 * for one that was merged). */
bool front_conversation_of(struct call *c, uint32_t *idx_out);

/* Limits (front_guard.c). A refusal says how long to wait. */
bool front_rate_take(void);
bool front_guard_take(const char *key, uint32_t most, uint32_t window_ms, uint32_t *wait_ms);
void front_burst_words(uint32_t *limit, uint32_t *remaining);
void front_limits_print(struct buf *b);

bool front_truth(const char *resource, struct truth *t);

/* Handlers, by file. */
void front_answer_conversations(struct call *c);
void front_answer_inbox_conversations(struct call *c);
void front_answer_tag_conversations(struct call *c);
void front_answer_teammate_conversations(struct call *c);
void front_answer_contact_conversations(struct call *c);
void front_answer_link_conversations(struct call *c);
void front_answer_search(struct call *c);
void front_answer_conversation(struct call *c);
void front_answer_conversation_messages(struct call *c);
void front_answer_conversation_comments(struct call *c);
void front_answer_conversation_events(struct call *c);
void front_answer_conversation_inboxes(struct call *c);
void front_answer_conversation_followers(struct call *c);
void front_answer_conversation_drafts(struct call *c);
void front_answer_message(struct call *c);
void front_answer_message_seen(struct call *c);
void front_answer_comment(struct call *c);
void front_answer_comment_mentions(struct call *c);
void front_answer_events(struct call *c);
void front_answer_event(struct call *c);
void front_answer_download(struct call *c);
void front_answer_me(struct call *c);
void front_answer_contacts(struct call *c);
void front_answer_contact(struct call *c);
void front_answer_contact_notes(struct call *c);
void front_answer_contact_lists(struct call *c);
void front_answer_list_contacts(struct call *c);
void front_answer_accounts(struct call *c);
void front_answer_account(struct call *c);
void front_answer_account_contacts(struct call *c);
void front_answer_tags(struct call *c);
void front_answer_company_tags(struct call *c);
void front_answer_tag(struct call *c);
void front_answer_tag_children(struct call *c);
void front_answer_inboxes(struct call *c);
void front_answer_inbox(struct call *c);
void front_answer_inbox_channels(struct call *c);
void front_answer_inbox_teammates(struct call *c);
void front_answer_channels(struct call *c);
void front_answer_channel(struct call *c);
void front_answer_teammates(struct call *c);
void front_answer_teammate(struct call *c);
void front_answer_teammate_inboxes(struct call *c);
void front_answer_teams(struct call *c);
void front_answer_team(struct call *c);
void front_answer_team_inboxes(struct call *c);
void front_answer_links(struct call *c);
void front_answer_link(struct call *c);
void front_answer_statuses(struct call *c);
void front_answer_status(struct call *c);
void front_answer_rules(struct call *c);
void front_answer_rule(struct call *c);
void front_answer_fields(struct call *c);

void front_write_conversation(struct call *c);
void front_write_assignee(struct call *c);
void front_write_tags(struct call *c);
void front_write_untags(struct call *c);
void front_write_contact(struct call *c);
bool front_edit(const char *resource, const char *id, const json_t *set, struct refusal *why);

#endif
