/*
 * desk: what is written in a world: a few fields of its contacts and conversations, changed by others and by writes, each with its whole history; and the log of the writes that
 * were taken.
 */
#ifndef FIC_TEST_DESK_H
#define FIC_TEST_DESK_H

#include "world.h"

/* A value is a number; 0 is none. What the document and an edit make of it is the field's. */
enum desk_field {
	CONTACT_PHONE, /* "+7" */
	CONTACT_OWNER, /* owner_id: "7" */
	CONTACT_TOPIC, /* custom_attributes.topic: "t7" */
	CONTACT_SEATS, /* custom_attributes.seats: 7 */
	TALK_STATE,    /* odd: closed */
	TALK_ASSIGNEE, /* admin_assignee_id: 7 */
	TALK_READ,     /* odd: true */
	TALK_TOPIC,    /* custom_attributes.topic: "t7" */
	DESK_FIELDS
};

struct desk_write {
	const struct thing *thing;
	enum desk_field field;
	int before, value;
	int64_t at_ms;
};

struct desk_state {
	unsigned version; /* of the thing, from which on it is so */
	int values[DESK_FIELDS];
};

struct desk_record {
	unsigned id;
	struct desk_state *states;
	unsigned count, cap;
	int64_t foreign_ms[DESK_FIELDS]; /* when others changed it last; TIME_MIN: never */
};

struct desk {
	struct world *world;
	struct desk_record *records;
	unsigned count, cap;
	uint64_t random;
	unsigned not_made_percent; /* of writes: an error 503 before anything is done */
	unsigned refused_percent;  /* … or 422 */
	unsigned writes;
	const bool *dead; /* whoever asks has died already: nothing arrives. NULL: nobody dies */
	/* Told of each field that a write changes, or sets to what it is, before that. */
	void (*taken)(void *ctx, const struct desk_write *write);
	void *ctx;
};

/* Stands behind the world's documents from now on; both outlive the calls. */
void desk_open(struct desk *d, struct world *w, uint64_t seed);
void desk_release(struct desk *d);
int desk_value(const struct desk *d, const struct thing *t, enum desk_field field);
/* What it was before it became what it is; what it is when it never was anything else. */
int desk_value_before(const struct desk *d, const struct thing *t, enum desk_field field);
/* Whether it ever was what the plain value says. */
bool desk_was(const struct desk *d, const struct thing *t, enum desk_field field, struct bytes plain);
/* Somebody else changes it, now. */
void desk_change(struct desk *d, struct thing *t, enum desk_field field, int value);
int64_t desk_foreign_ms(const struct desk *d, const struct thing *t, enum desk_field field);

const char *desk_field_name(enum desk_field field); /* as edits call it */
bool desk_field_of(enum kind kind, enum desk_field field);
/* Appends the value as edits spell it. */
void desk_put_plain(enum desk_field field, int value, struct buf *out);

#endif
