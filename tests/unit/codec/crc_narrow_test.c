/* crc_test once more, with what processors use whose carryless products are of 128 bits, and no wider. */
#define __builtin_cpu_supports(what) ((what)[0] != 'v' && __builtin_cpu_supports(what))
#include "crc.c"
#include "crc_test.c"
