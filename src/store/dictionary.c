/* dictionary: see the header. A dictionary's file is written by the commit that names it first, and
 * never again. */
#include "dictionary.h"
#include "framed.h"

#include <base/files.h>
#include <store/segment.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Of packers that are kept. Making one takes 0.2 ms. */
#define IDLE_MAX       2u
#define IDLE_BYTES_MAX (512u << 10)

struct dictionary {
	struct dictionary *next;
	uint64_t number;
	struct buf bytes;
	struct unpacker *unpacker;
	struct packer *idle; /* NULL: none is kept */
	bool distrusted;
};

struct dictionaries {
	const char *dir;
	struct dictionary *first;
};

struct dictionaries *dictionaries_new(const char *dir)
{
	struct dictionaries *d = calloc(1, sizeof *d);

	if (d)
		d->dir = dir;
	return d;
}

static void dictionary_free(struct dictionary *one)
{
	unpacker_free(one->unpacker);
	packer_free(one->idle);
	buf_release(&one->bytes);
	free(one);
}

void dictionaries_free(struct dictionaries *d)
{
	if (!d)
		return;
	while (d->first) {
		struct dictionary *one = d->first;
		d->first = one->next;
		dictionary_free(one);
	}
	free(d);
}

char *dictionary_path(const char *dir, const char *resource, uint64_t number)
{
	char *path;

	return asprintf(&path, "%s/%s/%" PRIu64 ".dict", dir, resource, number) < 0 ? NULL : path;
}

void dictionary_encode(struct bytes dictionary, struct buf *out)
{
	size_t start = framed_begin(out, DICTIONARY_MAGIC);

	buf_put_bytes(out, dictionary);
	framed_end(out, start);
}

int dictionary_decode(struct bytes file, struct bytes *out)
{
	int rc = framed_parse(file, DICTIONARY_MAGIC, out);

	return rc ? ERR_CORRUPT : out->len > DICTIONARY_MAX ? ERR_CORRUPT : 0;
}

static int dictionary_read(const char *path, struct buf *out)
{
	struct bytes body;
	int rc = file_read(path, FRAMED_HEAD + DICTIONARY_MAX, out, NULL);

	if (rc == ERR_NOTFOUND || rc == ERR_LIMIT)
		return ERR_CORRUPT;
	if (rc)
		return rc == ERR_NOMEM ? rc : ERR_IO;
	rc = dictionary_decode(buf_bytes(out), &body);
	if (!rc)
		buf_consume(out, FRAMED_HEAD);
	return rc;
}

static int dictionary_load(struct dictionaries *d, const char *resource, struct dictionary *one)
{
	int rc = 0;

	if (one->number) {
		char *path = dictionary_path(d->dir, resource, one->number);
		if (!path)
			return ERR_NOMEM;
		rc = dictionary_read(path, &one->bytes);
		free(path);
	}
	if (!rc) {
		one->unpacker = unpacker_new(buf_bytes(&one->bytes));
		rc = one->unpacker ? 0 : ERR_NOMEM;
	}
	return rc;
}

static int dictionary_find(struct dictionaries *d, const char *resource, uint64_t number,
			   struct dictionary **out)
{
	struct dictionary *one;

	for (one = d->first; one; one = one->next) {
		if (one->number != number)
			continue;
		*out = one;
		return one->unpacker ? 0 : ERR_CORRUPT;
	}
	one = calloc(1, sizeof *one);
	if (!one)
		return ERR_NOMEM;
	one->number = number;
	int rc = dictionary_load(d, resource, one);
	if (rc) {
		dictionary_free(one);
		return rc;
	}
	one->next = d->first;
	d->first = *out = one;
	return 0;
}

void dictionary_forget(struct dictionaries *d, uint64_t number)
{
	for (struct dictionary **at = &d->first; *at; at = &(*at)->next)
		if ((*at)->number == number) {
			struct dictionary *one = *at;
			*at = one->next;
			dictionary_free(one);
			return;
		}
}

void dictionary_distrust(struct dictionaries *d, uint64_t number)
{
	struct dictionary *one;

	for (one = d->first; one && one->number != number; one = one->next)
		;
	if (!one) {
		one = calloc(1, sizeof *one);
		if (!one)
			return; /* it is read when it is asked for, and refused then */
		one->number = number;
		one->next = d->first;
		d->first = one;
	}
	one->distrusted = true;
}

bool dictionary_trusted(const struct dictionaries *d, uint64_t number)
{
	for (const struct dictionary *one = d->first; one; one = one->next)
		if (one->number == number)
			return !one->distrusted;
	return true;
}

int dictionary_unpacker(struct dictionaries *d, const char *resource, uint64_t number,
			struct unpacker **out)
{
	struct dictionary *one;
	int rc = dictionary_find(d, resource, number, &one);

	if (!rc)
		*out = one->unpacker;
	return rc;
}

int dictionary_bytes(struct dictionaries *d, const char *resource, uint64_t number, struct bytes *out)
{
	struct dictionary *one;
	int rc = dictionary_find(d, resource, number, &one);

	if (!rc && one->distrusted)
		rc = ERR_CORRUPT;
	if (!rc)
		*out = buf_bytes(&one->bytes);
	return rc;
}

int dictionary_packer(struct dictionaries *d, const char *resource, uint64_t number,
		      struct packer **out)
{
	struct dictionary *one;
	struct bytes bytes;
	int rc = dictionary_bytes(d, resource, number, &bytes);

	if (!rc)
		rc = dictionary_find(d, resource, number, &one);
	if (rc)
		return rc;
	struct packer *packer = one->idle ? one->idle : packer_new(bytes, PACK_LEVEL);
	if (!packer)
		return ERR_NOMEM;
	one->idle = NULL;
	*out = packer;
	return 0;
}

/* Room for one more: of too many that were read the longest time ago goes. */
static void make_room(struct dictionaries *d)
{
	struct dictionary *last = NULL;
	unsigned idle = 0;

	for (struct dictionary *one = d->first; one; one = one->next)
		if (one->idle) {
			last = one;
			idle++;
		}
	if (idle < IDLE_MAX)
		return;
	packer_free(last->idle);
	last->idle = NULL;
}

void dictionary_give_packer(struct dictionaries *d, uint64_t number, struct packer *packer)
{
	struct dictionary *one;

	for (one = d->first; one && one->number != number; one = one->next)
		;
	if (!packer || !one || number == 0 || one->idle || packer_bytes(packer) > IDLE_BYTES_MAX) {
		packer_free(packer);
		return;
	}
	make_room(d);
	one->idle = packer;
}
