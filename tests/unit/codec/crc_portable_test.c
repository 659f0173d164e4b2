/* crc_test once more, with what processors without carryless products use. */
#define __builtin_cpu_supports(what) 0
#include "crc.c"
#include "crc_test.c"
