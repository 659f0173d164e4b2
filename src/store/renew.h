/*
 * renew: whether a resource's dictionary still pays. From time to time another one is trained from
 * what came last, and both pack some more of that.
 */
#ifndef FIC_STORE_RENEW_H
#define FIC_STORE_RENEW_H

#include "inside.h"

/* Of the trial under way; one at a time. */
struct renewal;

/* Begins a trial when enough has come since the last one. False: none is due. */
bool renew_begin(struct store *s);
/* Begins one for a resource whose dictionary is to go, whatever it saves. False: there is too little to train from, or no memory. */
bool renew_insist(struct store *s, const char *resource);
bool renewal_insists(const struct renewal *n, const char *resource);
/* Goes on, a millisecond or two. 1: there is more to do; 0: it is over, and s->renewal gone; or, when
 * the new one is clearly better, `better` says so. */
int renew_step(struct store *s, bool *better);
/* Of a trial that is over: whose dictionary, and its bytes, which are borrowed. */
const char *renewal_resource(const struct renewal *n);
struct bytes renewal_dictionary(const struct renewal *n);
void renewal_free(struct renewal *n);

#endif
