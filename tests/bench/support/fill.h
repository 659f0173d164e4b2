/*
 * fill: stores made as a first sync of the daemon makes them, without provider, network and fsync.
 */
#ifndef FIC_TESTS_BENCH_FILL_H
#define FIC_TESTS_BENCH_FILL_H

#include <store/store.h>

/* Ends the program with a word about what was done when rc is an error. */
void fill_must(int rc, const char *what);

/* Opens the state_dir/SOURCE of an Intercom source, with the daemon's indexes and its shares of its memory; ends the program
 * when that fails. store_close ends it. */
struct store *fill_open(const char *dir);

/* Puts one conversation, as the provider gives it (JSON), with its messages. */
void fill_put(struct txn *t, struct bytes json, const char *id);
/* Gives a conversation of page_conversation, and its parts, ids of their own: 1000000 + i and so on. */
void fill_number(struct buf *json, unsigned i);
/* Claims all conversations and messages up to this time: without that a daemon has everything still to read. */
void fill_hold(struct txn *t, int64_t end_ms);
void fill_commit(struct store *s, struct txn *t);
/* Writes what is in the journal to segments, and merges what is to merge. */
void fill_settle(struct store *s);

#endif
