/*
 * forgetting: what is under a record that somebody wants forgotten, and what sync does so that it stays away. Private to this layer.
 *
 * A thread goes with all its children. A contact goes with the contacts that were merged into it, and with every thread that names it or has a child that names it: whole
 * threads, since what others wrote there is about the contact as well. What a provider calls a contact and where records name it is the same in all tables (source/provider.h):
 * the resource "contacts", and fields "contact".
 */
#ifndef FIC_SYNC_FORGETTING_INTERNAL_H
#define FIC_SYNC_FORGETTING_INTERNAL_H

#include "hashset.h"

#include <source/provider.h>
#include <store/store.h>

#define PERSON_RESOURCE "contacts"
#define PERSON_FIELD    "contact"

struct fate {
	const struct resource_type *type;
	size_t at; /* of the id, in `ids` */
	uint8_t len;
};

/* All that goes, and how far the look for it is. Starts zeroed but for the provider and the view, which are borrowed. */
struct fates {
	const struct provider *provider;
	struct snapshot *view;
	struct fate *items;
	size_t count, cap;
	struct buf ids;
	struct hashset known;
	/* Of the one that is being followed: */
	size_t at;
	const struct resource_type *where; /* that is looked through; NULL: not begun */
	struct scan *scan;
	const struct field *field; /* that names it; NULL: who was merged into it, or children */
	struct buf memory, value;
};

void fates_release(struct fates *f);
struct bytes fate_id(const struct fates *f, const struct fate *one);
/* 0, or ERR_NOMEM. One that is known is not added again. */
int fates_add(struct fates *f, const struct resource_type *type, struct bytes id);
/* Follows them a little. 1: there is more, 0: all are known; or an error. */
int fates_step(struct fates *f);

/* Whether a record that comes names a contact that was forgotten. */
bool forgetting_names(struct snapshot *view, const struct resource_type *type,
		      const struct record *record);
/* The same, or was forgotten itself, or belongs to one that was. */
bool forgetting_meets(struct snapshot *view, const struct resource_type *type,
		      const struct record *record);

#endif
