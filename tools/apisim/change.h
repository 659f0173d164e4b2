/* Single changes to the world; mutate.c decides which and when. */
#ifndef APISIM_CHANGE_H
#define APISIM_CHANGE_H

#include "buf.h"
#include "world.h"

struct change {
	struct rng rng;
	uint32_t at; /* when it happens */
	bool fixed;  /* the conversation was named */
	uint32_t target;
	const char *kind;
	struct buf *out;
};

/* One kind of change. weight 0: only when it is asked for by name, since a
 * client that reads the API as it should cannot see it at once (or sees it
 * too well). */
struct kind {
	const char *name;
	bool (*change)(struct change *m); /* false: there was nothing to change */
	uint32_t weight;
	bool of_conversation; /* drawn for one that was named; it is still there afterwards */
};

/* Shared by the kinds of change. */
void change_report(struct change *m, const char *resource, const char *id, uint32_t at);
void change_report_number(struct change *m, const char *resource, uint64_t id, uint32_t at);
/* A live record, mostly one that moved lately; false: there is none. */
bool change_pick(struct change *m, const struct pop *p, uint32_t *idx);
/* Records the change; silent: without a trace in updated_at. */
void change_apply(struct pop *p, uint32_t idx, struct op op, bool silent);
uint32_t change_admin(struct change *m);

/* Each makes one change of its kind; false: there was nothing to change. */
bool do_reply(struct change *m);
bool do_note(struct change *m);
bool do_state(struct change *m);
bool do_assign(struct change *m);
bool do_tag(struct change *m);
bool do_attribute(struct change *m);
bool do_redact(struct change *m);
bool do_rate(struct change *m);
bool do_read(struct change *m);
bool do_priority(struct change *m);
bool do_title(struct change *m);
bool do_merge_conversation(struct change *m);
bool do_delete_conversation(struct change *m);
bool do_convert_conversation(struct change *m);
bool do_new_conversation(struct change *m);
bool do_new_ticket(struct change *m);
bool do_update_ticket(struct change *m);
bool do_grow_ticket(struct change *m);
bool do_delete_ticket(struct change *m);
bool do_new_article(struct change *m);
bool do_update_article(struct change *m);
bool do_touch_articles(struct change *m);
bool do_delete_article(struct change *m);
bool do_new_contact(struct change *m);
bool do_update_contact(struct change *m);
bool do_delete_contact(struct change *m);
bool do_merge_contact(struct change *m);
bool do_archive_contact(struct change *m);
bool do_update_company(struct change *m);
bool do_update_hidden_company(struct change *m);
bool do_new_company(struct change *m);
bool do_rename_tag(struct change *m);
bool do_rename_admin(struct change *m);
bool do_rename_team(struct change *m);
bool do_rename_segment(struct change *m);
bool do_same_name(struct change *m);
bool do_new_tag(struct change *m);
bool do_new_segment(struct change *m);
bool do_delete_tag(struct change *m);

#endif
