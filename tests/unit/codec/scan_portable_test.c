/* scan_test once more, with the scanners that hosts without SSE2 use. */
#define SCAN_PORTABLE 1
#include "scan_test.c"
