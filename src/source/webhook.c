/*
 * webhook: see the header. Facts: Intercom's "webhook models" (X-Hub-Signature: sha1=HEX, HMAC-SHA1 of the raw body with the app's client secret); Front's "application
 * webhooks" (X-Front-Signature: base64 of HMAC-SHA256 of "TIMESTAMP:" and the raw body) and "rule webhooks" (base64 of HMAC-SHA1 of the raw body, without a timestamp).
 */
#include <source/webhook.h>

#include <base/clock.h>
#include <codec/msgpack.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#define DIGEST_TEXT_MAX 96

/* ---- signatures ---- */

static bool same(const char *a, const char *b)
{
	size_t len = strlen(a);

	return len == strlen(b) && CRYPTO_memcmp(a, b, len) == 0;
}

static unsigned digest(const EVP_MD *md, struct bytes secret, struct bytes text,
		       uint8_t out[EVP_MAX_MD_SIZE])
{
	unsigned len = 0;

	if (!HMAC(md, secret.data, (int)secret.len, text.data, text.len, out, &len))
		return 0;
	return len;
}

static int check_intercom(struct bytes secret, const struct webhook *h)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t raw[EVP_MAX_MD_SIZE];
	char text[DIGEST_TEXT_MAX] = "sha1=";
	unsigned len = digest(EVP_sha1(), secret, h->body, raw);

	for (unsigned i = 0; i < len; i++) {
		text[5 + 2 * i] = hex[raw[i] >> 4];
		text[6 + 2 * i] = hex[raw[i] & 15];
	}
	text[5 + 2 * len] = 0;
	return len && h->signature && same(h->signature, text) ? 0 : ERR_DENIED;
}

static int check_base64(const EVP_MD *md, struct bytes secret, struct bytes text, const char *signature)
{
	uint8_t raw[EVP_MAX_MD_SIZE];
	char shown[DIGEST_TEXT_MAX];
	unsigned len = digest(md, secret, text, raw);

	if (len == 0 || !signature)
		return ERR_DENIED;
	EVP_EncodeBlock((unsigned char *)shown, raw, (int)len);
	return same(signature, shown) ? 0 : ERR_DENIED;
}

static int check_front(struct bytes secret, const struct webhook *h)
{
	struct buf text = {0};
	char *end;

	if (!h->timestamp)
		return check_base64(EVP_sha1(), secret, h->body, h->signature);
	buf_put_str(&text, h->timestamp);
	buf_put_byte(&text, ':');
	buf_put_bytes(&text, h->body);
	int rc = text.error ? ERR_DENIED
			    : check_base64(EVP_sha256(), secret, buf_bytes(&text), h->signature);
	buf_release(&text);
	if (rc)
		return rc;
	long long signed_ms = strtoll(h->timestamp, &end, 10);
	if (*end || signed_ms < h->now_ms - WEBHOOK_WINDOW_MS ||
	    signed_ms > h->now_ms + WEBHOOK_WINDOW_MS)
		return ERR_LIMIT;
	return 0;
}

/* ---- events ---- */

static void keep(char *out, size_t size, struct bytes text)
{
	size_t len = text.len < size ? text.len : 0; /* what is longer is none of ours */

	memcpy(out, text.data ? text.data : (const uint8_t *)"", len);
	out[len] = 0;
}

/* The id of an object, which may be a number. */
static bool take_id(struct webhook_hint *out, struct bytes object)
{
	struct bytes value;
	struct mp_value v;
	char number[24];

	if (out->count == WEBHOOK_IDS_MAX || mp_find(object, bytes_str("id"), &value) != 1 ||
	    !mp_get(value, &v))
		return false;
	if (v.type == MP_INT) {
		int n = snprintf(number, sizeof number, "%lld", (long long)v.integer);
		v.str = bytes_of(number, (size_t)n);
	} else if (v.type != MP_STR) {
		return false;
	}
	keep(out->ids[out->count], sizeof out->ids[0], v.str);
	out->count += out->ids[out->count][0] != 0;
	return true;
}

static bool starts(struct bytes text, const char *with)
{
	size_t len = strlen(with);

	return text.len > len && memcmp(text.data, with, len) == 0;
}

/* Topics, the resource that they are about, and where its object may be inside the item when it is not the item itself. */
static const struct topic {
	const char *prefix, *resource, *inner;
} topics[] = {
	{"conversation_part.", "conversations", "conversation"},
	{"conversation.", "conversations", "conversation"},
	{"contact.", "contacts", "contact"},
	{"user.", "contacts", "user"},
	{"company.", "companies", "company"},
	{"ticket.", "tickets", "ticket"},
	{"article.", "articles", "article"},
	{"admin.", "admins", NULL},
	{NULL, NULL, NULL},
};

static int read_intercom(const struct provider *p, struct bytes body, struct webhook_hint *out)
{
	struct bytes type, name, item, inner, id;
	const struct topic *t = topics;

	if (!mp_find_str(body, "type", &type) || !bytes_is(type, "notification_event") ||
	    !mp_find_str(body, "topic", &name))
		return ERR_INVALID;
	if (mp_find_str(body, "id", &id))
		keep(out->event, sizeof out->event, id);
	while (t->prefix && !starts(name, t->prefix))
		t++;
	if (!t->prefix)
		return 0; /* "ping", and what is not mirrored */
	out->type = provider_type(p, bytes_str(t->resource));
	if (!out->type || !(out->type->traits & TRAIT_ONE) ||
	    mp_path(body, bytes_str("data.item"), &item) != 1)
		return 0;
	if (t->inner && mp_find(item, bytes_str(t->inner), &inner) == 1)
		take_id(out, inner);
	else if (!starts(name, "conversation_part."))
		take_id(out, item);
	if (mp_find(item, bytes_str("merged_from"), &inner) == 1)
		take_id(out, inner);
	return 0;
}

/* An application's webhook has an envelope, a rule's is the event itself, or its preview. */
static int read_front(const struct provider *p, struct bytes body, struct webhook_hint *out)
{
	struct bytes event = body, id, conversation, type;

	if (!mp_find_str(body, "type", &type))
		return ERR_INVALID;
	mp_find(body, bytes_str("payload"), &event);
	if (mp_find_str(event, "id", &id))
		keep(out->event, sizeof out->event, id);
	out->type = provider_type(p, bytes_str("conversations"));
	if (!out->type || mp_find(event, bytes_str("conversation"), &conversation) != 1 ||
	    !take_id(out, conversation))
		out->type = NULL;
	return 0;
}

/* ---- providers ---- */

static const struct sender {
	const char *provider;
	struct webhook_headers headers;
	int (*check)(struct bytes secret, const struct webhook *h);
	int (*read)(const struct provider *p, struct bytes body, struct webhook_hint *out);
} senders[] = {
	{"intercom", {"X-Hub-Signature", NULL, NULL}, check_intercom, read_intercom},
	{"front",
	 {"X-Front-Signature", "X-Front-Request-Timestamp", "X-Front-Challenge"},
	 check_front,
	 read_front},
};

static const struct sender *sender_of(const struct provider *p)
{
	for (size_t i = 0; i < sizeof senders / sizeof *senders; i++)
		if (strcmp(senders[i].provider, p->name) == 0)
			return &senders[i];
	return NULL;
}

const struct webhook_headers *webhook_headers(const struct provider *p)
{
	const struct sender *s = sender_of(p);

	return s ? &s->headers : NULL;
}

int webhook_check(const struct provider *p, struct bytes secret, const struct webhook *h)
{
	const struct sender *s = sender_of(p);

	return s && secret.len ? s->check(secret, h) : ERR_DENIED;
}

int webhook_read(const struct provider *p, struct bytes body, struct webhook_hint *out)
{
	const struct sender *s = sender_of(p);

	*out = (struct webhook_hint){.count = 0};
	return s ? s->read(p, body, out) : ERR_INVALID;
}
