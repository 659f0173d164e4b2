/* deflate_test once more, with what processors without instructions for counting and shifting bits use. */
#define __builtin_cpu_supports(what) 0
#include "dictionary.c"
#include "phrases_pack.c"
#include "deflate_test.c"
