/*
 * dictionary: the compression dictionaries of a store, read when they are needed. What unpacks with those
 * that were asked for last stays in memory.
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

/* Number 0 is the empty dictionary. Borrowed until the next call for another number. ERR_CORRUPT when the
 * file is not what was written, ERR_IO, ERR_NOMEM. */
int dictionary_unpacker(struct dictionaries *d, const char *resource, uint64_t number,
			struct unpacker **out);
/* A record of this dictionary is about to be read: what is in memory to unpack it comes nearer meanwhile. */
void dictionary_warm(struct dictionaries *d, uint64_t number);
/* Has it in memory until it is forgotten: for one whose file is about to go. As dictionary_unpacker. */
int dictionary_pin(struct dictionaries *d, const char *resource, uint64_t number);

/* A packer of any level, the caller's to free. ERR_CORRUPT when the file is not what was written, or is
 * distrusted, ERR_IO, ERR_NOMEM. */
int dictionary_packer_new(struct dictionaries *d, const char *resource, uint64_t number, int level,
			  struct packer **out);
/* One of PACK_LEVEL, the caller's until it is given back (or freed): one that lies idle, or a new one. */
int dictionary_packer(struct dictionaries *d, const char *resource, uint64_t number,
		      struct packer **out);
/* Takes a packer (NULL: nothing). A few that are not large are kept for the next transaction. */
void dictionary_give_packer(struct dictionaries *d, uint64_t number, struct packer *packer);

/* Gives the memory back; the next call reads the file again. */
void dictionary_forget(struct dictionaries *d, uint64_t number);
/* Its file was found damaged: nothing more is to be packed with it (dictionary_packer_new
 * and dictionary_packer answer ERR_CORRUPT). What is in memory can still be unpacked, and so saved. */
void dictionary_distrust(struct dictionaries *d, uint64_t number);
bool dictionary_trusted(const struct dictionaries *d, uint64_t number);

/* The file's path: <dir>/<resource>/<number>.dict, from malloc; NULL: no memory. */
char *dictionary_path(const char *dir, const char *resource, uint64_t number);
/* The file's bytes. */
void dictionary_encode(struct bytes dictionary, struct buf *out);
int dictionary_decode(struct bytes file, struct bytes *out);

#endif
