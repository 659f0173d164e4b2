/* Single changes to the company, and what they share. */
#ifndef APISIM_FRONT_CHANGE_H
#define APISIM_FRONT_CHANGE_H

#include "change.h"
#include "front.h"

/* Which conversations a change fits. */
enum {
	FIT_OPEN = 1,
	FIT_ARCHIVED = 2,
	FIT_TRASHED = 4,
	FIT_TALK = 8, /* has messages; discussions and tasks have none */
	FIT_ANY = FIT_OPEN | FIT_ARCHIVED,
};

/* One that a token may see, mostly one that moved lately. */
bool front_change_pick(struct change *m, unsigned fits, uint32_t *idx);
/* The time of the change in milliseconds, a second ago at the latest; raises
 * the version of the world. */
int64_t front_change_begin(struct change *m);
/* Ends a change of a conversation: its times, and a line in the report. */
bool front_change_end(struct change *m, uint32_t idx, int64_t at, bool bump);
void front_change_report(struct change *m, const char *resource, enum front_kind kind, uint32_t idx,
			 int64_t at);

bool front_do_inbound(struct change *m);
bool front_do_reply(struct change *m);
bool front_do_forward(struct change *m);
bool front_do_late_message(struct change *m);
bool front_do_import_message(struct change *m);
bool front_do_new_conversation(struct change *m);
bool front_do_new_outbound(struct change *m);
bool front_do_unsent(struct change *m);
bool front_do_sending_error(struct change *m);
bool front_do_comment(struct change *m);
bool front_do_mention(struct change *m);
bool front_do_edit_comment(struct change *m);
bool front_do_delete_comment(struct change *m);
bool front_do_draft(struct change *m);
bool front_do_edit_draft(struct change *m);
bool front_do_discard_draft(struct change *m);
bool front_do_send_draft(struct change *m);

bool front_do_assign(struct change *m);
bool front_do_unassign(struct change *m);
bool front_do_archive(struct change *m);
bool front_do_reopen(struct change *m);
bool front_do_trash(struct change *m);
bool front_do_restore(struct change *m);
bool front_do_snooze(struct change *m);
bool front_do_wake(struct change *m);
bool front_do_tag(struct change *m);
bool front_do_untag(struct change *m);
bool front_do_link(struct change *m);
bool front_do_unlink(struct change *m);
bool front_do_move(struct change *m);
bool front_do_custom_field(struct change *m);
bool front_do_silent_field(struct change *m);
bool front_do_subject(struct change *m);
bool front_do_ticket_status(struct change *m);
bool front_do_merge(struct change *m);
bool front_do_delete_forever(struct change *m);
bool front_do_make_private(struct change *m);

bool front_do_new_contact(struct change *m);
bool front_do_adopt_stranger(struct change *m);
bool front_do_update_contact(struct change *m);
bool front_do_add_handle(struct change *m);
bool front_do_remove_handle(struct change *m);
bool front_do_delete_contact(struct change *m);
bool front_do_merge_contacts(struct change *m);
bool front_do_new_account(struct change *m);
bool front_do_update_account(struct change *m);
bool front_do_delete_account(struct change *m);
bool front_do_new_tag(struct change *m);
bool front_do_rename_tag(struct change *m);
bool front_do_delete_tag(struct change *m);
bool front_do_rename_inbox(struct change *m);
bool front_do_new_inbox(struct change *m);
bool front_do_update_teammate(struct change *m);
bool front_do_rename_team(struct change *m);
bool front_do_new_link(struct change *m);
bool front_do_rename_link(struct change *m);
bool front_do_rename_list(struct change *m);

#endif
