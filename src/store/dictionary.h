/*
 * dictionary: the compression dictionaries of a store, read when first needed and kept until it
 * closes.
 */
#ifndef FIC_STORE_DICTIONARY_H
#define FIC_STORE_DICTIONARY_H

#include <base/bytes.h>
#include <base/err.h>
#include <codec/deflate.h>

#define PACK_LEVEL 3 /* of what a transaction brings: fresh records change soon */

struct dictionaries;

/* Borrows `dir`. NULL: no memory. */
struct dictionaries *dictionaries_new(const char *dir);
void dictionaries_free(struct dictionaries *d);

/* Number 0 is the empty dictionary. ERR_CORRUPT when the file is not what was written, ERR_IO,
 * ERR_NOMEM. */
int dictionary_unpacker(struct dictionaries *d, const char *resource, uint64_t number,
			struct unpacker **out);
/* The bytes, borrowed until dictionaries_free. */
int dictionary_bytes(struct dictionaries *d, const char *resource, uint64_t number, struct bytes *out);

/* A packer of PACK_LEVEL, the caller's until it is given back (or freed): one that lies idle, or a new
 * one. As dictionary_bytes. */
int dictionary_packer(struct dictionaries *d, const char *resource, uint64_t number,
		      struct packer **out);
/* Takes a packer (NULL: nothing). A few that are not large are kept for the next transaction. */
void dictionary_give_packer(struct dictionaries *d, uint64_t number, struct packer *packer);

/* Gives the memory back; the next call reads the file again. */
void dictionary_forget(struct dictionaries *d, uint64_t number);
/* Its file was found damaged: nothing more is to be packed with it (dictionary_bytes and
 * dictionary_packer answer ERR_CORRUPT). What is in memory can still be unpacked, and so saved. */
void dictionary_distrust(struct dictionaries *d, uint64_t number);
bool dictionary_trusted(const struct dictionaries *d, uint64_t number);

/* The file's path: <dir>/<resource>/<number>.dict, from malloc; NULL: no memory. */
char *dictionary_path(const char *dir, const char *resource, uint64_t number);
/* The file's bytes. */
void dictionary_encode(struct bytes dictionary, struct buf *out);
int dictionary_decode(struct bytes file, struct bytes *out);

#endif
