/* asking: asks, and answers to them, in one line each. */
#ifndef FIC_TEST_ASKING_H
#define FIC_TEST_ASKING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <source/provider.h>

#define SEEN INT64_C(1800000000000)

extern const struct account asking_account;     /* 2.16 */
extern const struct account asking_old_account; /* 2.15 */

extern const struct account asking_front_account;

struct ask asking_of(enum ask_kind kind, const char *resource);
struct ask asking_one(const char *resource, const char *id);
/* The page that an answer makes, fed whole and then again byte by byte, which must come to the same. The caller frees it. */
struct page *asking_answer(const struct ask *ask, int status, const char *body);
struct page *asking_answer_link(const struct ask *ask, int status, const char *body, const char *link);
/* The same of Front. */
struct ask asking_front(enum ask_kind kind, const char *resource);
struct page *asking_front_answer(const struct ask *ask, int status, const char *body);
struct page *asking_front_moved(const struct ask *ask, const char *location);
/* By the account of 2.15. */
struct page *asking_answer_old(const struct ask *ask, int status, const char *body);
char *asking_front_example(const char *file);
/* An official example; NULL when the examples are not at hand. The caller frees it. */
char *asking_example(const char *file);

#endif
