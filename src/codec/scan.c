/* scan: validation of whole strings. Never reads past the length it is given. */
#include "scan.h"

bool utf8_valid(const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;

	while (p < end) {
		while (end - p >= SCAN_BLOCK && scan_ascii(p))
			p += SCAN_BLOCK;
		while (p < end && *p < 0x80)
			p++;
		while (p < end && *p >= 0x80) {
			unsigned n = utf8_sequence(p, end);
			if (n == 0)
				return false;
			p += n;
		}
	}
	return true;
}
