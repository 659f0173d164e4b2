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

/* Of unpackers, each of 100 KB: what is asked for at any time, and the versions of one resource that a merge
 * meets. Making one takes 0.1 ms. */
#define UNPACKERS_MAX 16u

struct dictionary {
	struct dictionary *next;
	uint64_t number;
	struct unpacker *unpacker; /* NULL: not in memory */
	struct packer *idle;       /* NULL: none is kept */
	bool distrusted;
	bool pinned; /* its file goes: what is in memory is all there is */
};

struct dictionaries {
	const char *dir;
	struct dictionary *first; /* the one that was asked for last */
	unsigned unpackers;
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

/* The dictionary's bytes; number 0 has none. */
static int read_number(const struct dictionaries *d, const char *resource, uint64_t number,
		       struct buf *out)
{
	if (!number)
		return 0;
	char *path = dictionary_path(d->dir, resource, number);
	if (!path)
		return ERR_NOMEM;
	int rc = dictionary_read(path, out);
	free(path);
	return rc;
}

/* What is known of the number, as the first; NULL: nothing. */
static struct dictionary *dictionary_find(struct dictionaries *d, uint64_t number)
{
	struct dictionary **at = &d->first, *one;

	while (*at && (*at)->number != number)
		at = &(*at)->next;
	one = *at;
	if (!one || at == &d->first)
		return one;
	*at = one->next;
	one->next = d->first;
	d->first = one;
	return one;
}

/* The same, known from now on; NULL: no memory. */
static struct dictionary *dictionary_entry(struct dictionaries *d, uint64_t number)
{
	struct dictionary *one = dictionary_find(d, number);

	if (one)
		return one;
	one = calloc(1, sizeof *one);
	if (!one)
		return NULL;
	one->number = number;
	one->next = d->first;
	d->first = one;
	return one;
}

static void drop_unpacker(struct dictionaries *d, struct dictionary *one)
{
	d->unpackers -= one->unpacker != NULL;
	unpacker_free(one->unpacker);
	one->unpacker = NULL;
}

/* Of too many the one that was not asked for the longest time goes, if it can be read again. */
static void drop_oldest(struct dictionaries *d)
{
	struct dictionary *last = NULL;

	if (d->unpackers <= UNPACKERS_MAX)
		return;
	for (struct dictionary *one = d->first->next; one; one = one->next)
		if (one->unpacker && !one->pinned && !one->distrusted)
			last = one;
	if (last)
		drop_unpacker(d, last);
}

static int load_unpacker(struct dictionaries *d, const char *resource, struct dictionary *one)
{
	struct buf bytes = {0};
	int rc = one->distrusted ? ERR_CORRUPT : read_number(d, resource, one->number, &bytes);

	if (!rc) {
		one->unpacker = unpacker_new(buf_bytes(&bytes));
		rc = one->unpacker ? 0 : ERR_NOMEM;
	}
	buf_release(&bytes);
	d->unpackers += !rc;
	drop_oldest(d);
	return rc;
}

void dictionary_forget(struct dictionaries *d, uint64_t number)
{
	for (struct dictionary **at = &d->first; *at; at = &(*at)->next)
		if ((*at)->number == number) {
			struct dictionary *one = *at;
			*at = one->next;
			drop_unpacker(d, one);
			dictionary_free(one);
			return;
		}
}

void dictionary_distrust(struct dictionaries *d, uint64_t number)
{
	struct dictionary *one = dictionary_entry(d, number);

	/* Without memory it is read when it is asked for, and refused then. */
	if (one)
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
	struct dictionary *one = dictionary_entry(d, number);
	int rc = !one ? ERR_NOMEM : one->unpacker ? 0 : load_unpacker(d, resource, one);

	if (!rc)
		*out = one->unpacker;
	return rc;
}

void dictionary_warm(struct dictionaries *d, uint64_t number)
{
	const struct dictionary *one = dictionary_find(d, number);

	if (one && one->unpacker)
		unpacker_warm(one->unpacker);
}

int dictionary_pin(struct dictionaries *d, const char *resource, uint64_t number)
{
	struct unpacker *u;
	int rc = dictionary_unpacker(d, resource, number, &u);

	if (!rc)
		d->first->pinned = true;
	return rc;
}

int dictionary_packer_new(struct dictionaries *d, const char *resource, uint64_t number, int level,
			  struct packer **out)
{
	struct buf bytes = {0};
	int rc = dictionary_trusted(d, number) ? read_number(d, resource, number, &bytes)
					       : ERR_CORRUPT;

	if (!rc) {
		*out = packer_new(buf_bytes(&bytes), level);
		rc = *out ? 0 : ERR_NOMEM;
	}
	buf_release(&bytes);
	return rc;
}

int dictionary_packer(struct dictionaries *d, const char *resource, uint64_t number,
		      struct packer **out)
{
	struct dictionary *one = dictionary_entry(d, number);

	if (!one || one->distrusted)
		return one ? ERR_CORRUPT : ERR_NOMEM;
	if (!one->idle)
		return dictionary_packer_new(d, resource, number, PACK_LEVEL, out);
	*out = one->idle;
	one->idle = NULL;
	return 0;
}

/* Room for one more: of too many the one that was not asked for the longest time goes. */
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
	struct dictionary *one = dictionary_find(d, number);

	if (!packer || !one || number == 0 || one->idle || packer_bytes(packer) > IDLE_BYTES_MAX) {
		packer_free(packer);
		return;
	}
	make_room(d);
	one->idle = packer;
}
