/*
 * hooks: what a source's webhooks say is read, soon and once: equal and repeated ones are one, and those that come at the same time are read together. Private to this
 * layer.
 */
#ifndef FIC_FICD_HOOKS_INTERNAL_H
#define FIC_FICD_HOOKS_INTERNAL_H

#include "daemon.h"

#include <source/webhook.h>

enum hook_result {
	HOOK_TAKEN,    /* something is read for it */
	HOOK_REPEATED, /* it came before */
	HOOK_IGNORED,  /* about nothing that is mirrored */
	HOOK_REFUSED,  /* not the provider's */
	HOOK_RESULTS
};

struct hooks;

/* Reads the secret (webhook_secret). NULL: no memory. */
struct hooks *hooks_new(struct source *s);
void hooks_free(struct hooks *h);                 /* NULL is fine */
void hooks_configure(struct hooks *h);            /* the secret is read again */
struct bytes hooks_secret(const struct hooks *h); /* empty: webhooks are not taken */
enum hook_result hooks_take(struct hooks *h, const struct webhook_hint *hint);
void hooks_refused(struct hooks *h);
uint64_t hooks_count(const struct hooks *h, enum hook_result result); /* since the start */

#endif
