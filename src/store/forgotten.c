/* forgotten: see the header. */
#include "inside.h"
#include "view.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define SEALS_MARK "forgotten."
#define SEALS_NAME (sizeof SEALS_MARK + 10)
/* Of a mark's value; and so many marks leave the others room. */
#define MARK_SEALS  (MARK_VALUE_MAX / SEAL_BYTES)
#define SEALS_MARKS 512u

static int seal(const uint8_t *key, const char *resource, struct bytes id, uint8_t out[SEAL_BYTES])
{
	uint8_t text[SEGMENT_NAME_SIZE + RECORD_ID_MAX], digest[EVP_MAX_MD_SIZE];
	size_t n = strlen(resource) + 1;
	unsigned len = 0;

	if (n > SEGMENT_NAME_SIZE || id.len > RECORD_ID_MAX)
		return ERR_INVALID;
	memcpy(text, resource, n);
	memcpy(text + n, id.data, id.len);
	if (!HMAC(EVP_sha256(), key, STORE_FORGET_KEY, text, n + id.len, digest, &len) ||
	    len < SEAL_BYTES)
		return ERR_NOMEM;
	memcpy(out, digest, SEAL_BYTES);
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, SEAL_BYTES);
}

/* ---- of a state ---- */

static struct bytes seals_name(unsigned n, char out[SEALS_NAME])
{
	snprintf(out, SEALS_NAME, SEALS_MARK "%04u", n);
	return bytes_str(out);
}

static const struct mark *seals_at(const struct state *t, unsigned n)
{
	char name[SEALS_NAME];

	return state_find_mark(t, seals_name(n, name));
}

/* How many marks there are, and the last of them. */
static unsigned seals_marks(const struct state *t, const struct mark **last_out)
{
	unsigned n = 0;

	*last_out = NULL;
	for (const struct mark *m; (m = seals_at(t, n)); n++)
		*last_out = m;
	return n;
}

void forgotten_release(struct forgotten *f)
{
	free(f->seals);
	*f = (struct forgotten){0};
}

void forgotten_load(struct forgotten *f, const struct state *t)
{
	const struct mark *last, *key = state_find_mark(t, bytes_str(FORGET_KEY_MARK));

	if (!key || key->value_len != STORE_FORGET_KEY) {
		forgotten_release(f);
		return;
	}
	unsigned marks = seals_marks(t, &last);
	if (f->keyed && !f->unknown && f->last == last && (!last || f->last_len == last->value_len))
		return;
	forgotten_release(f);
	memcpy(f->key, mark_value(key).data, sizeof f->key);
	f->keyed = true;
	f->last = last;
	f->last_len = last ? last->value_len : 0;
	if (marks == 0)
		return;
	f->seals = malloc((size_t)marks * MARK_VALUE_MAX);
	f->unknown = !f->seals;
	for (unsigned i = 0; f->seals && i < marks; i++) {
		struct bytes value = mark_value(seals_at(t, i));
		size_t n = value.len / SEAL_BYTES;
		memcpy(f->seals[f->count], value.data, n * SEAL_BYTES);
		f->count += n;
	}
	if (f->seals)
		qsort(f->seals, f->count, SEAL_BYTES, by_bytes);
}

static int has(const struct forgotten *f, const char *resource, struct bytes id)
{
	uint8_t wanted[SEAL_BYTES];
	int rc = seal(f->key, resource, id, wanted);

	if (rc)
		return rc == ERR_INVALID ? 0 : rc;
	return bsearch(wanted, f->seals, f->count, SEAL_BYTES, by_bytes) != NULL;
}

int forgotten_has(const struct forgotten *f, const struct schema *schema, const char *resource,
		  struct bytes id, struct bytes parent)
{
	if (f->unknown)
		return ERR_NOMEM;
	if (f->count == 0)
		return 0;
	int rc = has(f, resource, id);
	if (rc == 0 && parent.len && schema && *schema->parent)
		rc = has(f, schema->parent, parent);
	return rc;
}

bool snapshot_forgotten(const struct snapshot *v, const char *resource, struct bytes id)
{
	const struct store *s = v->store;

	return forgotten_has(&s->forgotten, NULL, resource, id, bytes_of(NULL, 0)) == 1;
}

bool snapshot_forgets(const struct snapshot *v)
{
	return v->store->forgotten.count > 0;
}

/* ---- of a transaction ---- */

int forgotten_add(struct txn *t, const char *resource, struct bytes id, struct bytes key)
{
	const struct forgotten *f = &t->store->forgotten;
	uint8_t one[SEAL_BYTES];
	int rc = 0;

	assert(key.len == STORE_FORGET_KEY);
	if (f->count + t->seals.len / SEAL_BYTES >= (size_t)SEALS_MARKS * MARK_SEALS)
		return ERR_LIMIT;
	if (!f->keyed && t->seals.len == 0)
		rc = txn_mark_add(t, FORGET_KEY_MARK, key);
	if (!rc)
		rc = seal(f->keyed ? f->key : key.data, resource, id, one);
	if (!rc && (f->count == 0 || !bsearch(one, f->seals, f->count, SEAL_BYTES, by_bytes)))
		buf_put(&t->seals, one, sizeof one);
	return rc ? rc : t->seals.error;
}

int forgotten_settle(struct txn *t)
{
	const struct mark *last;
	struct buf value = {0};
	unsigned n = seals_marks(t->store->state, &last);
	char name[SEALS_NAME];
	int rc = 0;

	if (last && last->value_len < MARK_VALUE_MAX) {
		n--;
		buf_put_bytes(&value, mark_value(last));
	}
	for (size_t at = 0; !rc && at < t->seals.len; n++) {
		size_t room = MARK_VALUE_MAX - value.len, left = t->seals.len - at;
		size_t take = left < room ? left : room;
		buf_put(&value, t->seals.data + at, take);
		seals_name(n, name);
		rc = value.error ? value.error : txn_mark_add(t, name, buf_bytes(&value));
		buf_reset(&value);
		at += take;
	}
	buf_release(&value);
	return rc;
}
