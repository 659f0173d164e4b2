/*
 * webhook: what a provider sends when something has changed: whether it comes from there, and what it is about. Pure.
 *
 * A webhook is a hint to read a record, never the record: it may be late, twice, or never come.
 */
#ifndef FIC_SOURCE_WEBHOOK_H
#define FIC_SOURCE_WEBHOOK_H

#include <source/provider.h>

/* As it arrived: the bytes that were signed, and the headers that matter, NULL when they are not there. */
struct webhook {
	struct bytes body;
	const char *signature;
	const char *timestamp;
	int64_t now_ms; /* our wall clock */
};

/* Names of those headers; NULL: the provider has none. */
struct webhook_headers {
	const char *signature, *timestamp;
	const char *challenge; /* a request that has it is answered with its value, once it is known to be the provider's */
};

/* NULL: the provider sends none. */
const struct webhook_headers *webhook_headers(const struct provider *p);

/* How far the signed time may be from ours, where there is one. */
#define WEBHOOK_WINDOW_MS (5 * 60 * 1000)

/* 0, or ERR_DENIED: not signed with the secret; ERR_LIMIT: signed too long ago, or in the future. Takes the same time wherever a signature differs. */
int webhook_check(const struct provider *p, struct bytes secret, const struct webhook *h);

#define WEBHOOK_IDS_MAX 2

struct webhook_hint {
	char event[96]; /* what tells it from others: the same again is a repetition; "" */
	const struct resource_type *type;             /* NULL: about nothing that is mirrored */
	char ids[WEBHOOK_IDS_MAX][RECORD_ID_MAX + 1]; /* of records of this type to be read */
	unsigned count;                               /* 0 with a type: all that changed of it */
};

/* `body` as MessagePack. 0, or ERR_INVALID: not an event of this provider. */
int webhook_read(const struct provider *p, struct bytes body, struct webhook_hint *out);

#endif
