/*
 * write: what of a provider's records one may change, and how. Pure, like the rest of this layer.
 *
 * Each provider has a table of editable fields. A field's value has one plain form, whatever the document looks like: text, a number, true or false, a time in milliseconds
 * (an integer), the id of another record as text, or a sorted list of such ids; nil is "none". Edits are kept, compared and shown in this form; it is read
 * from a document (write_value), put into one (write_apply), and becomes requests (write_call).
 */
#ifndef FIC_SOURCE_WRITE_H
#define FIC_SOURCE_WRITE_H

#include <source/provider.h>

enum editable_kind {
	EDITABLE_TEXT,
	EDITABLE_CHOICE, /* one of `choices` */
	EDITABLE_BOOL,
	EDITABLE_TIME, /* seconds in the document */
	EDITABLE_ID, /* id of a record of `of`: in the document a number or a text; 0, "" and nothing are nil */
	EDITABLE_OBJECT,  /* the same; in the document the object itself, or nil */
	EDITABLE_OBJECTS, /* a list of ids; in the document a list of objects */
	EDITABLE_MEMBER, /* any member of the map at `path`; its name begins with the field's, as "custom_attributes." */
};

struct editable {
	const char *resource;
	const char *name; /* as questions call it; of EDITABLE_MEMBER what it begins with */
	enum editable_kind kind;
	const char *path; /* in the document */
	const char *of; /* the resource that ids are of, or that lists the members there may be; NULL: any is taken */
	const char *choices; /* "open|closed"; NULL */
	bool empties;        /* nil may be wanted */
	const char *until;   /* versions of the API up to this one cannot do it; NULL: all can */
	/* Where a value is more than what stands at the path; NULL: by the kind. As write_value and write_apply. */
	int (*value)(struct bytes doc, struct buf *out);
	int (*apply)(struct bytes doc, struct bytes value, struct buf *out);
};

/* Finds records that a document embeds. */
struct write_lookup {
	/* The document of a record that is held: 1, 0: it is not held; or an error. Borrowed until the next call. */
	int (*doc)(void *ctx, const char *resource, struct bytes id, struct bytes *doc_out);
	void *ctx;
};

/* The editable field of this name. NULL: there is none, or it cannot be edited; `why` says what can, or why not. */
const struct editable *write_field(const struct account *a, const struct resource_type *type,
				   struct bytes name, struct why *why);
/* Whether a common field is in the table, and can be edited. */
bool write_editable(const struct account *a, const struct resource_type *type, const char *name);

/* A value that somebody gave, as its plain form, appended. A text that spells a value of the field's kind is one. `now_ms` is for times; `base` the plain form of the value
 * that is there, which says of what type a member is. 0, ERR_INVALID with words, ERR_NOMEM. */
int write_take(const struct editable *f, struct bytes given, struct bytes base, int64_t now_ms,
	       struct buf *out, struct why *why);

/* Appends the field's value in a document in its plain form, nil when there is none. `name` is the field's, in full. 0, ERR_CORRUPT, ERR_NOMEM. */
int write_value(const struct editable *f, struct bytes name, struct bytes doc, struct buf *out);
/* Appends the document with another value of the field. `look` may be NULL: embedded objects have their ids only. 0, ERR_CORRUPT, ERR_NOMEM. */
int write_apply(const struct editable *f, struct bytes name, struct bytes doc, struct bytes value,
		const struct write_lookup *look, struct buf *out);

/* The same of all fields of an edit's map, one after the other. Fields that are not in the table any more stay as they are. */
int write_values(const struct account *a, const struct resource_type *type, struct bytes set,
		 struct bytes doc, struct buf *out);
int write_overlay(const struct account *a, const struct resource_type *type, struct bytes set,
		  struct bytes doc, const struct write_lookup *look, struct buf *out);

/* How what is upstream goes together with an edit. */
enum write_verdict {
	WRITE_DONE,     /* all that is wanted is there */
	WRITE_NEEDED,   /* what is not there yet is as it was when the edit was made */
	WRITE_CONFLICT, /* some field is neither */
};

/* Compares {field: value} maps in their plain form. A list is between base and mine when each of its items is in one of them and none is missing that is in both: an
 * edit that was pushed in part. */
enum write_verdict write_judge(struct bytes mine, struct bytes base, struct bytes theirs);

/* What is to be changed: ASK_CHANGE. */
struct change {
	struct bytes set; /* {field: value} */
	struct bytes doc; /* the record as it was read just now */
	const char *actor; /* in whose name, where the provider wants one: the identity's actor; "" unknown */
};

/* The next request that brings the record nearer to what is wanted: appends to `after` the document as it is then. 1; 0: nothing is left to do; ERR_INVALID with words: it
 * cannot be asked for. */
int write_call(const struct account *a, const struct ask *ask, struct call *out, struct buf *after,
	       struct why *why);

#endif
