/*
 * find: bytes on the disk, wherever they may hide. Reads the files by their format alone (store/segment.h, store/journal.h), with what is dead in them, not through
 * a store.
 */
#ifndef FIC_TESTS_STORE_FIND_H
#define FIC_TESTS_STORE_FIND_H

#include <base/bytes.h>

/* In how many places below the folder the bytes stand: in a file as it is, or in one of its streams, unpacked. `inflated_out`: streams that were looked into. */
unsigned find_bytes(const char *dir, struct bytes text, unsigned *inflated_out);

#endif
