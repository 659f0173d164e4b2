/*
 * dead: a dead letter, a record that cannot be read whatever is tried, with what there is to know about why.
 */
#ifndef FIC_MODEL_DEAD_H
#define FIC_MODEL_DEAD_H

#include <base/bytes.h>
#include <base/clock.h>
#include <base/err.h>

#define DEAD_ID_MAX 200

/* What may help. */
enum fault_class {
	CLASS_NOW,   /* asking again soon */
	CLASS_LATER, /* asking again at the time that was named */
	CLASS_NEVER, /* nothing but a change at one of the two ends */
	FAULT_CLASSES
};

const char *fault_class_name(enum fault_class class); /* "now" … */

/* Texts are ASCII, without control characters. */
struct dead_letter {
	char resource[32];
	char id[DEAD_ID_MAX + 1]; /* of the record */
	enum fault_class class;
	char reason[200];
	char asked[200];                /* "GET /conversations/7"; "" unknown */
	int status;                     /* of the answer; 0: there was none */
	char answer[240];               /* how its body begins */
	int64_t created_ms, updated_ms; /* of the record, as it was listed; TIME_NONE: unknown */
	unsigned attempts;              /* runs that have tried in vain */
	int64_t first_ms, last_ms;      /* of them */
	int64_t next_ms;                /* not before */
	bool dropped; /* given up by somebody: asked for again only when it changes; a hole all the same */
};

/* When it is tried again, after so many attempts: five minutes, an hour, six hours, then every day. */
int64_t dead_delay_ms(unsigned attempts);

/* Whether something in the span may be missing because of it: the record itself, which was created at one moment (`created`), or what may have any time between
 * the record's creation and its last update: its update, its children. */
bool dead_touches(const struct dead_letter *letter, bool created, int64_t start_ms, int64_t end_ms);

/* Text from outside as a letter keeps it: cut to what fits, whatever is not printable ASCII becomes a dot. */
void dead_text(char *out, size_t cap, struct bytes text);

/* As it is kept: one MessagePack map. */
void dead_encode(const struct dead_letter *letter, struct buf *out);
/* 0 or ERR_CORRUPT. */
int dead_decode(struct bytes encoded, struct dead_letter *out);

#endif
